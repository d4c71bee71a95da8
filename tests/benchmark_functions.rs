//! Every test function: gradient, minimum, corners of the domain.

use motionfit::benchmark::functions::{FUNCTIONS, Function};
use motionfit::benchmark::{Problem, Protocol};
use motionfit::objective::{Objective, Rng, Task, central_difference};
use rand::{RngExt, SeedableRng};

const DIMENSIONS: [usize; 5] = [2, 4, 7, 10, 33];

/// `function` in 1000 variables; true Perm is O(N²) and overflows there, as it should.
fn large(function: &'static dyn Function) -> Problem {
    Problem::new(function, 1000)
}

#[test]
fn gradients_agree_with_central_differences() {
    let mut rng = Rng::seed_from_u64(1);
    for function in FUNCTIONS {
        for dimension in DIMENSIONS {
            // Powers up to the 33rd need small numbers to be differenced at all.
            let scale = if function.name() == "perm0" {
                1.0 / dimension as f64
            } else {
                1.0
            };
            let problem = Problem::new(function, dimension);
            let x: Vec<f64> = problem
                .initial_point(&mut rng)
                .iter()
                .map(|x| scale * x)
                .collect();
            let mut gradient = vec![0.0; problem.dimension()];
            problem.value_and_gradient(&x, &mut gradient);
            let h = 1e-6 * x.iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
            let numeric = central_difference(&problem, &x, h);
            let size = gradient
                .iter()
                .fold(1e-3_f64, |largest, g| largest.max(g.abs()));
            for (a, b) in gradient.iter().zip(&numeric) {
                assert!(
                    (a - b).abs() < 2e-6 * size,
                    "{}: {a} is not {b}",
                    problem.name()
                );
            }
        }
    }
}

#[test]
fn minimizers_have_the_minimum_and_no_slope() {
    for function in FUNCTIONS {
        for dimension in DIMENSIONS.into_iter().chain([1000]) {
            let problem = Problem::new(function, dimension);
            let minimizer = problem.minimizer();
            let mut gradient = vec![1.0; problem.dimension()];
            let value = problem.value_and_gradient(&minimizer, &mut gradient);
            // Trid's terms reach N⁵ and cancel down to N³.
            let rounding = if function.name() == "trid" {
                1e-1
            } else {
                1e-8
            };
            assert!(value.abs() < rounding, "{}: {value}", problem.name());
            let slope = gradient
                .iter()
                .fold(0.0_f64, |largest, g| largest.max(g.abs()));
            assert!(slope < 1e-8, "{}: {slope}", problem.name());
        }
    }
}

#[test]
fn nothing_nearby_is_lower_than_the_minimizer() {
    let mut rng = Rng::seed_from_u64(2);
    for function in FUNCTIONS {
        let problem = Problem::new(function, 8);
        let minimizer = problem.minimizer();
        for size in [1e-3, 1e-1, 1.0, 10.0] {
            let x: Vec<f64> = minimizer
                .iter()
                .map(|x| x + rng.random_range(-size..size))
                .collect();
            assert!(problem.value(&x) > 0.0, "{} at {x:?}", problem.name());
        }
    }
}

#[test]
fn corners_in_1000_dimensions_are_finite_or_plainly_infinite() {
    for function in FUNCTIONS {
        let problem = large(function);
        let (low, high) = problem.start();
        for pattern in 0..4 {
            let corner = |i: usize| {
                if [false, true, i.is_multiple_of(2), i < 500][pattern] {
                    low
                } else {
                    high
                }
            };
            let x: Vec<f64> = (0..problem.dimension()).map(corner).collect();
            let mut gradient = vec![0.0; x.len()];
            let value = problem.value_and_gradient(&x, &mut gradient);
            let has_nan = gradient.iter().any(|g| g.is_nan());
            if function.name() == "perm0" {
                assert!(value == f64::INFINITY && has_nan);
            } else {
                assert!(value.is_finite() && !has_nan, "{}: {value}", problem.name());
            }
        }
    }
}

#[test]
fn known_values() {
    let value = |name: &str, x: &[f64]| {
        let function = FUNCTIONS.iter().find(|f| f.name() == name).unwrap();
        function.evaluate(x, &mut vec![0.0; x.len()])
    };
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{a} {b}");
    close(value("rosenbrock", &[-1.2, 1.0]), 24.2);
    close(value("powell", &[3.0, -1.0, 0.0, 1.0]), 215.0);
    close(value("trid", &[2.0, 2.0]), -2.0);
    close(value("zakharov", &[1.0, 1.0]), 2.0 + 2.25 + 5.0625);
    close(value("dixon_price", &[1.0, 1.0]), 2.0);
    close(value("sum_powers", &[-1.0, 2.0]), 9.0);
    close(
        value("rot_hyper_ellipsoid", &[1.0, 2.0, 3.0]),
        3.0 + 8.0 + 9.0,
    );
    close(value("sum_squares", &[1.0, 2.0, 3.0]), 1.0 + 8.0 + 27.0);
    close(
        value("rastrigin", &[0.5, 0.25]),
        0.25 + 20.0 + 0.0625 + 10.0,
    );
    close(value("perm0", &[1.0, 1.0]), 36.0 + 81.0);
    close(
        value("griewank", &[0.0, 2.0_f64.sqrt() * std::f64::consts::PI]),
        2.0 + std::f64::consts::PI.powi(2) / 2000.0,
    );
}

#[test]
fn initial_values_agree_with_the_recorded_ones() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("golden/scipy_baselines.json")).unwrap();
    for row in golden["rows"].as_array().unwrap() {
        let name = row["function"].as_str().unwrap();
        let dimension = row["dimension"].as_u64().unwrap() as usize;
        let function = FUNCTIONS.iter().position(|f| f.name() == name).unwrap();
        let total: f64 = (0..64)
            .map(|run| {
                let (problem, x0) = Protocol::Paper.start(function, dimension, run, false);
                problem.value(&x0)
            })
            .sum();
        let expected = row["f0_mean"].as_f64().unwrap();
        assert!(
            (total / 64.0 - expected).abs() < 1e-9 * expected,
            "{name} {dimension}: {total}"
        );
    }
}
