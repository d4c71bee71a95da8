//! Where something is and how it is turned, per copy, to about twice the precision of the lanes' numbers.
//!
//! Small steps add up, and small distances are left, without the rounding of how far away everything is (T. J. Dekker 1971,
//! "A floating-point technique for extending the available precision"). In single precision, accelerations and forces
//! that follow from places would be noise without it.

use std::ops::{Add, Sub};

use nalgebra::{Quaternion, UnitQuaternion, Vector3};

use super::lanes::Lanes;
use super::vectors::{Rotations, Vectors};
use super::wide::Wide;

/// A place per lane.
#[derive(Clone, Copy)]
pub struct Places<W: Wide> {
    near: Vectors<W>,
    /// What is missing there.
    rest: Vectors<W>,
}

impl<W: Wide> Places<W> {
    /// The same place in all lanes.
    #[inline(always)]
    pub fn splat(wide: W, place: &Vector3<f64>) -> Self {
        let near = Vectors::splat(wide, place);
        let rest = Vectors::splat(wide, &(place - near.lane(0)));
        Self { near, rest }
    }

    /// The place in `lane`.
    pub fn lane(&self, lane: usize) -> Vector3<f64> {
        self.near.lane(lane) + self.rest.lane(lane)
    }

    /// Replaces the place in `lane`.
    pub fn set(&mut self, lane: usize, place: &Vector3<f64>) {
        self.near.set(lane, place);
        self.rest.set(lane, &(place - self.near.lane(lane)));
    }

    /// The places as numbers of the lanes' precision.
    #[inline(always)]
    pub fn rounded(self) -> Vectors<W> {
        self.near
    }

    /// What is `arm` away, as numbers of the lanes' precision.
    #[inline(always)]
    pub fn beyond(self, arm: Vectors<W>) -> Vectors<W> {
        self.near + arm + self.rest
    }

    /// From `other` to here.
    #[inline(always)]
    pub fn from(self, other: Self) -> Vectors<W> {
        (self.near - other.near) + (self.rest - other.rest)
    }

    /// Goes on by `step`.
    #[inline(always)]
    pub fn advance(&mut self, step: Vectors<W>) {
        [self.near, self.rest] = sum(self.near, self.rest + step);
    }
}

/// An orientation per lane.
#[derive(Clone, Copy)]
pub struct Orientations<W: Wide> {
    near: Rotations<W>,
    /// What is missing there.
    rest: Rotations<W>,
}

impl<W: Wide> Orientations<W> {
    /// The same orientation in all lanes.
    #[inline(always)]
    pub fn splat(wide: W, rotation: &UnitQuaternion<f64>) -> Self {
        let near = Rotations::splat(wide, rotation);
        let rest = Rotations {
            v: Vectors::splat(wide, &(rotation.imag() - near.v.lane(0))),
            w: Lanes::splat(wide, rotation.w - near.w.lane(0)),
        };
        Self { near, rest }
    }

    /// The orientation in `lane`.
    pub fn lane(&self, lane: usize) -> UnitQuaternion<f64> {
        let v = self.near.v.lane(lane) + self.rest.v.lane(lane);
        let w = self.near.w.lane(lane) + self.rest.w.lane(lane);
        UnitQuaternion::new_normalize(Quaternion::from_parts(w, v))
    }

    /// Replaces the orientation in `lane`.
    pub fn set(&mut self, lane: usize, rotation: &UnitQuaternion<f64>) {
        self.near.set(lane, rotation);
        let missing = rotation.imag() - self.near.v.lane(lane);
        self.rest.v.set(lane, &missing);
        let missing = rotation.w - self.near.w.lane(lane);
        self.rest.w.set(lane, missing);
    }

    /// The orientations as rotations in numbers of the lanes' precision.
    #[inline(always)]
    pub fn rounded(self) -> Rotations<W> {
        self.near
    }

    /// Turns by the quaternion (1, `half`), scaled to length one: about `half`, in the world, by twice its length where
    /// that is small.
    #[inline(always)]
    pub fn turn(&mut self, half: Vectors<W>) {
        let square = half.dot(half);
        let length = (square + 1.0).sqrt();
        // 1 less the factor that makes the length one.
        let shrink = square * ((length + 1.0) * length).recip();
        let Rotations { v, w } = self.near;
        let turned = half.cross_add(v, half * w);
        let swung = -half.dot(v);
        let step = (v + turned).mul_add(-shrink, turned);
        [self.near.v, self.rest.v] = sum(v, self.rest.v + step);
        let step = (w + swung).mul_add(-shrink, swung);
        [self.near.w, self.rest.w] = sum(w, self.rest.w + step);
    }
}

/// The sum, rounded, of `a` and a smaller `b`, and what is missing there.
#[inline(always)]
fn sum<T: Copy + Add<Output = T> + Sub<Output = T>>(a: T, b: T) -> [T; 2] {
    let rounded = a + b;
    [rounded, b - (rounded - a)]
}
