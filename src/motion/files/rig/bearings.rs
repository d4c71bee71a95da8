//! Directions that are fixed to the joints of a skeleton, as its rest pose tells them: the axes about which limbs bend,
//! and where the face looks.

use nalgebra::Vector3;

use super::{Place, Rig};
use crate::motion::files::bvh::tree::{Joint, Pose};
use crate::motion::skeleton::Turns;

/// Lengths of parts of a body, of its trunk's, below which they are none.
const NO_LENGTH: f64 = 1e-3;

/// The sine of the bend above which a limb that is bent in the rest pose shows its axis.
const BENT: f64 = 0.2;

/// The sine of the angle to the front below which an arm points there: its forearm flexes upward.
const AHEAD: f64 = 0.5;

/// A direction in the frame of a joint.
type Bearing = (usize, Vector3<f64>);

/// The directions of a skeleton, in the order of [`Turns`].
#[derive(Clone, Debug, PartialEq)]
pub struct Bearings {
    hinges: [Bearing; 4],
    facing: Bearing,
}

impl Bearings {
    /// The directions in a pose, in the file's axes.
    pub fn turns(&self, pose: &Pose) -> Turns {
        let at = |(joint, direction): Bearing| pose.rotation(joint) * direction;
        Turns {
            hinges: self.hinges.map(at),
            facing: at(self.facing),
        }
    }
}

/// Unit vectors of a trunk at rest.
struct Trunk {
    left: Vector3<f64>,
    up: Vector3<f64>,
    forward: Vector3<f64>,
}

impl Rig {
    /// The directions that the pose `rest` without rotations shows; `None` where it is not that of somebody whose legs
    /// hang from the hips.
    pub fn bearings(&self, joints: &[Joint], rest: &Pose) -> Option<Bearings> {
        let trunk = self.trunk(rest)?;
        let [right_leg, left_leg] = self.legs.map(|leg| {
            let axis = |_: &Vector3<f64>| trunk.left;
            hinge(leg, joints, rest, axis)
        });
        let [right_arm, left_arm] = self.arms.map(|arm| {
            let axis = |upper: &Vector3<f64>| {
                let forward = upper.cross(&trunk.forward);
                match forward.norm() > AHEAD {
                    true => forward,
                    false => upper.cross(&trunk.up),
                }
            };
            hinge(arm, joints, rest, axis)
        });
        Some(Bearings {
            hinges: [right_leg?, left_leg?, right_arm?, left_arm?],
            facing: (self.head, trunk.forward),
        })
    }

    fn trunk(&self, rest: &Pose) -> Option<Trunk> {
        let [right, left] = self.legs.map(|leg| leg[0].of(rest));
        let up = self.thorax(rest) - self.pelvis(rest);
        let least = NO_LENGTH * up.norm();
        let (left, up) = ((left - right).try_normalize(least)?, up.try_normalize(0.0)?);
        let forward = left.cross(&up).try_normalize(AHEAD)?;
        let hangs = |leg: [Place; 3]| (leg[2].of(rest) - leg[0].of(rest)).dot(&up) < 0.0;
        self.legs
            .into_iter()
            .all(hangs)
            .then_some(Trunk { left, up, forward })
    }
}

/// The axis about which a limb bends: the one that it is bent about at rest, if that is near the one that `usual` makes of
/// the direction of its upper segment. It is fixed to what carries the middle joint.
fn hinge(
    limb: [Place; 3],
    joints: &[Joint],
    rest: &Pose,
    usual: impl Fn(&Vector3<f64>) -> Vector3<f64>,
) -> Option<Bearing> {
    let carrier = joints[limb[1].joint()].parent?;
    let [a, b, c] = limb.map(|place| place.of(rest));
    let least = NO_LENGTH * (c - a).norm();
    let upper = (b - a).try_normalize(least)?;
    let lower = (c - b).try_normalize(least)?;
    let axis = usual(&upper);
    let axis = (axis - upper * upper.dot(&axis)).try_normalize(NO_LENGTH)?;
    let bend = upper.cross(&lower);
    let is_seen = bend.norm() > BENT && bend.dot(&axis) > 0.0;
    Some((carrier, if is_seen { bend.normalize() } else { axis }))
}
