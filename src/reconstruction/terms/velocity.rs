//! Joint velocities against those observed, as the position error that 50 ms of the difference make. An
//! ankle counts the more while it is observed to stand, which keeps a foot in place. More weight: movements
//! in time and feet that stay, rather than the exact place.

use super::{JOINT_VECTORS, Scope, Step, Term, Weighted, weighted, write};
use crate::motion::skeleton::ANKLES;
use crate::motion::{JOINTS, Joints};
use crate::reconstruction::footing::Footing;

pub const NAME: &str = "velocity";

struct Velocity<'a> {
    scale: f64,
    /// How much more the ankle counts that stands.
    stance: f64,
    observed: &'a [Joints],
    footings: &'a [[Footing; 2]],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let problem = scope.problem;
    let weight = problem.weights.velocity;
    weighted(weight, || Velocity {
        scale: scope.look_ahead() * weight * scope.length_scale(JOINTS),
        stance: problem.weights.stance,
        observed: &problem.motion.joints,
        footings: &problem.footings,
    })
}

impl Term for Velocity<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        JOINT_VECTORS
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let mut shares = [1.0; JOINTS];
        for (ankle, footing) in ANKLES.into_iter().zip(&self.footings[step.frame]) {
            shares[ankle] += self.stance * footing.stands;
        }
        let [now, before] = [step.frame, step.frame - 1].map(|t| &self.observed[t]);
        let error = |j: usize| {
            let velocity = step.now.joints[j] - step.before.joints[j];
            self.scale * shares[j] * (velocity - (now[j] - before[j]))
        };
        write((0..JOINTS).map(error), out);
    }
}
