//! Options about ground forces.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::evaluation::plates::table::{ERROR, KEY};
use crate::evaluation::plates::{self, Place, PlateFile, PlateScore};
use crate::reconstruction::Reconstruction;
use crate::simulation::Push;

/// Ratio of simulated and measured load, or its inverse, from which on the mass is in doubt. (It is within 3 % on trials whose mass is
/// known, docs/forces.md.)
const DOUBTFUL: f64 = 1.15;

/// Options about ground forces.
#[derive(Debug, Args)]
#[command(next_help_heading = "Forces")]
pub struct ForceArgs {
    /// Write the forces on the feet (forces.npz) so many times a second as well, up to once a
    /// simulation step (200 Hz); motion.npz has their means over the frames.
    #[arg(long, value_name = "HZ", allow_negative_numbers = true)]
    pub force_rate: Option<f64>,
    /// Measured ground forces of the same trial to compare with: a .c3d with force plates (the motion itself, too), a .mot
    /// of ground reactions with its external loads (.xml) beside it, or an .npz with time, force, cop, valid, from its first
    /// frame on, z up. The errors are printed and stand in metrics.json.
    #[arg(long, value_name = "FILE", requires = "poses")]
    pub plates: Option<PathBuf>,
}

impl ForceArgs {
    /// Refuses a rate of forces that the simulation does not reach, and plates that cannot be read.
    ///
    /// # Errors
    /// [`Error::Input`] for either.
    pub fn check(&self, config: &Config) -> Result<Option<PlateFile>> {
        let most = 1.0 / config.reconstruction.physics.timestep;
        if let Some(rate) = self
            .force_rate
            .filter(|rate| !(*rate > 0.0 && *rate <= most))
        {
            let advice = format!("give more than 0 and at most the simulation's {most:.0} Hz");
            let origin = "the command line";
            return Err(Error::input(origin, "--force-rate", rate, advice));
        }
        self.plates.as_deref().map(PlateFile::read).transpose()
    }
}

/// Adds the errors against `plates` to `record`; the run starts `offset` s after the trial, whose file is at `place`.
/// Returns what was measured, and a line about the errors.
///
/// # Errors
/// As [`plates::compare`].
pub fn compare(
    plates: &PlateFile,
    run: &Reconstruction,
    (place, offset): (&Place, f64),
    record: &mut Map<String, Value>,
) -> Result<(Vec<[Option<Push>; 2]>, String)> {
    let measured = plates.of_run(run, place, offset);
    let found = plates::compare(run, &measured, offset)?;
    record.insert(KEY.into(), json!(found));
    let simulated = format!(
        "  plates, {:.1} s of a foot: {}",
        found.simulated.foot_seconds,
        told(&found.simulated)
    );
    let doubt = mass_doubt(&found.simulated, run.body.mass());
    let alone = found.kinematics.as_ref().map(told);
    let alone = alone.map(|alone| format!("\n  without a simulation, by kinematics: {alone}"));
    let line = simulated + &alone.unwrap_or_default() + &doubt.unwrap_or_default();
    Ok((found.measured, line))
}

/// Warns where plates bear another weight than that of a body of `mass` kg: a whole motion's mean load is its weight.
fn mass_doubt(score: &PlateScore, mass: f64) -> Option<String> {
    let ratio = score.impulse_ratio.filter(|ratio| *ratio > 0.0)?;
    let is_doubtful = !(1.0 / DOUBTFUL..=DOUBTFUL).contains(&ratio);
    is_doubtful.then(|| {
        format!(
            "\n  WARNING: the plates bear {:.2} times as much as the simulated feet of {mass:.1} kg: is --mass right, and are they \
             those of this trial?",
            1.0 / ratio
        )
    })
}

/// As [`compare`] for the row of an evaluation: where there is nothing to compare, the row says why, and nothing was
/// measured.
pub(super) fn compared(
    plates: &PlateFile,
    run: &Reconstruction,
    at: (&Place, f64),
    row: &mut Map<String, Value>,
) -> Vec<[Option<Push>; 2]> {
    match compare(plates, run, at, row) {
        Ok((measured, _)) => measured,
        Err(error) => {
            row.insert(ERROR.into(), json!(error.to_string()));
            Vec::new()
        }
    }
}

/// The errors in words.
fn told(score: &PlateScore) -> String {
    format!(
        "vertical MAE {:.1} and RMSE {:.1} % of body weight, fore-aft {:.1}, sideways {:.1}, centre of pressure {}",
        score.vertical_mae,
        score.vertical_rmse,
        score.ap_rmse,
        score.ml_rmse,
        score
            .cop_rmse_mm
            .map_or("-".into(), |mm| format!("{mm:.0} mm")),
    )
}
