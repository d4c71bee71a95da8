//! The receding horizon: optimize a window, commit its first frames, go on from there.
//!
//! What else happens stands in [`strategies`](super::strategies), a file each; every one of them can be
//! switched off.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Instant;

use super::exceeds;
use super::window::LastJacobian;
use super::{
    CurvePoint, Emphasis, PhysicsWindow, Progress, Reconstruction, Settings, Start,
    TrackingProblem, WindowReport,
};
use crate::error::{Error, Result};
use crate::objective::Evaluation;
use crate::optim::{Budget, Minimize, Minimum, Termination};
use crate::simulation::{Engine, Frame, Knots, Trajectory, World};

/// Time over which simulated and observed motion are compared, s.
const RECENT: f64 = 3.0;

/// Solves `problem`.
pub(super) fn solve(
    problem: TrackingProblem,
    settings: &Settings,
    optimizer: &dyn Minimize,
    observer: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Reconstruction> {
    let mut horizon = Horizon::new(&problem, settings, optimizer, observer);
    while horizon.first + 1 < problem.motion.len() {
        horizon.settle_window()?;
        horizon.backtrack();
    }
    let Horizon {
        frames,
        errors,
        curve,
        windows,
        evaluations,
        ..
    } = horizon;
    let kinematic: f64 = (0..problem.motion.len())
        .map(|t| problem.frame_error(&problem.body.forward_kinematics(&problem.poses[t]), t))
        .sum();
    let failed = |t: &usize| exceeds(errors[*t], settings.failure_mm);
    Ok(Reconstruction {
        kinematic_error_mm: 1e3 * kinematic / problem.motion.len() as f64,
        trajectory: Trajectory {
            fps: problem.motion.fps,
            scene: problem.scene,
            frames,
        },
        curve,
        windows,
        evaluations,
        failed_frames: (0..errors.len()).filter(failed).collect(),
        body: problem.body,
        poses: problem.poses,
        reference: problem.motion,
    })
}

/// Where a window of a reconstruction starts, and what the windows before have left.
#[derive(Clone)]
pub(super) struct Stitch {
    /// The first frame.
    pub first: usize,
    pub start: Start,
    pub knots: Knots,
    pub emphasis: Emphasis,
}

/// Where the windows of a reconstruction of `problem` start, as long as windows are `settings.window_frames` long; the
/// first one, which starts in the reference, is not among them.
pub(super) fn stitches(
    problem: &TrackingProblem,
    settings: &Settings,
    optimizer: &dyn Minimize,
    observer: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Vec<Stitch>> {
    let mut horizon = Horizon::new(problem, settings, optimizer, observer);
    let mut stitches: Vec<Stitch> = Vec::new();
    while horizon.first + settings.window_frames < problem.motion.len() {
        // Windows that were taken back are met again.
        stitches.retain(|known| known.first < horizon.first);
        if horizon.first > 0 && !horizon.is_careful() {
            stitches.push(Stitch {
                first: horizon.first,
                start: horizon.start(horizon.world.clone()),
                knots: horizon.knots.clone(),
                emphasis: horizon.emphasis(),
            });
        }
        horizon.settle_window()?;
        horizon.backtrack();
    }
    Ok(stitches)
}

/// Where a window started, to be taken back to.
pub(super) struct Checkpoint {
    pub first: usize,
    pub world: World,
    pub knots: Knots,
    /// Number of windows before it.
    pub windows: usize,
}

/// The state of a reconstruction between two windows.
pub(super) struct Horizon<'a> {
    pub problem: &'a TrackingProblem,
    pub settings: &'a Settings,
    optimizer: &'a dyn Minimize,
    observer: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    started: Instant,
    /// The last committed frame.
    pub first: usize,
    pub world: World,
    pub knots: Knots,
    pub frames: Vec<Frame>,
    /// The last Jacobian of the last window.
    pub jacobian: Option<LastJacobian>,
    /// Mean joint error of every committed frame, mm.
    pub errors: Vec<f64>,
    curve: Vec<CurvePoint>,
    pub windows: Vec<WindowReport>,
    pub evaluations: usize,
    /// Those of them spent on retries.
    pub retry_evaluations: usize,
    /// Where the last windows started.
    pub history: VecDeque<Checkpoint>,
    /// Windows that start before this frame were taken back once: they look further ahead and are
    /// not taken back again.
    pub careful_until: usize,
    /// Windows that end badly in a row; a retry that did not help is not repeated at once.
    pub bad_in_a_row: usize,
    /// Whether retries were refused.
    pub has_given_up: bool,
    /// News that the observer has not seen yet.
    pub news: Option<String>,
}

/// What an attempt at a window found.
pub(super) struct Attempt<'a> {
    pub window: PhysicsWindow<'a>,
    pub knots: Knots,
    pub loss: f64,
    /// How often the window was optimized, and the evaluations of all times.
    pub attempts: usize,
    pub evaluations: usize,
    pub jacobian: Option<LastJacobian>,
}

impl Attempt<'_> {
    /// The point that was found.
    pub fn x(&self) -> Vec<f64> {
        self.window.point_of(&self.knots)
    }
}

/// The frames to keep of a window, and the world after them.
pub(super) struct Commitment {
    pub frames: Vec<Frame>,
    pub world: World,
}

impl<'a> Horizon<'a> {
    pub(super) fn new(
        problem: &'a TrackingProblem,
        settings: &'a Settings,
        optimizer: &'a dyn Minimize,
        observer: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Self {
        let links = problem.body.forward_kinematics(&problem.poses[0]);
        let targets = problem.poses[0].rotations.clone();
        let torques = vec![nalgebra::Vector3::zeros(); links.len()];
        let error = 1e3 * problem.frame_error(&links, 0);
        Self {
            problem,
            settings,
            optimizer,
            observer,
            started: Instant::now(),
            first: 0,
            world: problem.world(0),
            knots: Knots::zeros(
                settings.knot_frames,
                problem.motion.len() + 2 * settings.window_frames,
                links.len(),
            ),
            frames: vec![Frame {
                links,
                targets,
                moments: torques.clone(),
                torques,
                ..Frame::default()
            }],
            jacobian: None,
            errors: vec![error],
            curve: Vec::new(),
            windows: Vec::new(),
            evaluations: 0,
            retry_evaluations: 0,
            history: VecDeque::new(),
            careful_until: 0,
            bad_in_a_row: 0,
            has_given_up: false,
            news: problem.supports_told(),
        }
    }

    /// Solves the window at hand and commits its first frames.
    fn settle_window(&mut self) -> Result<()> {
        let attempt = self.attempt_window()?;
        let attempt = self.retry(attempt)?;
        let (attempt, commitment) = self.reduce_foot_skate(attempt)?;
        self.commit(attempt, commitment);
        Ok(())
    }

    /// Whether the window at hand was taken back once.
    pub fn is_careful(&self) -> bool {
        self.first < self.careful_until
    }

    /// The first of the committed frames that are compared with the observed ones.
    pub fn recent(&self) -> usize {
        let frames = RECENT * self.problem.motion.fps;
        self.first.saturating_sub(frames.round() as usize)
    }

    /// Optimizes the window at hand.
    fn attempt_window(&mut self) -> Result<Attempt<'a>> {
        let window = self.window(self.world.clone());
        if self.first == 0 || self.is_careful() {
            let attempt = self.approach(window, 1)?;
            let attempt = self.correct_start(attempt)?;
            if self.is_careful() {
                self.retry_evaluations += attempt.evaluations;
            }
            return Ok(attempt);
        }
        let jacobian = self.jacobian.take();
        let inherits = self.settings.strategies.inherit_jacobian;
        let window = window.with_inherited(jacobian.filter(|_| inherits));
        let start = window.point();
        self.optimize(window, &start)
    }

    /// The window at hand, which starts in `world`.
    pub fn window(&self, world: World) -> PhysicsWindow<'a> {
        let length = self.settings.window_frames * if self.is_careful() { 3 } else { 2 } / 2;
        let remaining = self.problem.motion.len() - 1 - self.first;
        let frames = length.min(remaining);
        let start = self.start(world);
        PhysicsWindow::new(self.problem, self.first, frames, start, &self.knots)
            .with_emphasis(self.emphasis())
    }

    /// The start in `world` of the window at hand.
    fn start(&self, world: World) -> Start {
        let past = self.frames[..self.first].iter().rev().take(2);
        let past = past.map(|frame| frame.links.clone()).collect();
        Start { world, past }
    }

    /// What counts in the window at hand.
    fn emphasis(&self) -> Emphasis {
        Emphasis {
            jerk: self.jerk_share(),
            standing_excess: self.problem.standing_excess(&self.frames),
            ..Emphasis::default()
        }
    }

    /// Optimizes `window` from `start` on.
    pub fn optimize(&mut self, window: PhysicsWindow<'a>, start: &[f64]) -> Result<Attempt<'a>> {
        let mut window = window.remembering();
        let budget = self.budget(self.settings.evaluations);
        let minimum = self.minimize(&window, start, &budget)?;
        let jacobian = window.take_last_jacobian();
        Ok(Attempt {
            knots: window.knots_at(&minimum.x),
            window,
            loss: minimum.value,
            attempts: 1,
            evaluations: minimum.evaluations,
            jacobian,
        })
    }

    /// What the optimizer may spend on a window or a stage of it.
    pub fn budget(&self, evaluations: usize) -> Budget {
        Budget {
            evaluations,
            target: Some(self.settings.target_loss),
            jacobian_above: Some(self.settings.jacobian_loss),
            ..Budget::default()
        }
    }

    /// Minimizes `window` from `x` on and tells the observer.
    pub fn minimize(
        &mut self,
        window: &PhysicsWindow,
        x: &[f64],
        budget: &Budget,
    ) -> Result<Minimum> {
        let number = self.windows.len();
        // A window that was taken back is in the curve further up.
        let is_here = |point: &&CurvePoint| point.window == number;
        let before = self.curve.iter().filter(is_here).count();
        let total = self.problem.motion.len();
        let first = self.first;
        let windows = number + (total - 1 - first).div_ceil(self.settings.kept_frames);
        let mpjpe_mm = self.errors.iter().sum::<f64>() / self.errors.len() as f64;
        let mut watch = |n: usize, _: &[f64], evaluation: &Evaluation| {
            self.evaluations += 1;
            let loss = evaluation.value;
            self.curve.push(CurvePoint {
                window: number,
                evaluation: before + n,
                loss,
                seconds: self.started.elapsed().as_secs_f64(),
            });
            let news = self.news.take();
            (self.observer)(&Progress {
                window: number,
                windows,
                frame: first,
                frames: total,
                evaluations: self.evaluations,
                loss,
                mpjpe_mm,
                message: news.as_deref(),
            })
        };
        let minimum = self.optimizer.minimize(window, x, budget, &mut watch)?;
        match minimum.termination {
            Termination::Interrupt => Err(Error::Interrupted),
            _ => Ok(minimum),
        }
    }

    /// The frames that are kept of the window at hand, by what `attempt` found, and the world after them.
    pub fn simulate(&self, attempt: &Attempt) -> Commitment {
        let kept = match exceeds(attempt.loss, self.settings.target_loss) {
            true => self.settings.kept_frames,
            false => self.settings.easy_kept_frames,
        };
        let end = (self.first + kept).min(self.problem.motion.len() - 1);
        let mut engine = Engine::new(&self.problem.physics);
        let mut world = attempt.window.start().world.clone();
        let mut advance = |t| {
            self.problem
                .advance(&mut world, &mut engine, &attempt.knots, t)
        };
        let frames = (self.first..end).map(&mut advance).collect();
        Commitment { frames, world }
    }

    /// Records the frames to keep, and goes on from the world after them.
    fn commit(&mut self, attempt: Attempt, commitment: Commitment) {
        self.note_start(attempt.window.start());
        let x = attempt.x();
        self.jacobian = attempt.jacobian;
        self.knots.replace(&attempt.knots);
        self.world = commitment.world;
        let end = self.first + commitment.frames.len();
        for (t, frame) in (self.first + 1..).zip(commitment.frames) {
            let error = 1e3 * self.problem.frame_error(&frame.links, t);
            self.errors.push(error);
            self.frames.push(frame);
        }
        let has_failed = |error: &f64| exceeds(*error, self.settings.failure_mm);
        self.windows.push(WindowReport {
            first_frame: self.first + 1,
            frames: end - self.first,
            attempts: attempt.attempts,
            evaluations: attempt.evaluations,
            loss: attempt.loss,
            terms: attempt.window.term_losses(&x),
            failed: self.errors[self.first + 1..].iter().any(has_failed),
        });
        self.first = end;
    }
}

#[cfg(test)]
mod tests;
