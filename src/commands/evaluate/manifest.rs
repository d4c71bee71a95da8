//! `motionfit evaluate --manifest`: the sequences of a data set, as in the paper's tables.

use std::path::Path;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::args::{EvaluateArgs, optimizers};
use super::clips::{key, key_of};
use super::page::{page as page_of, write_report};
use super::rows::{Files, Sheet, evaluate_sheet};
use crate::commands::reconstruct::{run, run_keypoints};
use crate::commands::{Session, json, refuse_repeated};
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
    let read = || {
        let config = args.overrides.configuration()?;
        let manifest = Manifest::read(path)?;
        refuse_repeated(
            &path.display().to_string(),
            &manifest.names(),
            SEQUENCE_ONCE,
        )?;
        Ok((config, manifest))
    };
    let (config, manifest) = session.agree(read())?;
    let sheet = session.agree(Sequences::new(&manifest, &config, args))?;
    let about = (&config.reconstruction, json!(manifest));
    evaluate_sheet(&sheet, args, session, about)
}

/// Sequences, each with several optimizers.
struct Sequences<'a> {
    args: &'a EvaluateArgs,
    config: &'a Config,
    manifest: &'a Manifest,
    reader: Reader<'a>,
    /// The index of a sequence, and the optimizer to be tried on it.
    jobs: Vec<(usize, String)>,
    names: Vec<String>,
    keys: Vec<String>,
}

impl<'a> Sequences<'a> {
    fn new(manifest: &'a Manifest, config: &'a Config, args: &'a EvaluateArgs) -> Result<Self> {
        let root = args.root.as_deref().unwrap_or(Path::new("."));
        let reader = Reader::new(manifest, root)?;
        let optimizers = optimizers(args, config)?;
        let names: Vec<String> = manifest.names().iter().map(ToString::to_string).collect();
        let count = args.limit.unwrap_or(names.len()).min(names.len());
        let with_each = |k: usize| {
            optimizers
                .iter()
                .map(move |optimizer| (k, optimizer.clone()))
        };
        let jobs: Vec<(usize, String)> = (0..count).flat_map(with_each).collect();
        Ok(Self {
            args,
            config,
            manifest,
            reader,
            keys: jobs
                .iter()
                .map(|(k, optimizer)| key(&names[*k], optimizer))
                .collect(),
            names,
            jobs,
        })
    }
}

impl Sheet for Sequences<'_> {
    type Row = Row;

    const FILE: &'static str = "clips.json";
    const WRITTEN: &'static str = "clips.json, summary.json, summary.md, summary.html and reports";

    fn keys(&self) -> &[String] {
        &self.keys
    }

    fn key(row: &Row) -> String {
        key_of(row)
    }

    /// Where it ended in an error, it is tried again.
    fn is_final(row: &Row) -> bool {
        !row.contains_key("error")
    }

    fn find(&self, job: usize, session: &Session) -> Result<Row> {
        let (k, optimizer) = &self.jobs[job];
        let config = Config {
            optimizer: optimizer.clone(),
            ..self.config.clone()
        };
        let sequence = (*k, self.names[*k].as_str());
        one(&self.reader, sequence, &config, self.args, session)
    }

    fn line(row: &Row) -> String {
        line(row)
    }

    fn files(&self, out: &Path, rows: &[Row], _is_over: bool) -> Result<Files> {
        Ok(vec![
            ("summary.json", json(&lines(rows))?),
            ("summary.md", self.summary(rows).into_bytes()),
            ("summary.html", page_of(out, rows, &[])),
        ])
    }

    fn summary(&self, rows: &[Row]) -> String {
        let manifest = self.manifest;
        markdown(&manifest.title, manifest.observed_fps, &lines(rows), rows)
    }
}

/// The row of one sequence.
fn one(
    reader: &Reader,
    (k, name): (usize, &str),
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
            write_report(&args.out, &row, (&reconstruction, &[]))?;
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
