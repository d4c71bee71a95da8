//! What the observation says about the feet: where they stand, and where they do not skate.

use nalgebra::Vector3;

use crate::body::over_ground;
use crate::motion::contact::{self, CONTACT_HEIGHT, FootTrack, observed_feet};
use crate::motion::skeleton::ANKLES;
use crate::motion::{Joints, Motion};
use crate::scene::Scene;

/// Horizontal speed from which on the ankle of a foot on the ground slips, m/s: rolling over heel and ball, 93 % of the
/// ankles within [`CONTACT_HEIGHT`] of where they stand are slower in 76 CMU clips.
const SLIP_SPEED: f64 = 0.5;

/// Up to which speed a foot that does not slip may move, m/s, and which one may keep that comes close to slipping.
const FREE_SPEED: f64 = 0.7 * SLIP_SPEED;
const CREEP_SPEED: f64 = 0.9 * SLIP_SPEED;

/// Height of the lowest point of a simulated foot up to which it is on the ground, m: contacts give way by as much.
const SOLE_HEIGHT: f64 = 0.005;

/// How far above the height of contact a foot in the air is to be while it is fast, m: contact is decided
/// by millimetres.
const CLEARANCE: f64 = 0.002;

/// How much higher than the observed ankle the simulated one stands while nothing is known of it, m:
/// soles do not sink in.
pub const STANDING_EXCESS: f64 = 0.004;

/// The most by which it is taken to stand higher, m.
pub(super) const MOST_EXCESS: f64 = 0.006;

/// Time from which on it is known how high the simulated ankles stand, and time that is enough to tell it, s.
const SHORTEST: f64 = 0.2;
const ENOUGH: f64 = 10.0;

/// An ankle in the step from one frame to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Footing {
    /// How much the observed one stands, 0 to 1.
    pub stands: f64,
    /// Whether the observed one skates: it is low and fast.
    pub skates: bool,
    /// Height above z = 0 up to which the observed one is in contact, m.
    pub contact: f64,
    /// What keeps the simulated one from skating; nothing where the observed one skates.
    pub hold: Option<Hold>,
}

/// What keeps an ankle from skating: it is to be slow or high.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hold {
    /// Horizontal speed, m/s.
    pub speed: f64,
    /// How high.
    pub height: Height,
}

/// The height at which an ankle may be fast, at one end of the step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Height {
    /// Of the ankle above z = 0, m; the simulated ankle is to be as much higher as it stands higher than
    /// the observed one. Infinite for one that is observed to be low, which is not to be lifted.
    Ankle(f64),
    /// Of the lowest point of its foot above the ground, m.
    Sole(f64),
}

impl Hold {
    /// What keeps a foot from skating of which little is known: fast only while it is off the ground.
    pub fn of_soles() -> Self {
        Self {
            speed: CREEP_SPEED,
            height: Height::Sole(SOLE_HEIGHT + CLEARANCE),
        }
    }
}

impl Footing {
    /// Whether an ankle at the positions `before` and `now`, m, that stands `excess` m higher than the
    /// observed one, skates.
    pub fn is_skating(
        &self,
        before: &Vector3<f64>,
        now: &Vector3<f64>,
        excess: f64,
        fps: f64,
    ) -> bool {
        let speed = fps * (now - before).xy().norm();
        before.z.max(now.z) <= self.contact + excess && speed > SLIP_SPEED
    }
}

/// The ankles `[right, left]` of `motion` in `scene` in the step to every frame.
pub fn footings(motion: &Motion, scene: &Scene) -> Vec<[Footing; 2]> {
    let fps = motion.fps;
    let grounded = over_ground(motion, scene);
    let joints = &grounded.joints;
    let stands = contact::stance(joints);
    let feet = observed_feet(joints, None);
    let step = |t: usize| {
        let before = t.saturating_sub(1);
        [0, 1].map(|foot| {
            let track = &feet[foot];
            let speed = fps * (track.ankle[t] - track.ankle[before]).xy().norm();
            let height = track.height[t].max(track.height[before]);
            let standing = track.ankle[t].z - track.height[t];
            let ground = motion.joints[t][ANKLES[foot]].z - track.ankle[t].z;
            let contact = standing + ground + CONTACT_HEIGHT;
            let is_low = height <= CONTACT_HEIGHT;
            let skates = is_low && speed > SLIP_SPEED;
            let hold = Hold {
                speed: speed.clamp(FREE_SPEED, CREEP_SPEED),
                height: Height::Ankle(match is_low {
                    true => f64::INFINITY,
                    false => contact + CLEARANCE,
                }),
            };
            Footing {
                // At whichever end of the step it does more.
                stands: stands[t][foot].max(stands[before][foot]),
                skates,
                contact,
                hold: (!skates).then_some(hold),
            }
        })
    };
    (0..joints.len()).map(step).collect()
}

/// In how many of the steps of `joints` more ankles skate than the observed ones do, whose footings are
/// those of the second frame on, where the simulated ones stand `excess` m higher.
pub(super) fn surplus_skating(
    joints: &[Joints],
    footings: &[[Footing; 2]],
    excess: [f64; 2],
    fps: f64,
) -> isize {
    let surplus = |(step, footings): (&[Joints], &[Footing; 2])| {
        let skates = |foot: usize| {
            let [before, now] = [0, 1].map(|i| &step[i][ANKLES[foot]]);
            footings[foot].is_skating(before, now, excess[foot], fps)
        };
        let simulated = (0..2).any(skates);
        let observed = footings.iter().any(|footing| footing.skates);
        isize::from(simulated) - isize::from(observed)
    };
    joints.windows(2).zip(footings).map(surplus).sum()
}

/// In how many steps one of the simulated `feet` skates: it touches the ground and its ankle is fast.
pub(super) fn skating(feet: &[FootTrack; 2], fps: f64) -> isize {
    let distance = SLIP_SPEED / fps;
    let skates = |t: &usize| {
        let mut feet = feet.iter();
        feet.any(|foot| foot.skates(*t, SOLE_HEIGHT, distance))
    };
    let steps = feet[0].height.len().saturating_sub(1);
    (0..steps).filter(skates).count() as isize
}

/// How many frames tell how high ankles stand.
pub(super) fn enough_frames(fps: f64) -> usize {
    (ENOUGH * fps).round() as usize
}

/// How much higher the ankles `[right, left]` stand in the `simulated` frames than in the `observed`
/// ones, m, `fps` frames a second.
pub(super) fn standing_excess(simulated: &[Joints], observed: &[Joints], fps: f64) -> [f64; 2] {
    if (simulated.len() as f64) < SHORTEST * fps {
        return [STANDING_EXCESS; 2];
    }
    let [simulated, observed] = [simulated, observed].map(contact::standing_ankles);
    [0, 1].map(|foot| (simulated[foot] - observed[foot]).clamp(0.0, MOST_EXCESS))
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;

    /// Ankles at height 0.08 m but for the left one, which moves as `left` says, 50 frames a second.
    fn walk(left: impl Fn(f64) -> Vector3<f64>) -> Vec<[Footing; 2]> {
        let frame = |t: u32| {
            let mut joints = Joints::default();
            joints[ANKLES[0]].z = 0.08;
            joints[ANKLES[1]] = left(f64::from(t) / 50.0);
            joints
        };
        let motion = Motion {
            name: "walk".into(),
            fps: 50.0,
            joints: (0..50).map(frame).collect(),
            toes: None,
            turns: None,
        };
        footings(&motion, &Scene::default())
    }

    #[test]
    fn a_foot_that_stands_is_to_be_slow_and_one_that_swings_to_be_high() {
        // Stands for half a second, then swings at 2 m/s, 10 cm up.
        let frames = walk(|t| match t < 0.5 {
            true => Vector3::new(0.1 * t, 0.0, 0.08),
            false => Vector3::new(2.0 * t, 0.0, 0.18),
        });
        assert_eq!(frames[10].map(|foot| foot.stands), [1.0, 1.0]);
        assert_eq!(frames[10][1].hold.map(|hold| hold.speed), Some(0.35));
        assert_eq!(
            frames[10][1].hold.map(|hold| hold.height),
            Some(Height::Ankle(f64::INFINITY))
        );
        assert!(frames[40][1].stands < 1e-3);
        let Height::Ankle(height) = frames[40][1].hold.unwrap().height else {
            unreachable!()
        };
        assert!((height - 0.102).abs() < 1e-12, "{height}");
    }

    #[test]
    fn an_ankle_skates_when_it_is_low_for_one_that_stands_higher_and_fast() {
        let foot = walk(|_| Vector3::new(0.0, 0.0, 0.08))[20][1];
        let skates = |height: f64, speed: f64, excess: f64| {
            let at = |time: f64| Vector3::new(speed * time, 0.0, height);
            foot.is_skating(&at(0.0), &at(0.02), excess, 50.0)
        };
        assert!(skates(0.099, 0.6, 0.0) && !skates(0.101, 0.6, 0.0) && !skates(0.099, 0.4, 0.0));
        assert!(skates(0.101, 0.6, 0.002));
    }

    #[test]
    fn a_foot_that_skates_is_left_alone() {
        let slides = walk(|t| Vector3::new(2.0 * t, 0.0, 0.08));
        assert!(slides[20][1].skates && slides[20][1].hold.is_none());
        let creeps = walk(|t| Vector3::new(0.42 * t, 0.0, 0.08));
        let hold = creeps[20][1].hold.unwrap();
        assert!((hold.speed - 0.42).abs() < 1e-9);
    }

    #[test]
    fn feet_skate_that_touch_the_ground_at_both_ends_of_a_step() {
        let foot = |height: &dyn Fn(usize) -> f64, speed: f64| FootTrack {
            height: (0..6).map(height).collect(),
            ankle: (0..6)
                .map(|t| Vector3::x() * (speed * t as f64 / 50.0))
                .collect(),
        };
        let skates =
            |right: &dyn Fn(usize) -> f64| skating(&[foot(right, 0.6), foot(&|_| 0.0, 0.4)], 50.0);
        assert_eq!(skates(&|_| 0.004), 5);
        assert_eq!(skates(&|t| 0.002 * t as f64), 2);
        assert_eq!(skates(&|_| 0.006), 0);
    }
}
