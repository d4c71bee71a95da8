//! The table of optimizers on windows: means with bootstrap intervals, ratios to a baseline.

use std::fmt::Write;

use rand::{RngExt as _, SeedableRng};
use serde::Serialize;

use super::super::median;
use super::Row;
use crate::objective::Rng;

/// The optimizer that others are compared with, and the evaluations it gets in the comparison, as
/// in the paper's Table 1.
const BASELINE: &str = "bfgs";
const BASELINE_EVALUATIONS: usize = 71;

/// The second-order optimizer that others are compared with: by the evaluations until twice its final
/// loss, and until its loss after so many evaluations.
const SECOND_ORDER: &str = "lm";
const SECOND_ORDER_EVALUATIONS: usize = 10;

/// Resamplings of the bootstrap.
const RESAMPLINGS: usize = 2000;

/// Categories with fewer windows have no table of their own.
const FEW: usize = 5;

/// Evaluations after which errors are shown.
const AT: [usize; 4] = [10, 20, 50, 71];

/// A mean over windows with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// 2.5th and 97.5th percentile of the means of resampled windows.
    pub low: f64,
    /// See `low`.
    pub high: f64,
}

/// An optimizer on a group of windows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// "in domain", "out of domain", or a category.
    pub group: String,
    /// The optimizer.
    pub optimizer: String,
    /// Number of windows.
    pub windows: usize,
    /// Evaluations allowed.
    pub budget: usize,
    /// MPJPE-G after 10, 20, 50 and 71 evaluations, mm.
    pub mpjpe_global_mm: Vec<(usize, Interval)>,
    /// Geometric mean of the lowest loss.
    pub loss: f64,
    /// MPJPE-G at the end over that of BFGS after 71 evaluations, of means over the same windows.
    pub mpjpe_to_baseline: Option<Interval>,
    /// Median over windows of the evaluations to BFGS's loss after 71, over those BFGS needed;
    /// infinite (`null` in JSON) where it was not reached in half of them or more.
    pub evaluations_to_baseline: Option<f64>,
    /// Median over windows of the evaluations until twice the final loss of Levenberg–Marquardt;
    /// infinite as above.
    pub to_twice_lm: Option<f64>,
    /// The same until the loss that Levenberg–Marquardt has after 10 evaluations.
    pub to_lm_after_10: Option<f64>,
    /// Mean evaluations until the stopping rule is met, and MPJPE-G there, mm.
    pub stopped: (f64, f64),
    /// Mean gradients and Jacobians used.
    pub gradients: f64,
    /// Median wall time of a window, s.
    pub seconds: f64,
    /// Median time the optimizer itself takes for an evaluation, ms.
    pub step_ms: f64,
    /// Mean MPJPE-G after 1, 2, … evaluations with its interval, `(budget,)`.
    #[serde(skip)]
    pub curve: Vec<Interval>,
}

/// The lines of both domains and of every large category outside.
pub fn lines(rows: &[Row]) -> Vec<Line> {
    let mut groups: Vec<(String, Vec<&Row>)> = vec![
        (
            "in domain".into(),
            rows.iter().filter(|r| r.is_in_domain()).collect(),
        ),
        (
            "out of domain".into(),
            rows.iter().filter(|r| !r.is_in_domain()).collect(),
        ),
    ];
    let mut categories: Vec<&str> = groups[1].1.iter().map(|r| r.category.as_str()).collect();
    categories.sort_unstable();
    categories.dedup();
    for category in categories {
        let of_category: Vec<&Row> = rows.iter().filter(|r| r.category == category).collect();
        let mut windows: Vec<_> = of_category.iter().map(|r| (&r.clip, r.first)).collect();
        windows.sort();
        windows.dedup();
        if windows.len() >= FEW && of_category.len() < groups[1].1.len() {
            groups.push((category.to_string(), of_category));
        }
    }
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.optimizer.as_str()) {
            names.push(&row.optimizer);
        }
    }
    let mut lines = Vec::new();
    for (group, rows) in &groups {
        for name in &names {
            let own: Vec<&Row> = rows
                .iter()
                .filter(|row| row.optimizer == *name)
                .copied()
                .collect();
            if !own.is_empty() {
                lines.push(Line::new(group, name, &own, rows));
            }
        }
    }
    lines
}

impl Line {
    fn new(group: &str, name: &str, own: &[&Row], all: &[&Row]) -> Self {
        let budget = own.iter().map(|row| row.budget).max().unwrap_or(0);
        let error = |row: &Row, n: usize| Row::after(&row.mpjpe_global_mm, n);
        let at = |n: usize| interval(&own.iter().map(|row| error(row, n)).collect::<Vec<_>>());
        // Beside those of `baseline` that were allowed at least so many evaluations.
        let beside = |baseline: &str, evaluations: usize| -> Vec<(&Row, &Row)> {
            let is_same = |row: &Row, other: &Row| {
                (other.optimizer == baseline && other.budget >= evaluations)
                    && (&other.clip, other.first) == (&row.clip, row.first)
            };
            own.iter()
                .filter_map(|row| Some((*row, *all.iter().find(|other| is_same(row, other))?)))
                .collect()
        };
        let pairs = beside(BASELINE, BASELINE_EVALUATIONS);
        let reached = |evaluations: usize, target: fn(&Row) -> f64| {
            let pairs = beside(SECOND_ORDER, evaluations).into_iter();
            median(pairs.map(|(row, base)| first_below(row, target(base))))
        };
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / own.len() as f64;
        Self {
            group: group.to_string(),
            optimizer: name.to_string(),
            windows: own.len(),
            budget,
            mpjpe_global_mm: AT
                .into_iter()
                .filter(|n| *n <= budget)
                .map(|n| (n, at(n)))
                .collect(),
            loss: mean(
                &mut own
                    .iter()
                    .map(|row| Row::after(&row.best_loss, budget).ln()),
            )
            .exp(),
            mpjpe_to_baseline: ratio(
                &pairs
                    .iter()
                    .map(|(row, base)| (error(row, budget), error(base, BASELINE_EVALUATIONS)))
                    .collect::<Vec<_>>(),
            ),
            evaluations_to_baseline: median(pairs.iter().map(|(row, base)| to_reach(row, base))),
            to_twice_lm: reached(0, |lm| 2.0 * Row::after(&lm.best_loss, lm.budget)),
            to_lm_after_10: reached(SECOND_ORDER_EVALUATIONS, |lm| {
                Row::after(&lm.best_loss, SECOND_ORDER_EVALUATIONS)
            }),
            stopped: (
                mean(&mut own.iter().map(|row| row.stopped_at as f64)),
                mean(&mut own.iter().map(|row| error(row, row.stopped_at))),
            ),
            gradients: mean(&mut own.iter().map(|row| row.gradients as f64)),
            seconds: median(own.iter().map(|row| row.seconds)).unwrap_or(f64::NAN),
            step_ms: median(own.iter().map(|row| row.step_ms)).unwrap_or(f64::NAN),
            curve: (1..=budget).map(at).collect(),
        }
    }
}

/// Evaluations until `row` is at or below the final loss of `base`, over those of `base`.
fn to_reach(row: &Row, base: &Row) -> f64 {
    let target = Row::after(&base.best_loss, BASELINE_EVALUATIONS);
    let (own, theirs) = (first_below(row, target), first_below(base, target));
    if own.is_finite() { own / theirs } else { own }
}

/// Evaluations until `row` is at or below `target`; infinite when it never is.
fn first_below(row: &Row, target: f64) -> f64 {
    let first = row.best_loss.iter().position(|loss| *loss <= target);
    first.map_or(f64::INFINITY, |n| (n + 1) as f64)
}

/// Mean and bootstrap interval of `values`.
fn interval(values: &[f64]) -> Interval {
    let ones: Vec<(f64, f64)> = values.iter().map(|value| (*value, 1.0)).collect();
    ratio(&ones).unwrap_or(Interval {
        mean: f64::NAN,
        low: f64::NAN,
        high: f64::NAN,
    })
}

/// Σ a / Σ b over `pairs` (a, b), and its bootstrap interval; the resampling is the same for
/// equally many pairs.
fn ratio(pairs: &[(f64, f64)]) -> Option<Interval> {
    if pairs.is_empty() {
        return None;
    }
    let quotient = |picked: &mut dyn Iterator<Item = usize>| {
        let (mut above, mut below) = (0.0, 0.0);
        for i in picked {
            above += pairs[i].0;
            below += pairs[i].1;
        }
        above / below
    };
    let mut rng = Rng::seed_from_u64(0);
    let mut resampled: Vec<f64> = (0..RESAMPLINGS)
        .map(|_| quotient(&mut (0..pairs.len()).map(|_| rng.random_range(0..pairs.len()))))
        .collect();
    resampled.sort_by(f64::total_cmp);
    Some(Interval {
        mean: quotient(&mut (0..pairs.len())),
        low: resampled[RESAMPLINGS * 25 / 1000],
        high: resampled[RESAMPLINGS * 975 / 1000],
    })
}

/// The lines as a Markdown page.
pub fn markdown(lines: &[Line]) -> String {
    let mut page = String::new();
    for group in lines.chunk_by(|a, b| a.group == b.group) {
        let _ = writeln!(page, "### {}\n", group[0].group);
        let _ = writeln!(
            page,
            "| optimizer | windows | evaluations | MPJPE-G after 10, mm | 20 | 50 | 71 | loss | MPJPE-G / BFGS at 71 | evaluations / BFGS's | to 2 × LM's loss | to LM's after 10 | stopped at, mm | gradients | window, s | step, ms |"
        );
        let _ = writeln!(
            page,
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
        );
        for line in group {
            let errors: Vec<String> = AT
                .iter()
                .map(|n| {
                    let found = line.mpjpe_global_mm.iter().find(|(at, _)| at == n);
                    found.map_or("–".into(), |(_, i)| {
                        format!("{:.1} ({:.1}–{:.1})", i.mean, i.low, i.high)
                    })
                })
                .collect();
            let ratio = line.mpjpe_to_baseline.map_or("–".into(), |i| {
                format!("{:.2} ({:.2}–{:.2})", i.mean, i.low, i.high)
            });
            let reached = |number: Option<f64>, digits: usize| match number {
                Some(number) if number.is_finite() => format!("{number:.digits$}"),
                Some(_) => "not reached".into(),
                None => "–".into(),
            };
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {:.2} | {ratio} | {} | {} | {} | {:.0}, {:.1} | {:.0} | {:.1} | {:.1} |",
                line.optimizer,
                line.windows,
                line.budget,
                errors.join(" | "),
                line.loss,
                reached(line.evaluations_to_baseline, 2),
                reached(line.to_twice_lm, 1),
                reached(line.to_lm_after_10, 1),
                line.stopped.0,
                line.stopped.1,
                line.gradients,
                line.seconds,
                line.step_ms,
            );
        }
        page.push('\n');
    }
    page
}

#[cfg(test)]
mod tests;
