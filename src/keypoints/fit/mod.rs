//! The kinematic fit: the 3D motion of a body with rigid bones that explains keypoints and
//! estimates best, over the whole clip at once.
//!
//! Variables are the joints' positions in every frame, bone lengths, stature, and the error of the
//! estimates' root. The cost is a sum of robust terms (terms.rs): reprojection errors weighted by
//! confidence, estimates up to an offset of the frame, rigid bones of standard proportions, human
//! accelerations, ground contact, and a few facts about trunks and knees. Gauss–Newton with
//! Levenberg's damping, on normal equations that are banded (system.rs).
//!
//! It starts from the estimates, from triangulation, or (lift.rs) from one view alone.

mod anatomy;
mod layout;
mod lift;
mod limbs;
mod picture;
mod posture;
mod start;
mod system;
mod terms;

use super::proportions;
use super::{Keypoint, Observation, people};
use crate::error::{Error, Result};
use crate::motion::quantile;
use crate::motion::skeleton::*;
use crate::motion::{JOINTS, Joints};
use anatomy::Anatomy;
use layout::Layout;
pub use start::triangulated;
use system::System;
use terms::Terms;

/// Rounds of the fit; contacts and directions are taken anew in each.
const ROUNDS: usize = 8;
/// Steps of a round.
const STEPS: usize = 8;
/// A round ends when a step lowers the cost by less than this share.
const STALL: f64 = 1e-4;

/// Lengths of all bones against the standard that one view alone may lead to.
const SCALES: std::ops::RangeInclusive<f64> = 0.85..=1.15;

/// Mean reprojection error, in expected errors, beyond which several views do not belong together.
const DISAGREEMENT: f64 = 6.0;

/// The fitted motion.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Joints, world frame, m.
    pub joints: Vec<Joints>,
    /// Standard deviation of every joint (root of the summed variances of its coordinates), m.
    pub sigma: Vec<[f64; JOINTS]>,
    /// Standing height, m.
    pub stature: f64,
    /// Cost per frame.
    pub cost: f64,
    /// One line for each thing found or assumed.
    pub notes: Vec<String>,
}

impl Fit {
    /// Mean uncertainty of a joint, m.
    pub fn uncertainty(&self) -> f64 {
        let count = (self.sigma.len() * JOINTS).max(1) as f64;
        self.sigma.iter().flatten().sum::<f64>() / count
    }
}

/// Fits the motion to `observation`; `stature` (m) if it is known.
///
/// # Errors
/// When too little was seen to start from, and when cameras, keypoints and estimates lead to no
/// motion in front of the cameras.
pub fn fit(observation: &Observation, stature: Option<f64>) -> Result<Fit> {
    let prior = stature.map_or(proportions::STATURE, |stature| (stature, 0.01));
    let starts = start::starts(observation, prior.0)?;
    let mut best: Option<Run> = None;
    for joints in starts.candidates {
        let mut run = Run::new(observation, &joints, prior, starts.is_blind);
        if let Some(contacts) = &starts.contacts {
            run.terms.anatomy.contacts.clone_from(contacts);
        }
        let run = run.minimize();
        if best.as_ref().is_none_or(|best| run.cost < best.cost) {
            best = Some(run);
        }
    }
    let Some(run) = best else {
        return Err(Error::Internal("a fit without a start".into()));
    };
    let mut notes = starts.notes;
    let fit = run.finish();
    check_finite(observation, &fit)?;
    check_views(observation, &fit.joints)?;
    check_front(observation, &fit.joints)?;
    notes.push(format!(
        "kinematic fit: stature {:.2} m, joints known to {:.0} mm on average (one σ)",
        fit.stature,
        1e3 * fit.uncertainty()
    ));
    Ok(Fit { notes, ..fit })
}

/// Refuses a motion that is none.
fn check_finite(observation: &Observation, fit: &Fit) -> Result<()> {
    let mut coordinates = fit.joints.iter().flatten().flat_map(|p| p.iter());
    if fit.cost.is_finite() && coordinates.all(|x| x.is_finite()) {
        return Ok(());
    }
    let (field, found) = ("kinematic fit", "no finite motion");
    let advice = "check the camera and the estimates";
    Err(Error::input(&observation.name, field, found, advice))
}

/// Refuses a motion behind a camera that sees it.
fn check_front(observation: &Observation, joints: &[Joints]) -> Result<()> {
    for view in &observation.views {
        let frames = view.frames.iter().zip(joints);
        let seen: Vec<&Joints> = frames
            .filter(|(keypoints, _)| keypoints.iter().any(Keypoint::is_seen))
            .map(|(_, joints)| joints)
            .collect();
        let is_behind = |p: &&&Joints| view.camera.project(&p[PELVIS]).is_none();
        let behind = seen.iter().filter(is_behind).count();
        if 2 * behind > seen.len() {
            let (name, all) = (&view.camera.name, seen.len());
            let found = format!("a body behind camera {name} in {behind} of {all} frames");
            let advice = "check the camera, and --estimates-frame where there are estimates";
            let field = "kinematic fit";
            return Err(Error::input(&observation.name, field, found, advice));
        }
    }
    Ok(())
}

/// Refuses several views that one body cannot explain.
fn check_views(observation: &Observation, joints: &[Joints]) -> Result<()> {
    let noise = observation
        .views
        .iter()
        .map(pixel_noise)
        .fold(0.0, f64::max);
    let error = observation.reprojection_error(joints).unwrap_or(0.0);
    if observation.views.len() < 2 || error < DISAGREEMENT * noise {
        return Ok(());
    }
    let found = format!("views that disagree by {error:.0} px on average");
    let advice = "check that keypoints and cameras are in the same order, and left and right";
    Err(Error::input(&observation.name, "views", found, advice))
}

/// A fit under way.
struct Run<'a> {
    terms: Terms<'a>,
    x: Vec<f64>,
    cost: f64,
    damping: f64,
}

impl<'a> Run<'a> {
    fn new(
        observation: &'a Observation,
        joints: &[Joints],
        stature: (f64, f64),
        is_blind: bool,
    ) -> Self {
        let has_estimates = observation.estimates.is_some();
        let layout = Layout {
            frames: joints.len(),
            stride: 3 * JOINTS + if has_estimates { 3 } else { 0 },
        };
        let mut x = vec![0.0; layout.chain() + layout.globals()];
        for (t, frame) in joints.iter().enumerate() {
            for (j, p) in frame.iter().enumerate() {
                x[layout.index(t, j)..][..3].copy_from_slice(p.as_slice());
            }
        }
        for (_, j) in bones() {
            x[layout.bone(j)] = proportions::bone(j).0 * stature.0;
        }
        x[layout.stature()] = stature.0;
        let camera = &observation.views[0].camera;
        let depths = joints.iter().map(|p| camera.to_camera(&p[PELVIS]).z);
        let terms = Terms {
            observation,
            layout,
            pixel_noise: observation.views.iter().map(pixel_noise).collect(),
            estimate_noise: observation.estimates.as_deref().map_or(1.0, estimate_noise),
            stature,
            anatomy: Anatomy::new(joints, observation.fps, stature.0, 0.2),
            depth: quantile(depths.collect(), 0.5).max(0.5),
            is_blind,
            standing_height: terms::STANDING_HEIGHT,
        };
        Self {
            terms,
            x,
            cost: f64::INFINITY,
            damping: 1e-2,
        }
    }

    fn minimize(mut self) -> Self {
        for round in 0..ROUNDS {
            let stature = self.x[self.terms.layout.stature()];
            // Heights are trusted more and more.
            let [least, most] = if self.terms.is_blind {
                [0.06, 0.4]
            } else {
                [0.03, 0.2]
            };
            let height = least + most * (-0.7 * round as f64).exp();
            let contacts = self.terms.anatomy.contacts.clone();
            self.terms.anatomy =
                Anatomy::new(&self.joints(), self.terms.observation.fps, stature, height);
            if self.terms.is_blind {
                self.terms.anatomy.contacts = contacts;
            }
            self.terms.standing_height =
                terms::STANDING_HEIGHT + 0.15 * (-0.7 * round as f64).exp();
            self.cost = self.cost_at(&self.x);
            for _ in 0..STEPS {
                let before = self.cost;
                if !self.step() || before - self.cost < STALL * before {
                    break;
                }
            }
        }
        self
    }

    /// Takes a step that lowers the cost; says whether there was one.
    fn step(&mut self) -> bool {
        let system = self.system();
        for _ in 0..6 {
            if let Some(factor) = system.factorize(self.damping) {
                let step = factor.solve(system.right());
                let trial: Vec<f64> = self.x.iter().zip(step.iter()).map(|(x, s)| x + s).collect();
                let cost = self.cost_at(&trial);
                if cost < self.cost {
                    self.x = trial;
                    self.cost = cost;
                    self.damping = (self.damping / 5.0).max(1e-6);
                    return true;
                }
            }
            self.damping *= 8.0;
        }
        false
    }

    fn cost_at(&self, x: &[f64]) -> f64 {
        // One view alone sees a tiny body close by as well: it is told by its bones.
        if self.terms.is_blind && !SCALES.contains(&self.terms.scale(x)) {
            return f64::INFINITY;
        }
        let mut cost = 0.0;
        self.terms.visit(x, &mut |r, loss, _| cost += loss.cost(r));
        cost
    }

    fn system(&self) -> System {
        let layout = &self.terms.layout;
        let mut system = System::new(layout.chain(), layout.globals(), 2 * layout.stride);
        let mut add = |r: f64, loss: terms::Loss, slopes: &[system::Slope]| {
            system.add(r, loss.weight(r), slopes);
        };
        self.terms.visit(&self.x, &mut add);
        system
    }

    fn joints(&self) -> Vec<Joints> {
        let layout = &self.terms.layout;
        let frame = |t| std::array::from_fn(|j| layout.point(&self.x, t, j));
        (0..layout.frames).map(frame).collect()
    }

    fn finish(self) -> Fit {
        let layout = &self.terms.layout;
        let variances = self
            .system()
            .factorize(0.0)
            .map(|factor| factor.variances());
        let sigma = |t: usize, j: usize| {
            let at = layout.index(t, j);
            variances.as_ref().map_or(f64::NAN, |variances| {
                variances[at..at + 3]
                    .iter()
                    .map(|v| v.max(0.0))
                    .sum::<f64>()
                    .sqrt()
            })
        };
        Fit {
            joints: self.joints(),
            sigma: (0..layout.frames)
                .map(|t| std::array::from_fn(|j| sigma(t, j)))
                .collect(),
            stature: self.x[layout.stature()],
            cost: self.cost / layout.frames as f64,
            notes: Vec::new(),
        }
    }
}

/// Expected error of a view's keypoints, px: what detectors reach, as a share of the person's
/// height in the image.
pub(super) fn pixel_noise(view: &super::View) -> f64 {
    let heights = view.frames.iter().map(people::height).filter(|h| *h > 0.0);
    (0.008 * quantile(heights.collect(), 0.5)).max(1.5)
}

/// Error of the estimates, m, from the median second difference of joints against the pelvis, of which
/// noise that is independent from frame to frame makes up √12 σ.
fn estimate_noise(frames: &[Joints]) -> f64 {
    let mut differences = Vec::new();
    for w in frames.windows(3) {
        for j in 0..JOINTS {
            let second = (w[0][j] - w[0][PELVIS]) - (w[1][j] - w[1][PELVIS]) * 2.0
                + (w[2][j] - w[2][PELVIS]);
            differences.extend(second.iter().filter(|d| d.is_finite()).map(|d| d.abs()));
        }
    }
    // Joint and pelvis both are noisy: 6 σ² each.
    let sigma = 1.4826 * quantile(differences, 0.5) / 12f64.sqrt();
    if sigma.is_finite() {
        sigma.clamp(0.015, 0.2)
    } else {
        0.05
    }
}
