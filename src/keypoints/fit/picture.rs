//! One view with every pixel filled in, and where its rays meet the bones.

use nalgebra::{Vector2, Vector3};

use crate::error::{Error, Result};
use crate::keypoints::proportions;
use crate::keypoints::{Keypoints, View};
use crate::motion::JOINTS;
use crate::motion::camera::Camera;
use crate::motion::contact::STANCE_ANKLE_HEIGHT;
use crate::motion::skeleton::NAMES;

/// A view with every pixel filled in.
pub struct Picture<'a> {
    /// The camera.
    pub camera: &'a Camera,
    /// Frames per second, Hz.
    pub fps: f64,
    /// Pixels by frame and joint, gaps bridged.
    pub pixels: Vec<[Vector2<f64>; JOINTS]>,
    /// Bone lengths by the joint they end in, m.
    pub bones: [f64; JOINTS],
    /// Height of a standing ankle, m.
    pub standing: f64,
}

impl<'a> Picture<'a> {
    /// The picture of `view` for a body `stature` m tall.
    ///
    /// # Errors
    /// When a joint is not seen in any frame.
    pub fn of(view: &'a View, fps: f64, stature: f64) -> Result<Self> {
        Ok(Self {
            camera: &view.camera,
            fps,
            pixels: bridged(&view.frames, &view.camera.name)?,
            bones: proportions::bones(stature),
            standing: STANCE_ANKLE_HEIGHT * stature,
        })
    }

    /// [`child`](Self::child) at the pixel of `joint` in frame `t`, at the length of its bone.
    pub fn limb(&self, t: usize, from: &Vector3<f64>, joint: usize, is_far: bool) -> Vector3<f64> {
        self.child(from, &self.pixels[t][joint], self.bones[joint], is_far)
    }

    /// The point at `pixel` that is `length` from `parent`: the farther one from the camera, or the
    /// nearer. Where the ray passes by too far off, the nearest point of the ray.
    pub fn child(
        &self,
        parent: &Vector3<f64>,
        pixel: &Vector2<f64>,
        length: f64,
        is_far: bool,
    ) -> Vector3<f64> {
        let origin = self.camera.position();
        // A camera so far away that a metre is nothing to it looks straight ahead.
        let ray = (self.camera.unproject(pixel, 1.0) - origin)
            .try_normalize(1e-6)
            .unwrap_or_else(|| self.camera.rotation.inverse() * Vector3::z());
        let along = ray.dot(&(parent - origin));
        let across = (parent - origin).norm_squared() - along * along;
        let half = (length * length - across).max(0.0).sqrt();
        origin + ray * (along + if is_far { half } else { -half })
    }
}

/// Pixels of every joint, in a line between the frames in which it was seen, with a light low-pass.
fn bridged(frames: &[Keypoints], origin: &str) -> Result<Vec<[Vector2<f64>; JOINTS]>> {
    let mut pixels = vec![[Vector2::zeros(); JOINTS]; frames.len()];
    for j in 0..JOINTS {
        let seen: Vec<usize> = (0..frames.len())
            .filter(|t| frames[*t][j].is_seen())
            .collect();
        let (Some(first), Some(last)) = (seen.first(), seen.last()) else {
            let advice = "one view alone must see every joint in some frames";
            return Err(Error::input(
                origin,
                NAMES[j],
                "not seen in any frame",
                advice,
            ));
        };
        let raw: Vec<Vector2<f64>> = (0..frames.len())
            .map(|t| {
                let k = seen.partition_point(|s| *s <= t);
                let (a, b) = match k {
                    0 => (*first, *first),
                    k if k == seen.len() => (*last, *last),
                    k => (seen[k - 1], seen[k]),
                };
                let share = if a == b {
                    0.0
                } else {
                    (t - a) as f64 / (b - a) as f64
                };
                frames[a][j].pixel.lerp(&frames[b][j].pixel, share)
            })
            .collect();
        for (t, frame) in pixels.iter_mut().enumerate() {
            let (before, after) = (raw[t.saturating_sub(1)], raw[(t + 1).min(raw.len() - 1)]);
            frame[j] = (before + raw[t] * 2.0 + after) / 4.0;
        }
    }
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_seen_at_their_pixel_as_far_away_as_their_bone_is_long() {
        let mut camera = Camera::standing([640.0, 480.0], 500.0, 1.5, 0.1);
        let parent = Vector3::new(4.0, 0.2, 1.0);
        let pixel = camera.project(&(parent + Vector3::z() * 0.3)).unwrap();
        let children = |camera: &Camera, pixel: Vector2<f64>| {
            let picture = Picture {
                camera,
                fps: 25.0,
                pixels: Vec::new(),
                bones: [0.0; JOINTS],
                standing: 0.0,
            };
            [true, false].map(|is_far| picture.child(&parent, &pixel, 0.5, is_far))
        };
        let [far, near] = children(&camera, pixel);
        for child in [far, near] {
            assert!(((child - parent).norm() - 0.5).abs() < 1e-9, "{child}");
            assert!((camera.project(&child).unwrap() - pixel).norm() < 1e-6);
        }
        assert!(camera.to_camera(&far).z > camera.to_camera(&near).z);
        // A metre in front of this camera is, in floating point, where it stands.
        camera = Camera::standing([640.0, 480.0], 500.0, 0.0, 0.0);
        camera.translation.z = 1e20;
        for child in children(&camera, camera.center) {
            assert!(child.iter().all(|x| x.is_finite()), "{child}");
        }
    }
}
