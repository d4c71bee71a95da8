//! What joints can do and people mostly do, as terms of the fit.

use nalgebra::Vector3;

use super::anatomy::Anatomy;
use super::system::Slope;
use super::terms::{Loss, Sink, Terms};
use crate::motion::skeleton::*;

/// Segments, from one joint to another, that lie near sagittal planes: the mean of how far they go to the left, and its
/// deviation, as shares of the stature.
const SEGMENTS: [(usize, usize, f64, f64); 8] = [
    (RIGHT_HIP, RIGHT_KNEE, -0.02, 0.08),
    (LEFT_HIP, LEFT_KNEE, 0.02, 0.08),
    (RIGHT_KNEE, RIGHT_ANKLE, 0.0, 0.08),
    (LEFT_KNEE, LEFT_ANKLE, 0.0, 0.08),
    (RIGHT_SHOULDER, RIGHT_ELBOW, -0.06, 0.10),
    (LEFT_SHOULDER, LEFT_ELBOW, 0.06, 0.10),
    (RIGHT_ELBOW, RIGHT_WRIST, 0.0, 0.12),
    (LEFT_ELBOW, LEFT_WRIST, 0.0, 0.12),
];

impl Terms<'_> {
    /// What one camera alone cannot see is what people mostly do: the trunk is upright, square to
    /// the hips, not much twisted and above the feet; limbs move in planes parallel to the
    /// sagittal one, and elbows bend forwards.
    pub(super) fn posture(&self, x: &[f64], t: usize, put: &mut Sink) {
        let layout = &self.layout;
        let size = self.scale(x);
        let Anatomy {
            left, up, forward, ..
        } = &self.anatomy;
        // r = (Σ share · p_j · direction − mean) / σ
        let mut along =
            |joints: &[(usize, f64)], direction: &Vector3<f64>, mean: f64, sigma: f64| {
                let (mean, sigma) = (mean * size, sigma * size);
                let slopes: Vec<Slope> = joints
                    .iter()
                    .flat_map(|(j, share)| {
                        let at = layout.index(t, *j);
                        (0..3).map(move |k| (at + k, share * direction[k] / sigma))
                    })
                    .collect();
                let r = slopes.iter().map(|(i, slope)| slope * x[*i]).sum::<f64>() - mean / sigma;
                put(r, Loss::Robust(2.0), &slopes);
            };
        let (left, up, forward) = (left[t], up[t], forward[t]);
        for axis in [Vector3::x(), Vector3::y()] {
            along(&[(THORAX, 1.0), (PELVIS, -1.0)], &axis, 0.0, 0.20);
            let feet = [(PELVIS, 1.0), (RIGHT_ANKLE, -0.5), (LEFT_ANKLE, -0.5)];
            along(&feet, &axis, 0.0, 0.20);
        }
        along(&[(HEAD, 1.0), (THORAX, -1.0)], &forward, 0.03, 0.08);
        along(&[(HEAD, 1.0), (THORAX, -1.0)], &left, 0.0, 0.08);
        along(&[(THORAX, 1.0), (PELVIS, -1.0)], &left, 0.0, 0.08);
        along(
            &[(LEFT_SHOULDER, 1.0), (RIGHT_SHOULDER, -1.0)],
            &up,
            0.0,
            0.06,
        );
        let twist = [
            (LEFT_SHOULDER, 0.5),
            (RIGHT_SHOULDER, -0.5),
            (LEFT_HIP, -1.0),
            (RIGHT_HIP, 1.0),
        ];
        along(&twist, &forward, 0.0, 0.08);
        for (from, to, mean, sigma) in SEGMENTS {
            along(&[(to, 1.0), (from, -1.0)], &left, mean, sigma);
        }
        for (shoulder, elbow, wrist) in [
            (RIGHT_SHOULDER, RIGHT_ELBOW, RIGHT_WRIST),
            (LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST),
        ] {
            // Zero for a straight arm; negative where the elbow bends backwards.
            let [s, e, w] = [shoulder, elbow, wrist].map(|j| layout.point(x, t, j));
            if (s - e * 2.0 + w).dot(&forward) < 0.0 {
                along(
                    &[(shoulder, 1.0), (elbow, -2.0), (wrist, 1.0)],
                    &forward,
                    0.0,
                    0.08,
                );
            }
        }
    }

    /// Knees bend backwards only: (thigh × shin) · left ≥ 0.
    pub(super) fn knees(&self, x: &[f64], t: usize, put: &mut Sink) {
        let layout = &self.layout;
        let left = self.anatomy.left[t];
        for joints in [
            [RIGHT_HIP, RIGHT_KNEE, RIGHT_ANKLE],
            [LEFT_HIP, LEFT_KNEE, LEFT_ANKLE],
        ] {
            let [hip, knee, ankle] = joints.map(|j| layout.point(x, t, j));
            let (thigh, shin) = (knee - hip, ankle - knee);
            let area = x[layout.bone(joints[1])] * x[layout.bone(joints[2])];
            let scale = 1.0 / (0.05 * area.max(1e-3));
            let bend = thigh.cross(&shin).dot(&left);
            if bend >= 0.0 {
                continue;
            }
            // d(bend) = δthigh · (shin × left) + δshin · (left × thigh)
            let (by_thigh, by_shin) = (shin.cross(&left), left.cross(&thigh));
            let slopes: [Slope; 9] = std::array::from_fn(|n| {
                let (corner, k) = (n / 3, n % 3);
                let d = [-by_thigh[k], by_thigh[k] - by_shin[k], by_shin[k]][corner];
                (layout.index(t, joints[corner]) + k, scale * d)
            });
            put(scale * bend, Loss::Robust(5.0), &slopes);
        }
    }
}
