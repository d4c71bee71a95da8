//! The record of a reconstruction from keypoints.

use nalgebra::Vector3;
use serde_json::{Map, Value, json};

use super::record;
use crate::keypoints::Observation;
use crate::metrics::{self, Alignment};
use crate::motion::Joints;
use crate::reconstruction::Reconstructed;
use crate::simulation::simulated_flat_feet;

/// Height below which all of a sole must be for the foot to be flat on the ground, m.
const FLAT_HEIGHT: f64 = 0.02;

/// The metrics of a reconstruction from keypoints, over the observed frames (so that TV is at their
/// rate): the fields of [`record`], `mpjpe_2d_px`, `flat_foot_skate_percent` (feet that slide with the
/// whole sole on the ground, and do not roll over the ball), and how close the kinematic fit (`kinematic`) and
/// the estimates (`estimates`) are.
///
/// Errors are against `truth`, joints in the world that was given, frame by frame of the
/// observation; without it, against the kinematic fit.
pub fn keypoint_record(
    found: &Reconstructed,
    truth: Option<&[Joints]>,
    optimizer: &str,
) -> Map<String, Value> {
    let mut observed = found.observed_frames();
    let floor = Vector3::z() * found.floor;
    let truth: Option<Vec<Joints>> = truth.map(|truth| {
        let used = truth.iter().step_by(found.step);
        used.map(|p| p.map(|p| p - floor)).collect()
    });
    if let Some(truth) = &truth {
        let frames = observed.reference.len();
        observed.reference.joints = truth[..frames].to_vec();
    }
    let mut record = record(&observed, optimizer);
    let (body, frames) = (&observed.body, &observed.trajectory.frames);
    let simulated: Vec<Joints> = frames
        .iter()
        .map(|frame| body.marker_positions(&frame.links))
        .collect();
    let observation = &found.observation;
    record.insert(
        "mpjpe_2d_px".into(),
        json!(observation.reprojection_error(&simulated)),
    );
    let links = frames.iter().map(|frame| frame.links.as_slice());
    let soles = simulated_flat_feet((body, &observed.trajectory.scene), links);
    let skate = metrics::foot_skate(&soles, observation.fps, FLAT_HEIGHT, metrics::SKATE_SPEED);
    record.insert(
        "flat_foot_skate_percent".into(),
        json!(100.0 * skate.either),
    );
    record.insert(
        "compared_with".into(),
        json!(if truth.is_some() {
            "truth"
        } else {
            "kinematic fit"
        }),
    );
    record.insert("views".into(), json!(observation.views.len()));
    let against = |joints: &[Joints]| errors(joints, truth.as_deref(), observation);
    let mut kinematic = against(&found.fit.joints);
    kinematic.insert(
        "uncertainty_mm".into(),
        json!(1e3 * found.fit.uncertainty()),
    );
    kinematic.insert("stature_m".into(), json!(found.fit.stature));
    record.insert("kinematic".into(), Value::Object(kinematic));
    if let Some(estimates) = &observation.estimates {
        record.insert("estimates".into(), Value::Object(against(estimates)));
    }
    record
}

/// Errors of `joints` in 2D and, where the truth is known, in 3D (frames with missing joints left
/// out), and their own TV.
fn errors(
    joints: &[Joints],
    truth: Option<&[Joints]>,
    observation: &Observation,
) -> Map<String, Value> {
    let mut errors = Map::new();
    if let Some(truth) = truth {
        let complete = |p: &Joints| p.iter().all(|p| p.iter().all(|x| x.is_finite()));
        let (ours, theirs): (Vec<Joints>, Vec<Joints>) = joints
            .iter()
            .zip(truth)
            .filter(|(a, b)| complete(a) && complete(b))
            .unzip();
        let root = metrics::mpjpe(&ours, &theirs, Alignment::Root);
        let global = metrics::mpjpe_global(&ours, &theirs);
        let aligned = metrics::mpjpe_procrustes(&ours, &theirs);
        errors.insert("mpjpe_global_mm".into(), json!(1e3 * global));
        errors.insert("mpjpe_mm".into(), json!(1e3 * root));
        errors.insert("mpjpe_procrustes_mm".into(), json!(1e3 * aligned));
    }
    errors.insert(
        "mpjpe_2d_px".into(),
        json!(observation.reprojection_error(joints)),
    );
    errors.insert(
        "acceleration_tv".into(),
        json!(metrics::acceleration_tv(joints)),
    );
    errors
}
