//! Ground reactions without a simulation, as one would otherwise take them: the total from the acceleration of the
//! observed centre of mass, m (a + g), on the foot that stands; in double support shared by the smooth transition
//! assumption.
//!
//! # References
//! L. Ren, R. K. Jones, D. Howard, "Whole body inverse dynamics over a complete gait cycle based only on measured
//! kinematics", J. Biomech. 41(12), 2008.

use std::ops::Range;

use nalgebra::{Isometry3, Vector2, Vector3};

use crate::export::feet::Foot;
use crate::motion::contact::{self, standing_heights};
use crate::motion::directions_of_travel;
use crate::reconstruction::{Reconstruction, mass_center_accelerations};
use crate::simulation::{GRAVITY, Push};

/// Frequency up to which the centre of mass is believed, Hz: the usual one for markers of walking people (Winter 2009).
const CUTOFF: f64 = 6.0;

/// The longest double support that is a step from one foot to the other, s: longer ones are standing.
const LONGEST_TRANSITION: f64 = 0.5;

/// Share of the body's weight from which on some foot must carry it.
const CARRIED: f64 = 0.5;

/// Feet whose heights differ by less carry it together, m.
const ALIKE: f64 = 0.04;

/// Share of the body's weight below which the total force has no point of application.
const NO_FORCE: f64 = 0.05;

/// What an observed motion tells of the forces on the feet, frame by frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Frames per second, Hz.
    pub fps: f64,
    /// Mass of the body, kg.
    pub mass: f64,
    /// Its centre of mass, m.
    pub centers: Vec<Vector3<f64>>,
    /// Heel and ball of the feet `[right, left]`, m.
    pub soles: Vec<[[Vector3<f64>; 2]; 2]>,
    /// Which of them stand.
    pub stands: Vec<[bool; 2]>,
    /// The horizontal direction of travel, of length 1.
    pub ahead: Vec<Vector2<f64>>,
}

impl Observed {
    /// What the reference poses of `run` tell; none for a body whose feet have no heel and ball.
    pub fn of(run: &Reconstruction) -> Option<Self> {
        let Reconstruction {
            body,
            poses,
            reference,
            ..
        } = run;
        let feet = Foot::both(body)?;
        let links: Vec<Vec<Isometry3<f64>>> = poses
            .iter()
            .map(|pose| body.forward_kinematics(pose))
            .collect();
        let frames = links.iter().map(Vec::as_slice);
        let soles = |links: &[Isometry3<f64>]| [0, 1].map(|foot| feet[foot].points(links));
        let mut observed = Self {
            fps: reference.fps,
            mass: body.mass(),
            centers: frames
                .clone()
                .map(|links| body.mass_center(links))
                .collect(),
            soles: frames.clone().map(soles).collect(),
            stands: Vec::new(),
            ahead: directions_of_travel(&reference.joints, reference.fps),
        };
        observed.stands = observed.standing();
        Some(observed)
    }

    /// Which feet `[right, left]` stand, frame by frame: heel or ball is low and slow. (The ankle alone leaves the ground
    /// with the heel.) Where no foot does though the body is carried, the lower one, and one about as low.
    fn standing(&self) -> Vec<[bool; 2]> {
        let total = self.total();
        let heights = self.heights();
        let mut stood = [true; 2]; // before the first frame
        let mut stands = Vec::with_capacity(total.len());
        for (t, heights) in heights.iter().enumerate() {
            stood = [0, 1].map(|foot| self.is_down(foot, t, heights[foot], stood[foot]));
            let is_carried = total[t].z > CARRIED * self.mass * GRAVITY;
            let least = heights
                .as_flattened()
                .iter()
                .copied()
                .fold(f64::INFINITY, f64::min);
            let alike = heights.map(|[heel, ball]| heel.min(ball) - least < ALIKE);
            stands.push(match is_carried && stood == [false; 2] {
                true => alike,
                false => stood,
            });
        }
        stands
    }

    /// Heights of heel and ball over where they stand, frame by frame and foot by foot, m.
    fn heights(&self) -> Vec<[[f64; 2]; 2]> {
        let lowest = |foot: usize| {
            let ends = self.soles.iter().map(move |soles| soles[foot]);
            ends.map(|[heel, ball]| heel.z.min(ball.z)).collect()
        };
        let low = standing_heights([0, 1].map(lowest));
        let over =
            |foot: usize, soles: &[[Vector3<f64>; 2]; 2]| soles[foot].map(|end| end.z - low[foot]);
        let soles = self.soles.iter();
        soles
            .map(|soles| [0, 1].map(|foot| over(foot, soles)))
            .collect()
    }

    /// Whether heel or ball of a foot, `heights` over where they stand, are down in frame `t`; `was_down` says it of the
    /// frame before.
    fn is_down(&self, foot: usize, t: usize, heights: [f64; 2], was_down: bool) -> bool {
        let (before, after) = (t.saturating_sub(1), (t + 1).min(self.soles.len() - 1));
        let pace = self.fps / (after - before).max(1) as f64;
        [0, 1].into_iter().any(|end| {
            let way = self.soles[after][foot][end] - self.soles[before][foot][end];
            contact::is_down(heights[end], pace * way.xy().norm(), was_down)
        })
    }

    /// What pushes the feet `[right, left]`: means over the interval that ends at a frame. The centre of pressure is
    /// the point between heel and ball that is nearest to the zero-moment point.
    pub fn pushes(&self) -> Vec<[Push; 2]> {
        let total = self.total();
        let points: Vec<Vector2<f64>> = (0..total.len())
            .map(|t| self.zero_moment_point(t, &total[t]))
            .collect();
        let forces = self.forces(&total, &points);
        let at = |t: usize| {
            let before = t.saturating_sub(1);
            [0, 1].map(|foot| {
                let ends = [before, t].map(|t| (forces[t][foot], t));
                let load: f64 = ends.iter().map(|(force, _)| force.z.max(0.0)).sum();
                let moment = ends
                    .map(|(force, t)| force.z.max(0.0) * nearest(&self.soles[t][foot], &points[t]));
                Push {
                    force: 0.5 * (ends[0].0 + ends[1].0),
                    center: (load > 0.0).then(|| (moment[0] + moment[1]) / load),
                }
            })
        };
        (0..forces.len()).map(at).collect()
    }

    /// The force that accelerates the centre of mass and carries the body, m (a + g), N.
    fn total(&self) -> Vec<Vector3<f64>> {
        let accelerations = mass_center_accelerations(&self.centers, self.fps, CUTOFF);
        let force = |a: Vector3<f64>| self.mass * (a + GRAVITY * Vector3::z());
        accelerations.into_iter().map(force).collect()
    }

    /// Where the total force goes through the ground when it passes through the centre of mass, m.
    fn zero_moment_point(&self, t: usize, force: &Vector3<f64>) -> Vector2<f64> {
        let center = self.centers[t];
        if force.z < NO_FORCE * self.mass * GRAVITY {
            return center.xy();
        }
        let ground = self.soles[t].as_flattened().iter().map(|point| point.z);
        let height = center.z - ground.fold(f64::INFINITY, f64::min);
        center.xy() - height / force.z * force.xy()
    }

    /// The parts of the `total` forces that are on the feet, N, given the zero-moment `points`.
    fn forces(&self, total: &[Vector3<f64>], points: &[Vector2<f64>]) -> Vec<[Vector3<f64>; 2]> {
        let mut forces = Vec::with_capacity(total.len());
        for phase in self.stands.chunk_by(|a, b| a == b) {
            let frames = forces.len()..forces.len() + phase.len();
            let stands = phase[0];
            let trailing = self.trailing(&frames).filter(|_| stands == [true; 2]);
            forces.extend(frames.clone().map(|t| match (trailing, stands) {
                (Some(foot), _) => self.transition(total, t, &frames, foot),
                (None, [true, true]) => self.by_point(&total[t], &points[t], t),
                (None, alone) => alone.map(|stands| f64::from(u8::from(stands)) * total[t]),
            }));
        }
        forces
    }

    /// The foot that a double support in `frames` relieves: it stood alone before, and the other one does after.
    fn trailing(&self, frames: &Range<usize>) -> Option<usize> {
        let before = self.stands[frames.start.checked_sub(1)?];
        let after = *self.stands.get(frames.end)?;
        let is_step = frames.len() as f64 / self.fps <= LONGEST_TRANSITION;
        match (before, after) {
            ([true, false], [false, true]) if is_step => Some(0),
            ([false, true], [true, false]) if is_step => Some(1),
            _ => None,
        }
    }

    /// The forces in frame `t` of a double support in `frames` that relieves the foot `trailing`. Of what that one
    /// carried when the other foot came down, smooth functions of time remain (Ren et al. 2008).
    fn transition(
        &self,
        total: &[Vector3<f64>],
        t: usize,
        frames: &Range<usize>,
        trailing: usize,
    ) -> [Vector3<f64>; 2] {
        let begin = frames.start - 1; // a double support that relieves a foot has a frame before
        let time = 2.0 * (t - begin) as f64 / (frames.end - begin) as f64;
        let carried = total[begin];
        let ahead = self.ahead[begin].push(0.0);
        let along = carried.dot(&ahead) * ahead;
        let rest = along_remains(time) * along + across_remains(time) * (carried - along);
        let mut forces = [total[t] - rest; 2];
        forces[trailing] = rest;
        forces
    }

    /// The forces in frame `t` with both feet on the ground, shared by where `point` lies between them.
    fn by_point(&self, total: &Vector3<f64>, point: &Vector2<f64>, t: usize) -> [Vector3<f64>; 2] {
        let [right, left] = self.soles[t].map(|[heel, ball]| 0.5 * (heel + ball).xy());
        let share = share_between(&right, &left, point);
        [(1.0 - share) * total, share * total]
    }
}

/// What is left of the force along the direction of travel on the trailing foot, as a share of it at the other foot's
/// heel strike; `time` in halves of the double support, 0 to 2.
fn along_remains(time: f64) -> f64 {
    let k1 = (4.0f64 / 9.0).exp();
    let k2 = 0.5 * k1 * (-16.0f64 / 9.0).exp();
    k1 * (-(time - 2.0 / 3.0).powi(2)).exp() - k2 * time
}

/// The same of the forces upwards and sideways.
fn across_remains(time: f64) -> f64 {
    (-time.powi(3)).exp()
}

/// How far along the way from one place to another the nearest point to `point` is, 0 to 1; a half where they are the
/// same place.
fn share_between(from: &Vector2<f64>, to: &Vector2<f64>, point: &Vector2<f64>) -> f64 {
    let way = to - from;
    let share = (point - from).dot(&way) / way.norm_squared();
    match share.is_finite() {
        true => share.clamp(0.0, 1.0),
        false => 0.5,
    }
}

/// The point between heel and ball that is nearest to `point`, seen from above, m.
fn nearest([heel, ball]: &[Vector3<f64>; 2], point: &Vector2<f64>) -> Vector3<f64> {
    heel + share_between(&heel.xy(), &ball.xy(), point) * (ball - heel)
}

#[cfg(test)]
mod tests;
