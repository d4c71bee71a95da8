//! Depth of the body in itself, capsule by capsule, in units of 10 mm: links meet no resistance of each other in the
//! simulation, so that the loss has to keep them apart. More weight: arms that stay outside of the trunk, and a motion
//! farther from an observation that has them inside.

use super::{Scope, Step, Term, Weighted, weighted};
use crate::body::CapsulePair;

pub const NAME: &str = "self_collision";

struct SelfCollision<'a> {
    pairs: &'a [CapsulePair],
    scale: f64,
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let pairs = scope.problem.overlaps.as_slice();
    weighted(scope.problem.weights.self_collision, || SelfCollision {
        pairs,
        scale: scope.problem.weights.self_collision * scope.length_scale(1),
    })
}

impl Term for SelfCollision<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        self.pairs.len()
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        for (pair, out) in self.pairs.iter().zip(out) {
            *out = self.scale * (-pair.distance(step.now.links)).max(0.0);
        }
    }
}
