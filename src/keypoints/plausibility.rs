//! Checks of keypoints against what is known: the image they lie in, and left against right.

use super::{Keypoint, Observation, View};
use crate::error::{Error, Result};
use crate::motion::Joints;
use crate::motion::skeleton::{bones, mirrored};

/// Share of keypoints that may lie outside of the image.
const OUTSIDE: f64 = 0.05;

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
