//! Who watches an optimization.

use std::ops::ControlFlow;

use crate::objective::Evaluation;

/// Sees every distinct evaluation as it happens: `(number from 1, x, evaluation)`; may stop the run.
pub trait Observer {
    /// Called after every distinct evaluation, with what was asked for first at that point.
    fn observe(
        &mut self,
        evaluations: usize,
        x: &[f64],
        evaluation: &Evaluation,
    ) -> ControlFlow<()>;
}

impl<F: FnMut(usize, &[f64], &Evaluation) -> ControlFlow<()>> Observer for F {
    fn observe(
        &mut self,
        evaluations: usize,
        x: &[f64],
        evaluation: &Evaluation,
    ) -> ControlFlow<()> {
        self(evaluations, x, evaluation)
    }
}

/// The observer that watches nothing and never stops a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn observe(&mut self, _: usize, _: &[f64], _: &Evaluation) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}
