//! Random windows of a set of clips: what learned optimizers are trained and compared on.

use std::ops::ControlFlow;
use std::sync::Arc;

use nalgebra::DVector;
use rand::RngExt as _;
use rayon::prelude::*;

use super::horizon::{self, Stitch};
use super::{PhysicsWindow, Progress, Settings, TrackingProblem};
use crate::error::{Error, Result};
use crate::motion::{Motion, resample};
use crate::objective::{Jacobian, LogScale, Objective, Residuals, Rng, Task, TaskFamily};
use crate::optim::Minimize;

/// The losses that meta-training tells apart; on this scale a window that starts far off counts no
/// more than another.
pub(super) const LOSSES: LogScale = LogScale {
    smallest: 1e-2,
    largest: 1e6,
};

/// Windows of clips, each clip as likely as it has windows. A window starts in the reference state
/// with zero offsets, all knots free ([`PhysicsWindow::from_reference`]), or, where the family is
/// [stitched](Self::stitched), where a reconstruction has led.
#[derive(Clone)]
pub struct WindowFamily {
    clips: Vec<Arc<NamedClip>>,
    frames: usize,
    knot_frames: usize,
}

#[derive(Clone)]
struct NamedClip {
    name: String,
    problem: Arc<TrackingProblem>,
    /// Where its windows start, if not in the reference.
    stitches: Option<Vec<Stitch>>,
}

/// One window as a task.
#[derive(Clone)]
pub struct WindowTask {
    clip: Arc<NamedClip>,
    /// Among the windows of the clip.
    index: usize,
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
            let problem = Arc::new(TrackingProblem::new(motion, &adults)?);
            let name = name.clone();
            clips.push(Arc::new(NamedClip {
                name,
                problem,
                stitches: None,
            }));
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

    /// The same clips with the windows that a reconstruction of each with `optimizer` meets: they start where the
    /// windows before have led, with the offsets that these have found. `settings` are those of [`new`](Self::new);
    /// clips are done side by side, and `go_on` is asked after every evaluation.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when `go_on` breaks, [`Error::Input`] when no clip has two windows.
    pub fn stitched(
        self,
        settings: &Settings,
        optimizer: &dyn Minimize,
        go_on: &(dyn Fn() -> ControlFlow<()> + Sync),
    ) -> Result<Self> {
        let stitch = |clip: &Arc<NamedClip>| {
            let mut observer = |_: &Progress| go_on();
            let stitches = horizon::stitches(&clip.problem, settings, optimizer, &mut observer)?;
            Ok(Arc::new(NamedClip {
                stitches: Some(stitches),
                ..(**clip).clone()
            }))
        };
        let clips = self.clips.par_iter().map(stitch);
        let clips = clips.collect::<Result<Vec<_>>>()?;
        let stitched = Self { clips, ..self };
        match stitched.is_empty() {
            false => Ok(stitched),
            true => {
                let advice = "give clips of more than two windows";
                Err(Error::input(
                    "windows",
                    "clips",
                    "none that is long enough",
                    advice,
                ))
            }
        }
    }

    /// Number of different windows.
    pub fn len(&self) -> usize {
        self.clips.iter().map(|clip| self.places(clip)).sum()
    }

    /// Whether there is none; never, once the family is made.
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
        let index = clip.and_then(|clip| match &clip.stitches {
            Some(stitches) => stitches.iter().position(|stitch| stitch.first == first),
            None => Some(first / self.knot_frames)
                .filter(|i| first.is_multiple_of(self.knot_frames) && *i < self.places(clip)),
        });
        let (clip, index) = clip.zip(index).ok_or_else(|| {
            let found = format!("frame {first} of {name}");
            let advice = format!(
                "give a clip of --motions (or an embedded one) and a frame that is a multiple of {} and has {} after it",
                self.knot_frames, self.frames
            );
            Error::input("windows", "window", found, advice)
        })?;
        Ok(self.task(clip, index))
    }

    /// Window `index` of all, in the order of clips and time, counted round and round.
    pub fn nth(&self, index: usize) -> WindowTask {
        let mut left = index % self.len();
        let mut clips = self.clips.iter();
        loop {
            // The remainder is below the sum of all places.
            let clip = clips.next().unwrap_or(&self.clips[0]);
            if left < self.places(clip) {
                return self.task(clip, left);
            }
            left -= self.places(clip);
        }
    }

    /// Number of windows of a clip.
    fn places(&self, clip: &NamedClip) -> usize {
        if let Some(stitches) = &clip.stitches {
            return stitches.len();
        }
        (clip.problem.motion.len() - 1 - self.frames) / self.knot_frames + 1
    }

    /// Window `index` of `clip`.
    fn task(&self, clip: &Arc<NamedClip>, index: usize) -> WindowTask {
        let stitch = clip.stitches.as_ref().map(|stitches| &stitches[index]);
        WindowTask {
            clip: Arc::clone(clip),
            index,
            first: stitch.map_or(index * self.knot_frames, |stitch| stitch.first),
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
        let problem = &self.clip.problem;
        if let Some(stitches) = &self.clip.stitches {
            let Stitch {
                first,
                start,
                knots,
                emphasis,
            } = &stitches[self.index];
            return PhysicsWindow::new(problem, *first, self.frames, start.clone(), knots)
                .with_emphasis(*emphasis);
        }
        PhysicsWindow::from_reference(problem, self.first, self.frames, self.knot_frames)
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

    fn residuals_and_jacobian(&self, x: &[f64]) -> (DVector<f64>, Jacobian) {
        self.window().residuals_and_jacobian(x)
    }
}

impl Task for WindowTask {
    fn name(&self) -> String {
        self.clip.name.clone()
    }

    fn initial_point(&self, _: &mut Rng) -> Vec<f64> {
        self.window().point()
    }

    fn normalize(&self, loss: f64) -> f64 {
        LOSSES.value(loss)
    }

    fn normalize_slope(&self, loss: f64) -> f64 {
        LOSSES.slope(loss)
    }
}
