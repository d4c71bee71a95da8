//! Groups of unrolls, and the seam of the estimators that advance them.

use rand::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::learned::LearnedOptimizer;
use crate::objective::{Evaluation, Rng, Task, TaskFamily};

use super::Stage;

/// A batch of tasks in the course of being optimized, by one rule or by an antithetic pair.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group<S> {
    /// Its number, which with the seed and the episode decides its tasks.
    pub number: u64,
    /// How often it has started anew.
    pub episode: u64,
    /// Inner steps since then.
    pub step: usize,
    /// Inner steps after which it starts anew.
    pub horizon: usize,
    /// Inner states: one, or those under θ + ε and θ − ε.
    pub sides: Vec<S>,
    /// ξ: the perturbations that the states have felt so far, summed, `(meta_parameters,)`; empty
    /// where none are.
    pub accumulator: Vec<f32>,
    /// What the last truncation saw at the points where this one begins, `(B,)`; looked up again
    /// where it is not at hand, as after a resumption.
    #[serde(skip)]
    pub(super) seen: Option<Vec<Evaluation>>,
}

/// What an estimator found out in one truncation of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The meta-gradient, `(meta_parameters,)`.
    pub gradient: Vec<f32>,
    /// Mean meta-loss over tasks and inner steps.
    pub loss: f64,
    /// Evaluations of value and gradient spent.
    pub evaluations: u64,
}

/// How the meta-gradient of a group is found.
pub trait GradientEstimator<L: LearnedOptimizer>: Sync + Send {
    /// Number of inner states a group needs: 1, or 2 for antithetic pairs.
    fn sides(&self) -> usize;

    /// Advances `group`, whose tasks are `tasks: (B,)`, by one truncation under `theta`.
    ///
    /// `rng` is fresh for every group and outer step.
    ///
    /// # Errors
    /// Only when the learned optimizer is broken; divergence of a task is an ordinary, bad loss.
    fn estimate<T: Task>(
        &self,
        learned: &L,
        theta: &[f32],
        group: &mut Group<L::State>,
        tasks: &[T],
        rng: &mut Rng,
    ) -> Result<Estimate>
    where
        Self: Sized;
}

impl<S: Clone> Group<S> {
    /// Group `number` of `stage`, before its first step. Its first episode is shorter than the
    /// others by a share of the horizon, so that groups start anew at different times.
    pub fn new<L, F>(
        learned: &L,
        family: &F,
        (stage, sides, seed): (&Stage, usize, u64),
        number: u64,
    ) -> (Self, Vec<F::Task>)
    where
        L: LearnedOptimizer<State = S>,
        F: TaskFamily,
    {
        let truncations = (stage.horizon / stage.truncation) as u64;
        let position = number % stage.groups as u64;
        let late = position * truncations / stage.groups as u64;
        let mut group = Self {
            number,
            episode: 0,
            step: 0,
            horizon: stage.horizon - late as usize * stage.truncation,
            sides: Vec::new(),
            accumulator: Vec::new(),
            seen: None,
        };
        let tasks = group.begin(learned, family, (stage, sides, seed));
        (group, tasks)
    }

    /// Starts the next episode when this one is over; returns its tasks.
    pub fn renew<L, F>(
        &mut self,
        learned: &L,
        family: &F,
        (stage, sides, seed): (&Stage, usize, u64),
    ) -> Option<Vec<F::Task>>
    where
        L: LearnedOptimizer<State = S>,
        F: TaskFamily,
    {
        if self.step < self.horizon {
            return None;
        }
        self.episode += 1;
        self.step = 0;
        self.horizon = stage.horizon;
        Some(self.begin(learned, family, (stage, sides, seed)))
    }

    /// The tasks of the present episode.
    pub fn tasks<F: TaskFamily>(&self, family: &F, count: usize, seed: u64) -> (Vec<F::Task>, Rng) {
        let mut rng = Rng::seed_from_u64(seed);
        rng.set_stream((self.number << 32) | self.episode);
        (family.sample_batch(count, &mut rng), rng)
    }

    fn begin<L, F>(
        &mut self,
        learned: &L,
        family: &F,
        (stage, sides, seed): (&Stage, usize, u64),
    ) -> Vec<F::Task>
    where
        L: LearnedOptimizer<State = S>,
        F: TaskFamily,
    {
        let (tasks, mut rng) = self.tasks(family, stage.tasks, seed);
        let x0: Vec<Vec<f64>> = tasks
            .iter()
            .map(|task| task.initial_point(&mut rng))
            .collect();
        self.sides = vec![learned.start(&x0); sides];
        self.accumulator.clear();
        self.seen = None;
        tasks
    }
}

/// Looks at every task, at the points `state` asks for.
pub(super) fn look<L: LearnedOptimizer, T: Task>(
    learned: &L,
    state: &L::State,
    tasks: &[T],
) -> Vec<Evaluation> {
    tasks
        .iter()
        .enumerate()
        .map(|(b, task)| Evaluation::of(task, learned.point(state, b), learned.order()))
        .collect()
}

/// Mean normalized loss of `evaluations`.
pub(super) fn mean_loss<T: Task>(tasks: &[T], evaluations: &[Evaluation]) -> f64 {
    let losses = tasks.iter().zip(evaluations);
    let sum: f64 = losses.map(|(task, seen)| task.normalize(seen.value)).sum();
    sum / tasks.len() as f64
}
