//! Windows as tasks: recording and training on them, comparing optimizers on them.

use std::fs;

use motionfit::motion::sample;
use motionfit::objective::{Evaluation, Objective, Order, Task};
use motionfit::optim::{Budget, Unobserved};
use motionfit::reconstruction::recorded::RecordedWindow;
use motionfit::reconstruction::{Settings, WindowFamily, optimizer_of_windows};
use program::{Workspace, fail, succeed};
use serde_json::Value;

mod program;

/// Short windows, a small network, a handful of looks: seconds.
const CONFIG: &str = r#"{
  "name": "small",
  "architecture": {
    "kind": "optimus", "guided": true, "curvature": true, "averaged": true, "width": 8,
    "encoders": 1, "heads": 1, "head_width": 4, "feed_forward": 8, "trunk_layers": 1
  },
  "tasks": {
    "kind": "recorded-windows", "windows": 3, "rough": 0.5,
    "reconstruction": { "window_frames": 10 },
    "recorders": [{ "optimizer": "lm", "evaluations": 6 }]
  },
  "training": {
    "stages": [
      { "steps": 30, "horizon": 8, "truncation": 4, "groups": 1, "tasks": 3, "learning_rate": 0.003 }
    ],
    "validation": { "every": 10, "batches": 1, "tasks": 4, "horizon": 6 }
  }
}"#;

const WINDOWS: &str = r#"{
  "reconstruction": { "window_frames": 10 },
  "windows": [
    { "clip": "walk", "category": "walk", "first": 40 },
    { "clip": "turn", "category": "turn", "first": 60 }
  ]
}"#;

#[test]
fn an_optimizer_learns_from_the_embedded_walks_and_is_compared_with_others() {
    let work = Workspace::new();
    let config = work.write("train.json", CONFIG.as_bytes());
    let trained = work.arg("trained");
    succeed(&["train", "--config", &config, "--out", &trained]);
    let recorded: Vec<_> = fs::read_dir(work.path("trained/recorded"))
        .unwrap()
        .collect();
    assert_eq!(
        recorded.len(),
        3 + 1,
        "windows and the settings they were recorded with"
    );
    let card: Value =
        serde_json::from_slice(&fs::read(work.path("trained/weights.json")).unwrap()).unwrap();
    assert!(
        card["data"].as_str().unwrap().contains("embedded walks"),
        "{card}"
    );
    let curve = card["validation"].as_array().unwrap();
    let loss = |k: usize| curve[k][1].as_f64().unwrap();
    assert!(loss(curve.len() - 1) <= loss(0) + 0.05, "{curve:?}");

    // Again from the same recorded windows: the same bytes.
    let again = work.arg("again");
    let shared = work.arg("trained/recorded");
    let arguments = ["train", "--config", &config, "--out", &again];
    succeed(&[&arguments[..], &["--recorded", &shared, "--threads", "1"]].concat());
    let weights = |run: &str| fs::read(work.path(&format!("{run}/weights.safetensors"))).unwrap();
    assert!(weights("trained") == weights("again"), "other bytes");

    // It goes on with the motions that it was begun with only.
    let resumed = ["train", "--config", &config, "--out", &trained, "--resume"];
    let motions = format!("{}/data", env!("CARGO_MANIFEST_DIR"));
    let message = fail(&[&resumed[..], &["--motions", &motions]].concat(), 2);
    assert!(message.contains("--motions"), "{message}");
    assert!(message.contains("(the embedded walks)"), "{message}");
    succeed(&resumed);
    assert!(weights("trained") == weights("again"), "other bytes");

    // Windows of another length are not mixed with them.
    let longer = CONFIG.replace("\"window_frames\": 10", "\"window_frames\": 15");
    let longer = work.write("longer.json", longer.as_bytes());
    let out = work.arg("longer");
    let arguments = ["train", "--config", &longer, "--out", &out];
    let message = fail(&[&arguments[..], &["--recorded", &shared]].concat(), 2);
    assert!(message.contains("another --recorded"), "{message}");

    // Nor are those of another motion of the same name.
    let others = work.path("others");
    fs::create_dir(&others).unwrap();
    for file in fs::read_dir(work.path("trained/recorded")).unwrap() {
        let (from, name) = (file.as_ref().unwrap().path(), file.unwrap().file_name());
        let mut bytes = fs::read(&from).unwrap();
        if from.extension() == Some("bin".as_ref()) {
            let mut window = RecordedWindow::read(&from).unwrap();
            window.path[0].value *= 1.01;
            bytes = window.to_bytes().unwrap();
        }
        fs::write(others.join(name), bytes).unwrap();
    }
    let others = others.display().to_string();
    let out = work.arg("refused");
    let arguments = ["train", "--config", &config, "--out", &out];
    let message = fail(&[&arguments[..], &["--recorded", &others]].concat(), 2);
    assert!(message.contains("the loss of this motion is"), "{message}");

    let windows = work.write("windows.json", WINDOWS.as_bytes());
    let compared = work.arg("compared");
    let names = format!("lm:8,bfgs:8,metric-l-bfgs:8,{trained}/weights.safetensors:8");
    let said = succeed(&[
        "evaluate",
        "--windows",
        &windows,
        "--optimizers",
        &names,
        "--out",
        &compared,
    ]);
    assert!(
        said.contains("### in domain") && said.contains("metric-l-bfgs"),
        "{said}"
    );
    let rows: Value =
        serde_json::from_slice(&fs::read(work.path("compared/windows.json")).unwrap()).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 8);
    for row in rows {
        let losses: Vec<f64> = serde_json::from_value(row["best_loss"].clone()).unwrap();
        let errors: Vec<f64> = serde_json::from_value(row["mpjpe_global_mm"].clone()).unwrap();
        assert!(
            losses.len() <= 8 && losses.is_sorted_by(|a, b| a >= b),
            "{row}"
        );
        assert!(losses[losses.len() - 1] < losses[0], "{row}");
        assert!(
            errors
                .iter()
                .all(|error| error.is_finite() && *error < 500.0)
        );
    }
    for file in [
        "summary.json",
        "summary.md",
        "curves.csv",
        "curves.svg",
        "curves.png",
    ] {
        assert!(work.path(&format!("compared/{file}")).is_file(), "{file}");
    }
}

#[test]
fn a_comparison_on_windows_goes_on_with_the_same_clips_and_settings_only() {
    let work = Workspace::new();
    let windows = work.write("windows.json", WINDOWS.as_bytes());
    let out = work.arg("out");
    let arguments = ["evaluate", "--windows", &windows, "--out", &out];
    succeed(&[&arguments[..], &["--optimizers", "lm:2"]].concat());
    let rows = work.json("out/windows.json");
    succeed(&[&arguments[..], &["--optimizers", "lm:2,adam:2", "--resume"]].concat());
    let resumed = work.json("out/windows.json");
    assert_eq!(resumed.as_array().unwrap().len(), 4);
    assert_eq!(resumed[0], rows[0], "a finished row was computed again");
    let others = ["--optimizers", "lm:3", "--resume"];
    let message = fail(&[&arguments[..], &others].concat(), 2);
    assert!(message.contains("evaluations of lm: found 3"), "{message}");
    let refused = |options: &[&str]| {
        let message = fail(&[&arguments[..], options, &["--resume"]].concat(), 2);
        assert!(message.contains("other settings"), "{message}");
        assert!(message.contains("same clips"), "{message}");
        assert_eq!(work.json("out/windows.json"), resumed);
    };
    let motions = format!("{}/data", env!("CARGO_MANIFEST_DIR"));
    refused(&["--motions", &motions]);
    let set = ["evaluate", "--motions", &motions, "--out", &out, "--resume"];
    assert!(fail(&set, 2).contains("other settings"));
    assert_eq!(work.json("out/windows.json"), resumed);
    let longer = WINDOWS.replace("\"window_frames\": 10", "\"window_frames\": 15");
    work.write("windows.json", longer.as_bytes());
    refused(&[]);
}

#[test]
fn a_window_as_a_task_knows_value_gradient_and_curvature() {
    let settings = Settings {
        window_frames: 10,
        ..Settings::default()
    };
    let motions = [("walk".to_string(), sample("walk").unwrap())];
    let family = WindowFamily::new(&motions, &settings).unwrap();
    let task = family.window("walk", 40).unwrap();
    let x = vec![0.01; task.dimension()];
    let jacobian = Evaluation::of(&task, &x, Order::Jacobian);
    let curvature = Evaluation::of(&task, &x, Order::Curvature);
    assert_eq!(jacobian.value, curvature.value);
    assert_eq!(jacobian.gradient, curvature.gradient);
    let j = jacobian.jacobian.unwrap();
    let difference = (curvature.curvature.unwrap() - j.transpose() * &*j).amax();
    assert!(difference < 1e-9 * j.norm_squared(), "{difference}");
    // All knots are free, so the first one moves the body.
    let block = family.block();
    assert!(jacobian.gradient[..block].iter().any(|g| g.abs() > 1e-3));
}

/// Three times half a second of the embedded walk that are hard from the reference, with the weights that come
/// with the program: together, for which of the two has the lower last digits of a single window is chance.
#[test]
fn the_shipped_newton_optimus_is_ahead_of_levenberg_marquardt_on_hard_windows() {
    let motions = [("walk".to_string(), sample("walk").unwrap())];
    let settings = Settings {
        window_frames: 25,
        ..Settings::default()
    };
    let family = WindowFamily::new(&motions, &settings).unwrap();
    let lowest = |name: &str, first: usize| {
        let task = family.window("walk", first).unwrap();
        let x0 = vec![0.0; task.dimension()];
        let budget = Budget {
            evaluations: 10,
            ..Budget::default()
        };
        let optimizer = optimizer_of_windows(name, 0).unwrap();
        let found = optimizer.minimize(&task, &x0, &budget, &mut Unobserved);
        (task.value(&x0), found.unwrap().value)
    };
    let (mut lm, mut newton) = (0.0, 0.0);
    for first in [20, 30, 40] {
        let (start, value) = lowest("optimus-newton", first);
        assert!(
            value < 0.1 * start,
            "frame {first}: optimus-newton {value}, start {start}"
        );
        newton += value.ln();
        lm += lowest("lm", first).1.ln();
    }
    assert!(
        newton <= lm,
        "sums of logarithms: optimus-newton {newton}, lm {lm}"
    );
}

/// Windows of a reconstruction start where the one before has led; training meets the same ones.
#[test]
fn stitched_windows_start_where_a_reconstruction_has_led() {
    let mut motion = sample("walk").unwrap();
    motion.joints.truncate(56);
    let settings = Settings::default();
    let family = WindowFamily::new(&[("walk".to_string(), motion)], &settings).unwrap();
    let optimizer = optimizer_of_windows("lm-search", 0).unwrap();
    let go_on = || std::ops::ControlFlow::Continue(());
    let all = family.clone();
    let stitched = family.stitched(&settings, optimizer.as_ref(), &go_on);
    let stitched = stitched.unwrap();
    assert!((1..=5).contains(&stitched.len()) && stitched.len() < all.len());
    let task = stitched.nth(0);
    let rng = &mut rand::SeedableRng::seed_from_u64(0);
    let known = task.initial_point(rng);
    let bare = all.window("walk", task.first()).unwrap();
    // What the window before has found is worth a lot.
    assert!(known.iter().any(|x| *x != 0.0));
    assert!(task.value(&known) < 0.5 * bare.value(&vec![0.0; bare.dimension()]));
    let at = stitched.window("walk", task.first()).unwrap();
    assert_eq!(at.value(&known), task.value(&known));
    let broken = all.stitched(&settings, optimizer.as_ref(), &|| {
        std::ops::ControlFlow::Break(())
    });
    assert!(matches!(broken, Err(motionfit::error::Error::Interrupted)));
}

#[test]
fn mistakes_are_told() {
    let work = Workspace::new();
    let bad = work.write("bad.json", WINDOWS.replace("40", "41").as_bytes());
    let out = work.arg("out");
    let message = fail(&["evaluate", "--windows", &bad, "--out", &out], 2);
    assert!(message.contains("frame 41 of walk"), "{message}");
    let twice = WINDOWS.replace("\"turn\"", "\"walk\"").replace("60", "40");
    let twice = work.write("twice.json", twice.as_bytes());
    let message = fail(&["evaluate", "--windows", &twice, "--out", &out], 2);
    assert!(
        message.contains("repeated value: found frame 40 of walk"),
        "{message}"
    );
    let good = work.write("good.json", WINDOWS.as_bytes());
    let arguments = ["evaluate", "--windows", &good, "--out", &out];
    let message = fail(&[&arguments[..], &["--optimizers", "lm:none"]].concat(), 2);
    assert!(message.contains("lm:none"), "{message}");
    let message = fail(&[&arguments[..], &["--optimizers", "newton:9"]].concat(), 2);
    assert!(
        message.contains("--optimizers: name: found newton"),
        "{message}"
    );
    let message = fail(&[&arguments[..], &["--mass", "70"]].concat(), 2);
    assert!(message.contains("--mass"), "{message}");
    let config = work.write(
        "none.json",
        CONFIG
            .replace("\"windows\": 3", "\"windows\": 0")
            .as_bytes(),
    );
    let message = fail(&["train", "--config", &config, "--out", &work.arg("t")], 2);
    assert!(message.contains("tasks.windows"), "{message}");
    let config = work.write(
        "rough.json",
        CONFIG
            .replace("\"rough\": 0.5", "\"rough\": 1.5")
            .as_bytes(),
    );
    let message = fail(&["train", "--config", &config, "--out", &work.arg("t")], 2);
    assert!(message.contains("tasks.rough: found 1.5"), "{message}");
    let config = work.write(
        "clips.json",
        CONFIG
            .replace("\"windows\": 3", "\"clips\": [\"my_*\"]")
            .as_bytes(),
    );
    let motions = format!("{}/data", env!("CARGO_MANIFEST_DIR"));
    let arguments = [
        "train",
        "--config",
        &config,
        "--out",
        &work.arg("t"),
        "--motions",
        &motions,
    ];
    let message = fail(&arguments, 2);
    assert!(message.contains("my_*"), "{message}");
}
