//! Keypoints on the command line: what is read, and how it is told apart from 3D poses.

use std::path::{Path, PathBuf};

use clap::Args;

use super::refuse;
use crate::error::{Error, Result};
use crate::keypoints::{
    self, Detections, Frame3d, Layout2d, Observation, PoseOptions, ReadOptions, View, check_view,
    read_poses,
};
use crate::motion::Joints;
use crate::motion::camera::{Camera, read_cameras};
use crate::motion::files::RATES;
use crate::motion::skeleton::Layout;

const HEADING: &str = "Keypoints (with --camera or --focal, POSES is a file of 2D keypoints)";

/// Options for reconstruction from 2D keypoints.
#[derive(Debug, Args)]
#[command(next_help_heading = HEADING)]
pub(super) struct KeypointArgs {
    /// Cameras: JSON of ours or of AIST++, or an .npz with K, R, t, size.
    #[arg(
        long,
        requires = "poses",
        value_name = "FILE",
        conflicts_with_all = ["focal", "image_size", "camera_height", "camera_tilt"]
    )]
    camera: Option<PathBuf>,
    /// Focal length of a single static camera in pixels, instead of --camera.
    #[arg(
        long,
        requires_all = ["poses", "image_size"],
        conflicts_with_all = ["use_cameras", "more_views"],
        value_name = "PX",
        allow_negative_numbers = true
    )]
    focal: Option<f64>,
    /// Width and height of the image that goes with --focal.
    #[arg(long, requires = "focal", value_name = "WxH")]
    image_size: Option<String>,
    /// Height of that camera above the ground in m.
    #[arg(
        long,
        requires = "focal",
        value_name = "M",
        default_value_t = 1.5,
        allow_negative_numbers = true
    )]
    camera_height: f64,
    /// By how many degrees that camera looks down.
    #[arg(
        long,
        requires = "focal",
        value_name = "DEG",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    camera_tilt: f64,
    /// Names of the cameras to use, in the order of the views; all unless given.
    #[arg(long, requires = "camera", value_name = "NAMES", value_delimiter = ',')]
    use_cameras: Vec<String>,
    /// Keypoint files of further views, in the order of the cameras.
    #[arg(long, requires = "camera", value_name = "FILES", value_delimiter = ',')]
    pub(super) more_views: Vec<PathBuf>,
    /// Order of the keypoints: h36m17, coco17, body25, halpe26, wholebody133 or mediapipe33; detected
    /// unless given.
    #[arg(long, value_name = "NAME")]
    keypoint_layout: Option<Layout2d>,
    /// Name of the keypoints in an .npz archive.
    #[arg(long, value_name = "NAME")]
    array: Option<String>,
    /// 3D pose estimates of the same frames: .npy, .npz or AIST++ .pkl.
    #[arg(long, value_name = "FILE")]
    estimates: Option<PathBuf>,
    /// Whether the estimates are in world or in camera axes.
    #[arg(
        long,
        value_name = "FRAME",
        default_value = "world",
        requires = "estimates"
    )]
    estimates_frame: FrameName,
    /// Name of the estimates in an archive or pickle.
    #[arg(long, value_name = "NAME", requires = "estimates")]
    estimates_array: Option<String>,
    /// True 3D poses of the same frames in the cameras' world, to measure against.
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Name of the truth in an archive or pickle.
    #[arg(long, value_name = "NAME", requires = "truth")]
    truth_array: Option<String>,
    /// Height of the ground in m, along the axis that points up in the file; else found under the feet, or 0 with
    /// --scene. With cameras, in their world; else 0, or found under the feet of 3D estimates or of several views.
    #[arg(long, value_name = "M", allow_negative_numbers = true)]
    floor: Option<f64>,
    /// Use only so many of the frames per second.
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    observed_fps: Option<f64>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FrameName {
    World,
    Camera,
}

/// What was read.
pub(super) struct Input {
    /// What the cameras saw.
    pub observation: Observation,
    /// The true joints in the given world, frame by frame of the observation.
    pub truth: Option<Vec<Joints>>,
    /// Height of the ground in the given world, m, if known.
    pub floor: Option<f64>,
    /// One line for each thing understood.
    pub notes: Vec<String>,
}

/// What is said of the file, and the part of it that is used.
pub(super) struct Cut {
    /// Frames per second of the file, Hz, if given.
    pub fps: Option<f64>,
    /// Which person, from 1, if given.
    pub person: Option<usize>,
    /// Start, s.
    pub start: Option<f64>,
    /// End, s.
    pub end: Option<f64>,
    /// Layout of the 3D poses, if given.
    pub layout: Option<Layout>,
}

impl KeypointArgs {
    /// Whether the input is keypoints at all.
    pub(super) fn are_given(&self) -> bool {
        self.camera.is_some() || self.focal.is_some()
    }

    /// Refuses options that only make sense with a camera.
    pub(super) fn check_absent(&self) -> Result<()> {
        let given = [
            ("--estimates", self.estimates.is_some()),
            ("--truth", self.truth.is_some()),
            ("--keypoint-layout", self.keypoint_layout.is_some()),
            ("--array", self.array.is_some()),
            ("--observed-fps", self.observed_fps.is_some()),
        ];
        let advice = "give --camera FILE, or --focal PX with --image-size WxH";
        refuse(&given, "camera", "none", advice)
    }

    /// Height of the ground, m, where it is given.
    pub(super) fn floor(&self) -> Result<Option<f64>> {
        match self.floor {
            Some(floor) if !(-100.0..=100.0).contains(&floor) => {
                let advice = "give -100 to 100 m";
                Err(Error::input("--floor", "height", floor, advice))
            }
            floor => Ok(floor),
        }
    }

    /// Reads everything and puts it on one clock.
    pub(super) fn read(&self, path: &Path, cut: &Cut) -> Result<Input> {
        let floor = self.floor()?;
        let origin = path.display().to_string();
        let mut detections = self.detections(path, cut)?;
        let fps = cut.fps.or(detections.fps).ok_or_else(|| {
            let advice = "keypoint files do not say: give --fps";
            Error::input(&origin, "frame rate", "none", advice)
        })?;
        if !RATES.contains(&fps) {
            let advice = "give 1 to 1000 frames per second";
            return Err(Error::input("--fps", "frame rate", fps, advice));
        }
        let views = self.views(&mut detections, &origin)?;
        let camera = views[0].camera.clone();
        let poses = |path: &PathBuf, array: &Option<String>, frame: FrameName| {
            let options = PoseOptions {
                layout: cut.layout,
                array: array.clone(),
                frame: match frame {
                    FrameName::World => Frame3d::World,
                    FrameName::Camera => Frame3d::Camera,
                },
            };
            read_poses(path, &options, &camera)
        };
        let estimates = self
            .estimates
            .as_ref()
            .map(|path| poses(path, &self.estimates_array, self.estimates_frame))
            .transpose()?;
        let truth = self
            .truth
            .as_ref()
            .map(|path| poses(path, &self.truth_array, FrameName::World))
            .transpose()?;
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let observation = Observation::new(name, fps, views, estimates)?;
        if let Some(truth) = truth
            .as_ref()
            .filter(|truth| truth.len() != observation.len())
        {
            let found = format!(
                "{} of truth, {} of keypoints",
                truth.len(),
                observation.len()
            );
            let advice = "give the true poses of the same frames";
            return Err(Error::input(&origin, "frames", found, advice));
        }
        let mut notes = detections.notes;
        let count = observation.len();
        notes.push(format!(
            "{count} frames at {fps} fps, {} view(s)",
            observation.views.len()
        ));
        let range = range(count, fps, cut)?;
        let step = self.step(fps)?;
        Ok(Input {
            observation: observation.cut(range.clone()).decimated(step),
            truth: truth.map(|truth| truth[range].iter().step_by(step).copied().collect()),
            floor,
            notes,
        })
    }

    /// What was detected in the file at `path` and in those of further views.
    fn detections(&self, path: &Path, cut: &Cut) -> Result<Detections> {
        let options = ReadOptions {
            layout: self.keypoint_layout,
            array: self.array.clone(),
            person: cut.person,
        };
        let mut detections = keypoints::read(path, &options)?;
        for path in &self.more_views {
            let more = keypoints::read(path, &options)?;
            detections.views.extend(more.views);
            detections.notes.extend(more.notes);
        }
        Ok(detections)
    }

    /// Every how many frames one is used.
    fn step(&self, fps: f64) -> Result<usize> {
        let Some(wanted) = self.observed_fps else {
            return Ok(1);
        };
        let step = (fps / wanted).round();
        if !(step >= 1.0 && (step * wanted - fps).abs() < 1e-6 * fps) {
            let advice = format!("give a divisor of {fps}");
            return Err(Error::input("--observed-fps", "frame rate", wanted, advice));
        }
        Ok(step as usize)
    }

    fn views(&self, detections: &mut Detections, origin: &str) -> Result<Vec<View>> {
        let all = self.cameras()?;
        let file_has_all = detections.views.len() == all.len();
        let mut chosen: Vec<(usize, &Camera)> = Vec::new();
        for name in &self.use_cameras {
            let found = all
                .iter()
                .position(|camera| camera.name == *name)
                .ok_or_else(|| {
                    let names: Vec<&str> = all.iter().map(|camera| camera.name.as_str()).collect();
                    let advice = format!("the cameras are {}", names.join(", "));
                    Error::input("--use-cameras", "name", name, advice)
                })?;
            chosen.push((found, &all[found]));
        }
        if self.use_cameras.is_empty() {
            chosen = all.iter().enumerate().collect();
        }
        match file_has_all {
            true => detections.to_pixels(all.iter().map(|camera| camera.size)),
            false => detections.to_pixels(chosen.iter().map(|(_, camera)| camera.size)),
        }
        let seen = std::mem::take(&mut detections.views);
        let views: Vec<View> = match (seen.len() == chosen.len(), file_has_all) {
            // The k-th view of a file with all of them belongs to the k-th camera.
            (_, true) => chosen
                .iter()
                .map(|(k, camera)| View {
                    camera: (*camera).clone(),
                    frames: seen[*k].clone(),
                })
                .collect(),
            (true, false) => chosen
                .iter()
                .zip(seen)
                .map(|((_, camera), frames)| View {
                    camera: (*camera).clone(),
                    frames,
                })
                .collect(),
            (false, false) => {
                let found = format!("{} views, {} cameras", seen.len(), chosen.len());
                let advice = "choose the cameras of the views with --use-cameras";
                return Err(Error::input(origin, "views", found, advice));
            }
        };
        for view in &views {
            check_view(view, origin)?;
        }
        Ok(views)
    }

    fn cameras(&self) -> Result<Vec<Camera>> {
        if let Some(path) = &self.camera {
            return read_cameras(path);
        }
        let size = self.image_size.as_deref().unwrap_or_default();
        let parsed = size.split_once('x').and_then(|(width, height)| {
            Some([width.parse::<f64>().ok()?, height.parse::<f64>().ok()?])
        });
        let Some(size) = parsed.filter(|size| size.iter().all(|s| (1.0..1e5).contains(s))) else {
            let advice = "give width and height in pixels, 1920x1080";
            return Err(Error::input("--image-size", "size", size, advice));
        };
        let focal = self.focal.unwrap_or_default();
        let checks = [
            (
                "--focal",
                focal,
                (0.1 * size[0], 50.0 * size[0]),
                "px, of the order of the image width",
            ),
            ("--camera-height", self.camera_height, (0.05, 50.0), "m"),
            ("--camera-tilt", self.camera_tilt, (-80.0, 80.0), "degrees"),
        ];
        for (option, value, (low, high), unit) in checks {
            if !(low..=high).contains(&value) {
                let advice = format!("give {low} to {high} {unit}");
                return Err(Error::input(option, "value", value, advice));
            }
        }
        let tilt = self.camera_tilt.to_radians();
        Ok(vec![Camera::standing(
            size,
            focal,
            self.camera_height,
            tilt,
        )])
    }
}

/// The frames between `--start` and `--end`.
fn range(frames: usize, fps: f64, cut: &Cut) -> Result<std::ops::Range<usize>> {
    let seconds = (frames - 1) as f64 / fps;
    let (start, end) = (cut.start.unwrap_or(0.0), cut.end.unwrap_or(seconds));
    if !(start >= 0.0 && end > start && start < seconds) {
        let found = format!("{start} s to {end} s");
        let advice = format!("the clip goes from 0 to {seconds:.2} s");
        return Err(Error::input("--start, --end", "time", found, advice));
    }
    let first = (start * fps).round() as usize;
    let last = ((end * fps).round() as usize).min(frames - 1);
    Ok(first..last + 1)
}
