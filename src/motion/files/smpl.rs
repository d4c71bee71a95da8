//! Pose parameters of SMPL, SMPL+H and SMPL-X: turns of joints and a translation.
//!
//! Read are `.npz` archives as AMASS and SMPL-X's fits have them, and pickles and files of torch
//! as programs for video write them. The body that takes the poses is [`body`]'s, of average proportions, or that
//! which a [`model`] of the user's own has by the file's shape coefficients (betas): these mean nothing without it.

mod betas;
pub mod body;
mod figure;
pub mod model;
pub(super) mod pickled;

use nalgebra::Vector3;

use super::archive::Archive;
use super::array::Array;
use super::markers::MarkerMap;
use super::points::{Check, Points};
use crate::error::{Error, Result};
use crate::motion::Subject;
use crate::motion::calibration::{Axis, Unit};
use crate::motion::skeleton::Layout;
use betas::{BETAS, Betas};
use body::{COUNT, TURNS};
use figure::{Figure, Size};
use model::BodyModel;

/// Numbers of a frame that are used: three for each turn.
const WIDTH: usize = 3 * TURNS;

/// Names of all turns in one array, root first.
const POSES: [&str; 2] = ["poses", "fullpose"];

/// Names of the turn of the root, and of those of the body, where they are apart.
const ROOTS: [&str; 2] = ["root_orient", "global_orient"];
const BODIES: [&str; 2] = ["pose_body", "body_pose"];

/// Name of the joints in the rest pose, (24, 3), m: this program writes it, as betas mean nothing without
/// SMPL's model file.
const REST: &str = "rest_joints";

/// Names of the translation.
const TRANSLATIONS: [&str; 2] = ["trans", "transl"];

/// The parameters of a clip.
#[derive(Clone, Debug, PartialEq)]
struct Parameters {
    /// Per frame, [`WIDTH`] numbers, rad.
    turns: Vec<f64>,
    /// Per frame, three numbers, in the file's unit.
    translation: Vec<f64>,
    /// The length of the body's metre, in the file's unit; `None` where the file does not say.
    scale: Option<f64>,
    /// The body's offsets, m, where the file has its rest pose.
    rest: Option<[Vector3<f64>; COUNT]>,
    /// The shape, where the file has it and a model makes it count.
    betas: Option<Betas>,
    /// Whether the translation is where the root joint is, not that of the model's origin.
    is_root: bool,
    /// What the file calls them.
    names: String,
    unit: &'static [Unit; 1],
    up: Axis,
}

/// What the caller knows.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Frames per second, Hz.
    pub fps: Option<f64>,
    /// Standing height, m.
    pub stature: Option<f64>,
    /// Which person of several, from 1.
    pub person: Option<usize>,
    /// Which clip of several, by name.
    pub clip: Option<&'a str>,
    /// Which markers stand for which joint.
    pub markers: Option<&'a MarkerMap>,
    /// The model of the body by which shape coefficients count.
    pub model: Option<&'a BodyModel>,
}

impl Known<'_> {
    /// Refuses the choice of a person or a clip where there is one.
    pub(super) fn refuse_choice(&self, origin: &str) -> Result<()> {
        let advice = format!("leave it out: {origin} holds one motion");
        match (self.person, self.clip) {
            (Some(person), _) if person > 1 => {
                Err(Error::input("--person", "number", person, advice))
            }
            (_, Some(clip)) => Err(Error::input("--clip", "name", clip, advice)),
            _ => Ok(()),
        }
    }

    /// Refuses a list of markers where points have no names.
    pub(super) fn refuse_markers(&self, origin: &str) -> Result<()> {
        match self.markers {
            None => Ok(()),
            Some(_) => {
                let advice = "leave it out: it is for .trc, .c3d and archives with joint_names";
                Err(Error::input("--markers", "use", origin, advice))
            }
        }
    }

    /// Refuses a model of the body where there are no poses for it.
    pub(super) fn refuse_model(&self, origin: &str) -> Result<()> {
        match self.model {
            None => Ok(()),
            Some(_) => {
                let advice = "leave it out: it is for poses of SMPL (.npz, .pkl, .pt)";
                Err(Error::input("--body-model", "use", origin, advice))
            }
        }
    }

    /// Takes `rate` for the frame rate where it is not known, with a note.
    fn assume(&mut self, rate: f64, notes: &mut Vec<String>) {
        if self.fps.is_none() {
            self.fps = Some(rate);
            notes.push(format!(
                "frame rate: not in the file, {rate} fps assumed (--fps)"
            ));
        }
    }
}

/// Which arrays of an archive hold the parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Members {
    /// All turns, or that of the root.
    turns: String,
    /// The turns of the body, where they are apart.
    body: Option<String>,
    translation: String,
    frames: usize,
}

impl Members {
    /// Finds the parameters in `archive`; `None` when it holds none.
    pub fn find(archive: &mut Archive) -> Option<Self> {
        let mut find = |names: &[&str], least: usize| {
            names
                .iter()
                .find_map(|name| match archive.shape(name)?[..] {
                    [frames, width] if width >= least => Some((name.to_string(), frames)),
                    [frames, joints, 3] if joints >= least / 3 && least > 3 => {
                        Some((name.to_string(), frames))
                    }
                    _ => None,
                })
        };
        let (translation, frames) = find(&TRANSLATIONS, 3)?;
        let (turns, body) = match find(&POSES, WIDTH) {
            Some((poses, _)) => (poses, None),
            None => (find(&ROOTS, 3)?.0, Some(find(&BODIES, WIDTH - 3)?.0)),
        };
        Some(Self {
            turns,
            body,
            translation,
            frames,
        })
    }

    fn read(&self, archive: &mut Archive, origin: &str) -> Result<Parameters> {
        let mut read = |name: &str, width: usize| rows(archive.array(name)?, name, width, origin);
        let (turns, names) = match &self.body {
            None => (read(&self.turns, WIDTH)?, self.turns.clone()),
            Some(body) => {
                let (root, below) = (read(&self.turns, 3)?, read(body, WIDTH - 3)?);
                check_frames(below.len() / (WIDTH - 3), root.len() / 3, body, origin)?;
                let both = root.chunks_exact(3).zip(below.chunks_exact(WIDTH - 3));
                let turns = both.flat_map(|(root, body)| [root, body].concat());
                (turns.collect(), format!("{}, {body}", self.turns))
            }
        };
        Ok(Parameters {
            turns,
            translation: read(&self.translation, 3)?,
            scale: None,
            rest: rest_offsets(archive, origin)?,
            betas: None,
            is_root: false,
            names: format!("{names}, {}", self.translation),
            unit: &[Unit::Metre],
            up: Axis::Z,
        })
    }
}

/// Reads the parameters `members` of `archive` and poses the body by them.
///
/// # Errors
/// [`Error::Input`] when arrays do not fit each other, and when `check` refuses the shape.
pub fn read_archive(
    members: &Members,
    archive: &mut Archive,
    origin: &str,
    known: Known,
    check: impl Check,
) -> Result<Points> {
    let shape = [members.frames, COUNT, 3];
    check(&shape, known.fps, Some(Layout::Smpl24))?;
    let mut parameters = members.read(archive, origin)?;
    if known.model.is_some()
        && let Some(name) = BETAS.iter().find(|name| archive.has(name))
    {
        parameters.betas = Some(Betas::of(&archive.array(name)?, name, origin)?);
    }
    points(parameters, origin, known)
}

/// The offsets of a body whose rest pose the archive has.
fn rest_offsets(archive: &mut Archive, origin: &str) -> Result<Option<[Vector3<f64>; COUNT]>> {
    if archive.shape(REST).is_none() {
        return Ok(None);
    }
    let rest = archive.array(REST)?;
    if rest.shape != [COUNT, 3] || rest.values.iter().any(|x| !x.is_finite()) {
        let found = format!("{:?}", rest.shape);
        let advice = "the rest pose is (24, 3) finite numbers, m";
        return Err(Error::input(origin, REST, found, advice));
    }
    let at = |j: usize| Vector3::from_column_slice(&rest.values[3 * j..][..3]);
    Ok(Some(std::array::from_fn(|j| match j {
        0 => at(0),
        _ => at(j) - at(body::PARENTS[j]),
    })))
}

/// The first `width` numbers of every row (the first axis) of `array`.
fn rows(array: Array, name: &str, width: usize, origin: &str) -> Result<Vec<f64>> {
    let (frames, all) = match array.shape[..] {
        [] => (1, 1),
        [frames, ref rest @ ..] => (
            frames,
            rest.iter().fold(1_usize, |a, b| a.saturating_mul(*b)),
        ),
    };
    if all < width || frames == 0 {
        let advice = format!("every frame needs {width} numbers or more");
        let found = format!("{:?}", array.shape);
        return Err(Error::input(origin, name, found, advice));
    }
    Ok(array
        .values
        .chunks_exact(all)
        .flat_map(|row| row[..width].to_vec())
        .collect())
}

fn check_frames(found: usize, expected: usize, name: &str, origin: &str) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let advice = format!("there are {expected} of the others: save the arrays again");
    Err(Error::input(
        origin,
        name,
        format!("{found} frames"),
        advice,
    ))
}

/// Poses the body in every frame.
fn points(parameters: Parameters, origin: &str, known: Known) -> Result<Points> {
    let frames = parameters.translation.len() / 3;
    check_frames(parameters.turns.len() / WIDTH, frames, "turns", origin)?;
    check_angles(&parameters.turns, origin)?;
    let figure = figure(&parameters, origin, known)?;
    let (offsets, scale) = (&figure.offsets, figure.scale);
    let spine = body::spine(offsets);
    let root = match parameters.is_root {
        true => offsets[0] * scale,
        false => Vector3::zeros(),
    };
    let mut values = Vec::with_capacity(3 * COUNT * frames);
    let mut directions = Vec::with_capacity(frames);
    let turns = parameters.turns.chunks_exact(WIDTH);
    for (turns, translation) in turns.zip(parameters.translation.chunks_exact(3)) {
        let turn = |j: usize| Vector3::from_column_slice(&turns[3 * j..][..3]);
        let translation = Vector3::from_column_slice(translation) - root;
        let world = body::orientations(&std::array::from_fn(turn));
        directions.push(body::turns(&world));
        let mut joints = body::place(&world, offsets);
        joints[body::SPINE1] = joints[spine];
        values.extend(joints.iter().flat_map(|p| {
            let point: [f64; 3] = (p * scale + translation).into();
            point
        }));
    }
    Ok(Points {
        joints: COUNT,
        values,
        turns: Some(directions),
        fps: known.fps,
        layout: Some(Layout::Smpl24),
        units: parameters.unit,
        up: Some(parameters.up),
        subject: Subject::default(),
        notes: figure.notes(&parameters.names),
    })
}

/// The body that takes the poses.
fn figure(parameters: &Parameters, origin: &str, known: Known) -> Result<Figure> {
    let size = Size {
        metre: 1.0 / parameters.unit[0].metres(),
        stature: known.stature,
        scale: parameters.scale,
    };
    match (known.model, parameters.rest) {
        (Some(_), Some(_)) => {
            let advice = format!("leave it out: the file has its own body ({REST})");
            Err(Error::input("--body-model", "use", origin, advice))
        }
        (Some(model), None) => Ok(Figure::shaped(model, parameters.betas.as_ref(), &size)),
        (None, Some(rest)) => Ok(Figure::resting(rest, REST, &size)),
        (None, None) => Ok(Figure::average(&size)),
    }
}

/// Refuses turns that no radians are: by far too large.
fn check_angles(turns: &[f64], origin: &str) -> Result<()> {
    let largest = turns.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    if largest <= 100.0 {
        return Ok(());
    }
    let advice = "an axis times an angle in radians is needed";
    Err(Error::input(origin, "turns", largest, advice))
}

#[cfg(test)]
mod tests;
