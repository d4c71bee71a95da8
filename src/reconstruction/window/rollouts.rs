//! Rollouts that may be asked for again: those of the points looked at last, and of points that may be
//! looked at next, which idle threads simulate ahead.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Recorded;

/// Rollouts kept at least: those of the points that `lm-search` tries from one linearization, of which the
/// Jacobian at the best one needs its own again.
const KEPT: usize = 10;

/// The last rollouts of a window.
#[derive(Default)]
pub(super) struct Rollouts(Mutex<VecDeque<Kept>>);

struct Kept {
    x: Vec<f64>,
    assistance: f64,
    rollout: Arc<Recorded>,
}

impl Rollouts {
    /// The rollout at x with `assistance`, where it is kept.
    pub fn get(&self, x: &[f64], assistance: f64) -> Option<Arc<Recorded>> {
        let kept = self.lock();
        let mut kept = kept.iter();
        let found = kept.find(|kept| kept.assistance == assistance && kept.x == x)?;
        Some(found.rollout.clone())
    }

    /// Keeps `rollout`, for the oldest one.
    pub fn keep(&self, x: &[f64], assistance: f64, rollout: Arc<Recorded>) {
        let mut kept = self.lock();
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(Kept {
            x: x.to_vec(),
            assistance,
            rollout,
        });
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
