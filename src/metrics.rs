//! How close a simulated motion is to the observed one, and how plausible either is by itself.
//!
//! Functions take and return SI units; [`Metrics`] has millimetres and percent. T frames, K = 17
//! joints; p̂ is the estimate (the simulation), p the reference.
//!
//! # References
//! * Gärtner et al., *Trajectory optimization for physics-based reconstruction of 3d human pose
//!   from monocular video*, CVPR 2022, and *Transformer-based learned optimization*, CVPR 2023,
//!   Sec. 5.2: MPJPE-G, MPJPE, MPJPE-PA, TV, foot skate.
//! * Pavllo et al., VideoPose3D, `common/loss.py`: the Procrustes alignment.

mod feet;

use nalgebra::{Matrix3, Vector3};
use serde::Serialize;

pub use crate::motion::contact::{FootTrack, observed_feet};
use crate::motion::skeleton::{LEFT_HIP, PELVIS, RIGHT_HIP};
use crate::motion::{JOINTS, Joints, Motion, sum_of_third_differences};
pub use crate::motion::{acceleration_tv, mean_distance};
use feet::ankle_skate;
pub use feet::{
    FootSkate, OBSERVED_CONTACT_HEIGHT, SIMULATED_CONTACT_HEIGHT, SKATE_SPEED, foot_skate,
    ground_distance, penetration,
};

/// What MPJPE moves onto the reference in every frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Alignment {
    /// The pelvis: what public code does.
    #[default]
    Root,
    /// The mean of all joints.
    Centroid,
    /// The middle of the hips.
    Hips,
}

impl Alignment {
    /// The point of `joints` that is aligned.
    fn center(self, joints: &Joints) -> Vector3<f64> {
        match self {
            Self::Root => joints[PELVIS],
            Self::Centroid => centroid(joints),
            Self::Hips => (joints[LEFT_HIP] + joints[RIGHT_HIP]) / 2.0,
        }
    }
}

/// All metrics of a simulated motion; written to `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metrics {
    /// Number of frames T.
    pub frames: usize,
    /// Frames per second; `acceleration_tv` depends on it.
    pub fps: f64,
    /// Number of joints K, over which `acceleration_tv` is a sum.
    pub joints: usize,
    /// What `mpjpe_mm` aligns.
    pub alignment: Alignment,
    /// MPJPE-G: mean distance of corresponding joints, without any alignment.
    pub mpjpe_global_mm: f64,
    /// MPJPE: the same after a translation per frame.
    pub mpjpe_mm: f64,
    /// MPJPE-PA: the same after a similarity (scale, rotation, translation) per frame.
    pub mpjpe_procrustes_mm: f64,
    /// Largest mean joint error of a frame, without alignment; NaN where that of any is.
    pub max_frame_error_mm: f64,
    /// Mean height difference of the ankles.
    pub ground_distance_mm: f64,
    /// Metrics of the simulated motion by itself.
    #[serde(flatten)]
    pub motion: MotionMetrics,
    /// The same metrics of the reference.
    pub reference: MotionMetrics,
}

/// Metrics of one motion that need no reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MotionMetrics {
    /// Total variation of the acceleration, m per frame², summed over the joints.
    pub acceleration_tv: f64,
    /// Mean norm of the jerk of a joint, m/s³.
    pub jitter: f64,
    /// Frames in which a foot, or both, in contact with the ground slides.
    pub foot_skate_percent: f64,
    /// The same for each foot, added (up to 200 %).
    pub foot_skate_sum_percent: f64,
    /// Frames in which a low ankle moves, by the joints alone. A foot that rolls over its toes
    /// counts too, so only the difference between simulation and reference means something; for
    /// that it is the same measure on both.
    pub ankle_skate_percent: f64,
    /// Mean depth of what is below the ground.
    pub penetration_mm: f64,
}

impl Metrics {
    /// Compares `simulated` (T frames) and what its `feet` `[right, left]` did with the first T
    /// frames of `reference`.
    ///
    /// # Panics
    /// When the reference, or a foot, has fewer frames than `simulated`.
    pub fn new(
        simulated: &[Joints],
        feet: &[FootTrack; 2],
        reference: &Motion,
        alignment: Alignment,
    ) -> Self {
        let observed = &reference.joints[..simulated.len()];
        let errors = frame_errors(simulated, observed);
        Self {
            frames: simulated.len(),
            fps: reference.fps,
            joints: JOINTS,
            alignment,
            mpjpe_global_mm: 1e3 * mean(errors.iter().copied()),
            mpjpe_mm: 1e3 * mpjpe(simulated, observed, alignment),
            mpjpe_procrustes_mm: 1e3 * mpjpe_procrustes(simulated, observed),
            max_frame_error_mm: 1e3 * largest(&errors),
            ground_distance_mm: 1e3 * ground_distance(simulated, observed),
            motion: MotionMetrics::of_simulation(simulated, feet, reference.fps),
            reference: MotionMetrics::of_observation(reference, simulated.len()),
        }
    }
}

impl MotionMetrics {
    /// Of a simulated motion, whose feet `[right, left]` have a surface.
    pub fn of_simulation(joints: &[Joints], feet: &[FootTrack; 2], fps: f64) -> Self {
        let heights: Vec<Vec<f64>> = (0..joints.len())
            .map(|t| feet.iter().map(|foot| foot.height[t]).collect())
            .collect();
        let skate = foot_skate(feet, fps, SIMULATED_CONTACT_HEIGHT, SKATE_SPEED);
        Self::new(joints, fps, skate, &heights)
    }

    /// Of the first `frames` frames of an observed motion: contact from the ankles' height over
    /// their standing height, penetration of joint centres.
    pub fn of_observation(motion: &Motion, frames: usize) -> Self {
        let joints = &motion.joints[..frames];
        let toes = motion.toes.as_ref().map(|toes| &toes[..frames]);
        let heights: Vec<Vec<f64>> = joints
            .iter()
            .map(|frame| frame.iter().map(|p| p.z).collect())
            .collect();
        let feet = observed_feet(joints, toes);
        let skate = foot_skate(&feet, motion.fps, OBSERVED_CONTACT_HEIGHT, SKATE_SPEED);
        Self::new(joints, motion.fps, skate, &heights)
    }

    fn new(joints: &[Joints], fps: f64, skate: FootSkate, heights: &[Vec<f64>]) -> Self {
        Self {
            acceleration_tv: acceleration_tv(joints),
            jitter: jitter(joints, fps),
            foot_skate_percent: 100.0 * skate.either,
            foot_skate_sum_percent: 100.0 * skate.sum,
            ankle_skate_percent: 100.0 * ankle_skate(joints, fps).either,
            penetration_mm: 1e3 * penetration(heights),
        }
    }
}

/// Mean distance of corresponding joints in every frame, m: (1/K) Σ_k ‖p̂ − p‖.
pub fn frame_errors(estimate: &[Joints], reference: &[Joints]) -> Vec<f64> {
    estimate
        .iter()
        .zip(reference)
        .map(|(a, b)| mean_distance(a, b))
        .collect()
}

/// MPJPE-G, m: mean distance of corresponding joints, without alignment.
pub fn mpjpe_global(estimate: &[Joints], reference: &[Joints]) -> f64 {
    mean(frame_errors(estimate, reference))
}

/// MPJPE, m: mean distance after the translation of every frame that makes the `alignment` points
/// coincide.
pub fn mpjpe(estimate: &[Joints], reference: &[Joints], alignment: Alignment) -> f64 {
    let error = |(a, b): (&Joints, &Joints)| {
        let shift = alignment.center(b) - alignment.center(a);
        mean_distance(&a.map(|p| p + shift), b)
    };
    mean(estimate.iter().zip(reference).map(error))
}

/// MPJPE-PA, m: mean distance after the similarity of every frame that fits best.
pub fn mpjpe_procrustes(estimate: &[Joints], reference: &[Joints]) -> f64 {
    let error = |(a, b): (&Joints, &Joints)| mean_distance(&procrustes(a, b), b);
    mean(estimate.iter().zip(reference).map(error))
}

/// `estimate` after the similarity x ↦ a·R·x + t, det R = +1, that brings it closest to `reference`
/// in the least-squares sense.
pub fn procrustes(estimate: &Joints, reference: &Joints) -> Joints {
    let (mu_y, mu_x) = (centroid(estimate), centroid(reference));
    // H = Σ_k (p̂ − μ̂)(p − μ)ᵀ = U Σ Vᵀ, R = V D Uᵀ.
    let mut h = Matrix3::zeros();
    let mut norm_y = 0.0;
    for (y, x) in estimate.iter().zip(reference) {
        h += (y - mu_y) * (x - mu_x).transpose();
        norm_y += (y - mu_y).norm_squared();
    }
    let svd = h.svd(true, true);
    let (Some(u), Some(v_t)) = (svd.u, svd.v_t) else {
        return *estimate;
    };
    let mut sigma = svd.singular_values;
    let mut v = v_t.transpose();
    if (v * u.transpose()).determinant() < 0.0 {
        // A reflection fits better than any rotation: give up the direction that matters least.
        let last = sigma.imin();
        v.column_mut(last).neg_mut();
        sigma[last] = -sigma[last];
    }
    let scaled = v * u.transpose() * (sigma.sum() / norm_y.max(f64::MIN_POSITIVE));
    estimate.map(|y| scaled * (y - mu_y) + mu_x)
}

/// Mean norm of a joint's jerk, m/s³: the third difference times fps³. 0 for fewer than four frames.
pub fn jitter(joints: &[Joints], fps: f64) -> f64 {
    let count = joints.len().saturating_sub(3).max(1) * JOINTS;
    sum_of_third_differences(joints) / count as f64 * fps.powi(3)
}

fn centroid(joints: &Joints) -> Vector3<f64> {
    joints.iter().sum::<Vector3<f64>>() / JOINTS as f64
}

/// The mean; 0 of nothing.
fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let add = |(sum, count): (f64, usize), value: f64| (sum + value, count + 1);
    let (sum, count) = values.into_iter().fold((0.0, 0), add);
    sum / count.max(1) as f64
}

/// The largest of `values` ≥ 0; NaN where one is.
fn largest(values: &[f64]) -> f64 {
    let larger = |a: f64, b: f64| if b > a || b.is_nan() { b } else { a };
    values.iter().copied().fold(0.0, larger)
}

#[cfg(test)]
mod tests {
    use nalgebra::Rotation3;

    use super::*;

    /// A frame without symmetry.
    fn frame() -> Joints {
        std::array::from_fn(|k| {
            let k = k as f64;
            Vector3::new((1.3 * k).sin(), (0.7 * k * k).cos(), 0.1 * k)
        })
    }

    #[test]
    fn alignments_take_away_what_they_say() {
        let a = [frame()];
        let shifted = a.map(|f| f.map(|p| p + Vector3::new(3.0, 4.0, 0.0)));
        assert!((mpjpe_global(&shifted, &a) - 5.0).abs() < 1e-12);
        for alignment in [Alignment::Root, Alignment::Centroid, Alignment::Hips] {
            assert!(mpjpe(&shifted, &a, alignment) < 1e-12);
        }
        let turned = Rotation3::from_euler_angles(0.3, -2.0, 1.0);
        let similar = a.map(|f| f.map(|p| turned * p * 0.4 + Vector3::x()));
        assert!(mpjpe_procrustes(&similar, &a) < 1e-12);
        assert!(mpjpe(&similar, &a, Alignment::Root) > 0.1);
    }

    #[test]
    fn a_frame_without_a_position_is_the_worst() {
        let reference = Motion {
            name: "still".into(),
            fps: 50.0,
            joints: vec![frame(); 5],
            toes: None,
            turns: None,
        };
        let mut simulated = reference.joints.clone();
        let feet = [0, 1].map(|_| FootTrack {
            height: vec![0.0; 5],
            ankle: vec![Vector3::zeros(); 5],
        });
        simulated[3][0].x += 1.7;
        let worst = |simulated: &[Joints]| {
            Metrics::new(simulated, &feet, &reference, Alignment::Root).max_frame_error_mm
        };
        assert!((worst(&simulated) - 100.0).abs() < 1e-9);
        simulated[2][0].x = f64::NAN;
        assert!(worst(&simulated).is_nan());
    }

    #[test]
    fn procrustes_never_reflects() {
        let a = frame();
        let mirrored = a.map(|p| Vector3::new(p.x, -p.y, p.z));
        assert!(mpjpe_procrustes(&[mirrored], &[a]) > 0.05);
    }

    #[test]
    fn constant_acceleration_has_no_variation_and_a_jerk_the_one_it_has() {
        let moved = |f: &dyn Fn(f64) -> f64| -> Vec<Joints> {
            (0..20)
                .map(|t| frame().map(|p| p + Vector3::x() * f(f64::from(t))))
                .collect()
        };
        assert!(acceleration_tv(&moved(&|t| 0.5 * t * t)) < 1e-10);
        // x = t³: third difference 6 everywhere.
        let cubic = moved(&|t| t * t * t);
        assert!((acceleration_tv(&cubic) - 6.0 * 17.0 * 17.0 / 20.0).abs() < 1e-8);
        assert!((jitter(&cubic, 10.0) - 6000.0).abs() < 1e-6);
        assert_eq!(acceleration_tv(&cubic[..3]), 0.0);
    }
}
