//! Which joints of a named skeleton are the ones of Human3.6M-17.
//!
//! Names differ between programs (Mixamo, MotionBuilder, 3ds Max, Blender, Unreal, SMPL, Daz), and one
//! name even stands for different joints: "LeftShoulder" is a clavicle here and an upper arm there.
//! Knees, ankles, elbows, wrists and the head have names that agree; the joints above them follow from
//! the tree.

use nalgebra::Vector3;

use super::bvh::{Joint, Pose};
use crate::error::{Error, Result};
use crate::motion::JOINTS;
use crate::motion::skeleton::Layout;

/// Height of the top of the head above the base of the skull over that of the latter above the thorax,
/// where the file has no such point, as in SMPL.
const CROWN: f64 = 0.7;

/// The same ratio where an end site is believed to be the top of the head.
const CROWNS: std::ops::RangeInclusive<f64> = 0.3..=1.6;

/// Length from the base of the neck to the top of the head over that of the trunk (Human3.6M).
const HEAD_AND_NECK: f64 = 0.48;

/// The same ratio where the end of a head that includes the neck is believed to be its top.
const HEADS_AND_NECKS: std::ops::RangeInclusive<f64> = 0.25..=0.8;

/// Where the spine joint may lie between pelvis (0) and thorax (1).
const SPINES: std::ops::RangeInclusive<f64> = 0.25..=0.75;

/// A trunk, from the hips to where the arms begin, shorter than this share of the legs lacks a bone.
/// CMU: 0.40 without the thorax, 0.53 with it.
const SHORT_TRUNK: f64 = 0.47;

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
    /// Where arms and neck branch off.
    chest: usize,
    /// The thorax is their middle.
    thorax: [usize; 2],
    head: usize,
    /// Whether there is a neck below the head; otherwise the head begins where the neck does.
    has_neck: bool,
    crown: Option<Place>,
    toes: Option<[Place; 2]>,
}

/// A side of the body.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Right,
    Left,
}

/// What names tell.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Thigh,
    Knee,
    Ankle,
    Toe,
    UpperArm,
    Elbow,
    Wrist,
    Neck,
    Head,
    Crown,
}

/// Ends of names, side and punctuation left out; the longest that fits counts.
const ENDINGS: [(&str, Part); 45] = [
    ("thigh", Part::Thigh),
    ("upleg", Part::Thigh),
    ("upperleg", Part::Thigh),
    ("hip", Part::Thigh),
    ("femur", Part::Thigh),
    ("leg", Part::Knee),
    ("lowerleg", Part::Knee),
    ("lowleg", Part::Knee),
    ("knee", Part::Knee),
    ("shin", Part::Knee),
    ("calf", Part::Knee),
    ("shank", Part::Knee),
    ("tibia", Part::Knee),
    ("foot", Part::Ankle),
    ("ankle", Part::Ankle),
    ("toe", Part::Toe),
    ("toes", Part::Toe),
    ("toe0", Part::Toe),
    ("toebase", Part::Toe),
    ("ball", Part::Toe),
    ("arm", Part::UpperArm),
    ("upperarm", Part::UpperArm),
    ("uparm", Part::UpperArm),
    ("shoulder", Part::UpperArm),
    ("shldr", Part::UpperArm),
    ("humerus", Part::UpperArm),
    ("elbow", Part::Elbow),
    ("forearm", Part::Elbow),
    ("lowerarm", Part::Elbow),
    ("lowarm", Part::Elbow),
    ("farm", Part::Elbow),
    ("radius", Part::Elbow),
    ("hand", Part::Wrist),
    ("wrist", Part::Wrist),
    ("neck", Part::Neck),
    ("neck1", Part::Neck),
    ("neck01", Part::Neck),
    ("lowerneck", Part::Neck),
    ("head", Part::Head),
    ("headend", Part::Crown),
    ("headtop", Part::Crown),
    ("headtopend", Part::Crown),
    ("headnub", Part::Crown),
    ("headtip", Part::Crown),
    ("headsite", Part::Crown),
];

/// What `name` tells: "mixamorig:LeftForeArm", "lowerarm_l", "Bip01 L Forearm" and "lForeArm" are all
/// left elbows.
fn meaning(name: &str) -> (Option<Part>, Option<Side>) {
    let own = name.rsplit([':', '|']).next().unwrap_or(name);
    let mut side = None;
    let mut stem = String::new();
    for word in words(own) {
        match word.as_str() {
            "left" | "l" => side = Some(Side::Left),
            "right" | "r" => side = Some(Side::Right),
            word => stem.push_str(word),
        }
    }
    let fitting = ENDINGS.iter().filter(|(ending, _)| stem.ends_with(ending));
    let part = fitting.max_by_key(|(ending, _)| ending.len());
    (part.map(|(_, part)| *part), side)
}

/// The words of a name in lower case: separated by punctuation, spaces, and capitals.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (i, letter) in letters.iter().enumerate() {
        let follows_small = i > 0 && letters[i - 1].is_lowercase();
        let precedes_small = letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        let is_side = i == 1 && is_side_before_capitals(&letters);
        let begins = letter.is_uppercase() && (follows_small || precedes_small || is_side);
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a name begins with a side, an abbreviation and a word, as "LUArm" does.
fn is_side_before_capitals(letters: &[char]) -> bool {
    matches!(letters, ['L' | 'R', middle, begin, next, ..]
        if middle.is_uppercase() && begin.is_uppercase() && next.is_lowercase())
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
            [Side::Right, Side::Left].map(|side| {
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
        let head = tree.first(Part::Head, None, None);
        if head.is_none() {
            missing.push("head".to_string());
        }
        let (true, Some(head)) = (missing.is_empty(), head) else {
            let names: Vec<&str> = joints.iter().map(|joint| joint.name.as_str()).collect();
            let found = format!("no {} among {}", missing.join(", "), names.join(", "));
            let advice = "rename the joints: LeftUpLeg, LeftLeg, LeftFoot, LeftArm, LeftForeArm, \
                          LeftHand, the same on the right, and Head";
            return Err(Error::input(origin, "joints", found, advice));
        };
        let (chest, collars) = tree.shoulder_girdle(arms.map(|arm| arm[0]));
        let toes = legs.map(|leg| tree.toe(leg[2]));
        Ok(Self {
            legs,
            arms,
            spine: None,
            chest,
            thorax: collars.unwrap_or_else(|| [tree.neck(chest, head); 2]),
            head,
            has_neck: tree.neck(chest, head) != head,
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

    /// Whether the trunk lacks a bone, as in the CMU files by cgspeed: neck and clavicles begin at the end
    /// of the spine below it (OFFSET 0 0 0), so that it is 12 cm too short.
    pub fn lacks_thorax(&self, joints: &[Joint], pose: &Pose) -> bool {
        let mut branches = joints
            .iter()
            .filter(|joint| joint.parent == Some(self.chest));
        let [hip, knee, ankle] = self.legs[0].map(|place| place.of(pose));
        let leg = (knee - hip).norm() + (ankle - knee).norm();
        let trunk = (pose.joint(self.chest) - self.pelvis(pose)).norm();
        branches.all(|joint| joint.offset == Vector3::zeros()) && trunk < SHORT_TRUNK * leg
    }

    /// Gives that bone back: it is as long as the one below within a few millimetres, and goes on in its
    /// direction. Returns what was done.
    pub fn restore_thorax(&self, joints: &mut [Joint]) -> String {
        let (bone, chest) = (joints[self.chest].offset, joints[self.chest].name.clone());
        let branches = joints.iter_mut();
        branches
            .filter(|joint| joint.parent == Some(self.chest))
            .for_each(|joint| joint.offset = bone);
        format!(
            "trunk: neck and shoulders begin at {chest} itself (a flaw of converted CMU files); a bone \
             as long as the one below was put between"
        )
    }

    /// Takes for the spine joint the one nearest to the middle of the trunk in `pose`.
    pub fn choose_spine(&mut self, joints: &[Joint], pose: &Pose) {
        let pelvis = self.pelvis(pose);
        let trunk = self.thorax(pose) - pelvis;
        let share = |j: usize| (pose.joint(j) - pelvis).dot(&trunk) / trunk.norm_squared();
        let off_middle = |j: &usize| (share(*j) - 0.5).abs();
        let ascent = std::iter::successors(Some(self.chest), |&j| joints[j].parent);
        self.spine = ascent
            .filter(|&j| SPINES.contains(&share(j)))
            .min_by(|a, b| off_middle(a).total_cmp(&off_middle(b)));
    }

    fn pelvis(&self, pose: &Pose) -> Vector3<f64> {
        let [right, left] = self.legs.map(|leg| leg[0].of(pose));
        (right + left) / 2.0
    }

    fn thorax(&self, pose: &Pose) -> Vector3<f64> {
        let [right, left] = self.thorax.map(|joint| pose.joint(joint));
        (right + left) / 2.0
    }

    /// The base of the skull and the top of the head.
    fn skull(
        &self,
        pose: &Pose,
        pelvis: Vector3<f64>,
        thorax: Vector3<f64>,
    ) -> (Vector3<f64>, Vector3<f64>) {
        let head = pose.joint(self.head);
        let crown = self.crown.map(|crown| crown.of(pose));
        let (below, ratio, ratios) = match self.has_neck {
            true => (head - thorax, CROWN, CROWNS),
            false => (thorax - pelvis, HEAD_AND_NECK, HEADS_AND_NECKS),
        };
        let is_crown = |p: &Vector3<f64>| ratios.contains(&((p - head).norm() / below.norm()));
        let crown = crown.filter(is_crown).unwrap_or(head + ratio * below);
        match self.has_neck {
            true => (head, crown),
            false => ((head + crown) / 2.0, crown),
        }
    }

    /// The points of one frame in the order of [`layout`](Self::layout), in the unit and axes of `pose`.
    pub fn place(&self, pose: &Pose) -> Vec<Vector3<f64>> {
        let (pelvis, thorax) = (self.pelvis(pose), self.thorax(pose));
        let spine = self
            .spine
            .map_or((pelvis + thorax) / 2.0, |j| pose.joint(j));
        let (skull, crown) = self.skull(pose, pelvis, thorax);
        let [right_leg, left_leg] = self.legs.map(|leg| leg.map(|place| place.of(pose)));
        let [right_arm, left_arm] = self.arms.map(|arm| arm.map(|place| place.of(pose)));
        let mut points = Vec::with_capacity(JOINTS + 2);
        points.push(pelvis);
        points.extend(right_leg);
        points.extend(left_leg);
        points.extend([spine, thorax, skull, crown]);
        points.extend(left_arm);
        points.extend(right_arm);
        points.extend(self.toes.iter().flatten().map(|toe| toe.of(pose)));
        points
    }
}

/// A tree of joints whose names are understood.
struct Names<'a> {
    joints: &'a [Joint],
    meanings: Vec<(Option<Part>, Option<Side>)>,
}

impl<'a> Names<'a> {
    fn new(joints: &'a [Joint]) -> Self {
        Self {
            joints,
            meanings: joints.iter().map(|joint| meaning(&joint.name)).collect(),
        }
    }

    /// From `joint` up to the root, without itself.
    fn ancestors(&self, joint: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.joints[joint].parent, |&j| self.joints[j].parent)
    }

    /// The first joint of that name, below `above` if given.
    fn first(&self, part: Part, side: Option<Side>, above: Option<usize>) -> Option<usize> {
        (0..self.joints.len()).find(|&j| {
            let is_below = above.is_none_or(|above| self.ancestors(j).any(|a| a == above));
            self.meanings[j] == (Some(part), side) && is_below
        })
    }

    /// The three points of a limb: the middle one by its name; the upper one is the nearest above it
    /// whose name says so, or its parent; the lower one is below it by name, or its end.
    ///
    /// # Errors
    /// Which of the three there is not.
    fn limb(
        &self,
        [upper, middle, lower]: [Part; 3],
        side: Side,
    ) -> std::result::Result<[Place; 3], usize> {
        let side = Some(side);
        let joint = self.first(middle, side, None).ok_or(1_usize)?;
        let named = self
            .ancestors(joint)
            .find(|&j| self.meanings[j] == (Some(upper), side));
        let above = named.or(self.joints[joint].parent).ok_or(0_usize)?;
        let below = self.first(lower, side, Some(joint)).map(Place::Joint);
        let end = self.joints[joint].end.map(|_| Place::End(joint));
        let below = below.or(end).ok_or(2_usize)?;
        Ok([Place::Joint(above), Place::Joint(joint), below])
    }

    /// The joint where the arms branch off, and the clavicles `[right, left]` that begin there, if
    /// there are some.
    fn shoulder_girdle(&self, shoulders: [Place; 2]) -> (usize, Option<[usize; 2]>) {
        let [right, left] = shoulders.map(|place| match place {
            Place::Joint(joint) | Place::End(joint) => joint,
        });
        let shared = |j: &usize| self.ancestors(left).any(|a| a == *j);
        let chest = self.ancestors(right).find(shared).unwrap_or(0);
        let collar = |shoulder: usize| {
            let between = self.ancestors(shoulder).take_while(|&j| j != chest);
            between.last()
        };
        let collars = match [collar(right), collar(left)] {
            [Some(right), Some(left)] => Some([right, left]),
            _ => None,
        };
        (chest, collars)
    }

    /// Where the neck begins: the joint nearest to the chest on the way to the head, or the head.
    fn neck(&self, chest: usize, head: usize) -> usize {
        let neck = self.ancestors(head).take_while(|&j| j != chest).last();
        neck.unwrap_or(head)
    }

    /// The toe base below an ankle.
    fn toe(&self, ankle: Place) -> Option<Place> {
        let Place::Joint(ankle) = ankle else {
            return None;
        };
        let toe = self.first(Part::Toe, self.meanings[ankle].1, Some(ankle));
        toe.map(Place::Joint)
    }

    /// The top of the head: a joint of that name, or the end of the skull.
    fn crown(&self, head: usize) -> Option<Place> {
        let named = self.first(Part::Crown, None, Some(head)).map(Place::Joint);
        named.or(self.joints[head].end.map(|_| Place::End(head)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::bvh::{self, tests::standing};
    use super::*;

    type Line<'a> = (&'a str, &'a str, [f64; 3]);

    /// A person of Mixamo's, y up, cm.
    const MIXAMO: [Line; 24] = [
        ("mixamorig:Hips", "", [0.0, 100.0, 0.0]),
        ("mixamorig:Spine", "mixamorig:Hips", [0.0, 10.0, 0.0]),
        ("mixamorig:Spine1", "mixamorig:Spine", [0.0, 12.0, 0.0]),
        ("mixamorig:Spine2", "mixamorig:Spine1", [0.0, 12.0, 0.0]),
        (
            "mixamorig:LeftShoulder",
            "mixamorig:Spine2",
            [5.0, 12.0, 0.0],
        ),
        (
            "mixamorig:LeftArm",
            "mixamorig:LeftShoulder",
            [12.0, 0.0, 0.0],
        ),
        (
            "mixamorig:LeftForeArm",
            "mixamorig:LeftArm",
            [28.0, 0.0, 0.0],
        ),
        (
            "mixamorig:LeftHand",
            "mixamorig:LeftForeArm",
            [26.0, 0.0, 0.0],
        ),
        (
            "mixamorig:LeftHandIndex1",
            "mixamorig:LeftHand",
            [9.0, 0.0, 0.0],
        ),
        ("mixamorig:Neck", "mixamorig:Spine2", [0.0, 16.0, 0.0]),
        ("mixamorig:Head", "mixamorig:Neck", [0.0, 8.0, 0.0]),
        ("mixamorig:HeadTop_End", "mixamorig:Head", [0.0, 17.0, 0.0]),
        (
            "mixamorig:RightShoulder",
            "mixamorig:Spine2",
            [-5.0, 12.0, 0.0],
        ),
        (
            "mixamorig:RightArm",
            "mixamorig:RightShoulder",
            [-12.0, 0.0, 0.0],
        ),
        (
            "mixamorig:RightForeArm",
            "mixamorig:RightArm",
            [-28.0, 0.0, 0.0],
        ),
        (
            "mixamorig:RightHand",
            "mixamorig:RightForeArm",
            [-26.0, 0.0, 0.0],
        ),
        ("mixamorig:LeftUpLeg", "mixamorig:Hips", [9.0, -6.0, 0.0]),
        (
            "mixamorig:LeftLeg",
            "mixamorig:LeftUpLeg",
            [0.0, -44.0, 0.0],
        ),
        ("mixamorig:LeftFoot", "mixamorig:LeftLeg", [0.0, -42.0, 0.0]),
        (
            "mixamorig:LeftToeBase",
            "mixamorig:LeftFoot",
            [0.0, -8.0, 14.0],
        ),
        ("mixamorig:RightUpLeg", "mixamorig:Hips", [-9.0, -6.0, 0.0]),
        (
            "mixamorig:RightLeg",
            "mixamorig:RightUpLeg",
            [0.0, -44.0, 0.0],
        ),
        (
            "mixamorig:RightFoot",
            "mixamorig:RightLeg",
            [0.0, -42.0, 0.0],
        ),
        (
            "mixamorig:RightToeBase",
            "mixamorig:RightFoot",
            [0.0, -8.0, 14.0],
        ),
    ];

    fn read(lines: &[Line]) -> Result<(Layout, Vec<[f64; 3]>)> {
        let points = bvh::read(&standing(lines), "a.bvh", None, |_, _| Ok(()))?;
        assert_eq!(
            (points.fps, points.values.len()),
            (Some(30.0), 9 * points.joints)
        );
        let frame = points.values[..3 * points.joints].chunks(3);
        let frame = frame.map(|p| [p[0] - 0.25, p[1] - 0.25, p[2] - 0.25]);
        Ok((points.layout.unwrap(), frame.collect()))
    }

    #[test]
    fn clavicles_and_names_above_the_limbs_follow_from_the_tree() {
        let (layout, points) = read(&MIXAMO).unwrap();
        assert_eq!(layout, Layout::H36m17Toes);
        let expected = [
            [0.0, -6.0, 0.0],
            [-9.0, -6.0, 0.0],
            [-9.0, -50.0, 0.0],
            [-9.0, -92.0, 0.0],
            [9.0, -6.0, 0.0],
            [9.0, -50.0, 0.0],
            [9.0, -92.0, 0.0],
            [0.0, 22.0, 0.0], // Spine1
            [0.0, 46.0, 0.0], // between the clavicles
            [0.0, 58.0, 0.0],
            [0.0, 75.0, 0.0],
            [17.0, 46.0, 0.0],
            [45.0, 46.0, 0.0],
            [71.0, 46.0, 0.0],
            [-17.0, 46.0, 0.0],
            [-45.0, 46.0, 0.0],
            [-71.0, 46.0, 0.0],
            [-9.0, -100.0, 14.0],
            [9.0, -100.0, 14.0],
        ];
        for (j, (found, expected)) in points.iter().zip(expected).enumerate() {
            assert!(
                (0..3).all(|k| (found[k] - expected[k]).abs() < 1e-9),
                "{j}: {found:?}"
            );
        }
        // The names of 3ds Max: the upper arm is called what is the clavicle above.
        let renamed: Vec<(String, String, [f64; 3])> = MIXAMO
            .iter()
            .map(|(name, parent, offset)| (max(name), max(parent), *offset))
            .collect();
        let renamed: Vec<Line> = renamed
            .iter()
            .map(|(n, p, o)| (&n[..], &p[..], *o))
            .collect();
        assert_eq!(read(&renamed).unwrap(), (layout, points));
    }

    fn max(name: &str) -> String {
        let own = name.trim_start_matches("mixamorig:");
        own.replace("Shoulder", "Collar")
            .replace("ForeArm", "Elbow")
            .replace("Arm", "Shoulder")
            .replace("HandIndex1", "Finger0")
            .replace("Hand", "Wrist")
            .replace("UpLeg", "Hip")
            .replace("Leg", "Knee")
            .replace("Foot", "Ankle")
            .replace("ToeBase", "Toe")
    }

    #[test]
    fn what_a_rig_lacks_is_filled_in() {
        // Without toes, top of the head, neck, clavicles and hands, whose forearms have an end.
        let lacks = ["ToeBase", "HeadTop", "Index1"];
        let mut lines: Vec<Line> = MIXAMO.to_vec();
        lines.retain(|line| !lacks.iter().any(|name| line.0.contains(name)));
        for line in &mut lines {
            line.1 = line.1.trim_start_matches("mixamorig:");
            line.0 = line.0.trim_start_matches("mixamorig:");
            if line.0.ends_with("Hand") {
                line.0 = "End";
            }
        }
        let (layout, points) = read(&lines).unwrap();
        assert_eq!(layout, Layout::H36m17);
        assert_eq!((points[13][0], points[16][0]), (71.0, -71.0));
        assert!((points[10][1] - (58.0 + 0.7 * 12.0)).abs() < 1e-9);
        lines.retain(|line| !line.0.ends_with("Shoulder") && line.0 != "Neck");
        for line in &mut lines {
            match line.0 {
                "LeftArm" => (line.1, line.2) = ("Spine2", [17.0, 12.0, 0.0]),
                "RightArm" => (line.1, line.2) = ("Spine2", [-17.0, 12.0, 0.0]),
                "Head" => (line.1, line.2) = ("Spine2", [0.0, 14.0, 0.0]),
                _ => {}
            }
        }
        // The head begins at the neck: its joint is the thorax.
        let (_, points) = read(&lines).unwrap();
        let crown = 48.0 + 0.48 * 54.0;
        for (j, y) in [(8, 48.0), (9, (48.0 + crown) / 2.0), (10, crown)] {
            assert!((points[j][1] - y).abs() < 1e-9, "{j}: {:?}", points[j]);
        }
    }

    #[test]
    fn joints_that_no_name_tells_are_told() {
        let lines: Vec<Line> = MIXAMO
            .iter()
            .filter(|line| !line.0.contains("RightForeArm") && !line.0.contains("RightHand"))
            .map(|&(name, parent, offset)| match name {
                "mixamorig:Head" => ("Skull", parent, offset),
                "mixamorig:HeadTop_End" => ("End", "Skull", offset),
                _ => (name, parent, offset),
            })
            .collect();
        let error = read(&lines).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let told = error.to_string();
        assert!(
            told.starts_with("a.bvh: joints: found no right elbow, head among"),
            "{told}"
        );
        assert!(told.contains("rename the joints"), "{told}");
    }

    #[test]
    fn names_of_many_programs_are_understood() {
        use Part::{Ankle, Crown, Elbow, Head, Knee, Neck, Thigh, Toe, UpperArm, Wrist};
        let right = Some(Side::Right);
        let left = Some(Side::Left);
        for (name, part, side) in [
            ("LeftForeArm", Some(Elbow), left),
            ("mixamorig:RightForeArm", Some(Elbow), right),
            ("lowerarm_l", Some(Elbow), left),
            ("Bip01 L Forearm", Some(Elbow), left),
            ("lForeArm", Some(Elbow), left),
            ("forearm.R", Some(Elbow), right),
            ("left_elbow", Some(Elbow), left),
            ("L_Elbow", Some(Elbow), left),
            ("LFArm", Some(Elbow), left),
            ("RUArm", Some(UpperArm), right),
            ("RIGHT_FOREARM", Some(Elbow), right),
            ("LeftUpLeg", Some(Thigh), left),
            ("RightUpperLeg", Some(Thigh), right),
            ("RightLeg", Some(Knee), right),
            ("Bip001 R Calf", Some(Knee), right),
            ("rShin", Some(Knee), right),
            ("calf_r", Some(Knee), right),
            ("LeftToeBase", Some(Toe), left),
            ("ball_l", Some(Toe), left),
            ("RightAnkle", Some(Ankle), right),
            ("foot.L", Some(Ankle), left),
            ("LeftHand", Some(Wrist), left),
            ("LeftHandIndex1", None, left),
            ("LeftForeArmRoll", None, left),
            ("LHipJoint", None, left),
            ("LeftShoulder", Some(UpperArm), left),
            ("LeftCollar", None, left),
            ("Head", Some(Head), None),
            ("HeadTop_End", Some(Crown), None),
            ("Neck1", Some(Neck), None),
            ("Hips", None, None),
        ] {
            assert_eq!(meaning(name), (part, side), "{name}");
        }
    }
}
