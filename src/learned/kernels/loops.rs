//! The loops of the kernels: plain Rust that the compiler vectorizes for the processor at hand.

use pulp::{Simd, WithSimd};

pub(super) struct GeluLoop<'a> {
    pub x: &'a [f32],
    pub y: &'a mut [f32],
}

impl WithSimd for GeluLoop<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (y, x) in self.y.iter_mut().zip(self.x) {
            *y = x / (1.0 + exp(-2.0 * gelu_argument(*x)));
        }
    }
}

pub(super) struct GeluSlopeLoop<'a> {
    pub x: &'a [f32],
    pub gradient: &'a [f32],
    pub y: &'a mut [f32],
}

impl WithSimd for GeluSlopeLoop<'_> {
    type Output = ();

    /// σ + x σ (1 − σ) 2u′, with σ the logistic function of 2u
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for ((y, x), gradient) in self.y.iter_mut().zip(self.x).zip(self.gradient) {
            let s = 1.0 / (1.0 + exp(-2.0 * gelu_argument(*x)));
            let slope = GELU_SCALE * (1.0 + 3.0 * GELU_CUBE * x * x);
            *y = gradient * (s + x * s * (1.0 - s) * 2.0 * slope);
        }
    }
}

pub(super) struct SoftmaxLoop<'a> {
    pub x: &'a [f32],
    pub y: &'a mut [f32],
    pub width: usize,
}

impl WithSimd for SoftmaxLoop<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let rows = self.x.chunks_exact(self.width);
        for (y, x) in self.y.chunks_exact_mut(self.width).zip(rows) {
            let highest = in_lanes(x, f32::NEG_INFINITY, f32::max);
            for (y, x) in y.iter_mut().zip(x) {
                *y = exp(x - highest);
            }
            let inverse = 1.0 / in_lanes(y, 0.0, |a, b| a + b);
            for y in y.iter_mut() {
                *y *= inverse;
            }
        }
    }
}

pub(super) struct SoftmaxInPlaceLoop<'a> {
    pub y: &'a mut [f32],
    pub width: usize,
}

impl WithSimd for SoftmaxInPlaceLoop<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for y in self.y.chunks_exact_mut(self.width) {
            let highest = in_lanes(y, f32::NEG_INFINITY, f32::max);
            for y in y.iter_mut() {
                *y = exp(*y - highest);
            }
            let inverse = 1.0 / in_lanes(y, 0.0, |a, b| a + b);
            for y in y.iter_mut() {
                *y *= inverse;
            }
        }
    }
}

pub(super) struct SoftmaxSlopeLoop<'a> {
    pub p: &'a [f32],
    pub slope: &'a mut [f32],
    pub width: usize,
}

impl WithSimd for SoftmaxSlopeLoop<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let rows = self.p.chunks_exact(self.width);
        for (p, slope) in rows.zip(self.slope.chunks_exact_mut(self.width)) {
            let mut products = [0.0; 16];
            for (p, slope) in p.chunks(16).zip(slope.chunks(16)) {
                for ((product, p), slope) in products.iter_mut().zip(p).zip(slope) {
                    *product += p * slope;
                }
            }
            let along = products.iter().sum::<f32>();
            for (slope, p) in slope.iter_mut().zip(p) {
                *slope = p * (*slope - along);
            }
        }
    }
}

pub(super) struct AddBiasLoop<'a, const RELU: bool> {
    pub y: &'a mut [f32],
    pub bias: &'a [f32],
}

impl<const RELU: bool> WithSimd for AddBiasLoop<'_, RELU> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.y.chunks_exact_mut(self.bias.len()) {
            for (y, bias) in row.iter_mut().zip(self.bias) {
                let sum = *y + bias;
                *y = if RELU { sum.max(0.0) } else { sum };
            }
        }
    }
}

pub(super) struct NormalizeLoop<'a> {
    pub y: &'a mut [f32],
    pub width: usize,
}

impl WithSimd for NormalizeLoop<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.y.chunks_exact_mut(self.width) {
            let (mean, inverse) = mean_and_inverse_deviation(row);
            for y in row.iter_mut() {
                *y = (*y - mean) * inverse;
            }
        }
    }
}

pub(super) struct NormalizeSlopeLoop<'a> {
    pub x: &'a [f32],
    pub y: &'a [f32],
    pub slope: &'a mut [f32],
    pub width: usize,
}

impl WithSimd for NormalizeSlopeLoop<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let rows = self
            .x
            .chunks_exact(self.width)
            .zip(self.y.chunks_exact(self.width));
        for ((x, y), slope) in rows.zip(self.slope.chunks_exact_mut(self.width)) {
            let (_, inverse) = mean_and_inverse_deviation(x);
            let count = (self.width as f32).recip();
            let mean = in_lanes(slope, 0.0, |a, b| a + b) * count;
            let mut products = [0.0; 16];
            for (y, slope) in y.chunks(16).zip(slope.chunks(16)) {
                for ((product, y), slope) in products.iter_mut().zip(y).zip(slope) {
                    *product += y * slope;
                }
            }
            let along = products.iter().sum::<f32>() * count;
            for (slope, y) in slope.iter_mut().zip(y) {
                *slope = (*slope - mean - y * along) * inverse;
            }
        }
    }
}

#[inline(always)]
fn mean_and_inverse_deviation(row: &[f32]) -> (f32, f32) {
    let count = (row.len() as f32).recip();
    let mean = in_lanes(row, 0.0, |a, b| a + b) * count;
    let mut squares = [0.0; 16];
    for chunk in row.chunks(16) {
        for (square, x) in squares.iter_mut().zip(chunk) {
            *square += (x - mean) * (x - mean);
        }
    }
    let variance = squares.iter().sum::<f32>() * count;
    (mean, (variance + 1e-5).sqrt().recip())
}

/// Folds in sixteen lanes, so that the compiler may vectorize and every processor agrees.
#[inline(always)]
fn in_lanes(x: &[f32], start: f32, fold: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [start; 16];
    let chunks = x.chunks_exact(16);
    let mut rest = start;
    for x in chunks.remainder() {
        rest = fold(rest, *x);
    }
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = fold(*lane, *x);
        }
    }
    lanes.into_iter().fold(rest, fold)
}

const GELU_SCALE: f32 = 0.797_884_6; // √(2/π)
const GELU_CUBE: f32 = 0.044_715;

#[inline(always)]
fn gelu_argument(x: f32) -> f32 {
    GELU_SCALE * (x + GELU_CUBE * x * x * x)
}

/// 1.5 · 2²³: adding it leaves the nearest integer in the last bits of the mantissa.
const ROUND: f32 = 12_582_912.0;

/// eˣ for x in [−87, 88], saturating outside: 2ⁿ times a polynomial in r = x − n ln 2.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let tail = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    let polynomial = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * tail)));
    polynomial * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_accurate_over_its_range() {
        for i in -8700..=8800 {
            let x = i as f32 * 0.01;
            let exact = f64::from(x).exp();
            assert!(((f64::from(exp(x)) - exact) / exact).abs() < 3e-7, "{x}");
        }
        assert!(exp(-1e30) > 0.0 && exp(1e30).is_finite());
    }
}
