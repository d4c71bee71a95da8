//! Observed motion: joint positions over time, in one fixed layout and frame.

mod butterworth;
pub mod calibration;
pub mod camera;
pub mod contact;
mod derivatives;
pub mod files;
pub mod gaps;
mod hull;
pub mod npy;
mod quantile;
pub mod resample;
mod sample;
pub mod skeleton;
pub mod smoothing;
mod subject;
pub mod synthesis;
mod travel;

use nalgebra::Vector3;

pub use butterworth::low_pass;
pub(crate) use derivatives::sum_of_third_differences;
pub use derivatives::{acceleration_tv, mean_distance, third_difference};
pub use files::{ReadOptions, Reading, excerpt, read};
pub use hull::distance_from_hull;
pub use quantile::quantile;
pub use resample::resample;
pub use sample::sample;
pub use skeleton::Turns;
pub use subject::{MASSES, STATURES, Subject};
pub use travel::directions_of_travel;

/// Number of joints of the working layout, Human3.6M-17.
pub const JOINTS: usize = 17;

/// The joints of one frame, `(17, 3)`, metres, world frame (right-handed, z up).
///
/// Order: 0 pelvis, 1 right hip, 2 right knee, 3 right ankle, 4 left hip, 5 left knee,
/// 6 left ankle, 7 spine, 8 thorax, 9 neck, 10 head, 11 left shoulder, 12 left elbow,
/// 13 left wrist, 14 right shoulder, 15 right elbow, 16 right wrist.
pub type Joints = [Vector3<f64>; JOINTS];

/// A clip of observed 3D joint positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Motion {
    /// Where it comes from: the file's stem, or the name of an embedded sample.
    pub name: String,
    /// Frames per second, Hz.
    pub fps: f64,
    /// One entry per frame t; metres, z up, floor at z = 0, no missing values.
    pub joints: Vec<Joints>,
    /// Toe bases (balls of the feet) `[right, left]` per frame when the layout has them; metres.
    pub toes: Option<Vec<[Vector3<f64>; 2]>>,
    /// How limbs and head are turned, per frame, when the file has rotations; in the world of `joints`.
    pub turns: Option<Vec<Turns>>,
}

impl Motion {
    /// Number of frames T.
    pub fn len(&self) -> usize {
        self.joints.len()
    }

    /// Whether there are no frames.
    pub fn is_empty(&self) -> bool {
        self.joints.is_empty()
    }

    /// Duration in seconds, (T − 1) / fps.
    pub fn seconds(&self) -> f64 {
        self.len().saturating_sub(1) as f64 / self.fps
    }
}
