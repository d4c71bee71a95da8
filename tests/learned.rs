//! Learned optimizers: published sizes, golden steps, symmetries, weight files.

use std::sync::Arc;

use motionfit::benchmark::Protocol;
use motionfit::benchmark::functions::index_of;
use motionfit::learned::{
    AdafactorMlp, Architecture, Learned, LearnedOptimizer, Network, Normalization, Optimus,
    Structure, Trained,
};
use motionfit::objective::{Evaluation, Objective, Order, Rng};
use motionfit::optim::{Budget, Metric, Optimizer, Options, Unobserved, minimize};
use nalgebra::DMatrix;
use rand::SeedableRng;
use serde_json::Value;

fn network(architecture: Architecture) -> Network {
    Network::new(&architecture).unwrap()
}

fn mlp(width: usize, layers: usize) -> AdafactorMlp {
    AdafactorMlp {
        width,
        layers,
        ..AdafactorMlp::default()
    }
}

/// Small architectures of every kind.
fn small() -> Vec<Architecture> {
    let optimus = Optimus {
        width: 16,
        encoders: 2,
        heads: 2,
        head_width: 8,
        feed_forward: 32,
        trunk_layers: 1,
        ..Optimus::default()
    };
    let mut all = vec![Architecture::AdafactorMlp(mlp(16, 2))];
    for guided in [false, true] {
        for structure in [Structure::Accumulated, Structure::Fresh, Structure::None] {
            all.push(Architecture::Optimus(Optimus {
                guided,
                structure,
                ..optimus.clone()
            }));
        }
    }
    for normalization in [
        Normalization::Frobenius,
        Normalization::Spectral,
        Normalization::None,
    ] {
        all.push(Architecture::Optimus(Optimus {
            normalization,
            ..optimus.clone()
        }));
    }
    all
}

fn random(architecture: &Architecture, seed: u64) -> (Arc<Network>, Vec<f32>) {
    let network = Arc::new(network(architecture.clone()));
    let theta = network.initial(&mut Rng::seed_from_u64(seed));
    (network, theta)
}

#[test]
fn sizes_are_those_published() {
    let size = |architecture| network(architecture).meta_parameters();
    let optimus = |structure| {
        size(Architecture::Optimus(Optimus {
            structure,
            ..Optimus::default()
        }))
    };
    assert_eq!(optimus(Structure::Accumulated), 832_526);
    assert_eq!(optimus(Structure::Fresh), 832_526);
    assert_eq!(optimus(Structure::None), 832_139);
    assert_eq!(size(Architecture::AdafactorMlp(mlp(512, 4))), 811_531);
    assert_eq!(size(Architecture::AdafactorMlp(mlp(128, 2))), 22_411);
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap()],
    }
}

/// Steps of the original implementation in JAX, in single precision.
#[test]
fn adafactor_mlp_repeats_golden_steps() {
    let golden: Value = serde_json::from_str(include_str!("golden/adafactor_mlp.json")).unwrap();
    for (name, rms_decays) in [
        ("repo_default_F39", vec![0.999]),
        ("paper_F43", vec![0.9, 0.99, 0.999]),
    ] {
        let golden = &golden[name];
        assert_eq!(numbers(&golden["rms_decays"]), rms_decays);
        let architecture = Architecture::AdafactorMlp(AdafactorMlp {
            rms_decays,
            ..mlp(8, 2)
        });
        let tensors = [
            "momentum_decays",
            "rms_decays",
            "adafactor_decays",
            "nn/~/w0",
            "nn/~/b0",
            "nn/~/w1",
            "nn/~/b1",
            "nn/~/w2",
            "nn/~/b2",
        ];
        let theta: Vec<f32> = tensors
            .iter()
            .flat_map(|name| numbers(&golden["theta"][*name]))
            .map(|value| value as f32)
            .collect();
        let learned = Learned::new(Arc::new(network(architecture)), &theta).unwrap();
        let steps = golden["steps"].as_array().unwrap();
        let mut state = learned.init(&numbers(&steps[0]["x"]));
        for step in steps {
            let evaluation = Evaluation {
                value: step["f"].as_f64().unwrap(),
                gradient: numbers(&step["g"]),
                ..Evaluation::default()
            };
            learned.tell(&mut state, &evaluation).unwrap();
            for (ours, theirs) in learned.ask(&state).x.iter().zip(numbers(&step["x_next"])) {
                let error = (ours - theirs).abs() / theirs.abs().max(1.0);
                assert!(
                    error <= 1e-6,
                    "{name}: {ours} is not {theirs} ({error:.1e})"
                );
            }
        }
    }
}

/// The order of the coordinates does not matter, in any dimension.
#[test]
fn coordinates_are_equal() {
    for architecture in small() {
        let (network, theta) = random(&architecture, 3);
        let learned = Learned::new(network, &theta).unwrap();
        for n in [2, 7] {
            let x0: Vec<f64> = (0..n).map(|i| (i as f64 * 1.7).sin() * 3.0).collect();
            let curvature: Vec<f64> = (0..n).map(|i| 1.0 + i as f64).collect();
            let run = |order: &[usize]| {
                let objective = Bowl(order.iter().map(|i| curvature[*i]).collect());
                let mut state = learned.init(&order.iter().map(|i| x0[*i]).collect::<Vec<_>>());
                for _ in 0..4 {
                    let seen = Evaluation::of(&objective, learned.ask(&state).x, Order::Gradient);
                    learned.tell(&mut state, &seen).unwrap();
                }
                learned.ask(&state).x.to_vec()
            };
            let forwards: Vec<usize> = (0..n).collect();
            let backwards: Vec<usize> = (0..n).rev().collect();
            let (a, b) = (run(&forwards), run(&backwards));
            for i in 0..n {
                let error = (a[i] - b[n - 1 - i]).abs();
                assert!(
                    error < 1e-4 * a[i].abs().max(1.0),
                    "{architecture:?}: {error}"
                );
            }
        }
    }
}

/// Where coordinates come in blocks, an optimizer that is told so tells them apart by their place.
#[test]
fn coordinates_of_blocks_are_told_apart() {
    let moved = |block: usize| {
        let architecture = Architecture::Optimus(Optimus {
            width: 16,
            encoders: 1,
            feed_forward: 16,
            guided: true,
            block,
            ..Optimus::default()
        });
        let (network, theta) = random(&architecture, 3);
        let learned = Learned::new(network, &theta).unwrap();
        let mut state = learned.init(&[1.0; 6]);
        let seen = Evaluation::of(&Bowl(vec![1.0; 6]), &[1.0; 6], Order::Gradient);
        learned.tell(&mut state, &seen).unwrap();
        learned.ask(&state).x.to_vec()
    };
    let alike = moved(0);
    assert!(
        alike.iter().all(|x| (x - alike[0]).abs() < 1e-5),
        "{alike:?}"
    );
    let mut apart = moved(2);
    apart.sort_by(f64::total_cmp);
    let gaps = apart.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(gaps.fold(f64::INFINITY, f64::min) > 1e-5, "{apart:?}");
}

/// What an optimizer cannot see without something else is refused without it.
#[test]
fn options_that_need_others_are_refused_without_them() {
    let blocks = Optimus {
        block: 2,
        ..Optimus::default()
    };
    let curved = Optimus {
        curvature: true,
        ..Optimus::default()
    };
    let averaged = Optimus {
        guided: true,
        averaged: true,
        ..Optimus::default()
    };
    let staged = Optimus {
        staged: true,
        ..Optimus::default()
    };
    for (settings, field) in [
        (staged, "staged"),
        (blocks, "block"),
        (curved, "curvature"),
        (averaged, "averaged"),
    ] {
        let refused = Network::new(&Architecture::Optimus(settings)).unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        assert!(refused.to_string().contains(field), "{refused}");
    }
}

/// ½ Σ c x²
struct Bowl(Vec<f64>);

impl Objective for Bowl {
    fn dimension(&self) -> usize {
        self.0.len()
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.0.iter().zip(x).map(|(c, x)| 0.5 * c * x * x).sum()
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        for ((g, c), x) in gradient.iter_mut().zip(&self.0).zip(x) {
            *g = c * x;
        }
        self.value(x)
    }
}

/// A guided optimizer sees no units: scaling f changes nothing, scaling x and σ scales the path;
/// nor does it see the origin.
#[test]
fn guidance_has_no_units_and_no_origin() {
    let guided = |initial_scale: f64| {
        Architecture::Optimus(Optimus {
            width: 16,
            encoders: 1,
            feed_forward: 16,
            guided: true,
            initial_scale,
            ..Optimus::default()
        })
    };
    let path = |scale: f64, units: f64, offset: f64| {
        let (network, theta) = random(&guided(scale), 5);
        let learned = Learned::new(network, &theta).unwrap();
        let (problem, x0) = Protocol::Paper.start(index_of("rosenbrock").unwrap(), 10, 0, false);
        let x0: Vec<f64> = x0.iter().map(|x| x * scale + offset).collect();
        let mut state = learned.init(&x0);
        for _ in 0..10 {
            let inner = learned.ask(&state).x.iter().map(|x| (x - offset) / scale);
            let mut seen = Evaluation::of(&problem, &inner.collect::<Vec<_>>(), Order::Gradient);
            seen.value *= units;
            seen.gradient.iter_mut().for_each(|g| *g *= units / scale);
            learned.tell(&mut state, &seen).unwrap();
        }
        let x = learned.ask(&state).x.iter();
        x.map(|x| (x - offset) / scale).collect::<Vec<f64>>()
    };
    let plain = path(1.0, 1.0, 0.0);
    for (scale, units, offset) in [(1.0, 1024.0, 0.0), (0.0625, 1.0, 0.0), (1.0, 1.0, 64.0)] {
        for (a, b) in plain.iter().zip(path(scale, units, offset)) {
            assert!((a - b).abs() < 1e-3 * a.abs().max(1.0), "{a} is not {b}");
        }
    }
}

#[test]
fn every_kind_survives_an_objective_that_blows_up() {
    struct Cliff;
    impl Objective for Cliff {
        fn dimension(&self) -> usize {
            3
        }
        fn value(&self, x: &[f64]) -> f64 {
            if x.iter().any(|x| x.abs() > 1.01) {
                f64::NAN
            } else {
                x.iter().sum()
            }
        }
        fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
            gradient.fill(1.0);
            self.value(x)
        }
    }
    for architecture in small() {
        let (network, theta) = random(&architecture, 8);
        let learned = Learned::new(network, &theta).unwrap();
        let budget = Budget {
            evaluations: 60,
            ..Budget::default()
        };
        let found = minimize(&learned, &Cliff, &[1.0; 3], &budget, &mut Unobserved).unwrap();
        assert!(found.value <= 3.0 && found.evaluations == 60);
    }
}

#[test]
fn weight_files_are_read_back_and_damage_is_reported() {
    for architecture in small() {
        let (network, theta) = random(&architecture, 1);
        let trained = Trained {
            network,
            theta,
            metric: Some(Metric::new(DMatrix::identity(6, 6) * 2.0, 3, "test").unwrap()),
        };
        let bytes = trained.to_bytes().unwrap();
        let read = Trained::parse(&bytes, "w").unwrap();
        assert_eq!(read.network.architecture(), &architecture);
        assert_eq!(read.metric, trained.metric);
        assert!(read.to_bytes().unwrap() == bytes, "other bytes");
        let cut = Trained::parse(&bytes[..bytes.len() / 2], "w").unwrap_err();
        assert_eq!(cut.exit_code(), 2);
        let mut broken = bytes.clone();
        let end = broken.len();
        broken[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        let error = Trained::parse(&broken, "w").unwrap_err().to_string();
        assert!(error.contains("NaN"), "{error}");
    }
}

/// What comes with the program is what its card says, and the configurations can be used.
#[test]
fn shipped_weights_cards_and_configurations_fit() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut shipped = 0;
    for entry in std::fs::read_dir(root.join("assets")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "safetensors")
        {
            continue;
        }
        shipped += 1;
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let name = stem.strip_suffix("-walking").unwrap_or(stem);
        let trained = Trained::read(&path).unwrap();
        let card = std::fs::read_to_string(Trained::card_path(&path)).unwrap();
        let card: motionfit::learned::Card = serde_json::from_str(&card).unwrap();
        assert_eq!(
            (card.name.as_str(), card.meta_parameters),
            (name, trained.theta.len())
        );
        let config = motionfit::config::TrainingConfig::parse(&card.config.to_string(), name);
        assert_eq!(
            &config.unwrap().architecture,
            trained.network.architecture()
        );
        // The Adafactor MLP works in the offsets themselves.
        let is_in_metric = stem != name && name != "adafactor-mlp";
        assert_eq!(trained.metric.is_some(), is_in_metric, "{stem}");
    }
    assert_eq!(shipped, 8);
    let mut found = 0;
    for entry in std::fs::read_dir(root.join("configs")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let kinds = ["train-", "compare-", "paper-rosenbrock-"];
        if kinds.iter().any(|kind| name.starts_with(kind)) {
            motionfit::config::TrainingConfig::read(&path).unwrap();
            found += 1;
        }
    }
    assert!(found >= 7, "{found}");
}

/// The shipped guided optimizer finds the lowest of many minima where descent finds any of them,
/// and converges to the last digit where there is only one.
#[test]
fn the_shipped_guided_optimizer_descends_and_leaves_local_minima() {
    let best = |optimizer: &str, function: &str, n: usize| {
        let method = motionfit::learned::by_name(optimizer, &Options::default()).unwrap();
        let (problem, x0) = Protocol::Paper.start(index_of(function).unwrap(), n, 0, true);
        let budget = Budget {
            evaluations: 201,
            ..Budget::default()
        };
        let found = method.minimize(&problem, &x0, &budget, &mut Unobserved);
        found.unwrap().value
    };
    for function in ["sphere", "sum_squares", "rot_hyper_ellipsoid"] {
        let value = best("optimus-guided", function, 30);
        assert!(value < 1e-16, "{function}: {value:e}");
    }
    for function in ["rastrigin", "styblinski_tang", "ackley", "levy"] {
        let (guided, descent) = (
            best("optimus-guided", function, 30),
            best("l-bfgs", function, 30),
        );
        assert!(
            guided < 1e-3 && descent > 1.0,
            "{function}: {guided} and {descent}"
        );
    }
    let (guided, descent) = (
        best("optimus-guided", "styblinski_tang", 50),
        best("l-bfgs", "styblinski_tang", 50),
    );
    assert!(guided < 0.7 * descent, "{guided} against {descent}");
    for function in ["rosenbrock", "zakharov"] {
        let value = best("optimus-guided", function, 100);
        assert!(value < 1e-6, "{function}: {value:e}");
    }
}

/// Stages begin with the network: until the opening ends, points are those of the network alone, and where
/// the budget is small, or unknown, a run goes on all the same.
#[test]
fn a_staged_run_opens_with_the_network() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let trained = Trained::read(&path.join("assets/optimus-guided.safetensors")).unwrap();
    let Architecture::Optimus(settings) = trained.network.architecture().clone() else {
        panic!("it is an Optimus");
    };
    assert!(settings.staged);
    let alone = Architecture::Optimus(Optimus {
        staged: false,
        ..settings
    });
    let alone = Trained {
        network: Arc::new(Network::new(&alone).unwrap()),
        ..trained.clone()
    };
    let (problem, x0) = Protocol::Paper.start(index_of("rastrigin").unwrap(), 10, 0, true);
    let values = |trained: Trained, evaluations: usize, iterations: Option<usize>| {
        let budget = Budget {
            evaluations,
            iterations,
            ..Budget::default()
        };
        let optimizer = trained.optimizer("it").unwrap();
        let found = optimizer.minimize(&problem, &x0, &budget, &mut Unobserved);
        found.unwrap().values
    };
    let (staged, network) = (values(trained.clone(), 201, None), values(alone, 201, None));
    assert_eq!(staged[..30], network[..30]);
    assert_ne!(staged[30..], network[30..]);
    assert_eq!(staged, values(trained.clone(), usize::MAX, Some(200)));
    for few in [1, 20, 60] {
        assert_eq!(values(trained.clone(), few, None).len(), few);
    }
}
