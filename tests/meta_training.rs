//! Gradient estimators against references, and training that can be interrupted.

use std::f64::consts::LN_10;

use motionfit::benchmark::functions::index_of;
use motionfit::benchmark::{FunctionFamily, Protocol};
use motionfit::cluster::{Alone, Ranks, threads};
use motionfit::error::Result;
use motionfit::learned::{Architecture, LearnedOptimizer, Network, Optimus};
use motionfit::meta::{
    Backprop, Estimator, Evolution, GradientEstimator, Group, Kind, MetaTrainer, Settings, Stage,
    ValidationSettings,
};
use motionfit::objective::{Evaluation, Objective, Rng, Task, TaskFamily};
use rand::{RngExt, SeedableRng};

/// The double at the expensive seam: gradient descent with two learnable numbers, a log learning
/// rate and a drift.
struct LearnableDescent;

impl LearnedOptimizer for LearnableDescent {
    type Rule = (f64, f64);
    type State = Vec<Vec<f64>>;

    fn meta_parameters(&self) -> usize {
        2
    }
    fn initial(&self, _: &mut Rng) -> Vec<f32> {
        vec![-1.0, 0.0]
    }
    fn rule(&self, theta: &[f32]) -> Result<(f64, f64)> {
        Ok((f64::from(theta[0]).exp(), f64::from(theta[1])))
    }
    fn start(&self, x0: &[Vec<f64>]) -> Vec<Vec<f64>> {
        x0.to_vec()
    }
    fn point<'s>(&self, state: &'s Vec<Vec<f64>>, b: usize) -> &'s [f64] {
        &state[b]
    }
    fn tell(
        &self,
        (rate, drift): &(f64, f64),
        state: &mut Vec<Vec<f64>>,
        evaluations: &[Evaluation],
    ) -> Result<()> {
        for (x, seen) in state.iter_mut().zip(evaluations) {
            let moved = x.iter_mut().zip(&seen.gradient);
            moved.for_each(|(x, g)| *x += drift - rate * g);
        }
        Ok(())
    }
}

/// ½ c x² from x = 2, with its curvature drawn at random.
#[derive(Clone)]
struct Parabola(f64);

impl Objective for Parabola {
    fn dimension(&self) -> usize {
        1
    }
    fn value(&self, x: &[f64]) -> f64 {
        0.5 * self.0 * x[0] * x[0]
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        gradient[0] = self.0 * x[0];
        self.value(x)
    }
}

impl Task for Parabola {
    fn name(&self) -> String {
        "parabola".into()
    }
    fn initial_point(&self, _: &mut Rng) -> Vec<f64> {
        vec![2.0]
    }
}

struct Parabolas;

impl TaskFamily for Parabolas {
    type Task = Parabola;
    fn sample(&self, rng: &mut Rng) -> Parabola {
        Parabola(rng.random_range(0.5..1.5))
    }
}

fn stage(horizon: usize, truncation: usize) -> Stage {
    Stage {
        horizon,
        truncation,
        groups: 1,
        tasks: 1,
        ..Stage::default()
    }
}

/// Mean loss of an episode of `horizon` evaluations under θ.
fn episode_loss(theta: &[f32], task: &Parabola, horizon: usize) -> f64 {
    let rule = LearnableDescent.rule(theta).unwrap();
    let mut state = LearnableDescent.start(&[vec![2.0]]);
    let mut loss = 0.0;
    for _ in 0..horizon {
        let mut gradient = vec![0.0];
        let value = task.value_and_gradient(&state[0], &mut gradient);
        loss += value / horizon as f64;
        let seen = Evaluation {
            value,
            gradient,
            ..Evaluation::default()
        };
        LearnableDescent.tell(&rule, &mut state, &[seen]).unwrap();
    }
    loss
}

/// Both strategies estimate, without bias, the gradient of the smoothed loss of whole episodes:
/// here the exact gradient, since σ is small. Truncated credit alone would miss half of it.
#[test]
fn evolution_strategies_are_unbiased_over_truncations() {
    let (horizon, truncation) = (8, 2);
    let theta = [-1.5_f32, 0.1];
    let stage = stage(horizon, truncation);
    let (_, tasks) = Group::new(&LearnableDescent, &Parabolas, (&stage, 2, 7), 0);
    let exact: Vec<f64> = (0..2)
        .map(|i| {
            let at = |h: f32| {
                let mut theta = theta;
                theta[i] += h;
                episode_loss(&theta, &tasks[0], horizon)
            };
            (at(1e-2) - at(-1e-2)) / 2e-2
        })
        .collect();
    for kind in [Kind::Persistent, Kind::NoiseReuse] {
        let episodes = 6000;
        let mut mean = [0.0; 2];
        for seed in 0..episodes {
            let estimator = Evolution {
                kind,
                deviation: 0.01,
                truncation,
                seed,
                mask: Vec::new(),
            };
            let mut group = Group::new(&LearnableDescent, &Parabolas, (&stage, 2, 7), 0).0;
            for t in 0..horizon / truncation {
                let mut rng = Rng::seed_from_u64(seed);
                rng.set_stream(t as u64);
                let estimate = estimator
                    .estimate(&LearnableDescent, &theta, &mut group, &tasks, &mut rng)
                    .unwrap();
                assert_eq!(estimate.evaluations, 4);
                let share = truncation as f64 / horizon as f64 / episodes as f64;
                for (mean, g) in mean.iter_mut().zip(&estimate.gradient) {
                    *mean += share * f64::from(*g);
                }
            }
        }
        for (mean, exact) in mean.iter().zip(&exact) {
            let tolerance = 0.08 * exact.abs().max(1.0);
            assert!(
                (mean - exact).abs() < tolerance,
                "{kind:?}: {mean} is not {exact}"
            );
        }
    }
}

#[test]
fn masked_meta_parameters_are_left_alone() {
    let estimator = Evolution {
        kind: Kind::NoiseReuse,
        deviation: 0.1,
        truncation: 4,
        seed: 1,
        mask: vec![true, false],
    };
    let stage = stage(4, 4);
    let (mut group, tasks) = Group::new(&LearnableDescent, &Parabolas, (&stage, 2, 7), 0);
    let mut rng = Rng::seed_from_u64(0);
    let found = estimator
        .estimate(
            &LearnableDescent,
            &[-1.0, 0.0],
            &mut group,
            &tasks,
            &mut rng,
        )
        .unwrap();
    assert!(found.gradient[0].abs() > 0.0 && found.gradient[1].to_bits() << 1 == 0);
}

fn small(guided: bool) -> Network {
    let optimus = Optimus {
        width: 8,
        encoders: 1,
        heads: 1,
        head_width: 4,
        feed_forward: 8,
        trunk_layers: 1,
        guided,
        ..Optimus::default()
    };
    Network::new(&Architecture::Optimus(optimus)).unwrap()
}

fn functions(names: &[&str], dimensions: &[usize]) -> FunctionFamily {
    FunctionFamily {
        functions: names.iter().map(|name| index_of(name).unwrap()).collect(),
        dimensions: dimensions.to_vec(),
        protocol: Protocol::Paper,
        offsets: true,
        rotated: 0.2,
    }
}

/// For a truncation of one step the first-order gradient is exact: it is compared with central
/// differences of the loss after that step.
#[test]
fn backprop_through_one_step_is_the_derivative() {
    let network = small(true);
    let family = functions(&["rosenbrock"], &[5]);
    let stage = Stage {
        tasks: 1,
        groups: 1,
        horizon: 10,
        truncation: 1,
        ..Stage::default()
    };
    let theta = network.initial(&mut Rng::seed_from_u64(2));
    let (group, tasks) = Group::new(&network, &family, (&stage, 1, 3), 0);
    let loss_after = |theta: &[f32]| {
        let rule = network.rule(theta).unwrap();
        let mut state = group.sides[0].clone();
        let mut gradient = vec![0.0; 5];
        let value = tasks[0].value_and_gradient(state.point(0), &mut gradient);
        let seen = Evaluation {
            value,
            gradient,
            ..Evaluation::default()
        };
        network.tell(&rule, &mut state, &[seen]).unwrap();
        tasks[0].value(state.point(0)).ln() / LN_10
    };
    let backprop = Backprop {
        truncation: 1,
        discount: 1.0,
        distance: 0.0,
        clip: 1.0,
    };
    let mut rng = Rng::seed_from_u64(0);
    let gradient = backprop
        .estimate(&network, &theta, &mut group.clone(), &tasks, &mut rng)
        .unwrap()
        .gradient;
    let h = 1e-3_f32;
    let mut ratios = Vec::new();
    for (i, g) in gradient.iter().enumerate().filter(|(_, g)| g.abs() > 1e-2) {
        let at = |h: f32| {
            let mut theta = theta.clone();
            theta[i] += h;
            loss_after(&theta)
        };
        ratios.push((at(h) - at(-h)) / (2.0 * f64::from(h)) / f64::from(*g));
    }
    // The estimate is a positive multiple of the derivative (one task, one step, one length), but
    // for a few meta-parameters beside a kink of a ReLU.
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    let close = ratios
        .iter()
        .filter(|r| (*r / median - 1.0).abs() < 0.03)
        .count();
    assert!(ratios.len() > 100 && median > 0.0);
    assert!(
        close as f64 > 0.95 * ratios.len() as f64,
        "{close} of {}",
        ratios.len()
    );
}

fn settings(estimator: Estimator) -> Settings {
    let stage = Stage {
        estimator,
        steps: 6,
        horizon: 8,
        truncation: 4,
        groups: 2,
        tasks: 3,
        ..Stage::default()
    };
    Settings {
        seed: 5,
        stages: vec![stage.clone(), Stage { steps: 3, ..stage }],
        averaging: 0.9,
        validation: ValidationSettings {
            every: 4,
            batches: 2,
            tasks: 3,
            horizon: 10,
        },
    }
}

/// Training stopped at any step and resumed ends in the same bytes as without interruption.
#[test]
fn resumed_training_ends_in_the_same_bytes() {
    let network = small(true);
    let family = functions(&["sphere", "rastrigin", "trid"], &[2, 4]);
    for estimator in [Estimator::Backprop, Estimator::Pes, Estimator::Nres] {
        let settings = settings(estimator);
        let mut undisturbed = MetaTrainer::new(&network, &family, &settings, None).unwrap();
        while !undisturbed.is_done() {
            undisturbed.advance().unwrap();
        }
        let mut interrupted = MetaTrainer::new(&network, &family, &settings, None).unwrap();
        while !interrupted.is_done() {
            interrupted.advance().unwrap();
            let bytes = interrupted.checkpoint().unwrap();
            interrupted = MetaTrainer::resume(&network, &family, &settings, (&bytes, "c")).unwrap();
        }
        let bytes = undisturbed.checkpoint().unwrap();
        assert!(bytes == interrupted.checkpoint().unwrap(), "{estimator:?}");
        assert_eq!(undisturbed.validation().len(), 3);
        let cut = MetaTrainer::resume(&network, &family, &settings, (&bytes[..99], "c"));
        assert!(cut.is_err_and(|error| error.exit_code() == 2));
    }
}

/// What is validated and kept is the moving average of θ over all outer steps, whatever the stage.
#[test]
fn ranks_make_the_same_training() {
    for estimator in [Estimator::Backprop, Estimator::Pes] {
        let network = small(true);
        let family = functions(&["sphere", "levy"], &[2, 5]);
        let mut settings = settings(estimator);
        settings.stages[0].groups = 4;
        settings.validation.batches = 3;
        let train = |ranks: &dyn Ranks| {
            let trainer = MetaTrainer::new(&network, &family, &settings, None).unwrap();
            let mut trainer = trainer.shared(ranks);
            let mut reports = Vec::new();
            while !trainer.is_done() {
                let report = trainer.advance().unwrap();
                reports.push(serde_json::to_string(&report).unwrap());
            }
            let checkpoint = trainer.checkpoint().unwrap();
            (trainer.theta().to_vec(), reports, checkpoint)
        };
        let expected = train(&Alone);
        for size in [2, 3, 6] {
            for (rank, found) in threads(size, train).into_iter().enumerate() {
                assert!(found.0 == expected.0, "other weights");
                assert_eq!(found.1, expected.1);
                let checkpoint = if rank == 0 { &expected.2[..] } else { &[] };
                assert!(found.2 == checkpoint, "another checkpoint");
            }
        }
    }
}

#[test]
fn the_average_of_theta_is_kept() {
    let network = small(true);
    let family = functions(&["sphere", "trid"], &[2]);
    let settings = settings(Estimator::Backprop);
    let mut trainer = MetaTrainer::new(&network, &family, &settings, None).unwrap();
    let mut average = trainer.theta().to_vec();
    while !trainer.is_done() {
        trainer.advance().unwrap();
        let sums = average.iter_mut().zip(trainer.theta());
        sums.for_each(|(average, theta)| *average = 0.9 * *average + 0.1 * theta);
    }
    let apart = average.iter().zip(trainer.averaged());
    assert!(apart.clone().all(|(a, b)| (a - b).abs() < 1e-6));
    // Validated last, after the last step: where that was the best, it is the average that is kept.
    let (best, loss) = trainer.best();
    if trainer
        .validation()
        .last()
        .is_some_and(|(_, last)| *last == loss)
    {
        assert!(best == trainer.averaged());
    } else {
        assert!(best != trainer.theta());
    }
    assert!(trainer.averaged() != trainer.theta());
    let bytes = trainer.checkpoint().unwrap();
    let another = Settings {
        averaging: 0.0,
        ..settings.clone()
    };
    let other = MetaTrainer::resume(&network, &family, &another, (&bytes, "c"));
    assert!(other.is_err_and(|error| error.exit_code() == 2));
}

/// A minute of a real training in small: the loss after a few iterations falls by decades.
#[test]
fn backprop_learns_to_descend() {
    for guided in [false, true] {
        let network = small(guided);
        let family = functions(&["sphere", "sum_squares"], &[4]);
        let settings = Settings {
            seed: 1,
            stages: vec![Stage {
                steps: 120,
                learning_rate: 3e-3,
                horizon: 20,
                truncation: 10,
                groups: 2,
                tasks: 6,
                ..Stage::default()
            }],
            averaging: 0.0,
            validation: ValidationSettings {
                every: 120,
                batches: 2,
                tasks: 6,
                horizon: 20,
            },
        };
        let mut trainer = MetaTrainer::new(&network, &family, &settings, None).unwrap();
        let mut first = f64::NAN;
        while !trainer.is_done() {
            let report = trainer.advance().unwrap();
            if report.step == 2 {
                first = report.loss;
            }
        }
        let last = trainer.best().1;
        assert!(
            last < first - 1.0,
            "guided {guided}: from {first} to {last}"
        );
    }
}
