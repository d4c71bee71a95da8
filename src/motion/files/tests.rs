use std::path::PathBuf;

use nalgebra::{Vector3, Vector4};

use super::*;
use crate::motion::JOINTS;
use crate::motion::calibration::FLOOR_TOLERANCE;

mod rates;
mod refused;

/// A person 1.6 m tall in file units of `unit` metres, walking along x, (frames, 17, 3).
fn person(frames: usize, unit: f64) -> Vec<f64> {
    let side = |y: f64, z: f64| [[0.0, y, z], [0.0, y, z]];
    let rest: [[f64; 3]; JOINTS] = [
        [0.0, 0.0, 0.9],
        [0.0, -0.1, 0.9],
        [0.06, -0.1, 0.48],
        [0.0, -0.1, 0.07],
        side(0.1, 0.9)[0],
        [0.06, 0.1, 0.48],
        side(0.1, 0.07)[1],
        [0.0, 0.0, 1.12],
        [0.0, 0.0, 1.36],
        [0.0, 0.0, 1.46],
        [0.0, 0.0, 1.56],
        [0.0, 0.2, 1.34],
        [0.0, 0.22, 1.06],
        [0.0, 0.22, 0.84],
        [0.0, -0.2, 1.34],
        [0.0, -0.22, 1.06],
        [0.0, -0.22, 0.84],
    ];
    let step = |t: usize| 0.02 * t as f64;
    let point = move |t: usize, p: &[f64; 3]| [(p[0] + step(t)) / unit, p[1] / unit, p[2] / unit];
    (0..frames)
        .flat_map(|t| {
            rest.iter()
                .flat_map(move |p| point(t, p))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The bytes of an array of `f8`.
pub(super) fn npy(shape: &str, values: &[f64]) -> Vec<u8> {
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

/// Reads `bytes` as the file `clip.npy`.
fn read_bytes(bytes: &[u8], options: &ReadOptions) -> Result<Reading> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.npy");
    std::fs::write(&path, bytes).unwrap();
    read(&path, options)
}

fn read_person(values: &[f64], options: &ReadOptions) -> Result<Reading> {
    read_bytes(
        &npy(&format!("({}, 17, 3)", values.len() / 51), values),
        options,
    )
}

/// Asserts that reading fails with exit code 2 and one line that contains `expected`.
fn refused(result: Result<Reading>, expected: &str) {
    let error = result.expect_err(expected);
    assert_eq!(error.exit_code(), 2, "{error}");
    let line = error.to_string();
    assert!(
        line.contains(expected) && !line.contains('\n'),
        "`{expected}` is not in `{line}`"
    );
}

fn noted(reading: &Reading, expected: &str) -> bool {
    reading.notes.iter().any(|note| note.contains(expected))
}

#[test]
fn a_plain_file_is_read_as_it_is() {
    let reading = read_person(&person(50, 1.0), &ReadOptions::default()).unwrap();
    assert_eq!(
        (reading.motion.len(), reading.motion.fps),
        (50, DEFAULT_FPS)
    );
    assert_eq!(reading.motion.name, "clip");
    assert!((reading.motion.joints[10][0].x - 0.2).abs() < 1e-12);
    assert!((reading.stature - 1.67).abs() < 0.05, "{}", reading.stature);
    for note in [
        "50 fps assumed",
        "units: m",
        "up axis: z",
        "floor: at z = 0",
    ] {
        assert!(noted(&reading, note), "{note}: {:?}", reading.notes);
    }
}

#[test]
fn units_axes_and_floors_come_out_the_same() {
    let expected = read_person(&person(30, 1.0), &ReadOptions::default())
        .unwrap()
        .motion;
    for unit in Unit::METRIC {
        for y_up in [false, true] {
            let mut values = person(30, unit.metres());
            for p in values.chunks_exact_mut(3) {
                p[2] += 0.5 / unit.metres();
                if y_up {
                    // (x, y, z) of the file = (y, z, x) here.
                    p.rotate_left(1);
                }
            }
            let reading = read_person(&values, &ReadOptions::default()).unwrap();
            assert!(noted(&reading, &format!("units: {unit}")));
            assert!(noted(
                &reading,
                if y_up { "up axis: y" } else { "up axis: z" }
            ));
            assert!(noted(&reading, "moved to z = 0"));
            let world_from_file = reading.world_from_file;
            for (p, joint) in values
                .chunks_exact(3)
                .zip(reading.motion.joints.iter().flatten())
            {
                let point = world_from_file * Vector4::new(p[0], p[1], p[2], 1.0);
                assert!((point - joint).norm() < 1e-9);
            }
            for (a, b) in reading
                .motion
                .joints
                .iter()
                .flatten()
                .zip(expected.joints.iter().flatten())
            {
                // The floor is found within its tolerance, everything else exactly.
                assert!((a - b).xy().norm() < 1e-9 && (a.z - b.z).abs() < FLOOR_TOLERANCE);
            }
        }
    }
}

#[test]
fn the_head_of_who_crawls_does_not_point_up() {
    // On the side, and forth along y at 1 m/s for three seconds.
    let mut values = person(150, 1.0);
    for (i, p) in values.chunks_exact_mut(3).enumerate() {
        let time = (i / 17) as f64 / 50.0;
        let [x, y, z] = [p[0], p[1], p[2]];
        p.copy_from_slice(&[x, z + time, 0.3 - y]);
    }
    let reading = read_person(&values, &ReadOptions::default()).unwrap();
    assert!(noted(
        &reading,
        "up axis: not clear from the body, z assumed"
    ));
    // Who stands there, or walks, is another matter.
    let mut values = person(150, 1.0);
    for (i, p) in values.chunks_exact_mut(3).enumerate() {
        let time = (i / 17) as f64 / 50.0;
        let [x, y, z] = [p[0], p[1], p[2]];
        p.copy_from_slice(&[x + time, z, -y]);
    }
    let reading = read_person(&values, &ReadOptions::default()).unwrap();
    assert!(noted(&reading, "up axis: y"));
}

#[test]
fn coco_is_recognized_by_its_geometry() {
    let mut values = Vec::new();
    for frame in person(20, 1.0).chunks_exact(51) {
        let p = |j: usize| [frame[3 * j], frame[3 * j + 1], frame[3 * j + 2]];
        let face = |y: f64| [frame[27] + 0.08, y, 1.5];
        values.extend([face(0.0), face(0.03), face(-0.03), face(0.07), face(-0.07)].concat());
        values.extend([11, 14, 12, 15, 13, 16, 4, 1, 5, 2, 6, 3].map(p).concat());
    }
    let reading = read_person(&values, &ReadOptions::default()).unwrap();
    assert!(noted(&reading, "layout: coco17"));
    assert!((reading.motion.joints[0][6] - Vector3::new(0.0, 0.1, 0.07)).norm() < 1e-9);
}

#[test]
fn short_gaps_are_bridged_and_long_ones_refused() {
    let mut values = person(50, 1.0);
    for t in 10..20 {
        values[51 * t + 3 * 13] = f64::NAN;
    }
    let reading = read_person(&values, &ReadOptions::default()).unwrap();
    assert!(noted(&reading, "10 missing joint positions bridged"));
    assert!((reading.motion.joints[15][13].x - 0.3).abs() < 1e-9);
    values[51 * 20 + 3 * 13] = f64::NAN;
    let options = ReadOptions::default();
    refused(
        read_person(&values, &options),
        "left_wrist: found nothing in frames 10 to 20",
    );
    // The same gap outside the part that is asked for does no harm.
    let options = ReadOptions {
        start: Some(0.5),
        ..options
    };
    assert_eq!(read_person(&values, &options).unwrap().motion.len(), 25);
}

#[test]
fn frames_with_all_joints_in_one_place_are_missing() {
    let whole = person(50, 1.0);
    let lose = |frames: std::ops::Range<usize>| {
        let mut values = whole.clone();
        values[51 * frames.start..51 * frames.end].fill(0.0);
        read_person(&values, &ReadOptions::default())
    };
    let reading = lose(20..23).unwrap();
    assert!(noted(&reading, "frames: 3 with all joints in one place"));
    assert!(noted(&reading, "51 missing joint positions bridged"));
    assert!((reading.motion.joints[21][13].x - 0.42).abs() < 1e-9);
    refused(lose(20..31), "pelvis: found nothing in frames 20 to 30");
}

#[test]
fn joints_at_exactly_zero_are_missing_unless_poses_are_relative_to_them() {
    let lose = |values: &mut [f64]| {
        for (frames, joint) in [(20..21, 3), (30..37, 16)] {
            frames.for_each(|t: usize| values[51 * t + 3 * joint..][..3].fill(0.0));
        }
    };
    let mut values = person(50, 1.0);
    lose(&mut values);
    let reading = read_person(&values, &ReadOptions::default()).unwrap();
    assert!(noted(&reading, "zeros: 8 joint positions"));
    assert!(noted(&reading, "gaps: 8 missing joint positions bridged"));
    let joints = &reading.motion.joints;
    assert!((joints[20][3].x - 0.4).abs() < 1e-9 && (joints[33][16].x - 0.66).abs() < 1e-9);
    // The pelvis of root-relative poses is where it is said to be.
    let mut relative = person(50, 1.0);
    for frame in relative.chunks_exact_mut(51) {
        let pelvis = [frame[0], frame[1], frame[2]];
        (0..51).for_each(|k| frame[k] -= pelvis[k % 3]);
    }
    let reading = read_person(&relative, &ReadOptions::default()).unwrap();
    assert!(!noted(&reading, "zeros") && !noted(&reading, "gaps"));
    lose(&mut relative);
    let reading = read_person(&relative, &ReadOptions::default()).unwrap();
    assert!(noted(&reading, "zeros: 8 joint positions"));
}

#[test]
fn a_joint_elsewhere_for_a_single_frame_is_missing() {
    for unit in [1.0, 0.001] {
        let mut values = person(50, unit);
        values[51 * 20 + 3 * 13] += 5.0 / unit;
        let reading = read_person(&values, &ReadOptions::default()).unwrap();
        assert!(noted(&reading, "spikes: 1 joint positions"));
        assert!(noted(&reading, "frame 20, joint 13"));
        assert!(noted(&reading, "gaps: 1 missing joint positions bridged"));
        assert!((reading.motion.joints[20][13].x - 0.4).abs() < 1e-9);
    }
    // A hand to and fro at 12 m/s is a fast one.
    let mut values = person(50, 1.0);
    (20..30).for_each(|t: usize| values[51 * t + 3 * 13] += 0.24 * (t % 2) as f64);
    let reading = read_person(&values, &ReadOptions::default()).unwrap();
    assert!(!noted(&reading, "spikes") && !noted(&reading, "gaps"));
}

#[test]
fn mirrored_bodies_are_mentioned() {
    let mut values = person(20, 1.0);
    assert!(!noted(
        &read_person(&values, &ReadOptions::default()).unwrap(),
        "swapped"
    ));
    for p in values.chunks_exact_mut(3) {
        p[1] = -p[1];
    }
    assert!(noted(
        &read_person(&values, &ReadOptions::default()).unwrap(),
        "swapped"
    ));
}

#[test]
fn cuts_are_in_seconds_and_checked() {
    let values = person(51, 1.0);
    let cut = |start, end| {
        let options = ReadOptions {
            start,
            end,
            fps: Some(25.0),
            ..ReadOptions::default()
        };
        read_person(&values, &options)
    };
    let reading = cut(Some(1.0), Some(1.6)).unwrap();
    assert_eq!(reading.motion.len(), 16);
    assert!((reading.motion.joints[0][0].x - 0.5).abs() < 1e-12);
    assert!(noted(&cut(None, Some(9.0)).unwrap(), "beyond the clip"));
    refused(cut(Some(5.0), None), "--start: time: found 5 s; ");
    refused(cut(Some(-1.0), None), "found -1 s");
    refused(cut(Some(f64::NAN), None), "NaN");
    refused(cut(Some(1.0), Some(1.0)), "--end");
    refused(cut(Some(1.0), Some(1.001)), "two frames");
}

#[test]
fn embedded_motions_can_be_cut_as_well() {
    let walk = crate::motion::sample("walk").unwrap();
    let (part, notes) = excerpt(walk.clone(), Some(0.5), Some(1.0)).unwrap();
    assert_eq!(part.joints, walk.joints[25..=50]);
    assert_eq!(notes, ["cut: frames 25 to 50"]);
    assert_eq!(
        excerpt(walk.clone(), None, None).unwrap(),
        (walk.clone(), vec![])
    );
    let error = excerpt(walk, Some(99.0), None).unwrap_err().to_string();
    assert!(error.contains("walk goes from 0 to"), "{error}");
}

#[test]
fn noisy_joints_are_smoothed_before_anything_else_is_found() {
    let clean = person(100, 0.001);
    let noisy = |mm: f64| -> Vec<f64> {
        let scatter = |k: usize| (k as f64 * 12.9898).sin() * 43758.5453 % 1.0;
        let add = |(k, x): (usize, &f64)| x + mm * 3f64.sqrt() * scatter(k);
        clean.iter().enumerate().map(add).collect()
    };
    let read = |values: &[f64], smoothing| {
        let options = ReadOptions {
            smoothing,
            ..ReadOptions::default()
        };
        read_person(values, &options).unwrap()
    };
    let truth = read(&clean, Smoothing::Auto);
    let error = |reading: &Reading| {
        let pairs = reading.motion.joints.iter().zip(&truth.motion.joints);
        let squares = pairs.flat_map(|(a, b)| (0..JOINTS).map(|j| (a[j] - b[j]).norm_squared()));
        (squares.sum::<f64>() / (3.0 * JOINTS as f64 * 100.0)).sqrt()
    };
    let noted = |reading: &Reading, text: &str| reading.notes.iter().any(|n| n.contains(text));
    assert!(!noted(&truth, "noise"));
    for mm in [3.0, 20.0] {
        let given = noisy(mm);
        let smoothed = read(&given, Smoothing::Auto);
        assert!(noted(&smoothed, "smoothed"), "{:?}", smoothed.notes);
        assert!(error(&smoothed) < 0.4e-3 * mm, "{}", error(&smoothed));
        let left = read(&given, Smoothing::Off);
        assert!(noted(&left, "left as it is"), "{:?}", left.notes);
        assert!(error(&left) > 0.8e-3 * mm);
    }
    assert!(noted(&read(&clean, Smoothing::On), "noise: 0.0 mm"));
}
