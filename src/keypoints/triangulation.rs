//! Joints from several views: robust triangulation.

use nalgebra::{Matrix3, Vector3};

use super::{Keypoint, View};
use crate::motion::camera::Camera;

/// A view whose ray passes a joint at more than this many pixels (times the scale of the noise) is
/// left out.
const OUTLIER: f64 = 4.0;

/// A ray that is bent less than this against another (rad) gives no depth.
const PARALLAX: f64 = 0.05;

/// The point that the rays of a joint meet in, world frame, m; `None` with fewer than two views
/// that agree.
///
/// The pair of views whose intersection most views agree with (all pairs are tried: nine cameras
/// have 36) starts Gauss–Newton on the reprojection errors of those views, weighted by confidence.
/// `noise` is the expected error, px.
pub fn triangulate(views: &[View], t: usize, joint: usize, noise: f64) -> Option<Vector3<f64>> {
    let seen: Vec<(&Camera, Keypoint)> = views
        .iter()
        .map(|view| (&view.camera, view.frames[t][joint]))
        .filter(|(_, keypoint)| keypoint.is_seen())
        .collect();
    let error = |p: &Vector3<f64>, (camera, keypoint): &(&Camera, Keypoint)| {
        let pixel = camera.project(p);
        pixel.map_or(f64::INFINITY, |pixel| (pixel - keypoint.pixel).norm())
    };
    let mut best: Option<(f64, Vector3<f64>)> = None;
    for (k, first) in seen.iter().enumerate() {
        for second in &seen[k + 1..] {
            let Some(p) = intersection(&[*first, *second]) else {
                continue;
            };
            // Truncated errors: what a view says that disagrees does not matter.
            let cost: f64 = seen
                .iter()
                .map(|view| view.1.confidence * (error(&p, view) / noise).min(OUTLIER).powi(2))
                .sum();
            if best.is_none_or(|(lowest, _)| cost < lowest) {
                best = Some((cost, p));
            }
        }
    }
    let (_, mut p) = best?;
    let inliers: Vec<_> = seen
        .iter()
        .filter(|view| error(&p, view) < OUTLIER * noise)
        .copied()
        .collect();
    if inliers.len() < 2 {
        return None;
    }
    for _ in 0..5 {
        p += step(&p, &inliers)?;
    }
    p.iter().all(|x| x.is_finite()).then_some(p)
}

/// The point nearest to all rays; `None` when they are almost parallel, or one has no direction.
fn intersection(views: &[(&Camera, Keypoint)]) -> Option<Vector3<f64>> {
    let (mut a, mut b) = (Matrix3::zeros(), Vector3::zeros());
    let mut rays: Vec<Vector3<f64>> = Vec::new();
    for (camera, keypoint) in views {
        let origin = camera.position();
        let ray = (camera.unproject(&keypoint.pixel, 1.0) - origin).try_normalize(1e-6)?;
        let across = Matrix3::identity() - ray * ray.transpose();
        a += across;
        b += across * origin;
        rays.push(ray);
    }
    let parallax = rays[0].cross(&rays[1]).norm();
    (parallax > PARALLAX).then(|| a.try_inverse().map(|inverse| inverse * b))?
}

/// A Gauss–Newton step on the reprojection errors.
fn step(p: &Vector3<f64>, views: &[(&Camera, Keypoint)]) -> Option<Vector3<f64>> {
    let (mut normal, mut right) = (Matrix3::zeros(), Vector3::zeros());
    for (camera, keypoint) in views {
        let (pixel, j) = camera.project_with_derivative(p)?;
        normal += keypoint.confidence * j.transpose() * j;
        right += keypoint.confidence * j.transpose() * (keypoint.pixel - pixel);
    }
    normal.try_inverse().map(|inverse| inverse * right)
}

#[cfg(test)]
mod tests {
    use nalgebra::{Rotation3, Vector2};

    use super::*;
    use crate::keypoints::observation::NOTHING;

    /// Five cameras around the origin that see joint 3 at `p`; one is 80 px off.
    fn views(p: Vector3<f64>) -> Vec<View> {
        (0..5)
            .map(|k| {
                let turn = Rotation3::from_axis_angle(&Vector3::z_axis(), 1.2 * f64::from(k));
                let mut camera =
                    Camera::standing([1000.0, 1000.0], 1100.0, 1.6, 0.1).moved(&turn, 0.0);
                camera.translation += Vector3::z() * 4.0;
                let mut frame = NOTHING;
                let mut pixel = camera.project(&p).unwrap();
                if k == 2 {
                    pixel += Vector2::new(80.0, -30.0);
                }
                frame[3] = Keypoint {
                    pixel,
                    confidence: 0.9,
                };
                View {
                    camera,
                    frames: vec![frame],
                }
            })
            .collect()
    }

    #[test]
    fn a_view_that_disagrees_is_left_out() {
        let p = Vector3::new(0.3, -0.2, 1.1);
        let views = views(p);
        let found = triangulate(&views, 0, 3, 3.0).unwrap();
        assert!((found - p).norm() < 1e-6, "{found}");
        assert!(triangulate(&views, 0, 4, 3.0).is_none());
        assert!(triangulate(&views[..1], 0, 3, 3.0).is_none());
    }
}
