//! The torque that the PD controllers ask for, as a share of the joints' limits. More weight: less effort,
//! softer joints.

use super::{Scope, Step, Term, Weighted, weighted, write};
use crate::body::Link;

pub const NAME: &str = "torque";

struct Torque<'a> {
    scale: f64,
    links: &'a [Link],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let problem = scope.problem;
    let weight = problem.weights.torque;
    let joints = problem.body.links.len() - 1;
    weighted(weight, || Torque {
        scale: weight * (1.0 / (scope.frames as f64 * joints as f64).sqrt()),
        links: &problem.body.links,
    })
}

impl Term for Torque<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        3 * (self.links.len() - 1)
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let links = self.links.iter().enumerate();
        let shares = links.filter_map(|(i, link)| {
            let rotation = step.rotation(i, link.parent?);
            let error = (rotation.inverse() * step.targets[i]).scaled_axis();
            // The error, rad, at which the motor reaches its limit.
            let saturation = link.joint.torque_limit / link.joint.stiffness.max(1e-9);
            Some(self.scale / saturation * error)
        });
        write(shares, out);
    }
}
