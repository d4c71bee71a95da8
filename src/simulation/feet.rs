//! What the feet of a simulated body did.

use nalgebra::{Isometry3, Point3};

use crate::body::{Body, ContactPoint, Side, heights_of_foot};
use crate::motion::contact::FootTrack;
use crate::motion::skeleton::ANKLES;
use crate::scene::Scene;

/// The feet `[right, left]` of a simulated motion, given the links' world poses in every frame: the height
/// of the lowest of the points by which a foot touches the ground.
pub fn simulated_feet<'p>(
    (body, scene): (&Body, &Scene),
    frames: impl Iterator<Item = &'p [Isometry3<f64>]> + Clone,
) -> [FootTrack; 2] {
    tracks((body, scene), frames, |heights| {
        heights.fold(f64::INFINITY, f64::min)
    })
}

/// The same with the height of the highest of those points: low only where the whole foot is flat on the
/// ground.
pub fn simulated_flat_feet<'p>(
    (body, scene): (&Body, &Scene),
    frames: impl Iterator<Item = &'p [Isometry3<f64>]> + Clone,
) -> [FootTrack; 2] {
    tracks((body, scene), frames, |heights| {
        heights.fold(f64::NEG_INFINITY, f64::max)
    })
}

/// Feet whose height is made of those of their soles.
fn tracks<'p>(
    (body, scene): (&Body, &Scene),
    frames: impl Iterator<Item = &'p [Isometry3<f64>]> + Clone,
    height: impl Fn(&mut dyn Iterator<Item = f64>) -> f64,
) -> [FootTrack; 2] {
    let points = ContactPoint::of(body);
    Side::BOTH.map(|side| {
        let ankle = &body.markers[ANKLES[side.index()]];
        let position = Point3::from(ankle.position);
        FootTrack {
            height: frames
                .clone()
                .map(|links| height(&mut heights_of_foot((body, scene), &points, side, links)))
                .collect(),
            ankle: frames
                .clone()
                .map(|links| (links[ankle.link] * position).coords)
                .collect(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{self, Subject};
    use crate::motion::sample;

    #[test]
    fn simulated_feet_are_followed_right_then_left() {
        let motion = sample("walk").unwrap();
        let body = body::fit(&motion, &Subject::default()).unwrap();
        let poses = body::reference_poses(&body, &motion).unwrap();
        let frames: Vec<_> = poses
            .iter()
            .map(|pose| body.forward_kinematics(pose))
            .collect();
        let links = frames.iter().map(Vec::as_slice);
        let feet = simulated_feet((&body, &Scene::default()), links.clone());
        let flat = simulated_flat_feet((&body, &Scene::default()), links);
        for (i, ankle) in ANKLES.into_iter().enumerate() {
            for (t, links) in frames.iter().enumerate() {
                let joints = body.marker_positions(links);
                assert!((feet[i].ankle[t] - joints[ankle]).norm() < 1e-12);
                assert!(feet[i].height[t] <= flat[i].height[t]);
            }
            // A step rolls from heel to toes, and between steps the foot is flat.
            let tilt = |t: usize| flat[i].height[t] - feet[i].height[t];
            let tilts = (0..frames.len()).map(tilt);
            assert!(tilts.clone().fold(0.0, f64::max) > 0.05);
            assert!(tilts.fold(f64::INFINITY, f64::min) < 0.01);
        }
    }
}
