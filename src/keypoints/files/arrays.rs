//! NumPy arrays of keypoints: `.npy`, `.npz`, and the pickles of AIST++.

use std::path::Path;

use nalgebra::Vector3;

use super::{Detections, ReadOptions, keypoint, layout_of, refuse_name, refuse_others};
use crate::error::{Error, Result};
use crate::keypoints::{Keypoint, Keypoints, Layout2d};
use crate::motion::files::pickle::Pickle;
use crate::motion::files::{Archive, Array};
use crate::motion::skeleton;

/// Names of the keypoints in an archive, the preferred one first.
const KEYPOINTS: [&str; 5] = [
    "keypoints2d",
    "keypoints",
    "kp2d",
    "positions_2d",
    "poses2d",
];
/// Names of the confidences of keypoints that come without.
const CONFIDENCES: [&str; 3] = ["confidences", "scores", "conf"];
/// Frame rate of AIST++, Hz.
const AIST_FPS: f64 = 60.0;

/// Keypoints (and perhaps confidences) of an archive.
pub fn read_npz(path: &Path, options: &ReadOptions) -> Result<Detections> {
    let origin = path.display().to_string();
    let mut archive = Archive::open(path)?;
    let name = match &options.array {
        Some(name) => name.clone(),
        None => find(&mut archive, &origin)?,
    };
    let array = archive.array(&name)?;
    let names = archive.names();
    // kp_s2 goes with conf_s2.
    let beside = name
        .strip_prefix("kp_")
        .map(|suffix| format!("conf_{suffix}"));
    let confidences = beside
        .iter()
        .map(String::as_str)
        .chain(CONFIDENCES)
        .find(|candidate| names.iter().any(|name| name == candidate))
        .filter(|_| array.shape.last() == Some(&2))
        .map(|name| archive.array(name))
        .transpose()?;
    let inside = format!("{origin}: {name}");
    // Files that are not a detector's mostly are in Human3.6M's order; COCO must be asked for,
    // unless the bones tell.
    let views = of_array(&array, confidences.as_ref(), options.layout, &inside)?;
    refuse_others(options, &inside)?;
    Ok(Detections {
        fps: archive.number("fps"),
        views,
        is_normalized: is_mediapipe(&array),
        notes: vec![format!("keypoints: array {name} {:?}", array.shape)],
    })
}

/// The only array that can be keypoints.
fn find(archive: &mut Archive, origin: &str) -> Result<String> {
    let names = archive.names();
    if let Some(name) = KEYPOINTS
        .iter()
        .find(|name| names.iter().any(|n| n == *name))
    {
        return Ok((*name).to_string());
    }
    let mut candidates = Vec::new();
    for name in &names {
        let shape = archive.shape(name).unwrap_or_default();
        let fits = matches!(shape[..], [_, joints, 2] | [_, _, joints, 2 | 3]
            if joints == 17 || Layout2d::of_count(joints).is_some());
        if fits {
            candidates.push(name.clone());
        }
    }
    match &candidates[..] {
        [name] => Ok(name.clone()),
        [] => {
            let advice = "an array (frames, joints, 2 or 3) called keypoints2d is needed";
            Err(Error::input(origin, "arrays", names.join(", "), advice))
        }
        several => {
            let advice = "choose one with --array NAME";
            Err(Error::input(origin, "arrays", several.join(", "), advice))
        }
    }
}

/// Keypoints of a bare array.
pub fn read_npy(path: &Path, options: &ReadOptions) -> Result<Detections> {
    let origin = path.display().to_string();
    let array = Array::read(path, &origin, |shape| {
        check_shape(shape, &origin).map(|_| ())
    })?;
    refuse_name(options.array.as_deref(), "--array", &origin)?;
    refuse_others(options, &origin)?;
    Ok(Detections {
        fps: None,
        views: of_array(&array, None, options.layout, &origin)?,
        is_normalized: is_mediapipe(&array),
        notes: Vec::new(),
    })
}

/// Whether an array has as many points as MediaPipe's pose.
fn is_mediapipe(array: &Array) -> bool {
    let joints = array.shape.len().checked_sub(2).map(|at| array.shape[at]);
    joints == Some(Layout2d::MediaPipe33.joint_count())
}

/// The nine views of an AIST++ `keypoints2d` pickle.
pub fn read_aist(path: &Path, options: &ReadOptions) -> Result<Detections> {
    let pickle = Pickle::open(path)?;
    let name = options.array.as_deref().unwrap_or("keypoints2d");
    let array = pickle.root().entry(name)?.array(name)?;
    let inside = format!("{}: {name}", path.display());
    let layout = options.layout.or(Some(Layout2d::Coco17));
    let views = of_array(&array, None, layout, &inside)?;
    refuse_others(options, &inside)?;
    Ok(Detections {
        fps: Some(AIST_FPS),
        is_normalized: false,
        notes: vec![format!("AIST++: {} views at {AIST_FPS} fps", views.len())],
        views,
    })
}

/// Keypoints by view and frame of an array (T, J, 2 or 3) or (V, T, J, 2 or 3), with confidences
/// (T, J) or (V, T, J) that go with the former.
///
/// # Errors
/// For other shapes. Keypoints that are no finite numbers are missing.
pub fn of_array(
    array: &Array,
    confidences: Option<&Array>,
    layout: Option<Layout2d>,
    origin: &str,
) -> Result<Vec<Vec<Keypoints>>> {
    let (views, frames, joints, width) = check_shape(&array.shape, origin)?;
    if let Some(confidences) = confidences {
        let expected = &array.shape[..array.shape.len() - 1];
        if confidences.shape != expected {
            let found = format!("{:?} for keypoints {:?}", confidences.shape, array.shape);
            let advice = "there must be one confidence for every keypoint";
            return Err(Error::input(origin, "confidences", found, advice));
        }
    }
    let points: Vec<Keypoint> = array
        .values
        .chunks_exact(width)
        .enumerate()
        .map(|(n, p)| {
            let given = confidences.map(|c| c.values[n]);
            // MediaPipe has a depth before the visibility.
            let own = p.get(2..).and_then(|rest| rest.last().copied());
            keypoint(p[0], p[1], given.or(own).unwrap_or(1.0))
        })
        .collect();
    let layout = match (joints, layout) {
        (17, None) if !looks_like_coco(&points) => Layout2d::H36m17,
        _ => layout_of(joints, layout, origin)?,
    };
    let keypoints: Vec<Keypoints> = points
        .chunks_exact(joints)
        .map(|points| layout.convert(points))
        .collect();
    let by_view = keypoints.chunks_exact(frames).map(<[Keypoints]>::to_vec);
    debug_assert_eq!(by_view.len(), views);
    Ok(by_view.collect())
}

/// Views, frames, joints and numbers per keypoint.
fn check_shape(shape: &[usize], origin: &str) -> Result<(usize, usize, usize, usize)> {
    let (views, rest) = match shape {
        [views, rest @ ..] if rest.len() == 3 => (*views, rest),
        rest => (1, rest),
    };
    match rest {
        &[frames, joints, width @ 2..=4]
            if (width < 4 || joints == 33) && views > 0 && frames > 0 && joints > 0 =>
        {
            Ok((views, frames, joints, width))
        }
        _ => {
            let advice =
                "give keypoints (frames, joints, 2 or 3) or (views, frames, joints, 2 or 3)";
            Err(Error::input(origin, "shape", format!("{shape:?}"), advice))
        }
    }
}

/// Whether 17 keypoints a frame are COCO's rather than Human3.6M's, as seen in the image.
fn looks_like_coco(points: &[Keypoint]) -> bool {
    let place = |keypoint: &Keypoint| match keypoint.is_seen() {
        true => Vector3::new(keypoint.pixel.x, keypoint.pixel.y, 0.0),
        false => Vector3::repeat(f64::NAN),
    };
    let frames = points.chunks_exact(17);
    skeleton::looks_like_coco(frames.map(|frame| frame.iter().map(place).collect::<Vec<_>>()))
}
