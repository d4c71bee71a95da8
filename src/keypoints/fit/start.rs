//! Where the fit starts: from estimates, triangulation, or one view alone.

use nalgebra::Vector3;

use super::{lift, pixel_noise};
use crate::error::{Error, Result};
use crate::keypoints::{Observation, triangulate};
use crate::motion::skeleton::NAMES;
use crate::motion::{JOINTS, Joints};

/// Motions to start from.
pub struct Starts {
    /// The motions, all joints present.
    pub candidates: Vec<Vec<Joints>>,
    /// Whether only one camera and no estimate tell the depth.
    pub is_blind: bool,
    /// How surely each foot `[right, left]` stands, by its pixels, where only one view tells.
    pub contacts: Option<Vec<[f64; 2]>>,
    /// How they came about.
    pub notes: Vec<String>,
}

/// The starts for `observation`; `stature` in m.
pub fn starts(observation: &Observation, stature: f64) -> Result<Starts> {
    if let Some(estimates) = &observation.estimates {
        let joints = filled(estimates.clone(), &observation.name)?;
        return Ok(Starts {
            candidates: vec![joints],
            is_blind: false,
            contacts: None,
            notes: vec!["start: the 3D estimates".into()],
        });
    }
    if observation.views.len() > 1 {
        let joints = triangulated(observation);
        let all = observation.len() * JOINTS;
        let found = joints.iter().flatten().filter(|p| p.x.is_finite()).count();
        if 2 * found < all {
            let found = format!("views that agree on {found} of {all} joints");
            let advice =
                "check that keypoints and cameras are in the same order, and left and right";
            return Err(Error::input(
                &observation.name,
                "triangulation",
                found,
                advice,
            ));
        }
        let share = 100.0 * found as f64 / all as f64;
        let views = observation.views.len();
        return Ok(Starts {
            candidates: vec![filled(joints, &observation.name)?],
            is_blind: false,
            contacts: None,
            notes: vec![format!(
                "start: {share:.0} % of the joints triangulated from {views} views"
            )],
        });
    }
    let lifted = lift::lift(&observation.views[0], observation.fps, stature)?;
    Ok(Starts {
        candidates: lifted.candidates,
        is_blind: true,
        contacts: Some(lifted.contacts),
        notes: vec!["start: one view, lifted by bone lengths and ground contact".into()],
    })
}

/// All joints that can be triangulated; the others are NaN.
pub fn triangulated(observation: &Observation) -> Vec<Joints> {
    let noises: Vec<f64> = observation.views.iter().map(pixel_noise).collect();
    let noise = noises.iter().sum::<f64>() / noises.len() as f64;
    (0..observation.len())
        .map(|t| {
            std::array::from_fn(|j| {
                let p = triangulate(&observation.views, t, j, noise);
                p.unwrap_or_else(|| Vector3::repeat(f64::NAN))
            })
        })
        .collect()
}

/// Missing joints between the frames in which they are there, in a line.
fn filled(mut frames: Vec<Joints>, origin: &str) -> Result<Vec<Joints>> {
    for j in 0..JOINTS {
        let there: Vec<usize> = (0..frames.len())
            .filter(|t| frames[*t][j].iter().all(|x| x.is_finite()))
            .collect();
        let (Some(first), Some(last)) = (there.first(), there.last()) else {
            let advice = "every joint must be seen at some time by two cameras that agree";
            return Err(Error::input(
                origin,
                NAMES[j],
                "no position in any frame",
                advice,
            ));
        };
        for t in 0..*first {
            frames[t][j] = frames[*first][j];
        }
        for t in *last + 1..frames.len() {
            frames[t][j] = frames[*last][j];
        }
        for pair in there.windows(2) {
            let (a, b) = (frames[pair[0]][j], frames[pair[1]][j]);
            let steps = (pair[1] - pair[0]) as f64;
            for (k, frame) in (1..).zip(&mut frames[pair[0] + 1..pair[1]]) {
                frame[j] = a + (b - a) * (f64::from(k) / steps);
            }
        }
    }
    Ok(frames)
}
