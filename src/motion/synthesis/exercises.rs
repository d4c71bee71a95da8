//! Motions on the spot: standing, squatting, jumping.

use nalgebra::{UnitQuaternion, Vector3};

use super::balance::{GRAVITY, Quintic, balance, ease, state};
use super::figure::{Figure, Posture};
use crate::motion::Motion;

/// Where the pressure lies under a flat foot, from the ankle (0) to the ball (1).
const PRESSURE: f64 = 0.4;

/// How far the legs are stretched when standing.
const REACH: f64 = 0.985;

/// A figure, how long it moves (s), and how many frames of it are made per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exercise {
    /// Standing height, m.
    pub stature: f64,
    /// Duration, s.
    pub seconds: f64,
    /// Frames per second, Hz.
    pub fps: f64,
}

impl Default for Exercise {
    fn default() -> Self {
        Self {
            stature: 1.74,
            seconds: 3.0,
            fps: 50.0,
        }
    }
}

/// The state of a figure on the spot at one instant; both sides do the same.
#[derive(Clone, Copy, Debug)]
struct Instant {
    /// Angle of the feet, rad, heel up negative.
    pitch: f64,
    /// Height of the feet above the ground, m.
    lift: f64,
    /// Forward lean of the trunk, rad; the pelvis has half of it.
    lean: f64,
    /// Flexion of the shoulders and of the elbows, rad.
    arms: [f64; 2],
}

impl Exercise {
    fn figure(&self) -> Figure {
        Figure {
            stature: self.stature,
        }
    }

    /// Where the soles are, `[right, left]`, facing x.
    fn soles(&self) -> [Vector3<f64>; 2] {
        [-1.0, 1.0].map(|sign| Vector3::y() * (sign * 0.065 * self.stature))
    }

    fn posture(&self, instant: &Instant) -> Posture {
        let ankle =
            |sole| self.figure().ankle(sole, 0.0, instant.pitch) + Vector3::z() * instant.lift;
        let [shoulder, elbow] = instant.arms;
        Posture {
            pelvis: UnitQuaternion::from_euler_angles(0.0, 0.5 * instant.lean, 0.0),
            trunk: UnitQuaternion::from_euler_angles(0.0, instant.lean, 0.0),
            ankles: self.soles().map(ankle),
            headings: [0.0; 2],
            shoulders: [shoulder; 2],
            elbows: [elbow; 2],
        }
    }

    /// Height of the centre of mass with the legs stretched to `reach`.
    fn tallest(&self, instant: &Instant, forward: f64, reach: f64) -> f64 {
        self.figure()
            .tallest(Vector3::x() * forward, &self.posture(instant), reach)
    }

    /// The pressure's distance before the ankles for a share of the way to the ball.
    fn forward(&self, share: f64) -> f64 {
        self.figure().ball(Vector3::zeros(), 0.0).x * share
    }

    /// The motion of a figure that does `instant(t)` with its centre of mass at `height(t)`, its
    /// weight `share(t)` of the way from the ankles to the balls of its feet.
    fn perform(
        &self,
        name: &str,
        instant: impl Fn(f64) -> Instant,
        height: impl Fn(f64) -> f64,
        share: impl Fn(f64) -> f64,
    ) -> Motion {
        let padding = self.fps.ceil() as usize;
        let frames = (self.seconds * self.fps).round() as usize;
        let time = |t: usize| (t as f64 - padding as f64) / self.fps;
        let all = 0..frames + 2 * padding;
        let pressure: Vec<_> = all
            .clone()
            .map(|t| Vector3::x() * self.forward(share(time(t))))
            .collect();
        let heights: Vec<f64> = all.map(|t| height(time(t))).collect();
        let center = balance(&pressure, &heights, self.fps);
        let joints = (padding..padding + frames).map(|t| {
            let at = Vector3::new(center[t].x, center[t].y, heights[t]);
            self.figure().balanced(at, &self.posture(&instant(time(t))))
        });
        Motion {
            name: name.to_string(),
            fps: self.fps,
            joints: joints.collect(),
            toes: None,
            turns: None,
        }
    }
}

/// Upright, arms hanging.
const STANDING: Instant = Instant {
    pitch: 0.0,
    lift: 0.0,
    lean: 0.03,
    arms: [0.03, 0.2],
};

/// Lean of the trunk in the crouch before and after a jump, and in flight, rad.
const CROUCHED_LEAN: f64 = 0.5;
const FLIGHT_LEAN: f64 = 0.08;

/// Standing upright.
pub fn stand(exercise: &Exercise) -> Motion {
    let height = exercise.tallest(&STANDING, exercise.forward(PRESSURE), REACH);
    exercise.perform("stand", |_| STANDING, |_| height, |_| PRESSURE)
}

/// One squat over the whole clip: down, and up again; arms forward for balance.
pub fn squat(exercise: &Exercise) -> Motion {
    let top = exercise.tallest(&STANDING, exercise.forward(PRESSURE), REACH);
    let depth = 0.17 * exercise.stature;
    let low = |t: f64| {
        let s = t / exercise.seconds;
        ease(s, 0.05, 0.48) - ease(s, 0.52, 0.95)
    };
    let mix = |a: f64, b: f64, share: f64| a + (b - a) * share;
    exercise.perform(
        "squat",
        |t| Instant {
            lean: mix(STANDING.lean, 0.65, low(t)),
            arms: [
                mix(STANDING.arms[0], 1.9, low(t)),
                mix(STANDING.arms[1], 0.1, low(t)),
            ],
            ..STANDING
        },
        |t| top - depth * low(t),
        |_| PRESSURE,
    )
}

/// A counter-movement jump from both feet, 1/7 of the stature high, landing on the balls of the
/// feet. It takes 2.3 s (0.45 s of them in flight) in the middle of the clip, which should be longer.
pub fn jump(exercise: &Exercise) -> Motion {
    let jump = Jump::new(exercise);
    exercise.perform(
        "jump",
        |t| jump.instant(t),
        |t| jump.height(t),
        |t| jump.share(t),
    )
}

/// A jump with everything that follows from it. Times in s, heights in m.
struct Jump {
    /// When the figure starts to go down, is lowest, leaves the ground, returns to it, is lowest
    /// again, stands.
    times: [f64; 6],
    /// Heights of the centre of mass: standing, crouched, leaving the ground.
    heights: [f64; 3],
    /// Its speed on leaving, m/s.
    speed: f64,
    feet: Feet,
}

/// The feet of a jumper, symmetric in time about the apex.
struct Feet {
    /// When the heels begin to rise, the ground is left, the apex is reached.
    times: [f64; 3],
    pitch: Quintic,
    /// Height of the ankle above the one on leaving, while the legs are still stretching.
    lift: Quintic,
    /// Speed of the body on leaving, m/s.
    speed: f64,
}

/// Angle of the feet on leaving the ground, rad, and its rate, rad/s.
const TAKE_OFF: [f64; 2] = [-0.6, -14.0];

/// How far the legs are stretched on leaving the ground, and by how much (m) they go on stretching
/// in how many seconds, until they follow the body.
const LEAVING_REACH: f64 = 0.93;
const STRETCH: f64 = 0.05;
const STRETCHING: f64 = 0.1;

impl Jump {
    fn new(exercise: &Exercise) -> Self {
        let leaving = Instant {
            pitch: TAKE_OFF[0],
            lean: FLIGHT_LEAN,
            arms: [0.9, 0.3],
            lift: 0.0,
        };
        let top = exercise.tallest(&STANDING, exercise.forward(PRESSURE), REACH);
        let leave = exercise.tallest(&leaving, exercise.forward(1.0), LEAVING_REACH);
        let crouched = top - 0.15 * exercise.stature;
        let speed = (2.0 * GRAVITY * exercise.stature / 7.0).sqrt();
        let flight = 2.0 * speed / GRAVITY;
        // Even acceleration would take 2 h / v; the smooth one starts and ends at its limits.
        let push = 2.4 * (leave - crouched) / speed;
        let apex = 0.5 * exercise.seconds;
        let (off, on) = (apex - 0.5 * flight, apex + 0.5 * flight);
        let times = [
            off - push - 0.5,
            off - push,
            off,
            on,
            on + 1.2 * push,
            on + 1.2 * push + 0.6,
        ];
        let feet = Feet::new(exercise, [off - 0.45 * push, off, apex], speed);
        Self {
            times,
            heights: [top, crouched, leave],
            speed,
            feet,
        }
    }

    fn height(&self, t: f64) -> f64 {
        let [down, low, off, on, low_again, up] = self.times;
        let [top, crouched, leave] = self.heights;
        let v = self.speed;
        match t {
            _ if t < down || t >= up => top,
            _ if t < low => top + (crouched - top) * ease(t, down, low),
            _ if t < off => {
                Quintic::new(low, [crouched, 0.0, 0.0], off, [leave, v, -GRAVITY]).value(t)
            }
            _ if t < on => leave + v * (t - off) - 0.5 * GRAVITY * (t - off).powi(2),
            _ if t < low_again => {
                Quintic::new(on, [leave, -v, -GRAVITY], low_again, [crouched, 0.0, 0.0]).value(t)
            }
            _ => crouched + (top - crouched) * ease(t, low_again, up),
        }
    }

    fn instant(&self, t: f64) -> Instant {
        let [down, low, off, on, low_again, up] = self.times;
        let crouch = ease(t, down, low) - ease(t, low_again, up);
        let swing = ease(t, low - 0.15, off) - ease(t, on, up);
        let air = ease(t, low, off) - ease(t, on, low_again);
        let crouched = STANDING.lean + (CROUCHED_LEAN - STANDING.lean) * crouch;
        let lean = crouched + (FLIGHT_LEAN - CROUCHED_LEAN) * air;
        let [pitch, lift] = self.feet.at(t);
        // Arms back in the crouch, forward at take-off and in flight.
        let shoulder =
            STANDING.arms[0] - 0.4 * (crouch - swing).max(0.0) + (0.9 - STANDING.arms[0]) * swing;
        Instant {
            pitch,
            lift,
            lean,
            arms: [shoulder, STANDING.arms[1] + 0.1 * swing],
        }
    }

    /// Where the weight is: under the balls of the feet while the heels are up.
    fn share(&self, t: f64) -> f64 {
        let [_, low, off, on, low_again, _] = self.times;
        PRESSURE + (1.0 - PRESSURE) * (ease(t, low, off - 0.05) - ease(t, on + 0.05, low_again))
    }
}

impl Feet {
    fn new(exercise: &Exercise, times: [f64; 3], speed: f64) -> Self {
        let [heels, off, _] = times;
        let pitch = Quintic::new(heels, [0.0; 3], off, [TAKE_OFF[0], TAKE_OFF[1], 0.0]);
        let ankle = |t: f64| {
            exercise
                .figure()
                .ankle(Vector3::zeros(), 0.0, pitch.value(t))
                .z
        };
        let [_, rate, _] = state(ankle, off);
        let followed = speed * STRETCHING - 0.5 * GRAVITY * STRETCHING.powi(2) - STRETCH;
        let follow = [followed, speed - GRAVITY * STRETCHING, -GRAVITY];
        let lift = Quintic::new(off, [0.0, rate, 0.0], off + STRETCHING, follow);
        Self {
            times,
            pitch,
            lift,
            speed,
        }
    }

    /// Angle and lift at time `t`.
    fn at(&self, t: f64) -> [f64; 2] {
        let [heels, off, apex] = self.times;
        // The landing mirrors the take-off.
        let t = apex - (t - apex).abs();
        match t {
            _ if t < heels => [0.0, 0.0],
            _ if t < off => [self.pitch.value(t), 0.0],
            _ if t < off + STRETCHING => [TAKE_OFF[0], self.lift.value(t)],
            _ => {
                let risen = self.speed * (t - off) - 0.5 * GRAVITY * (t - off).powi(2);
                [TAKE_OFF[0], risen - STRETCH]
            }
        }
    }
}
