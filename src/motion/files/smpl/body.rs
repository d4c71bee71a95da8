//! A body of SMPL's topology, of average proportions: where its 24 joints are in a pose.
//!
//! SMPL and SMPL-X tell poses as turns of the joints of a body whose shape is in a model file under a
//! licence of its own. This skeleton stands in for it. Its limbs and trunk were fitted to motion that
//! was published both as such turns and as measured joint positions (AIST++, CC BY 4.0;
//! tools/fit_smpl_skeleton.py); what the measured joints do not tell, hips, head and feet, is from the
//! literature.

use nalgebra::{Rotation3, Vector3};

use crate::motion::calibration;
use crate::motion::skeleton::{Layout, Turns};

/// Number of SMPL's joints.
pub const COUNT: usize = 24;

/// Number of joints whose turns move one of the 24: root and body without hands.
pub const TURNS: usize = 22;

/// Names of the joints.
pub const NAMES: [&str; COUNT] = [
    "pelvis",
    "left_hip",
    "right_hip",
    "spine1",
    "left_knee",
    "right_knee",
    "spine2",
    "left_ankle",
    "right_ankle",
    "spine3",
    "left_foot",
    "right_foot",
    "neck",
    "left_collar",
    "right_collar",
    "head",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hand",
    "right_hand",
];

/// Parent of every joint; the first has none. A parent comes before its children.
pub const PARENTS: [usize; COUNT] = [
    0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21,
];

/// From the parent to every joint in the rest pose (a T; x left, y up, z forward), m; of the first
/// joint, where it is in the frame of the body. Standing height: [`STATURE`].
///
/// Hips: 14 % of the distance of the anterior iliac spines inside them (Bell et al. 1990). Knees to
/// wrists, spine, collars: fitted. Neck and head: the seventh vertebra is 0.14 of the stature below the
/// vertex (de Leva 1996, table 4), the base of the skull somewhat more than half way. Feet: the ankle
/// is 0.039 of the stature above the floor, the foot 0.152 long (Winter 2009, fig. 4.1), of which 0.47
/// lie between ankle and ball. Hands: to the knuckles, 0.05 of the stature.
pub const OFFSETS: [[f64; 3]; COUNT] = [
    [0.0, -0.241, 0.028],
    [0.085, -0.081, -0.017],
    [-0.085, -0.081, -0.017],
    [0.0, 0.124, -0.027],
    [0.019, -0.397, -0.002],
    [-0.019, -0.397, -0.002],
    [0.0, 0.132, 0.009],
    [-0.019, -0.402, -0.032],
    [0.019, -0.402, -0.032],
    [0.0, 0.066, 0.004],
    [0.020, -0.040, 0.122],
    [-0.020, -0.040, 0.122],
    [0.0, 0.167, -0.022],
    [0.079, 0.107, -0.012],
    [-0.079, 0.107, -0.012],
    [0.0, 0.075, 0.030],
    [0.106, 0.048, -0.015],
    [-0.106, 0.048, -0.015],
    [0.270, -0.011, -0.030],
    [-0.270, -0.011, -0.030],
    [0.264, 0.009, -0.004],
    [-0.264, 0.009, -0.004],
    [0.085, 0.0, 0.0],
    [-0.085, 0.0, 0.0],
];

/// Standing height of this body by its bones, as [`stature`](crate::motion::calibration::stature)
/// measures it, m.
pub const STATURE: f64 = 1.73;

/// This body's offsets.
pub fn offsets() -> [Vector3<f64>; COUNT] {
    OFFSETS.map(Vector3::from)
}

/// Standing height of a body with such `offsets`, by its bones as those of a motion are measured, in their unit.
pub fn stature(offsets: &[Vector3<f64>; COUNT]) -> f64 {
    let joints = place(&[Rotation3::identity(); COUNT], offsets);
    let frame = Layout::Smpl24.convert(&joints);
    calibration::stature(&calibration::bone_lengths(&[frame.joints]))
}

/// The lowest joint of the spine.
pub const SPINE1: usize = 3;

/// Of the joints of the spine that of a body with such `offsets` which is nearest to the middle of its
/// trunk, from the hips to the collars: on the average body the lowest one.
pub fn spine(offsets: &[Vector3<f64>; COUNT]) -> usize {
    const SPINE: [usize; 3] = [SPINE1, 6, 9];
    let mut height = -(offsets[1] + offsets[2]).y / 2.0;
    let heights = SPINE.map(|joint| {
        height += offsets[joint].y;
        height
    });
    let middle = (height + (offsets[13] + offsets[14]).y / 2.0) / 2.0;
    let off_middle = |k: &usize| (heights[*k] - middle).abs();
    let nearest = (0..SPINE.len()).min_by(|a, b| off_middle(a).total_cmp(&off_middle(b)));
    nearest.map_or(SPINE1, |k| SPINE[k])
}

/// Of knees and elbows, in the order of [`HINGES`](crate::motion::skeleton::HINGES), the joint at the limb's beginning and
/// the axis about which flexion turns positively in the rest pose: shins go backward about the left, forearms forward
/// about the vertical.
const FLEXION: [(usize, Vector3<f64>); 4] = [
    (2, Vector3::new(1.0, 0.0, 0.0)),
    (1, Vector3::new(1.0, 0.0, 0.0)),
    (17, Vector3::new(0.0, 1.0, 0.0)),
    (16, Vector3::new(0.0, -1.0, 0.0)),
];

/// The joint that the head turns with.
const SKULL: usize = 15;

/// From the frames of all joints, which are parallel in the rest pose, to the world. `turns[j]` takes joint j's frame to
/// its parent's, as an axis times an angle in radians; the first one takes the body to the world.
pub fn orientations(turns: &[Vector3<f64>; TURNS]) -> [Rotation3<f64>; COUNT] {
    let mut world = [Rotation3::new(turns[0]); COUNT];
    for (joint, parent) in PARENTS.into_iter().enumerate().skip(1) {
        let turn = turns
            .get(joint)
            .map_or_else(Rotation3::identity, |turn| Rotation3::new(*turn));
        world[joint] = world[parent] * turn;
    }
    world
}

/// Where the joints of a body with such `offsets` are, in their unit and the axes of the world, relative to the
/// translation, with the orientations `world`; that of the root does not move the first joint itself.
pub fn place(
    world: &[Rotation3<f64>; COUNT],
    offsets: &[Vector3<f64>; COUNT],
) -> [Vector3<f64>; COUNT] {
    let mut joints = [offsets[0]; COUNT];
    for (joint, parent) in PARENTS.into_iter().enumerate().skip(1) {
        joints[joint] = joints[parent] + world[parent] * offsets[joint];
    }
    joints
}

/// How limbs and head are turned with the orientations `world`.
pub fn turns(world: &[Rotation3<f64>; COUNT]) -> Turns {
    Turns {
        hinges: FLEXION.map(|(joint, axis)| world[joint] * axis),
        facing: world[SKULL] * Vector3::z(),
    }
}

/// Where the joints are by `turns`, as [`orientations`] and [`place`] have it.
pub fn pose(
    turns: &[Vector3<f64>; TURNS],
    offsets: &[Vector3<f64>; COUNT],
) -> [Vector3<f64>; COUNT] {
    place(&orientations(turns), offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_in_a_t_of_the_stature_it_says() {
        let joints = pose(&[Vector3::zeros(); TURNS], &offsets());
        for (left, right) in [
            (1, 2),
            (4, 5),
            (7, 8),
            (10, 11),
            (16, 17),
            (18, 19),
            (20, 21),
        ] {
            let mirrored = joints[left].component_mul(&Vector3::new(-1.0, 1.0, 1.0));
            assert!((mirrored - joints[right]).norm() < 1e-12);
        }
        assert!((joints[20].y - joints[16].y).abs() < 0.05, "arms are level");
        let stature = stature(&offsets());
        assert!((stature - STATURE).abs() < 0.005, "{stature}");
    }

    #[test]
    fn turns_move_what_is_below_them_and_the_root_stays() {
        let mut turns = [Vector3::zeros(); TURNS];
        turns[0] = Vector3::new(0.0, std::f64::consts::FRAC_PI_2, 0.0);
        let (rest, turned) = (
            pose(&[Vector3::zeros(); TURNS], &offsets()),
            pose(&turns, &offsets()),
        );
        assert_eq!(rest[0], turned[0]);
        // A quarter turn to the left about y takes left (x) to where backward (−z) was.
        let (a, b) = (rest[20] - rest[0], turned[20] - turned[0]);
        assert!((b - Vector3::new(a.z, a.y, -a.x)).norm() < 1e-12);
        // The elbow bends forward: the wrist alone moves.
        let mut turns = [Vector3::zeros(); TURNS];
        turns[18] = Vector3::new(0.0, -std::f64::consts::FRAC_PI_2, 0.0);
        let bent = pose(&turns, &offsets());
        assert_eq!(bent[18], rest[18]);
        assert!((bent[20] - bent[18] - Vector3::new(0.004, 0.009, 0.264)).norm() < 1e-12);
    }

    #[test]
    fn the_spine_joint_is_the_one_in_the_middle() {
        assert_eq!(spine(&offsets()), SPINE1);
        let mut low = offsets();
        low[SPINE1] = Vector3::zeros();
        low[6].y = 0.22;
        assert_eq!(spine(&low), 6);
    }

    #[test]
    fn not_a_number_is_missing_downwards_only() {
        let mut turns = [Vector3::zeros(); TURNS];
        turns[16] = Vector3::repeat(f64::NAN);
        let joints = pose(&turns, &offsets());
        assert!(joints[18].x.is_nan() && joints[16].x.is_finite() && joints[21].x.is_finite());
    }
}
