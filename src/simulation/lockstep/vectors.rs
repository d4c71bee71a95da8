//! A vector and a rotation per copy.

use std::ops::{Add, AddAssign, Mul, Sub, SubAssign};

use nalgebra::{UnitQuaternion, Vector3};

use super::lanes::Lanes;
use super::wide::Wide;

/// A vector per lane.
#[derive(Clone, Copy)]
pub struct Vectors<W: Wide> {
    pub x: Lanes<W>,
    pub y: Lanes<W>,
    pub z: Lanes<W>,
}

impl<W: Wide> Vectors<W> {
    #[inline(always)]
    pub fn new(x: Lanes<W>, y: Lanes<W>, z: Lanes<W>) -> Self {
        Self { x, y, z }
    }

    #[inline(always)]
    pub fn zero(wide: W) -> Self {
        Self::splat(wide, &Vector3::zeros())
    }

    /// The same vector in all lanes.
    #[inline(always)]
    pub fn splat(wide: W, v: &Vector3<f64>) -> Self {
        Self {
            x: Lanes::splat(wide, v.x),
            y: Lanes::splat(wide, v.y),
            z: Lanes::splat(wide, v.z),
        }
    }

    /// `value` along every axis, in as many lanes.
    #[inline(always)]
    pub fn like(self, value: f64) -> Self {
        let value = self.x.like(value);
        Self::new(value, value, value)
    }

    /// The vector in `lane`.
    #[inline(always)]
    pub fn lane(&self, lane: usize) -> Vector3<f64> {
        Vector3::new(self.x.lane(lane), self.y.lane(lane), self.z.lane(lane))
    }

    /// Replaces the vector in `lane`.
    pub fn set(&mut self, lane: usize, vector: &Vector3<f64>) {
        self.x.set(lane, vector.x);
        self.y.set(lane, vector.y);
        self.z.set(lane, vector.z);
    }

    #[inline(always)]
    pub fn dot(self, other: Self) -> Lanes<W> {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    #[inline(always)]
    pub fn cross(self, other: Self) -> Self {
        Self {
            x: self.y * other.z - self.z * other.y,
            y: self.z * other.x - self.x * other.z,
            z: self.x * other.y - self.y * other.x,
        }
    }

    /// The product axis by axis.
    #[inline(always)]
    pub fn scaled_by(self, factors: &Vector3<f64>) -> Self {
        Self {
            x: self.x * factors.x,
            y: self.y * factors.y,
            z: self.z * factors.z,
        }
    }
}

impl<W: Wide> Add for Vectors<W> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self {
            x: self.x + other.x,
            y: self.y + other.y,
            z: self.z + other.z,
        }
    }
}

impl<W: Wide> Sub for Vectors<W> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self {
            x: self.x - other.x,
            y: self.y - other.y,
            z: self.z - other.z,
        }
    }
}

impl<W: Wide> Mul<Lanes<W>> for Vectors<W> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, factor: Lanes<W>) -> Self {
        Self {
            x: self.x * factor,
            y: self.y * factor,
            z: self.z * factor,
        }
    }
}

impl<W: Wide> Mul<f64> for Vectors<W> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, factor: f64) -> Self {
        self * Lanes::splat(self.x.wide(), factor)
    }
}

impl<W: Wide> AddAssign for Vectors<W> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<W: Wide> SubAssign for Vectors<W> {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

/// A unit quaternion per lane.
#[derive(Clone, Copy)]
pub struct Rotations<W: Wide> {
    /// The imaginary part.
    pub v: Vectors<W>,
    /// The real part.
    pub w: Lanes<W>,
}

impl<W: Wide> Rotations<W> {
    /// The same rotation in all lanes.
    #[inline(always)]
    pub fn splat(wide: W, rotation: &UnitQuaternion<f64>) -> Self {
        Self {
            v: Vectors::splat(wide, &rotation.imag()),
            w: Lanes::splat(wide, rotation.w),
        }
    }

    /// Replaces the rotation in `lane`.
    pub fn set(&mut self, lane: usize, rotation: &UnitQuaternion<f64>) {
        self.v.set(lane, &rotation.imag());
        self.w.set(lane, rotation.w);
    }

    #[inline(always)]
    pub fn inverse(self) -> Self {
        Self {
            v: Vectors::new(-self.v.x, -self.v.y, -self.v.z),
            w: self.w,
        }
    }

    /// The images of the axes: the columns of the rotation matrix.
    #[inline(always)]
    pub fn axes(self) -> [Vectors<W>; 3] {
        let Vectors { x, y, z } = self.v;
        let (x2, y2, z2) = (x + x, y + y, z + z);
        let (xx, xy, xz) = (x * x2, x * y2, x * z2);
        let (yy, yz, zz) = (y * y2, y * z2, z * z2);
        let (wx, wy, wz) = (self.w * x2, self.w * y2, self.w * z2);
        let one = Lanes::splat(x.wide(), 1.0);
        [
            Vectors::new(one - (yy + zz), xy + wz, xz - wy),
            Vectors::new(xy - wz, one - (xx + zz), yz + wx),
            Vectors::new(xz + wy, yz - wx, one - (xx + yy)),
        ]
    }
}

impl<W: Wide> Mul for Rotations<W> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self {
            v: other.v * self.w + self.v * other.w + self.v.cross(other.v),
            w: self.w * other.w - self.v.dot(other.v),
        }
    }
}

impl<W: Wide> Mul<Vectors<W>> for Rotations<W> {
    type Output = Vectors<W>;

    #[inline(always)]
    fn mul(self, vector: Vectors<W>) -> Vectors<W> {
        let turn = self.v.cross(vector);
        let turn = turn + turn;
        vector + turn * self.w + self.v.cross(turn)
    }
}
