//! Forward simulation of the body: from PD targets to a trajectory.

use nalgebra::{Isometry3, UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

use crate::scene::Scene;

pub use contact::{Contact, Push};
pub use control::{ControlTrack, Knots};
pub use dynamics::net_moments;
pub use feet::{simulated_feet, simulated_flat_feet};
pub use lockstep::{Double, Lockstep, Precision, Single};
pub use path::{FootLoad, LinkState, Path, PathFrame};
pub use simulator::{Assistance, Drive, Rapier, Replica, Rollout, Simulator};
pub use turns::Touch;
pub(crate) use world::tangents;
pub use world::{Engine, Velocity, World};

mod contact;
mod control;
mod dynamics;
mod feet;
mod lockstep;
mod path;
mod simulator;
mod turns;
mod world;

/// Standard gravity, m/s².
pub const GRAVITY: f64 = 9.80665;

/// Distance from the ground from which on a sphere may touch it in the next timestep, m.
const PREDICTION: f64 = 0.02;

/// How the engine steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Physics {
    /// Simulation timestep, s. Default: 1/200. Smaller: more accurate, slower.
    pub timestep: f64,
    /// Solver iterations (each a substep of the engine) per timestep. Default: 4.
    pub solver_iterations: usize,
    /// Projected Gauss–Seidel sweeps per solver iteration. Default: 4. More: stiffer joints and
    /// motors, slower.
    pub pgs_iterations: usize,
    /// Natural frequency of the contact springs, Hz. Default: 60. Lower: smoother loss, feet sink
    /// deeper.
    pub contact_frequency: f64,
    /// Damping ratio of the contact springs. Default: 2.5.
    pub contact_damping_ratio: f64,
    /// Coulomb friction of feet on ground. Default: 0.9.
    pub friction: f64,
}

impl Default for Physics {
    fn default() -> Self {
        Self {
            timestep: 1.0 / 200.0,
            solver_iterations: 4,
            pgs_iterations: 4,
            contact_frequency: 60.0,
            contact_damping_ratio: 2.5,
            friction: 0.9,
        }
    }
}

impl Physics {
    /// The same physics with the largest timestep up to this one that goes into a frame at `fps` a
    /// whole number of times.
    pub fn at_rate(&self, fps: f64) -> Self {
        Self {
            timestep: 1.0 / (fps * self.steps_per_frame(fps) as f64),
            ..self.clone()
        }
    }

    /// Timesteps per frame at `fps`; at least one.
    pub fn steps_per_frame(&self, fps: f64) -> usize {
        (1.0 / (fps * self.timestep) - 1e-6).ceil().max(1.0) as usize
    }
}

/// The record of a rollout, one entry per observed frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trajectory {
    /// Frames per second, Hz.
    pub fps: f64,
    /// What there was to touch beside the ground.
    pub scene: Scene,
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
    /// Net moment on every link from its parent about the joint's centre ([`net_moments`]), averaged
    /// over the frame that ends here, world frame, N·m.
    pub moments: Vec<Vector3<f64>>,
    /// Ground contacts during the frame that ends here, at most one per link.
    pub contacts: Vec<Contact>,
    /// The same in every simulation step of it, in order; empty where they were not recorded.
    pub steps: Vec<Vec<Contact>>,
}

impl Frame {
    /// Adds `share` of `contact` to the frame's mean.
    pub fn add_contact(&mut self, contact: Contact, share: f64) {
        let contact = contact.scaled(share);
        let mut known = self.contacts.iter_mut();
        match known.find(|known| known.link == contact.link) {
            None => self.contacts.push(contact),
            Some(known) => *known = known.with(&contact),
        }
    }
}
