use super::*;
use crate::motion::{self, Motion, ReadOptions};

#[test]
fn joint_rotations_give_the_links_back() {
    let recording = fixture::recording();
    for frame in &recording.trajectory.frames {
        let links = recording
            .body
            .forward_kinematics(&pose(&recording.body, frame));
        for (ours, theirs) in links.iter().zip(&frame.links) {
            assert!((ours.to_homogeneous() - theirs.to_homogeneous()).norm() < 1e-12);
        }
    }
}

/// Mean angle between the links of a recording and those of the reference poses of `motion`, degrees.
fn off(recording: &Recording, motion: &Motion) -> f64 {
    let body = &recording.body;
    let poses = crate::body::reference_poses(body, motion).unwrap();
    let frames = poses.iter().zip(&recording.trajectory.frames);
    let angles = frames.flat_map(|(pose, frame)| {
        let links = body.forward_kinematics(pose);
        let pairs = links.into_iter().zip(&frame.links);
        pairs.map(|(a, b)| a.rotation.angle_to(&b.rotation))
    });
    let count = poses.len() * body.links.len();
    (angles.sum::<f64>() / count as f64).to_degrees()
}

#[test]
fn rotations_in_exported_files_are_read_again() {
    let recording = fixture::turned("walk");
    let folder = tempfile::tempdir().unwrap();
    let smpl = smpl::encode(&recording).unwrap();
    let bvh = bvh::encode(&recording).into_bytes();
    for (name, bytes) in [("walk.npz", smpl), ("walk.bvh", bvh)] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let with = motion::read(&path, &ReadOptions::default()).unwrap().motion;
        let without = Motion {
            turns: None,
            ..with.clone()
        };
        let [with, without] = [&with, &without].map(|motion| off(&recording, motion));
        eprintln!("{name}: {with:.1}°, without rotations {without:.1}°");
        assert!(with < 0.5 * without, "{name}: {with} {without}");
    }
}

#[test]
fn frames_that_do_not_fit_are_refused() {
    let Recording {
        body,
        mut trajectory,
        reference,
    } = fixture::recording();
    let short = reference[1..].to_vec();
    assert!(Recording::new(body.clone(), trajectory.clone(), short).is_err());
    trajectory.frames[2].links[1].translation.z = f64::NAN;
    let error = Recording::new(body, trajectory, reference).unwrap_err();
    assert!(error.to_string().contains("frame 2"), "{error}");
}
