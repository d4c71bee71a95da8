//! Keypoint files: OpenPose folders, COCO-17 and Halpe-26 lists, NumPy arrays, AIST++ pickles.

mod arrays;
mod json;

use std::path::Path;

use nalgebra::Vector2;

use super::people::{Person, choose};
use super::{Keypoint, Keypoints, Layout2d};
use crate::error::{Error, Result};
use crate::motion::files::beginning;

pub use arrays::of_array;

/// What the caller knows better than the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadOptions {
    /// Order of the keypoints; by their number unless given.
    pub layout: Option<Layout2d>,
    /// Name of the array in an `.npz` archive.
    pub array: Option<String>,
    /// Which person, from 1, where there are several.
    pub person: Option<usize>,
}

/// The keypoints of one person, by view and frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Detections {
    /// Frames per second, when the file says.
    pub fps: Option<f64>,
    /// `views[v][t]`.
    pub views: Vec<Vec<Keypoints>>,
    /// Whether x and y are shares of the image's width and height.
    pub is_normalized: bool,
    /// One line for each thing understood or assumed.
    pub notes: Vec<String>,
}

/// Coordinates in shares of the image are hardly larger, those in pixels are.
const LARGEST_SHARE: f64 = 3.0;

impl Detections {
    /// Takes note of whether the coordinates of what may be landmarks of MediaPipe are shares of the image:
    /// all are small.
    fn normalized(mut self) -> Self {
        let keypoints = self.views.iter().flatten().flatten();
        let mut seen = keypoints.filter(|keypoint| keypoint.is_seen());
        self.is_normalized &= seen.all(|keypoint| keypoint.pixel.amax() < LARGEST_SHARE);
        if self.is_normalized {
            let note = "keypoints: in shares of the image, by whose size they are multiplied";
            self.notes.push(note.into());
        }
        self
    }

    /// Brings the views to pixels of images of `sizes`, px, where they are shares of them.
    pub fn to_pixels(&mut self, sizes: impl Iterator<Item = [f64; 2]>) {
        if !std::mem::take(&mut self.is_normalized) {
            return;
        }
        for (view, size) in self.views.iter_mut().zip(sizes) {
            for keypoint in view.iter_mut().flatten() {
                keypoint.pixel.component_mul_assign(&Vector2::from(size));
            }
        }
    }
}

/// Reads the keypoints at `path`, which its content tells, whatever it is called:
///
/// * a folder of OpenPose's `*_keypoints.json`, one per frame (BODY_25);
/// * a `.json` list of AlphaPose (`image_id`, `keypoints`) or MMPose (`frame_id`, `instances`, also
///   inside `instance_info`), COCO-17 or Halpe-26;
/// * a `.npy` or `.npz` array (T, J, 2 or 3), or (V, T, J, 2 or 3) for V views; x, y in pixels and
///   the confidence, which an archive may also hold apart;
/// * a `.pkl` of AIST++ `keypoints2d` (nine views, 60 fps).
///
/// # Errors
/// For files that are missing or none of these, for several people of whom none is chosen, and for
/// an array or a person that is asked for where there is no choice.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Detections> {
    let origin = path.display().to_string();
    let detections = if path.is_dir() {
        let frames = json::read_openpose(path, options.layout)?;
        of_people(&frames, None, options, &origin)
    } else {
        let start = beginning(path, START)?;
        match Kind::of(&start) {
            Some(Kind::Json) => {
                let (frames, note) = json::read_list(path, options.layout)?;
                of_people(&frames, note, options, &origin)
            }
            Some(Kind::Npz) => arrays::read_npz(path, options),
            Some(Kind::Npy) => arrays::read_npy(path, options),
            Some(Kind::Pickle) => arrays::read_aist(path, options),
            None => {
                let found = match &start[..] {
                    [] => "an empty file",
                    _ => "neither JSON nor arrays",
                };
                let advice = "give an OpenPose folder, or a .json, .npz, .npy or .pkl file";
                return Err(Error::input(origin, "format", found, advice));
            }
        }
    }?;
    let mut keypoints = detections.views.iter().flatten().flatten();
    if !keypoints.any(Keypoint::is_seen) {
        let found = "no keypoint with a confidence above 0";
        let advice = "there must be a joint with a confidence; check the detector and --array";
        return Err(Error::input(origin, "confidences", found, advice));
    }
    Ok(detections.normalized())
}

/// Bytes that tell what a file is.
const START: u64 = 64;

/// What a file is.
enum Kind {
    Json,
    Npz,
    Npy,
    Pickle,
}

impl Kind {
    /// By the first bytes of a file, whatever it is called.
    fn of(start: &[u8]) -> Option<Self> {
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start); // a byte order mark
        match (start, text.trim_ascii_start().first()) {
            ([b'P', b'K', ..], _) => Some(Self::Npz),
            ([0x93, b'N', b'U', b'M', b'P', b'Y', ..], _) => Some(Self::Npy),
            ([0x80 | 0x78 | 0x1f, ..], _) => Some(Self::Pickle),
            (_, Some(b'{' | b'[')) => Some(Self::Json),
            _ => None,
        }
    }
}

/// The keypoints of the person chosen among those in `frames`, about which there may be a `note`.
fn of_people(
    frames: &[Vec<Person>],
    note: Option<String>,
    options: &ReadOptions,
    origin: &str,
) -> Result<Detections> {
    refuse_name(options.array.as_deref(), "--array", origin)?;
    let (keypoints, strays) = choose(frames, options.person, origin)?;
    Ok(Detections {
        fps: None,
        views: vec![keypoints],
        is_normalized: false,
        notes: note.into_iter().chain(strays).collect(),
    })
}

/// Refuses the `name` of an array, asked for by `option`, where arrays have no names.
pub(super) fn refuse_name(name: Option<&str>, option: &str, origin: &str) -> Result<()> {
    match name {
        None => Ok(()),
        Some(name) => {
            let advice = format!("leave out {option} {name}: only .npz and .pkl files name arrays");
            Err(Error::input(origin, "arrays", "no names", advice))
        }
    }
}

/// Refuses any but the first person where there is no other.
fn refuse_others(options: &ReadOptions, origin: &str) -> Result<()> {
    match options.person {
        None | Some(1) => Ok(()),
        Some(number) => {
            let advice = format!("leave out --person {number}: an array shows one person");
            Err(Error::input(origin, "people", 1, advice))
        }
    }
}

/// A keypoint as a file gives it: missing where a number is, where the confidence is not above 0,
/// or at (0, 0), by which OpenPose and others mean the same.
fn keypoint(x: f64, y: f64, confidence: f64) -> Keypoint {
    let pixel = Vector2::new(x, y);
    let is_found = x.is_finite() && y.is_finite() && confidence > 0.0 && pixel != Vector2::zeros();
    match is_found {
        true => Keypoint {
            pixel,
            confidence: confidence.min(1.0),
        },
        false => Keypoint::MISSING,
    }
}

/// The layout of files with `count` keypoints.
fn layout_of(count: usize, asked: Option<Layout2d>, origin: &str) -> Result<Layout2d> {
    let layout = asked.or_else(|| Layout2d::of_count(count));
    layout
        .filter(|layout| layout.joint_count() == count)
        .ok_or_else(|| {
            let known = Layout2d::ALL.map(|layout| format!("{} ({layout})", layout.joint_count()));
            let advice = format!("the known layouts are {}", known.join(", "));
            Error::input(origin, "number of keypoints", count, advice)
        })
}

#[cfg(test)]
mod tests;
