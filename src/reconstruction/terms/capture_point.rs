//! The capture point (centre of mass plus its velocity times √(h/g), horizontal; Pratt et al. 2006) against
//! that of the reference poses, in units of 10 mm: where the body would come to rest, so that the
//! window's end is worth something to the next. h is the height of the reference's centre of mass in that
//! frame, at most that of the subject standing: 0.31 s for an adult, less for a child, and next to nothing for a
//! body that lies. More weight: surer balance, less freedom of the trunk.

use nalgebra::Vector3;

use super::{POSITION_UNIT, Scope, Step, Term, Weighted, weighted};
use crate::simulation::GRAVITY;

pub const NAME: &str = "capture_point";

/// Height of a standing person's centre of mass as a share of stature (Winter 2009).
const STANDING_HEIGHT: f64 = 0.55;

struct CapturePoint<'a> {
    scale: f64,
    fps: f64,
    /// Height of the standing subject's centre of mass, m.
    height: f64,
    /// Centres of mass of the reference poses, m.
    reference: &'a [Vector3<f64>],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.problem.weights.capture_point;
    weighted(weight, || CapturePoint {
        scale: weight / (POSITION_UNIT * (2.0 * scope.frames as f64).sqrt()),
        fps: scope.problem.motion.fps,
        height: STANDING_HEIGHT * scope.problem.body.stature,
        reference: &scope.problem.mass_centers,
    })
}

impl CapturePoint<'_> {
    /// Of a centre of mass at `now`, one frame after `before`, that falls over in `time`, s.
    fn at(&self, now: Vector3<f64>, before: Vector3<f64>, time: f64) -> Vector3<f64> {
        now + self.fps * (now - before) * time
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
        let [now, before] = [step.frame, step.frame - 1].map(|t| self.reference[t]);
        let time = (self.height.min(now.z).max(0.0) / GRAVITY).sqrt();
        let reference = self.at(now, before, time);
        let error = self.at(step.now.mass_center, step.before.mass_center, time) - reference;
        out[0] = self.scale * error.x;
        out[1] = self.scale * error.y;
    }
}
