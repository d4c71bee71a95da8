//! The figure that performs: a skeleton in standard proportions, posed by its feet and its trunk.

use nalgebra::{UnitQuaternion, Vector3};

use crate::motion::Joints;
use crate::motion::skeleton::*;

/// Segment lengths over stature. Limbs and trunk: de Leva (1996), table 4, joint centres of the male
/// mean (1.741 m); widths, neck and head: means of adult motion-capture skeletons.
const THIGH: f64 = 0.2425;
const SHIN: f64 = 0.2529;
const TRUNK: f64 = 0.2961;
const SPINE_SHARE: f64 = 0.48;
const NECK_LENGTH: f64 = 0.070;
const HEAD_LENGTH: f64 = 0.055;
const UPPER_ARM: f64 = 0.1618;
const FOREARM: f64 = 0.1545;
const HALF_HIPS: f64 = 0.052;
const HALF_SHOULDERS: f64 = 0.110;

/// The foot over stature: height of the ankle above the sole, and how far heel and ball lie behind
/// and before it.
const ANKLE_HEIGHT: f64 = 0.045;
const HEEL: f64 = 0.030;
const BALL: f64 = 0.075;

/// Mass fractions of the segments between two joints, and where their centre of mass lies between
/// them (de Leva 1996, male; the hand goes with the forearm, the foot sits at the ankle).
const SEGMENTS: [(usize, usize, f64, f64); 12] = [
    (NECK, HEAD, 0.0694, 0.5),
    (THORAX, PELVIS, 0.4346, 0.5138),
    (LEFT_SHOULDER, LEFT_ELBOW, 0.0271, 0.5772),
    (RIGHT_SHOULDER, RIGHT_ELBOW, 0.0271, 0.5772),
    (LEFT_ELBOW, LEFT_WRIST, 0.0223, 0.62),
    (RIGHT_ELBOW, RIGHT_WRIST, 0.0223, 0.62),
    (LEFT_HIP, LEFT_KNEE, 0.1416, 0.4095),
    (RIGHT_HIP, RIGHT_KNEE, 0.1416, 0.4095),
    (LEFT_KNEE, LEFT_ANKLE, 0.0433, 0.4459),
    (RIGHT_KNEE, RIGHT_ANKLE, 0.0433, 0.4459),
    (LEFT_ANKLE, LEFT_ANKLE, 0.0137, 0.0),
    (RIGHT_ANKLE, RIGHT_ANKLE, 0.0137, 0.0),
];

/// A figure of standard proportions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Standing height, m.
    pub stature: f64,
}

/// What a figure does in one frame: everything but where its pelvis is. Pairs are `[right, left]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posture {
    /// Orientation of the pelvis (x forward, y left, z up).
    pub pelvis: UnitQuaternion<f64>,
    /// Orientation of the trunk.
    pub trunk: UnitQuaternion<f64>,
    /// Positions of the ankles, m.
    pub ankles: [Vector3<f64>; 2],
    /// Directions of the feet about z, rad; the knees point half way between them and the pelvis.
    pub headings: [f64; 2],
    /// Flexion of the shoulders (the arm goes forward), rad.
    pub shoulders: [f64; 2],
    /// Flexion of the elbows, rad.
    pub elbows: [f64; 2],
}

impl Figure {
    /// Where the ankle of a foot is whose sole would lie flat under the point `(x, y, 0)`, after
    /// rocking by `pitch` (rad): about the heel for a positive one (toes up), about the ball of the
    /// foot for a negative one (heel up).
    pub fn ankle(&self, sole: Vector3<f64>, heading: f64, pitch: f64) -> Vector3<f64> {
        let pivot = self.stature * if pitch > 0.0 { -HEEL } else { BALL };
        let (sin, cos) = pitch.sin_cos();
        let (x, z) = (-pivot, self.stature * ANKLE_HEIGHT);
        let along = pivot + x * cos - z * sin;
        sole + Vector3::new(
            along * heading.cos(),
            along * heading.sin(),
            x * sin + z * cos,
        )
    }

    /// The ball of a foot that lies flat under `sole`.
    pub fn ball(&self, sole: Vector3<f64>, heading: f64) -> Vector3<f64> {
        sole + Vector3::new(heading.cos(), heading.sin(), 0.0) * (BALL * self.stature)
    }

    /// Position of the ankle relative to the hip, in the sagittal plane (x forward, z up), for a
    /// thigh `hip` rad before the vertical and a knee flexed by `knee` rad.
    pub fn hip_to_ankle(&self, hip: f64, knee: f64) -> Vector3<f64> {
        let shin = hip - knee;
        Vector3::new(
            THIGH * hip.sin() + SHIN * shin.sin(),
            0.0,
            -THIGH * hip.cos() - SHIN * shin.cos(),
        ) * self.stature
    }

    /// Joints of a figure whose pelvis is at `pelvis`.
    ///
    /// A leg that is too short for its ankle is stretched; [`reach`](Self::reach) tells.
    pub fn joints(&self, pelvis: Vector3<f64>, posture: &Posture) -> Joints {
        let h = self.stature;
        let mut joints = [pelvis; 17];
        for (side, (hip, sign)) in [(RIGHT_HIP, -1.0), (LEFT_HIP, 1.0)].into_iter().enumerate() {
            joints[hip] = pelvis + posture.pelvis * Vector3::new(0.0, sign * HALF_HIPS * h, 0.0);
            joints[hip + 2] = posture.ankles[side];
            let heading = posture.headings[side];
            let foot = Vector3::new(heading.cos(), heading.sin(), 0.0);
            let forward = foot + posture.pelvis * Vector3::x();
            joints[hip + 1] = self.knee(joints[hip], joints[hip + 2], forward);
        }
        let up = posture.trunk * Vector3::z() * h;
        let lower = posture.pelvis.slerp(&posture.trunk, 0.5) * Vector3::z() * h;
        joints[SPINE] = pelvis + lower * (TRUNK * SPINE_SHARE);
        joints[THORAX] = joints[SPINE] + up * (TRUNK * (1.0 - SPINE_SHARE));
        joints[NECK] = joints[THORAX] + up * NECK_LENGTH;
        joints[HEAD] = joints[NECK] + up * HEAD_LENGTH;
        let arms = [(RIGHT_SHOULDER, -1.0), (LEFT_SHOULDER, 1.0)];
        for (side, (shoulder, sign)) in arms.into_iter().enumerate() {
            let (upper, elbow) = (posture.shoulders[side], posture.elbows[side]);
            let direction = |angle: f64| {
                // The arms hang a little outwards.
                posture.trunk * Vector3::new(angle.sin(), sign * 0.12, -angle.cos()).normalize() * h
            };
            joints[shoulder] =
                joints[THORAX] + posture.trunk * Vector3::new(0.0, sign * HALF_SHOULDERS * h, 0.0);
            joints[shoulder + 1] = joints[shoulder] + direction(upper) * UPPER_ARM;
            joints[shoulder + 2] = joints[shoulder + 1] + direction(upper + elbow) * FOREARM;
        }
        joints
    }

    /// The knee between `hip` and `ankle`, on the side of `forward`.
    fn knee(&self, hip: Vector3<f64>, ankle: Vector3<f64>, forward: Vector3<f64>) -> Vector3<f64> {
        let (thigh, shin) = (THIGH * self.stature, SHIN * self.stature);
        let leg = ankle - hip;
        let distance = leg.norm();
        let axis = leg / distance;
        let along = (thigh * thigh - shin * shin + distance * distance) / (2.0 * distance);
        let out = (forward - axis * forward.dot(&axis)).normalize();
        hip + axis * along + out * (thigh * thigh - along * along).max(0.0).sqrt()
    }

    /// Distance of hip and ankle over the length of the leg, of the leg that is straighter.
    pub fn reach(&self, joints: &Joints) -> f64 {
        let leg = |hip: usize| (joints[hip + 2] - joints[hip]).norm();
        leg(RIGHT_HIP).max(leg(LEFT_HIP)) / ((THIGH + SHIN) * self.stature)
    }

    /// Joints of a figure whose centre of mass is at `center`.
    pub fn balanced(&self, center: Vector3<f64>, posture: &Posture) -> Joints {
        let mut pelvis = center;
        // Legs and arms follow the pelvis only in part, so the step is short and the error shrinks
        // by a factor of about five each time.
        for _ in 0..20 {
            pelvis += center - center_of_mass(&self.joints(pelvis, posture));
        }
        self.joints(pelvis, posture)
    }

    /// The greatest height of the centre of mass above `center.xy()` at which no leg reaches
    /// further than `reach`.
    pub fn tallest(&self, center: Vector3<f64>, posture: &Posture, reach: f64) -> f64 {
        let floor = posture.ankles[0].z.min(posture.ankles[1].z);
        let (mut low, mut high) = (floor + 0.3 * self.stature, floor + 0.8 * self.stature);
        for _ in 0..40 {
            let middle = (low + high) / 2.0;
            let at = Vector3::new(center.x, center.y, middle);
            let fits = self.reach(&self.balanced(at, posture)) <= reach;
            *(if fits { &mut low } else { &mut high }) = middle;
        }
        low
    }
}

/// Centre of mass of a figure with standard mass fractions (de Leva 1996).
pub fn center_of_mass(joints: &Joints) -> Vector3<f64> {
    let total: f64 = SEGMENTS.iter().map(|segment| segment.2).sum();
    let weighted = SEGMENTS.iter().map(|&(from, to, mass, share)| {
        (joints[from] + (joints[to] - joints[from]) * share) * mass
    });
    weighted.sum::<Vector3<f64>>() / total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(figure: &Figure, pitch: f64) -> Posture {
        let side = |y: f64| figure.ankle(Vector3::new(0.0, y, 0.0), 0.0, pitch);
        Posture {
            pelvis: UnitQuaternion::identity(),
            trunk: UnitQuaternion::from_euler_angles(0.0, 0.1, 0.2),
            ankles: [side(-0.1), side(0.1)],
            headings: [0.0; 2],
            shoulders: [0.2, -0.3],
            elbows: [0.4; 2],
        }
    }

    #[test]
    fn masses_add_up() {
        let total: f64 = SEGMENTS.iter().map(|segment| segment.2).sum();
        assert!((total - 1.0).abs() < 1e-3, "{total}");
    }

    #[test]
    fn balancing_puts_the_centre_of_mass_where_it_belongs() {
        let figure = Figure { stature: 1.7 };
        let posture = standing(&figure, 0.0);
        let center = Vector3::new(0.03, 0.01, 0.85);
        let joints = figure.balanced(center, &posture);
        assert!((center_of_mass(&joints) - center).norm() < 1e-9);
        assert_eq!(joints[LEFT_ANKLE], posture.ankles[1]);
        for (hip, knee, ankle) in [(1, 2, 3), (4, 5, 6)] {
            assert!(((joints[knee] - joints[hip]).norm() - 1.7 * THIGH).abs() < 1e-12);
            assert!(((joints[ankle] - joints[knee]).norm() - 1.7 * SHIN).abs() < 1e-12);
            assert!(joints[knee].x > (joints[hip].x + joints[ankle].x) / 2.0);
        }
        let tallest = figure.tallest(center, &posture, 0.98);
        let joints = figure.balanced(Vector3::new(0.03, 0.01, tallest), &posture);
        assert!((figure.reach(&joints) - 0.98).abs() < 1e-6);
    }

    #[test]
    fn feet_rock_about_heel_and_ball() {
        let figure = Figure { stature: 1.7 };
        let flat = figure.ankle(Vector3::zeros(), 0.0, 0.0);
        assert!((flat.z - 1.7 * ANKLE_HEIGHT).abs() < 1e-12 && flat.x.abs() < 1e-12);
        let ball = figure.ball(Vector3::zeros(), 0.0);
        let raised = figure.ankle(Vector3::zeros(), 0.0, -0.8);
        assert!(((raised - ball).norm() - (flat - ball).norm()).abs() < 1e-12);
        assert!(raised.z > flat.z && raised.x > flat.x);
        assert!(figure.ankle(Vector3::zeros(), 0.0, 0.3).z > flat.z);
    }
}
