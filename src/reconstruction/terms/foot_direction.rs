//! Where the balls of the feet are, seen from the ankles, against the reference poses, in units of 10 mm. More weight:
//! feet that come down on their heels and leave over their toes as the poses say, at the cost of their balance.

use nalgebra::Vector3;

use super::{Scope, Step, Term, Weighted, weighted, write};
use crate::body::Ball;

pub const NAME: &str = "foot_direction";

struct FootDirection<'a> {
    scale: f64,
    balls: &'a [Ball],
    /// In every frame, one vector for each ball.
    reference: &'a [Vec<Vector3<f64>>],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.problem.weights.foot_direction;
    let balls = &scope.problem.balls;
    weighted(weight, || FootDirection {
        scale: weight * scope.length_scale(balls.len().max(1)),
        balls,
        reference: &scope.problem.ball_tracks,
    })
}

impl Term for FootDirection<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        3 * self.balls.len()
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let balls = self.balls.iter().zip(&self.reference[step.frame]);
        let errors = balls.map(|(ball, reference)| ball.from_ankle(step.now.links) - reference);
        write(errors.map(|error| self.scale * error), out);
    }
}
