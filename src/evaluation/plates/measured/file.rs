//! Files of force plates, and where they have their axes.

use std::path::Path;

use nalgebra::{Matrix3, Matrix3x4, Vector3};

use super::plate::Plate;
use super::steps::{Feet, on_feet};
use super::{ForcePlates, laboratory, storage};
use crate::error::{Error, Result};
use crate::motion::files::beginning;
use crate::motion::files::c3d::{self, C3d};
use crate::reconstruction::Reconstruction;

/// Bytes that tell what a file is.
const START: u64 = 4096;

/// The largest text that is read, bytes.
const LARGEST: u64 = 512 << 20;

/// Share of the mean force that is vertical, where the axis that points up is right.
const UPRIGHT: f64 = 0.9;

/// What to give instead of something else.
const ADVICE: &str =
    "give an .npz with time and force, a .c3d with force plates, or a .mot of ground reactions";

/// Where the plates of a trial are, for a motion that was read of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// What takes a point of the motion's file to the world, where the motion is a file.
    pub world_from_file: Option<Matrix3x4<f64>>,
    /// The time of the first frame in the motion's file, s.
    pub first: f64,
}

/// What a file of force plates holds.
#[derive(Clone, Debug, PartialEq)]
pub enum PlateFile {
    /// Forces on the feet, in the world (`.npz`).
    Feet(ForcePlates),
    /// Forces on plates, or columns of forces, in the axes of the laboratory.
    Plates(Plates),
}

/// Plates of a C3D file, or forces of a storage file.
#[derive(Clone, Debug, PartialEq)]
pub struct Plates {
    origin: String,
    /// Times, s.
    time: Vec<f64>,
    plates: Vec<Plate>,
    /// What turns the file's axes to z up where the motion's do not.
    turn: Matrix3<f64>,
    /// Whether times are by the clock of the motion's file, not from its first frame.
    by_clock: bool,
}

impl PlateFile {
    /// Reads an `.npz` with `time` and `force` of the feet, a `.c3d` with force plates, a storage file (`.mot`) of ground
    /// reactions with its external loads (`.xml`) beside it, or these.
    ///
    /// # Errors
    /// [`Error::Input`] for a file that cannot be read or holds something else.
    pub fn read(path: &Path) -> Result<Self> {
        let origin = path.display().to_string();
        let start = beginning(path, START)?;
        if start.starts_with(b"PK") {
            return Ok(Self::Feet(ForcePlates::from_archive(path)?));
        }
        if c3d::begins(&start) {
            let file = C3d::read(path, |_, _| Ok(()))?;
            let (time, plates) = laboratory::plates(&file, &origin)?;
            return Ok(Self::Plates(Plates {
                origin,
                time,
                plates,
                turn: Matrix3::identity(),
                by_clock: false,
            }));
        }
        let text = String::from_utf8_lossy(&start);
        if text.contains(storage::LOADS) {
            let (loads, data) = storage::loads(&text_of(path)?);
            let data = data.filter(|_| !loads.is_empty()).ok_or_else(|| {
                let advice = "external loads name the storage file of the forces";
                Error::input(&origin, "datafile", "none, or no forces", advice)
            })?;
            let data = path.with_file_name(data.replace('\\', "/"));
            return Self::storage(&data, &loads);
        }
        if text.to_lowercase().contains(storage::END) {
            return Self::storage(path, &storage::beside(path).unwrap_or_default());
        }
        Err(Error::input(origin, "format", describe(&start), ADVICE))
    }

    fn storage(path: &Path, loads: &[storage::Load]) -> Result<Self> {
        let origin = path.display().to_string();
        let (time, plates) = storage::read(&text_of(path)?, loads, &origin)?;
        // OpenSim's y is up, its z to the right.
        let turn = Matrix3::new(1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0);
        Ok(Self::Plates(Plates {
            origin,
            time,
            plates,
            turn,
            by_clock: true,
        }))
    }

    /// The forces on the feet of `run`, which begins `offset` s after the first frame of the motion's file, at `place`.
    pub fn of_run(&self, run: &Reconstruction, place: &Place, offset: f64) -> ForcePlates {
        match self {
            Self::Feet(plates) => plates.clone(),
            Self::Plates(plates) => plates.on_feet(place, &Feet::of(run, offset)),
        }
    }
}

impl Plates {
    /// The forces on the feet that move as `feet` do, for a motion at `place`.
    fn on_feet(&self, place: &Place, feet: &Feet) -> ForcePlates {
        let first = if self.by_clock { place.first } else { 0.0 };
        let time = self.time.iter().map(|time| time - first).collect();
        on_feet(self.origin.clone(), time, &self.in_world(place), feet)
    }

    /// The plates in the world of the motion. Its file has the axes of the laboratory if forces point upwards so; else it
    /// is in axes of its own, and the plates are taken to have the same origin.
    fn in_world(&self, place: &Place) -> Vec<Plate> {
        let all = self.plates.iter().flat_map(|plate| &plate.force);
        let sum: Vector3<f64> = all.sum();
        let is_upright = |turn: &Matrix3<f64>| (turn * sum).z > UPRIGHT * sum.norm();
        let by_file = place.world_from_file.map(|map| {
            let turn = map.fixed_columns::<3>(0).into_owned();
            (
                turn / turn.determinant().abs().cbrt(),
                map.column(3).into_owned(),
            )
        });
        let (turn, shift) = by_file
            .filter(|(turn, _)| is_upright(turn))
            .unwrap_or((self.turn, Vector3::zeros()));
        let moved = self.plates.iter().map(|plate| plate.moved(&turn, &shift));
        moved.collect()
    }
}

fn text_of(path: &Path) -> Result<String> {
    let size = std::fs::metadata(path)
        .map_err(|e| Error::io(path, "read", e))?
        .len();
    if size > LARGEST {
        let found = format!("{size} bytes");
        return Err(Error::input(
            path.display(),
            "size",
            found,
            "cut it into parts",
        ));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, "read", e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a file is that has no forces, by its first bytes.
fn describe(start: &[u8]) -> &'static str {
    match start {
        [] => "an empty file",
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => "a NumPy array",
        [0x80, ..] => "a pickle",
        _ if start.starts_with(b"PathFileType") => "markers (.trc)",
        _ if is_text(start) => "text without a storage file's header",
        _ => "an unknown binary format",
    }
}

/// Whether bytes are text, which may be cut within a letter.
fn is_text(start: &[u8]) -> bool {
    let whole = match std::str::from_utf8(start) {
        Ok(_) => start.len(),
        Err(error) => error.valid_up_to(),
    };
    start.len() - whole < 4 && !start[..whole].contains(&0)
}

#[cfg(test)]
mod tests;
