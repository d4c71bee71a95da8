//! A tree of joints whose names are understood.

use super::Place;
use crate::motion::files::bvh::tree::Joint;
use crate::motion::files::names::{ANKLE, Meaning, Part};
use crate::motion::skeleton::Side;
/// Joints of a head that has another name (Rigify).
const FACE: [&str; 6] = ["face", "forehead", "jaw", "eye", "nose", "mouth"];

/// Joints of limbs that only share the turn of the one above.
const TWISTS: [&str; 2] = ["twist", "roll"];

/// From `joint` up to the root.
pub(super) fn ascent(joints: &[Joint], joint: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(joint), |&j| joints[j].parent)
}

/// A tree of joints whose names are understood.
pub(super) struct Names<'a> {
    joints: &'a [Joint],
    meanings: Vec<Meaning>,
    children: Vec<Vec<usize>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(joints: &'a [Joint]) -> Self {
        let mut children = vec![Vec::new(); joints.len()];
        for (j, joint) in joints.iter().enumerate() {
            if let Some(parent) = joint.parent {
                children[parent].push(j);
            }
        }
        Self {
            joints,
            meanings: joints
                .iter()
                .map(|joint| Meaning::of(&joint.name))
                .collect(),
            children,
        }
    }

    /// From `joint` up to the root, without itself.
    pub(super) fn ancestors(&self, joint: usize) -> impl Iterator<Item = usize> + '_ {
        ascent(self.joints, joint).skip(1)
    }

    pub(super) fn is_below(&self, joint: usize, above: usize) -> bool {
        self.ancestors(joint).any(|a| a == above)
    }

    /// The only child of a joint.
    pub(super) fn only_child(&self, joint: usize) -> Option<usize> {
        match self.children[joint][..] {
            [child] => Some(child),
            _ => None,
        }
    }

    /// The joints of that name.
    pub(super) fn named(&self, part: Part, side: Option<Side>) -> impl Iterator<Item = usize> + '_ {
        (0..self.joints.len()).filter(move |&j| self.meanings[j].is(part, side))
    }

    /// The first joint of that name below `above`.
    pub(super) fn below(&self, above: usize, part: Part, side: Option<Side>) -> Option<usize> {
        self.named(part, side).find(|&j| self.is_below(j, above))
    }

    /// The three points of a limb: of the joints that have the name of the middle one the first whose
    /// neighbours have theirs, so that neither props nor controls are taken.
    ///
    /// # Errors
    /// Which of the three there is not.
    pub(super) fn limb(
        &self,
        parts: [Part; 3],
        side: Side,
    ) -> std::result::Result<[Place; 3], usize> {
        let candidates = self.named(parts[1], Some(side));
        let found = candidates.map(|middle| (middle, self.neighbours(middle, parts, side)));
        let named =
            |(_, neighbours): &(usize, [Option<usize>; 2])| neighbours.iter().flatten().count();
        // The first of the best: `max_by_key` takes the last.
        let best = found.reduce(|best, next| {
            if named(&next) > named(&best) {
                next
            } else {
                best
            }
        });
        let (middle, [upper, lower]) = best.ok_or(1_usize)?;
        let is_twist = |j: &usize| {
            TWISTS
                .iter()
                .any(|twist| self.meanings[*j].stem.contains(twist))
        };
        let parent = self.ancestors(middle).find(|j| !is_twist(j));
        let upper = upper.or(parent).ok_or(0_usize)?;
        let child = self.only_child(middle).filter(|j| !is_twist(j));
        let end = self.joints[middle].end.filter(|end| end.norm() > 0.0);
        let lower = lower.or(child).map(Place::Joint);
        let lower = lower.or(end.map(|_| Place::End(middle))).ok_or(2_usize)?;
        Ok([Place::Joint(upper), Place::Joint(middle), lower])
    }

    /// The joints above and below the middle one of a limb that have the right names. Where a thigh is
    /// called leg, a name of the middle joint is right for the upper one as well; of parts of one bone
    /// (`upper_arm.L.001`) the first counts.
    pub(super) fn neighbours(
        &self,
        middle: usize,
        [upper, own, lower]: [Part; 3],
        side: Side,
    ) -> [Option<usize>; 2] {
        let side = Some(side);
        let is_upper = |j: &usize| {
            let meaning = &self.meanings[*j];
            let other = meaning.stem != self.meanings[middle].stem;
            meaning.is(upper, side) || meaning.is(own, side) && other
        };
        let mut above = self.ancestors(middle).find(is_upper);
        while let Some(joint) = above.filter(|&joint| self.meanings[joint].is_numbered)
            && let Some(parent) = self.joints[joint].parent
            && self.meanings[parent].side == side
            && self.meanings[parent].stem == self.meanings[joint].stem
        {
            above = Some(parent);
        }
        [above, self.below(middle, lower, side)]
    }

    /// The joint where the arms branch off, and the clavicles `[right, left]` that begin there, if
    /// there are some.
    pub(super) fn shoulder_girdle(&self, [right, left]: [usize; 2]) -> (usize, Option<[usize; 2]>) {
        let above_left: Vec<usize> = self.ancestors(left).collect();
        let chest = self.ancestors(right).find(|j| above_left.contains(j));
        let chest = chest.unwrap_or(0);
        let collar = |shoulder: usize| self.ancestors(shoulder).take_while(|&j| j != chest).last();
        let collars = match [collar(right), collar(left)] {
            [Some(right), Some(left)] => Some([right, left]),
            _ => None,
        };
        (chest, collars)
    }

    /// The head: by its name, above the chest if one is there; or the end of the chain that leaves the
    /// chest beside the `arms`.
    pub(super) fn head(&self, chest: usize, arms: [usize; 2]) -> Option<usize> {
        let named = || self.named(Part::Head, None);
        let of_chest = named().find(|&j| self.is_below(j, chest));
        of_chest.or_else(|| named().next()).or_else(|| {
            let holds_arm = |j: usize| arms.iter().any(|&arm| arm == j || self.is_below(arm, j));
            let mut branches = self.children[chest].iter().copied();
            let neck = branches.find(|&j| self.meanings[j].side.is_none() && !holds_arm(j))?;
            let chain = std::iter::successors(Some(neck), |&j| self.only_child(j));
            let is_face = |j: usize| {
                let Meaning { part, stem, .. } = &self.meanings[j];
                *part == Some(Part::Crown) || FACE.iter().any(|name| stem.contains(name))
            };
            chain.take_while(|&j| !is_face(j)).last()
        })
    }

    /// Where the neck begins: the lowest joint on the way to the head that is not on the way to the arms;
    /// or where the arms branch off, if it is called a neck; or the head.
    pub(super) fn neck(&self, chest: usize, head: usize) -> usize {
        let trunk: Vec<usize> = ascent(self.joints, chest).collect();
        let neck = self.ancestors(head).take_while(|j| !trunk.contains(j));
        neck.last().unwrap_or(match self.meanings[chest].part {
            Some(Part::Neck) => chest,
            _ => head,
        })
    }

    /// The toe base below an ankle.
    pub(super) fn toe(&self, ankle: Place) -> Option<Place> {
        let Place::Joint(ankle) = ankle else {
            return None;
        };
        let side = self.meanings[ankle].side;
        let toe = self.below(ankle, Part::Toe, side);
        let foot = || match self.meanings[ankle].ending {
            ANKLE => self.below(ankle, Part::Ankle, side),
            _ => None,
        };
        toe.or_else(foot).map(Place::Joint)
    }

    /// The top of the head: a joint of that name, or the end of the skull.
    pub(super) fn crown(&self, head: usize) -> Option<Place> {
        let named = self.below(head, Part::Crown, None).map(Place::Joint);
        named.or(self.joints[head].end.map(|_| Place::End(head)))
    }
}
