//! The columns of the paper's Tables 2 and 3, as means over sequences.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use super::summary::Row;

/// What one optimizer reached on all sequences.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The optimizer; "kinematic fit" and "estimates" for what the simulation starts from.
    pub method: String,
    /// Number of sequences with a result.
    pub sequences: usize,
    /// Mean MPJPE-G, mm.
    pub mpjpe_global_mm: Option<f64>,
    /// Mean MPJPE, mm.
    pub mpjpe_mm: Option<f64>,
    /// Mean MPJPE-PA, mm.
    pub mpjpe_procrustes_mm: Option<f64>,
    /// Mean MPJPE-2d, px.
    pub mpjpe_2d_px: Option<f64>,
    /// Mean TV of the acceleration, m per frame².
    pub acceleration_tv: Option<f64>,
    /// Mean foot skate, %.
    pub foot_skate_percent: Option<f64>,
    /// Mean foot skate with the whole sole on the ground, %.
    pub flat_foot_skate_percent: Option<f64>,
    /// Mean number of function evaluations per second of motion.
    pub evaluations_per_second: Option<f64>,
    /// Sequences with a frame that is more than 250 mm off, or without a result.
    pub failures: Option<usize>,
}

/// A line for every optimizer in `rows`, in order of appearance; then, from the rows of the first
/// one, the kinematic fit and the estimates.
pub fn lines(rows: &[Row]) -> Vec<Line> {
    let mut optimizers: Vec<&str> = Vec::new();
    for row in rows {
        let name = row.get("optimizer").and_then(Value::as_str).unwrap_or("");
        if !optimizers.contains(&name) {
            optimizers.push(name);
        }
    }
    let of = |name: &str| -> Vec<&Row> {
        let is = |row: &&Row| row.get("optimizer").and_then(Value::as_str) == Some(name);
        rows.iter().filter(is).collect()
    };
    let mut lines: Vec<Line> = optimizers
        .iter()
        .map(|name| line(name, None, &of(name)))
        .collect();
    if let Some(first) = optimizers.first() {
        let rows = of(first);
        for (part, method) in [("kinematic", "kinematic fit"), ("estimates", "estimates")] {
            let line = line(method, Some(part), &rows);
            lines.extend((line.sequences > 0).then_some(line));
        }
    }
    lines
}

/// Means of the rows' own numbers, or of those under the key `part`.
fn line(method: &str, part: Option<&str>, rows: &[&Row]) -> Line {
    let number = |row: &Row, key: &str| match part {
        None => row.get(key).and_then(Value::as_f64),
        Some(part) => row.get(part)?.get(key)?.as_f64(),
    };
    let mean = |key: &str| {
        let values: Vec<f64> = rows.iter().filter_map(|row| number(row, key)).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let pace: Vec<f64> = rows
        .iter()
        .filter_map(|row| Some(number(row, "evaluations")? / number(row, "clip_seconds")?))
        .collect();
    let has_failed = |row: &&&Row| row.get("failed") == Some(&Value::Bool(true));
    Line {
        method: method.into(),
        sequences: rows
            .iter()
            .filter(|row| number(row, "acceleration_tv").is_some())
            .count(),
        mpjpe_global_mm: mean("mpjpe_global_mm"),
        mpjpe_mm: mean("mpjpe_mm"),
        mpjpe_procrustes_mm: mean("mpjpe_procrustes_mm"),
        mpjpe_2d_px: mean("mpjpe_2d_px"),
        acceleration_tv: mean("acceleration_tv"),
        foot_skate_percent: mean("foot_skate_percent"),
        flat_foot_skate_percent: mean("flat_foot_skate_percent"),
        evaluations_per_second: (!pace.is_empty())
            .then(|| pace.iter().sum::<f64>() / pace.len() as f64),
        failures: part
            .is_none()
            .then(|| rows.iter().filter(has_failed).count()),
    }
}

/// The lines as a Markdown table under `title`.
pub fn markdown(title: &str, fps: f64, lines: &[Line], rows: &[Row]) -> String {
    // Writing to a String cannot fail: the results of writeln! are dropped.
    let mut page = format!(
        "{title}\n\nMeans over the sequences; TV at {fps} fps, in m per frame², summed over 17 \
         joints.\n\n\
         | method | sequences | MPJPE-G mm | MPJPE mm | MPJPE-PA mm | MPJPE-2d px | TV | foot skate % \
         | of flat feet % | evaluations per s | failures |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
    );
    let cell = |value: Option<f64>, digits: usize| {
        value.map_or("—".to_string(), |value| format!("{value:.digits$}"))
    };
    for line in lines {
        let cells = [
            line.method.clone(),
            line.sequences.to_string(),
            cell(line.mpjpe_global_mm, 1),
            cell(line.mpjpe_mm, 1),
            cell(line.mpjpe_procrustes_mm, 1),
            cell(line.mpjpe_2d_px, 1),
            cell(line.acceleration_tv, 3),
            cell(line.foot_skate_percent, 1),
            cell(line.flat_foot_skate_percent, 1),
            cell(line.evaluations_per_second, 1),
            line.failures
                .map_or("—".into(), |failures| failures.to_string()),
        ];
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
    let text = |row: &Row, key: &str| {
        row.get(key)
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_string()
    };
    for row in rows.iter().filter(|row| row.contains_key("error")) {
        let _ = writeln!(page, "\n* {}: {}", text(row, "clip"), text(row, "error"));
    }
    page
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn means_by_optimizer_and_what_it_starts_from() {
        let row = |optimizer: &str, error: f64| {
            json!({
                "clip": "a", "optimizer": optimizer, "failed": error > 250.0, "evaluations": 60,
                "clip_seconds": 3.0, "mpjpe_global_mm": error, "acceleration_tv": 0.2,
                "kinematic": { "mpjpe_global_mm": 30.0, "acceleration_tv": 0.1 },
            })
            .as_object()
            .unwrap()
            .clone()
        };
        let failed = json!({"clip": "b", "optimizer": "lm", "failed": true, "error": "no data"});
        let rows = [
            row("lm", 20.0),
            row("lm", 40.0),
            row("bfgs", 300.0),
            failed.as_object().unwrap().clone(),
        ];
        let lines = lines(&rows);
        let methods: Vec<&str> = lines.iter().map(|line| line.method.as_str()).collect();
        assert_eq!(methods, ["lm", "bfgs", "kinematic fit"]);
        assert_eq!(
            (lines[0].mpjpe_global_mm, lines[0].failures),
            (Some(30.0), Some(1))
        );
        assert_eq!(
            (lines[0].sequences, lines[0].evaluations_per_second),
            (2, Some(20.0))
        );
        assert_eq!((lines[1].failures, lines[2].failures), (Some(1), None));
        let page = markdown("T", 25.0, &lines, &rows);
        assert!(page.contains("| lm | 2 | 30.0 | — |"), "{page}");
        assert!(page.contains("* b: no data"));
    }
}
