//! Architectures as they are written in a configuration, and what they are made of.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A learned optimizer before it has meta-parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Architecture {
    /// A small network applied to every coordinate alone.
    AdafactorMlp(AdafactorMlp),
    /// Transformer encoders over the coordinates, with a learned preconditioner.
    Optimus(Optimus),
}

/// The Adafactor MLP of Metz et al. (2022), called AdaFactor MLP in Sec. 5.
///
/// With 512 × 4 it has 811,531 meta-parameters, with 128 × 2 it has 22,411.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdafactorMlp {
    /// Units of a hidden layer. Default: 128.
    pub width: usize,
    /// Hidden layers. Default: 2.
    pub layers: usize,
    /// Decays of the mean of g² at θ = 0. Default: 0.9, 0.99, 0.999; the original has 0.999 alone.
    pub rms_decays: Vec<f64>,
    /// λ_a and λ_b of s = λ_b exp(λ_a a) d. Default: 0.1, as in the paper.
    pub magnitude_scale: f64,
    /// See `magnitude_scale`.
    pub direction_scale: f64,
}

impl Default for AdafactorMlp {
    fn default() -> Self {
        Self {
            width: 128,
            layers: 2,
            rms_decays: vec![0.9, 0.99, 0.999],
            magnitude_scale: 0.1,
            direction_scale: 0.1,
        }
    }
}

/// Optimus (Eq. 1–3, Alg. 1): 832,526 meta-parameters by default.
///
/// The paper fixes width, encoders and the total; this is one architecture with exactly that
/// count, not necessarily the paper's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Optimus {
    /// Model dimension D. Default: 128 (Table 7).
    pub width: usize,
    /// Encoders L, each with a head for a rank-one update. Default: 3 (Table 7).
    pub encoders: usize,
    /// Attention heads. Default: 8.
    pub heads: usize,
    /// Width of an attention head. Default: 32.
    pub head_width: usize,
    /// Width between the two layers of the feed-forward part. Default: 512.
    pub feed_forward: usize,
    /// Hidden layers of the per-coordinate network below the encoders. Default: 3.
    pub trunk_layers: usize,
    /// What becomes of the preconditioner B. Default: accumulated.
    pub structure: Structure,
    /// The norm that B is divided by. Default: identity.
    pub normalization: Normalization,
    /// Whether the optimizer sees and blends classical directions
    /// ([`guidance`](super::guidance)) instead of the Adafactor features. Default: no.
    pub guided: bool,
    /// Whether a guided optimizer also sees the Gauss–Newton matrix and blends damped Gauss–Newton
    /// steps. Default: no.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub curvature: bool,
    /// Whether one that sees the Gauss–Newton matrix also blends steps from averages of all it has seen
    /// of it. Default: no.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub averaged: bool,
    /// Coordinates of a block, where they come in blocks along time, as those of a window's knots do: a
    /// guided optimizer then sees where its block stands and which of a block a coordinate is. Default: 0,
    /// all coordinates are alike.
    #[serde(skip_serializing_if = "is_zero")]
    pub block: usize,
    /// Whether a run goes in stages ([`Staged`](super::Staged)): the network opens it, line searches follow
    /// valleys, surveys look for lower minima. Training is the same either way. Default: no.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub staged: bool,
    /// Whether steps of one that sees the Gauss–Newton matrix are tried by their values
    /// ([`Searched`](super::Searched)). Training is the same either way. Default: no.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub searched: bool,
    /// Length of the first steps of a guided optimizer, in units of x. Default: 1.
    pub initial_scale: f64,
    /// λ_a and λ_b of s = λ_b exp(λ_a a) d. Default: 0.1, as in the paper.
    pub magnitude_scale: f64,
    /// See `magnitude_scale`.
    pub direction_scale: f64,
}

impl Default for Optimus {
    fn default() -> Self {
        Self {
            width: 128,
            encoders: 3,
            heads: 8,
            head_width: 32,
            feed_forward: 512,
            trunk_layers: 3,
            structure: Structure::Accumulated,
            normalization: Normalization::Identity,
            guided: false,
            curvature: false,
            averaged: false,
            block: 0,
            staged: false,
            searched: false,
            initial_scale: 1.0,
            magnitude_scale: 0.1,
            direction_scale: 0.1,
        }
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What becomes of the preconditioner B from one iteration to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Structure {
    /// Updates add up over the run: Optimus.
    Accumulated,
    /// B starts from the identity in every iteration: "no state" (Table 4).
    Fresh,
    /// B is the identity: "no structure" (Table 4).
    None,
}

/// The norm in B ← (B + Σ u uᵀ) / ‖·‖, Eq. (3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// ‖B‖_F / √N: the identity stays the identity in every dimension.
    Identity,
    /// ‖B‖_F, the literal reading: steps shrink by √N.
    Frobenius,
    /// The largest eigenvalue, by power iteration.
    Spectral,
    /// None, as in Alg. 1.
    None,
}

impl Architecture {
    /// Checks every size.
    ///
    /// # Errors
    /// [`Error::Input`] naming `origin` and the field.
    pub fn check(&self, origin: &str) -> Result<()> {
        let positive = |field: &str, value: usize| {
            let advice = "give a number from 1 to 4096";
            let is_valid = (1..=4096).contains(&value);
            is_valid
                .then_some(())
                .ok_or_else(|| Error::input(origin, field, value, advice))
        };
        let finite = |field: &str, value: f64| {
            let is_valid = value.is_finite() && value > 0.0;
            let advice = "give a positive number";
            is_valid
                .then_some(())
                .ok_or_else(|| Error::input(origin, field, value, advice))
        };
        match self {
            Self::AdafactorMlp(mlp) => {
                positive("width", mlp.width)?;
                positive("layers", mlp.layers)?;
                finite("magnitude_scale", mlp.magnitude_scale)?;
                finite("direction_scale", mlp.direction_scale)?;
                let is_valid = matches!(mlp.rms_decays.len(), 1 | 3)
                    && mlp.rms_decays.iter().all(|b| (0.0..1.0).contains(b));
                let advice = "give one or three numbers from 0 to below 1";
                let found = format!("{:?}", mlp.rms_decays);
                is_valid
                    .then_some(())
                    .ok_or_else(|| Error::input(origin, "rms_decays", found, advice))
            }
            Self::Optimus(optimus) => {
                positive("width", optimus.width)?;
                positive("encoders", optimus.encoders)?;
                positive("heads", optimus.heads)?;
                positive("head_width", optimus.head_width)?;
                positive("feed_forward", optimus.feed_forward)?;
                positive("trunk_layers", optimus.trunk_layers)?;
                let guided = "set guided to true as well";
                if optimus.curvature && !optimus.guided {
                    return Err(Error::input(origin, "curvature", true, guided));
                }
                let curved = [
                    ("averaged", optimus.averaged),
                    ("searched", optimus.searched),
                ];
                if let Some((field, _)) = curved
                    .iter()
                    .find(|(_, is_set)| *is_set && !optimus.curvature)
                {
                    let advice = "set curvature to true as well";
                    return Err(Error::input(origin, field, true, advice));
                }
                if optimus.staged && !optimus.guided {
                    return Err(Error::input(origin, "staged", true, guided));
                }
                if optimus.block > 0 {
                    positive("block", optimus.block)?;
                    if !optimus.guided {
                        return Err(Error::input(origin, "block", optimus.block, guided));
                    }
                }
                finite("initial_scale", optimus.initial_scale)?;
                finite("magnitude_scale", optimus.magnitude_scale)?;
                finite("direction_scale", optimus.direction_scale)
            }
        }
    }
}
