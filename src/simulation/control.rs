//! PD targets over time: reference rotations composed with offsets that are interpolated between
//! knots.

use nalgebra::{UnitQuaternion, Vector3};

use crate::body::{Body, Pose};

/// Offsets of the PD targets, as rotation vectors in the target's frame, at knots on a regular
/// grid over the clip.
///
/// In between, the offset is a cubic whose slope at a knot is that of the straight line from the knot
/// before: offset and rate are continuous, and a knot changes nothing earlier than the knot ahead of
/// it.
#[derive(Clone, Debug, PartialEq)]
pub struct Knots {
    /// Frames between two knots.
    pub spacing: usize,
    /// Index of the first knot held: 0 for a whole clip, more for a part of it.
    pub first: usize,
    /// `offsets[k][link]`, rad: the offset at frame `(first + k) × spacing`.
    pub offsets: Vec<Vec<Vector3<f64>>>,
}

impl Knots {
    /// Zero offsets for `links` links, enough knots to cover `frames` frames.
    pub fn zeros(spacing: usize, frames: usize, links: usize) -> Self {
        let count = frames.saturating_sub(1).div_ceil(spacing) + 1;
        Self {
            spacing,
            first: 0,
            offsets: vec![vec![Vector3::zeros(); links]; count],
        }
    }

    /// The knots with indices in `range`, cut to those held.
    pub fn part(&self, range: std::ops::Range<usize>) -> Self {
        let end = (range.end - self.first).min(self.offsets.len());
        let offsets = self.offsets[range.start - self.first..end].to_vec();
        Self {
            spacing: self.spacing,
            first: range.start,
            offsets,
        }
    }

    /// Takes over the offsets of `part`.
    pub fn replace(&mut self, part: &Self) {
        let from = part.first - self.first;
        self.offsets[from..from + part.offsets.len()].clone_from_slice(&part.offsets);
    }

    /// Offsets of the knot with index `k`, per link.
    pub fn at(&self, k: usize) -> &[Vector3<f64>] {
        &self.offsets[k - self.first]
    }

    /// Offset of `link` at `time` (frames) and its derivative per frame.
    pub fn offset(&self, link: usize, time: f64) -> (Vector3<f64>, Vector3<f64>) {
        let position = time / self.spacing as f64 - self.first as f64;
        let k = position.floor().max(0.0) as usize;
        let Some(next) = self.offsets.get(k + 1) else {
            return (self.offsets[self.offsets.len() - 1][link], Vector3::zeros());
        };
        let here = self.offsets[k][link];
        let rise = next[link] - here;
        let past = k
            .checked_sub(1)
            .map_or(here - rise, |k| self.offsets[k][link]);
        // How much steeper the curve begins than it ends.
        let bend = here - past - rise;
        let (done, left) = (position - k as f64, 1.0 - (position - k as f64));
        (
            here + done * rise + done * left * left * bend,
            (rise + left * (left - 2.0 * done) * bend) / self.spacing as f64,
        )
    }
}

/// Reference targets sampled at every simulation step.
#[derive(Clone, Debug)]
pub struct ControlTrack {
    /// Simulation steps per frame.
    pub steps_per_frame: usize,
    fps: f64,
    links: usize,
    /// Per step and link: rotation parent ← child, and body angular velocity, rad/s.
    targets: Vec<(UnitQuaternion<f64>, Vector3<f64>)>,
}

impl ControlTrack {
    /// When simulation step `step` of the clip begins, s.
    pub fn time(&self, step: usize) -> f64 {
        step as f64 / (self.steps_per_frame as f64 * self.fps)
    }

    /// Samples the joint rotations of `poses` (at `fps`) at `steps_per_frame` steps a frame.
    pub fn new(body: &Body, poses: &[Pose], fps: f64, steps_per_frame: usize) -> Self {
        let links = body.links.len();
        let mut targets = Vec::with_capacity(poses.len() * steps_per_frame * links);
        for t in 0..poses.len() {
            let (a, b) = match poses.get(t + 1) {
                Some(next) => (&poses[t], next),
                None => (&poses[t.saturating_sub(1)], &poses[t]),
            };
            for step in 0..steps_per_frame {
                let fraction = match t + 1 < poses.len() {
                    true => step as f64 / steps_per_frame as f64,
                    false => 1.0,
                };
                for link in 0..links {
                    let turn = (a.rotations[link].inverse() * b.rotations[link]).scaled_axis();
                    let target =
                        a.rotations[link] * UnitQuaternion::from_scaled_axis(fraction * turn);
                    targets.push((target, fps * turn));
                }
            }
        }
        Self {
            steps_per_frame,
            fps,
            links,
            targets,
        }
    }

    /// Lets the targets lead by `offsets`, rotation vectors in the targets' frames, rad, one entry per frame and link. They
    /// stay as fast as they were: what leads is a torque, not a motion.
    pub fn lead(&mut self, offsets: &[Vec<Vector3<f64>>]) {
        for (n, (target, velocity)) in self.targets.iter_mut().enumerate() {
            let (step, link) = (n / self.links, n % self.links);
            let (t, within) = (step / self.steps_per_frame, step % self.steps_per_frame);
            let next = (t + 1).min(offsets.len() - 1);
            let fraction = within as f64 / self.steps_per_frame as f64;
            let offset = offsets[t][link].lerp(&offsets[next][link], fraction);
            let turn = UnitQuaternion::from_scaled_axis(offset);
            *target *= turn;
            *velocity = turn.inverse() * *velocity;
        }
    }

    /// Number of frames covered.
    pub fn frames(&self) -> usize {
        self.targets.len() / (self.steps_per_frame * self.links)
    }

    /// Target rotation of `link` and its angular velocity in the target's frame at simulation
    /// step `step` of the clip, the offset of `knots` included.
    pub fn target(
        &self,
        knots: &Knots,
        link: usize,
        step: usize,
    ) -> (UnitQuaternion<f64>, Vector3<f64>) {
        let last = self.targets.len() / self.links - 1;
        let (reference, velocity) = self.targets[step.min(last) * self.links + link];
        let (offset, rate) = knots.offset(link, step as f64 / self.steps_per_frame as f64);
        if offset == Vector3::zeros() && rate == Vector3::zeros() {
            return (reference, velocity);
        }
        let turn = UnitQuaternion::from_scaled_axis(offset);
        // d/dt exp(δ) = exp(δ) [J_r(δ) δ̇], with J_r(δ) = I − ½[δ]× to second order.
        let rate = self.fps * (rate - 0.5 * offset.cross(&rate));
        (reference * turn, turn.inverse() * velocity + rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knots(values: &[f64]) -> Knots {
        Knots {
            spacing: 5,
            first: 0,
            offsets: values
                .iter()
                .map(|v| vec![Vector3::new(*v, 0.0, 0.0)])
                .collect(),
        }
    }

    #[test]
    fn offsets_meet_the_knots_and_bend_without_a_kink() {
        let knots = knots(&[0.0, 1.0, -0.5, -0.5, 2.0]);
        for (k, offsets) in knots.offsets.iter().enumerate() {
            assert_eq!(knots.offset(0, 5.0 * k as f64).0, offsets[0]);
        }
        let h = 1e-6;
        for time in [2.0, 5.0, 7.5, 10.0, 13.0, 15.0, 18.0] {
            let (before, after) = (knots.offset(0, time - h), knots.offset(0, time + h));
            let slope = (after.0 - before.0) / (2.0 * h);
            assert!((slope - knots.offset(0, time).1).norm() < 1e-5, "at {time}");
            assert!((after.1 - before.1).norm() < 1e-5, "at {time}");
        }
    }

    #[test]
    fn a_part_with_one_knot_more_ahead_is_the_whole_and_knots_act_late() {
        let whole = knots(&[0.0, 1.0, -0.5, 0.3, 2.0]);
        let part = whole.part(1..5);
        let mut moved = whole.clone();
        moved.offsets[3][0].x += 1.0;
        for time in [10.0, 11.0, 14.0, 17.0, 19.9] {
            assert_eq!(part.offset(0, time), whole.offset(0, time));
        }
        assert_eq!(moved.offset(0, 9.9), whole.offset(0, 9.9));
        assert_ne!(moved.offset(0, 10.1), whole.offset(0, 10.1));
    }
}
