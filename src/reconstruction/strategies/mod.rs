//! What helps where a window alone does not: a file each, and a switch each in [`Strategies`]. (Feedforward and inherited
//! Jacobians have switches here, and stand where they act: in the problem and in the window.)

mod backtracking;
mod continuation;
mod foot_skate;
mod jerk_gate;
mod retry;
mod start_velocity;

use serde::{Deserialize, Serialize};

/// Which strategies are on; all are by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Strategies {
    /// The first window, and every one that is tried again, is approached with virtual forces that fade out
    /// and with little weight on slip.
    pub continuation: bool,
    /// A window that ends far above those before is tried again.
    pub retry: bool,
    /// Windows that have led far off are taken back and solved again with more look-ahead.
    pub backtracking: bool,
    /// A window in whose kept frames ankles would skate is solved again with more weight on that.
    pub foot_skate: bool,
    /// Jerks count while the simulated motion is jerkier than the observed one.
    pub jerk_gate: bool,
    /// A window begins with the Jacobian in which the one before ended, as far as they overlap.
    pub inherit_jacobian: bool,
    /// PD targets lead so far that the motors already give what the reference poses need, by inverse dynamics.
    pub feedforward: bool,
    /// The velocity of the start is corrected together with the controls of the first window.
    pub start_velocity: bool,
}

impl Default for Strategies {
    fn default() -> Self {
        Self {
            continuation: true,
            retry: true,
            backtracking: true,
            foot_skate: true,
            jerk_gate: true,
            inherit_jacobian: true,
            feedforward: true,
            start_velocity: true,
        }
    }
}
