//! Forces beside force plates as means over trials, by category.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::evaluation::Row;

/// The key of a row under which [`Comparison`](super::Comparison) stands.
pub const KEY: &str = "plates";

/// The key of a row that says why there is nothing under [`KEY`].
pub const ERROR: &str = "plates_error";

/// The key in it under which the forces of kinematics alone stand.
const KINEMATICS: &str = "kinematics";

/// Columns: heading, field of a [`PlateScore`](super::PlateScore), decimals.
pub const COLUMNS: [(&str, &str, usize); 13] = [
    ("vertical RMSE", "vertical_rmse", 1),
    ("MAE", "vertical_mae", 1),
    ("r", "pearson_r", 3),
    ("loaded RMSE", "stance_rmse", 1),
    ("both feet RMSE", "sum_rmse", 1),
    ("fore-aft RMSE", "ap_rmse", 1),
    ("sideways RMSE", "ml_rmse", 1),
    ("peak 1", "peak1_error", 1),
    ("peak 2", "peak2_error", 1),
    ("peak", "peak_error", 1),
    ("impulse ratio", "impulse_ratio", 3),
    ("pressure mm", "cop_rmse_mm", 0),
    ("s of a foot", "foot_seconds", 1),
];

/// Mean figures of the trials of a group that have plates, one for each of [`COLUMNS`] with a value in some trial.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Means {
    /// Number of trials with plates.
    pub trials: usize,
    /// Of the simulated forces.
    pub simulated: Map<String, Value>,
    /// Of those that kinematics alone give.
    pub kinematics: Map<String, Value>,
}

impl Means {
    /// The means over `rows`; none where no row has plates.
    pub fn new(rows: &[&Row]) -> Option<Self> {
        let scores: Vec<&Value> = rows.iter().filter_map(|row| row.get(KEY)).collect();
        let alone = scores.iter().filter_map(|score| score.get(KINEMATICS));
        (!scores.is_empty()).then(|| Self {
            trials: scores.len(),
            simulated: means(&scores),
            kinematics: means(&alone.collect::<Vec<_>>()),
        })
    }
}

/// Means of the finite values.
fn means(scores: &[&Value]) -> Map<String, Value> {
    let mean = |key: &str| {
        let values = scores.iter().filter_map(|score| score.get(key)?.as_f64());
        let values: Vec<f64> = values.collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let columns = COLUMNS.iter();
    columns
        .filter_map(|(_, key, _)| Some(((*key).to_string(), Value::from(mean(key)?))))
        .collect()
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Line<'a> {
    /// Optimizer and group.
    pub names: [&'a str; 2],
    /// Number of trials with plates.
    pub trials: usize,
    /// Whence the forces are.
    pub source: &'static str,
    /// A value for each of [`COLUMNS`].
    pub values: Vec<Option<f64>>,
}

/// The lines of the table of `groups`, each called by its optimizer and its name.
pub fn lines<'a>(groups: Vec<([&'a str; 2], &'a Means)>) -> Vec<Line<'a>> {
    let groups = groups.into_iter().flat_map(|(names, means)| {
        let both = [
            ("simulated", &means.simulated),
            (KINEMATICS, &means.kinematics),
        ];
        let with_values = both.into_iter().filter(|(_, values)| !values.is_empty());
        with_values.map(move |(source, values)| {
            let value = |(_, key, _): &(&str, &str, usize)| values.get(*key)?.as_f64();
            Line {
                names,
                trials: means.trials,
                source,
                values: COLUMNS.iter().map(value).collect(),
            }
        })
    });
    groups.collect()
}

/// The table in Markdown, by optimizer and category; empty without groups.
pub fn markdown(groups: Vec<([&str; 2], &Means)>) -> String {
    let mut page = String::new();
    if groups.is_empty() {
        return page;
    }
    page.push_str(
        "\nForces beside force plates, means over the trials of a category, % of body weight unless said otherwise; \
         kinematics: mass times the acceleration of the observed centre of mass, without a simulation.\n\n\
         | optimizer | group | trials | forces |",
    );
    // Writing to a String cannot fail: the results of write! are dropped.
    for (heading, ..) in COLUMNS {
        let _ = write!(page, " {heading} |");
    }
    page.push_str("\n|---|---|---:|---|");
    page.push_str(&"---:|".repeat(COLUMNS.len()));
    page.push('\n');
    for line in lines(groups) {
        let [optimizer, group] = line.names;
        let (trials, source) = (line.trials, line.source);
        let _ = write!(page, "| {optimizer} | {group} | {trials} | {source} |");
        for (value, (.., digits)) in line.values.iter().zip(COLUMNS) {
            let cell = value.map_or("—".into(), |value| format!("{value:.digits$}"));
            let _ = write!(page, " {cell} |");
        }
        page.push('\n');
    }
    page
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(rmse: f64, peak: Option<f64>) -> Row {
        let row = json!({ KEY: {
            "vertical_rmse": rmse, "peak_error": peak, "impulse_ratio": 1.0,
            KINEMATICS: { "vertical_rmse": 2.0 * rmse },
        }});
        row.as_object().unwrap().clone()
    }

    #[test]
    fn means_are_over_the_trials_that_have_a_value() {
        let rows = [row(10.0, Some(3.0)), row(20.0, None), Row::new()];
        let means = Means::new(&rows.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(means.trials, 2);
        assert_eq!(means.simulated["vertical_rmse"], 15.0);
        assert_eq!(means.simulated["peak_error"], 3.0);
        assert!(!means.simulated.contains_key("cop_rmse_mm"));
        assert_eq!(means.kinematics["vertical_rmse"], 30.0);
        assert_eq!(Means::new(&[&Row::new()]), None);
        let page = markdown(vec![(["lm", "walk"], &means)]);
        assert!(
            page.contains("| lm | walk | 2 | simulated | 15.0 | — |"),
            "{page}"
        );
        assert!(
            page.contains("| lm | walk | 2 | kinematics | 30.0 | — |"),
            "{page}"
        );
        assert_eq!(markdown(Vec::new()), "");
    }

    #[test]
    fn the_columns_are_fields_of_a_score() {
        let names = include_str!("../plates.rs");
        for (_, key, _) in COLUMNS {
            assert!(names.contains(&format!("pub {key}: ")), "{key}");
        }
    }
}
