//! Horizontal velocity of the matter at the lowest places of the contact spheres, as far as they are on the
//! ground, m/s. More weight: contacts that hold, and a landscape with more traps.

use super::{Scope, Step, Term, Weighted, weighted};
use crate::body::ContactPoint;
use crate::motion::skeleton::ANKLES;

pub const NAME: &str = "foot_slip";

/// Height over which a contact point's slip fades out, m.
const FADE: f64 = 0.01;

struct Slip {
    fps: f64,
    /// The points, with the scales of their residuals.
    points: Vec<(ContactPoint, f64)>,
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.emphasis.slip * scope.problem.weights.foot_slip;
    weighted(weight, || Slip {
        fps: scope.problem.motion.fps,
        points: contact_points(scope, weight),
    })
}

/// The contact points of the body with `weight` over the root of their number: means over the points of a
/// link, as if two feet stood.
pub(super) fn contact_points(scope: &Scope, weight: f64) -> Vec<(ContactPoint, f64)> {
    let points = ContactPoint::of(&scope.problem.body).into_iter();
    let scaled = |point: ContactPoint| {
        let count = scope.frames as f64 * (ANKLES.len() * point.of) as f64;
        (point, weight * (1.0 / count.sqrt()))
    };
    points.map(scaled).collect()
}

impl Term for Slip {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        2 * self.points.len()
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let [now, before] = [step.now.links, step.before.links];
        for ((point, scale), out) in self.points.iter().zip(out.chunks_exact_mut(2)) {
            let lowest = point.lowest(now);
            let velocity = self.fps * point.slip(&lowest, [now, before]);
            let contact = (-(lowest.z.max(0.0) / FADE).powi(2)).exp();
            out[0] = scale * contact * velocity.x;
            out[1] = scale * contact * velocity.y;
        }
    }
}
