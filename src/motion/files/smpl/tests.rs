use std::io::Write;
use std::path::PathBuf;

use super::super::tests::npy;
use super::*;
use crate::motion::{Motion, ReadOptions, Reading, Turns, excerpt, read, resample};

mod shapes;

const FRAMES: usize = 40;

/// Turns of a body that stands upright in a world with z up and swings its left arm.
fn turns(width: usize) -> Vec<f64> {
    let mut turns = vec![0.0; FRAMES * width];
    for (t, row) in turns.chunks_exact_mut(width).enumerate() {
        row[0] = std::f64::consts::FRAC_PI_2; // about x: y up becomes z up
        row[3 * 16 + 2] = -1.2 + 0.01 * t as f64;
    }
    turns
}

fn translation() -> Vec<f64> {
    let at = |t: usize| [0.01 * t as f64, 0.0, 1.1];
    (0..FRAMES).flat_map(at).collect()
}

/// Writes an archive of arrays by name and shape.
pub(super) fn archive(arrays: &[(&str, &str, Vec<f64>)]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk_stageii.npz");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    for (name, shape, values) in arrays {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("{name}.npy"), options).unwrap();
        zip.write_all(&npy(shape, values)).unwrap();
    }
    zip.finish().unwrap();
    (folder, path)
}

fn amass(width: usize, rate: &str) -> Result<Reading> {
    let (_folder, path) = archive(&[
        ("poses", &format!("({FRAMES}, {width})"), turns(width)),
        ("trans", &format!("({FRAMES}, 3)"), translation()),
        ("betas", "(16,)", vec![0.0; 16]),
        (rate, "()", vec![120.0]),
    ]);
    read(&path, &ReadOptions::default())
}

fn noted(reading: &Reading, expected: &str) -> bool {
    reading.notes.iter().any(|note| note.contains(expected))
}

#[test]
fn amass_is_read_whatever_the_body_model_and_the_spelling_of_the_rate() {
    let plain = amass(72, "fps").unwrap();
    for (width, rate) in [(156, "mocap_framerate"), (165, "mocap_frame_rate")] {
        let reading = amass(width, rate).unwrap();
        assert_eq!(reading.motion.fps, 120.0);
        assert_eq!(reading.motion.joints, plain.motion.joints);
        for note in [
            "poses, trans",
            "1.73 m tall, as the file does not say",
            "betas",
            "layout: smpl24",
            "up axis: z",
        ] {
            assert!(noted(&reading, note), "{note}: {:?}", reading.notes);
        }
        assert!(reading.motion.toes.is_some());
        assert!((reading.stature - body::STATURE).abs() < 0.005);
    }
}

/// Whether all directions are known.
fn turned(motion: &Motion) -> bool {
    let is_unit = |v: &Vector3<f64>| (v.norm() - 1.0).abs() < 1e-9;
    let turns = motion.turns.as_ref().unwrap();
    let is_turned = |t: &Turns| is_unit(&t.facing) && t.hinges.iter().all(is_unit);
    turns.len() == motion.len() && turns.iter().all(is_turned)
}

#[test]
fn limbs_and_head_are_turned_as_the_joints_are() {
    let reading = amass(156, "mocap_framerate").unwrap();
    assert!(noted(
        &reading,
        "rotations: turns of upper arms, thighs and head"
    ));
    assert!(turned(&reading.motion));
    // Upright, z up, looking along −y; the left arm, 1.2 rad down, goes up.
    let all = reading.motion.turns.unwrap();
    for (t, turns) in all.iter().enumerate() {
        let (x, y, z) = (Vector3::x(), Vector3::y(), Vector3::z());
        let down = 1.2 - 0.01 * t as f64;
        let left = -z * down.cos() - x * down.sin();
        let wanted = [x, x, z, left, -y];
        let found = turns.hinges.into_iter().chain([turns.facing]);
        for (found, wanted) in found.zip(wanted) {
            assert!((found - wanted).norm() < 1e-9, "{t}: {found} {wanted}");
        }
    }
}

#[test]
fn directions_follow_axes_cuts_and_rates() {
    let mut upright = turns(156);
    upright.chunks_exact_mut(156).for_each(|row| row[0] = 0.0);
    let up: Vec<f64> = (0..FRAMES).flat_map(|_| [0.0, 1.1, 0.0]).collect();
    let (_folder, path) = archive(&[
        ("poses", "(40, 156)", upright),
        ("trans", "(40, 3)", up),
        ("fps", "()", vec![120.0]),
    ]);
    let options = ReadOptions {
        start: Some(0.1),
        smoothing: "on".parse().unwrap(),
        ..ReadOptions::default()
    };
    let reading = read(&path, &options).unwrap();
    assert!(noted(&reading, "up axis: y") && turned(&reading.motion));
    let motion = resample(&reading.motion, 50.0);
    assert!(turned(&motion) && motion.len() < 15);
    let (motion, _) = excerpt(motion, None, Some(0.1)).unwrap();
    assert!(turned(&motion) && motion.len() == 6);
    // The face looks along the file's z, which is x here.
    let turns = motion.turns.unwrap();
    assert!((turns[3].facing - Vector3::x()).norm() < 1e-6);
    let down = 1.2 - 0.01 * (12.0 + 3.0 * 2.4);
    let left = Vector3::new(0.0, -f64::sin(down), -f64::cos(down));
    assert!(
        (turns[3].hinges[3] - left).norm() < 1e-3,
        "{}",
        turns[3].hinges[3]
    );
}

#[test]
fn a_head_that_is_nowhere_told_is_not_turned_and_read_nevertheless() {
    let mut poses = turns(156);
    poses
        .chunks_exact_mut(156)
        .for_each(|row| row[3 * 15] = f64::NAN);
    let (_folder, path) = archive(&[
        ("poses", "(40, 156)", poses),
        ("trans", "(40, 3)", translation()),
    ]);
    let turns = read(&path, &ReadOptions::default())
        .unwrap()
        .motion
        .turns
        .unwrap();
    let is_known = |turns: &Turns| turns.facing == Vector3::zeros() && turns.hinges[3].norm() > 0.9;
    assert!(turns.iter().all(is_known));
}

#[test]
fn turns_in_two_arrays_are_the_same_as_in_one() {
    let all = turns(66);
    let part = |range: std::ops::Range<usize>| -> Vec<f64> {
        let rows = all.chunks_exact(66);
        rows.flat_map(|row| row[range.clone()].to_vec()).collect()
    };
    let plain = amass(156, "mocap_framerate").unwrap();
    for (root, body, shape, trans) in [
        (
            "root_orient",
            "pose_body",
            format!("({FRAMES}, 63)"),
            "trans",
        ),
        (
            "global_orient",
            "body_pose",
            format!("({FRAMES}, 21, 3)"),
            "transl",
        ),
    ] {
        let (_folder, path) = archive(&[
            (root, &format!("({FRAMES}, 3)"), part(0..3)),
            (body, &shape, part(3..66)),
            (trans, &format!("({FRAMES}, 3)"), translation()),
            ("mocap_frame_rate", "()", vec![120.0]),
        ]);
        let reading = read(&path, &ReadOptions::default()).unwrap();
        assert_eq!(reading.motion.joints, plain.motion.joints);
        assert!(noted(&reading, &format!("{root}, {body}, {trans}")));
    }
}

#[test]
fn the_stature_sizes_the_body_and_not_the_way_it_goes() {
    let (_folder, path) = archive(&[
        ("poses", &format!("({FRAMES}, 156)"), turns(156)),
        ("trans", &format!("({FRAMES}, 3)"), translation()),
    ]);
    let options = ReadOptions {
        stature: Some(1.5),
        ..ReadOptions::default()
    };
    let reading = read(&path, &options).unwrap();
    assert!((reading.stature - 1.5).abs() < 0.005, "{}", reading.stature);
    assert!(noted(&reading, "1.50 m tall (--stature)"));
    let way = reading.motion.joints[FRAMES - 1][0] - reading.motion.joints[0][0];
    assert!((way.x - 0.39).abs() < 1e-9, "{way}");
}

#[test]
fn what_does_not_fit_is_refused_in_one_line() {
    let trans = || ("trans", "(40, 3)", translation());
    for (arrays, expected) in [
        (
            vec![("poses", "(39, 156)", turns(156)[156..].to_vec()), trans()],
            "39 frames",
        ),
        (
            vec![("poses", "(40, 30)", vec![0.0; 1200]), trans()],
            "poses [40, 30]",
        ),
        (
            vec![("poses", "(40, 156)", vec![1e4; 40 * 156]), trans()],
            "radians",
        ),
        (
            vec![("root_orient", "(40, 3)", vec![0.0; 120]), trans()],
            "root_orient [40, 3]",
        ),
        (
            vec![
                ("poses", "(1000000000, 156)", vec![]),
                ("trans", "(1000000000, 3)", vec![]),
            ],
            "at most 1 h",
        ),
    ] {
        let (_folder, path) = archive(&arrays);
        let error = read(&path, &ReadOptions::default()).unwrap_err();
        let line = error.to_string();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(
            line.contains(expected) && !line.contains('\n'),
            "{expected}: {line}"
        );
    }
}

#[test]
fn pickles_of_something_else_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.pkl");
    std::fs::copy("tests/golden/arrays_protocol4.pkl", &path).unwrap();
    let error = read(&path, &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("found a, b") && error.contains("smpl_poses"),
        "{error}"
    );
    std::fs::write(&path, b"\x80\x04garbage").unwrap();
    assert_eq!(
        read(&path, &ReadOptions::default())
            .unwrap_err()
            .exit_code(),
        2
    );
}

/// A file of tests/golden/formats (tools/golden_formats.py).
fn golden(name: &str, options: &ReadOptions) -> Result<Reading> {
    read(&PathBuf::from("tests/golden/formats").join(name), options)
}

#[test]
fn results_of_programs_for_video_are_read() {
    let person = ReadOptions {
        person: Some(2),
        ..ReadOptions::default()
    };
    let clip = ReadOptions {
        clip: Some("walk_2".into()),
        ..ReadOptions::default()
    };
    let plain = ReadOptions::default();
    for (name, options, note, frames) in [
        (
            "wham_output.pkl",
            &person,
            "clip: 3 of 2",
            FRAMES_OF_VIDEO + 2,
        ),
        ("prompthmr.pkl", &plain, "as PromptHMR", FRAMES_OF_VIDEO),
        ("phc.pkl", &clip, "clip: walk_2 of 2", FRAMES_OF_VIDEO),
        ("hmr4d_results.pt", &plain, "as GVHMR", FRAMES_OF_VIDEO),
    ] {
        let reading = golden(name, options).unwrap();
        assert!(noted(&reading, note), "{name}: {:?}", reading.notes);
        let motion = &reading.motion;
        assert_eq!((motion.joints.len(), motion.fps), (frames, 30.0), "{name}");
        // But for the ends, which seem to lag.
        let way = motion.joints[frames - 2][0] - motion.joints[1][0];
        assert!(
            (way.norm() - 0.01 * (FRAMES_OF_VIDEO - 3) as f64).abs() < 1e-6,
            "{name}: {way}"
        );
        let [head, foot] = [10, 3].map(|joint| motion.joints[0][joint].z);
        assert!(head > 1.5 && foot < 0.3, "{name}: {head} {foot}");
        assert!(turned(motion), "{name}");
    }
}

const FRAMES_OF_VIDEO: usize = 24;

#[test]
fn one_of_several_must_be_chosen() {
    for (options, expected) in [
        (
            ReadOptions::default(),
            "people or clips: found 2: 0, 3; choose",
        ),
        (
            ReadOptions {
                person: Some(3),
                ..ReadOptions::default()
            },
            "--person: number: found 3;",
        ),
        (
            ReadOptions {
                clip: Some("run".into()),
                ..ReadOptions::default()
            },
            "--clip: name: found `run`; choose one of 0, 3",
        ),
    ] {
        let line = golden("wham_output.pkl", &options).unwrap_err().to_string();
        assert!(line.contains(expected), "{line}");
    }
    let error = golden(
        "hmr4d_results.pt",
        &ReadOptions {
            person: Some(2),
            ..ReadOptions::default()
        },
    );
    assert!(error.unwrap_err().to_string().contains("holds one motion"));
}
