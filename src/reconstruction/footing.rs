//! What the observation says about the feet: where they stand, and where they do not skate.

use crate::metrics::{OBSERVED_CONTACT_HEIGHT, SKATE_SPEED, observed_feet};
use crate::motion::{Joints, calibration};

/// Share of the speed of skating up to which a foot that does not skate may move.
const FREE_SHARE: f64 = 0.7;

/// How far above the height of contact a foot in the air is to be while it is fast, m: contact is decided
/// by millimetres, and the simulated body's standing height differs from the observed one by some.
const CLEARANCE: f64 = 0.006;

/// An ankle in the step from one frame to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Footing {
    /// How much it stands, 0 to 1.
    pub stands: f64,
    /// What keeps it from skating.
    pub hold: Hold,
}

/// What keeps an ankle from skating, as the metric counts it: low and fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hold {
    /// It is low and slow: to move at most so fast, m/s.
    Speed(f64),
    /// It is fast and high: at one end of the step, to be at least so high above z = 0, m.
    Height(f64),
    /// It skates, or is slow in the air.
    None,
}

/// The ankles `[right, left]` of `joints` in the step to every frame.
pub fn footings(joints: &[Joints], fps: f64) -> Vec<[Footing; 2]> {
    let stands = calibration::stance(joints);
    let feet = observed_feet(joints, None);
    let step = |t: usize| {
        let before = t.saturating_sub(1);
        [0, 1].map(|foot| {
            let track = &feet[foot];
            let speed = fps * (track.ankle[t] - track.ankle[before]).xy().norm();
            let height = track.height[t].max(track.height[before]);
            let slow = FREE_SHARE * SKATE_SPEED;
            let hold = match height <= OBSERVED_CONTACT_HEIGHT {
                true if speed <= SKATE_SPEED => Hold::Speed(slow.max(speed)),
                false if speed > slow => {
                    let standing = track.ankle[t].z - track.height[t];
                    Hold::Height(standing + OBSERVED_CONTACT_HEIGHT + CLEARANCE)
                }
                _ => Hold::None,
            };
            Footing {
                // At whichever end of the step it does more.
                stands: stands[t][foot].max(stands[before][foot]),
                hold,
            }
        })
    };
    (0..joints.len()).map(step).collect()
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;
    use crate::motion::skeleton::ANKLES;

    /// Ankles at height 0.08 m but for the left one, which moves as `left` says, 50 frames a second.
    fn walk(left: impl Fn(f64) -> Vector3<f64>) -> Vec<[Footing; 2]> {
        let frame = |t: u32| {
            let mut joints = Joints::default();
            joints[ANKLES[0]].z = 0.08;
            joints[ANKLES[1]] = left(f64::from(t) / 50.0);
            joints
        };
        footings(&(0..50).map(frame).collect::<Vec<_>>(), 50.0)
    }

    #[test]
    fn a_foot_that_stands_is_to_be_slow_and_one_that_swings_to_be_high() {
        // Stands for half a second, then swings at 2 m/s, 10 cm up.
        let frames = walk(|t| match t < 0.5 {
            true => Vector3::new(0.1 * t, 0.0, 0.08),
            false => Vector3::new(2.0 * t, 0.0, 0.18),
        });
        assert_eq!(frames[10].map(|foot| foot.stands), [1.0, 1.0]);
        assert_eq!(frames[10][1].hold, Hold::Speed(0.35));
        assert!(frames[40][1].stands < 1e-3);
        let Hold::Height(height) = frames[40][1].hold else {
            panic!("{:?}", frames[40][1])
        };
        assert!((height - 0.106).abs() < 1e-12, "{height}");
    }

    #[test]
    fn a_foot_that_skates_or_hangs_in_the_air_is_left_alone() {
        let slides = walk(|t| Vector3::new(2.0 * t, 0.0, 0.08));
        assert_eq!(slides[20][1].hold, Hold::None);
        let hangs = walk(|_| Vector3::new(0.0, 0.0, 0.3));
        assert_eq!(hangs[20][1].hold, Hold::None);
        let creeps = walk(|t| Vector3::new(0.45 * t, 0.0, 0.08));
        let Hold::Speed(speed) = creeps[20][1].hold else {
            panic!("{:?}", creeps[20][1])
        };
        assert!((speed - 0.45).abs() < 1e-9);
    }
}
