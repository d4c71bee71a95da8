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
    ndarray_npy::write_npy(work.path("flat.npy"), &Array2::<f32>::zeros((50, 51))).unwrap();
    work.write("truncated.npy", &fs::read(walk()).unwrap()[..5000]);
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
    let cases: [(&[&str], &str); 15] = [
        (&["--fps", "0"], "fps"),
        (&["--fps", "fast"], "--fps"),
        (&["--layout", "mpii"], "mpii"),
        (&["--up", "left"], "left"),
        (&["--start", "2", "--end", "1"], "end"),
        (&["--start", "99"], "start"),
        (&["--smooth", "often"], "often"),
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
    let nothing = ["evaluate", "--motions", ".", "--limit", "0", "--out", &out];
    assert!(fail(&nothing, 2).contains("--limit"));
    assert!(
        fail(
            &["export", &work.arg("none"), "--format", "bvh", "--out", "x"],
            2
        )
        .contains("none")
    );
}
