//! Vertical force of the ground on each foot against the load that the reference poses imply, as a share of body
//! weight. More weight: feet that share the body's weight as those of the observed person do, and press less on the
//! ground in between, at the cost of the joints' places.

use super::{Scope, Step, Term, Weighted, weighted};
use crate::simulation::GRAVITY;

pub const NAME: &str = "foot_load";

struct FootLoad<'a> {
    scale: f64,
    /// Of the body, N.
    weight: f64,
    /// Shares of it in the step to every frame; none where the poses do not tell.
    reference: &'a [Option<[f64; 2]>],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.problem.weights.foot_load;
    weighted(weight, || FootLoad {
        scale: weight / (2.0 * scope.frames as f64).sqrt(),
        weight: scope.problem.body.mass() * GRAVITY,
        reference: &scope.problem.foot_loads,
    })
}

impl Term for FootLoad<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        2
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let reference = self.reference[step.frame];
        for (foot, out) in out.iter_mut().enumerate() {
            let error = |share: [f64; 2]| step.loads[foot] / self.weight - share[foot];
            *out = self.scale * reference.map_or(0.0, error);
        }
    }
}
