//! `motionfit evaluate --manifest`: the sequences of a data set, as in the paper's tables.

use std::path::Path;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::evaluate::{EvaluateArgs, is_done, open, optimizers, put};
use super::evaluate_page::{page as page_of, write_report};
use super::reconstruct::{run, run_keypoints};
use super::{Session, json, refuse_repeated};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::evaluation::manifest::Manifest;
use crate::evaluation::paper_table::{lines, markdown};
use crate::evaluation::sequences::{Input, Reader, Sequence};
use crate::evaluation::summary::Row;
use crate::evaluation::{keypoint_record, record};
use crate::reconstruction::Reconstruction;

/// What to do about sequences of the same name.
const SEQUENCE_ONCE: &str = "rows are told apart by name: give each sequence a \"name\" of its own \
                             where the manifest has names, or leave one out";

/// Runs the command on the manifest at `path`.
pub(super) fn evaluate_manifest(path: &Path, args: &EvaluateArgs, session: &Session) -> Result<()> {
    let config = args.overrides.configuration()?;
    let manifest = Manifest::read(path)?;
    let names = manifest.names();
    refuse_repeated(&path.display().to_string(), &names, SEQUENCE_ONCE)?;
    let root = args.root.as_deref().unwrap_or(Path::new("."));
    let reader = Reader::new(&manifest, root)?;
    let optimizers = optimizers(args, &config)?;
    let (known, file) = (json!(manifest), "clips.json");
    let (output, mut rows) = open::<Row>(args, &config.reconstruction, known, file)?;
    let count = args.limit.unwrap_or(names.len()).min(names.len());
    for (k, name) in names[..count].iter().enumerate() {
        for optimizer in optimizers {
            if is_done(&rows, name, optimizer) {
                continue;
            }
            let config = Config {
                optimizer: optimizer.clone(),
                ..config.clone()
            };
            let row = one(&reader, k, name, &config, args, session)?;
            session.tell(format!("[{}/{count}] {}", k + 1, line(&row)))?;
            put(&mut rows, row);
            let lines = lines(&rows);
            let page = markdown(&manifest.title, manifest.observed_fps, &lines, &rows);
            output.write_all(&[
                (file, json(&rows)?),
                ("summary.json", json(&lines)?),
                ("summary.md", page.into_bytes()),
                ("summary.html", page_of(output.path(), &rows)),
            ])?;
        }
    }
    session.tell(markdown(
        &manifest.title,
        manifest.observed_fps,
        &lines(&rows),
        &rows,
    ))?;
    let out = args.out.display();
    session.tell(format!(
        "wrote clips.json, summary.json, summary.md, summary.html and reports to {out}"
    ))
}

/// The row of one sequence.
fn one(
    reader: &Reader,
    k: usize,
    name: &str,
    config: &Config,
    args: &EvaluateArgs,
    session: &Session,
) -> Result<Row> {
    let mut row = Map::new();
    row.insert("clip".into(), json!(name));
    let started = Instant::now();
    let found = reader.read(k, args.seconds).and_then(|sequence| {
        row.insert("category".into(), json!(sequence.category));
        of_sequence(&sequence, config, session)
    });
    match found {
        Ok((record, reconstruction)) => {
            row.extend(record);
            write_report(&args.out, &row, &reconstruction)?;
        }
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(error) => {
            row.insert("optimizer".into(), json!(config.optimizer));
            row.insert("failed".into(), json!(true));
            row.insert("error".into(), json!(error.to_string()));
        }
    }
    row.insert("seconds".into(), json!(started.elapsed().as_secs_f64()));
    Ok(row)
}

fn of_sequence(
    sequence: &Sequence,
    config: &Config,
    session: &Session,
) -> Result<(Map<String, Value>, Reconstruction)> {
    let (mut record, seconds, reconstruction) = match &sequence.input {
        Input::Keypoints(observation) => {
            let found = run_keypoints(observation, None, config, session)?;
            for warning in found.warnings() {
                session.tell(format!("{}: {warning}", observation.name))?;
            }
            let record = keypoint_record(&found, sequence.truth.as_deref(), &config.optimizer);
            let seconds = found.reconstruction.reference.seconds();
            (record, seconds, found.reconstruction)
        }
        Input::Poses(motion) => {
            let found = run(motion, config, session)?;
            let record = record(&found, &config.optimizer);
            (record, motion.seconds(), found)
        }
    };
    record.insert("clip_seconds".into(), json!(seconds));
    Ok((record, reconstruction))
}

/// A row as a line on the terminal.
fn line(row: &Row) -> String {
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| row.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN);
    match row.get("error") {
        Some(error) => format!("{}, {}: {error}", text("clip"), text("optimizer")),
        None => format!(
            "{}, {}: MPJPE-G {:.1} mm, MPJPE {:.1} mm, 2d {:.1} px, worst frame {:.0} mm, {:.0} s",
            text("clip"),
            text("optimizer"),
            number("mpjpe_global_mm"),
            number("mpjpe_mm"),
            number("mpjpe_2d_px"),
            number("max_frame_error_mm"),
            number("seconds"),
        ),
    }
}
