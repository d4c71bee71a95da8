//! Differences of joint positions over frames.

use nalgebra::Vector3;

use super::Joints;

/// Third difference of joint `k` over four frames in order, m per frame³.
pub fn third_difference(frames: [&Joints; 4], k: usize) -> Vector3<f64> {
    let [a, b, c, d] = frames.map(|joints| joints[k]);
    d - c * 3.0 + b * 3.0 - a
}
