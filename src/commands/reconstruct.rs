//! `motionfit reconstruct`: a pose file in, a simulated motion out.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value, json};

use super::forces::{ForceArgs, compare};
use super::keypoints::{Cut, KeypointArgs};
use super::overrides::Overrides;
use super::progress::Reporter;
use super::reconstruct_many::{named, reconstruct_many};
use super::run::{Run, SCENE, files};
use super::{Session, named_by, refuse};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::evaluation::{keypoint_record, record};
use crate::export::{forces, kinematic};
use crate::keypoints::Observation;
use crate::motion::calibration::{Axis, Unit};
use crate::motion::files::MarkerMap;
use crate::motion::skeleton::Layout;
use crate::motion::smoothing::Smoothing;
use crate::motion::{self, Motion, ReadOptions};
use crate::output::OutputDir;
use crate::reconstruction::{self, Progress, Reconstructed, Reconstruction};
use crate::scene::Scene;

/// What only makes sense for a file.
const FILE_OPTIONS: [&str; 16] = [
    "poses",
    "floor",
    "fps",
    "layout",
    "up",
    "units",
    "smooth",
    "clip",
    "markers",
    "camera",
    "focal",
    "image_size",
    "camera_height",
    "camera_tilt",
    "use_cameras",
    "more_views",
];

/// The file that only a run from keypoints writes.
const KINEMATIC: &str = "kinematic.npz";

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
    sample: Option<String>,
    /// Frames per second of the file; else what a JSON file beside it or the file says, else 50.
    #[arg(
        long,
        requires = "poses",
        value_name = "F",
        allow_negative_numbers = true
    )]
    fps: Option<f64>,
    /// Order of the joints: h36m17, h36m17-toes, h36m32, coco17, smpl24, smplx22, body25, halpe26,
    /// wholebody133, mediapipe33, soma30 or soma77; detected unless given.
    #[arg(long, requires = "poses")]
    layout: Option<Layout>,
    /// The axis that points up: z, y, x, -y, ...; detected unless given.
    #[arg(
        long,
        requires = "poses",
        value_name = "AXIS",
        allow_hyphen_values = true
    )]
    up: Option<Axis>,
    /// Unit of length: m, cm, mm, in, cmu, or its length in metres; detected unless given.
    #[arg(long, requires = "poses", value_name = "UNIT")]
    units: Option<Unit>,
    /// JSON of boxes that the body can touch beside the ground: {"boxes": [{"center": [x, y, z],
    /// "half_extents": [x, y, z], "yaw": radians}, ...]}, m, z up, as the file has its motion.
    #[arg(long, value_name = "FILE")]
    scene: Option<PathBuf>,
    /// Which clip of a pickle with several (PHC); --person N chooses by number.
    #[arg(long, requires = "poses", value_name = "NAME")]
    clip: Option<String>,
    /// JSON of which markers of a .trc or .c3d stand for a joint: {"right_knee": ["RKNE", "RKNM"], ...}.
    #[arg(long, requires = "poses", value_name = "FILE")]
    markers: Option<PathBuf>,
    /// Where to start, in seconds from the first frame.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    start: Option<f64>,
    /// Where to stop, in seconds from the first frame.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    end: Option<f64>,
    /// Smooth the joints: auto (where they are noisy; the default), on or off.
    #[arg(long, requires = "poses", value_name = "WHEN")]
    smooth: Option<Smoothing>,
    #[command(flatten)]
    pub(super) keypoints: KeypointArgs,
    #[command(flatten, next_help_heading = "Options")]
    overrides: Overrides,
    /// Name of the optimizer: lm-search (the default), lm, bfgs, l-bfgs, adam, sgd, sgd-m, optimus,
    /// optimus-guided, optimus-newton, adafactor-mlp, or a .safetensors file; basin-NAME for basin
    /// hopping around one, metric-NAME for one in the learned metric.
    #[arg(long, value_name = "NAME")]
    optimizer: Option<String>,
    #[command(flatten)]
    pub(super) forces: ForceArgs,
    /// Where to write; out/NAME of the clip unless given. Of several files each is written into DIR/NAME.
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Replace the files of an earlier run.
    #[arg(long)]
    force: bool,
}

/// Runs the command.
///
/// # Errors
/// For bad input, an unusable output directory, or an interruption; of several files only the others are written then.
pub fn reconstruct(args: &ReconstructArgs, session: &Session) -> Result<()> {
    let prepared = || Ok((configuration(args)?, named(&args.poses)?));
    let (config, several) = session.agree(prepared())?;
    if let Some(paths) = several {
        return reconstruct_many(&paths, args, &config, session);
    }
    let processes = session.ranks.size();
    if processes > 1 {
        let advice = "one file is reconstructed by one process: start one, or give several files";
        let refused = Error::input("mpirun", "processes", processes, advice);
        return session.agree(Err(refused));
    }
    let path = args.poses.first().map(PathBuf::as_path);
    reconstruct_one(args, &config, (path, args.out.as_deref()), session).map(drop)
}

/// The configuration, with what was given besides.
fn configuration(args: &ReconstructArgs) -> Result<Config> {
    let mut config = args.overrides.configuration()?;
    let mut origin = "optimizer"; // of the configuration
    if let Some(optimizer) = &args.optimizer {
        config.optimizer.clone_from(optimizer);
        origin = "--optimizer";
    }
    check_optimizer(origin, &config.optimizer, &config)?;
    if let Some(path) = &args.scene {
        let scene = config.reconstruction.scene.get_or_insert_default();
        scene.boxes.extend(Scene::read(path)?.boxes);
    }
    Ok(config)
}

/// Reconstructs the file at `path`, or else a sample, into `out`; returns its metrics and what there is to warn of.
pub(super) fn reconstruct_one(
    args: &ReconstructArgs,
    config: &Config,
    (path, out): (Option<&Path>, Option<&Path>),
    session: &Session,
) -> Result<(Map<String, Value>, Option<String>)> {
    let plates = args.forces.check(config)?;
    if let (Some(path), true) = (path, args.keypoints.are_given()) {
        return from_keypoints((path, out), args, config, session);
    }
    args.keypoints.check_absent()?;
    let Loaded {
        motion,
        input,
        notes,
    } = load(args, path, config.reconstruction.stature)?;
    let out = out.map_or_else(
        || PathBuf::from("out").join(&motion.name),
        Path::to_path_buf,
    );
    let output = OutputDir::create(&out, args.force)?;
    session.tell(format!(
        "{}: {:.2} s of motion",
        motion.name,
        motion.seconds()
    ))?;
    for note in notes {
        session.tell(format!("  {note}"))?;
    }
    let started = Instant::now();
    let reconstruction = run(&motion, config, session)?;
    let seconds = started.elapsed().as_secs_f64();
    let mut record = record(&reconstruction, &config.optimizer);
    let forces = plates.map(|plates| {
        let offset = args.start.unwrap_or_default();
        compare(&plates, &reconstruction, offset, &mut record)
    });
    let (measured, forces) = forces.transpose()?.unzip();
    let name = &motion.name;
    let files = files(Run {
        name,
        reconstruction: &reconstruction,
        config,
        record: &record,
        input,
        seconds,
        force_rate: args.forces.force_rate,
        measured: measured.as_deref().unwrap_or_default(),
    })?;
    session.check()?;
    output.write_all(&files)?;
    if args.forces.force_rate.is_none() {
        output.remove(forces::FILE)?;
    }
    if reconstruction.trajectory.scene.is_empty() {
        output.remove(SCENE)?;
    }
    output.remove(KINEMATIC)?; // a run from keypoints may have left it
    describe_windows(&reconstruction, session)?;
    session.tell(table(&record))?;
    if let Some(forces) = forces {
        session.tell(forces)?;
    }
    let warning = warning(&reconstruction);
    if let Some(warning) = &warning {
        session.tell(warning)?;
    }
    tell_files(&files, seconds, &out, session)?;
    Ok((record, warning))
}

fn tell_files(
    files: &[(&str, Vec<u8>)],
    seconds: f64,
    out: &Path,
    session: &Session,
) -> Result<()> {
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let (names, out) = (names.join(", "), out.display());
    session.tell(format!("{seconds:.1} s; wrote {names} to {out}"))
}

/// Runs the command on 2D keypoints.
fn from_keypoints(
    (path, out): (&Path, Option<&Path>),
    args: &ReconstructArgs,
    config: &Config,
    session: &Session,
) -> Result<(Map<String, Value>, Option<String>)> {
    let for_poses = [
        ("--up", args.up.is_some()),
        ("--units", args.units.is_some()),
        ("--smooth", args.smooth.is_some()),
        ("--clip", args.clip.is_some()),
        ("--markers", args.markers.is_some()),
        ("--plates", args.forces.plates.is_some()),
    ];
    let advice = "leave it out: it is for 3D poses alone";
    refuse(&for_poses, "input", "keypoints", advice)?;
    let cut = Cut {
        fps: args.fps,
        start: args.start,
        end: args.end,
        layout: args.layout,
    };
    let input = args.keypoints.read(path, &cut)?;
    let name = input.observation.name.clone();
    let out = out.map_or_else(|| PathBuf::from("out").join(&name), Path::to_path_buf);
    let output = OutputDir::create(&out, args.force)?;
    session.tell(format!("{name}: keypoints"))?;
    for note in &input.notes {
        session.tell(format!("  {note}"))?;
    }
    let started = Instant::now();
    let found = run_keypoints(&input.observation, input.floor, config, session)?;
    let seconds = started.elapsed().as_secs_f64();
    for note in found.fit.notes.iter().chain(&found.warnings()) {
        session.tell(format!("  {note}"))?;
    }
    let record = keypoint_record(&found, input.truth.as_deref(), &config.optimizer);
    let used = Config {
        reconstruction: found.settings.clone(),
        ..config.clone()
    };
    let notes = [&input.notes[..], &found.fit.notes].concat();
    let input = json!({"file": path, "notes": notes});
    let run = &found.reconstruction;
    let mut files = files(Run {
        name: &name,
        reconstruction: run,
        config: &used,
        record: &record,
        input,
        seconds,
        force_rate: args.forces.force_rate,
        measured: &[],
    })?;
    files.push((
        KINEMATIC,
        kinematic::encode(&found.fit, found.observation.fps)?,
    ));
    session.check()?;
    output.write_all(&files)?;
    describe_windows(&found.reconstruction, session)?;
    session.tell(table(&record))?;
    let warning = warning(&found.reconstruction);
    if let Some(warning) = &warning {
        session.tell(warning)?;
    }
    tell_files(&files, seconds, &out, session)?;
    Ok((record, warning))
}

/// Reconstructs what was observed, showing progress and stopping at Ctrl-C.
pub(super) fn run_keypoints(
    observation: &Observation,
    floor: Option<f64>,
    config: &Config,
    session: &Session,
) -> Result<Reconstructed> {
    let mut reporter = Reporter::new(session, &observation.name);
    let (settings, optimizer) = (&config.reconstruction, &config.optimizer);
    let mut watch = |progress: &Progress| {
        reporter.show(progress);
        session.flow()
    };
    reconstruction::reconstruct_keypoints(observation, floor, settings, optimizer, &mut watch)
}

/// Refuses an unknown optimizer, which `origin` names, before anything is computed.
pub(super) fn check_optimizer(origin: &str, name: &str, config: &Config) -> Result<()> {
    let found = reconstruction::optimizer_of_windows(name, config.reconstruction.seed);
    found.map(drop).map_err(|error| named_by(origin, error))
}

/// The motion to reconstruct.
struct Loaded {
    motion: Motion,
    /// Where it comes from, for `metrics.json`.
    input: Value,
    /// What was understood about it.
    notes: Vec<String>,
}

fn load(args: &ReconstructArgs, path: Option<&Path>, stature: Option<f64>) -> Result<Loaded> {
    if let Some(poses) = path {
        let options = ReadOptions {
            fps: args.fps,
            layout: args.layout,
            up: args.up,
            units: args.units,
            stature,
            person: args.keypoints.person()?,
            clip: args.clip.clone(),
            markers: args.markers.as_deref().map(MarkerMap::read).transpose()?,
            // A scene and its motion have the same origin.
            floor: args.keypoints.floor()?.or(args.scene.as_ref().map(|_| 0.0)),
            start: args.start,
            end: args.end,
            smoothing: args.smooth.unwrap_or_default(),
        };
        let reading = motion::read(poses, &options)?;
        let rows = reading.world_from_file.row_iter();
        let rows: Vec<Vec<f64>> = rows.map(|row| row.iter().copied().collect()).collect();
        return Ok(Loaded {
            input: json!({"file": poses, "world_from_file": rows, "notes": reading.notes}),
            motion: reading.motion,
            notes: reading.notes,
        });
    }
    let name = args.sample.as_deref().unwrap_or("walk");
    let motion = motion::sample(name).ok_or_else(|| {
        Error::input("--sample", "name", name, "choose walk, turn, squat or jump")
    })?;
    let (motion, cuts) = motion::excerpt(motion, args.start, args.end)?;
    Ok(Loaded {
        motion,
        input: json!({ "sample": name, "notes": cuts }),
        notes: [vec![format!("embedded sample \"{name}\"")], cuts].concat(),
    })
}

/// Reconstructs `motion`, showing progress and stopping at Ctrl-C.
pub(super) fn run(motion: &Motion, config: &Config, session: &Session) -> Result<Reconstruction> {
    let settings = &config.reconstruction;
    let optimizer = reconstruction::optimizer_of_windows(&config.optimizer, settings.seed)?;
    let mut reporter = Reporter::new(session, &motion.name);
    let mut observer = |progress: &Progress| {
        reporter.show(progress);
        session.flow()
    };
    reconstruction::reconstruct(motion, settings, optimizer.as_ref(), Some(&mut observer))
}

fn describe_windows(reconstruction: &Reconstruction, session: &Session) -> Result<()> {
    for window in &reconstruction.windows {
        let terms: Vec<String> = window
            .terms
            .iter()
            .map(|(name, value)| format!("{name} {value:.3e}"))
            .collect();
        session.detail(format!(
            "  frames {}-{}: {} evaluations in {} attempts, loss {:.4e} ({}){}",
            window.first_frame,
            window.first_frame + window.frames.saturating_sub(1),
            window.evaluations,
            window.attempts,
            window.loss,
            terms.join(", "),
            if window.failed { ", FAILED" } else { "" },
        ))?;
    }
    Ok(())
}

/// The numbers of the record beside those of the observed motion.
fn table(record: &Map<String, Value>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["metric", "simulated", "observed"]);
    let reference = record.get("reference");
    for (key, value) in record {
        let observed = reference.and_then(|reference| reference.get(key));
        let Some(value) = value.as_f64() else {
            continue;
        };
        let observed = observed
            .and_then(Value::as_f64)
            .map(shown)
            .unwrap_or_default();
        table.add_row([key.replace('_', " "), shown(value), observed]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn shown(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e6 {
        format!("{}", value + 0.0) // no negative zero
    } else if value.abs() < 1.0 {
        format!("{value:.3}")
    } else {
        format!("{value:.1}")
    }
}

fn warning(reconstruction: &Reconstruction) -> Option<String> {
    let frames = &reconstruction.failed_frames;
    let (first, last) = (frames.first()?, frames.last()?);
    Some(format!(
        "WARNING: {} frames between {first} and {last} are not followed; try more --evaluations, or \
         another --start and --end",
        frames.len()
    ))
}
