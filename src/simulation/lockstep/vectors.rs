//! A vector and a rotation per copy.

use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

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
        self.z
            .mul_add(other.z, self.y.mul_add(other.y, self.x * other.x))
    }

    /// The scalar product plus `addend`.
    #[inline(always)]
    pub fn dot_add(self, other: Self, addend: Lanes<W>) -> Lanes<W> {
        let sum = self.x.mul_add(other.x, addend);
        self.z.mul_add(other.z, self.y.mul_add(other.y, sum))
    }

    #[inline(always)]
    pub fn cross(self, other: Self) -> Self {
        Self {
            x: self.y.mul_add(other.z, -(self.z * other.y)),
            y: self.z.mul_add(other.x, -(self.x * other.z)),
            z: self.x.mul_add(other.y, -(self.y * other.x)),
        }
    }

    /// The vector product plus `addend`.
    #[inline(always)]
    pub fn cross_add(self, other: Self, addend: Self) -> Self {
        Self {
            x: self
                .y
                .mul_add(other.z, (-self.z).mul_add(other.y, addend.x)),
            y: self
                .z
                .mul_add(other.x, (-self.x).mul_add(other.z, addend.y)),
            z: self
                .x
                .mul_add(other.y, (-self.y).mul_add(other.x, addend.z)),
        }
    }

    /// The vector times `factor` plus `addend`.
    #[inline(always)]
    pub fn mul_add(self, factor: Lanes<W>, addend: Self) -> Self {
        Self {
            x: self.x.mul_add(factor, addend.x),
            y: self.y.mul_add(factor, addend.y),
            z: self.z.mul_add(factor, addend.z),
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

impl<W: Wide> Neg for Vectors<W> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self {
            x: -self.x,
            y: -self.y,
            z: -self.z,
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
            v: -self.v,
            w: self.w,
        }
    }

    /// The images of the axes: the columns of the rotation matrix.
    #[inline(always)]
    pub fn axes(self) -> [Vectors<W>; 3] {
        let Vectors { x, y, z } = self.v;
        let (x2, y2, z2) = (x + x, y + y, z + z);
        let (xy, xz, yz) = (x * y2, x * z2, y * z2);
        let w = self.w;
        let one = Lanes::splat(x.wide(), 1.0);
        let less_xx = (-x).mul_add(x2, one);
        let less_yy = (-y).mul_add(y2, one);
        [
            Vectors::new(
                (-z).mul_add(z2, less_yy),
                w.mul_add(z2, xy),
                (-w).mul_add(y2, xz),
            ),
            Vectors::new(
                (-w).mul_add(z2, xy),
                (-z).mul_add(z2, less_xx),
                w.mul_add(x2, yz),
            ),
            Vectors::new(
                w.mul_add(y2, xz),
                (-w).mul_add(x2, yz),
                (-y).mul_add(y2, less_xx),
            ),
        ]
    }
}

impl<W: Wide> Mul for Rotations<W> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self {
            v: (self.v).cross_add(other.v, other.v.mul_add(self.w, self.v * other.w)),
            w: (-self.v).dot_add(other.v, self.w * other.w),
        }
    }
}

impl<W: Wide> Mul<Vectors<W>> for Rotations<W> {
    type Output = Vectors<W>;

    #[inline(always)]
    fn mul(self, vector: Vectors<W>) -> Vectors<W> {
        let turn = self.v.cross(vector) * 2.0;
        self.v.cross_add(turn, turn.mul_add(self.w, vector))
    }
}
