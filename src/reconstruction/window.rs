//! A window of frames as an objective: x ↦ rollout ↦ residuals, with the Jacobian by causal
//! forward differences.
//!
//! x holds the offsets of the PD targets at the free knots, axis by axis.

mod linearization;
mod rollouts;

use std::sync::{Arc, Mutex};

use nalgebra::{DMatrix, DVector, Isometry3, UnitQuaternion};

pub use linearization::LastJacobian;
use rollouts::Rollouts;

use super::clip::Clip;
use super::loss::{FrameState, FrameTerms, TERM_NAMES};
use crate::objective::{Objective, Residuals};
use crate::simulation::{Engine, Knots, Path, World};

/// Step of the forward differences, rad.
pub const DIFFERENCE_STEP: f64 = 1e-5;

/// The frames optimized together.
pub struct PhysicsWindow<'a> {
    clip: &'a Clip,
    /// First frame of the window: the state `start` belongs to it.
    first: usize,
    /// Number of frames simulated after it.
    frames: usize,
    start: Start,
    /// Offsets of the knots that act on the window, one before its first frame among them; those of
    /// the free ones are replaced by x.
    knots: Knots,
    /// The knots that x holds.
    free: std::ops::Range<usize>,
    /// Share of the assistance, in [0, 1]: springs that pull every link towards its reference, by
    /// which a hard window is approached. 0 is the real thing.
    pub assistance: f64,
    terms: FrameTerms,
    /// The last Jacobian of the window before.
    inherited: Option<LastJacobian>,
    /// The last Jacobian of this one, where it is kept.
    memory: Option<Mutex<Option<LastJacobian>>>,
    /// The last rollouts from the start.
    rollouts: Rollouts,
}

/// Where a window starts.
#[derive(Clone)]
pub struct Start {
    /// The world at the window's first frame.
    pub world: World,
    /// World poses of the links one frame and two frames earlier, from which the acceleration and the
    /// jerk at the first frame follow; fewer where the clip begins.
    pub past: Vec<Vec<Isometry3<f64>>>,
}

impl Start {
    fn past(&self) -> Past<'_> {
        [0, 1].map(|ago| self.past.get(ago).map(Vec::as_slice))
    }
}

/// What the residuals look at: link poses and PD targets per frame, those of the start among them.
struct Record {
    links: Vec<Vec<Isometry3<f64>>>,
    targets: Vec<Vec<UnitQuaternion<f64>>>,
}

impl Record {
    /// The link poses `ago` frames, one or two, before entry `i`, where they are known; `past` are those
    /// before the record.
    fn before<'r>(&'r self, i: usize, ago: usize, past: Past<'r>) -> Option<&'r [Isometry3<f64>]> {
        match i.checked_sub(ago) {
            Some(i) => Some(&self.links[i]),
            None => past[ago - i - 1],
        }
    }
}

/// What a rollout leaves behind.
struct Rollout {
    record: Record,
    /// States of the links per frame, the start among them.
    path: Path,
    /// In every step, the spheres near the ground in the order in which the solver had them.
    orders: Vec<Vec<usize>>,
    end: World,
}

/// Link poses one frame and two frames earlier, where they are known.
type Past<'w> = [Option<&'w [Isometry3<f64>]>; 2];

impl<'a> PhysicsWindow<'a> {
    /// The window of `frames` frames after frame `first` of `clip`, starting in the state `start`
    /// with the offsets `knots`. All knots that act on it are free but the last two up to its first
    /// frame, which the windows before have settled (in the first window all are free).
    pub fn new(clip: &'a Clip, first: usize, frames: usize, start: Start, knots: &Knots) -> Self {
        let here = first / knots.spacing;
        let free_from = if first == 0 { 0 } else { here + 1 };
        Self::with_free(clip, (first, frames), start, knots, free_from)
    }

    /// The window of `frames` frames after frame `first` of `clip`, starting in the reference state
    /// with zero offsets. All knots that act on it are free but the one before its first frame's.
    pub fn from_reference(clip: &'a Clip, first: usize, frames: usize, knot_frames: usize) -> Self {
        let knots = Knots::zeros(
            knot_frames,
            first + frames + 2 * knot_frames,
            clip.body.links.len(),
        );
        let here = first / knot_frames;
        Self::with_free(clip, (first, frames), clip.start(first), &knots, here)
    }

    /// Counts foot slip with `share` of its weight, above 0. Little of it is a smoother landscape, in
    /// which a window far from good is approached.
    pub fn set_slip_share(&mut self, share: f64) {
        self.terms
            .set_foot_slip(share * self.clip.weights.foot_slip);
    }

    /// Counts the jerk with `share` of its weight, from 0, as it is otherwise, to 1, and the change of the
    /// offsets the more.
    pub fn set_jerk_share(&mut self, share: f64) {
        self.terms.set_jerk_share(share);
    }

    /// Counts skating with `share` times its weight.
    pub fn set_skate_share(&mut self, share: f64) {
        self.terms.set_skate_share(share);
    }

    /// Takes the simulated ankles `[right, left]` to stand so much higher than the observed ones, m.
    pub fn set_standing_excess(&mut self, excess: [f64; 2]) {
        self.terms.set_standing_excess(excess);
    }

    fn with_free(
        clip: &'a Clip,
        (first, frames): (usize, usize),
        start: Start,
        knots: &Knots,
        free_from: usize,
    ) -> Self {
        let here = first / knots.spacing;
        let end = (first + frames).div_ceil(knots.spacing) + 1;
        Self {
            clip,
            first,
            frames,
            start,
            knots: knots.part(here.saturating_sub(1)..end),
            free: free_from..end,
            assistance: 0.0,
            terms: FrameTerms::new(
                &clip.body,
                &clip.weights,
                clip.motion.fps,
                frames,
                clip.views,
            ),
            inherited: None,
            memory: None,
            rollouts: Rollouts::default(),
        }
    }

    /// The point that stands for the window's current knots.
    pub fn point(&self) -> Vec<f64> {
        self.point_of(&self.knots)
    }

    /// The point that stands for `knots`.
    pub fn point_of(&self, knots: &Knots) -> Vec<f64> {
        let at = |k| {
            self.clip
                .axes
                .iter()
                .map(move |(link, axis)| knots.at(k)[*link][*axis])
        };
        self.free.clone().flat_map(at).collect()
    }

    /// The knots with x in place.
    pub fn knots_at(&self, x: &[f64]) -> Knots {
        let mut knots = self.knots.clone();
        for (n, value) in x.iter().enumerate() {
            let (link, axis) = self.clip.axes[n % self.clip.axes.len()];
            knots.offsets[self.free.start + n / self.clip.axes.len() - knots.first][link][axis] =
                *value;
        }
        knots
    }

    /// Mean distance of the joints from those observed over the frames of the window at x, m.
    pub fn mean_joint_error(&self, x: &[f64]) -> f64 {
        let rollout = self.rollout_at(x);
        let frames = (self.first + 1..).zip(&rollout.record.links[1..]);
        let sum: f64 = frames
            .map(|(t, links)| self.clip.frame_error(links, t))
            .sum();
        sum / self.frames as f64
    }

    /// Mean squared residual share of each term at x, as it enters the loss.
    pub fn term_losses(&self, x: &[f64]) -> Vec<(String, f64)> {
        let residuals = self.residuals(x);
        let mut losses = [0.0; TERM_NAMES.len()];
        let mut at = 0;
        let mut add = |term: usize, size: usize| {
            losses[term] += 0.5 * residuals.rows(at, size).norm_squared();
            at += size;
        };
        for _ in 0..self.frames {
            for (term, size) in self.terms.sizes().into_iter().enumerate() {
                add(term, size);
            }
        }
        add(TERM_NAMES.len() - 2, x.len());
        add(TERM_NAMES.len() - 1, x.len());
        TERM_NAMES
            .iter()
            .map(ToString::to_string)
            .zip(losses)
            .collect()
    }

    fn step_of(&self, frame: usize) -> usize {
        (self.first + frame) * self.clip.track.steps_per_frame
    }

    /// Simulates from `world`, `frame` frames after the window's first frame, to the window's end.
    fn rollout(&self, world: &World, frame: usize, knots: &Knots) -> Rollout {
        let mut engine = Engine::new(&self.clip.physics);
        let mut world = world.clone();
        let mut path = vec![world.links()];
        let mut orders = Vec::new();
        let mut record = Record {
            links: vec![world.link_poses().collect()],
            targets: vec![vec![]],
        };
        for frame in frame..self.frames {
            let mut targets = Vec::new();
            for step in self.step_of(frame)..self.step_of(frame + 1) {
                if self.assistance > 0.0 {
                    self.clip.assist(&mut world, self.assistance, step);
                }
                targets = self.clip.set_targets(&mut world, knots, step);
                world.step(&mut engine);
                orders.push(world.contact_order());
            }
            path.push(world.links());
            record.links.push(world.link_poses().collect());
            record.targets.push(targets);
        }
        Rollout {
            record,
            path,
            orders,
            end: world,
        }
    }

    /// The rollout at x, simulated unless it is kept.
    fn rollout_at(&self, x: &[f64]) -> Arc<Rollout> {
        let kept = self.rollouts.get(x, self.assistance);
        kept.unwrap_or_else(|| {
            let rollout = Arc::new(self.rollout(&self.start.world, 0, &self.knots_at(x)));
            self.rollouts.keep(x, self.assistance, rollout.clone());
            rollout
        })
    }

    /// Residuals of the frames after `frame`, in order; `past` are the link poses before it.
    fn frame_residuals(&self, record: &Record, past: Past, frame: usize, out: &mut [f64]) {
        for (i, out) in out.chunks_mut(self.terms.count()).enumerate() {
            let t = (self.first + frame + i + 1).min(self.clip.motion.joints.len() - 1);
            let joints = &self.clip.motion.joints;
            let state = FrameState {
                links: &record.links[i + 1],
                previous: &record.links[i],
                earlier: record.before(i, 1, past),
                earliest: record.before(i, 2, past),
                targets: &record.targets[i + 1],
                observed: [&joints[t], &joints[t - 1]],
                footings: self.clip.footings[t],
                accelerations: &self.clip.accelerations[t - 1],
                jerks: &self.clip.jerks[t],
                reference_mass_center: [self.clip.mass_centers[t], self.clip.mass_centers[t - 1]],
                sightings: self.clip.sightings(t),
            };
            self.terms.evaluate(&self.clip.body, &state, out);
        }
    }

    /// Residuals of the knots themselves: size and change of the offsets.
    fn knot_residuals(&self, knots: &Knots, out: &mut [f64]) {
        let n = self.clip.axes.len();
        let count = (self.free.len() * n) as f64;
        let (size, change) = (
            self.clip.weights.offset / count.sqrt(),
            self.terms.smoothness() / count.sqrt(),
        );
        for (i, k) in self.free.clone().enumerate() {
            for (a, (link, axis)) in self.clip.axes.iter().enumerate() {
                let here = knots.at(k)[*link][*axis];
                let before = if k == knots.first {
                    here
                } else {
                    knots.at(k - 1)[*link][*axis]
                };
                out[i * n + a] = size * here;
                out[(self.free.len() + i) * n + a] = change * (here - before);
            }
        }
    }

    fn assemble(&self, record: &Record, knots: &Knots) -> DVector<f64> {
        self.residuals_after(0, record, self.start.past(), knots)
    }

    /// Residuals of the frames after `frame`, by `record`, zero before, and of the knots.
    fn residuals_after(
        &self,
        frame: usize,
        record: &Record,
        past: Past,
        knots: &Knots,
    ) -> DVector<f64> {
        let count = self.terms.count();
        let mut residuals = DVector::zeros(self.len());
        let (frames, rest) = residuals.as_mut_slice().split_at_mut(self.frames * count);
        self.frame_residuals(record, past, frame, &mut frames[frame * count..]);
        self.knot_residuals(knots, rest);
        residuals
    }
}

impl Objective for PhysicsWindow<'_> {
    fn dimension(&self) -> usize {
        self.free.len() * self.clip.axes.len()
    }

    fn value(&self, x: &[f64]) -> f64 {
        0.5 * self.residuals(x).norm_squared()
    }

    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.half_square_and_gradient(x, gradient)
    }

    fn look_ahead(&self, x: &[f64], next: &dyn Fn(usize) -> Vec<Vec<f64>>) {
        let others = rayon::current_num_threads() - 1;
        if others == 0 || self.rollouts.get(x, self.assistance).is_some() {
            return;
        }
        // The other points are determined while x is simulated.
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| drop(self.rollout_at(x)));
            for x in next(others) {
                scope.spawn(move |_| drop(self.rollout_at(&x)));
            }
        });
    }

    fn least_squares(&self) -> Option<&dyn Residuals> {
        Some(self)
    }
}

impl Residuals for PhysicsWindow<'_> {
    fn len(&self) -> usize {
        self.frames * self.terms.count() + 2 * self.dimension()
    }

    fn residuals(&self, x: &[f64]) -> DVector<f64> {
        self.assemble(&self.rollout_at(x).record, &self.knots_at(x))
    }

    fn residuals_and_jacobian(&self, x: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        self.linearize(x)
    }

    fn estimated_jacobian(&self, x: &[f64]) -> Option<DMatrix<f64>> {
        let earlier = self.inherited.as_ref()?;
        let start = self.point();
        let is_start = start
            .iter()
            .zip(x)
            .all(|(a, b)| (a - b).abs() < DIFFERENCE_STEP);
        is_start.then(|| self.inherited_jacobian(earlier)).flatten()
    }
}
