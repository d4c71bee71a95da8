//! Data sets read through their manifests: AIST++ where it is at hand, and files in Human3.6M's
//! exact layout that are made here from the sample walk.

use std::path::{Path, PathBuf};

use motionfit::evaluation::manifest::Manifest;
use motionfit::evaluation::sequences::{Input, Reader};
use motionfit::keypoints::Observation;
use motionfit::motion::camera::read_cameras;
use motionfit::motion::{self, Joints};
use nalgebra::Vector3;
use ndarray::Array3;
use program::Workspace;
use program::pickle::{Object, npz};

mod program;

/// Where the 17 joints are among Human3.6M's 32.
const JOINTS_OF_32: [usize; 17] = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27];

fn configs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("configs")
}

/// A walk of `frames` frames in front of Human3.6M's cameras.
fn walk(frames: usize) -> Vec<Joints> {
    let joints = motion::sample("walk").unwrap().joints;
    (0..frames).map(|t| joints[t % joints.len()]).collect()
}

fn array(frames: &[Joints], joints: usize, of: impl Fn(&Joints, usize) -> Vec<f64>) -> Object {
    let rows: Vec<f32> = frames
        .iter()
        .flat_map(|p| (0..joints).flat_map(|j| of(p, j)).collect::<Vec<_>>())
        .map(|v| v as f32)
        .collect();
    let width = rows.len() / frames.len() / joints;
    Object::Array(vec![frames.len(), joints, width], rows)
}

/// Poses (T, 32, 3) in metres, keypoints of four cameras (T, 17, 2), of one action in two trials.
fn human36m(work: &Workspace, subject: &str, action: &str) -> Vec<Joints> {
    let frames = walk(60);
    let camera = read_cameras(&configs().join("cameras-h36m.json")).unwrap();
    let name = format!("{subject}/60457274");
    let camera = camera
        .into_iter()
        .find(|camera| camera.name == name)
        .unwrap();
    let poses = |frames: &[Joints]| {
        array(frames, 32, |p, j| {
            let source = JOINTS_OF_32.iter().position(|k| *k == j).unwrap_or(0);
            p[source].iter().copied().collect()
        })
    };
    let pixels = |frames: &[Joints]| {
        array(frames, 17, |p, j| {
            camera.project(&p[j]).unwrap().iter().copied().collect()
        })
    };
    let empty = || Object::Array(vec![63, 17, 2], vec![0.0; 63 * 34]);
    // Keypoints go on for three frames after the poses end.
    let longer = walk(63);
    let entry = |trial: &str, object: Object| (format!("{action}{trial}"), object);
    let views = || Object::List(vec![empty(), empty(), empty(), pixels(&longer)]);
    let of_subject = |entries| Object::Dict(vec![(subject.to_string(), Object::Dict(entries))]);
    let other = walk(5);
    let poses = of_subject(vec![entry("", poses(&other)), entry(" 1", poses(&frames))]);
    let keypoints = of_subject(vec![entry("", Object::List(vec![])), entry(" 1", views())]);
    work.write("data_3d_h36m.npz", &npz("positions_3d", &poses));
    work.write(
        "data_2d_h36m_cpn_ft_h36m_dbb.npz",
        &npz("positions_2d", &keypoints),
    );
    frames
}

fn observation(input: &Input) -> &Observation {
    match input {
        Input::Keypoints(observation) => observation,
        Input::Poses(_) => panic!("poses"),
    }
}

#[test]
fn human36m_in_the_layout_of_videopose3d() {
    let work = Workspace::new();
    let frames = human36m(&work, "S9", "WalkDog");
    let manifest = Manifest::read(&configs().join("evaluate-h36m.json")).unwrap();
    let root = work.path("");
    let reader = Reader::new(&manifest, &root).unwrap();
    let name = |wanted: &str| manifest.names().iter().position(|n| n == wanted).unwrap();
    let k = name("S9 WalkDog 2, 60457274");
    let sequence = reader.read(k, None).unwrap();
    let seen = observation(&sequence.input);
    assert_eq!((seen.len(), seen.fps), (30, 25.0));
    let truth = sequence.truth.unwrap();
    for (t, joints) in truth.iter().enumerate() {
        for (a, b) in joints.iter().zip(&frames[2 * t]) {
            assert!((a - b).norm() < 1e-6);
        }
    }
    // The camera and the keypoints belong together.
    assert!(seen.reprojection_error(&truth).unwrap() < 1e-3);
    let short = reader.read(k, Some(0.4)).unwrap();
    assert_eq!(observation(&short.input).len(), 11);
    let error = reader
        .read(name("S11 Walking 1, 60457274"), None)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("S11"), "{error}");
}

#[test]
fn absent_data_say_what_to_get() {
    let work = Workspace::new();
    for (manifest, wanted) in [
        ("evaluate-h36m.json", "vision.imar.ro"),
        ("evaluate-aist.json", "aistplusplus_dataset"),
    ] {
        let path = configs().join(manifest);
        let args = ["evaluate", "--manifest", path.to_str().unwrap(), "--root"];
        let (root, out) = (work.arg("nothing"), work.arg("out"));
        let message = program::fail(&[&args[..], &[&root, "--out", &out]].concat(), 2);
        assert!(message.contains(wanted), "{message}");
        assert!(!work.path("out").exists());
    }
}

#[test]
fn aist_annotations_as_they_come() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/aist/annotation");
    if !root.is_dir() {
        eprintln!("SKIPPED: no AIST++ annotations at {}", root.display());
        return;
    }
    let work = Workspace::new();
    let manifest = |all_cameras: bool| {
        let text = format!(
            r#"{{"title": "t", "get": "g", "observed_fps": 30, "dataset": "aist",
                "estimates": "keypoints3d", "truth": "keypoints3d_optim",
                "all_cameras": {all_cameras},
                "clips": [{{"sequence": "gBR_sBM_c06_d06_mBR2_ch06", "frames": [0, 59]}}]}}"#
        );
        Manifest::read(Path::new(&work.write("m.json", text.as_bytes()))).unwrap()
    };
    for (all_cameras, views) in [(false, 1), (true, 9)] {
        let manifest = manifest(all_cameras);
        let sequence = Reader::new(&manifest, &root)
            .unwrap()
            .read(0, None)
            .unwrap();
        let seen = observation(&sequence.input);
        assert_eq!((seen.views.len(), seen.len(), seen.fps), (views, 30, 30.0));
        let truth = sequence.truth.unwrap();
        // Detections, calibration and 3D agree.
        let error = seen.reprojection_error(&truth).unwrap();
        assert!(error < 15.0, "{error} px");
        let floor = Observation::floor_of(&truth);
        assert!((0.5..0.75).contains(&floor), "{floor} m");
        assert!(seen.views[0].camera.position().z > 1.0);
        let joint: &Vector3<f64> = &truth[0][10];
        assert!((1.2..2.5).contains(&(joint.z - floor)), "{joint}");
    }
}

#[test]
fn files_of_views_and_cameras_in_different_numbers_are_refused() {
    let work = Workspace::new();
    let manifest = work.write(
        "m.json",
        br#"{"title": "t", "get": "g", "observed_fps": 25, "dataset": "files", "clips": [
            {"name": "x", "keypoints": "k.npy", "layout": "h36m17", "camera": "c.json",
             "fps": 25}]}"#,
    );
    let manifest = Manifest::read(Path::new(&manifest)).unwrap();
    let camera = r#"{"size": [1000, 1000], "focal": [1000, 1000], "position": [-5, 0, 1.5],
        "rotation": [[0, -1, 0], [0, 0, -1], [1, 0, 0]]}"#;
    let pixel = |(_, j, k): (usize, usize, usize)| 400.0 + 10.0 * (j + k) as f32;
    work.write_array("k.npy", &Array3::from_shape_fn((8, 17, 2), pixel));
    let root = work.path("");
    let read = |cameras: &str| {
        work.write("c.json", cameras.as_bytes());
        Reader::new(&manifest, &root).unwrap().read(0, None)
    };
    let sequence = read(camera).unwrap();
    assert_eq!(observation(&sequence.input).views.len(), 1);
    let error = read(&format!("[{camera}, {camera}]")).err().unwrap();
    let expected = "x: views: found 1 views, 2 cameras; give a camera file with";
    assert!(error.to_string().contains(expected), "{error}");
}
