//! Vertical force of the ground on each foot against the load that the reference poses imply, as a share of body
//! weight or, where that is more, of the load of both feet: a run's forces are off by more than a walk's. More weight:
//! feet that share the body's weight as those of the observed person do, and press less on the ground in between, at
//! the cost of the joints' places. Large errors count in proportion, not by their squares: they
//! are where the poses do not tell well when a foot comes or leaves.

use super::{Scope, Step, Term, Weighted, tempering, weighted};
use crate::simulation::GRAVITY;

pub const NAME: &str = "foot_load";

/// Share up to which errors count by their squares: several times what the reference is off by where it
/// tells rightly which feet stand (4 to 20 % RMS, [`FORCE_CUTOFF`](super::super::loads::FORCE_CUTOFF)).
const DOUBTFUL: f64 = 0.3;

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
            let error = |share: [f64; 2]| {
                let error = step.loads[foot].vertical / self.weight - share[foot];
                error / (share[0] + share[1]).max(1.0)
            };
            let error = reference.map_or(0.0, error);
            *out = self.scale * error / tempering((error / DOUBTFUL).powi(2));
        }
    }
}
