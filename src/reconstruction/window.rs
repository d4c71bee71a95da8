//! A window of frames as an objective: x ↦ rollout ↦ residuals, with the Jacobian by causal
//! forward differences.
//!
//! x holds the offsets of the PD targets at the free knots, axis by axis.

mod linearization;
mod rollouts;

use std::sync::{Arc, Mutex};

use nalgebra::{DVector, Isometry3, UnitQuaternion};

pub use linearization::LastJacobian;
use rollouts::Rollouts;

use super::problem::TrackingProblem;
use super::start::Start;
use super::terms::{Emphasis, FrameTerms, OffsetTerms, Scope, Simulated, Step, TERM_NAMES};
use crate::objective::{Jacobian, Objective, Residuals};
use crate::simulation::{FootLoad, Knots, PathFrame, Rollout, World};

/// Offsets, rad, that are the same point: far below what is felt.
const SAME_POINT: f64 = 1e-5;

/// The frames optimized together: x ↦ loss, the same for good.
pub struct PhysicsWindow<'a> {
    problem: &'a TrackingProblem,
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
    /// Share of the virtual forces, in [0, 1]: springs that pull every link towards its reference, by
    /// which a hard window is approached. 0 is the real thing.
    assistance: f64,
    emphasis: Emphasis,
    terms: FrameTerms<'a>,
    offsets: OffsetTerms<'a>,
    /// The last Jacobian of the window before.
    inherited: Option<LastJacobian>,
    /// The last Jacobian of this one, where it is kept.
    memory: Option<Mutex<Option<LastJacobian>>>,
    /// The last rollouts from the start.
    rollouts: Rollouts,
}

impl Start {
    fn past(&self) -> Past<'_> {
        [0, 1].map(|ago| self.past.get(ago).map(Vec::as_slice))
    }
}

/// What the residuals look at: link poses, PD targets and what presses on the feet, per frame, those of the start
/// among them.
struct Record {
    links: Vec<Vec<Isometry3<f64>>>,
    targets: Vec<Vec<UnitQuaternion<f64>>>,
    loads: Vec<[FootLoad; 2]>,
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

/// A rollout, and what the residuals look at of it.
struct Recorded {
    rollout: Rollout,
    record: Record,
}

/// Link poses one frame and two frames earlier, where they are known.
type Past<'w> = [Option<&'w [Isometry3<f64>]>; 2];

impl<'a> PhysicsWindow<'a> {
    /// The window of `frames` frames after frame `first` of `problem`, starting in the state `start`
    /// with the offsets `knots`. All knots that act on it are free but the last two up to its first
    /// frame, which the windows before have settled (in the first window all are free).
    pub fn new(
        problem: &'a TrackingProblem,
        first: usize,
        frames: usize,
        start: Start,
        knots: &Knots,
    ) -> Self {
        let here = first / knots.spacing;
        let free_from = if first == 0 { 0 } else { here + 1 };
        Self::with_free(problem, (first, frames), start, knots, free_from)
    }

    /// The window of `frames` frames after frame `first` of `problem`, starting in the reference state
    /// with zero offsets. All knots that act on it are free but the one before its first frame's.
    pub fn from_reference(
        problem: &'a TrackingProblem,
        first: usize,
        frames: usize,
        knot_frames: usize,
    ) -> Self {
        let knots = Knots::zeros(
            knot_frames,
            first + frames + 2 * knot_frames,
            problem.body.links.len(),
        );
        let here = first / knot_frames;
        Self::with_free(problem, (first, frames), problem.start(first), &knots, here)
    }

    /// The same window with other `emphasis`.
    #[must_use]
    pub fn with_emphasis(self, emphasis: Emphasis) -> Self {
        let scope = Scope {
            problem: self.problem,
            frames: self.frames,
            emphasis,
        };
        Self {
            emphasis,
            terms: FrameTerms::new(&scope),
            offsets: OffsetTerms::new(&scope, self.free.clone()),
            ..self
        }
    }

    /// The same window with `share`, in [0, 1], of the virtual forces.
    #[must_use]
    pub fn with_assistance(self, share: f64) -> Self {
        Self {
            assistance: share,
            ..self
        }
    }

    fn with_free(
        problem: &'a TrackingProblem,
        (first, frames): (usize, usize),
        start: Start,
        knots: &Knots,
        free_from: usize,
    ) -> Self {
        let here = first / knots.spacing;
        let end = (first + frames).div_ceil(knots.spacing) + 1;
        let scope = Scope {
            problem,
            frames,
            emphasis: Emphasis::default(),
        };
        Self {
            problem,
            first,
            frames,
            start,
            knots: knots.part(here.saturating_sub(1)..end),
            free: free_from..end,
            assistance: 0.0,
            emphasis: scope.emphasis,
            terms: FrameTerms::new(&scope),
            offsets: OffsetTerms::new(&scope, free_from..end),
            inherited: None,
            memory: None,
            rollouts: Rollouts::default(),
        }
    }

    /// Where the window starts.
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// What counts in the window otherwise than by the weights alone.
    pub fn emphasis(&self) -> Emphasis {
        self.emphasis
    }

    /// The point that stands for the window's current knots.
    pub fn point(&self) -> Vec<f64> {
        self.point_of(&self.knots)
    }

    /// The point that stands for `knots`.
    pub fn point_of(&self, knots: &Knots) -> Vec<f64> {
        let at = |k| {
            self.problem
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
            let (link, axis) = self.problem.axes[n % self.problem.axes.len()];
            knots.offsets[self.free.start + n / self.problem.axes.len() - knots.first][link]
                [axis] = *value;
        }
        knots
    }

    /// Mean distance of the joints from those observed over the frames of the window at x, m.
    pub fn mean_joint_error(&self, x: &[f64]) -> f64 {
        let rollout = self.rollout_at(x);
        let frames = (self.first + 1..).zip(&rollout.record.links[1..]);
        let sum: f64 = frames
            .map(|(t, links)| self.problem.frame_error(links, t))
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
        let index = |name: &str| TERM_NAMES.iter().position(|known| *known == name);
        let sizes: Vec<_> = self.terms.sizes().collect();
        for (name, size) in (0..self.frames).flat_map(|_| &sizes) {
            add(index(name).unwrap_or_default(), *size);
        }
        add(TERM_NAMES.len() - 2, x.len());
        add(TERM_NAMES.len() - 1, x.len());
        TERM_NAMES
            .iter()
            .map(ToString::to_string)
            .zip(losses)
            .collect()
    }

    /// Simulates from `world`, `frame` frames after the window's first frame, to the window's end, with each of `knots`.
    fn rollouts_from(&self, world: &World, frame: usize, knots: &[Knots]) -> Vec<Arc<Recorded>> {
        let first = self.first + frame;
        let frames = first..self.first + self.frames;
        let rollouts = (self.problem).nominal(world, frames.clone(), (knots, self.assistance));
        let recorded = |(rollout, knots): (Rollout, &Knots)| {
            let targets = frames.clone().map(|t| self.problem.targets(knots, t + 1));
            let record = self.record(&rollout.path, std::iter::once(vec![]).chain(targets));
            Arc::new(Recorded { rollout, record })
        };
        rollouts.into_iter().zip(knots).map(recorded).collect()
    }

    /// Simulates each of `points` from the start, and keeps the rollouts.
    fn simulate(&self, points: &[Vec<f64>]) -> Vec<Arc<Recorded>> {
        let knots: Vec<Knots> = points.iter().map(|x| self.knots_at(x)).collect();
        let rollouts = self.rollouts_from(&self.start.world, 0, &knots);
        for (x, rollout) in points.iter().zip(&rollouts) {
            self.rollouts.keep(x, self.assistance, Arc::clone(rollout));
        }
        rollouts
    }

    /// What the residuals look at of `path` with `targets`.
    fn record(
        &self,
        path: &[PathFrame],
        targets: impl Iterator<Item = Vec<UnitQuaternion<f64>>>,
    ) -> Record {
        let poses = path.iter().map(|body| body.link_poses(&self.problem.body));
        Record {
            links: poses.collect(),
            targets: targets.collect(),
            loads: path.iter().map(|body| body.loads).collect(),
        }
    }

    /// The rollout at x, simulated unless it is kept.
    fn rollout_at(&self, x: &[f64]) -> Arc<Recorded> {
        let kept = self.rollouts.get(x, self.assistance);
        kept.unwrap_or_else(|| self.simulate(&[x.to_vec()]).remove(0))
    }

    /// Residuals of the frames after `frame`, in order; `past` are the link poses before it.
    fn frame_residuals(&self, record: &Record, past: Past, frame: usize, out: &mut [f64]) {
        let body = &self.problem.body;
        // Past frames first, the older before the younger.
        let links = past.into_iter().rev().map(|links| links.unwrap_or(&[]));
        let links = links.chain(record.links.iter().map(Vec::as_slice));
        let simulated: Vec<Option<Simulated>> = links
            .map(|links| (!links.is_empty()).then(|| Simulated::new(body, links)))
            .collect();
        let last = self.problem.motion.len() - 1;
        for (i, out) in out.chunks_mut(self.terms.count()).enumerate() {
            let [earliest, earlier, Some(before), Some(now)] = &simulated[i..i + 4] else {
                continue;
            };
            let step = Step {
                frame: (self.first + frame + i + 1).min(last),
                now,
                before,
                earlier: earlier.as_ref(),
                earliest: earliest.as_ref(),
                targets: &record.targets[i + 1],
                loads: record.loads[i + 1],
            };
            self.terms.residuals(&step, out);
        }
    }

    fn assemble(&self, record: &Record, knots: &Knots) -> DVector<f64> {
        let mut residuals = DVector::zeros(self.len());
        let out = residuals.as_mut_slice();
        self.residuals_after(0, (record, self.start.past()), knots, out);
        residuals
    }

    /// Writes the residuals of the frames after `frame`, by `record` and what was before it, and of the knots into
    /// `out`, which is zero and has no more.
    fn residuals_after(
        &self,
        frame: usize,
        (record, past): (&Record, Past),
        knots: &Knots,
        out: &mut [f64],
    ) {
        let (frames, rest) = out.split_at_mut((self.frames - frame) * self.terms.count());
        self.frame_residuals(record, past, frame, frames);
        self.offsets.residuals(knots, rest);
    }
}

impl Objective for PhysicsWindow<'_> {
    fn dimension(&self) -> usize {
        self.free.len() * self.problem.axes.len()
    }

    fn value(&self, x: &[f64]) -> f64 {
        0.5 * self.residuals(x).norm_squared()
    }

    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.half_square_and_gradient(x, gradient)
    }

    fn look_ahead(&self, x: &[f64], next: &dyn Fn(usize) -> Vec<Vec<f64>>) {
        let others = self.problem.side_by_side() - 1;
        let is_known = |x: &[f64]| self.rollouts.get(x, self.assistance).is_some();
        if others == 0 || is_known(x) {
            return;
        }
        let mut points = vec![x.to_vec()];
        points.extend(next(others).into_iter().filter(|x| !is_known(x)));
        self.simulate(&points);
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

    fn residuals_and_jacobian(&self, x: &[f64]) -> (DVector<f64>, Jacobian) {
        self.linearize(x)
    }

    fn estimated_jacobian(&self, x: &[f64]) -> Option<Jacobian> {
        let earlier = self.inherited.as_ref()?;
        let start = self.point();
        let is_start = start.iter().zip(x).all(|(a, b)| (a - b).abs() < SAME_POINT);
        is_start.then(|| self.inherited_jacobian(earlier)).flatten()
    }
}
