//! Window after window: optimize, keep the first frames, go on from there; retry and backtrack
//! where that ends badly.

mod backtracking;

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Instant;

use backtracking::Checkpoint;

use super::window::{LastJacobian, Start};
use super::{Clip, CurvePoint, PhysicsWindow, Progress, Reconstruction, Settings, WindowReport};
use crate::error::{Error, Result};
use crate::motion::calibration::quantile;
use crate::objective::Evaluation;
use crate::optim::{Budget, Minimize, Minimum, Termination};
use crate::simulation::{Engine, Frame, Knots, Trajectory, World};

/// What retries may cost: as many evaluations as everything else, and those of so many windows
/// more.
const PATIENCE: usize = 20;

/// A window whose loss is so many times the median of those before is tried again, unless it is below
/// `retry_loss` divided by the same number.
const UNUSUAL: f64 = 3.0;

/// Share of the weight of foot slip in the approach to a window: much of it traps some.
const EARLY_SLIP: f64 = 0.3;

/// How many times more skating counts where a window is optimized again for ankles that skate.
const FIRM: f64 = 3.0;

/// Frames over which simulated and observed jerks are compared.
const RECENT: usize = 150;

/// Jerks count from so many times the observed ones on, and in full where they are as large.
const CALM_ENOUGH: f64 = 0.9;

/// Reconstructs `clip`.
pub(super) fn stitch(
    clip: Clip,
    settings: &Settings,
    optimizer: &dyn Minimize,
    observer: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Reconstruction> {
    let mut run = Stitching::new(&clip, settings, optimizer, observer);
    while run.first + 1 < clip.motion.len() {
        run.settle_window()?;
        run.backtrack();
    }
    let Stitching {
        frames,
        errors,
        curve,
        windows,
        evaluations,
        ..
    } = run;
    let kinematic: f64 = (0..clip.motion.len())
        .map(|t| clip.frame_error(&clip.body.forward_kinematics(&clip.poses[t]), t))
        .sum();
    let failed = |t: &usize| exceeds(errors[*t], settings.failure_mm);
    Ok(Reconstruction {
        kinematic_error_mm: 1e3 * kinematic / clip.motion.len() as f64,
        trajectory: Trajectory {
            fps: clip.motion.fps,
            frames,
        },
        curve,
        windows,
        evaluations,
        failed_frames: (0..errors.len()).filter(failed).collect(),
        body: clip.body,
        reference: clip.motion,
    })
}

/// The state of a reconstruction between two windows.
struct Stitching<'a> {
    clip: &'a Clip,
    settings: &'a Settings,
    optimizer: &'a dyn Minimize,
    observer: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    started: Instant,
    /// The last settled frame.
    first: usize,
    world: World,
    knots: Knots,
    frames: Vec<Frame>,
    /// The last Jacobian of the last window.
    jacobian: Option<LastJacobian>,
    /// Mean joint error of every settled frame, mm.
    errors: Vec<f64>,
    curve: Vec<CurvePoint>,
    windows: Vec<WindowReport>,
    evaluations: usize,
    /// Those of them spent on retries.
    retry_evaluations: usize,
    /// Where the last windows started.
    history: VecDeque<Checkpoint>,
    /// Windows that start before this frame were taken back once: they look further ahead and are
    /// not taken back again.
    careful_until: usize,
    /// Windows that end badly in a row; a retry that did not help is not repeated at once.
    bad_in_a_row: usize,
    /// Those far above the ones before, in a row.
    unusual_in_a_row: usize,
    /// Whether retries were refused.
    has_given_up: bool,
    /// News that the observer has not seen yet.
    news: Option<String>,
}

/// What an attempt at a window found.
struct Attempt {
    knots: Knots,
    loss: f64,
    evaluations: usize,
    jacobian: Option<LastJacobian>,
}

impl<'a> Stitching<'a> {
    fn new(
        clip: &'a Clip,
        settings: &'a Settings,
        optimizer: &'a dyn Minimize,
        observer: &'a mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Self {
        let links = clip.body.forward_kinematics(&clip.poses[0]);
        let targets = clip.poses[0].rotations.clone();
        let torques = vec![nalgebra::Vector3::zeros(); links.len()];
        let error = 1e3 * clip.frame_error(&links, 0);
        Self {
            clip,
            settings,
            optimizer,
            observer,
            started: Instant::now(),
            first: 0,
            world: clip.world(0),
            knots: Knots::zeros(
                settings.knot_frames,
                clip.motion.len() + 2 * settings.window_frames,
                links.len(),
            ),
            frames: vec![Frame {
                links,
                targets,
                torques,
                contacts: vec![],
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
            unusual_in_a_row: 0,
            has_given_up: false,
            news: None,
        }
    }

    /// Optimizes the window at hand and keeps its first frames.
    fn settle_window(&mut self) -> Result<()> {
        let is_careful = self.first < self.careful_until;
        let length = self.settings.window_frames * if is_careful { 3 } else { 2 } / 2;
        let remaining = self.clip.motion.len() - 1 - self.first;
        let frames = length.min(remaining);
        let mut window = self.window(frames, self.world.clone());
        let evaluations = self.settings.evaluations.div_ceil(2);
        let mut attempt = match self.first == 0 || is_careful {
            true => self.approach(&mut window, evaluations)?,
            false => {
                window.inherit(self.jacobian.take());
                let start = window.point();
                self.optimize(&mut window, &start)?
            }
        };
        if is_careful {
            self.retry_evaluations += attempt.evaluations;
        }
        let mut attempts = 1;
        if exceeds(attempt.loss, self.tolerated_loss()) {
            self.bad_in_a_row += 1;
            if self.bad_in_a_row % 3 == 1 && self.may_retry(self.first) {
                attempts = 2;
                // What was approached already is approached more slowly.
                let pace = if self.first == 0 || is_careful { 3 } else { 1 };
                let world = match self.first {
                    0 => self.clip.world_by_first_step(),
                    _ => self.world.clone(),
                };
                let mut other = self.window(frames, world.clone());
                let retry = self.approach(&mut other, pace * evaluations)?;
                self.retry_evaluations += retry.evaluations;
                let evaluations = attempt.evaluations + retry.evaluations;
                if retry.loss < attempt.loss {
                    (attempt, window, self.world) = (retry, other, world);
                }
                attempt.evaluations = evaluations;
            }
        } else {
            self.bad_in_a_row = 0;
        }
        let simulated = self.plant_feet(&mut window, &mut attempt)?;
        match exceeds(attempt.loss, self.unusual_loss()) {
            true => self.unusual_in_a_row += 1,
            false => self.unusual_in_a_row = 0,
        }
        self.keep(&window, attempt, attempts, simulated);
        Ok(())
    }

    /// Optimizes the window again from where `attempt` has led, with more weight on skating, when ankles
    /// would skate in the frames to keep, more than observed so far; takes it over when that helps.
    /// Returns the frames to keep and the world after them.
    fn plant_feet(
        &mut self,
        window: &mut PhysicsWindow,
        attempt: &mut Attempt,
    ) -> Result<(Vec<Frame>, World)> {
        let from = self.first.saturating_sub(RECENT);
        let excess = self.clip.standing_excess(&self.frames);
        let surplus = |run: &Self, next: &[Frame]| {
            let settled = &run.frames[from..];
            run.clip.surplus_skating(from, settled, next, excess)
        };
        let before = surplus(self, &[]);
        let simulated = self.simulate(attempt);
        let after = surplus(self, &simulated.0);
        let is_lost = exceeds(attempt.loss, self.settings.retry_loss);
        if after <= before.max(0) || is_lost || !self.may_retry(self.first) {
            return Ok(simulated);
        }
        window.set_skate_share(FIRM);
        window.inherit(None);
        let start = window.point_of(&attempt.knots);
        let firm = self.optimize(window, &start)?;
        let firmly = self.simulate(&firm);
        self.retry_evaluations += firm.evaluations;
        attempt.evaluations += firm.evaluations;
        if surplus(self, &firmly.0) < after {
            attempt.knots = firm.knots;
            attempt.loss = firm.loss;
            return Ok(firmly);
        }
        window.set_skate_share(1.0);
        Ok(simulated)
    }

    /// The frames that are kept of the window at hand, by what `attempt` found, and the world after them.
    fn simulate(&self, attempt: &Attempt) -> (Vec<Frame>, World) {
        let kept = match exceeds(attempt.loss, self.settings.target_loss) {
            true => self.settings.kept_frames,
            false => self.settings.easy_kept_frames,
        };
        let end = (self.first + kept).min(self.clip.motion.len() - 1);
        let mut engine = Engine::new(&self.clip.physics);
        let mut world = self.world.clone();
        let advance = |t| {
            self.clip
                .advance(&mut world, &mut engine, &attempt.knots, t)
        };
        let frames = (self.first..end).map(advance).collect();
        (frames, world)
    }

    /// The window of `frames` frames that starts in `world`.
    fn window(&self, frames: usize, world: World) -> PhysicsWindow<'a> {
        let past = self.frames[..self.first].iter().rev().take(2);
        let past = past.map(|frame| frame.links.clone()).collect();
        let start = Start { world, past };
        let mut window = PhysicsWindow::new(self.clip, self.first, frames, start, &self.knots);
        window.set_jerk_share(self.jerk_share());
        window.set_standing_excess(self.clip.standing_excess(&self.frames));
        window
    }

    /// The share of its weight with which the jerk counts: none while the last frames are calm enough.
    fn jerk_share(&self) -> f64 {
        let from = self.first.saturating_sub(RECENT);
        let jerkiness = self.clip.jerkiness(&self.frames, from);
        ((jerkiness - CALM_ENOUGH) / (1.0 - CALM_ENOUGH)).clamp(0.0, 1.0)
    }

    /// The loss above which a window is tried again: less where the windows before were much better, for
    /// then this one is in a poor minimum, out of which those after it seldom find.
    fn tolerated_loss(&self) -> f64 {
        self.unusual_loss().min(self.settings.retry_loss)
    }

    /// The loss that is far above those of the windows before; of the first window, the one above which it
    /// is tried again.
    fn unusual_loss(&self) -> f64 {
        let retry = self.settings.retry_loss;
        if self.windows.is_empty() {
            return retry;
        }
        let losses = self.windows.iter().map(|window| window.loss).collect();
        (UNUSUAL * quantile(losses, 0.5)).max(retry / UNUSUAL)
    }

    /// Whether trying again at `frame` may help: the body is not down by then, and retries have not
    /// cost more than they may.
    fn may_retry(&self, frame: usize) -> bool {
        let is_down = |error: &f64| exceeds(*error, self.settings.failure_mm);
        let regular = self.evaluations - self.retry_evaluations;
        let allowance = regular + PATIENCE * self.settings.evaluations;
        self.retry_evaluations <= allowance && !self.errors[..=frame].iter().any(is_down)
    }

    /// Approaches the window from the bare reference, with assistance that fades out in stages of
    /// `evaluations` each, then without assistance; only the last stage counts foot slip in full.
    fn approach(&mut self, window: &mut PhysicsWindow, evaluations: usize) -> Result<Attempt> {
        window.inherit(None);
        let mut x = vec![0.0; window.point().len()];
        let mut spent = 0;
        let budget = self.budget(evaluations);
        window.set_slip_share(EARLY_SLIP);
        for share in &self.settings.assistance {
            window.assistance = *share;
            let minimum = self.minimize(window, &x, &budget)?;
            spent += minimum.evaluations;
            x = minimum.x;
        }
        window.assistance = 0.0;
        let minimum = self.minimize(window, &x, &self.budget(self.settings.evaluations))?;
        spent += minimum.evaluations;
        window.set_slip_share(1.0);
        let attempt = self.optimize(window, &minimum.x)?;
        Ok(Attempt {
            evaluations: spent + attempt.evaluations,
            ..attempt
        })
    }

    fn optimize(&mut self, window: &mut PhysicsWindow, start: &[f64]) -> Result<Attempt> {
        window.remember();
        let budget = self.budget(self.settings.evaluations);
        let minimum = self.minimize(window, start, &budget)?;
        Ok(Attempt {
            knots: window.knots_at(&minimum.x),
            loss: minimum.value,
            evaluations: minimum.evaluations,
            jacobian: window.take_last_jacobian(),
        })
    }

    fn budget(&self, evaluations: usize) -> Budget {
        Budget {
            evaluations,
            target: Some(self.settings.target_loss),
            jacobian_above: Some(self.settings.jacobian_loss),
            ..Budget::default()
        }
    }

    fn minimize(&mut self, window: &PhysicsWindow, x: &[f64], budget: &Budget) -> Result<Minimum> {
        let number = self.windows.len();
        let Self {
            curve,
            observer,
            started,
            errors,
            evaluations,
            first,
            news,
            ..
        } = self;
        // A window that was taken back is in the curve further up.
        let before = curve.iter().filter(|point| point.window == number).count();
        let total = self.clip.motion.len();
        let kept = self.settings.kept_frames;
        let mut watch = |n: usize, _: &[f64], evaluation: &Evaluation| {
            *evaluations += 1;
            let seconds = started.elapsed().as_secs_f64();
            let loss = evaluation.value;
            curve.push(CurvePoint {
                window: number,
                evaluation: before + n,
                loss,
                seconds,
            });
            let news = news.take();
            observer(&Progress {
                window: number,
                windows: number + (total - 1 - *first).div_ceil(kept),
                frame: *first,
                frames: total,
                evaluations: *evaluations,
                loss,
                mpjpe_mm: errors.iter().sum::<f64>() / errors.len() as f64,
                message: news.as_deref(),
            })
        };
        let minimum = self.optimizer.minimize(window, x, budget, &mut watch)?;
        match minimum.termination {
            Termination::Interrupt => Err(Error::Interrupted),
            _ => Ok(minimum),
        }
    }

    /// Records the simulated frames to keep, and goes on from the world after them.
    fn keep(
        &mut self,
        window: &PhysicsWindow,
        attempt: Attempt,
        attempts: usize,
        (frames, world): (Vec<Frame>, World),
    ) {
        self.note_start();
        self.jacobian = attempt.jacobian;
        self.knots.replace(&attempt.knots);
        self.world = world;
        let end = self.first + frames.len();
        for (t, frame) in (self.first + 1..).zip(frames) {
            let error = 1e3 * self.clip.frame_error(&frame.links, t);
            self.errors.push(error);
            self.frames.push(frame);
        }
        self.windows.push(WindowReport {
            first_frame: self.first + 1,
            frames: end - self.first,
            attempts,
            evaluations: attempt.evaluations,
            loss: attempt.loss,
            terms: window.term_losses(&window.point_of(&attempt.knots)),
            failed: self.errors[self.first + 1..]
                .iter()
                .any(|error| exceeds(*error, self.settings.failure_mm)),
        });
        self.first = end;
    }
}

/// Whether `value` is above `limit` or no number at all.
pub(crate) fn exceeds(value: f64, limit: f64) -> bool {
    value.is_nan() || value > limit
}

#[cfg(test)]
mod tests;
