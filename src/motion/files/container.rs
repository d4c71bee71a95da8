//! What a file is, by its first bytes, and who reads the points in it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::archive::Archive;
use super::array::Array;
use super::c3d::{self, C3d};
use super::markers::{self, Markers};
use super::points::{Check, Points};
use super::positions;
use super::smpl::{Known, pickled};
use super::whole::text;
use super::{bvh, pickle, torch, trc};
use crate::error::{Error, Result};
use crate::motion::npy::MAGIC;

const SAVE_ADVICE: &str = "give an .npy file with an array (frames, 17, 3), an .npz with it, a .bvh, .trc, .c3d, .pkl or .pt; 2D keypoints need --camera or --focal";

/// Bytes that tell what a file is.
pub const START: u64 = 64;

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
    let start = beginning(path, START)?;
    if start.starts_with(b"PK") {
        return archive(path, origin, known, check);
    }
    if start.first() == Some(&0x80) || pickle::begins_compressed(&start) {
        known.refuse_markers(origin)?;
        return pickled::read(path, origin, known, check);
    }
    if let Some((found, advice)) = pickle::unread(&start) {
        return Err(Error::input(origin, "format", found, advice));
    }
    known.refuse_choice(origin)?;
    known.refuse_model(origin)?;
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

/// The first `count` bytes of the file at `path`.
pub fn beginning(path: &Path, count: u64) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|error| Error::io(path, "read", error))?;
    let mut start = Vec::new();
    let read = file.take(count).read_to_end(&mut start);
    read.map_err(|error| Error::io(path, "read", error))?;
    Ok(start)
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

/// What a file is that is no NumPy file, by its first bytes.
fn describe(start: &[u8]) -> &'static str {
    let text = start
        .iter()
        .all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
    match start {
        _ if text => "text",
        [0x89, b'H', b'D', b'F', ..] => "an HDF5 file",
        [b'g', b'l', b'T', b'F', ..] => "a glTF file",
        _ => "an unknown binary format",
    }
}
