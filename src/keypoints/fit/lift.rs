//! A first 3D motion from one view: depth from ground contact and the length of the trunk, then for
//! every bone one of the two directions in which it has its length ([`limbs`](super::limbs)).

use nalgebra::Vector3;

use super::limbs;
use super::picture::Picture;
use crate::error::Result;
use crate::keypoints::View;
use crate::motion::Joints;
use crate::motion::contact::standing_at_speed;
use crate::motion::quantile;
use crate::motion::skeleton::*;

/// Depths by ground contact count when they are within this factor of those by size.
const AGREEMENT: f64 = 1.3;

/// What one view suggests.
pub struct Lifted {
    /// Motions to start from.
    pub candidates: Vec<Vec<Joints>>,
    /// How surely each foot `[right, left]` stands in every frame, in [0, 1].
    pub contacts: Vec<[f64; 2]>,
}

/// Motions that fit the view, for a body `stature` m tall: the most plausible choice of
/// directions, and the most plausible in which the body faces the other way. And how surely each
/// foot stands.
pub fn lift(view: &View, fps: f64, stature: f64) -> Result<Lifted> {
    let picture = Picture::of(view, fps, stature)?;
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
            standing_at_speed(speed)
        })
        .collect()
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
