//! Velocity along the surface of the matter at the places where the contact spheres are nearest to one, as far as they
//! are on it, m/s. More weight: contacts that hold, and a landscape with more traps.

use super::places::Places;
use super::{Scope, Step, Term, Weighted, weighted};

pub const NAME: &str = "foot_slip";

/// Distance from the surface over which a contact point's slip fades out, m.
const FADE: f64 = 0.01;

/// Distance from the surface from which on nothing is left of it but rounding, m.
const GONE: f64 = 6.0 * FADE;

struct Slip<'a> {
    places: Places<'a>,
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.emphasis.slip * scope.problem.weights.foot_slip;
    weighted(weight, || Slip {
        places: Places::new(scope, weight),
    })
}

impl Term for Slip<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        2 * self.places.len()
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let nearest = self.places.nearest(step);
        for ((point, scale, place), out) in nearest.zip(out.chunks_exact_mut(2)) {
            if place.distance > GONE {
                out.fill(0.0);
                continue;
            }
            let velocity = self.places.slip(point, &place, step);
            let contact = (-(place.distance.max(0.0) / FADE).powi(2)).exp();
            out[0] = scale * contact * velocity[0];
            out[1] = scale * contact * velocity[1];
        }
    }
}
