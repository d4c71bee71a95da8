//! What the names of joints tell, whichever program gave them.

use crate::motion::skeleton::Side;

/// What names tell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
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

/// How names end, side and punctuation left out; the longest that fits counts.
const ENDINGS: [(&str, Part); 48] = [
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
    (ANKLE, Part::Ankle),
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
    ("neck0", Part::Neck),
    ("neck01", Part::Neck),
    ("neckbase", Part::Neck),
    ("lowerneck", Part::Neck),
    ("necklower", Part::Neck),
    ("head", Part::Head),
    ("headend", Part::Crown),
    ("headtop", Part::Crown),
    ("headtopend", Part::Crown),
    ("headnub", Part::Crown),
    ("headtip", Part::Crown),
    ("headsite", Part::Crown),
];

/// Where an ankle is called so, what is called a foot below it is a toe base (SMPL, Kinect).
pub const ANKLE: &str = "ankle";

/// Words that tell nothing about the part of the body, at the end of a name (Maya, Daz).
const FILLERS: [&str; 5] = ["jnt", "joint", "bind", "bone", "bend"];

/// What a name tells: "mixamorig:LeftForeArm", "lowerarm_l", "Bip01 L Forearm" and "lForeArm" are all
/// left elbows.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    /// The part of the body.
    pub part: Option<Part>,
    /// The side of the body; `None` in the middle.
    pub side: Option<Side>,
    /// The ending by which the part was told.
    pub ending: &'static str,
    /// The name without side, fillers and number.
    pub stem: String,
    /// Whether it ends in a number of three digits, as Blender tells parts of one bone apart.
    pub is_numbered: bool,
}

impl Meaning {
    /// What `name` tells.
    pub fn of(name: &str) -> Self {
        let own = name.rsplit([':', '|']).next().unwrap_or(name);
        let mut side = None;
        let mut words: Vec<String> = Vec::new();
        for word in self::words(own) {
            match word.as_str() {
                "left" | "l" => side = Some(Side::Left),
                "right" | "r" => side = Some(Side::Right),
                "m" | "c" => {} // in the middle
                _ => words.push(word),
            }
        }
        let is_number = |word: &String| word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit());
        let is_numbered = words.len() > 1 && words.last().is_some_and(is_number);
        let is_filler = |word: &String| FILLERS.contains(&word.as_str()) || is_number(word);
        while words.len() > 1 && words.last().is_some_and(is_filler) {
            words.pop();
        }
        if let ([word], None) = (&mut words[..], side) {
            side = take_side(word); // leftupleg, UPLEGLEFT
        }
        let ends: Vec<String> = (0..words.len())
            .map(|from| words[from..].concat())
            .collect();
        let fitting = ENDINGS
            .iter()
            .filter(|(ending, _)| ends.iter().any(|end| end == ending));
        let found = fitting.max_by_key(|(ending, _)| ending.len());
        Self {
            part: found.map(|(_, part)| *part),
            side,
            ending: found.map_or("", |(ending, _)| ending),
            stem: words.concat(),
            is_numbered,
        }
    }

    /// Whether it is the name of that part on that side.
    pub fn is(&self, part: Part, side: Option<Side>) -> bool {
        self.part == Some(part) && self.side == side
    }
}

/// Takes the side away from the beginning or the end of a name that is one word.
fn take_side(word: &mut String) -> Option<Side> {
    for (name, side) in [("left", Side::Left), ("right", Side::Right)] {
        let rest = word.strip_prefix(name).or_else(|| word.strip_suffix(name));
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            *word = rest.to_string();
            return Some(side);
        }
    }
    None
}

/// The words of a name in lower case: separated by punctuation, spaces, and capitals.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (i, letter) in letters.iter().enumerate() {
        let follows_small = i > 0 && letters[i - 1].is_lowercase();
        let precedes_small = letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        let is_word = follows_small || precedes_small || follows_side(&letters[..i], &letters[i..]);
        if letter.is_uppercase() && is_word || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a word begins between `before` and `after`, as between the L and the UArm of "LUArm": a side,
/// an abbreviation and a word.
fn follows_side(before: &[char], after: &[char]) -> bool {
    let is_side = match before {
        ['L' | 'R'] => true,
        [.., earlier, 'L' | 'R'] => !earlier.is_alphabetic(),
        _ => false,
    };
    is_side
        && matches!(after, [middle, begin, next, ..]
            if middle.is_uppercase() && begin.is_uppercase() && next.is_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("LHipJoint", Some(Thigh), left),
            ("leftupleg", Some(Thigh), left),
            ("RIGHTLEG", Some(Knee), right),
            ("Elbow_L_jnt", Some(Elbow), left),
            ("upper_arm.L.001", Some(UpperArm), left),
            ("lShldrBend", Some(UpperArm), left),
            ("Skeleton1_LFArm", Some(Elbow), left),
            ("Head_M", Some(Head), None),
            ("HEAD", Some(Head), None),
            ("forehead", None, None),
            ("SpearHead1", None, None),
            ("lThighTwist", None, left),
            ("LeftShoulder", Some(UpperArm), left),
            ("LeftCollar", None, left),
            ("Head", Some(Head), None),
            ("HeadTop_End", Some(Crown), None),
            ("Neck1", Some(Neck), None),
            ("Hips", None, None),
        ] {
            let meaning = Meaning::of(name);
            assert_eq!((meaning.part, meaning.side), (part, side), "{name}");
        }
    }
}
