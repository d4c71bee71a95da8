//! Joint accelerations against those of the smoothed observation, as the position error that 50 ms make of
//! the velocity error that 50 ms make of the difference. More weight: softer movements, and forces nearer
//! to those of the observed motion.

use nalgebra::Vector3;

use super::{JOINT_VECTORS, Scope, Step, Term, Weighted, weighted, write};
use crate::motion::{JOINTS, Joints};

pub const NAME: &str = "acceleration";

struct Acceleration<'a> {
    scale: f64,
    /// Of the smoothed observation, one entry per frame, m per frame².
    observed: &'a [Joints],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.problem.weights.acceleration;
    weighted(weight, || Acceleration {
        scale: scope.look_ahead().powi(2) * weight * scope.length_scale(JOINTS),
        observed: &scope.problem.accelerations,
    })
}

impl Term for Acceleration<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        JOINT_VECTORS
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let [now, before] = [step.now, step.before].map(|frame| &frame.joints);
        let observed = &self.observed[step.frame - 1];
        let error = |j: usize| {
            step.earlier.map_or(Vector3::zeros(), |earlier| {
                now[j] - 2.0 * before[j] + earlier.joints[j] - observed[j]
            })
        };
        write((0..JOINTS).map(|j| self.scale * error(j)), out);
    }
}
