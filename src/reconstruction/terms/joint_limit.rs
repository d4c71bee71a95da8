//! Joint rotations beyond their limits, rad. More weight: fewer joints bent further than people can, also
//! where the observation says so.

use super::{Scope, Step, Term, Weighted, weighted};
use crate::body::Link;

pub const NAME: &str = "joint_limit";

struct JointLimit<'a> {
    scale: f64,
    weight: f64,
    links: &'a [Link],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let problem = scope.problem;
    let weight = problem.weights.joint_limit;
    let joints = problem.body.links.len() - 1;
    weighted(weight, || JointLimit {
        scale: 1.0 / (scope.frames as f64 * joints as f64).sqrt(),
        weight,
        links: &problem.body.links,
    })
}

impl Term for JointLimit<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        3 * (self.links.len() - 1)
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let joints = self.links.iter().enumerate();
        let joints = joints.filter_map(|(i, link)| Some((i, link.parent?, &link.joint.limits)));
        for ((i, parent, limits), out) in joints.zip(out.chunks_exact_mut(3)) {
            let angles = step.rotation(i, parent).scaled_axis();
            for ((angle, [low, high]), out) in angles.iter().zip(limits).zip(out) {
                let beyond = (low - angle).max(0.0) - (angle - high).max(0.0);
                *out = self.weight * self.scale * beyond;
            }
        }
    }
}
