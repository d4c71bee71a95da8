//! Retrying: a window that ends far above those before is approached anew.

use super::super::exceeds;
use super::super::horizon::{Attempt, Horizon};
use crate::error::Result;
use crate::motion::quantile;

/// What retries may cost: as many evaluations as everything else, and those of so many windows
/// more.
const PATIENCE: usize = 20;

/// A window whose loss is so many times the median of those before is tried again, unless it is below
/// `retry_loss` divided by the same number.
const UNUSUAL: f64 = 3.0;

/// Bad windows in a row of which one is tried again.
const BAD_ROW: usize = 3;

/// How much slower a window is approached that was approached already.
const SLOWER: usize = 3;

impl<'a> Horizon<'a> {
    /// Approaches the window of `attempt` anew when it ended badly; the better attempt.
    pub fn retry(&mut self, mut attempt: Attempt<'a>) -> Result<Attempt<'a>> {
        if !exceeds(attempt.loss, self.tolerated_loss()) {
            self.bad_in_a_row = 0;
            return Ok(attempt);
        }
        self.bad_in_a_row += 1;
        let is_on = self.settings.strategies.retry;
        if !is_on || self.bad_in_a_row % BAD_ROW != 1 || !self.may_retry(self.first) {
            return Ok(attempt);
        }
        let was_approached = self.first == 0 || self.is_careful();
        let world = match self.first {
            0 => self.problem.world_by_first_step(),
            _ => self.world.clone(),
        };
        let pace = if was_approached { SLOWER } else { 1 };
        let retry = self.approach(self.window(world.clone()), pace)?;
        attempt = self.better(attempt, retry);
        // Of a first window everything that follows depends: it is tried without virtual forces, too.
        if self.first == 0 && exceeds(attempt.loss, self.tolerated_loss()) {
            let window = self.window(world);
            let bare = vec![0.0; window.point().len()];
            let direct = self.optimize(window, &bare)?;
            attempt = self.better(attempt, direct);
        }
        self.correct_start(attempt)
    }

    /// The attempt that ends lower; what the `retry` has cost is counted in any case.
    fn better(&mut self, attempt: Attempt<'a>, retry: Attempt<'a>) -> Attempt<'a> {
        self.retry_evaluations += retry.evaluations;
        let evaluations = attempt.evaluations + retry.evaluations;
        let attempts = attempt.attempts + 1;
        let best = if retry.loss < attempt.loss {
            retry
        } else {
            attempt
        };
        Attempt {
            attempts,
            evaluations,
            ..best
        }
    }

    /// The loss above which a window is tried again: less where the windows before were much better, for
    /// then this one is in a poor minimum, out of which those after it seldom find.
    fn tolerated_loss(&self) -> f64 {
        self.unusual_loss().min(self.settings.retry_loss)
    }

    /// The loss that is far above those of the windows before; of the first window, the one above which it
    /// is tried again.
    fn unusual_loss(&self) -> f64 {
        let retry = self.settings.retry_loss;
        if self.windows.is_empty() {
            return retry;
        }
        let losses = self.windows.iter().map(|window| window.loss).collect();
        (UNUSUAL * quantile(losses, 0.5)).max(retry / UNUSUAL)
    }

    /// Whether trying again at `frame` may help: the body is not down by then, and retries have not
    /// cost more than they may.
    pub fn may_retry(&self, frame: usize) -> bool {
        let is_down = |error: &f64| exceeds(*error, self.settings.failure_mm);
        let regular = self.evaluations - self.retry_evaluations;
        let allowance = regular + PATIENCE * self.settings.evaluations;
        self.retry_evaluations <= allowance && !self.errors[..=frame].iter().any(is_down)
    }
}
