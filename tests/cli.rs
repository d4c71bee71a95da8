//! The program as a user meets it: files, exit codes, messages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ndarray::{Array2, Array3, s};
use serde_json::Value;
use tempfile::TempDir;

/// Short enough for seconds of computing, long enough for a few windows.
const QUICK: [&str; 4] = ["--end", "0.3", "--evaluations", "2"];

fn motionfit(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_motionfit"))
        .args(args)
        .output()
        .unwrap()
}

fn succeed(args: &[&str]) -> String {
    let output = motionfit(args);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{args:?}\n{out}{err}");
    out
}

/// Runs into an error that must be one line, and returns it.
fn fail(args: &[&str], code: i32) -> String {
    let output = motionfit(args);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
    assert!(
        message.starts_with("error: ") && message.ends_with('\n'),
        "{args:?}: {message}"
    );
    assert_eq!(message.lines().count(), 1, "{args:?}: {message}");
    message
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn walk() -> String {
    format!("{}/data/walk.npy", env!("CARGO_MANIFEST_DIR"))
}

fn walk_array() -> Array3<f32> {
    ndarray_npy::read_npy(walk()).unwrap()
}

struct Workspace(TempDir);

impl Workspace {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn arg(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_string()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
        self.arg(name)
    }

    fn write_array(&self, name: &str, array: &Array3<f32>) -> String {
        ndarray_npy::write_npy(self.path(name), array).unwrap();
        self.arg(name)
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// A finished run in the folder `name`.
    fn run(&self, name: &str, options: &[&str]) -> String {
        let (poses, out) = (walk(), self.arg(name));
        let args = ["reconstruct", &poses, "--out", &out];
        succeed(&[&args, &QUICK[..], options].concat());
        out
    }
}

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
fn bad_pose_files_are_explained_in_one_line() {
    let work = Workspace::new();
    let walk = walk_array();
    let nan = walk.mapv(|_| f32::NAN);
    let one_frame = walk.slice(s![..1, .., ..]).to_owned();
    let five_joints = walk.slice(s![.., ..5, ..]).to_owned();
    let giant = walk.mapv(|v| v * 10.0);
    ndarray_npy::write_npy(work.path("flat.npy"), &Array2::<f32>::zeros((50, 51))).unwrap();
    work.write("truncated.npy", &fs::read(self::walk()).unwrap()[..5000]);
    fs::create_dir(work.path("folder.npy")).unwrap();
    let cases = [
        (work.write("empty.npy", b""), "empty"),
        (work.write("text.npy", b"frame,x,y,z\n1,2,3,4\n"), "npy"),
        (work.arg("flat.npy"), "(50, 51)"),
        (work.arg("truncated.npy"), "truncated.npy"),
        (work.arg("folder.npy"), "folder.npy"),
        (work.arg("missing.npy"), "missing.npy"),
        (work.write_array("nan.npy", &nan), "NaN"),
        (work.write_array("one.npy", &one_frame), "frame"),
        (work.write_array("five.npy", &five_joints), "joints"),
        (work.write_array("giant.npy", &giant), "m"),
    ];
    for (path, needle) in cases {
        let message = fail(&["reconstruct", &path, "--out", &work.arg("out")], 2);
        assert!(message.contains(needle), "{path}: {message}");
        assert!(!work.path("out").exists(), "{path} left something");
    }
}

#[test]
fn bad_arguments_are_explained_in_one_line() {
    let work = Workspace::new();
    let (poses, out) = (walk(), work.arg("out"));
    let file = work.write("file", b"");
    let below = format!("{file}/below");
    let unknown = work.write("unknown.json", b"{\n  \"optimiser\": \"lm\"\n}");
    let broken = work.write("broken.json", b"{ \"optimizer\": ");
    let cases: [(&[&str], &str); 14] = [
        (&["--fps", "0"], "fps"),
        (&["--fps", "fast"], "--fps"),
        (&["--layout", "mpii"], "mpii"),
        (&["--up", "left"], "left"),
        (&["--start", "2", "--end", "1"], "end"),
        (&["--start", "99"], "start"),
        (&["--optimizer", "newton"], "newton"),
        (&["--evaluations", "0"], "--evaluations"),
        (&["--mass", "-3"], "--mass"),
        (&["--stature", "17"], "--stature"),
        (&["--threads", "0"], "--threads"),
        (&["--colour"], "--colour"),
        (&["--config", &unknown], "line 2, \"optimiser\""),
        (&["--config", &broken], "line 1"),
    ];
    for (options, needle) in cases {
        let message = fail(
            &[&["reconstruct", &poses, "--out", &out], options].concat(),
            2,
        );
        assert!(message.contains(needle), "{options:?}: {message}");
        assert!(!work.path("out").exists(), "{options:?} left something");
    }
    for (out, needle) in [(&file, "a file"), (&below, "output directory")] {
        let message = fail(&["reconstruct", &poses, "--out", out], 2);
        assert!(message.contains(needle), "{message}");
    }
    assert!(fail(&["reconstruct", "--sample", "moonwalk"], 2).contains("moonwalk"));
    assert!(fail(&["reconstruct", "--sample", "walk", "--fps", "30"], 2).contains("--fps"));
    assert!(fail(&["reconstruct", "--fps", "30"], 2).contains("POSES"));
    assert!(fail(&["evaluate", "--out", &work.arg("out")], 2).contains("--motions"));
    assert!(
        fail(
            &["export", &work.arg("none"), "--format", "bvh", "--out", "x"],
            2
        )
        .contains("none")
    );
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
        .env("MOTIONFIT_STANDIN_SLOW", "1")
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
