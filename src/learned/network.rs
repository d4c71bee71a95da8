//! Layers: each keeps the places of its tensors in a [`Layout`] and is given the [`Weights`] when
//! it is applied.

use candle_core::{Result, Tensor};

use super::kernels::{add_bias, add_bias_relu, gelu, normalize_rows, scale_and_shift, softmax};
use super::layout::{Initial, Layout, Weights};

pub(super) use taped::{EncoderTape, NormTape, TrunkTape};

mod taped;

/// y = x W + b, `(rows, inputs)` → `(rows, outputs)`.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    weight: usize,
    bias: usize,
}

impl Linear {
    /// With weights from a truncated normal of deviation `gain` / √inputs, and biases 0.
    pub fn new(
        layout: &mut Layout,
        name: &str,
        (inputs, outputs): (usize, usize),
        gain: f32,
    ) -> Self {
        Self::with_bias(layout, name, (inputs, outputs), gain, 0.0)
    }

    /// The same with biases `bias`.
    pub fn with_bias(
        layout: &mut Layout,
        name: &str,
        (inputs, outputs): (usize, usize),
        gain: f32,
        bias: f32,
    ) -> Self {
        let initial = Initial::TruncatedNormal(gain / (inputs as f32).sqrt());
        Self {
            weight: layout.add(format!("{name}.weight"), &[inputs, outputs], initial),
            bias: layout.add(format!("{name}.bias"), &[outputs], Initial::Constant(bias)),
        }
    }

    pub fn forward(&self, weights: &Weights, x: &Tensor) -> Result<Tensor> {
        add_bias(x.matmul(weights.at(self.weight))?, weights.at(self.bias))
    }

    /// max(x W + b, 0).
    pub fn forward_relu(&self, weights: &Weights, x: &Tensor) -> Result<Tensor> {
        add_bias_relu(x.matmul(weights.at(self.weight))?, weights.at(self.bias))
    }

    /// The same where the last `shared` inputs are equal in all rows: they act as a bias.
    fn forward_relu_shared(&self, weights: &Weights, x: &Tensor, shared: usize) -> Result<Tensor> {
        let (weight, bias) = (weights.at(self.weight), weights.at(self.bias));
        let own = weight.dim(0)? - shared;
        let row = x.narrow(0, 0, 1)?.narrow(1, own, shared)?;
        let bias = (row.matmul(&weight.narrow(0, own, shared)?)?.squeeze(0)? + bias)?;
        let products = x.narrow(1, 0, own)?.matmul(&weight.narrow(0, 0, own)?)?;
        add_bias_relu(products, &bias)
    }
}

/// Scales every row to mean 0 and variance 1, then by a learned gain and bias.
///
/// J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization", 2016.
#[derive(Clone, Debug)]
pub(super) struct LayerNorm {
    gain: usize,
    bias: usize,
}

impl LayerNorm {
    pub fn new(layout: &mut Layout, name: &str, width: usize) -> Self {
        Self {
            gain: layout.add(format!("{name}.gain"), &[width], Initial::Constant(1.0)),
            bias: layout.add(format!("{name}.bias"), &[width], Initial::Constant(0.0)),
        }
    }

    pub fn forward(&self, weights: &Weights, x: &Tensor) -> Result<Tensor> {
        let (gain, bias) = (weights.at(self.gain), weights.at(self.bias));
        scale_and_shift(&normalize_rows(x)?, gain, bias)
    }
}

/// Linear layers with ReLU after each, `(rows, inputs)` → `(rows, width)`.
#[derive(Clone, Debug)]
pub(super) struct Trunk {
    layers: Vec<Linear>,
}

impl Trunk {
    pub fn new(
        layout: &mut Layout,
        name: &str,
        inputs: usize,
        width: usize,
        layers: usize,
    ) -> Self {
        let layers = (0..layers)
            .map(|l| {
                let inputs = if l == 0 { inputs } else { width };
                Linear::new(layout, &format!("{name}.{l}"), (inputs, width), 1.0)
            })
            .collect();
        Self { layers }
    }

    /// The place of the first layer's weights, `(inputs, width)`.
    pub fn first_weight(&self) -> usize {
        self.layers[0].weight
    }

    pub fn forward(&self, weights: &Weights, x: &Tensor) -> Result<Tensor> {
        self.forward_shared(weights, x, 0)
    }

    /// The same where the last `shared` inputs are equal in all rows.
    pub fn forward_shared(&self, weights: &Weights, x: &Tensor, shared: usize) -> Result<Tensor> {
        let mut x = x.clone();
        for (l, layer) in self.layers.iter().enumerate() {
            x = match (l, shared) {
                (0, 1..) => layer.forward_relu_shared(weights, &x, shared)?,
                _ => layer.forward_relu(weights, &x)?,
            };
        }
        Ok(x)
    }
}

/// A transformer encoder with layer normalization before attention and before the feed-forward
/// part, no positions and no dropout.
///
/// A. Vaswani et al., "Attention is all you need", NeurIPS 2017.
#[derive(Clone, Debug)]
pub(super) struct Encoder {
    attention_norm: LayerNorm,
    attention: Attention,
    feed_forward_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

/// Sizes of an [`Encoder`].
#[derive(Clone, Copy, Debug)]
pub(super) struct EncoderShape {
    pub width: usize,
    pub heads: usize,
    pub head_width: usize,
    pub feed_forward: usize,
    /// Scale of the initial weights, smaller for deeper stacks.
    pub gain: f32,
}

impl Encoder {
    pub fn new(layout: &mut Layout, name: &str, shape: EncoderShape) -> Self {
        let EncoderShape {
            width,
            feed_forward,
            gain,
            ..
        } = shape;
        let wide = (width, feed_forward);
        let narrow = (feed_forward, width);
        Self {
            attention_norm: LayerNorm::new(layout, &format!("{name}.attention_norm"), width),
            attention: Attention::new(layout, &format!("{name}.attention"), shape),
            feed_forward_norm: LayerNorm::new(layout, &format!("{name}.feed_forward_norm"), width),
            widen: Linear::new(layout, &format!("{name}.widen"), wide, gain),
            narrow: Linear::new(layout, &format!("{name}.narrow"), narrow, gain),
        }
    }

    /// `x: (batch · tokens, width)` → the same shape.
    pub fn forward(&self, weights: &Weights, x: &Tensor, batch: usize) -> Result<Tensor> {
        let normal = self.attention_norm.forward(weights, x)?;
        let x = (x + self.attention.forward(weights, &normal, batch)?)?;
        let normal = self.feed_forward_norm.forward(weights, &x)?;
        let wide = gelu(&self.widen.forward(weights, &normal)?)?;
        &x + self.narrow.forward(weights, &wide)?
    }
}

/// Queries that look at all keys at once: their weights stay in the cache.
const QUERIES: usize = 128;

/// Multi-head self-attention: every token of a problem looks at every other.
#[derive(Clone, Debug)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: usize,
    head_width: usize,
}

impl Attention {
    fn new(layout: &mut Layout, name: &str, shape: EncoderShape) -> Self {
        let EncoderShape {
            width,
            heads,
            head_width,
            gain,
            ..
        } = shape;
        let inner = heads * head_width;
        let mut linear = |part: &str, size: (usize, usize)| {
            Linear::new(layout, &format!("{name}.{part}"), size, gain)
        };
        Self {
            query: linear("query", (width, inner)),
            key: linear("key", (width, inner)),
            value: linear("value", (width, inner)),
            output: linear("output", (inner, width)),
            heads,
            head_width,
        }
    }

    fn forward(&self, weights: &Weights, x: &Tensor, batch: usize) -> Result<Tensor> {
        let rows = x.dim(0)?;
        let tokens = rows / batch;
        // (batch · tokens, heads · head_width) → (batch · heads, tokens, head_width)
        let split = |layer: &Linear| {
            layer
                .forward(weights, x)?
                .reshape((batch, tokens, self.heads, self.head_width))?
                .transpose(1, 2)?
                .contiguous()?
                .reshape((batch * self.heads, tokens, self.head_width))
        };
        let query = (split(&self.query)? * (self.head_width as f64).sqrt().recip())?;
        let (key, value) = (split(&self.key)?, split(&self.value)?);
        let key = key.t()?.contiguous()?;
        let attend = |query: &Tensor| softmax(&query.matmul(&key)?)?.matmul(&value);
        let seen = if tokens <= QUERIES {
            attend(&query)?
        } else {
            let blocks = (0..tokens).step_by(QUERIES).map(|first| {
                let block = query.narrow(1, first, QUERIES.min(tokens - first))?;
                attend(&block.contiguous()?)
            });
            Tensor::cat(&blocks.collect::<Result<Vec<_>>>()?, 1)?
        };
        let merged = seen
            .reshape((batch, self.heads, tokens, self.head_width))?
            .transpose(1, 2)?
            .contiguous()?
            .reshape((rows, self.heads * self.head_width))?;
        self.output.forward(weights, &merged)
    }
}
