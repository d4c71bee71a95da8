//! The files of a run.

use serde_json::{Map, Value, json};

use super::json;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::export::forces::{self, FootForces};
use crate::export::report::Pushes;
use crate::export::{Recording, glb, npz, report};
use crate::plot::{Chart, Curve, Mark, Picture};
use crate::reconstruction::{CurvePoint, Reconstruction};

/// What there was to touch beside the ground; written where there was anything.
pub(super) const SCENE: &str = "scene.json";

/// What the files of a run are made of.
pub struct Run<'a> {
    /// The clip's name.
    pub name: &'a str,
    /// What was found.
    pub reconstruction: &'a Reconstruction,
    /// By which configuration.
    pub config: &'a Config,
    /// Its metrics.
    pub record: &'a Map<String, Value>,
    /// Where it comes from.
    pub input: Value,
    /// How long it took, s.
    pub seconds: f64,
    /// Rate of the forces to be written besides, Hz.
    pub force_rate: Option<f64>,
    /// What force plates measured over the interval that ends at each frame; nothing without them.
    pub measured: &'a Pushes,
}

/// All files of a run, complete in memory. Times are only in `metrics.json` and `loss.csv`: everything else is
/// the same for the same input.
///
/// # Errors
/// [`Error::Internal`] when a file cannot be assembled, [`Error::Input`] for a rate of forces that is too high.
pub fn files(run: Run) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let Run {
        name,
        reconstruction,
        config,
        record,
        input,
        seconds,
        force_rate,
        measured,
    } = run;
    let recording = Recording::new(
        reconstruction.body.clone(),
        reconstruction.trajectory.clone(),
        reconstruction.reference.joints.clone(),
    )?;
    let losses = losses(&reconstruction.curve);
    let metrics = Value::Object(record.clone());
    let page = report::encode(&recording, name, &metrics, &losses, measured);
    let mut timed = record.clone();
    timed.shift_insert(2, "seconds".into(), json!(seconds));
    timed.insert("input".into(), input);
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
    if !recording.trajectory.scene.is_empty() {
        files.push((SCENE, json(&recording.trajectory.scene)?));
    }
    if let Some(rate) = force_rate {
        let forces = FootForces::at_rate(&recording, rate)?;
        files.push((forces::FILE, forces::encode(&forces)?));
    }
    let picture = loss_picture(name, &reconstruction.curve);
    files.push(("loss.svg", picture.svg().into_bytes()));
    files.push(("loss.png", picture.png()?));
    Ok(files)
}

/// Losses in the order of evaluation, window by window.
pub(super) fn losses(curve: &[CurvePoint]) -> Vec<Vec<f64>> {
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

/// Losses over all evaluations of the run, a line for every window.
fn loss_picture(name: &str, curve: &[CurvePoint]) -> Picture {
    let points: Vec<(f64, f64)> = (1..)
        .zip(curve)
        .map(|(k, point)| (f64::from(k), point.loss))
        .collect();
    let mut rest = points.as_slice();
    let windows = curve.chunk_by(|a, b| a.window == b.window).map(|window| {
        let (points, later) = rest.split_at(window.len());
        rest = later;
        Curve {
            label: "loss, a line for every window".into(),
            points: points.to_vec(),
            mark: Mark::Line,
        }
    });
    Picture {
        title: format!("{name}: loss by evaluation"),
        legend: Vec::new(),
        charts: vec![Chart {
            x_label: "evaluation".into(),
            y_label: "loss".into(),
            log_y: true,
            curves: windows.collect(),
            ..Chart::default()
        }],
        columns: 1,
        cell: (760.0, 420.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(window: usize, evaluation: usize, loss: f64) -> CurvePoint {
        CurvePoint {
            window,
            evaluation,
            loss,
            seconds: 0.25,
        }
    }

    #[test]
    fn losses_are_kept_window_by_window() {
        let curve = [point(0, 1, 4.0), point(0, 2, 2.0), point(1, 1, 3.0)];
        assert_eq!(losses(&curve), [vec![4.0, 2.0], vec![3.0]]);
        let table = String::from_utf8(loss_table(&curve).unwrap()).unwrap();
        assert_eq!(table.lines().nth(2), Some("0,2,2e0,0.2500"));
        let chart = &loss_picture("walk", &curve).charts[0];
        assert_eq!(chart.curves[1].points, [(3.0, 3.0)]);
    }

    #[test]
    fn a_run_that_blew_up_can_be_drawn() {
        for losses in [&[][..], &[f64::INFINITY, f64::NAN], &[0.0], &[0.0, 2.0]] {
            let curve: Vec<CurvePoint> = losses.iter().map(|loss| point(0, 1, *loss)).collect();
            let picture = loss_picture("walk", &curve);
            assert!(picture.svg().contains("</svg>"));
            assert!(picture.png().is_ok());
        }
    }
}
