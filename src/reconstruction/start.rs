//! Where a window starts.

use nalgebra::Isometry3;

use crate::simulation::World;

/// Where a window starts.
#[derive(Clone)]
pub struct Start {
    /// The world at the window's first frame.
    pub world: World,
    /// World poses of the links one frame and two frames earlier, from which the acceleration and the
    /// jerk at the first frame follow; fewer where the clip begins.
    pub past: Vec<Vec<Isometry3<f64>>>,
}
