//! The terms of the kinematic fit: residuals in units of their expected error.

use nalgebra::{Rotation3, Vector3};

use super::anatomy::Anatomy;
use super::layout::Layout;
use super::system::Slope;
use crate::keypoints::proportions;
use crate::keypoints::{Keypoint, Observation, View};
use crate::motion::JOINTS;
use crate::motion::contact::STANCE_ANKLE_HEIGHT;
use crate::motion::skeleton::*;

/// Rigidity of bones, m.
const RIGID: f64 = 0.004;
/// Difference between the two sides of a body, m.
const SYMMETRY: f64 = 0.006;
/// Speed at which a foot that stands is still seen to move, m/s.
const DRIFT: f64 = 0.1;
/// How exactly the height of a standing ankle is known, m.
pub const STANDING_HEIGHT: f64 = 0.015;
/// Error of the root of estimates whose joints are off by `ROOT_NOISE`: along the depth as a share of
/// it, and across, m. It falls with the square of the joints' error.
const ROOT_DEPTH: f64 = 0.05;
const ROOT_ACROSS: f64 = 0.05;
const ROOT_NOISE: f64 = 0.06;

/// How a residual r enters the cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// ½ r².
    Square,
    /// Cauchy's ½ c² ln(1 + r²/c²): beyond c, errors count less and less.
    Robust(f64),
}

impl Loss {
    /// The cost of `r`.
    pub fn cost(self, r: f64) -> f64 {
        match self {
            Self::Square => 0.5 * r * r,
            Self::Robust(c) => 0.5 * c * c * (r * r / (c * c)).ln_1p(),
        }
    }

    /// The weight of `r` as a square of the same slope.
    pub fn weight(self, r: f64) -> f64 {
        match self {
            Self::Square => 1.0,
            Self::Robust(c) => 1.0 / (1.0 + r * r / (c * c)),
        }
    }
}

/// Takes a residual, its loss and its derivatives.
pub type Sink<'s> = dyn FnMut(f64, Loss, &[Slope]) + 's;

/// What the terms look at beside the variables.
pub struct Terms<'a> {
    pub(super) observation: &'a Observation,
    pub(super) layout: Layout,
    /// Expected error of the keypoints by view, px.
    pub(super) pixel_noise: Vec<f64>,
    /// Expected error of the estimates, m.
    pub(super) estimate_noise: f64,
    /// Stature and its uncertainty, m.
    pub(super) stature: (f64, f64),
    /// What is held fixed from one round to the next.
    pub(super) anatomy: Anatomy,
    /// Typical distance from the first camera, m.
    pub(super) depth: f64,
    /// How exactly the height of a standing ankle is taken, m.
    pub(super) standing_height: f64,
    /// Whether only one camera and no estimate tell the depth.
    pub(super) is_blind: bool,
}

impl Terms<'_> {
    /// Hands every residual at `x` to `put`.
    pub fn visit(&self, x: &[f64], put: &mut Sink) {
        for (view, noise) in self.observation.views.iter().zip(&self.pixel_noise) {
            self.reprojection(x, view, *noise, put);
        }
        self.estimates(x, put);
        self.bones(x, put);
        self.smoothness(x, put);
        self.ground(x, put);
        for t in 0..self.layout.frames {
            self.trunk(x, t, put);
            self.knees(x, t, put);
            if self.is_blind {
                self.posture(x, t, put);
            }
        }
    }

    /// Length of all bones against the standard, where only one view tells: accelerations and
    /// postures are measured by it, so that a small body close by gains nothing.
    pub(super) fn scale(&self, x: &[f64]) -> f64 {
        if !self.is_blind {
            return 1.0;
        }
        let found: f64 = bones().map(|(_, j)| x[self.layout.bone(j)]).sum();
        found / proportions::bones(self.stature.0).iter().sum::<f64>()
    }

    fn reprojection(&self, x: &[f64], view: &View, noise: f64, put: &mut Sink) {
        for (t, frame) in view.frames.iter().enumerate() {
            for (j, keypoint) in frame.iter().enumerate() {
                let Keypoint { pixel, confidence } = keypoint;
                let p = self.layout.point(x, t, j);
                let projected = view.camera.project_with_derivative(&p);
                let Some((found, slope)) = projected.filter(|_| keypoint.is_seen()) else {
                    continue;
                };
                let scale = confidence.sqrt() / noise;
                let at = self.layout.index(t, j);
                for axis in 0..2 {
                    let slopes: [Slope; 3] =
                        std::array::from_fn(|k| (at + k, scale * slope[(axis, k)]));
                    let r = scale * (found[axis] - pixel[axis]);
                    put(r, Loss::Robust(3.0), &slopes);
                }
            }
        }
    }

    /// Joints are near the estimates, up to an offset of the frame that consists of a bias over the
    /// clip and an error of the frame, both mostly along the depth.
    fn estimates(&self, x: &[f64], put: &mut Sink) {
        let Some(estimates) = &self.observation.estimates else {
            return;
        };
        let layout = &self.layout;
        let scale = 1.0 / self.estimate_noise;
        let axes = self.observation.views[0].camera.rotation;
        let trust = (ROOT_NOISE / self.estimate_noise).powi(2).max(1.0);
        for (t, joints) in estimates.iter().enumerate() {
            for (j, estimate) in joints.iter().enumerate() {
                for axis in (0..3).filter(|_| estimate.iter().all(|e| e.is_finite())) {
                    let (p, d) = (layout.index(t, j) + axis, layout.offset(t) + axis);
                    let r = scale * (x[p] - estimate[axis] - x[d]);
                    put(r, Loss::Robust(3.0), &[(p, scale), (d, -scale)]);
                }
            }
            let offset = |k: usize| x[layout.offset(t) + k] - x[layout.bias() + k];
            along_camera(&axes, self.depth, trust, |scale, row| {
                let r = scale * (0..3).map(|k| row[k] * offset(k)).sum::<f64>();
                let slopes: [Slope; 6] = std::array::from_fn(|k| match k {
                    0..3 => (layout.offset(t) + k, scale * row[k]),
                    _ => (layout.bias() + k - 3, -scale * row[k - 3]),
                });
                put(r, Loss::Robust(3.0), &slopes);
            });
        }
        along_camera(&axes, self.depth, trust, |scale, row| {
            let r = scale * (0..3).map(|k| row[k] * x[layout.bias() + k]).sum::<f64>();
            let slopes: [Slope; 3] = std::array::from_fn(|k| (layout.bias() + k, scale * row[k]));
            put(r, Loss::Square, &slopes);
        });
    }

    /// Bones keep their lengths; these are near the standard ones and the same on both sides.
    fn bones(&self, x: &[f64], put: &mut Sink) {
        let layout = &self.layout;
        for t in 0..layout.frames {
            for (parent, child) in bones() {
                let bone = layout.point(x, t, child) - layout.point(x, t, parent);
                let norm = bone.norm().max(1e-6);
                let u = bone / (norm * RIGID);
                let (c, p) = (layout.index(t, child), layout.index(t, parent));
                let mut slopes = [(0, 0.0); 7];
                for k in 0..3 {
                    slopes[k] = (p + k, -u[k]);
                    slopes[3 + k] = (c + k, u[k]);
                }
                slopes[6] = (layout.bone(child), -1.0 / RIGID);
                put(
                    (norm - x[layout.bone(child)]) / RIGID,
                    Loss::Square,
                    &slopes,
                );
            }
        }
        let stature = layout.stature();
        // Terms of the frames gain from a small body by their number; so does what holds against it.
        let evidence = if self.is_blind {
            (0.2 * layout.frames as f64).sqrt().max(1.0)
        } else {
            1.0
        };
        for (_, j) in bones() {
            let (share, spread) = proportions::bone(j);
            let scale = evidence / (share * spread * self.stature.0);
            let r = scale * (x[layout.bone(j)] - share * x[stature]);
            put(
                r,
                Loss::Square,
                &[(layout.bone(j), scale), (stature, -scale * share)],
            );
            let other = mirrored(j);
            if other > j {
                let r = (x[layout.bone(j)] - x[layout.bone(other)]) / SYMMETRY;
                let slopes = [
                    (layout.bone(j), 1.0 / SYMMETRY),
                    (layout.bone(other), -1.0 / SYMMETRY),
                ];
                put(r, Loss::Square, &slopes);
            }
        }
        let (mean, spread) = (self.stature.0, self.stature.1 / evidence);
        put(
            (x[stature] - mean) / spread,
            Loss::Square,
            &[(stature, 1.0 / spread)],
        );
    }

    /// Accelerations are those of people.
    fn smoothness(&self, x: &[f64], put: &mut Sink) {
        let rate = self.observation.fps.powi(2) / self.scale(x);
        for t in 1..self.layout.frames.saturating_sub(1) {
            for j in 0..JOINTS {
                let scale = rate / usual_acceleration(j);
                for axis in 0..3 {
                    let [a, b, c] = [t - 1, t, t + 1].map(|t| self.layout.index(t, j) + axis);
                    let r = scale * (x[a] - 2.0 * x[b] + x[c]);
                    let slopes = [(a, scale), (b, -2.0 * scale), (c, scale)];
                    put(r, Loss::Robust(3.0), &slopes);
                }
            }
        }
    }

    /// Nothing is below the ground; standing feet stand on it and stay where they are.
    fn ground(&self, x: &[f64], put: &mut Sink) {
        let layout = &self.layout;
        let standing = STANCE_ANKLE_HEIGHT * x[layout.stature()];
        for t in 0..layout.frames {
            for j in 0..JOINTS {
                let lowest = if ANKLES.contains(&j) {
                    0.6 * standing
                } else {
                    0.02
                };
                let z = layout.index(t, j) + 2;
                if x[z] < lowest {
                    put(
                        (x[z] - lowest) / STANDING_HEIGHT,
                        Loss::Robust(3.0),
                        &[(z, 1.0 / STANDING_HEIGHT)],
                    );
                }
            }
            for (foot, ankle) in ANKLES.into_iter().enumerate() {
                let contact = self.anatomy.contacts[t][foot];
                let touch = contact.max(0.5 * self.anatomy.touches[t][foot]);
                let at = layout.index(t, ankle);
                if touch > 0.05 {
                    let scale = touch.sqrt() / self.standing_height;
                    put(
                        scale * (x[at + 2] - standing),
                        Loss::Robust(3.0),
                        &[(at + 2, scale)],
                    );
                }
                if contact > 0.05 && t + 1 < layout.frames {
                    let next = layout.index(t + 1, ankle);
                    let scale = contact.sqrt() * self.observation.fps / DRIFT;
                    for axis in 0..2 {
                        let r = scale * (x[next + axis] - x[at + axis]);
                        put(
                            r,
                            Loss::Robust(2.0),
                            &[(at + axis, -scale), (next + axis, scale)],
                        );
                    }
                }
            }
        }
    }

    /// The trunk hangs together: the pelvis between the hips, the thorax near the middle of the
    /// shoulders, the spine between both, the neck between thorax and head.
    fn trunk(&self, x: &[f64], t: usize, put: &mut Sink) {
        let layout = &self.layout;
        let mut linear = |joints: &[(usize, f64)], sigma: f64, axes: std::ops::Range<usize>| {
            for axis in axes {
                let slopes: Vec<Slope> = joints
                    .iter()
                    .map(|(j, share)| (layout.index(t, *j) + axis, share / sigma))
                    .collect();
                let r = slopes.iter().map(|(i, share)| share * x[*i]).sum();
                put(r, Loss::Robust(3.0), &slopes);
            }
        };
        linear(
            &[(PELVIS, 1.0), (RIGHT_HIP, -0.5), (LEFT_HIP, -0.5)],
            0.006,
            0..3,
        );
        let middle = [(THORAX, 1.0), (LEFT_SHOULDER, -0.5), (RIGHT_SHOULDER, -0.5)];
        linear(&middle, 0.05, 0..3);
        linear(&[(SPINE, 1.0), (PELVIS, -0.5), (THORAX, -0.5)], 0.03, 0..3);
        linear(&[(NECK, 1.0), (THORAX, -0.5), (HEAD, -0.5)], 0.04, 0..3);
    }
}

/// Calls `each` with `trust`/σ and the direction of every camera axis, as the estimates' root is off.
fn along_camera(
    axes: &Rotation3<f64>,
    depth: f64,
    trust: f64,
    mut each: impl FnMut(f64, Vector3<f64>),
) {
    for axis in 0..3 {
        let sigma = if axis == 2 {
            ROOT_DEPTH * depth
        } else {
            ROOT_ACROSS
        };
        each(trust / sigma, axes.matrix().row(axis).transpose());
    }
}

/// Acceleration that is not unusual for a joint, m/s².
fn usual_acceleration(joint: usize) -> f64 {
    match joint {
        RIGHT_ANKLE | LEFT_ANKLE | RIGHT_WRIST | LEFT_WRIST => 12.0,
        RIGHT_KNEE | LEFT_KNEE | RIGHT_ELBOW | LEFT_ELBOW => 8.0,
        _ => 4.0,
    }
}
