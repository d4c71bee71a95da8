//! Configuration of a meta-training: the optimizer, the tasks, the stages.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::benchmark::functions::{FUNCTIONS, index_of};
use crate::benchmark::{FunctionFamily, Protocol};
use crate::error::{Error, Result};
use crate::json::read_text;
use crate::learned::Architecture;
use crate::meta::Settings;
use crate::reconstruction;

use super::parse_fields;

/// What `motionfit train` does; see `configs/train-functions.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// The name of the optimizer that comes out.
    pub name: String,
    /// The optimizer that is trained.
    pub architecture: Architecture,
    /// A weight file to start from, relative to the configuration; a random start without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// The tasks it is trained on.
    pub tasks: TaskSettings,
    /// Seed, stages and validation.
    pub training: Settings,
}

/// A family of tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TaskSettings {
    /// Classic test functions.
    Functions(FunctionSettings),
    /// Windows of motions, with the physics: every evaluation is a Jacobian.
    Windows(WindowSettings),
    /// Windows of motions as they were recorded along the paths of other optimizers.
    RecordedWindows(RecordedSettings),
}

/// Windows to train on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WindowSettings {
    /// Names of clips, with `*` at the end for all that begin so. Default: all clips at hand.
    pub clips: Vec<String>,
    /// The same for the clips that progress is measured on. Default: those trained on.
    pub validation: Vec<String>,
    /// Length, knots, physics and loss of the windows. Default: as in a reconstruction.
    pub reconstruction: reconstruction::Settings,
    /// Seconds of every clip that are reconstructed with `lm-search` first: windows then start where those before
    /// have led. Default: 0, all windows start in the reference.
    #[serde(skip_serializing_if = "is_zero")]
    pub stitched_seconds: f64,
}

/// Recorded windows to train on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordedSettings {
    /// Names of clips, with `*` at the end for all that begin so. Default: all clips at hand.
    pub clips: Vec<String>,
    /// The same for the clips that progress is measured on. Default: those trained on.
    pub validation: Vec<String>,
    /// Length, knots, physics and loss of the windows. Default: as in a reconstruction.
    pub reconstruction: reconstruction::Settings,
    /// As in [`WindowSettings::stitched_seconds`]. Default: 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub stitched_seconds: f64,
    /// Number of windows that are recorded, spread evenly over all there are. Default: 200.
    pub windows: usize,
    /// Along whose paths; each window is recorded once for every one of them. Default: Levenberg–
    /// Marquardt, 14 evaluations.
    pub recorders: Vec<RecorderSettings>,
    /// The variables that the optimizer works in. Default: those of the mean curvature.
    pub variables: Variables,
    /// Share of the tasks that are made rough: every look is at a point nearby. Default: 0.
    pub rough: f64,
}

/// Variables of recorded windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variables {
    /// Those in which the mean curvature of the recorded windows is the identity.
    #[default]
    Curvature,
    /// Offsets, each in the unit in which its mean curvature is 1.
    Scaled,
    /// Offsets of the PD targets, rad, as in the paper.
    Plain,
}

/// An optimizer along whose path windows are recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecorderSettings {
    /// Its name, or a weight file.
    pub optimizer: String,
    /// Evaluations it may spend on a window.
    pub evaluations: usize,
}

impl Default for RecordedSettings {
    fn default() -> Self {
        Self {
            clips: Vec::new(),
            validation: Vec::new(),
            reconstruction: reconstruction::Settings::default(),
            stitched_seconds: 0.0,
            windows: 200,
            recorders: vec![RecorderSettings {
                optimizer: "lm".into(),
                evaluations: 14,
            }],
            variables: Variables::default(),
            rough: 0.0,
        }
    }
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

/// Checks the seconds of clips that are reconstructed first.
fn check_seconds(seconds: f64, origin: &str) -> Result<()> {
    if seconds.is_finite() && seconds >= 0.0 {
        return Ok(());
    }
    let advice = "give seconds of every clip, or 0";
    Err(Error::input(
        origin,
        "tasks.stitched_seconds",
        seconds,
        advice,
    ))
}

impl WindowSettings {
    /// Checks times.
    ///
    /// # Errors
    /// [`Error::Input`] naming `origin` and the field.
    pub fn check(&self, origin: &str) -> Result<()> {
        check_seconds(self.stitched_seconds, origin)
    }
}

impl RecordedSettings {
    /// Checks counts and shares.
    ///
    /// # Errors
    /// [`Error::Input`] naming `origin` and the field.
    pub fn check(&self, origin: &str) -> Result<()> {
        let evaluations = self.recorders.iter().map(|recorder| recorder.evaluations);
        let counts = [
            ("tasks.windows", self.windows),
            ("tasks.recorders", self.recorders.len()),
            (
                "tasks.recorders.evaluations",
                evaluations.min().unwrap_or(1),
            ),
        ];
        if let Some((field, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(Error::input(origin, field, 0, "give at least one"));
        }
        check_seconds(self.stitched_seconds, origin)?;
        let advice = "give a number from 0 to 1";
        let is_share = (0.0..=1.0).contains(&self.rough);
        is_share
            .then_some(())
            .ok_or_else(|| Error::input(origin, "tasks.rough", self.rough, advice))
    }
}

/// Test functions to train on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionSettings {
    /// Their names. Default: all fifteen.
    pub functions: Vec<String>,
    /// Numbers of variables, each as likely as the other. Default: 2, 10, 20, 50, 100.
    pub dimensions: Vec<usize>,
    /// Whether every task is moved by a random offset. Default: yes.
    pub offsets: bool,
    /// The share of tasks that are turned by a random rotation. Default: 0.
    pub rotated: f64,
}

impl Default for FunctionSettings {
    fn default() -> Self {
        Self {
            functions: FUNCTIONS
                .iter()
                .map(|function| function.name().to_string())
                .collect(),
            dimensions: vec![2, 10, 20, 50, 100],
            offsets: true,
            rotated: 0.0,
        }
    }
}

impl FunctionSettings {
    /// The family.
    ///
    /// # Errors
    /// [`Error::Input`] naming `origin` and the field.
    pub fn family(&self, origin: &str) -> Result<FunctionFamily> {
        let fields = [
            ("tasks.functions", self.functions.len()),
            ("tasks.dimensions", self.dimensions.len()),
        ];
        for (field, count) in fields {
            if count == 0 {
                return Err(Error::input(origin, field, "none", "give at least one"));
            }
        }
        if let Some(n) = self.dimensions.iter().find(|n| !(2..=10_000).contains(*n)) {
            let advice = "give numbers from 2 to 10000";
            return Err(Error::input(origin, "tasks.dimensions", n, advice));
        }
        if !(0.0..=1.0).contains(&self.rotated) {
            let advice = "give a share from 0 to 1";
            return Err(Error::input(origin, "tasks.rotated", self.rotated, advice));
        }
        Ok(FunctionFamily {
            functions: self
                .functions
                .iter()
                .map(|name| index_of(name))
                .collect::<Result<_>>()?,
            dimensions: self.dimensions.clone(),
            protocol: Protocol::Paper,
            offsets: self.offsets,
            rotated: self.rotated,
        })
    }
}

impl TrainingConfig {
    /// Reads a configuration file and checks it.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Input`] naming field and value when it is not
    /// valid.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read_text(path)?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Parses the text of a configuration file that errors call `origin`.
    ///
    /// # Errors
    /// [`Error::Input`] as for [`read`](Self::read).
    pub fn parse(text: &str, origin: &str) -> Result<Self> {
        let config: Self = parse_fields(text, origin)?;
        config.architecture.check(origin)?;
        config.training.check(origin)?;
        Ok(config)
    }
}
