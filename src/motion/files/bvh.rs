//! BVH files: a tree of named joints with offsets and channels, then a row of numbers per frame.
//!
//! Positions follow by forward kinematics. The rotation channels of a joint are applied in the order
//! in which they are listed, R = R₁ R₂ R₃ (parent ← child, degrees); position channels stand in
//! place of the coordinates of its OFFSET. A file has neither unit nor up axis, and joints are called
//! whatever its author liked: [`rig`](super::rig) finds the ones that are needed.

pub(super) mod tree;

use nalgebra::Vector3;

use super::points::Points;
use super::rig::Rig;
use crate::error::{Error, Result};
use crate::motion::Subject;
use crate::motion::calibration::Unit;
use crate::motion::skeleton::Layout;
use tree::{Channel, Joint, Pose, Refusal, Tree, printable, shortened};

/// Angles this close to whole degrees are that.
const WHOLE_DEGREE: f64 = 1e-3;

/// A frame rate this close to a whole number (relative) is that: files give the time of a frame with
/// few digits.
const WHOLE_RATE: f64 = 1e-4;

/// A parsed file; the numbers of its frames are read last.
#[derive(Clone, Debug)]
pub struct Bvh<'a> {
    /// The tree, depth first.
    pub joints: Vec<Joint>,
    /// Number of frames T.
    pub frames: usize,
    /// What the file says of the time of a frame.
    time: &'a str,
    numbers: &'a str,
    origin: &'a str,
}

/// Whether a file that begins so is a BVH file.
pub fn begins(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start); // a byte order mark
    start.trim_ascii_start().starts_with(b"HIERARCHY")
}

/// Reads the 17 joints, and the toe bases where there are some, of a BVH file's `text`. The frame
/// rate is `fps`, or else the file's; `check` sees shape and rate before the frames are read.
///
/// # Errors
/// [`Error::Input`] with line or frame when the file is not as above, holds several skeletons, or
/// lacks joints.
pub fn read(
    text: &str,
    origin: &str,
    fps: Option<f64>,
    check: impl Fn(&[usize], Option<f64>, Option<Layout>) -> Result<()>,
) -> Result<Points> {
    let mut bvh = parse(text.trim_start_matches('\u{feff}'), origin)?;
    let fps = fps.map_or_else(|| bvh.rate(), Ok)?;
    let mut rig = Rig::find(&bvh.joints, origin)?;
    let points = rig.layout().joint_count();
    check(&[bvh.frames, points, 3], Some(fps), Some(rig.layout()))?;
    let mut notes = vec![format!(
        "skeleton: BVH, {points} points from {} joints: {}",
        bvh.joints.len(),
        rig.describe(&bvh.joints)
    )];
    let rows = bvh.rows(&mut notes)?;
    bvh.ignore_idle_positions(&rows, &mut notes);
    let channels = bvh.width();
    let mut rows = &rows[..];
    if bvh.begins_at_rest(rows) {
        notes.push("first frame: a pose of whole degrees, not of the motion: left out".to_string());
        rows = &rows[channels..];
    }
    let rest = bvh.without_rotations(&rows[..channels]);
    if rig.lacks_thorax(&bvh.joints, &bvh.pose(&rest)) {
        notes.push(rig.restore_thorax(&mut bvh.joints));
    }
    rig.settle(&bvh.joints, &bvh.pose(&rest));
    let bearings = rig.bearings(&bvh.joints, &bvh.pose(&rest));
    let mut turns = Vec::new();
    let mut values = Vec::with_capacity(rows.len() / channels * 3 * points);
    for row in rows.chunks_exact(channels) {
        let pose = bvh.pose(row);
        let placed = rig.place(&pose);
        turns.extend(bearings.as_ref().map(|bearings| bearings.turns(&pose)));
        values.extend(placed.iter().flat_map(|point| point.iter().copied()));
    }
    let mut pelvis = values.chunks_exact(3 * points).map(|frame| &frame[..3]);
    if let Some(first) = pelvis.next()
        && rows.len() > channels
        && pelvis.all(|here| here == first)
    {
        let note = "root: never moves from its place; feet that step then slide";
        notes.push(note.to_string());
    }
    Ok(Points {
        joints: points,
        values,
        turns: bearings.map(|_| turns),
        fps: Some(fps),
        layout: Some(rig.layout()),
        units: &Unit::ALL,
        up: None,
        subject: Subject::default(),
        notes,
    })
}

/// Reads everything but the numbers of the frames.
fn parse<'a>(text: &'a str, origin: &'a str) -> Result<Bvh<'a>> {
    let mut tree = Tree::default();
    let mut rest = text;
    let mut number = 0;
    loop {
        let Some((line, after)) = next_line(rest) else {
            let advice = "the file is cut off: copy or export it again";
            return Err(Error::input(origin, "MOTION", "nothing", advice));
        };
        (rest, number) = (after, number + 1);
        let refuse = |(found, advice): Refusal| {
            Error::input(origin, format!("line {number}"), found, advice)
        };
        if line.trim().eq_ignore_ascii_case("MOTION") {
            tree.check_complete().map_err(refuse)?;
            break;
        }
        tree.read(line).map_err(refuse)?;
    }
    let mut header = |name: &str, advice: &str| {
        let line = loop {
            let Some((line, after)) = next_line(rest) else {
                return Err(Error::input(origin, name, "nothing", advice));
            };
            rest = after;
            if !line.trim().is_empty() {
                break line.trim();
            }
        };
        let (found, value) = line.split_once(':').unwrap_or((line, ""));
        let found = found.split_whitespace().collect::<String>();
        match found.eq_ignore_ascii_case(&name.replace(' ', "")) {
            true => Ok(value.trim()),
            false => {
                let found = format!("`{}`", shortened(line));
                Err(Error::input(origin, name, found, advice))
            }
        }
    };
    let advice = "give the number of frames: `Frames: 344`";
    let frames = header("Frames", advice)?;
    let time = header("Frame Time", TIME_ADVICE)?;
    let count = frames.parse().ok().filter(|count| *count > 0);
    let found = || format!("`{}`", shortened(frames));
    Ok(Bvh {
        joints: tree.joints,
        frames: count.ok_or_else(|| Error::input(origin, "Frames", found(), advice))?,
        time,
        numbers: rest,
        origin,
    })
}

/// What to do about the time of a frame.
const TIME_ADVICE: &str = "give the seconds of a frame: `Frame Time: 0.0083333`, or --fps";

/// The first line of `text`, and what comes after it. Lines end with `\n`, `\r\n` or, of old, `\r`.
fn next_line(text: &str) -> Option<(&str, &str)> {
    let (line, rest) = text.split_once(['\n', '\r']).unwrap_or((text, ""));
    let is_pair = text[line.len()..].starts_with("\r\n");
    (!text.is_empty()).then(|| (line, &rest[usize::from(is_pair)..]))
}

impl Bvh<'_> {
    /// Numbers of a frame C.
    fn width(&self) -> usize {
        self.joints.iter().map(|joint| joint.channels.len()).sum()
    }

    /// Whether each number of a row is an angle.
    fn angles(&self) -> impl Iterator<Item = bool> {
        let channels = self.joints.iter().flat_map(|joint| &joint.channels);
        channels.map(|channel| matches!(channel, Channel::Rotation(_)))
    }

    /// The name of the joint that a number of a row moves.
    fn owner(&self, number: usize) -> String {
        let mut joints = self.joints.iter();
        let mut numbers = number + 1;
        let is_owner = |joint: &&Joint| {
            let own = joint.channels.len();
            let is_owner = numbers <= own;
            numbers = numbers.saturating_sub(own);
            is_owner
        };
        joints
            .find(is_owner)
            .map_or_else(String::new, |joint| printable(&joint.name))
    }

    /// Frames per second by the file, Hz.
    fn rate(&self) -> Result<f64> {
        let time = self.time.parse().ok();
        let time = time.filter(|time: &f64| time.is_finite() && *time > 0.0);
        let found = || format!("`{}`", shortened(self.time));
        let time =
            time.ok_or_else(|| Error::input(self.origin, "Frame Time", found(), TIME_ADVICE))?;
        let (fps, whole) = (time.recip(), time.recip().round());
        Ok(match (fps - whole).abs() <= WHOLE_RATE * fps {
            true => whole,
            false => fps,
        })
    }

    /// The numbers of all frames, `(T, C)`. One frame more or less than the header tells is noted.
    fn rows(&self, notes: &mut Vec<String>) -> Result<Vec<f64>> {
        let width = self.width();
        if width == 0 {
            let advice = "a motion needs CHANNELS";
            return Err(Error::input(self.origin, "CHANNELS", "none", advice));
        }
        // At least two characters for every number: what the file cannot hold is not reserved.
        let expected = width.saturating_mul(self.frames);
        let mut values = Vec::with_capacity(expected.min(self.numbers.len() / 2 + 1));
        for word in self.numbers.split_ascii_whitespace() {
            match word.parse::<f64>() {
                Ok(value) if value.is_finite() => values.push(value),
                _ => {
                    let owner = self.owner(values.len() % width);
                    let place = format!("frame {}, {owner}", values.len() / width);
                    let found = format!("`{}`", shortened(word));
                    let advice = "give a number for every channel, with a decimal point";
                    return Err(Error::input(self.origin, place, found, advice));
                }
            }
        }
        let frames = values.len() / width;
        if values.len() != width * frames || frames.abs_diff(self.frames) > 1 || frames < 2 {
            let found = format!(
                "numbers of {:.2} frames of {width} channels",
                values.len() as f64 / width as f64
            );
            let advice = format!(
                "the header tells of {}: copy or export it again, or, to use what is there, write \
                 \"Frames: {frames}\" and delete the last line if it is not complete",
                self.frames
            );
            return Err(Error::input(self.origin, "MOTION", found, advice));
        }
        if frames != self.frames {
            let told = self.frames;
            notes.push(format!(
                "frames: {frames}, though the header tells of {told}"
            ));
        }
        Ok(values)
    }

    /// Position channels that are zero all the time below the root tell nothing: the OFFSET stays.
    fn ignore_idle_positions(&mut self, rows: &[f64], notes: &mut Vec<String>) {
        let width = self.width();
        let mut at = 0;
        let mut idle = 0;
        for joint in &mut self.joints {
            let places = at..at + joint.channels.len();
            at = places.end;
            let is_position =
                |k: &usize| matches!(joint.channels[k - places.start], Channel::Position(_));
            let positions: Vec<usize> = places.clone().filter(is_position).collect();
            let is_told_twice = joint.parent.is_some() && joint.offset != Vector3::zeros();
            if positions.is_empty() || !is_told_twice {
                continue;
            }
            let mut numbers = rows.chunks_exact(width);
            if numbers.all(|row| positions.iter().all(|&k| row[k] == 0.0)) {
                idle += 1;
                for k in positions {
                    joint.channels[k - places.start] = Channel::Idle;
                }
            }
        }
        if idle > 0 {
            notes.push(format!(
                "position channels: zero for {idle} joints, which keep their OFFSET"
            ));
        }
    }

    /// `row: (C,)` with all angles zero.
    fn without_rotations(&self, row: &[f64]) -> Vec<f64> {
        row.iter()
            .zip(self.angles())
            .map(|(value, is_angle)| if is_angle { 0.0 } else { *value })
            .collect()
    }

    /// The joints with the numbers of one frame, `row: (C,)`.
    fn pose(&self, row: &[f64]) -> Pose<'_> {
        Pose::new(&self.joints, row)
    }

    /// Whether the first frame is a rest pose that was put before the motion, as in the CMU files for
    /// MotionBuilder: all its angles are whole degrees, those of the next frame are not.
    fn begins_at_rest(&self, rows: &[f64]) -> bool {
        let width = self.width();
        let whole = |row: &[f64]| {
            let mut angles = row
                .iter()
                .zip(self.angles())
                .filter(|(_, is_angle)| *is_angle);
            angles.all(|(angle, _)| (angle - angle.round()).abs() < WHOLE_DEGREE)
        };
        rows.len() > 2 * width && whole(&rows[..width]) && !whole(&rows[width..2 * width])
    }
}

#[cfg(test)]
pub(super) mod tests;
