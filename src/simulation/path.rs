//! Where a body goes: the states of its links, frame by frame.

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector2, Vector3};

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
    /// What the ground did to the feet `[right, left]`, means over the frame that ends here; nothing where the path
    /// begins.
    pub loads: [FootLoad; 2],
}

/// How the ground presses on a foot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FootLoad {
    /// Vertical force, N.
    pub vertical: f64,
    /// Its first moment: the sum of the vertical forces on the contact spheres, each times where the sphere's centre is
    /// at the end of the step, horizontally, N·m. Over the vertical force it is the centre of pressure.
    pub moment: Vector2<f64>,
    /// Horizontal force, world frame, N.
    pub friction: Vector2<f64>,
}

impl FootLoad {
    /// Adds `force`, N, on a sphere with its centre at `place`, m.
    pub fn add(&mut self, force: &Vector3<f64>, place: &Vector3<f64>) {
        self.vertical += force.z;
        self.moment += force.z * place.xy();
        self.friction += force.xy();
    }
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
