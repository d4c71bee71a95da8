//! Projected joints against the keypoints of all cameras: the length in space that the distance is at the
//! reference pose, in units of 10 mm, weighted by confidence and saturated at about 50 mm. Only where there
//! are keypoints. More weight: nearer to what the cameras saw, their noise included.

use super::super::sighting::Sighting;
use super::{Scope, Step, Term, Weighted, weighted};
use crate::motion::JOINTS;

pub const NAME: &str = "reprojection";

struct Reprojection<'a> {
    scale: f64,
    views: usize,
    /// What the cameras saw, `views` entries for every frame.
    sightings: &'a [Sighting],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let problem = scope.problem;
    let weight = problem.weights.reprojection;
    let views = problem.views;
    weighted(weight, || Reprojection {
        scale: weight / (scope.frames as f64 * JOINTS as f64 * views as f64).sqrt(),
        views,
        sightings: &problem.sightings,
    })
}

impl Term for Reprojection<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        2 * JOINTS * self.views
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let seen = &self.sightings[step.frame * self.views..][..self.views];
        for (sighting, out) in seen.iter().zip(out.chunks_exact_mut(2 * JOINTS)) {
            sighting.residuals(&step.now.joints, self.scale, out);
        }
    }
}
