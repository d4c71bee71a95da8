//! Reducing foot skate: a window in whose kept frames ankles would skate is solved again with more weight
//! on that.

use super::super::Emphasis;
use super::super::exceeds;
use super::super::horizon::{Attempt, Commitment, Horizon};
use crate::error::Result;
use crate::simulation::Frame;

/// How many times more skating counts where a window is optimized again for ankles that skate.
const FIRM: f64 = 3.0;

impl<'a> Horizon<'a> {
    /// Optimizes the window again from where `attempt` has led, with more weight on skating, when ankles
    /// would skate in the frames to keep, more than observed so far; takes it over when that helps.
    pub fn reduce_foot_skate(
        &mut self,
        mut attempt: Attempt<'a>,
    ) -> Result<(Attempt<'a>, Commitment)> {
        let commitment = self.simulate(&attempt);
        let is_lost = exceeds(attempt.loss, self.settings.retry_loss);
        if !self.settings.strategies.foot_skate || is_lost || !self.may_retry(self.first) {
            return Ok((attempt, commitment));
        }
        let before = self.surplus_skating(&[]);
        let after = self.surplus_skating(&commitment.frames);
        if after <= before.max(0) {
            return Ok((attempt, commitment));
        }
        let emphasis = Emphasis {
            skate: FIRM,
            ..attempt.window.emphasis()
        };
        let window = self.window(attempt.window.start().world.clone());
        let firm = self.optimize(window.with_emphasis(emphasis), &attempt.x())?;
        let firmly = self.simulate(&firm);
        self.retry_evaluations += firm.evaluations;
        attempt.evaluations += firm.evaluations;
        if self.surplus_skating(&firmly.frames) >= after {
            return Ok((attempt, commitment));
        }
        attempt.window = firm.window;
        attempt.knots = firm.knots;
        attempt.loss = firm.loss;
        Ok((attempt, firmly))
    }

    /// In how many of the last steps, and of those to the `next` frames, more ankles skate than observed.
    fn surplus_skating(&self, next: &[Frame]) -> isize {
        let from = self.recent();
        let excess = self.problem.standing_excess(&self.frames);
        let settled = &self.frames[from..];
        self.problem.surplus_skating(from, settled, next, excess)
    }
}
