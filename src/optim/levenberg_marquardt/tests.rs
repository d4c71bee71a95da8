use super::super::{Budget, Unobserved, minimize};
use super::*;
use crate::objective::Objective;
use crate::objective::rosenbrock::Rosenbrock;

struct Sphere;

impl Objective for Sphere {
    fn dimension(&self) -> usize {
        1
    }
    fn value(&self, x: &[f64]) -> f64 {
        x[0] * x[0]
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient[0] = 2.0 * x[0];
        self.value(x)
    }
}

/// The lowest value found and the Jacobians that it took.
fn rosenbrock(lm: &LevenbergMarquardt, estimate: Option<DMatrix<f64>>) -> (f64, usize) {
    let budget = Budget {
        evaluations: 100,
        target: Some(1e-12),
        ..Budget::default()
    };
    let objective = Rosenbrock {
        estimate,
        ..Rosenbrock::default()
    };
    let found = minimize(lm, &objective, &[-1.2, 1.0], &budget, &mut Unobserved).unwrap();
    (found.value, objective.jacobians.into_inner())
}

#[test]
fn reaches_the_minimum_with_and_without_search() {
    for trials in [1, 4] {
        let lm = LevenbergMarquardt {
            trials,
            stall: 0.0,
            ..Default::default()
        };
        let (value, _) = rosenbrock(&lm, None);
        assert!(value < 1e-12, "trials {trials}: {value}");
    }
}

#[test]
fn several_trials_save_jacobians() {
    let jacobians = |trials| {
        let lm = LevenbergMarquardt {
            trials,
            stall: 0.0,
            ..Default::default()
        };
        rosenbrock(&lm, None).1
    };
    assert!(jacobians(4) < jacobians(1));
}

#[test]
fn trials_are_foreseen() {
    let values = |ahead| {
        let objective = Rosenbrock {
            ahead,
            ..Rosenbrock::default()
        };
        let lm = LevenbergMarquardt {
            trials: 4,
            stall: 0.0,
            ..Default::default()
        };
        let budget = Budget {
            evaluations: 30,
            ..Budget::default()
        };
        let found = minimize(&lm, &objective, &[-1.2, 1.0], &budget, &mut Unobserved).unwrap();
        (found.values, objective.unknown.into_inner())
    };
    let (one_by_one, unknown) = values(0);
    assert_eq!(one_by_one.len(), unknown);
    let (found, some) = values(1);
    assert_eq!(found, one_by_one);
    let (found, fewest) = values(7);
    assert_eq!(found, one_by_one);
    let counts = [fewest, some, unknown];
    assert!(
        2 * fewest <= unknown && fewest < some && some < unknown,
        "{counts:?}"
    );
}

#[test]
fn an_estimate_saves_a_jacobian_and_a_wrong_one_does_no_harm() {
    let lm = LevenbergMarquardt {
        stall: 0.0,
        ..Default::default()
    };
    let search = LevenbergMarquardt {
        trials: 4,
        ..lm.clone()
    };
    let (_, jacobians) = rosenbrock(&lm, None);
    let exact = DMatrix::from_row_slice(2, 2, &[24.0, 10.0, -1.0, 0.0]);
    let estimated = rosenbrock(&lm, Some(exact.clone()));
    assert!(
        estimated.0 < 1e-12 && estimated.1 < jacobians,
        "{estimated:?}"
    );
    let broken = exact.map(|_| f64::NAN);
    for wrong in [-exact, DMatrix::zeros(2, 2), broken] {
        for lm in [&lm, &search] {
            let (value, _) = rosenbrock(lm, Some(wrong.clone()));
            assert!(value < 1e-12, "{value}");
        }
    }
}

#[test]
fn no_further_jacobian_is_asked_for_where_the_value_is_low_enough() {
    let jacobians = |jacobian_above| {
        let budget = Budget {
            jacobian_above,
            ..Budget::default()
        };
        let objective = Rosenbrock::default();
        let lm = LevenbergMarquardt {
            stall: 0.0,
            ..Default::default()
        };
        let found = minimize(&lm, &objective, &[-1.2, 1.0], &budget, &mut Unobserved).unwrap();
        (found.value, objective.jacobians.into_inner())
    };
    let (lowest, all) = jacobians(None);
    let (value, some) = jacobians(Some(1.0));
    assert!(
        lowest < 1e-6 && 1e-6 < value && value <= 1.0,
        "{lowest}, {value}"
    );
    assert!(0 < some && some < all, "{some} of {all}");
    // The first one comes in any case.
    assert_eq!(jacobians(Some(1e9)).1, 1);
}

#[test]
fn an_objective_without_residuals_is_refused() {
    let lm = LevenbergMarquardt::default();
    let refused = minimize(&lm, &Sphere, &[1.0], &Budget::default(), &mut Unobserved);
    assert!(refused.unwrap_err().to_string().contains("sum of squares"));
}
