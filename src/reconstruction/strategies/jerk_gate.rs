//! The gate of the jerk term: jerks count while the simulated motion is jerkier than the observed one.

use super::super::horizon::Horizon;

/// Jerks count from so many times the observed ones on, and in full where they are as large.
const CALM_ENOUGH: f64 = 0.9;

impl Horizon<'_> {
    /// The share of its weight with which the jerk counts: none while the last frames are calm enough.
    pub fn jerk_share(&self) -> f64 {
        if !self.settings.strategies.jerk_gate {
            return 0.0;
        }
        let jerkiness = self.problem.jerkiness(&self.frames, self.recent());
        ((jerkiness - CALM_ENOUGH) / (1.0 - CALM_ENOUGH)).clamp(0.0, 1.0)
    }
}
