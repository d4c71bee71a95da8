use ndarray::{Array1, Array2, Array3};
use ndarray_npy::NpzWriter;

use super::*;
use crate::reconstruction::{Settings, TrackingProblem};
use crate::simulation::{Engine, Frame, Knots};

/// The sample walk with the ground forces of its bare reference, and plates that measured `share` of them.
fn measured(share: f64) -> (Reconstruction, ForcePlates) {
    let motion = crate::motion::sample("walk").unwrap();
    let problem = TrackingProblem::new(motion, &Settings::default()).unwrap();
    let knots = Knots::zeros(5, 90, problem.body.links.len());
    let mut engine = Engine::new(&problem.physics);
    let mut world = problem.world(0);
    let mut frames = vec![Frame::default()];
    frames.extend((0..40).map(|t| problem.advance(&mut world, &mut engine, &knots, t)));
    // Steps at both ends of every interval, so that the mean over it is the frame's.
    let count = 2 * (frames.len() - 1);
    let frame = |i: usize| &frames[i / 2 + 1];
    let time = Array1::from_shape_fn(count, |i| match i % 2 {
        0 => (i / 2) as f64 / 50.0 + 1e-9,
        _ => (i / 2 + 1) as f64 / 50.0,
    });
    let side = |foot: usize| Side::BOTH[foot];
    let force = Array3::from_shape_fn((count, 2, 3), |(i, foot, axis)| {
        let contact = Contact::on_foot(&frame(i).contacts, &problem.body, side(foot));
        share * contact.map_or(0.0, |contact| contact.force[axis])
    });
    let cop = Array3::from_shape_fn((count, 2, 3), |(i, foot, axis)| {
        let contact = Contact::on_foot(&frame(i).contacts, &problem.body, side(foot));
        contact.map_or(f64::NAN, |contact| contact.point[axis])
    });
    let file = tempfile::NamedTempFile::with_suffix(".npz").unwrap();
    let mut npz = NpzWriter::new(file.reopen().unwrap());
    npz.add_array("time", &time).unwrap();
    npz.add_array("force", &force).unwrap();
    npz.add_array("cop", &cop).unwrap();
    npz.add_array("valid", &Array2::from_elem((count, 2), true))
        .unwrap();
    npz.finish().unwrap();
    let plates = ForcePlates::from_archive(file.path()).unwrap();
    let trajectory = Trajectory {
        fps: 50.0,
        frames,
        ..Trajectory::default()
    };
    let run = Reconstruction {
        body: problem.body,
        poses: problem.poses,
        reference: problem.motion,
        kinematic_error_mm: 0.0,
        trajectory,
        curve: Vec::new(),
        windows: Vec::new(),
        evaluations: 0,
        failed_frames: Vec::new(),
    };
    (run, plates)
}

#[test]
fn forces_that_were_measured_so_have_no_error() {
    let (run, plates) = measured(1.0);
    let found = compare(&run, &plates, 0.0).unwrap();
    let score = &found.simulated;
    assert!(score.foot_seconds > 1.4, "{score:?}");
    assert!(
        score.vertical_rmse < 1e-3 && score.ap_rmse < 1e-3,
        "{score:?}"
    );
    assert!((score.pearson_r.unwrap() - 1.0).abs() < 1e-6);
    assert!((score.impulse_ratio.unwrap() - 1.0).abs() < 1e-6);
    assert!(score.cop_rmse_mm.unwrap() < 1e-2, "{score:?}");
    assert_eq!(found.measured.len(), run.trajectory.frames.len());
    assert_eq!(found.measured[0], [None, None]);
    let contact = Contact::on_foot(&run.trajectory.frames[20].contacts, &run.body, Side::Left);
    let (measured, simulated) = (found.measured[20][1].unwrap(), Push::from(contact));
    assert!((measured.force - simulated.force).norm() < 1e-3);
}

#[test]
fn half_the_measured_force_is_an_impulse_twice_as_large() {
    let (run, plates) = measured(0.5);
    let score = compare(&run, &plates, 0.0).unwrap().simulated;
    assert!((score.impulse_ratio.unwrap() - 2.0).abs() < 1e-6);
    assert!(score.vertical_mae > 10.0, "{score:?}");
    assert!(score.vertical_rmse > score.vertical_mae);
}

#[test]
fn kinematics_alone_are_scored_beside_the_simulation() {
    let (run, plates) = measured(1.0);
    let found = compare(&run, &plates, 0.0).unwrap();
    let kinematics = found.kinematics.as_ref().unwrap();
    assert_eq!(kinematics.foot_seconds, found.simulated.foot_seconds);
    assert!(
        (kinematics.impulse_ratio.unwrap() - 1.0).abs() < 0.2,
        "{kinematics:?}"
    );
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(
        json["kinematics"]["vertical_rmse"],
        kinematics.vertical_rmse
    );
    assert_eq!(json["vertical_rmse"], found.simulated.vertical_rmse);
    assert!(json.get("measured").is_none());
}

#[test]
fn plates_of_another_time_are_refused() {
    let (run, plates) = measured(1.0);
    let error = compare(&run, &plates, 100.0).unwrap_err().to_string();
    assert!(
        error.contains("no measured foot") && error.contains(".npz"),
        "{error}"
    );
}
