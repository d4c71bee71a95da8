//! Feet and ground: skating, penetration, floating.

use super::mean;
use crate::motion::Joints;
use crate::motion::contact::{FootTrack, observed_feet};
use crate::motion::skeleton::ANKLES;

/// Speed above which a foot in contact skates, m/s: 2 cm per frame at 25 fps.
pub const SKATE_SPEED: f64 = 0.5;

/// Height below which the lowest point of a simulated foot is in contact, m.
pub const SIMULATED_CONTACT_HEIGHT: f64 = 0.005;

/// Height above its standing height below which an observed ankle (or toe base) means contact, m.
pub const OBSERVED_CONTACT_HEIGHT: f64 = 0.02;

/// Fractions of the T − 1 steps in which feet slide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FootSkate {
    /// At least one foot slides: 0 to 1.
    pub either: f64,
    /// The feet's fractions added: 0 to 2.
    pub sum: f64,
}

/// Foot skate of the feet: a foot is in contact from t to t + 1 when its lowest point is at most
/// `contact_height` m above the ground in both frames, and skates when its ankle moves horizontally
/// by more than `speed` m/s meanwhile.
pub fn foot_skate(feet: &[FootTrack], fps: f64, contact_height: f64, speed: f64) -> FootSkate {
    let frames = feet.iter().map(|foot| foot.height.len()).min().unwrap_or(0);
    let steps = frames.saturating_sub(1);
    let (mut either, mut sum) = (0, 0);
    for t in 0..steps {
        let skates = |foot: &&FootTrack| foot.skates(t, contact_height, speed / fps);
        let sliding = feet.iter().filter(skates).count();
        either += usize::from(sliding > 0);
        sum += sliding;
    }
    let steps = steps.max(1) as f64;
    FootSkate {
        either: either as f64 / steps,
        sum: sum as f64 / steps,
    }
}

/// Foot skate of the joints alone, by [`observed_feet`].
pub(super) fn ankle_skate(joints: &[Joints], fps: f64) -> FootSkate {
    foot_skate(
        &observed_feet(joints, None),
        fps,
        OBSERVED_CONTACT_HEIGHT,
        SKATE_SPEED,
    )
}

/// Mean over the frames of the mean depth of the points below the ground (0 in frames without any),
/// m. `heights[t]` are the points' heights in frame t, m.
pub fn penetration(heights: &[Vec<f64>]) -> f64 {
    let depth = |heights: &Vec<f64>| mean(heights.iter().filter(|z| **z < 0.0).map(|z| -z));
    mean(heights.iter().map(depth))
}

/// Mean height difference of the two ankles, m: shows floating, which penetration does not.
pub fn ground_distance(estimate: &[Joints], reference: &[Joints]) -> f64 {
    let distance =
        |(a, b): (&Joints, &Joints)| mean(ANKLES.map(|ankle| (a[ankle].z - b[ankle].z).abs()));
    mean(estimate.iter().zip(reference).map(distance))
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;

    #[test]
    fn feet_skate_when_low_and_fast_whatever_the_frame_rate() {
        for fps in [25.0, 50.0, 100.0] {
            let foot = |height: f64, speed: f64| FootTrack {
                height: vec![height; 11],
                ankle: (0..11)
                    .map(|t| Vector3::x() * (speed * f64::from(t) / fps))
                    .collect(),
            };
            let skate = |a, b| foot_skate(&[a, b], fps, 0.005, 0.5);
            let both = skate(foot(0.0, 0.6), foot(0.004, 0.6));
            assert_eq!((both.either, both.sum), (1.0, 2.0));
            let one = skate(foot(0.0, 0.4), foot(-0.01, 0.6));
            assert_eq!((one.either, one.sum), (1.0, 1.0));
            assert_eq!(skate(foot(0.01, 0.6), foot(0.0, 0.4)).sum, 0.0);
        }
    }

    #[test]
    fn a_leg_that_is_held_up_does_not_stand() {
        let joints: Vec<Joints> = (0..40)
            .map(|t| {
                let mut frame = Joints::default();
                frame[ANKLES[0]].z = 0.08;
                frame[ANKLES[1]] = Vector3::new(0.02 * f64::from(t), 0.0, 0.20);
                frame
            })
            .collect();
        let [right, left] = observed_feet(&joints, None);
        assert!(right.height.iter().all(|h| h.abs() < 1e-12));
        assert!(left.height.iter().all(|h| (h - 0.12).abs() < 1e-12));
        assert_eq!(ankle_skate(&joints, 50.0).either, 0.0);
    }

    #[test]
    fn penetration_counts_only_what_is_below() {
        let heights = [vec![0.1, -0.02, -0.04], vec![0.0, 0.1, 0.2]];
        assert!((penetration(&heights) - 0.015).abs() < 1e-15);
        assert_eq!(penetration(&[]), 0.0);
    }
}
