//! `motionfit train`: meta-training of a learned optimizer.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use serde_json::Value;

use super::reading::ReadingArgs;
use super::{SETTINGS, Session, check_begun_with, json, refuse};
use crate::benchmark::FunctionFamily;
use crate::config::{FunctionSettings, TaskSettings, TrainingConfig};
use crate::error::{Error, Result};
use crate::learned::{Card, LearnedOptimizer, Network, Trained};
use crate::meta::{MetaTrainer, StepReport};
use crate::objective::{Rng, TaskFamily};
use crate::optim::Metric;
use crate::output::OutputDir;

use motions::MOTIONS;
use progress::{Progress, times};
use windows::{on_recorded_windows, on_windows};

mod motions;
mod progress;
mod windows;

const RECORDED: &str = "recorded";
const CHECKPOINT: &str = "checkpoint.bin";
const METRICS: &str = "metrics.jsonl";
const WEIGHTS: &str = "weights.safetensors";
const CARD: &str = "weights.json";

/// Meta-train a learned optimizer on a family of tasks.
///
/// `mpirun -n N motionfit train ...` shares groups, recordings and validation among N processes.
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

    /// How the files in --motions are read where they do not say it themselves.
    #[command(flatten)]
    pub reading: ReadingArgs,

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
    let config = session.agree(TrainingConfig::read(&args.config))?;
    let prepared = match session.leads() {
        true => prepare(args, &config),
        false => Ok(()),
    };
    session.agree(prepared)?;
    match &config.tasks {
        TaskSettings::Functions(functions) => {
            let (family, theta) = session.agree(on_functions(args, &config, functions))?;
            let names = functions.functions.join(", ");
            let data = format!(
                "classic test functions: {names}; {:?} variables",
                functions.dimensions
            );
            run(args, session, &config, &family, (data, theta, None))
        }
        TaskSettings::Windows(windows) => on_windows(args, session, &config, windows),
        TaskSettings::RecordedWindows(recorded) => {
            on_recorded_windows(args, session, &config, recorded)
        }
    }
}

/// The family of test functions, and the meta-parameters to start from.
fn on_functions(
    args: &TrainArgs,
    config: &TrainingConfig,
    functions: &FunctionSettings,
) -> Result<(FunctionFamily, Option<Vec<f32>>)> {
    let of_motion = [
        ("--motions", !args.motions.is_empty()),
        ("--recorded", args.recorded.is_some()),
    ];
    let advice = "leave it out, or train on windows (configs/train-walking.json)";
    refuse(&of_motion, "tasks", "test functions", advice)?;
    let family = functions.family(&args.config.display().to_string())?;
    Ok((family, start(args, config)?))
}

/// Makes sure that `out` can be written to.
fn prepare(args: &TrainArgs, config: &TrainingConfig) -> Result<()> {
    let may_write = args.force || may_go_on(args, config)? || holds_only_recorded(&args.out);
    OutputDir::create(&args.out, may_write).map(drop)
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
    let network = session.agree(Network::new(&config.architecture))?;
    let begun = session.agree(begin(args, (config, &network), family, theta))?;
    let (trainer, metrics) = (begun.0.shared(session.ranks.as_ref()), begun.1);
    let hours = earlier_hours(args);
    let output = match session.leads() {
        true => begin_output(args, config).map(Some),
        false => Ok(None),
    };
    let output = session.agree(output)?;
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
            hours,
            validation: Vec::new(),
            commit: commit(),
        },
        begun: Instant::now(),
    };
    training.go(args, session, config.training.steps())
}

/// The trainer, from the beginning or from a checkpoint, and the lines of metrics up to there.
fn begin<'a, F: TaskFamily>(
    args: &TrainArgs,
    (config, network): (&'a TrainingConfig, &'a Network),
    family: &'a F,
    theta: Option<Vec<f32>>,
) -> Result<(MetaTrainer<'a, F>, Vec<String>)>
where
    F::Task: Send + Sync,
{
    if !resumes(args) {
        let trainer = MetaTrainer::new(network, family, &config.training, theta)?;
        return Ok((trainer, Vec::new()));
    }
    let checkpoint_path = args.out.join(CHECKPOINT);
    let read = |path: &Path| std::fs::read(path).map_err(|e| Error::io(path, "read", e));
    let checkpoint = read(&checkpoint_path)?;
    let origin = checkpoint_path.display().to_string();
    let parts = (checkpoint.as_slice(), origin.as_str());
    let trainer = MetaTrainer::resume(network, family, &config.training, parts)?;
    let metrics = earlier_metrics(&read(&args.out.join(METRICS))?, trainer.step_count());
    Ok((trainer, metrics))
}

/// The directory of a training that begins or goes on.
fn begin_output(args: &TrainArgs, config: &TrainingConfig) -> Result<OutputDir> {
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
    Ok(output)
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
    /// Where the leading process writes.
    output: Option<OutputDir>,
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
            session.detail(times(&report))?;
            self.metrics.push(line(&report)?);
            progress.show(&report);
            // All end when one is interrupted, and save when the leading one finds it due.
            let told = (session.is_interrupted(), saved.elapsed() >= every);
            let told = session.ranks.share(&told)?;
            if told.iter().any(|(is_interrupted, _)| *is_interrupted) {
                self.save(session)?;
                return session.agree(Err(Error::Interrupted));
            }
            if told[0].1 {
                self.save(session)?;
                saved = Instant::now();
            }
        }
        self.save(session)?;
        let (_, loss) = self.trainer.best();
        session.tell(format!(
            "validation loss {loss:.4}, weights in {}",
            args.out.join(WEIGHTS).display()
        ))
    }

    /// Writes everything, with all processes at the same step.
    fn save(&self, session: &Session) -> Result<()> {
        let checkpoint = self.trainer.checkpoint()?;
        let written = match &self.output {
            Some(output) => self.write(output, checkpoint),
            None => Ok(()),
        };
        session.agree(written)
    }

    /// The checkpoint comes last, so that no metrics are missing from before it.
    fn write(&self, output: &OutputDir, checkpoint: Vec<u8>) -> Result<()> {
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
            (CHECKPOINT, checkpoint),
        ];
        output.write_all(&files)?;
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

#[cfg(test)]
mod tests;
