//! What a file is, by its first bytes, and the points in it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use nalgebra::Vector3;

use super::archive::{Archive, Array};
use super::c3d::{self, C3d};
use super::markers::{self, Markers};
use super::positions;
use super::smpl::{Known, pickled};
use super::{bvh, pickle, torch, trc};
use crate::error::{Error, Result};
use crate::motion::calibration::{Axis, Unit};
use crate::motion::npy::MAGIC;
use crate::motion::skeleton::{Frame, Layout};

/// The largest file that is read as a whole, bytes.
const LARGEST: u64 = 1 << 29;

const SAVE_ADVICE: &str = "give an .npy file with an array (frames, 17, 3), an .npz with it, a .bvh, .trc, .c3d, .pkl or .pt; 2D keypoints need --camera or --focal";

/// An array of points (T, J, 3), in the file's own unit and axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// Number of joints J.
    pub joints: usize,
    /// The coordinates in C order.
    pub values: Vec<f64>,
    /// Frames per second, if they are known.
    pub fps: Option<f64>,
    /// What the joints are, where the file says.
    pub layout: Option<Layout>,
    /// The units that such files come in.
    pub units: &'static [Unit],
    /// The axis that points up in such files, for when the body does not tell.
    pub up: Option<Axis>,
    /// One line for each thing understood or repaired.
    pub notes: Vec<String>,
}

impl Points {
    pub(super) fn new(shape: &[usize], values: Vec<f64>, fps: Option<f64>) -> Self {
        Self {
            joints: shape[1],
            values,
            fps,
            layout: None,
            units: &Unit::METRIC,
            up: None,
            notes: Vec::new(),
        }
    }

    /// Refuses infinite coordinates and files with nothing but NaN.
    pub fn check_finite(&self, origin: &str) -> Result<()> {
        if self.values.iter().all(|x| x.is_nan()) {
            let advice = "the file holds no positions; write it again";
            return Err(Error::input(origin, "positions", "NaN everywhere", advice));
        }
        match self.values.iter().position(|x| x.is_infinite()) {
            None => Ok(()),
            Some(at) => {
                let advice = "write missing joints as NaN";
                let found = self.values[at];
                Err(Error::input(origin, self.place(at), found, advice))
            }
        }
    }

    /// Makes a joint missing (NaN) in a frame.
    pub fn forget(&mut self, frame: usize, joint: usize) {
        let at = 3 * (frame * self.joints + joint);
        self.values[at..at + 3].fill(f64::NAN);
    }

    /// Where `joint` is in every frame.
    pub fn track(&self, joint: usize) -> Vec<Vector3<f64>> {
        let point = |frame: &[f64]| Vector3::from_column_slice(&frame[3 * joint..][..3]);
        let frames = self.values.chunks_exact(3 * self.joints);
        frames.map(point).collect()
    }

    /// What the value with index `at` belongs to, for errors.
    pub fn place(&self, at: usize) -> String {
        let (frame, joint) = (at / (3 * self.joints), at / 3 % self.joints);
        format!("frame {frame}, joint {joint}")
    }

    /// The frames in the working layout, from `layout`, in the file's unit and axes.
    pub fn in_layout(&self, layout: Layout) -> Vec<Frame> {
        self.frames().map(|frame| layout.convert(&frame)).collect()
    }

    /// The points of every frame.
    pub fn frames(&self) -> impl Iterator<Item = Vec<Vector3<f64>>> {
        let point = |p: &[f64]| Vector3::new(p[0], p[1], p[2]);
        self.values
            .chunks_exact(3 * self.joints)
            .map(move |f| f.chunks_exact(3).map(point).collect())
    }
}

/// What is asked of every file: to refuse a shape, a frame rate (Hz) or a layout.
pub trait Check: Fn(&[usize], Option<f64>, Option<Layout>) -> Result<()> {}
impl<F: Fn(&[usize], Option<f64>, Option<Layout>) -> Result<()>> Check for F {}

/// Reads the positions of `path` with what is `known`. `check` sees the shape, the frame rate and the layout
/// that the file tells before the elements are read, and must refuse every shape but (T, J, 3).
pub fn load(path: &Path, known: Known, check: impl Check) -> Result<Points> {
    let origin = &path.display().to_string();
    let metadata = path
        .metadata()
        .map_err(|error| Error::io(path, "read", error))?;
    if metadata.is_dir() {
        return Err(Error::input(origin, "path", "a directory", SAVE_ADVICE));
    }
    if metadata.len() == 0 {
        return Err(Error::input(origin, "size", "an empty file", SAVE_ADVICE));
    }
    let file = File::open(path).map_err(|error| Error::io(path, "read", error))?;
    let mut start = Vec::new();
    BufReader::new(file)
        .take(64)
        .read_to_end(&mut start)
        .map_err(|e| Error::io(path, "read", e))?;
    if start.starts_with(b"PK") {
        return archive(path, origin, known, check);
    }
    if start.first() == Some(&0x80) || pickle::begins_compressed(&start) {
        known.refuse_markers(origin)?;
        return pickled::read(path, origin, known, check);
    }
    known.refuse_choice(origin)?;
    if trc::begins(&start) {
        let markers = trc::read(&text(path)?, origin, known.fps)?;
        return of_markers(markers, origin, known, check);
    }
    if c3d::begins(&start) {
        let file = C3d::read(path, |frames, rate| {
            let (shape, layout) = markers::shape(frames);
            check(&shape, known.fps.or(Some(rate)), Some(layout))
        })?;
        return of_markers(file.markers(known.fps), origin, known, check);
    }
    known.refuse_markers(origin)?;
    if bvh::begins(&start) {
        return bvh::read(&text(path)?, origin, known.fps, check);
    }
    let is_bvh = |e: &std::ffi::OsStr| e.eq_ignore_ascii_case("bvh");
    if path.extension().is_some_and(is_bvh) {
        let advice = "a BVH file begins with HIERARCHY; export it again as text";
        return Err(Error::input(origin, "format", describe(&start), advice));
    }
    if !start.starts_with(&MAGIC[..start.len().min(6)]) {
        return Err(Error::input(
            origin,
            "format",
            describe(&start),
            SAVE_ADVICE,
        ));
    }
    let array = Array::read(path, origin, |shape| check(shape, known.fps, None))?;
    Ok(Points::new(&array.shape, array.values, known.fps))
}

/// The joints that named points tell.
fn of_markers(
    mut markers: Markers,
    origin: &str,
    known: Known,
    check: impl Check,
) -> Result<Points> {
    if let Some(map) = known.markers {
        markers.assign(map)?;
    }
    let (shape, layout) = markers::shape(markers.frames());
    check(&shape, markers.fps, Some(layout))?;
    markers.joints(origin)
}

/// What a zip archive holds: arrays, or a file of torch.
fn archive(path: &Path, origin: &str, known: Known, check: impl Check) -> Result<Points> {
    let archive = Archive::open(path)?;
    if let Some(folder) = torch::folder(archive.members()) {
        known.refuse_markers(origin)?;
        return pickled::read_torch(path, folder, known, check);
    }
    known.refuse_choice(origin)?;
    positions::read(archive, origin, known, check)
}

/// The text of a file. Names may be in any encoding; what is read of them is ASCII.
fn text(path: &Path) -> Result<String> {
    let bytes = bytes(path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The bytes of a file that is read as a whole.
///
/// # Errors
/// When it cannot be read, or has more than 512 MiB.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    let size = path
        .metadata()
        .map_err(|e| Error::io(path, "read", e))?
        .len();
    if size > LARGEST {
        let found = format!("{} MiB", size >> 20);
        let advice = "at most 512 MiB are read: cut it into parts";
        return Err(Error::input(path.display(), "size", found, advice));
    }
    std::fs::read(path).map_err(|e| Error::io(path, "read", e))
}

/// What a file is that is no NumPy file, by its first bytes.
fn describe(start: &[u8]) -> &'static str {
    let text = start
        .iter()
        .all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
    match start {
        _ if text => "text",
        [0x1f, 0x8b, ..] => "a gzip file",
        [0x89, b'H', b'D', b'F', ..] => "an HDF5 file",
        [b'g', b'l', b'T', b'F', ..] => "a glTF file",
        _ => "an unknown binary format",
    }
}
