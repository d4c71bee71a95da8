//! What the cameras saw, on one clock.

use nalgebra::{Rotation3, Vector3};

use super::{Keypoint, Keypoints};
use crate::error::{Error, Result};
use crate::motion::calibration;
use crate::motion::camera::Camera;
use crate::motion::skeleton::Frame;
use crate::motion::{JOINTS, Joints};

/// A floor found closer to z = 0 than this is taken to be there, m: estimates of one view are off by
/// as much.
const FLOOR_TOLERANCE: f64 = 0.2;

/// One camera and what it saw.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The camera.
    pub camera: Camera,
    /// The keypoints of the person, frame by frame.
    pub frames: Vec<Keypoints>,
}

/// In which axes 3D estimates are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Frame3d {
    /// Those of the world.
    #[default]
    World,
    /// Those of the (first) camera: x right, y down, z forward.
    Camera,
}

/// Everything that was seen of one person.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What it is called.
    pub name: String,
    /// Frames per second, Hz.
    pub fps: f64,
    /// The views, at least one; all have the same number of frames.
    pub views: Vec<View>,
    /// 3D estimates in the world frame, m, frame by frame; missing joints are NaN.
    pub estimates: Option<Vec<Joints>>,
}

impl Observation {
    /// Checks that views and estimates belong together.
    ///
    /// # Errors
    /// When they have different numbers of frames, or fewer than four.
    pub fn new(
        name: String,
        fps: f64,
        views: Vec<View>,
        estimates: Option<Vec<Joints>>,
    ) -> Result<Self> {
        let frames = views.first().map_or(0, |view| view.frames.len());
        let advice = "give keypoints and estimates of the same frames (--start and --end cut both)";
        for view in &views {
            let found = view.frames.len();
            if found != frames {
                let found = format!("{found} in {}, {frames} in another view", view.camera.name);
                return Err(Error::input(&name, "frames", found, advice));
            }
        }
        if let Some(estimates) = estimates.as_ref().filter(|e| e.len() != frames) {
            let found = format!("{frames} of keypoints, {} of estimates", estimates.len());
            return Err(Error::input(&name, "frames", found, advice));
        }
        if frames < 4 {
            let advice = "give at least four frames";
            return Err(Error::input(&name, "frames", frames, advice));
        }
        Ok(Self {
            name,
            fps,
            views,
            estimates,
        })
    }

    /// Number of frames T.
    pub fn len(&self) -> usize {
        self.views.first().map_or(0, |view| view.frames.len())
    }

    /// Whether there are no frames.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The height of the floor under 3D `joints` in this observation's world, m, where they put it
    /// far from z = 0; else 0.
    pub fn floor_of(joints: &[Joints]) -> f64 {
        let frames: Vec<Frame> = joints
            .iter()
            .filter(|p| p.iter().all(|p| p.x.is_finite()))
            .map(|joints| Frame {
                joints: *joints,
                toes: None,
            })
            .collect();
        let complete: Vec<Joints> = frames.iter().map(|frame| frame.joints).collect();
        if complete.is_empty() {
            return 0.0;
        }
        let shin = calibration::shin(&calibration::bone_lengths(&complete));
        let floor = calibration::floor_height(&frames, shin);
        if floor.abs() > FLOOR_TOLERANCE {
            floor
        } else {
            0.0
        }
    }

    /// The same in a world whose floor z = 0 is `floor` m higher.
    pub fn with_floor(&self, floor: f64) -> Self {
        let mut moved = self.clone();
        for view in &mut moved.views {
            view.camera = view.camera.moved(&Rotation3::identity(), floor);
        }
        for joints in moved.estimates.iter_mut().flatten() {
            *joints = joints.map(|p| p - Vector3::z() * floor);
        }
        moved
    }

    /// Every `step`-th frame.
    pub fn decimated(&self, step: usize) -> Self {
        Self {
            name: self.name.clone(),
            fps: self.fps / step as f64,
            views: self
                .views
                .iter()
                .map(|view| View {
                    camera: view.camera.clone(),
                    frames: view.frames.iter().step_by(step).copied().collect(),
                })
                .collect(),
            estimates: self
                .estimates
                .as_ref()
                .map(|frames| frames.iter().step_by(step).copied().collect()),
        }
    }

    /// The frames of `range`.
    pub fn cut(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            name: self.name.clone(),
            fps: self.fps,
            views: self
                .views
                .iter()
                .map(|view| View {
                    camera: view.camera.clone(),
                    frames: view.frames[range.clone()].to_vec(),
                })
                .collect(),
            estimates: self
                .estimates
                .as_ref()
                .map(|frames| frames[range.clone()].to_vec()),
        }
    }

    /// Mean distance in px between the keypoints and the projections of `joints` (world frame, one
    /// entry per frame), over all that were seen; `None` when nothing was.
    pub fn reprojection_error(&self, joints: &[Joints]) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0usize);
        for view in &self.views {
            for (seen, joints) in view.frames.iter().zip(joints) {
                for (keypoint, p) in seen.iter().zip(joints) {
                    let Some(pixel) = view.camera.project(p).filter(|_| keypoint.is_seen()) else {
                        continue;
                    };
                    sum += (pixel - keypoint.pixel).norm();
                    count += 1;
                }
            }
        }
        (count > 0).then(|| sum / count as f64)
    }
}

/// The frame in which nothing was seen.
pub const NOTHING: Keypoints = [Keypoint::MISSING; JOINTS];
