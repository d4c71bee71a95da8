//! What an evaluation is asked for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::cluster::Shard;
use crate::commands::overrides::Overrides;
use crate::commands::reading::ReadingArgs;
use crate::commands::reconstruct::check_optimizer;
use crate::commands::{NAME_ONCE, json, refuse, refuse_repeated};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::evaluation::clips::Split;
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
    pub(super) manifest: Option<PathBuf>,
    /// JSON list of single windows of the clips in --motions (configs/evaluate-windows.json); the
    /// optimizers are compared on them by function evaluations, each given as NAME or
    /// NAME:EVALUATIONS.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["manifest", "index", "split", "exclude", "seconds"])]
    pub(super) windows: Option<PathBuf>,
    /// Where the data of the manifest are; the current directory unless given.
    #[arg(long, value_name = "DIR", requires = "manifest")]
    pub(super) root: Option<PathBuf>,
    /// CSV table with the columns file, category and perhaps fps; index.csv of the directory unless
    /// given.
    #[arg(long, value_name = "FILE")]
    pub(super) index: Option<PathBuf>,
    /// Compare the ground forces with measured ones: NAME_grf.npz, .mot or .c3d beside NAME.npy, as reconstruct --plates
    /// takes it, or a .c3d with force plates itself; with mass_kg and category of NAME.json. A manifest names "plates" and "mass" of its clips itself.
    #[arg(long, conflicts_with_all = ["manifest", "windows"])]
    pub(super) plates: bool,
    /// Names of the optimizers, separated by commas; that of the configuration unless given.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) optimizers: Vec<String>,
    /// Which clips: in-domain (or walking), out-of-domain (or other), or all.
    #[arg(long, value_enum, default_value = "all")]
    pub(super) split: SplitName,
    /// Categories to leave out, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) exclude: Vec<String>,
    /// Reconstruct only the first seconds of every clip.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(super) seconds: Option<f64>,
    /// Reconstruct only the first clips (after split and exclusion).
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) limit: Option<usize>,
    #[command(flatten)]
    pub(super) reading: ReadingArgs,
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
pub(super) enum SplitName {
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

/// Refuses what cannot be meant.
pub(super) fn check(args: &EvaluateArgs) -> Result<()> {
    if args.limit == Some(0) {
        return Err(Error::input("--limit", "value", 0, "give at least 1"));
    }
    if let Some(seconds) = args.seconds.filter(|s| !(s.is_finite() && *s > 0.0)) {
        let advice = "give a positive number";
        return Err(Error::input("--seconds", "value", seconds, advice));
    }
    if args.manifest.is_some() {
        let advice = "leave it out: the manifest says it of its sequences";
        refuse(&args.reading.given(), "use", "with --manifest", advice)?;
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
