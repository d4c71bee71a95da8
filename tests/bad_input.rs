//! What cannot be used is refused with exit code 2 and one line that says what to do.

use std::fs;

use ndarray::{Array2, s};
use program::{Workspace, fail, walk, walk_array};

mod program;

#[test]
fn bad_pose_files_are_explained_in_one_line() {
    let work = Workspace::new();
    let array = walk_array();
    let nan = array.mapv(|_| f32::NAN);
    let one_frame = array.slice(s![..1, .., ..]).to_owned();
    let five_joints = array.slice(s![.., ..5, ..]).to_owned();
    let giant = array.mapv(|v| v * 10.0);
    let landmarks = ndarray::Array3::<f32>::ones((50, 33, 4));
    ndarray_npy::write_npy(work.path("landmarks.npy"), &landmarks).unwrap();
    ndarray_npy::write_npy(work.path("flat.npy"), &Array2::<f32>::zeros((50, 51))).unwrap();
    work.write("truncated.npy", &fs::read(walk()).unwrap()[..5000]);
    fs::create_dir(work.path("folder.npy")).unwrap();
    let cases = [
        (work.write("empty.npy", b""), "empty"),
        (work.write("text.npy", b"frame,x,y,z\n1,2,3,4\n"), "npy"),
        (work.arg("flat.npy"), "(50, 51)"),
        (work.arg("landmarks.npy"), "--focal PX --image-size WxH"),
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
    let cases: [(&[&str], &str); 15] = [
        (&["--fps", "0"], "fps"),
        (&["--fps", "fast"], "--fps"),
        (&["--layout", "mpii"], "mpii"),
        (&["--up", "left"], "left"),
        (&["--start", "2", "--end", "1"], "end"),
        (&["--start", "99"], "start"),
        (&["--smooth", "often"], "often"),
        (&["--optimizer", "newton"], "--optimizer: name"),
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
    assert!(fail(&["reconstruct", "--markers", "m.json"], 2).contains("--markers: use"));
    assert!(fail(&["reconstruct", "--body-model", "m.pkl"], 2).contains("--body-model: use"));
    assert!(fail(&["reconstruct", "--sample", "walk", "--start", "99"], 2).contains("--start"));
    let sample = ["reconstruct", "--sample", "squat", "--out", &out];
    let of_cameras: [(&[&str], &str); 4] = [
        (&["--camera", "nofile.json"], "--camera"),
        (&["--focal", "1400", "--image-size", "1920x1080"], "--focal"),
        (&["--use-cameras", "c01"], "--use-cameras"),
        (&["--more-views", "x.pkl"], "--more-views"),
    ];
    for (options, needle) in of_cameras {
        let message = fail(&[&sample[..], options].concat(), 2);
        assert!(message.contains(needle), "{options:?}: {message}");
        assert!(!work.path("out").exists(), "{options:?} left something");
    }
    assert!(fail(&["evaluate", "--out", &work.arg("out")], 2).contains("--motions"));
    let nothing = ["evaluate", "--motions", ".", "--limit", "0", "--out", &out];
    assert!(fail(&nothing, 2).contains("--limit"));
    let camera = ["--focal", "1000", "--image-size", "1000x1000"];
    for (options, needle) in [
        (["--focal", "-5"], "--focal"),
        (["--floor", "nan"], "--floor"),
        (["--person", "0"], "--person"),
    ] {
        let camera = if needle == "--focal" {
            &camera[2..]
        } else {
            &camera
        };
        let command = ["reconstruct", &poses, "--fps", "50", "--out", &out];
        let message = fail(&[&command[..], camera, &options].concat(), 2);
        assert!(message.contains(needle), "{options:?}: {message}");
    }
    assert!(
        fail(
            &["export", &work.arg("none"), "--format", "bvh", "--out", "x"],
            2
        )
        .contains("none")
    );
}

/// What is wrong with the whole set is said before any clip is begun.
#[test]
fn bad_sets_are_refused_before_the_first_clip() {
    let work = Workspace::new();
    fs::create_dir(work.path("set")).unwrap();
    work.write_array("set/a.npy", &walk_array());
    let (set, out) = (work.arg("set"), work.arg("out"));
    let slow = work.write("slow.json", br#"{ "reconstruction": { "fps": 0 } }"#);
    let other = work.write("other.csv", b"file,category\nA.npy,walk\n");
    let stopped = work.write("stopped.csv", b"file,category,fps\na.npy,walk,0\n");
    for (options, needle) in [
        (["--config", slow.as_str()], "slow.json: fps"),
        (["--index", &other], "A.npy"),
        (["--index", &stopped], "fps of a"),
        (["--optimizers", "lm,lm"], "lm"),
        (["--optimizers", "newton"], "--optimizers: name"),
        (["--seconds", "nan"], "--seconds"),
        (["--evaluations", "99999999"], "--evaluations"),
        (["--root", "elsewhere"], "--root"),
    ] {
        let command = ["evaluate", "--motions", &set, "--out", &out];
        let message = fail(&[&command[..], &options].concat(), 2);
        assert!(message.contains(needle), "{options:?}: {message}");
        assert!(!work.path("out").exists(), "{options:?} left something");
    }
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/configs/evaluate-cmu2d.json");
    let absent = [
        "evaluate",
        "--manifest",
        manifest,
        "--root",
        &set,
        "--out",
        &out,
    ];
    assert!(fail(&absent, 2).contains("tools/noisy_estimates.py"));
    let cuts = br#"[{ "file": "set/a.npy", "end": 1 }, { "file": "set/a.npy", "start": 1 }]"#;
    let cuts = work.write("cuts.json", cuts);
    let parts = br#"{
        "title": "t", "get": "g", "observed_fps": 30, "dataset": "aist", "truth": "t",
        "clips": [{ "sequence": "s", "frames": [0, 9] }, { "sequence": "s", "frames": [10, 19] }]
    }"#;
    let parts = work.write("parts.json", parts);
    let array = work.arg("set/a.npy");
    let sets: [(&[&str], &str); 5] = [
        (
            &["--motions", &array],
            "a.npy: content: found no text; give a JSON file",
        ),
        (&["--motions", &cuts], "repeated value: found a;"),
        (&["--manifest", &parts], "repeated value: found s;"),
        (&["--motions", &cuts, "--index", &other], "--index"),
        (&["--manifest", manifest, "--seconds", "0"], "--seconds"),
    ];
    for (options, needle) in sets {
        let message = fail(&[&["evaluate", "--out", &out], options].concat(), 2);
        assert!(message.contains(needle), "{options:?}: {message}");
        assert!(!work.path("out").exists(), "{options:?} left something");
    }
    let command = ["benchmark", "--dims", "2", "--inits", "1", "--out", &out];
    for (options, needle) in [
        (["--optimizers", "adam,adam"], "adam"),
        (["--optimizers", "newton"], "--optimizers: name"),
        (["--functions", "sphere,sphere"], "sphere"),
    ] {
        let message = fail(&[&command[..], &options].concat(), 2);
        assert!(message.contains(needle), "{options:?}: {message}");
    }
}
