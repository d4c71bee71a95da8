//! `motionfit evaluate --motions`: the clips of a directory or of a manifest of files.

use std::path::Path;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::args::{EvaluateArgs, optimizers};
use super::page::{page, write_report};
use super::rows::{Files, Sheet};
use crate::commands::forces::compared;
use crate::commands::reading::complete;
use crate::commands::reconstruct::run;
use crate::commands::{Session, json, refuse_repeated};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::evaluation::clips::{self, Clip, Split, UNKNOWN};
use crate::evaluation::plates::{Place, PlateFile};
use crate::evaluation::record;
use crate::evaluation::summary::{Row, markdown, summarize};
use crate::motion;
use crate::motion::files::first_time;

/// Clips, each with several optimizers.
pub(super) struct Clips<'a> {
    args: &'a EvaluateArgs,
    pub(super) config: Config,
    /// A clip and the optimizer to be tried on it.
    jobs: Vec<(Clip, String)>,
    keys: Vec<String>,
}

impl<'a> Clips<'a> {
    /// What was asked for, and all that is known about the clips: another --split or --limit may go on.
    pub(super) fn new(args: &'a EvaluateArgs) -> Result<(Self, Value)> {
        let config = args.overrides.configuration()?;
        let motions = args.motions.as_deref().unwrap_or(Path::new(".")); // clap asks for one of the two
        let mut all = clips::find(motions, args.index.as_deref())?;
        if args.plates {
            all = clips::with_plates(all, motions)?;
        }
        let given = args.reading.options()?;
        for clip in &mut all {
            let extension = clip.path.extension().unwrap_or_default();
            complete(&mut clip.options, &given, &extension.to_string_lossy());
        }
        let clips = select(&all, motions, args)?;
        let optimizers = optimizers(args, &config)?;
        let with_each = |clip: &Clip| {
            let clip = clip.clone();
            optimizers
                .iter()
                .map(move |optimizer| (clip.clone(), optimizer.clone()))
        };
        let jobs: Vec<(Clip, String)> = clips.into_iter().flat_map(with_each).collect();
        let keys = jobs
            .iter()
            .map(|(clip, optimizer)| key(&clip.name, optimizer))
            .collect();
        let known = all.iter().map(Clip::to_json).collect();
        let sheet = Self {
            args,
            jobs,
            keys,
            config,
        };
        Ok((sheet, known))
    }
}

/// What tells rows apart.
pub(super) fn key(clip: &str, optimizer: &str) -> String {
    format!("{clip} with {optimizer}")
}

/// That of a row.
pub(super) fn key_of(row: &Row) -> String {
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
    key(text("clip"), text("optimizer"))
}

impl Sheet for Clips<'_> {
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

    /// The size of the file: those of a set are mostly of one format.
    fn length(&self, job: usize) -> u64 {
        std::fs::metadata(&self.jobs[job].0.path).map_or(0, |file| file.len())
    }

    fn find(&self, job: usize, session: &Session) -> Result<Row> {
        let (clip, optimizer) = &self.jobs[job];
        let mut config = Config {
            optimizer: optimizer.clone(),
            ..self.config.clone()
        };
        if clip.mass.is_some() {
            config.reconstruction.mass = clip.mass;
        }
        one(clip, &config, self.args, session)
    }

    fn line(row: &Row) -> String {
        line(row)
    }

    fn files(&self, out: &Path, rows: &[Row], _is_over: bool) -> Result<Files> {
        let groups = summarize(rows);
        Ok(vec![
            ("summary.json", json(&groups)?),
            ("summary.md", markdown(&groups, rows).into_bytes()),
            ("summary.html", page(out, rows, &groups)),
        ])
    }

    fn summary(&self, rows: &[Row]) -> String {
        markdown(&summarize(rows), rows)
    }
}

/// The clips of `all`, those of `motions`, that were asked for.
fn select<'a>(all: &'a [Clip], motions: &Path, args: &EvaluateArgs) -> Result<Vec<&'a Clip>> {
    let split = Split::from(args.split);
    let is_wanted = |clip: &&Clip| split.contains(clip) && !args.exclude.contains(&clip.category);
    let mut clips: Vec<&Clip> = all.iter().filter(is_wanted).collect();
    let names: Vec<&str> = clips.iter().map(|clip| clip.name.as_str()).collect();
    let advice =
        "rows are told apart by name: rename a file, or give it a \"name\" in the manifest";
    refuse_repeated(&motions.display().to_string(), &names, advice)?;
    clips.truncate(args.limit.unwrap_or(usize::MAX));
    if clips.is_empty() {
        let advice = "no clip is left; check --split, --exclude and the categories of the index";
        return Err(Error::input(
            motions.display(),
            "selection",
            "0 clips",
            advice,
        ));
    }
    Ok(clips)
}

/// The row of one clip.
fn one(clip: &Clip, config: &Config, args: &EvaluateArgs, session: &Session) -> Result<Row> {
    let mut row = Map::new();
    row.insert("clip".into(), json!(clip.name));
    row.insert("category".into(), json!(clip.category));
    let started = Instant::now();
    let mut options = clip.options.clone();
    if let Some(seconds) = args.seconds {
        let end = options.start.unwrap_or(0.0) + seconds;
        options.end = Some(options.end.map_or(end, |given| given.min(end)));
    }
    let read = || {
        let plates = clip.plates.as_deref().map(PlateFile::read).transpose()?;
        let reading = motion::read(&clip.path, &options)?;
        let place = Place {
            world_from_file: Some(reading.world_from_file),
            first: first_time(&clip.path)?,
        };
        let plates = plates.map(|plates| (plates, place));
        Ok((reading.motion, reading.subject, plates))
    };
    let result = read().and_then(|(motion, subject, plates)| {
        let config = config.about(subject);
        Ok((run(&motion, &config, session)?, plates))
    });
    match result {
        Ok((reconstruction, plates)) => {
            row.extend(record(&reconstruction, &config.optimizer));
            row.insert(
                "clip_seconds".into(),
                json!(reconstruction.reference.seconds()),
            );
            let offset = options.start.unwrap_or_default();
            let measured = plates.map(|(plates, place)| {
                compared(&plates, &reconstruction, (&place, offset), &mut row)
            });
            let measured = measured.unwrap_or_default();
            write_report(&args.out, &row, (&reconstruction, &measured))?;
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

/// A row as a line on the terminal.
fn line(row: &Row) -> String {
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| row.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let category = match text("category") {
        UNKNOWN => String::new(),
        category => format!(" ({category})"),
    };
    let head = format!("{}{category}, {}", text("clip"), text("optimizer"));
    match row.get("error") {
        Some(error) => format!("{head}: {error}"),
        None => format!(
            "{head}: MPJPE-G {:.1} mm, worst frame {:.0} mm, {:.1} s",
            number("mpjpe_global_mm"),
            number("max_frame_error_mm"),
            number("seconds"),
        ),
    }
}
