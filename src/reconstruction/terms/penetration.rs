//! Depth of contact points below the ground, in units of 10 mm. More weight: softer landings.

use super::slip::contact_points;
use super::{POSITION_UNIT, Scope, Step, Term, Weighted, weighted};
use crate::body::ContactPoint;

pub const NAME: &str = "penetration";

struct Penetration {
    /// The points, with the scales of their residuals.
    points: Vec<(ContactPoint, f64)>,
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.problem.weights.penetration;
    weighted(weight, || Penetration {
        points: contact_points(scope, weight),
    })
}

impl Term for Penetration {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        self.points.len()
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        for ((point, scale), out) in self.points.iter().zip(out) {
            let depth = (-point.lowest(step.now.links).z).max(0.0);
            *out = scale * depth / POSITION_UNIT;
        }
    }
}
