//! Joint positions against those observed, in units of 10 mm. More weight: nearer to the joints, at the
//! cost of everything that makes the motion plausible.

use super::{JOINT_VECTORS, Scope, Step, Term, Weighted, weighted, write};
use crate::motion::{JOINTS, Joints};

pub const NAME: &str = "position";

struct Position<'a> {
    scale: f64,
    observed: &'a [Joints],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.problem.weights.position;
    weighted(weight, || Position {
        scale: weight * scope.length_scale(JOINTS),
        observed: &scope.problem.motion.joints,
    })
}

impl Term for Position<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        JOINT_VECTORS
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let joints = step.now.joints.iter().zip(&self.observed[step.frame]);
        write(joints.map(|(a, b)| self.scale * (a - b)), out);
    }
}
