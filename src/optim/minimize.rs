//! The one loop: budget, stopping rule, best-so-far, observers.

use std::ops::ControlFlow;

use crate::error::Result;
use crate::objective::{Evaluation, Objective};

use super::Optimizer;

/// How long an optimization may run.
#[derive(Clone, Debug, PartialEq)]
pub struct Budget {
    /// Largest number of distinct points evaluated. Default: 50, as in the paper (Sec. 5.2).
    pub evaluations: usize,
    /// Stops early when progress stalls. Default: none.
    pub stopping_rule: Option<StoppingRule>,
    /// Stops once the best value is at or below this one. Default: none.
    pub target: Option<f64>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { evaluations: 50, stopping_rule: None, target: None }
    }
}

/// Alg. 1: stop at k if f(xᵏ) > (1/N) Σ_{i=1..N} β f(xᵏ⁻ⁱ) + ε.
///
/// The paper leaves N, β and ε open. With β < 1 the rule only makes sense for f ≥ 0.
#[derive(Clone, Debug, PartialEq)]
pub struct StoppingRule {
    /// N, the number of past values averaged. Default: 10.
    pub window: usize,
    /// β. Default: 1.
    pub beta: f64,
    /// ε. Default: 0.
    pub epsilon: f64,
}

impl Default for StoppingRule {
    fn default() -> Self {
        Self { window: 10, beta: 1.0, epsilon: 0.0 }
    }
}

impl StoppingRule {
    /// Whether the last of `values`, the losses so far in order, meets the rule.
    pub fn is_met(&self, values: &[f64]) -> bool {
        let Some((last, past)) = values.split_last() else { return false };
        if past.len() < self.window {
            return false;
        }
        let mean = past[past.len() - self.window..].iter().sum::<f64>() / self.window as f64;
        *last > self.beta * mean + self.epsilon
    }
}

/// Why an optimization ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// The method has nothing left to try.
    Converge,
    /// The stopping rule was met.
    Stall,
    /// The target value was reached.
    ReachTarget,
    /// The budget of evaluations is used up.
    ExhaustBudget,
    /// The initial point itself has no finite value.
    MeetNonFinite,
    /// The observer asked to stop.
    Interrupt,
}

/// What an optimization found.
#[derive(Clone, Debug)]
pub struct Minimum {
    /// The best point evaluated, `(N,)`.
    pub x: Vec<f64>,
    /// Its value.
    pub value: f64,
    /// The last point evaluated, `(N,)`.
    pub last_x: Vec<f64>,
    /// The value at the last point.
    pub last_value: f64,
    /// Distinct points evaluated.
    pub evaluations: usize,
    /// f at every distinct point, in order.
    pub values: Vec<f64>,
    /// Why it ended.
    pub termination: Termination,
}

/// Sees every distinct evaluation as it happens: `(number from 1, x, evaluation)`; may stop the run.
pub trait Observer {
    /// Called after every distinct evaluation.
    fn observe(&mut self, evaluations: usize, x: &[f64], evaluation: &Evaluation) -> ControlFlow<()>;
}

impl<F: FnMut(usize, &[f64], &Evaluation) -> ControlFlow<()>> Observer for F {
    fn observe(&mut self, evaluations: usize, x: &[f64], evaluation: &Evaluation) -> ControlFlow<()> {
        self(evaluations, x, evaluation)
    }
}

/// An optimizer picked by name: minimizes any objective from any point.
pub trait Minimize: Sync + Send {
    /// The name in tables and on the command line.
    fn name(&self) -> String;

    /// Minimizes `objective` from `x0: (N,)` within `budget`.
    ///
    /// # Errors
    /// Only when the optimizer itself is broken; divergence is a [`Termination`].
    fn minimize(
        &self,
        objective: &dyn Objective,
        x0: &[f64],
        budget: &Budget,
        observer: &mut dyn Observer,
    ) -> Result<Minimum>;
}
