//! `motionfit train`: meta-training of a learned optimizer.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use rand::SeedableRng;
use serde_json::Value;

use super::progress::{MinuteLines, counter};
use super::{SETTINGS, Session, check_begun_with, json, refuse};
use crate::config::{TaskSettings, TrainingConfig};
use crate::error::{Error, Result};
use crate::learned::{Card, LearnedOptimizer, Network, Trained};
use crate::meta::{MetaTrainer, StepReport};
use crate::objective::{Rng, TaskFamily};
use crate::optim::Metric;
use crate::output::OutputDir;

use motions::MOTIONS;
use windows::{on_recorded_windows, on_windows};

mod motions;
mod windows;

const RECORDED: &str = "recorded";
const CHECKPOINT: &str = "checkpoint.bin";
const METRICS: &str = "metrics.jsonl";
const WEIGHTS: &str = "weights.safetensors";
const CARD: &str = "weights.json";

/// Meta-train a learned optimizer on a family of tasks.
///
/// Writes the weights with the lowest validation loss so far and their card, progress as JSON
/// lines, and a checkpoint from which --resume goes on.
#[derive(Clone, Debug, clap::Args)]
pub struct TrainArgs {
    /// What to train, on what, how: see configs/train-functions.json and train-walking.json.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// Directory of pose files that windows are taken from; may be given several times. The embedded
    /// walks unless given.
    #[arg(long, value_name = "DIR")]
    pub motions: Vec<PathBuf>,

    /// Directory for recorded windows, which trainings may share; a folder in --out unless given.
    #[arg(long, value_name = "DIR")]
    pub recorded: Option<PathBuf>,

    /// Directory for weights, card, metrics and checkpoint.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Go on from the checkpoint in --out, or start where there is none yet; the result is the same
    /// as without interruption.
    #[arg(long, conflicts_with = "force")]
    pub resume: bool,

    /// Seconds between checkpoints.
    #[arg(
        long,
        value_name = "S",
        default_value_t = 120,
        allow_negative_numbers = true
    )]
    pub checkpoint_seconds: u64,

    /// Replace results that are already there.
    #[arg(long)]
    pub force: bool,
}

/// Trains and writes.
///
/// # Errors
/// [`Error::Input`] for a configuration or checkpoint that cannot be used, [`Error::Io`] when a
/// file cannot be read or written, [`Error::Interrupted`] after Ctrl-C (with a checkpoint written).
pub fn train(args: &TrainArgs, session: &Session) -> Result<()> {
    let config = TrainingConfig::read(&args.config)?;
    let origin = args.config.display().to_string();
    let may_write = args.force || may_go_on(args, &config)? || holds_only_recorded(&args.out);
    OutputDir::create(&args.out, may_write)?;
    match &config.tasks {
        TaskSettings::Functions(functions) => {
            let of_motion = [
                ("--motions", !args.motions.is_empty()),
                ("--recorded", args.recorded.is_some()),
            ];
            let advice = "leave it out, or train on windows (configs/train-walking.json)";
            refuse(&of_motion, "tasks", "test functions", advice)?;
            let family = functions.family(&origin)?;
            let names = functions.functions.join(", ");
            let data = format!(
                "classic test functions: {names}; {:?} variables",
                functions.dimensions
            );
            let theta = start(args, &config)?;
            run(args, session, &config, &family, (data, theta, None))
        }
        TaskSettings::Windows(windows) => on_windows(args, session, &config, windows),
        TaskSettings::RecordedWindows(recorded) => {
            on_recorded_windows(args, session, &config, recorded)
        }
    }
}

/// Whether there is an earlier training to go on with, be it from its beginning; it must have been
/// begun with the same configuration.
fn may_go_on(args: &TrainArgs, config: &TrainingConfig) -> Result<bool> {
    if !(args.resume && args.out.join(SETTINGS).exists()) {
        return Ok(false);
    }
    let advice = "resume with the configuration that it was begun with, or train to another --out";
    check_begun_with(&args.out, &json(config)?, advice)?;
    // Weights whose checkpoint is gone are results: starting again would replace them.
    Ok(resumes(args) || !args.out.join(WEIGHTS).exists())
}

/// Whether the training goes on from a checkpoint. One that was killed before its first checkpoint
/// starts again, as if it had never been begun.
fn resumes(args: &TrainArgs) -> bool {
    args.resume && args.out.join(CHECKPOINT).exists()
}

/// Whether `out` holds nothing but recorded windows: an earlier run was interrupted before it began
/// to train.
fn holds_only_recorded(out: &Path) -> bool {
    let mut entries = std::fs::read_dir(out).into_iter().flatten().flatten();
    entries.all(|entry| entry.file_name() == RECORDED)
}

fn run<F: TaskFamily>(
    args: &TrainArgs,
    session: &Session,
    config: &TrainingConfig,
    family: &F,
    (data, theta, metric): (String, Option<Vec<f32>>, Option<Metric>),
) -> Result<()>
where
    F::Task: Send + Sync,
{
    let network = Network::new(&config.architecture)?;
    let checkpoint_path = args.out.join(CHECKPOINT);
    let mut metrics = Vec::new();
    let trainer = if resumes(args) {
        let read = |path: &Path| std::fs::read(path).map_err(|e| Error::io(path, "read", e));
        let checkpoint = read(&checkpoint_path)?;
        let origin = checkpoint_path.display().to_string();
        let parts = (checkpoint.as_slice(), origin.as_str());
        let trainer = MetaTrainer::resume(&network, family, &config.training, parts)?;
        metrics = earlier_metrics(&read(&args.out.join(METRICS))?, trainer.step_count());
        trainer
    } else {
        MetaTrainer::new(&network, family, &config.training, theta)?
    };
    let output = OutputDir::create(&args.out, true)?;
    if !resumes(args) {
        // Of a training that is replaced: resumed with this configuration it would go on.
        output.remove(CHECKPOINT)?;
    }
    match config.tasks {
        // An earlier training may have left it.
        TaskSettings::Functions(_) => output.remove(MOTIONS)?,
        TaskSettings::Windows(_) | TaskSettings::RecordedWindows(_) => {
            motions::note(&args.motions, &output)?;
        }
    }
    output.write(SETTINGS, json(config)?)?;
    let mut training = Training {
        trainer,
        network: Arc::new(network.clone()),
        metric,
        output,
        metrics,
        card: Card {
            name: config.name.clone(),
            meta_parameters: network.layout().len(),
            config: serde_json::to_value(config)
                .map_err(|e| Error::Internal(format!("cannot write JSON: {e}")))?,
            data,
            steps: 0,
            evaluations: 0,
            hours: earlier_hours(args),
            validation: Vec::new(),
            commit: commit(),
        },
        begun: Instant::now(),
    };
    training.go(args, session, config.training.steps())
}

/// The weight file to start from, if the configuration names one.
fn start_path(args: &TrainArgs, config: &TrainingConfig) -> Option<PathBuf> {
    let file = config.start.as_ref()?;
    Some(args.config.parent().unwrap_or(Path::new("")).join(file))
}

/// The meta-parameters in it, unless the training goes on from a checkpoint.
fn start(args: &TrainArgs, config: &TrainingConfig) -> Result<Option<Vec<f32>>> {
    let path = start_path(args, config).filter(|_| !resumes(args));
    let Some(path) = path else {
        return Ok(None);
    };
    let network = Network::new(&config.architecture)?;
    let mut rng = Rng::seed_from_u64(config.training.seed);
    Trained::warm_start(&path, &network, network.initial(&mut rng)).map(Some)
}

/// A training with everything it writes.
struct Training<'a, F: TaskFamily> {
    trainer: MetaTrainer<'a, F>,
    network: Arc<Network>,
    metric: Option<Metric>,
    output: OutputDir,
    /// Lines of JSON.
    metrics: Vec<String>,
    card: Card,
    begun: Instant,
}

impl<F: TaskFamily> Training<'_, F>
where
    F::Task: Send + Sync,
{
    fn go(&mut self, args: &TrainArgs, session: &Session, steps: usize) -> Result<()> {
        let mut progress = Progress::new(session, steps, self.trainer.step_count());
        let every = Duration::from_secs(args.checkpoint_seconds);
        let mut saved = Instant::now();
        while !self.trainer.is_done() {
            let report = self.trainer.advance()?;
            self.metrics.push(line(&report)?);
            progress.show(&report);
            if session.is_interrupted() {
                self.save()?;
                return Err(Error::Interrupted);
            }
            if saved.elapsed() >= every {
                self.save()?;
                saved = Instant::now();
            }
        }
        self.save()?;
        let (_, loss) = self.trainer.best();
        session.tell(format!(
            "validation loss {loss:.4}, weights in {}",
            args.out.join(WEIGHTS).display()
        ))
    }

    /// Writes everything; the checkpoint last, so that no metrics are missing from before it.
    fn save(&self) -> Result<()> {
        let trained = Trained {
            network: Arc::clone(&self.network),
            theta: self.trainer.best().0.to_vec(),
            metric: self.metric.clone(),
        };
        let card = Card {
            steps: self.trainer.step_count(),
            evaluations: self.trainer.evaluations(),
            hours: self.card.hours + self.begun.elapsed().as_secs_f64() / 3600.0,
            validation: self.trainer.validation().to_vec(),
            ..self.card.clone()
        };
        let files = [
            (METRICS, self.metrics.concat().into_bytes()),
            (WEIGHTS, trained.to_bytes()?),
            (CARD, json(&card)?),
            (CHECKPOINT, self.trainer.checkpoint()?),
        ];
        self.output.write_all(&files)?;
        Ok(())
    }
}

fn line(report: &StepReport) -> Result<String> {
    let text = serde_json::to_string(report);
    let text = text.map_err(|e| Error::Internal(format!("cannot write JSON: {e}")))?;
    Ok(text + "\n")
}

/// The lines of an earlier run up to `step`.
fn earlier_metrics(bytes: &[u8], step: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let is_earlier = |line: &&str| {
        let value: Option<Value> = serde_json::from_str(line).ok();
        let found = value.and_then(|value| value.get("step").and_then(Value::as_u64));
        found.is_some_and(|found| found <= step as u64)
    };
    let lines = text.lines().filter(is_earlier);
    lines.map(|line| format!("{line}\n")).collect()
}

/// Hours that the run being resumed has taken so far.
fn earlier_hours(args: &TrainArgs) -> f64 {
    let card = || -> Option<Card> {
        let bytes = std::fs::read(args.out.join(CARD)).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    let card = if resumes(args) { card() } else { None };
    card.map_or(0.0, |card| card.hours)
}

/// The commit of the working directory, where it is a repository; else the version.
fn commit() -> String {
    let git = Command::new("git").args(["rev-parse", "HEAD"]).output();
    let version = concat!("motionfit ", env!("CARGO_PKG_VERSION"));
    match git {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_string()
        }
        _ => version.to_string(),
    }
}

/// A bar on a terminal, a line a minute elsewhere, nothing when quiet.
struct Progress {
    bar: ProgressBar,
    lines: MinuteLines,
    steps: usize,
    first: usize,
    begun: Instant,
    validation: Option<f64>,
}

impl Progress {
    fn new(session: &Session, steps: usize, first: usize) -> Self {
        Self {
            bar: counter(session, steps),
            lines: MinuteLines::new(session),
            steps,
            first,
            begun: Instant::now(),
            validation: None,
        }
    }

    fn show(&mut self, report: &StepReport) {
        self.validation = report.validation.or(self.validation);
        let validation = match self.validation {
            Some(loss) => format!(", validation {loss:.4}"),
            None => String::new(),
        };
        let message = format!("loss {:.4}{validation}", report.loss);
        self.bar.set_position(report.step as u64);
        self.bar.set_message(message.clone());
        let (step, steps) = (report.step, self.steps);
        let pace = self.begun.elapsed().as_secs_f64() / (step - self.first) as f64;
        self.lines.say(|| {
            let left = pace * (steps - step) as f64 / 60.0;
            format!("step {step}/{steps}, {message}, {left:.0} min left")
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_weights_count_until_there_is_a_checkpoint() {
        let dir = tempfile::tempdir().unwrap();
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
        let args = TrainArgs {
            config: configs.join("train-walking-tune.json"),
            motions: Vec::new(),
            recorded: None,
            out: dir.path().to_path_buf(),
            resume: true,
            checkpoint_seconds: 120,
            force: false,
        };
        let config = TrainingConfig::read(&args.config).unwrap();
        assert!(start(&args, &config).unwrap().is_some());
        std::fs::write(args.out.join(CHECKPOINT), b"").unwrap();
        assert!(start(&args, &config).unwrap().is_none());
    }
}
