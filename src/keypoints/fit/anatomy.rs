//! What a round of the fit takes from the joints as they are: directions of the body, and which feet
//! stand.

use nalgebra::Vector3;

use crate::keypoints::proportions::ANKLE_HEIGHT;
use crate::motion::Joints;
use crate::motion::skeleton::*;

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
        let contact = |t: usize, foot: usize| {
            let ankle = |t: usize| joints[t][ANKLES[foot]];
            let (a, b) = (t.saturating_sub(1), (t + 1).min(joints.len() - 1));
            let speed = (ankle(b) - ankle(a)).norm() * fps / (b - a).max(1) as f64;
            let other = joints[t][ANKLES[1 - foot]].z;
            let z = ankle(t).z;
            let above = (z - ANKLE_HEIGHT * stature).max(0.0) / height;
            let higher = (z - other).max(0.0) / 0.08;
            (-(above.powi(2) + higher.powi(2) + (speed / 0.4).powi(2))).exp()
        };
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
            contacts: (0..joints.len())
                .map(|t| [contact(t, 0), contact(t, 1)])
                .collect(),
            touches: touches(joints, fps),
            forward: forward.collect(),
            left,
            up,
        }
    }
}

/// How surely each foot touches the ground in every frame: where it is as low as either foot gets
/// within a step. Runners' feet hardly ever rest, but something of every step is on the ground.
fn touches(joints: &[Joints], fps: f64) -> Vec<[f64; 2]> {
    let reach = (0.35 * fps).round() as usize;
    let lowest = |t: usize| {
        let near = t.saturating_sub(reach)..(t + reach + 1).min(joints.len());
        let heights = joints[near]
            .iter()
            .flat_map(|p| ANKLES.map(|ankle| p[ankle].z));
        heights.fold(f64::INFINITY, f64::min)
    };
    (0..joints.len())
        .map(|t| {
            let lowest = lowest(t);
            ANKLES.map(|ankle| (-((joints[t][ankle].z - lowest) / 0.03).powi(2)).exp())
        })
        .collect()
}
