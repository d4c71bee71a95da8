//! Where feet stand: the one place that decides it from what is observed.
//!
//! Of a foot are known the height over where it stands and the speed of its ankle, of heel and ball once a body is
//! there, or of pixels that may be on the ground. A foot stands that is low and slow. How low and how slow depends on
//! what is asked:
//!
//! | question | answer | asked by |
//! |---|---|---|
//! | how high is the floor? | [`floor_height`] | readers |
//! | how high are ankles that stand? | [`standing_heights`] | body, metrics, loss |
//! | how much does it stand? | [`stance`], by height | loss, reference poses |
//! | does it rest, or touch in passing? | [`resting`], [`touching`] | fit to keypoints |
//! | does it carry the body alone? | [`carrying`] | reference poses |
//! | does it come down, or leave? | [`is_down`] | forces without a simulation |
//! | may a point carry something? | [`may_carry`] | loads, supports |

use nalgebra::Vector3;

use super::skeleton::{ANKLES, Frame};
use super::{Joints, quantile};

/// Height of the ankle joint over the floor of a foot that stands, over stature (Winter 2009, Fig. 4.1; 102 CMU clips:
/// 0.038 in the median).
pub const ANKLE_HEIGHT: f64 = 0.039;

/// The same in the mean over a stance, in which the heel rises before the toes leave: 1.11 times as high in the median of
/// 76 CMU clips. With the height of a flat foot, walks seen by one camera are 8 % farther off (seven clips).
pub const STANCE_ANKLE_HEIGHT: f64 = 0.043;

/// The same over the length of the shin, seen as the 5 % quantile of the lower ankle. 102 CMU clips: 0.07 to 0.20,
/// median 0.158.
const ANKLE_OVER_SHIN: f64 = 0.155;

/// The same for the toe base: 0 to 0.085, median 0.066.
const TOE_OVER_SHIN: f64 = 0.065;

/// The quantile of the heights of an ankle or toe base that is its standing height.
pub(super) const STANDING_QUANTILE: f64 = 0.05;

/// An ankle whose low quantile is so much above the other's never stood, m.
const NEVER_STOOD: f64 = 0.03;

/// Height over its standing height up to which an ankle, or a toe base, is on the ground, m.
pub const CONTACT_HEIGHT: f64 = 0.02;

/// Height over its standing height at which an ankle hardly stands any more (e⁻¹), m.
const STANCE_HEIGHT: f64 = 0.025;

/// Speed at which a foot hardly stands (e⁻¹), m/s: 91 % of the ankles within [`CONTACT_HEIGHT`] are slower in 76 CMU
/// clips, half of them than 0.04.
const STANDING_SPEED: f64 = 0.4;

/// Height over the lower foot at which the other hardly stands (e⁻¹), m.
const OVER_OTHER: f64 = 0.08;

/// Half the time of a step, in which each foot touches the ground, s, and the height over the lowest ankle of that time
/// at which it hardly does (e⁻¹), m.
const HALF_STEP: f64 = 0.35;
const TOUCHING_HEIGHT: f64 = 0.03;

/// Speeds of an ankle between which a foot stops carrying the body, m/s, and the time before and after for which it must
/// be slow, s.
const CARRYING_SPEED: [f64; 2] = [0.6, 1.2];
const CARRYING_TIME: f64 = 0.15;

/// Height of an ankle over the other at which it is hardly the one that carries (e⁻¹), m.
const LIFTED_HEIGHT: f64 = 0.04;

/// Height over where it stands, m, and horizontal speed, m/s, below which heel or ball come down, and the larger ones
/// above which they leave.
const COMES: (f64, f64) = (CONTACT_HEIGHT, 1.2);
const LEAVES: (f64, f64) = (0.05, 1.6);

/// Distance of a contact point from a surface up to which it may carry the body, m: skin, shoes and floors are off by
/// as much.
const NEAR: f64 = 0.06;

/// The fastest that the lowest point of a foot moves which carries something, m/s. With 0.7, 1.0 and 1.75 loads are
/// off by, RMS in % of body weight over trials with force plates: walks 10.0, 7.6, 8.6, turns 7.3, 6.7, 8.5.
const CARRIES_SPEED: f64 = 1.0;

/// What a foot did, one entry per frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FootTrack {
    /// Height of its lowest point above the ground, m (negative inside it).
    pub height: Vec<f64>,
    /// The point whose horizontal motion counts as sliding (the ankle), world frame, m.
    pub ankle: Vec<Vector3<f64>>,
}

impl FootTrack {
    /// Whether it skates from frame `t` to the next: its lowest point is at most `contact_height` m above
    /// the ground in both, and its ankle moves horizontally by more than `distance` m.
    pub(crate) fn skates(&self, t: usize, contact_height: f64, distance: f64) -> bool {
        let contact = self.height[t].max(self.height[t + 1]) <= contact_height;
        contact && (self.ankle[t + 1] - self.ankle[t]).xy().norm() > distance
    }
}

/// Height of the floor (m, same frame as `frames`, z up): a low quantile of the lower ankle (or the
/// lower toe base) minus the height it has in stance, scaled with the shin.
///
/// Good to about 3 cm: shoes, and ways to place the ankle joint, differ by that much.
pub fn floor_height(frames: &[Frame], shin: f64) -> f64 {
    let toes = frames.iter().filter_map(|frame| frame.toes);
    let toes: Vec<f64> = toes.map(|[right, left]| right.z.min(left.z)).collect();
    if !toes.is_empty() {
        return quantile(toes, STANDING_QUANTILE) - TOE_OVER_SHIN * shin;
    }
    let ankles = frames
        .iter()
        .map(|f| f.joints[ANKLES[0]].z.min(f.joints[ANKLES[1]].z));
    quantile(ankles.collect(), STANDING_QUANTILE) - ANKLE_OVER_SHIN * shin
}

/// Standing heights of two ankles (or toe bases), m, from their `heights` over a clip: the low
/// quantile of each, or that of the other where one is so much higher that it never stood.
pub fn standing_heights(heights: [Vec<f64>; 2]) -> [f64; 2] {
    of_feet_that_stood(heights.map(|heights| quantile(heights, STANDING_QUANTILE)))
}

/// `low: [right, left]`, low heights of two feet, m: that of the other where one never stood.
pub fn of_feet_that_stood(low: [f64; 2]) -> [f64; 2] {
    let lower = low[0].min(low[1]);
    low.map(|height| match height - lower > NEVER_STOOD {
        true => lower,
        false => height,
    })
}

/// [Standing heights](standing_heights) of the ankles `[right, left]` of `joints`, m.
pub fn standing_ankles(joints: &[Joints]) -> [f64; 2] {
    let heights = |ankle: usize| joints.iter().map(|frame| frame[ankle].z).collect();
    standing_heights(ANKLES.map(heights))
}

/// The feet `[right, left]` of an observed motion: the height of the ankle above its
/// [standing height](standing_heights), or of the toe base above its own, whichever is lower.
pub fn observed_feet(joints: &[Joints], toes: Option<&[[Vector3<f64>; 2]]>) -> [FootTrack; 2] {
    let above_standing = |mut heights: [Vec<f64>; 2]| {
        let standing = standing_heights(heights.clone());
        for (heights, standing) in heights.iter_mut().zip(standing) {
            heights.iter_mut().for_each(|height| *height -= standing);
        }
        heights
    };
    let ankle = |foot: usize| joints.iter().map(move |frame| frame[ANKLES[foot]]);
    let mut heights = above_standing([0, 1].map(|foot| ankle(foot).map(|p| p.z).collect()));
    if let Some(toes) = toes {
        let of_toe = |foot: usize| toes.iter().map(|toes| toes[foot].z).collect();
        for (heights, toe) in heights.iter_mut().zip(above_standing([0, 1].map(of_toe))) {
            let lower = heights.iter_mut().zip(toe);
            lower.for_each(|(height, toe)| *height = height.min(toe));
        }
    }
    [0, 1].map(|foot| FootTrack {
        height: std::mem::take(&mut heights[foot]),
        ankle: ankle(foot).collect(),
    })
}

/// How much the ankles `[right, left]` stand in every frame, 0 to 1: a Gaussian of their height over
/// their standing height.
pub fn stance(joints: &[Joints]) -> Vec<[f64; 2]> {
    let standing = standing_ankles(joints);
    let stands = |frame: &Joints, foot: usize| {
        let height = (frame[ANKLES[foot]].z - standing[foot]).max(0.0);
        fades(height, STANCE_HEIGHT)
    };
    (joints.iter())
        .map(|frame| [0, 1].map(|foot| stands(frame, foot)))
        .collect()
}

/// How surely the feet `[right, left]` of a body `stature` m tall rest on the ground in every frame, 0 to 1: the ankle is
/// within about `height` m of where it stands, not much higher than the other, and slow.
pub fn resting(joints: &[Joints], fps: f64, stature: f64, height: f64) -> Vec<[f64; 2]> {
    let rests = |t: usize, foot: usize| {
        let z = joints[t][ANKLES[foot]].z;
        let above = (z - STANCE_ANKLE_HEIGHT * stature).max(0.0) / height;
        let higher = (z - joints[t][ANKLES[1 - foot]].z).max(0.0) / OVER_OTHER;
        let speed = ankle_speed(joints, fps, foot, t);
        (-(above.powi(2) + higher.powi(2) + (speed / STANDING_SPEED).powi(2))).exp()
    };
    (0..joints.len())
        .map(|t| [0, 1].map(|foot| rests(t, foot)))
        .collect()
}

/// How surely a foot stands of which only the speed is known, m/s, 0 to 1.
pub fn standing_at_speed(speed: f64) -> f64 {
    fades(speed, STANDING_SPEED)
}

/// How surely the feet `[right, left]` touch the ground in every frame, 0 to 1: where they are as low as either foot gets
/// within a step. Runners' feet hardly ever rest, but something of every step is on the ground.
pub fn touching(joints: &[Joints], fps: f64) -> Vec<[f64; 2]> {
    let reach = (HALF_STEP * fps).round() as usize;
    let lowest = |t: usize| {
        let heights = around(joints, t, reach)
            .iter()
            .flat_map(|p| ANKLES.map(|ankle| p[ankle].z));
        heights.fold(f64::INFINITY, f64::min)
    };
    (0..joints.len())
        .map(|t| {
            let lowest = lowest(t);
            ANKLES.map(|ankle| fades(joints[t][ankle].z - lowest, TOUCHING_HEIGHT))
        })
        .collect()
}

/// How much each foot `[right, left]` has to carry the body, 0 to 1 per frame: it is slow, and the
/// other is not lower, nor flat on the ground and at rest.
pub fn carrying(joints: &[Joints], fps: f64) -> [Vec<f64>; 2] {
    let stands = stance(joints);
    let speeds: [Vec<f64>; 2] = [0, 1].map(|foot| {
        (0..joints.len())
            .map(|t| ankle_speed(joints, fps, foot, t))
            .collect()
    });
    // Slow for a while: at the height of a hop both feet are slow for a moment.
    let reach = (CARRYING_TIME * fps).round() as usize;
    let slow = |foot: usize, t: usize| {
        let near = around(&speeds[foot], t, reach);
        1.0 - smooth_step(near.iter().copied().fold(0.0, f64::max), CARRYING_SPEED)
    };
    let share = |foot: usize, t: usize| {
        let other_stands = slow(1 - foot, t) * stands[t][1 - foot];
        let [own, other] = [foot, 1 - foot].map(|foot| joints[t][ANKLES[foot]].z);
        let lower = fades((own - other).max(0.0), LIFTED_HEIGHT);
        slow(foot, t) * (1.0 - other_stands) * lower
    };
    std::array::from_fn(|foot| (0..joints.len()).map(|t| share(foot, t)).collect())
}

/// Whether the heel or the ball of a foot is on the ground that is `height` m over where it stands and moves with the
/// horizontal `speed`, m/s; one that `was_down` has to rise more, or be faster, to leave.
pub fn is_down(height: f64, speed: f64, was_down: bool) -> bool {
    let (highest, fastest) = if was_down { LEAVES } else { COMES };
    height < highest && speed < fastest
}

/// Whether a contact point at `distance` from a surface, m, may carry the body.
pub fn is_near(distance: f64) -> bool {
    distance < NEAR
}

/// Whether a foot may carry the body whose lowest point is at `distance` from a surface, m, and has `speed`, m/s.
pub fn may_carry(distance: f64, speed: f64) -> bool {
    distance <= NEAR && speed <= CARRIES_SPEED
}

/// From 0 at the first of `between` to 1 at the second, without a kink.
pub fn smooth_step(value: f64, between: [f64; 2]) -> f64 {
    let share = ((value - between[0]) / (between[1] - between[0])).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}

/// Gaussian of `value` that is e⁻¹ at `scale`.
fn fades(value: f64, scale: f64) -> f64 {
    (-(value / scale).powi(2)).exp()
}

/// Speed of an ankle around frame `t`, m/s.
fn ankle_speed(joints: &[Joints], fps: f64, foot: usize, t: usize) -> f64 {
    let (before, after) = (t.saturating_sub(1), (t + 1).min(joints.len() - 1));
    let way = joints[after][ANKLES[foot]] - joints[before][ANKLES[foot]];
    way.norm() * fps / (after - before).max(1) as f64
}

/// The entries of `track` within `reach` of `t`.
fn around<T>(track: &[T], t: usize, reach: usize) -> &[T] {
    &track[t.saturating_sub(reach)..(t + reach + 1).min(track.len())]
}

#[cfg(test)]
mod tests;
