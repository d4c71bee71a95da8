//! What may be chosen about a reconstruction.

use serde::{Deserialize, Serialize};

use super::loss::Weights;
use crate::error::{Error, Result};
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

impl Settings {
    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Input`] naming the first field that cannot be used.
    pub fn check(&self) -> Result<()> {
        let physics = &self.physics;
        let weights = &self.weights;
        demand(
            "fps",
            self.fps,
            (1.0..=500.0).contains(&self.fps),
            "1 to 500 Hz",
        )?;
        for (field, count) in [
            ("window_frames", self.window_frames),
            ("kept_frames", self.kept_frames),
            ("knot_frames", self.knot_frames),
            ("evaluations", self.evaluations),
            ("physics.solver_iterations", physics.solver_iterations),
            ("physics.pgs_iterations", physics.pgs_iterations),
        ] {
            demand(
                field,
                count as f64,
                (1..=10_000).contains(&count),
                "1 to 10000",
            )?;
        }
        let aligned = self.kept_frames.is_multiple_of(self.knot_frames);
        demand(
            "knot_frames",
            self.knot_frames as f64,
            aligned,
            "a divisor of kept_frames",
        )?;
        let fits = self.kept_frames <= self.window_frames;
        demand(
            "kept_frames",
            self.kept_frames as f64,
            fits,
            "at most window_frames",
        )?;
        let steps = (1e-5..=0.02).contains(&physics.timestep);
        demand(
            "physics.timestep",
            physics.timestep,
            steps,
            "0.00001 to 0.02 s",
        )?;
        let warmstart = (0.0..=1.0).contains(&physics.warmstart);
        demand("physics.warmstart", physics.warmstart, warmstart, "0 to 1")?;
        for share in &self.assistance {
            demand(
                "assistance",
                *share,
                (0.0..=1.0).contains(share),
                "shares of 0 to 1",
            )?;
        }
        for (field, value) in [
            ("target_loss", self.target_loss),
            ("retry_loss", self.retry_loss),
            ("backtrack_error_mm", self.backtrack_error_mm),
            ("failure_mm", self.failure_mm),
            ("physics.contact_frequency", physics.contact_frequency),
            (
                "physics.contact_damping_ratio",
                physics.contact_damping_ratio,
            ),
            ("physics.friction", physics.friction),
            ("weights.position", weights.position),
            ("weights.velocity", weights.velocity),
            ("weights.capture_point", weights.capture_point),
            ("weights.torque", weights.torque),
            ("weights.joint_limit", weights.joint_limit),
            ("weights.foot_slip", weights.foot_slip),
            ("weights.penetration", weights.penetration),
            ("weights.offset", weights.offset),
            ("weights.smoothness", weights.smoothness),
        ] {
            demand(
                field,
                value,
                value.is_finite() && value >= 0.0,
                "a number of 0 or more",
            )?;
        }
        Ok(())
    }
}

fn demand(field: &str, value: f64, holds: bool, range: &str) -> Result<()> {
    match holds {
        true => Ok(()),
        false => Err(Error::input(
            "configuration",
            field,
            value,
            format!("give {range}"),
        )),
    }
}
