//! The program as a user meets it: files, exit codes, messages.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use motionfit::motion::{self, JOINTS, ReadOptions};
use ndarray::Array3;
use serde_json::json;

use program::{QUICK, Workspace, fail, motionfit, succeed, text, walk, walk_array};

mod program;

#[test]
fn reconstruct_writes_what_it_promises() {
    let work = Workspace::new();
    let out = work.arg("run");
    let poses = walk();
    let args = [&["reconstruct", &poses, "--out", &out], &QUICK[..]].concat();
    let said = succeed(&args);
    assert!(
        said.contains("h36m17") && said.contains("mpjpe global mm"),
        "{said}"
    );
    let metrics = work.json("run/metrics.json");
    assert_eq!(metrics["input"]["file"], poses);
    assert_eq!(
        metrics["input"]["world_from_file"][2],
        json!([0.0, 0.0, 1.0, 0.0])
    );
    for key in [
        "frames",
        "fps",
        "optimizer",
        "evaluations",
        "seconds",
        "mpjpe_global_mm",
        "mpjpe_mm",
        "mpjpe_procrustes_mm",
        "acceleration_tv",
        "foot_skate_percent",
        "penetration_mm",
        "max_frame_error_mm",
    ] {
        assert!(!metrics[key].is_null(), "{key} is missing");
    }
    for key in ["acceleration_tv", "foot_skate_percent", "penetration_mm"] {
        assert!(
            metrics["reference"][key].is_number(),
            "reference.{key} is missing"
        );
    }
    let frames = metrics["frames"].as_u64().unwrap() as usize;
    let file = fs::File::open(work.path("run/motion.npz")).unwrap();
    let mut arrays = ndarray_npy::NpzReader::new(file).unwrap();
    let joints: Array3<f64> = arrays.by_name("joints").unwrap();
    assert_eq!(joints.dim(), (frames, 17, 3));
    let forces: Array3<f64> = arrays.by_name("contact_forces").unwrap();
    assert_eq!(forces.dim(), (frames, 2, 3));
    let loss = fs::read_to_string(work.path("run/loss.csv")).unwrap();
    assert!(loss.starts_with("window,evaluation,loss,seconds\n") && loss.lines().count() > 1);
    let glb = gltf::Gltf::from_slice(&fs::read(work.path("run/motion.glb")).unwrap()).unwrap();
    assert!(
        glb.nodes()
            .any(|node| node.name() == Some("joint_right_ankle"))
    );
    assert!(work.path("run/report.html").is_file() && work.path("run/loss.png").is_file());
    let leftovers = fs::read_dir(work.path("run")).unwrap().filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with('.')
    });
    assert_eq!(leftovers.count(), 0);
}

#[test]
fn an_existing_result_is_kept_unless_forced() {
    let work = Workspace::new();
    let out = work.run("run", &[]);
    let poses = walk();
    let again = [&["reconstruct", &poses, "--out", &out], &QUICK[..]].concat();
    let before = fs::read(work.path("run/motion.npz")).unwrap();
    assert!(fail(&again, 2).contains("--force"));
    assert_eq!(fs::read(work.path("run/motion.npz")).unwrap(), before);
    succeed(&[&again[..], &["--force"]].concat());
}

#[test]
fn the_same_input_gives_the_same_bytes_on_any_number_of_threads() {
    let work = Workspace::new();
    work.run("one", &["--threads", "1"]);
    work.run("two", &["--threads", "2"]);
    for name in [
        "motion.glb",
        "motion.npz",
        "body.json",
        "config.json",
        "report.html",
        "loss.svg",
    ] {
        let [one, two] = ["one", "two"].map(|run| fs::read(work.path(run).join(name)).unwrap());
        assert!(one == two, "{name} differs");
    }
}

#[test]
fn a_configuration_written_by_a_run_can_be_used_again() {
    let work = Workspace::new();
    let out = work.run("run", &["--mass", "61.5", "--seed", "7"]);
    let config = format!("{out}/config.json");
    work.run("again", &["--config", &config]);
    assert_eq!(work.json("again/config.json"), work.json("run/config.json"));
    let bytes = |run: &str| fs::read(work.path(run).join("motion.npz")).unwrap();
    assert!(bytes("run") == bytes("again"));
}

#[test]
fn every_format_can_be_exported() {
    let work = Workspace::new();
    let run = work.run("run", &[]);
    let export = |format: &str, options: &[&str]| {
        let out = work.arg(&format!("motion.{format}"));
        succeed(
            &[
                &["export", &run, "--format", format, "--out", &out],
                options,
            ]
            .concat(),
        );
        fs::read(out).unwrap()
    };
    assert!(export("glb", &[]) == fs::read(work.path("run/motion.glb")).unwrap());
    assert!(export("npz", &[]) == fs::read(work.path("run/motion.npz")).unwrap());
    assert!(export("bvh", &[]).starts_with(b"HIERARCHY\nROOT "));
    // A skeleton that was exported is a pose file again; its joints are those of the run.
    let skeleton = work.arg("motion.bvh");
    let read = |path: &str| motion::read(path.as_ref(), &ReadOptions::default()).unwrap();
    let (read_back, simulated) = (read(&skeleton).motion, read(&work.arg("motion.npz")).motion);
    assert_eq!(
        (read_back.len(), read_back.fps),
        (simulated.len(), simulated.fps)
    );
    for (a, b) in read_back.joints.iter().zip(&simulated.joints) {
        for (j, k) in (0..JOINTS).flat_map(|j| (0..j).map(move |k| (j, k))) {
            let apart = ((a[j] - a[k]).norm() - (b[j] - b[k]).norm()).abs();
            assert!(apart < 0.03, "joints {j} and {k}: {apart} m");
        }
    }
    assert!(export("csv", &[]).starts_with(b"time_s,pelvis_x_m,"));
    assert!(
        fail(
            &[
                "export",
                &run,
                "--format",
                "csv",
                "--out",
                &work.arg("motion.csv")
            ],
            2
        )
        .contains("--force")
    );
    let bare = export("glb", &["--force", "--without-reference"]);
    let glb = gltf::Gltf::from_slice(&bare).unwrap();
    assert!(glb.nodes().all(|node| node.name() != Some("reference")));
}

#[test]
fn a_body_model_makes_shapes_count_and_is_kept_with_the_run() {
    let work = Workspace::new();
    let golden = |name: &str| format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    let (poses, out) = (golden("formats/hmr4d_results.pt"), work.arg("run"));
    let model = golden("body_models/python2_csc.pkl");
    let run = ["reconstruct", &poses, "--body-model", &model, "--out", &out];
    let said = succeed(&[&run, &QUICK[..]].concat());
    let note = format!("body: from {model}, 4 betas, of 10 that the motion has");
    assert!(said.contains(&note), "{said}");
    let metrics = work.json("run/metrics.json");
    let notes = metrics["input"]["notes"].as_array().unwrap();
    assert!(notes.iter().any(|kept| *kept == note), "{notes:?}");
}

#[test]
fn a_body_model_is_for_sets_of_poses_too_and_for_nothing_else() {
    let work = Workspace::new();
    let golden = |name: &str| format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    let poses = golden("formats/hmr4d_results.pt");
    let model = golden("body_models/python2_csc.pkl");
    fs::create_dir(work.path("clips")).unwrap();
    fs::copy(&poses, work.path("clips/walk.pt")).unwrap();
    let (clips, rows) = (work.arg("clips"), work.arg("rows"));
    let evaluate = [
        "evaluate",
        "--motions",
        &clips,
        "--body-model",
        &model,
        "--out",
        &rows,
    ];
    let quick = ["--seconds", "0.3", "--evaluations", "2"];
    succeed(&[&evaluate, &quick[..]].concat());
    let kept = fs::read_to_string(work.path("rows/config.json")).unwrap();
    assert!(kept.contains("python2_csc.pkl"), "{kept}");
    for (poses, model, expected) in [
        (walk(), &model, "error: --body-model: use: found "),
        (
            poses.clone(),
            &poses,
            "v_template is missing: give the model file of SMPL",
        ),
        (poses.clone(), &walk(), "format: found "),
    ] {
        let out = work.arg("refused");
        let message = fail(
            &["reconstruct", &poses, "--body-model", model, "--out", &out],
            2,
        );
        assert!(message.contains(expected), "{message}");
        assert!(!work.path("refused").exists());
    }
}

#[test]
fn evaluate_makes_a_row_for_every_clip_and_resumes() {
    let work = Workspace::new();
    fs::create_dir(work.path("set")).unwrap();
    work.write_array("set/a.npy", &walk_array());
    work.write("set/b.npy", b"not a motion");
    work.write_array("set/c.npy", &walk_array());
    work.write(
        "set/index.csv",
        b"file,category,fps\na.npy,walk,50\nb.npy,dance,50\nc.npy,roll,50\n",
    );
    let (set, out) = (work.arg("set"), work.arg("out"));
    let args = [
        "evaluate",
        "--motions",
        &set,
        "--out",
        &out,
        "--seconds",
        "0.3",
        "--exclude",
        "roll",
        "--evaluations",
        "2",
    ];
    let with = |options: &[&'static str]| [&args[..], options].concat();
    succeed(&with(&["--optimizers", "lm"]));
    let rows = work.json("out/clips.json");
    let names: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["clip"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["a", "b"], "the category roll is excluded");
    assert!(rows[0]["mpjpe_global_mm"].is_number() && rows[0]["reference"].is_object());
    assert_eq!(rows[1]["failed"], true);
    assert!(rows[1]["error"].as_str().unwrap().contains("b.npy"));
    let summary = fs::read_to_string(work.path("out/summary.md")).unwrap();
    assert!(summary.contains("| lm | walk | 1 |") && summary.contains("* b, dance, lm: "));
    assert!(work.json("out/summary.json").is_array());
    assert!(fail(&with(&["--optimizers", "lm"]), 2).contains("--force"));
    succeed(&with(&["--optimizers", "lm,adam", "--resume"]));
    let resumed = work.json("out/clips.json");
    assert_eq!(resumed.as_array().unwrap().len(), 4);
    assert_eq!(resumed[0], rows[0], "a finished row was computed again");
    // What could not be read is tried again, and takes its row's place.
    work.write_array("set/b.npy", &walk_array());
    succeed(&with(&["--optimizers", "lm,adam", "--resume"]));
    let repaired = work.json("out/clips.json");
    let repaired = repaired.as_array().unwrap();
    assert_eq!(repaired.len(), 4);
    assert!(repaired.iter().all(|row| row["error"].is_null()));
    assert_eq!(repaired[0], rows[0]);
    assert_eq!(repaired[1]["clip"], "b");
    let index = work.write("index.csv", b"file,category,fps\na.npy,run,50\n");
    let indexed = [&with(&["--resume"])[..], &["--index", &index]].concat();
    assert!(fail(&indexed, 2).contains("other settings"));
    let other = [&with(&["--resume"])[..], &["--seed", "5"]].concat();
    assert!(fail(&other, 2).contains("other settings"));
    let nothing = [
        &with(&["--force"])[..],
        &["--split", "walking", "--exclude", "walk"],
    ]
    .concat();
    assert!(fail(&nothing, 2).contains("0 clips"));
    assert!(fail(&with(&["--force", "--optimizers", "newton"]), 2).contains("newton"));
}

#[test]
fn evaluate_resumes_only_an_evaluation() {
    let work = Workspace::new();
    fs::create_dir(work.path("set")).unwrap();
    work.write_array("set/a.npy", &walk_array());
    let set = work.arg("set");
    for (out, file, expected) in [
        ("run", "run/config.json", "other settings"),
        ("notes", "notes/summary.md", "files of an earlier run"),
    ] {
        work.write(file, b"{}");
        let out = work.arg(out);
        let args = ["evaluate", "--motions", &set, "--out", &out, "--resume"];
        let message = fail(&args, 2);
        assert!(
            message.contains(&out) && message.contains(expected),
            "{message}"
        );
        assert_eq!(fs::read(work.path(file)).unwrap(), b"{}");
    }
}

#[test]
fn quiet_is_quiet_and_a_closed_pipe_is_no_error() {
    let work = Workspace::new();
    let poses = walk();
    let args = |out: &str| {
        let mut args = vec![
            "reconstruct".to_string(),
            poses.clone(),
            "--out".into(),
            work.arg(out),
        ];
        args.extend(QUICK.map(String::from));
        args
    };
    let quiet = Command::new(env!("CARGO_BIN_EXE_motionfit"))
        .args(args("quiet"))
        .arg("--quiet")
        .output()
        .unwrap();
    assert!(quiet.status.success() && quiet.stdout.is_empty() && quiet.stderr.is_empty());
    let mut child = Command::new(env!("CARGO_BIN_EXE_motionfit"))
        .args(args("closed"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
    assert!(Path::new(&work.arg("closed/motion.glb")).is_file());
}

#[cfg(unix)]
#[test]
fn an_interruption_leaves_nothing() {
    let work = Workspace::new();
    let child = Command::new(env!("CARGO_BIN_EXE_motionfit"))
        .args(["reconstruct", "--sample", "walk", "--out", &work.arg("out")])
        .args(["--evaluations", "10000"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(message.starts_with("error: interrupted"), "{message}");
    assert!(!work.path("out").exists());
}

#[test]
fn help_and_version_succeed() {
    assert!(succeed(&["--help"]).contains("reconstruct"));
    assert!(succeed(&["reconstruct", "--help"]).contains("--optimizer"));
    assert!(succeed(&["--version"]).starts_with("motionfit "));
    assert_eq!(motionfit(&[]).status.code(), Some(2));
}

#[test]
fn shells_and_the_manual_know_every_command() {
    let commands = [
        "reconstruct",
        "evaluate",
        "export",
        "compare",
        "benchmark",
        "train",
    ];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = succeed(&["completions", shell]);
        let missing = commands.iter().find(|command| !script.contains(**command));
        assert_eq!(missing, None, "{shell}");
    }
    let work = Workspace::new();
    let out = work.arg("man/man1");
    succeed(&["man", "--out", &out]);
    for command in commands {
        let page =
            fs::read_to_string(work.path(&format!("man/man1/motionfit-{command}.1"))).unwrap();
        assert!(page.contains(".TH") && page.contains(command), "{command}");
    }
    assert!(succeed(&["man"]).contains("motionfit"));
    assert!(fail(&["man", "--out", &out], 2).contains("--force"));
}
