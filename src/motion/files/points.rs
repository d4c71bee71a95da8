//! The points of a file as they stand in it, before anything is known of their unit and axes.

use nalgebra::Vector3;

use crate::error::{Error, Result};
use crate::motion::Subject;
use crate::motion::calibration::{Axis, Unit};
use crate::motion::skeleton::{Frame, Layout, Turns};

/// An array of points (T, J, 3), in the file's own unit and axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Points {
    /// Number of joints J.
    pub joints: usize,
    /// The coordinates in C order.
    pub values: Vec<f64>,
    /// How limbs and head are turned in every frame, in the file's axes, where it has rotations.
    pub turns: Option<Vec<Turns>>,
    /// Frames per second, if they are known.
    pub fps: Option<f64>,
    /// What the joints are, where the file says.
    pub layout: Option<Layout>,
    /// The units that such files come in.
    pub units: &'static [Unit],
    /// The axis that points up in such files, for when the body does not tell.
    pub up: Option<Axis>,
    /// What the file tells of who moves.
    pub subject: Subject,
    /// One line for each thing understood or repaired.
    pub notes: Vec<String>,
}

impl Points {
    pub(super) fn new(shape: &[usize], values: Vec<f64>, fps: Option<f64>) -> Self {
        Self {
            joints: shape[1],
            values,
            turns: None,
            fps,
            layout: None,
            units: &Unit::METRIC,
            up: None,
            subject: Subject::default(),
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
        let convert = |(t, frame): (usize, Vec<Vector3<f64>>)| Frame {
            turns: self.turns.as_ref().map(|turns| turns[t]),
            ..layout.convert(&frame)
        };
        self.frames().enumerate().map(convert).collect()
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
