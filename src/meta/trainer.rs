//! The outer loop: groups in parallel, one step of Adam, validation, best-so-far, checkpoints.
//!
//! Ranks ([`Ranks`]) share the groups and the batches of validation; each makes the same step of the same θ.

use std::collections::BTreeMap;
use std::time::Instant;

use rand::SeedableRng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cluster::{Alone, Ranks};
use crate::error::{Error, Result};
use crate::format::Format;
use crate::learned::{Batch, LearnedOptimizer, Network};
use crate::objective::{Rng, Task, TaskFamily};

use super::adam::{Adam, clip};
use super::estimators::{AnyEstimator, check_parameters, mask, stage_seed};
use super::group::{Estimate, Group, look};
use super::sharing::{Mean, StepTimes, is_of, mean};
use super::{Settings, Stage};

/// The files of checkpoints; a change to [`Progress`], or to what it consists of, makes another
/// format.
const CHECKPOINT: Format = Format {
    mark: *b"MFCP",
    number: 3,
    name: "checkpoint",
    remedy: "start anew, with --force instead of --resume",
};

/// A meta-training under way.
pub struct MetaTrainer<'a, F: TaskFamily> {
    network: &'a Network,
    family: &'a F,
    settings: &'a Settings,
    progress: Progress,
    /// Tasks of the groups of this rank, `(groups, B)`.
    tasks: Vec<Vec<F::Task>>,
    ranks: &'a dyn Ranks,
}

/// Everything that a checkpoint holds; a change here makes another [`CHECKPOINT`].
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Progress {
    theta: Vec<f32>,
    /// Moving average of θ; empty without averaging.
    average: Vec<f32>,
    adam: Adam,
    stage: usize,
    /// Outer steps done in this stage, and in all.
    stage_step: usize,
    step: usize,
    /// Those of this rank, in a checkpoint all.
    groups: Vec<Group<Batch>>,
    evaluations: u64,
    validation: Vec<(usize, f64)>,
    best: Option<(f64, Vec<f32>)>,
}

/// What happened in an outer step.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// Outer steps done.
    pub step: usize,
    /// The stage it belongs to.
    pub stage: usize,
    /// Mean meta-loss of the groups' truncations.
    pub loss: f64,
    /// Length of the meta-gradient before it was clipped.
    pub gradient_norm: f64,
    /// Learning rate of Adam.
    pub learning_rate: f64,
    /// Evaluations of inner problems so far, without those of validation.
    pub evaluations: u64,
    /// Validation loss, in steps that validate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<f64>,
    /// The same by task name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_task: BTreeMap<String, f64>,
    /// Where the time went, without validation; not part of the results.
    #[serde(skip)]
    pub times: StepTimes,
}

impl<'a, F: TaskFamily> MetaTrainer<'a, F>
where
    F::Task: Send + Sync,
{
    /// Training of `network` on `family` from `theta`, or from a random start.
    ///
    /// # Errors
    /// [`Error::Input`] when `settings` cannot be used.
    pub fn new(
        network: &'a Network,
        family: &'a F,
        settings: &'a Settings,
        theta: Option<Vec<f32>>,
    ) -> Result<Self> {
        settings.check("training")?;
        check_parameters(network, &settings.stages)?;
        let mut rng = Rng::seed_from_u64(settings.seed);
        rng.set_stream(u64::MAX);
        let theta = theta.unwrap_or_else(|| network.initial(&mut rng));
        let average = if settings.averaging > 0.0 {
            theta.clone()
        } else {
            Vec::new()
        };
        let progress = Progress {
            adam: Adam::new(theta.len()),
            theta,
            average,
            stage: 0,
            stage_step: 0,
            step: 0,
            groups: Vec::new(),
            evaluations: 0,
            validation: Vec::new(),
            best: None,
        };
        let mut trainer = Self {
            network,
            family,
            settings,
            progress,
            tasks: Vec::new(),
            ranks: &Alone,
        };
        trainer.begin_stage();
        Ok(trainer)
    }

    /// The same as one of `ranks`, all of which have made it with the same arguments: they share the groups. From
    /// here on all of them must do the same.
    #[must_use]
    pub fn shared(mut self, ranks: &'a dyn Ranks) -> Self {
        self.ranks = ranks;
        let groups = self.progress.groups.into_iter().zip(self.tasks);
        let own = groups.filter(|(group, _)| is_of(ranks, group.number));
        (self.progress.groups, self.tasks) = own.unzip();
        self
    }

    /// Training that goes on from a checkpoint of the same configuration.
    ///
    /// # Errors
    /// [`Error::Input`] naming `origin` when its `bytes` are damaged, of another format or of
    /// another configuration.
    pub fn resume(
        network: &'a Network,
        family: &'a F,
        settings: &'a Settings,
        (bytes, origin): (&[u8], &str),
    ) -> Result<Self> {
        settings.check("training")?;
        check_parameters(network, &settings.stages)?;
        let progress: Progress = CHECKPOINT.read(bytes, origin)?;
        let found = progress.theta.len();
        let averaged = if settings.averaging > 0.0 { found } else { 0 };
        let fits = found == network.meta_parameters()
            && progress.average.len() == averaged
            && settings.stages.get(progress.stage).is_some_and(|stage| {
                progress.groups.len() == stage.groups && progress.stage_step <= stage.steps
            });
        if !fits {
            let found = format!("{found} meta-parameters in stage {}", progress.stage);
            let advice = "resume with the configuration that it was written with";
            return Err(Error::input(origin, "checkpoint", found, advice));
        }
        let stage = &settings.stages[progress.stage];
        let seed = stage_seed(settings.seed, progress.stage);
        let tasks = progress.groups.iter();
        let tasks = tasks.map(|group| group.tasks(family, stage.tasks, seed).0);
        Ok(Self {
            network,
            family,
            settings,
            tasks: tasks.collect(),
            progress,
            ranks: &Alone,
        })
    }

    /// The bytes of a checkpoint on the first rank, none on the others.
    ///
    /// # Errors
    /// [`Error::Internal`] when they cannot be made.
    pub fn checkpoint(&self) -> Result<Vec<u8>> {
        if self.ranks.size() == 1 {
            return CHECKPOINT.write(&self.progress);
        }
        let given: Vec<Vec<Group<Batch>>> = self.ranks.collect(&self.progress.groups)?;
        if !self.ranks.leads() {
            return Ok(Vec::new());
        }
        let mut groups: Vec<Group<Batch>> = given.into_iter().flatten().collect();
        groups.sort_by_key(|group| group.number);
        CHECKPOINT.write(&Progress {
            groups,
            ..self.progress.clone()
        })
    }

    /// Whether all stages are done.
    pub fn is_done(&self) -> bool {
        self.progress.step >= self.settings.steps()
    }

    /// Outer steps done.
    pub fn step_count(&self) -> usize {
        self.progress.step
    }

    /// Evaluations of inner problems so far, without those of validation.
    pub fn evaluations(&self) -> u64 {
        self.progress.evaluations
    }

    /// Outer steps and losses of the validations so far.
    pub fn validation(&self) -> &[(usize, f64)] {
        &self.progress.validation
    }

    /// θ as it is now, `(meta_parameters,)`.
    pub fn theta(&self) -> &[f32] {
        &self.progress.theta
    }

    /// What is validated and kept: the moving average of θ where the settings ask for one, else θ,
    /// `(meta_parameters,)`.
    pub fn averaged(&self) -> &[f32] {
        if self.progress.average.is_empty() {
            &self.progress.theta
        } else {
            &self.progress.average
        }
    }

    /// The [`averaged`](Self::averaged) θ with the lowest validation loss so far, and that loss; the
    /// present one before the first validation.
    pub fn best(&self) -> (&[f32], f64) {
        match &self.progress.best {
            Some((loss, theta)) => (theta, *loss),
            None => (self.averaged(), f64::INFINITY),
        }
    }

    /// Makes one outer step.
    ///
    /// # Errors
    /// Only when the learned optimizer is broken.
    pub fn advance(&mut self) -> Result<StepReport> {
        let stages = &self.settings.stages;
        if self.progress.stage_step >= stages[self.progress.stage].steps
            && self.progress.stage + 1 < stages.len()
        {
            self.progress.stage += 1;
            self.begin_stage();
        }
        let stage = &stages[self.progress.stage];
        let begun = Instant::now();
        let estimates = self.estimates(stage)?;
        let numbers = self.progress.groups.iter().map(|group| group.number);
        let own: Vec<(u64, &Estimate)> = numbers.zip(&estimates).collect();
        let computed = (stage.groups, begun.elapsed());
        let Mean {
            mut gradient,
            loss,
            evaluations,
            times,
        } = mean(self.ranks, &self.progress.theta, &own, computed)?;
        self.progress.evaluations += evaluations;
        mask(self.network, stage, &mut gradient);
        let gradient_norm = clip(&mut gradient, stage.clip);
        let progress = &mut self.progress;
        let learning_rate = stage.learning_rate_at(progress.stage_step);
        progress
            .adam
            .step(&mut progress.theta, &gradient, learning_rate);
        let kept = self.settings.averaging as f32;
        for (average, theta) in progress.average.iter_mut().zip(&progress.theta) {
            *average = kept * *average + (1.0 - kept) * theta;
        }
        progress.stage_step += 1;
        progress.step += 1;
        let mut report = StepReport {
            step: progress.step,
            stage: progress.stage,
            loss,
            gradient_norm,
            learning_rate,
            evaluations: progress.evaluations,
            validation: None,
            by_task: BTreeMap::new(),
            times,
        };
        if progress.step.is_multiple_of(self.settings.validation.every) || self.is_done() {
            self.validate(&mut report)?;
        }
        Ok(report)
    }

    fn begin_stage(&mut self) {
        let stage = &self.settings.stages[self.progress.stage];
        let seed = stage_seed(self.settings.seed, self.progress.stage);
        self.progress.adam = Adam::new(self.progress.theta.len());
        self.progress.stage_step = 0;
        let own = (0..stage.groups as u64).filter(|number| is_of(self.ranks, *number));
        let begun = own.map(|number| {
            let setup = (stage, stage.sides(), seed);
            Group::new(self.network, self.family, setup, number)
        });
        (self.progress.groups, self.tasks) = begun.unzip();
    }

    /// Advances the groups of this rank by a truncation.
    fn estimates(&mut self, stage: &Stage) -> Result<Vec<Estimate>> {
        let seed = stage_seed(self.settings.seed, self.progress.stage);
        let (network, family) = (self.network, self.family);
        let Progress {
            groups,
            theta,
            stage_step,
            ..
        } = &mut self.progress;
        let estimator = AnyEstimator::new(network, stage, seed);
        groups
            .par_iter_mut()
            .zip(&mut self.tasks)
            .map(|(group, tasks)| {
                if let Some(next) = group.renew(network, family, (stage, stage.sides(), seed)) {
                    *tasks = next;
                }
                let mut rng = Rng::seed_from_u64(seed ^ 0x5EED);
                rng.set_stream((group.number << 32) | *stage_step as u64);
                estimator.estimate(network, theta, group, tasks, &mut rng)
            })
            .collect()
    }

    /// Mean normalized loss of the best points found on the validation tasks.
    fn validate(&mut self, report: &mut StepReport) -> Result<()> {
        let validation = &self.settings.validation;
        let rule = self.network.rule(self.averaged())?;
        let own = (0..validation.batches as u64).filter(|number| is_of(self.ranks, *number));
        let own: Vec<u64> = own.collect();
        let losses = own
            .par_iter()
            .map(|number| Ok((*number, self.losses(*number, &rule)?)));
        let losses = losses.collect::<Result<Vec<(u64, Vec<(String, f64)>)>>>()?;
        let mut batches = self.ranks.share(&losses)?.concat();
        batches.sort_by_key(|(number, _)| *number);
        let losses: Vec<(String, f64)> = batches.into_iter().flat_map(|(_, batch)| batch).collect();
        let loss = losses.iter().map(|(_, loss)| loss).sum::<f64>() / losses.len() as f64;
        let mut by_task: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for (name, loss) in losses {
            let entry = by_task.entry(name).or_default();
            *entry = (entry.0 + loss, entry.1 + 1.0);
        }
        report.validation = Some(loss);
        report.by_task = by_task
            .into_iter()
            .map(|(name, (sum, count))| (name, sum / count))
            .collect();
        let step = self.progress.step;
        self.progress.validation.push((step, loss));
        let best = self.progress.best.as_ref();
        if best.is_none_or(|(best, _)| loss < *best || best.is_nan()) {
            self.progress.best = Some((loss, self.averaged().to_vec()));
        }
        Ok(())
    }

    /// The names and losses of the tasks of validation batch `number`.
    fn losses(
        &self,
        number: u64,
        rule: &<Network as LearnedOptimizer>::Rule,
    ) -> Result<Vec<(String, f64)>> {
        let validation = &self.settings.validation;
        let mut rng = Rng::seed_from_u64(self.settings.seed);
        rng.set_stream(u64::MAX - 1 - number);
        let tasks = self.family.sample_validation(validation.tasks, &mut rng);
        let x0: Vec<_> = tasks.iter().map(|t| t.initial_point(&mut rng)).collect();
        let mut state = self.network.start(&x0);
        let mut best = vec![f64::INFINITY; tasks.len()];
        for _ in 0..validation.horizon {
            let evaluations = look(self.network, &state, &tasks);
            for (best, seen) in best.iter_mut().zip(&evaluations) {
                *best = best.min(seen.value);
            }
            self.network.tell(rule, &mut state, &evaluations)?;
        }
        let losses = tasks.iter().zip(best);
        Ok(losses
            .map(|(task, best)| (task.name(), task.normalize(best)))
            .collect())
    }
}
