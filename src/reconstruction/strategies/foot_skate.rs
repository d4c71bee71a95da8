//! Reducing foot skate: a window in whose kept frames ankles would skate is solved again with more weight
//! on that.

use super::super::horizon::{Attempt, Commitment, Horizon};
use super::super::{Emphasis, PhysicsWindow};
use super::{RECENT, exceeds};
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
        let before = self.surplus_skating(&[]);
        let after = self.surplus_skating(&commitment.frames);
        let is_lost = exceeds(attempt.loss, self.settings.retry_loss);
        let is_on = self.settings.strategies.foot_skate;
        if !is_on || after <= before.max(0) || is_lost || !self.may_retry(self.first) {
            self.note_loss(attempt.loss);
            return Ok((attempt, commitment));
        }
        let firm = self.firm_window(&attempt);
        let start = firm.point_of(&attempt.knots);
        let firm = self.optimize(firm, &start)?;
        let firmly = self.simulate(&firm);
        self.retry_evaluations += firm.evaluations;
        attempt.evaluations += firm.evaluations;
        let helps = self.surplus_skating(&firmly.frames) < after;
        if helps {
            attempt.window = firm.window;
            attempt.knots = firm.knots;
            attempt.loss = firm.loss;
        }
        self.note_loss(attempt.loss);
        Ok((attempt, if helps { firmly } else { commitment }))
    }

    /// The window of `attempt` with more weight on skating.
    fn firm_window(&self, attempt: &Attempt<'a>) -> PhysicsWindow<'a> {
        self.window(attempt.window.start().world.clone())
            .with_emphasis(Emphasis {
                skate: FIRM,
                ..self.emphasis()
            })
    }

    /// In how many of the last steps, and of those to the `next` frames, more ankles skate than observed.
    fn surplus_skating(&self, next: &[Frame]) -> isize {
        let from = self.first.saturating_sub(self.recent_frames());
        let excess = self.problem.standing_excess(&self.frames);
        let settled = &self.frames[from..];
        self.problem.surplus_skating(from, settled, next, excess)
    }

    /// [`RECENT`] in frames.
    pub fn recent_frames(&self) -> usize {
        (RECENT * self.problem.motion.fps).round() as usize
    }

    /// Counts the windows in a row whose losses are far above those before.
    fn note_loss(&mut self, loss: f64) {
        match exceeds(loss, self.unusual_loss()) {
            true => self.unusual_in_a_row += 1,
            false => self.unusual_in_a_row = 0,
        }
    }
}
