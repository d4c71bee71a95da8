use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::{StoppingRule, Unobserved};
use super::*;

/// ½x², which counts its calls.
#[derive(Default)]
struct Counted {
    calls: AtomicUsize,
}

impl Objective for Counted {
    fn dimension(&self) -> usize {
        1
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.calls.fetch_add(1, Ordering::Relaxed);
        0.5 * x[0] * x[0]
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient[0] = x[0];
        self.value(x)
    }
}

/// Halves x after looking twice: first at the value, then at the gradient.
struct LookTwice;

impl Optimizer for LookTwice {
    type State = (Vec<f64>, bool);
    fn init(&self, x0: &[f64]) -> Self::State {
        (x0.to_vec(), false)
    }
    fn ask<'s>(&self, (x, closer): &'s Self::State) -> Query<'s> {
        Query {
            x,
            order: if *closer {
                Order::Gradient
            } else {
                Order::Value
            },
        }
    }
    fn tell(&self, (x, closer): &mut Self::State, evaluation: &Evaluation) -> Result<()> {
        if *closer {
            x[0] -= 0.5 * evaluation.gradient[0];
        }
        *closer = !*closer;
        Ok(())
    }
}

/// Never moves.
struct Idle;

impl Optimizer for Idle {
    type State = Vec<f64>;
    fn init(&self, x0: &[f64]) -> Self::State {
        x0.to_vec()
    }
    fn ask<'s>(&self, x: &'s Self::State) -> Query<'s> {
        Query {
            x,
            order: Order::Value,
        }
    }
    fn tell(&self, _: &mut Self::State, _: &Evaluation) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_closer_look_at_the_same_point_is_not_counted() {
    let budget = Budget {
        evaluations: 5,
        ..Budget::default()
    };
    let objective = Counted::default();
    let found = minimize(&LookTwice, &objective, &[8.0], &budget, &mut Unobserved).unwrap();
    assert_eq!(found.evaluations, 5);
    assert_eq!(found.values, [32.0, 8.0, 2.0, 0.5, 0.125]);
    assert_eq!(objective.calls.load(Ordering::Relaxed), 9);
    assert_eq!(found.termination, Termination::ExhaustBudget);
}

/// Looks at the values of two points and then closely at the better one.
struct LookBack;

impl Optimizer for LookBack {
    type State = usize;
    fn init(&self, _: &[f64]) -> usize {
        0
    }
    fn ask<'s>(&self, step: &'s usize) -> Query<'s> {
        let (x, order) = [
            (&[1.0], Order::Value),
            (&[3.0], Order::Value),
            (&[1.0], Order::Gradient),
        ][*step];
        Query { x, order }
    }
    fn tell(&self, step: &mut usize, _: &Evaluation) -> Result<()> {
        *step += 1;
        Ok(())
    }
    fn converged(&self, step: &usize) -> bool {
        *step == 3
    }
}

#[test]
fn a_closer_look_at_the_best_point_is_not_counted() {
    let (budget, objective) = (Budget::default(), Counted::default());
    let found = minimize(&LookBack, &objective, &[1.0], &budget, &mut Unobserved).unwrap();
    assert_eq!((found.evaluations, found.values), (2, vec![0.5, 4.5]));
    assert_eq!(objective.calls.load(Ordering::Relaxed), 3);
}

#[test]
fn an_optimizer_that_repeats_itself_still_ends_and_costs_one_call() {
    let objective = Counted::default();
    let found = minimize(
        &Idle,
        &objective,
        &[1.0],
        &Budget::default(),
        &mut Unobserved,
    )
    .unwrap();
    assert_eq!(
        (found.evaluations, found.termination),
        (50, Termination::ExhaustBudget)
    );
    assert_eq!(objective.calls.load(Ordering::Relaxed), 1);
}

#[test]
fn target_observer_iterations_and_bad_starts_end_a_run() {
    let objective = Counted::default();
    let run = |x0: &[f64], budget: Budget| {
        minimize(&LookTwice, &objective, x0, &budget, &mut Unobserved).unwrap()
    };
    let target = run(
        &[8.0],
        Budget {
            target: Some(1.0),
            ..Budget::default()
        },
    );
    assert_eq!(
        (target.value, target.termination),
        (0.5, Termination::ReachTarget)
    );
    let limited = run(
        &[8.0],
        Budget {
            iterations: Some(2),
            ..Budget::default()
        },
    );
    assert_eq!((limited.iterations(), limited.evaluations), (2, 3));
    let stalled = StoppingRule {
        window: 1,
        beta: 0.0,
        epsilon: 0.0,
    };
    let stalled = run(
        &[8.0],
        Budget {
            stopping_rule: Some(stalled),
            ..Budget::default()
        },
    );
    assert_eq!(
        (stalled.evaluations, stalled.termination),
        (2, Termination::Stall)
    );
    assert_eq!(
        run(&[f64::NAN], Budget::default()).termination,
        Termination::MeetNonFinite
    );
    assert_eq!(
        run(&[1e200], Budget::default()).termination,
        Termination::MeetNonFinite
    );
    let mut stop_at_three = |n: usize, _: &[f64], _: &Evaluation| {
        if n == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let budget = Budget::default();
    let found = minimize(&LookTwice, &objective, &[8.0], &budget, &mut stop_at_three).unwrap();
    assert_eq!(
        (found.evaluations, found.termination),
        (3, Termination::Interrupt)
    );
    assert!(minimize(&LookTwice, &objective, &[], &budget, &mut Unobserved).is_err());
}
