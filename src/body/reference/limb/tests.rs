use std::path::{Path, PathBuf};

use nalgebra::{Isometry3, Matrix3, Rotation3, UnitQuaternion, Vector3};

use super::super::reference_poses;
use crate::body::{Subject, fit};
use crate::motion::files::pickle::Pickle;
use crate::motion::files::smpl::body::{COUNT, TURNS, offsets, orientations, pose};
use crate::motion::skeleton::{
    HEAD, LEFT_ELBOW, LEFT_HIP, LEFT_KNEE, LEFT_SHOULDER, Layout, RIGHT_ELBOW, RIGHT_HIP,
    RIGHT_KNEE, RIGHT_SHOULDER, THORAX,
};
use crate::motion::{Motion, ReadOptions, Reading, Turns, read, sample};

const FRAMES: usize = 40;

/// Links of the humanoid.
const HEAD_LINK: usize = 3;
const LEFT_ARM: usize = 10;

/// Reads an archive as AMASS has them: a body that stands upright, every frame with these `turns` besides.
fn standing(turns: &[(usize, Vector3<f64>)]) -> Reading {
    let mut row = [0.0; 3 * TURNS];
    row[0] = std::f64::consts::FRAC_PI_2; // about x: y up becomes z up
    for (joint, turn) in turns {
        row[3 * joint..][..3].copy_from_slice(turn.as_slice());
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stand_stageii.npz");
    let file = std::fs::File::create(&path).unwrap();
    let mut npz = ndarray_npy::NpzWriter::new(file);
    let poses = ndarray::Array2::from_shape_fn((FRAMES, 3 * TURNS), |(_, k)| row[k]);
    let trans = ndarray::Array2::from_elem((FRAMES, 3), 0.5);
    npz.add_array("poses", &poses).unwrap();
    npz.add_array("trans", &trans).unwrap();
    npz.finish().unwrap();
    read(&path, &ReadOptions::default()).unwrap()
}

fn links(motion: &Motion) -> Vec<Vec<Isometry3<f64>>> {
    let body = fit(motion, &Subject::default()).unwrap();
    let poses = reference_poses(&body, motion).unwrap();
    let links = poses.iter().map(|pose| body.forward_kinematics(pose));
    links.collect()
}

/// The turn of a link against its parent about axis `k`, degrees, in the middle of `motion`.
fn twist(motion: &Motion, link: usize, k: usize) -> f64 {
    let body = fit(motion, &Subject::default()).unwrap();
    let q = reference_poses(&body, motion).unwrap()[FRAMES / 2].rotations[link];
    (2.0 * (q.coords[k] / q.w).atan()).to_degrees()
}

#[test]
fn straight_arms_and_heads_turn_as_the_file_says() {
    let [arm, forearm] = [18, 20].map(|joint| offsets()[joint].normalize());
    let straight = Rotation3::rotation_between(&forearm, &arm).unwrap();
    for degrees in [-50.0_f64, 40.0, 70.0] {
        let turn = degrees.to_radians();
        let reading = standing(&[
            (16, turn * arm),
            (18, straight.scaled_axis()),
            (15, 0.8 * turn * Vector3::y()),
        ]);
        let note = "rotations: turns of upper arms, thighs and head as the file has them";
        assert!(
            reading.notes.iter().any(|n| n == note),
            "{:?}",
            reading.notes
        );
        let with = reading.motion;
        let without = Motion {
            turns: None,
            ..with.clone()
        };
        for (link, axis, expected) in [(LEFT_ARM, 1, degrees), (HEAD_LINK, 2, 0.8 * degrees)] {
            let [with, without] = [&with, &without].map(|motion| twist(motion, link, axis));
            assert!((with - expected).abs() < 5.0, "{with} for {expected}");
            assert!(
                (without - expected).abs() > 15.0,
                "{without} for {expected}"
            );
        }
    }
}

#[test]
fn directions_that_are_not_known_leave_it_to_the_positions() {
    let without = sample("turn").unwrap();
    let unknown = Turns {
        hinges: [Vector3::zeros(); 4],
        facing: Vector3::zeros(),
    };
    let with = Motion {
        turns: Some(vec![unknown; without.len()]),
        ..without.clone()
    };
    let pairs = links(&with).into_iter().zip(links(&without));
    for (with, without) in pairs.flat_map(|(a, b)| a.into_iter().zip(b)) {
        assert!(with.rotation.angle_to(&without.rotation) < 1e-7);
    }
}

/// A folder of the shared data, which the repository has not.
fn shared(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MOTIONFIT_SHARED").unwrap_or_else(|| "../shared".into());
    let path = Path::new(&root).join("data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no {} (set MOTIONFIT_SHARED)", path.display());
    None
}

/// Links whose turn about themselves positions leave open, with their joints and the direction between these in the
/// T-pose, in SMPL's axes; and SMPL's joint.
fn open_links() -> [(usize, [usize; 2], Vector3<f64>, usize); 5] {
    let (x, y) = (Vector3::x(), Vector3::y());
    [
        (4, [RIGHT_HIP, RIGHT_KNEE], -y, 2),
        (7, [LEFT_HIP, LEFT_KNEE], -y, 1),
        (LEFT_ARM, [LEFT_SHOULDER, LEFT_ELBOW], x, 16),
        (12, [RIGHT_SHOULDER, RIGHT_ELBOW], -x, 17),
        (HEAD_LINK, [THORAX, HEAD], y, 15),
    ]
}

/// Mean turns about themselves of thighs, upper arms and head in the reference poses against SMPL's own, degrees.
fn off_smpl(path: &Path, reading: &Reading, motion: &Motion) -> [f64; 3] {
    let pickle = Pickle::open(path).unwrap();
    let turns = pickle.root().entry("smpl_poses").unwrap();
    let turns = turns.array("smpl_poses").unwrap().values;
    let up = reading.world_from_file.fixed_columns::<3>(0).into_owned();
    let up = Rotation3::from_matrix_unchecked(up / up.column(0).norm());
    // From SMPL's axes (x left, y up, z forward) to those of the links.
    let axes = Matrix3::from_columns(&[Vector3::y(), Vector3::z(), Vector3::x()]);
    let axes = Rotation3::from_matrix_unchecked(axes);
    let rest = pose(&[Vector3::zeros(); TURNS], &offsets());
    let rest = Layout::Smpl24.convert(&rest).joints;
    let links = links(motion);
    let off = |(link, [a, b], along, joint): (usize, [usize; 2], Vector3<f64>, usize)| {
        let align = Rotation3::rotation_between(&(rest[b] - rest[a]), &along).unwrap();
        let frames = links.iter().zip(turns.chunks_exact(3 * COUNT));
        let angles = frames.map(|(links, row)| {
            let turn = |j: usize| Vector3::from_column_slice(&row[3 * j..][..3]);
            let world = orientations(&std::array::from_fn(turn))[joint];
            let expected = up * world * align.inverse() * axes.inverse();
            let expected = UnitQuaternion::from_rotation_matrix(&expected);
            let off = links[link].rotation.inverse() * expected;
            let about = (axes * along).dot(&off.vector());
            (2.0 * about.abs().atan2(off.w.abs())).to_degrees()
        });
        angles.sum::<f64>() / links.len() as f64
    };
    let [a, b, c, d, head] = open_links().map(off);
    [(a + b) / 2.0, (c + d) / 2.0, head]
}

/// Mean angle by which knees and elbows turn about other axes than their hinge, degrees.
fn off_hinges(motion: &Motion) -> [f64; 2] {
    let links = links(motion);
    let off = |(upper, axis): (usize, Vector3<f64>)| {
        let angles = links.iter().map(|links| {
            let [a, b] = [upper, upper + 1].map(|link| links[link].rotation * axis);
            a.angle(&b).to_degrees()
        });
        angles.sum::<f64>() / links.len() as f64
    };
    let (y, z) = (Vector3::y(), Vector3::z());
    let [a, b, c, d] = [(4, y), (7, y), (10, z), (12, z)].map(off);
    [(a + b) / 2.0, (c + d) / 2.0]
}

/// `cargo test --lib turned_as_smpl_has_them -- --nocapture` prints the figures of docs/formats.md.
#[test]
fn bones_of_dances_are_turned_as_smpl_has_them() {
    let Some(folder) = shared("aist/annotation/motions") else {
        return;
    };
    let files = std::fs::read_dir(folder).unwrap();
    for path in files.map(|file| file.unwrap().path()) {
        let options = ReadOptions {
            smoothing: "off".parse().unwrap(),
            ..ReadOptions::default()
        };
        let reading = read(&path, &options).unwrap();
        let with = &reading.motion;
        assert!(with.turns.is_some());
        let without = Motion {
            turns: None,
            ..with.clone()
        };
        let [told, inferred] = [with, &without].map(|motion| off_smpl(&path, &reading, motion));
        let [bent, inferred_bent] = [with, &without].map(off_hinges);
        eprintln!(
            "{}: thighs, upper arms, head {told:.1?}° off SMPL's, by positions {inferred:.1?}°; knees, elbows {bent:.1?}° \
             off their hinges, by positions {inferred_bent:.1?}°",
            with.name
        );
        for (told, inferred) in told.iter().zip(inferred) {
            assert!(*told < 0.9 * inferred, "{told} {inferred}");
        }
    }
}
