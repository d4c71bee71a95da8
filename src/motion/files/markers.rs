//! Named points, as C3D and TRC files have them, and the joints that they tell.
//!
//! Points may be joint centres (of OpenPose and its heirs, or computed by Plug-in Gait) or markers on
//! the skin; [`sources`] knows which names stand for which joint.

mod anatomy;
mod map;
mod sources;

use nalgebra::Vector3;

use super::points::Points;
use crate::error::{Error, Result};
use crate::motion::Subject;
use crate::motion::calibration::{Axis, Unit};
use crate::motion::quantile;
use crate::motion::skeleton::{Layout, is_seen};
use anatomy::{Frame, Sizes};
pub use map::MarkerMap;
use sources::Body;

/// So many names are shown where joints are missing.
const SHOWN_NAMES: usize = 30;

/// A point that is missing in more of the frames than the rest is not used.
const SEEN: f64 = 0.5;

/// Points by name over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Markers {
    /// Names of the points N.
    pub names: Vec<String>,
    /// Coordinates (T, N, 3) in C order, in the file's unit and axes; NaN where missing.
    pub values: Vec<f64>,
    /// Frames per second, Hz.
    pub fps: Option<f64>,
    /// The unit that the file names.
    pub unit: Option<Unit>,
    /// The axis that points up in such files.
    pub up: Axis,
    /// What the file tells of who moves.
    pub subject: Subject,
    /// What was understood of the file.
    pub notes: Vec<String>,
}

impl Markers {
    /// Number of frames T.
    pub fn frames(&self) -> usize {
        self.values.len() / (3 * self.names.len()).max(1)
    }

    /// The joints that the points tell.
    ///
    /// # Errors
    /// [`Error::Input`] naming the joints that no point tells.
    pub fn joints(mut self, origin: &str) -> Result<Points> {
        let zeros = self.drop_zeros();
        let body = Body::find(&self.names, |index| self.is_seen(index)).map_err(|missing| {
            let found = format!("no {} among {}", missing.join(", "), self.list_names());
            let advice = "give joint centres (RHip, RKnee, RAnkle, RShoulder, RElbow, RWrist, the \
                          same on the left) or the markers of Plug-in Gait, or say by --markers FILE \
                          which markers stand for a joint";
            Error::input(origin, "points", found, advice)
        })?;
        let width = 3 * self.names.len();
        let sizes = self.sizes(&body);
        let mut values = Vec::new();
        for row in self.values.chunks_exact(width) {
            let joints = anatomy::place(&body, &Frame { row }, sizes);
            values.extend(joints.iter().flat_map(|p| [p.x, p.y, p.z]));
        }
        if zeros > 0 {
            let note = format!("zeros: {zeros} points at exactly (0, 0, 0) are taken for missing");
            self.notes.push(note);
        }
        self.notes.push(body.describe(&self.names));
        let layout = body.layout();
        Ok(Points {
            turns: None,
            joints: layout.joint_count(),
            values,
            fps: self.fps,
            layout: Some(layout),
            units: units(self.unit),
            up: Some(self.up),
            subject: self.subject,
            notes: self.notes,
        })
    }

    /// Lengths of the body that the points tell over the whole clip, in the file's unit.
    fn sizes(&self, body: &Body) -> Sizes {
        let millimetre = 1e-3 / self.unit.unwrap_or(Unit::Millimetre).metres();
        let rows = self.values.chunks_exact(3 * self.names.len());
        let statures: Vec<f64> = rows
            .map(|row| anatomy::stature(body, &Frame { row }, millimetre))
            .filter(|stature| stature.is_finite())
            .collect();
        Sizes {
            stature: quantile(statures, 0.5),
            millimetre,
        }
    }

    /// Whether a point is there most of the time.
    fn is_seen(&self, index: usize) -> bool {
        let rows = self.values.chunks_exact(3 * self.names.len());
        let point = |row: &[f64]| Vector3::from_column_slice(&row[3 * index..][..3]);
        let seen = rows.filter(|row| is_seen(&point(row))).count();
        seen as f64 > SEEN * self.frames() as f64
    }

    /// Makes points at exactly (0, 0, 0) missing, as programs write there what they did not see; returns
    /// how many.
    fn drop_zeros(&mut self) -> usize {
        let mut count = 0;
        for point in self.values.chunks_exact_mut(3).filter(|p| **p == [0.0; 3]) {
            point.fill(f64::NAN);
            count += 1;
        }
        count
    }

    fn list_names(&self) -> String {
        let shown: Vec<&str> = self
            .names
            .iter()
            .map(String::as_str)
            .take(SHOWN_NAMES)
            .collect();
        match self.names.len() - shown.len() {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }
}

/// The units to choose from.
fn units(named: Option<Unit>) -> &'static [Unit] {
    match named {
        Some(Unit::Metre) => &[Unit::Metre],
        Some(Unit::Centimetre) => &[Unit::Centimetre],
        Some(Unit::Millimetre) => &[Unit::Millimetre],
        _ => &Unit::METRIC,
    }
}

/// Shape of what [`Markers::joints`] gives for `frames` frames, toes or not.
pub fn shape(frames: usize) -> ([usize; 3], Layout) {
    ([frames, Layout::H36m17.joint_count(), 3], Layout::H36m17)
}

#[cfg(test)]
mod tests;
