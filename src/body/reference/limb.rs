//! Limbs of two segments: how a hinge that is seen or told turns them about themselves.

use nalgebra::{Matrix3, Vector3};

use super::{NO_LENGTH, directed, frame_of, swing};
use crate::body::model::Direction;
use crate::motion::skeleton::HINGES;
use crate::motion::{Joints, Turns};

/// How strongly the hinge axis that the trunk suggests enters against the seen one, as the sine of a bend angle.
const HINGE_PRIOR: f64 = 0.15;

/// How strongly the hinge axis that a file's rotations tell enters against the seen one, as 1 − cos of a bend angle: a bend
/// of 37° counts as much. Near a straight limb the seen axis is that of how it is crooked at rest, or of noise; a bent one
/// must bend about its hinge. In three dances of AIST++ with SMPL's rotations (joints are balls there), means, degrees:
///
/// | | 0.1 | 0.2 | 0.3 | 0.5 | by positions |
/// |---|---|---|---|---|---|
/// | thighs off SMPL's | 16.3 | 14.0 | 12.5 | 10.4 | 19.7 |
/// | upper arms off SMPL's | 17.5 | 13.5 | 11.3 | 8.8 | 28.3 |
/// | knees off their hinge | 4.5 | 5.5 | 6.4 | 7.8 | 3.5 |
/// | elbows off their hinge | 6.7 | 8.3 | 9.3 | 10.6 | 4.5 |
const TOLD_HINGE: f64 = 0.2;

/// A limb of two segments with a hinge between them.
pub(super) struct Limb {
    /// The upper and the lower half.
    pub links: [usize; 2],
    /// The link that it hangs on.
    pub trunk: usize,
    /// Its three joints, from the trunk outwards.
    pub joints: [usize; 3],
    /// Direction of the upper segment in the T-pose.
    pub axis: Direction,
    /// Hinge axis in the T-pose: flexion turns positively about it.
    pub hinge: Direction,
}

impl Limb {
    /// Frame of the trunk carried along by the smallest rotation onto the upper segment.
    pub fn carried(&self, p: &Joints, trunk: &Matrix3<f64>) -> Matrix3<f64> {
        let upper = p[self.joints[1]] - p[self.joints[0]];
        swing(trunk, upper, self.axis.vector())
    }

    /// The hinge in the carried frame: the one seen, as long as the sine of the bend, plus what the trunk suggests; or,
    /// where `turns` tell an axis, as long as how bent the limb is (1 − cos), plus that axis. Without the seen one where
    /// a segment has no length.
    pub fn hinge(&self, p: &Joints, trunk: &Matrix3<f64>, turns: Option<&Turns>) -> Vector3<f64> {
        let [a, b, c] = self.joints.map(|j| p[j]);
        let direction = |v: Vector3<f64>| v.try_normalize(NO_LENGTH).unwrap_or_default();
        let (upper, lower) = (direction(b - a), direction(c - b));
        let from_world = self.carried(p, trunk).transpose();
        let seen = from_world * upper.cross(&lower);
        let Some(told) = turns.and_then(|turns| self.told(turns)) else {
            return seen + HINGE_PRIOR * self.hinge.vector();
        };
        let mut told = from_world * told;
        told[self.axis.axis] = 0.0; // at a right angle to the segment
        let bent = 1.0 - upper.dot(&lower);
        bent * direction(seen) + TOLD_HINGE * told
    }

    /// The axis about which flexion turns this limb by the file's rotations, where they tell it.
    fn told(&self, turns: &Turns) -> Option<Vector3<f64>> {
        let k = HINGES.iter().position(|joint| *joint == self.joints[1])?;
        Some(turns.hinges[k]).filter(|axis| axis.norm() > NO_LENGTH)
    }

    /// World orientations of the upper and the lower half, of a limb whose `hinge` is given in the frame
    /// `carried`.
    pub fn frames(
        &self,
        p: &Joints,
        carried: &Matrix3<f64>,
        hinge: &Vector3<f64>,
    ) -> [Matrix3<f64>; 2] {
        let hinge = self.hinge.sign * (carried * hinge);
        let [a, b, c] = self.joints.map(|j| p[j]);
        // A segment without length goes on in the direction of the one before it.
        let upper = directed(b - a, carried * self.axis.vector());
        let lower = directed(c - b, upper);
        [upper, lower].map(|bone| {
            let bone = self.axis.sign * bone;
            frame_of((self.axis.axis, bone), (self.hinge.axis, hinge))
        })
    }
}

#[cfg(test)]
mod tests;
