//! Learned optimizers: rules whose meta-parameters θ are trained on a family of tasks.
//!
//! A [`LearnedOptimizer`] turns θ into a rule that moves a batch of problems in lockstep; with a
//! single problem it is an ordinary [`Optimizer`](crate::optim::Optimizer) ([`Learned`]).
//! [`Network`] is the one built from an [`Architecture`]: Optimus, its ablations, and the
//! Adafactor MLP.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::objective::{Evaluation, Order, Rng};

pub use architecture::{AdafactorMlp, Architecture, Normalization, Optimus, Structure};
pub use batch::Batch;
pub use layout::{Initial, Layout, Parameter, Weights};
pub use optimizer::Learned;
pub use registry::{NAMES, by_name};
pub use rule::{Network, Rule, Tape};
pub use searched::Searched;
pub use shipped::{look_for_weights_in, provide_weights};
pub use staged::Staged;
pub use weights::{Card, Trained};

mod architecture;
mod batch;
pub mod curvature;
mod directions;
mod features;
pub mod guidance;
mod kernels;
mod layout;
mod memory;
mod moments;
mod network;
mod optimizer;
mod optimus;
mod registry;
mod regression;
mod rule;
mod searched;
mod shipped;
mod staged;
mod survey;
mod weights;

/// An optimizer whose rule is a function of meta-parameters θ.
///
/// What evolves while a batch of problems is optimized is apart from θ, so that unrolls begun
/// under one θ go on under another, as evolution strategies need.
pub trait LearnedOptimizer: Sync + Send {
    /// θ made ready for use.
    type Rule: Sync + Send;
    /// The inner states of a batch of problems with equally many variables.
    type State: Clone + Send + Sync + Serialize + DeserializeOwned;

    /// Length of θ.
    fn meta_parameters(&self) -> usize;

    /// A θ to start meta-training from.
    fn initial(&self, rng: &mut Rng) -> Vec<f32>;

    /// The rule that `theta: (meta_parameters,)` stands for.
    ///
    /// # Errors
    /// When θ has the wrong length.
    fn rule(&self, theta: &[f32]) -> Result<Self::Rule>;

    /// The state of problems that start at `x0: (B, N)`.
    fn start(&self, x0: &[Vec<f64>]) -> Self::State;

    /// The point of problem `b` to evaluate next, `(N,)`.
    fn point<'s>(&self, state: &'s Self::State, b: usize) -> &'s [f64];

    /// How closely it has to be looked at those points.
    fn order(&self) -> Order {
        Order::Gradient
    }

    /// Takes in value and gradient at those points, `(B,)`, and moves on.
    ///
    /// # Errors
    /// Only when the rule itself is broken.
    fn tell(
        &self,
        rule: &Self::Rule,
        state: &mut Self::State,
        evaluations: &[Evaluation],
    ) -> Result<()>;
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::Internal(format!("tensor operation: {error}"))
    }
}
