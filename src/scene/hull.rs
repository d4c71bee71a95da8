//! Convex hulls of points.

use std::fmt;

use nalgebra::Vector3;
use parry3d::math::Vector;
use parry3d::shape::ConvexPolyhedron;
use parry3d::transformation::try_convex_hull;

/// The most corners.
const MOST_CORNERS: usize = 1000;

/// The smallest area of a triangle whose normal is known well enough, over the square of the hull's size.
const SMALLEST: f64 = 1e-10;

/// The convex hull of points, in a frame of its own, m.
#[derive(Clone, Debug, PartialEq)]
pub struct Hull {
    points: Vec<Vector3<f64>>,
    /// The whole surface, as indices of points.
    surface: Vec<[u32; 3]>,
    /// The parts of it whose normals are known.
    triangles: Vec<Triangle>,
    /// Plane faces as indices of points.
    faces: Vec<Vec<usize>>,
}

/// A part of the surface, counter-clockwise seen from outside.
#[derive(Clone, Debug, PartialEq)]
struct Triangle {
    corners: [Vector3<f64>; 3],
    /// Out of the hull, unit vector.
    normal: Vector3<f64>,
    /// From the origin along the normal, m.
    offset: f64,
}

/// Why points have no hull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// That few points.
    Few(usize),
    /// They are all in one plane.
    Flat,
    /// A coordinate is not finite.
    NotFinite,
    /// A hull of that many corners.
    Large(usize),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Few(points) => write!(f, "{points} points"),
            Self::Flat => f.write_str("points in one plane"),
            Self::NotFinite => f.write_str("a coordinate that is not finite"),
            Self::Large(corners) => write!(f, "a hull of {corners} corners"),
        }
    }
}

impl Hull {
    /// Of at least four `points` that are not in one plane; a thousand corners at most.
    ///
    /// # Errors
    /// What is found instead.
    pub fn new(points: &[Vector3<f64>]) -> Result<Self, Unfit> {
        if points.len() < 4 {
            return Err(Unfit::Few(points.len()));
        }
        if !points.iter().all(|p| p.iter().all(|x| x.is_finite())) {
            return Err(Unfit::NotFinite);
        }
        let points: Vec<Vector> = points.iter().map(|p| Vector::new(p.x, p.y, p.z)).collect();
        let (corners, indices) = try_convex_hull(&points).map_err(|_| Unfit::Flat)?;
        if corners.len() > MOST_CORNERS {
            return Err(Unfit::Large(corners.len()));
        }
        let polyhedron =
            ConvexPolyhedron::from_convex_mesh(corners, &indices).ok_or(Unfit::Flat)?;
        let loops = polyhedron.vertices_adj_to_face();
        let faces = polyhedron.faces().iter().map(|face| {
            let first = face.first_vertex_or_edge as usize;
            let corners = &loops[first..first + face.num_vertices_or_edges as usize];
            corners.iter().map(|corner| *corner as usize).collect()
        });
        let faces = faces.collect();
        let points: Vec<_> = polyhedron
            .points()
            .iter()
            .map(|p| Vector3::new(p.x, p.y, p.z))
            .collect();
        let size = extent(&points).norm();
        let triangles = indices.iter().filter_map(|corners| {
            let corners = corners.map(|corner| points[corner as usize]);
            Triangle::new(corners, SMALLEST * size * size)
        });
        let triangles: Vec<_> = triangles.collect();
        match triangles.len() < 4 {
            true => Err(Unfit::Flat),
            false => Ok(Self {
                triangles,
                surface: indices,
                points,
                faces,
            }),
        }
    }

    /// Its corners, m.
    pub fn points(&self) -> &[Vector3<f64>] {
        &self.points
    }

    /// Its surface in triangles, as indices of [points](Self::points), counter-clockwise seen from outside.
    pub fn surface(&self) -> &[[u32; 3]] {
        &self.surface
    }

    /// Its plane faces as indices of [points](Self::points), counter-clockwise seen from outside.
    pub(super) fn faces(&self) -> Vec<Vec<usize>> {
        self.faces.clone()
    }

    /// The half spaces that it is the intersection of: n · p is at most an offset, m.
    pub(super) fn half_spaces(&self) -> impl Iterator<Item = (&Vector3<f64>, f64)> {
        self.triangles
            .iter()
            .map(|triangle| (&triangle.normal, triangle.offset))
    }

    /// The least of its extents at right angles to a side, m.
    pub(super) fn thickness(&self) -> f64 {
        let extents = self.triangles.iter().map(|triangle| {
            let depths = self.points.iter().map(|p| -triangle.height(p));
            depths.fold(0.0, f64::max)
        });
        extents.fold(f64::INFINITY, f64::min)
    }

    /// As [`Shape::nearest`](super::Shape::nearest).
    pub(super) fn nearest(&self, p: &Vector3<f64>) -> (Vector3<f64>, f64) {
        let mut side = (Vector3::z(), f64::NEG_INFINITY);
        let mut closest = (Vector3::zeros(), f64::INFINITY);
        for triangle in &self.triangles {
            let height = triangle.height(p);
            if height > side.1 {
                side = (triangle.normal, height);
            }
            // The surface is nowhere nearer than a plane that it is behind.
            if height > 0.0 && height * height < closest.1 {
                let away = p - triangle.closest(p);
                if away.norm_squared() < closest.1 {
                    closest = (away, away.norm_squared());
                }
            }
        }
        let distance = closest.1.sqrt();
        match side.1 > 0.0 && distance > 0.0 {
            true => (closest.0 / distance, distance),
            false => side,
        }
    }
}

impl Triangle {
    /// `None` where it has less than the area `least`, m².
    fn new(corners: [Vector3<f64>; 3], least: f64) -> Option<Self> {
        let [a, b, c] = corners;
        let across = (b - a).cross(&(c - a));
        let area = 0.5 * across.norm();
        let normal = across.normalize();
        (area > least).then(|| Self {
            corners,
            normal,
            offset: normal.dot(&a),
        })
    }

    /// Of `p` over its plane, m.
    fn height(&self, p: &Vector3<f64>) -> f64 {
        self.normal.dot(p) - self.offset
    }

    /// Its point that is closest to `p` (Ericson, "Real-Time Collision Detection", 2005, section 5.1.5).
    fn closest(&self, p: &Vector3<f64>) -> Vector3<f64> {
        let [a, b, c] = self.corners;
        let (ab, ac) = (b - a, c - a);
        let along = |from: Vector3<f64>| (ab.dot(&(p - from)), ac.dot(&(p - from)));
        let (d1, d2) = along(a);
        if d1 <= 0.0 && d2 <= 0.0 {
            return a;
        }
        let (d3, d4) = along(b);
        if d3 >= 0.0 && d4 <= d3 {
            return b;
        }
        let vc = d1 * d4 - d3 * d2;
        if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
            return a + ab * (d1 / (d1 - d3));
        }
        let (d5, d6) = along(c);
        if d6 >= 0.0 && d5 <= d6 {
            return c;
        }
        let vb = d5 * d2 - d1 * d6;
        if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
            return a + ac * (d2 / (d2 - d6));
        }
        let va = d3 * d6 - d5 * d4;
        if va <= 0.0 && d4 >= d3 && d5 >= d6 {
            return b + (c - b) * ((d4 - d3) / ((d4 - d3) + (d5 - d6)));
        }
        let share = 1.0 / (va + vb + vc);
        a + ab * (vb * share) + ac * (vc * share)
    }
}

/// The sizes of the box along the axes that holds `points`.
pub(super) fn extent(points: &[Vector3<f64>]) -> Vector3<f64> {
    let low = points
        .iter()
        .fold(Vector3::repeat(f64::INFINITY), |low, p| low.inf(p));
    let high = points
        .iter()
        .fold(Vector3::repeat(f64::NEG_INFINITY), |high, p| high.sup(p));
    high - low
}
