//! What an optimization found, and why it ended.

/// Why an optimization ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Termination {
    /// The method has nothing left to try.
    Converge,
    /// The stopping rule was met.
    Stall,
    /// The target value was reached.
    ReachTarget,
    /// The budget of evaluations or iterations is used up.
    ExhaustBudget,
    /// The initial point has no finite value, or the method left the finite numbers.
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
    /// Evaluations spent when iteration k ended, `(iterations + 1,)`; the first entry, for x⁰, is 1.
    pub iteration_ends: Vec<usize>,
    /// Why it ended.
    pub termination: Termination,
}

impl Minimum {
    /// Iterations completed.
    pub fn iterations(&self) -> usize {
        self.iteration_ends.len().saturating_sub(1)
    }

    /// The best value among the evaluations spent until iteration `k` ended; a run that ended
    /// earlier keeps its best value.
    pub fn best_at_iteration(&self, k: usize) -> f64 {
        let spent = self
            .iteration_ends
            .get(k)
            .copied()
            .unwrap_or(self.values.len());
        self.values[..spent]
            .iter()
            .copied()
            .fold(f64::INFINITY, f64::min)
    }
}
