//! Wall time of one iteration of an optimizer, without the objective.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::error::Result;
use crate::objective::Objective;
use crate::optim::{Budget, Minimize, Unobserved};

use super::Protocol;
use super::functions::index_of;

/// Microseconds that an iteration of `method` takes in `dimension` variables.
///
/// The fastest of `repeats` runs on Rosenbrock, each of at most `iterations` iterations.
///
/// # Errors
/// When the method fails.
pub fn step_microseconds(
    method: &dyn Minimize,
    dimension: usize,
    iterations: usize,
    repeats: usize,
) -> Result<f64> {
    let (problem, x0) = Protocol::Paper.start(index_of("rosenbrock")?, dimension, 0, false);
    let budget = Budget {
        evaluations: usize::MAX,
        iterations: Some(iterations),
        ..Budget::default()
    };
    let mut fastest = f64::INFINITY;
    for _ in 0..repeats.max(1) {
        let clocked = Clocked {
            objective: &problem,
            nanoseconds: AtomicU64::new(0),
        };
        let start = Instant::now();
        let found = method.minimize(&clocked, &x0, &budget, &mut Unobserved)?;
        let inside = clocked.nanoseconds.load(Ordering::Relaxed) as f64;
        let total = start.elapsed().as_nanos() as f64 - inside;
        fastest = fastest.min(1e-3 * total.max(0.0) / found.iterations().max(1) as f64);
    }
    Ok(fastest)
}

/// An objective that adds up the time spent in it.
struct Clocked<'a> {
    objective: &'a dyn Objective,
    nanoseconds: AtomicU64,
}

impl Clocked<'_> {
    fn clock<T>(&self, look: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let seen = look();
        self.nanoseconds
            .fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        seen
    }
}

impl Objective for Clocked<'_> {
    fn dimension(&self) -> usize {
        self.objective.dimension()
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.clock(|| self.objective.value(x))
    }

    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.clock(|| self.objective.value_and_gradient(x, gradient))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Options, by_name};

    #[test]
    fn dense_steps_cost_more_than_limited_ones_in_large() {
        let time = |name: &str| {
            let method = by_name(name, &Options::default()).unwrap();
            step_microseconds(method.as_ref(), 1000, 20, 2).unwrap()
        };
        let (dense, limited) = (time("bfgs"), time("l-bfgs"));
        assert!(dense > limited && limited > 0.0, "{dense} µs, {limited} µs");
    }
}
