//! The weights of the terms.

use serde::{Deserialize, Serialize};

/// Weights of the terms. All are ≥ 0; a term with weight 0 is not computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Joint positions, per 10 mm (mean over frames and joints). Default: 2.
    pub position: f64,
    /// Joint velocities, as the position error that 50 ms of the velocity error make. Default: 1.
    pub velocity: f64,
    /// How much more the velocity of an ankle counts while it is observed to stand, as a multiple of
    /// `velocity`: that is what keeps a foot in place. Default: 2.
    pub stance: f64,
    /// Ankles that would skate where the observed ones do not: how much slower they would have to be, per
    /// 0.1 m/s, or how much higher where the observed ones are high, per 5 mm, whichever is less. From
    /// keypoints: feet on the ground, how much slower their ankles or how much higher their soles. Default: 3.
    pub skate: f64,
    /// Joint accelerations against those of the smoothed observation, as the position error that 50 ms
    /// make of the velocity error that 50 ms make of the acceleration error. Default: 1.
    pub acceleration: f64,
    /// Joint jerks, as far as they are larger than 0.7 of the observed ones nearby, in the same way: 50 ms
    /// once more. Counts only while the simulated motion so far is jerkier than the observed one.
    /// Default: 1.3.
    pub jerk: f64,
    /// Capture point (centre of mass plus its velocity times √(h/g), horizontal), per 10 mm: where
    /// the body would come to rest, so that the window's end is worth something to the next.
    /// Default: 1.
    pub capture_point: f64,
    /// Acceleration of the centre of mass against that of the reference poses, low-passed at 12 Hz, per m/s².
    /// Default: 0.25.
    pub mass_center: f64,
    /// Vertical force on each foot against what the reference poses imply, per body weight or, where it is more, per load of
    /// both feet; above 0.3 it counts in proportion, not by its square. Default: 22.
    pub foot_load: f64,
    /// Horizontal force on each foot, in the same way; above 0.15 it counts in proportion. Default: 8.
    pub foot_shear: f64,
    /// Centre of pressure of each foot along the foot against where feet roll, per 10 mm and body weight; above 50 mm it
    /// counts in proportion, not by its square. Default: 0.6.
    pub pressure: f64,
    /// Balls of the feet, seen from the ankles, against the reference poses, per 10 mm. Default: 0.12.
    pub foot_direction: f64,
    /// Torque the PD controller asks for, as a share of the joint's limit. Default: 0.1.
    pub torque: f64,
    /// Joint rotation beyond its limit, rad. Default: 2.
    pub joint_limit: f64,
    /// Horizontal velocity of contact points on the ground, m/s. Default: 2.
    pub foot_slip: f64,
    /// Depth of contact points below the ground, per 10 mm. Default: 0.5.
    pub penetration: f64,
    /// Depth of the body in itself, per 10 mm, one residual for every two parts that come near each other. Default: 0.
    pub self_collision: f64,
    /// Distance of the projected joints from the keypoints of all cameras, as the length in space
    /// that it is at the reference pose, per 10 mm; weighted by confidence and saturated at about
    /// 50 mm. Only where there are keypoints. Default: 0.5.
    pub reprojection: f64,
    /// Size of the PD target offsets, rad. Default: 1.
    pub offset: f64,
    /// Change of the offsets from knot to knot, rad; counts more where jerks do. Default: 0.2.
    pub smoothness: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            position: 2.0,
            velocity: 1.0,
            stance: 2.0,
            skate: 3.0,
            acceleration: 1.0,
            jerk: 1.3,
            capture_point: 1.0,
            mass_center: 0.25,
            foot_load: 22.0,
            foot_shear: 8.0,
            pressure: 0.6,
            foot_direction: 0.12,
            torque: 0.1,
            joint_limit: 2.0,
            foot_slip: 2.0,
            penetration: 0.5,
            self_collision: 0.0,
            reprojection: 0.5,
            offset: 1.0,
            smoothness: 0.2,
        }
    }
}
