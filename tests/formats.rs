//! Files as the tools of the field write them, where the shared data set is at hand.
//!
//! The data are looked for in `$MOTIONFIT_SHARED` or `../shared`; without them these tests only say
//! so.

use std::path::{Path, PathBuf};

use motionfit::motion::files::pickle::Pickle;
use motionfit::motion::{self, ReadOptions, Reading};
use nalgebra::{Vector3, Vector4};

/// A folder of the shared data.
fn shared(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MOTIONFIT_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let path = root.join("data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no {} (set MOTIONFIT_SHARED)", path.display());
    None
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no {ending} in {}", folder.display());
    files
}

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
