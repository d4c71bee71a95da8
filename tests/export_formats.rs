//! What a run is exported as, by the built program, and read again.

use motionfit::motion::skeleton::{HEAD, NAMES};
use motionfit::motion::{self, ReadOptions};
use ndarray::Array3;
use program::{Workspace, fail, motionfit, succeed, text};

mod program;

/// The simulated joints of a run, frame by frame.
fn simulated(work: &Workspace, run: &str) -> Array3<f64> {
    let file = std::fs::File::open(work.path(run).join("motion.npz")).unwrap();
    ndarray_npy::NpzReader::new(file)
        .unwrap()
        .by_name("joints")
        .unwrap()
}

/// How far every joint is at most from where it was simulated, m.
fn apart(work: &Workspace, run: &str, exported: &str) -> Vec<f64> {
    let options = ReadOptions {
        smoothing: "off".parse().unwrap(),
        ..ReadOptions::default()
    };
    let reading = motion::read(&work.path(exported), &options).unwrap();
    let wanted = simulated(work, run);
    assert_eq!(reading.motion.joints.len(), wanted.dim().0);
    let of_joint = |j: usize| {
        let frames = reading.motion.joints.iter().enumerate();
        let apart = frames.map(|(t, joints)| {
            (0..3)
                .map(|k| (joints[j][k] - wanted[[t, j, k]]).powi(2))
                .sum::<f64>()
                .sqrt()
        });
        apart.fold(0.0, f64::max)
    };
    (0..NAMES.len()).map(of_joint).collect()
}

#[test]
fn poses_of_smpl_come_back_through_a_simulation() {
    let work = Workspace::new();
    let (poses, run) = ("tests/golden/formats/phc.pkl", work.arg("run"));
    let args = ["--clip", "walk_1", "--evaluations", "10", "--out", &run];
    succeed(&[&["reconstruct", poses], &args[..]].concat());
    let file = work.arg("smpl.npz");
    succeed(&["export", &run, "--format", "smpl", "--out", &file]);
    let apart = apart(&work, "run", "smpl.npz");
    eprintln!(
        "{:.2?} mm",
        apart.iter().map(|x| 1e3 * x).collect::<Vec<_>>()
    );
    // Where the engine lets a joint gape in a frame, bones are too short for its ends.
    let mean = apart.iter().sum::<f64>() / NAMES.len() as f64;
    let worst = apart.iter().fold(0.0_f64, |a, b| a.max(*b));
    assert!(mean < 5e-4 && worst < 3e-3, "{mean} {worst}");
}

#[test]
fn every_format_is_written_and_what_has_joints_is_read() {
    let work = Workspace::new();
    let run = work.run("run", &[]);
    for (format, name) in [
        ("smpl", "a.npz"),
        ("joints", "b.npz"),
        ("bvh", "c.bvh"),
        ("trc", "d.trc"),
    ] {
        succeed(&["export", &run, "--format", format, "--out", &work.arg(name)]);
        let reading = motion::read(&work.path(name), &ReadOptions::default()).unwrap();
        assert_eq!(
            reading.motion.joints.len(),
            simulated(&work, "run").dim().0,
            "{format}"
        );
    }
    for name in ["a.npz", "b.npz"] {
        for (joint, apart) in apart(&work, "run", name).into_iter().enumerate() {
            // SMPL's head ends at the skull: its top is where it is on average.
            let limit = if joint == HEAD { 0.02 } else { 3e-3 };
            assert!(apart < limit, "{name}, {}: {apart} m", NAMES[joint]);
        }
    }
}

#[test]
fn the_model_for_mujoco_comes_with_its_motion() {
    let work = Workspace::new();
    let run = work.run("run", &[]);
    let model = work.arg("walk.xml");
    let said = succeed(&["export", &run, "--format", "mjcf", "--out", &model]);
    assert!(
        said.contains("walk.npz") && said.contains("walk.xml"),
        "{said}"
    );
    let xml = std::fs::read_to_string(&model).unwrap();
    let frames = simulated(&work, "run").dim().0;
    assert_eq!(xml.matches("<key ").count(), frames);
    assert_eq!(xml.matches("type=\"ball\"").count(), 13);
    assert!(xml.contains("rotation w x y z (world from root)"));
    let file = std::fs::File::open(work.path("walk.npz")).unwrap();
    let mut npz = ndarray_npy::NpzReader::new(file).unwrap();
    let qpos: ndarray::Array2<f64> = npz.by_name("qpos").unwrap();
    let qvel: ndarray::Array2<f64> = npz.by_name("qvel").unwrap();
    assert_eq!((qpos.dim(), qvel.dim()), ((frames, 59), (frames, 45)));
    let again = motionfit(&["export", &run, "--format", "mjcf", "--out", &model]);
    assert_eq!(again.status.code(), Some(2), "{}", text(&again.stderr));
    let line = fail(
        &[
            "export",
            &run,
            "--format",
            "mjcf",
            "--out",
            &work.arg("x.npz"),
        ],
        2,
    );
    assert!(line.contains("name the model .xml"), "{line}");
}
