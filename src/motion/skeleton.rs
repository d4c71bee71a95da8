//! Pose formats: the Human3.6M-17 skeleton and how other layouts are brought to it.

use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

pub use layout::Layout;
pub(crate) use layout::TOE_BASE;
pub use turns::{HINGES, Turns};

use super::{JOINTS, Joints};

mod layout;
mod turns;

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
    /// How limbs and head are turned, if the file has rotations.
    pub turns: Option<Turns>,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Point j at (j, 0, 0), so that a conversion shows which joints it took.
    pub(super) fn numbered(count: usize) -> Vec<Vector3<f64>> {
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
}
