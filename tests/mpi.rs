//! Runs that several processes share: the same bytes for any number of them.
//!
//! Needs `--features mpi` and an `mpirun`; where either is absent, nothing is tested, and that is told.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use program::{Workspace, succeed, text, walk_array};

mod program;

/// Whether ranks can be started here.
fn has_mpi() -> bool {
    let found = Command::new("mpirun").arg("--version").output();
    let absent = match found {
        _ if !cfg!(feature = "mpi") => "built without --features mpi",
        Ok(output) if output.status.success() => return true,
        _ => "no mpirun",
    };
    let is_required = std::env::var_os("MOTIONFIT_REQUIRE_MPI").is_some();
    assert!(!is_required, "{absent}");
    eprintln!("SKIPPED: {absent}, ranks are not tested");
    false
}

/// `mpirun` of `count` processes of the program, also where there are fewer cores, and as root.
fn mpirun(count: usize, args: &[&str]) -> Command {
    let mut command = Command::new("mpirun");
    command.args(["-n", &count.to_string()]);
    command.arg(env!("CARGO_BIN_EXE_motionfit")).args(args);
    for (name, value) in [
        ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
        ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
        ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
        ("OMPI_MCA_mpi_yield_when_idle", "1"),
        ("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe"),
    ] {
        command.env(name, value);
    }
    command
}

fn succeed_with(count: usize, args: &[&str]) {
    let output = mpirun(count, args).output().unwrap();
    assert!(
        output.status.success(),
        "{count} ranks, {args:?}\n{}",
        told(&output)
    );
}

fn told(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

/// Three clips, the second of which cannot be read.
fn clips(work: &Workspace) -> String {
    let walk = walk_array();
    fs::create_dir(work.path("clips")).unwrap();
    for (name, frames) in [("a", 30), ("c", 60), ("d", 45)] {
        let cut = walk.slice(ndarray::s![..frames, .., ..]).to_owned();
        work.write_array(&format!("clips/{name}.npy"), &cut);
    }
    work.write("clips/b.npy", b"nothing");
    work.arg("clips")
}

#[test]
fn an_evaluation_has_the_same_rows_and_reports_on_any_number_of_ranks() {
    if !has_mpi() {
        return;
    }
    let work = Workspace::new();
    let clips = clips(&work);
    let with = |out: &str| {
        let args = [
            "evaluate",
            "--motions",
            &clips,
            "--out",
            out,
            "--seconds",
            "0.4",
        ];
        let args = [&args[..], &["--evaluations", "2", "--optimizers", "lm"]].concat();
        args.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let alone = with(&work.arg("alone"));
    succeed(&alone.iter().map(String::as_str).collect::<Vec<_>>());
    let expected = work.rows("alone");
    assert_eq!(expected.as_array().unwrap().len(), 4);
    for (count, threads) in [(1, "2"), (2, "1"), (3, "2")] {
        let run = format!("ranks-{count}");
        let args = with(&work.arg(&run));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        succeed_with(count, &[&args[..], &["--threads", threads]].concat());
        assert_eq!(work.rows(&run), expected, "{count} ranks");
        assert!(!work.path(&run).join("rows.jsonl").exists());
        for entry in fs::read_dir(work.path("alone/reports")).unwrap() {
            let name = entry.unwrap().file_name();
            let report = |run: &str| fs::read(work.path(run).join("reports").join(&name)).unwrap();
            assert!(report(&run) == report("alone"), "{name:?} of {count} ranks");
        }
    }
}

/// Waits for `path`, but not for ever.
fn wait_for(path: &Path) {
    let begun = Instant::now();
    while fs::read(path).map_or(true, |bytes| bytes.is_empty()) {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "no {}",
            path.display()
        );
        sleep(Duration::from_millis(10));
    }
}

/// Kills rank `rank` of those that `mpirun` has started.
fn kill_rank(mpirun: &Child, rank: usize) {
    let parent = format!(" {} ", mpirun.id());
    let is_child = |entry: &Path| {
        let status = fs::read_to_string(entry.join("stat")).unwrap_or_default();
        status
            .rsplit_once(')')
            .is_some_and(|(_, rest)| rest[2..].starts_with(&parent))
    };
    let is_rank = |entry: &Path| {
        let variables = fs::read(entry.join("environ")).unwrap_or_default();
        let wanted = format!("OMPI_COMM_WORLD_RANK={rank}").into_bytes();
        variables
            .split(|b| *b == 0)
            .any(|variable| variable == wanted)
    };
    let processes = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let found: Vec<_> = processes
        .filter(|entry| is_child(entry) && is_rank(entry))
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    let id = found[0].file_name().unwrap().to_str().unwrap();
    assert!(
        Command::new("kill")
            .args(["-KILL", id])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn a_rank_that_is_killed_is_named_and_the_evaluation_goes_on_with_others() {
    if !has_mpi() {
        return;
    }
    let work = Workspace::new();
    let clips = clips(&work);
    let args = |out: &str| {
        let args = [
            "evaluate",
            "--motions",
            &clips,
            "--out",
            out,
            "--seconds",
            "0.6",
        ];
        let args = [
            &args[..],
            &["--evaluations", "10", "--optimizers", "lm,adam"],
        ]
        .concat();
        args.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let (alone, killed) = (args(&work.arg("alone")), args(&work.arg("killed")));
    let [alone, killed]: [Vec<&str>; 2] =
        [&alone, &killed].map(|args| args.iter().map(String::as_str).collect());
    succeed(&alone);
    let mut command = mpirun(2, &killed);
    let running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(&work.path("killed/rows.jsonl"));
    kill_rank(&running, 1);
    let output = running.wait_with_output().unwrap();
    assert!(!output.status.success());
    let told = told(&output);
    assert!(told.contains("rank 1"), "{told}");
    assert!(
        told.contains(" was at "),
        "the first one tells who was at what: {told}"
    );
    succeed_with(3, &[&killed[..], &["--resume"]].concat());
    assert_eq!(work.rows("killed"), work.rows("alone"));
}

#[test]
fn a_mistake_is_told_once_and_only_some_commands_are_shared() {
    if !has_mpi() {
        return;
    }
    let work = Workspace::new();
    let out = work.arg("out");
    let missing = ["evaluate", "--motions", "nowhere", "--out", &out];
    let unshared = ["export", "nowhere", "--format", "bvh", "--out", &out];
    for (args, expected) in [
        (&missing[..], "nowhere"),
        (&["evaluate", "--motionz"], "--motionz"),
        (&unshared, "mpirun: processes: found 2"),
    ] {
        let output = mpirun(2, args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        let message = text(&output.stderr);
        let errors: Vec<&str> = message
            .lines()
            .filter(|l| l.starts_with("error: "))
            .collect();
        assert!(
            errors.len() == 1 && errors[0].contains(expected),
            "{message}"
        );
    }
}

#[test]
fn without_mpi_the_program_refuses_to_be_one_of_several() {
    if cfg!(feature = "mpi") {
        return; // then it is one of them
    }
    let output = Command::new(env!("CARGO_BIN_EXE_motionfit"))
        .args(["evaluate", "--motions", "clips", "--out", "out"])
        .env("OMPI_COMM_WORLD_SIZE", "2")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    let expected =
        "error: OMPI_COMM_WORLD_SIZE: processes: found 2; this program was built without MPI";
    assert!(message.starts_with(expected), "{message}");
}

/// A training of seconds, with as many groups as ranks at most.
const FUNCTIONS: &str = r#"{
  "name": "small",
  "architecture": {
    "kind": "optimus", "guided": true, "width": 8, "encoders": 1, "heads": 1, "head_width": 4,
    "feed_forward": 8, "trunk_layers": 1
  },
  "tasks": { "kind": "functions", "functions": ["sphere", "levy"], "dimensions": [2, 5] },
  "training": {
    "seed": 3,
    "stages": [
      { "steps": 25, "horizon": 20, "truncation": 10, "groups": 3, "tasks": 4, "distance": 1.0 },
      { "estimator": "pes", "steps": 15, "horizon": 20, "truncation": 10, "groups": 2, "tasks": 4 }
    ],
    "validation": { "every": 10, "batches": 3, "tasks": 4, "horizon": 20 }
  }
}"#;

/// What a training writes but for the card, which tells the hours.
const TRAINED: [&str; 4] = [
    "weights.safetensors",
    "checkpoint.bin",
    "metrics.jsonl",
    "config.json",
];

fn same_training(work: &Workspace, run: &str) {
    for name in TRAINED {
        let [a, b] = ["alone", run].map(|run| fs::read(work.path(run).join(name)).unwrap());
        assert!(a == b, "{name} of {run}");
    }
}

#[test]
fn a_training_ends_in_the_same_bytes_on_any_number_of_ranks() {
    if !has_mpi() {
        return;
    }
    let work = Workspace::new();
    let config = work.write("config.json", FUNCTIONS.as_bytes());
    succeed(&["train", "--config", &config, "--out", &work.arg("alone")]);
    for (count, threads) in [(1, "1"), (2, "2"), (3, "1")] {
        let run = format!("ranks-{count}");
        let out = work.arg(&run);
        let args = [
            "train",
            "--config",
            &config,
            "--out",
            &out,
            "--threads",
            threads,
        ];
        succeed_with(count, &args);
        same_training(&work, &run);
    }
    // Killed on three, gone on with on two.
    let out = work.arg("killed");
    let args = ["train", "--config", &config, "--out", &out, "--resume"];
    let often = [&args[..], &["--checkpoint-seconds", "0"]].concat();
    let running = mpirun(3, &often).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&work.path("killed/checkpoint.bin"));
    kill_rank(&running, 2);
    let output = running.wait_with_output().unwrap();
    assert!(!output.status.success() && told(&output).contains("rank 2"));
    succeed_with(2, &args);
    same_training(&work, "killed");
}

const WINDOWS: &str = r#"{
  "name": "small",
  "architecture": {
    "kind": "optimus", "guided": true, "curvature": true, "averaged": true, "width": 8,
    "encoders": 1, "heads": 1, "head_width": 4, "feed_forward": 8, "trunk_layers": 1
  },
  "tasks": {
    "kind": "recorded-windows", "windows": 3, "rough": 0.5,
    "reconstruction": { "window_frames": 10 },
    "recorders": [{ "optimizer": "lm", "evaluations": 4 }]
  },
  "training": {
    "stages": [
      { "steps": 6, "horizon": 8, "truncation": 4, "groups": 2, "tasks": 2, "learning_rate": 0.003 }
    ],
    "validation": { "every": 3, "batches": 2, "tasks": 2, "horizon": 4 }
  }
}"#;

#[test]
fn windows_are_recorded_and_learned_from_on_several_ranks() {
    if !has_mpi() {
        return;
    }
    let work = Workspace::new();
    let config = work.write("config.json", WINDOWS.as_bytes());
    succeed(&["train", "--config", &config, "--out", &work.arg("alone")]);
    succeed_with(
        3,
        &["train", "--config", &config, "--out", &work.arg("shared")],
    );
    same_training(&work, "shared");
    let recorded = |run: &str| {
        let entries = fs::read_dir(work.path(run).join("recorded"))
            .unwrap()
            .flatten();
        let mut files: Vec<_> = entries
            .map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    };
    assert!(recorded("shared") == recorded("alone") && recorded("alone").len() == 4);
}
