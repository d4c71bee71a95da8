//! One link in all copies.

use super::matrices::Symmetric;
use super::places::{Orientations, Places};
use super::vectors::Vectors;
use super::wide::Wide;

/// Where one link is in all copies.
#[derive(Clone, Copy)]
pub struct Links<W: Wide> {
    pub center: Places<W>,
    pub rotation: Orientations<W>,
    /// About the centre of mass, world frame, at the beginning of the step.
    pub inverse_inertia: Symmetric<W>,
}

/// The velocity of one link in all copies.
#[derive(Clone, Copy)]
pub struct Velocities<W: Wide> {
    pub linear: Vectors<W>,
    pub angular: Vectors<W>,
}
