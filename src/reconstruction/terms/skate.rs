//! Ankles that skate where the observed ones do not: how much slower they would have to be, per 0.1 m/s, or
//! how much higher where the observed ones are high, per 5 mm, whichever is less. From keypoints: feet on
//! the ground, how much slower their ankles or how much higher their soles. More weight: feet that stand
//! still, at the cost of the joints' places.

use super::{Scope, Simulated, Step, Term, Weighted, weighted};
use crate::body::{Body, ContactPoint, Side, heights_of_foot};
use crate::motion::skeleton::ANKLES;
use crate::reconstruction::footing::{Footing, Height, Hold};
use crate::scene::Scene;

pub const NAME: &str = "skate";

/// Speed that counts as one unit, m/s.
const SPEED_UNIT: f64 = 0.1;

/// Height that counts as one unit, m.
const LIFT_UNIT: f64 = 0.005;

/// How much more feet count that are known from keypoints: places of joints from there say less about them. (Foot skate of
/// fifteen clips from one camera: 5.7 % instead of 7.7 %, for 0.3 mm of the joints' places.)
const FROM_KEYPOINTS: f64 = 5.0 / 3.0;

struct Skate<'a> {
    scale: f64,
    fps: f64,
    /// How much higher the simulated ankles `[right, left]` stand than the observed ones, m.
    standing_excess: [f64; 2],
    footings: &'a [[Footing; 2]],
    ground: (&'a Body, &'a Scene),
    contact_points: Vec<ContactPoint>,
}

pub fn term<'a>(scope: &Scope<'a>) -> Weighted<'a> {
    let problem = scope.problem;
    let weight = problem.weights.skate;
    let ankles = ANKLES.len() as f64;
    weighted(weight, || Skate {
        scale: scope.emphasis.skate * weight / (scope.frames as f64 * ankles).sqrt(),
        fps: problem.motion.fps,
        standing_excess: scope.emphasis.standing_excess,
        footings: &problem.footings,
        ground: (&problem.body, &problem.scene),
        contact_points: ContactPoint::of(&problem.body),
    })
}

impl Skate<'_> {
    /// How far the foot of `side` is from what `hold` asks for, in units.
    fn excess(&self, side: Side, hold: &Hold, step: &Step) -> f64 {
        let foot = side.index();
        let [now, before] = [step.now, step.before].map(|frame| frame.joints[ANKLES[foot]]);
        let speed = self.fps * (now - before).xy().norm();
        let fast = (speed - hold.speed) / SPEED_UNIT;
        let (share, lack) = match hold.height {
            Height::Ankle(height) => {
                let lack = height + self.standing_excess[foot] - now.z.max(before.z);
                (1.0, lack)
            }
            Height::Sole(height) => {
                let lowest = |frame: &Simulated| {
                    heights_of_foot(self.ground, &self.contact_points, side, frame.links)
                        .fold(f64::INFINITY, f64::min)
                };
                let lack = height - lowest(step.now).max(lowest(step.before));
                (FROM_KEYPOINTS, lack)
            }
        };
        share * fast.min(lack / LIFT_UNIT).max(0.0)
    }
}

impl Term for Skate<'_> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn size(&self) -> usize {
        ANKLES.len()
    }

    fn residuals(&self, step: &Step, out: &mut [f64]) {
        let footings = &self.footings[step.frame];
        for ((side, footing), out) in Side::BOTH.into_iter().zip(footings).zip(out) {
            let excess = footing.hold.map(|hold| self.excess(side, &hold, step));
            *out = excess.map_or(0.0, |excess| self.scale * excess);
        }
    }
}
