//! What a round of the fit takes from the joints as they are: directions of the body, and which feet
//! stand.

use nalgebra::Vector3;

use crate::motion::skeleton::*;
use crate::motion::{Joints, contact};

/// What is taken from the joints at the start of a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Anatomy {
    /// How surely each foot `[right, left]` stands, in [0, 1].
    pub contacts: Vec<[f64; 2]>,
    /// How surely each foot `[right, left]` touches the ground, if only in passing, in [0, 1].
    pub touches: Vec<[f64; 2]>,
    /// Unit vector to the body's left.
    pub left: Vec<Vector3<f64>>,
    /// Unit vector along the trunk.
    pub up: Vec<Vector3<f64>>,
    /// Unit vector to the front.
    pub forward: Vec<Vector3<f64>>,
}

/// The unit vector along `v`; `otherwise` where it has no length, as between joints in one place.
pub fn direction(v: Vector3<f64>, otherwise: Vector3<f64>) -> Vector3<f64> {
    v.try_normalize(1e-6).unwrap_or(otherwise)
}

impl Anatomy {
    /// Of `joints`, with contact where an ankle is within about `height` m of its standing height
    /// and hardly moves.
    pub fn new(joints: &[Joints], fps: f64, stature: f64, height: f64) -> Self {
        let left: Vec<_> = joints
            .iter()
            .map(|p| direction(p[LEFT_HIP] - p[RIGHT_HIP], Vector3::y()))
            .collect();
        let up: Vec<_> = joints
            .iter()
            .map(|p| direction(p[THORAX] - p[PELVIS], Vector3::z()))
            .collect();
        let forward = left
            .iter()
            .zip(&up)
            .map(|(l, u)| direction(l.cross(u), Vector3::x()));
        Self {
            contacts: contact::resting(joints, fps, stature, height),
            touches: contact::touching(joints, fps),
            forward: forward.collect(),
            left,
            up,
        }
    }
}
