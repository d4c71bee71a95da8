//! Depth of contact points below the ground or in solids, in units of 10 mm. More weight: softer landings.

use super::places::Places;
use super::{POSITION_UNIT, Scope, Step, Term, Weighted, weighted};

pub const NAME: &str = "penetration";

struct Penetration<'a> {
    places: Places<'a>,
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.problem.weights.penetration;
    weighted(weight, || Penetration {
        places: Places::new(scope, weight),
    })
}

impl Term for Penetration<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        self.places.len()
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        for ((_, scale, place), out) in self.places.nearest(step).zip(out) {
            *out = scale * (-place.distance).max(0.0) / POSITION_UNIT;
        }
    }
}
