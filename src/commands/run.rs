//! The files of a run.

use serde_json::{Map, Value, json};

use super::json;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::export::{Recording, glb, npz, report};
use crate::plot::{Chart, Curve, Mark, Picture};
use crate::reconstruction::{CurvePoint, Reconstruction};

/// All files of a run, complete in memory. Times are only in `metrics.json` and `loss.csv`:
/// everything else is the same for the same input.
pub(super) fn files(
    name: &str,
    reconstruction: &Reconstruction,
    config: &Config,
    record: &Map<String, Value>,
    seconds: f64,
) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let recording = Recording::new(
        reconstruction.body.clone(),
        reconstruction.trajectory.clone(),
        reconstruction.reference.joints.clone(),
    )?;
    let losses = losses(&reconstruction.curve);
    let metrics = Value::Object(record.clone());
    let page = report::encode(&recording, name, &metrics, &losses);
    let mut timed = record.clone();
    timed.shift_insert(2, "seconds".into(), json!(seconds));
    timed.insert("window_reports".into(), json!(reconstruction.windows));
    let mut files = vec![
        ("motion.glb", glb::encode(&recording, &metrics)?),
        ("motion.npz", npz::encode(&recording)?),
        ("body.json", json(&recording.body)?),
        ("metrics.json", json(&timed)?),
        ("config.json", config.to_json().into_bytes()),
        ("loss.csv", loss_table(&reconstruction.curve)?),
        ("report.html", page.into_bytes()),
    ];
    let picture = loss_picture(name, &reconstruction.curve);
    files.push(("loss.svg", picture.svg().into_bytes()));
    files.push(("loss.png", picture.png()?));
    Ok(files)
}

/// Losses in the order of evaluation, window by window.
fn losses(curve: &[CurvePoint]) -> Vec<Vec<f64>> {
    curve
        .chunk_by(|a, b| a.window == b.window)
        .map(|window| window.iter().map(|point| point.loss).collect())
        .collect()
}

fn loss_table(curve: &[CurvePoint]) -> Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let broken = |e: csv::Error| Error::Internal(format!("loss.csv: {e}"));
    table
        .write_record(["window", "evaluation", "loss", "seconds"])
        .map_err(broken)?;
    for point in curve {
        let row = [
            point.window.to_string(),
            point.evaluation.to_string(),
            format!("{:e}", point.loss),
            format!("{:.4}", point.seconds),
        ];
        table.write_record(row).map_err(broken)?;
    }
    table
        .into_inner()
        .map_err(|e| Error::Internal(format!("loss.csv: {e}")))
}

/// Losses over all evaluations of the run, and where its windows begin.
fn loss_picture(name: &str, curve: &[CurvePoint]) -> Picture {
    let at = |(k, point): (usize, &CurvePoint)| ((k + 1) as f64, point.loss);
    let starts = curve.iter().enumerate();
    let starts = starts.filter(|(k, point)| *k == 0 || curve[k - 1].window != point.window);
    let starts: Vec<(f64, f64)> = starts.map(at).collect();
    let low = curve
        .iter()
        .map(|point| point.loss)
        .filter(|loss| *loss > 0.0);
    let low = low.fold(f64::INFINITY, f64::min);
    let rise = |(k, loss): &(f64, f64)| Curve {
        label: "start of a window".into(),
        points: vec![(*k, low), (*k, *loss)],
        mark: Mark::Background,
    };
    let mut curves: Vec<Curve> = starts.iter().map(rise).collect();
    curves.push(Curve {
        label: "loss (grey: a window begins)".into(),
        points: curve.iter().enumerate().map(at).collect(),
        mark: Mark::Line,
    });
    Picture {
        title: format!("{name}: loss by evaluation"),
        charts: vec![Chart {
            x_label: "evaluation".into(),
            y_label: "loss".into(),
            log_y: true,
            curves,
            ..Chart::default()
        }],
        columns: 1,
        cell: (760.0, 420.0),
    }
}
