//! Which named points tell which joint.

use crate::motion::skeleton::Layout;

/// Where a joint comes from; numbers are indices of points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// A joint centre.
    Centre(usize),
    /// The middle of two markers on either side of the joint.
    Middle(usize, usize),
    /// A marker on the lateral side of the joint, half the joint's width away.
    Lateral(usize),
    /// A marker on top of the joint (the acromion).
    Above(usize),
    /// A marker on the lateral side of an elbow, half its width away along the axis that it bends about.
    Hinge(usize),
    /// By the markers of the pelvis.
    Pelvis,
}

/// The joints of a limb on one side, from the trunk outwards.
pub type Limb = [Source; 3];

/// Markers of the pelvis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pelvis {
    /// On the anterior superior iliac spines, `[right, left]`.
    pub front: [usize; 2],
    /// On the posterior ones, or twice the one on the sacrum.
    pub back: [usize; 2],
}

/// What tells where the head is.
#[derive(Clone, Debug, PartialEq)]
pub enum Head {
    /// The top of the head.
    Top(usize),
    /// Both ears.
    Ears([usize; 2]),
    /// Markers on a band around the head, above the ears.
    Band(Vec<usize>),
    /// Nothing: it goes on from the trunk.
    Trunk,
}

/// A toe base; numbers are indices of points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Toe {
    /// A marker on it.
    Marker(usize),
    /// Big toe and heel.
    Tip(usize, usize),
    /// The heads of the first and the fifth metatarsal.
    Heads(usize, usize),
}

/// Where every joint comes from; pairs are `[right, left]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// Hip, knee, ankle.
    pub legs: [Limb; 2],
    /// Shoulder, elbow, wrist.
    pub arms: [Limb; 2],
    pub pelvis: Option<Pelvis>,
    /// The seventh cervical vertebra and the top of the sternum.
    pub collar: Option<[usize; 2]>,
    /// Spine, thorax, base of the skull and top of the head, as this program writes them.
    pub trunk: Option<[usize; 4]>,
    pub head: Head,
    pub toes: Option<[Toe; 2]>,
}

/// Names of joint centres, after the letter of the side: origins of the segments of Plug-in Gait (a foot
/// model may have written another AJC), joint centres, OpenPose and its heirs.
const CENTRES: [&[&str]; 6] = [
    &["FEP", "HJC", "HIP"],
    &["FEO", "KJC", "KNEE"],
    &["TIO", "AJC", "ANKLE"],
    &["CLO", "SJC", "SHOULDER"],
    &["HUO", "EJC", "ELBOW"],
    &["RAO", "WJC", "WRIST"],
];

/// The ends of names that OpenCap's augmenter gives to the markers which it makes of joint centres: what it writes beside
/// these counts first.
const STUDY: &str = "STUDY";

/// Names of markers on both sides of a joint, lateral and medial (Plug-in Gait with medial markers, CGM2, OpenCap, the
/// models of Hamner and of Rajagopal 2016).
const PAIRS: [&[[&str; 2]]; 6] = [
    &[],
    &[
        ["KNE", "KNM"],
        ["KNE", "KNI"],
        ["KNEE", "MKNEE"],
        ["KNEELAT", "KNEEMED"],
        ["LFC", "MFC"],
        ["FLE", "FME"],
    ],
    &[
        ["ANK", "MED"],
        ["ANK", "ANM"],
        ["ANK", "ANI"],
        ["ANKLE", "MANKLE"],
        ["ANKLELAT", "ANKLEMED"],
        ["LMAL", "MMAL"],
    ],
    &[],
    &[
        ["ELB", "ELBM"],
        ["ELB", "MELB"],
        ["LELBOW", "MELBOW"],
        ["ELBOWLAT", "ELBOWMED"],
        ["LEL", "MEL"],
    ],
    &[
        ["WRA", "WRB"],
        ["WRISTLAT", "WRISTMED"],
        ["FARADIUS", "FAULNA"],
    ],
];

/// Names of single markers on the skin.
const SKIN: [&[&str]; 6] = [
    &[],
    &["KNE", "LFC"],
    &["ANK", "LMAL"],
    &["SHO", "ACR", "ACROMIUM", "ACROMION"],
    &["ELB", "LEL"],
    &["WRA", "WRB", "FARADIUS", "FAULNA"],
];

/// The augmenter's names: markers on both sides of a joint.
const STUDIED: [[&str; 2]; 6] = [
    ["", ""],
    ["KNEE", "MKNEE"],
    ["ANKLE", "MANKLE"],
    ["", ""],
    ["LELBOW", "MELBOW"],
    ["LWRIST", "MWRIST"],
];

/// What they are called in errors.
const JOINTS: [&str; 6] = ["hip", "knee", "ankle", "shoulder", "elbow", "wrist"];

/// The names of a file, as they are compared.
struct Names(Vec<Option<String>>);

impl Names {
    fn find(&self, name: &str) -> Option<usize> {
        self.0
            .iter()
            .position(|found| found.as_deref() == Some(name))
    }

    fn first(&self, side: char, names: &[&str]) -> Option<usize> {
        names
            .iter()
            .find_map(|name| self.find(&format!("{side}{name}")))
    }

    fn pair(&self, names: &[&str]) -> Option<[usize; 2]> {
        Some([self.first('R', names)?, self.first('L', names)?])
    }

    /// A marker of the augmenter.
    fn studied(&self, side: char, name: &str) -> Option<usize> {
        self.find(&format!("{side}{name}{STUDY}"))
    }

    /// The source of one of [`JOINTS`] by the markers of the augmenter.
    fn study(&self, side: char, joint: usize) -> Option<Source> {
        let [lateral, medial] = STUDIED[joint];
        match joint {
            0 => {
                let spine = self.studied(side, "ASIS").map(|_| Source::Pelvis);
                self.studied(side, "HJC").map(Source::Centre).or(spine)
            }
            3 => self.studied(side, "SHOULDER").map(Source::Above),
            _ => {
                let lateral = self.studied(side, lateral)?;
                Some(Source::Middle(lateral, self.studied(side, medial)?))
            }
        }
    }

    /// The source of one of [`JOINTS`].
    fn joint(&self, side: char, joint: usize, has_pelvis: bool) -> Option<Source> {
        self.study(side, joint)
            .filter(|source| has_pelvis || *source != Source::Pelvis)
            .or_else(|| self.plain(side, joint, has_pelvis))
    }

    /// The same by other markers.
    fn plain(&self, side: char, joint: usize, has_pelvis: bool) -> Option<Source> {
        let pair = || {
            PAIRS[joint].iter().find_map(|[lateral, medial]| {
                let (lateral, medial) =
                    (self.first(side, &[lateral])?, self.first(side, &[medial])?);
                Some(Source::Middle(lateral, medial))
            })
        };
        // A centre that has a medial marker beside it is the lateral one.
        let centre = || self.first(side, CENTRES[joint]).map(Source::Centre);
        let skin = || {
            let marker = self.first(side, SKIN[joint])?;
            Some(match joint {
                1 | 2 => Source::Lateral(marker),
                3 => Source::Above(marker),
                4 => Source::Hinge(marker),
                _ => Source::Centre(marker),
            })
        };
        let pelvis = || (joint == 0 && has_pelvis).then_some(Source::Pelvis);
        match joint {
            1 | 2 if self.first(side, &["KJC", "FEO", "AJC", "TIO"]).is_some() => {
                centre().or_else(pair)
            }
            1 | 2 if self.first(side, &["MKNEE", "MANKLE"]).is_some() => pair().or_else(centre),
            _ => centre().or_else(pair),
        }
        .or_else(skin)
        .or_else(pelvis)
    }

    fn pelvis(&self) -> Option<Pelvis> {
        let study = ["ASIS", "PSIS"].map(|name| {
            let [right, left] = ['R', 'L'].map(|side| self.studied(side, name));
            Some([right?, left?])
        });
        if let [Some(front), Some(back)] = study {
            return Some(Pelvis { front, back });
        }
        let back = self.pair(&["PSI", "PSIS"]).or_else(|| {
            let sacrum = ["SACR", "SACRUM", "VSACRAL", "VSACRUM"];
            let sacrum = sacrum.iter().find_map(|name| self.find(name))?;
            Some([sacrum; 2])
        });
        Some(Pelvis {
            front: self.pair(&["ASI", "ASIS"])?,
            back: back?,
        })
    }

    fn trunk(&self) -> Option<[usize; 4]> {
        let [spine, thorax] = ["SPINE", "THORAX"].map(|name| self.find(name));
        let [neck, head] = ["NECK", "HEAD"].map(|name| self.find(name));
        Some([spine?, thorax?, neck?, head?])
    }

    fn head(&self) -> Head {
        let band: Vec<usize> = ["RFHD", "LFHD", "RBHD", "LBHD"]
            .iter()
            .filter_map(|name| self.find(name))
            .collect();
        let top = ["HEAD", "TOPHEAD", "HEADTOP", "VERTEX"];
        let top = || top.iter().find_map(|name| self.find(name)).map(Head::Top);
        match band.len() {
            2.. => Head::Band(band),
            _ => top()
                .or_else(|| self.pair(&["EAR"]).map(Head::Ears))
                .unwrap_or(Head::Trunk),
        }
    }

    fn toes(&self) -> Option<[Toe; 2]> {
        // The augmenter's toe is where Plug-in Gait has it, on the second metatarsal.
        let marker = self
            .pair(&["TOESTUDY", "TOE", "BALL"])
            .map(|toes| toes.map(Toe::Marker));
        let heads = || {
            let (first, fifth) = (self.pair(&["MT1"])?, self.pair(&["MT5"])?);
            Some([0, 1].map(|foot| Toe::Heads(first[foot], fifth[foot])))
        };
        marker.or_else(heads).or_else(|| {
            let big = self.pair(&["BIGTOE"])?;
            let heels = self.pair(&["HEEL", "HEE", "CAL"])?;
            Some([0, 1].map(|foot| Toe::Tip(big[foot], heels[foot])))
        })
    }
}

/// A name in capitals without punctuation and the subject's name, the letter of the side first:
/// "Tom:right_knee" is RKNEE.
fn plain(name: &str) -> String {
    let own = name
        .rsplit(':')
        .next()
        .unwrap_or(name)
        .trim()
        .to_uppercase();
    let letters: String = own.chars().filter(|c| c.is_alphanumeric()).collect();
    for (word, letter) in [("RIGHT", 'R'), ("LEFT", 'L')] {
        let rest = letters
            .strip_prefix(word)
            .or_else(|| letters.strip_suffix(word));
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            return format!("{letter}{rest}");
        }
    }
    letters
}

/// What could not be found stands for itself until [`Body::find`] has seen all.
type Found = [Option<Source>; 3];

impl Body {
    /// Finds the joints among the points called `names`, of those that are `usable`.
    ///
    /// # Errors
    /// The joints that no point tells.
    pub fn find(names: &[String], usable: impl Fn(usize) -> bool) -> Result<Self, Vec<String>> {
        let usable = |(index, name): (usize, &String)| usable(index).then(|| plain(name));
        let names = Names(names.iter().enumerate().map(usable).collect());
        let pelvis = names.pelvis();
        let limb = |side: char, first: usize| -> Found {
            [0, 1, 2].map(|k| names.joint(side, first + k, pelvis.is_some()))
        };
        let found = [
            ("right", 'R', 0),
            ("left", 'L', 0),
            ("right", 'R', 3),
            ("left", 'L', 3),
        ]
        .map(|(side, letter, first)| (side, first, limb(letter, first)));
        let missing: Vec<String> = found
            .iter()
            .flat_map(|(side, first, limb)| {
                let lost = (0..3).filter(|k| limb[*k].is_none());
                lost.map(move |k| format!("{side} {}", JOINTS[first + k]))
            })
            .collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let [right_leg, left_leg, right_arm, left_arm] =
            found.map(|(.., limb)| limb.map(|source| source.unwrap_or(Source::Pelvis)));
        let sternum = ["CLAV", "SUP", "STERNUM", "IJ"];
        let sternum = sternum.iter().find_map(|name| names.find(name));
        Ok(Self {
            legs: [right_leg, left_leg],
            arms: [right_arm, left_arm],
            pelvis,
            collar: names
                .find("C7STUDY")
                .or_else(|| names.find("C7"))
                .zip(sternum)
                .map(|(back, front)| [back, front]),
            trunk: names.trunk(),
            head: names.head(),
            toes: names.toes(),
        })
    }

    /// The layout of the joints.
    pub fn layout(&self) -> Layout {
        match self.toes {
            Some(_) => Layout::H36m17Toes,
            None => Layout::H36m17,
        }
    }

    /// Where the joints of the right side come from, and what is inferred.
    pub fn describe(&self, names: &[String]) -> String {
        let tell = |source: Source, joint: &str| match source {
            Source::Centre(a) => names[a].clone(),
            Source::Middle(a, b) => format!("middle of {} and {}", names[a], names[b]),
            Source::Lateral(a) | Source::Hinge(a) => {
                format!("half a {joint}'s width inside {}", names[a])
            }
            Source::Above(a) => {
                format!("17 % of the shoulders' width below {} (Rab 2002)", names[a])
            }
            Source::Pelvis => "hip by the pelvis markers (Harrington 2007)".to_string(),
        };
        let limbs = [self.legs[0], self.arms[0]].concat();
        let joints: Vec<String> = limbs
            .iter()
            .zip(JOINTS)
            .map(|(s, joint)| tell(*s, joint))
            .collect();
        let head = match &self.head {
            Head::Top(top) => format!("head by {}", names[*top]),
            Head::Ears(ears) => format!("head by {}", names[ears[0]]),
            Head::Band(band) => format!("head by {} markers around it", band.len()),
            Head::Trunk => "head inferred, in line with the trunk".to_string(),
        };
        let toes = match self.toes {
            Some([Toe::Marker(toe), _]) => format!("toe base {}", names[toe]),
            Some([Toe::Heads(first, fifth), _]) => {
                format!("toe base between {} and {}", names[first], names[fifth])
            }
            Some([Toe::Tip(toe, _), _]) => format!("toe base behind {}", names[toe]),
            None => "no toes".to_string(),
        };
        format!("points: {}; {head}; {toes}", joints.join(", "))
    }
}

#[cfg(test)]
mod tests;
