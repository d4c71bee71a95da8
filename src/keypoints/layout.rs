//! Keypoint layouts of detectors, brought to Human3.6M-17.

use std::fmt;
use std::str::FromStr;

use super::{Keypoint, Keypoints};
use crate::error::Error;

/// The keypoint layouts that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout2d {
    /// Human3.6M, 17 joints: the working layout.
    H36m17,
    /// COCO: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles; left first.
    Coco17,
    /// OpenPose's BODY_25.
    Body25,
    /// Halpe-26 (AlphaPose): COCO, then head, neck, hip, toes and heels.
    Halpe26,
    /// COCO-WholeBody: COCO, then toes and heels, face and hands.
    WholeBody133,
    /// The 33 landmarks of MediaPipe's pose, in shares of the image's width and height.
    MediaPipe33,
}

impl Layout2d {
    /// Every layout.
    pub const ALL: [Self; 6] = [
        Self::H36m17,
        Self::Coco17,
        Self::Body25,
        Self::Halpe26,
        Self::WholeBody133,
        Self::MediaPipe33,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::H36m17 => "h36m17",
            Self::Coco17 => "coco17",
            Self::Body25 => "body25",
            Self::Halpe26 => "halpe26",
            Self::WholeBody133 => "wholebody133",
            Self::MediaPipe33 => "mediapipe33",
        }
    }

    /// Number of keypoints.
    pub fn joint_count(self) -> usize {
        match self {
            Self::H36m17 | Self::Coco17 => 17,
            Self::Body25 => 25,
            Self::Halpe26 => 26,
            Self::WholeBody133 => 133,
            Self::MediaPipe33 => 33,
        }
    }

    /// The layout that detectors write with `count` keypoints; 17 mean COCO.
    pub fn of_count(count: usize) -> Option<Self> {
        match count {
            17 => Some(Self::Coco17),
            25 => Some(Self::Body25),
            26 => Some(Self::Halpe26),
            133 => Some(Self::WholeBody133),
            33 => Some(Self::MediaPipe33),
            _ => None,
        }
    }

    /// Brings one person's keypoints to Human3.6M-17. Joints that a layout lacks are placed on
    /// lines through those it has, as sure as the least sure of these.
    ///
    /// # Panics
    /// When `p` has fewer than [`joint_count`](Self::joint_count) entries.
    pub fn convert(self, p: &[Keypoint]) -> Keypoints {
        match self {
            Self::H36m17 => std::array::from_fn(|j| p[j]),
            Self::Coco17 | Self::WholeBody133 => assemble(Parts::coco(p)),
            Self::MediaPipe33 => assemble(Parts {
                pelvis: middle(p[23], p[24]),
                thorax: middle(p[11], p[12]),
                ears: or(middle(p[7], p[8]), p[0]),
                right_leg: [p[24], p[26], p[28]],
                left_leg: [p[23], p[25], p[27]],
                left_arm: [p[11], p[13], p[15]],
                right_arm: [p[12], p[14], p[16]],
            }),
            Self::Body25 => assemble(Parts {
                pelvis: or(p[8], middle(p[9], p[12])),
                thorax: or(p[1], middle(p[2], p[5])),
                ears: or(middle(p[17], p[18]), p[0]),
                right_leg: [p[9], p[10], p[11]],
                left_leg: [p[12], p[13], p[14]],
                left_arm: [p[5], p[6], p[7]],
                right_arm: [p[2], p[3], p[4]],
            }),
            Self::Halpe26 => {
                let mut joints = assemble(Parts::coco(p));
                joints[0] = or(p[19], joints[0]);
                joints[8] = or(p[18], joints[8]);
                joints[10] = or(p[17], joints[10]);
                joints
            }
        }
    }
}

impl fmt::Display for Layout2d {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Layout2d {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let named = Self::ALL.into_iter().find(|layout| layout.name() == text);
        named.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            let advice = format!("choose one of {names}");
            Error::input("--layout", "name", format!("`{text}`"), advice)
        })
    }
}

/// What every detector sees of a body.
struct Parts {
    pelvis: Keypoint,
    thorax: Keypoint,
    /// The middle of the ears.
    ears: Keypoint,
    right_leg: [Keypoint; 3],
    left_leg: [Keypoint; 3],
    left_arm: [Keypoint; 3],
    right_arm: [Keypoint; 3],
}

impl Parts {
    fn coco(p: &[Keypoint]) -> Self {
        Self {
            pelvis: middle(p[11], p[12]),
            thorax: middle(p[5], p[6]),
            ears: or(middle(p[3], p[4]), p[0]),
            right_leg: [p[12], p[14], p[16]],
            left_leg: [p[11], p[13], p[15]],
            left_arm: [p[5], p[7], p[9]],
            right_arm: [p[6], p[8], p[10]],
        }
    }
}

/// The 17 joints, with spine, neck and head where the 3D layouts have them (motion/skeleton.rs).
fn assemble(parts: Parts) -> Keypoints {
    let Parts {
        pelvis,
        thorax,
        ears,
        right_leg: [rhip, rknee, rankle],
        left_leg: [lhip, lknee, lankle],
        left_arm: [lshoulder, lelbow, lwrist],
        right_arm: [rshoulder, relbow, rwrist],
    } = parts;
    let (spine, neck) = (middle(pelvis, thorax), middle(thorax, ears));
    let head = Keypoint {
        pixel: ears.pixel + (ears.pixel - thorax.pixel) * 0.5,
        confidence: ears.confidence.min(thorax.confidence),
    };
    [
        pelvis, rhip, rknee, rankle, lhip, lknee, lankle, spine, thorax, neck, head, lshoulder,
        lelbow, lwrist, rshoulder, relbow, rwrist,
    ]
}

/// Half way between two keypoints; missing when either is.
fn middle(a: Keypoint, b: Keypoint) -> Keypoint {
    Keypoint {
        pixel: (a.pixel + b.pixel) / 2.0,
        confidence: a.confidence.min(b.confidence),
    }
}

/// `first`, or `second` when it was not found.
fn or(first: Keypoint, second: Keypoint) -> Keypoint {
    if first.is_seen() { first } else { second }
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector2;

    use super::*;

    fn numbered(count: usize) -> Vec<Keypoint> {
        let point = |j: usize| Keypoint {
            pixel: Vector2::new(j as f64, 0.0),
            confidence: 1.0 - 0.001 * j as f64,
        };
        (0..count).map(point).collect()
    }

    #[test]
    fn every_layout_finds_the_sides() {
        let sides = [
            (Layout2d::H36m17, [3.0, 6.0, 13.0, 16.0]),
            (Layout2d::Coco17, [16.0, 15.0, 9.0, 10.0]),
            (Layout2d::Body25, [11.0, 14.0, 7.0, 4.0]),
            (Layout2d::Halpe26, [16.0, 15.0, 9.0, 10.0]),
            (Layout2d::WholeBody133, [16.0, 15.0, 9.0, 10.0]),
            (Layout2d::MediaPipe33, [28.0, 27.0, 15.0, 16.0]),
        ];
        for (layout, expected) in sides {
            let joints = layout.convert(&numbered(layout.joint_count()));
            assert_eq!([3, 6, 13, 16].map(|j| joints[j].pixel.x), expected);
            assert_eq!(layout.to_string().parse::<Layout2d>().unwrap(), layout);
        }
    }

    #[test]
    fn a_joint_made_of_others_is_as_sure_as_the_least_sure() {
        let mut points = numbered(17);
        let joints = Layout2d::Coco17.convert(&points);
        assert_eq!((joints[0].pixel.x, joints[0].confidence), (11.5, 0.988));
        points[12] = Keypoint::MISSING;
        assert!(!Layout2d::Coco17.convert(&points)[0].is_seen());
        // Ears that are hidden give way to the nose.
        points[3] = Keypoint::MISSING;
        assert_eq!(
            Layout2d::Coco17.convert(&points)[9].pixel.x,
            (5.5 + 0.0) / 2.0
        );
    }
}
