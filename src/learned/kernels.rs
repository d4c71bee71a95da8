//! Operations that candle composes of many passes or computes one number at a time: GELU, softmax,
//! layer normalization and biases, in one pass each with their derivatives, vectorized by [`pulp`]
//! for the processor at hand.
//!
//! The exponential is a polynomial with a relative error below 2e-7, the same on every processor
//! up to fused multiplications.

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, D, InplaceOp2, Layout, Result, Shape, Tensor, bail,
};
use pulp::Arch;

use loops::{AddBiasLoop, GeluLoop, GeluSlopeLoop, NormalizeLoop, NormalizeSlopeLoop, SoftmaxLoop};

mod loops;
pub(super) mod taped;

/// x Φ(x), `(…,)` → `(…,)`, in the tanh approximation of D. Hendrycks, K. Gimpel, "Gaussian error
/// linear units", 2016.
pub(super) fn gelu(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Gelu)
}

/// exp(x) / Σ exp(x) over the last axis.
pub(super) fn softmax(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Softmax)
}

/// x + b for every row, `x: (rows, width)`, `b: (width,)`; written over x, and all that shares its
/// storage, where there is nothing to differentiate by.
pub(super) fn add_bias(x: Tensor, bias: &Tensor) -> Result<Tensor> {
    AddBias::<false>.apply(x, bias)
}

/// max(x + b, 0), otherwise as [`add_bias`].
pub(super) fn add_bias_relu(x: Tensor, bias: &Tensor) -> Result<Tensor> {
    AddBias::<true>.apply(x, bias)
}

/// (x − mean) / √(variance + 10⁻⁵) of every row, `(rows, width)`.
pub(super) fn normalize_rows(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(NormalizeRows)
}

/// gain · x + bias for every row, `x: (rows, width)`, `gain, bias: (width,)`.
pub(super) fn scale_and_shift(x: &Tensor, gain: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op3(gain, bias, ScaleAndShift)
}

struct Gelu;
struct GeluSlope;
struct Softmax;
struct AddBias<const RELU: bool>;
struct ReluSlope;
struct SumRows;
struct NormalizeRows;
struct NormalizeRowsSlope;
struct ScaleAndShift;

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

impl<const RELU: bool> AddBias<RELU> {
    fn apply(self, x: Tensor, bias: &Tensor) -> Result<Tensor> {
        if x.track_op() || bias.track_op() {
            return x.apply_op2(bias, self);
        }
        x.inplace_op2(bias, &self)?;
        Ok(x)
    }

    fn add(y: &mut [f32], bias: &[f32]) {
        Arch::new().dispatch(AddBiasLoop::<RELU> { y, bias });
    }
}

impl<const RELU: bool> InplaceOp2 for AddBias<RELU> {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<()> {
        let bias = contiguous(bias, bias_layout)?;
        match (x, x_layout.contiguous_offsets()) {
            (CpuStorage::F32(x), Some((start, end))) => Self::add(&mut x[start..end], bias),
            _ => bail!("expected contiguous 32-bit numbers"),
        }
        Ok(())
    }
}

impl<const RELU: bool> CustomOp2 for AddBias<RELU> {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut y = contiguous(x, x_layout)?.to_vec();
        Self::add(&mut y, contiguous(bias, bias_layout)?);
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        y: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut gradient = gradient.contiguous()?;
        if RELU {
            gradient = y.apply_op2_no_bwd(&gradient, &ReluSlope)?;
        }
        let sums = gradient.apply_op1_no_bwd(&SumRows)?;
        Ok((Some(gradient), Some(sums)))
    }
}

impl CustomOp2 for ReluSlope {
    fn name(&self) -> &'static str {
        "relu-slope"
    }

    /// ∂y where y > 0
    fn cpu_fwd(
        &self,
        y: &CpuStorage,
        y_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let y = contiguous(y, y_layout)?;
        let gradient = contiguous(gradient, gradient_layout)?;
        let pass = |(y, gradient): (&f32, &f32)| if *y > 0.0 { *gradient } else { 0.0 };
        let slope = y.iter().zip(gradient).map(pass).collect();
        Ok((CpuStorage::F32(slope), y_layout.shape().clone()))
    }
}

impl CustomOp1 for SumRows {
    fn name(&self) -> &'static str {
        "sum-rows"
    }

    /// `(rows, width)` → `(width,)`
    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let width = layout.shape().dim(D::Minus1)?;
        let mut sums = vec![0.0; width];
        for row in contiguous(storage, layout)?.chunks_exact(width) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        Ok((CpuStorage::F32(sums), Shape::from(width)))
    }
}

impl CustomOp1 for NormalizeRows {
    fn name(&self) -> &'static str {
        "normalize-rows"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let width = layout.shape().dim(D::Minus1)?;
        let mut y = contiguous(storage, layout)?.to_vec();
        let rows = NormalizeLoop { y: &mut y, width };
        Arch::new().dispatch(rows);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let gradient = gradient.contiguous()?;
        Ok(Some(x.apply_op3_no_bwd(
            y,
            &gradient,
            &NormalizeRowsSlope,
        )?))
    }
}

impl CustomOp3 for NormalizeRowsSlope {
    fn name(&self) -> &'static str {
        "normalize-rows-slope"
    }

    /// (∂y − mean ∂y − y mean(y ∂y)) / σ
    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let width = layout.shape().dim(D::Minus1)?;
        let mut slope = contiguous(gradient, gradient_layout)?.to_vec();
        Arch::new().dispatch(NormalizeSlopeLoop {
            x: contiguous(x, layout)?,
            y: contiguous(y, y_layout)?,
            slope: &mut slope,
            width,
        });
        Ok((CpuStorage::F32(slope), layout.shape().clone()))
    }
}

impl CustomOp3 for ScaleAndShift {
    fn name(&self) -> &'static str {
        "scale-and-shift"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gain: &CpuStorage,
        gain_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let gain = contiguous(gain, gain_layout)?;
        let bias = contiguous(bias, bias_layout)?;
        let mut y = contiguous(x, x_layout)?.to_vec();
        for row in y.chunks_exact_mut(gain.len()) {
            let parts = row.iter_mut().zip(gain).zip(bias);
            parts.for_each(|((y, gain), bias)| *y = *y * gain + bias);
        }
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gain: &Tensor,
        _: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        let gains = (x * &gradient)?.apply_op1_no_bwd(&SumRows)?;
        let biases = gradient.apply_op1_no_bwd(&SumRows)?;
        Ok((
            Some(gradient.broadcast_mul(gain)?),
            Some(gains),
            Some(biases),
        ))
    }
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(all), Some((start, end))) => Ok(&all[start..end]),
        _ => bail!("expected contiguous 32-bit numbers"),
    }
}

#[cfg(test)]
mod tests;
