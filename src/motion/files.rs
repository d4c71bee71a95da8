//! Pose files: reading arrays (`.npy`, `.npz`), skeletons (`.bvh`), poses of SMPL (`.npz`, `.pkl`, `.pt`) and
//! markers (`.trc`, `.c3d`) into a [`Motion`].
//!
//! Whatever the file leaves open (layout, unit, up axis, floor) is found from the body itself and
//! reported in [`Reading::notes`].

mod archive;
mod array;
mod beside;
mod bvh;
pub mod c3d;
mod container;
mod ends;
mod markers;
mod names;
pub mod pickle;
mod points;
mod positions;
mod repair;
mod rig;
pub mod smpl;
mod torch;
mod trc;
mod turns;
mod whole;
mod world;

use std::path::Path;
use std::sync::Arc;

use nalgebra::Matrix3x4;

use super::calibration::{Axis, Unit};
use super::skeleton::{self, Frame, Layout, NAMES};
use super::smoothing::{self, Smoothing};
use super::{Motion, Subject, gaps};
use crate::error::{Error, Result};
pub use archive::Archive;
pub use array::Array;
pub use beside::rate_beside;
pub use container::beginning;
pub use markers::MarkerMap;
use points::Points;
use smpl::Known;
pub use smpl::model::BodyModel;

/// Frames per second of a file that does not say, and for which none are given: Human3.6M's.
pub const DEFAULT_FPS: f64 = 50.0;

/// Frame rates taken for real, Hz.
pub(crate) const RATES: std::ops::RangeInclusive<f64> = 1.0..=1000.0;

/// The longest clip that is read, s.
const LONGEST: f64 = 3600.0;

/// What the caller knows better than the file; `None` leaves it to the file, or to detection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadOptions {
    /// Frames per second, Hz.
    pub fps: Option<f64>,
    /// Order of the joints.
    pub layout: Option<Layout>,
    /// The axis that points up.
    pub up: Option<Axis>,
    /// Unit of length.
    pub units: Option<Unit>,
    /// Standing height of the subject, m; it sizes the body where a file holds its pose, but not how
    /// large it is (SMPL).
    pub stature: Option<f64>,
    /// Which person of a file with several, from 1 (WHAM, PromptHMR).
    pub person: Option<usize>,
    /// Which clip of a file with several, by name (PHC).
    pub clip: Option<String>,
    /// Which markers stand for which joint (TRC, C3D).
    pub markers: Option<MarkerMap>,
    /// The model of the body by which the shape coefficients of a file count (SMPL).
    pub body_model: Option<Arc<BodyModel>>,
    /// Height of the floor, m, along the axis that points up.
    pub floor: Option<f64>,
    /// Where to start, s from the first frame.
    pub start: Option<f64>,
    /// Where to stop, s from the first frame.
    pub end: Option<f64>,
    /// Whether to smooth.
    pub smoothing: Smoothing,
}

/// A file as it was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The motion: Human3.6M-17, metres, z up, floor at z = 0, no gaps, smoothed where noisy.
    pub motion: Motion,
    /// Standing height by the bone lengths, m.
    pub stature: f64,
    /// What the file tells of who moves.
    pub subject: Subject,
    /// Takes a point of the file, `[x, y, z, 1]` in its unit and axes, to the world of `motion`.
    pub world_from_file: Matrix3x4<f64>,
    /// One line for each thing understood, assumed or repaired.
    pub notes: Vec<String>,
}

/// Reads a `.npy` array (T, J, 3), or the one of a `.npz` archive that is called `joints`,
/// `positions`, `keypoints3d`, `poses3d`, `global_joint_positions` or `posed_joints` (or else its only array
/// of such a shape), the skeleton of a `.bvh`, whose joints are known by their names, poses of SMPL
/// ([`smpl`]), and markers.
///
/// The frame rate is `options.fps`, or the `fps` of a JSON file of the same stem beside this one, or
/// the archive's scalar `fps`, `mocap_framerate` or `mocap_frame_rate`, or the `Frame Time` of a `.bvh`,
/// or [`DEFAULT_FPS`].
/// Detection looks at the whole file, before `start` and `end` are applied, so that two cuts of a
/// file agree.
///
/// # Errors
/// For a file that is missing, broken, longer than an hour, or does not hold the motion of one
/// person, and for options that contradict it; always with what was found and what to do.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Reading> {
    let origin = path.display().to_string();
    if let Some(fps) = options.fps {
        check_rate(fps, "--fps")?;
    }
    let mut notes = Vec::new();
    let known = match options.fps {
        Some(fps) => Some(fps),
        None => rate_beside(path)?,
    };
    if let Some(fps) = known.filter(|_| options.fps.is_none()) {
        let name = beside::place(path);
        let name = name.file_name().unwrap_or_default().to_string_lossy();
        notes.push(format!("frame rate: {fps} fps, by {name} beside the file"));
    }
    let known = Known {
        fps: known,
        stature: options.stature,
        person: options.person,
        clip: options.clip.as_deref(),
        markers: options.markers.as_ref(),
        model: options.body_model.as_deref(),
    };
    let check = |shape: &[usize], fps: Option<f64>, layout: Option<Layout>| {
        check_file(shape, fps, layout, options, &origin)
    };
    let mut points = container::load(path, known, check)?;
    let fps = points.fps.unwrap_or_else(|| {
        notes.push(format!(
            "frame rate: not in the file, {DEFAULT_FPS} fps assumed (--fps)"
        ));
        DEFAULT_FPS
    });
    points.check_finite(&origin)?;
    notes.append(&mut points.notes);
    if points.layout.is_none() {
        repair::drop_lost(&mut points, &mut notes); // skeletons lose nobody
    }
    let asked = points.layout.or(options.layout);
    let layout = asked.unwrap_or_else(|| detect_layout(&points));
    points.fps = Some(fps);
    repair::drop_spikes(&mut points, layout, fps, &origin, &mut notes)?;
    let mut frames = points.in_layout(layout);
    notes.push(format!(
        "layout: {layout}, {} frames at {fps} fps ({:.2} s)",
        frames.len(),
        (frames.len() - 1) as f64 / fps
    ));
    ends::advance(&mut frames, fps, &mut notes);
    let noise = smoothing::reduce_noise(&mut frames, fps, options.smoothing);
    let (stature, world_from_file) =
        world::calibrate(&mut frames, options, &points, &origin, &mut notes)?;
    notes.extend(noise.note(stature));
    notes.extend(turns::check(&mut frames));
    let ends = (options.start, options.end);
    let (start, end) = cut(frames.len(), fps, ends, &origin, &mut notes)?;
    let name = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut motion = assemble(name, fps, &frames[start..end]);
    bridge_gaps(&mut motion, start, &origin, &mut notes)?;
    Ok(Reading {
        motion,
        stature,
        subject: points.subject,
        world_from_file,
        notes,
    })
}

/// The time of the first frame of the file at `path`, s, by the clock of what was recorded with it: 0 unless a `.trc` says
/// something else.
///
/// # Errors
/// When it cannot be read.
pub fn first_time(path: &Path) -> Result<f64> {
    let is_trc = path.is_file() && trc::begins(&beginning(path, container::START)?);
    Ok(match is_trc {
        true => trc::first_time(&whole::text(path)?).unwrap_or(0.0),
        false => 0.0,
    })
}

/// Checks what a file tells of itself before its numbers are read.
fn check_file(
    shape: &[usize],
    fps: Option<f64>,
    layout: Option<Layout>,
    options: &ReadOptions,
    origin: &str,
) -> Result<()> {
    if let Some(asked) = options.layout
        && layout.is_some_and(|known| known != asked)
    {
        let advice = "leave it out: the names of the joints tell what they are";
        let found = format!("{asked} for {origin}");
        return Err(Error::input("--layout", "use", found, advice));
    }
    let fps = fps.unwrap_or(DEFAULT_FPS);
    check_rate(fps, origin)?;
    check_shape(shape, layout.or(options.layout), fps, origin)
}

fn check_rate(fps: f64, origin: &str) -> Result<()> {
    if RATES.contains(&fps) {
        return Ok(());
    }
    Err(Error::input(
        origin,
        "frame rate",
        fps,
        "give 1 to 1000 frames per second",
    ))
}

/// Checks the shape of an array before it is read.
fn check_shape(shape: &[usize], layout: Option<Layout>, fps: f64, origin: &str) -> Result<()> {
    let refuse = |advice: String| {
        let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
        Err(Error::input(
            origin,
            "shape",
            format!("({})", lengths.join(", ")),
            advice,
        ))
    };
    let &[frames, joints, 3] = shape else {
        let advice = match shape {
            [_, _, 2] | [_, 33, 4] => {
                "3D positions are (frames, joints, 3); keypoints and landmarks of a picture need --focal PX --image-size WxH, or --camera FILE"
            }
            _ => "save the positions as (frames, joints, 3)",
        };
        return refuse(advice.to_string());
    };
    match layout {
        Some(layout) if layout.joint_count() != joints => {
            let count = layout.joint_count();
            return refuse(format!(
                "the layout {layout} has {count} joints: expected (T, {count}, 3)"
            ));
        }
        None if Layout::of_count(joints).is_none() => {
            let known = Layout::ALL.map(|layout| format!("{} ({layout})", layout.joint_count()));
            return refuse(format!(
                "the known numbers of joints are {}",
                known.join(", ")
            ));
        }
        _ => {}
    }
    if frames < 2 {
        return refuse("a motion has at least two frames".to_string());
    }
    let seconds = (frames - 1) as f64 / fps;
    if seconds > LONGEST {
        let found = format!("{frames} frames, {:.1} h at {fps} fps", seconds / 3600.0);
        return Err(Error::input(
            origin,
            "length",
            found,
            "at most 1 h is read: cut it into parts",
        ));
    }
    Ok(())
}

/// The layout by the number of joints; Human3.6M-17 and COCO-17 are told apart by a majority of
/// frames.
fn detect_layout(points: &Points) -> Layout {
    // The shape has been checked: some layout has this number of joints.
    let layout = Layout::of_count(points.joints).unwrap_or(Layout::H36m17);
    if layout == Layout::H36m17 && skeleton::looks_like_coco(points.frames()) {
        Layout::Coco17
    } else {
        layout
    }
}

/// The part of `motion` between `start` and `end`, seconds from its first frame, and what there is to
/// say of it.
///
/// # Errors
/// [`Error::Input`] naming `--start` or `--end` when less than two frames lie between them.
pub fn excerpt(
    mut motion: Motion,
    start: Option<f64>,
    end: Option<f64>,
) -> Result<(Motion, Vec<String>)> {
    let mut notes = Vec::new();
    let (first, end) = cut(
        motion.len(),
        motion.fps,
        (start, end),
        &motion.name,
        &mut notes,
    )?;
    motion.joints = motion.joints[first..end].to_vec();
    motion.toes = motion.toes.map(|toes| toes[first..end].to_vec());
    motion.turns = motion.turns.map(|turns| turns[first..end].to_vec());
    Ok((motion, notes))
}

/// The range of frames between `--start` and `--end`.
fn cut(
    frames: usize,
    fps: f64,
    (start, end): (Option<f64>, Option<f64>),
    origin: &str,
    notes: &mut Vec<String>,
) -> Result<(usize, usize)> {
    let seconds = (frames - 1) as f64 / fps;
    let start = start.unwrap_or(0.0);
    let end = end.unwrap_or(seconds);
    if !(0.0..seconds).contains(&start) {
        let advice = format!("{origin} goes from 0 to {seconds:.2} s");
        return Err(Error::input(
            "--start",
            "time",
            format!("{start} s"),
            advice,
        ));
    }
    if end.is_nan() || end <= start {
        let advice = format!("the end comes after the start, which is {start} s");
        return Err(Error::input("--end", "time", format!("{end} s"), advice));
    }
    if end > seconds + 0.5 / fps {
        notes.push(format!(
            "--end {end} s is beyond the clip, which ends at {seconds:.2} s"
        ));
    }
    let first = (start * fps).round() as usize;
    let last = ((end * fps).round() as usize).min(frames - 1);
    if last <= first {
        let found = format!("{start} s to {end} s");
        let advice = "less than two frames lie between them";
        return Err(Error::input("--start, --end", "time", found, advice));
    }
    if (first, last) != (0, frames - 1) {
        notes.push(format!("cut: frames {first} to {last}"));
    }
    Ok((first, last + 1))
}

fn assemble(name: String, fps: f64, frames: &[Frame]) -> Motion {
    Motion {
        name,
        fps,
        joints: frames.iter().map(|frame| frame.joints).collect(),
        toes: frames.iter().map(|frame| frame.toes).collect(),
        turns: frames.iter().map(|frame| frame.turns).collect(),
    }
}

/// Bridges short gaps in every joint; `first` is the number of the first frame in the file.
fn bridge_gaps(
    motion: &mut Motion,
    first: usize,
    origin: &str,
    notes: &mut Vec<String>,
) -> Result<()> {
    let fps = motion.fps;
    let mut bridged = 0;
    for (j, name) in NAMES.iter().enumerate() {
        let mut track: Vec<_> = motion.joints.iter().map(|joints| joints[j]).collect();
        bridged += gaps::bridge(&mut track, fps, name, first, origin)?;
        motion
            .joints
            .iter_mut()
            .zip(track)
            .for_each(|(joints, p)| joints[j] = p);
    }
    for (foot, name) in ["right_toe", "left_toe"].iter().enumerate() {
        let Some(toes) = &mut motion.toes else { break };
        let mut track: Vec<_> = toes.iter().map(|toes| toes[foot]).collect();
        bridged += gaps::bridge(&mut track, fps, name, first, origin)?;
        toes.iter_mut()
            .zip(track)
            .for_each(|(toes, p)| toes[foot] = p);
    }
    if let Some(turns) = &mut motion.turns {
        turns::bridge(turns, fps);
    }
    if bridged > 0 {
        notes.push(format!("gaps: {bridged} missing joint positions bridged"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
