//! The terms of a window's loss, one file each: what it means, its unit, and what more weight on it does.
//!
//! The loss of a window is ½ ‖r‖². Every term is a block of residuals per frame, scaled so that with
//! weight w it contributes ½ w² times a mean square, over frames and whatever else it is about, of
//! something readable: distances in units of 10 mm, torques in units of their limit, radians, metres
//! per second. A further term is a file with a [`Term`], a line in `FrameTerms::new` and one in
//! [`TERM_NAMES`], and a field of [`Weights`](super::Weights).

mod acceleration;
mod capture_point;
mod foot_direction;
mod foot_load;
mod foot_shear;
mod jerk;
mod joint_limit;
mod mass_center;
mod offsets;
mod penetration;
mod places;
mod position;
mod pressure;
mod reprojection;
mod self_collision;
mod skate;
mod slip;
mod torque;
mod velocity;

use nalgebra::{Isometry3, UnitQuaternion, Vector3};

pub use super::sighting::POSITION_UNIT;
pub use offsets::OffsetTerms;

use super::footing::STANDING_EXCESS;
use super::problem::TrackingProblem;
use crate::body::Body;
use crate::motion::{JOINTS, Joints};
use crate::simulation::FootLoad;

/// Time over which errors of velocities are counted as the position error that they make, s.
const LOOK_AHEAD: f64 = 0.05;

/// What divides an error whose square is `square` of that up to which errors count by their squares: larger ones count in
/// proportion.
fn tempering(square: f64) -> f64 {
    (1.0 + square).powf(0.25)
}

/// Names of the terms, in the order of their residuals; those of the offsets come after all frames.
pub const TERM_NAMES: [&str; 19] = [
    position::NAME,
    velocity::NAME,
    acceleration::NAME,
    jerk::NAME,
    capture_point::NAME,
    mass_center::NAME,
    foot_load::NAME,
    foot_shear::NAME,
    pressure::NAME,
    foot_direction::NAME,
    torque::NAME,
    joint_limit::NAME,
    skate::NAME,
    slip::NAME,
    penetration::NAME,
    self_collision::NAME,
    reprojection::NAME,
    offsets::NAMES[0],
    offsets::NAMES[1],
];

/// A term of the loss.
pub trait Term: Send + Sync {
    /// Its name in records, one of [`TERM_NAMES`].
    fn name(&self) -> &'static str;

    /// Number of residuals of a frame.
    fn size(&self) -> usize;

    /// Writes the residuals of the step to a frame into `out`, `(size(),)`.
    fn residuals(&self, step: &Step, out: &mut [f64]);
}

/// What terms look at of one simulated frame.
pub struct Simulated<'a> {
    /// World poses of the links.
    pub links: &'a [Isometry3<f64>],
    /// The joints' markers, m.
    pub joints: Joints,
    /// Centre of mass of the body, m.
    pub mass_center: Vector3<f64>,
}

impl<'a> Simulated<'a> {
    /// Of `body` with its links at `links`.
    pub fn new(body: &Body, links: &'a [Isometry3<f64>]) -> Self {
        Self {
            links,
            joints: body.marker_positions(links),
            mass_center: body.mass_center(links),
        }
    }
}

/// The step to a frame of the motion.
pub struct Step<'a> {
    /// The frame, counted from the motion's first; at least 1.
    pub frame: usize,
    /// The body there.
    pub now: &'a Simulated<'a>,
    /// One frame earlier.
    pub before: &'a Simulated<'a>,
    /// Two frames earlier; without it the acceleration counts as right.
    pub earlier: Option<&'a Simulated<'a>>,
    /// Three frames earlier; without it the jerk counts as small.
    pub earliest: Option<&'a Simulated<'a>>,
    /// PD targets of the links, rotation parent ← child.
    pub targets: &'a [UnitQuaternion<f64>],
    /// What the ground did to the feet `[right, left]`, means over the step.
    pub loads: [FootLoad; 2],
}

impl Step<'_> {
    /// Rotation of link `i` in its `parent`.
    fn rotation(&self, i: usize, parent: usize) -> UnitQuaternion<f64> {
        let links = self.now.links;
        links[parent].rotation.inverse() * links[i].rotation
    }
}

/// What a window counts otherwise than by its weights alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Emphasis {
    /// Share of its weight with which slip counts, above 0. Little of it is a smoother landscape, in which
    /// a window far from good is approached.
    pub slip: f64,
    /// Share of its weight, 0 to 1, with which the jerk counts; the change of the offsets counts the more.
    pub jerk: f64,
    /// How many times its weight skating counts.
    pub skate: f64,
    /// How much higher the simulated ankles `[right, left]` stand than the observed ones, m.
    pub standing_excess: [f64; 2],
}

impl Default for Emphasis {
    fn default() -> Self {
        Self {
            slip: 1.0,
            jerk: 0.0,
            skate: 1.0,
            standing_excess: [STANDING_EXCESS; 2],
        }
    }
}

/// What the terms of a window are made for.
pub(super) struct Scope<'a> {
    /// The problem that the window is a part of.
    pub problem: &'a TrackingProblem,
    /// Number of frames of the window.
    pub frames: usize,
    /// What counts otherwise in it.
    pub emphasis: Emphasis,
}

impl Scope<'_> {
    /// What makes the sum of squares of lengths in m, `count` of them in a frame, a mean in position units.
    fn length_scale(&self, count: usize) -> f64 {
        1.0 / (POSITION_UNIT * (self.frames as f64 * count as f64).sqrt())
    }

    /// [`LOOK_AHEAD`] in frames.
    fn look_ahead(&self) -> f64 {
        LOOK_AHEAD * self.problem.motion.fps
    }
}

/// The terms of a window's frames.
pub struct FrameTerms<'a> {
    terms: Vec<Box<dyn Term + 'a>>,
    count: usize,
}

impl<'a> FrameTerms<'a> {
    /// Those of `scope`, in the order of [`TERM_NAMES`]: the terms whose weights are above 0.
    pub(super) fn new(scope: &Scope<'a>) -> Self {
        let terms: Vec<Box<dyn Term + 'a>> = [
            position::term(scope),
            velocity::term(scope),
            acceleration::term(scope),
            jerk::term(scope),
            capture_point::term(scope),
            mass_center::term(scope),
            foot_load::term(scope),
            foot_shear::term(scope),
            pressure::term(scope),
            foot_direction::term(scope),
            torque::term(scope),
            joint_limit::term(scope),
            skate::term(scope),
            slip::term(scope),
            penetration::term(scope),
            self_collision::term(scope),
            reprojection::term(scope),
        ]
        .into_iter()
        .flatten()
        .collect();
        let count = terms.iter().map(|term| term.size()).sum();
        Self { terms, count }
    }

    /// Number of residuals of a frame.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Name and number of residuals of each term.
    pub fn sizes(&self) -> impl Iterator<Item = (&'static str, usize)> + '_ {
        self.terms.iter().map(|term| (term.name(), term.size()))
    }

    /// Writes the residuals of the step to a frame into `out`, `(count(),)`.
    pub fn residuals(&self, step: &Step, mut out: &mut [f64]) {
        for term in &self.terms {
            let (own, rest) = out.split_at_mut(term.size());
            term.residuals(step, own);
            out = rest;
        }
    }
}

/// A term, where it has a weight.
type Weighted<'a> = Option<Box<dyn Term + 'a>>;

/// `term`, where `weight` is above 0.
fn weighted<'a, T: Term + 'a>(weight: f64, term: impl FnOnce() -> T) -> Weighted<'a> {
    (weight > 0.0).then(|| Box::new(term()) as Box<dyn Term + 'a>)
}

/// Writes `vectors` into `out`, one after the other.
fn write(vectors: impl Iterator<Item = Vector3<f64>>, out: &mut [f64]) {
    for (out, vector) in out.chunks_exact_mut(3).zip(vectors) {
        out.copy_from_slice(vector.as_slice());
    }
}

/// Number of residuals of a vector per joint.
const JOINT_VECTORS: usize = 3 * JOINTS;

#[cfg(test)]
mod tests;
