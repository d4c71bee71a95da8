//! The path of each solver on Rosenbrock's function, and the time of its steps.

use crate::benchmark::Solver;
use crate::benchmark::timing::step_microseconds;
use crate::benchmark::trajectory::{self, Step};
use crate::error::Result;
use crate::plot::{Chart, Curve, Mark, Picture};

use super::values::log_value;

/// Iterations that are drawn of a path.
const PATH: usize = 60;

/// Paths, values and angles of the steps of `solvers`, each with its best learning rate there.
pub fn trajectory_picture(solvers: &[Solver]) -> Result<Picture> {
    let mut paths = Vec::new();
    for solver in solvers {
        let steps = solver
            .variants
            .iter()
            .map(|(_, method)| trajectory::trace(method.as_ref(), PATH))
            .collect::<Result<Vec<_>>>()?;
        let last = |steps: &Vec<Step>| steps.last().map_or(f64::INFINITY, |step| step.value);
        let best = steps.into_iter().min_by(|a, b| last(a).total_cmp(&last(b)));
        paths.extend(best.map(|steps| (solver.name.clone(), steps)));
    }
    let curves = |point: &dyn Fn(usize, &Step) -> (f64, f64), mark: Mark| {
        let curve = |(label, steps): &(String, Vec<Step>)| Curve {
            label: label.clone(),
            points: steps
                .iter()
                .enumerate()
                .map(|(k, step)| point(k, step))
                .collect(),
            mark,
        };
        paths.iter().map(curve).collect::<Vec<Curve>>()
    };
    let mut path = Chart {
        title: "path".into(),
        x_label: "x₁".into(),
        y_label: "x₂".into(),
        curves: [1.0, 10.0, 100.0].into_iter().flat_map(level).collect(),
        ..Chart::default()
    };
    path.curves
        .extend(curves(&|_, step| (step.x[0], step.x[1]), Mark::DottedLine));
    let against_iteration = |title: &str, curves: Vec<Curve>| Chart {
        title: title.into(),
        x_label: "iteration".into(),
        y_label: "cosine".into(),
        y_range: Some((-1.0, 1.0)),
        curves,
        ..Chart::default()
    };
    let gradient = curves(&|k, step| (k as f64, step.cosine_gradient), Mark::Line);
    let newton = curves(&|k, step| (k as f64, step.cosine_newton), Mark::Line);
    let value = Chart {
        title: "value".into(),
        y_label: "log₁₀ f".into(),
        y_range: None,
        ..against_iteration(
            "",
            curves(&|k, step| (k as f64, log_value(step.value)), Mark::Line),
        )
    };
    Ok(Picture {
        title: "Rosenbrock in two variables".into(),
        legend: Vec::new(),
        charts: vec![
            path,
            value,
            against_iteration("step and steepest descent", gradient),
            against_iteration("step and Newton's step", newton),
        ],
        columns: 2,
        cell: (460.0, 320.0),
    })
}

/// The level set f = c of Rosenbrock's function: y = x² ± √((c − (x − 1)²) / 100).
fn level(c: f64) -> [Curve; 2] {
    let branch = |sign: f64| {
        let x_at = |i: i32| 1.0 + c.sqrt() * f64::from(i) / 100.0;
        let y_at = |x: f64| x * x + sign * ((c - (x - 1.0).powi(2)).max(0.0) / 100.0).sqrt();
        let points = (-100..=100).map(|i| (x_at(i), y_at(x_at(i))));
        let points = points
            .filter(|(x, y)| (-2.0..=2.0).contains(x) && *y <= 3.0)
            .collect();
        Curve {
            points,
            mark: Mark::Background,
            ..Curve::default()
        }
    };
    [branch(-1.0), branch(1.0)]
}

/// Time of an iteration of `solvers` against the number of variables.
pub fn timing_picture(solvers: &[Solver], dimensions: &[usize]) -> Result<Picture> {
    let curve = |solver: &Solver| {
        let middle = &solver.variants[solver.variants.len() / 2].1;
        let points = dimensions
            .iter()
            .map(|d| Ok((*d as f64, step_microseconds(middle.as_ref(), *d, 50, 5)?)))
            .collect::<Result<Vec<_>>>()?;
        Ok(Curve {
            label: solver.name.clone(),
            points,
            mark: Mark::DottedLine,
        })
    };
    let chart = Chart {
        title: "Rosenbrock, without the objective".into(),
        x_label: "variables".into(),
        y_label: "µs per iteration".into(),
        log_x: true,
        log_y: true,
        curves: solvers.iter().map(curve).collect::<Result<_>>()?,
        ..Chart::default()
    };
    Ok(Picture {
        title: "Wall time of an iteration".into(),
        legend: Vec::new(),
        charts: vec![chart],
        columns: 1,
        cell: (560.0, 400.0),
    })
}
