//! Options about how pose files are read, the same for every command that reads them.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::error::{Error, Result};
use crate::motion::ReadOptions;
use crate::motion::calibration::{Axis, Unit};
use crate::motion::files::{BodyModel, MarkerMap};

/// What the caller knows better than the files.
#[derive(Clone, Debug, Default, Args)]
pub struct ReadingArgs {
    /// Frames per second of the file; else what a JSON file beside it or the file says, else 50.
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    pub(super) fps: Option<f64>,
    /// The axis that points up: z, y, x, -y, ...; detected unless given.
    #[arg(long, value_name = "AXIS", allow_hyphen_values = true)]
    pub(super) up: Option<Axis>,
    /// Unit of length: m, cm, mm, in, cmu, or its length in metres; detected unless given.
    #[arg(long, value_name = "UNIT")]
    pub(super) units: Option<Unit>,
    /// Which person, from 1, where there are several (WHAM, PromptHMR, 2D keypoints).
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    person: Option<usize>,
    /// Which clip of a pickle with several (PHC); --person N chooses by number.
    #[arg(long, value_name = "NAME")]
    pub(super) clip: Option<String>,
    /// JSON of which markers of a .trc or .c3d stand for a joint: {"right_knee": ["RKNE", "RKNM"], ...}.
    #[arg(long, value_name = "FILE")]
    pub(super) markers: Option<PathBuf>,
    /// Your own model file of SMPL, SMPL+H or SMPL-X (.npz, .pkl), by which the shape (betas) in files of such poses counts;
    /// not used unless given.
    #[arg(long, value_name = "FILE")]
    pub(super) body_model: Option<PathBuf>,
}

/// Extensions of files with several people or clips, of files with markers, and of those with poses of SMPL.
const SEVERAL: [&str; 2] = ["pkl", "pt"];
/// The same.
const NAMED: [&str; 3] = ["trc", "c3d", "npz"];
/// The same.
const POSED: [&str; 3] = ["npz", "pkl", "pt"];

impl ReadingArgs {
    /// The options and whether they were given.
    pub(super) fn given(&self) -> [(&'static str, bool); 7] {
        [
            ("--fps", self.fps.is_some()),
            ("--up", self.up.is_some()),
            ("--units", self.units.is_some()),
            ("--person", self.person.is_some()),
            ("--clip", self.clip.is_some()),
            ("--markers", self.markers.is_some()),
            ("--body-model", self.body_model.is_some()),
        ]
    }

    /// The person that is asked for, from 1.
    pub(super) fn person(&self) -> Result<Option<usize>> {
        match self.person {
            Some(0) => {
                let advice = "persons are counted from 1";
                Err(Error::input("--person", "number", 0, advice))
            }
            person => Ok(person),
        }
    }

    /// How to read a file.
    pub(super) fn options(&self) -> Result<ReadOptions> {
        Ok(ReadOptions {
            fps: self.fps,
            up: self.up,
            units: self.units,
            person: self.person()?,
            clip: self.clip.clone(),
            markers: self.markers.as_deref().map(MarkerMap::read).transpose()?,
            body_model: self
                .body_model
                .as_deref()
                .map(|path| BodyModel::read(path).map(Arc::new))
                .transpose()?,
            ..ReadOptions::default()
        })
    }
}

/// Puts `given` where `own`, what is known of a file that ends in `extension`, leaves it open. Persons, clips, markers
/// and models of the body are for files that have them, or poses: a folder may hold others.
pub(super) fn complete(own: &mut ReadOptions, given: &ReadOptions, extension: &str) {
    let is_one = |of: &[&str]| of.iter().any(|end| end.eq_ignore_ascii_case(extension));
    own.fps = own.fps.or(given.fps);
    own.up = own.up.or(given.up);
    own.units = own.units.or(given.units);
    if is_one(&SEVERAL) {
        own.person = own.person.or(given.person);
        own.clip = own.clip.take().or(given.clip.clone());
    }
    if is_one(&NAMED) {
        own.markers = own.markers.take().or(given.markers.clone());
    }
    if is_one(&POSED) {
        own.body_model = own.body_model.take().or(given.body_model.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_clip_goes_before() {
        let given = ReadOptions {
            fps: Some(30.0),
            units: Some(Unit::Metre),
            person: Some(2),
            clip: Some("walk".into()),
            ..ReadOptions::default()
        };
        let mut own = ReadOptions {
            fps: Some(60.0),
            ..ReadOptions::default()
        };
        complete(&mut own, &given, "PKL");
        assert_eq!((own.fps, own.person), (Some(60.0), Some(2)));
        assert_eq!(own.clip.as_deref(), Some("walk"));
        let mut own = ReadOptions::default();
        complete(&mut own, &given, "npy");
        assert_eq!((own.fps, own.units), (Some(30.0), Some(Unit::Metre)));
        assert_eq!((own.person, own.clip), (None, None));
    }
}
