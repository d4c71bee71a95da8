//! Archives of NumPy arrays: joint positions under the names of many programs, or poses of SMPL.

use super::archive::Archive;
use super::markers::Markers;
use super::points::{Check, Points};
use super::smpl::{self, Known, Members};
use crate::error::{Error, Result};
use crate::motion::Subject;
use crate::motion::calibration::Axis;
use crate::motion::npy::Header;
use crate::motion::skeleton::Layout;

/// Names of the positions in an archive, the preferred one first, and the axis that points up where the
/// program that writes this name has one: OmniRetarget, Kimodo.
const POSITIONS: [(&str, Option<Axis>); 6] = [
    ("joints", None),
    ("positions", None),
    ("keypoints3d", None),
    ("poses3d", None),
    ("global_joint_positions", Some(Axis::Z)),
    ("posed_joints", Some(Axis::Y)),
];

/// Names of the frame rate in an archive (AMASS has used both of the last two).
const FRAME_RATES: [&str; 3] = ["fps", "mocap_framerate", "mocap_frame_rate"];

/// So many numbers are shown where one is expected.
const FEW: usize = 8;

/// Reads the positions of an archive, or the poses of SMPL where it has none.
///
/// # Errors
/// [`Error::Input`] when there is neither, arrays are broken, and when `check` refuses.
pub fn read(
    mut archive: Archive,
    origin: &str,
    mut known: Known,
    check: impl Check,
) -> Result<Points> {
    for name in FRAME_RATES {
        if known.fps.is_none() {
            known.fps = frame_rate(&mut archive, name, origin)?;
        }
    }
    if !POSITIONS.iter().any(|(name, _)| archive.has(name))
        && let Some(members) = Members::find(&mut archive)
    {
        known.refuse_markers(origin)?;
        return smpl::read_archive(&members, &mut archive, origin, known, check);
    }
    let (name, up) = find(&mut archive, origin)?;
    known.refuse_model(origin)?;
    let texts = archive.texts("joint_names");
    let is_named = |shape: &[usize]| {
        let count = shape.len().checked_sub(2).map(|at| shape[at]);
        count == Some(texts.len())
            && (known.markers.is_some() || count.and_then(Layout::of_count).is_none())
    };
    let array = archive.checked(&name, |shape| {
        let shape = batched(shape);
        match is_named(shape) {
            true => check(&[shape[0], 17, 3], known.fps, Some(Layout::H36m17)),
            false => check(shape, known.fps, None),
        }
    })?;
    let shape = batched(&array.shape);
    if is_named(shape) && shape.len() == 3 {
        let mut markers = Markers {
            names: texts,
            values: array.values,
            fps: known.fps,
            unit: None,
            up: up.unwrap_or(Axis::Z),
            subject: Subject::default(),
            notes: vec![format!("positions: {name} of the joints in joint_names")],
        };
        if let Some(map) = known.markers {
            markers.assign(map)?;
        }
        return markers.joints(origin);
    }
    known.refuse_markers(origin)?;
    let mut points = Points::new(shape, array.values, known.fps);
    points.up = up;
    points.notes.extend(height(&mut archive));
    Ok(points)
}

/// Of a shape (1, T, J, 3), that of the only clip.
fn batched(shape: &[usize]) -> &[usize] {
    match shape {
        [1, rest @ ..] if rest.len() == 3 => rest,
        shape => shape,
    }
}

/// What OmniRetarget's files say of the subject.
fn height(archive: &mut Archive) -> Option<String> {
    let height = archive.number("height")?;
    Some(format!(
        "height: {height:.2} m, by the file; the bones count"
    ))
}

/// The frame rate that the member `name` holds; `None` where there is no such member.
fn frame_rate(archive: &mut Archive, name: &str, origin: &str) -> Result<Option<f64>> {
    if !archive.has(name) {
        return Ok(None);
    }
    let inside = format!("{origin}: {name}");
    let refuse = |found: String| {
        let advice = "save the frame rate as one number, or give --fps";
        Error::input(&inside, "frame rate", found, advice)
    };
    let few = |shape: &[usize]| {
        let count = shape.iter().try_fold(1usize, |a, b| a.checked_mul(*b));
        match count.is_some_and(|count| count <= FEW) {
            true => Ok(()),
            false => Err(refuse(format!("an array {shape:?}"))),
        }
    };
    let array = archive.checked(name, few).map_err(|error| match error {
        Error::Input { field, found, .. } if field == "element type" => {
            refuse(format!("no number ({found})"))
        }
        other => other,
    })?;
    match array.values[..] {
        [fps] => Ok(Some(fps)),
        ref numbers => Err(refuse(format!("{numbers:?}"))),
    }
}

/// The array with the positions, and the axis that points up in such files.
fn find(archive: &mut Archive, origin: &str) -> Result<(String, Option<Axis>)> {
    if let Some((name, up)) = POSITIONS.iter().find(|(name, _)| archive.has(name)) {
        return Ok((name.to_string(), *up));
    }
    let (mut candidates, mut contents) = (Vec::new(), Vec::new());
    for name in archive.names() {
        let Some(Header { shape, .. }) = archive.header(&name) else {
            contents.push(format!("{name} (not numbers)"));
            continue;
        };
        contents.push(format!("{name} {shape:?}"));
        if matches!(shape[..], [_, joints, 3] if Layout::of_count(joints).is_some()) {
            candidates.push(name);
        }
    }
    match &candidates[..] {
        [name] => Ok((name.clone(), None)),
        _ => {
            let found = match contents.is_empty() {
                true => "none".to_string(),
                false => super::pickle::shown(&contents),
            };
            let names: Vec<&str> = POSITIONS.iter().map(|(name, _)| *name).collect();
            let advice = format!(
                "call the positions (frames, 17, 3) one of {}",
                names.join(", ")
            );
            Err(Error::input(origin, "arrays", found, advice))
        }
    }
}
