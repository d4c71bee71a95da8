//! Reading recorded motion: every clip of the shared data set, where it is at hand.
//!
//! The data are looked for in `$MOTIONFIT_SHARED` or `../shared`; without them these tests only say
//! so.

mod shared_data;

use std::path::Path;

use motionfit::metrics::{self, MotionMetrics};
use motionfit::motion::skeleton::{Layout, bones};
use motionfit::motion::{self, Motion, ReadOptions, Reading};
use shared_data::{files, shared};

fn read(path: &Path, options: &ReadOptions) -> Reading {
    motion::read(path, options).unwrap_or_else(|error| panic!("{error}"))
}

fn noted(reading: &Reading, expected: &str) -> bool {
    reading.notes.iter().any(|note| note.contains(expected))
}

fn spread_of_bones(motion: &Motion) -> f64 {
    let spread = bones().map(|(parent, child)| {
        let lengths = motion.joints.iter().map(|f| (f[child] - f[parent]).norm());
        let (low, high) = lengths.fold((f64::MAX, 0f64), |(a, b), x| (a.min(x), b.max(x)));
        high - low
    });
    spread.fold(0.0, f64::max)
}

#[test]
fn cmu_clips_are_read_as_they_are() {
    for folder in ["cmu17", "cmu17_extra"] {
        let Some(folder) = shared(folder) else { return };
        for path in files(&folder, ".npy") {
            let reading = read(
                &path,
                &ReadOptions {
                    fps: Some(50.0),
                    ..ReadOptions::default()
                },
            );
            let name = path.display();
            for note in ["h36m17", "units: m", "up axis: z", "floor: at z = 0"] {
                assert!(
                    noted(&reading, note),
                    "{name}: no `{note}` in {:?}",
                    reading.notes
                );
            }
            // The conversion padded ends.
            let others = reading
                .notes
                .iter()
                .filter(|note| !note.contains("pads ends"));
            assert_eq!(others.count(), 4, "{name}: {:?}", reading.notes);
            assert!(
                (1.5..1.9).contains(&reading.stature),
                "{name}: {} m",
                reading.stature
            );
            let mut inner = reading.motion.clone();
            inner.joints = inner.joints[1..inner.joints.len() - 1].to_vec();
            assert!(spread_of_bones(&inner) < 1e-5, "{name}");
            let by_itself = MotionMetrics::of_observation(&reading.motion, reading.motion.len());
            assert!(
                (0.005..0.5).contains(&by_itself.acceleration_tv),
                "{name}: {by_itself:?}"
            );
        }
    }
}

#[test]
fn cmu_archives_bring_their_frame_rate() {
    let Some(folder) = shared("cmu17") else {
        return;
    };
    for path in files(&folder, ".npz").iter().take(10) {
        let reading = read(path, &ReadOptions::default());
        assert_eq!(reading.motion.fps, 50.0, "{}", path.display());
        assert!(noted(&reading, "units: m") && noted(&reading, "up axis: z"));
    }
}

#[test]
fn a_clip_in_other_units_axes_and_height_is_the_same_clip() {
    let Some(folder) = shared("cmu17") else {
        return;
    };
    let folder_out = tempfile::tempdir().unwrap();
    for clip in [
        "02_01.npy",
        "05_02.npy",
        "09_01.npy",
        "16_03.npy",
        "131_03.npy",
    ] {
        let original = read(&folder.join(clip), &ReadOptions::default());
        let joints = original.motion.joints.iter().flatten();
        // Millimetres, y up, the floor 300 mm below the origin.
        let points = joints
            .flat_map(|p| [1e3 * p.y, 1e3 * p.z - 300.0, 1e3 * p.x])
            .collect();
        let array = ndarray::Array3::<f64>::from_shape_vec((original.motion.len(), 17, 3), points);
        let path = folder_out.path().join(clip);
        ndarray_npy::write_npy(&path, &array.unwrap()).unwrap();
        let moved = read(&path, &ReadOptions::default());
        assert!(
            noted(&moved, "units: mm") && noted(&moved, "up axis: y"),
            "{:?}",
            moved.notes
        );
        let (a, b) = (&moved.motion.joints, &original.motion.joints);
        let aligned = metrics::mpjpe(a, b, metrics::Alignment::Root);
        assert!(aligned < 1e-9, "{clip}: {aligned}");
        assert!(
            metrics::mpjpe_global(a, b) < 0.045,
            "{clip}: the floor is off"
        );
    }
}

#[test]
fn aist_keypoints_are_recognized_and_agree_with_their_conversion() {
    let Some(folder) = shared("aist") else { return };
    for path in files(&folder, "_coco17.npy") {
        let options = ReadOptions {
            fps: Some(60.0),
            ..ReadOptions::default()
        };
        let reading = read(&path, &options);
        assert!(noted(&reading, "layout: coco17"), "{:?}", reading.notes);
        let converted = path.to_string_lossy().replace("coco17", "h36m17");
        let converted = read(Path::new(&converted), &options);
        assert!(noted(&converted, &format!("layout: {}", Layout::H36m17)));
        let error = metrics::mpjpe_global(&reading.motion.joints, &converted.motion.joints);
        assert!(error < 1e-6, "{}: {error}", path.display());
    }
}

/// The largest difference, m, between distances of joints of two motions in the frames `at` tells.
fn difference(a: &Motion, b: &Motion, joints: &[usize], at: &[(usize, usize)]) -> f64 {
    let mut largest = 0.0_f64;
    for &(i, k) in at {
        let (a, b) = (&a.joints[i], &b.joints[k]);
        for (n, &p) in joints.iter().enumerate() {
            for &q in &joints[..n] {
                largest = largest.max(((a[p] - a[q]).norm() - (b[p] - b[q]).norm()).abs());
            }
        }
    }
    largest
}

#[test]
fn skeletons_agree_with_their_conversion() {
    let (Some(skeletons), Some(arrays)) = (shared("cmu_bvh"), shared("cmu17")) else {
        return;
    };
    let limbs = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16];
    for path in files(&skeletons, ".bvh") {
        let reading = read(&path, &ReadOptions::default());
        let name = path.file_name().unwrap();
        for note in [
            "19 points from 31 joints: Left",
            "120 fps",
            "units: cmu",
            "up axis: y",
        ] {
            assert!(
                noted(&reading, note),
                "{name:?}: no `{note}` in {:?}",
                reading.notes
            );
        }
        assert!(!noted(&reading, "trunk:"), "{name:?}: {:?}", reading.notes);
        let array = arrays.join(name).with_extension("npy");
        let converted = read(
            &array,
            &ReadOptions {
                fps: Some(50.0),
                ..ReadOptions::default()
            },
        );
        // Every tenth of a second. The conversion took noise away, moved spine and neck, and padded ends.
        let tenths = (converted.motion.len() - 1) / 5;
        let at: Vec<_> = (1..tenths).map(|k| (12 * k, 5 * k)).collect();
        let limbs = difference(&reading.motion, &converted.motion, &limbs, &at);
        assert!(limbs < 0.02, "{name:?}: limbs differ by {limbs} m");
        let statures = (reading.stature, converted.stature);
        assert!(
            (statures.0 - statures.1).abs() < 0.04,
            "{name:?}: {statures:?}"
        );
    }
}

#[test]
fn lost_bones_and_rest_poses_of_original_skeletons_are_seen() {
    let (Some(originals), Some(repaired)) = (shared("cmu_orig"), shared("cmu_bvh")) else {
        return;
    };
    // The last has other names: its "Neck" and "LeftShoulder" are others' "Neck1" and "LeftArm".
    for (file, at_rest) in [("02_01", true), ("35_07", true), ("131_01_max", false)] {
        let path = originals.join(file).with_extension("bvh");
        let reading = read(&path, &ReadOptions::default());
        let notes = &reading.notes;
        assert_eq!(noted(&reading, "first frame"), at_rest, "{file}: {notes:?}");
        assert!(
            noted(&reading, "trunk: neck and shoulders"),
            "{file}: {notes:?}"
        );
        let other = file.trim_end_matches("_max");
        let other = read(
            &repaired.join(other).with_extension("bvh"),
            &ReadOptions::default(),
        );
        let frames = reading.motion.len().min(other.motion.len());
        let at: Vec<_> = (0..frames).map(|t| (t, t)).collect();
        let all: Vec<usize> = (0..17).collect();
        let apart = difference(&reading.motion, &other.motion, &all, &at);
        assert!(apart < 0.008, "{file}: {apart} m");
    }
}

#[test]
fn toes_tell_the_floor_too() {
    let Some(folder) = shared("cmu17") else {
        return;
    };
    let out = tempfile::tempdir().unwrap();
    for path in files(&folder, ".npy") {
        let joints: ndarray::Array3<f32> = ndarray_npy::read_npy(&path).unwrap();
        let archive = std::fs::File::open(path.with_extension("npz")).unwrap();
        let mut archive = ndarray_npy::NpzReader::new(archive).unwrap();
        // (T, side: left, right; point: ankle, toe base, toe end; 3)
        let feet: ndarray::Array4<f32> = archive.by_name("feet").unwrap();
        let toe = |side: usize| feet.slice(ndarray::s![.., side, 1..2, ..]);
        let views = [joints.view(), toe(1), toe(0)];
        let with_toes = ndarray::concatenate(ndarray::Axis(1), &views).unwrap();
        let path = out.path().join(path.file_name().unwrap());
        ndarray_npy::write_npy(&path, &with_toes).unwrap();
        let reading = read(&path, &ReadOptions::default());
        assert!(noted(&reading, "layout: h36m17-toes"));
        assert!(
            noted(&reading, "floor: at z = 0"),
            "{}: {:?}",
            path.display(),
            reading.notes
        );
        let toes = reading.motion.toes.expect("the layout has toes");
        let right = (toes[0][0] - reading.motion.joints[0][3]).norm();
        assert!(
            (0.08..0.2).contains(&right),
            "{}: {right} m from ankle to toe",
            path.display()
        );
    }
}
