//! Every optimizer on every function: a new one of either needs no new test.

use motionfit::benchmark::functions::FUNCTIONS;
use motionfit::benchmark::{Problem, Protocol};
use motionfit::objective::Objective;
use motionfit::optim::{
    Budget, Minimize, Minimum, NAMES, Options, Termination, Unobserved, by_name,
};

/// Every optimizer for functions that are no sums of squares, and basin hopping around it.
fn optimizers() -> impl Iterator<Item = Box<dyn Minimize>> {
    let names = NAMES
        .iter()
        .filter(|name| !name.starts_with("lm"))
        .flat_map(|name| [name.to_string(), format!("basin-{name}")]);
    names.map(|name| by_name(&name, &Options::default()).unwrap())
}

/// Every function, as the paper poses it in `dimension` variables, with a start.
fn problems(dimension: usize) -> impl Iterator<Item = (Problem, Vec<f64>)> {
    (0..FUNCTIONS.len()).map(move |function| Protocol::Paper.start(function, dimension, 0, true))
}

fn minimize(
    optimizer: &dyn Minimize,
    objective: &dyn Objective,
    x0: &[f64],
    evaluations: usize,
) -> Minimum {
    let budget = Budget {
        evaluations,
        ..Budget::default()
    };
    optimizer
        .minimize(objective, x0, &budget, &mut Unobserved)
        .unwrap()
}

#[test]
fn what_a_run_reports_is_true() {
    for optimizer in optimizers() {
        for (problem, x0) in problems(5) {
            let found = minimize(optimizer.as_ref(), &problem, &x0, 60);
            let context = format!("{} on {problem:?}", optimizer.name());
            assert!(
                found.evaluations <= 60 && found.values.len() == found.evaluations,
                "{context}"
            );
            assert_eq!(
                found.values[0].to_bits(),
                problem.value(&x0).to_bits(),
                "{context}"
            );
            assert_eq!(
                found.value.to_bits(),
                problem.value(&found.x).to_bits(),
                "{context}"
            );
            assert_eq!(
                found.last_value.to_bits(),
                problem.value(&found.last_x).to_bits(),
                "{context}"
            );
            let lowest = found.values.iter().copied().fold(f64::INFINITY, f64::min);
            assert_eq!(found.value.to_bits(), lowest.to_bits(), "{context}");
            assert!(found.iteration_ends.is_sorted(), "{context}");
            assert!(
                found.iteration_ends.last() <= Some(&found.evaluations),
                "{context}"
            );
        }
    }
}

#[test]
fn every_run_repeats_itself_to_the_bit() {
    for optimizer in optimizers() {
        for (problem, x0) in problems(5) {
            let run = || minimize(optimizer.as_ref(), &problem, &x0, 40);
            let bits =
                |found: Minimum| found.values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(run()), bits(run()));
        }
    }
}

#[test]
fn minimizers_are_recognized() {
    for optimizer in optimizers() {
        for (problem, _) in problems(4) {
            let found = minimize(optimizer.as_ref(), &problem, &problem.minimizer(), 20);
            assert!(
                found.value < 1e-6,
                "{} on {problem:?}: {}",
                optimizer.name(),
                found.value
            );
        }
    }
}

#[test]
fn line_searches_solve_what_has_one_minimum() {
    let unimodal = [
        "rot_hyper_ellipsoid",
        "sphere",
        "sum_squares",
        "trid",
        "zakharov",
        "powell",
    ];
    for name in ["bfgs", "l-bfgs"] {
        for probes_value_first in [false, true] {
            let options = Options {
                probes_value_first,
                ..Options::default()
            };
            let optimizer = by_name(name, &options).unwrap();
            for (problem, x0) in
                problems(8).filter(|(p, _)| unimodal.contains(&p.function().name()))
            {
                let found = minimize(optimizer.as_ref(), &problem, &x0, 300);
                assert_eq!(
                    found.termination,
                    Termination::Converge,
                    "{name} on {problem:?}"
                );
                assert!(found.value < 1e-6, "{name} on {problem:?}: {}", found.value);
            }
        }
    }
}

/// A bowl that is not finite outside the unit ball.
struct Hole {
    outside: f64,
}

impl Objective for Hole {
    fn dimension(&self) -> usize {
        3
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.value_and_gradient(x, &mut [0.0; 3])
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let squares: f64 = x.iter().map(|x| x * x).sum();
        for (g, x) in gradient.iter_mut().zip(x) {
            *g = 2400.0 * (x - 0.1);
        }
        if squares > 1.0 {
            self.outside
        } else {
            x.iter().map(|x| 1200.0 * (x - 0.1).powi(2)).sum()
        }
    }
}

#[test]
fn non_finite_values_are_survived() {
    for optimizer in optimizers() {
        for outside in [f64::INFINITY, f64::NAN] {
            let hole = Hole { outside };
            let found = minimize(optimizer.as_ref(), &hole, &[0.5, -0.5, 0.5], 200);
            let is_line_search = optimizer.name().contains("bfgs");
            let bound = if is_line_search {
                1e-9
            } else {
                found.values[0]
            };
            assert!(
                found.value <= bound,
                "{}: {}",
                optimizer.name(),
                found.value
            );
            assert!(found.x.iter().all(|x| x.is_finite()));
            let lost = minimize(optimizer.as_ref(), &hole, &[2.0, 0.0, 0.0], 200);
            assert!(!lost.value.is_finite() || optimizer.name().starts_with("basin"));
        }
    }
}
