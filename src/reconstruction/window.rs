//! A window of frames as an objective: x ↦ rollout ↦ residuals, with the Jacobian by causal
//! forward differences.
//!
//! x holds the offsets of the PD targets at the free knots, axis by axis. A knot cannot move
//! frames before the knot ahead of it, so its columns restart from a snapshot of the world there
//! and cost only the rest of the window; columns run in parallel.

use nalgebra::{DMatrix, DVector, Isometry3, UnitQuaternion, Vector3};
use rayon::prelude::*;

use super::loss::{FrameState, FrameTerms, TERM_NAMES, Weights};
use crate::body::Body;
use crate::motion::Joints;
use crate::objective::{Objective, Residuals};
use crate::simulation::{ControlTrack, Engine, Knots, Physics, World};

/// Step of the forward differences, rad.
pub const DIFFERENCE_STEP: f64 = 1e-5;

/// Stiffness of full assistance per kilogram, 1/s²: the body's weight sags by 14 mm.
const ASSISTANCE: f64 = 700.0;

/// The frames optimized together.
pub struct PhysicsWindow<'a> {
    /// The humanoid.
    pub body: &'a Body,
    /// How the engine steps.
    pub physics: &'a Physics,
    /// PD targets of the whole clip.
    pub track: &'a ControlTrack,
    /// Observed joints of the whole clip.
    pub observed: &'a [Joints],
    /// Centre of mass of the reference poses of the whole clip, m.
    pub mass_centers: &'a [Vector3<f64>],
    /// Centres of mass of the links in the reference poses of the whole clip, m.
    pub link_centers: &'a [Vec<Vector3<f64>>],
    /// First frame of the window: the state `start` belongs to it.
    pub first: usize,
    /// Number of frames simulated after it.
    pub frames: usize,
    /// The world at the first frame.
    pub start: World,
    /// Offsets of the whole clip; those of the free knots are replaced by x.
    pub knots: Knots,
    /// The knots that x holds, as indices into `knots`.
    pub free: std::ops::Range<usize>,
    /// Share of the assistance, in [0, 1]: springs that pull every link towards its reference, by
    /// which a hard window is approached. 0 is the real thing.
    pub assistance: f64,
    terms: FrameTerms,
    weights: Weights,
    axes: Vec<(usize, usize)>,
    fps: f64,
}

/// What a rollout leaves behind: link poses and PD targets per frame.
struct Record {
    links: Vec<Vec<Isometry3<f64>>>,
    targets: Vec<Vec<UnitQuaternion<f64>>>,
}

/// Where and from when a rollout starts.
struct Restart<'w> {
    world: &'w World,
    /// Frames after the window's first frame.
    frame: usize,
    links: &'w [Isometry3<f64>],
}

impl<'a> PhysicsWindow<'a> {
    /// A window of `frames` frames after `first`, starting in the state `start`.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        body: &'a Body,
        physics: &'a Physics,
        weights: &Weights,
        track: &'a ControlTrack,
        observed: &'a [Joints],
        mass_centers: &'a [Vector3<f64>],
        link_centers: &'a [Vec<Vector3<f64>>],
        fps: f64,
        first: usize,
        frames: usize,
        start: World,
        knots: Knots,
        free: std::ops::Range<usize>,
    ) -> Self {
        let terms = FrameTerms::new(body, weights, fps, frames);
        Self {
            body,
            physics,
            track,
            observed,
            mass_centers,
            link_centers,
            first,
            frames,
            start,
            knots,
            free,
            assistance: 0.0,
            terms,
            weights: weights.clone(),
            axes: controlled_axes(body),
            fps,
        }
    }

    /// The point that stands for the window's current knots.
    pub fn point(&self) -> Vec<f64> {
        let offsets = &self.knots.offsets;
        self.free
            .clone()
            .flat_map(|k| self.axes.iter().map(move |(link, axis)| offsets[k][*link][*axis]))
            .collect()
    }

    /// The knots with x in place.
    pub fn knots_at(&self, x: &[f64]) -> Knots {
        let mut knots = self.knots.clone();
        for (n, value) in x.iter().enumerate() {
            let (link, axis) = self.axes[n % self.axes.len()];
            knots.offsets[self.free.start + n / self.axes.len()][link][axis] = *value;
        }
        knots
    }

    /// Mean squared residual share of each term at x, as it enters the loss.
    pub fn term_losses(&self, x: &[f64]) -> Vec<(String, f64)> {
        let residuals = self.residuals(x);
        let mut losses = [0.0; 9];
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
        add(7, x.len());
        add(8, x.len());
        TERM_NAMES.iter().map(ToString::to_string).zip(losses).collect()
    }

    fn step_of(&self, frame: usize) -> usize {
        (self.first + frame) * self.track.steps_per_frame
    }

    /// Simulates from `restart` to the window's end; `visit` sees the world at every frame it
    /// starts from and passes.
    fn rollout(
        &self,
        restart: &Restart,
        knots: &Knots,
        mut visit: impl FnMut(usize, &World),
    ) -> Record {
        let mut engine = Engine::new(self.physics);
        let mut world = restart.world.clone();
        let mut record = Record { links: vec![restart.links.to_vec()], targets: vec![vec![]] };
        for frame in restart.frame..self.frames {
            visit(frame, &world);
            let mut targets = Vec::new();
            for step in self.step_of(frame)..self.step_of(frame + 1) {
                targets = self.set_targets(&mut world, knots, step);
                world.step(&mut engine);
            }
            record.links.push(world.link_poses().collect());
            record.targets.push(targets);
        }
        record
    }

    pub fn set_targets(
        &self,
        world: &mut World,
        knots: &Knots,
        step: usize,
    ) -> Vec<UnitQuaternion<f64>> {
        if self.assistance > 0.0 {
            self.assist(world, step);
        }
        let mut targets = vec![UnitQuaternion::identity()];
        for link in 1..self.body.links.len() {
            let (target, velocity) = self.track.target(knots, link, step);
            world.set_target(link, &target, &velocity);
            targets.push(target);
        }
        targets
    }

    /// Pulls every link towards its reference: m (k Δp + d Δv), with k and d critically damped.
    fn assist(&self, world: &mut World, step: usize) {
        let stiffness = ASSISTANCE * self.assistance;
        let damping = 2.0 * stiffness.sqrt();
        let t = (step / self.track.steps_per_frame).min(self.link_centers.len() - 2);
        let fraction = step as f64 / self.track.steps_per_frame as f64 - t as f64;
        let (here, next) = (&self.link_centers[t], &self.link_centers[t + 1]);
        let forces: Vec<Vector3<f64>> = world
            .mass_centers()
            .enumerate()
            .map(|(i, (position, velocity))| {
                let step = next[i] - here[i];
                let pull = stiffness * (here[i] + fraction * step - position)
                    + damping * (self.fps * step - velocity);
                self.body.links[i].mass * pull
            })
            .collect();
        world.set_forces(forces.into_iter());
    }

    /// Residuals of the frames after `frame`, in order.
    fn frame_residuals(&self, record: &Record, frame: usize, out: &mut [f64]) {
        for (i, out) in out.chunks_mut(self.terms.len()).enumerate() {
            let t = (self.first + frame + i + 1).min(self.observed.len() - 1);
            let state = FrameState {
                links: &record.links[i + 1],
                previous: &record.links[i],
                targets: &record.targets[i + 1],
                observed: [&self.observed[t], &self.observed[t - 1]],
                reference_mass_center: [self.mass_centers[t], self.mass_centers[t - 1]],
            };
            self.terms.evaluate(self.body, &state, out);
        }
    }

    /// Residuals of the knots themselves: size and change of the offsets.
    fn knot_residuals(&self, knots: &Knots, out: &mut [f64]) {
        let n = self.axes.len();
        let count = (self.free.len() * n) as f64;
        let (size, change) = (self.weights.offset / count.sqrt(), self.weights.smoothness / count.sqrt());
        for (i, k) in self.free.clone().enumerate() {
            for (a, (link, axis)) in self.axes.iter().enumerate() {
                let here = knots.offsets[k][*link][*axis];
                let before = if k == 0 { here } else { knots.offsets[k - 1][*link][*axis] };
                out[i * n + a] = size * here;
                out[(self.free.len() + i) * n + a] = change * (here - before);
            }
        }
    }

    /// Frames after the first at which knot `k` begins to act.
    fn onset(&self, k: usize) -> usize {
        (k.saturating_sub(1) * self.knots.spacing).saturating_sub(self.first).min(self.frames)
    }

    fn assemble(&self, record: &Record, knots: &Knots) -> DVector<f64> {
        let mut residuals = DVector::zeros(self.len());
        let (frames, rest) = residuals.as_mut_slice().split_at_mut(self.frames * self.terms.len());
        self.frame_residuals(record, 0, frames);
        self.knot_residuals(knots, rest);
        residuals
    }

    fn start_links(&self) -> Vec<Isometry3<f64>> {
        self.start.link_poses().collect()
    }
}

/// The controlled axes of the body: (link, axis), in the order x holds them.
pub fn controlled_axes(body: &Body) -> Vec<(usize, usize)> {
    let mut axes = Vec::new();
    for (i, link) in body.links.iter().enumerate().skip(1) {
        axes.extend((0..3).filter(|axis| link.joint.controlled[*axis]).map(|axis| (i, axis)));
    }
    axes
}

impl Objective for PhysicsWindow<'_> {
    fn dimension(&self) -> usize {
        self.free.len() * self.axes.len()
    }

    fn value(&self, x: &[f64]) -> f64 {
        0.5 * self.residuals(x).norm_squared()
    }

    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (residuals, jacobian) = self.residuals_and_jacobian(x);
        gradient.copy_from_slice(jacobian.tr_mul(&residuals).as_slice());
        0.5 * residuals.norm_squared()
    }

    fn least_squares(&self) -> Option<&dyn Residuals> {
        Some(self)
    }
}

impl Residuals for PhysicsWindow<'_> {
    fn len(&self) -> usize {
        self.frames * self.terms.len() + 2 * self.dimension()
    }

    fn residuals(&self, x: &[f64]) -> DVector<f64> {
        let knots = self.knots_at(x);
        let links = self.start_links();
        let restart = Restart { world: &self.start, frame: 0, links: &links };
        let record = self.rollout(&restart, &knots, |_, _| ());
        self.assemble(&record, &knots)
    }

    fn residuals_and_jacobian(&self, x: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        let knots = self.knots_at(x);
        let links = self.start_links();
        let onsets: Vec<usize> = self.free.clone().map(|k| self.onset(k)).collect();
        let mut snapshots: Vec<Option<World>> = vec![None; self.frames + 1];
        let restart = Restart { world: &self.start, frame: 0, links: &links };
        let record = self.rollout(&restart, &knots, |frame, world| {
            if onsets.contains(&frame) {
                snapshots[frame] = Some(world.clone());
            }
        });
        let residuals = self.assemble(&record, &knots);
        let per_knot = self.axes.len();
        let mut jacobian = DMatrix::zeros(self.len(), x.len());
        jacobian.as_mut_slice().par_chunks_mut(self.len()).enumerate().for_each(|(n, column)| {
            let frame = onsets[n / per_knot];
            let mut perturbed = x.to_vec();
            perturbed[n] += DIFFERENCE_STEP;
            let knots = self.knots_at(&perturbed);
            let from = frame * self.terms.len();
            let (frames, rest) = column.split_at_mut(self.frames * self.terms.len());
            if let Some(world) = &snapshots[frame] {
                let restart = Restart { world, frame, links: &record.links[frame] };
                let moved = self.rollout(&restart, &knots, |_, _| ());
                self.frame_residuals(&moved, frame, &mut frames[from..]);
                for (slope, base) in frames[from..].iter_mut().zip(residuals.iter().skip(from)) {
                    *slope = (*slope - base) / DIFFERENCE_STEP;
                }
            }
            self.knot_residuals(&knots, rest);
            let base = residuals.iter().skip(self.frames * self.terms.len());
            for (slope, base) in rest.iter_mut().zip(base) {
                *slope = (*slope - base) / DIFFERENCE_STEP;
            }
        });
        (residuals, jacobian)
    }
}
