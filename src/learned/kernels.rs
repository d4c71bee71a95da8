//! Elementwise operations that candle computes one number at a time: GELU and softmax, vectorized
//! by [`pulp`] for the processor at hand, with their derivatives.
//!
//! The exponential is a polynomial with a relative error below 2e-7, the same on every processor
//! up to fused multiplications.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, D, Layout, Result, Shape, Tensor, bail};
use pulp::{Arch, Simd, WithSimd};

/// x Φ(x), `(…,)` → `(…,)`, in the tanh approximation of D. Hendrycks, K. Gimpel, "Gaussian error
/// linear units", 2016.
pub(super) fn gelu(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Gelu)
}

/// exp(x) / Σ exp(x) over the last axis.
pub(super) fn softmax(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Softmax)
}

struct Gelu;
struct GeluSlope;
struct Softmax;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = contiguous(storage, layout)?;
        let mut y = vec![0.0; x.len()];
        Arch::new().dispatch(GeluLoop { x, y: &mut y });
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        Ok(Some(x.apply_op2_no_bwd(&gradient, &GeluSlope)?))
    }
}

impl CustomOp2 for GeluSlope {
    fn name(&self) -> &'static str {
        "gelu-slope"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = contiguous(x, x_layout)?;
        let gradient = contiguous(gradient, gradient_layout)?;
        let mut y = vec![0.0; x.len()];
        Arch::new().dispatch(GeluSlopeLoop {
            x,
            gradient,
            y: &mut y,
        });
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }
}

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = contiguous(storage, layout)?;
        let width = layout.shape().dim(D::Minus1)?;
        let mut y = vec![0.0; x.len()];
        Arch::new().dispatch(SoftmaxLoop {
            x,
            y: &mut y,
            width,
        });
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    /// p (∂p − Σ p ∂p)
    fn bwd(&self, _: &Tensor, p: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let weighted = (p * gradient)?;
        let sum = weighted.sum_keepdim(D::Minus1)?;
        Ok(Some((weighted - p.broadcast_mul(&sum)?)?))
    }
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(all), Some((start, end))) => Ok(&all[start..end]),
        _ => bail!("expected contiguous 32-bit numbers"),
    }
}

struct GeluLoop<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
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

struct GeluSlopeLoop<'a> {
    x: &'a [f32],
    gradient: &'a [f32],
    y: &'a mut [f32],
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

struct SoftmaxLoop<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
    width: usize,
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
    use candle_core::{Device, Var};

    use super::*;

    fn line() -> Vec<f32> {
        (-300..=300).map(|i| i as f32 * 0.02).collect()
    }

    #[test]
    fn the_exponential_is_accurate_over_its_range() {
        for i in -8700..=8800 {
            let x = i as f32 * 0.01;
            let exact = f64::from(x).exp();
            assert!(((f64::from(exp(x)) - exact) / exact).abs() < 3e-7, "{x}");
        }
        assert!(exp(-1e30) > 0.0 && exp(1e30).is_finite());
    }

    #[test]
    fn gelu_and_its_slope_agree_with_candle() {
        let x = Var::from_vec(line(), line().len(), &Device::Cpu).unwrap();
        let (ours, theirs) = (gelu(&x).unwrap(), x.gelu().unwrap());
        let slope = |y: &Tensor| {
            let gradients = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
            gradients.get(&x).unwrap().to_vec1::<f32>().unwrap()
        };
        let values = [&ours, &theirs].map(|y| y.to_vec1::<f32>().unwrap());
        let pairs = values[0].iter().zip(&values[1]);
        let slopes = [slope(&ours), slope(&theirs)];
        for (a, b) in pairs.chain(slopes[0].iter().zip(&slopes[1])) {
            assert!((a - b).abs() < 2e-5 * b.abs().max(1.0), "{a} is not {b}");
        }
    }

    #[test]
    fn softmax_and_its_slope_agree_with_candle() {
        let x = Var::from_vec(line()[..594].to_vec(), (3, 198), &Device::Cpu).unwrap();
        let weights = x.sin().unwrap().detach();
        let slope = |p: &Tensor| {
            let loss = (p * &weights).unwrap().sum_all().unwrap();
            let gradients = loss.backward().unwrap();
            let slope = gradients.get(&x).unwrap().flatten_all().unwrap();
            slope.to_vec1::<f32>().unwrap()
        };
        let theirs = candle_nn::ops::softmax(&x, D::Minus1).unwrap();
        for (a, b) in slope(&softmax(&x).unwrap()).iter().zip(slope(&theirs)) {
            assert!((a - b).abs() < 1e-6, "{a} is not {b}");
        }
    }
}
