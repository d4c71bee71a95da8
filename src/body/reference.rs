//! Reference poses by inverse kinematics: what the body would look like if it only had to be
//! where the joints were seen.
//!
//! Seventeen joints fix every direction but not every rotation about a bone. What they leave open
//! is inferred:
//! * upper arm and thigh turn so that elbow and knee bend about their hinge; where the limb is
//!   almost straight the hinge axis fades into the one the trunk suggests;
//! * the abdomen does not twist against the pelvis, the head does not turn against the thorax;
//! * the foot points along the knee's plane, at a right angle to the shin, but neither heel nor
//!   ball may be below the ground: a low ankle makes the foot flat, a rising one rolls it over
//!   the ball. A foot that has to carry the body, because the other is in the air or on its way,
//!   reaches the ground with its ball: who stands on the toes has the ankles high over it.

use nalgebra::{Isometry3, Matrix3, Rotation3, Translation3, UnitQuaternion, Vector3};

use super::{Body, Pose};
use crate::motion::{Joints, Motion};

use feet::{carrying, place_feet};

mod feet;

/// How strongly the suggested hinge axis enters against the seen one, as the sine of a bend angle.
const HINGE_PRIOR: f64 = 0.15;

/// Length up to which a vector has no direction, m: two joints in one place.
const NO_LENGTH: f64 = 1e-9;

/// Rotation whose columns are x, y, z of a frame with z along `z` and y as close to `y_hint` as
/// that allows. A vector without direction leaves to the world's axes what it should fix.
pub(super) fn frame_from(z: Vector3<f64>, y_hint: Vector3<f64>) -> Matrix3<f64> {
    let z = z.try_normalize(NO_LENGTH).unwrap_or_else(Vector3::z);
    let x = across(y_hint.cross(&z), &z);
    Matrix3::from_columns(&[x, z.cross(&x), z])
}

/// The direction of `vector`, which is at a right angle to the unit vector `axis`; where it has none,
/// that of the world's axis farthest from `axis`, brought to a right angle.
fn across(vector: Vector3<f64>, axis: &Vector3<f64>) -> Vector3<f64> {
    vector.try_normalize(NO_LENGTH).unwrap_or_else(|| {
        let farthest: Vector3<f64> = Vector3::ith(axis.iamin(), 1.0);
        (farthest - axis * axis.dot(&farthest)).normalize()
    })
}

/// `vector`, or `other` where it has no direction.
fn directed(vector: Vector3<f64>, other: Vector3<f64>) -> Vector3<f64> {
    match vector.norm() > NO_LENGTH {
        true => vector,
        false => other,
    }
}

/// Poses of `body` that follow `motion`, one per frame.
pub fn reference_poses(body: &Body, motion: &Motion) -> Vec<Pose> {
    let hinges: [Vec<Vector3<f64>>; 4] =
        LIMBS.map(|limb| smooth_vectors(motion.joints.iter().map(|p| limb.hinge(p)).collect()));
    let mut frames: Vec<[Matrix3<f64>; 14]> = motion
        .joints
        .iter()
        .enumerate()
        .map(|(t, p)| link_frames(p, std::array::from_fn(|limb| hinges[limb][t])))
        .collect();
    let carrying = carrying(motion);
    for (foot, toe) in [(6, 0), (9, 1)] {
        let toes = motion
            .toes
            .as_ref()
            .map(|toes| toes.iter().map(|pair| pair[toe]).collect());
        place_feet(body, motion, &mut frames, (foot, &carrying[toe]), toes);
    }
    frames
        .iter()
        .zip(&motion.joints)
        .map(|(frames, p)| pose(body, frames, p[0]))
        .collect()
}

fn pose(body: &Body, frames: &[Matrix3<f64>; 14], root: Vector3<f64>) -> Pose {
    let world =
        frames.map(|m| UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(m)));
    let rotation = |i: usize, parent: Option<usize>| match parent {
        None => UnitQuaternion::identity(),
        Some(parent) => world[parent].inverse() * world[i],
    };
    Pose {
        root: Isometry3::from_parts(Translation3::from(root), world[0]),
        rotations: body
            .links
            .iter()
            .enumerate()
            .map(|(i, link)| rotation(i, link.parent))
            .collect(),
    }
}

/// A limb of two segments with a hinge between them.
#[derive(Clone, Copy)]
struct Limb {
    /// Its three joints, from the trunk outwards.
    joints: [usize; 3],
    /// Direction of the upper segment in the T-pose.
    axis: Vector3<f64>,
    /// Hinge axis in the T-pose: flexion turns positively about it.
    hinge: Vector3<f64>,
    /// Whether it hangs on the thorax rather than on the pelvis.
    on_thorax: bool,
}

const LIMBS: [Limb; 4] = [
    Limb {
        joints: [1, 2, 3],
        axis: Vector3::new(0.0, 0.0, -1.0),
        hinge: Vector3::new(0.0, 1.0, 0.0),
        on_thorax: false,
    },
    Limb {
        joints: [4, 5, 6],
        axis: Vector3::new(0.0, 0.0, -1.0),
        hinge: Vector3::new(0.0, 1.0, 0.0),
        on_thorax: false,
    },
    Limb {
        joints: [11, 12, 13],
        axis: Vector3::new(0.0, 1.0, 0.0),
        hinge: Vector3::new(0.0, 0.0, -1.0),
        on_thorax: true,
    },
    Limb {
        joints: [14, 15, 16],
        axis: Vector3::new(0.0, -1.0, 0.0),
        hinge: Vector3::new(0.0, 0.0, 1.0),
        on_thorax: true,
    },
];

impl Limb {
    /// Frame of the trunk carried along by the smallest rotation onto the upper segment.
    fn carried(&self, p: &Joints) -> Matrix3<f64> {
        let trunk = if self.on_thorax { thorax(p) } else { pelvis(p) };
        swing(&trunk, p[self.joints[1]] - p[self.joints[0]], self.axis)
    }

    /// The hinge seen in the carried frame: its length is the sine of the bend, plus the prior. Only
    /// the prior where a segment has no length.
    fn hinge(&self, p: &Joints) -> Vector3<f64> {
        let [a, b, c] = self.joints.map(|j| p[j]);
        let direction = |v: Vector3<f64>| v.try_normalize(NO_LENGTH).unwrap_or_default();
        let bend = direction(b - a).cross(&direction(c - b));
        self.carried(p).transpose() * bend + HINGE_PRIOR * self.hinge
    }
}

/// Frame of the pelvis: y from the right to the left hip, z up to the spine joint (7).
fn pelvis(p: &Joints) -> Matrix3<f64> {
    let left = directed(p[4] - p[1], p[11] - p[14]);
    frame_from_y(left, directed(p[7] - p[0], p[8] - p[7]))
}

/// Frame of the thorax: z from the spine joint (7) to the thorax joint (8), y left.
pub(super) fn thorax(p: &Joints) -> Matrix3<f64> {
    let up = directed(p[8] - p[7], p[7] - p[0]);
    frame_from(up, directed(p[11] - p[14], p[4] - p[1]))
}

/// World orientation of every link, feet at a right angle to the shin for now; `hinges` are those
/// of [`LIMBS`] in their carried frames.
fn link_frames(p: &Joints, hinges: [Vector3<f64>; 4]) -> [Matrix3<f64>; 14] {
    let (pelvis, thorax) = (pelvis(p), thorax(p));
    let abdomen = swing(&pelvis, p[7] - p[0], Vector3::z());
    let head = swing(&thorax, p[10] - p[8], Vector3::z());
    let [right_leg, left_leg, left_arm, right_arm] = std::array::from_fn(|i| {
        let limb = LIMBS[i];
        let carried = limb.carried(p);
        let hinge = carried * hinges[i];
        let [a, b, c] = limb.joints.map(|j| p[j]);
        // A segment without length goes on in the direction of the one before it.
        let upper = directed(b - a, carried * limb.axis);
        let lower = directed(c - b, upper);
        [upper, lower].map(|bone| match limb.on_thorax {
            false => frame_from(-bone, hinge),
            true => frame_from_y(limb.axis.y * bone, limb.hinge.z * hinge),
        })
    });
    let [rthigh, rshin] = right_leg;
    let [lthigh, lshin] = left_leg;
    let [larm, lforearm] = left_arm;
    let [rarm, rforearm] = right_arm;
    [
        pelvis, abdomen, thorax, head, rthigh, rshin, rshin, lthigh, lshin, lshin, larm, lforearm,
        rarm, rforearm,
    ]
}

/// Frame with y along `y` and z as close to `z_hint` as that allows, as [`frame_from`].
fn frame_from_y(y: Vector3<f64>, z_hint: Vector3<f64>) -> Matrix3<f64> {
    let y = y.try_normalize(NO_LENGTH).unwrap_or_else(Vector3::y);
    let x = across(y.cross(&z_hint), &y);
    Matrix3::from_columns(&[x, y, x.cross(&y)])
}

/// `parent` turned by the smallest rotation that points its `axis` along `direction`.
fn swing(parent: &Matrix3<f64>, direction: Vector3<f64>, axis: Vector3<f64>) -> Matrix3<f64> {
    let from = parent * axis;
    // Of vectors that are all but parallel, the cosine may be rounded to more than 1: no angle.
    let rotation = Rotation3::rotation_between(&from, &direction)
        .filter(|rotation| rotation.matrix().iter().all(|x| x.is_finite()))
        .unwrap_or_else(Rotation3::identity);
    rotation.matrix() * parent
}

/// Mean over ±4 frames.
fn smooth_vectors(vectors: Vec<Vector3<f64>>) -> Vec<Vector3<f64>> {
    (0..vectors.len())
        .map(|t| {
            let range = t.saturating_sub(4)..(t + 5).min(vectors.len());
            let count = range.len() as f64;
            vectors[range].iter().sum::<Vector3<f64>>() / count
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::feet::smooth_step;
    use super::*;
    use crate::body::{Subject, fit};
    use crate::motion::JOINTS;
    use crate::motion::sample;
    use crate::motion::skeleton::{RIGHT_ANKLE, RIGHT_ELBOW, RIGHT_KNEE, RIGHT_WRIST};

    /// The first frame of the squat, standing, each joint moved by `shift` m from frame 30 to 50.
    fn standing(shift: impl Fn(usize) -> Vector3<f64>) -> Motion {
        let squat = sample("squat").unwrap();
        let frame = |t: usize| {
            let share = smooth_step(t as f64, [30.0, 50.0]);
            let mut joints = squat.joints[0];
            for (j, point) in joints.iter_mut().enumerate() {
                *point += share * shift(j);
            }
            joints
        };
        Motion {
            joints: (0..80).map(frame).collect(),
            ..squat
        }
    }

    /// Of the right and the left foot in frame `t`: the height of its lowest point, m, and how far it
    /// points down from a right angle to the shin, degrees.
    fn feet(motion: &Motion, t: usize) -> [(f64, f64); 2] {
        let body = fit(motion, &Subject::default()).unwrap();
        let poses = reference_poses(&body, motion);
        let links = body.forward_kinematics(&poses[t]);
        [6, 9].map(|foot| {
            let spheres = body.links[foot].contact_spheres().into_iter();
            let heights = spheres.map(|(c, r)| links[foot].transform_point(&c.into()).z - r);
            let along = links[foot].rotation * Vector3::x();
            let up = links[foot - 1].rotation * Vector3::z();
            let pointing = (-along.dot(&up)).asin().to_degrees();
            (heights.fold(f64::INFINITY, f64::min), pointing)
        })
    }

    #[test]
    fn who_stands_on_the_toes_reaches_the_ground_with_the_balls() {
        for (height, pointing) in feet(&standing(|_| 0.05 * Vector3::z()), 79) {
            assert!(
                height.abs() < 0.005 && pointing > 10.0,
                "{height} {pointing}"
            );
        }
        for (height, _) in feet(&standing(|_| Vector3::zeros()), 79) {
            assert!(height.abs() < 0.005, "{height}");
        }
    }

    #[test]
    fn joints_in_one_place_leave_a_pose() {
        let whole = standing(|_| Vector3::zeros());
        let body = fit(&whole, &Subject::default()).unwrap();
        let expected = reference_poses(&body, &whole);
        let mut motion = whole;
        motion.joints[20][RIGHT_WRIST] = motion.joints[20][RIGHT_ELBOW];
        motion.joints[40] = [Vector3::zeros(); JOINTS];
        motion.joints[60][1] = motion.joints[60][4];
        let poses = reference_poses(&body, &motion);
        for pose in &poses {
            let rotations = pose.rotations.iter().flat_map(|q| q.coords.iter());
            let root = pose.root.rotation.coords.iter();
            assert!(root.chain(rotations).all(|x| x.is_finite()), "{pose:?}");
        }
        // The forearm goes on from the upper arm; the other side does not notice.
        assert!(poses[20].rotations[13].angle() < 1e-6);
        assert_eq!(poses[20].rotations[11], expected[20].rotations[11]);
    }

    #[test]
    fn all_but_parallel_vectors_have_a_smallest_rotation() {
        for k in 0..1000 {
            let k = f64::from(k);
            let parent = Rotation3::from_euler_angles(k, 2.0 * k, 3.0 * k).into_inner();
            let along = parent * Vector3::new(0.0, 0.0, 0.3) + Vector3::new(1e-10, 0.0, 0.0);
            let turned = swing(&parent, along, Vector3::z());
            assert!((turned - parent).norm() < 1e-7, "{turned}");
        }
    }

    #[test]
    fn a_lifted_foot_stays_in_the_air() {
        // The right thigh swings forward, which lifts knee and ankle by 5 to 6 cm.
        let shift = |j: usize| match j {
            RIGHT_KNEE | RIGHT_ANKLE => Vector3::new(0.22, 0.0, 0.06),
            _ => Vector3::zeros(),
        };
        let [right, left] = feet(&standing(shift), 79);
        assert!(right.0 > 0.02 && left.0.abs() < 0.01, "{right:?} {left:?}");
    }

    #[test]
    fn in_the_air_feet_are_at_a_right_angle_to_the_shin() {
        for (height, pointing) in feet(&standing(|_| 0.3 * Vector3::z()), 79) {
            assert!(height > 0.2 && pointing.abs() < 0.1, "{height} {pointing}");
        }
        // A hop by 8 cm, at whose height the feet are at rest for a moment.
        let mut motion = standing(|_| Vector3::zeros());
        for (t, frame) in motion.joints.iter_mut().enumerate() {
            let since = (t as f64 - 40.0) / 50.0;
            let height = (0.08 - 0.5 * 9.81 * since * since).max(0.0);
            frame.iter_mut().for_each(|p| p.z += height);
        }
        for (height, pointing) in feet(&motion, 40) {
            assert!(height > 0.04 && pointing < 5.0, "{height} {pointing}");
        }
    }
}
