//! `smpl.npz`: the simulated motion as poses of SMPL, in the manner of AMASS.
//!
//! T frames, z up, m, rad; what is not said here is as in AMASS:
//!
//! | array | shape | what |
//! |---|---|---|
//! | `poses` | (T, 156) | turns of SMPL's 22 joints, axis times angle, parent ← child; those of the hands are 0 |
//! | `root_orient`, `pose_body` | (T, 3), (T, 63) | the same, as files of SMPL-X have them |
//! | `trans` | (T, 3) | root joint minus its place in the rest pose |
//! | `betas` | (16,) | zeros |
//! | `gender` | () | "neutral" |
//! | `mocap_framerate`, `mocap_frame_rate` | () | frames per second |
//! | `rest_joints` | (24, 3) | the joints of the simulated body in SMPL's rest pose (x left, y up, z forward) |
//! | `joint_names` | (24,) | |
//!
//! Turns are those of the simulated links, each corrected by the angle between the link's bone in
//! its own rest pose and SMPL's. Betas mean nothing without SMPL's model file, so the subject's
//! size is in `rest_joints`, which [`motion::read`](crate::motion::read) uses. There, `spine1` is where our
//! abdomen turns, in the middle of the hips, `spine2` our spine joint, and the neck begins at the thorax.

use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};

use super::Recording;
use super::arrays::Arrays;
use crate::body::{Body, Pose};
use crate::error::Result;
use crate::motion::Joints;
use crate::motion::files::smpl::body::{COUNT, NAMES, OFFSETS, PARENTS, STATURE, TURNS, pose};
use crate::motion::skeleton::{
    LEFT_ANKLE, LEFT_ELBOW, LEFT_HIP, LEFT_KNEE, LEFT_SHOULDER, LEFT_WRIST, NECK, PELVIS,
    RIGHT_ANKLE, RIGHT_ELBOW, RIGHT_HIP, RIGHT_KNEE, RIGHT_SHOULDER, RIGHT_WRIST, SPINE, THORAX,
};

/// Columns of `poses` in AMASS: 22 joints of the body and 30 of the hands.
const AMASS_WIDTH: usize = 156;

/// Number of shape coefficients in AMASS.
const BETAS: usize = 16;

/// SMPL's limbs: its joint, ours, and SMPL's joint at the bone's other end.
const BONES: [(usize, usize, usize); 8] = [
    (1, LEFT_HIP, 4),
    (2, RIGHT_HIP, 5),
    (4, LEFT_KNEE, 7),
    (5, RIGHT_KNEE, 8),
    (16, LEFT_SHOULDER, 18),
    (17, RIGHT_SHOULDER, 19),
    (18, LEFT_ELBOW, 20),
    (19, RIGHT_ELBOW, 21),
];

/// Joints at the ends of limbs: SMPL's and ours.
const ENDS: [(usize, usize); 4] = [
    (7, LEFT_ANKLE),
    (8, RIGHT_ANKLE),
    (20, LEFT_WRIST),
    (21, RIGHT_WRIST),
];

/// SMPL's numbers of joints of the trunk.
const SPINE1: usize = 3;
const SPINE2: usize = 6;
const SPINE3: usize = 9;
const NECK1: usize = 12;
const SKULL: usize = 15;

/// Where SMPL's highest joint of the spine is between our spine joint and thorax.
const HIGH_SPINE: f64 = 0.5;

/// The simulated motion as poses of SMPL.
pub(super) struct Poses {
    /// Joints of the simulated body in the rest pose, m: x left, y up, z forward.
    pub rest: [Vector3<f64>; COUNT],
    /// Of every frame, the turns of the joints, rad.
    pub turns: Vec<[Vector3<f64>; TURNS]>,
    /// Of every frame, where the root joint is, less its place in `rest`; m, z up.
    pub translations: Vec<Vector3<f64>>,
}

impl Poses {
    /// The poses of a recording.
    pub fn of(recording: &Recording) -> Self {
        let body = &recording.body;
        let skeleton = Skeleton::of(body);
        let mut poses = Self {
            rest: skeleton.rest(),
            turns: Vec::new(),
            translations: Vec::new(),
        };
        for frame in &recording.trajectory.frames {
            let joints = body.marker_positions(&frame.links);
            let rotation = |link: usize| frame.links[link].rotation;
            let (world, root) = skeleton.orientations(&poses.rest, &joints, rotation);
            poses.turns.push(std::array::from_fn(|j| match j {
                0 => world[0].scaled_axis(),
                _ => (world[PARENTS[j]].inverse() * world[j]).scaled_axis(),
            }));
            poses.translations.push(root - poses.rest[0]);
        }
        poses
    }

    /// Where SMPL's joints are in every frame, m, z up: those of the spine at SMPL's heights.
    pub fn joints(&self) -> Vec<[Vector3<f64>; COUNT]> {
        let offsets = offsets(&self.rest);
        let frames = self.turns.iter().zip(&self.translations);
        let joints = frames.map(|(turns, at)| {
            let mut joints = pose(turns, &offsets).map(|joint| joint + at);
            joints[SPINE1] = joints[SPINE2];
            joints[SPINE2] = (joints[SPINE2] + joints[SPINE3]) / 2.0;
            joints
        });
        joints.collect()
    }
}

/// From the parent to every joint; of the first, where it is.
fn offsets(rest: &[Vector3<f64>; COUNT]) -> [Vector3<f64>; COUNT] {
    std::array::from_fn(|j| match j {
        0 => rest[0],
        _ => rest[j] - rest[PARENTS[j]],
    })
}

/// The recording as a compressed `.npz` file.
///
/// # Errors
/// [`Error::Internal`](crate::error::Error::Internal) when the archive cannot be assembled.
pub fn encode(recording: &Recording) -> Result<Vec<u8>> {
    let poses = Poses::of(recording);
    let frames = poses.turns.len();
    let columns = |joints: std::ops::Range<usize>, width: usize| -> Vec<f64> {
        let row = |turns: &[Vector3<f64>; TURNS]| {
            let mut row = list(&turns[joints.clone()]);
            row.resize(width, 0.0);
            row
        };
        poses.turns.iter().flat_map(row).collect()
    };
    let mut npz = Arrays::new("smpl.npz");
    npz.add(
        "poses",
        &[frames, AMASS_WIDTH],
        &columns(0..TURNS, AMASS_WIDTH),
    )?;
    npz.add("root_orient", &[frames, 3], &columns(0..1, 3))?;
    let width = 3 * (TURNS - 1);
    npz.add("pose_body", &[frames, width], &columns(1..TURNS, width))?;
    npz.add("trans", &[frames, 3], &list(&poses.translations))?;
    npz.add("betas", &[BETAS], &[0.0; BETAS])?;
    npz.text("gender", "neutral")?;
    npz.number("mocap_framerate", recording.trajectory.fps)?;
    npz.number("mocap_frame_rate", recording.trajectory.fps)?;
    npz.add("rest_joints", &[COUNT, 3], &list(&poses.rest))?;
    npz.texts("joint_names", &NAMES)?;
    npz.finish()
}

/// The coordinates one after another.
pub(super) fn list(points: &[Vector3<f64>]) -> Vec<f64> {
    points.iter().flat_map(|p| [p.x, p.y, p.z]).collect()
}

/// From SMPL's axes (x left, y up, z forward) to those of our links (x forward, y left, z up).
fn link_axes() -> UnitQuaternion<f64> {
    let matrix = Matrix3::from_columns(&[Vector3::y(), Vector3::z(), Vector3::x()]);
    UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(matrix))
}

fn offset(joint: usize) -> Vector3<f64> {
    OFFSETS[joint].into()
}

/// The smallest rotation that brings one direction to another.
fn swing(from: Vector3<f64>, to: Vector3<f64>) -> UnitQuaternion<f64> {
    UnitQuaternion::rotation_between(&from, &to).unwrap_or_else(UnitQuaternion::identity)
}

/// SMPL's tree on a simulated body.
struct Skeleton {
    /// Our joints in the T-pose, in SMPL's axes, m.
    joints: Joints,
    /// The body's metre in those of the average skeleton.
    scale: f64,
    /// Of SMPL's joints, the link that they turn with.
    links: [usize; COUNT],
    /// Of SMPL's joints, from their frame to that of the link.
    align: [UnitQuaternion<f64>; COUNT],
}

impl Skeleton {
    fn of(body: &Body) -> Self {
        let rest = Pose {
            root: Default::default(),
            rotations: vec![UnitQuaternion::identity(); body.links.len()],
        };
        let joints = body.marker_positions(&body.forward_kinematics(&rest));
        let mut skeleton = Self {
            joints: joints.map(|joint| link_axes().inverse() * joint),
            scale: body.stature / STATURE,
            links: links(body),
            align: [UnitQuaternion::identity(); COUNT],
        };
        skeleton.align_bones();
        skeleton
    }

    /// Turns the frames of joints so that bones of SMPL's rest pose lie along ours.
    fn align_bones(&mut self) {
        let p = self.joints;
        for (joint, from, end) in BONES {
            let to = our_end(from);
            self.align[joint] = swing(offset(end), p[to] - p[from]);
        }
        let middle = (p[LEFT_HIP] + p[RIGHT_HIP]) / 2.0;
        self.align[0] = swing(abdomen(), p[SPINE] - middle);
        self.align[SPINE1] = self.align[0];
        self.align[SPINE3] = swing(trunk(), p[THORAX] - p[SPINE]);
        self.align[NECK1] = swing(neck(), p[NECK] - p[THORAX]);
        for (joint, like) in [(SPINE2, SPINE3), (13, SPINE3), (14, SPINE3), (SKULL, NECK1)] {
            self.align[joint] = self.align[like];
        }
        for (wrist, elbow) in [(20, 18), (21, 19), (22, 18), (23, 19)] {
            self.align[wrist] = self.align[elbow];
        }
    }

    /// The middle of the hips in the frame of SMPL's root joint.
    fn hips(&self) -> Vector3<f64> {
        self.scale * (offset(1) + offset(2)) / 2.0
    }

    /// The joints in SMPL's rest pose.
    fn rest(&self) -> [Vector3<f64>; COUNT] {
        let p = &self.joints;
        let mut at = [self.scale * offset(0); COUNT];
        let middle = at[0] + self.hips();
        let half = (p[LEFT_HIP] - p[RIGHT_HIP]).norm() / 2.0;
        at[1] = middle + half * Vector3::x();
        at[2] = middle - half * Vector3::x();
        let pelvis = (p[LEFT_HIP] + p[RIGHT_HIP]) / 2.0;
        at[SPINE1] = middle;
        at[SPINE2] = middle + (p[SPINE] - pelvis).norm() * abdomen().normalize();
        let trunk = (p[THORAX] - p[SPINE]).norm() * trunk().normalize();
        at[SPINE3] = at[SPINE2] + HIGH_SPINE * trunk;
        let thorax = at[SPINE2] + trunk;
        let across = |joint: usize| self.scale * offset(joint).x * Vector3::x();
        at[13] = thorax + across(13);
        at[14] = thorax + across(14);
        at[NECK1] = thorax;
        at[SKULL] = thorax + (p[NECK] - p[THORAX]).norm() * neck().normalize();
        let chest = self.align[SPINE3].inverse();
        at[16] = thorax + chest * (p[LEFT_SHOULDER] - p[THORAX]);
        at[17] = thorax + chest * (p[RIGHT_SHOULDER] - p[THORAX]);
        for (joint, from, end) in BONES {
            let length = (p[our_end(from)] - p[from]).norm();
            at[end] = at[joint] + length * offset(end).normalize();
        }
        for joint in [10, 11, 22, 23] {
            at[joint] = at[PARENTS[joint]] + self.scale * offset(joint);
        }
        at
    }

    /// World orientations of SMPL's joints in a frame with our joints at `p`, and where SMPL's root is;
    /// `rest` is that of the body.
    ///
    /// The engine leaves small gaps at the joints, which SMPL does not have: bones point at where
    /// their ends are, so that the gaps do not add up.
    fn orientations(
        &self,
        rest: &[Vector3<f64>; COUNT],
        p: &Joints,
        link: impl Fn(usize) -> UnitQuaternion<f64>,
    ) -> ([UnitQuaternion<f64>; COUNT], Vector3<f64>) {
        let mut world: [UnitQuaternion<f64>; COUNT] =
            std::array::from_fn(|j| link(self.links[j]) * link_axes() * self.align[j]);
        let middle = (p[LEFT_HIP] + p[RIGHT_HIP]) / 2.0;
        let root = middle - world[0] * self.hips();
        let mut at = [middle; COUNT];
        let bone = |joint: usize, end: usize| rest[end] - rest[joint];
        // Points `joint` at `target` and returns where `end` is then.
        let mut aim = |joint: usize, at: Vector3<f64>, end: usize, target: Vector3<f64>| {
            let turn = swing(world[joint] * bone(joint, end), target - at);
            world[joint] = turn * world[joint];
            at + world[joint] * bone(joint, end)
        };
        let spine = aim(SPINE1, middle, SPINE2, p[SPINE]);
        let thorax = aim(SPINE2, spine, NECK1, p[THORAX]);
        aim(NECK1, thorax, SKULL, p[NECK]);
        let (chest, head) = (world[SPINE2], world[NECK1]);
        world[SKULL] = head;
        for joint in [SPINE3, 13, 14] {
            world[joint] = chest;
        }
        (at[1], at[2]) = (p[LEFT_HIP], p[RIGHT_HIP]);
        at[16] = thorax + chest * bone(NECK1, 16);
        at[17] = thorax + chest * bone(NECK1, 17);
        for (joint, from, end) in BONES {
            let turn = swing(
                world[joint] * bone(joint, end),
                p[our_end(from)] - at[joint],
            );
            world[joint] = turn * world[joint];
            at[end] = at[joint] + world[joint] * bone(joint, end);
        }
        (world, root)
    }
}

/// Of our joints that a limb's bone begins at, the one where it ends.
fn our_end(from: usize) -> usize {
    from + 1 // Limbs go outwards in the working layout.
}

/// Of the average skeleton: from the middle of the hips to the lowest joint of the spine, from there to
/// the middle of the collars, and from there to the skull.
fn abdomen() -> Vector3<f64> {
    offset(SPINE1) - (offset(1) + offset(2)) / 2.0
}

fn trunk() -> Vector3<f64> {
    offset(SPINE2) + offset(SPINE3) + collars()
}

fn collars() -> Vector3<f64> {
    (offset(13) + offset(14)) / 2.0
}

fn neck() -> Vector3<f64> {
    offset(NECK1) + offset(SKULL) - collars()
}

/// Of SMPL's joints, the link that they turn with: that of the marker at the bone's end, or what it
/// hangs on where the joint at that end is the link's own.
fn links(body: &Body) -> [usize; COUNT] {
    let of = |joint: usize| body.markers[joint].link;
    let above = |joint: usize| body.links[of(joint)].parent.unwrap_or(0);
    let mut links = [of(PELVIS); COUNT];
    for (joint, from, _) in BONES {
        let is_upper = [LEFT_HIP, RIGHT_HIP, LEFT_SHOULDER, RIGHT_SHOULDER].contains(&from);
        links[joint] = match is_upper {
            true => above(our_end(from)),
            false => of(from),
        };
    }
    for (joint, end) in ENDS {
        links[joint] = of(end);
    }
    links[SPINE1] = above(SPINE);
    for joint in [SPINE2, SPINE3, 13, 14] {
        links[joint] = of(SPINE);
    }
    (links[NECK1], links[SKULL]) = (of(NECK), of(NECK));
    for joint in [10, 11, 22, 23] {
        links[joint] = links[PARENTS[joint]];
    }
    links
}

#[cfg(test)]
mod tests;
