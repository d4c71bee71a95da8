//! Heads that turn against the thorax, where a file's rotations tell so.

use nalgebra::{Matrix3, Vector3};

use super::{Frames, frame_of, smooth_vectors};
use crate::body::model::{BodyModel, Orientation, Segment};
use crate::motion::skeleton::HEAD;
use crate::motion::{Motion, Turns};

/// The sine of the angle between the face and the neck's axis below which a face does not tell how the head is turned.
const ALONG: f64 = 0.2;

impl BodyModel {
    /// Turns the links that end at the top of the head about their segments, so that they look as `motion` tells. Where
    /// it doesn't, they stay as they are in `frames`: not turned against what they are on.
    pub(super) fn turn_heads(&self, motion: &Motion, frames: &mut [Frames]) {
        let Some(turns) = &motion.turns else { return };
        for (i, link) in self.links.iter().enumerate() {
            let ends_the_head = matches!(link.segment.between, Some([_, end]) if end.0 == HEAD);
            let is_swung = link.orientation == Orientation::Swing && link.segment.along.axis != 0;
            if ends_the_head && is_swung {
                let facing = frames.iter().zip(turns);
                let facing =
                    facing.map(|(frames, turns)| facing_in(&frames[i], turns, &link.segment));
                let facing = smooth_vectors(facing.collect(), motion.fps);
                for (frames, facing) in frames.iter_mut().zip(facing) {
                    frames[i] = turned(&frames[i], &link.segment, &facing);
                }
            }
        }
    }
}

/// Where the face looks in the frame `head` at a right angle to its segment, a unit vector: forward where that is not
/// known.
fn facing_in(head: &Matrix3<f64>, turns: &Turns, segment: &Segment) -> Vector3<f64> {
    let mut facing = head.transpose() * turns.facing;
    facing[segment.along.axis] = 0.0;
    facing.try_normalize(ALONG).unwrap_or_else(Vector3::x)
}

/// `head` turned about its `segment`, so that its x axis is along `facing`, which is given in it.
fn turned(head: &Matrix3<f64>, segment: &Segment, facing: &Vector3<f64>) -> Matrix3<f64> {
    let axis = segment.along.axis;
    frame_of((axis, head.column(axis).into()), (0, head * facing))
}
