//! Centre of pressure of each foot along the foot against where feet roll under a body that travels, per 10 mm, weighed
//! by the share of body weight that the foot carries. More weight: feet that roll from heel to toe, moments at the ankles that are nearer to
//! measured ones, at the cost of the joints' places. Large errors count in proportion, not by their squares.

use super::{Scope, Step, Term, Weighted, tempering, weighted};
use crate::reconstruction::loads::Pressure;
use crate::simulation::GRAVITY;

pub const NAME: &str = "pressure";

/// Distance up to which errors of a foot that carries the whole body count by their squares, m: twice what the reference
/// is off by.
const DOUBTFUL: f64 = 0.05;

struct CenterOfPressure<'a> {
    scale: f64,
    /// Of the body, N.
    weight: f64,
    /// In the step to every frame.
    reference: &'a [[Option<Pressure>; 2]],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.problem.weights.pressure;
    weighted(weight, || CenterOfPressure {
        scale: weight * scope.length_scale(2),
        weight: scope.problem.body.mass() * GRAVITY,
        reference: &scope.problem.pressures,
    })
}

impl Term for CenterOfPressure<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        2
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let reference = self.reference[step.frame];
        for (foot, out) in out.iter_mut().enumerate() {
            let load = step.loads[foot];
            let error = reference[foot].map_or(0.0, |reference| {
                let moment = load.moment - load.vertical * reference.center;
                reference.rolls * reference.ahead.dot(&moment) / self.weight
            });
            *out = self.scale * error / tempering((error / DOUBTFUL).powi(2));
        }
    }
}
