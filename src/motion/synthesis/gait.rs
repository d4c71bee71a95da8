//! Walking, straight and on a curve.

use std::f64::consts::TAU;

use nalgebra::{UnitQuaternion, Vector3};

use super::balance::{GRAVITY, Quintic, balance, ease, state};
use super::curves::LegCurves;
use super::figure::{Figure, Posture};
use crate::motion::{Joints, Motion};

/// Share of the stride during which a foot is on the ground (Murray et al. 1964, free speed).
const STANCE: f64 = 0.62;

/// The phase from which the ankle follows the curves of hip and knee instead of the foot's pivot: the
/// foot rolls on over its toes, which the pivot about the ball does not know.
const SWING: f64 = 0.52;

/// The phase at which the hip passes over the ankle in [`LegCurves`].
const MIDSTANCE: f64 = 0.27;

/// Phase of the right leg at the start of the clip.
const START: f64 = 0.3;

/// Walked before and after the clip, s, so that the motion is in full swing at its ends.
const RUN_UP: f64 = 2.0;

/// Foot angles below about this (rad) are the curves' residue when the foot lies flat.
const FLAT: f64 = 0.12;

/// How far the legs are stretched at most: 1 would be straight.
const REACH: f64 = 0.995;

/// A walk, described.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Walk {
    /// Standing height, m.
    pub stature: f64,
    /// Speed along the path, m/s.
    pub speed: f64,
    /// Direction at the start about z, rad; 0 is along x.
    pub heading: f64,
    /// By how much the direction changes over the clip, rad; left is positive.
    pub turn: f64,
    /// Duration, s.
    pub seconds: f64,
    /// Frames per second, Hz.
    pub fps: f64,
}

impl Default for Walk {
    fn default() -> Self {
        Self {
            stature: 1.74,
            speed: 1.2,
            heading: 0.0,
            turn: 0.0,
            seconds: 3.0,
            fps: 50.0,
        }
    }
}

/// The motion of [`Walk`].
///
/// The feet come first: footprints along the path, each foot rocking over heel and ball by the foot
/// angle of Winter's curves and swinging between them along the path that his hip and knee angles
/// give the ankle. The centre of mass then moves as the cart-table model demands of a body that
/// steps so, and the pelvis and the knees follow from both.
pub fn walk(walk: &Walk) -> Motion {
    let gait = Gait::new(walk);
    let frame = 1.0 / walk.fps;
    let padding = (RUN_UP * walk.fps).round() as usize;
    let frames = (walk.seconds * walk.fps).round() as usize;
    let times: Vec<f64> = (0..frames + 2 * padding)
        .map(|t| (t as f64 - padding as f64) * frame)
        .collect();
    let pressure: Vec<_> = times.iter().map(|&t| gait.pressure(t)).collect();
    let bounce: Vec<f64> = times.iter().map(|&t| gait.bounce(t)).collect();
    let height = bounce
        .iter()
        .map(|bounce| 0.56 * walk.stature + bounce)
        .collect::<Vec<_>>();
    let center = balance(&pressure, &height, walk.fps);
    let clip = padding..padding + frames;
    let postures: Vec<_> = times[clip.clone()]
        .iter()
        .map(|&t| gait.posture(t))
        .collect();
    let tallest = |k: usize| {
        let at = center[padding + k];
        gait.figure.tallest(at, &postures[k], REACH) - bounce[padding + k]
    };
    let tallest = (0..frames).map(tallest).fold(f64::INFINITY, f64::min);
    let joints: Vec<Joints> = postures
        .iter()
        .zip(clip)
        .map(|(posture, t)| {
            let at = Vector3::new(center[t].x, center[t].y, tallest + bounce[t]);
            gait.figure.balanced(at, posture)
        })
        .collect();
    Motion {
        name: "walk".to_string(),
        fps: walk.fps,
        joints,
        toes: None,
        turns: None,
    }
}

/// A walk with everything that follows from it.
struct Gait {
    walk: Walk,
    figure: Figure,
    curves: LegCurves,
    /// Duration of a stride (two steps), s.
    stride: f64,
}

impl Gait {
    fn new(walk: &Walk) -> Self {
        // Step length over cadence is constant: 0.0065 m per step/min (Sekiya et al. 1996).
        let step = (0.0065 * 60.0 * walk.speed).sqrt() * walk.stature / 1.74;
        Self {
            walk: *walk,
            figure: Figure {
                stature: walk.stature,
            },
            curves: LegCurves::winter(),
            stride: 2.0 * step / walk.speed,
        }
    }

    /// Phase of the leg on `side` (0 right, 1 left) at time `t`; whole numbers are heel contacts.
    fn phase(&self, side: usize, t: f64) -> f64 {
        t / self.stride + START + 0.5 * side as f64
    }

    /// When the leg on `side` has `phase`.
    fn time(&self, side: usize, phase: f64) -> f64 {
        (phase - START - 0.5 * side as f64) * self.stride
    }

    /// Direction of the path at time `t`, rad.
    fn heading(&self, t: f64) -> f64 {
        let Walk {
            heading,
            turn,
            seconds,
            ..
        } = self.walk;
        heading + turn * ease(t, 0.1 * seconds, 0.9 * seconds)
    }

    /// The point of the path that is reached at time `t`.
    fn path(&self, t: f64) -> Vector3<f64> {
        // Midpoint rule; footprints need no more.
        let steps = 400;
        let h = t / f64::from(steps);
        (0..steps).fold(Vector3::zeros(), |at, k| {
            let heading = self.heading((f64::from(k) + 0.5) * h);
            at + Vector3::new(heading.cos(), heading.sin(), 0.0) * (self.walk.speed * h)
        })
    }

    /// Where the sole of the foot on `side` lies in its `stride`-th stance, and its direction.
    fn footprint(&self, side: usize, stride: f64) -> (Vector3<f64>, f64) {
        let t = self.time(side, stride + MIDSTANCE);
        let sign = if side == 0 { -1.0 } else { 1.0 };
        let heading = self.heading(t);
        // Half the step width, and 6° toe-out (Murray et al. 1964).
        let left = Vector3::new(-heading.sin(), heading.cos(), 0.0);
        (
            self.path(t) + left * (sign * 0.03 * self.walk.stature),
            heading + sign * 0.1,
        )
    }

    /// Position of the ankle at time `t`, were the foot in its `stride`-th stance.
    fn stance(&self, side: usize, stride: f64, t: f64) -> Vector3<f64> {
        let (sole, heading) = self.footprint(side, stride);
        let angle = self.curves.foot(self.phase(side, t));
        let pitch = angle.powi(3) / (angle * angle + FLAT * FLAT);
        self.figure.ankle(sole, heading, pitch)
    }

    /// Position of the ankle at time `t`, and the direction of the foot.
    fn ankle(&self, side: usize, t: f64) -> (Vector3<f64>, f64) {
        let phase = self.phase(side, t);
        let stride = phase.floor();
        let heading = self.footprint(side, stride).1;
        if phase - stride <= SWING {
            return (self.stance(side, stride, t), heading);
        }
        let [lift, land] = [SWING, 1.0].map(|phase| self.time(side, stride + phase));
        let next = self.footprint(side, stride + 1.0).1;
        let heading = heading + (next - heading) * ease(t, lift, land);
        (self.swing(side, stride, t), heading)
    }

    /// Position of the ankle at time `t` in the swing between two stances.
    fn swing(&self, side: usize, stride: f64, t: f64) -> Vector3<f64> {
        let [lift, land] = [SWING, 1.0].map(|phase| self.time(side, stride + phase));
        let from = self.stance(side, stride, lift);
        let to = self.stance(side, stride + 1.0, land);
        let (first, last) = (self.nominal(side, lift), self.nominal(side, land));
        let base = |t: f64, k: usize| {
            let nominal = self.nominal(side, t);
            let along = (nominal.x - first.x) / (last.x - first.x);
            if k == 2 {
                nominal.z
            } else {
                from[k] + (to[k] - from[k]) * along
            }
        };
        // What is missing to leave one stance and meet the next in place and velocity. (The ground
        // takes care of the acceleration.)
        let missing = |stride: f64, at: f64, k: usize| {
            state(|t| self.stance(side, stride, t)[k] - base(t, k), at)
        };
        let (left, lands) = (lift + 0.5 * (land - lift), land - 0.25 * (land - lift));
        Vector3::from_fn(|k, _| {
            let [place, rate, _] = missing(stride, lift, k);
            let [place_there, rate_there, _] = missing(stride + 1.0, land, k);
            let leaving = Quintic::new(lift, [0.0, rate, 0.0], left, [0.0; 3]);
            let landing = Quintic::new(lands, [0.0; 3], land, [0.0, rate_there, 0.0]);
            let places = place + (place_there - place) * ease(t, lift, land);
            base(t, k) + places + leaving.value(t.min(left)) + landing.value(t.max(lands))
        })
    }

    /// The ankle of the mean curves in the sagittal plane, under a hip that moves evenly ahead.
    fn nominal(&self, side: usize, t: f64) -> Vector3<f64> {
        let phase = self.phase(side, t);
        let [thigh, knee] = self.curves.leg(phase);
        let hip = Vector3::new(self.walk.speed * self.stride * phase, 0.0, self.bounce(t));
        hip + self.figure.hip_to_ankle(thigh, knee)
    }

    /// Centre of pressure at time `t`: under each foot it moves from before the ankle to beyond the
    /// ball, and from foot to foot while both are on the ground.
    fn pressure(&self, t: f64) -> Vector3<f64> {
        let side = |side: usize| {
            let phase = self.phase(side, t);
            let (stride, phase) = (phase.floor(), phase - phase.floor());
            let (sole, heading) = self.footprint(side, stride);
            let load = ease(phase, 0.0, STANCE - 0.5) - ease(phase, 0.5, STANCE);
            let ball = self.figure.ball(sole, heading);
            (sole + (ball - sole) * (0.3 + 0.9 * ease(phase, 0.05, 0.55))) * load
        };
        side(0) + side(1)
    }

    /// Height of the centre of mass at time `t` relative to its mean: lowest when both feet are on
    /// the ground, as on a compass whose legs give a little.
    fn bounce(&self, t: f64) -> f64 {
        let step = self.walk.speed * self.stride / 2.0;
        let rise = 0.8 * step * step / (8.0 * 0.54 * self.walk.stature);
        -rise / 2.0 * (2.0 * TAU * (self.phase(0, t) - (STANCE - 0.5) / 2.0)).cos()
    }

    /// What the body does at time `t`, apart from where it is.
    fn posture(&self, t: f64) -> Posture {
        let ankles = [self.ankle(0, t), self.ankle(1, t)];
        let vigour = self.walk.speed / 1.3;
        let phase = TAU * self.phase(0, t);
        let heading = self.heading(t);
        let rate = state(|t| self.heading(t), t)[1];
        let lean = -(self.walk.speed * rate / GRAVITY).atan();
        // Pelvis: 4° of rotation to each side and 3° of drop to the side of the swinging leg;
        // shoulders against it; arms from 24° back to 8° forward (Murray et al. 1964, 1967).
        let rotation = 0.07 * vigour * phase.cos();
        let arm = 0.28 * vigour * phase.cos();
        let drop = -0.05 * vigour * (phase + 0.3).sin();
        Posture {
            pelvis: UnitQuaternion::from_euler_angles(drop + 0.5 * lean, 0.03, heading + rotation),
            trunk: UnitQuaternion::from_euler_angles(lean, 0.05, heading - rotation),
            ankles: ankles.map(|(ankle, _)| ankle),
            headings: ankles.map(|(_, heading)| heading),
            shoulders: [-0.14 - arm, -0.14 + arm],
            elbows: [0.45 - 0.5 * arm, 0.45 + 0.5 * arm],
        }
    }
}
