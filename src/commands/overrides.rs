//! Options that take precedence over the configuration file.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{config, refuse};
use crate::body::{BodyModel, Sex};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::motion::{MASSES, STATURES};
use crate::reconstruction::MOST;

/// Weight of self-collision where it is asked for (docs/any-motion.md).
const SELF_COLLISION: f64 = 2.0;

/// Options that take precedence over the configuration file.
#[derive(Debug, Args)]
pub struct Overrides {
    /// JSON configuration; configs/reconstruct.json spells out the defaults.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Evaluations that the optimizer may spend on a window of a reconstruction; 16 unless given.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) evaluations: Option<usize>,
    /// Body of the subject as JSON, as in assets/humanoid.json, which is the default.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Mass of the subject in kg; estimated from the stature unless given.
    #[arg(long, value_name = "KG", allow_negative_numbers = true)]
    mass: Option<f64>,
    /// Standing height of the subject in m; estimated from the bones unless given.
    #[arg(long, value_name = "M", allow_negative_numbers = true)]
    stature: Option<f64>,
    /// Whose distribution of mass the subject has, male or female (de Leva 1996); male unless given.
    #[arg(long, value_name = "SEX")]
    sex: Option<Sex>,
    /// Supports that nobody recorded, a seat or a step: auto (infer them; the default), none, or a scene FILE,
    /// each with "during": [from, to] in s and "links": the names of those that it is for, if it has to be.
    #[arg(long, value_name = "auto|none|FILE")]
    supports: Option<String>,
    /// Keep the body out of itself: hands and forearms out of the trunk, legs out of each other. Slower; weight 2
    /// unless the configuration says more.
    #[arg(long)]
    self_collision: bool,
    /// Seed of everything random.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
}

impl Overrides {
    /// Refuses what a list of windows settles itself.
    pub(super) fn check_for_windows(&self) -> Result<()> {
        let settled = [
            ("--body", self.body.is_some()),
            ("--mass", self.mass.is_some()),
            ("--stature", self.stature.is_some()),
            ("--sex", self.sex.is_some()),
            ("--supports", self.supports.is_some()),
            ("--self-collision", self.self_collision),
            ("--seed", self.seed.is_some()),
            ("--config", self.config.is_some()),
        ];
        let advice = "leave it out: the list of windows holds the settings, --optimizers names";
        refuse(&settled, "use", "with --windows", advice)
    }

    /// The configuration file with these options put in.
    pub(super) fn configuration(&self) -> Result<Config> {
        let mut config = config(self.config.as_deref())?;
        let settings = &mut config.reconstruction;
        if let Some(path) = &self.body {
            settings.body = Some(read_body(path)?);
        }
        settings.sex = self.sex.unwrap_or(settings.sex);
        match self.supports.as_deref() {
            None => {}
            Some("auto") => settings.supports = true,
            Some("none") => settings.supports = false,
            Some(file) => {
                settings.supports = false;
                settings.add_scene(Path::new(file))?;
            }
        }
        if self.self_collision && settings.weights.self_collision == 0.0 {
            settings.weights.self_collision = SELF_COLLISION;
        }
        if let Some(evaluations) = self.evaluations {
            settings.evaluations = check_evaluations("--evaluations", evaluations)?;
        }
        if let Some(seed) = self.seed {
            settings.seed = seed;
        }
        if self.mass.is_some() {
            settings.mass = within("--mass", self.mass, MASSES, "kg")?;
        }
        if self.stature.is_some() {
            settings.stature = within("--stature", self.stature, STATURES, "m")?;
        }
        let origin = self.config.as_deref().unwrap_or(Path::new("configuration"));
        let checked = config.reconstruction.check();
        checked.map_err(|error| error.about(origin.display()))?;
        Ok(config)
    }
}

/// The body that the file at `path` describes.
fn read_body(path: &Path) -> Result<BodyModel> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, "read", error))?;
    BodyModel::from_json(&text, &path.display().to_string())
}

/// A number of evaluations, if it can be used.
pub(super) fn check_evaluations(option: &str, evaluations: usize) -> Result<usize> {
    match (1..=MOST).contains(&evaluations) {
        true => Ok(evaluations),
        false => {
            let advice = format!("give 1 to {MOST}");
            Err(Error::input(option, "evaluations", evaluations, advice))
        }
    }
}

fn within(
    option: &str,
    value: Option<f64>,
    range: RangeInclusive<f64>,
    unit: &str,
) -> Result<Option<f64>> {
    match value {
        Some(value) if !range.contains(&value) => {
            let advice = format!("give {} to {} {unit}", range.start(), range.end());
            Err(Error::input(
                option,
                "value",
                format!("{value} {unit}"),
                advice,
            ))
        }
        value => Ok(value),
    }
}
