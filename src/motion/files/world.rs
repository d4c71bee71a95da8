//! From a file's unit and axes to metres, z up, the floor at z = 0.

use nalgebra::{Matrix3x4, Vector3};

use super::points::Points;
use super::{DEFAULT_FPS, ReadOptions};
use crate::error::{Error, Result};
use crate::motion::calibration::{self, Axis, FLOOR_TOLERANCE};
use crate::motion::skeleton::{self, Frame, is_seen};
use crate::motion::{JOINTS, Joints, contact, quantile};

/// A bone whose length varies by more than this fraction of itself (10 % to 90 % quantile) is
/// mentioned, and by more than five times this, not believed to be one.
const BONE_VARIATION: f64 = 0.1;

/// Brings `frames`, the ones of `points` in the working layout, to metres, z up, floor at z = 0; returns
/// the stature in metres, and what brings a point there.
///
/// # Errors
/// When no frame is complete, or the points are no person's.
pub fn calibrate(
    frames: &mut [Frame],
    options: &ReadOptions,
    points: &Points,
    origin: &str,
    notes: &mut Vec<String>,
) -> Result<(f64, Matrix3x4<f64>)> {
    let units = points.units;
    let complete = complete(frames);
    if complete.is_empty() {
        let advice = "fill the gaps first: at least one frame must be complete";
        return Err(Error::input(
            origin,
            "positions",
            "a joint missing in every frame",
            advice,
        ));
    }
    let joints: Vec<Joints> = complete.iter().map(|frame| frame.joints).collect();
    let lengths = calibration::bone_lengths(&joints);
    check_bones(&joints, &lengths, origin, notes)?;
    let file_stature = calibration::stature(&lengths);
    let unit = calibration::detect_unit(file_stature, options.units, units, origin)?;
    let stature = file_stature * unit.metres();
    let others: Vec<String> = calibration::human_sizes(file_stature, units)
        .filter(|(other, _)| *other != unit && options.units.is_none())
        .map(|(other, stature)| format!("; {stature:.2} m with --units {other}"))
        .collect();
    notes.push(format!(
        "units: {unit} (a subject {stature:.2} m tall{})",
        others.concat()
    ));
    let asked = (options.up, points.up);
    let fps = points.fps.unwrap_or(DEFAULT_FPS);
    let up = find_up(&joints, asked, (file_stature, fps), notes);
    transform(frames, |p| up.to_z_up(p) * unit.metres());
    for frame in frames.iter_mut() {
        frame.turns = frame.turns.map(|turns| turns.map(|v| up.to_z_up(v)));
    }
    let floor = match options.floor {
        Some(floor) => {
            notes.push(format!("floor: at z = {floor} m, as given"));
            floor
        }
        None => find_floor(frames, calibration::shin(&lengths) * unit.metres(), notes),
    };
    transform(frames, |p| p - Vector3::z() * floor);
    let joints: Vec<Joints> = self::complete(frames)
        .iter()
        .map(|frame| frame.joints)
        .collect();
    if calibration::looks_mirrored(&joints) {
        notes.push(
            "left and right look swapped: the knees bend backwards (check --layout, or the names of the joints, and the axes)"
                .to_string(),
        );
    }
    let [x, y, z] =
        [Vector3::x(), Vector3::y(), Vector3::z()].map(|axis| up.to_z_up(axis) * unit.metres());
    let world_from_file = Matrix3x4::from_columns(&[x, y, z, -Vector3::z() * floor]);
    Ok((stature, world_from_file))
}

/// How long a body may be without support, s: longer than any flight, and than 1.0 s, which the slowest of 139 recorded
/// people took to rise from a chair. Three who crawl or get up from the floor lie for 1.3 s and more, with what seems to
/// be down by the axis from feet to head.
const LONGEST_UNSUPPORTED: f64 = 1.2;
/// The longest that a body is without support which has nothing but the ground to be on, s: 0.64 in 139 recordings.
const LONGEST_FLIGHT: f64 = 0.7;

/// The axis that points up: as `asked`, or by the body, or as files of this kind `usually` have it. By the body only
/// where something holds it up then; `stature` in units of `joints`, `fps` in Hz.
fn find_up(
    joints: &[Joints],
    (asked, usual): (Option<Axis>, Option<Axis>),
    (stature, fps): (f64, f64),
    notes: &mut Vec<String>,
) -> Axis {
    let unsupported = |axis| calibration::longest_unsupported(joints, axis, stature) as f64 / fps;
    let is_likely = |axis: &Axis| {
        let other = usual.unwrap_or(Axis::Z);
        *axis == other
            || unsupported(*axis) <= LONGEST_UNSUPPORTED
            || unsupported(other) > LONGEST_FLIGHT
    };
    let by_body = calibration::detect_up(joints).filter(is_likely);
    let (up, note) = match (asked, by_body, usual) {
        (Some(up), ..) => (up, String::new()),
        (None, Some(up), _) => (up, ", as the head is above the feet".to_string()),
        (None, None, Some(up)) => (
            up,
            ", as in such files (not clear from the body)".to_string(),
        ),
        (None, None, None) => {
            notes.push("up axis: not clear from the body, z assumed (--up)".to_string());
            return Axis::Z;
        }
    };
    notes.push(format!("up axis: {up}{note}"));
    up
}

/// The frames in which nothing is missing.
pub fn complete(frames: &[Frame]) -> Vec<Frame> {
    let complete = |f: &&Frame| {
        f.joints.iter().all(is_seen) && f.toes.as_ref().is_none_or(|t| t.iter().all(is_seen))
    };
    frames.iter().filter(complete).copied().collect()
}

fn transform(frames: &mut [Frame], map: impl Fn(Vector3<f64>) -> Vector3<f64>) {
    for frame in frames {
        frame.joints = frame.joints.map(&map);
        frame.toes = frame.toes.map(|toes| toes.map(&map));
    }
}

/// Refuses points that are no skeleton: all in one place, or at distances that change all the time.
fn check_bones(
    frames: &[Joints],
    lengths: &[f64; JOINTS],
    origin: &str,
    notes: &mut Vec<String>,
) -> Result<()> {
    if skeleton::bones().all(|(_, child)| lengths[child] == 0.0) {
        let advice = "give the positions of a person's joints";
        return Err(Error::input(
            origin,
            "positions",
            "all joints in one place",
            advice,
        ));
    }
    let variation = skeleton::bones().map(|(parent, child)| {
        let all: Vec<f64> = frames
            .iter()
            .map(|f| (f[child] - f[parent]).norm())
            .collect();
        let (low, high) = (quantile(all.clone(), 0.1), quantile(all, 0.9));
        (high - low) / lengths[child].max(1e-12)
    });
    let typical = quantile(variation.collect(), 0.5);
    let found = format!("bone lengths varying by {:.0} %", 100.0 * typical);
    if typical > 5.0 * BONE_VARIATION {
        let advice = "these are no joints of one person in a known order; check --layout, or the names of the joints";
        return Err(Error::input(origin, "positions", found, advice));
    }
    if typical > BONE_VARIATION {
        notes.push(format!("skeleton: {found} over the clip"));
    }
    Ok(())
}

/// How far the floor is above z = 0; 0 when it is there already, as far as feet can tell.
fn find_floor(frames: &[Frame], shin: f64, notes: &mut Vec<String>) -> f64 {
    let floor = contact::floor_height(&complete(frames), shin);
    if floor.abs() <= FLOOR_TOLERANCE {
        notes.push("floor: at z = 0, the feet agree".to_string());
        return 0.0;
    }
    notes.push(format!(
        "floor: found under the feet at z = {floor:.3} m, moved to z = 0"
    ));
    floor
}
