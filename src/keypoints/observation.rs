//! What the cameras saw, on one clock.

use std::ops::Range;

use nalgebra::{Rotation3, Vector3};

use super::{Keypoint, Keypoints};
use crate::error::{Error, Result};
use crate::motion::camera::Camera;
use crate::motion::skeleton::Frame;
use crate::motion::{JOINTS, Joints};
use crate::motion::{calibration, contact};

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
                turns: None,
            })
            .collect();
        let complete: Vec<Joints> = frames.iter().map(|frame| frame.joints).collect();
        if complete.is_empty() {
            return 0.0;
        }
        let shin = calibration::shin(&calibration::bone_lengths(&complete));
        let floor = contact::floor_height(&frames, shin);
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
        self.select(0..self.len(), step, self.fps / step as f64)
    }

    /// The frames of `range`.
    pub fn cut(&self, range: Range<usize>) -> Self {
        self.select(range, 1, self.fps)
    }

    /// Every `step`-th frame of `range`, at `fps`.
    fn select(&self, range: Range<usize>, step: usize, fps: f64) -> Self {
        let view = |view: &View| View {
            camera: view.camera.clone(),
            frames: thinned(&view.frames[range.clone()], step),
        };
        let estimates = |frames: &Vec<Joints>| thinned(&frames[range.clone()], step);
        Self {
            name: self.name.clone(),
            fps,
            views: self.views.iter().map(view).collect(),
            estimates: self.estimates.as_ref().map(estimates),
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

fn thinned<T: Copy>(frames: &[T], step: usize) -> Vec<T> {
    frames.iter().step_by(step).copied().collect()
}

/// The frame in which nothing was seen.
pub const NOTHING: Keypoints = [Keypoint::MISSING; JOINTS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_and_estimates_are_cut_and_thinned_alike() {
        let at = |t: usize| [Vector3::repeat(t as f64); JOINTS];
        let view = View {
            camera: Camera::standing([640.0, 480.0], 500.0, 1.5, 0.0),
            frames: (0..10)
                .map(|t| {
                    [Keypoint {
                        confidence: 0.1 * f64::from(t),
                        ..Keypoint::MISSING
                    }; JOINTS]
                })
                .collect(),
        };
        let estimates = Some((0..10).map(at).collect());
        let observation = Observation::new("x".into(), 50.0, vec![view], estimates).unwrap();
        let part = observation.cut(3..10).decimated(3);
        assert_eq!(part.estimates, Some(vec![at(3), at(6), at(9)]));
        let frames = &observation.views[0].frames;
        assert_eq!(part.views[0].frames, [frames[3], frames[6], frames[9]]);
        assert!((part.fps - 50.0 / 3.0).abs() < 1e-12);
    }
}
