//! Checks of keypoints against what is known: the image they lie in, the motion that should explain
//! them, and left against right.

use super::{Keypoint, Observation, View};
use crate::error::{Error, Result};
use crate::motion::Joints;
use crate::motion::quantile;
use crate::motion::skeleton::{bones, mirrored};

/// Share of keypoints that may lie outside of the image.
const OUTSIDE: f64 = 0.05;

/// Median distance of keypoints from the joints that should explain them, beyond which these are of
/// another motion or camera: as a share of the image's diagonal. Detectors stay below 0.005.
const MISFIT: f64 = 0.02;

/// Checks a view by itself.
///
/// # Errors
/// When it sees nothing, or its keypoints do not lie in the image.
pub fn check_view(view: &View, origin: &str) -> Result<()> {
    let [width, height] = view.camera.size;
    let seen: Vec<&Keypoint> = view
        .frames
        .iter()
        .flatten()
        .filter(|k| k.is_seen())
        .collect();
    if seen.is_empty() {
        let field = format!("camera {}", view.camera.name);
        let advice = "leave a camera out that sees nothing (--use-cameras)";
        return Err(Error::input(
            origin,
            field,
            "no keypoint with a confidence above 0",
            advice,
        ));
    }
    let is_outside = |k: &&&Keypoint| {
        let (x, y) = (k.pixel.x / width, k.pixel.y / height);
        !((-0.1..=1.1).contains(&x) && (-0.1..=1.1).contains(&y))
    };
    let outside = seen.iter().filter(is_outside).count() as f64 / seen.len() as f64;
    let extent = seen.iter().fold((0f64, 0f64), |(x, y), k| {
        (x.max(k.pixel.x), y.max(k.pixel.y))
    });
    // Normalized coordinates, or those of a small thumbnail, are as wrong as too large ones.
    let is_tiny = extent.0 < 0.02 * width && extent.1 < 0.02 * height;
    if outside > OUTSIDE || is_tiny {
        let found = format!(
            "keypoints up to ({:.0}, {:.0}) px, {:.0} % outside of an image of {width} × {height}",
            extent.0,
            extent.1,
            100.0 * outside
        );
        let field = format!("camera {}, size", view.camera.name);
        let advice = "give the camera for the resolution in which the keypoints were found";
        return Err(Error::input(origin, field, found, advice));
    }
    Ok(())
}

/// Checks the views against fitted 3D joints (world frame, m): for each view whose keypoints are
/// far from them, a line that says so.
pub fn misfits(observation: &Observation, joints: &[Joints]) -> Vec<String> {
    let suspects = match observation.estimates {
        Some(_) => "the estimates (same frames, same order, --estimates-frame) and the camera",
        None => "the camera, and that keypoints and cameras are in the same order",
    };
    let far = |view: &View| {
        let error = median_error(view, joints);
        let [width, height] = view.camera.size;
        (error > MISFIT * width.hypot(height)).then(|| {
            format!(
                "WARNING: the kinematic fit is {error:.0} px (median) off the keypoints of camera \
                 {}; check {suspects}",
                view.camera.name
            )
        })
    };
    observation.views.iter().filter_map(far).collect()
}

/// Median distance, px, between the keypoints of `view` and `joints`; NaN where there is none.
fn median_error(view: &View, joints: &[Joints]) -> f64 {
    let mut errors = Vec::new();
    for (seen, joints) in view.frames.iter().zip(joints) {
        for (keypoint, p) in seen.iter().zip(joints).filter(|(k, _)| k.is_seen()) {
            let pixel = view.camera.project(p);
            errors.extend(pixel.map(|pixel| (pixel - keypoint.pixel).norm()));
        }
    }
    quantile(errors, 0.5)
}

/// Checks the views against 3D joints (world frame, m): for each view in which exchanging left and
/// right explains the keypoints much better, a line that says so.
pub fn confusions(observation: &Observation, joints: &[Joints]) -> Vec<String> {
    let confused = observation
        .views
        .iter()
        .filter(|view| is_swapped(view, joints));
    confused
        .map(|view| {
            format!(
                "WARNING: left and right look swapped in the keypoints of camera {}; check --layout \
                 and the detector",
                view.camera.name
            )
        })
        .collect()
}

fn is_swapped(view: &View, joints: &[Joints]) -> bool {
    let (mut straight, mut crossed) = (0.0, 0.0);
    for (seen, joints) in view.frames.iter().zip(joints) {
        for (_, j) in bones().filter(|(_, j)| mirrored(*j) != *j) {
            let pixels = [j, mirrored(j)].map(|j| view.camera.project(&joints[j]));
            if let ([Some(own), Some(other)], true) = (pixels, seen[j].is_seen()) {
                straight += (own - seen[j].pixel).norm();
                crossed += (other - seen[j].pixel).norm();
            }
        }
    }
    crossed < 0.5 * straight
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;
    use crate::motion::camera::Camera;

    #[test]
    fn joints_far_from_their_keypoints_are_mentioned_with_the_distance() {
        let camera = Camera::standing([640.0, 480.0], 500.0, 1.5, 0.0);
        let at = |j: usize| Vector3::new(5.0, 0.1 * j as f64 - 0.8, 0.1 * j as f64);
        let joints: Vec<Joints> = vec![std::array::from_fn(at); 4];
        let keypoint = |p: &Vector3<f64>| Keypoint {
            pixel: camera.project(p).unwrap(),
            confidence: 1.0,
        };
        let frames = joints.iter().map(|p: &Joints| p.each_ref().map(keypoint));
        let view = View {
            frames: frames.collect(),
            camera: camera.clone(),
        };
        let mut observation = Observation::new("x".into(), 25.0, vec![view], None).unwrap();
        assert!(misfits(&observation, &joints).is_empty());
        // At a depth of 5 m, a metre is 100 px.
        let beside: Vec<Joints> = joints.iter().map(|p| p.map(|p| p + Vector3::y())).collect();
        let warnings = misfits(&observation, &beside);
        assert_eq!(warnings.len(), 1);
        assert!(
            warnings[0].contains("100 px (median) off the keypoints of camera camera"),
            "{warnings:?}"
        );
        assert!(!warnings[0].contains("--estimates-frame"), "{warnings:?}");
        observation.estimates = Some(beside.clone());
        let warnings = misfits(&observation, &beside);
        assert!(warnings[0].contains("--estimates-frame"), "{warnings:?}");
    }
}
