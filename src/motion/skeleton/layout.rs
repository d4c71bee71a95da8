//! The joint layouts of files, brought to Human3.6M-17.

use std::fmt;
use std::str::FromStr;

use nalgebra::Vector3;

use super::Frame;
use crate::error::Error;
use crate::motion::{JOINTS, Joints};

/// The toe base is this share of the way from the big toe's tip to the heel.
pub(crate) const TOE_BASE: f64 = 0.25;

/// The joint layouts that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Human3.6M, 17 joints: the working layout.
    H36m17,
    /// Human3.6M-17 followed by the right and the left toe base (ball of the foot).
    H36m17Toes,
    /// All 32 joints of Human3.6M, duplicates and end sites included.
    H36m32,
    /// COCO keypoints (AIST++): nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles,
    /// the left one of each pair first.
    Coco17,
    /// The 24 joints of SMPL.
    Smpl24,
    /// The first 22 joints of SMPL-X: SMPL's without hands.
    Smplx22,
    /// OpenPose's BODY_25: with neck, middle of the hips, toes and heels.
    Body25,
    /// Halpe-26: COCO, then head, neck, hip, toes and heels.
    Halpe26,
    /// COCO-WholeBody: COCO, then toes and heels, face and hands.
    WholeBody133,
    /// The 33 landmarks of MediaPipe's pose (FreeMoCap).
    MediaPipe33,
    /// The 30 joints of SOMA (Kimodo).
    Soma30,
    /// The 77 joints of SOMA (Kimodo).
    Soma77,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 12] = [
        Self::H36m17,
        Self::H36m17Toes,
        Self::H36m32,
        Self::Coco17,
        Self::Smpl24,
        Self::Smplx22,
        Self::Body25,
        Self::Halpe26,
        Self::WholeBody133,
        Self::MediaPipe33,
        Self::Soma30,
        Self::Soma77,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::H36m17 => "h36m17",
            Self::H36m17Toes => "h36m17-toes",
            Self::H36m32 => "h36m32",
            Self::Coco17 => "coco17",
            Self::Smpl24 => "smpl24",
            Self::Smplx22 => "smplx22",
            Self::Body25 => "body25",
            Self::Halpe26 => "halpe26",
            Self::WholeBody133 => "wholebody133",
            Self::MediaPipe33 => "mediapipe33",
            Self::Soma30 => "soma30",
            Self::Soma77 => "soma77",
        }
    }

    /// Number of joints J of a file in this layout.
    pub fn joint_count(self) -> usize {
        match self {
            Self::H36m17 | Self::Coco17 => 17,
            Self::H36m17Toes => 19,
            Self::H36m32 => 32,
            Self::Smpl24 => 24,
            Self::Smplx22 => 22,
            Self::Body25 => 25,
            Self::Halpe26 => 26,
            Self::WholeBody133 => 133,
            Self::MediaPipe33 => 33,
            Self::Soma30 => 30,
            Self::Soma77 => 77,
        }
    }

    /// The layout a file with `count` joints is in, `None` when no layout has as many.
    ///
    /// 17 joints mean Human3.6M-17 here; [`looks_like_coco`](super::looks_like_coco) tells the two apart
    /// by geometry.
    pub fn of_count(count: usize) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.joint_count() == count)
    }

    /// Brings one frame (`joint_count` points, any unit and axes) to Human3.6M-17.
    ///
    /// Joints that a layout lacks are placed on lines through those it has; a missing (NaN) source
    /// makes the joint missing.
    ///
    /// # Panics
    /// When `points` has fewer than [`joint_count`](Self::joint_count) entries.
    pub fn convert(self, points: &[Vector3<f64>]) -> Frame {
        let p = points;
        let (joints, toes) = match self {
            Self::H36m17 => (pick(p, std::array::from_fn(|j| j)), None),
            Self::H36m17Toes => (pick(p, std::array::from_fn(|j| j)), Some([p[17], p[18]])),
            Self::H36m32 => (pick(p, H36M32), Some([p[4], p[9]])),
            Self::Coco17 => (from_coco(p), None),
            Self::Smpl24 | Self::Smplx22 => (from_smpl(p), Some([p[11], p[10]])),
            Self::Body25 => (detected(p, &BODY25), Some(toes(p, [[22, 24], [19, 21]]))),
            Self::Halpe26 => (from_halpe(p), Some(toes(p, [[21, 25], [20, 24]]))),
            Self::WholeBody133 => (from_coco(p), Some(toes(p, [[20, 22], [17, 19]]))),
            Self::MediaPipe33 => (detected(p, &MEDIAPIPE), Some(toes(p, [[32, 30], [31, 29]]))),
            Self::Soma30 => (from_soma(p, &SOMA30), Some([p[29], p[25]])),
            Self::Soma77 => (from_soma(p, &SOMA77), Some([p[75], p[70]])),
        };
        Frame {
            joints,
            toes,
            turns: None,
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Layout {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.name() == text)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                Error::input(
                    "--layout",
                    "name",
                    format!("`{text}`"),
                    format!("choose one of {names}"),
                )
            })
    }
}

/// Where the 17 joints are among the 32 (VideoPose3D, `common/h36m_dataset.py`).
const H36M32: [usize; JOINTS] = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27];

fn pick(points: &[Vector3<f64>], source: [usize; JOINTS]) -> Joints {
    source.map(|j| points[j])
}

/// Toe bases of big toes and heels, `[right, left]`.
fn toes(p: &[Vector3<f64>], feet: [[usize; 2]; 2]) -> [Vector3<f64>; 2] {
    feet.map(|[toe, heel]| p[toe].lerp(&p[heel], TOE_BASE))
}

/// Where detectors have the limbs and the ears, left before right.
struct Detected {
    ears: [usize; 2],
    shoulders: [usize; 2],
    elbows: [usize; 2],
    wrists: [usize; 2],
    hips: [usize; 2],
    knees: [usize; 2],
    ankles: [usize; 2],
}

const COCO: Detected = Detected {
    ears: [3, 4],
    shoulders: [5, 6],
    elbows: [7, 8],
    wrists: [9, 10],
    hips: [11, 12],
    knees: [13, 14],
    ankles: [15, 16],
};

const BODY25: Detected = Detected {
    ears: [18, 17],
    shoulders: [5, 2],
    elbows: [6, 3],
    wrists: [7, 4],
    hips: [12, 9],
    knees: [13, 10],
    ankles: [14, 11],
};

const MEDIAPIPE: Detected = Detected {
    ears: [7, 8],
    shoulders: [11, 12],
    elbows: [13, 14],
    wrists: [15, 16],
    hips: [23, 24],
    knees: [25, 26],
    ankles: [27, 28],
};

/// COCO has no trunk: pelvis and thorax are the middles of hips and shoulders, the spine lies half
/// way between, the neck half way to the middle of the ears, the top of the head half that way
/// beyond it.
fn from_coco(p: &[Vector3<f64>]) -> Joints {
    detected(p, &COCO)
}

fn detected(p: &[Vector3<f64>], at: &Detected) -> Joints {
    let middle = |[a, b]: [usize; 2]| (p[a] + p[b]) / 2.0;
    let (pelvis, thorax, ears) = (middle(at.hips), middle(at.shoulders), middle(at.ears));
    let head = ears + (ears - thorax) * 0.5;
    let [left, right] = [0, 1].map(|side| {
        let arm = [at.shoulders, at.elbows, at.wrists].map(|pair| p[pair[side]]);
        let leg = [at.hips, at.knees, at.ankles].map(|pair| p[pair[side]]);
        (arm, leg)
    });
    let mut joints = [pelvis; JOINTS];
    joints[1..4].copy_from_slice(&right.1);
    joints[4..7].copy_from_slice(&left.1);
    let trunk = [(pelvis + thorax) / 2.0, thorax, (thorax + ears) / 2.0, head];
    joints[7..11].copy_from_slice(&trunk);
    joints[11..14].copy_from_slice(&left.0);
    joints[14..].copy_from_slice(&right.0);
    joints
}

/// Halpe-26 has the top of the head beside COCO's joints.
fn from_halpe(p: &[Vector3<f64>]) -> Joints {
    let mut joints = from_coco(p);
    joints[super::HEAD] = p[17];
    joints
}

/// SMPL's pelvis joint lies above the hips, so their middle is taken; the thorax is the middle of
/// the collars, the neck SMPL's head joint, and the top of the head 0.7 times as far beyond it as
/// it is from the thorax (11 cm on the mean shape).
fn from_smpl(p: &[Vector3<f64>]) -> Joints {
    let (pelvis, thorax) = ((p[1] + p[2]) / 2.0, (p[13] + p[14]) / 2.0);
    let head = p[15] + (p[15] - thorax) * CROWN;
    [
        pelvis, p[2], p[5], p[8], p[1], p[4], p[7], p[3], thorax, p[15], head, p[16], p[18], p[20],
        p[17], p[19], p[21],
    ]
}

/// The top of the head beyond the base of the skull, over the way there from the thorax.
const CROWN: f64 = 0.7;

/// Where SOMA has legs, the joint in the middle of the spine, collars, head and arms; left before right
/// (Kimodo's definitions of its skeletons).
struct Soma {
    legs: [usize; 2],
    collars: [usize; 2],
}

const SOMA30: Soma = Soma {
    legs: [22, 26],
    collars: [10, 16],
};

const SOMA77: Soma = Soma {
    legs: [67, 72],
    collars: [11, 39],
};

/// SOMA's hips are where its legs begin, its collars where its shoulders do; the second joint of its
/// spine is the one in the middle, and the head ends as SMPL's.
fn from_soma(p: &[Vector3<f64>], at: &Soma) -> Joints {
    let middle = |[a, b]: [usize; 2]| (p[a] + p[b]) / 2.0;
    let (pelvis, thorax, neck) = (middle(at.legs), middle(at.collars), p[6]);
    let [left_leg, right_leg] = at.legs.map(|leg| [p[leg], p[leg + 1], p[leg + 2]]);
    let [left_arm, right_arm] = at.collars.map(|arm| [p[arm + 1], p[arm + 2], p[arm + 3]]);
    let mut joints = [pelvis; JOINTS];
    joints[1..4].copy_from_slice(&right_leg);
    joints[4..7].copy_from_slice(&left_leg);
    joints[7..11].copy_from_slice(&[p[2], thorax, neck, neck + (neck - thorax) * CROWN]);
    joints[11..14].copy_from_slice(&left_arm);
    joints[14..].copy_from_slice(&right_arm);
    joints
}

#[cfg(test)]
mod tests;
