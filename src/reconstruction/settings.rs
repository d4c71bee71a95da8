//! What may be chosen about a reconstruction.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::strategies::Strategies;
use super::weights::Weights;
use crate::body::{BodyModel, Sex};
use crate::error::{Error, Result};
use crate::motion::{MASSES, STATURES, Subject};
use crate::scene::Scene;
use crate::simulation::Physics;

/// The largest number of evaluations, frames or iterations.
pub const MOST: usize = 10_000;

/// What windows are simulated with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SimulatorKind {
    /// The engine, and for Jacobians its twin that simulates many copies side by side.
    #[default]
    Batched,
    /// The engine alone: about twenty times slower.
    Engine,
}

/// All knobs of a reconstruction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Working frame rate, Hz. Default: 50.
    pub fps: f64,
    /// Frames optimized together. Default: 30. More look-ahead: safer, slower (quadratically).
    pub window_frames: usize,
    /// Frames kept of every window. Default: 5. Fewer: more accurate, slower.
    pub kept_frames: usize,
    /// Frames kept of a window that is good enough (`target_loss`). Default: 10.
    pub easy_kept_frames: usize,
    /// Frames between two knots of the PD target offsets. Default: 5 (10 Hz at 50 fps). Must
    /// divide `kept_frames` and `easy_kept_frames`.
    pub knot_frames: usize,
    /// Function evaluations that an optimizer may spend on a window. Default: 16.
    pub evaluations: usize,
    /// A window whose loss is at or below is good enough. Default: 1. (What losses are in mm: docs/how-it-works.md.)
    pub target_loss: f64,
    /// A further Jacobian of a window is evaluated only while its loss is above. Default: 3.
    pub jacobian_loss: f64,
    /// A window whose loss ends above is tried again, and so is one above a third of it and above three
    /// times the median of the windows before. Default: 20.
    pub retry_loss: f64,
    /// Shares of the assistance by which the first window and every retry are approached, each
    /// with half the evaluations; a stage without assistance but with little weight on foot slip
    /// follows. Default: 1, 0.05, 0.005.
    pub assistance: Vec<f64>,
    /// When the last kept frame of a window is further off than this, mm, up to five windows are
    /// taken back and tried again, half as long again. Default: 150: bodies that are 100 mm off in flips and rolls come back by
    /// themselves.
    pub backtrack_error_mm: f64,
    /// A frame whose mean joint error exceeds this has failed, mm. Default: 250.
    pub failure_mm: f64,
    /// How the engine steps.
    pub physics: Physics,
    /// What windows are simulated with, `batched` or `engine`. Default: batched.
    pub simulator: SimulatorKind,
    /// Weights of the terms of the loss.
    pub weights: Weights,
    /// Which strategies are on. Default: all.
    pub strategies: Strategies,
    /// The body, as in `assets/humanoid.json`. Default: that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyModel>,
    /// What there is to touch beside the ground. Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scene: Option<Scene>,
    /// Whether supports that nobody recorded are inferred: a seat, a step. Not from keypoints. Default: true.
    pub supports: bool,
    /// Mass of the subject, kg. Default: from the stature.
    pub mass: Option<f64>,
    /// Whose distribution of mass the subject has, `male` or `female`. Default: male.
    pub sex: Sex,
    /// Standing height of the subject, m. Default: from the bones.
    pub stature: Option<f64>,
    /// Seed of everything random. Default: 0.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fps: 50.0,
            window_frames: 30,
            kept_frames: 5,
            easy_kept_frames: 10,
            knot_frames: 5,
            evaluations: 16,
            target_loss: 1.0,
            jacobian_loss: 3.0,
            retry_loss: 20.0,
            assistance: vec![1.0, 0.05, 0.005],
            backtrack_error_mm: 150.0,
            failure_mm: 250.0,
            physics: Physics::default(),
            simulator: SimulatorKind::default(),
            weights: Weights::default(),
            strategies: Strategies::default(),
            body: None,
            scene: None,
            supports: true,
            mass: None,
            sex: Sex::default(),
            stature: None,
            seed: 0,
        }
    }
}

impl Settings {
    /// Adds what the file at `path`, a scene or a mesh, has to touch.
    ///
    /// # Errors
    /// As [`Scene::read`].
    pub fn add_scene(&mut self, path: &Path) -> Result<()> {
        let solids = Scene::read(path)?.solids;
        self.scene.get_or_insert_default().solids.extend(solids);
        Ok(())
    }

    /// What is known of the subject.
    pub fn subject(&self) -> Subject {
        Subject {
            mass: self.mass,
            stature: self.stature,
        }
    }

    /// The same settings with what `subject` tells and they do not.
    #[must_use]
    pub fn about(&self, subject: Subject) -> Self {
        let Subject { mass, stature } = self.subject().or(subject);
        Self {
            mass,
            stature,
            ..self.clone()
        }
    }

    /// The same settings for frames at about the working rate that `fps` Hz go into: the rate is a
    /// multiple of `fps`, windows and knots last as long as before, and a frame is a whole number
    /// of timesteps.
    pub fn at_multiple_of(&self, fps: f64) -> Self {
        let rate = fps * (self.fps / fps).round().max(1.0);
        let stretch = rate / self.fps;
        let stretched = |frames: usize| ((frames as f64 * stretch).round() as usize).max(1);
        let knot_frames = stretched(self.knot_frames);
        let kept = |frames: usize| knot_frames * (frames / self.knot_frames.max(1)).max(1);
        let (kept_frames, easy_kept_frames) = (kept(self.kept_frames), kept(self.easy_kept_frames));
        Self {
            fps: rate,
            knot_frames,
            kept_frames,
            easy_kept_frames,
            window_frames: stretched(self.window_frames)
                .max(kept_frames)
                .max(easy_kept_frames),
            physics: self.physics.at_rate(rate),
            ..self.clone()
        }
    }

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
            ("easy_kept_frames", self.easy_kept_frames),
            ("knot_frames", self.knot_frames),
            ("evaluations", self.evaluations),
            ("physics.solver_iterations", physics.solver_iterations),
            ("physics.pgs_iterations", physics.pgs_iterations),
        ] {
            demand(
                field,
                count as f64,
                (1..=MOST).contains(&count),
                &format!("1 to {MOST}"),
            )?;
        }
        for (field, kept) in [
            ("kept_frames", self.kept_frames),
            ("easy_kept_frames", self.easy_kept_frames),
        ] {
            let aligned = kept.is_multiple_of(self.knot_frames);
            let advice = format!("a divisor of {field}");
            demand("knot_frames", self.knot_frames as f64, aligned, &advice)?;
            let fits = kept <= self.window_frames;
            demand(field, kept as f64, fits, "at most window_frames")?;
        }
        if let Some(scene) = &self.scene {
            scene.check("scene")?;
        }
        let steps = (1e-5..=0.02).contains(&physics.timestep);
        demand(
            "physics.timestep",
            physics.timestep,
            steps,
            "0.00001 to 0.02 s",
        )?;
        for (field, value) in [
            ("physics.contact_frequency", physics.contact_frequency),
            (
                "physics.contact_damping_ratio",
                physics.contact_damping_ratio,
            ),
        ] {
            let holds = value.is_finite() && value > 0.0;
            demand(field, value, holds, "a number above 0")?;
        }
        for (field, value, range, unit) in [
            ("mass", self.mass, MASSES, "kg"),
            ("stature", self.stature, STATURES, "m"),
        ] {
            if let Some(value) = value {
                let holds = range.contains(&value);
                let asked = format!("{} to {} {unit}", range.start(), range.end());
                demand(field, value, holds, &asked)?;
            }
        }
        let moves = weights.position.max(weights.velocity);
        demand(
            "weights.position and weights.velocity",
            moves,
            moves > 0.0,
            "at least one above 0: nothing else says where the body should go",
        )?;
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
            ("jacobian_loss", self.jacobian_loss),
            ("retry_loss", self.retry_loss),
            ("backtrack_error_mm", self.backtrack_error_mm),
            ("failure_mm", self.failure_mm),
            ("physics.friction", physics.friction),
            ("weights.position", weights.position),
            ("weights.velocity", weights.velocity),
            ("weights.capture_point", weights.capture_point),
            ("weights.mass_center", weights.mass_center),
            ("weights.foot_load", weights.foot_load),
            ("weights.foot_shear", weights.foot_shear),
            ("weights.pressure", weights.pressure),
            ("weights.foot_direction", weights.foot_direction),
            ("weights.torque", weights.torque),
            ("weights.joint_limit", weights.joint_limit),
            ("weights.acceleration", weights.acceleration),
            ("weights.jerk", weights.jerk),
            ("weights.stance", weights.stance),
            ("weights.skate", weights.skate),
            ("weights.foot_slip", weights.foot_slip),
            ("weights.penetration", weights.penetration),
            ("weights.self_collision", weights.self_collision),
            ("weights.reprojection", weights.reprojection),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_body_can_be_simulated_with_is_refused() {
        let refused = |change: &dyn Fn(&mut Settings), field: &str| {
            let mut settings = Settings::default();
            change(&mut settings);
            let error = settings.check().unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(field), "{error}");
        };
        refused(&|s| s.mass = Some(0.0), "mass");
        refused(&|s| s.stature = Some(-1.0), "stature");
        refused(&|s| s.physics.contact_frequency = 0.0, "contact_frequency");
        refused(&|s| s.weights.acceleration = -1.0, "weights.acceleration");
        refused(&|s| s.knot_frames = 0, "knot_frames");
        let blind = |s: &mut Settings| {
            s.weights.position = 0.0;
            s.weights.velocity = 0.0;
        };
        refused(&blind, "weights.position");
    }

    #[test]
    fn other_frame_rates_keep_the_clock() {
        let settings = Settings::default();
        assert_eq!(settings.at_multiple_of(50.0), settings);
        assert_eq!(settings.at_multiple_of(25.0), settings);
        for (fps, rate, window) in [(30.0, 60.0, 36), (60.0, 60.0, 36), (24.0, 48.0, 29)] {
            let other = settings.at_multiple_of(fps);
            assert_eq!((other.fps, other.window_frames), (rate, window));
            let steps = other.physics.steps_per_frame(other.fps) as f64;
            assert!((steps * other.physics.timestep * rate - 1.0).abs() < 1e-12);
            assert!(other.physics.timestep <= settings.physics.timestep);
            other.check().unwrap();
        }
    }
}
