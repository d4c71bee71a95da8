//! Recorded windows as tasks: models around the looks of a path, blended by distance.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};
use rand::{RngExt as _, SeedableRng as _};

use super::super::family::LOSSES;
use super::{Linearization, RecordedWindow};
use crate::objective::{Objective, Rng, Task, TaskFamily};
use crate::optim::Whitening;

/// Share of the distance between neighbours on a path over which one model hands over to the next.
const HANDOVER: f64 = 0.35;

/// Models that weigh less are left out.
const NEGLIGIBLE: f64 = 1e-6;

/// Recorded windows in the variables z of a metric.
#[derive(Clone, Debug)]
pub struct RecordedFamily {
    tasks: Vec<RecordedTask>,
    /// Share of rough tasks.
    rough: f64,
}

/// A recorded window as a task in the variables z.
#[derive(Clone, Debug)]
pub struct RecordedTask {
    window: Arc<Models>,
    /// c: every model is stiffened by c/4 ‖z − zᵢ‖⁴, which its curvature does not show.
    stiffening: f64,
    /// The look that it starts from.
    start: usize,
    roughness: Option<Roughness>,
}

/// How rough a task is.
#[derive(Clone, Copy, Debug)]
struct Roughness {
    /// ρ: what a look sees is what is there at a point nearby, so far off that it costs ρ f.
    share: f64,
    /// Of the directions.
    seed: u64,
}

#[derive(Debug)]
struct Models {
    name: String,
    models: Vec<Model>,
    /// Square of the distance over which a model hands over to the next.
    handover: f64,
}

/// qᵢ in the variables z.
#[derive(Debug)]
struct Model {
    z: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    /// `(N, N)`.
    curvature: DMatrix<f32>,
}

impl RecordedFamily {
    /// `windows`, all of equally many coordinates, in the variables of `whitening`. What several
    /// optimizers have seen of one window makes one task.
    pub fn new(windows: &[RecordedWindow], whitening: &Whitening) -> Self {
        let mut tasks: Vec<(&RecordedWindow, Vec<&Linearization>)> = Vec::new();
        for window in windows.iter().filter(|window| !window.path.is_empty()) {
            let same = |(known, _): &&mut (&RecordedWindow, _)| {
                (&known.clip, known.first) == (&window.clip, window.first)
            };
            match tasks.iter_mut().find(same) {
                None => tasks.push((window, window.path.iter().collect())),
                Some((_, looks)) => {
                    let seen = looks.len(); // by the optimizers before
                    let is_new =
                        |look: &&Linearization| looks[..seen].iter().all(|known| known.x != look.x);
                    let new: Vec<_> = window.path.iter().filter(is_new).collect();
                    looks.extend(new);
                }
            }
        }
        let tasks = tasks.into_iter().map(|(window, looks)| RecordedTask {
            window: Arc::new(Models::new(&window.clip, &looks, whitening)),
            stiffening: 0.0,
            start: 0,
            roughness: None,
        });
        Self {
            tasks: tasks.collect(),
            rough: 0.0,
        }
    }

    /// The same with a share of tasks, `rough`, whose looks are at points nearby, which differ from look to
    /// look: as contacts that come and go make of the physics. What a point nearby costs is a share of the
    /// value that is drawn between 0.01 and 1, on a logarithmic scale.
    #[must_use]
    pub fn roughened(self, rough: f64) -> Self {
        Self { rough, ..self }
    }

    /// How rough the next task is.
    fn roughness(&self, rng: &mut Rng) -> Option<Roughness> {
        // Families without rough tasks draw no number more than they did before there were any.
        let is_rough = self.rough > 0.0 && rng.random_bool(self.rough);
        is_rough.then(|| Roughness {
            share: 10_f64.powf(rng.random_range(-2.0..0.0)),
            seed: rng.random(),
        })
    }
}

impl TaskFamily for RecordedFamily {
    type Task = RecordedTask;

    /// Half of the tasks are stiffened, so that steps far from what was visited disappoint, as they
    /// do in the physics: over the length of a step of the path the loss rises by a share of its
    /// value at the start that is drawn between 0.01 and 10, on a logarithmic scale.
    ///
    /// Half of the tasks start from any look of the path: most windows of a reconstruction begin
    /// close to a minimum, with what the window before has found.
    fn sample(&self, rng: &mut Rng) -> RecordedTask {
        let task = &self.tasks[rng.random_range(0..self.tasks.len())];
        let start = if rng.random_bool(0.5) {
            rng.random_range(0..task.window.models.len())
        } else {
            0
        };
        let share: f64 = if rng.random_bool(0.5) {
            10_f64.powf(rng.random_range(-2.0..1.0))
        } else {
            0.0
        };
        RecordedTask {
            start,
            roughness: self.roughness(rng),
            ..task.stiffened(share)
        }
    }

    /// Tasks as they were recorded, or rough.
    fn sample_validation(&self, count: usize, rng: &mut Rng) -> Vec<RecordedTask> {
        let index = |rng: &mut Rng| rng.random_range(0..self.tasks.len());
        let task = |_| RecordedTask {
            roughness: self.roughness(rng),
            ..self.tasks[index(rng)].clone()
        };
        (0..count).map(task).collect()
    }
}

impl RecordedTask {
    fn stiffened(&self, share: f64) -> Self {
        let window = Arc::clone(&self.window);
        let step = window.handover / (HANDOVER * HANDOVER);
        let first = window.models.first().map_or(0.0, |model| model.value);
        Self {
            stiffening: 4.0 * share * first / (step * step),
            start: self.start,
            roughness: self.roughness,
            window,
        }
    }

    /// Where a look at `z: (N,)` looks.
    fn seen_from(&self, z: &[f64]) -> Vec<f64> {
        let Some(Roughness { share, seed }) = self.roughness else {
            return z.to_vec();
        };
        // The FNV-1a hash, word by word.
        let hash = |hash: u64, z: &f64| (hash ^ z.to_bits()).wrapping_mul(0x0100_0000_01b3);
        let mut rng = Rng::seed_from_u64(z.iter().fold(seed, hash));
        let away: Vec<f64> = z.iter().map(|_| rng.random_range(-1.0..1.0)).collect();
        let blend = self.window.blend(z, self.stiffening);
        let value = blended_value(&blend);
        let along = blend
            .iter()
            .map(|(model, weight, _, _)| weight * model.bend(&away));
        let size = (2.0 * share * value.max(0.0) / along.sum::<f64>().max(1e-300)).sqrt();
        z.iter()
            .zip(&away)
            .map(|(z, away)| z + size * away)
            .collect()
    }
}

impl Models {
    fn new(clip: &str, looks: &[&Linearization], whitening: &Whitening) -> Self {
        let models: Vec<Model> = looks
            .iter()
            .map(|look| Model {
                z: whitening.whiten(&look.x),
                value: look.value,
                gradient: whitening.whiten_gradient(&look.gradient),
                curvature: whitening.whiten_curvature(look.matrix()).map(|c| c as f32),
            })
            .collect();
        let mut steps: Vec<f64> = models
            .windows(2)
            .map(|pair| square_distance(&pair[0].z, &pair[1].z))
            .collect();
        steps.sort_by(f64::total_cmp);
        let step = steps.get(steps.len() / 2).copied().unwrap_or(1.0);
        Self {
            name: clip.to_string(),
            models,
            handover: (HANDOVER * HANDOVER * step).max(1e-12),
        }
    }

    /// Weights of the models at z; they sum to 1.
    fn weights(&self, z: &[f64]) -> Vec<f64> {
        let distances: Vec<f64> = self
            .models
            .iter()
            .map(|model| square_distance(&model.z, z))
            .collect();
        let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
        let mut weights: Vec<f64> = distances
            .iter()
            .map(|distance| (0.5 * (nearest - distance) / self.handover).exp())
            .map(|weight| if weight < NEGLIGIBLE { 0.0 } else { weight })
            .collect();
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        weights
    }

    /// The models that count at z, with their weights, values and gradients.
    fn blend<'a>(&'a self, z: &[f64], stiffening: f64) -> Vec<(&'a Model, f64, f64, Vec<f64>)> {
        let weights = self.weights(z);
        let models = self.models.iter().zip(weights);
        models
            .filter(|(_, weight)| *weight > 0.0)
            .map(|(model, weight)| {
                let (value, gradient) = model.look(z, stiffening);
                (model, weight, value, gradient)
            })
            .collect()
    }

    /// Value and gradient of a blend at z: f = Σ wᵢ qᵢ, ∇wᵢ = wᵢ (zᵢ − Σ wⱼ zⱼ) / h².
    fn value_and_gradient(
        &self,
        blend: &[(&Model, f64, f64, Vec<f64>)],
        gradient: &mut [f64],
    ) -> f64 {
        let value = blended_value(blend);
        gradient.fill(0.0);
        for (model, weight, own, slope) in blend {
            let pull = weight * (own - value) / self.handover;
            for ((g, slope), z) in gradient.iter_mut().zip(slope).zip(&model.z) {
                *g += weight * slope + pull * z;
            }
        }
        value
    }
}

impl Model {
    /// sᵀ JᵀJ s for a step s, `(N,)`.
    fn bend(&self, step: &[f64]) -> f64 {
        let step = DVector::from_iterator(step.len(), step.iter().map(|s| *s as f32));
        f64::from(step.dot(&(&self.curvature * &step)))
    }

    fn look(&self, z: &[f64], stiffening: f64) -> (f64, Vec<f64>) {
        let square = square_distance(z, &self.z);
        let apart: Vec<f32> = z.iter().zip(&self.z).map(|(a, b)| (a - b) as f32).collect();
        let bent = &self.curvature * DVector::from_vec(apart.clone());
        let mut value = self.value + 0.25 * stiffening * square * square;
        let gradient = self.gradient.iter().zip(bent.iter()).zip(&apart);
        let gradient = gradient
            .map(|((g, bent), apart)| {
                let (bent, apart) = (f64::from(*bent), f64::from(*apart));
                value += apart * (g + 0.5 * bent);
                g + bent + stiffening * square * apart
            })
            .collect();
        (value, gradient)
    }
}

/// Σ wᵢ qᵢ of what [`Models::blend`] gives.
fn blended_value(blend: &[(&Model, f64, f64, Vec<f64>)]) -> f64 {
    let values = blend.iter().map(|(_, weight, value, _)| weight * value);
    values.sum()
}

fn square_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

impl Objective for RecordedTask {
    fn dimension(&self) -> usize {
        self.window.models[0].z.len()
    }

    fn value(&self, z: &[f64]) -> f64 {
        self.value_and_gradient(z, &mut vec![0.0; z.len()])
    }

    fn value_and_gradient(&self, z: &[f64], gradient: &mut [f64]) -> f64 {
        let blend = self.window.blend(&self.seen_from(z), self.stiffening);
        self.window.value_and_gradient(&blend, gradient)
    }

    fn value_and_curvature(&self, z: &[f64], gradient: &mut [f64]) -> Option<(f64, DMatrix<f64>)> {
        let blend = self.window.blend(&self.seen_from(z), self.stiffening);
        let value = self.window.value_and_gradient(&blend, gradient);
        let n = z.len();
        let mut curvature = DMatrix::zeros(n, n);
        for (model, weight, _, _) in &blend {
            curvature.zip_apply(&model.curvature, |sum: &mut f64, c| {
                *sum += weight * f64::from(c);
            });
        }
        Some((value, curvature))
    }
}

impl Task for RecordedTask {
    fn name(&self) -> String {
        self.window.name.clone()
    }

    fn initial_point(&self, _: &mut Rng) -> Vec<f64> {
        self.window.models[self.start].z.clone()
    }

    fn normalize(&self, loss: f64) -> f64 {
        LOSSES.value(loss)
    }

    fn normalize_slope(&self, loss: f64) -> f64 {
        LOSSES.slope(loss)
    }
}

#[cfg(test)]
mod tests;
