//! Optimizers: what stays fixed apart from what evolves, one loop, one object-safe face.
//!
//! * [`Optimizer`]: the ask/tell seam that every iterative method is written on;
//! * [`minimize`](minimize()): the one place where an objective meets an optimizer (budget,
//!   stopping, best-so-far, observers);
//! * [`Minimize`]: the object-safe face by which commands and tasks pick a method;
//! * [`by_name`]: the methods by their names.

use crate::error::Result;
use crate::objective::{Evaluation, Order};

pub use basin_hopping::BasinHopping;
pub use budget::{Budget, StoppingRule};
pub(crate) use first_order::Iterate;
pub use first_order::{Adam, GradientDescent};
pub(crate) use levenberg_marquardt::Stage;
pub use levenberg_marquardt::{LevenbergMarquardt, damped_step};
pub use metric::{InMetric, Metric, Whitened, WhitenedFamily, Whitening};
pub use minimize::{Minimize, Named, minimize};
pub use minimum::{Minimum, Termination};
pub use observer::{Observer, Unobserved};
pub use quasi_newton::{Bfgs, FirstTrial, LBfgs, QuasiNewton};
pub use registry::{NAMES, Options, by_name};

mod basin_hopping;
mod budget;
mod first_order;
mod interpolation;
pub mod inverse_hessian;
mod levenberg_marquardt;
pub mod line_search;
mod metric;
mod minimize;
mod minimum;
mod observer;
mod quasi_newton;
mod registry;

/// An iterative minimizer: what stays fixed (`self`) apart from what evolves (`State`).
///
/// The loop calls `init_within` once, then alternates `ask` and `tell`: `tell` receives the evaluation of
/// exactly the point the last `ask` returned, at the order it asked for. A line search is
/// accept/reject inside `tell`. Non-finite evaluations are ordinary news: the optimizer must
/// shorten its step or stay where it is, never fail.
///
/// ```
/// use motionfit::error::Result;
/// use motionfit::objective::{Evaluation, Order};
/// use motionfit::optim::{Optimizer, Query};
/// struct Descent { learning_rate: f64 }
/// impl Optimizer for Descent {
///     type State = Vec<f64>;
///     fn init(&self, x0: &[f64]) -> Vec<f64> { x0.to_vec() }
///     fn ask<'s>(&self, state: &'s Vec<f64>) -> Query<'s> {
///         Query { x: state, order: Order::Gradient }
///     }
///     fn tell(&self, state: &mut Vec<f64>, evaluation: &Evaluation) -> Result<()> {
///         for (x, g) in state.iter_mut().zip(&evaluation.gradient) { *x -= self.learning_rate * g; }
///         Ok(())
///     }
/// }
/// ```
pub trait Optimizer: Sync {
    /// Everything that changes from one evaluation to the next.
    type State: Clone + Send;

    /// The state before the first evaluation, at `x0: (N,)`.
    fn init(&self, x0: &[f64]) -> Self::State;

    /// As [`init`](Self::init), for a run within `budget`: for methods that plan ahead.
    fn init_within(&self, x0: &[f64], _budget: &Budget) -> Self::State {
        self.init(x0)
    }

    /// The point to evaluate next and how closely to look.
    fn ask<'s>(&self, state: &'s Self::State) -> Query<'s>;

    /// Takes in the evaluation of the point asked for.
    ///
    /// # Errors
    /// Only when the optimizer itself is broken (a network whose weights do not fit).
    fn tell(&self, state: &mut Self::State, evaluation: &Evaluation) -> Result<()>;

    /// Points whose values may be asked for after the one at hand, depending on what that is: at most `count`,
    /// the likeliest first.
    fn ahead(&self, _state: &Self::State, _count: usize) -> Vec<Vec<f64>> {
        Vec::new()
    }

    /// Whether the method has nothing left to try (gradient below its tolerance, no acceptable step).
    fn converged(&self, _state: &Self::State) -> bool {
        false
    }

    /// Iterations completed, for methods whose iterations take several evaluations; `None` when
    /// every evaluation after the first completes one.
    fn iterations(&self, _state: &Self::State) -> Option<usize> {
        None
    }
}

/// What an optimizer wants to know.
#[derive(Clone, Copy, Debug)]
pub struct Query<'s> {
    /// The point, `(N,)`.
    pub x: &'s [f64],
    /// How much of the objective is needed there.
    pub order: Order,
}
