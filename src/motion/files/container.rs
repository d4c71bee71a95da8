//! What holds the numbers: a bare `.npy` array, one of the arrays of a `.npz` archive, or a BVH file.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use nalgebra::Vector3;
use zip::ZipArchive;
use zip::result::ZipError;

use super::archive::{Archive, Array};
use super::c3d::{self, C3d};
use super::markers;
use super::smpl::{self, Known, Members};
use super::{bvh, trc};
use crate::error::{Error, Result};
use crate::motion::calibration::{Axis, Unit};
use crate::motion::npy::{Header, MAGIC};
use crate::motion::skeleton::{Frame, Layout};

/// Names of the positions in an archive, the preferred one first.
const POSITIONS: [&str; 4] = ["joints", "positions", "keypoints3d", "poses3d"];

/// Names of the frame rate in an archive (AMASS has used both of the last two).
const FRAME_RATES: [&str; 3] = ["fps", "mocap_framerate", "mocap_frame_rate"];

/// So many numbers are shown where one is expected.
const FEW: usize = 8;

const SAVE_ADVICE: &str = "give an .npy file with an array (frames, 17, 3), an .npz with it, or a .bvh; 2D keypoints need --camera or --focal";

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
    fn new(shape: &[usize], values: Vec<f64>, fps: Option<f64>) -> Self {
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

/// Reads the positions of `path`. The frame rate is `fps`, or else what the file says; `stature`, m,
/// sizes bodies of which only the pose is there. `check` sees the shape, the frame rate and the layout
/// that the file tells before the elements are read, and must refuse every shape but (T, J, 3).
pub fn load(
    path: &Path,
    fps: Option<f64>,
    stature: Option<f64>,
    check: impl Fn(&[usize], Option<f64>, Option<Layout>) -> Result<()>,
) -> Result<Points> {
    let origin = &path.display().to_string();
    let known = Known { fps, stature };
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
    let mut file = BufReader::new(file);
    let mut start = Vec::new();
    file.by_ref()
        .take(64)
        .read_to_end(&mut start)
        .map_err(|e| Error::io(path, "read", e))?;
    if start.starts_with(b"PK") {
        return load_npz(path, origin, known, check);
    }
    if start.first() == Some(&0x80) {
        return smpl::read_pickle(path, origin, known, check);
    }
    if bvh::begins(&start) {
        return bvh::read(&text(path)?, origin, fps, check);
    }
    if trc::begins(&start) {
        let markers = trc::read(&text(path)?, origin, fps)?;
        let (shape, layout) = markers::shape(markers.frames());
        check(&shape, markers.fps, Some(layout))?;
        return markers.joints(origin);
    }
    if c3d::begins(&start) {
        let file = C3d::read(path, |frames, rate| {
            let (shape, layout) = markers::shape(frames);
            check(&shape, fps.or(Some(rate)), Some(layout))
        })?;
        return file.markers(fps).joints(origin);
    }
    if path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("bvh"))
    {
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
    let array = Array::read(path, origin, |shape| check(shape, fps, None))?;
    Ok(Points::new(&array.shape, array.values, fps))
}

/// The text of a file. Names may be in any encoding; what is read of them is ASCII.
fn text(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, "read", e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
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

fn load_npz(
    path: &Path,
    origin: &str,
    known: Known,
    check: impl Fn(&[usize], Option<f64>, Option<Layout>) -> Result<()>,
) -> Result<Points> {
    let file = File::open(path).map_err(|error| Error::io(path, "read", error))?;
    let mut archive =
        ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(error, origin))?;
    let mut fps = known.fps;
    for name in FRAME_RATES {
        if fps.is_none() {
            fps = frame_rate(&mut archive, name, origin)?;
        }
    }
    if !has_positions(&archive) {
        let mut arrays = Archive::open(path)?;
        if let Some(members) = Members::find(&mut arrays) {
            let known = Known { fps, ..known };
            return smpl::read_archive(&members, &mut arrays, origin, known, check);
        }
    }
    let (name, inside) = find_positions(&mut archive, origin)?;
    let mut member = archive
        .by_name(&name)
        .map_err(|error| damaged(error, &inside))?;
    let header = Header::read(&mut member, &inside)?;
    check(&header.shape, fps, None)?;
    let values = header.read_values(&mut member, &inside)?;
    Ok(Points::new(&header.shape, values, fps))
}

/// The frame rate that the member `name` holds; `None` where there is no such member.
fn frame_rate(
    archive: &mut ZipArchive<BufReader<File>>,
    name: &str,
    origin: &str,
) -> Result<Option<f64>> {
    let mut member = match archive.by_name(&format!("{name}.npy")) {
        Ok(member) => member,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(damaged(error, origin)),
    };
    let inside = format!("{origin}: {name}");
    let refuse = |found: String| {
        let advice = "save the frame rate as one number, or give --fps";
        Error::input(&inside, "frame rate", found, advice)
    };
    let header = Header::read(&mut member, &inside).map_err(|error| match error {
        Error::Input { found, .. } => refuse(format!("no number ({found})")),
        other => other,
    })?;
    if header.count().is_none_or(|count| count > FEW) {
        return Err(refuse(format!("an array {:?}", header.shape)));
    }
    match header.read_values(&mut member, &inside)?[..] {
        [fps] => Ok(Some(fps)),
        ref numbers => Err(refuse(format!("{numbers:?}"))),
    }
}

/// Whether an archive has an array with one of the names of positions.
fn has_positions(archive: &ZipArchive<BufReader<File>>) -> bool {
    let is_one = |file: &str| {
        file.strip_suffix(".npy")
            .is_some_and(|name| POSITIONS.contains(&name))
    };
    archive.file_names().any(is_one)
}

/// The member with the positions, and how to call it in errors.
fn find_positions(
    archive: &mut ZipArchive<BufReader<File>>,
    origin: &str,
) -> Result<(String, String)> {
    let called = |name: &str| (format!("{name}.npy"), format!("{origin}: {name}"));
    let names: Vec<String> = archive.file_names().map(str::to_string).collect();
    if let Some(name) = POSITIONS
        .iter()
        .find(|name| names.contains(&format!("{name}.npy")))
    {
        return Ok(called(name));
    }
    let (mut candidates, mut contents) = (Vec::new(), Vec::new());
    for file_name in names {
        let Some(name) = file_name.strip_suffix(".npy") else {
            continue;
        };
        let mut member = archive
            .by_name(&file_name)
            .map_err(|error| damaged(error, origin))?;
        let shape = match Header::read(&mut member, name) {
            Ok(header) => header.shape,
            Err(_) => {
                contents.push(format!("{name} (not numbers)"));
                continue;
            }
        };
        contents.push(format!("{name} {shape:?}"));
        if matches!(shape[..], [_, joints, 3] if Layout::of_count(joints).is_some()) {
            candidates.push(name.to_string());
        }
    }
    match &candidates[..] {
        [name] => Ok(called(name)),
        _ => Err(Error::input(
            origin,
            "arrays",
            if contents.is_empty() {
                "none".to_string()
            } else {
                contents.join(", ")
            },
            format!(
                "call the positions (frames, 17, 3) one of {}",
                POSITIONS.join(", ")
            ),
        )),
    }
}

fn damaged(error: ZipError, origin: &str) -> Error {
    let found = format!("a damaged archive ({error})");
    Error::input(origin, "format", found, "copy or save the file again")
}
