//! A learned optimizer with curvature that looks before it leaps.
//!
//! A Jacobian costs as much as ten values or more. So the network's step is tried by its value first, and shares
//! of it where it does not lower the loss; only from a point that is lower does the network get its closer look.
//! Where the objective has an estimate of the Jacobian at the initial point, the first step is made from that.
//! It is what [`LevenbergMarquardt`](crate::optim::LevenbergMarquardt) does with its dampings; the network
//! knows nothing of it.

use super::{Batch, Learned};
use crate::error::Result;
use crate::objective::{Evaluation, Order, gram};
use crate::optim::{Optimizer, Query};

/// What is left of a step that did not lower the value, and the number of shares that are tried.
const SHARE: f64 = 0.4;
const TRIALS: usize = 4;

/// Ends once a step from a Jacobian, not an estimate, lowers the value by less than this share of it: as
/// much as Levenberg–Marquardt asks for.
const STALL: f64 = 0.1;

/// A network that sees the Gauss–Newton matrix, and trials of its steps.
#[derive(Clone, Debug)]
pub struct Searched {
    learned: Learned,
}

/// Where a run is.
#[derive(Clone, Debug)]
pub struct SearchedState {
    /// The point that was looked at closely last, `(N,)`, and its value.
    x: Vec<f64>,
    value: f64,
    network: Batch,
    /// The network's step from there, `(N,)`, and the share of it that is tried.
    step: Vec<f64>,
    share: f64,
    trial: Vec<f64>,
    tried: usize,
    /// Whether the step comes from a Jacobian at `x`, not from an estimate.
    is_fresh: bool,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// The value at the initial point is needed: it may be good enough.
    Look,
    /// An estimate of the Jacobian there is welcome.
    Estimate,
    /// A close look at `x` is needed.
    Linearize,
    /// The value at `trial` is needed.
    Try,
    Done,
}

impl Searched {
    /// Around `learned`, whose network sees the Gauss–Newton matrix.
    pub fn new(learned: Learned) -> Self {
        Self { learned }
    }

    /// Tells the network what was seen at `x` and tries its step.
    fn propose(&self, state: &mut SearchedState, seen: &Evaluation) -> Result<()> {
        state.value = seen.value;
        state.network.move_to(&state.x);
        self.learned.tell(&mut state.network, seen)?;
        let next = state.network.point(0).iter();
        state.step = next.zip(&state.x).map(|(next, x)| next - x).collect();
        (state.share, state.tried) = (1.0, 0);
        state.trial = state.point(1.0);
        state.stage = Stage::Try;
        Ok(())
    }

    /// Takes in the value at the trial point.
    fn judge(&self, state: &mut SearchedState, value: f64) {
        state.tried += 1;
        if value < state.value {
            let gained = (state.value - value) / state.value;
            state.value = value;
            state.x.copy_from_slice(&state.trial);
            state.stage = match state.is_fresh && gained < STALL {
                true => Stage::Done,
                false => Stage::Linearize,
            };
        } else if !state.is_fresh {
            state.network = self.learned.init(&state.x);
            state.stage = Stage::Linearize;
        } else if state.tried < TRIALS {
            state.share *= SHARE;
            state.trial = state.point(state.share);
        } else {
            state.stage = Stage::Done;
        }
    }
}

impl SearchedState {
    /// The point at `share` of the step.
    fn point(&self, share: f64) -> Vec<f64> {
        let moved = self.x.iter().zip(&self.step);
        moved.map(|(x, step)| x + share * step).collect()
    }
}

impl Optimizer for Searched {
    type State = SearchedState;

    fn init(&self, x0: &[f64]) -> SearchedState {
        SearchedState {
            x: x0.to_vec(),
            value: f64::INFINITY,
            network: self.learned.init(x0),
            step: vec![0.0; x0.len()],
            share: 1.0,
            trial: x0.to_vec(),
            tried: 0,
            is_fresh: false,
            stage: Stage::Look,
        }
    }

    fn ask<'s>(&self, state: &'s SearchedState) -> Query<'s> {
        let (x, order) = match state.stage {
            Stage::Look => (&state.x, Order::Value),
            Stage::Estimate => (&state.x, Order::Estimate),
            Stage::Linearize => (&state.x, Order::Curvature),
            Stage::Try | Stage::Done => (&state.trial, Order::Value),
        };
        Query { x, order }
    }

    fn tell(&self, state: &mut SearchedState, evaluation: &Evaluation) -> Result<()> {
        match state.stage {
            Stage::Done => {}
            Stage::Look => state.stage = Stage::Estimate,
            Stage::Estimate => match (&evaluation.residuals, &evaluation.jacobian) {
                (Some(residuals), Some(jacobian)) => {
                    let estimate = Evaluation {
                        value: evaluation.value,
                        gradient: jacobian.tr_mul(residuals).as_slice().to_vec(),
                        curvature: Some(gram(jacobian)),
                        ..Evaluation::default()
                    };
                    state.is_fresh = false;
                    self.propose(state, &estimate)?;
                }
                _ => state.stage = Stage::Linearize,
            },
            Stage::Linearize => {
                state.is_fresh = true;
                self.propose(state, evaluation)?;
            }
            Stage::Try => self.judge(state, evaluation.value),
        }
        Ok(())
    }

    fn ahead(&self, state: &SearchedState, count: usize) -> Vec<Vec<f64>> {
        if state.stage != Stage::Try || !state.is_fresh {
            return Vec::new();
        }
        let left = TRIALS.saturating_sub(state.tried + 1).min(count);
        let shares = std::iter::successors(Some(state.share * SHARE), |share| Some(share * SHARE));
        shares.take(left).map(|share| state.point(share)).collect()
    }

    fn converged(&self, state: &SearchedState) -> bool {
        state.stage == Stage::Done
    }
}

#[cfg(test)]
mod tests;
