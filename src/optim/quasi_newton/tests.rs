use super::super::{Budget, Minimum, Termination, Unobserved, minimize};
use super::*;
use crate::objective::Objective;

/// Rosenbrock's function with an infinite wall at xᵢ > 1.5.
struct Walled(usize);

impl Objective for Walled {
    fn dimension(&self) -> usize {
        self.0
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.value_and_gradient(x, &mut vec![0.0; x.len()])
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        if x.iter().any(|x| *x > 1.5) {
            gradient.fill(f64::NAN);
            return f64::INFINITY;
        }
        gradient.fill(0.0);
        let mut value = 0.0;
        for i in 0..x.len() - 1 {
            let (a, b) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
            value += 100.0 * a * a + b * b;
            gradient[i] += -400.0 * x[i] * a - 2.0 * b;
            gradient[i + 1] += 200.0 * a;
        }
        value
    }
}

fn run<O: Optimizer>(optimizer: &O, dimension: usize, evaluations: usize) -> Minimum {
    let mut x0 = vec![1.0; dimension];
    x0[0] = -1.2;
    let budget = Budget {
        evaluations,
        ..Budget::default()
    };
    minimize(optimizer, &Walled(dimension), &x0, &budget, &mut Unobserved).unwrap()
}

fn assert_solves<H: InverseHessian>(mut method: QuasiNewton<H>, dimension: usize) {
    for probes_value_first in [false, true] {
        method.probes_value_first = probes_value_first;
        let found = run(&method, dimension, 400);
        assert_eq!(found.termination, Termination::Converge);
        assert!(
            found.value < 1e-7,
            "{} after {}",
            found.value,
            found.evaluations
        );
    }
}

#[test]
fn both_solve_rosenbrock_beside_a_wall() {
    assert_solves(Bfgs::default(), 2);
    assert_solves(LBfgs::default(), 2);
    assert_solves(Bfgs::default(), 3);
    assert_solves(LBfgs::default(), 3);
}

#[test]
fn iterations_end_where_steps_are_accepted() {
    let found = run(&Bfgs::default(), 2, 400);
    assert!(found.iterations() < found.evaluations);
    assert_eq!(*found.iteration_ends.last().unwrap(), found.evaluations);
    let accepted = found.iteration_ends.iter().map(|n| found.values[n - 1]);
    assert!(accepted.is_sorted_by(|a, b| a >= b));
}
