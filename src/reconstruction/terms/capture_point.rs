//! The capture point (centre of mass plus its velocity times √(h/g), horizontal; Pratt et al. 2006) against
//! that of the reference poses, in units of 10 mm: where the body would come to rest, so that the
//! window's end is worth something to the next. More weight: surer balance, less freedom of the trunk.

use nalgebra::Vector3;

use super::{POSITION_UNIT, Scope, Step, Term, Weighted, weighted};

pub const NAME: &str = "capture_point";

/// √(h/g) of a standing person's centre of mass (h ≈ 0.95 m), s.
const FALL_TIME: f64 = 0.31;

struct CapturePoint<'a> {
    scale: f64,
    fps: f64,
    /// Centres of mass of the reference poses, m.
    reference: &'a [Vector3<f64>],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.problem.weights.capture_point;
    weighted(weight, || CapturePoint {
        scale: weight / (POSITION_UNIT * (2.0 * scope.frames as f64).sqrt()),
        fps: scope.problem.motion.fps,
        reference: &scope.problem.mass_centers,
    })
}

impl CapturePoint<'_> {
    fn at(&self, now: Vector3<f64>, before: Vector3<f64>) -> Vector3<f64> {
        now + self.fps * (now - before) * FALL_TIME
    }
}

impl Term for CapturePoint<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        2
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let reference = self.at(self.reference[step.frame], self.reference[step.frame - 1]);
        let error = self.at(step.now.mass_center, step.before.mass_center) - reference;
        out[0] = self.scale * error.x;
        out[1] = self.scale * error.y;
    }
}
