//! Acceleration of the centre of mass against that of the reference poses, low-passed, in m/s²: a body that
//! meets it is pushed by the ground as the observed one was (force = mass × acceleration). More weight:
//! better ground forces, at the cost of the joints' places.

use nalgebra::Vector3;

use super::{Scope, Step, Term, Weighted, weighted};

pub const NAME: &str = "mass_center";

struct MassCenter<'a> {
    scale: f64,
    fps: f64,
    /// Accelerations of the reference poses' centre of mass, one entry per frame, m/s².
    reference: &'a [Vector3<f64>],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.problem.weights.mass_center;
    weighted(weight, || MassCenter {
        scale: weight / (3.0 * scope.frames as f64).sqrt(),
        fps: scope.problem.motion.fps,
        reference: &scope.problem.mass_center_accelerations,
    })
}

impl Term for MassCenter<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        3
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let [now, before] = [step.now, step.before].map(|frame| frame.mass_center);
        let error = step.earlier.map_or(Vector3::zeros(), |earlier| {
            let acceleration = self.fps.powi(2) * (now - 2.0 * before + earlier.mass_center);
            acceleration - self.reference[step.frame - 1]
        });
        out.copy_from_slice((self.scale * error).as_slice());
    }
}
