//! Kernels of hand-written backward passes: slopes by what a forward pass has kept, in place where
//! nothing else needs what they overwrite.

use candle_core::{CpuStorage, D, InplaceOp1, InplaceOp2, Layout, Result, Tensor, bail};
use pulp::Arch;

use super::loops::{SoftmaxInPlaceLoop, SoftmaxSlopeLoop};
use super::{GeluSlope, NormalizeRowsSlope, ReluSlope, SumRows, contiguous};

/// x ← x + y, of one shape.
pub(in super::super) fn add_in_place(x: &Tensor, y: &Tensor) -> Result<()> {
    x.inplace_op2(&y.contiguous()?, &Add)
}

/// x ← exp(x) / Σ exp(x) over the last axis.
pub(in super::super) fn softmax_in_place(x: &Tensor) -> Result<()> {
    x.inplace_op1(&Softmax)
}

/// ∂p ← p (∂p − Σ p ∂p) for a softmax p of the same shape: the slope by its argument.
pub(in super::super) fn softmax_slope_in_place(slope: &Tensor, p: &Tensor) -> Result<()> {
    slope.inplace_op2(p, &SoftmaxSlope)
}

/// The slope by x of GELU(x), of one shape with `x`.
pub(in super::super) fn gelu_slope(x: &Tensor, slope: &Tensor) -> Result<Tensor> {
    x.apply_op2_no_bwd(slope, &GeluSlope)
}

/// The slope by x of y = max(x, 0), of one shape with `y`.
pub(in super::super) fn relu_slope(y: &Tensor, slope: &Tensor) -> Result<Tensor> {
    y.apply_op2_no_bwd(slope, &ReluSlope)
}

/// `(rows, width)` → `(width,)`.
pub(in super::super) fn sum_rows(x: &Tensor) -> Result<Tensor> {
    x.apply_op1_no_bwd(&SumRows)
}

/// The slope by x of its [normalized](super::normalize_rows) rows y, `(rows, width)` all.
pub(in super::super) fn normalize_rows_slope(
    x: &Tensor,
    y: &Tensor,
    slope: &Tensor,
) -> Result<Tensor> {
    x.apply_op3_no_bwd(y, slope, &NormalizeRowsSlope)
}

struct Add;
struct Softmax;
struct SoftmaxSlope;

impl InplaceOp2 for Add {
    fn name(&self) -> &'static str {
        "add-in-place"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> Result<()> {
        let sums = contiguous_mut(x, x_layout)?.iter_mut();
        let summands = sums.zip(contiguous(y, y_layout)?);
        summands.for_each(|(x, y)| *x += y);
        Ok(())
    }
}

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax-in-place"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let width = layout.shape().dim(D::Minus1)?;
        let y = contiguous_mut(x, layout)?;
        Arch::new().dispatch(SoftmaxInPlaceLoop { y, width });
        Ok(())
    }
}

impl InplaceOp2 for SoftmaxSlope {
    fn name(&self) -> &'static str {
        "softmax-slope-in-place"
    }

    fn cpu_fwd(
        &self,
        slope: &mut CpuStorage,
        layout: &Layout,
        p: &CpuStorage,
        p_layout: &Layout,
    ) -> Result<()> {
        let width = layout.shape().dim(D::Minus1)?;
        Arch::new().dispatch(SoftmaxSlopeLoop {
            p: contiguous(p, p_layout)?,
            slope: contiguous_mut(slope, layout)?,
            width,
        });
        Ok(())
    }
}

fn contiguous_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(all), Some((start, end))) => Ok(&mut all[start..end]),
        _ => bail!("expected contiguous 32-bit numbers"),
    }
}
