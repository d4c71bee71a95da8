//! Forward simulation of the body: from PD targets to a trajectory.

use nalgebra::{Isometry3, UnitQuaternion, Vector3};

/// The record of a rollout, one entry per observed frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trajectory {
    /// Frames per second, Hz.
    pub fps: f64,
    /// The frames, t = 0 being the initial state.
    pub frames: Vec<Frame>,
}

/// The simulated body at one instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// World pose of every link frame.
    pub links: Vec<Isometry3<f64>>,
    /// PD target of every link's joint, rotation parent ← child (identity for the root).
    pub targets: Vec<UnitQuaternion<f64>>,
    /// Motor torque on every link from its parent, averaged over the frame that ends here, world
    /// frame, N·m (zero for the root).
    pub torques: Vec<Vector3<f64>>,
    /// Ground contacts at the end of the frame.
    pub contacts: Vec<Contact>,
}

/// The force of the ground on a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contact {
    /// Index of the link.
    pub link: usize,
    /// Point of application (the centre of pressure of the link's contact), world frame, m.
    pub point: Vector3<f64>,
    /// Force on the link, averaged over the frame that ends here, world frame, N.
    pub force: Vector3<f64>,
}
