//! The terms of the loss and their weights.
//!
//! The loss of a window is ½ ‖r‖². Every term is a named block of residuals, scaled so that with
//! weight w it contributes ½ w² times a mean square of something readable: squared distances in
//! units of 10 mm, torques in units of their limit, radians, metres per second.

use nalgebra::{Isometry3, UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

use super::footing::{Footing, Height, STANDING_EXCESS};
use super::sighting::Sighting;
use crate::body::{Body, ContactPoint, Side, heights_of_foot};
use crate::metrics::third_difference;
use crate::motion::skeleton::ANKLES;
use crate::motion::{JOINTS, Joints};

/// Length that counts as one unit of position error, m.
pub(super) const POSITION_UNIT: f64 = 0.01;
/// Speed that counts as one unit of skating, m/s.
const SPEED_UNIT: f64 = 0.1;
/// Height that counts as one unit of skating, m.
const LIFT_UNIT: f64 = 0.005;
/// Share of the observed jerks that the simulated ones may have where jerks count.
const CALM: f64 = 0.7;
/// How many times more the change of the offsets counts where jerks count in full, for those come at the
/// knots: a half more there than in between. In all motions it would cost dances a quarter of accuracy.
const SMOOTHER: f64 = 30.0;
/// √(h/g) of a standing person's centre of mass (h ≈ 0.95 m), s.
const FALL_TIME: f64 = 0.31;
/// Height over which a contact point's slip fades out, m.
const SLIP_HEIGHT: f64 = 0.01;

/// Weights of the terms. All are ≥ 0; a term with weight 0 is not computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// Joint positions, per 10 mm (mean over frames and joints). Default: 1.
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
    /// Default: 1.
    pub jerk: f64,
    /// Capture point (centre of mass plus its velocity times √(h/g), horizontal), per 10 mm: where
    /// the body would come to rest, so that the window's end is worth something to the next.
    /// Default: 1.
    pub capture_point: f64,
    /// Torque the PD controller asks for, as a share of the joint's limit. Default: 0.1.
    pub torque: f64,
    /// Joint rotation beyond its limit, rad. Default: 2.
    pub joint_limit: f64,
    /// Horizontal velocity of contact points on the ground, m/s. Default: 2.
    pub foot_slip: f64,
    /// Depth of contact points below the ground, per 10 mm. Default: 0.5.
    pub penetration: f64,
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
            position: 1.0,
            velocity: 1.0,
            stance: 2.0,
            skate: 3.0,
            acceleration: 1.0,
            jerk: 1.0,
            capture_point: 1.0,
            torque: 0.1,
            joint_limit: 2.0,
            foot_slip: 2.0,
            penetration: 0.5,
            reprojection: 0.5,
            offset: 1.0,
            smoothness: 0.2,
        }
    }
}

/// Names of the terms, in the order of [`FrameTerms::sizes`] followed by the knot terms.
pub const TERM_NAMES: [&str; 13] = [
    "position",
    "velocity",
    "acceleration",
    "jerk",
    "capture_point",
    "torque",
    "joint_limit",
    "skate",
    "foot_slip",
    "penetration",
    "reprojection",
    "offset",
    "smoothness",
];

/// What the terms of one frame look at.
pub struct FrameState<'a> {
    /// World poses of the links.
    pub links: &'a [Isometry3<f64>],
    /// World poses of the links one frame earlier.
    pub previous: &'a [Isometry3<f64>],
    /// World poses of the links two frames earlier; without them the acceleration counts as right.
    pub earlier: Option<&'a [Isometry3<f64>]>,
    /// World poses of the links three frames earlier; without them the jerk counts as small.
    pub earliest: Option<&'a [Isometry3<f64>]>,
    /// PD targets of the links, rotation parent ← child.
    pub targets: &'a [UnitQuaternion<f64>],
    /// Observed joints of this frame and of the one before.
    pub observed: [&'a Joints; 2],
    /// The observed ankles `[right, left]` in the step to this frame.
    pub footings: [Footing; 2],
    /// Observed accelerations at the frame before, smoothed, m per frame².
    pub accelerations: &'a Joints,
    /// Sizes of the observed joints' jerks nearby, m per frame³.
    pub jerks: &'a [f64; JOINTS],
    /// Centre of mass of the reference pose at this frame and at the one before, m.
    pub reference_mass_center: [Vector3<f64>; 2],
    /// What the cameras saw; as many entries in every frame.
    pub sightings: &'a [Sighting],
}

/// The residuals of one frame.
pub struct FrameTerms {
    weights: Weights,
    /// The share of its weight with which the jerk counts.
    jerk_share: f64,
    /// How many times its weight skating counts.
    skate_share: f64,
    /// How much higher the simulated ankles `[right, left]` stand than the observed ones, m.
    standing_excess: [f64; 2],
    fps: f64,
    frames: usize,
    /// Number of cameras.
    views: usize,
    contact_points: Vec<ContactPoint>,
    limits: Vec<[[f64; 2]; 3]>,
    /// Radians of target error at which the motor reaches its torque limit, per link.
    saturation: Vec<f64>,
    parents: Vec<Option<usize>>,
}

impl FrameTerms {
    /// Terms for windows of `frames` frames at `fps`, seen by `views` cameras.
    pub fn new(body: &Body, weights: &Weights, fps: f64, frames: usize, views: usize) -> Self {
        Self {
            weights: weights.clone(),
            jerk_share: 0.0,
            skate_share: 1.0,
            standing_excess: [STANDING_EXCESS; 2],
            fps,
            frames,
            views,
            contact_points: ContactPoint::of(body),
            limits: body.links.iter().map(|link| link.joint.limits).collect(),
            saturation: body
                .links
                .iter()
                .map(|link| link.joint.torque_limit / link.joint.stiffness.max(1e-9))
                .collect(),
            parents: body.links.iter().map(|link| link.parent).collect(),
        }
    }

    /// Replaces the weight of foot slip, which must stay above 0 where it is.
    pub(super) fn set_foot_slip(&mut self, weight: f64) {
        self.weights.foot_slip = weight;
    }

    /// Counts the jerk with `share` of its weight, and the change of the offsets the more; without, the jerk
    /// does not count.
    pub(super) fn set_jerk_share(&mut self, share: f64) {
        self.jerk_share = share;
    }

    /// Counts skating with `share` times its weight.
    pub(super) fn set_skate_share(&mut self, share: f64) {
        self.skate_share = share;
    }

    /// Takes the simulated ankles `[right, left]` to stand so much higher than the observed ones, m.
    pub(super) fn set_standing_excess(&mut self, excess: [f64; 2]) {
        self.standing_excess = excess;
    }

    /// The weight of the change of the offsets.
    pub(super) fn smoothness(&self) -> f64 {
        self.weights.smoothness * (1.0 + SMOOTHER * self.jerk_share)
    }

    /// Sizes of the blocks of one frame, in the order of [`TERM_NAMES`].
    pub fn sizes(&self) -> [usize; 11] {
        let on = |weight: f64, size: usize| if weight > 0.0 { size } else { 0 };
        let joints = self.parents.len() - 1;
        [
            on(self.weights.position, 3 * JOINTS),
            on(self.weights.velocity, 3 * JOINTS),
            on(self.weights.acceleration, 3 * JOINTS),
            on(self.weights.jerk, JOINTS),
            on(self.weights.capture_point, 2),
            on(self.weights.torque, 3 * joints),
            on(self.weights.joint_limit, 3 * joints),
            on(self.weights.skate, ANKLES.len()),
            on(self.weights.foot_slip, 2 * self.contact_points.len()),
            on(self.weights.penetration, self.contact_points.len()),
            on(self.weights.reprojection, 2 * JOINTS * self.views),
        ]
    }

    /// Number of residuals of one frame.
    pub fn count(&self) -> usize {
        self.sizes().iter().sum()
    }

    /// Writes the residuals of one frame into `out`, `(count(),)`.
    pub fn evaluate(&self, body: &Body, state: &FrameState, out: &mut [f64]) {
        let mut out = out.iter_mut();
        let mut put = |value: f64| {
            if let Some(slot) = out.next() {
                *slot = value;
            }
        };
        let frames = self.frames as f64;
        let markers = body.marker_positions(state.links);
        let w = &self.weights;
        let scale = 1.0 / (POSITION_UNIT * (frames * JOINTS as f64).sqrt());
        let previous = body.marker_positions(state.previous);
        if w.position > 0.0 {
            let scale = w.position * scale;
            for (marker, observed) in markers.iter().zip(state.observed[0]) {
                (scale * (marker - observed)).iter().for_each(|e| put(*e));
            }
        }
        let rate = 0.05 * self.fps;
        if w.velocity > 0.0 {
            let scale = rate * w.velocity * scale;
            let mut shares = [1.0; JOINTS];
            for (ankle, footing) in ANKLES.into_iter().zip(state.footings) {
                shares[ankle] += w.stance * footing.stands;
            }
            for j in 0..JOINTS {
                let velocity = markers[j] - previous[j];
                let observed = state.observed[0][j] - state.observed[1][j];
                let scale = scale * shares[j];
                (scale * (velocity - observed)).iter().for_each(|e| put(*e));
            }
        }
        let earlier = state.earlier.map(|links| body.marker_positions(links));
        if w.acceleration > 0.0 {
            let scale = rate * rate * w.acceleration * scale;
            for j in 0..JOINTS {
                let error = earlier.as_ref().map_or(Vector3::zeros(), |earlier| {
                    markers[j] - 2.0 * previous[j] + earlier[j] - state.accelerations[j]
                });
                error.iter().for_each(|e| put(scale * e));
            }
        }
        if w.jerk > 0.0 {
            let scale = rate.powi(3) * w.jerk * self.jerk_share * scale;
            let earliest = state.earliest.filter(|_| scale > 0.0);
            let earliest = earliest.map(|links| body.marker_positions(links));
            let past = earlier.as_ref().zip(earliest.as_ref());
            for j in 0..JOINTS {
                put(past.map_or(0.0, |(earlier, earliest)| {
                    let jerk = third_difference([earliest, earlier, &previous, &markers], j);
                    scale * (jerk.norm() - CALM * state.jerks[j]).max(0.0)
                }));
            }
        }
        if w.capture_point > 0.0 {
            let scale = w.capture_point / (POSITION_UNIT * (2.0 * frames).sqrt());
            let capture = |now: Vector3<f64>, before: Vector3<f64>| {
                now + self.fps * (now - before) * FALL_TIME
            };
            let [now, before] = state.reference_mass_center;
            let error = capture(
                body.mass_center(state.links),
                body.mass_center(state.previous),
            ) - capture(now, before);
            put(scale * error.x);
            put(scale * error.y);
        }
        self.joint_terms(state, &mut put);
        if w.skate > 0.0 {
            let scale = self.skate_share * w.skate / (frames * ANKLES.len() as f64).sqrt();
            for (side, footing) in Side::BOTH.into_iter().zip(&state.footings) {
                let foot = side.index();
                let [now, before] = [&markers, &previous].map(|joints| joints[ANKLES[foot]]);
                put(footing.hold.map_or(0.0, |hold| {
                    let speed = self.fps * (now - before).xy().norm();
                    let fast = (speed - hold.speed) / SPEED_UNIT;
                    let lack = match hold.height {
                        Height::Ankle(height) => {
                            height + self.standing_excess[foot] - now.z.max(before.z)
                        }
                        Height::Sole(height) => {
                            let [now, before] = [state.links, state.previous].map(|links| {
                                heights_of_foot(&self.contact_points, side, links)
                                    .fold(f64::INFINITY, f64::min)
                            });
                            height - now.max(before)
                        }
                    };
                    scale * fast.min(lack / LIFT_UNIT).max(0.0)
                }));
            }
        }
        self.contact_terms(state, &mut put);
        if w.reprojection > 0.0 {
            let count = (frames * JOINTS as f64 * self.views as f64).sqrt();
            for sighting in state.sightings {
                sighting.residuals(&markers, w.reprojection / count, &mut put);
            }
        }
    }

    fn joint_terms(&self, state: &FrameState, put: &mut impl FnMut(f64)) {
        let joints = (self.parents.len() - 1) as f64;
        let scale = 1.0 / (self.frames as f64 * joints).sqrt();
        let rotation = |i: usize, parent: usize| {
            state.links[parent].rotation.inverse() * state.links[i].rotation
        };
        if self.weights.torque > 0.0 {
            for (i, parent) in self.parents.iter().enumerate() {
                let Some(parent) = *parent else { continue };
                let error = (rotation(i, parent).inverse() * state.targets[i]).scaled_axis();
                let share = self.weights.torque * scale / self.saturation[i] * error;
                share.iter().for_each(|e| put(*e));
            }
        }
        if self.weights.joint_limit > 0.0 {
            for (i, parent) in self.parents.iter().enumerate() {
                let Some(parent) = *parent else { continue };
                let angles = rotation(i, parent).scaled_axis();
                for (angle, [low, high]) in angles.iter().zip(&self.limits[i]) {
                    let beyond = (low - angle).max(0.0) - (angle - high).max(0.0);
                    put(self.weights.joint_limit * scale * beyond);
                }
            }
        }
    }

    fn contact_terms(&self, state: &FrameState, put: &mut impl FnMut(f64)) {
        // A mean over the points of a link, as if two feet stood.
        let of_point = |point: &ContactPoint| {
            1.0 / (self.frames as f64 * (ANKLES.len() * point.of) as f64).sqrt()
        };
        if self.weights.foot_slip > 0.0 {
            for point in &self.contact_points {
                let lowest = point.lowest(state.links);
                let slip = point.slip(&lowest, [state.links, state.previous]);
                let velocity = self.fps * slip;
                let contact = (-(lowest.z.max(0.0) / SLIP_HEIGHT).powi(2)).exp();
                let scale = self.weights.foot_slip * of_point(point) * contact;
                put(scale * velocity.x);
                put(scale * velocity.y);
            }
        }
        if self.weights.penetration > 0.0 {
            for point in &self.contact_points {
                let depth = (-point.lowest(state.links).z).max(0.0);
                put(self.weights.penetration * of_point(point) * depth / POSITION_UNIT);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::footing::{Height, Hold};
    use super::*;
    use crate::body::{self, Subject};
    use crate::motion::sample;

    /// The residuals of skate, `[right, left]`, of a body that slides by 2 cm in a step of 20 ms, 1 m/s,
    /// `lift` m above where it walks.
    fn skate_of(hold: [Option<Hold>; 2], lift: f64) -> Vec<f64> {
        let motion = sample("walk").unwrap();
        let body = body::fit(&motion, &Subject::default()).unwrap();
        let poses = body::reference_poses(&body, &motion).unwrap();
        let mut now = body.forward_kinematics(&poses[0]);
        for link in &mut now {
            link.translation.vector.z += lift;
        }
        let mut previous = now.clone();
        for link in &mut previous {
            link.translation.vector.x -= 0.02;
        }
        let terms = FrameTerms::new(&body, &Weights::default(), 50.0, 8, 0);
        let mut residuals = vec![0.0; terms.count()];
        let state = FrameState {
            links: &now,
            previous: &previous,
            earlier: None,
            earliest: None,
            targets: &poses[0].rotations,
            observed: [&motion.joints[0], &motion.joints[0]],
            footings: hold.map(|hold| Footing {
                stands: 0.0,
                skates: hold.is_none(),
                contact: 0.0,
                hold,
            }),
            accelerations: &Joints::default(),
            jerks: &[0.0; JOINTS],
            reference_mass_center: [Vector3::zeros(); 2],
            sightings: &[],
        };
        terms.evaluate(&body, &state, &mut residuals);
        let at = TERM_NAMES.iter().position(|name| *name == "skate").unwrap();
        let from: usize = terms.sizes()[..at].iter().sum();
        let ankles = body.marker_positions(&now);
        assert!(ANKLES.iter().all(|ankle| ankles[*ankle].z < 0.3));
        residuals[from..from + 2].to_vec()
    }

    /// The same for ankles that are to be as slow or as high as given, m/s and m.
    fn skate(hold: [Option<(f64, f64)>; 2]) -> Vec<f64> {
        let of = |(speed, height)| Hold {
            speed,
            height: Height::Ankle(height),
        };
        skate_of(hold.map(|hold| hold.map(of)), 0.0)
    }

    #[test]
    fn ankles_skate_when_they_are_faster_or_lower_than_observed() {
        // Three units of weight, two ankles, eight frames.
        let scale = 3.0 / 4.0;
        let of_speed = |speed| Some((speed, f64::INFINITY));
        let [right, left] = skate([of_speed(0.4), of_speed(1.5)])[..] else {
            unreachable!()
        };
        assert!((right - scale * 6.0).abs() < 1e-9, "{right}");
        assert_eq!(left, 0.0);
        // As little as makes it slow or high enough.
        let of_height = |height| Some((0.4, height));
        assert_eq!(skate([of_height(0.0), None]), [0.0, 0.0]);
        assert_eq!(skate([of_height(1.0), of_speed(0.4)]), [right, right]);
        let slow = |height| Some((-1e3, height));
        let low = skate([slow(1.005), None])[0] - skate([slow(1.0), None])[0];
        assert!((low - scale).abs() < 1e-9, "{low}");
    }

    #[test]
    fn feet_on_the_ground_skate_when_their_ankles_are_fast() {
        let holds = [Some(Hold::of_soles()); 2];
        // 0.55 m/s too fast, in units of 0.1, by the scale of the test above.
        for residual in skate_of(holds, -0.2) {
            assert!((residual - 0.75 * 5.5).abs() < 1e-9, "{residual}");
        }
        assert_eq!(skate_of(holds, 0.1), [0.0, 0.0]);
    }
}
