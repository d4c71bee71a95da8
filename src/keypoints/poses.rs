//! 3D poses that go with keypoints: estimates to start from, and the truth to compare with.
//!
//! Unlike recorded motion ([`motion::read`](crate::motion::read)), they stay where the cameras'
//! world has them: the floor is not moved.

use std::path::Path;

use nalgebra::Vector3;

use super::files::refuse_name;
use super::observation::Frame3d;
use crate::error::{Error, Result};
use crate::motion::calibration::{self, Axis, Unit};
use crate::motion::camera::Camera;
use crate::motion::files::pickle::Pickle;
use crate::motion::files::{Archive, Array};
use crate::motion::skeleton::{self, Layout};
use crate::motion::{JOINTS, Joints};

/// Names of the positions, the preferred one first.
const POSITIONS: [&str; 4] = ["joints", "positions", "keypoints3d", "joints3d"];

/// What the caller knows better than the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoseOptions {
    /// Order of the joints; detected unless given.
    pub layout: Option<Layout>,
    /// Name of the array in an archive or pickle.
    pub array: Option<String>,
    /// World or camera axes.
    pub frame: Frame3d,
}

/// Reads poses (T, J, 3) from `.npy`, `.npz` or a `.pkl` of AIST++, in the world of `camera`
/// (z up, metres); missing joints are NaN.
///
/// # Errors
/// For files that are missing or hold no such poses.
pub fn read_poses(path: &Path, options: &PoseOptions, camera: &Camera) -> Result<Vec<Joints>> {
    let origin = path.display().to_string();
    let array = load(path, options.array.as_deref(), &origin)?;
    of_array(&array, options, camera, &origin)
}

fn load(path: &Path, name: Option<&str>, origin: &str) -> Result<Array> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("npz") => {
            let mut archive = Archive::open(path)?;
            let names = archive.names();
            let found = POSITIONS.into_iter().find(|p| names.iter().any(|n| n == p));
            archive.array(name.or(found).unwrap_or(POSITIONS[0]))
        }
        Some("pkl") => {
            let pickle = Pickle::open(path)?;
            let name = name.unwrap_or("keypoints3d");
            pickle.root().entry(name)?.array(name)
        }
        _ => {
            let array = Array::read(path, origin, |shape| check_shape(shape, origin).map(|_| ()))?;
            refuse_name(name, "the name", origin)?;
            Ok(array)
        }
    }
}

/// The poses of an array (T, J, 3), as [`read_poses`].
///
/// # Errors
/// For other shapes, and for what is no body.
pub fn of_array(
    array: &Array,
    options: &PoseOptions,
    camera: &Camera,
    origin: &str,
) -> Result<Vec<Joints>> {
    let count = check_shape(&array.shape, origin)?;
    let frames: Vec<Vec<Vector3<f64>>> = array
        .values
        .chunks_exact(3 * count)
        .map(|frame| {
            frame
                .chunks_exact(3)
                .map(Vector3::from_column_slice)
                .collect()
        })
        .collect();
    let layout = match (options.layout, count) {
        (Some(layout), _) => layout,
        (None, 17) if skeleton::looks_like_coco(frames.iter()) => Layout::Coco17,
        (None, count) => Layout::of_count(count).unwrap_or(Layout::H36m17),
    };
    if layout.joint_count() != count {
        let found = format!("{count} joints");
        let advice = format!("the layout {layout} has {}", layout.joint_count());
        return Err(Error::input(origin, "shape", found, advice));
    }
    let joints: Vec<Joints> = frames
        .iter()
        .map(|frame| layout.convert(frame).joints)
        .collect();
    let complete: Vec<Joints> = joints
        .iter()
        .filter(|p| p.iter().all(|p| p.iter().all(|x| x.is_finite())))
        .copied()
        .collect();
    if complete.is_empty() {
        let advice = "at least one frame must be complete";
        return Err(Error::input(
            origin,
            "positions",
            "a joint missing in every frame",
            advice,
        ));
    }
    let unit = unit_of(&complete, origin)?.metres();
    Ok(match options.frame {
        Frame3d::Camera => joints
            .iter()
            .map(|frame| frame.map(|q| camera.to_world(&(q * unit))))
            .collect(),
        Frame3d::World => {
            let up = calibration::detect_up(&complete).unwrap_or(Axis::Z);
            joints
                .iter()
                .map(|frame| frame.map(|p| up.to_z_up(p) * unit))
                .collect()
        }
    })
}

/// The unit, by the subject's size; noise makes bones look longer, so that a body of up to 3 m passes.
fn unit_of(frames: &[Joints], origin: &str) -> Result<Unit> {
    let stature = calibration::stature(&calibration::bone_lengths(frames));
    let fits = |unit: &Unit| (0.5..3.0).contains(&(stature * unit.metres()));
    match Unit::METRIC.into_iter().find(fits) {
        Some(unit) => Ok(unit),
        None => calibration::detect_unit(stature, None, &Unit::METRIC, origin),
    }
}

fn check_shape(shape: &[usize], origin: &str) -> Result<usize> {
    match shape {
        &[frames, joints, 3]
            if frames > 0 && (joints == JOINTS || Layout::of_count(joints).is_some()) =>
        {
            Ok(joints)
        }
        _ => {
            let advice = "give 3D poses (frames, joints, 3)";
            Err(Error::input(origin, "shape", format!("{shape:?}"), advice))
        }
    }
}
