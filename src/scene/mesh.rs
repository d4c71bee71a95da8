//! Meshes as solids: every connected part of a mesh that is convex is one hull, others are divided into hulls.

mod files;
mod gltf2;

use std::collections::HashMap;
use std::path::Path;

use nalgebra::{Isometry3, Vector3};
use parry3d::math::Vector;
use parry3d::transformation::vhacd::{VHACD, VHACDParameters};

use super::{Hull, Shape, Solid, THINNEST, Unfit};
use crate::error::{Error, Result};
use crate::motion::calibration::Axis;
pub(super) use files::is_mesh;

/// How deep inside its hull the surface of a mesh may lie that counts as convex, m: as deep as solids are thick at least.
const DENT: f64 = 2.0 * THINNEST;

/// Cells along the longest side of a mesh that is divided, and the most hulls that it is divided into.
const CELLS: u32 = 64;
const MOST_PIECES: u32 = 64;

/// How a mesh stands in the world.
pub(super) struct Placement {
    /// Metres per unit of the file.
    pub scale: f64,
    /// The axis of the file that points up; what its format says where not given.
    pub up: Option<Axis>,
    /// World ← mesh, z up.
    pub pose: Isometry3<f64>,
}

impl Default for Placement {
    fn default() -> Self {
        Self {
            scale: 1.0,
            up: None,
            pose: Isometry3::identity(),
        }
    }
}

/// Triangles of one object of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Mesh {
    pub name: Option<String>,
    pub points: Vec<Vector3<f64>>,
    pub triangles: Vec<[u32; 3]>,
}

/// Refuses a file that its library does not understand.
fn unreadable(path: &Path, error: impl std::fmt::Display) -> Error {
    let advice = "export the mesh anew as OBJ or glTF 2.0";
    Error::input(path.display(), "content", error, advice)
}

/// Three corners each.
fn triangles(indices: &[u32]) -> Vec<[u32; 3]> {
    indices.as_chunks().0.to_vec()
}

/// The solids of a mesh file, `.obj`, `.glb` or `.gltf`.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Input`] naming what cannot be used.
pub(super) fn solids(path: &Path, placement: &Placement) -> Result<Vec<Solid>> {
    let origin = path.display().to_string();
    let (meshes, usual) = files::read(path)?;
    let up = placement.up.unwrap_or(usual);
    let mut solids = Vec::new();
    for (i, mut mesh) in meshes.into_iter().enumerate() {
        for point in &mut mesh.points {
            let turned = up.to_z_up(*point) * placement.scale;
            *point = placement.pose.transform_point(&turned.into()).coords;
        }
        let name = mesh.name.clone().unwrap_or_else(|| format!("mesh {i}"));
        for part in mesh.parts() {
            let refused = |(found, advice)| Error::input(&origin, &name, found, advice);
            for points in part.pieces().map_err(refused)? {
                solids.extend(solid(&name, &points));
            }
        }
    }
    if solids.is_empty() {
        let advice = "give a mesh with a body that is at least 0.01 m thick";
        return Err(Error::input(origin, "content", "no body", advice));
    }
    Ok(solids)
}

/// A solid of the hull of `points`, in the world, with its origin amid them; `None` where that is too thin to touch.
fn solid(name: &str, points: &[Vector3<f64>]) -> Option<Solid> {
    let middle = points.iter().sum::<Vector3<f64>>() / points.len() as f64;
    let around: Vec<_> = points.iter().map(|p| p - middle).collect();
    let hull = Hull::new(&around).ok()?;
    (hull.thickness() >= 2.0 * THINNEST).then(|| Solid {
        name: Some(name.to_string()),
        shape: Shape::Hull(hull),
        pose: Isometry3::translation(middle.x, middle.y, middle.z),
        during: None,
        links: None,
    })
}

impl Mesh {
    /// Its connected parts. Corners at the same place are one.
    fn parts(self) -> Vec<Self> {
        let mut numbers = HashMap::new();
        let mut points: Vec<Vector3<f64>> = Vec::new();
        let merged = self.points.iter().map(|p| {
            // -0 and 0 are one place.
            let key = [p.x, p.y, p.z].map(|x| (x + 0.0).to_bits());
            *numbers.entry(key).or_insert_with(|| {
                points.push(*p);
                points.len() - 1
            })
        });
        let merged: Vec<usize> = merged.collect();
        let mut groups = Groups::new(points.len());
        for [a, b, c] in self.corners(&merged) {
            groups.join(a, b);
            groups.join(b, c);
        }
        let mut parts: Vec<Self> = Vec::new();
        let mut part_of = HashMap::new();
        let mut place_of = HashMap::new();
        for corners in self.corners(&merged) {
            let part = *part_of.entry(groups.of(corners[0])).or_insert_with(|| {
                parts.push(Self::default());
                parts.len() - 1
            });
            let part = &mut parts[part];
            part.triangles.push(corners.map(|corner| {
                *place_of.entry(corner).or_insert_with(|| {
                    part.points.push(points[corner]);
                    part.points.len() as u32 - 1
                })
            }));
        }
        parts
    }

    /// The corners of its triangles by their numbers in `merged`, without triangles that have a corner twice.
    fn corners<'m>(&'m self, merged: &'m [usize]) -> impl Iterator<Item = [usize; 3]> + 'm {
        let corners = self
            .triangles
            .iter()
            .map(|corners| corners.map(|corner| merged[corner as usize]));
        corners.filter(|[a, b, c]| a != b && b != c && c != a)
    }

    /// Points whose hulls it consists of; none where it is flat.
    ///
    /// # Errors
    /// What is found, and what to do, where it cannot be divided.
    fn pieces(&self) -> std::result::Result<Vec<Vec<Vector3<f64>>>, (String, &'static str)> {
        let hull = match Hull::new(&self.points) {
            Ok(hull) => hull,
            Err(Unfit::Few(_) | Unfit::Flat) => return Ok(Vec::new()),
            Err(unfit) => return Err((unfit.to_string(), "give a coarser mesh")),
        };
        if self.dent(&hull) <= DENT {
            return Ok(vec![hull.points().to_vec()]);
        }
        if !self.is_closed() {
            let advice = "close the mesh, or give a part for everything convex";
            return Err(("a surface that is open and not convex".into(), advice));
        }
        let points: Vec<_> = self
            .points
            .iter()
            .map(|p| Vector::new(p.x, p.y, p.z))
            .collect();
        let parameters = VHACDParameters {
            resolution: CELLS,
            max_convex_hulls: MOST_PIECES,
            ..VHACDParameters::default()
        };
        let divided = VHACD::decompose(&parameters, &points, &self.triangles, true);
        let hulls = divided
            .compute_exact_convex_hulls(&points, &self.triangles)
            .into_iter();
        Ok(hulls
            .map(|(points, _)| points.iter().map(|p| Vector3::new(p.x, p.y, p.z)).collect())
            .collect())
    }

    /// How deep inside of `hull` its surface lies at the corners and middles of its triangles, m.
    fn dent(&self, hull: &Hull) -> f64 {
        let middles = self.triangles.iter().map(|corners| {
            corners
                .map(|corner| self.points[corner as usize])
                .iter()
                .sum::<Vector3<f64>>()
                / 3.0
        });
        let depths = self
            .points
            .iter()
            .copied()
            .chain(middles)
            .map(|p| -hull.nearest(&p).1);
        depths.fold(0.0, f64::max)
    }

    /// Whether every edge is between two triangles.
    fn is_closed(&self) -> bool {
        let mut edges: HashMap<(u32, u32), usize> = HashMap::new();
        for [a, b, c] in &self.triangles {
            for (from, to) in [(a, b), (b, c), (c, a)] {
                *edges.entry((*from.min(to), *from.max(to))).or_default() += 1;
            }
        }
        edges.values().all(|sides| *sides == 2)
    }
}

/// Numbers that are in groups (union-find).
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The group of `i`.
    fn of(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        self.0[a.max(b)] = a.min(b);
    }
}
