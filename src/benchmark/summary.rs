//! The benchmark's tables as Markdown, beside the paper's own columns.

use std::fmt::Write;

use crate::error::Result;

use super::paper::{self, PaperRow};
use super::{Plan, Row, relative_iterations};

/// The Markdown summary of `rows`.
///
/// # Errors
/// When the paper's embedded table cannot be read.
pub fn markdown(plan: &Plan, rows: &[Row]) -> Result<String> {
    let published = paper::table()?;
    let solvers = solvers(rows);
    let mut text = String::new();
    text.push_str("# Classic benchmark\n\n");
    text.push_str(&set_up(plan));
    text.push_str("\n## Mean best f − f*\n\n");
    text.push_str(&best_values(rows, &solvers, &published));
    text.push_str("\n## Cost\n\n");
    text.push_str(&costs(rows, &solvers));
    text.push_str("\n## Speed and small dimensions\n\n");
    text.push_str(&comparisons(rows, &solvers));
    if plan.protocol == super::Protocol::Paper {
        text.push_str("\n## Beside the published Optimus\n\n");
        text.push_str(&beside_published(rows, &solvers, &published));
    }
    if plan.protocol == super::Protocol::Paper && !plan.offsets {
        text.push_str("\n## Rows that differ from the paper's by more than 10 %\n\n");
        text.push_str(&differences(rows, &published));
    }
    Ok(text)
}

/// Names of the solvers in `rows`, in their order.
pub fn solvers(rows: &[Row]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        if !names.contains(&row.optimizer) {
            names.push(row.optimizer.clone());
        }
    }
    names
}

/// Rows grouped by function and dimension, in their order.
pub fn tasks(rows: &[Row]) -> Vec<&[Row]> {
    rows.chunk_by(|a, b| (a.function, a.dimension) == (b.function, b.dimension))
        .collect()
}

fn set_up(plan: &Plan) -> String {
    let offsets = if plan.offsets {
        "a random offset for every run"
    } else {
        "no offsets"
    };
    format!(
        "Protocol `{}`, {} starts, {} iterations, {offsets}. f − f* with the true minimum f*, which \
         is 0 for every function as tabled. Learning rates of first-order methods: the one of the \
         grid with the lowest mean final value, for every function and dimension.\n",
        plan.protocol.name(),
        plan.inits,
        plan.iterations
    )
}

/// A table in the form of the paper's Table 8, its columns on the right.
fn best_values(rows: &[Row], solvers: &[String], published: &[PaperRow]) -> String {
    let columns = ["BFGS", "Optimus", "Adafactor MLP", "Adam", "Momentum"];
    let head = solvers.iter().map(String::as_str).map(String::from);
    let paper_head = columns.iter().map(|column| format!("paper: {column}"));
    let mut text = header(
        ["function".into(), "d".into()]
            .into_iter()
            .chain(head)
            .chain(paper_head),
    );
    for task in tasks(rows) {
        let (function, dimension) = (task[0].function, task[0].dimension);
        let lowest = task
            .iter()
            .map(|row| row.mean_best)
            .fold(f64::INFINITY, f64::min);
        let mut cells = vec![function.to_string(), dimension.to_string()];
        for solver in solvers {
            let value = task
                .iter()
                .find(|row| row.optimizer == *solver)
                .map(|row| row.mean_best);
            let is_lowest = value.is_some_and(|value| value.is_finite() && value <= lowest);
            let shown = value.map_or_else(String::new, number);
            cells.push(if is_lowest {
                format!("**{shown}**")
            } else {
                shown
            });
        }
        let paper = published
            .iter()
            .find(|r| r.function == function && r.dimension == dimension);
        cells.extend(match paper {
            Some(r) => [r.bfgs, r.optimus, r.adafac, r.adam, r.momentum].map(number),
            None => std::array::from_fn(|_| String::new()),
        });
        push_row(&mut text, &cells);
    }
    text.push_str(
        "\nThe paper's columns are printed as published: its `trid` stands d (d + 3) / 2 above \
         f − f*, its `perm0` repeats `sum_squares`.\n",
    );
    text
}

/// Means over all tasks, and how often each solver is best.
fn costs(rows: &[Row], solvers: &[String]) -> String {
    let names = [
        "optimizer",
        "mean evaluations",
        "mean iterations",
        "best or within 1 %",
        "tasks",
    ];
    let mut text = header(names.into_iter().map(String::from));
    for solver in solvers {
        let own: Vec<&Row> = rows.iter().filter(|row| row.optimizer == *solver).collect();
        let mean = |of: fn(&Row) -> f64| own.iter().map(|r| of(r)).sum::<f64>() / own.len() as f64;
        let is_best = |task: &&[Row]| {
            let lowest = task
                .iter()
                .map(|row| row.mean_best)
                .fold(f64::INFINITY, f64::min);
            let value = task
                .iter()
                .find(|r| r.optimizer == *solver)
                .map(|row| row.mean_best);
            value.is_some_and(|value| value.is_finite() && value <= 1.01 * lowest)
        };
        let cells = [
            solver.clone(),
            format!("{:.1}", mean(|row| row.mean_evaluations)),
            format!("{:.1}", mean(|row| row.mean_iterations)),
            tasks(rows)
                .iter()
                .filter(|task| is_best(task))
                .count()
                .to_string(),
            own.len().to_string(),
        ];
        push_row(&mut text, &cells);
    }
    text
}

/// The share of tasks on which each solver needs at most a tenth of a baseline's iterations, and on
/// how many tasks of two variables it is not worse.
fn comparisons(rows: &[Row], solvers: &[String]) -> String {
    const BASELINES: [&str; 2] = ["adam", "bfgs"];
    let names = ["optimizer".to_string()]
        .into_iter()
        .chain(BASELINES.iter().flat_map(|baseline| {
            [
                format!("≥ 10 × fewer iterations than {baseline}"),
                format!("median × fewer than {baseline}"),
                format!("d = 2: not worse than {baseline}"),
            ]
        }));
    let mut text = header(names);
    for solver in solvers {
        let mut cells = vec![solver.clone()];
        for baseline in BASELINES {
            let pairs = pairs(rows, solver, baseline);
            let mut ratios: Vec<f64> = pairs
                .iter()
                .filter_map(|(own, other)| relative_iterations(other, own))
                .collect();
            ratios.sort_by(f64::total_cmp);
            let fast = ratios.iter().filter(|ratio| **ratio >= 10.0).count();
            let small: Vec<_> = pairs.iter().filter(|(own, _)| own.dimension == 2).collect();
            let good = small
                .iter()
                .filter(|(own, other)| own.mean_best <= 1.01 * other.mean_best);
            cells.push(format!("{fast} of {}", ratios.len()));
            cells.push(
                ratios
                    .get(ratios.len() / 2)
                    .map_or_else(String::new, |r| format!("{r:.2}")),
            );
            cells.push(format!("{} of {}", good.count(), small.len()));
        }
        push_row(&mut text, &cells);
    }
    text.push_str(
        "\nThe target of a task is the baseline's mean best value after 100 iterations.\n",
    );
    text
}

/// The rows of `solver` and of `baseline` on the same tasks.
fn pairs<'r>(rows: &'r [Row], solver: &str, baseline: &str) -> Vec<(&'r Row, &'r Row)> {
    let find = |task: &'r [Row], name: &str| task.iter().find(|row| row.optimizer == name);
    tasks(rows)
        .into_iter()
        .filter_map(|task| Some((find(task, solver)?, find(task, baseline)?)))
        .collect()
}

/// On how many tasks each solver is at or below the paper's Optimus; Perm is left out, since the
/// paper's is another function.
fn beside_published(rows: &[Row], solvers: &[String], published: &[PaperRow]) -> String {
    let names = ["optimizer", "at or below, all d", "at or below, d ≥ 250"];
    let mut text = header(names.into_iter().map(String::from));
    for solver in solvers {
        let compared: Vec<(usize, bool)> = rows
            .iter()
            .filter(|row| row.optimizer == *solver && row.function != "perm0")
            .filter_map(|row| {
                let same =
                    |p: &&PaperRow| p.function == row.function && p.dimension == row.dimension;
                let paper = published.iter().find(same)?;
                Some((
                    row.dimension,
                    row.mean_best + paper.shift() <= paper.optimus,
                ))
            })
            .collect();
        let count = |least: usize| {
            let all = compared.iter().filter(|(dimension, _)| *dimension >= least);
            let good = all.clone().filter(|(_, is_good)| *is_good).count();
            format!("{good} of {}", all.count())
        };
        push_row(&mut text, &[solver.clone(), count(0), count(250)]);
    }
    text
}

/// Every row of ours more than 10 % away from the paper's, with the reason where known.
fn differences(rows: &[Row], published: &[PaperRow]) -> String {
    let names = ["function", "d", "optimizer", "ours", "paper", "reason"];
    let mut text = header(names.into_iter().map(String::from));
    for row in rows {
        let paper = published
            .iter()
            .find(|p| p.function == row.function && p.dimension == row.dimension);
        let Some(found) = paper.and_then(|paper| paper::difference(row, paper)) else {
            continue;
        };
        let cells = [
            row.function.to_string(),
            row.dimension.to_string(),
            row.optimizer.clone(),
            number(found.ours),
            number(found.paper),
            found.reason.to_string(),
        ];
        push_row(&mut text, &cells);
    }
    text
}

/// Three significant digits.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "overflow".to_string();
    }
    let magnitude = value.abs();
    if magnitude == 0.0 {
        "0".to_string()
    } else if (0.01..1000.0).contains(&magnitude) {
        let digits = (2 - magnitude.log10().floor() as i32).max(0) as usize;
        format!("{value:.digits$}")
    } else {
        format!("{value:.2e}")
    }
}

fn header(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    let mut text = String::new();
    push_row(&mut text, &names);
    push_row(&mut text, &vec!["---".to_string(); names.len()]);
    text
}

fn push_row(text: &mut String, cells: &[String]) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let shown = [
            0.0,
            1.0,
            12.345,
            999.4,
            0.012_34,
            1234.5,
            1.5e-9,
            f64::INFINITY,
        ]
        .map(number);
        let expected = [
            "0", "1.00", "12.3", "999", "0.0123", "1.23e3", "1.50e-9", "overflow",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn headers_are_markdown() {
        let text = header(["a".to_string(), "b".to_string()].into_iter());
        assert_eq!(text, "| a | b |\n| --- | --- |\n");
    }
}
