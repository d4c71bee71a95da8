//! Files as the tools of the field write them, where the shared data set is at hand.
//!
//! The data are looked for in `$MOTIONFIT_SHARED` or `../shared`; without them these tests only say
//! so.

mod shared_data;

use std::path::Path;

use motionfit::body::{self, Body, Link, Subject};
use motionfit::motion::files::c3d::C3d;
use motionfit::motion::files::pickle::Pickle;
use motionfit::motion::{self, Motion, ReadOptions, Reading};
use motionfit::scene::Scene;
use motionfit::simulation::{Engine, Physics, Velocity, World};
use nalgebra::{Isometry3, Quaternion, UnitQuaternion, Vector3, Vector4};
use serde_json::Value;
use shared_data::{files, shared};

fn noted(reading: &Reading, expected: &str) -> bool {
    reading.notes.iter().any(|note| note.contains(expected))
}

/// COCO keypoints and the joints of Human3.6M-17 that they are.
const LIMBS: [(usize, usize); 12] = [
    (5, 11),
    (6, 14),
    (7, 12),
    (8, 15),
    (9, 13),
    (10, 16),
    (11, 4),
    (12, 1),
    (13, 5),
    (14, 2),
    (15, 6),
    (16, 3),
];

/// The keypoints that AIST++ measured, brought to the world of `reading`, in the order of [`LIMBS`].
fn measured(path: &Path, reading: &Reading) -> Vec<Vec<Vector3<f64>>> {
    let pickle = Pickle::open(path).unwrap();
    let points = pickle.root().entry("keypoints3d_optim").unwrap();
    let points = points.array("keypoints3d_optim").unwrap();
    let place = |p: &[f64]| reading.world_from_file * Vector4::new(p[0], p[1], p[2], 1.0);
    let frames = points.values.chunks_exact(51);
    frames
        .map(|frame| {
            LIMBS
                .map(|(coco, _)| place(&frame[3 * coco..][..3]))
                .to_vec()
        })
        .collect()
}

/// The scale about the middle of its frame that brings `found` nearest to `wanted`.
fn best_scale(found: &[Vec<Vector3<f64>>], wanted: &[Vec<Vector3<f64>>]) -> f64 {
    let (mut dot, mut square) = (0.0, 0.0);
    for (found, wanted) in found.iter().zip(wanted) {
        let middle =
            |points: &[Vector3<f64>]| points.iter().sum::<Vector3<f64>>() / LIMBS.len() as f64;
        let (a, b) = (middle(found), middle(wanted));
        for (p, q) in found.iter().zip(wanted) {
            dot += (p - a).dot(&(q - b));
            square += (p - a).norm_squared();
        }
    }
    dot / square
}

#[test]
fn poses_of_aist_are_where_its_keypoints_are() {
    let Some(folder) = shared("aist/annotation") else {
        return;
    };
    for path in files(&folder.join("motions"), ".pkl") {
        let options = ReadOptions {
            smoothing: "off".parse().unwrap(),
            ..ReadOptions::default()
        };
        let reading = motion::read(&path, &options).unwrap();
        for note in [
            "60 fps, as all of AIST++",
            "units: cm",
            "up axis: y",
            "smpl24",
        ] {
            assert!(noted(&reading, note), "{note}: {:?}", reading.notes);
        }
        let wanted = measured(
            &folder.join("keypoints3d").join(path.file_name().unwrap()),
            &reading,
        );
        let frames = reading.motion.joints.iter();
        let found: Vec<Vec<_>> = frames
            .map(|joints| LIMBS.map(|(_, joint)| joints[joint]).to_vec())
            .collect();
        assert_eq!(found.len(), wanted.len());
        let scale = best_scale(&found, &wanted);
        let errors: Vec<f64> = found
            .iter()
            .zip(&wanted)
            .map(|(a, b)| {
                a.iter().zip(b).map(|(p, q)| (p - q).norm()).sum::<f64>() / LIMBS.len() as f64
            })
            .collect();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let worst = errors.iter().fold(0.0_f64, |a, b| a.max(*b));
        eprintln!(
            "{}: mean {:.1} mm, worst frame {:.1} mm, best scale {scale:.3}",
            path.display(),
            1e3 * mean,
            1e3 * worst
        );
        assert!(mean < 0.030 && worst < 0.080 && (scale - 1.0).abs() < 0.03);
    }
}

/// Numbers of a JSON array; `null` is not a number.
fn numbers(list: &Value) -> Vec<f64> {
    let numbers = list.as_array().unwrap().iter();
    numbers.map(|x| x.as_f64().unwrap_or(f64::NAN)).collect()
}

fn assert_near(found: &[f64], wanted: &[f64], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (a, b) in found.iter().zip(wanted) {
        let near = (a - b).abs() <= 1e-5 * b.abs().max(1.0) || a.is_nan() && b.is_nan();
        assert!(near, "{what}: {a} where ezc3d reads {b}");
    }
}

/// Compares a file with what ezc3d reads of it (tools/golden_c3d.py).
fn assert_as_ezc3d(path: &Path, golden: &Value) {
    let file = C3d::read(path, |_, _| Ok(())).unwrap();
    let count = file.names.len();
    let name = path.display().to_string();
    assert_near(
        &[file.frames as f64, count as f64],
        &numbers(&golden["shape"]),
        &name,
    );
    assert_eq!(
        (file.fps, file.unit.as_str()),
        (
            golden["rate"].as_f64().unwrap(),
            golden["units"].as_str().unwrap()
        )
    );
    let names: Vec<&String> = file.names.iter().step_by(29).collect();
    assert_eq!(serde_json::to_value(names).unwrap(), golden["names"]);
    let missing = file
        .points
        .chunks_exact(3)
        .filter(|p| p[0].is_nan())
        .count();
    assert_eq!(
        missing as u64,
        golden["missing"].as_u64().unwrap(),
        "{name}"
    );
    let sum = file
        .points
        .iter()
        .filter(|x| x.is_finite())
        .map(|x| x.abs())
        .sum::<f64>();
    assert_near(&[sum], &[golden["sum"].as_f64().unwrap()], &name);
    for row in golden["some"].as_array().unwrap() {
        let row = numbers(row);
        let at = 3 * (row[0] as usize * count + row[1] as usize);
        assert_near(&file.points[at..at + 3], &row[2..], &name);
    }
    let analog = &file.analog;
    let samples = analog.values.len() / analog.channels();
    assert_near(
        &[samples as f64, analog.channels() as f64],
        &numbers(&golden["analog_shape"]),
        &name,
    );
    let sum = analog.values.iter().map(|x| x.abs()).sum::<f64>();
    assert_near(&[sum], &[golden["analog_sum"].as_f64().unwrap()], &name);
    let row = &analog.values[samples / 2 * analog.channels()..][..analog.channels()];
    assert_near(row, &numbers(&golden["analog"]), &name);
    let plates = golden["plates"].as_array().unwrap();
    assert_eq!(file.plates.len(), plates.len());
    for (plate, golden) in file.plates.iter().zip(plates) {
        let corners: Vec<f64> = plate.corners.iter().flat_map(|p| [p.x, p.y, p.z]).collect();
        assert_near(&corners, &numbers(&golden["corners"]), &name);
        assert_near(plate.origin.as_slice(), &numbers(&golden["origin"]), &name);
        let channels: Vec<f64> = plate.channels.iter().map(|c| *c as f64).collect();
        assert_near(&channels, &numbers(&golden["channels"]), &name);
    }
}

#[test]
fn c3d_files_are_read_as_ezc3d_reads_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let golden = std::fs::read_to_string(folder.join("c3d.json")).unwrap();
    let golden: Value = serde_json::from_str(&golden).unwrap();
    let raw = shared("grf/raw");
    for (name, golden) in golden.as_object().unwrap() {
        let kept = folder.join("c3d").join(name);
        match (kept.is_file(), &raw) {
            (true, _) => assert_as_ezc3d(&kept, golden),
            (false, Some(raw)) => assert_as_ezc3d(&raw.join(name), golden),
            (false, None) => eprintln!("SKIPPED: {name}"),
        }
    }
}

/// Mean distances, m, of the joints of two motions, by joint.
fn distances(a: &Motion, b: &Motion) -> Vec<f64> {
    assert_eq!(a.len(), b.len());
    let mean = |j: usize| {
        let frames = a.joints.iter().zip(&b.joints);
        frames.map(|(a, b)| (a[j] - b[j]).norm()).sum::<f64>() / a.len() as f64
    };
    (0..17).map(mean).collect()
}

/// The conversion took Plug-in Gait's origins as well, but a spine that bends.
#[test]
fn joints_of_recorded_trials_are_those_of_their_conversion() {
    let Some(folder) = shared("grf") else { return };
    for (raw, converted) in [
        ("HC002D25_turn.c3d", "hc002d_turn.npy"),
        ("HC039A17_straight.c3d", "hc039a_straight.npy"),
    ] {
        let options = ReadOptions {
            smoothing: "off".parse().unwrap(),
            ..ReadOptions::default()
        };
        let reading = motion::read(&folder.join("raw").join(raw), &options).unwrap();
        for note in [
            "Intel floats",
            "RFEP, RFEO, RTIO, RCLO, RHUO, RRAO",
            "100 fps",
            "units: mm",
        ] {
            assert!(noted(&reading, note), "{note}: {:?}", reading.notes);
        }
        let wanted = motion::read(&folder.join(converted), &options).unwrap();
        let found = distances(&reading.motion, &wanted.motion);
        eprintln!("{raw}: {found:.3?}");
        for (joint, distance) in found.iter().enumerate() {
            let limit = if joint == 7 { 0.05 } else { 0.015 };
            assert!(*distance < limit, "{raw}: {found:.3?}");
        }
    }
}

#[test]
fn trials_without_markers_on_the_knees_are_refused_by_name() {
    let Some(folder) = shared("grf/raw") else {
        return;
    };
    for name in ["subject01_walk1.trc", "subject02_running.trc"] {
        let error = motion::read(&folder.join(name), &ReadOptions::default()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let line = error.to_string();
        assert!(
            line.contains("no right knee, right ankle, left knee"),
            "{line}"
        );
    }
}

/// The world poses and velocities of the links of `body` by MuJoCo's coordinates, of which the links are in
/// the order of `names`.
fn start(body: &Body, state: &Value, names: &[String]) -> (Vec<Isometry3<f64>>, Vec<Velocity>) {
    let numbers = |key: &str| -> Vec<f64> { serde_json::from_value(state[key].clone()).unwrap() };
    let (qpos, qvel) = (numbers("qpos"), numbers("qvel"));
    let vector = |v: &[f64]| Vector3::new(v[0], v[1], v[2]);
    let rotation =
        |q: &[f64]| UnitQuaternion::new_normalize(Quaternion::new(q[0], q[1], q[2], q[3]));
    let place = |link: &Link| names.iter().position(|name| *name == link.name).unwrap();
    let mut poses: Vec<Isometry3<f64>> = Vec::new();
    let mut velocities: Vec<Velocity> = Vec::new();
    for link in &body.links {
        let k = place(link);
        let turn = rotation(&qpos[3 + 4 * k..]);
        let spin = vector(&qvel[3 + 3 * k..]);
        let Some(parent) = link.parent else {
            poses.push(Isometry3::from_parts(vector(&qpos).into(), turn));
            velocities.push(Velocity {
                linear: vector(&qvel),
                angular: turn * spin,
            });
            continue;
        };
        let pose = poses[parent] * Isometry3::from_parts(link.offset.into(), turn);
        let arm = pose.translation.vector - poses[parent].translation.vector;
        velocities.push(Velocity {
            linear: velocities[parent].linear + velocities[parent].angular.cross(&arm),
            angular: velocities[parent].angular + pose.rotation * spin,
        });
        poses.push(pose);
    }
    (poses, velocities)
}

/// A second of free fall with limp joints, from the middle of the sample walk (tools/check_mjcf.py): in
/// our engine within 1 % of MuJoCo.
#[test]
fn a_limp_body_falls_as_in_mujoco() {
    let text = include_str!("golden/mujoco_fall.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    let names: Vec<String> = serde_json::from_value(golden["names"].clone()).unwrap();
    let mut body = body::fit(&motion::sample("walk").unwrap(), &Subject::default()).unwrap();
    for link in &mut body.links {
        (
            link.joint.stiffness,
            link.joint.damping,
            link.joint.torque_limit,
        ) = (0.0, 0.0, 0.0);
    }
    let (mut poses, velocities) = start(&body, &golden["start"], &names);
    let height: Vector3<f64> = 10.0 * Vector3::z(); // nothing is to be touched
    poses
        .iter_mut()
        .for_each(|pose| pose.translation.vector += height);
    let physics = Physics::default();
    let (mut world, mut engine) = (
        World::new((&body, &Scene::default()), &physics, &poses, &velocities),
        Engine::new(&physics),
    );
    let frames: Vec<Vec<Vector3<f64>>> = serde_json::from_value(golden["joints"].clone()).unwrap();
    let steps = (golden["seconds"].as_f64().unwrap() / physics.timestep).round() as usize;
    let (mut worst, mut gone) = (0.0_f64, 0.0_f64);
    for wanted in &frames {
        let joints = body.marker_positions(&world.link_poses().collect::<Vec<_>>());
        for ((ours, theirs), first) in joints.iter().zip(wanted).zip(&frames[0]) {
            worst = worst.max((ours - height - theirs).norm());
            gone = gone.max((theirs - first).norm());
        }
        for _ in 0..steps {
            world.step(&mut engine);
        }
    }
    eprintln!("{:.1} mm apart after {gone:.2} m", 1e3 * worst);
    assert!(gone > 4.5 && worst < 0.01 * gone, "{worst} {gone}");
}
