//! A learned optimizer with its meta-parameters: an ordinary optimizer.

use std::sync::Arc;

use crate::error::Result;
use crate::objective::Evaluation;
use crate::optim::{Optimizer, Query};

use super::{Batch, LearnedOptimizer, Network, Rule};

/// A [`Network`] with meta-parameters θ.
#[derive(Clone, Debug)]
pub struct Learned {
    network: Arc<Network>,
    rule: Arc<Rule>,
}

impl Learned {
    /// `network` with `theta: (meta_parameters,)`.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::error::Error::Internal) when θ has the wrong length.
    pub fn new(network: Arc<Network>, theta: &[f32]) -> Result<Self> {
        let rule = Arc::new(network.rule(theta)?);
        Ok(Self { network, rule })
    }
}

impl Optimizer for Learned {
    type State = Batch;

    fn init(&self, x0: &[f64]) -> Batch {
        self.network.start(&[x0.to_vec()])
    }

    fn ask<'s>(&self, state: &'s Batch) -> Query<'s> {
        Query {
            x: state.point(0),
            order: self.network.order(),
        }
    }

    fn tell(&self, state: &mut Batch, evaluation: &Evaluation) -> Result<()> {
        let evaluations = std::slice::from_ref(evaluation);
        self.network.tell(&self.rule, state, evaluations)
    }
}
