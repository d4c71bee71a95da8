//! `motionfit train`: files, killing and resuming, refusals.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use program::{Workspace, fail, succeed};
use serde_json::Value;

mod program;

/// A training of a few seconds, in two stages.
const CONFIG: &str = r#"{
  "name": "small",
  "architecture": {
    "kind": "optimus", "guided": true, "width": 8, "encoders": 1, "heads": 1, "head_width": 4,
    "feed_forward": 8, "trunk_layers": 1
  },
  "tasks": { "kind": "functions", "functions": ["sphere", "levy"], "dimensions": [2, 5] },
  "training": {
    "seed": 3,
    "stages": [
      { "steps": 60, "horizon": 20, "truncation": 10, "groups": 2, "tasks": 4, "distance": 1.0 },
      { "estimator": "nres", "steps": 30, "horizon": 20, "truncation": 10, "groups": 2, "tasks": 4 }
    ],
    "validation": { "every": 15, "batches": 1, "tasks": 4, "horizon": 20 }
  }
}"#;

#[test]
fn training_killed_at_any_moment_and_resumed_ends_in_the_same_bytes() {
    let work = Workspace::new();
    let config = work.write("config.json", CONFIG.as_bytes());
    let undisturbed = work.arg("undisturbed");
    succeed(&[
        "train",
        "--config",
        &config,
        "--out",
        &undisturbed,
        "--threads",
        "1",
    ]);
    let killed = work.arg("killed");
    let arguments = ["train", "--config", &config, "--out", &killed, "--resume"];
    // There is nothing to go on from: it starts, and is killed before its first checkpoint.
    kill_at(&work.path("killed/config.json"), &arguments);
    let checkpoint = work.path("killed/checkpoint.bin");
    assert!(!checkpoint.exists());
    let often = ["--checkpoint-seconds", "0"];
    kill_at(&checkpoint, &[&arguments[..], &often].concat());
    succeed(&arguments);
    let other = CONFIG.replace("\"steps\": 30", "\"steps\": 31");
    let other = work.write("other.json", other.as_bytes());
    let resumed = ["train", "--config", &other, "--out", &killed, "--resume"];
    let message = fail(&resumed, 2);
    assert!(message.contains("begun with"), "{message}");
    let same = [
        "weights.safetensors",
        "checkpoint.bin",
        "metrics.jsonl",
        "config.json",
    ];
    for name in same {
        let [a, b] =
            ["undisturbed", "killed"].map(|run| fs::read(work.path(run).join(name)).unwrap());
        assert!(a == b, "{name} differs");
    }
    let card = work.json("killed/weights.json");
    assert_eq!(card["steps"], 90);
    // Every episode of backpropagation also looks where its last step ends.
    let episodes = 30 + 31;
    let backprop = (60 * 2 * 10 + episodes) * 4;
    assert_eq!(card["evaluations"], backprop + 30 * 2 * 2 * 10 * 4);
    let metrics = fs::read_to_string(work.path("killed/metrics.jsonl")).unwrap();
    let steps: Vec<Value> = metrics
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert!(
        steps
            .iter()
            .enumerate()
            .all(|(i, step)| step["step"] == i + 1)
    );
    // As it was before checkpoints said what they are.
    let bytes = fs::read(&checkpoint).unwrap();
    fs::write(&checkpoint, &bytes[8..]).unwrap();
    let message = fail(&arguments, 2);
    assert!(
        message.contains("checkpoint format: found none"),
        "{message}"
    );
    assert!(message.contains("--force"), "{message}");
    // Without its checkpoint the training is not begun again over its weights.
    fs::remove_file(&checkpoint).unwrap();
    let message = fail(&arguments, 2);
    assert!(message.contains("--force"), "{message}");
    let weights = work.arg("killed/weights.safetensors");
    let (out, dims) = (
        work.arg("benchmark"),
        ["--dims", "2", "--inits", "2", "--iterations", "5"],
    );
    let benchmark = [
        "benchmark",
        "--functions",
        "sphere",
        "--optimizers",
        &weights,
        "--out",
        &out,
    ];
    succeed(&[&benchmark[..], &dims[..]].concat());
    assert_eq!(work.json("benchmark/table.json")[0]["optimizer"], "weights");
}

/// Runs the program until there is a `file`, and kills it.
fn kill_at(file: &Path, arguments: &[&str]) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_motionfit"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !file.exists() {
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(60), "no {}", file.display());
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(30));
    child.kill().unwrap(); // SIGKILL
    assert!(
        !child.wait().unwrap().success(),
        "it had finished before it was killed"
    );
}

#[test]
fn what_cannot_be_trained_is_refused_in_one_line() {
    let work = Workspace::new();
    let refused = |from: &str, to: &str, expected: &[&str]| {
        let text = CONFIG.replacen(from, to, 1);
        assert_ne!(text, CONFIG);
        let config = work.write("config.json", text.as_bytes());
        let message = fail(
            &["train", "--config", &config, "--out", &work.arg("out")],
            2,
        );
        for part in expected {
            assert!(message.contains(part), "{message}");
        }
        assert!(!work.path("out").exists());
    };
    refused("\"levy\"", "\"beale\"", &["beale", "levy"]);
    refused(
        "\"horizon\": 20",
        "\"horizon\": 25",
        &["stages[0].horizon", "25", "multiple"],
    );
    refused("\"steps\": 30", "\"steps\": 0", &["stages[1].steps", "0"]);
    refused(
        "\"steps\": 30",
        "\"parameters\": [\"haed\"], \"steps\": 30",
        &["stages[1].parameters", "haed", "update"],
    );
    refused("\"width\": 8", "\"width\": 0", &["width", "0"]);
    refused("\"seed\": 3", "\"sead\": 3", &["sead"]);
    refused("[2, 5]", "[1, 5]", &["tasks.dimensions", "1"]);
    let config = work.write("config.json", CONFIG.as_bytes());
    work.write("other/notes.txt", b"");
    let other = work.arg("other");
    let message = fail(
        &["train", "--config", &config, "--out", &other, "--resume"],
        2,
    );
    assert!(message.contains("files of an earlier run"), "{message}");
}
