//! A foot near the ground: where it may press.

use nalgebra::{Vector2, Vector3};

use super::{Pressure, Reference};
use crate::body::{ContactPoint, Side};
use crate::motion::contact::{is_near, may_carry};

/// Where a foot presses on the ground, ahead of its ankle along the foot, over stature: [`UPRIGHT`] under an upright
/// body; [`ROLLING`] more for every unit of lean, the sine of the angle of the line from the ankle to the centre of mass;
/// [`RISING`] less for every unit of height by which the ankle has risen. A foot rolls on the ground like an arc
/// (Hansen, Childress and Knox 2004, Clinical Biomechanics 19), here with a radius of 0.2 of stature: that of the lean
/// and the ankle's own height. Fitted to 36 walks, turns and runs with force plates, where centres of pressure are off by
/// 23 mm (walks) and 33 mm (runs) along the foot; zero-moment points by 58 mm and more.
const UPRIGHT: f64 = 0.034;
/// See [`UPRIGHT`].
const ROLLING: f64 = 0.156;
/// See [`UPRIGHT`].
const RISING: f64 = 0.70;

/// A foot near the ground.
pub(in crate::reconstruction) struct Footprint {
    /// Index of the link that is nearest to it.
    pub link: usize,
    /// Whether it is slow there, as a foot that carries the body.
    is_slow: bool,
    /// Height of the surface under it, m.
    pub ground: f64,
    /// The middle of its contact points, m.
    center: Vector2<f64>,
    /// From there to the ball, m.
    reach: Vector2<f64>,
}

impl Footprint {
    /// Where the foot presses on the ground that shares the load with a foot at `other`: at the heel where that is a
    /// foot's length behind, at the ball where it is as much ahead.
    fn pressed(&self, other: &Self) -> Vector2<f64> {
        let length = self.reach.norm().max(1e-3);
        let ahead = self.reach.dot(&(other.center - self.center)) / (2.0 * length * length);
        self.center + self.reach * ahead.clamp(-1.0, 1.0)
    }

    /// How much nearer `point` is to where this foot presses than to where the `other` one does: 1 at the one, -1 at the other.
    pub fn nearer(&self, other: &Self, point: &Vector2<f64>) -> f64 {
        let [from, to] = [other.pressed(self), self.pressed(other)];
        let between = to - from;
        let share = (point - from).dot(&between) / between.norm_squared().max(1e-6);
        2.0 * share.clamp(0.0, 1.0) - 1.0
    }

    /// The place between heel and toes that is nearest to `point`, on the ground, m.
    pub fn nearest(&self, point: &Vector2<f64>) -> Vector3<f64> {
        let square = self.reach.norm_squared().max(1e-12);
        let along = self.reach.dot(&(point - self.center)) / square;
        let place = self.center + along.clamp(-1.0, 1.0) * self.reach;
        place.push(self.ground)
    }

    /// Where a foot presses with the ankle at `ankle`, m, which has risen by `rise`, m, of a body whose centre of mass
    /// is along the unit vector `lean` from there: between heel and toes.
    pub fn pressure(
        &self,
        ankle: &Vector3<f64>,
        lean: &Vector3<f64>,
        (rise, stature): (f64, f64),
    ) -> Option<Pressure> {
        let ahead = self.reach.try_normalize(1e-6)?;
        let place = stature * (UPRIGHT + ROLLING * ahead.dot(&lean.xy())) - RISING * rise;
        let middle = ahead.dot(&(self.center - ankle.xy()));
        let reach = self.reach.norm();
        let place = place.clamp(middle - reach, middle + reach);
        Some(Pressure {
            center: ankle.xy() + place * ahead,
            ahead,
            rolls: 1.0,
        })
    }
}

impl Reference<'_> {
    /// The feet `[right, left]` that carry the body at frame `t`: those that are slow near a surface or, where none
    /// is, those that are near one.
    pub fn carrying(&self, t: usize, points: &[ContactPoint]) -> [Option<Footprint>; 2] {
        let near = Side::BOTH.map(|side| self.footprint(side, t, points));
        let is_one_slow = near.iter().flatten().any(|print| print.is_slow);
        near.map(|print| print.filter(|print| print.is_slow || !is_one_slow))
    }

    /// The foot of `side` at frame `t`, if it is near a surface.
    fn footprint(&self, side: Side, t: usize, points: &[ContactPoint]) -> Option<Footprint> {
        let own: Vec<&ContactPoint> = (points.iter())
            .filter(|point| point.foot == Some(side))
            .collect();
        let near = own.iter().min_by(|a, b| {
            let distances = [a, b].map(|point| self.distance(point, t));
            distances[0].total_cmp(&distances[1])
        })?;
        let step = [t.saturating_sub(1), t.max(1)].map(|t| t.min(self.links.len() - 1));
        let [before, now] = step.map(|t| near.lowest(&self.links[t]));
        let speed = self.fps * (now - before).norm();
        let distance = self.distance(near, t);
        if !is_near(distance) {
            return None;
        }
        let places: Vec<Vector2<f64>> = (own.iter())
            .map(|point| point.lowest(&self.links[t]).xy())
            .collect();
        let center = places.iter().sum::<Vector2<f64>>() / places.len() as f64;
        let toes = self.links[t][near.link].rotation * Vector3::x();
        let axis = toes.xy().try_normalize(1e-3)?;
        let reach = places.iter().map(|place| axis.dot(&(place - center)));
        Some(Footprint {
            link: near.link,
            is_slow: may_carry(distance, speed),
            ground: near.lowest(&self.links[t]).z - distance,
            center,
            reach: axis * reach.fold(0.0, f64::max),
        })
    }
}
