//! First-order backpropagation through a truncation.
//!
//! The inner gradients g_t, and with them all features, are constants (Andrychowicz et al. 2016),
//! so a later point depends on θ only through the steps before it, x_t = x_0 + Σ_{s<t} σ_s Δ_s(θ).
//! The derivative of the loss is then Σ_s ⟨σ_s Σ_{t>s} γᵗ⁻ˢ⁻¹ ∂ℓ_t/∂x_t, ∂Δ_s/∂θ⟩ with gradients that
//! the unroll has computed anyway: no evaluation more than a plain unroll.
//!
//! # References
//! * M. Andrychowicz et al., "Learning to learn by gradient descent by gradient descent",
//!   NeurIPS 2016.

use std::f64::consts::LN_10;

use candle_core::{Device, Tensor};

use crate::error::Result;
use crate::learned::{LearnedOptimizer, Network};
use crate::objective::{Evaluation, Rng, Task};

use super::group::{Estimate, GradientEstimator, Group, look, mean_loss};

/// First-order truncated backpropagation.
#[derive(Clone, Debug)]
pub struct Backprop {
    /// Inner steps per outer step, and how far a step's consequences are followed.
    pub truncation: usize,
    /// γ: how much less a loss counts for a step with every inner step between them.
    ///
    /// With γ = 1 a step is credited with all that later steps will have to do as well: it
    /// overshoots, and oscillation looks optimal, since its slopes cancel.
    pub discount: f64,
    /// Weight of log₁₀ ‖x − x*‖² beside the normalized value in the meta-loss, for tasks whose
    /// minimizer x* is known: the pull towards the global minimum that a local gradient lacks.
    pub distance: f64,
    /// Length that σ ∂ℓ/∂x of one task is brought to in every inner step.
    pub clip: f64,
}

impl GradientEstimator<Network> for Backprop {
    fn sides(&self) -> usize {
        1
    }

    fn estimate<T: Task>(
        &self,
        network: &Network,
        theta: &[f32],
        group: &mut Group<<Network as LearnedOptimizer>::State>,
        tasks: &[T],
        _: &mut Rng,
    ) -> Result<Estimate> {
        let rule = network.differentiable(theta)?;
        let batch = &mut group.sides[0];
        let mut seen = group.seen.take();
        let (mut steps, mut scales, mut slopes) = (Vec::new(), Vec::new(), Vec::new());
        let mut tapes = Vec::new();
        let mut loss = 0.0;
        let targets: Vec<Option<Vec<f64>>> = if self.distance > 0.0 {
            tasks.iter().map(Task::known_minimizer).collect()
        } else {
            vec![None; tasks.len()]
        };
        for t in 0..=self.truncation {
            let evaluations = seen.take().unwrap_or_else(|| look(network, batch, tasks));
            let targets = targets.iter().map(Option::as_deref);
            slopes.push(self.loss_slopes(network, batch, tasks, targets, &evaluations));
            if t == self.truncation {
                group.seen = Some(evaluations); // where the next truncation starts from
                break;
            }
            loss += mean_loss(tasks, &evaluations) / self.truncation as f64;
            let advance = network.advance(&rule, batch, &evaluations)?;
            steps.push(advance.steps);
            scales.push(advance.scales);
            tapes.extend(advance.tape);
        }
        batch.detach();
        let mut surrogate = Tensor::zeros((), candle_core::DType::F32, &Device::Cpu)?;
        let mut future: Vec<Vec<f64>> = slopes[self.truncation].clone();
        for s in (0..self.truncation).rev() {
            let cotangent = cotangent(&future, &scales[s], self.clip);
            let cotangent = Tensor::from_vec(cotangent, steps[s].shape(), &Device::Cpu)?;
            surrogate = (surrogate + (&steps[s] * cotangent)?.sum_all()?)?;
            for (future, slope) in future.iter_mut().zip(&slopes[s]) {
                let sums = future.iter_mut().zip(slope);
                sums.for_each(|(future, slope)| *future = self.discount * *future + slope);
            }
        }
        let weight = (self.truncation * tasks.len()) as f64;
        let gradient = network.gradient(&rule, &(surrogate / weight)?, tapes)?;
        let points = self.truncation + usize::from(group.step == 0);
        group.step += self.truncation;
        Ok(Estimate {
            gradient,
            loss,
            evaluations: (points * tasks.len()) as u64,
        })
    }
}

/// Slopes shorter than this share of the longest are not blown up to it.
const FAINT: f64 = 0.002;

/// σ Σ ∂ℓ/∂x of every task, brought to a length just below `longest` whatever the task, unless it
/// is [`FAINT`], `(B · N,)`.
///
/// Without this, tasks that converge drown those that are stuck among local minima, whose
/// normalized loss hardly changes.
fn cotangent(future: &[Vec<f64>], scales: &[f64], longest: f64) -> Vec<f32> {
    let mut all = Vec::new();
    for (slope, scale) in future.iter().zip(scales) {
        let length = scale * slope.iter().map(|s| s * s).sum::<f64>().sqrt();
        let factor = if length.is_finite() {
            scale * longest / (length + FAINT * longest)
        } else {
            0.0
        };
        all.extend(slope.iter().map(|s| (factor * s) as f32));
    }
    all
}

impl Backprop {
    /// ∂ℓ/∂x of every task, `(B, N)`; zero where the loss is not finite or below what is told
    /// apart.
    fn loss_slopes<'t, T: Task>(
        &self,
        network: &Network,
        batch: &<Network as LearnedOptimizer>::State,
        tasks: &[T],
        targets: impl Iterator<Item = Option<&'t [f64]>>,
        evaluations: &[Evaluation],
    ) -> Vec<Vec<f64>> {
        tasks
            .iter()
            .zip(evaluations)
            .zip(targets)
            .enumerate()
            .map(|(b, ((task, seen), target))| {
                let slope = task.normalize_slope(seen.value);
                let mut slopes: Vec<f64> = seen.gradient.iter().map(|g| slope * g).collect();
                if let Some(target) = target.filter(|_| slope > 0.0) {
                    let x = network.point(batch, b).iter();
                    let apart: Vec<f64> = x.zip(target).map(|(x, t)| x - t).collect();
                    let square: f64 = apart.iter().map(|d| d * d).sum();
                    let factor = self.distance * 2.0 / (LN_10 * square.max(1e-300));
                    let sums = slopes.iter_mut().zip(apart);
                    sums.for_each(|(slope, apart)| *slope += factor * apart);
                }
                for slope in slopes.iter_mut().filter(|slope| !slope.is_finite()) {
                    *slope = 0.0;
                }
                slopes
            })
            .collect()
    }
}
