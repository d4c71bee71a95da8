//! Optimus with hand-written backward passes through everything below its heads.

use candle_core::{Result, Tensor};

use super::super::kernels::taped::add_in_place;
use super::super::layout::{Slopes, Weights};
use super::super::network::{EncoderTape, NormTape, TrunkTape};
use super::{Inputs, OptimusNetwork, Seen};

/// What a forward pass keeps.
#[derive(Debug)]
pub(in super::super) struct OptimusTape {
    trunk: TrunkTape,
    input_norm: NormTape,
    /// By encoder, with the normalization of its output.
    encoders: Vec<(EncoderTape, NormTape)>,
}

impl OptimusNetwork {
    /// As `see`, with what [`backward`](Self::backward) needs; `weights` are constants.
    pub fn taped(&self, weights: &Weights, inputs: &Inputs) -> Result<(Seen, OptimusTape)> {
        let (hidden, trunk) = self.trunk.taped(weights, inputs.features)?;
        let (mut encoded, input_norm) = self.input_norm.taped(weights, &hidden)?;
        let (mut normals, mut encoders) = (Vec::new(), Vec::new());
        for encoder in self.used_encoders() {
            let (y, tape) = encoder.taped(weights, &encoded, inputs.size.0)?;
            let (normal, norm) = self.final_norm.taped(weights, &y)?;
            encoded = y;
            normals.push(normal);
            encoders.push((tape, norm));
        }
        let tape = OptimusTape {
            trunk,
            input_norm,
            encoders,
        };
        let encoders = normals;
        Ok((Seen { hidden, encoders }, tape))
    }

    /// Adds up slopes by θ from those by what was seen, hidden first; `None` where nothing depends
    /// on it.
    pub fn backward(
        &self,
        weights: &Weights,
        tape: &OptimusTape,
        seen: &[Option<&Tensor>],
        slopes: &mut Slopes,
    ) -> Result<()> {
        let mut encoded: Option<Tensor> = None;
        for (l, encoder) in self.used_encoders().iter().enumerate().rev() {
            let (encoder_tape, norm) = &tape.encoders[l];
            if let Some(slope) = seen[l + 1] {
                let part = self.final_norm.backward(weights, norm, slope, slopes)?;
                if let Some(encoded) = &encoded {
                    add_in_place(&part, encoded)?;
                }
                encoded = Some(part);
            }
            if let Some(slope) = &encoded {
                encoded = Some(encoder.backward(weights, encoder_tape, slope, slopes)?);
            }
        }
        let below = match &encoded {
            Some(slope) => {
                let norm = &tape.input_norm;
                Some(self.input_norm.backward(weights, norm, slope, slopes)?)
            }
            None => None,
        };
        let hidden = match (below, seen[0]) {
            (Some(below), Some(direct)) => {
                add_in_place(&below, direct)?;
                below
            }
            (Some(below), None) => below,
            (None, Some(direct)) => direct.clone(),
            (None, None) => return Ok(()),
        };
        self.trunk.backward(weights, &tape.trunk, &hidden, slopes)
    }
}
