//! Continuation: a window is approached from the bare reference, with virtual forces that fade out.

use super::super::horizon::{Attempt, Horizon};
use super::super::{Emphasis, PhysicsWindow};
use crate::error::Result;

/// Share of the weight of foot slip in the approach to a window: much of it traps some.
const EARLY_SLIP: f64 = 0.3;

impl<'a> Horizon<'a> {
    /// Approaches `window` from the bare reference, with virtual forces that fade out in stages of `pace`
    /// times half the evaluations of a window each, then without; only the last stage counts foot slip
    /// in full.
    pub fn approach(&mut self, window: PhysicsWindow<'a>, pace: usize) -> Result<Attempt<'a>> {
        let mut x = vec![0.0; window.point().len()];
        if !self.settings.strategies.continuation {
            return self.optimize(window, &x);
        }
        let mut spent = 0;
        let emphasis = window.emphasis();
        let mut window = window.with_emphasis(Emphasis {
            slip: EARLY_SLIP,
            ..emphasis
        });
        let stage = self.budget(pace * self.settings.evaluations.div_ceil(2));
        let last = self.budget(self.settings.evaluations);
        let shares = self
            .settings
            .assistance
            .iter()
            .map(|share| (*share, &stage));
        for (share, budget) in shares.chain([(0.0, &last)]) {
            window = window.with_assistance(share);
            let minimum = self.minimize(&window, &x, budget)?;
            spent += minimum.evaluations;
            x = minimum.x;
        }
        let attempt = self.optimize(window.with_emphasis(emphasis), &x)?;
        Ok(Attempt {
            evaluations: spent + attempt.evaluations,
            ..attempt
        })
    }
}
