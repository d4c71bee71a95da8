//! A number per copy, in the lanes of a wide register.
//!
//! Sums and products are fused where it is written, and nowhere else, so that a lane's numbers are the same on every
//! processor. Everything is inlined, and done without closures, into which the compiler would not carry over that there
//! are wide registers.

use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

use super::wide::Wide;

/// A number per lane.
#[derive(Clone, Copy)]
pub struct Lanes<W: Wide> {
    wide: W,
    values: W::Values,
}

impl<W: Wide> Lanes<W> {
    /// The same number in all lanes.
    #[inline(always)]
    pub fn splat(wide: W, value: f64) -> Self {
        let values = wide.splat(value);
        Self { wide, values }
    }

    /// `value` in as many lanes.
    #[inline(always)]
    pub fn like(self, value: f64) -> Self {
        Self::splat(self.wide, value)
    }

    /// The number in `lane`.
    #[inline(always)]
    pub fn lane(&self, lane: usize) -> f64 {
        W::lane(&self.values, lane)
    }

    /// Replaces the number in `lane`.
    pub fn set(&mut self, lane: usize, value: f64) {
        W::set_lane(&mut self.values, lane, value);
    }

    /// What belongs to these lanes.
    #[inline(always)]
    pub fn wide(&self) -> W {
        self.wide
    }

    #[inline(always)]
    fn with(self, values: W::Values) -> Self {
        Self { values, ..self }
    }

    #[inline(always)]
    pub fn recip(self) -> Self {
        let one = self.wide.splat(1.0);
        self.with(self.wide.div(one, self.values))
    }

    /// The number times `factor` plus `addend`, rounded once.
    #[inline(always)]
    pub fn mul_add(self, factor: Self, addend: Self) -> Self {
        self.with(self.wide.mul_add(self.values, factor.values, addend.values))
    }

    #[inline(always)]
    pub fn sqrt(self) -> Self {
        self.with(self.wide.sqrt(self.values))
    }

    #[inline(always)]
    pub fn max(self, bound: f64) -> Self {
        let bound = self.wide.splat(bound);
        self.with(self.wide.max(self.values, bound))
    }

    #[inline(always)]
    pub fn min(self, bound: f64) -> Self {
        let bound = self.wide.splat(bound);
        self.with(self.wide.min(self.values, bound))
    }

    /// `if_more` where the number is above `bound`, `otherwise` elsewhere.
    #[inline(always)]
    pub fn above(self, bound: Self, if_more: Self, otherwise: Self) -> Self {
        let values = [bound.values, self.values];
        self.with(
            self.wide
                .select_less(values, if_more.values, otherwise.values),
        )
    }

    /// The largest of the lanes.
    #[inline(always)]
    pub fn largest(self) -> f64 {
        self.wide.largest(self.values)
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
        let excess = square * square.polynomial(&P) * square.polynomial(&Q).recip();
        let small = self.mul_add(excess, self);
        if square.largest() <= 0.25 {
            return small;
        }
        let mut all = small;
        for lane in 0..W::LANES {
            let x = self.lane(lane);
            if x.abs() > 0.5 {
                all.set(lane, x.asin());
            }
        }
        all
    }

    /// Σ cᵢ xⁱ
    #[inline(always)]
    fn polynomial(self, coefficients: &[f64]) -> Self {
        let mut sum = Self::splat(self.wide, 0.0);
        for coefficient in coefficients.iter().rev() {
            sum = sum.mul_add(self, Self::splat(self.wide, *coefficient));
        }
        sum
    }
}

impl<W: Wide> Add for Lanes<W> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(self.wide.add(self.values, other.values))
    }
}

impl<W: Wide> Add<f64> for Lanes<W> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: f64) -> Self {
        self + Self::splat(self.wide, other)
    }
}

impl<W: Wide> Sub for Lanes<W> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(self.wide.sub(self.values, other.values))
    }
}

impl<W: Wide> Mul for Lanes<W> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(self.wide.mul(self.values, other.values))
    }
}

impl<W: Wide> Mul<f64> for Lanes<W> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: f64) -> Self {
        self * Self::splat(self.wide, other)
    }
}

impl<W: Wide> Neg for Lanes<W> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.with(self.wide.neg(self.values))
    }
}

impl<W: Wide> AddAssign for Lanes<W> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<W: Wide> SubAssign for Lanes<W> {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}
