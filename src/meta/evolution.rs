//! Evolution strategies over unrolls: antithetic pairs, gradients from differences of losses.
//!
//! # References
//! * P. Vicol, L. Metz, J. Sohl-Dickstein, "Unbiased gradient estimation in unrolled computation
//!   graphs with persistent evolution strategies", ICML 2021 (PES).
//! * O. Li, J. Harrison, J. Sohl-Dickstein, V. Smith, L. Metz, "Variance-reduced gradient
//!   estimation via noise-reuse in online evolution strategies", NeurIPS 2023 (NRES).

use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use crate::error::Result;
use crate::learned::LearnedOptimizer;
use crate::objective::{Rng, Task};

use super::group::{Estimate, GradientEstimator, Group, look, mean_loss};

/// Which perturbations meet which losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A fresh perturbation ε in every truncation; the losses of a truncation are credited to ξ,
    /// the sum of all perturbations since the start of the episode, this one included.
    ///
    /// Episodes end with a truncation, so no loss is credited to the wrong episode.
    Persistent,
    /// One perturbation for a whole episode: ξ = ε throughout.
    NoiseReuse,
}

/// PES and NRES.
#[derive(Clone, Debug)]
pub struct Evolution {
    /// Which of the two.
    pub kind: Kind,
    /// σ, the standard deviation of a perturbation.
    pub deviation: f64,
    /// Inner steps per outer step.
    pub truncation: usize,
    /// Seed of the perturbations that last for an episode.
    pub seed: u64,
    /// Whether a meta-parameter is perturbed, `(meta_parameters,)`; empty when all are.
    pub mask: Vec<bool>,
}

impl Evolution {
    fn perturbation(&self, n: usize, rng: &mut Rng) -> Vec<f32> {
        let deviation = self.deviation as f32;
        let mut epsilon: Vec<f32> = (0..n)
            .map(|_| {
                let z: f32 = StandardNormal.sample(rng);
                deviation * z
            })
            .collect();
        for (epsilon, is_perturbed) in epsilon.iter_mut().zip(&self.mask) {
            *epsilon *= f32::from(u8::from(*is_perturbed));
        }
        epsilon
    }
}

/// A stream that no task is drawn from.
fn noise_stream(group: u64, episode: u64) -> u64 {
    (1 << 63) | (group << 32) | episode
}

impl<L: LearnedOptimizer> GradientEstimator<L> for Evolution {
    fn sides(&self) -> usize {
        2
    }

    /// ∇ ≈ ξ (L(θ + ε) − L(θ − ε)) / (2σ²), with L the mean loss of the truncation.
    fn estimate<T: Task>(
        &self,
        learned: &L,
        theta: &[f32],
        group: &mut Group<L::State>,
        tasks: &[T],
        rng: &mut Rng,
    ) -> Result<Estimate> {
        let n = learned.meta_parameters();
        let epsilon = match self.kind {
            Kind::Persistent => self.perturbation(n, rng),
            Kind::NoiseReuse => {
                // The same stream in every truncation of the episode.
                let mut rng = Rng::seed_from_u64(self.seed);
                rng.set_stream(noise_stream(group.number, group.episode));
                self.perturbation(n, &mut rng)
            }
        };
        let accumulator = &mut group.accumulator;
        accumulator.resize(n, 0.0);
        match self.kind {
            Kind::Persistent => accumulator
                .iter_mut()
                .zip(&epsilon)
                .for_each(|(xi, e)| *xi += e),
            Kind::NoiseReuse => accumulator.copy_from_slice(&epsilon),
        }
        let mut losses = [0.0; 2];
        for (side, (state, sign)) in group.sides.iter_mut().zip([1.0, -1.0]).enumerate() {
            let perturbed: Vec<f32> = theta
                .iter()
                .zip(&epsilon)
                .map(|(t, e)| t + sign * e)
                .collect();
            let rule = learned.rule(&perturbed)?;
            for _ in 0..self.truncation {
                let evaluations = look(learned, state, tasks);
                losses[side] += mean_loss(tasks, &evaluations) / self.truncation as f64;
                learned.tell(&rule, state, &evaluations)?;
            }
        }
        group.step += self.truncation;
        let factor = ((losses[0] - losses[1]) / (2.0 * self.deviation.powi(2))) as f32;
        Ok(Estimate {
            gradient: group.accumulator.iter().map(|xi| factor * xi).collect(),
            loss: 0.5 * (losses[0] + losses[1]),
            evaluations: (2 * self.truncation * tasks.len()) as u64,
        })
    }
}
