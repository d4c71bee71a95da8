//! Triangle meshes of the body's shapes.

use nalgebra::{Rotation3, UnitQuaternion, Vector3};

use crate::body::Geometry;
use crate::scene::Shape;

/// Segments around a capsule; a multiple of 4.
const SEGMENTS: usize = 16;
/// Rings of each of a capsule's half spheres.
const RINGS: usize = 4;

/// Triangles with smooth normals.
#[derive(Clone, Debug, Default)]
pub(super) struct Mesh {
    /// Vertices, m.
    pub positions: Vec<Vector3<f64>>,
    /// Unit normals, one per vertex, pointing outwards.
    pub normals: Vec<Vector3<f64>>,
    /// Indices of the vertices, counter-clockwise seen from outside.
    pub triangles: Vec<[u32; 3]>,
}

impl Mesh {
    /// The surface of a shape, in its link's frame.
    pub(super) fn of(geometry: &Geometry) -> Self {
        match geometry {
            Geometry::Capsule { a, b, radius } => Self::capsule(a, b, *radius),
            Geometry::RoundBox {
                center,
                half_extents,
                rotation,
                radius,
            } => Self::round_box(half_extents, *radius).placed(rotation, center),
        }
    }

    /// Adds the triangles of `other`.
    pub(super) fn append(&mut self, other: Self) {
        let first = self.positions.len() as u32;
        self.positions.extend(other.positions);
        self.normals.extend(other.normals);
        self.triangles
            .extend(other.triangles.iter().map(|abc| abc.map(|v| v + first)));
    }

    /// A horizontal square around `center` with sides of `2 half` metres, facing up.
    pub(super) fn ground(center: Vector3<f64>, half: f64) -> Self {
        let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
        Self {
            positions: corners
                .map(|(x, y)| center + Vector3::new(half * x, half * y, 0.0))
                .to_vec(),
            normals: vec![Vector3::z(); 4],
            triangles: vec![[0, 1, 2], [0, 2, 3]],
        }
    }

    /// All points at `radius` from the segment a–b: two half spheres whose equators are joined.
    pub(super) fn capsule(a: &Vector3<f64>, b: &Vector3<f64>, radius: f64) -> Self {
        let axis = b - a;
        let rotation = Rotation3::rotation_between(&Vector3::z(), &axis).unwrap_or_else(|| {
            Rotation3::from_axis_angle(&Vector3::x_axis(), std::f64::consts::PI)
        });
        let mut mesh = Self::default();
        // Rings from pole to pole; the equator is there twice, once for each half.
        for ring in 0..2 * (RINGS + 1) {
            let (end, step) = if ring <= RINGS {
                (a, ring)
            } else {
                (b, ring - 1)
            };
            let latitude = std::f64::consts::FRAC_PI_2 * (step as f64 / RINGS as f64 - 1.0);
            for segment in 0..=SEGMENTS {
                let longitude = std::f64::consts::TAU * segment as f64 / SEGMENTS as f64;
                let (sin, cos) = longitude.sin_cos();
                let around = Vector3::new(cos, sin, 0.0) * latitude.cos();
                let normal = rotation * (around + Vector3::z() * latitude.sin());
                mesh.positions.push(end + normal * radius);
                mesh.normals.push(normal);
            }
        }
        mesh.triangles = lattice(2 * (RINGS + 1), SEGMENTS + 1, 0);
        // At the poles one of each pair of triangles has no area.
        mesh.triangles.retain(|abc| !is_flat(&mesh.positions, abc));
        mesh
    }

    /// A box around the origin with rounded edges: a lattice on each face of the sharp box, every
    /// point moved to `radius` from the nearest point of the inner box.
    fn round_box(half: &Vector3<f64>, radius: f64) -> Self {
        let radius = radius.clamp(1e-3 * half.min(), half.min());
        let inner = half.map(|h| h - radius);
        // Parameters −1 … 1 of the lattice: outside ±1/2 the edge, between them the flat middle.
        const LATTICE: [f64; 6] = [-1.0, -0.75, -0.5, 0.5, 0.75, 1.0];
        let coordinate = |axis: usize, u: f64| {
            let rounded = (2.0 * u.abs() - 1.0).max(0.0) * std::f64::consts::FRAC_PI_4;
            u.signum() * (inner[axis] + radius * rounded.tan())
        };
        let mut mesh = Self::default();
        for (axis, side) in (0..3).flat_map(|axis| [(axis, -1.0), (axis, 1.0)]) {
            let first = mesh.positions.len() as u32;
            let (right, up) = if side > 0.0 { (1, 2) } else { (2, 1) };
            let (right, up) = ((axis + right) % 3, (axis + up) % 3);
            for (v, u) in LATTICE
                .iter()
                .flat_map(|v| LATTICE.iter().map(move |u| (v, u)))
            {
                let mut sharp = Vector3::zeros();
                sharp[axis] = side * half[axis];
                sharp[right] = coordinate(right, *u);
                sharp[up] = coordinate(up, *v);
                let core = sharp.zip_map(&inner, |s, i| s.clamp(-i, i));
                let normal = (sharp - core).normalize();
                mesh.positions.push(core + normal * radius);
                mesh.normals.push(normal);
            }
            mesh.triangles
                .extend(lattice(LATTICE.len(), LATTICE.len(), first));
        }
        mesh
    }

    /// The faces of a convex shape, flat.
    pub(super) fn polyhedron(shape: &Shape) -> Self {
        let corners = shape.corners();
        let mut mesh = Self::default();
        for face in shape.faces() {
            let first = mesh.positions.len() as u32;
            let at = |i: usize| corners[face[i]];
            let normal = (at(1) - at(0)).cross(&(at(2) - at(0))).normalize();
            mesh.positions
                .extend(face.iter().map(|corner| corners[*corner]));
            mesh.normals.extend(face.iter().map(|_| normal));
            let fan = 2..face.len() as u32;
            mesh.triangles
                .extend(fan.map(|i| [first, first + i - 1, first + i]));
        }
        mesh
    }

    fn placed(mut self, rotation: &UnitQuaternion<f64>, center: &Vector3<f64>) -> Self {
        for (position, normal) in self.positions.iter_mut().zip(&mut self.normals) {
            *position = rotation * *position + center;
            *normal = rotation * *normal;
        }
        self
    }
}

/// Two triangles for every cell of a lattice of `rows × columns` vertices that begins at `first`.
fn lattice(rows: usize, columns: usize, first: u32) -> Vec<[u32; 3]> {
    let vertex = |row: usize, column: usize| first + (row * columns + column) as u32;
    (0..rows - 1)
        .flat_map(|row| (0..columns - 1).map(move |column| (row, column)))
        .flat_map(|(row, column)| {
            let (a, b) = (vertex(row, column), vertex(row, column + 1));
            let (c, d) = (vertex(row + 1, column + 1), vertex(row + 1, column));
            [[a, b, c], [a, c, d]]
        })
        .collect()
}

fn is_flat(positions: &[Vector3<f64>], abc: &[u32; 3]) -> bool {
    let [a, b, c] = abc.map(|v| positions[v as usize]);
    (b - a).cross(&(c - a)).norm() < 1e-12
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    /// Signed volume by the divergence theorem: right only if all triangles face outwards.
    fn volume(mesh: &Mesh) -> f64 {
        let vertex = |v: u32| mesh.positions[v as usize];
        let tetrahedron = |&[a, b, c]: &[u32; 3]| vertex(a).dot(&vertex(b).cross(&vertex(c))) / 6.0;
        mesh.triangles.iter().map(tetrahedron).sum()
    }

    #[test]
    fn a_capsule_has_its_volume() {
        let (a, b) = (Vector3::new(0.1, 0.2, -0.1), Vector3::new(-0.1, 0.4, 0.5));
        let (length, radius) = ((b - a).norm(), 0.07);
        let exact = PI * radius * radius * (length + 4.0 / 3.0 * radius);
        let mesh = Mesh::capsule(&a, &b, radius);
        assert!(
            (volume(&mesh) / exact - 1.0).abs() < 0.06,
            "{} {exact}",
            volume(&mesh)
        );
        assert!(
            (200..=400).contains(&mesh.triangles.len()),
            "{}",
            mesh.triangles.len()
        );
    }

    #[test]
    fn a_sphere_and_a_downward_capsule_are_not_degenerate() {
        let o = Vector3::zeros();
        for end in [o, Vector3::new(0.0, 0.0, -0.4)] {
            let mesh = Mesh::capsule(&o, &end, 0.1);
            assert!(volume(&mesh) > 0.0);
            assert!(mesh.normals.iter().all(|n| (n.norm() - 1.0).abs() < 1e-12));
        }
    }

    #[test]
    fn a_round_box_has_its_size_and_faces_outwards() {
        let half_extents = Vector3::new(0.12, 0.05, 0.03);
        let geometry = Geometry::RoundBox {
            center: Vector3::new(1.0, 2.0, 3.0),
            half_extents,
            rotation: UnitQuaternion::identity(),
            radius: 0.01,
        };
        let mesh = Mesh::of(&geometry);
        let sharp = 8.0 * half_extents.product();
        assert!(
            volume(&mesh) < sharp && volume(&mesh) > 0.9 * sharp,
            "{} {sharp}",
            volume(&mesh)
        );
        let top = mesh.positions.iter().map(|p| p.z).fold(f64::MIN, f64::max);
        assert!((top - 3.03).abs() < 1e-12);
        assert!(
            (200..=400).contains(&mesh.triangles.len()),
            "{}",
            mesh.triangles.len()
        );
        assert!(mesh.normals.iter().all(|n| (n.norm() - 1.0).abs() < 1e-9));
    }
}
