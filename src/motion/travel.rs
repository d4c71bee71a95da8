//! Where a body goes.

use nalgebra::Vector2;

use super::{Joints, skeleton};

/// Speed below which the direction of travel is that in which the body faces, m/s.
const WALKING: f64 = 0.3;

/// Half the time over which the direction of travel is taken, s.
const TRAVEL: f64 = 0.25;

/// Horizontal directions of travel, one per frame of `joints`, `fps` frames a second; where the body is slow,
/// those in which it faces. Of length 1.
pub fn directions_of_travel(joints: &[Joints], fps: f64) -> Vec<Vector2<f64>> {
    let reach = ((TRAVEL * fps).round() as usize).max(1);
    let at = |t: usize| {
        let (from, to) = (t.saturating_sub(reach), (t + reach).min(joints.len() - 1));
        let pelvis = |t: usize| joints[t][skeleton::PELVIS].xy();
        let velocity = (pelvis(to) - pelvis(from)) * fps / (to - from).max(1) as f64;
        let right = joints[t][skeleton::RIGHT_HIP] - joints[t][skeleton::LEFT_HIP];
        let facing = Vector2::new(-right.y, right.x);
        let direction = match velocity.norm() > WALKING {
            true => velocity,
            false => facing,
        };
        direction.try_normalize(1e-9).unwrap_or(Vector2::x())
    };
    (0..joints.len()).map(at).collect()
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;

    #[test]
    fn who_walks_goes_where_the_pelvis_goes_and_who_stands_where_the_hips_face() {
        let frame = |t: u32, speed: f64| {
            let mut joints = Joints::default();
            joints[skeleton::PELVIS].y = speed * f64::from(t) / 50.0;
            joints[skeleton::RIGHT_HIP] = Vector3::new(0.0, -0.1, 0.9);
            joints[skeleton::LEFT_HIP] = Vector3::new(0.0, 0.1, 0.9);
            joints
        };
        let at = |speed: f64| {
            let joints: Vec<Joints> = (0..40).map(|t| frame(t, speed)).collect();
            directions_of_travel(&joints, 50.0)[20]
        };
        assert!((at(1.0) - Vector2::y()).norm() < 1e-12);
        assert!((at(0.1) - Vector2::x()).norm() < 1e-12);
    }
}
