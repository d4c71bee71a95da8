//! Runs every solver on every problem, from every start, in parallel.

use std::ops::ControlFlow;

use rayon::prelude::*;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::objective::Objective;
use crate::optim::{Budget, Minimize, Minimum, Unobserved};

use super::Protocol;
use super::functions::FUNCTIONS;

/// What is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How the functions are posed.
    pub protocol: Protocol,
    /// Positions in [`FUNCTIONS`].
    pub functions: Vec<usize>,
    /// Numbers of variables.
    pub dimensions: Vec<usize>,
    /// Starts of each function and dimension. Default: 64.
    pub inits: usize,
    /// Iterations of each run. Default: 200.
    pub iterations: usize,
    /// Whether every run is moved by a random offset of its own.
    pub offsets: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            protocol: Protocol::Paper,
            functions: (0..FUNCTIONS.len()).collect(),
            dimensions: super::DIMENSIONS.to_vec(),
            inits: 64,
            iterations: 200,
            offsets: false,
        }
    }
}

/// A method with its variants, of which the best is chosen for every function and dimension.
pub struct Solver {
    /// The name in tables.
    pub name: String,
    /// At least one variant, with the learning rate that makes it one.
    pub variants: Vec<(Option<f64>, Box<dyn Minimize>)>,
}

/// How a solver did on a function of one dimension: a row of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Name of the function.
    pub function: &'static str,
    /// Number of variables.
    pub dimension: usize,
    /// Name of the solver.
    pub optimizer: String,
    /// Mean over the starts of the best f − f* of a run.
    pub mean_best: f64,
    /// Median of the same.
    pub median_best: f64,
    /// Mean of the last f − f*; a run that ended above its start counts with its start.
    pub mean_final: f64,
    /// Mean of the distinct points evaluated.
    pub mean_evaluations: f64,
    /// Mean of the iterations completed.
    pub mean_iterations: f64,
    /// Runs that ended above their start, or not finite.
    pub diverged: usize,
    /// Starts.
    pub inits: usize,
    /// Whether offsets were drawn.
    pub offsets: bool,
    /// The learning rate chosen, for methods that have one.
    pub learning_rate: Option<f64>,
    /// Mean best value after iteration k, `(iterations + 1,)`.
    #[serde(skip)]
    pub best_by_iteration: Vec<f64>,
    /// Mean best value after evaluation n + 1, as long as the longest run.
    #[serde(skip)]
    pub best_by_evaluation: Vec<f64>,
}

/// Runs `plan` with `solvers`; rows come ordered by function, dimension and solver.
///
/// `progress` sees every row as it is ready, in no particular order, and may stop the benchmark.
///
/// # Errors
/// When a solver fails, and [`Error::Interrupted`] when `progress` stops it.
pub fn run(
    plan: &Plan,
    solvers: &[Solver],
    progress: &(dyn Fn(&Row) -> ControlFlow<()> + Sync),
) -> Result<Vec<Row>> {
    let mut jobs = Vec::new();
    for &function in &plan.functions {
        for &dimension in &plan.dimensions {
            for solver in solvers {
                jobs.push((jobs.len(), function, dimension, solver));
            }
        }
    }
    // The longest first, so that no thread is left with a long one at the end.
    jobs.sort_by_key(|(number, _, dimension, _)| (std::cmp::Reverse(*dimension), *number));
    let mut rows = jobs
        .into_par_iter()
        .map(|(number, function, dimension, solver)| {
            let row = race(plan, function, dimension, solver)?;
            match progress(&row) {
                ControlFlow::Continue(()) => Ok((number, row)),
                ControlFlow::Break(()) => Err(Error::Interrupted),
            }
        })
        .collect::<Result<Vec<_>>>()?;
    rows.sort_by_key(|(number, _)| *number);
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// The row of the variant with the lowest mean final value.
///
/// Final values are at least 0, so a variant is out as soon as its sum exceeds a complete one:
/// the choice is that of the full grid at a fraction of its cost.
fn race(plan: &Plan, function: usize, dimension: usize, solver: &Solver) -> Result<Row> {
    let start = |variant: usize, run: usize| {
        Run::of(
            plan,
            function,
            dimension,
            solver.variants[variant].1.as_ref(),
            run,
        )
    };
    let mut openings = (0..solver.variants.len())
        .map(|variant| Ok((variant, start(variant, 0)?)))
        .collect::<Result<Vec<_>>>()?;
    openings.sort_by(|(_, a), (_, b)| a.end().total_cmp(&b.end()));
    let mut best: Option<(f64, usize, Vec<Run>)> = None;
    for (variant, opening) in openings {
        let mut sum = opening.end();
        let mut runs = vec![opening];
        let is_out = |sum: f64| best.as_ref().is_some_and(|(lowest, ..)| sum > *lowest);
        while runs.len() < plan.inits && !is_out(sum) {
            let run = start(variant, runs.len())?;
            sum += run.end();
            runs.push(run);
        }
        let ranks_first = |(lowest, first, _): &(f64, usize, Vec<Run>)| {
            sum.total_cmp(lowest).then(variant.cmp(first)).is_lt()
        };
        if runs.len() >= plan.inits && best.as_ref().is_none_or(ranks_first) {
            best = Some((sum, variant, runs));
        }
    }
    let (_, variant, runs) =
        best.ok_or_else(|| Error::Internal(format!("solver {} has no variants", solver.name)))?;
    Ok(Row {
        optimizer: solver.name.clone(),
        learning_rate: solver.variants[variant].0,
        ..summarize(plan, function, dimension, &runs)
    })
}

/// What is kept of one run.
struct Run {
    first: f64,
    best: f64,
    last: f64,
    evaluations: usize,
    iterations: usize,
    best_by_iteration: Vec<f64>,
    best_by_evaluation: Vec<f64>,
}

impl Run {
    fn of(
        plan: &Plan,
        function: usize,
        dimension: usize,
        method: &dyn Minimize,
        run: usize,
    ) -> Result<Self> {
        let (problem, x0) = plan.protocol.start(function, dimension, run, plan.offsets);
        let budget = Budget {
            evaluations: usize::MAX,
            iterations: Some(plan.iterations),
            ..Budget::default()
        };
        debug_assert_eq!(problem.dimension(), x0.len());
        let found = method.minimize(&problem, &x0, &budget, &mut Unobserved)?;
        Ok(Self::from_minimum(&found, plan.iterations))
    }

    fn from_minimum(found: &Minimum, iterations: usize) -> Self {
        let running_best = |best: &mut f64, value: &f64| {
            *best = best.min(*value);
            Some(*best)
        };
        let best_by_evaluation: Vec<f64> = found
            .values
            .iter()
            .scan(f64::INFINITY, running_best)
            .collect();
        let all = found.values.len();
        let best_by_iteration = (0..=iterations)
            .map(|k| best_by_evaluation[found.iteration_ends.get(k).unwrap_or(&all) - 1])
            .collect();
        Self {
            first: found.values[0],
            best: found.value,
            last: found.last_value,
            evaluations: found.evaluations,
            iterations: found.iterations(),
            best_by_iteration,
            best_by_evaluation,
        }
    }

    fn has_diverged(&self) -> bool {
        self.last > self.first || !self.last.is_finite()
    }

    /// The value the run ended with: that of its start when it diverged. Rounding of f* is cut off.
    fn end(&self) -> f64 {
        if self.has_diverged() {
            self.first
        } else {
            self.last.max(0.0)
        }
    }
}

fn summarize(plan: &Plan, function: usize, dimension: usize, runs: &[Run]) -> Row {
    let mean = |of: &dyn Fn(&Run) -> f64| runs.iter().map(of).sum::<f64>() / runs.len() as f64;
    let longest = runs.iter().map(|run| run.evaluations).max().unwrap_or(0);
    let last_or = |values: &[f64], n: usize| values[n.min(values.len() - 1)];
    let mut bests: Vec<f64> = runs.iter().map(|run| run.best).collect();
    bests.sort_by(f64::total_cmp);
    Row {
        function: FUNCTIONS[function].name(),
        dimension,
        optimizer: String::new(),
        mean_best: mean(&|run| run.best),
        median_best: 0.5 * (bests[(bests.len() - 1) / 2] + bests[bests.len() / 2]),
        mean_final: mean(&Run::end),
        mean_evaluations: mean(&|run| run.evaluations as f64),
        mean_iterations: mean(&|run| run.iterations as f64),
        diverged: runs.iter().filter(|run| run.has_diverged()).count(),
        inits: runs.len(),
        offsets: plan.offsets,
        learning_rate: None,
        best_by_iteration: (0..=plan.iterations)
            .map(|k| mean(&|run| run.best_by_iteration[k]))
            .collect(),
        best_by_evaluation: (0..longest)
            .map(|n| mean(&|run| last_or(&run.best_by_evaluation, n)))
            .collect(),
    }
}

#[cfg(test)]
mod tests;
