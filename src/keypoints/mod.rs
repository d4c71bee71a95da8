//! 2D keypoints: reading them, choosing a person, and finding the 3D motion that explains them.
//!
//! ```text
//! detections ──► people (choose one) ──► View: camera + 17 keypoints a frame ─┐
//!  OpenPose, COCO-17, .npz, AIST++                                           ├─► fit: joints in the world, with uncertainty
//! 3D estimates (world or camera frame) ──────────────────────────────────────┘
//! ```

pub mod files;
pub mod fit;
mod layout;
mod observation;
mod people;
mod plausibility;
mod poses;
pub mod proportions;
mod triangulation;

use nalgebra::Vector2;

use crate::motion::JOINTS;

pub use files::{Detections, ReadOptions, of_array as keypoints_of_array, read};
pub use layout::Layout2d;
pub use observation::{Frame3d, Observation, View};
pub use people::{Person, choose};
pub use plausibility::{check_view, confusions, misfits};
pub use poses::{PoseOptions, of_array as poses_of_array, read_poses};
pub use triangulation::triangulate;

/// A joint as seen in an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keypoint {
    /// Where, px.
    pub pixel: Vector2<f64>,
    /// How sure the detector is, in [0, 1]; 0 for a joint that was not found.
    pub confidence: f64,
}

impl Keypoint {
    /// A joint that was not found.
    pub const MISSING: Self = Self {
        pixel: Vector2::new(0.0, 0.0),
        confidence: 0.0,
    };

    /// Whether the joint was found.
    pub fn is_seen(&self) -> bool {
        self.confidence > 0.0
    }
}

/// The keypoints of one person in one image, Human3.6M-17 order.
pub type Keypoints = [Keypoint; JOINTS];
