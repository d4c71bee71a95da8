//! Mean best values against the number of variables and against function evaluations.

use crate::benchmark::Row;
use crate::benchmark::summary::solvers as solver_names;
use crate::plot::{Chart, Curve, Mark, Picture};

/// What [`log_value`] returns, as an axis says it.
const LOG_VALUE: &str = "log₁₀ of the mean best value";

/// The logarithm of a value that is at least 1e-16 for this purpose.
pub fn log_value(value: f64) -> f64 {
    value.max(1e-16).log10()
}

/// Mean best value against the number of variables, a panel for each function.
pub fn dimension_picture(rows: &[Row]) -> Picture {
    let chart = |rows: &[Row]| Chart {
        title: rows[0].function.to_string(),
        x_label: "variables".into(),
        y_label: LOG_VALUE.into(),
        log_x: true,
        curves: curves(rows, Mark::DottedLine, |own| {
            own.map(|row| (row.dimension as f64, log_value(row.mean_best)))
                .collect()
        }),
        ..Chart::default()
    };
    panels("Mean best value against dimension", rows, chart)
}

/// Mean best value against function evaluations in the largest dimension with finite values.
pub fn evaluations_picture(rows: &[Row]) -> Picture {
    let chart = |rows: &[Row]| {
        let usable = rows.iter().filter(|row| row.mean_best.is_finite());
        let largest = usable.map(|row| row.dimension).max().unwrap_or(0);
        Chart {
            title: format!("{}, d = {largest}", rows[0].function),
            x_label: "function evaluations".into(),
            y_label: LOG_VALUE.into(),
            curves: curves(rows, Mark::Line, |own| {
                let row = own.filter(|row| row.dimension == largest).last();
                let values = row
                    .map(|row| row.best_by_evaluation.as_slice())
                    .unwrap_or_default();
                values
                    .iter()
                    .enumerate()
                    .map(|(n, v)| ((n + 1) as f64, log_value(*v)))
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
        legend: Vec::new(),
        charts: rows
            .chunk_by(|a, b| a.function == b.function)
            .map(chart)
            .collect(),
        columns: 3,
        cell: (340.0, 250.0),
    }
}
