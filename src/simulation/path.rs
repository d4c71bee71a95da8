//! Where a body goes: the states of its links, frame by frame.

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};

use crate::body::Body;

/// Position and velocity of a link, in the world frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkState {
    /// The centre of mass, m.
    pub center: Vector3<f64>,
    /// Orientation of the link frame.
    pub rotation: UnitQuaternion<f64>,
    /// Velocity of the centre of mass, m/s.
    pub linear: Vector3<f64>,
    /// Angular velocity, rad/s.
    pub angular: Vector3<f64>,
}

/// A body at one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PathFrame {
    /// The states of all links.
    pub links: Vec<LinkState>,
    /// Vertical forces of the ground on the feet `[right, left]`, means over the frame that ends here, N; zero where
    /// the path begins.
    pub loads: [f64; 2],
}

impl PathFrame {
    /// World poses of the link frames of `body`.
    pub fn link_poses(&self, body: &Body) -> Vec<Isometry3<f64>> {
        let poses = body.links.iter().zip(&self.links).map(|(link, state)| {
            let origin = state.center - state.rotation * link.center_of_mass;
            Isometry3::from_parts(Translation3::from(origin), state.rotation)
        });
        poses.collect()
    }
}

/// A body at a number of frames in a row.
pub type Path = Vec<PathFrame>;
