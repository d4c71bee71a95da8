//! Which joints of a named skeleton are the ones of Human3.6M-17.
//!
//! Names differ between programs (Mixamo, MotionBuilder, 3ds Max, Blender, Unreal, Unity, Daz, Maya,
//! SMPL), and one name even stands for different joints: "LeftShoulder" is a clavicle here and an upper
//! arm there. Knees, elbows and what is below them have names that agree; what is above follows from
//! the tree.

use nalgebra::Vector3;

use super::bvh::tree::{Joint, Pose, printable};
use super::names::Part;
use crate::error::{Error, Result};
use crate::motion::JOINTS;
use crate::motion::skeleton::Layout;
use crate::motion::skeleton::Side;
use tree::{Names, ascent};

mod bearings;
mod tree;

/// Longest way from the base of the skull to the top of the head over that from the thorax to the
/// former, and the one that is taken where the file has no such point: Human3.6M's and SMPL's.
const CROWN: (f64, f64) = (0.95, 0.7);

/// The same for a head that includes the neck, over the length of the trunk (Human3.6M).
const HEAD_AND_NECK: (f64, f64) = (0.48, 0.48);

/// The top of the head is no shorter than this share of the longest way, and no farther from the
/// direction of the neck than 60°.
const LOWEST_CROWN: f64 = 0.3;

/// Where the spine joint may lie between pelvis (0) and thorax (1).
const SPINES: std::ops::RangeInclusive<f64> = 0.25..=0.75;

/// A trunk, from the hips to where the arms begin, shorter than this share of the legs lacks a bone.
/// CMU: 0.40 without the thorax, 0.53 with it.
const SHORT_TRUNK: f64 = 0.47;

/// So many names are shown where joints are missing.
const SHOWN_NAMES: usize = 30;

/// Where a point of the body is on a skeleton.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Joint(usize),
    /// The end site of a joint.
    End(usize),
}

impl Place {
    fn of(self, pose: &Pose) -> Vector3<f64> {
        match self {
            Self::Joint(joint) => pose.joint(joint),
            Self::End(joint) => pose.end(joint),
        }
    }

    /// The joint, or that which it is the end of.
    fn joint(self) -> usize {
        match self {
            Self::Joint(joint) | Self::End(joint) => joint,
        }
    }
}

/// Where the points of the body are on a skeleton; pairs are `[right, left]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rig {
    /// Hip, knee, ankle.
    legs: [[Place; 3]; 2],
    /// Shoulder, elbow, wrist.
    arms: [[Place; 3]; 2],
    /// The joint half way up the trunk; the middle of pelvis and thorax where there is none.
    spine: Option<usize>,
    /// Where the arms branch off.
    chest: usize,
    /// The thorax is their middle.
    thorax: [usize; 2],
    head: usize,
    /// Whether there is a neck below the head; otherwise the head begins where the neck does.
    has_neck: bool,
    crown: Option<Place>,
    toes: Option<[Place; 2]>,
}

impl Rig {
    /// Finds the points of the body among `joints`, of which parents come before children.
    ///
    /// # Errors
    /// [`Error::Input`] naming the joints that no name tells.
    pub fn find(joints: &[Joint], origin: &str) -> Result<Self> {
        let tree = Names::new(joints);
        let mut missing = Vec::new();
        let mut limb = |what: [&str; 3], parts: [Part; 3]| {
            Side::BOTH.map(|side| {
                tree.limb(parts, side).unwrap_or_else(|lost| {
                    let side = if side == Side::Right { "right" } else { "left" };
                    missing.push(format!("{side} {}", what[lost]));
                    [Place::Joint(0); 3]
                })
            })
        };
        let legs = limb(
            ["hip", "knee", "ankle"],
            [Part::Thigh, Part::Knee, Part::Ankle],
        );
        let arms = limb(
            ["shoulder", "elbow", "wrist"],
            [Part::UpperArm, Part::Elbow, Part::Wrist],
        );
        let (chest, collars) = tree.shoulder_girdle(arms.map(|arm| arm[0].joint()));
        let head = tree.head(chest, arms.map(|arm| arm[1].joint()));
        if head.is_none() {
            missing.push("head".to_string());
        }
        let (true, Some(head)) = (missing.is_empty(), head) else {
            let found = format!("no {} among {}", missing.join(", "), list_names(joints));
            let advice = "rename the joints: LeftUpLeg, LeftLeg, LeftFoot, LeftArm, LeftForeArm, \
                          LeftHand, the same on the right, and Head";
            return Err(Error::input(origin, "joints", found, advice));
        };
        let neck = tree.neck(chest, head);
        let toes = legs.map(|leg| tree.toe(leg[2]));
        Ok(Self {
            legs,
            arms,
            spine: None,
            chest,
            thorax: collars.unwrap_or([neck; 2]),
            head,
            has_neck: neck != head,
            crown: tree.crown(head),
            toes: match toes {
                [Some(right), Some(left)] => Some([right, left]),
                _ => None,
            },
        })
    }

    /// The layout of what [`place`](Self::place) gives.
    pub fn layout(&self) -> Layout {
        match self.toes {
            Some(_) => Layout::H36m17Toes,
            None => Layout::H36m17,
        }
    }

    /// The names of the joints that were chosen, those of the left side.
    pub fn describe(&self, joints: &[Joint]) -> String {
        let name = |place: Place| match place {
            Place::Joint(joint) => printable(&joints[joint].name),
            Place::End(joint) => format!("end of {}", printable(&joints[joint].name)),
        };
        let limb = |limb: [[Place; 3]; 2]| limb[1].map(name).join(" – ");
        let toe = self.toes.map(|toes| format!(" – {}", name(toes[1])));
        format!(
            "{}{}, {}, {}",
            limb(self.legs),
            toe.unwrap_or_default(),
            limb(self.arms),
            name(Place::Joint(self.head))
        )
    }

    /// Whether the trunk lacks a bone, as in the CMU files by cgspeed: neck and clavicles begin at the
    /// end of the spine below it (OFFSET 0 0 0), so that it is 12 cm too short.
    pub fn lacks_thorax(&self, joints: &[Joint], pose: &Pose) -> bool {
        let mut branches = (0..joints.len()).filter(|&j| joints[j].parent == Some(self.chest));
        let [hip, knee, ankle] = self.legs[0].map(|place| place.of(pose));
        let leg = (knee - hip).norm() + (ankle - knee).norm();
        let chest = pose.joint(self.chest);
        let trunk = (chest - self.pelvis(pose)).norm();
        let is_lost = |j: usize| joints[j].is_placed_by_offset() && pose.joint(j) == chest;
        branches.all(is_lost) && trunk < SHORT_TRUNK * leg
    }

    /// Gives that bone back: it is as long as the one below within a few millimetres, and goes on in its
    /// direction. Returns what was done.
    pub fn restore_thorax(&self, joints: &mut [Joint]) -> String {
        let (bone, chest) = (
            joints[self.chest].offset,
            printable(&joints[self.chest].name),
        );
        let branches = joints.iter_mut();
        branches
            .filter(|joint| joint.parent == Some(self.chest))
            .for_each(|joint| joint.offset = bone);
        format!(
            "trunk: neck and shoulders begin at {chest} itself (a flaw of converted CMU files); a bone \
             as long as the one below was put between"
        )
    }

    /// Settles, in the pose `rest` without rotations, which joint is the spine joint (the one nearest to
    /// the middle of the trunk), and whether what looks like the top of the head is that.
    pub fn settle(&mut self, joints: &[Joint], rest: &Pose) {
        let pelvis = self.pelvis(rest);
        let trunk = self.thorax(rest) - pelvis;
        let share = |j: usize| (rest.joint(j) - pelvis).dot(&trunk) / trunk.norm_squared();
        let off_middle = |j: &usize| (share(*j) - 0.5).abs();
        self.spine = ascent(joints, self.chest)
            .filter(|&j| SPINES.contains(&share(j)))
            .min_by(|a, b| off_middle(a).total_cmp(&off_middle(b)));
        let (below, (longest, _)) = self.below_head(rest);
        self.crown = self.crown.filter(|crown| {
            let head = crown.of(rest) - rest.joint(self.head);
            let upward = head.dot(&below) / below.norm();
            head.norm() > LOWEST_CROWN * longest * below.norm() && upward > 0.5 * head.norm()
        });
    }

    fn pelvis(&self, pose: &Pose) -> Vector3<f64> {
        let [right, left] = self.legs.map(|leg| leg[0].of(pose));
        (right + left) / 2.0
    }

    fn thorax(&self, pose: &Pose) -> Vector3<f64> {
        let [right, left] = self.thorax.map(|joint| pose.joint(joint));
        (right + left) / 2.0
    }

    /// What the head goes on from, neck or trunk, and how long it is over that: at most, and where the
    /// file does not say.
    fn below_head(&self, pose: &Pose) -> (Vector3<f64>, (f64, f64)) {
        let thorax = self.thorax(pose);
        match self.has_neck {
            true => (pose.joint(self.head) - thorax, CROWN),
            false => (thorax - self.pelvis(pose), HEAD_AND_NECK),
        }
    }

    /// The base of the skull and the top of the head.
    fn skull(&self, pose: &Pose) -> [Vector3<f64>; 2] {
        let head = pose.joint(self.head);
        let (below, (longest, usual)) = self.below_head(pose);
        let crown = match self.crown {
            Some(crown) => head + (crown.of(pose) - head).cap_magnitude(longest * below.norm()),
            None => head + usual * below,
        };
        match self.has_neck {
            true => [head, crown],
            false => [(head + crown) / 2.0, crown],
        }
    }

    /// The points of one frame in the order of [`layout`](Self::layout), in the unit and axes of `pose`.
    pub fn place(&self, pose: &Pose) -> Vec<Vector3<f64>> {
        let (pelvis, thorax) = (self.pelvis(pose), self.thorax(pose));
        let middle = || (pelvis + thorax) / 2.0;
        let spine = self.spine.map_or_else(middle, |j| pose.joint(j));
        let [right_leg, left_leg] = self.legs.map(|leg| leg.map(|place| place.of(pose)));
        let [right_arm, left_arm] = self.arms.map(|arm| arm.map(|place| place.of(pose)));
        let mut points = Vec::with_capacity(JOINTS + 2);
        points.push(pelvis);
        points.extend(right_leg);
        points.extend(left_leg);
        points.extend([spine, thorax]);
        points.extend(self.skull(pose));
        points.extend(left_arm);
        points.extend(right_arm);
        points.extend(self.toes.iter().flatten().map(|toe| toe.of(pose)));
        points
    }
}

/// The first names, and how many more there are.
fn list_names(joints: &[Joint]) -> String {
    let shown = joints.iter().take(SHOWN_NAMES);
    let shown: Vec<String> = shown.map(|joint| printable(&joint.name)).collect();
    match joints.len().saturating_sub(SHOWN_NAMES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
