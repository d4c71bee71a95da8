//! Random windows of a set of clips: what learned optimizers are trained and compared on.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};
use rand::RngExt as _;

use super::{PhysicsWindow, Settings, TrackingProblem};
use crate::error::{Error, Result};
use crate::motion::{Motion, resample};
use crate::objective::{LogScale, Objective, Residuals, Rng, Task, TaskFamily};

/// The losses that meta-training tells apart; on this scale a window that starts far off counts no
/// more than another.
pub(super) const LOSSES: LogScale = LogScale {
    smallest: 1e-2,
    largest: 1e6,
};

/// Windows of clips, each clip as likely as it has windows. A window starts in the reference state
/// with zero offsets, all knots free ([`PhysicsWindow::from_reference`]).
#[derive(Clone)]
pub struct WindowFamily {
    clips: Vec<Arc<NamedClip>>,
    frames: usize,
    knot_frames: usize,
}

struct NamedClip {
    name: String,
    problem: TrackingProblem,
}

/// One window as a task.
#[derive(Clone)]
pub struct WindowTask {
    clip: Arc<NamedClip>,
    first: usize,
    frames: usize,
    knot_frames: usize,
}

impl WindowFamily {
    /// The windows of `motions` (name and observed motion), as long and with as many knots as
    /// `settings` say; the masses are those of adults of the observed statures.
    ///
    /// # Errors
    /// [`Error::Input`] when `settings` cannot be used, when a motion has no bones, and when none
    /// is long enough for a window.
    pub fn new(motions: &[(String, Motion)], settings: &Settings) -> Result<Self> {
        settings.check()?;
        let adults = Settings {
            mass: None,
            stature: None,
            ..settings.clone()
        };
        let mut clips = Vec::new();
        for (name, motion) in motions {
            let motion = resample(motion, settings.fps);
            if motion.len() <= settings.window_frames {
                continue;
            }
            let problem = TrackingProblem::new(motion, &adults)?;
            let name = name.clone();
            clips.push(Arc::new(NamedClip { name, problem }));
        }
        if clips.is_empty() {
            let seconds = settings.window_frames as f64 / settings.fps;
            let advice = format!("give clips of more than {seconds} s");
            return Err(Error::input("windows", "clips", "none", advice));
        }
        Ok(Self {
            clips,
            frames: settings.window_frames,
            knot_frames: settings.knot_frames,
        })
    }

    /// Number of different windows.
    pub fn len(&self) -> usize {
        self.clips.iter().map(|clip| self.places(clip)).sum()
    }

    /// Whether there is none; never.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Coordinates of a knot: the controlled axes of the body.
    pub fn block(&self) -> usize {
        self.clips[0].problem.axes.len()
    }

    /// The window of the clip called `name` that starts at frame `first`, a multiple of the knots'
    /// distance.
    ///
    /// # Errors
    /// [`Error::Input`] when there is none.
    pub fn window(&self, name: &str, first: usize) -> Result<WindowTask> {
        let clip = self.clips.iter().find(|clip| clip.name == name);
        let clip = clip.filter(|clip| {
            first.is_multiple_of(self.knot_frames) && first / self.knot_frames < self.places(clip)
        });
        let clip = clip.ok_or_else(|| {
            let found = format!("frame {first} of {name}");
            let advice = format!(
                "give a clip of --motions (or an embedded one) and a frame that is a multiple of {} and has {} after it",
                self.knot_frames, self.frames
            );
            Error::input("windows", "window", found, advice)
        })?;
        Ok(self.task(clip, first))
    }

    /// Window `index` of all, in the order of clips and time, counted round and round.
    pub fn nth(&self, index: usize) -> WindowTask {
        let mut left = index % self.len();
        let mut clips = self.clips.iter();
        loop {
            // The remainder is below the sum of all places.
            let clip = clips.next().unwrap_or(&self.clips[0]);
            if left < self.places(clip) {
                return self.task(clip, left * self.knot_frames);
            }
            left -= self.places(clip);
        }
    }

    /// Number of windows of a clip.
    fn places(&self, clip: &NamedClip) -> usize {
        (clip.problem.motion.len() - 1 - self.frames) / self.knot_frames + 1
    }

    fn task(&self, clip: &Arc<NamedClip>, first: usize) -> WindowTask {
        WindowTask {
            clip: Arc::clone(clip),
            first,
            frames: self.frames,
            knot_frames: self.knot_frames,
        }
    }
}

impl TaskFamily for WindowFamily {
    type Task = WindowTask;

    fn sample(&self, rng: &mut Rng) -> WindowTask {
        self.nth(rng.random_range(0..self.len()))
    }
}

impl WindowTask {
    /// The clip's name.
    pub fn clip(&self) -> &str {
        &self.clip.name
    }

    /// The first frame, at the working rate.
    pub fn first(&self) -> usize {
        self.first
    }

    /// The window itself.
    pub fn window(&self) -> PhysicsWindow<'_> {
        PhysicsWindow::from_reference(
            &self.clip.problem,
            self.first,
            self.frames,
            self.knot_frames,
        )
    }
}

impl Objective for WindowTask {
    fn dimension(&self) -> usize {
        self.window().dimension()
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.window().value(x)
    }

    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.window().value_and_gradient(x, gradient)
    }

    fn least_squares(&self) -> Option<&dyn Residuals> {
        Some(self)
    }
}

impl Residuals for WindowTask {
    fn len(&self) -> usize {
        self.window().len()
    }

    fn residuals(&self, x: &[f64]) -> DVector<f64> {
        self.window().residuals(x)
    }

    fn residuals_and_jacobian(&self, x: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        self.window().residuals_and_jacobian(x)
    }
}

impl Task for WindowTask {
    fn name(&self) -> String {
        self.clip.name.clone()
    }

    fn initial_point(&self, _: &mut Rng) -> Vec<f64> {
        vec![0.0; self.dimension()]
    }

    fn normalize(&self, loss: f64) -> f64 {
        LOSSES.value(loss)
    }

    fn normalize_slope(&self, loss: f64) -> f64 {
        LOSSES.slope(loss)
    }
}
