//! Optimus: encoders over the coordinates predict rank-one updates of a preconditioner, a branch
//! per coordinate predicts the step.
//!
//! # References
//! * E. Gärtner, L. Metz, M. Andriluka, C. D. Freeman, C. Sminchisescu, "Transformer-based learned
//!   optimization", CVPR 2023, Eq. (1)–(3), Alg. 1, Fig. 2.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::ops::sigmoid;

use super::architecture::{Normalization, Optimus, Structure};
use super::curvature::{self, AVERAGED, CURVED};
use super::guidance::{FAMILIAR, PROPOSALS, Sight};
use super::layout::{Initial, Layout, Weights};
use super::network::{Encoder, EncoderShape, LayerNorm, Linear, Trunk};

pub(super) use taped::OptimusTape;

mod taped;

/// Weights of the proposals before anything is learned: a little steepest descent, half of L-BFGS.
const FIRST_GATES: [f32; PROPOSALS] = [0.1, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0];

/// The same where curvature is seen: damped Gauss–Newton steps alone.
const FIRST_CURVED_GATES: [f32; PROPOSALS + CURVED] = curved_gates(1.0);

/// The same where averages are seen too.
const FIRST_AVERAGED_GATES: [f32; PROPOSALS + CURVED + AVERAGED] = curved_gates(0.5);

/// Those of curvature times `share`, and of averages where there is room for them.
const fn curved_gates<const P: usize>(share: f32) -> [f32; P] {
    let mut gates = [0.0; P];
    let mut i = 0;
    while PROPOSALS + i < P {
        gates[PROPOSALS + i] = if i < CURVED {
            share * curvature::FIRST_GATES[i]
        } else {
            curvature::FIRST_AVERAGED_GATES[i - CURVED]
        };
        i += 1;
    }
    gates
}

/// Scale of the initial weights of heads whose first outputs should be small.
const QUIET: f32 = 0.1;

/// The layers.
#[derive(Clone, Debug)]
pub(super) struct OptimusNetwork {
    trunk: Trunk,
    step: Linear,
    input_norm: LayerNorm,
    encoders: Vec<Encoder>,
    final_norm: LayerNorm,
    /// One head per encoder; none without structure.
    updates: Vec<Linear>,
    gates: Option<Gates>,
    settings: Optimus,
}

/// Weights of the proposals: constant, shared by all coordinates, and by coordinate.
///
/// A switch per problem scales everything that differs between coordinates: where they depend on
/// each other, a classical direction is worth more unblended.
#[derive(Clone, Debug)]
struct Gates {
    always: usize,
    shared: Linear,
    own: Linear,
    switch: Linear,
}

/// What the switch begins with: nearly on.
const SWITCHED_ON: f32 = 4.0;

/// What the network is shown: B problems of N coordinates each.
pub(super) struct Inputs<'a> {
    /// `(B · N, F)`.
    pub features: &'a Tensor,
    /// `(B · N, P)`, for guided optimizers.
    pub proposals: Option<&'a Tensor>,
    /// B and N.
    pub size: (usize, usize),
}

/// What the heads look at, `(B · N, D)` each.
#[derive(Debug)]
pub(super) struct Seen {
    /// The output of the layers below the encoders.
    pub hidden: Tensor,
    /// The output of every encoder, normalized.
    pub encoders: Vec<Tensor>,
}

impl OptimusNetwork {
    pub fn new(layout: &mut Layout, settings: &Optimus, features: usize) -> Self {
        let width = settings.width;
        let shape = EncoderShape {
            width,
            heads: settings.heads,
            head_width: settings.head_width,
            feed_forward: settings.feed_forward,
            gain: (2.0 / settings.encoders as f32).sqrt().min(1.0),
        };
        let sight = Sight::of(settings);
        let proposals = sight.proposals();
        let first_gates: &'static [f32] = match (sight.curvature, sight.averaged) {
            (true, true) => &FIRST_AVERAGED_GATES,
            (true, false) => &FIRST_CURVED_GATES,
            _ => &FIRST_GATES,
        };
        let has_structure = settings.structure != Structure::None;
        let heads = if has_structure { settings.encoders } else { 0 };
        Self {
            trunk: Trunk::new(layout, "trunk", features, width, settings.trunk_layers),
            step: Linear::new(layout, "step", (width, 2), 1.0),
            input_norm: LayerNorm::new(layout, "input_norm", width),
            encoders: (0..settings.encoders)
                .map(|l| Encoder::new(layout, &format!("encoder.{l}"), shape))
                .collect(),
            final_norm: LayerNorm::new(layout, "final_norm", width),
            updates: (0..heads)
                .map(|l| Linear::new(layout, &format!("update.{l}"), (width, 1), QUIET))
                .collect(),
            gates: settings.guided.then(|| Gates {
                always: layout.add("gates.always", &[proposals], Initial::List(first_gates)),
                shared: Linear::new(layout, "gates.shared", (width, proposals), 0.0),
                own: Linear::new(layout, "gates", (width, proposals), QUIET),
                switch: Linear::with_bias(layout, "switch", (width, 1), 0.0, SWITCHED_ON),
            }),
            settings: settings.clone(),
        }
    }

    /// The layers that see the features first.
    pub fn trunk(&self) -> &Trunk {
        &self.trunk
    }

    /// The step x⁺ − x, `(B, N)`, in units of σ for guided optimizers, and the next preconditioner
    /// B, `(B, N, N)`, from the present one (`None`: the identity).
    pub fn forward(
        &self,
        weights: &Weights,
        inputs: &Inputs,
        structure: Option<&Tensor>,
    ) -> Result<(Tensor, Option<Tensor>)> {
        let seen = self.see(weights, inputs)?;
        self.decide(weights, &seen, inputs, structure)
    }

    /// What the layers below the heads make of the features.
    fn see(&self, weights: &Weights, inputs: &Inputs) -> Result<Seen> {
        let hidden = self.trunk.forward(weights, inputs.features)?;
        let mut encoded = self.input_norm.forward(weights, &hidden)?;
        let mut encoders = Vec::with_capacity(self.encoders.len());
        for encoder in self.used_encoders() {
            encoded = encoder.forward(weights, &encoded, inputs.size.0)?;
            encoders.push(self.final_norm.forward(weights, &encoded)?);
        }
        Ok(Seen { hidden, encoders })
    }

    /// Encoders that anything depends on: without structure and proposals there are none.
    fn used_encoders(&self) -> &[Encoder] {
        if self.updates.is_empty() && self.gates.is_none() {
            return &[];
        }
        &self.encoders
    }

    /// As [`forward`](Self::forward), from what the layers below the heads have `seen`.
    pub(super) fn decide(
        &self,
        weights: &Weights,
        seen: &Seen,
        inputs: &Inputs,
        structure: Option<&Tensor>,
    ) -> Result<(Tensor, Option<Tensor>)> {
        let (batch, tokens) = inputs.size;
        let hidden = &seen.hidden;
        let last = seen.encoders.last().unwrap_or(hidden);
        let heads = self.updates.iter().zip(&seen.encoders);
        let updates = heads
            .map(|(head, normal)| head.forward(weights, normal))
            .collect::<Result<Vec<_>>>()?;
        let (s, switch) = match (&self.gates, inputs.proposals) {
            (Some(gates), Some(proposals)) => {
                let blended = self.blend(gates, weights, last, proposals, inputs.size)?;
                (blended.0, Some(blended.1))
            }
            _ => (
                self.free_step(weights, hidden)?
                    .reshape((batch, tokens, 1))?,
                None,
            ),
        };
        if updates.is_empty() {
            return Ok((s.squeeze(2)?, None));
        }
        // Alg. 1: B is updated first, then used.
        let mut u = Tensor::cat(&updates, 1)?.reshape((batch, tokens, self.updates.len()))?;
        if let Some(switch) = switch {
            u = u.broadcast_mul(&switch)?;
        }
        if self.settings.guided && tokens > FAMILIAR {
            // Keeps ‖u‖², the eigenvalue of an update, as it is in training.
            u = (u * (FAMILIAR as f64 / tokens as f64).sqrt())?;
        }
        let structure = self.update(structure, &u)?;
        let step = structure.matmul(&s)?.squeeze(2)?;
        let kept = self.settings.structure == Structure::Accumulated;
        Ok((step, kept.then_some(structure)))
    }

    /// The blend of `proposals: (B · N, P)` and the free step, `(B, N, 1)`, and the switch,
    /// `(B, 1, 1)`, from the encoded coordinates `x: (B · N, D)`.
    fn blend(
        &self,
        gates: &Gates,
        weights: &Weights,
        x: &Tensor,
        proposals: &Tensor,
        (batch, tokens): (usize, usize),
    ) -> Result<(Tensor, Tensor)> {
        let (width, count) = (x.dim(1)?, proposals.dim(1)?);
        let pooled = x.reshape((batch, tokens, width))?.mean(1)?;
        let switch = sigmoid(&gates.switch.forward(weights, &pooled)?)?.unsqueeze(1)?;
        let shared = gates.shared.forward(weights, &pooled)?;
        let shared = shared
            .broadcast_add(weights.at(gates.always))?
            .unsqueeze(1)?;
        let own = gates
            .own
            .forward(weights, x)?
            .reshape((batch, tokens, count))?;
        let gates = own.broadcast_mul(&switch)?.broadcast_add(&shared)?;
        let proposals = proposals.reshape((batch, tokens, count))?;
        let blend = (gates * proposals)?.sum_keepdim(2)?;
        let free = self.free_step(weights, x)?.reshape((batch, tokens, 1))?;
        Ok(((blend + free.broadcast_mul(&switch)?)?, switch))
    }

    /// s = λ_b exp(λ_a a) d, `(B · N, 1)`.
    fn free_step(&self, weights: &Weights, x: &Tensor) -> Result<Tensor> {
        let Optimus {
            magnitude_scale,
            direction_scale,
            ..
        } = self.settings;
        exponential_step(
            &self.step.forward(weights, x)?,
            magnitude_scale,
            direction_scale,
        )
    }

    /// B ← (B + Σ u uᵀ) / ‖·‖, Eq. (3), for `u: (B, N, L)`.
    fn update(&self, structure: Option<&Tensor>, u: &Tensor) -> Result<Tensor> {
        let tokens = u.dim(1)?;
        let outer = u.matmul(&u.t()?)?;
        let sum = match structure {
            Some(structure) => (structure + outer)?,
            None => outer.broadcast_add(&Tensor::eye(tokens, DType::F32, &Device::Cpu)?)?,
        };
        let frobenius = || sum.sqr()?.sum_keepdim((1, 2))?.sqrt();
        match self.settings.normalization {
            Normalization::None => Ok(sum),
            Normalization::Frobenius => sum.broadcast_div(&frobenius()?),
            Normalization::Identity => {
                sum.broadcast_div(&(frobenius()? * (tokens as f64).sqrt().recip())?)
            }
            Normalization::Spectral => sum.broadcast_div(&largest_eigenvalue(&sum, u)?),
        }
    }
}

/// λ_b exp(λ_a a) d from `outputs: (rows, 2)` = (d, a), `(rows, 1)`.
pub(super) fn exponential_step(
    outputs: &Tensor,
    magnitude_scale: f64,
    direction_scale: f64,
) -> Result<Tensor> {
    let direction = outputs.narrow(1, 0, 1)?;
    let magnitude = (outputs.narrow(1, 1, 1)? * magnitude_scale)?.exp()?;
    (direction * magnitude)? * direction_scale
}

/// The largest eigenvalue of positive semidefinite matrices `(B, N, N)` → `(B, 1, 1)`, by power
/// iteration from 1 + Σ u, which has no preferred coordinate; the vector it is measured with is
/// held constant under differentiation.
fn largest_eigenvalue(matrices: &Tensor, u: &Tensor) -> Result<Tensor> {
    const ITERATIONS: usize = 12;
    let constant = matrices.detach();
    let mut v = (u.detach().sum_keepdim(2)? + 1.0)?;
    for _ in 0..ITERATIONS {
        v = constant.matmul(&v)?;
        v = v.broadcast_div(&v.sqr()?.sum_keepdim(1)?.sqrt()?)?;
    }
    v.t()?.contiguous()?.matmul(&matrices.matmul(&v)?)
}
