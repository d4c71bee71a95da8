//! Manifests of keypoint sequences: which parts of which data set, by which cameras.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::json;

/// A manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// What it is, for the heading of the table.
    pub title: String,
    /// What to get where the data is absent, and where it goes.
    pub get: String,
    /// Frames per second that are used, a divisor of the data's, Hz.
    pub observed_fps: f64,
    /// The data and the sequences.
    #[serde(flatten)]
    pub data: Data,
    /// Where the manifest lies; files that come with it are relative to this.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// A data set and its sequences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "dataset", rename_all = "snake_case")]
pub enum Data {
    /// Human3.6M as prepared by VideoPose3D.
    H36m {
        /// Archive of the 3D poses, in the root.
        poses: PathBuf,
        /// Archive of the keypoints, in the root; without it the 3D poses are the input.
        keypoints: Option<PathBuf>,
        /// Folder of 3D estimates `SUBJECT_ACTION.npy` (world frame) in the root, used where they are.
        estimates: Option<PathBuf>,
        /// Camera file beside the manifest, with cameras called SUBJECT/CAMERA.
        cameras: Option<PathBuf>,
        /// The sequences.
        clips: Vec<H36mClip>,
    },
    /// AIST++ annotations: folders `keypoints2d`, `keypoints3d`, `cameras`.
    Aist {
        /// Array of `keypoints3d` that serves as estimates, if any.
        estimates: Option<String>,
        /// Array of `keypoints3d` that serves as truth.
        truth: String,
        /// Whether all nine cameras are used, instead of the one that the sequence names.
        #[serde(default)]
        all_cameras: bool,
        /// The sequences.
        clips: Vec<AistClip>,
    },
    /// Files named one by one.
    Files {
        /// The sequences.
        clips: Vec<FileClip>,
    },
}

/// A sequence of Human3.6M.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct H36mClip {
    /// "S9".
    pub subject: String,
    /// "Walking", without the number of the trial.
    pub action: String,
    /// 1 for the first trial of the subject, 2 for the second.
    pub trial: usize,
    /// "60457274".
    pub camera: String,
    /// First and last frame, from 0, at 50 fps; all unless given.
    pub frames: Option<[usize; 2]>,
}

/// A sequence of AIST++.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AistClip {
    /// "gBR_sBM_c06_d06_mBR4_ch06": the name with the camera in place of cAll.
    pub sequence: String,
    /// First and last frame, from 0, at 60 fps; all unless given.
    pub frames: Option<[usize; 2]>,
}

/// A sequence in files of its own; paths are relative to the root.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileClip {
    /// Its name.
    pub name: String,
    /// "walk".
    pub category: Option<String>,
    /// File of the keypoints.
    pub keypoints: PathBuf,
    /// Name of their array in an archive.
    pub array: Option<String>,
    /// Their layout.
    pub layout: Option<String>,
    /// Camera file.
    pub camera: PathBuf,
    /// File of 3D estimates.
    pub estimates: Option<PathBuf>,
    /// "world" or "camera"; world unless given.
    pub estimates_frame: Option<String>,
    /// File of the true poses.
    pub truth: Option<PathBuf>,
    /// Frames per second, Hz.
    pub fps: Option<f64>,
    /// First and last frame, from 0; all unless given.
    pub frames: Option<[usize; 2]>,
}

impl Manifest {
    /// Reads the manifest at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self> {
        let origin = path.display().to_string();
        let mut manifest: Self = json::read(path)?;
        manifest.folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        if !(1.0..=240.0).contains(&manifest.observed_fps) {
            let found = manifest.observed_fps;
            return Err(Error::input(origin, "observed_fps", found, "give 1 to 240"));
        }
        if manifest.names().is_empty() {
            return Err(Error::input(
                origin,
                "clips",
                "none",
                "list at least one sequence",
            ));
        }
        Ok(manifest)
    }

    /// Names of the sequences, in order.
    pub fn names(&self) -> Vec<String> {
        match &self.data {
            Data::H36m { clips, .. } => clips
                .iter()
                .map(|c| format!("{} {} {}, {}", c.subject, c.action, c.trial, c.camera))
                .collect(),
            Data::Aist { clips, .. } => clips.iter().map(|c| c.sequence.clone()).collect(),
            Data::Files { clips } => clips.iter().map(|c| c.name.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(name: &str) -> Manifest {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
        Manifest::read(&folder.join(name)).unwrap()
    }

    #[test]
    fn the_committed_manifests_are_the_papers() {
        let video = committed("evaluate-h36m.json");
        // Ten actions, two trials, two subjects; S11's first Directions is damaged.
        assert_eq!((video.names().len(), video.observed_fps), (39, 25.0));
        assert!(video.names().iter().all(|name| name.ends_with("60457274")));
        let mocap = committed("evaluate-h36m-mocap.json");
        assert_eq!(mocap.names().len(), 20);
        let Data::H36m {
            clips, keypoints, ..
        } = &mocap.data
        else {
            panic!()
        };
        assert!(keypoints.is_none());
        assert!(clips.iter().all(|clip| clip.frames == Some([400, 599])));
        let json = serde_json::to_value(&mocap).unwrap();
        assert_eq!(json["dataset"], "h36m");
        assert_eq!(json["clips"][0]["frames"][1], 599);
        let dance = committed("evaluate-aist.json");
        assert_eq!((dance.names().len(), dance.observed_fps), (15, 30.0));
        assert!(dance.get.contains("keypoints2d"));
    }

    #[test]
    fn mistakes_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.json");
        let message = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Manifest::read(&path).unwrap_err().to_string()
        };
        let head = r#""title": "t", "get": "g", "observed_fps": 25, "dataset""#;
        assert!(message(&format!("{{{head}: \"files\", \"clips\": []}}")).contains("none"));
        assert!(message(&format!("{{{head}: \"h37m\", \"clips\": []}}")).contains("h37m"));
    }
}
