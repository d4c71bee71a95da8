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
use crate::motion::calibration::stance;
use crate::motion::skeleton::ANKLES;
use crate::motion::{Joints, Motion};

/// How strongly the suggested hinge axis enters against the seen one, as the sine of a bend angle.
const HINGE_PRIOR: f64 = 0.15;

/// Horizontal speeds of heel or ball between which a touching foot turns into a swinging one, m/s.
const DRAG_SPEED: [f64; 2] = [0.15, 0.6];
/// Height over the ground that a swinging foot keeps, m.
const CLEARANCE: f64 = 0.025;

/// Speeds of an ankle between which a foot stops carrying the body, m/s.
const CARRYING_SPEED: [f64; 2] = [0.6, 1.2];
/// Time before and after for which it must be slow, s.
const CARRYING_TIME: f64 = 0.15;
/// Heights of the ankle between which the ball is no more taken to reach down to the ground, as shares
/// of the distance between the two.
const TIPTOE_HEIGHT: [f64; 2] = [0.8, 1.0];
/// Height of an ankle over the other at which it is hardly the one that carries (e⁻¹), m.
const LIFTED_HEIGHT: f64 = 0.04;

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

/// Turns the foot about its own y axis so that it points at the toe when that is known, else so
/// that heel and ball stay above the ground; then smooths the pitch over time.
fn place_feet(
    body: &Body,
    motion: &Motion,
    frames: &mut [[Matrix3<f64>; 14]],
    (foot, carrying): (usize, &[f64]),
    toes: Option<Vec<Vector3<f64>>>,
) {
    let Some(sole) = sole(body, foot) else { return };
    let ankles: Vec<Vector3<f64>> = motion
        .joints
        .iter()
        .map(|p| p[if foot == 6 { 3 } else { 6 }])
        .collect();
    let forward: Vec<Vector3<f64>> = match &toes {
        Some(toes) => toes
            .iter()
            .zip(&ankles)
            .map(|(toe, ankle)| toe - ankle)
            .collect(),
        None => frames
            .iter()
            .map(|frame| frame[foot - 1].column(0).into())
            .collect(),
    };
    let flat = |v: &Vector3<f64>| Vector3::new(v.x, v.y, 0.0).try_normalize(1e-3);
    let headings = smooth_vectors(
        forward
            .iter()
            .map(|v| flat(v).unwrap_or_default())
            .collect(),
    );
    let headings: Vec<Vector3<f64>> = headings
        .iter()
        .map(|v| v.try_normalize(1e-6).unwrap_or_else(Vector3::x))
        .collect();
    let pitches = match &toes {
        Some(_) => toe_pitches(&forward, &sole),
        None => inferred_pitches([&forward, &ankles, &headings], carrying, &sole, motion.fps),
    };
    for (frame, (heading, pitch)) in frames.iter_mut().zip(headings.iter().zip(smooth(&pitches))) {
        frame[foot] = foot_frame(heading, pitch);
    }
}

/// A foot that points along `heading`, turned toe-down by `pitch`.
fn foot_frame(heading: &Vector3<f64>, pitch: f64) -> Matrix3<f64> {
    let flat = Matrix3::from_columns(&[*heading, Vector3::z().cross(heading), Vector3::z()]);
    flat * Rotation3::from_axis_angle(&Vector3::y_axis(), pitch).matrix()
}

/// Pitches that point the foot at the toe base, which on a flat foot lies half as high as the
/// ankle.
fn toe_pitches(forward: &[Vector3<f64>], sole: &Sole) -> Vec<f64> {
    let ankle_height = sole.radius - sole.ends[0].z;
    let down = |depth: f64, v: &Vector3<f64>| (depth / v.norm().max(1e-9)).clamp(-1.0, 1.0).asin();
    forward
        .iter()
        .map(|v| down(-v.z, v) - down(0.5 * ankle_height, v))
        .collect()
}

/// How much each foot `[right, left]` has to carry the body, 0 to 1 per frame: it is slow, and the
/// other is not lower, nor flat on the ground and at rest.
fn carrying(motion: &Motion) -> [Vec<f64>; 2] {
    let ankle = |foot: usize, t: usize| motion.joints[t][ANKLES[foot]];
    let stands = stance(&motion.joints);
    let speed = |foot: usize, t: usize| {
        let (a, b) = (t.saturating_sub(1), (t + 1).min(motion.len() - 1));
        let way = ankle(foot, b) - ankle(foot, a);
        way.norm() * motion.fps / (b - a).max(1) as f64
    };
    let speeds: [Vec<f64>; 2] =
        [0, 1].map(|foot| (0..motion.len()).map(|t| speed(foot, t)).collect());
    // Slow for a while: at the height of a hop both feet are slow for a moment.
    let around = (CARRYING_TIME * motion.fps).round() as usize;
    let slow = |foot: usize, t: usize| {
        let near = &speeds[foot][t.saturating_sub(around)..(t + around + 1).min(motion.len())];
        1.0 - smooth_step(near.iter().copied().fold(0.0, f64::max), CARRYING_SPEED)
    };
    let share = |foot: usize, t: usize| {
        let other_stands = slow(1 - foot, t) * stands[t][1 - foot];
        let lifted = (ankle(foot, t).z - ankle(1 - foot, t).z).max(0.0);
        let lower = (-(lifted / LIFTED_HEIGHT).powi(2)).exp();
        slow(foot, t) * (1.0 - other_stands) * lower
    };
    std::array::from_fn(|foot| (0..motion.len()).map(|t| share(foot, t)).collect())
}

/// Pitches nearest to a right angle between shin and foot that keep heel and ball above the
/// ground, and clear of it where they would be dragged along; the ball of a foot that is `carrying`
/// is on the ground.
fn inferred_pitches(
    [forward, ankles, headings]: [&[Vector3<f64>]; 3],
    carrying: &[f64],
    sole: &Sole,
    fps: f64,
) -> Vec<f64> {
    let limited = |t: usize, clearance: [f64; 2]| {
        let neutral = (-forward[t].z / forward[t].norm().max(1e-9))
            .clamp(-1.0, 1.0)
            .asin();
        let [heel, ball] =
            [0, 1].map(|end| steepest(sole.ends[end], ankles[t].z - sole.radius - clearance[end]));
        neutral.clamp(-heel, ball)
    };
    let touching: Vec<f64> = (0..ankles.len()).map(|t| limited(t, [0.0; 2])).collect();
    let speed = |end: usize, t: usize| {
        let (a, b) = (t.saturating_sub(1), (t + 1).min(ankles.len() - 1));
        let at = |t: usize| ankles[t] + foot_frame(&headings[t], touching[t]) * sole.ends[end];
        (at(b) - at(a)).xy().norm() * fps / (b - a).max(1) as f64
    };
    (0..ankles.len())
        .map(|t| {
            let clearance = [0, 1].map(|end| CLEARANCE * smooth_step(speed(end, t), DRAG_SPEED));
            let pitch = limited(t, clearance);
            let height = ankles[t].z - sole.radius;
            let down = steepest(sole.ends[1], height);
            let reach = sole.ends[1].x.hypot(sole.ends[1].z);
            let share = carrying[t] * (1.0 - smooth_step(height / reach, TIPTOE_HEIGHT));
            pitch + share * (down - pitch).max(0.0)
        })
        .collect()
}

/// Where a foot may touch the ground, in its frame, m.
struct Sole {
    /// Centres of the contact spheres at heel and ball, brought to the middle of the foot.
    ends: [Vector3<f64>; 2],
    /// Radius of the spheres.
    radius: f64,
}

fn sole(body: &Body, foot: usize) -> Option<Sole> {
    let spheres = body.links[foot].contact_spheres();
    let (_, radius) = *spheres.first()?;
    let x = |(center, _): &(Vector3<f64>, f64)| center.x;
    let heel = spheres.iter().min_by(|a, b| x(a).total_cmp(&x(b)))?.0;
    let ball = spheres.iter().max_by(|a, b| x(a).total_cmp(&x(b)))?.0;
    Some(Sole {
        ends: [heel, ball].map(|v| Vector3::new(v.x, 0.0, v.z)),
        radius,
    })
}

/// The largest pitch, rad, at which `point` of the foot stays above the plane that is `height`
/// below the ankle.
fn steepest(point: Vector3<f64>, height: f64) -> f64 {
    let reach = point.x.hypot(point.z);
    let slope = (-point.z / reach).asin();
    ((height / reach).clamp(-1.0, 1.0).asin() - slope).max(0.0)
}

/// From 0 at the first of `between` to 1 at the second, without a kink.
fn smooth_step(value: f64, between: [f64; 2]) -> f64 {
    let share = ((value - between[0]) / (between[1] - between[0])).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}

/// Binomial smoothing over five frames.
fn smooth(values: &[f64]) -> Vec<f64> {
    let at = |t: isize| values[t.clamp(0, values.len() as isize - 1) as usize];
    (0..values.len() as isize)
        .map(|t| (at(t - 2) + 4.0 * at(t - 1) + 6.0 * at(t) + 4.0 * at(t + 1) + at(t + 2)) / 16.0)
        .collect()
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
