//! Joint jerks, as far as they are larger than a share of the observed ones nearby, as the position error
//! that three times 50 ms make of them. Counts only where a window's [`Emphasis`](super::Emphasis) says so.
//! More weight: less trembling, slower answers.

use super::{Scope, Step, Term, Weighted, weighted};
use crate::motion::{JOINTS, third_difference};

pub const NAME: &str = "jerk";

/// Share of the observed jerks that the simulated ones may have where jerks count.
pub const JERK_SHARE: f64 = 0.7;

struct Jerk<'a> {
    scale: f64,
    /// Sizes of the observed joints' jerks nearby, one entry per frame, m per frame³.
    observed: &'a [[f64; JOINTS]],
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let weight = scope.problem.weights.jerk;
    let share = scope.emphasis.jerk;
    weighted(weight, || Jerk {
        scale: scope.look_ahead().powi(3) * weight * share * scope.length_scale(JOINTS),
        observed: &scope.problem.jerks,
    })
}

impl Term for Jerk<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        JOINTS
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let past = step.earlier.zip(step.earliest);
        let Some((earlier, earliest)) = past.filter(|_| self.scale > 0.0) else {
            out.fill(0.0);
            return;
        };
        let frames = [earliest, earlier, step.before, step.now].map(|frame| &frame.joints);
        for (j, out) in out.iter_mut().enumerate() {
            let jerk = third_difference(frames, j).norm();
            *out = self.scale * (jerk - JERK_SHARE * self.observed[step.frame][j]).max(0.0);
        }
    }
}
