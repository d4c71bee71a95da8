//! Differences of joint positions, between frames and between motions.

use nalgebra::Vector3;

use super::{JOINTS, Joints};

/// Third difference of joint `k` over four frames in order, m per frame³.
pub fn third_difference(frames: [&Joints; 4], k: usize) -> Vector3<f64> {
    let [a, b, c, d] = frames.map(|joints| joints[k]);
    d - c * 3.0 + b * 3.0 - a
}

/// TV of the acceleration: (1/T) Σ_t Σ_k ‖p̈\[t+1\] − p̈\[t\]‖ with p̈ the second difference, in metres
/// per frame² — summed over the joints, not divided by the time step. Falls with about the cube of
/// the frame rate, so compare it at one rate only. 0 for fewer than four frames.
pub fn acceleration_tv(joints: &[Joints]) -> f64 {
    sum_of_third_differences(joints) / joints.len().max(1) as f64
}

/// Σ_t Σ_k of the norms of third differences, m per frame³.
pub(crate) fn sum_of_third_differences(joints: &[Joints]) -> f64 {
    let jerks = |w: &[Joints]| {
        let jerk = |k: usize| third_difference([&w[0], &w[1], &w[2], &w[3]], k).norm();
        (0..JOINTS).map(jerk).sum::<f64>()
    };
    joints.windows(4).map(jerks).sum()
}

/// Mean distance of corresponding joints, m.
pub fn mean_distance(a: &Joints, b: &Joints) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).norm()).sum::<f64>() / JOINTS as f64
}
