//! From keypoints to simulated motion: kinematic fit, then windows that see the keypoints too.

use std::ops::ControlFlow;

use super::{Progress, Reconstruction, Settings, TrackingProblem, horizon, optimizer_of_windows};
use crate::error::{Error, Result};
use crate::keypoints::fit::{Fit, fit, triangulated};
use crate::keypoints::{Observation, confusions, misfits};
use crate::motion::{Motion, resample};

/// A motion reconstructed from keypoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconstructed {
    /// What was observed, in the world of the reconstruction (floor at z = 0), at the rate that was
    /// used.
    pub observation: Observation,
    /// Frames of what was given for each one that was used.
    pub step: usize,
    /// By how much the floor of the given world lies above its z = 0, m.
    pub floor: f64,
    /// The kinematic fit, frame by frame of the observation.
    pub fit: Fit,
    /// The simulated motion, at its own rate.
    pub reconstruction: Reconstruction,
    /// Frames of the simulation for each one of the observation.
    pub every: usize,
    /// The settings as used: rate and timestep fit the observation.
    pub settings: Settings,
}

impl Reconstructed {
    /// The frames of the simulation that were observed, as a reconstruction of their own.
    pub fn observed_frames(&self) -> Reconstruction {
        let count = self.observation.len();
        let every = self.every;
        let mut thinned = self.reconstruction.clone();
        let frames = &self.reconstruction.trajectory.frames;
        thinned.trajectory.frames = frames.iter().step_by(every).take(count).cloned().collect();
        thinned.poses = thinned
            .poses
            .into_iter()
            .step_by(every)
            .take(count)
            .collect();
        thinned.trajectory.fps = self.observation.fps;
        let failed = self.reconstruction.failed_frames.iter();
        let observed = failed.filter(|t| *t % every == 0).map(|t| t / every);
        thinned.failed_frames = observed.filter(|t| *t < count).collect();
        thinned.reference = Motion {
            name: self.observation.name.clone(),
            fps: self.observation.fps,
            joints: self.fit.joints[..thinned.trajectory.frames.len()].to_vec(),
            toes: None,
            turns: None,
        };
        thinned
    }

    /// What looks wrong with the keypoints, or with what was given beside them.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = misfits(&self.observation, &self.fit.joints);
        warnings.extend(confusions(&self.observation, &self.fit.joints));
        warnings
    }
}

/// Reconstructs the motion seen in `observation` with the optimizer called `optimizer`; `floor` is
/// the floor's height in its world where that is known (m).
///
/// The kinematic fit at the observation's rate is resampled to a multiple of that near the working
/// rate, and becomes the reference; in the frames that were observed, reprojection errors are terms
/// of the loss. A fit that is far from the keypoints is news for the `observer` as the simulation
/// begins, since that takes its time.
///
/// # Errors
/// As [`fit`] and [`reconstruct`](super::reconstruct).
pub fn reconstruct_keypoints(
    observation: &Observation,
    floor: Option<f64>,
    settings: &Settings,
    optimizer: &str,
    observer: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Reconstructed> {
    settings.check()?;
    let optimizer = optimizer_of_windows(optimizer, settings.seed)?;
    let step = (observation.fps / settings.fps * 0.99).round().max(1.0) as usize;
    let observation = observation.decimated(step);
    if observation.len() < 4 {
        let advice = "give at least four frames (--start, --end, --observed-fps)";
        return Err(Error::input(
            &observation.name,
            "frames",
            observation.len(),
            advice,
        ));
    }
    let settings = Settings {
        supports: false,
        ..settings.at_multiple_of(observation.fps)
    };
    let every = (settings.fps / observation.fps).round() as usize;
    let floor = floor.unwrap_or_else(|| match &observation.estimates {
        Some(estimates) => Observation::floor_of(estimates),
        None if observation.views.len() > 1 => Observation::floor_of(&triangulated(&observation)),
        None => 0.0,
    });
    let observation = observation.with_floor(floor);
    let fit = fit(&observation, settings.stature)?;
    let kinematic = Motion {
        name: observation.name.clone(),
        fps: observation.fps,
        joints: fit.joints.clone(),
        toes: None,
        turns: None,
    };
    let reference = resample(&kinematic, settings.fps);
    let mut problem = TrackingProblem::new(reference, &settings)?;
    problem.watch(&observation, every);
    let warnings = misfits(&observation, &fit.joints);
    let mut untold = warnings.iter();
    let mut watch = |progress: &Progress| {
        let message = match progress.message {
            Some(news) => Some(news),
            None => untold.next().map(String::as_str),
        };
        observer(&Progress {
            message,
            ..*progress
        })
    };
    let reconstruction = horizon::solve(problem, &settings, optimizer.as_ref(), &mut watch)?;
    Ok(Reconstructed {
        observation,
        step,
        floor,
        fit,
        reconstruction,
        every,
        settings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;
    use crate::keypoints::{Keypoint, View};
    use crate::motion::JOINTS;
    use crate::motion::camera::Camera;

    #[test]
    fn frames_between_the_observed_ones_are_left_out_everywhere() {
        let recording = fixture::recording();
        let joints = recording.joints();
        let seen = View {
            camera: Camera::standing([640.0, 480.0], 500.0, 1.5, 0.0),
            frames: vec![[Keypoint::MISSING; JOINTS]; 3],
        };
        let found = Reconstructed {
            observation: Observation {
                name: "x".into(),
                fps: 25.0,
                views: vec![seen],
                estimates: None,
            },
            step: 1,
            floor: 0.0,
            fit: Fit {
                joints: joints.iter().step_by(2).copied().collect(),
                sigma: Vec::new(),
                stature: 1.7,
                cost: 0.0,
                notes: Vec::new(),
            },
            reconstruction: Reconstruction {
                body: recording.body,
                reference: Motion {
                    name: "x".into(),
                    fps: 50.0,
                    joints,
                    toes: None,
                    turns: None,
                },
                poses: Vec::new(),
                kinematic_error_mm: 0.0,
                trajectory: recording.trajectory,
                curve: Vec::new(),
                windows: Vec::new(),
                evaluations: 0,
                failed_frames: vec![1, 2, 3, 4],
            },
            every: 2,
            settings: Settings::default(),
        };
        let observed = found.observed_frames();
        assert_eq!(observed.failed_frames, [1, 2]);
        assert_eq!(
            (observed.trajectory.frames.len(), observed.reference.len()),
            (3, 3)
        );
        assert_eq!(
            observed.trajectory.frames[2],
            found.reconstruction.trajectory.frames[4]
        );
    }
}
