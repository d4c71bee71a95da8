//! Pose formats: the Human3.6M-17 skeleton and how other layouts are brought to it.

use std::fmt;
use std::str::FromStr;

use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use super::{JOINTS, Joints};
use crate::error::Error;

/// Index of the pelvis, the middle of the hip joints.
pub const PELVIS: usize = 0;
/// Index of the right hip.
pub const RIGHT_HIP: usize = 1;
/// Index of the right knee.
pub const RIGHT_KNEE: usize = 2;
/// Index of the right ankle.
pub const RIGHT_ANKLE: usize = 3;
/// Index of the left hip.
pub const LEFT_HIP: usize = 4;
/// Index of the left knee.
pub const LEFT_KNEE: usize = 5;
/// Index of the left ankle.
pub const LEFT_ANKLE: usize = 6;
/// Index of the spine joint, about half way up the trunk.
pub const SPINE: usize = 7;
/// Index of the thorax, where the clavicles start.
pub const THORAX: usize = 8;
/// Index of the neck, the base of the skull ("Neck/Nose" in some lists).
pub const NECK: usize = 9;
/// Index of the top of the head.
pub const HEAD: usize = 10;
/// Index of the left shoulder.
pub const LEFT_SHOULDER: usize = 11;
/// Index of the left elbow.
pub const LEFT_ELBOW: usize = 12;
/// Index of the left wrist.
pub const LEFT_WRIST: usize = 13;
/// Index of the right shoulder.
pub const RIGHT_SHOULDER: usize = 14;
/// Index of the right elbow.
pub const RIGHT_ELBOW: usize = 15;
/// Index of the right wrist.
pub const RIGHT_WRIST: usize = 16;

/// The ankles `[right, left]`; the order of every pair of feet in this crate.
pub const ANKLES: [usize; 2] = [RIGHT_ANKLE, LEFT_ANKLE];

/// A side of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The subject's right.
    Right,
    /// The subject's left.
    Left,
}

impl Side {
    /// Both, in the order of every pair of feet in this crate.
    pub const BOTH: [Self; 2] = [Self::Right, Self::Left];

    /// Its place in pairs `[right, left]`.
    pub fn index(self) -> usize {
        usize::from(self == Self::Left)
    }
}

/// Joint names in Human3.6M-17 order. The right leg comes before the left one, the left arm before
/// the right one.
pub const NAMES: [&str; JOINTS] = [
    "pelvis",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "spine",
    "thorax",
    "neck",
    "head",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
];

/// Parent of every joint; `None` for the pelvis. A parent comes before its children.
pub const PARENTS: [Option<usize>; JOINTS] = [
    None,
    Some(PELVIS),
    Some(RIGHT_HIP),
    Some(RIGHT_KNEE),
    Some(PELVIS),
    Some(LEFT_HIP),
    Some(LEFT_KNEE),
    Some(PELVIS),
    Some(SPINE),
    Some(THORAX),
    Some(NECK),
    Some(THORAX),
    Some(LEFT_SHOULDER),
    Some(LEFT_ELBOW),
    Some(THORAX),
    Some(RIGHT_SHOULDER),
    Some(RIGHT_ELBOW),
];

/// The 16 bones as (parent, child).
pub fn bones() -> impl Iterator<Item = (usize, usize)> {
    PARENTS
        .iter()
        .enumerate()
        .filter_map(|(child, parent)| Some(((*parent)?, child)))
}

/// The same joint on the other side of the body; itself when it lies in the middle.
pub fn mirrored(joint: usize) -> usize {
    match joint {
        RIGHT_HIP..=RIGHT_ANKLE => joint + 3,
        LEFT_HIP..=LEFT_ANKLE => joint - 3,
        LEFT_SHOULDER..=LEFT_WRIST => joint + 3,
        RIGHT_SHOULDER..=RIGHT_WRIST => joint - 3,
        _ => joint,
    }
}

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
}

/// Whether a joint is there: all its coordinates are numbers.
pub(super) fn is_seen(point: &Vector3<f64>) -> bool {
    point.iter().all(|x| x.is_finite())
}

/// One frame in the working layout, as converted from a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// The 17 joints.
    pub joints: Joints,
    /// Toe bases `[right, left]`, if the layout has them.
    pub toes: Option<[Vector3<f64>; 2]>,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 5] = [
        Self::H36m17,
        Self::H36m17Toes,
        Self::H36m32,
        Self::Coco17,
        Self::Smpl24,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::H36m17 => "h36m17",
            Self::H36m17Toes => "h36m17-toes",
            Self::H36m32 => "h36m32",
            Self::Coco17 => "coco17",
            Self::Smpl24 => "smpl24",
        }
    }

    /// Number of joints J of a file in this layout.
    pub fn joint_count(self) -> usize {
        match self {
            Self::H36m17 | Self::Coco17 => 17,
            Self::H36m17Toes => 19,
            Self::H36m32 => 32,
            Self::Smpl24 => 24,
        }
    }

    /// The layout a file with `count` joints is in, `None` when no layout has as many.
    ///
    /// 17 joints mean Human3.6M-17 here; [`looks_like_coco`] tells the two apart by geometry.
    pub fn of_count(count: usize) -> Option<Self> {
        match count {
            17 => Some(Self::H36m17),
            19 => Some(Self::H36m17Toes),
            24 => Some(Self::Smpl24),
            32 => Some(Self::H36m32),
            _ => None,
        }
    }

    /// Brings one frame (`joint_count` points, any unit and axes) to Human3.6M-17.
    ///
    /// Joints that a layout lacks are placed on lines through those it has; a missing (NaN) source
    /// makes the joint missing.
    ///
    /// # Panics
    /// When `points` has fewer than [`joint_count`](Self::joint_count) entries.
    pub fn convert(self, points: &[Vector3<f64>]) -> Frame {
        match self {
            Self::H36m17 => Frame {
                joints: pick(points, std::array::from_fn(|j| j)),
                toes: None,
            },
            Self::H36m17Toes => Frame {
                joints: pick(points, std::array::from_fn(|j| j)),
                toes: Some([points[17], points[18]]),
            },
            Self::H36m32 => Frame {
                joints: pick(points, H36M32),
                toes: Some([points[4], points[9]]),
            },
            Self::Coco17 => Frame {
                joints: from_coco(points),
                toes: None,
            },
            Self::Smpl24 => Frame {
                joints: from_smpl(points),
                toes: Some([points[11], points[10]]),
            },
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

/// Whether 17 joints are COCO's rather than Human3.6M's, by a majority of the frames: joints 1 and
/// 2 are the eyes (a few centimetres apart) there and a thigh here, 11 and 13 are a thigh there and
/// an arm here.
///
/// Independent of unit and axes, and even of the depth of the points. Frames in which a joint it
/// needs is missing (NaN) have no vote.
///
/// # Panics
/// When a frame has fewer than 14 points.
pub fn looks_like_coco(frames: impl Iterator<Item = impl AsRef<[Vector3<f64>]>>) -> bool {
    let votes = frames.filter_map(|frame| {
        let p = frame.as_ref();
        let (eyes, thigh) = ((p[1] - p[2]).norm(), (p[11] - p[13]).norm());
        (eyes.is_finite() && thigh.is_finite()).then_some(eyes < 0.4 * thigh)
    });
    let (coco, all) = votes.fold((0, 0), |(coco, all), vote| {
        (coco + usize::from(vote), all + 1)
    });
    2 * coco > all
}

/// Where the 17 joints are among the 32 (VideoPose3D, `common/h36m_dataset.py`).
const H36M32: [usize; JOINTS] = [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27];

fn pick(points: &[Vector3<f64>], source: [usize; JOINTS]) -> Joints {
    source.map(|j| points[j])
}

/// COCO has no trunk: pelvis and thorax are the middles of hips and shoulders, the spine lies half
/// way between, the neck half way to the middle of the ears, the top of the head half that way
/// beyond it.
fn from_coco(p: &[Vector3<f64>]) -> Joints {
    let middle = |a: Vector3<f64>, b: Vector3<f64>| (a + b) / 2.0;
    let (pelvis, thorax, ears) = (middle(p[11], p[12]), middle(p[5], p[6]), middle(p[3], p[4]));
    let head = ears + (ears - thorax) * 0.5;
    [
        pelvis,
        p[12],
        p[14],
        p[16],
        p[11],
        p[13],
        p[15],
        middle(pelvis, thorax),
        thorax,
        middle(thorax, ears),
        head,
        p[5],
        p[7],
        p[9],
        p[6],
        p[8],
        p[10],
    ]
}

/// SMPL's pelvis joint lies above the hips, so their middle is taken; the thorax is the middle of
/// the collars, the neck SMPL's head joint, and the top of the head 0.7 times as far beyond it as
/// it is from the thorax (11 cm on the mean shape).
fn from_smpl(p: &[Vector3<f64>]) -> Joints {
    let (pelvis, thorax) = ((p[1] + p[2]) / 2.0, (p[13] + p[14]) / 2.0);
    let head = p[15] + (p[15] - thorax) * 0.7;
    [
        pelvis, p[2], p[5], p[8], p[1], p[4], p[7], p[3], thorax, p[15], head, p[16], p[18], p[20],
        p[17], p[19], p[21],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Point j at (j, 0, 0), so that a conversion shows which joints it took.
    fn numbered(count: usize) -> Vec<Vector3<f64>> {
        (0..count)
            .map(|j| Vector3::new(j as f64, 0.0, 0.0))
            .collect()
    }

    #[test]
    fn names_parents_and_sides_agree() {
        assert_eq!(bones().count(), JOINTS - 1);
        for (parent, child) in bones() {
            assert!(parent < child);
            // Mirroring keeps the tree.
            assert_eq!(PARENTS[mirrored(child)], Some(mirrored(parent)));
        }
        for j in 0..JOINTS {
            assert_eq!(mirrored(mirrored(j)), j);
            let swapped = match NAMES[j].split_once('_') {
                Some(("left", part)) => format!("right_{part}"),
                Some(("right", part)) => format!("left_{part}"),
                _ => NAMES[j].to_string(),
            };
            assert_eq!(NAMES[mirrored(j)], swapped);
        }
    }

    #[test]
    fn every_layout_is_found_by_its_name_and_nothing_else_is() {
        for layout in Layout::ALL {
            assert_eq!(layout.to_string().parse::<Layout>().unwrap(), layout);
        }
        let error = "openpose".parse::<Layout>().unwrap_err().to_string();
        assert!(
            error.contains("openpose") && error.contains("h36m17-toes"),
            "{error}"
        );
    }

    #[test]
    fn human36m_layouts_keep_the_joints_and_find_the_toes() {
        let frame = Layout::H36m17Toes.convert(&numbered(19));
        assert_eq!(frame.joints[16].x, 16.0);
        assert_eq!(frame.toes.unwrap().map(|p| p.x), [17.0, 18.0]);
        let frame = Layout::H36m32.convert(&numbered(32));
        assert_eq!(frame.joints.map(|p| p.x as usize), H36M32);
        assert_eq!(frame.toes.unwrap().map(|p| p.x), [4.0, 9.0]);
    }

    #[test]
    fn coco_takes_middles_and_swaps_left_first_to_right_first() {
        let joints = Layout::Coco17.convert(&numbered(17)).joints;
        let x = joints.map(|p| p.x);
        assert_eq!(x[PELVIS], 11.5);
        assert_eq!((x[RIGHT_ANKLE], x[LEFT_ANKLE]), (16.0, 15.0));
        assert_eq!((x[LEFT_WRIST], x[RIGHT_WRIST]), (9.0, 10.0));
        assert_eq!((x[THORAX], x[SPINE], x[NECK]), (5.5, 8.5, 4.5));
        assert_eq!(x[HEAD], 3.5 + 0.5 * (3.5 - 5.5));
    }

    #[test]
    fn most_frames_decide_between_coco_and_human36m() {
        let frame = |eyes: f64| {
            let mut points = numbered(17); // 11 and 13 are 2 apart
            points[2] = points[1] + Vector3::x() * eyes;
            points
        };
        let (coco, other, lost) = (frame(0.3), frame(1.5), frame(f64::NAN));
        let decide = |frames: &[&Vec<Vector3<f64>>]| looks_like_coco(frames.iter());
        assert!(decide(&[&coco, &other, &lost, &lost, &coco]));
        assert!(!decide(&[&coco, &other]));
        assert!(!decide(&[&lost]));
    }

    #[test]
    fn smpl_takes_the_middle_of_the_hips_for_the_pelvis() {
        let x = Layout::Smpl24.convert(&numbered(24)).joints.map(|p| p.x);
        assert_eq!((x[PELVIS], x[THORAX], x[NECK]), (1.5, 13.5, 15.0));
        assert_eq!(
            (x[RIGHT_HIP], x[LEFT_HIP], x[RIGHT_WRIST]),
            (2.0, 1.0, 21.0)
        );
    }
}
