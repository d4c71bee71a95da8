//! The shapes of solids, each in a frame of its own.

use nalgebra::Vector3;

use super::{FARTHEST, Hull, THINNEST};

/// A convex shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A box around the origin: half its sizes along the axes, m.
    Box(Vector3<f64>),
    /// The convex hull of points.
    Hull(Hull),
}

/// The six sides of a box as corners, x fastest, then y; counter-clockwise seen from outside.
const SIDES: [[usize; 4]; 6] = [
    [0, 2, 3, 1],
    [4, 5, 7, 6],
    [0, 1, 5, 4],
    [2, 6, 7, 3],
    [0, 4, 6, 2],
    [1, 3, 7, 5],
];

impl Shape {
    /// The list of a scene file that has such shapes.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Box(_) => "boxes",
            Self::Hull(_) => "hulls",
        }
    }

    /// The field of a scene file that says how large it is.
    pub(super) fn size_field(&self) -> &'static str {
        match self {
            Self::Box(_) => "half_extents",
            Self::Hull(_) => "points",
        }
    }

    /// What is found, and what to do, where it is too large or too thin.
    pub(super) fn check(&self) -> Result<(), (String, &'static str)> {
        match self {
            Self::Box(half) => {
                let is_fine = |x: &f64| (THINNEST..=FARTHEST).contains(x);
                let found = || format!("[{}, {}, {}]", half.x, half.y, half.z);
                let advice = "give half the lengths of the box's sides, m, each at least 0.005";
                half.iter()
                    .all(is_fine)
                    .then_some(())
                    .ok_or_else(|| (found(), advice))
            }
            Self::Hull(hull) => {
                let (thickness, radius) = (hull.thickness(), self.radius());
                if thickness < 2.0 * THINNEST {
                    let found = format!("{thickness:.4} m at the thinnest");
                    return Err((found, "give points of a body at least 0.01 m thick"));
                }
                let advice = "give metres within 10 km";
                let is_fine = radius <= FARTHEST;
                is_fine
                    .then_some(())
                    .ok_or_else(|| (format!("{radius:.0} m"), advice))
            }
        }
    }

    /// The direction out of its surface at the place nearest to `p`, unit vector, and how far `p` is from there, m,
    /// negative inside, where the nearest side counts.
    pub fn nearest(&self, p: &Vector3<f64>) -> (Vector3<f64>, f64) {
        match self {
            Self::Box(half) => nearest_of_box(half, p),
            Self::Hull(hull) => hull.nearest(p),
        }
    }

    /// The longest way from its origin to a corner, m.
    pub fn radius(&self) -> f64 {
        match self {
            Self::Box(half) => half.norm(),
            Self::Hull(hull) => hull.points().iter().map(Vector3::norm).fold(0.0, f64::max),
        }
    }

    /// Its corners, m: of a box x fastest, then y.
    pub fn corners(&self) -> Vec<Vector3<f64>> {
        match self {
            Self::Box(half) => (0..8)
                .map(|i| {
                    let side = |bit: usize| if i >> bit & 1 == 1 { 1.0 } else { -1.0 };
                    half.component_mul(&Vector3::new(side(0), side(1), side(2)))
                })
                .collect(),
            Self::Hull(hull) => hull.points().to_vec(),
        }
    }

    /// Its plane faces as indices of [corners](Self::corners), counter-clockwise seen from outside.
    pub fn faces(&self) -> Vec<Vec<usize>> {
        match self {
            Self::Box(_) => SIDES.iter().map(|side| side.to_vec()).collect(),
            Self::Hull(hull) => hull.faces(),
        }
    }

    /// The largest s with `start` + s `up` on it; `None` where that line passes it by.
    pub(super) fn highest(&self, start: &Vector3<f64>, up: &Vector3<f64>) -> Option<f64> {
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        let mut cut = |rate: f64, room: f64| {
            let end = room / rate;
            match rate.total_cmp(&0.0) {
                std::cmp::Ordering::Greater => high = high.min(end),
                std::cmp::Ordering::Less if rate < 0.0 => low = low.max(end),
                _ if room < 0.0 => high = f64::NEG_INFINITY,
                _ => {}
            }
        };
        match self {
            Self::Box(half) => (0..3).for_each(|axis| {
                cut(up[axis], half[axis] - start[axis]);
                cut(-up[axis], half[axis] + start[axis]);
            }),
            Self::Hull(hull) => hull.half_spaces().for_each(|(normal, offset)| {
                cut(normal.dot(up), offset - normal.dot(start));
            }),
        }
        (low <= high).then_some(high)
    }
}

/// As [`Shape::nearest`], of a box of the given half sizes.
fn nearest_of_box(half: &Vector3<f64>, p: &Vector3<f64>) -> (Vector3<f64>, f64) {
    let clamped = p.zip_map(half, |x, half| x.clamp(-half, half));
    let away = p - clamped;
    let length = away.norm();
    match length > 0.0 {
        true => (away / length, length),
        false => {
            let depths = half - p.abs();
            let side = depths.imin();
            let sign = if p[side] > 0.0 { 1.0 } else { -1.0 };
            (Vector3::ith(side, sign), -depths[side])
        }
    }
}
