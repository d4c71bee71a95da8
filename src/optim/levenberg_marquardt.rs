//! Levenberg–Marquardt for half sums of squares.
//!
//! At xₖ with residuals r and Jacobian J the step solves (JᵀJ + λ D) p = −Jᵀr with
//! D = diag(JᵀJ) (bounded below); it is accepted when the loss falls, and λ follows the ratio of
//! actual to predicted reduction (Nielsen 1999). A trial point costs one look at the residuals. Where the
//! objective has an estimate of the Jacobian at the initial point, the first step is tried with that.
//!
//! A Jacobian by finite differences costs as much as ten trials or more, so that several λ may be tried
//! from one linearization and the lowest point kept (`lm-search`): a line search along the curve
//! from Newton's step to steepest descent.
//!
//! # References
//! K. Levenberg 1944; D. Marquardt 1963; H. B. Nielsen, "Damping parameter in Marquardt's method",
//! IMM-REP-1999-05.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::{Optimizer, Query};
use crate::error::{Error, Result};
use crate::objective::{Evaluation, Order, gram};

/// Levenberg–Marquardt with Marquardt's scaling and Nielsen's damping rule.
#[derive(Clone, Debug, PartialEq)]
pub struct LevenbergMarquardt {
    /// λ before the first step, relative to D. Default: 1e-2.
    pub initial_damping: f64,
    /// Lower bound of the entries of D, as a share of its largest. Default: 1e-4. Raising it keeps
    /// steps along insensitive parameters short.
    pub scaling_floor: f64,
    /// Converged once the gradient's largest entry is below. Default: 1e-8.
    pub gradient_tolerance: f64,
    /// Converged once an accepted step lowers the value by less than this share of it.
    /// Default: 0.1, below which a window gains less than the next one will.
    pub stall: f64,
    /// Gives up after this many rejected steps in a row. Default: 6.
    pub rejections: usize,
    /// Steps tried from one linearization at most: after one that lowers the value, others with λ a
    /// factor 4 apart are tried as long as they are lower still. Default: 1. More pay where a
    /// Jacobian costs much more than a value.
    pub trials: usize,
}

/// The factor between the λ of two trials from one linearization.
const SPREAD: f64 = 4.0;

impl Default for LevenbergMarquardt {
    fn default() -> Self {
        Self {
            initial_damping: 1e-2,
            scaling_floor: 1e-4,
            gradient_tolerance: 1e-8,
            stall: 0.1,
            rejections: 6,
            trials: 1,
        }
    }
}

/// What evolves.
#[derive(Clone, Debug)]
pub struct State {
    x: DVector<f64>,
    trial: DVector<f64>,
    value: f64,
    /// JᵀJ.
    normal: DMatrix<f64>,
    /// Whether J was evaluated at `x`, not estimated.
    fresh: bool,
    /// Jᵀr.
    gradient: DVector<f64>,
    damping: f64,
    /// Nielsen's ν, the factor of the next raise of λ.
    raise: f64,
    predicted: f64,
    rejected: usize,
    /// Trials from the linearization at hand, and the lowest of them.
    tried: usize,
    lowest: Option<Trial>,
    stage: Stage,
}

/// A trial that lowered the value.
#[derive(Clone, Debug)]
struct Trial {
    x: DVector<f64>,
    value: f64,
    damping: f64,
}

/// What a search by values wants to know next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stage {
    /// The value at the initial point is needed: it may be good enough.
    Look,
    /// An estimate of the Jacobian, or of the curvature, there is welcome.
    Estimate,
    /// A close look at the point at hand is needed.
    Linearize,
    /// The value at the next trial is needed.
    Try,
    Done,
}

impl LevenbergMarquardt {
    /// Forms the normal equations and proposes the first step from a linearization.
    fn normalize(&self, state: &mut State, gradient: DVector<f64>, jacobian: &DMatrix<f64>) {
        state.normal = gram(jacobian);
        state.tried = 0;
        state.gradient = gradient;
        let finite = state.value.is_finite() && state.normal.iter().all(|v| v.is_finite());
        if !finite || state.gradient.amax() <= self.gradient_tolerance {
            Self::end_or_linearize(state);
        } else {
            self.propose(state);
        }
    }

    /// Goes on from the trial point, with less damping where it did what was predicted.
    fn accept(&self, state: &mut State, value: f64, ratio: f64) {
        let shrink = 1.0 - (2.0 * ratio.min(1.5) - 1.0).powi(3);
        state.damping = (state.damping * shrink.max(1.0 / 3.0)).max(1e-12);
        self.advance(state, value);
    }

    /// Goes on from the trial point.
    fn advance(&self, state: &mut State, value: f64) {
        let gained = (state.value - value) / state.value;
        state.raise = 2.0;
        state.rejected = 0;
        state.x.copy_from(&state.trial);
        state.value = value;
        match gained < self.stall {
            true => Self::end_or_linearize(state),
            false => state.stage = Stage::Linearize,
        }
    }

    /// Ends if the Jacobian was evaluated at `x`; otherwise asks for it, for that an estimate does not
    /// help says little.
    fn end_or_linearize(state: &mut State) {
        state.stage = match state.fresh {
            true => Stage::Done,
            false => Stage::Linearize,
        };
    }

    /// After a trial that lowers the value: tries a neighbouring λ while that is lower still.
    fn look_around(&self, state: &mut State, value: f64, ratio: f64) {
        let way = match state.lowest.take() {
            Some(lowest) if lowest.value <= value => return self.settle(state, lowest),
            Some(lowest) => state.damping / lowest.damping,
            // A step that does what was predicted may be longer.
            None if ratio > 0.5 => SPREAD.recip(),
            None => SPREAD,
        };
        let lowest = Trial {
            x: state.trial.clone(),
            value,
            damping: state.damping,
        };
        if state.tried >= self.trials {
            return self.settle(state, lowest);
        }
        state.lowest = Some(lowest);
        state.damping *= way;
        self.propose(state);
    }

    /// Goes on from the lowest of several trials.
    fn settle(&self, state: &mut State, lowest: Trial) {
        state.trial = lowest.x;
        state.damping = lowest.damping;
        self.advance(state, lowest.value);
    }

    fn reject(&self, state: &mut State) {
        if !state.fresh {
            state.stage = Stage::Linearize;
            return;
        }
        state.rejected += 1;
        state.damping *= state.raise;
        state.raise *= 2.0;
        if state.rejected < self.rejections {
            self.propose(state);
        } else {
            state.stage = Stage::Done;
        }
    }

    /// λ of the trials that may follow the one at hand, the likeliest first.
    fn dampings_ahead(&self, state: &State) -> Vec<f64> {
        let left = self.trials.saturating_sub(state.tried + 1);
        let along = |way: f64| {
            let next = move |damping: &f64| Some(damping * way);
            std::iter::successors(Some(state.damping), next)
                .skip(1)
                .take(left)
        };
        if let Some(lowest) = &state.lowest {
            return along(state.damping / lowest.damping).collect();
        }
        // Mostly the first trial does what was predicted, so that the second is longer.
        let raised = state.fresh.then_some(state.damping * state.raise);
        let [longer, shorter] = [SPREAD.recip(), SPREAD].map(along);
        longer.chain(raised).chain(shorter).collect()
    }

    /// Sets the trial point from the damped normal equations.
    fn propose(&self, state: &mut State) {
        let damping = state.damping;
        for _ in 0..self.rejections {
            if let Some(step) = self.step(state, state.damping) {
                // ‖r‖²/2 − ‖r + Jp‖²/2 = −gᵀp − ½ pᵀ JᵀJ p
                state.predicted =
                    -state.gradient.dot(&step) - 0.5 * step.dot(&(&state.normal * &step));
                state.trial = &state.x + step;
                state.stage = Stage::Try;
                return;
            }
            state.damping *= 10.0;
        }
        state.damping = damping;
        Self::end_or_linearize(state);
    }

    /// The step of the normal equations with `damping`, if that is enough for them to be definite.
    fn step(&self, state: &State, damping: f64) -> Option<DVector<f64>> {
        damped_step(
            (&state.normal, &state.gradient),
            damping,
            self.scaling_floor,
        )
    }
}

/// The step p of (JᵀJ + λ D) p = −Jᵀr, given JᵀJ and Jᵀr, with λ = `damping`, D = diag(JᵀJ) and at least `floor` of its largest
/// entry; `None` where λ is not enough for the matrix to be definite.
pub fn damped_step(
    (normal, gradient): (&DMatrix<f64>, &DVector<f64>),
    damping: f64,
    floor: f64,
) -> Option<DVector<f64>> {
    let floor = (floor * normal.diagonal().max()).max(f64::MIN_POSITIVE);
    let mut damped = normal.clone();
    for i in 0..normal.nrows() {
        damped[(i, i)] += damping * normal[(i, i)].max(floor);
    }
    Some(-damped.cholesky()?.solve(gradient))
}

impl Optimizer for LevenbergMarquardt {
    type State = State;

    fn init(&self, x0: &[f64]) -> State {
        let x = DVector::from_column_slice(x0);
        State {
            trial: x.clone(),
            fresh: false,
            normal: DMatrix::zeros(0, 0),
            gradient: DVector::zeros(x.len()),
            x,
            value: f64::INFINITY,
            damping: self.initial_damping,
            raise: 2.0,
            predicted: 0.0,
            rejected: 0,
            tried: 0,
            lowest: None,
            stage: Stage::Look,
        }
    }

    fn ask<'s>(&self, state: &'s State) -> Query<'s> {
        match state.stage {
            Stage::Look => Query {
                x: state.x.as_slice(),
                order: Order::Value,
            },
            Stage::Estimate => Query {
                x: state.x.as_slice(),
                order: Order::Estimate,
            },
            Stage::Linearize => Query {
                x: state.x.as_slice(),
                order: Order::Jacobian,
            },
            Stage::Try | Stage::Done => Query {
                x: state.trial.as_slice(),
                order: Order::Value,
            },
        }
    }

    fn tell(&self, state: &mut State, evaluation: &Evaluation) -> Result<()> {
        match state.stage {
            Stage::Done => {}
            Stage::Look => state.stage = Stage::Estimate,
            Stage::Estimate | Stage::Linearize => {
                let is_exact = state.stage == Stage::Linearize;
                match (&evaluation.residuals, &evaluation.jacobian) {
                    (Some(r), Some(jacobian)) => {
                        state.value = evaluation.value;
                        state.fresh = is_exact;
                        let gradient = match is_exact {
                            true => DVector::from_column_slice(&evaluation.gradient),
                            false => jacobian.tr_mul(r),
                        };
                        self.normalize(state, gradient, jacobian);
                    }
                    _ if is_exact => {
                        let advice = "choose another optimizer for it, such as bfgs";
                        return Err(Error::input("lm", "objective", "no sum of squares", advice));
                    }
                    _ => state.stage = Stage::Linearize,
                }
            }
            Stage::Try => {
                let ratio = (state.value - evaluation.value) / state.predicted;
                state.tried += 1;
                if ratio > 1e-4 {
                    match self.trials {
                        1 => self.accept(state, evaluation.value, ratio),
                        _ => self.look_around(state, evaluation.value, ratio),
                    }
                } else if let Some(lowest) = state.lowest.take() {
                    self.settle(state, lowest);
                } else {
                    self.reject(state);
                }
            }
        }
        Ok(())
    }

    fn ahead(&self, state: &State, count: usize) -> Vec<Vec<f64>> {
        if state.stage != Stage::Try {
            return Vec::new();
        }
        let point = |damping| {
            let step = self.step(state, damping)?;
            Some((&state.x + step).as_slice().to_vec())
        };
        let dampings = self.dampings_ahead(state);
        let dampings = dampings.into_par_iter().take(count);
        dampings.filter_map(point).collect()
    }

    fn converged(&self, state: &State) -> bool {
        state.stage == Stage::Done
    }
}

#[cfg(test)]
mod tests;
