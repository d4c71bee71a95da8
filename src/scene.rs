//! What there is to touch beside the ground plane z = 0: boxes and convex hulls that stand still.
//!
//! A scene file is JSON, in metres, z up, in the frame of the motion: `{"boxes": [{"center": [x, y, z], "half_extents":
//! [x, y, z], "yaw": radians}], "hulls": [{"points": [[x, y, z], …]}], "meshes": [{"file": "rocks.obj"}]}`, every list as
//! wanted; or a mesh itself.

mod document;
mod hull;
mod mesh;
mod shape;

use std::ops::Range;
use std::path::Path;

use nalgebra::{Isometry3, Vector3};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use document::Document;
pub use hull::{Hull, Unfit};
pub use shape::Shape;

/// The largest coordinate of a solid, m.
const FARTHEST: f64 = 1e4;

/// The thinnest solid, half of its thickness, m: thinner ones would be run through in a timestep.
const THINNEST: f64 = 0.005;

/// The most solids, and the most different sets of links that solids are for.
const MOST: usize = 1000;
const MOST_SETS: usize = 30;

/// What there is beside the ground.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct Scene {
    /// Boxes first where it comes from a file, then hulls.
    pub solids: Vec<Solid>,
}

/// A solid that stands still.
#[derive(Clone, Debug, PartialEq)]
pub struct Solid {
    /// What it is called.
    pub name: Option<String>,
    /// In a frame of its own.
    pub shape: Shape,
    /// World ← that frame.
    pub pose: Isometry3<f64>,
    /// When it can be touched, s from the first frame; always where not given.
    pub during: Option<Range<f64>>,
    /// Names of the links that can touch it; all where not given.
    pub links: Option<Vec<String>>,
}

/// Where a sphere is nearest to a surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Out of the surface, unit vector, world frame.
    pub normal: Vector3<f64>,
    /// From the surface to the sphere, m; negative inside.
    pub distance: f64,
}

impl Scene {
    /// Reads a scene file, or a mesh by itself (`.obj`, `.glb`, `.gltf`).
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Input`] naming what cannot be used.
    pub fn read(path: &Path) -> Result<Self> {
        let scene = match mesh::is_mesh(path) {
            true => Self {
                solids: mesh::solids(path, &mesh::Placement::default())?,
            },
            false => document::File::read(path)?,
        };
        scene.check(&path.display().to_string())?;
        Ok(scene)
    }

    /// Whether there is nothing but the ground.
    pub fn is_empty(&self) -> bool {
        self.solids.is_empty()
    }

    /// Checks every solid; errors call the scene `origin`.
    ///
    /// # Errors
    /// [`Error::Input`] naming the first value that cannot be used.
    pub fn check(&self, origin: &str) -> Result<()> {
        if self.solids.len() > MOST {
            let found = format!("{} solids", self.solids.len());
            let advice = format!("give at most {MOST}");
            return Err(Error::input(origin, "scene", found, advice));
        }
        let links = self.solids.iter().filter_map(|solid| solid.links.as_ref());
        let mut sets: Vec<_> = links.collect();
        sets.sort();
        sets.dedup();
        if sets.len() > MOST_SETS {
            let found = format!("{} different lists", sets.len());
            let advice = format!("give at most {MOST_SETS}");
            return Err(Error::input(origin, "links", found, advice));
        }
        for (i, solid) in self.solids.iter().enumerate() {
            solid.check(origin, &self.name_of(i))?;
        }
        Ok(())
    }

    /// Where the solid with number `i` stands in a file: `boxes[2]`.
    pub fn name_of(&self, i: usize) -> String {
        let kind = self.solids[i].shape.kind();
        let before = self.solids[..i].iter();
        let number = before.filter(|solid| solid.shape.kind() == kind).count();
        format!("{kind}[{number}]")
    }

    /// How many solids there are, of which kind: "2 boxes, 3 hulls".
    pub fn described(&self) -> String {
        let is_hull = |solid: &&Solid| matches!(solid.shape, Shape::Hull(_));
        let hulls = self.solids.iter().filter(is_hull).count();
        let counted = |count: usize, one: &str, many: &str| {
            (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
        };
        let boxes = counted(self.solids.len() - hulls, "box", "boxes");
        let parts = [boxes, counted(hulls, "hull", "hulls")];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The solids that the link called `link` can touch.
    pub fn solids_for(&self, link: &str) -> impl Iterator<Item = &Solid> {
        self.solids.iter().filter(move |solid| solid.is_for(link))
    }

    /// Height of the ground or the highest solid under the point `p`, at `time`, s: m. Solids that reach higher than it
    /// are not under it.
    pub fn height_under(&self, p: &Vector3<f64>, time: f64) -> f64 {
        let there = self.solids.iter().filter(|solid| solid.is_there(time));
        let tops = there.filter_map(|solid| solid.top_at(p.x, p.y));
        let under = tops.filter(|top| *top <= p.z);
        under.fold(0.0, f64::max)
    }
}

impl Solid {
    /// Refuses what cannot be simulated; errors call it `name`.
    fn check(&self, origin: &str, name: &str) -> Result<()> {
        let refuse = |field: &str, found: String, advice: &str| {
            Err(Error::input(
                origin,
                format!("{name}.{field}"),
                found,
                advice,
            ))
        };
        let center = self.pose.translation.vector;
        if !center.iter().all(|x| x.abs() <= FARTHEST) {
            let found = format!("[{}, {}, {}]", center.x, center.y, center.z);
            return refuse("center", found, "give metres within 10 km");
        }
        if let Err((found, advice)) = self.shape.check() {
            return refuse(self.shape.size_field(), found, advice);
        }
        if !self.pose.rotation.coords.iter().all(|x| x.is_finite()) {
            let advice = "give yaw in radians or a quaternion [w, x, y, z] of length 1";
            return refuse("quaternion", "no rotation".into(), advice);
        }
        if let Some(during) = &self.during
            && (!during.start.is_finite() || !during.end.is_finite() || during.is_empty())
        {
            let advice = "give [from, to] in seconds, from before to";
            return refuse("during", format!("{during:?}"), advice);
        }
        Ok(())
    }

    /// Whether it can be touched at `time`, s from the first frame.
    pub fn is_there(&self, time: f64) -> bool {
        self.during
            .as_ref()
            .is_none_or(|during| during.contains(&time))
    }

    /// Whether it is there for a while, or for some links only.
    pub fn is_partial(&self) -> bool {
        self.during.is_some() || self.links.is_some()
    }

    /// Whether the link called `link` can touch it.
    pub fn is_for(&self, link: &str) -> bool {
        let links = self.links.as_ref();
        links.is_none_or(|links| links.iter().any(|name| name == link))
    }

    /// Where a sphere at `center` of `radius`, m, is nearest to its surface. From a centre inside, that is the nearest
    /// of its sides.
    pub fn nearest(&self, center: &Vector3<f64>, radius: f64) -> Nearest {
        let local = self.pose.inverse_transform_point(&(*center).into()).coords;
        let (normal, distance) = self.shape.nearest(&local);
        Nearest {
            normal: self.pose.rotation * normal,
            distance: distance - radius,
        }
    }

    /// Height of its uppermost point over (`x`, `y`), m, where the vertical line there goes through it.
    fn top_at(&self, x: f64, y: f64) -> Option<f64> {
        let inverse = self.pose.rotation.inverse();
        let start = inverse * (Vector3::new(x, y, 0.0) - self.pose.translation.vector);
        self.shape.highest(&start, &(inverse * Vector3::z()))
    }

    /// Its corners, world frame, m: of a box x fastest, then y.
    pub fn corners(&self) -> Vec<Vector3<f64>> {
        let place = |corner: Vector3<f64>| self.pose.transform_point(&corner.into()).coords;
        self.shape.corners().into_iter().map(place).collect()
    }

    /// Height of its uppermost corner, m.
    pub fn top(&self) -> f64 {
        let heights = self.corners().into_iter().map(|corner| corner.z);
        heights.fold(f64::NEG_INFINITY, f64::max)
    }
}

#[cfg(test)]
mod tests;
