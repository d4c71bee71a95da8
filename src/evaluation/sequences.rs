//! The sequences of a manifest, read from the data sets.

mod h36m;

use std::path::{Path, PathBuf};

use super::clips::UNKNOWN;
use super::manifest::{AistClip, Data, FileClip, Manifest};
use crate::error::{Error, Result};
use crate::keypoints::{
    self, Frame3d, Observation, PoseOptions, ReadOptions, View, check_view, read_poses,
};
use crate::motion::camera::{Camera, read_cameras};
use crate::motion::files::Archive;
use crate::motion::files::pickle::Pickle;
use crate::motion::skeleton::Layout;
use crate::motion::{Joints, Motion};

/// Frame rate of AIST++, Hz.
const AIST_FPS: f64 = 60.0;

/// What a sequence is reconstructed from.
pub enum Input {
    /// Keypoints.
    Keypoints(Observation),
    /// 3D poses.
    Poses(Motion),
}

/// A sequence ready for reconstruction.
pub struct Sequence {
    /// What it shows.
    pub category: String,
    /// What it is reconstructed from, at the manifest's frame rate.
    pub input: Input,
    /// The true joints in the cameras' world, m, frame by frame, if known.
    pub truth: Option<Vec<Joints>>,
}

/// Reads the sequences of a manifest below a root folder.
pub struct Reader<'a> {
    manifest: &'a Manifest,
    root: &'a Path,
    /// Poses and keypoints of Human3.6M: large, so read once.
    archives: Vec<(PathBuf, Pickle)>,
}

impl<'a> Reader<'a> {
    /// Opens the data of `manifest` below `root`.
    ///
    /// # Errors
    /// When it is not there, with what to get.
    pub fn new(manifest: &'a Manifest, root: &'a Path) -> Result<Self> {
        let mut archives = Vec::new();
        let needed: Vec<PathBuf> = match &manifest.data {
            Data::H36m {
                poses, keypoints, ..
            } => std::iter::once(poses)
                .chain(keypoints)
                .map(|path| root.join(path))
                .collect(),
            Data::Aist { .. } => ["keypoints2d", "keypoints3d", "cameras/mapping.txt"]
                .map(|path| root.join(path))
                .to_vec(),
            Data::Files { clips } => {
                let files = |clip: &FileClip| [root.join(&clip.keypoints), root.join(&clip.camera)];
                let is_there = |clip: &FileClip| files(clip).iter().all(|path| path.exists());
                let none_is = !clips.iter().any(is_there);
                let first = clips.first().filter(|_| none_is);
                first.map_or(vec![root.to_path_buf()], |clip| files(clip).to_vec())
            }
        };
        if let Some(absent) = needed.iter().find(|path| !path.exists()) {
            return Err(Error::input(
                absent.display(),
                "data",
                "nothing there",
                &manifest.get,
            ));
        }
        if let Data::H36m { .. } = manifest.data {
            for path in needed {
                let mut archive = Archive::open(&path)?;
                let has = |name: &str| archive.names().iter().any(|n| n == name);
                let name = if has("positions_3d") {
                    "positions_3d"
                } else {
                    "positions_2d"
                };
                archives.push((path, archive.object(name)?));
            }
        }
        Ok(Self {
            manifest,
            root,
            archives,
        })
    }

    /// Reads the sequence with index `k`, its first `seconds` if given.
    ///
    /// # Errors
    /// When it is missing or damaged.
    pub fn read(&self, k: usize, seconds: Option<f64>) -> Result<Sequence> {
        match &self.manifest.data {
            Data::H36m {
                estimates,
                cameras,
                clips,
                ..
            } => self.h36m(&clips[k], estimates.as_deref(), cameras.as_deref(), seconds),
            Data::Aist {
                estimates,
                truth,
                all_cameras,
                clips,
            } => self.aist(
                &clips[k],
                estimates.as_deref(),
                truth,
                *all_cameras,
                seconds,
            ),
            Data::Files { clips } => self.files(&clips[k], seconds),
        }
    }

    fn aist(
        &self,
        clip: &AistClip,
        estimates: Option<&str>,
        truth: &str,
        all_cameras: bool,
        seconds: Option<f64>,
    ) -> Result<Sequence> {
        let parts: Vec<&str> = clip.sequence.split('_').collect();
        let (Some(category), Some(view)) = (parts.first(), parts.get(2)) else {
            let advice = "name it like gBR_sBM_c06_d06_mBR4_ch06";
            return Err(Error::input("manifest", "sequence", &clip.sequence, advice));
        };
        let all = clip.sequence.replacen(&format!("_{view}_"), "_cAll_", 1);
        let cameras = self.aist_cameras(&all)?;
        let file = |folder: &str| self.root.join(folder).join(format!("{all}.pkl"));
        let seen = keypoints::read(&file("keypoints2d"), &ReadOptions::default())?.views;
        let views: Vec<View> = cameras
            .into_iter()
            .zip(seen)
            .filter(|(camera, _)| all_cameras || camera.name == *view)
            .map(|(camera, frames)| View { camera, frames })
            .collect();
        for view in &views {
            check_view(view, &clip.sequence)?;
        }
        let camera = views
            .first()
            .map(|view| view.camera.clone())
            .ok_or_else(|| {
                let advice = "the cameras are c01 to c09";
                Error::input(&clip.sequence, "camera", view, advice)
            })?;
        let poses = |name: &str| {
            let options = PoseOptions {
                layout: Some(Layout::Coco17),
                array: Some(name.into()),
                frame: Frame3d::World,
            };
            read_poses(&file("keypoints3d"), &options, &camera)
        };
        let estimates = estimates.map(poses).transpose()?;
        let truth = poses(truth)?;
        let observation = Observation::new(clip.sequence.clone(), AIST_FPS, views, estimates)?;
        self.cut(observation, Some(truth), clip.frames, category, seconds)
    }

    /// The cameras of the environment in which a sequence was recorded.
    fn aist_cameras(&self, sequence: &str) -> Result<Vec<Camera>> {
        let path = self.root.join("cameras/mapping.txt");
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, "read", e))?;
        let setting = text.lines().find_map(|line| {
            let (name, setting) = line.split_once(' ')?;
            (name == sequence).then_some(setting.trim())
        });
        let setting = setting.ok_or_else(|| {
            let found = format!("nothing about {sequence}");
            Error::input(path.display(), "mapping", found, &self.manifest.get)
        })?;
        read_cameras(&self.root.join("cameras").join(format!("{setting}.json")))
    }

    fn files(&self, clip: &FileClip, seconds: Option<f64>) -> Result<Sequence> {
        let cameras = read_cameras(&self.root.join(&clip.camera))?;
        let options = ReadOptions {
            layout: clip.layout.as_deref().map(str::parse).transpose()?,
            array: clip.array.clone(),
            person: None,
        };
        let mut seen = keypoints::read(&self.root.join(&clip.keypoints), &options)?;
        let fps = clip
            .fps
            .or(seen.fps)
            .ok_or_else(|| Error::input(&clip.name, "fps", "none", "give it in the manifest"))?;
        if cameras.len() != seen.views.len() {
            let found = format!("{} views, {} cameras", seen.views.len(), cameras.len());
            let advice = "give a camera file with the cameras of these views, in their order";
            return Err(Error::input(&clip.name, "views", found, advice));
        }
        seen.to_pixels(cameras.iter().map(|camera| camera.size));
        let pairs = cameras.into_iter().zip(seen.views);
        let views: Vec<View> = pairs
            .map(|(camera, frames)| View { camera, frames })
            .collect();
        for view in &views {
            check_view(view, &clip.name)?;
        }
        let camera = views
            .first()
            .map(|view| view.camera.clone())
            .ok_or_else(|| {
                Error::input(&clip.name, "views", "none", "give a camera and keypoints")
            })?;
        let frame = match clip.estimates_frame.as_deref() {
            None | Some("world") => Frame3d::World,
            Some("camera") => Frame3d::Camera,
            Some(other) => {
                let advice = "choose world or camera";
                return Err(Error::input(&clip.name, "estimates_frame", other, advice));
            }
        };
        let poses = |path: &PathBuf, frame: Frame3d| {
            let options = PoseOptions {
                frame,
                ..PoseOptions::default()
            };
            read_poses(&self.root.join(path), &options, &camera)
        };
        let estimates = clip
            .estimates
            .as_ref()
            .map(|path| poses(path, frame))
            .transpose()?;
        let truth = clip
            .truth
            .as_ref()
            .map(|path| poses(path, Frame3d::World))
            .transpose()?;
        let observation = Observation::new(clip.name.clone(), fps, views, estimates)?;
        let category = clip.category.as_deref().unwrap_or(UNKNOWN);
        self.cut(observation, truth, clip.frames, category, seconds)
    }

    /// The frames that are used of what was observed.
    fn cut(
        &self,
        observation: Observation,
        truth: Option<Vec<Joints>>,
        frames: Option<[usize; 2]>,
        category: &str,
        seconds: Option<f64>,
    ) -> Result<Sequence> {
        let range = self.range(frames, observation.len(), observation.fps, seconds)?;
        let step = self.step(observation.fps)?;
        if let Some(truth) = truth.as_ref().filter(|truth| truth.len() < range.end) {
            let found = format!(
                "{} of truth, {} of keypoints",
                truth.len(),
                observation.len()
            );
            let advice = "give the true poses of the same frames";
            return Err(Error::input(&observation.name, "frames", found, advice));
        }
        Ok(Sequence {
            category: category.into(),
            input: Input::Keypoints(observation.cut(range.clone()).decimated(step)),
            truth: truth.map(|truth| truth[range].iter().step_by(step).copied().collect()),
        })
    }

    fn range(
        &self,
        frames: Option<[usize; 2]>,
        count: usize,
        fps: f64,
        seconds: Option<f64>,
    ) -> Result<std::ops::Range<usize>> {
        let [first, last] = frames.unwrap_or([0, count - 1]);
        if first >= last || last >= count {
            let found = format!("frames {first} to {last} of {count}");
            let advice = "choose frames that the sequence has";
            return Err(Error::input("manifest", "frames", found, advice));
        }
        let length = seconds.map_or(last - first, |s| ((s * fps).round() as usize).max(1));
        Ok(first..last.min(first + length) + 1)
    }

    /// Every how many frames one is used.
    fn step(&self, fps: f64) -> Result<usize> {
        let wanted = self.manifest.observed_fps;
        let step = (fps / wanted).round().max(1.0);
        if (step * wanted - fps).abs() > 1e-6 * fps {
            let advice = format!("give a divisor of {fps}");
            return Err(Error::input("manifest", "observed_fps", wanted, advice));
        }
        Ok(step as usize)
    }
}
