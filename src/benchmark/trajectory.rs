//! The path of an optimizer on Rosenbrock's valley, and the angles of its steps.

use std::ops::ControlFlow;

use crate::error::Result;
use crate::objective::{Evaluation, Objective};
use crate::optim::{Budget, Minimize};

use super::Problem;
use super::functions::Rosenbrock;

/// Where the paths begin: the start of Rosenbrock's own paper.
pub const START: [f64; 2] = [-1.2, 1.0];

/// An iterate and the step that leaves it.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// xᵏ.
    pub x: [f64; 2],
    /// f(xᵏ).
    pub value: f64,
    /// cos of the angle between the step and −∇f; NaN for no step.
    pub cosine_gradient: f64,
    /// cos of the angle between the step and Newton's, −(∇²f)⁻¹ ∇f; NaN for no step.
    pub cosine_newton: f64,
}

/// The iterates of `method` on 2-d Rosenbrock from [`START`], at most `iterations` of them.
///
/// # Errors
/// When the method fails.
pub fn trace(method: &dyn Minimize, iterations: usize) -> Result<Vec<Step>> {
    let mut seen: Vec<([f64; 2], f64)> = Vec::new();
    let mut record = |_: usize, x: &[f64], evaluation: &Evaluation| {
        seen.push(([x[0], x[1]], evaluation.value));
        ControlFlow::Continue(())
    };
    let budget = Budget {
        evaluations: usize::MAX,
        iterations: Some(iterations),
        ..Budget::default()
    };
    let problem = Problem::new(&Rosenbrock, 2);
    let found = method.minimize(&problem, &START, &budget, &mut record)?;
    let iterates: Vec<_> = found
        .iteration_ends
        .iter()
        .map(|end| seen[end - 1])
        .collect();
    let with_step = |(k, (x, value)): (usize, &([f64; 2], f64))| {
        let next = iterates.get(k + 1).map_or(*x, |(next, _)| *next);
        let step = [next[0] - x[0], next[1] - x[1]];
        let (descent, newton) = directions(&problem, x);
        Step {
            x: *x,
            value: *value,
            cosine_gradient: cosine(step, descent),
            cosine_newton: cosine(step, newton),
        }
    };
    Ok(iterates.iter().enumerate().map(with_step).collect())
}

/// −∇f and −(∇²f)⁻¹ ∇f at `x`.
fn directions(problem: &Problem, x: &[f64; 2]) -> ([f64; 2], [f64; 2]) {
    let mut g = [0.0; 2];
    problem.value_and_gradient(x, &mut g);
    // ∇²f = [a b; b c]
    let (a, b, c) = (
        1200.0 * x[0] * x[0] - 400.0 * x[1] + 2.0,
        -400.0 * x[0],
        200.0,
    );
    let determinant = a * c - b * b;
    let newton = [
        -(c * g[0] - b * g[1]) / determinant,
        -(a * g[1] - b * g[0]) / determinant,
    ];
    ([-g[0], -g[1]], newton)
}

fn cosine(a: [f64; 2], b: [f64; 2]) -> f64 {
    let dot = |a: [f64; 2], b: [f64; 2]| a[0] * b[0] + a[1] * b[1];
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Options, by_name};

    #[test]
    fn gradient_descent_steps_along_the_gradient() {
        let options = Options {
            learning_rate: Some(1e-4),
            ..Options::default()
        };
        let steps = trace(by_name("sgd", &options).unwrap().as_ref(), 30).unwrap();
        assert_eq!((steps.len(), steps[0].x), (31, START));
        let moving = &steps[..30];
        assert!(
            moving
                .iter()
                .all(|step| (step.cosine_gradient - 1.0).abs() < 1e-9)
        );
        assert!(steps[30].cosine_gradient.is_nan());
    }

    #[test]
    fn newton_points_at_the_minimum_of_the_local_parabola() {
        let (_, newton) = directions(&Problem::new(&Rosenbrock, 2), &[1.0, 3.0]);
        // On x = 1 the residual in y is linear: Newton's step ends on the valley floor.
        assert!(
            newton[0].abs() < 1e-12 && (newton[1] + 2.0).abs() < 1e-12,
            "{newton:?}"
        );
    }

    #[test]
    fn bfgs_turns_into_newton() {
        let steps = trace(by_name("bfgs", &Options::default()).unwrap().as_ref(), 200).unwrap();
        let last = steps[steps.len() - 2];
        assert!(last.cosine_newton > 0.99, "{last:?}");
    }
}
