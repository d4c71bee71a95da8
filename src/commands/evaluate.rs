//! `motionfit evaluate`: a set of clips, several optimizers, one table.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::evaluate_manifest::evaluate_manifest;
use super::evaluate_page::{page, write_report};
use super::evaluate_rows::{Files, Sheet, evaluate_sheet};
use super::evaluate_windows::evaluate_windows;
use super::forces::compared;
use super::overrides::Overrides;
use super::reconstruct::{check_optimizer, run};
use super::{NAME_ONCE, Session, json, refuse, refuse_repeated};
use crate::cluster::Shard;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::evaluation::clips::{self, Clip, Split};
use crate::evaluation::plates::ForcePlates;
use crate::evaluation::record;
use crate::evaluation::summary::{Row, markdown, summarize};
use crate::motion;
use crate::reconstruction::Settings;

/// Reconstruct a set of clips and summarize.
///
/// Clips run side by side, one on a core, the longest first. Writes clips.json (a row for every clip and optimizer),
/// summary.json, summary.md and summary.html (a table to sort, the worst clips first, with a report of each) as it
/// goes. A clip that cannot be read or reconstructed is a row with failed = true and the error.
///
/// `mpirun -n N motionfit evaluate ...` shares the clips among N processes.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// Directory of .npy, .npz, .bvh, .trc, .c3d, .pkl and .pt files, or a JSON manifest.
    #[arg(
        long,
        value_name = "DIR|MANIFEST",
        required_unless_present_any = ["manifest", "windows"],
        conflicts_with = "manifest"
    )]
    pub(super) motions: Option<PathBuf>,
    /// JSON manifest of keypoint sequences (configs/evaluate-h36m.json); its data are looked for
    /// in --root, and the columns of the paper's Tables 2 and 3 are printed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["index", "split", "exclude"])]
    manifest: Option<PathBuf>,
    /// JSON list of single windows of the clips in --motions (configs/evaluate-windows.json); the
    /// optimizers are compared on them by function evaluations, each given as NAME or
    /// NAME:EVALUATIONS.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["manifest", "index", "split", "exclude", "seconds"])]
    windows: Option<PathBuf>,
    /// Where the data of the manifest are; the current directory unless given.
    #[arg(long, value_name = "DIR", requires = "manifest")]
    pub(super) root: Option<PathBuf>,
    /// CSV table with the columns file, category and perhaps fps; index.csv of the directory unless
    /// given.
    #[arg(long, value_name = "FILE")]
    index: Option<PathBuf>,
    /// Compare the ground forces with measured ones: NAME_grf.npz beside NAME.npy, as reconstruct --plates takes it,
    /// with mass_kg and category of NAME.json. A manifest names "plates" and "mass" of its clips itself.
    #[arg(long, conflicts_with_all = ["manifest", "windows"])]
    plates: bool,
    /// Names of the optimizers, separated by commas; that of the configuration unless given.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) optimizers: Vec<String>,
    /// Which clips: in-domain (or walking), out-of-domain (or other), or all.
    #[arg(long, value_enum, default_value = "all")]
    split: SplitName,
    /// Categories to leave out, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Reconstruct only the first seconds of every clip.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(super) seconds: Option<f64>,
    /// Reconstruct only the first clips (after split and exclusion).
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) limit: Option<usize>,
    #[command(flatten)]
    pub(super) overrides: Overrides,
    /// Where to write.
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Go on with an earlier evaluation of the same clips, be it killed or in shards: rows that are there
    /// are kept, but for those that ended in an error.
    #[arg(long, conflicts_with = "force")]
    pub(super) resume: bool,
    /// Evaluate only share I of N, for job arrays; N runs with the same --out share the work, and one
    /// with --resume makes the tables of all.
    #[arg(long, value_name = "I/N", conflicts_with_all = ["force", "resume"])]
    pub(super) shard: Option<Shard>,
    /// Replace the files of an earlier evaluation.
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SplitName {
    All,
    #[value(alias = "walking")]
    InDomain,
    #[value(alias = "other")]
    OutOfDomain,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::All => Self::All,
            SplitName::InDomain => Self::InDomain,
            SplitName::OutOfDomain => Self::OutOfDomain,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// For a bad set, configuration or output directory, and for an interruption; the rows of finished
/// clips are on disk then.
pub fn evaluate(args: &EvaluateArgs, session: &Session) -> Result<()> {
    session.agree(check(args))?;
    if let Some(windows) = &args.windows {
        return evaluate_windows(windows, args, session);
    }
    if let Some(manifest) = &args.manifest {
        return evaluate_manifest(manifest, args, session);
    }
    let (sheet, known) = session.agree(Clips::new(args))?;
    let reconstruction = &sheet.config.reconstruction;
    evaluate_sheet(&sheet, args, session, (reconstruction, known))
}

/// Clips, each with several optimizers.
struct Clips<'a> {
    args: &'a EvaluateArgs,
    config: Config,
    /// A clip and the optimizer to be tried on it.
    jobs: Vec<(Clip, String)>,
    keys: Vec<String>,
}

impl<'a> Clips<'a> {
    /// What was asked for, and all that is known about the clips: another --split or --limit may go on.
    fn new(args: &'a EvaluateArgs) -> Result<(Self, Value)> {
        let config = args.overrides.configuration()?;
        let motions = args.motions.as_deref().unwrap_or(Path::new(".")); // clap asks for one of the two
        let mut all = clips::find(motions, args.index.as_deref())?;
        if args.plates {
            all = clips::with_plates(all, motions)?;
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

/// Refuses what cannot be meant.
fn check(args: &EvaluateArgs) -> Result<()> {
    if args.limit == Some(0) {
        return Err(Error::input("--limit", "value", 0, "give at least 1"));
    }
    if let Some(seconds) = args.seconds.filter(|s| !(s.is_finite() && *s > 0.0)) {
        let advice = "give a positive number";
        return Err(Error::input("--seconds", "value", seconds, advice));
    }
    let has_stray_root = args.root.is_some() && args.manifest.is_none();
    let advice = "give the directory of the clips as --motions alone";
    refuse(
        &[("--root", has_stray_root)],
        "use",
        "without --manifest",
        advice,
    )
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

/// What the rows of one directory have in common; `clips` says what is known about the clips.
pub(super) fn settings(
    args: &EvaluateArgs,
    reconstruction: &Settings,
    clips: Value,
) -> Result<Vec<u8>> {
    let place = |path: &Option<PathBuf>| {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        path.as_ref().map(absolute)
    };
    json(&json!({
        "motions": place(&args.motions),
        "manifest": place(&args.manifest),
        "windows": place(&args.windows),
        "root": place(&args.root),
        "seconds": args.seconds,
        "reconstruction": reconstruction,
        "clips": clips,
    }))
}

/// The optimizers asked for, or else the configuration's.
pub(super) fn optimizers<'a>(args: &'a EvaluateArgs, config: &'a Config) -> Result<&'a [String]> {
    let (origin, optimizers) = match args.optimizers.as_slice() {
        [] => ("optimizer", std::slice::from_ref(&config.optimizer)),
        names => ("--optimizers", names),
    };
    for name in optimizers {
        check_optimizer(origin, name, config)?;
    }
    refuse_repeated("--optimizers", optimizers, NAME_ONCE)?;
    Ok(optimizers)
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
        let plates = clip.plates.as_deref().map(ForcePlates::read).transpose()?;
        Ok((motion::read(&clip.path, &options)?.motion, plates))
    };
    let result = read().and_then(|(motion, plates)| Ok((run(&motion, config, session)?, plates)));
    match result {
        Ok((reconstruction, plates)) => {
            row.extend(record(&reconstruction, &config.optimizer));
            row.insert(
                "clip_seconds".into(),
                json!(reconstruction.reference.seconds()),
            );
            let offset = options.start.unwrap_or_default();
            let measured =
                plates.map(|plates| compared(&plates, &reconstruction, offset, &mut row));
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
    let head = format!(
        "{} ({}), {}",
        text("clip"),
        text("category"),
        text("optimizer")
    );
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
