//! BFGS and L-BFGS with a strong-Wolfe line search.
//!
//! Both are one ask/tell machine around an [`InverseHessian`]: direction p = −H ∇f, line search,
//! update. They follow SciPy's conventions (H⁰ = I, ‖∇f‖∞ ≤ 1e-5, the first trial of BFGS from the
//! last decrease, that of L-BFGS 1), so that counts of evaluations compare.
//!
//! Written here rather than taken from the crate `basin`, whose BFGS has no ask/tell form (budgets,
//! observers and the shared look at value and gradient would need a second loop), evaluates every
//! accepted point twice, and spends up to half as many distinct evaluations again as SciPy's on
//! easy functions.
//!
//! # References
//! * J. Nocedal, S. J. Wright, "Numerical Optimization", 2nd ed. 2006, Alg. 6.1 and 7.5.
//! * R. H. Byrd, P. Lu, J. Nocedal, C. Zhu, "A limited memory algorithm for bound constrained
//!   optimization", SIAM J. Sci. Comput. 16, 1995 (the constants of L-BFGS).

use crate::error::Result;
use crate::objective::{Evaluation, Order};

use super::inverse_hessian::{Dense, InverseHessian, LimitedMemory, dot};
use super::line_search::{LineSearch, Verdict, Wolfe};
use super::{Optimizer, Query};

/// BFGS: a dense inverse Hessian, O(N²) time and memory.
pub type Bfgs = QuasiNewton<Dense>;

/// L-BFGS: the last ten steps, O(10 N).
pub type LBfgs = QuasiNewton<LimitedMemory>;

/// The first trial of a line search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstTrial {
    /// min(1, 1.01 · 2 Δf / φ′(0)), Δf the last decrease of f: Nocedal and Wright, Eq. (3.60).
    LastDecrease,
    /// 1, the quasi-Newton step; 1 / ‖∇f‖ while H is the identity.
    Unit,
}

/// A line-search method whose directions come from an approximate inverse Hessian `H`.
#[derive(Clone, Debug)]
pub struct QuasiNewton<H> {
    /// Converged once ‖∇f‖∞ is at or below this. Default: 1e-5 for BFGS, 1e-6 for L-BFGS.
    pub gradient_tolerance: f64,
    /// What the line search is satisfied with.
    pub wolfe: Wolfe,
    /// Where it begins.
    pub first_trial: FirstTrial,
    /// Looks at the value of a trial first, and at its gradient only when the value is acceptable.
    /// Saves gradients that cost much more than values; otherwise wasteful. Default: off.
    pub probes_value_first: bool,
    /// H before anything is learned.
    pub prototype: H,
}

impl Default for Bfgs {
    fn default() -> Self {
        Self {
            gradient_tolerance: 1e-5,
            wolfe: Wolfe {
                max_trials: 15,
                ..Wolfe::default()
            },
            first_trial: FirstTrial::LastDecrease,
            probes_value_first: false,
            prototype: Dense::default(),
        }
    }
}

impl Default for LBfgs {
    fn default() -> Self {
        Self::with_memory(10)
    }
}

impl LBfgs {
    /// L-BFGS that remembers `memory` steps.
    pub fn with_memory(memory: usize) -> Self {
        Self {
            gradient_tolerance: 1e-6,
            wolfe: Wolfe {
                armijo: 1e-3,
                curvature: 0.9,
                width_tolerance: 0.1,
                max_trials: 20,
            },
            first_trial: FirstTrial::Unit,
            probes_value_first: false,
            prototype: LimitedMemory::new(memory),
        }
    }
}

/// Where a [`QuasiNewton`] method is.
#[derive(Clone, Debug)]
pub struct QuasiNewtonState<H> {
    inverse: H,
    /// The iterate xᵏ with f and ∇f; `None` before the first evaluation.
    iterate: Option<(f64, Vec<f64>)>,
    x: Vec<f64>,
    /// Decrease of f that the last step brought, or an optimistic guess.
    last_decrease: f64,
    /// p, `(N,)`, and the search along it.
    direction: Vec<f64>,
    search: LineSearch,
    /// x + α p, `(N,)`, the point asked for.
    trial: Vec<f64>,
    /// The order at which the trial is asked for.
    order: Order,
    iterations: usize,
    is_converged: bool,
}

impl<H: InverseHessian> Optimizer for QuasiNewton<H> {
    type State = QuasiNewtonState<H>;

    fn init(&self, x0: &[f64]) -> Self::State {
        let mut inverse = self.prototype.clone();
        inverse.reset(x0.len());
        QuasiNewtonState {
            inverse,
            iterate: None,
            x: x0.to_vec(),
            last_decrease: f64::INFINITY,
            direction: Vec::new(),
            search: LineSearch::new(self.wolfe, 0.0, 0.0, 0.0),
            trial: x0.to_vec(),
            order: Order::Gradient,
            iterations: 0,
            is_converged: false,
        }
    }

    fn ask<'s>(&self, state: &'s Self::State) -> Query<'s> {
        Query {
            x: &state.trial,
            order: state.order,
        }
    }

    fn tell(&self, state: &mut Self::State, evaluation: &Evaluation) -> Result<()> {
        let Some((value, gradient)) = &state.iterate else {
            let gradient_norm = dot(&evaluation.gradient, &evaluation.gradient).sqrt();
            state.last_decrease = 0.5 * gradient_norm;
            state.iterate = Some((evaluation.value, evaluation.gradient.clone()));
            self.begin_search(state);
            return Ok(());
        };
        let is_probe = evaluation.gradient.is_empty();
        if is_probe && state.search.needs_slope(evaluation.value) {
            state.order = Order::Gradient;
            return Ok(());
        }
        let slope = (!is_probe).then(|| dot(&evaluation.gradient, &state.direction));
        match state.search.tell(evaluation.value, slope) {
            Verdict::Try(step) => self.aim(state, step),
            Verdict::Accept => {
                let decrease = value - evaluation.value;
                let y = difference(&evaluation.gradient, gradient);
                self.accept(state, decrease, &y);
                state.iterate = Some((evaluation.value, evaluation.gradient.clone()));
                self.begin_search(state);
            }
            Verdict::Fail if state.inverse.is_identity() || state.search.is_below_rounding() => {
                state.is_converged = true;
            }
            Verdict::Fail => {
                state.inverse.reset(state.x.len());
                self.begin_search(state);
            }
        }
        Ok(())
    }

    fn converged(&self, state: &Self::State) -> bool {
        state.is_converged
    }

    fn iterations(&self, state: &Self::State) -> Option<usize> {
        Some(state.iterations)
    }
}

impl<H: InverseHessian> QuasiNewton<H> {
    /// Moves the iterate to the trial and lets H learn from the step.
    fn accept(&self, state: &mut QuasiNewtonState<H>, decrease: f64, y: &[f64]) {
        // α p carries more digits than the difference of two points.
        let step = state.search.step();
        let s: Vec<f64> = state.direction.iter().map(|p| step * p).collect();
        let curvature = dot(&s, y);
        // Strong Wolfe implies yᵀs > 0; a step taken for want of a better one may lack it.
        if curvature > f64::EPSILON * dot(y, y).sqrt() * dot(&s, &s).sqrt() {
            state.inverse.update(&s, y);
        }
        std::mem::swap(&mut state.x, &mut state.trial);
        state.last_decrease = decrease;
        state.iterations += 1;
    }

    /// Sets up the search from the iterate, unless it is a minimum already.
    fn begin_search(&self, state: &mut QuasiNewtonState<H>) {
        let Some((value, gradient)) = &state.iterate else {
            return;
        };
        let largest = gradient
            .iter()
            .fold(0.0, |largest: f64, g| largest.max(g.abs()));
        if largest <= self.gradient_tolerance {
            state.is_converged = true;
            return;
        }
        let direction = descend(&state.inverse, gradient);
        let slope = dot(&direction, gradient);
        if slope < 0.0 && slope.is_finite() {
            let step = self.first_step(state, slope, &direction);
            state.search = LineSearch::new(self.wolfe, *value, slope, step);
            state.direction = direction;
            self.aim(state, step);
        } else if state.inverse.is_identity() {
            state.is_converged = true; // −‖∇f‖² is not a number below zero: overflow
        } else {
            state.inverse.reset(state.x.len());
            self.begin_search(state);
        }
    }

    fn first_step(&self, state: &QuasiNewtonState<H>, slope: f64, direction: &[f64]) -> f64 {
        match self.first_trial {
            FirstTrial::LastDecrease => {
                let step = 1.01 * 2.0 * state.last_decrease / -slope;
                if step > 0.0 { step.min(1.0) } else { 1.0 }
            }
            FirstTrial::Unit if state.inverse.is_identity() => {
                1.0 / dot(direction, direction).sqrt()
            }
            FirstTrial::Unit => 1.0,
        }
    }

    /// Makes x + `step` p the point to ask for.
    fn aim(&self, state: &mut QuasiNewtonState<H>, step: f64) {
        for ((t, x), p) in state.trial.iter_mut().zip(&state.x).zip(&state.direction) {
            *t = x + step * p;
        }
        state.order = if self.probes_value_first {
            Order::Value
        } else {
            Order::Gradient
        };
    }
}

/// p = −H g.
fn descend(inverse: &impl InverseHessian, gradient: &[f64]) -> Vec<f64> {
    let mut direction = inverse.multiply(gradient);
    direction.iter_mut().for_each(|p| *p = -*p);
    direction
}

/// a − b.
fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

#[cfg(test)]
mod tests;
