//! Basin hopping: local minimizations from randomly displaced minima.
//!
//! # References
//! D. J. Wales, J. P. K. Doye, "Global optimization by basin-hopping and the lowest energy
//! structures of Lennard-Jones clusters", J. Phys. Chem. A 101, 1997.

use std::ops::ControlFlow;

use rand::{RngExt, SeedableRng};

use crate::error::Result;
use crate::objective::{Evaluation, Objective, Rng};

use super::{Budget, Minimize, Minimum, Observer, Termination};

/// Basin hopping around any local method, within one budget.
pub struct BasinHopping {
    /// The local method.
    pub local: Box<dyn Minimize>,
    /// Local minimizations after the first. Default: 100.
    pub hops: usize,
    /// Evaluations of each local minimization at most. Default: what is left of the budget.
    pub evaluations_per_hop: Option<usize>,
    /// Largest displacement of a coordinate, in units of x. Default: 0.5.
    pub step_size: f64,
    /// T of the Metropolis rule: a minimum worse by Δ is kept with probability exp(−Δ/T).
    /// Default: 1.
    pub temperature: f64,
    /// Hops after which the step size grows or shrinks by a tenth, so that about half of the
    /// hops are kept. Default: 50.
    pub interval: usize,
    /// Seed of displacements and of acceptance. Default: 0.
    pub seed: u64,
}

impl BasinHopping {
    /// Basin hopping around `local` with the defaults.
    pub fn around(local: Box<dyn Minimize>) -> Self {
        Self {
            local,
            hops: 100,
            evaluations_per_hop: None,
            step_size: 0.5,
            temperature: 1.0,
            interval: 50,
            seed: 0,
        }
    }

    /// The budget of the next local minimization after `spent` evaluations.
    fn rest(&self, budget: &Budget, spent: &Minimum) -> Budget {
        let left = budget.evaluations.saturating_sub(spent.evaluations);
        Budget {
            evaluations: left.min(self.evaluations_per_hop.unwrap_or(left)),
            iterations: budget
                .iterations
                .map(|limit| limit.saturating_sub(spent.iterations())),
            ..budget.clone()
        }
    }
}

impl Minimize for BasinHopping {
    fn name(&self) -> String {
        format!("basin-{}", self.local.name())
    }

    fn minimize(
        &self,
        objective: &dyn Objective,
        x0: &[f64],
        budget: &Budget,
        observer: &mut dyn Observer,
    ) -> Result<Minimum> {
        let mut rng = Rng::seed_from_u64(self.seed);
        let first_budget = Budget {
            evaluations: budget
                .evaluations
                .min(self.evaluations_per_hop.unwrap_or(usize::MAX)),
            ..budget.clone()
        };
        let mut found = self
            .local
            .minimize(objective, x0, &first_budget, observer)?;
        let (mut x, mut value) = (found.x.clone(), found.value);
        let (mut step_size, mut kept) = (self.step_size, 0_usize);
        for hop in 1..=self.hops {
            let rest = self.rest(budget, &found);
            if let Some(termination) = ending(found.termination, &rest) {
                found.termination = termination;
                break;
            }
            let start: Vec<f64> = x
                .iter()
                .map(|x| x + rng.random_range(-step_size..=step_size))
                .collect();
            let mut shifted = Shifted {
                observer,
                offset: found.evaluations,
            };
            let next = self
                .local
                .minimize(objective, &start, &rest, &mut shifted)?;
            if rng.random::<f64>() < ((value - next.value) / self.temperature).exp() {
                (x, value) = (next.x.clone(), next.value);
                kept += 1;
            }
            if hop % self.interval.max(1) == 0 {
                step_size *= if 2 * kept > hop { 1.0 / 0.9 } else { 0.9 };
            }
            append(&mut found, next);
        }
        Ok(found)
    }
}

/// Whether hopping ends after a local minimization that ended as `last`, with `rest` left.
fn ending(last: Termination, rest: &Budget) -> Option<Termination> {
    match last {
        Termination::ReachTarget | Termination::Interrupt => Some(last),
        _ if rest.evaluations == 0 || rest.iterations == Some(0) => {
            Some(Termination::ExhaustBudget)
        }
        _ => None,
    }
}

/// Adds a further local minimization to what was `found` so far.
fn append(found: &mut Minimum, next: Minimum) {
    let offset = found.evaluations;
    if next.value < found.value {
        (found.x, found.value) = (next.x, next.value);
    }
    (found.last_x, found.last_value) = (next.last_x, next.last_value);
    found.evaluations += next.evaluations;
    found.values.extend(next.values);
    found
        .iteration_ends
        .extend(next.iteration_ends.iter().skip(1).map(|end| end + offset));
    found.termination = next.termination;
}

/// Numbers the evaluations of a local minimization on from those before it.
struct Shifted<'a> {
    observer: &'a mut dyn Observer,
    offset: usize,
}

impl Observer for Shifted<'_> {
    fn observe(&mut self, n: usize, x: &[f64], evaluation: &Evaluation) -> ControlFlow<()> {
        self.observer.observe(n + self.offset, x, evaluation)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bfgs, Named, Unobserved};
    use super::*;

    /// x² − 10 cos 2πx + 10 in each coordinate.
    struct Rastrigin;

    impl Objective for Rastrigin {
        fn dimension(&self) -> usize {
            2
        }
        fn value(&self, x: &[f64]) -> f64 {
            self.value_and_gradient(x, &mut [0.0; 2])
        }
        fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
            use std::f64::consts::TAU;
            for (g, x) in gradient.iter_mut().zip(x) {
                *g = 2.0 * x + 10.0 * TAU * (TAU * x).sin();
            }
            x.iter()
                .map(|x| x * x - 10.0 * (TAU * x).cos() + 10.0)
                .sum()
        }
    }

    fn hopping() -> BasinHopping {
        BasinHopping::around(Box::new(Named::new("bfgs", Bfgs::default())))
    }

    #[test]
    fn leaves_a_local_minimum_within_one_budget() {
        let budget = Budget {
            evaluations: 2000,
            target: Some(1e-9),
            ..Budget::default()
        };
        let mut numbers = Vec::new();
        let mut count = |n: usize, _: &[f64], _: &Evaluation| {
            numbers.push(n);
            ControlFlow::Continue(())
        };
        let found = hopping()
            .minimize(&Rastrigin, &[3.1, -2.2], &budget, &mut count)
            .unwrap();
        assert!(found.value <= 1e-9, "{}", found.value);
        assert_eq!(found.termination, Termination::ReachTarget);
        assert!(numbers.iter().copied().eq(1..=found.evaluations));
        assert_eq!(found.values.len(), found.evaluations);
    }

    #[test]
    fn stays_within_the_budget_and_repeats_itself() {
        let budget = Budget {
            evaluations: 77,
            ..Budget::default()
        };
        let run = || hopping().minimize(&Rastrigin, &[3.1, -2.2], &budget, &mut Unobserved);
        let (one, two) = (run().unwrap(), run().unwrap());
        assert_eq!(
            (one.evaluations, one.termination),
            (77, Termination::ExhaustBudget)
        );
        assert_eq!(one.values, two.values);
    }
}
