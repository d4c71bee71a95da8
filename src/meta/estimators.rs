//! What a stage trains and how: its estimator, learning rate, seed and mask.

use crate::error::{Error, Result};
use crate::learned::{Batch, Network};
use crate::objective::{Rng, Task};

use super::{Backprop, Estimate, Estimator, Evolution, GradientEstimator, Group, Kind, Stage};

impl Stage {
    /// Inner states of a group.
    pub(super) fn sides(&self) -> usize {
        match self.estimator {
            Estimator::Backprop => 1,
            Estimator::Pes | Estimator::Nres => 2,
        }
    }

    /// Rises to `learning_rate` over the first steps, then falls to a tenth of it along a cosine.
    pub(super) fn learning_rate_at(&self, step: usize) -> f64 {
        let warm_up = (self.steps as f64 / 10.0).clamp(1.0, 100.0);
        let done = step as f64 / self.steps as f64;
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        let warm = ((step + 1) as f64 / warm_up).min(1.0);
        self.learning_rate * warm * (0.1 + 0.9 * cosine)
    }
}

/// Tasks and perturbations of a stage have a seed of their own.
pub(super) fn stage_seed(seed: u64, stage: usize) -> u64 {
    seed.wrapping_add((stage as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// Leaves only the parts of `gradient` that the stage trains.
pub(super) fn mask(network: &Network, stage: &Stage, gradient: &mut [f32]) {
    for (g, is_trained) in gradient.iter_mut().zip(trained(network, stage)) {
        if !is_trained {
            *g = 0.0;
        }
    }
}

/// Which meta-parameters the stage trains; empty when it trains all.
fn trained(network: &Network, stage: &Stage) -> Vec<bool> {
    if stage.parameters.is_empty() {
        return Vec::new();
    }
    let parameters = network.layout().parameters().iter();
    parameters
        .flat_map(|parameter| {
            let is_trained = stage
                .parameters
                .iter()
                .any(|prefix| parameter.name.starts_with(prefix));
            std::iter::repeat_n(is_trained, parameter.len())
        })
        .collect()
}

/// Refuses names of parameters that `network` does not have: a stage would train nothing of them.
pub(super) fn check_parameters(network: &Network, stages: &[Stage]) -> Result<()> {
    let layout = network.layout();
    for (i, stage) in stages.iter().enumerate() {
        let is_known = |prefix: &&String| {
            let mut parameters = layout.parameters().iter();
            parameters.any(|parameter| parameter.name.starts_with(*prefix))
        };
        if let Some(prefix) = stage.parameters.iter().find(|prefix| !is_known(prefix)) {
            let mut names: Vec<&str> = (layout.parameters().iter())
                .filter_map(|parameter| parameter.name.split('.').next())
                .collect();
            names.dedup();
            let field = format!("stages[{i}].parameters");
            let advice = format!("give beginnings of {}", names.join(", "));
            let found = format!("`{prefix}`");
            return Err(Error::input("training", field, found, advice));
        }
    }
    Ok(())
}

/// The estimator that a stage names.
pub(super) enum AnyEstimator {
    Backprop(Backprop),
    Evolution(Evolution),
}

impl AnyEstimator {
    pub fn new(network: &Network, stage: &Stage, seed: u64) -> Self {
        let kind = match stage.estimator {
            Estimator::Backprop => {
                return Self::Backprop(Backprop {
                    truncation: stage.truncation,
                    discount: stage.discount,
                    distance: stage.distance,
                    clip: 1.0,
                });
            }
            Estimator::Pes => Kind::Persistent,
            Estimator::Nres => Kind::NoiseReuse,
        };
        Self::Evolution(Evolution {
            kind,
            deviation: stage.deviation,
            truncation: stage.truncation,
            seed,
            mask: trained(network, stage),
        })
    }

    pub fn estimate<T: Task>(
        &self,
        network: &Network,
        theta: &[f32],
        group: &mut Group<Batch>,
        tasks: &[T],
        rng: &mut Rng,
    ) -> Result<Estimate> {
        match self {
            Self::Backprop(backprop) => backprop.estimate(network, theta, group, tasks, rng),
            Self::Evolution(evolution) => evolution.estimate(network, theta, group, tasks, rng),
        }
    }
}
