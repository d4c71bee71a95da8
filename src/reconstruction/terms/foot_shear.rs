//! Horizontal force of the ground on each foot against what the reference poses imply, as a share of body weight or, where that is
//! more, of the load of both feet. More weight: feet that do not push against each other, and moments at hips and knees that
//! are nearer to measured ones, at the cost of the joints' places. Large errors count in proportion, not by their squares.

use nalgebra::Vector2;

use super::{Scope, Step, Term, Weighted, tempering, weighted};
use crate::simulation::GRAVITY;

pub const NAME: &str = "foot_shear";

/// Share up to which errors count by their squares: several times what the reference is off by in walks.
const DOUBTFUL: f64 = 0.15;

struct FootShear<'a> {
    scale: f64,
    /// Of the body, N.
    weight: f64,
    /// Shares of it in the step to every frame; none where the poses do not tell.
    reference: &'a [Option<[Vector2<f64>; 2]>],
    /// Vertical forces, in the same way.
    loads: &'a [Option<[f64; 2]>],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.problem.weights.foot_shear;
    weighted(weight, || FootShear {
        scale: weight / (2.0 * scope.frames as f64).sqrt(),
        weight: scope.problem.body.mass() * GRAVITY,
        reference: &scope.problem.foot_shears,
        loads: &scope.problem.foot_loads,
    })
}

impl Term for FootShear<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        4
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let known = self.reference[step.frame].zip(self.loads[step.frame]);
        for (foot, out) in out.chunks_mut(2).enumerate() {
            let error = known.map_or(Vector2::zeros(), |(shears, loads)| {
                let error = step.loads[foot].friction / self.weight - shears[foot];
                error / (loads[0] + loads[1]).max(1.0)
            });
            let scale = self.scale / tempering(error.norm_squared() / DOUBTFUL.powi(2));
            out.copy_from_slice((scale * error).as_slice());
        }
    }
}
