//! `motionfit reconstruct KEYPOINTS`: the whole path on a short walk, and bad input.

use std::fs;

use ndarray::Array3;
use program::pickle::{Object, pickle};
use program::{Workspace, fail, motionfit, succeed, text, walk_array};

mod program;

const FRAMES: usize = 15;

/// The first frames of the sample walk as a camera 1.5 m high sees them: (T, 17, 2), px, no
/// confidences.
fn pixels() -> Array3<f32> {
    let joints = walk_array();
    // x_cam = −y, y_cam = 1.5 − z, z_cam = 6 − x … seen from in front.
    Array3::from_shape_fn((FRAMES, 17, 2), |(t, j, axis)| {
        let [x, y, z] = [0, 1, 2].map(|k| joints[[2 * t, j, k]]);
        let depth = 6.0 - x;
        match axis {
            0 => 500.0 + 1000.0 * y / depth,
            _ => 500.0 + 1000.0 * (1.5 - z) / depth,
        }
    })
}

/// A workspace with keypoints, their camera, and the true joints.
fn workspace() -> (Workspace, String, String) {
    let work = Workspace::new();
    let keypoints = work.write_array("walk.npy", &pixels());
    let camera = r#"{"size": [1000, 1000], "focal": [1000, 1000], "position": [6, 0, 1.5],
        "rotation": [[0, 1, 0], [0, 0, -1], [-1, 0, 0]]}"#;
    let camera = work.write("camera.json", camera.as_bytes());
    let joints = walk_array();
    let truth = Array3::from_shape_fn((FRAMES, 17, 3), |(t, j, k)| joints[[2 * t, j, k]]);
    work.write_array("truth.npy", &truth);
    (work, keypoints, camera)
}

/// The arguments of a reconstruction from keypoints at 25 fps with 3D estimates.
fn with_estimates<'a>(keypoints: &'a str, camera: &'a str, estimates: &'a str) -> [&'a str; 10] {
    [
        "reconstruct",
        keypoints,
        "--camera",
        camera,
        "--keypoint-layout",
        "h36m17",
        "--fps",
        "25",
        "--estimates",
        estimates,
    ]
}

#[test]
fn keypoints_and_estimates_become_a_simulated_motion() {
    let (work, keypoints, camera) = workspace();
    let (truth, out) = (work.arg("truth.npy"), work.arg("out"));
    let run = |out: &str, threads: &str| {
        let options = [
            "--truth",
            &truth,
            "--evaluations",
            "2",
            "--out",
            out,
            "--threads",
            threads,
            "--end",
            "0.36",
        ];
        succeed(&[&with_estimates(&keypoints, &camera, &truth)[..], &options].concat())
    };
    let said = run(&out, "2");
    assert!(said.contains("3D estimates"), "{said}");
    let metrics = work.json("out/metrics.json");
    assert_eq!(
        (&metrics["frames"], &metrics["fps"]),
        (&10.into(), &25.0.into())
    );
    let number = |key: &str| metrics[key].as_f64().unwrap();
    assert!(
        number("mpjpe_global_mm") < 60.0 && number("mpjpe_2d_px") < 8.0,
        "{metrics}"
    );
    assert!(metrics["estimates"]["mpjpe_global_mm"].as_f64().unwrap() < 1e-6);
    assert!(metrics["kinematic"]["uncertainty_mm"].as_f64().unwrap() > 0.0);
    for name in [
        "motion.glb",
        "motion.npz",
        "kinematic.npz",
        "report.html",
        "loss.csv",
    ] {
        assert!(work.path("out").join(name).is_file(), "{name}");
    }
    // The same bytes with another number of threads.
    run(&work.arg("again"), "1");
    for name in ["motion.npz", "kinematic.npz", "motion.glb", "config.json"] {
        let [a, b] = ["out", "again"].map(|run| fs::read(work.path(run).join(name)).unwrap());
        assert!(a == b, "{name} differs");
    }
}

#[test]
fn estimates_of_another_place_are_mentioned_before_and_after_the_simulation() {
    let (work, keypoints, camera) = workspace();
    let joints = walk_array();
    let aside = Array3::from_shape_fn((FRAMES, 17, 3), |(t, j, k)| {
        joints[[2 * t, j, k]] + if k == 1 { 1.5 } else { 0.0 }
    });
    let aside = work.write_array("aside.npy", &aside);
    let out = work.arg("out");
    let options = ["--evaluations", "1", "--out", &out, "--end", "0.2"];
    let output = motionfit(&[&with_estimates(&keypoints, &camera, &aside)[..], &options].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    for said in [&output.stderr, &output.stdout].map(|bytes| text(bytes)) {
        let mut lines = said.lines();
        let warning = lines.find(|line| line.contains("WARNING: the kinematic fit"));
        let warning = warning.unwrap_or_else(|| panic!("no warning in {said}"));
        assert!(warning.contains("--estimates-frame"), "{warning}");
    }
}

#[test]
fn bad_keypoints_are_explained_in_one_line() {
    let (work, keypoints, camera) = workspace();
    let array = pixels();
    let normalized = work.write_array("normalized.npy", &array.mapv(|v| v / 500.0 - 1.0));
    let large = work.write_array("large.npy", &array.mapv(|v| 4.0 * v));
    let unseen = Array3::from_shape_fn((FRAMES, 17, 3), |(t, j, k)| match k {
        2 => 0.0,
        k => array[[t, j, k]],
    });
    let unseen = work.write_array("unseen.npy", &unseen);
    let short = work.write_array("short.npy", &Array3::<f32>::zeros((3, 17, 3)));
    let views = Object::Array(vec![1, FRAMES, 17, 2], array.iter().copied().collect());
    let aist = pickle(&Object::Dict(vec![("keypoints2d".to_string(), views)]));
    let aist = work.write("aist.pkl", &aist);
    let empty = work.write("empty/readme.txt", b"");
    let empty = empty.strip_suffix("/readme.txt").unwrap().to_string();
    let out = work.arg("out");
    let common = ["--fps", "25", "--keypoint-layout", "h36m17", "--out", &out];
    let with_camera = ["--camera", &camera];
    let cases: [(&str, &[&str], &str); 14] = [
        (&normalized, &with_camera, "resolution"),
        (&large, &with_camera, "resolution"),
        (&unseen, &with_camera, "confidence"),
        (&empty, &with_camera, "_keypoints.json"),
        (&keypoints, &["--camera", &keypoints], "walk.npy"),
        (
            &keypoints,
            &["--camera", &camera, "--estimates", &short],
            "short.npy",
        ),
        (
            &keypoints,
            &["--camera", &camera, "--use-cameras", "left"],
            "camera0",
        ),
        (
            &keypoints,
            &["--camera", &camera, "--smooth", "off"],
            "--smooth",
        ),
        (
            &keypoints,
            &["--focal", "1000", "--image-size", "big"],
            "--image-size",
        ),
        (
            &keypoints,
            &["--focal", "1", "--image-size", "1000x1000"],
            "--focal",
        ),
        (
            &keypoints,
            &["--camera", &camera, "--image-size", "1000x1000"],
            "--image-size",
        ),
        (
            &keypoints,
            &[
                "--focal",
                "1000",
                "--image-size",
                "1000x1000",
                "--use-cameras",
                "left",
            ],
            "--use-cameras",
        ),
        (
            &keypoints,
            &["--camera", &camera, "--array", "kp2d"],
            "leave out --array kp2d",
        ),
        (
            &aist,
            &["--camera", &camera, "--person", "2"],
            "leave out --person 2",
        ),
    ];
    for (file, options, expected) in cases {
        let args = [&["reconstruct", file], options, &common[..]].concat();
        let message = fail(&args, 2);
        assert!(message.contains(expected), "{expected}: {message}");
        assert!(!work.path("out").exists(), "{message}");
    }
    // Without a camera these are no poses; without a frame rate there is no time.
    let message = fail(
        &[
            "reconstruct",
            &keypoints,
            "--truth",
            &keypoints,
            "--out",
            &out,
        ],
        2,
    );
    assert!(message.contains("--camera"), "{message}");
    let message = fail(
        &[
            "reconstruct",
            &keypoints,
            "--camera",
            &camera,
            "--out",
            &out,
        ],
        2,
    );
    assert!(message.contains("--fps"), "{message}");
}
