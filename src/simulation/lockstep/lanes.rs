//! Numbers, vectors, quaternions and matrices of several copies at once, one copy per lane.
//!
//! Sums and products are never fused, so that a lane's numbers are the same on every processor. Everything
//! is inlined, and done without closures, into which the compiler would not carry over that there are
//! wide registers.

use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

use nalgebra::{UnitQuaternion, Vector3};
use pulp::Simd;
use pulp::bytemuck::{cast_slice, cast_slice_mut};

/// A number per lane.
#[derive(Clone, Copy)]
pub struct Lanes<S: Simd> {
    simd: S,
    values: S::f64s,
}

impl<S: Simd> Lanes<S> {
    /// The same number in all lanes.
    #[inline(always)]
    pub fn splat(simd: S, value: f64) -> Self {
        let values = simd.splat_f64s(value);
        Self { simd, values }
    }

    /// `value(lane)` in each lane.
    #[inline(always)]
    pub fn from_fn(simd: S, mut value: impl FnMut(usize) -> f64) -> Self {
        let mut values = [simd.splat_f64s(0.0)];
        for (lane, slot) in cast_slice_mut::<_, f64>(&mut values).iter_mut().enumerate() {
            *slot = value(lane);
        }
        let [values] = values;
        Self { simd, values }
    }

    /// `value` in as many lanes.
    #[inline(always)]
    pub fn like(self, value: f64) -> Self {
        Self::splat(self.simd, value)
    }

    /// The number in `lane`.
    #[inline(always)]
    pub fn lane(&self, lane: usize) -> f64 {
        cast_slice::<_, f64>(std::slice::from_ref(&self.values))[lane]
    }

    /// Replaces the number in `lane`.
    pub fn set(&mut self, lane: usize, value: f64) {
        cast_slice_mut::<_, f64>(std::slice::from_mut(&mut self.values))[lane] = value;
    }

    #[inline(always)]
    fn with(self, values: S::f64s) -> Self {
        Self { values, ..self }
    }

    #[inline(always)]
    pub fn recip(self) -> Self {
        let one = self.simd.splat_f64s(1.0);
        self.with(self.simd.div_f64s(one, self.values))
    }

    #[inline(always)]
    pub fn sqrt(self) -> Self {
        self.with(self.simd.sqrt_f64s(self.values))
    }

    #[inline(always)]
    pub fn max(self, bound: f64) -> Self {
        let bound = self.simd.splat_f64s(bound);
        self.with(self.simd.max_f64s(self.values, bound))
    }

    #[inline(always)]
    pub fn min(self, bound: f64) -> Self {
        let bound = self.simd.splat_f64s(bound);
        self.with(self.simd.min_f64s(self.values, bound))
    }

    /// `if_more` where the number is above `bound`, `otherwise` elsewhere.
    #[inline(always)]
    pub fn above(self, bound: Self, if_more: Self, otherwise: Self) -> Self {
        let mask = self.simd.less_than_f64s(bound.values, self.values);
        let values = self
            .simd
            .select_f64s(mask, if_more.values, otherwise.values);
        self.with(values)
    }

    /// The largest of the lanes.
    #[inline(always)]
    pub fn largest(self) -> f64 {
        self.simd.reduce_max_f64s(self.values)
    }

    /// The arc sine; the number must be in [−1, 1].
    #[inline(always)]
    pub fn asin(self) -> Self {
        // The rational approximation of FreeBSD's libm, accurate to the last bits.
        const P: [f64; 6] = [
            0.16666666666666666,
            -0.3255658186224009,
            0.20121253213486293,
            -0.04005553450067941,
            0.0007915349942898145,
            3.479331075960212e-5,
        ];
        const Q: [f64; 5] = [
            1.0,
            -2.403394911734414,
            2.0209457602335057,
            -0.6882839716054533,
            0.07703815055590194,
        ];
        let square = self * self;
        let small = self + self * square * square.polynomial(&P) * square.polynomial(&Q).recip();
        if square.largest() <= 0.25 {
            return small;
        }
        Self::from_fn(self.simd, |lane| {
            let x = self.lane(lane);
            if x.abs() <= 0.5 {
                small.lane(lane)
            } else {
                x.asin()
            }
        })
    }

    /// Σ cᵢ xⁱ
    #[inline(always)]
    fn polynomial(self, coefficients: &[f64]) -> Self {
        let mut sum = Self::splat(self.simd, 0.0);
        for coefficient in coefficients.iter().rev() {
            sum = sum * self + *coefficient;
        }
        sum
    }
}

impl<S: Simd> Add for Lanes<S> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(self.simd.add_f64s(self.values, other.values))
    }
}

impl<S: Simd> Add<f64> for Lanes<S> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: f64) -> Self {
        self + Self::splat(self.simd, other)
    }
}

impl<S: Simd> Sub for Lanes<S> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(self.simd.sub_f64s(self.values, other.values))
    }
}

impl<S: Simd> Mul for Lanes<S> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(self.simd.mul_f64s(self.values, other.values))
    }
}

impl<S: Simd> Mul<f64> for Lanes<S> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: f64) -> Self {
        self * Self::splat(self.simd, other)
    }
}

impl<S: Simd> Neg for Lanes<S> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.with(self.simd.neg_f64s(self.values))
    }
}

impl<S: Simd> AddAssign for Lanes<S> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<S: Simd> SubAssign for Lanes<S> {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

/// A vector per lane.
#[derive(Clone, Copy)]
pub struct Vectors<S: Simd> {
    pub x: Lanes<S>,
    pub y: Lanes<S>,
    pub z: Lanes<S>,
}

impl<S: Simd> Vectors<S> {
    #[inline(always)]
    pub fn new(x: Lanes<S>, y: Lanes<S>, z: Lanes<S>) -> Self {
        Self { x, y, z }
    }

    #[inline(always)]
    pub fn zero(simd: S) -> Self {
        Self::splat(simd, &Vector3::zeros())
    }

    /// The same vector in all lanes.
    #[inline(always)]
    pub fn splat(simd: S, v: &Vector3<f64>) -> Self {
        Self {
            x: Lanes::splat(simd, v.x),
            y: Lanes::splat(simd, v.y),
            z: Lanes::splat(simd, v.z),
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
    pub fn dot(self, other: Self) -> Lanes<S> {
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

impl<S: Simd> Add for Vectors<S> {
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

impl<S: Simd> Sub for Vectors<S> {
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

impl<S: Simd> Mul<Lanes<S>> for Vectors<S> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, factor: Lanes<S>) -> Self {
        Self {
            x: self.x * factor,
            y: self.y * factor,
            z: self.z * factor,
        }
    }
}

impl<S: Simd> Mul<f64> for Vectors<S> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, factor: f64) -> Self {
        self * Lanes::splat(self.x.simd, factor)
    }
}

impl<S: Simd> AddAssign for Vectors<S> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<S: Simd> SubAssign for Vectors<S> {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

/// A unit quaternion per lane.
#[derive(Clone, Copy)]
pub struct Rotations<S: Simd> {
    /// The imaginary part.
    pub v: Vectors<S>,
    /// The real part.
    pub w: Lanes<S>,
}

impl<S: Simd> Rotations<S> {
    /// The same rotation in all lanes.
    #[inline(always)]
    pub fn splat(simd: S, rotation: &UnitQuaternion<f64>) -> Self {
        Self {
            v: Vectors::splat(simd, &rotation.imag()),
            w: Lanes::splat(simd, rotation.w),
        }
    }

    /// Replaces the rotation in `lane`.
    pub fn set(&mut self, lane: usize, rotation: &UnitQuaternion<f64>) {
        self.v.set(lane, &rotation.imag());
        self.w.set(lane, rotation.w);
    }

    /// The rotation in `lane`.
    #[inline(always)]
    pub fn lane(&self, lane: usize) -> UnitQuaternion<f64> {
        let v = self.v.lane(lane);
        UnitQuaternion::new_unchecked(nalgebra::Quaternion::new(self.w.lane(lane), v.x, v.y, v.z))
    }

    #[inline(always)]
    pub fn inverse(self) -> Self {
        Self {
            v: Vectors::new(-self.v.x, -self.v.y, -self.v.z),
            w: self.w,
        }
    }

    /// The quaternion scaled to length one.
    #[inline(always)]
    pub fn normalized(self) -> Self {
        let factor = (self.v.dot(self.v) + self.w * self.w).sqrt().recip();
        Self {
            v: self.v * factor,
            w: self.w * factor,
        }
    }

    /// The images of the axes: the columns of the rotation matrix.
    #[inline(always)]
    pub fn axes(self) -> [Vectors<S>; 3] {
        let Vectors { x, y, z } = self.v;
        let (x2, y2, z2) = (x + x, y + y, z + z);
        let (xx, xy, xz) = (x * x2, x * y2, x * z2);
        let (yy, yz, zz) = (y * y2, y * z2, z * z2);
        let (wx, wy, wz) = (self.w * x2, self.w * y2, self.w * z2);
        let one = Lanes::splat(x.simd, 1.0);
        [
            Vectors::new(one - (yy + zz), xy + wz, xz - wy),
            Vectors::new(xy - wz, one - (xx + zz), yz + wx),
            Vectors::new(xz + wy, yz - wx, one - (xx + yy)),
        ]
    }
}

impl<S: Simd> Mul for Rotations<S> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self {
            v: other.v * self.w + self.v * other.w + self.v.cross(other.v),
            w: self.w * other.w - self.v.dot(other.v),
        }
    }
}

impl<S: Simd> Mul<Vectors<S>> for Rotations<S> {
    type Output = Vectors<S>;

    #[inline(always)]
    fn mul(self, vector: Vectors<S>) -> Vectors<S> {
        let turn = self.v.cross(vector);
        let turn = turn + turn;
        vector + turn * self.w + self.v.cross(turn)
    }
}

/// A symmetric matrix per lane.
#[derive(Clone, Copy)]
pub struct Symmetric<S: Simd> {
    /// xx, yy, zz
    diagonal: Vectors<S>,
    /// yz, xz, xy
    rest: Vectors<S>,
}

impl<S: Simd> Symmetric<S> {
    /// R diag(d) Rᵀ for the rotation matrix R with columns `axes`.
    #[inline(always)]
    pub fn turned(axes: [Vectors<S>; 3], diagonal: &Vector3<f64>) -> Self {
        let [a, b, c] = axes;
        let (p, q, r) = (a * diagonal.x, b * diagonal.y, c * diagonal.z);
        Self {
            diagonal: Vectors {
                x: p.x * a.x + q.x * b.x + r.x * c.x,
                y: p.y * a.y + q.y * b.y + r.y * c.y,
                z: p.z * a.z + q.z * b.z + r.z * c.z,
            },
            rest: Vectors {
                x: p.y * a.z + q.y * b.z + r.y * c.z,
                y: p.x * a.z + q.x * b.z + r.x * c.z,
                z: p.x * a.y + q.x * b.y + r.x * c.y,
            },
        }
    }

    /// Plus `number` times the identity.
    #[inline(always)]
    pub fn plus(self, number: f64) -> Self {
        let Vectors { x, y, z } = self.diagonal;
        Self {
            diagonal: Vectors::new(x + number, y + number, z + number),
            ..self
        }
    }

    /// The inverse, by cofactors.
    #[inline(always)]
    pub fn inverse(self) -> Self {
        let (d, r) = (self.diagonal, self.rest);
        let diagonal = Vectors::new(
            d.y * d.z - r.x * r.x,
            d.x * d.z - r.y * r.y,
            d.x * d.y - r.z * r.z,
        );
        let rest = Vectors::new(
            r.z * r.y - d.x * r.x,
            r.z * r.x - r.y * d.y,
            r.y * r.x - r.z * d.z,
        );
        let determinant = d.x * diagonal.x + r.z * rest.z + r.y * rest.y;
        let factor = determinant.recip();
        Self {
            diagonal: diagonal * factor,
            rest: rest * factor,
        }
    }
}

impl<S: Simd> Add for Symmetric<S> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self {
            diagonal: self.diagonal + other.diagonal,
            rest: self.rest + other.rest,
        }
    }
}

impl<S: Simd> Mul<f64> for Symmetric<S> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, factor: f64) -> Self {
        Self {
            diagonal: self.diagonal * factor,
            rest: self.rest * factor,
        }
    }
}

impl<S: Simd> Mul<Vectors<S>> for Symmetric<S> {
    type Output = Vectors<S>;

    #[inline(always)]
    fn mul(self, v: Vectors<S>) -> Vectors<S> {
        let (d, r) = (self.diagonal, self.rest);
        Vectors {
            x: d.x * v.x + r.z * v.y + r.y * v.z,
            y: r.z * v.x + d.y * v.y + r.x * v.z,
            z: r.y * v.x + r.x * v.y + d.z * v.z,
        }
    }
}

/// A matrix per lane, by its columns.
#[derive(Clone, Copy)]
pub struct Matrices<S: Simd> {
    x: Vectors<S>,
    y: Vectors<S>,
    z: Vectors<S>,
}

impl<S: Simd> Matrices<S> {
    /// v ↦ M (arm × v)
    #[inline(always)]
    pub fn turning(matrix: &Symmetric<S>, arm: Vectors<S>) -> Self {
        let (d, r) = (matrix.diagonal, matrix.rest);
        let x = Vectors::new(d.x, r.z, r.y);
        let y = Vectors::new(r.z, d.y, r.x);
        let z = Vectors::new(r.y, r.x, d.z);
        Self {
            x: y * arm.z - z * arm.y,
            y: z * arm.x - x * arm.z,
            z: x * arm.y - y * arm.x,
        }
    }

    /// v ↦ (M v) × arm for an M that [turns](Self::turning) about the same arm.
    #[inline(always)]
    pub fn lifted(self, arm: Vectors<S>) -> Symmetric<S> {
        let Self { x, y, z } = self;
        Symmetric {
            diagonal: Vectors::new(
                x.y * arm.z - x.z * arm.y,
                y.z * arm.x - y.x * arm.z,
                z.x * arm.y - z.y * arm.x,
            ),
            rest: Vectors::new(
                z.z * arm.x - z.x * arm.z,
                z.y * arm.z - z.z * arm.y,
                y.y * arm.z - y.z * arm.y,
            ),
        }
    }
}

impl<S: Simd> Mul<Vectors<S>> for Matrices<S> {
    type Output = Vectors<S>;

    #[inline(always)]
    fn mul(self, v: Vectors<S>) -> Vectors<S> {
        self.x * v.x + self.y * v.y + self.z * v.z
    }
}
