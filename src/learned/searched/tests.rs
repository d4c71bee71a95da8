use std::sync::atomic::Ordering;

use super::super::{Architecture, LearnedOptimizer, Network, Optimus};
use super::*;
use crate::objective::rosenbrock::Rosenbrock;
use crate::objective::{Objective, Residuals, Rng};
use crate::optim::{Budget, Unobserved, minimize};

/// An untrained network that sees the Gauss–Newton matrix.
fn untrained() -> Learned {
    let architecture = Architecture::Optimus(Optimus {
        width: 16,
        encoders: 1,
        heads: 2,
        head_width: 8,
        feed_forward: 16,
        trunk_layers: 1,
        guided: true,
        curvature: true,
        initial_scale: 0.1,
        ..Optimus::default()
    });
    let network = Network::new(&architecture).unwrap();
    let mut rng: Rng = rand::SeedableRng::seed_from_u64(3);
    let theta = network.initial(&mut rng);
    Learned::new(network.into(), &theta).unwrap()
}

fn run(objective: &Rosenbrock, budget: Budget) -> crate::optim::Minimum {
    let searched = Searched::new(untrained(), None);
    minimize(&searched, objective, &[-1.2, 1.0], &budget, &mut Unobserved).unwrap()
}

#[test]
fn closely_looked_at_are_only_points_that_lower_the_value() {
    let objective = Rosenbrock::default();
    let found = run(&objective, Budget::default());
    let lowered = found.values.windows(2).filter(|pair| pair[1] < pair[0]);
    let jacobians = objective.jacobians.load(Ordering::Relaxed);
    assert!(found.value < 0.5 * found.values[0], "{:?}", found.values);
    assert!(jacobians <= lowered.count() + 1, "{:?}", found.values);
}

#[test]
fn the_first_step_comes_from_an_estimate_where_there_is_one() {
    let exact = Rosenbrock::default().residuals_and_jacobian(&[-1.2, 1.0]).1;
    let estimated = Rosenbrock {
        estimate: Some((*exact).clone()),
        ..Rosenbrock::default()
    };
    let budget = |points| Budget {
        evaluations: points,
        ..Budget::default()
    };
    let first = run(&estimated, budget(2));
    assert_eq!(estimated.jacobians.load(Ordering::Relaxed), 0);
    // An exact estimate leads where the Jacobian does.
    let known = run(&Rosenbrock::default(), budget(2));
    assert_eq!(first.values, known.values);
}

#[test]
fn a_value_that_is_low_enough_needs_no_further_jacobian() {
    let objective = Rosenbrock::default();
    let budget = Budget {
        jacobian_above: Some(1e9),
        ..Budget::default()
    };
    let found = run(&objective, budget);
    assert_eq!(objective.jacobians.load(Ordering::Relaxed), 1);
    assert_eq!(found.termination, crate::optim::Termination::ReachTarget);
}

/// x² + y², which is not known to be a sum of squares.
struct Sphere;

impl Objective for Sphere {
    fn dimension(&self) -> usize {
        2
    }
    fn value(&self, x: &[f64]) -> f64 {
        x[0] * x[0] + x[1] * x[1]
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.copy_from_slice(&[2.0 * x[0], 2.0 * x[1]]);
        self.value(x)
    }
}

#[test]
fn without_a_sum_of_squares_the_networks_steps_alone_are_tried() {
    let searched = Searched::new(untrained(), None);
    let budget = Budget::default();
    let found = minimize(&searched, &Sphere, &[1.0, -0.5], &budget, &mut Unobserved).unwrap();
    assert!(found.value < found.values[0], "{:?}", found.values);
}
