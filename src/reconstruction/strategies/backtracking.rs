//! Going back: windows that have led far off are taken back and settled again with more look-ahead.

use super::super::Start;
use super::super::exceeds;
use super::super::horizon::{Checkpoint, Horizon};

/// Windows that can be taken back.
const HISTORY: usize = 5;

impl Horizon<'_> {
    /// Notes where the window at hand starts, in `start`, so that it may be taken back.
    pub fn note_start(&mut self, start: &Start) {
        self.history.push_back(Checkpoint {
            first: self.first,
            world: start.world.clone(),
            knots: self.knots.clone(),
            windows: self.windows.len(),
        });
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    /// What is wrong with where the last windows have led: the last frame is too far off.
    fn complaint(&self) -> Option<String> {
        let frame = self.first;
        let last = self.errors.last().copied().unwrap_or_default();
        exceeds(last, self.settings.backtrack_error_mm)
            .then(|| format!("frame {frame} is {last:.0} mm off"))
    }

    /// Takes the last windows back when something is wrong with where they have led, each once.
    pub fn backtrack(&mut self) {
        if !self.settings.strategies.backtracking || self.first <= self.careful_until {
            return;
        }
        let Some(complaint) = self.complaint() else {
            return;
        };
        let until = self.careful_until;
        self.history.retain(|checkpoint| checkpoint.first >= until);
        let is_hopeless = |checkpoint: &Checkpoint| !self.may_retry(checkpoint.first);
        if self.history.front().is_some_and(is_hopeless) {
            if !std::mem::replace(&mut self.has_given_up, true) {
                self.news = Some(format!("{complaint}: no further retries"));
            }
            return;
        }
        let Some(checkpoint) = self.history.pop_front() else {
            return;
        };
        self.history.clear();
        self.news = Some(format!("{complaint}: back to frame {}", checkpoint.first));
        self.careful_until = self.first;
        self.first = checkpoint.first;
        self.jacobian = None;
        self.world = checkpoint.world;
        self.knots = checkpoint.knots;
        self.windows.truncate(checkpoint.windows);
        self.frames.truncate(self.first + 1);
        self.errors.truncate(self.first + 1);
        self.bad_in_a_row = 0;
    }
}
