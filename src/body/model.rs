//! The body as data: what `assets/humanoid.json`, or the user's own file, says of it, in names of links and
//! of observed joints and in shares of lengths. [`fit`](super::fit) scales it to a subject.

mod checks;

use std::collections::BTreeMap;
use std::str::FromStr;

use nalgebra::Vector3;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::motion::JOINTS;
use crate::motion::skeleton::{NAMES, Side};

const HUMANOID: &str = include_str!("../../assets/humanoid.json");

/// A body that can be scaled to a subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "ModelFile", into = "ModelFile")]
pub struct BodyModel {
    pub(super) links: Vec<LinkModel>,
    /// In the order of the observed joints.
    pub(super) markers: Vec<MarkerModel>,
}

/// The file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFile {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    comment: String,
    links: Vec<LinkModel>,
    markers: BTreeMap<ObservedJoint, MarkerModel>,
}

/// A link, its joint to the parent, and how its reference orientation follows from observed joints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkModel {
    pub name: String,
    /// Name of the parent, which stands further up; none for the root, which is first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Where the joint sits in the parent's frame.
    #[serde(default)]
    pub at: Place,
    pub segment: Segment,
    pub orientation: Orientation,
    /// Side of the body whose foot the link belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foot: Option<Side>,
    /// Share of the subject's mass.
    pub mass: f64,
    pub center_of_mass: Point,
    /// Radii of gyration about x, y, z through the centre of mass, as shares of the segment's length.
    pub gyration: [f64; 3],
    /// What these three are for a woman, where they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub female: Option<InertiaModel>,
    /// Gains and limits of the motor, for a subject of 70 kg: N·m/rad, N·m.
    pub stiffness: f64,
    pub torque_limit: f64,
    /// What the joint and its movements are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anatomy: Option<AnatomyModel>,
    /// Of the rotation vector about x, y, z of the parent's frame, degrees.
    pub limits: [[f64; 2]; 3],
    /// Axes about which the PD target is optimized.
    pub controlled: Vec<Axis>,
    pub shapes: Vec<ShapeModel>,
}

/// Mass, centre of mass and radii of gyration, as in [`LinkModel`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InertiaModel {
    pub mass: f64,
    pub center_of_mass: Point,
    pub gyration: [f64; 3],
}

/// Whose distribution of mass a body has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// A man's.
    #[default]
    Male,
    /// A woman's.
    Female,
}

impl FromStr for Sex {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "male" => Ok(Self::Male),
            "female" => Ok(Self::Female),
            _ => {
                let found = format!("`{text}`");
                Err(Error::input(
                    "--sex",
                    "value",
                    found,
                    "choose male or female",
                ))
            }
        }
    }
}

/// The name of a joint and of the movements about its axes: the first is fixed in the parent, the last in the
/// link, the other is perpendicular to both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnatomyModel {
    pub joint: String,
    pub axes: [(String, Direction); 3],
}

/// One of the 17 observed joints, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct ObservedJoint(pub usize);

/// A vector from the first joint to the second.
pub(super) type Between = [ObservedJoint; 2];

/// An axis of a link's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Axis {
    X,
    Y,
    Z,
}

/// An axis with a sign, "+y".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Direction {
    pub axis: usize,
    pub sign: f64,
}

/// A place in the frame of a link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// The link's joint.
    #[default]
    Start,
    /// The far end of its segment.
    End,
    /// As far along an axis as two joints are apart.
    Bone { between: Between, along: Direction },
    /// Where the joint was observed in the link's frame, as a median.
    Measured(Measured),
    /// Where a child of the link has its joint.
    JointOf(String),
    /// In shares of lengths.
    Point(Point),
}

/// A joint as it was observed in the frame of a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measured {
    pub joint: ObservedJoint,
    /// What points left in the link's frame, where its orientation does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Between>,
    /// The axes that count; 0 along the others.
    pub axes: Vec<Axis>,
}

/// The line from a link's joint to its far end in the T-pose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Segment {
    /// The observed joints at its ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<Between>,
    /// Its length as a share of the stature, where no joints are at its ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stature: Option<f64>,
    pub along: Direction,
}

/// How a link's reference orientation follows from the observed joints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Orientation {
    /// Directions that the joints show; of each, the first that has a length.
    Frame {
        /// The one of the two that is kept exactly.
        first: Exact,
        left: Vec<Between>,
        up: Vec<Between>,
    },
    /// The parent's, turned by the smallest rotation that brings the segment to its joints.
    Swing,
    /// The upper half of a limb that bends about the hinge of its child.
    Limb,
    /// The lower half of a limb; flexion turns positively about the axis.
    Hinge(Direction),
    /// A foot on a leg: it points as the leg does, or at observed toes, and stays above the ground.
    Foot,
    /// The parent's.
    Rigid,
}

/// Of two directions, the one that is kept exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Exact {
    Left,
    Up,
}

/// A point in the frame of a link, as a sum of shares of lengths along x, y, z.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Point {
    /// Of the length of the link's segment.
    pub length: [f64; 3],
    /// Of the stature.
    pub stature: [f64; 3],
    /// Of the height of the ankle above the sole, on the link's side.
    pub sole: [f64; 3],
    /// Of the positions of markers on the link.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub markers: BTreeMap<ObservedJoint, f64>,
}

/// A length as a sum of shares of lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Length {
    pub stature: f64,
    pub sole: f64,
}

/// A shape for display or, where it is a sphere, for contact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ShapeModel {
    /// Touches the ground; is not shown.
    Contact { center: Point, radius: Length },
    /// Is shown.
    Capsule { a: Point, b: Point, radius: Length },
    /// Is shown: a box with rounded edges.
    RoundBox {
        center: Point,
        half_extents: Point,
        radius: Length,
    },
}

/// Where an observed joint sits on the body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MarkerModel {
    pub link: String,
    #[serde(default)]
    pub at: Place,
}

impl BodyModel {
    /// The embedded humanoid of 14 links.
    ///
    /// # Errors
    /// [`Error::Internal`] when the embedded file is damaged.
    pub fn humanoid() -> Result<Self> {
        serde_json::from_str(HUMANOID)
            .map_err(|error| Error::Internal(format!("assets/humanoid.json: {error}")))
    }

    /// The model in the JSON `text` of the file called `origin`.
    ///
    /// # Errors
    /// [`Error::Input`] naming the field that cannot be used.
    pub fn from_json(text: &str, origin: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| {
            let advice = "see assets/humanoid.json for a body that works";
            Error::input(origin, "body", error, advice)
        })
    }

    /// The model with the masses of `sex`.
    ///
    /// # Errors
    /// [`Error::Input`] for a woman, when the file has no masses of one.
    pub fn of_sex(mut self, sex: Sex) -> Result<Self> {
        if sex == Sex::Female {
            if self.links.iter().all(|link| link.female.is_none()) {
                let advice = "add `female` to its links, or leave --sex female out";
                return Err(Error::input("--body", "female", "no such masses", advice));
            }
            for link in &mut self.links {
                if let Some(own) = link.female.take() {
                    link.mass = own.mass;
                    link.center_of_mass = own.center_of_mass;
                    link.gyration = own.gyration;
                }
            }
        }
        Ok(self)
    }

    /// Index of the link called `name`.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.links.iter().position(|link| link.name == name)
    }

    /// Index of the parent of link `i`; none for the root.
    pub(super) fn parent(&self, i: usize) -> Option<usize> {
        self.index(self.links[i].parent.as_ref()?)
    }
}

impl TryFrom<ModelFile> for BodyModel {
    type Error = String;

    fn try_from(file: ModelFile) -> std::result::Result<Self, String> {
        let missing = (0..JOINTS).find(|j| !file.markers.contains_key(&ObservedJoint(*j)));
        if let Some(joint) = missing {
            return Err(format!("markers: {} is missing", NAMES[joint]));
        }
        let model = Self {
            links: file.links,
            markers: file.markers.into_values().collect(),
        };
        model.check()?;
        Ok(model)
    }
}

impl From<BodyModel> for ModelFile {
    fn from(model: BodyModel) -> Self {
        Self {
            comment: String::new(),
            links: model.links,
            markers: (0..).map(ObservedJoint).zip(model.markers).collect(),
        }
    }
}

impl TryFrom<String> for ObservedJoint {
    type Error = String;

    fn try_from(name: String) -> std::result::Result<Self, String> {
        let joint = NAMES.iter().position(|known| *known == name);
        let unknown = || {
            format!(
                "{name} is none of the observed joints: {}",
                NAMES.join(", ")
            )
        };
        joint.map(Self).ok_or_else(unknown)
    }
}

impl From<ObservedJoint> for String {
    fn from(joint: ObservedJoint) -> Self {
        NAMES[joint.0].into()
    }
}

impl Direction {
    /// Its unit vector.
    pub fn vector(self) -> Vector3<f64> {
        self.sign * Vector3::ith(self.axis, 1.0)
    }
}

impl TryFrom<String> for Direction {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let axes = ["+x", "+y", "+z", "-x", "-y", "-z"];
        let place = axes.iter().position(|axis| *axis == text);
        let place = place.ok_or(format!("{text} is none of {}", axes.join(", ")))?;
        Ok(Self {
            axis: place % 3,
            sign: if place < 3 { 1.0 } else { -1.0 },
        })
    }
}

impl From<Direction> for String {
    fn from(direction: Direction) -> Self {
        let sign = if direction.sign < 0.0 { '-' } else { '+' };
        format!("{sign}{}", ["x", "y", "z"][direction.axis])
    }
}
