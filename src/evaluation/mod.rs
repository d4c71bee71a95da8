//! Measuring reconstructions: the record of one, sets of clips, and summaries over them.

use nalgebra::{Isometry3, Vector3};
use serde_json::{Map, Value, json};

use crate::body::{Body, Geometry, Shape};
use crate::metrics::{Alignment, FootTrack, Metrics};
use crate::motion::skeleton::ANKLES;
use crate::reconstruction::{Reconstruction, exceeds};
use crate::simulation::{GRAVITY, Trajectory};

pub mod clips;
mod keypoints;
pub mod manifest;
pub mod paper_table;
pub mod sequences;
pub mod summary;
pub mod windows;

pub use keypoints::keypoint_record;

/// A clip fails when the mean joint error of any frame is larger, or no number, mm.
pub const FAILURE_MM: f64 = 250.0;

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
    let frames = trajectory.frames.iter().take(reference.len());
    let joints: Vec<_> = frames
        .map(|frame| body.marker_positions(&frame.links))
        .collect();
    let feet = foot_tracks(body, trajectory);
    Metrics::new(&joints, &feet, reference, Alignment::default())
}

/// What the feet `[right, left]` did: of all links named after the side that can touch the ground,
/// the lowest point; and the ankle.
pub fn foot_tracks(body: &Body, trajectory: &Trajectory) -> [FootTrack; 2] {
    tracks(body, trajectory, f64::INFINITY, f64::min)
}

/// The same, but with the height of the part of the sole that is highest above the ground: low only
/// where the whole foot is flat on it.
pub fn sole_tracks(body: &Body, trajectory: &Trajectory) -> [FootTrack; 2] {
    tracks(body, trajectory, f64::NEG_INFINITY, f64::max)
}

/// Feet whose height is that of the lowest points of their shapes, brought together by `fold`.
fn tracks(
    body: &Body,
    trajectory: &Trajectory,
    start: f64,
    fold: fn(f64, f64) -> f64,
) -> [FootTrack; 2] {
    [("right", ANKLES[0]), ("left", ANKLES[1])].map(|(side, ankle)| {
        let soles: Vec<(usize, &Shape)> = body
            .links
            .iter()
            .enumerate()
            .filter(|(_, link)| link.name.starts_with(side))
            .flat_map(|(l, link)| link.shapes.iter().map(move |shape| (l, shape)))
            .filter(|(_, shape)| shape.collides)
            .collect();
        let marker = &body.markers[ankle];
        let frames = trajectory.frames.iter();
        FootTrack {
            height: frames
                .clone()
                .map(|frame| {
                    let heights = soles
                        .iter()
                        .map(|(l, shape)| lowest(shape, &frame.links[*l]));
                    heights.fold(start, fold)
                })
                .collect(),
            ankle: frames
                .map(|frame| {
                    (frame.links[marker.link] * nalgebra::Point3::from(marker.position)).coords
                })
                .collect(),
        }
    })
}

/// Height of the lowest point of a shape whose link has the world pose `link`, m.
fn lowest(shape: &Shape, link: &Isometry3<f64>) -> f64 {
    let height = |p: &Vector3<f64>| link.transform_point(&(*p).into()).z;
    match &shape.geometry {
        Geometry::Capsule { a, b, radius } => height(a).min(height(b)) - radius,
        Geometry::RoundBox {
            center,
            half_extents,
            rotation,
            radius,
        } => {
            let up = (link.rotation * rotation).inverse() * Vector3::z();
            let inner = half_extents.map(|h| h - radius);
            height(center) - up.abs().dot(&inner) - radius
        }
    }
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

/// The median, infinite when half of the values or more are; `None` without values.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let n = values.len();
    Some((*values.get(n.checked_sub(1)? / 2)? + values[n / 2]) / 2.0)
}

#[cfg(test)]
mod tests {
    use nalgebra::UnitQuaternion;

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
            },
            body: recording.body,
            trajectory: recording.trajectory,
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

    #[test]
    fn the_lowest_point_of_a_tilted_box_and_capsule() {
        let half_extents = Vector3::new(0.3, 0.1, 0.05);
        let tilt = UnitQuaternion::from_euler_angles(0.0, 0.4, 0.0);
        let mut shape = Shape {
            geometry: Geometry::RoundBox {
                center: Vector3::new(0.0, 0.0, 0.02),
                half_extents,
                rotation: UnitQuaternion::identity(),
                radius: 1e-12,
            },
            collides: true,
        };
        let link = Isometry3::from_parts(Vector3::new(1.0, 2.0, 3.0).into(), tilt);
        let corners = (0..8).map(|i| {
            let sign = |bit: usize| if i >> bit & 1 == 0 { -1.0 } else { 1.0 };
            let corner = half_extents.component_mul(&Vector3::new(sign(0), sign(1), sign(2)));
            (link * nalgebra::Point3::from(corner + Vector3::new(0.0, 0.0, 0.02))).z
        });
        let expected = corners.fold(f64::INFINITY, f64::min);
        assert!((lowest(&shape, &link) - expected).abs() < 1e-9);
        let (a, b) = (Vector3::zeros(), Vector3::new(0.5, 0.0, 0.0));
        shape.geometry = Geometry::Capsule { a, b, radius: 0.1 };
        assert!((lowest(&shape, &link) - (2.9 - 0.5 * 0.4_f64.sin())).abs() < 1e-9);
    }

    #[test]
    fn feet_are_followed_right_then_left() {
        let recording = fixture::recording();
        let feet = foot_tracks(&recording.body, &recording.trajectory);
        let joints = recording.joints();
        for (foot, ankle) in feet.iter().zip(ANKLES) {
            assert_eq!(foot.height.len(), 5);
            for (position, joints) in foot.ankle.iter().zip(&joints) {
                assert!((position - joints[ankle]).norm() < 1e-12);
            }
        }
    }
}
