//! The tree of a BVH file: its joints, where a row of numbers puts them, and how its text is read.

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};

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
    /// What the numbers of a row move, in their order.
    pub channels: Vec<Channel>,
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
pub enum Channel {
    Position(usize),
    Rotation(usize),
    /// Nothing.
    Idle,
}

/// Where the joints are in one frame.
#[derive(Clone, Debug)]
pub struct Pose<'a> {
    joints: &'a [Joint],
    world: Vec<Isometry3<f64>>,
}

impl<'a> Pose<'a> {
    /// The `joints` with the numbers of one frame, `row: (C,)`.
    pub fn new(joints: &'a [Joint], row: &[f64]) -> Self {
        let mut row = row.iter();
        let mut world: Vec<Isometry3<f64>> = Vec::with_capacity(joints.len());
        for joint in joints {
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
        Self { joints, world }
    }

    /// Of a joint, in the file's unit and axes.
    pub fn joint(&self, joint: usize) -> Vector3<f64> {
        self.world[joint].translation.vector
    }

    /// From a joint's frame to the file's.
    pub fn rotation(&self, joint: usize) -> UnitQuaternion<f64> {
        self.world[joint].rotation
    }

    /// Of the end site of a joint, or of the joint itself where there is none.
    pub fn end(&self, joint: usize) -> Vector3<f64> {
        let end = self.joints[joint].end.unwrap_or_default();
        self.joint(joint) + self.world[joint].rotation * end
    }
}

/// At most forty characters of what was found, none of which controls a terminal.
pub fn shortened(text: &str) -> String {
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
pub type Refusal = (String, &'static str);

/// A line that was understood, or not.
pub type Understood = std::result::Result<(), Refusal>;

/// The tree while it is read.
#[derive(Debug, Default)]
pub struct Tree {
    /// Depth first.
    pub joints: Vec<Joint>,
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
    pub fn read(&mut self, line: &str) -> Understood {
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

    /// Refuses a tree that is still open, or empty.
    pub fn check_complete(&self) -> Understood {
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
