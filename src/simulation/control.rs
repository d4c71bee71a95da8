//! PD targets over time: reference rotations composed with offsets that are interpolated between
//! knots.

use nalgebra::{UnitQuaternion, Vector3};

use crate::body::{Body, Pose};

/// Offsets of the PD targets, as rotation vectors in the target's frame, at knots on a regular
/// grid over the clip; linear in between.
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
        let last = self.offsets.len() - 1;
        let k = (position.floor().max(0.0) as usize).min(last);
        let (a, b) = (self.offsets[k][link], self.offsets[(k + 1).min(last)][link]);
        let rate = (b - a) / self.spacing as f64;
        (a + (position - k as f64) * (b - a), rate)
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
