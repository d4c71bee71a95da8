//! Anatomical axes of a joint.
//!
//! # References
//! * E. S. Grood, W. J. Suntay, "A joint coordinate system for the clinical description of three-dimensional
//!   motions", Journal of Biomechanical Engineering 105(2), 1983.
//! * G. Wu et al., "ISB recommendation on definitions of joint coordinate system of various joints", Journal of
//!   Biomechanics 35(4), 2002, and 38(5), 2005.

use nalgebra::{UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

use super::model::AnatomyModel;

/// The name of a joint and of the movements about its three axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anatomy {
    /// "right_knee".
    pub joint: String,
    /// The movement about the axis that is fixed in the parent, about the floating axis, and about the axis
    /// that is fixed in the link.
    pub movements: [Movement; 3],
}

/// A movement about an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Movement {
    /// "flexion".
    pub name: String,
    /// The axis about which it is a positive rotation of the link, in the frame of the parent (of the link for
    /// the last one); of the floating axis, where it is in the rest pose.
    pub axis: Vector3<f64>,
}

impl Anatomy {
    pub(super) fn of(model: &AnatomyModel) -> Self {
        Self {
            joint: model.joint.clone(),
            movements: model.axes.clone().map(|(name, direction)| Movement {
                name,
                axis: direction.vector(),
            }),
        }
    }

    /// The axes of the movements in the world, where `parent` and `link` are turned as given.
    pub fn axes(
        &self,
        parent: &UnitQuaternion<f64>,
        link: &UnitQuaternion<f64>,
    ) -> [Vector3<f64>; 3] {
        let [first, second, third] = &self.movements;
        let first = parent * first.axis;
        let third = link * third.axis;
        let rest = parent * second.axis;
        // Where both fixed axes point the same way, as those of arms held out to the sides, the floating one
        // stays where it rests.
        let floating = third.cross(&first);
        let floating = floating.try_normalize(1e-6).unwrap_or(rest);
        let sign = floating.dot(&rest).signum();
        [first, sign * floating, third]
    }

    /// The names of the movements, "right_knee_flexion".
    pub fn names(&self) -> [String; 3] {
        self.movements
            .each_ref()
            .map(|movement| format!("{}_{}", self.joint, movement.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::BodyModel;

    fn turned(axis: Vector3<f64>, degrees: f64) -> UnitQuaternion<f64> {
        UnitQuaternion::from_scaled_axis(axis * degrees.to_radians())
    }

    /// The axis about which the joint of `link` is moved that has the name `movement`, in the rest pose.
    fn axis(link: &str, movement: &str) -> Vector3<f64> {
        let motion = crate::motion::sample("walk").unwrap();
        let model = BodyModel::humanoid().unwrap();
        let body = model
            .fit(&motion, &crate::body::Subject::default())
            .unwrap();
        let link = body.links.iter().find(|known| known.name == link).unwrap();
        let anatomy = link.anatomy.as_ref().unwrap();
        let movements = anatomy.movements.iter();
        let names = movements.map(|movement| movement.name.as_str());
        let place = names.clone().position(|name| name == movement).unwrap();
        anatomy.axes(&UnitQuaternion::identity(), &turned(Vector3::y(), 0.0))[place]
    }

    #[test]
    fn movements_go_where_they_are_said_to_go() {
        // Link, movement, what points where in the rest pose, and where it is to go.
        let (forward, left, up) = (Vector3::x(), Vector3::y(), Vector3::z());
        for (link, movement, part, to) in [
            ("right_thigh", "flexion", -up, forward),
            ("left_thigh", "flexion", -up, forward),
            ("right_thigh", "adduction", -up, left),
            ("left_thigh", "adduction", -up, -left),
            ("right_thigh", "internal_rotation", forward, left),
            ("left_thigh", "internal_rotation", forward, -left),
            ("right_shin", "flexion", -up, -forward),
            ("left_shin", "flexion", -up, -forward),
            ("left_foot", "dorsiflexion", forward, up),
            ("right_foot", "inversion", left, up),
            ("left_foot", "inversion", -left, up),
            ("abdomen", "flexion", up, forward),
            ("abdomen", "left_bending", up, left),
            ("head", "left_rotation", forward, left),
            ("left_forearm", "flexion", left, forward),
            ("right_forearm", "flexion", -left, forward),
            ("left_upper_arm", "adduction", left, -up),
            ("right_upper_arm", "adduction", -left, -up),
            ("left_forearm", "pronation", forward, -up),
        ] {
            let moved = axis(link, movement).cross(&part);
            assert!((moved - to).norm() < 1e-9, "{link} {movement}: {moved}");
        }
    }
}
