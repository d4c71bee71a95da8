//! The numbers of profile.json and their pictures.

use serde::Serialize;

use crate::benchmark::paper;
use crate::benchmark::profile::TARGET_ITERATION;
use crate::benchmark::summary::{solvers as solver_names, tasks};
use crate::benchmark::{LARGEST_TRAINED, Plan, Profile, Protocol, Row, relative_iterations};
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

impl Profiles {
    /// Compares the solvers in `rows`.
    pub fn new(plan: &Plan, rows: &[Row]) -> Result<Self> {
        Ok(Self {
            performance: performance(plan, rows)?,
            relative_iterations: relative(rows),
        })
    }

    /// The pictures, by file name.
    pub fn pictures(&self) -> [(&'static str, Picture); 2] {
        [
            ("profile", profile_picture(&self.performance)),
            (
                "relative_iterations",
                relative_picture(&self.relative_iterations),
            ),
        ]
    }
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
        x_label: "log₁₀ τ, the factor of the best".into(),
        y_label: "share of problems ρ(τ)".into(),
        y_range: Some((0.0, 1.0)),
        curves: profile
            .solvers
            .iter()
            .map(|solver| Curve {
                label: solver.optimizer.clone(),
                points: profile
                    .tau
                    .iter()
                    .map(|tau| tau.log10())
                    .zip(solver.rho.clone())
                    .collect(),
                mark: Mark::Line,
            })
            .collect(),
        ..Chart::default()
    };
    Picture {
        title: "Performance profiles of the mean best value".into(),
        legend: Vec::new(),
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
            .collect(),
        ..Chart::default()
    };
    Picture {
        title: format!("Iterations to the baseline's value after {TARGET_ITERATION}"),
        legend: relative
            .iter()
            .map(|relative| relative.baseline.clone())
            .collect(),
        charts: relative.iter().map(chart).collect(),
        columns: relative.len().clamp(1, 3),
        cell: (380.0, 300.0),
    }
}
