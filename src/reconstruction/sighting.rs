//! What a camera saw in a frame, and how far projected joints are from it.

use nalgebra::Vector2;

use crate::keypoints::Keypoints;
use crate::motion::camera::Camera;
use crate::motion::{JOINTS, Joints};

/// Length that counts as one unit of position error, m.
pub const POSITION_UNIT: f64 = 0.01;

/// Error at which residuals saturate (Geman–McClure), m.
const SATURATION: f64 = 0.05;

/// The keypoints of one camera in one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    camera: Camera,
    pixels: [Vector2<f64>; JOINTS],
    /// √confidence over px per metre at the reference pose; 0 for what was not seen.
    scales: [f64; JOINTS],
}

impl Sighting {
    /// Of `keypoints`, near the `reference` pose; `None` for a frame that was not observed.
    pub fn new(camera: &Camera, keypoints: Option<&Keypoints>, reference: &Joints) -> Self {
        let seen = |j: usize| keypoints.map(|k| &k[j]).filter(|k| k.is_seen());
        Self {
            camera: camera.clone(),
            pixels: std::array::from_fn(|j| seen(j).map_or_else(Vector2::zeros, |k| k.pixel)),
            scales: std::array::from_fn(|j| {
                seen(j).map_or(0.0, |k| {
                    k.confidence.sqrt() / camera.scale_at(&reference[j])
                })
            }),
        }
    }

    /// Writes the 34 residuals of `joints` (world frame, m) into `out`: the error e in space, in units
    /// of 10 mm, times `weight`, as e / √(1 + (‖e‖ / 50 mm)²), whose square is Geman and McClure's
    /// robust loss.
    pub fn residuals(&self, joints: &Joints, weight: f64, out: &mut [f64]) {
        let seen = self.pixels.iter().zip(&self.scales);
        for ((joint, (seen, scale)), out) in joints.iter().zip(seen).zip(out.chunks_exact_mut(2)) {
            let pixel = self.camera.project(joint);
            let error = pixel.map_or_else(Vector2::zeros, |pixel| (pixel - seen) * *scale);
            let saturated = error / (1.0 + (error.norm() / SATURATION).powi(2)).sqrt();
            out[0] = weight * saturated.x / POSITION_UNIT;
            out[1] = weight * saturated.y / POSITION_UNIT;
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;
    use crate::keypoints::Keypoint;

    #[test]
    fn small_errors_count_in_full_and_large_ones_saturate() {
        let camera = Camera::standing([1000.0, 1000.0], 1000.0, 1.0, 0.0);
        let reference = [Vector3::new(5.0, 0.0, 1.0); JOINTS];
        let at = |pixels: f64| {
            let mut keypoints = [Keypoint::MISSING; JOINTS];
            keypoints[3] = Keypoint {
                pixel: Vector2::new(500.0 + pixels, 500.0),
                confidence: 1.0,
            };
            let mut residuals = [0.0; 2 * JOINTS];
            let sighting = Sighting::new(&camera, Some(&keypoints), &reference);
            sighting.residuals(&reference, 1.0, &mut residuals);
            assert_eq!(residuals.iter().filter(|r| **r != 0.0).count(), 1);
            residuals[6]
        };
        // 1 px is 5 mm here.
        assert!((at(1.0) + 0.5).abs() < 0.01);
        assert!((at(1000.0) + 5.0).abs() < 0.01);
    }
}
