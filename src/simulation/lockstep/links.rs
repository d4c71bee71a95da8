//! One link in all copies.

use pulp::Simd;

use super::lanes::{Rotations, Symmetric, Vectors};

/// Where one link is in all copies.
#[derive(Clone, Copy)]
pub struct Links<S: Simd> {
    pub center: Vectors<S>,
    pub rotation: Rotations<S>,
    /// About the centre of mass, world frame, at the beginning of the step.
    pub inverse_inertia: Symmetric<S>,
}

/// The velocity of one link in all copies.
#[derive(Clone, Copy)]
pub struct Velocities<S: Simd> {
    pub linear: Vectors<S>,
    pub angular: Vectors<S>,
}
