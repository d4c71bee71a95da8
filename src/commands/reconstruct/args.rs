//! What a reconstruction is asked for.

use std::path::PathBuf;

use clap::Args;

use crate::commands::forces::ForceArgs;
use crate::commands::keypoints::KeypointArgs;
use crate::commands::overrides::Overrides;
use crate::commands::reading::ReadingArgs;
use crate::motion::skeleton::Layout;
use crate::motion::smoothing::Smoothing;

/// What only makes sense for a file.
const FILE_OPTIONS: [&str; 19] = [
    "poses",
    "floor",
    "fps",
    "layout",
    "up",
    "units",
    "smooth",
    "person",
    "clip",
    "markers",
    "body_model",
    "camera",
    "focal",
    "image_size",
    "camera_height",
    "camera_tilt",
    "use_cameras",
    "more_views",
    "plates",
];

/// Turn pose files into physically simulated motions.
///
/// Without a file, the embedded sample walk is reconstructed. Several files run side by side, one on a core, each
/// into a folder of its own name; where one fails the others go on. Writes into the output directory:
/// motion.glb (animated body for any 3D viewer), motion.npz (joints, poses, PD targets, torques,
/// contact forces), report.html (plays the motion in a browser), metrics.json, loss.csv, loss.svg,
/// loss.png, body.json and config.json.
#[derive(Debug, Args)]
pub struct ReconstructArgs {
    /// Joint positions: .npy (T, J, 3), .npz holding such an array, a skeleton, .bvh, poses of SMPL
    /// (AMASS .npz, AIST++, WHAM, PHC .pkl, GVHMR .pt), or markers, .trc, .c3d. With --camera or --focal, 2D keypoints: a
    /// folder of OpenPose, a .json of MMPose or AlphaPose, .npy, .npz, or an AIST++ .pkl. Several may be given, also
    /// as patterns with * and ?.
    pub(super) poses: Vec<PathBuf>,
    /// Reconstruct an embedded sample instead of a file: walk, turn, squat or jump.
    #[arg(long, value_name = "NAME", conflicts_with_all = FILE_OPTIONS)]
    pub(super) sample: Option<String>,
    #[command(flatten)]
    pub(super) reading: ReadingArgs,
    /// Order of the joints: h36m17, h36m17-toes, h36m32, coco17, smpl24, smplx22, body25, halpe26,
    /// wholebody133, mediapipe33, soma30 or soma77; detected unless given.
    #[arg(long, requires = "poses")]
    pub(super) layout: Option<Layout>,
    /// What the body can touch beside the ground, m, z up, as the file has its motion: JSON, {"boxes": [{"center": [x, y,
    /// z], "half_extents": [x, y, z], "yaw": radians}, ...], "hulls": [{"points": [[x, y, z], ...]}, ...], "meshes":
    /// [{"file": "rocks.obj"}, ...]}, or a mesh itself (.obj, .glb, .gltf).
    #[arg(long, value_name = "FILE")]
    pub(super) scene: Option<PathBuf>,
    /// Where to start, in seconds from the first frame.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(super) start: Option<f64>,
    /// Where to stop, in seconds from the first frame.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(super) end: Option<f64>,
    /// Smooth the joints: auto (where they are noisy; the default), on or off.
    #[arg(long, requires = "poses", value_name = "WHEN")]
    pub(super) smooth: Option<Smoothing>,
    #[command(flatten)]
    pub(super) keypoints: KeypointArgs,
    #[command(flatten, next_help_heading = "Options")]
    pub(super) overrides: Overrides,
    /// Name of the optimizer: lm-search (the default), lm, bfgs, l-bfgs, adam, sgd, sgd-m, optimus,
    /// optimus-guided, optimus-newton, optimus-search, adafactor-mlp, or a .safetensors file; basin-NAME for basin
    /// hopping around one, metric-NAME for one in the learned metric.
    #[arg(long, value_name = "NAME")]
    pub(super) optimizer: Option<String>,
    #[command(flatten)]
    pub(super) forces: ForceArgs,
    /// Where to write; out/NAME of the clip unless given. Of several files each is written into DIR/NAME.
    #[arg(long, value_name = "DIR", help_heading = "Options")]
    pub(super) out: Option<PathBuf>,
    /// Replace the files of an earlier run.
    #[arg(long, help_heading = "Options")]
    pub(super) force: bool,
}
