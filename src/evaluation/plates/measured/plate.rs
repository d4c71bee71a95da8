//! What one plate measured.

use nalgebra::{Matrix3, Vector3};

/// Force from which on a plate is loaded, N.
pub const LOADED: f64 = 20.0;

/// What one plate measured, sample by sample, in the axes of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Plate {
    /// Forces on what stands on it, N.
    pub force: Vec<Vector3<f64>>,
    /// Centres of pressure, m; none where it is not loaded.
    pub center: Vec<Option<Vector3<f64>>>,
    /// The foot that it measures, 0 for the right and 1 for the left one, where the file says so.
    pub foot: Option<usize>,
    /// Its corners, m, one after the other around it, where the file has them.
    pub corners: Option<[Vector3<f64>; 4]>,
}

impl Plate {
    /// One without samples, of `foot`.
    pub fn of(foot: Option<usize>) -> Self {
        Self {
            force: Vec::new(),
            center: Vec::new(),
            foot,
            corners: None,
        }
    }

    /// The same in the axes that `turn` and `shift` (m) take it to.
    pub fn moved(&self, turn: &Matrix3<f64>, shift: &Vector3<f64>) -> Self {
        let place = |p: Vector3<f64>| turn * p + shift;
        Self {
            force: self.force.iter().map(|force| turn * force).collect(),
            center: self.center.iter().map(|p| p.map(place)).collect(),
            foot: self.foot,
            corners: self.corners.map(|corners| corners.map(place)),
        }
    }

    /// Whether `point`, seen from above, is on it, or not farther than `margin` (m) beside it; on one without corners
    /// everything is.
    pub fn holds(&self, point: &Vector3<f64>, margin: f64) -> bool {
        let Some(corners) = &self.corners else {
            return true;
        };
        let middle = corners.iter().sum::<Vector3<f64>>() / 4.0;
        [(0, 1), (1, 2)].iter().all(|(a, b)| {
            // Along an edge: half its length to either side of the middle.
            let edge = corners[*b] - corners[*a];
            let along = (point - middle).dot(&edge) / edge.norm();
            along.abs() <= edge.norm() / 2.0 + margin
        })
    }
}
