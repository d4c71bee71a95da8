//! A learned optimizer with curvature that looks before it leaps.
//!
//! A Jacobian costs as much as ten values or more, and values of several points cost little more than one where they
//! are simulated side by side. So the network's step is tried by its value, beside Levenberg–Marquardt's with
//! three dampings, and the search goes on from the lowest point; only there does the network get its closer look.
//! Where the objective has an estimate of the Jacobian at the initial point, the first steps are made from that.
//! The network knows nothing of it.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};

use super::{Batch, Learned};
use crate::error::Result;
use crate::objective::{Evaluation, Order};
use crate::optim::{LevenbergMarquardt, Metric, Optimizer, Query, Stage, Whitening, damped_step};

/// Factors of the damping λ that are tried at first, and once nothing at first has lowered the value.
const SPREAD: [f64; 3] = [1.0, 0.25, 4.0];
const CAUTIOUS: [f64; 3] = [16.0, 64.0, 256.0];

/// A network that sees the Gauss–Newton matrix, and trials of its steps.
#[derive(Clone, Debug)]
pub struct Searched {
    learned: Learned,
    /// The metric in whose variables the network works; the classical steps are made in those of the objective.
    metric: Option<Metric>,
    /// What makes the steps beside the network's, and says when to end.
    classical: LevenbergMarquardt,
}

/// Where a run is.
#[derive(Clone, Debug)]
pub struct SearchedState {
    /// The point that was looked at closely last, or that will be, `(N,)`, and its value.
    x: Vec<f64>,
    value: f64,
    network: Batch,
    whitening: Option<Arc<Whitening>>,
    /// JᵀJ and Jᵀr at `x`.
    normal: (DMatrix<f64>, DVector<f64>),
    damping: f64,
    /// Points that are tried, the damping of each that has one, and how many were looked at.
    trials: Vec<(Vec<f64>, Option<f64>)>,
    tried: usize,
    /// The lowest of them so far, if it is lower than `value`: its number and value.
    lowest: Option<(usize, f64)>,
    /// Whether the steps come from a Jacobian at `x`, not from an estimate.
    is_fresh: bool,
    /// Whether the steps are those of a second attempt.
    is_cautious: bool,
    stage: Stage,
}

impl Searched {
    /// Around `learned`, whose network sees the Gauss–Newton matrix and works in the variables of `metric`.
    pub fn new(learned: Learned, metric: Option<Metric>) -> Self {
        Self {
            learned,
            metric,
            classical: LevenbergMarquardt::default(),
        }
    }

    /// A network that has seen nothing yet, at `x: (N,)`.
    fn network_at(&self, x: &[f64], whitening: Option<&Whitening>) -> Batch {
        match whitening {
            Some(whitening) => self.learned.init(&whitening.whiten(x)),
            None => self.learned.init(x),
        }
    }

    /// The point that the network goes to once it has `seen` what is at `x`.
    fn networks_point(&self, state: &mut SearchedState, seen: &Evaluation) -> Result<Vec<f64>> {
        let Some(whitening) = &state.whitening else {
            state.network.move_to(&state.x);
            self.learned.tell(&mut state.network, seen)?;
            return Ok(state.network.point(0).to_vec());
        };
        let curvature = seen.curvature.clone();
        let whitened = Evaluation {
            value: seen.value,
            gradient: whitening.whiten_gradient(&seen.gradient),
            curvature: curvature.map(|curvature| whitening.whiten_curvature(curvature)),
            ..Evaluation::default()
        };
        state.network.move_to(&whitening.whiten(&state.x));
        self.learned.tell(&mut state.network, &whitened)?;
        Ok(whitening.color(state.network.point(0)))
    }

    /// Tells the network what was seen at `x` and tries its step, and others.
    fn propose(&self, state: &mut SearchedState, seen: &Evaluation) -> Result<()> {
        state.value = seen.value;
        let step = (self.networks_point(state, seen)?, None);
        if let Some(curvature) = &seen.curvature {
            let gradient = DVector::from_column_slice(&seen.gradient);
            state.normal = (curvature.clone(), gradient);
        }
        self.try_points(state, vec![step], &SPREAD);
        Ok(())
    }

    /// Tries `points`, and the classical steps with `factors` of the damping.
    fn try_points(
        &self,
        state: &mut SearchedState,
        mut points: Vec<(Vec<f64>, Option<f64>)>,
        factors: &[f64],
    ) {
        let (normal, gradient) = (&state.normal.0, &state.normal.1);
        // An objective that is no sum of squares has the network's steps alone.
        let factors = if gradient.is_empty() { &[] } else { factors };
        for factor in factors {
            let damping = factor * state.damping;
            let step = damped_step((normal, gradient), damping, self.classical.scaling_floor);
            if let Some(step) = step {
                let moved = state.x.iter().zip(&step).map(|(x, step)| x + step);
                points.push((moved.collect(), Some(damping)));
            }
        }
        state.trials = points;
        (state.tried, state.lowest) = (0, None);
        state.stage = match state.trials.is_empty() {
            true => Stage::Done,
            false => Stage::Try,
        };
    }

    /// Takes in the value at the trial at hand.
    fn judge(&self, state: &mut SearchedState, value: f64) {
        let bound = state.lowest.map_or(state.value, |(_, lowest)| lowest);
        if value < bound {
            state.lowest = Some((state.tried, value));
        }
        state.tried += 1;
        if state.tried < state.trials.len() {
            return;
        }
        match state.lowest {
            Some((best, lowest)) => {
                let (x, damping) = state.trials.swap_remove(best);
                let gained = (state.value - lowest) / state.value;
                (state.x, state.value) = (x, lowest);
                state.damping = damping.unwrap_or(state.damping);
                let is_done = state.is_fresh && gained < self.classical.stall;
                state.stage = if is_done {
                    Stage::Done
                } else {
                    Stage::Linearize
                };
                state.is_cautious = false;
            }
            None if !state.is_fresh => {
                state.network = self.network_at(&state.x, state.whitening.as_deref());
                state.stage = Stage::Linearize;
            }
            None if !state.is_cautious => {
                state.is_cautious = true;
                self.try_points(state, Vec::new(), &CAUTIOUS);
            }
            None => state.stage = Stage::Done,
        }
    }
}

impl Optimizer for Searched {
    type State = SearchedState;

    fn init(&self, x0: &[f64]) -> SearchedState {
        let whitening = self.metric.as_ref();
        let whitening = whitening.map(|metric| Arc::new(metric.whitening(x0.len())));
        SearchedState {
            x: x0.to_vec(),
            value: f64::INFINITY,
            network: self.network_at(x0, whitening.as_deref()),
            whitening,
            normal: (DMatrix::zeros(0, 0), DVector::zeros(0)),
            damping: self.classical.initial_damping,
            trials: Vec::new(),
            tried: 0,
            lowest: None,
            is_fresh: false,
            is_cautious: false,
            stage: Stage::Look,
        }
    }

    fn ask<'s>(&self, state: &'s SearchedState) -> Query<'s> {
        let trial = state.trials.get(state.tried);
        let trial = trial.map_or(&state.x, |(point, _)| point);
        let (x, order) = match state.stage {
            Stage::Look => (&state.x, Order::Value),
            Stage::Estimate => (&state.x, Order::EstimatedCurvature),
            Stage::Linearize => (&state.x, Order::Curvature),
            Stage::Try | Stage::Done => (trial, Order::Value),
        };
        Query { x, order }
    }

    fn tell(&self, state: &mut SearchedState, evaluation: &Evaluation) -> Result<()> {
        match state.stage {
            Stage::Done => {}
            Stage::Look => state.stage = Stage::Estimate,
            Stage::Estimate if evaluation.curvature.is_some() => {
                state.is_fresh = false;
                self.propose(state, evaluation)?;
            }
            Stage::Estimate => state.stage = Stage::Linearize,
            Stage::Linearize => {
                state.is_fresh = true;
                self.propose(state, evaluation)?;
            }
            Stage::Try => self.judge(state, evaluation.value),
        }
        Ok(())
    }

    fn ahead(&self, state: &SearchedState, count: usize) -> Vec<Vec<f64>> {
        if state.stage != Stage::Try {
            return Vec::new();
        }
        let next = state.trials.iter().skip(state.tried + 1).take(count);
        next.map(|(point, _)| point.clone()).collect()
    }

    fn converged(&self, state: &SearchedState) -> bool {
        state.stage == Stage::Done
    }
}

#[cfg(test)]
mod tests;
