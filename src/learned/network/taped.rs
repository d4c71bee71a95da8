//! Layers with hand-written backward passes: a forward pass keeps what its backward pass needs and
//! no more, and slopes by weights are added up in place.
//!
//! Candle's automatic differentiation gives the same slopes up to rounding, but keeps and allocates
//! every intermediate tensor, and adds to zeros what comes first.

use candle_core::{Result, Tensor};

use super::super::kernels::taped::{
    add_in_place, gelu_slope, normalize_rows_slope, relu_slope, softmax_in_place,
    softmax_slope_in_place, sum_rows,
};
use super::super::kernels::{gelu, normalize_rows, scale_and_shift};
use super::super::layout::{Slopes, Weights};
use super::{Attention, Encoder, LayerNorm, Linear, Trunk};

impl Linear {
    /// Adds up the slopes by weight and bias, from the input `x: (rows, inputs)` and the slope by
    /// the output, `(rows, outputs)`.
    fn learn(&self, x: &Tensor, slope: &Tensor, slopes: &mut Slopes) -> Result<()> {
        slopes.add(self.weight, x.t()?.matmul(slope)?)?;
        slopes.add(self.bias, sum_rows(slope)?)
    }

    /// The same; returns the slope by the input, `(rows, inputs)`.
    fn backward(
        &self,
        weights: &Weights,
        x: &Tensor,
        slope: &Tensor,
        slopes: &mut Slopes,
    ) -> Result<Tensor> {
        self.learn(x, slope, slopes)?;
        slope.matmul(&weights.at(self.weight).t()?)
    }
}

/// What a [`LayerNorm`] keeps: its input and the same normalized, `(rows, width)` each.
#[derive(Debug)]
pub(in super::super) struct NormTape {
    x: Tensor,
    normal: Tensor,
}

impl LayerNorm {
    /// As `forward`, with what `backward` needs.
    pub fn taped(&self, weights: &Weights, x: &Tensor) -> Result<(Tensor, NormTape)> {
        let normal = normalize_rows(x)?;
        let (gain, bias) = (weights.at(self.gain), weights.at(self.bias));
        let y = scale_and_shift(&normal, gain, bias)?;
        let x = x.clone();
        Ok((y, NormTape { x, normal }))
    }

    /// Adds up slopes; returns that by the input, `(rows, width)`.
    pub fn backward(
        &self,
        weights: &Weights,
        tape: &NormTape,
        slope: &Tensor,
        slopes: &mut Slopes,
    ) -> Result<Tensor> {
        slopes.add(self.gain, sum_rows(&(&tape.normal * slope)?)?)?;
        slopes.add(self.bias, sum_rows(slope)?)?;
        let slope = slope.broadcast_mul(weights.at(self.gain))?;
        normalize_rows_slope(&tape.x, &tape.normal, &slope)
    }
}

/// What a [`Trunk`] keeps: the input of every layer, then the output, `(rows, …)` each.
#[derive(Debug)]
pub(in super::super) struct TrunkTape(Vec<Tensor>);

impl Trunk {
    /// As `forward`, with what `backward` needs.
    pub fn taped(&self, weights: &Weights, x: &Tensor) -> Result<(Tensor, TrunkTape)> {
        let mut kept = vec![x.clone()];
        let mut x = x.clone();
        for layer in &self.layers {
            x = layer.forward_relu(weights, &x)?;
            kept.push(x.clone());
        }
        Ok((x, TrunkTape(kept)))
    }

    /// Adds up slopes from that by the output, `(rows, width)`.
    pub fn backward(
        &self,
        weights: &Weights,
        tape: &TrunkTape,
        slope: &Tensor,
        slopes: &mut Slopes,
    ) -> Result<()> {
        let mut slope = slope.clone();
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let inner = relu_slope(&tape.0[l + 1], &slope)?;
            if l == 0 {
                return layer.learn(&tape.0[0], &inner, slopes);
            }
            slope = layer.backward(weights, &tape.0[l], &inner, slopes)?;
        }
        Ok(())
    }
}

/// What an [`Encoder`] keeps: inputs of its layers, `(rows, …)` each.
#[derive(Debug)]
pub(in super::super) struct EncoderTape {
    attention_norm: NormTape,
    attention: AttentionTape,
    feed_forward_norm: NormTape,
    normal: Tensor,
    wide: Tensor,
    activated: Tensor,
}

impl Encoder {
    /// As `forward`, with what `backward` needs.
    pub fn taped(
        &self,
        weights: &Weights,
        x: &Tensor,
        batch: usize,
    ) -> Result<(Tensor, EncoderTape)> {
        let (normal, attention_norm) = self.attention_norm.taped(weights, x)?;
        let (seen, attention) = self.attention.taped(weights, normal, batch)?;
        add_in_place(&seen, x)?;
        let (normal, feed_forward_norm) = self.feed_forward_norm.taped(weights, &seen)?;
        let wide = self.widen.forward(weights, &normal)?;
        let activated = gelu(&wide)?;
        let y = self.narrow.forward(weights, &activated)?;
        add_in_place(&y, &seen)?;
        let tape = EncoderTape {
            attention_norm,
            attention,
            feed_forward_norm,
            normal,
            wide,
            activated,
        };
        Ok((y, tape))
    }

    /// Adds up slopes; returns that by the input, `(rows, width)`.
    pub fn backward(
        &self,
        weights: &Weights,
        tape: &EncoderTape,
        slope: &Tensor,
        slopes: &mut Slopes,
    ) -> Result<Tensor> {
        let inner = (self.narrow).backward(weights, &tape.activated, slope, slopes)?;
        let inner = gelu_slope(&tape.wide, &inner)?;
        let inner = self.widen.backward(weights, &tape.normal, &inner, slopes)?;
        let norm = &tape.feed_forward_norm;
        let middle = (self.feed_forward_norm).backward(weights, norm, &inner, slopes)?;
        add_in_place(&middle, slope)?;
        let inner = (self.attention).backward(weights, &tape.attention, &middle, slopes)?;
        let norm = &tape.attention_norm;
        let first = (self.attention_norm).backward(weights, norm, &inner, slopes)?;
        add_in_place(&first, &middle)?;
        Ok(first)
    }
}

/// What an [`Attention`] keeps.
#[derive(Debug)]
struct AttentionTape {
    /// `(rows, width)`.
    x: Tensor,
    /// Queries (scaled), keys and values, `(batch · heads, tokens, head_width)`.
    query: Tensor,
    key: Tensor,
    value: Tensor,
    /// How much every token looks at every other, `(batch · heads, tokens, tokens)`.
    looks: Tensor,
    /// `(rows, heads · head_width)`.
    merged: Tensor,
}

impl Attention {
    fn taped(&self, weights: &Weights, x: Tensor, batch: usize) -> Result<(Tensor, AttentionTape)> {
        let heads = |layer: &Linear| self.split(&layer.forward(weights, &x)?, batch);
        let query = (heads(&self.query)? * self.scale())?;
        let (key, value) = (heads(&self.key)?, heads(&self.value)?);
        let looks = query.matmul(&key.t()?)?;
        softmax_in_place(&looks)?;
        let merged = self.merge(&looks.matmul(&value)?, batch)?;
        let y = self.output.forward(weights, &merged)?;
        let tape = AttentionTape {
            x,
            query,
            key,
            value,
            looks,
            merged,
        };
        Ok((y, tape))
    }

    /// Adds up slopes; returns that by the input, `(rows, width)`.
    fn backward(
        &self,
        weights: &Weights,
        tape: &AttentionTape,
        slope: &Tensor,
        slopes: &mut Slopes,
    ) -> Result<Tensor> {
        let batch = tape.query.dim(0)? / self.heads;
        let merged = (self.output).backward(weights, &tape.merged, slope, slopes)?;
        let seen = self.split(&merged, batch)?;
        let value = tape.looks.t()?.matmul(&seen)?;
        let looks = seen.matmul(&tape.value.t()?)?;
        softmax_slope_in_place(&looks, &tape.looks)?;
        let query = (looks.matmul(&tape.key)? * self.scale())?;
        let key = looks.t()?.matmul(&tape.query)?;
        let mut sum: Option<Tensor> = None;
        let layers = [(&self.query, query), (&self.key, key), (&self.value, value)];
        for (layer, slope) in layers {
            let slope = self.merge(&slope, batch)?;
            let part = layer.backward(weights, &tape.x, &slope, slopes)?;
            match &sum {
                Some(sum) => add_in_place(sum, &part)?,
                None => sum = Some(part),
            }
        }
        sum.map_or_else(|| tape.x.zeros_like(), Ok)
    }

    /// What queries are multiplied by.
    fn scale(&self) -> f64 {
        (self.head_width as f64).sqrt().recip()
    }

    /// `(batch · tokens, heads · head_width)` → `(batch · heads, tokens, head_width)`.
    fn split(&self, x: &Tensor, batch: usize) -> Result<Tensor> {
        let tokens = x.dim(0)? / batch;
        x.reshape((batch, tokens, self.heads, self.head_width))?
            .transpose(1, 2)?
            .contiguous()?
            .reshape((batch * self.heads, tokens, self.head_width))
    }

    /// The way back.
    fn merge(&self, x: &Tensor, batch: usize) -> Result<Tensor> {
        let tokens = x.dim(1)?;
        x.reshape((batch, self.heads, tokens, self.head_width))?
            .transpose(1, 2)?
            .contiguous()?
            .reshape((batch * tokens, self.heads * self.head_width))
    }
}
