use super::*;
use crate::body::{Subject, fit};
use crate::motion::JOINTS;
use crate::motion::contact::smooth_step;
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
    let poses = reference_poses(&body, motion).unwrap();
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
            height.abs() < 0.005 && pointing > 5.0,
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
    let expected = reference_poses(&body, &whole).unwrap();
    let mut motion = whole;
    motion.joints[20][RIGHT_WRIST] = motion.joints[20][RIGHT_ELBOW];
    motion.joints[40] = [Vector3::zeros(); JOINTS];
    motion.joints[60][1] = motion.joints[60][4];
    let poses = reference_poses(&body, &motion).unwrap();
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
        assert!(height > 0.025 && pointing < 7.0, "{height} {pointing}");
    }
}
