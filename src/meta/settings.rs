//! Settings of a meta-training, as they are written in a configuration.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A meta-training: stages one after the other, and how they are watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Seed of everything random. Default: 0.
    #[serde(default)]
    pub seed: u64,
    /// The stages, in order; θ carries over, the moments of Adam and the unrolls do not.
    pub stages: Vec<Stage>,
    /// Decay per outer step of the moving average of θ that is validated and kept (Polyak
    /// averaging), which begins at the first θ; 0 validates θ itself. Default: 0.
    #[serde(default)]
    pub averaging: f64,
    /// How progress is measured.
    #[serde(default)]
    pub validation: ValidationSettings,
}

/// A stretch of training with one gradient estimator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stage {
    /// Where gradients come from. Default: backprop.
    pub estimator: Estimator,
    /// Outer steps.
    pub steps: usize,
    /// Learning rate of Adam at the beginning; it falls to a tenth along a cosine. Default: 5e-4.
    pub learning_rate: f64,
    /// Inner steps after which a group starts anew; a multiple of `truncation`. Default: 200.
    pub horizon: usize,
    /// Inner steps between outer steps. Default: 20.
    pub truncation: usize,
    /// Groups that advance in every outer step. Default: 4.
    pub groups: usize,
    /// Tasks of a group. Default: 8.
    pub tasks: usize,
    /// Discount γ of backprop: how far a step is credited with later losses. Default: 0.5.
    pub discount: f64,
    /// Weight of the distance to known minimizers in the meta-loss of backprop. Default: 0.
    pub distance: f64,
    /// Standard deviation σ of the perturbations of evolution strategies. Default: 0.01.
    pub deviation: f64,
    /// Prefixes of the names of tensors that are trained; all when empty. Default: empty.
    pub parameters: Vec<String>,
    /// Longest gradient. Default: 1.
    pub clip: f64,
}

impl Default for Stage {
    fn default() -> Self {
        Self {
            estimator: Estimator::Backprop,
            steps: 1000,
            learning_rate: 5e-4,
            horizon: 200,
            truncation: 20,
            groups: 4,
            tasks: 8,
            discount: 0.5,
            distance: 0.0,
            deviation: 0.01,
            parameters: Vec::new(),
            clip: 1.0,
        }
    }
}

/// Where meta-gradients come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// Backpropagation through a truncation, with the inner gradients held constant.
    Backprop,
    /// Persistent evolution strategies.
    Pes,
    /// Noise-reuse evolution strategies.
    Nres,
}

/// How progress is measured: on tasks that stay the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValidationSettings {
    /// Outer steps between validations. Default: 100.
    pub every: usize,
    /// Batches of tasks. Default: 8.
    pub batches: usize,
    /// Tasks of a batch. Default: 15.
    pub tasks: usize,
    /// Inner steps. Default: 200.
    pub horizon: usize,
}

impl Default for ValidationSettings {
    fn default() -> Self {
        Self {
            every: 100,
            batches: 8,
            tasks: 15,
            horizon: 200,
        }
    }
}

impl Settings {
    /// Outer steps of all stages.
    pub fn steps(&self) -> usize {
        self.stages.iter().map(|stage| stage.steps).sum()
    }

    /// Checks every number.
    ///
    /// # Errors
    /// [`Error::Input`] naming `origin`, the stage and the field.
    pub fn check(&self, origin: &str) -> Result<()> {
        if self.stages.is_empty() {
            return Err(Error::input(origin, "stages", "none", "give at least one"));
        }
        if !(0.0..1.0).contains(&self.averaging) {
            let advice = "give a number of at least 0 and below 1";
            return Err(Error::input(origin, "averaging", self.averaging, advice));
        }
        for (i, stage) in self.stages.iter().enumerate() {
            let counts = [
                ("steps", stage.steps),
                ("truncation", stage.truncation),
                ("groups", stage.groups),
                ("tasks", stage.tasks),
            ];
            for (field, value) in counts {
                count(origin, &format!("stages[{i}].{field}"), value)?;
            }
            if stage.horizon == 0 || !stage.horizon.is_multiple_of(stage.truncation) {
                let advice = format!("give a multiple of truncation ({})", stage.truncation);
                let field = format!("stages[{i}].horizon");
                return Err(Error::input(origin, field, stage.horizon, advice));
            }
            if !(0.0..=1.0).contains(&stage.discount) {
                let field = format!("stages[{i}].discount");
                let advice = "give a number from 0 to 1";
                return Err(Error::input(origin, field, stage.discount, advice));
            }
            if !(stage.distance.is_finite() && stage.distance >= 0.0) {
                let field = format!("stages[{i}].distance");
                let advice = "give a number of at least 0";
                return Err(Error::input(origin, field, stage.distance, advice));
            }
            let numbers = [
                ("learning_rate", stage.learning_rate),
                ("deviation", stage.deviation),
                ("clip", stage.clip),
            ];
            for (field, value) in numbers {
                if !(value.is_finite() && value > 0.0) {
                    let field = format!("stages[{i}].{field}");
                    return Err(Error::input(origin, field, value, "give a positive number"));
                }
            }
        }
        let validation = &self.validation;
        count(origin, "validation.every", validation.every)?;
        count(origin, "validation.batches", validation.batches)?;
        count(origin, "validation.tasks", validation.tasks)?;
        count(origin, "validation.horizon", validation.horizon)
    }
}

/// Counts that are taken for meant.
const COUNTS: std::ops::RangeInclusive<usize> = 1..=1_000_000;

fn count(origin: &str, field: &str, value: usize) -> Result<()> {
    if !COUNTS.contains(&value) {
        let (least, most) = COUNTS.into_inner();
        let advice = format!("give a whole number from {least} to {most}");
        Err(Error::input(origin, field, value, advice))
    } else {
        Ok(())
    }
}
