//! The figures of the benchmark and the numbers behind them.

use serde::Serialize;

use crate::benchmark::paper;
use crate::benchmark::profile::TARGET_ITERATION;
use crate::benchmark::summary::{solvers as solver_names, tasks};
use crate::benchmark::timing::step_microseconds;
use crate::benchmark::trajectory::{self, Step};
use crate::benchmark::{
    LARGEST_TRAINED, Plan, Profile, Protocol, Row, Solver, relative_iterations,
};
use crate::error::Result;
use crate::plot::{Chart, Curve, Mark, Picture};

/// Everything in profile.json.
#[derive(Serialize)]
pub struct Profiles {
    /// Performance profiles of mean best values.
    performance: Vec<Profile>,
    /// Relative iterations, for each baseline.
    relative_iterations: Vec<RelativeIterations>,
}

/// How many times fewer iterations each solver needs than a baseline.
#[derive(Serialize)]
struct RelativeIterations {
    baseline: String,
    target_iteration: usize,
    solvers: Vec<RelativeCurve>,
}

#[derive(Serialize)]
struct RelativeCurve {
    optimizer: String,
    /// One ratio a task, in ascending order; 0 where the target was never reached.
    ratios: Vec<f64>,
}

/// The numbers of profile.json, and all pictures by file name.
pub fn all(
    plan: &Plan,
    solvers: &[Solver],
    rows: &[Row],
    is_timed: bool,
) -> Result<(Profiles, Vec<(&'static str, Picture)>)> {
    let profiles = Profiles {
        performance: performance(plan, rows)?,
        relative_iterations: relative(rows),
    };
    let mut pictures = vec![
        ("profile", profile_picture(&profiles.performance)),
        (
            "relative_iterations",
            relative_picture(&profiles.relative_iterations),
        ),
        ("dimension", dimension_picture(rows)),
        ("evaluations", evaluations_picture(rows)),
        ("trajectory", trajectory_picture(solvers)?),
    ];
    if is_timed {
        pictures.push(("timing", timing_picture(solvers, &plan.dimensions)?));
    }
    Ok((profiles, pictures))
}

/// Profiles of ours over all, trained and held-out dimensions, and of the held-out ones beside the
/// paper's learned optimizer.
fn performance(plan: &Plan, rows: &[Row]) -> Result<Vec<Profile>> {
    let names = solver_names(rows);
    let is_trained = |task: &&[Row]| task[0].dimension <= LARGEST_TRAINED;
    let of = |title: &str, tasks: Vec<&[Row]>| {
        let values: Vec<Vec<f64>> = tasks
            .iter()
            .map(|task| task.iter().map(|row| row.mean_best).collect())
            .collect();
        Profile::new(title, &names, &values)
    };
    let (trained, held_out): (Vec<_>, Vec<_>) = tasks(rows).into_iter().partition(is_trained);
    let mut profiles = vec![
        of("all dimensions", tasks(rows)),
        of("d ≤ 100", trained),
        of("d ≥ 250", held_out.clone()),
    ];
    if plan.protocol == Protocol::Paper && !plan.offsets {
        profiles.push(beside_the_paper(&names, &held_out)?);
    }
    Ok(profiles)
}

/// The profile of held-out tasks with the paper's Optimus column as one more solver, without the
/// rows that are not comparable (its Perm is another function, its Trid has lost all digits).
fn beside_the_paper(names: &[String], held_out: &[&[Row]]) -> Result<Profile> {
    let published = paper::table()?;
    let values: Vec<Vec<f64>> = held_out
        .iter()
        .filter(|task| !matches!(task[0].function, "perm0" | "trid"))
        .filter_map(|task| {
            let (function, dimension) = (task[0].function, task[0].dimension);
            let is_same = |r: &&paper::PaperRow| r.function == function && r.dimension == dimension;
            let optimus = published.iter().find(is_same)?.optimus;
            Some(
                task.iter()
                    .map(|row| row.mean_best)
                    .chain([optimus])
                    .collect(),
            )
        })
        .collect();
    let names: Vec<String> = names
        .iter()
        .cloned()
        .chain(["Optimus (published)".to_string()])
        .collect();
    Ok(Profile::new(
        "d ≥ 250 beside the published Optimus",
        &names,
        &values,
    ))
}

/// Relative iterations to every solver as the baseline.
fn relative(rows: &[Row]) -> Vec<RelativeIterations> {
    let names = solver_names(rows);
    let ratios = |baseline: &str, solver: &str| {
        let find = |task: &[Row], name: &str| task.iter().position(|row| row.optimizer == name);
        let mut ratios: Vec<f64> = tasks(rows)
            .into_iter()
            .filter_map(|task| {
                relative_iterations(&task[find(task, baseline)?], &task[find(task, solver)?])
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    };
    let of = |baseline: &String| RelativeIterations {
        baseline: baseline.clone(),
        target_iteration: TARGET_ITERATION,
        solvers: names
            .iter()
            .filter(|solver| *solver != baseline)
            .map(|solver| RelativeCurve {
                optimizer: solver.clone(),
                ratios: ratios(baseline, solver),
            })
            .collect(),
    };
    names.iter().map(of).collect()
}

fn profile_picture(profiles: &[Profile]) -> Picture {
    let chart = |profile: &Profile| Chart {
        title: format!("{} ({} problems)", profile.problems, profile.count),
        x_label: "factor τ of the best".into(),
        y_label: "share of problems ρ(τ)".into(),
        log_x: true,
        y_range: Some((0.0, 1.0)),
        curves: profile
            .solvers
            .iter()
            .map(|solver| Curve {
                label: solver.optimizer.clone(),
                points: profile
                    .tau
                    .iter()
                    .copied()
                    .zip(solver.rho.iter().copied())
                    .collect(),
                mark: Mark::Line,
            })
            .collect(),
        ..Chart::default()
    };
    Picture {
        title: "Performance profiles of the mean best value".into(),
        charts: profiles.iter().map(chart).collect(),
        columns: 2,
        cell: (460.0, 320.0),
    }
}

/// Ratios outside are drawn at the border; "never" is drawn at the lower one.
const RATIO_RANGE: (f64, f64) = (1e-2, 1e2);

fn relative_picture(relative: &[RelativeIterations]) -> Picture {
    let percentiles = |ratios: &[f64]| {
        let at = |(i, ratio): (usize, &f64)| {
            let percent = 100.0 * (i as f64 + 0.5) / ratios.len() as f64;
            (percent, ratio.clamp(RATIO_RANGE.0, RATIO_RANGE.1))
        };
        ratios.iter().enumerate().map(at).collect()
    };
    let chart = |relative: &RelativeIterations| Chart {
        title: format!("baseline {}", relative.baseline),
        x_label: "percentile of tasks".into(),
        y_label: "times fewer iterations".into(),
        log_y: true,
        y_range: Some(RATIO_RANGE),
        curves: relative
            .solvers
            .iter()
            .map(|solver| Curve {
                label: solver.optimizer.clone(),
                points: percentiles(&solver.ratios),
                mark: Mark::Line,
            })
            .chain([Curve {
                points: vec![(0.0, 1.0), (100.0, 1.0)],
                mark: Mark::Background,
                ..Curve::default()
            }])
            .collect(),
        ..Chart::default()
    };
    Picture {
        title: format!("Iterations to the baseline's value after {TARGET_ITERATION}"),
        charts: relative.iter().map(chart).collect(),
        columns: relative.len().clamp(1, 3),
        cell: (380.0, 300.0),
    }
}

/// Mean best value against the number of variables, a panel for each function.
fn dimension_picture(rows: &[Row]) -> Picture {
    let chart = |rows: &[Row]| Chart {
        title: rows[0].function.to_string(),
        x_label: "variables".into(),
        y_label: "mean best f − f*".into(),
        log_x: true,
        log_y: true,
        curves: curves(rows, Mark::DottedLine, |own| {
            own.map(|row| (row.dimension as f64, row.mean_best))
                .collect()
        }),
        ..Chart::default()
    };
    panels("Mean best value against dimension", rows, chart)
}

/// Mean best value against function evaluations in the largest dimension with finite values.
fn evaluations_picture(rows: &[Row]) -> Picture {
    let chart = |rows: &[Row]| {
        let usable = rows.iter().filter(|row| row.mean_best.is_finite());
        let largest = usable.map(|row| row.dimension).max().unwrap_or(0);
        Chart {
            title: format!("{}, d = {largest}", rows[0].function),
            x_label: "function evaluations".into(),
            y_label: "mean best f − f*".into(),
            log_y: true,
            curves: curves(rows, Mark::Line, |own| {
                let row = own.filter(|row| row.dimension == largest).last();
                let values = row
                    .map(|row| row.best_by_evaluation.as_slice())
                    .unwrap_or_default();
                values
                    .iter()
                    .enumerate()
                    .map(|(n, v)| ((n + 1) as f64, *v))
                    .collect()
            }),
            ..Chart::default()
        }
    };
    panels("Mean best value against function evaluations", rows, chart)
}

/// A curve for each solver in `rows`.
fn curves(
    rows: &[Row],
    mark: Mark,
    points: impl Fn(&mut dyn Iterator<Item = &Row>) -> Vec<(f64, f64)>,
) -> Vec<Curve> {
    let names = solver_names(rows).into_iter();
    names
        .map(|label| {
            let points = points(&mut rows.iter().filter(|row| row.optimizer == label));
            Curve {
                label,
                points,
                mark,
            }
        })
        .collect()
}

/// A panel for each function.
fn panels(title: &str, rows: &[Row], chart: impl Fn(&[Row]) -> Chart) -> Picture {
    Picture {
        title: title.into(),
        charts: rows
            .chunk_by(|a, b| a.function == b.function)
            .map(chart)
            .collect(),
        columns: 3,
        cell: (340.0, 250.0),
    }
}

/// Iterations that are drawn of a path.
const PATH: usize = 60;

fn trajectory_picture(solvers: &[Solver]) -> Result<Picture> {
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
        y_label: "f".into(),
        log_y: true,
        y_range: None,
        ..against_iteration("", curves(&|k, step| (k as f64, step.value), Mark::Line))
    };
    Ok(Picture {
        title: "Rosenbrock in two variables".into(),
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

fn timing_picture(solvers: &[Solver], dimensions: &[usize]) -> Result<Picture> {
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
        charts: vec![chart],
        columns: 1,
        cell: (560.0, 400.0),
    })
}
