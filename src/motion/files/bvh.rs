//! BVH files: a tree of named joints with offsets and channels, then a row of numbers per frame.
//!
//! Positions follow by forward kinematics. The rotation channels of a joint are applied in the order
//! in which they are listed, R = R₁ R₂ R₃ (parent ← child, degrees); position channels stand in
//! place of the coordinates of its OFFSET. A file has neither unit nor up axis, and joints are called
//! whatever its author liked: [`rig`](super::rig) finds the ones that are needed.

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};

use super::container::Points;
use super::rig::Rig;
use crate::error::{Error, Result};
use crate::motion::calibration::Unit;
use crate::motion::skeleton::Layout;

/// Angles this close to whole degrees are that.
const WHOLE_DEGREE: f64 = 1e-3;

/// A frame rate this close to a whole number (relative) is that: files give the time of a frame with
/// few digits.
const WHOLE_RATE: f64 = 1e-4;

/// A joint of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    /// Its name, as it stands in the file.
    pub name: String,
    /// Index of its parent; `None` for the root. A parent comes before its children.
    pub parent: Option<usize>,
    /// From the parent, in the parent's frame and the file's unit.
    pub offset: Vector3<f64>,
    /// From the joint to its end site, if it has one.
    pub end: Option<Vector3<f64>>,
    channels: Vec<Channel>,
}

impl Joint {
    /// Whether it is always at its offset.
    pub fn is_placed_by_offset(&self) -> bool {
        let mut channels = self.channels.iter();
        channels.all(|channel| !matches!(channel, Channel::Position(_)))
    }
}

/// What a number of a row moves: a coordinate of the joint, or its turn about an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Channel {
    Position(usize),
    Rotation(usize),
    /// Nothing.
    Idle,
}

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

/// Where the joints are in one frame.
#[derive(Clone, Debug)]
pub struct Pose<'a> {
    joints: &'a [Joint],
    world: Vec<Isometry3<f64>>,
}

impl Pose<'_> {
    /// Of a joint, in the file's unit and axes.
    pub fn joint(&self, joint: usize) -> Vector3<f64> {
        self.world[joint].translation.vector
    }

    /// Of the end site of a joint, or of the joint itself where there is none.
    pub fn end(&self, joint: usize) -> Vector3<f64> {
        let end = self.joints[joint].end.unwrap_or_default();
        self.joint(joint) + self.world[joint].rotation * end
    }
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
    let mut values = Vec::with_capacity(rows.len() / channels * 3 * points);
    for row in rows.chunks_exact(channels) {
        let placed = rig.place(&bvh.pose(row));
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
        fps: Some(fps),
        layout: Some(rig.layout()),
        units: &Unit::ALL,
        up: None,
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

/// At most forty characters of what was found, none of which controls a terminal.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", printable(&text[..at])),
        None => printable(text),
    }
}

/// `text` without control characters.
pub fn printable(text: &str) -> String {
    text.replace(char::is_control, "?")
}

/// What was found, and what to do.
type Refusal = (String, &'static str);

/// A line that was understood, or not.
type Understood = std::result::Result<(), Refusal>;

/// The tree while it is read.
#[derive(Debug, Default)]
struct Tree {
    joints: Vec<Joint>,
    /// What the open braces belong to.
    open: Vec<Node>,
    /// What the next brace will belong to.
    announced: Option<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Node {
    Joint(usize),
    /// The end site of a joint.
    End(usize),
}

impl Tree {
    /// Reads a line of the hierarchy.
    fn read(&mut self, line: &str) -> Understood {
        for piece in line.split_inclusive(['{', '}']) {
            let statement = piece.trim_end_matches(['{', '}']).trim();
            if !statement.is_empty() {
                self.state(statement)?;
            }
            if piece.ends_with('{') {
                let node = self.announced.take();
                let advice = "a brace follows ROOT, JOINT or End Site";
                self.open
                    .push(node.ok_or(("a brace of nothing".into(), advice))?);
            } else if piece.ends_with('}') && self.open.pop().is_none() {
                let advice = "remove it: no brace is open";
                return Err(("a closing brace".into(), advice));
            }
        }
        Ok(())
    }

    fn state(&mut self, statement: &str) -> Understood {
        let (word, rest) = statement
            .split_once(char::is_whitespace)
            .unwrap_or((statement, ""));
        let word = word.to_ascii_uppercase();
        let found = || format!("`{}`", shortened(statement));
        match (word.as_str(), self.open.last().copied()) {
            ("HIERARCHY", None) if self.joints.is_empty() => {}
            ("ROOT", None) if !self.joints.is_empty() => {
                let advice = "keep one person's skeleton in a file";
                return Err(("a second ROOT".into(), advice));
            }
            ("ROOT", None) => self.announce(rest, None),
            ("JOINT", Some(Node::Joint(parent))) => self.announce(rest, Some(parent)),
            ("END", Some(Node::Joint(joint))) => self.announced = Some(Node::End(joint)),
            ("OFFSET", Some(node)) => {
                let advice = "give three numbers: `OFFSET 0.0 10.5 0.0`";
                // The channels may stand in the same line.
                let next = rest.find(char::is_alphabetic).filter(|at| {
                    let word = rest[*at..].split_whitespace().next();
                    word.is_some_and(|word| word.eq_ignore_ascii_case("CHANNELS"))
                });
                let (rest, channels) = rest.split_at(next.unwrap_or(rest.len()));
                let offset = numbers(rest).ok_or((found(), advice))?;
                match node {
                    Node::Joint(joint) => self.joints[joint].offset = offset,
                    Node::End(joint) => self.joints[joint].end = Some(offset),
                }
                if !channels.is_empty() {
                    self.state(channels)?;
                }
            }
            ("CHANNELS", Some(Node::Joint(joint))) => {
                let advice =
                    "give their number and names: `CHANNELS 3 Zrotation Yrotation Xrotation`";
                let channels = channels(rest).ok_or((found(), advice))?;
                self.joints[joint].channels = channels;
            }
            _ => {
                let advice = "a hierarchy has ROOT, JOINT, End Site, OFFSET and CHANNELS in braces";
                return Err((found(), advice));
            }
        }
        Ok(())
    }

    fn announce(&mut self, name: &str, parent: Option<usize>) {
        self.announced = Some(Node::Joint(self.joints.len()));
        self.joints.push(Joint {
            name: name.trim().to_string(),
            parent,
            offset: Vector3::zeros(),
            end: None,
            channels: Vec::new(),
        });
    }

    fn check_complete(&self) -> Understood {
        let open = self.open.iter().rev().chain(&self.announced).next();
        match open {
            Some(Node::Joint(joint) | Node::End(joint)) => {
                let name = &self.joints[*joint].name;
                Err((
                    format!("MOTION inside {name}"),
                    "close the braces of the hierarchy",
                ))
            }
            None if self.joints.is_empty() => {
                Err(("MOTION without joints".into(), "give a HIERARCHY first"))
            }
            None => Ok(()),
        }
    }
}

fn numbers(text: &str) -> Option<Vector3<f64>> {
    let numbers = text.split_whitespace().map(|word| word.parse().ok());
    let numbers: Vec<f64> = numbers.collect::<Option<_>>()?;
    let is_offset = numbers.len() == 3 && numbers.iter().all(|number| number.is_finite());
    is_offset.then(|| Vector3::from_column_slice(&numbers))
}

fn channels(text: &str) -> Option<Vec<Channel>> {
    let mut words = text.split_whitespace();
    let count: usize = words.next()?.parse().ok()?;
    let channels: Vec<Channel> = words.map(channel).collect::<Option<_>>()?;
    (channels.len() == count).then_some(channels)
}

fn channel(name: &str) -> Option<Channel> {
    let lower = name.to_ascii_lowercase();
    let axis = "xyz".find(lower.chars().next()?)?;
    match &lower[1..] {
        "position" => Some(Channel::Position(axis)),
        "rotation" => Some(Channel::Rotation(axis)),
        _ => None,
    }
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
                "the header tells of {}: copy or export it again",
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
        let mut row = row.iter();
        let mut world: Vec<Isometry3<f64>> = Vec::with_capacity(self.joints.len());
        for joint in &self.joints {
            let mut offset = joint.offset;
            let mut rotation = UnitQuaternion::identity();
            for (channel, value) in joint.channels.iter().zip(&mut row) {
                match *channel {
                    Channel::Idle => {}
                    Channel::Position(axis) => offset[axis] = *value,
                    Channel::Rotation(axis) => {
                        let axis = [Vector3::x_axis(), Vector3::y_axis(), Vector3::z_axis()][axis];
                        rotation *= UnitQuaternion::from_axis_angle(&axis, value.to_radians());
                    }
                }
            }
            let local = Isometry3::from_parts(Translation3::from(offset), rotation);
            world.push(joint.parent.map_or(local, |parent| world[parent] * local));
        }
        Pose {
            joints: &self.joints,
            world,
        }
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
pub(super) mod tests {
    use std::fmt::Write;

    use super::*;

    /// The text of a skeleton that stands still for three frames in its rest pose; every line is
    /// `(name, parent, offset)`, and leaves end where an `End` of theirs is.
    pub fn standing(lines: &[(&str, &str, [f64; 3])]) -> String {
        let mut text = String::from("HIERARCHY\n");
        write(&mut text, lines, 0);
        let joints = lines.iter().filter(|line| line.0 != "End").count();
        let row = "0.25 ".repeat(3) + &"0 ".repeat(3 * joints) + "\n";
        text + "MOTION\nFrames: 3\nFrame Time: 0.0333333\n" + &row.repeat(3)
    }

    fn write(text: &mut String, lines: &[(&str, &str, [f64; 3])], at: usize) {
        let (name, parent, [x, y, z]) = lines[at];
        let (kind, channels) = match (name, parent) {
            ("End", _) => ("End Site".into(), ""),
            (_, "") => (
                format!("ROOT {name}"),
                "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation",
            ),
            _ => (
                format!("JOINT {name}"),
                "CHANNELS 3 Zrotation Xrotation Yrotation",
            ),
        };
        let _ = writeln!(text, "{kind} {{\nOFFSET {x} {y} {z}\n{channels}");
        let children = (0..lines.len()).filter(|&child| name != "End" && lines[child].1 == name);
        children.for_each(|child| write(text, lines, child));
        let _ = writeln!(text, "}}");
    }

    const ARM: &str = "HIERARCHY\nROOT Hips {\n OFFSET 1 2 3\n CHANNELS 6 Xposition Yposition \
        Zposition Zrotation Xrotation Yrotation\n JOINT L Arm\n {\n  OFFSET 0 10 0\n  CHANNELS 3 \
        Zrotation Yrotation Xrotation\n  End Site\n  {\n   OFFSET 0 5 0\n  }\n }\n}\nMOTION\nFrames: \
        2\nFrame Time: .0083333\n";

    fn with_rows(rows: &str) -> String {
        format!("{ARM}{rows}")
    }

    fn refusal(text: &str) -> String {
        match parse(text, "a.bvh") {
            Ok(bvh) => match bvh.rate() {
                Ok(_) => bvh.rows(&mut Vec::new()).unwrap_err().to_string(),
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn rotations_apply_in_the_order_of_their_channels() {
        let text = with_rows("0 0 0 0 0 0 0 0 0\n7 8 9 90 90 0  0 0 90\n");
        let bvh = parse(&text, "a.bvh").unwrap();
        assert_eq!((bvh.frames, bvh.rate().unwrap()), (2, 120.0));
        assert_eq!(bvh.joints[1].name, "L Arm");
        let rows = bvh.rows(&mut Vec::new()).unwrap();
        let rest = bvh.pose(&rows[..9]);
        assert_eq!(rest.joint(1), Vector3::new(0.0, 10.0, 0.0)); // channels replace the OFFSET
        assert_eq!(rest.end(1), Vector3::new(0.0, 15.0, 0.0));
        // Rz(90) Rx(90) takes y to z and leaves z; the elbow's Rx(90) takes its y to z, which is −y
        // after Rx and x after Rz.
        let pose = bvh.pose(&rows[9..]);
        assert!((pose.joint(1) - Vector3::new(7.0, 8.0, 19.0)).norm() < 1e-12);
        assert!((pose.end(1) - Vector3::new(12.0, 8.0, 19.0)).norm() < 1e-12);
    }

    #[test]
    fn a_frame_of_whole_degrees_before_the_motion_is_told_from_one_of_it() {
        let begins = |rows: &str| {
            let text = with_rows(rows).replace("Frames: 2", "Frames: 3");
            let bvh = parse(&text, "a.bvh").unwrap();
            bvh.begins_at_rest(&bvh.rows(&mut Vec::new()).unwrap())
        };
        let moving = "0.5 0 0 0.25 0 0 0 1 0\n";
        assert!(begins(&format!("0.5 0 0 0 0 -21 0 0 0\n{moving}{moving}")));
        assert!(!begins(&moving.repeat(3)));
        assert!(!begins(&"0 0 0 0 0 0 0 0 0\n".repeat(3)));
    }

    #[test]
    fn a_frame_more_or_less_and_idle_positions_are_noted() {
        let rows = "0 0 0 0 0 0 0 0 0\n".repeat(4);
        let text = with_rows(&rows).replace("Frames: 2", "frames : 3");
        let bvh = parse(&text, "a.bvh").unwrap();
        let mut notes = Vec::new();
        assert_eq!(bvh.rows(&mut notes).unwrap().len(), 36);
        assert!(notes[0].starts_with("frames: 4, though"), "{notes:?}");
        // The arm has position channels that are never used.
        let text = with_rows("7 0 0 0 0 0 0 0 0 0 0 0\n7 0 0 0 0 0 0 0 0 0 0 0\n");
        let six = "CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation";
        let text = text.replace("CHANNELS 3 Zrotation Yrotation Xrotation", six);
        let mut bvh = parse(&text, "a.bvh").unwrap();
        let rows = bvh.rows(&mut notes).unwrap();
        assert_eq!(bvh.pose(&rows[..12]).joint(1), Vector3::new(7.0, 0.0, 0.0));
        bvh.ignore_idle_positions(&rows, &mut notes);
        assert_eq!(bvh.pose(&rows[..12]).joint(1), Vector3::new(7.0, 10.0, 0.0));
        assert!(notes[1].contains("zero for 1 joints"), "{notes:?}");
    }

    #[test]
    fn lines_may_end_and_be_joined_as_programs_of_old_did() {
        let text = with_rows("0 0 0 0 0 0 0 0 0\n7 8 9 90 90 0  0 0 90\n");
        let expected = parse(&text, "a.bvh").unwrap();
        let rows = expected.rows(&mut Vec::new()).unwrap();
        for other in [
            text.replace('\n', "\r\n"),
            text.replace('\n', "\r"),
            text.replace("OFFSET 0 10 0\n", "OFFSET 0 10 0"),
            text.replace("OFFSET 1 2 3\n", "OFFSET 1 2 3\t"),
        ] {
            let mut notes = Vec::new();
            let bvh = parse(&other, "a.bvh").unwrap();
            assert_eq!(bvh.joints, expected.joints, "{other:?}");
            assert_eq!(bvh.rows(&mut notes).unwrap(), rows, "{other:?}");
            assert_eq!(notes, [""; 0]);
        }
        let error = refusal(&text.replace("OFFSET 0 10 0\n", "OFFSET 0 10 0 CHANGES 3"));
        assert!(error.contains("`OFFSET 0 10 0 CHANGES"), "{error}");
    }

    #[test]
    fn broken_files_are_told_with_the_place() {
        let rows = "0 0 0 0 0 0 0 0 0\n0 0 0 0 0 0 0 0 0\n";
        let complete = with_rows(rows);
        let bvh = parse(&complete, "a.bvh").unwrap();
        bvh.rows(&mut Vec::new()).unwrap();
        for (from, to, told) in [
            (
                "OFFSET 0 10 0",
                "OFFSET 0 ten 0",
                "line 7: found `OFFSET 0 ten 0`",
            ),
            ("CHANNELS 3", "CHANNELS 2", "line 8: found `CHANNELS 2"),
            (
                "Yrotation\n JOINT",
                "Yturn\n JOINT",
                "line 4: found `CHANNELS 6",
            ),
            ("MOTION", "MOTOIN", "found `MOTOIN`"),
            (" }\n}\n", " }\n", "MOTION inside Hips"),
            (" }\n}\n", " }\n}\n}\n", "a closing brace"),
            (
                " }\n}\n",
                " }\n}\nROOT Other\n{\n}\n",
                "one person's skeleton",
            ),
            ("Frames: 2", "Frames: two", "Frames: found `two`"),
            (
                "Frames: 2",
                "Frames: 4",
                "numbers of 2.00 frames of 9 channels",
            ),
            (".0083333", "0", "Frame Time"),
            ("0 0 0\n", "0 0 nan\n", "frame 0, L Arm: found `nan`"),
        ] {
            let error = refusal(&complete.replacen(from, to, 1));
            assert!(
                error.contains(told) && !error.contains('\n'),
                "{told}: {error}"
            );
        }
        assert!(refusal("HIERARCHY\nROOT Hips\n{\n").contains("cut off"));
        assert!(refusal("HIERARCHY\nMOTION\n").contains("without joints"));
    }
}
