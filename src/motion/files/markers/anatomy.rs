//! Where joints are, given points around them.

use nalgebra::Vector3;

use super::sources::{Body, Head, Limb, Pelvis, Source, Toe};
use crate::motion::skeleton::TOE_BASE;

/// From the middle of the hips to the middle of the shoulders over the stature (Winter 2009,
/// fig. 4.1: heights of 0.818 and 0.530).
const TRUNK: f64 = 0.288;

/// Half the breadth of knee (femoral epicondyles) and ankle (malleoli) over the stature: 96 and 72 mm of
/// 1.75 m (after ANSUR 1988, from memory: not compared with the source).
const HALF_KNEE: f64 = 0.0275;
const HALF_ANKLE: f64 = 0.0205;

/// The same of the elbow (epicondyles of the humerus): 72 mm.
const HALF_ELBOW: f64 = 0.0205;

/// The sine of the elbow's bend below which the line to the other arm counts as much as the plane of the arm.
const STRAIGHT: f64 = 0.1;

/// From the skin to the middle of a marker of 14 mm, mm.
const MARKER: f64 = 7.0;

/// The shoulder's centre below the acromion, over the distance of the acromia (Rab et al. 2002, from
/// memory: not compared with the source).
const BELOW_ACROMION: f64 = 0.17;

/// From the thorax to the base of the skull, from there to near the vertex, and from there up to a band
/// around the head, over the stature. The neck begins at the level of the seventh vertebra, 0.14 below
/// the vertex (de Leva 1996).
const NECK: f64 = 0.069;
const SKULL: f64 = 0.066;
const BAND: f64 = 0.037;

/// Where the spine joint is between pelvis and thorax.
const SPINE: f64 = 0.47;

/// The points of one frame.
pub struct Frame<'a> {
    pub row: &'a [f64],
}

/// Lengths that hold for the whole clip, in the file's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sizes {
    /// The subject's stature.
    pub stature: f64,
    pub millimetre: f64,
}

impl Frame<'_> {
    fn at(&self, index: usize) -> Vector3<f64> {
        Vector3::from_column_slice(&self.row[3 * index..][..3])
    }

    fn middle(&self, [a, b]: [usize; 2]) -> Vector3<f64> {
        (self.at(a) + self.at(b)) / 2.0
    }
}

/// The stature by the trunk of one frame, in the file's unit.
pub fn stature(body: &Body, frame: &Frame, millimetre: f64) -> f64 {
    let [hips, shoulders] = [hips(body, frame, millimetre), shoulders(body, frame)];
    (middle(shoulders) - middle(hips)).norm() / TRUNK
}

/// The joints of one frame in the order of [`Body::layout`].
pub fn place(body: &Body, frame: &Frame, sizes: Sizes) -> Vec<Vector3<f64>> {
    let (hips, shoulders) = (hips(body, frame, sizes.millimetre), shoulders(body, frame));
    let right = (hips[0] - hips[1]).normalize();
    let leg = |side: usize| {
        let outward = if side == 0 { right } else { -right };
        let [_, knee, ankle] = body.legs[side];
        let width = |half: f64| -outward * (half * sizes.stature + MARKER * sizes.millimetre);
        let knee = inside(frame, knee, hips[side], width(HALF_KNEE));
        [
            hips[side],
            knee,
            inside(frame, ankle, knee, width(HALF_ANKLE)),
        ]
    };
    let arm = |side: usize| {
        let [_, elbow, wrist] = body.arms[side];
        let at = |source| inside(frame, source, Vector3::zeros(), Vector3::zeros());
        let (elbow, wrist) = match elbow {
            Source::Hinge(at_skin) => {
                let (skin, wrist) = (frame.at(at_skin), at(wrist));
                let half = HALF_ELBOW * sizes.stature + MARKER * sizes.millimetre;
                let across = hinge([shoulders[side], skin, wrist], side, &right);
                (skin + across * half, wrist)
            }
            elbow => (at(elbow), at(wrist)),
        };
        [shoulders[side], elbow, wrist]
    };
    let pelvis = middle(hips);
    let thorax = thorax(body, frame, pelvis, middle(shoulders));
    let [neck, head] = skull(body, frame, [pelvis, thorax], sizes.stature);
    let spine = pelvis.lerp(&thorax, SPINE);
    let inferred = [spine, thorax, neck, head];
    let trunk = body
        .trunk
        .map_or(inferred, |trunk| trunk.map(|at| frame.at(at)));
    let mut joints = vec![pelvis];
    joints.extend([leg(0), leg(1)].concat());
    joints.extend(trunk);
    joints.extend([arm(1), arm(0)].concat());
    joints.extend(body.toes.iter().flatten().map(|toe| match *toe {
        Toe::Marker(toe) => frame.at(toe),
        Toe::Heads(first, fifth) => frame.middle([first, fifth]),
        Toe::Tip(toe, heel) => frame.at(toe).lerp(&frame.at(heel), TOE_BASE),
    }));
    joints
}

fn middle([a, b]: [Vector3<f64>; 2]) -> Vector3<f64> {
    (a + b) / 2.0
}

/// A joint by its source; a lateral marker is moved by `width`, at right angles to the bone from
/// `above`.
fn inside(frame: &Frame, source: Source, above: Vector3<f64>, width: Vector3<f64>) -> Vector3<f64> {
    match source {
        Source::Centre(at) | Source::Above(at) | Source::Hinge(at) => frame.at(at),
        Source::Middle(a, b) => frame.middle([a, b]),
        Source::Lateral(at) => {
            let bone = (frame.at(at) - above).normalize();
            let across = width - bone * bone.dot(&width);
            frame.at(at) + across.normalize() * width.norm()
        }
        Source::Pelvis => above,
    }
}

/// The direction from the lateral marker of an elbow to its centre: the axis that it bends about, at right angles to the
/// plane of shoulder, marker and wrist, as Plug-in Gait has it; of an arm that is nearly straight, the line to the other
/// `side` along `right`, too.
fn hinge(
    [shoulder, elbow, wrist]: [Vector3<f64>; 3],
    side: usize,
    right: &Vector3<f64>,
) -> Vector3<f64> {
    let (upper, fore) = ((elbow - shoulder).normalize(), (wrist - elbow).normalize());
    let inward = if side == 0 { -right } else { *right };
    // Bent, right and left forearms turn forward: the axis points to the right of both.
    let axis = if side == 0 {
        -upper.cross(&fore)
    } else {
        upper.cross(&fore)
    };
    let across = axis + STRAIGHT * (inward - upper * upper.dot(&inward));
    (across - upper * upper.dot(&across)).normalize()
}

fn hips(body: &Body, frame: &Frame, millimetre: f64) -> [Vector3<f64>; 2] {
    let by_markers = body
        .pelvis
        .map(|pelvis| harrington(&pelvis, frame, millimetre));
    let hip = |side: usize| match (body.legs[side][0], by_markers) {
        (Source::Pelvis, Some(hips)) => hips[side],
        (source, _) => inside(frame, source, Vector3::zeros(), Vector3::zeros()),
    };
    [hip(0), hip(1)]
}

/// The hips by width and depth of the pelvis (Harrington et al. 2007, J. Biomech. 40:595, the
/// regressions of table 5 for all subjects), in the axes of the pelvis: forward, up, to the right, from
/// the middle of the anterior spines.
fn harrington(pelvis: &Pelvis, frame: &Frame, millimetre: f64) -> [Vector3<f64>; 2] {
    let (front, back) = (frame.middle(pelvis.front), frame.middle(pelvis.back));
    let across = frame.at(pelvis.front[0]) - frame.at(pelvis.front[1]);
    let right = across.normalize();
    let depth = front - back;
    let forward = (depth - right * right.dot(&depth)).normalize();
    let up = right.cross(&forward);
    let (width, depth) = (across.norm() / millimetre, depth.norm() / millimetre);
    let [x, y, z] = [
        -0.24 * depth - 9.9,
        -0.30 * width - 10.9,
        0.33 * width + 7.3,
    ];
    [z, -z].map(|z| front + (forward * x + up * y + right * z) * millimetre)
}

fn shoulders(body: &Body, frame: &Frame) -> [Vector3<f64>; 2] {
    let [right, left]: [Limb; 2] = body.arms;
    let at = [right, left].map(|arm| inside(frame, arm[0], Vector3::zeros(), Vector3::zeros()));
    let Some(pelvis) = body.pelvis.filter(|_| matches!(right[0], Source::Above(_))) else {
        return at;
    };
    let below = middle([frame.middle(pelvis.front), frame.middle(pelvis.back)]) - middle(at);
    let down = below.normalize() * (BELOW_ACROMION * (at[0] - at[1]).norm());
    at.map(|acromion| acromion + down)
}

/// The middle of the shoulders, moved along the trunk to the level of the top of the sternum and the
/// seventh vertebra where they are marked.
fn thorax(
    body: &Body,
    frame: &Frame,
    pelvis: Vector3<f64>,
    shoulders: Vector3<f64>,
) -> Vector3<f64> {
    let Some(collar) = body.collar else {
        return shoulders;
    };
    let up = (shoulders - pelvis).normalize();
    shoulders + up * up.dot(&(frame.middle(collar) - shoulders))
}

/// The base of the skull and a point near its top.
fn skull(
    body: &Body,
    frame: &Frame,
    [pelvis, thorax]: [Vector3<f64>; 2],
    stature: f64,
) -> [Vector3<f64>; 2] {
    match &body.head {
        Head::Top(top) => {
            let share = NECK / (NECK + SKULL);
            [thorax.lerp(&frame.at(*top), share), frame.at(*top)]
        }
        Head::Ears(ears) => {
            // As in the layout of COCO.
            let ears = frame.middle(*ears);
            [middle([thorax, ears]), ears + (ears - thorax) * 0.5]
        }
        Head::Band(band) => {
            let all = band.iter().map(|at| frame.at(*at));
            let band = all.sum::<Vector3<f64>>() / band.len() as f64;
            let up = (band - thorax).normalize();
            let neck = band - up * BAND * stature;
            [neck, neck + up * SKULL * stature]
        }
        Head::Trunk => {
            let up = (thorax - pelvis).normalize();
            let neck = thorax + up * NECK * stature;
            [neck, neck + up * SKULL * stature]
        }
    }
}
