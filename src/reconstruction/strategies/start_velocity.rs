//! The velocity of the start: what five frames say of it is corrected together with the controls of the first
//! window.
//!
//! A body that starts at the wrong velocity is led back by its feet in the seconds that follow, and by nothing until they
//! touch the ground. Gauss–Newton steps in the controls and in the six numbers of a rigid motion that is added to
//! all links, damped as needed; after each, the controls again.

use nalgebra::{DMatrix, DVector, Vector3};

use super::super::exceeds;
use super::super::horizon::{Attempt, Horizon};
use crate::error::Result;
use crate::objective::{Residuals, gram};
use crate::optim::damped_step;
use crate::simulation::World;

/// Numbers of a rigid motion: linear velocity, then angular velocity.
const NUMBERS: usize = 6;

/// How well they are known, m/s and rad/s: what counts as much as a residual of 1. (5 mm in the first of five frames at 50
/// fps are 0.2 m/s; 0.25 m apart they are 0.8 rad/s.)
const UNCERTAINTY: [f64; NUMBERS] = [0.2, 0.2, 0.2, 0.8, 0.8, 0.8];

/// Step of the forward differences, in units of [`UNCERTAINTY`].
const DIFFERENCE: f64 = 5e-4;

/// Corrections at most, each after one that has lowered the loss by this share.
const ROUNDS: usize = 3;
const GAIN: f64 = 0.1;

/// Dampings that are tried in turn, as shares of the diagonal.
const DAMPINGS: [f64; 4] = [1e-2, 1e-1, 1.0, 10.0];

/// Lower bound of what they are shares of, as a share of the largest entry of the diagonal.
const SCALING_FLOOR: f64 = 1e-4;

/// Controls of the first window, and a rigid motion, in units of [`UNCERTAINTY`], that is added to its start.
#[derive(Clone)]
struct Point {
    x: Vec<f64>,
    motion: [f64; NUMBERS],
}

impl<'a> Horizon<'a> {
    /// Corrects the velocity in which the first window starts, and the controls that `attempt` has found for it, while its
    /// loss is above the one that is good enough.
    pub fn correct_start(&mut self, mut attempt: Attempt<'a>) -> Result<Attempt<'a>> {
        if !self.settings.strategies.start_velocity || self.first > 0 {
            return Ok(attempt);
        }
        let world = attempt.window.start().world.clone();
        let mut motion = [0.0; NUMBERS];
        for _ in 0..ROUNDS {
            if !exceeds(attempt.loss, self.settings.target_loss) {
                break;
            }
            let x = attempt.x();
            let jacobian = attempt.jacobian.as_ref().map(|last| last.matrix());
            let (next, looks) = self.step_start(&world, &Point { x, motion }, jacobian);
            self.evaluations += looks;
            attempt.evaluations += looks;
            let Some(next) = next else { break };
            let window = self.window(with_motion(&world, &next.motion));
            let corrected = self.optimize(window, &next.x)?;
            let gain = 1.0 - corrected.loss / attempt.loss;
            let evaluations = attempt.evaluations + corrected.evaluations;
            if gain > 0.0 {
                motion = next.motion;
                let attempts = attempt.attempts;
                attempt = Attempt {
                    attempts,
                    ..corrected
                };
            }
            attempt.evaluations = evaluations;
            if gain < GAIN {
                break;
            }
        }
        Ok(attempt)
    }

    /// A point near `at` with a lower loss, where there is one, `jacobian` being that of the controls, if it is known; and
    /// how many rollouts were looked at.
    fn step_start(
        &self,
        world: &World,
        at: &Point,
        jacobian: Option<&DMatrix<f64>>,
    ) -> (Option<Point>, usize) {
        let here = self.residuals_from(world, at);
        let controls = jacobian.map_or(0, DMatrix::ncols);
        let mut slopes = DMatrix::zeros(here.len(), controls + NUMBERS);
        if let Some(known) = jacobian {
            slopes.view_mut((0, 0), known.shape()).copy_from(known);
        }
        for k in 0..NUMBERS {
            let mut near = at.clone();
            near.motion[k] += DIFFERENCE;
            let slope = (self.residuals_from(world, &near) - &here) / DIFFERENCE;
            slopes.set_column(controls + k, &slope);
        }
        let (normal, gradient) = (gram(&slopes), slopes.tr_mul(&here));
        let mut looks = 1 + NUMBERS;
        for damping in DAMPINGS {
            let Some(step) = damped_step((&normal, &gradient), damping, SCALING_FLOOR) else {
                continue;
            };
            let next = Point {
                x: match controls {
                    0 => at.x.clone(),
                    _ => at.x.iter().zip(&step).map(|(x, step)| x + step).collect(),
                },
                motion: std::array::from_fn(|k| at.motion[k] + step[controls + k]),
            };
            looks += 1;
            if self.residuals_from(world, &next).norm() < here.norm() {
                return (Some(next), looks);
            }
        }
        (None, looks)
    }

    /// Residuals of the first window at `point`, from `world` with its motion added, and that motion.
    fn residuals_from(&self, world: &World, point: &Point) -> DVector<f64> {
        let window = self.window(with_motion(world, &point.motion));
        let residuals = window.residuals(&point.x);
        let all = residuals.iter().chain(&point.motion).copied();
        DVector::from_iterator(residuals.len() + NUMBERS, all)
    }
}

/// `world` with a rigid motion, in units of [`UNCERTAINTY`], about its middle added to all links.
fn with_motion(world: &World, motion: &[f64; NUMBERS]) -> World {
    let mut links = world.links();
    let middle = links.iter().map(|link| link.center).sum::<Vector3<f64>>() / links.len() as f64;
    let part =
        |from: usize| Vector3::from_fn(|axis, _| motion[from + axis] * UNCERTAINTY[from + axis]);
    let (linear, angular) = (part(0), part(3));
    for link in &mut links {
        link.linear += linear + angular.cross(&(link.center - middle));
        link.angular += angular;
    }
    let mut world = world.clone();
    world.place(&links);
    world
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::motion::sample;
    use crate::reconstruction::{Progress, Settings, TrackingProblem, optimizer_of_windows};

    #[test]
    fn a_start_at_the_wrong_velocity_is_corrected() {
        let settings = Settings::default();
        let clip = TrackingProblem::new(sample("walk").unwrap(), &settings).unwrap();
        let optimizer = optimizer_of_windows("lm-search", 0).unwrap();
        let mut observer = |_: &Progress<'_>| ControlFlow::Continue(());
        let mut run = Horizon::new(&clip, &settings, &*optimizer, &mut observer);
        let right = run.world.clone();
        run.world = with_motion(&right, &[2.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let attempt = run.approach(run.window(run.world.clone()), 1).unwrap();
        let (before, evaluations) = (attempt.loss, attempt.evaluations);
        let attempt = run.correct_start(attempt).unwrap();
        assert!(attempt.loss < 0.7 * before, "{} {before}", attempt.loss);
        assert!(attempt.evaluations > evaluations);
        let speed = |world: &World| {
            let links = world.links();
            links.iter().map(|link| link.linear.x).sum::<f64>() / links.len() as f64
        };
        let off = speed(&attempt.window.start().world) - speed(&right);
        assert!(off.abs() < 0.2, "{off} of 0.4 m/s");
    }
}
