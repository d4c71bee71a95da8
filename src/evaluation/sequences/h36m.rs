//! Human3.6M as prepared by VideoPose3D.

use std::path::Path;

use super::{Input, Reader, Sequence};
use crate::error::{Error, Result};
use crate::evaluation::manifest::H36mClip;
use crate::keypoints::{
    Layout2d, Observation, PoseOptions, View, check_view, keypoints_of_array, poses_of_array,
    read_poses,
};
use crate::motion::Motion;
use crate::motion::camera::{Camera, read_cameras};
use crate::motion::files::pickle::Node;
use crate::motion::skeleton::Layout;

/// Frame rate, Hz.
const H36M_FPS: f64 = 50.0;

/// The cameras in the order of VideoPose3D's keypoints.
const H36M_CAMERAS: [&str; 4] = ["54138969", "55011271", "58860488", "60457274"];

/// Names of actions that the original files and VideoPose3D spell differently.
const H36M_ALIASES: [(&str, &str); 2] = [("Photo", "TakingPhoto"), ("WalkDog", "WalkingDog")];

impl Reader<'_> {
    /// Reads a sequence.
    pub(super) fn h36m(
        &self,
        clip: &H36mClip,
        estimates: Option<&Path>,
        cameras: Option<&Path>,
        seconds: Option<f64>,
    ) -> Result<Sequence> {
        let poses = self.h36m_action(0, clip)?;
        let array = poses.array(&clip.action)?;
        let anywhere = Camera::standing([1000.0; 2], 1000.0, 1.0, 0.0);
        let options = PoseOptions {
            layout: Some(Layout::H36m32).filter(|l| array.shape.get(1) == Some(&l.joint_count())),
            ..PoseOptions::default()
        };
        let truth = poses_of_array(&array, &options, &anywhere, &clip.action)?;
        let name = format!("{}_{}_{}", clip.subject, clip.action, clip.trial);
        if self.archives.len() < 2 {
            let range = self.range(clip.frames, truth.len(), H36M_FPS, seconds)?;
            let step = self.step(H36M_FPS)?;
            let motion = Motion {
                name,
                fps: self.manifest.observed_fps,
                joints: truth[range].iter().step_by(step).copied().collect(),
                toes: None,
                turns: None,
            };
            return Ok(Sequence {
                category: clip.action.clone(),
                input: Input::Poses(motion),
                truth: None,
            });
        }
        let camera = self.h36m_camera(clip, cameras)?;
        let number = H36M_CAMERAS.iter().position(|id| *id == clip.camera);
        let views = self.h36m_action(1, clip)?.items();
        let view = number.and_then(|n| views.get(n)).ok_or_else(|| {
            let found = format!("{} views", views.len());
            Error::input(&name, "keypoints", found, "four cameras are expected")
        })?;
        let mut keypoints = keypoints_of_array(
            &view.array("keypoints")?,
            None,
            Some(Layout2d::H36m17),
            &name,
        )?;
        let mut frames = keypoints.swap_remove(0);
        // Keypoints may go on after the poses end.
        let count = frames.len().min(truth.len());
        frames.truncate(count);
        let estimates = estimates
            .map(|folder| self.root.join(folder).join(format!("{name}.npy")))
            .filter(|path| path.exists())
            .map(|path| read_poses(&path, &PoseOptions::default(), &camera))
            .transpose()?;
        let view = View { camera, frames };
        check_view(&view, &name)?;
        let observation = Observation::new(name, H36M_FPS, vec![view], estimates)?;
        let truth = truth[..count].to_vec();
        self.cut(observation, Some(truth), clip.frames, &clip.action, seconds)
    }

    /// The entry of an action in one of the archives: the trials of a subject are numbered
    /// arbitrarily ("Walking", "Walking 1"), their order counts.
    fn h36m_action(&self, archive: usize, clip: &H36mClip) -> Result<Node<'_>> {
        let (path, pickle) = &self.archives[archive];
        let subject = pickle.root().entry(&clip.subject)?;
        let alias = H36M_ALIASES
            .iter()
            .find(|(a, b)| clip.action == *a || clip.action == *b);
        let is_of = |key: &str| {
            let action = key
                .trim_end_matches(|c: char| c.is_ascii_digit())
                .trim_end();
            action == clip.action || alias.is_some_and(|(a, b)| action == *a || action == *b)
        };
        let keys = subject.keys();
        let mut trials: Vec<&String> = keys.iter().filter(|key| is_of(key)).collect();
        trials.sort();
        // S11's first Directions is left out of the files: it is damaged.
        let is_second_alone = trials.len() == 1 && clip.trial == 2;
        let index = if is_second_alone { 0 } else { clip.trial - 1 };
        let key = trials.get(index).ok_or_else(|| {
            let found = format!("{} trials of {}", trials.len(), clip.action);
            Error::input(path.display(), &clip.subject, found, &self.manifest.get)
        })?;
        subject.entry(key)
    }

    fn h36m_camera(&self, clip: &H36mClip, cameras: Option<&Path>) -> Result<Camera> {
        let path = self
            .manifest
            .folder
            .join(cameras.unwrap_or(Path::new("cameras-h36m.json")));
        let wanted = format!("{}/{}", clip.subject, clip.camera);
        let cameras = read_cameras(&path)?;
        cameras
            .into_iter()
            .find(|camera| camera.name == wanted)
            .ok_or_else(|| {
                let advice = format!("add the camera {wanted} to the file");
                Error::input(path.display(), "cameras", "others", advice)
            })
    }
}
