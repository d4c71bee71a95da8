//! From observed motion to simulated motion.
//!
//! A clip is reconstructed in overlapping windows: each is optimized with look-ahead, but only its
//! first frames are kept, and the next window starts from the simulated state they end in, with
//! the offsets that the last one found as its first guess (a real-time iteration scheme: Diehl et
//! al. 2005). Nothing but the joint motors moves the body; where a window is hard, assistance
//! fades out over a few stages before the window is optimized without it.
//!
//! # References
//! M. Diehl, H. G. Bock, J. P. Schlöder, "A real-time iteration scheme for nonlinear optimization
//! in optimal feedback control", SIAM J. Control Optim. 43(5), 2005.

use std::ops::ControlFlow;

use serde::Serialize;

use crate::body::{Body, Pose};
use crate::error::Result;
use crate::learned;
use crate::motion::{Motion, resample};
use crate::optim::{Minimize, Options};
use crate::simulation::Trajectory;

pub use family::{WindowFamily, WindowTask};
pub use from_keypoints::{Reconstructed, reconstruct_keypoints};
pub use loads::mass_center_accelerations;
pub use problem::TrackingProblem;
pub use settings::{MOST, Settings, SimulatorKind};
pub use sighting::Sighting;
pub use start::Start;
pub use strategies::Strategies;
pub use terms::Emphasis;
pub use weights::Weights;
pub use window::PhysicsWindow;

mod differences;
mod family;
mod feedforward;
pub mod footing;
mod from_keypoints;
mod horizon;
mod loads;
mod problem;
pub mod recorded;
mod settings;
mod sighting;
mod start;
mod strategies;
mod supports;
pub mod terms;
mod weights;
pub mod window;

/// Where a reconstruction stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress<'a> {
    /// The window, from 0.
    pub window: usize,
    /// Number of windows.
    pub windows: usize,
    /// Frames settled.
    pub frame: usize,
    /// Frames in all.
    pub frames: usize,
    /// Function evaluations so far.
    pub evaluations: usize,
    /// Loss of the current window.
    pub loss: f64,
    /// Mean joint error over the settled frames, mm.
    pub mpjpe_mm: f64,
    /// News worth a line.
    pub message: Option<&'a str>,
}

/// One function evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// The window, from 0.
    pub window: usize,
    /// The evaluation within the window, from 1.
    pub evaluation: usize,
    /// Loss there.
    pub loss: f64,
    /// Seconds since the start of the reconstruction.
    pub seconds: f64,
}

/// How a window went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WindowReport {
    /// The first frame that the window settled.
    pub first_frame: usize,
    /// Number of frames settled.
    pub frames: usize,
    /// How often it was optimized; more than once when it ended badly.
    pub attempts: usize,
    /// Function evaluations spent on it.
    pub evaluations: usize,
    /// Its final loss.
    pub loss: f64,
    /// The loss by terms.
    pub terms: Vec<(String, f64)>,
    /// Whether a settled frame is further off than the failure threshold.
    pub failed: bool,
}

/// A simulated motion and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconstruction {
    /// The scaled humanoid.
    pub body: Body,
    /// The observed motion at the working rate.
    pub reference: Motion,
    /// The reference poses: the body as it was observed, frame by frame of `reference`.
    pub poses: Vec<Pose>,
    /// Mean joint error of the reference poses: what the body's proportions leave over, mm.
    pub kinematic_error_mm: f64,
    /// The simulated motion, frame by frame of `reference`.
    pub trajectory: Trajectory,
    /// Every function evaluation.
    pub curve: Vec<CurvePoint>,
    /// Every window.
    pub windows: Vec<WindowReport>,
    /// Function evaluations in all.
    pub evaluations: usize,
    /// Frames whose mean joint error exceeds the failure threshold.
    pub failed_frames: Vec<usize>,
}

/// Length of the first steps of guided learned optimizers, rad.
const FIRST_STEP: f64 = 0.02;

/// What looks on after every window, and may stop the run.
pub type Observer<'o> = &'o mut dyn FnMut(&Progress) -> ControlFlow<()>;

/// Reconstructs `motion` with `optimizer`: one [by name](optimizer_of_windows) or a user's own.
///
/// # Errors
/// [`Error::Input`](crate::error::Error::Input) for settings that cannot be used or a motion without
/// bones, [`Error::Interrupted`](crate::error::Error::Interrupted) when `observer` breaks.
pub fn reconstruct(
    motion: &Motion,
    settings: &Settings,
    optimizer: &dyn Minimize,
    observer: Option<Observer>,
) -> Result<Reconstruction> {
    settings.check()?;
    let reference = resample(motion, settings.fps);
    let problem = TrackingProblem::new(reference, settings)?;
    let mut go_on = |_: &Progress| ControlFlow::Continue(());
    horizon::solve(problem, settings, optimizer, observer.unwrap_or(&mut go_on))
}

/// The optimizer called `name`, for windows.
///
/// # Errors
/// [`Error::Input`](crate::error::Error::Input) for an unknown name or a damaged weight file.
pub fn optimizer_of_windows(name: &str, seed: u64) -> Result<Box<dyn Minimize>> {
    learned::by_name(name, &window_options(seed))
}

/// Options of optimizers for windows, whose gradient costs much more than their value.
pub fn window_options(seed: u64) -> Options {
    Options {
        probes_value_first: true,
        initial_step: Some(FIRST_STEP),
        is_window: true,
        seed,
        ..Options::default()
    }
}

/// Whether `value` is above `limit` or no number at all.
pub(crate) fn exceeds(value: f64, limit: f64) -> bool {
    value.is_nan() || value > limit
}
