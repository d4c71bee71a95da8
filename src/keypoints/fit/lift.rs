//! A first 3D motion from one view: depth from ground contact and the length of the trunk, then for
//! every bone one of the two directions in which it has its length ([`limbs`](super::limbs)).

use nalgebra::{Vector2, Vector3};

use super::limbs;
use crate::error::{Error, Result};
use crate::keypoints::proportions::{self, ANKLE_HEIGHT};
use crate::keypoints::{Keypoints, View};
use crate::motion::calibration::quantile;
use crate::motion::camera::Camera;
use crate::motion::skeleton::*;
use crate::motion::{JOINTS, Joints};

/// Depths by ground contact count when they are within this factor of those by size.
const AGREEMENT: f64 = 1.3;

/// Speed at which a foot hardly stands, m/s.
const STANDING_SPEED: f64 = 0.35;

/// What one view suggests.
pub struct Lifted {
    /// Motions to start from.
    pub candidates: Vec<Vec<Joints>>,
    /// How surely each foot `[right, left]` stands in every frame, in [0, 1].
    pub contacts: Vec<[f64; 2]>,
}

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

/// Motions that fit the view, for a body `stature` m tall: the most plausible choice of
/// directions, and the most plausible in which the body faces the other way. And how surely each
/// foot stands.
pub fn lift(view: &View, fps: f64, stature: f64) -> Result<Lifted> {
    let picture = Picture {
        camera: &view.camera,
        fps,
        pixels: bridged(&view.frames, &view.camera.name)?,
        bones: proportions::bones(stature),
        standing: ANKLE_HEIGHT * stature,
    };
    let depths = depths(&picture);
    let feet = ANKLES.map(|ankle| standing(&picture, &depths, ankle));
    let contacts = feet[0]
        .iter()
        .zip(&feet[1])
        .map(|(right, left)| [*right, *left]);
    Ok(Lifted {
        candidates: limbs::hypotheses(&picture, &depths),
        contacts: contacts.collect(),
    })
}

/// How surely `ankle` stands in every frame, in [0, 1]: by its speed if it were on the ground.
fn standing(picture: &Picture, depths: &[f64], ankle: usize) -> Vec<f64> {
    let camera = picture.camera;
    let points: Vec<Vector3<f64>> = picture
        .pixels
        .iter()
        .zip(depths)
        .map(|(p, depth)| {
            let ground = camera.on_plane(&p[ankle], picture.standing);
            ground.unwrap_or_else(|| camera.unproject(&p[ankle], *depth))
        })
        .collect();
    let reach = (0.06 * picture.fps).round().max(1.0) as usize;
    let mean = |t: usize| {
        let near = t.saturating_sub(reach)..(t + reach + 1).min(points.len());
        let count = near.len() as f64;
        points[near].iter().sum::<Vector3<f64>>() / count
    };
    (0..points.len())
        .map(|t| {
            let (a, b) = (t.saturating_sub(reach), (t + reach).min(points.len() - 1));
            let seconds = (b - a).max(1) as f64 / picture.fps;
            let velocity = camera.rotation * (mean(b) - mean(a)) / seconds;
            // Pixels tell little about motion along the depth.
            let speed = velocity
                .xy()
                .norm()
                .hypot((velocity.z.abs() - 0.3).max(0.0));
            (-(speed / STANDING_SPEED).powi(2)).exp()
        })
        .collect()
}

impl Picture<'_> {
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

/// Depth of the pelvis by frame, m: where the lower foot meets the ground, if that agrees with the
/// size of the trunk, else by that.
fn depths(picture: &Picture) -> Vec<f64> {
    let camera = picture.camera;
    let trunk = picture.bones[SPINE] + picture.bones[THORAX];
    let raw: Vec<f64> = picture
        .pixels
        .iter()
        .map(|p| {
            let apart = camera.normalized(&p[THORAX]) - camera.normalized(&p[PELVIS]);
            let by_size = trunk / apart.norm().max(1e-3);
            let lower = ANKLES
                .map(|j| p[j])
                .into_iter()
                .max_by(|a, b| a.y.total_cmp(&b.y));
            let ground = lower.and_then(|pixel| camera.on_plane(&pixel, picture.standing));
            let by_ground = ground.map(|p| camera.to_camera(&p).z);
            let agrees = |z: &f64| (z / by_size).max(by_size / z) < AGREEMENT;
            by_ground.filter(agrees).unwrap_or(by_size)
        })
        .collect();
    let reach = (0.25 * picture.fps).round() as usize;
    let near = |t: usize| t.saturating_sub(reach)..(t + reach + 1).min(raw.len());
    let medians: Vec<f64> = (0..raw.len())
        .map(|t| quantile(raw[near(t)].to_vec(), 0.5))
        .collect();
    (0..raw.len())
        .map(|t| near(t).map(|s| medians[s]).sum::<f64>() / near(t).len() as f64)
        .collect()
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
