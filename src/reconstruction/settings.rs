//! What may be chosen about a reconstruction.

use serde::{Deserialize, Serialize};

use super::loss::Weights;
use crate::simulation::Physics;

/// All knobs of a reconstruction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Working frame rate, Hz. Default: 50.
    pub fps: f64,
    /// Frames optimized together. Default: 25. More look-ahead: safer, slower (quadratically).
    pub window_frames: usize,
    /// Frames kept of every window. Default: 5. Fewer: more accurate, slower.
    pub kept_frames: usize,
    /// Frames between two knots of the PD target offsets. Default: 5 (10 Hz at 50 fps). Must
    /// divide `kept_frames`.
    pub knot_frames: usize,
    /// Function evaluations that an optimizer may spend on a window. Default: 5.
    pub evaluations: usize,
    /// A window whose loss is at or below is good enough. Default: 0.4, about 8 mm.
    pub target_loss: f64,
    /// A window whose loss ends above is tried again. Default: 8, about 35 mm.
    pub retry_loss: f64,
    /// Shares of the assistance by which the first window and every retry are approached, each
    /// with half the evaluations. Default: 1, 0.1, 0.03, 0.01, 0.003.
    pub assistance: Vec<f64>,
    /// When a settled frame is further off than this, mm, the reconstruction goes back half a
    /// second and tries again with a longer window. Default: 80.
    pub backtrack_error_mm: f64,
    /// A frame whose mean joint error exceeds this has failed, mm. Default: 250.
    pub failure_mm: f64,
    /// How the engine steps.
    pub physics: Physics,
    /// Weights of the terms of the loss.
    pub weights: Weights,
    /// Mass of the subject, kg. Default: from the stature.
    pub mass: Option<f64>,
    /// Standing height of the subject, m. Default: from the bones.
    pub stature: Option<f64>,
    /// Seed of everything random. Default: 0.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fps: 50.0,
            window_frames: 25,
            kept_frames: 5,
            knot_frames: 5,
            evaluations: 5,
            target_loss: 0.4,
            retry_loss: 8.0,
            assistance: vec![1.0, 0.1, 0.03, 0.01, 0.003],
            backtrack_error_mm: 80.0,
            failure_mm: 250.0,
            physics: Physics::default(),
            weights: Weights::default(),
            mass: None,
            stature: None,
            seed: 0,
        }
    }
}
