//! Net joint moments about anatomical axes, and joint powers.

use nalgebra::Vector3;

use super::Recording;
use crate::body::Anatomy;
use crate::simulation::Frame;

/// A joint with anatomical axes: its link, the parent and their names.
pub struct AnatomicalJoint<'a> {
    /// Index of the link.
    pub link: usize,
    /// Index of its parent.
    pub parent: usize,
    /// What the joint and its movements are called.
    pub anatomy: &'a Anatomy,
}

/// The joints of the body that have anatomical axes, in the order of the links.
pub fn joints(recording: &Recording) -> Vec<AnatomicalJoint<'_>> {
    let links = recording.body.links.iter().enumerate();
    links
        .filter_map(|(link, model)| {
            Some(AnatomicalJoint {
                link,
                parent: model.parent?,
                anatomy: model.anatomy.as_ref()?,
            })
        })
        .collect()
}

impl AnatomicalJoint<'_> {
    /// Moments on the link about the joint's three axes, averaged over the frame that ends here, N·m: positive
    /// where they turn it the way the movement is named (Grood and Suntay 1983). They are
    /// [net moments](crate::simulation::net_moments): of the motors, of limits, and of what holds a hinge.
    pub fn moments(&self, frame: &Frame) -> [f64; 3] {
        let [parent, link] = [self.parent, self.link].map(|l| frame.links[l].rotation);
        let axes = self.anatomy.axes(&parent, &link);
        axes.map(|axis| axis.dot(&frame.moments[self.link]))
    }

    /// Power of the joint in the step from frame `before` to `now`, `1/fps` s later, W.
    pub fn power(&self, before: &Frame, now: &Frame, fps: f64) -> f64 {
        let rate = |l: usize| -> Vector3<f64> {
            fps * (now.links[l].rotation * before.links[l].rotation.inverse()).scaled_axis()
        };
        now.moments[self.link].dot(&(rate(self.link) - rate(self.parent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;

    #[test]
    fn moments_point_where_their_movements_go() {
        let mut recording = fixture::moving("walk");
        let joints = joints(&recording);
        let names: Vec<&str> = joints.iter().map(|j| j.anatomy.joint.as_str()).collect();
        assert!(
            names.contains(&"right_knee") && names.contains(&"lumbar"),
            "{names:?}"
        );
        let knee = joints
            .iter()
            .find(|joint| joint.anatomy.joint == "right_knee")
            .unwrap();
        let (link, parent) = (knee.link, knee.parent);
        let thigh = recording.trajectory.frames[1].links[parent].rotation;
        recording.trajectory.frames[1].moments[link] = thigh * Vector3::y() * 30.0;
        let joints = super::joints(&recording);
        let knee = joints.iter().find(|joint| joint.link == link).unwrap();
        let [flexion, adduction, _] = knee.moments(&recording.trajectory.frames[1]);
        assert!((flexion - 30.0).abs() < 1e-9, "{flexion}");
        assert!(adduction.abs() < 1e-9, "{adduction}");
        // Power is moment times the rate of the joint, and none where nothing turns.
        let frames = &recording.trajectory.frames;
        assert!(knee.power(&frames[1], &frames[1], 50.0).abs() < 1e-9);
        let mut turned = frames[1].clone();
        let bend = nalgebra::UnitQuaternion::from_scaled_axis(thigh * Vector3::y() * 0.02);
        turned.links[link].rotation = bend * turned.links[link].rotation;
        let power = knee.power(&frames[1], &turned, 50.0);
        assert!((power - 30.0).abs() < 1e-6, "{power}");
    }
}
