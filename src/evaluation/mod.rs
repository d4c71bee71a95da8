//! Measuring reconstructions: the record of one, sets of clips, and summaries over them.

use serde_json::{Map, Value, json};

use crate::body::{capsule_pairs, deepest};
use crate::metrics::{Alignment, Metrics, frame_errors};
use crate::motion::Joints;
use crate::reconstruction::{Reconstruction, exceeds};
use crate::simulation::{GRAVITY, Trajectory, simulated_feet};

pub mod clips;
mod failures;
pub mod journal;
mod keypoints;
pub mod manifest;
pub mod page;
pub mod paper_table;
pub mod plates;
pub mod sequences;
pub mod summary;
pub mod windows;

pub use failures::{Cause, Failure, failures};
pub use keypoints::keypoint_record;

/// A clip fails when the mean joint error of any frame is larger, or no number, mm.
pub const FAILURE_MM: f64 = 250.0;

/// A row of `clips.json`: `clip`, `category`, `optimizer`, `failed`, and the metrics.
pub type Row = Map<String, Value>;

/// The metrics of a reconstruction and how it went, as in `metrics.json`; without times, so that
/// the same input gives the same record.
pub fn record(reconstruction: &Reconstruction, optimizer: &str) -> Map<String, Value> {
    let metrics = measure(reconstruction);
    let windows = &reconstruction.windows;
    let retries: usize = windows
        .iter()
        .map(|window| window.attempts.saturating_sub(1))
        .sum();
    let mut record = Map::new();
    record.insert("optimizer".into(), json!(optimizer));
    record.insert("evaluations".into(), json!(reconstruction.evaluations));
    let failed = exceeds(metrics.max_frame_error_mm, FAILURE_MM);
    record.insert("failed".into(), json!(failed));
    record.insert("failed_frames".into(), json!(reconstruction.failed_frames));
    let failures = failures(reconstruction);
    if !failures.is_empty() {
        record.insert("failures".into(), json!(failures));
    }
    // A struct of numbers: serialization has nothing to fail on.
    if let Ok(Value::Object(metrics)) = serde_json::to_value(&metrics) {
        record.extend(metrics);
    }
    let reference = record.shift_remove("reference");
    let body = &reconstruction.body;
    record.insert(
        "kinematic_error_mm".into(),
        json!(reconstruction.kinematic_error_mm),
    );
    record.insert("stature_m".into(), json!(body.stature));
    record.insert("mass_kg".into(), json!(body.mass()));
    record.insert(
        "mean_ground_reaction_per_weight".into(),
        json!(support(reconstruction)),
    );
    record.insert(
        "max_torque_nm".into(),
        json!(max_torque(&reconstruction.trajectory)),
    );
    record.insert(
        "self_penetration_mm".into(),
        json!(self_penetration_mm(reconstruction)),
    );
    record.insert("windows".into(), json!(windows.len()));
    record.insert("retries".into(), json!(retries));
    record.extend(reference.map(|reference| ("reference".to_string(), reference)));
    record
}

/// How close the simulated motion is to the observed one, and how plausible either is.
pub fn measure(reconstruction: &Reconstruction) -> Metrics {
    let Reconstruction {
        body,
        trajectory,
        reference,
        ..
    } = reconstruction;
    let joints = simulated_joints(reconstruction);
    let links = trajectory.frames.iter().map(|frame| frame.links.as_slice());
    let feet = simulated_feet((body, &trajectory.scene), links);
    Metrics::new(&joints, &feet, reference, Alignment::default())
}

/// The joints of the simulated body in every observed frame, m.
fn simulated_joints(reconstruction: &Reconstruction) -> Vec<Joints> {
    let frames = reconstruction.trajectory.frames.iter();
    let joints = frames.map(|frame| reconstruction.body.marker_positions(&frame.links));
    joints.take(reconstruction.reference.len()).collect()
}

/// The time, s from the first frame, and the mean joint error, mm, of the frame in which the simulated body is furthest
/// off.
pub fn worst_frame(reconstruction: &Reconstruction) -> Option<(f64, f64)> {
    let joints = simulated_joints(reconstruction);
    let errors = frame_errors(&joints, &reconstruction.reference.joints);
    let worst = errors.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    worst.map(|(frame, error)| (frame as f64 / reconstruction.reference.fps, 1e3 * error))
}

/// Mean vertical ground reaction by body weight: about 1 over any motion that starts and ends at
/// the same speed.
fn support(reconstruction: &Reconstruction) -> f64 {
    let frames = &reconstruction.trajectory.frames;
    let contacts = frames.iter().flat_map(|frame| &frame.contacts);
    let force: f64 = contacts.map(|contact| contact.force.z).sum();
    force / frames.len().max(1) as f64 / (reconstruction.body.mass() * GRAVITY)
}

/// The largest motor torque, N·m.
fn max_torque(trajectory: &Trajectory) -> f64 {
    let torques = trajectory.frames.iter().flat_map(|frame| &frame.torques);
    torques.map(|torque| torque.norm()).fold(0.0, f64::max)
}

/// Depth of the deepest overlap of two parts of the body, mean over frames, mm.
fn self_penetration_mm(reconstruction: &Reconstruction) -> f64 {
    let frames = &reconstruction.trajectory.frames;
    let pairs = capsule_pairs(&reconstruction.body);
    let depths = frames.iter().map(|frame| deepest(&pairs, &frame.links));
    1e3 * depths.sum::<f64>() / frames.len().max(1) as f64
}

/// The median, infinite when half of the values or more are; `None` without values.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let n = values.len();
    Some((*values.get(n.checked_sub(1)? / 2)? + values[n / 2]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;
    use crate::motion::Motion;

    #[test]
    fn a_simulation_without_numbers_has_failed() {
        let recording = fixture::recording();
        let mut reconstruction = Reconstruction {
            reference: Motion {
                name: "x".into(),
                fps: 50.0,
                joints: recording.joints(),
                toes: None,
                turns: None,
            },
            body: recording.body,
            trajectory: recording.trajectory,
            poses: Vec::new(),
            kinematic_error_mm: 0.0,
            curve: Vec::new(),
            windows: Vec::new(),
            evaluations: 0,
            failed_frames: Vec::new(),
        };
        assert_eq!(record(&reconstruction, "lm")["failed"], false);
        let links = &mut reconstruction.trajectory.frames[2].links;
        links[0].translation.x = f64::NAN;
        assert_eq!(record(&reconstruction, "lm")["failed"], true);
    }
}
