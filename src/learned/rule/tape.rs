//! Where candle's differentiation ends: the outputs of the layers below the heads are variables to
//! it, and what they depend on is gone through by hand.

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};

use super::super::layout::{Slopes, Weights};
use super::super::network::TrunkTape;
use super::super::optimus::{Inputs, OptimusTape, Seen};
use super::Body;
use crate::error::{Error, Result};

/// What the layers below the heads keep of a step, for its backward pass.
#[derive(Debug)]
pub struct Tape {
    /// Their outputs, `(B · N, D)` each.
    outputs: Vec<Var>,
    layers: Layers,
}

#[derive(Debug)]
enum Layers {
    Trunk(TrunkTape),
    Optimus(OptimusTape),
}

/// Steps, `(B, N)`, the next preconditioners and what is kept.
type Taped = (Tensor, Option<Tensor>, Option<Tape>);

/// As [`Body::forward`], for heads with variable weights above layers with constant ones.
pub(super) fn taped(
    body: &Body,
    (weights, constants): (&Weights, &Weights),
    inputs: &Inputs,
    structure: Option<&Tensor>,
) -> Result<Taped> {
    match body {
        Body::Mlp { trunk, .. } => {
            let (hidden, tape) = trunk.taped(constants, inputs.features)?;
            let hidden = Var::from_tensor(&hidden)?;
            let steps = body.mlp_step(weights, &hidden)?.reshape(inputs.size)?;
            let layers = Layers::Trunk(tape);
            let outputs = vec![hidden];
            Ok((steps, None, Some(Tape { outputs, layers })))
        }
        Body::Optimus(network) => {
            let (seen, tape) = network.taped(constants, inputs)?;
            let all = std::iter::once(&seen.hidden).chain(&seen.encoders);
            let outputs = all.map(Var::from_tensor);
            let outputs = outputs.collect::<candle_core::Result<Vec<_>>>()?;
            let mut tensors = outputs.iter().map(|output| output.as_tensor().clone());
            let hidden = tensors.next();
            let hidden = hidden.ok_or_else(|| Error::Internal("nothing was seen".into()))?;
            let encoders = tensors.collect();
            let seen = Seen { hidden, encoders };
            let (steps, structure) = network.decide(weights, &seen, inputs, structure)?;
            let layers = Layers::Optimus(tape);
            Ok((steps, structure, Some(Tape { outputs, layers })))
        }
    }
}

impl Tape {
    /// Adds up slopes by θ from what candle found for the outputs.
    pub(super) fn backward(
        self,
        body: &Body,
        constants: &Weights,
        gradients: &GradStore,
        slopes: &mut Slopes,
    ) -> Result<()> {
        let found = self.outputs.iter().map(|output| {
            let slope = gradients.get(output);
            slope.map(Tensor::contiguous).transpose()
        });
        let found = found.collect::<candle_core::Result<Vec<_>>>()?;
        match (body, &self.layers) {
            (Body::Mlp { trunk, .. }, Layers::Trunk(tape)) => match &found[0] {
                Some(slope) => Ok(trunk.backward(constants, tape, slope, slopes)?),
                None => Ok(()),
            },
            (Body::Optimus(network), Layers::Optimus(tape)) => {
                let found: Vec<Option<&Tensor>> = found.iter().map(Option::as_ref).collect();
                Ok(network.backward(constants, tape, &found, slopes)?)
            }
            _ => Err(Error::Internal("a tape of another network".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};
    use rand::SeedableRng as _;

    use super::super::{Network, Rule};
    use super::*;
    use crate::learned::{AdafactorMlp, Architecture, LearnedOptimizer as _, Optimus, Structure};
    use crate::objective::{Evaluation, Rng};

    const TASKS: usize = 3;
    const VARIABLES: usize = 7;
    const STEPS: usize = 4;

    /// ∂/∂θ of a weighted sum of four steps on three problems.
    fn gradient(network: &Network, rule: &Rule) -> Vec<f32> {
        let x0: Vec<Vec<f64>> = (0..TASKS)
            .map(|b| (0..VARIABLES).map(|n| ((b + 3 * n) as f64).sin()).collect())
            .collect();
        let mut batch = network.start(&x0);
        let mut loss = Tensor::zeros((), DType::F32, &Device::Cpu).unwrap();
        let mut tapes = Vec::new();
        for t in 0..STEPS {
            let evaluations: Vec<Evaluation> = (0..TASKS)
                .map(|b| {
                    let x = batch.point(b);
                    let weights = (0..VARIABLES).map(|n| 1.0 + n as f64);
                    let gradient: Vec<f64> = x.iter().zip(weights).map(|(x, w)| w * x).collect();
                    let value = x.iter().zip(&gradient).map(|(x, g)| 0.5 * x * g).sum();
                    Evaluation {
                        value,
                        gradient,
                        ..Evaluation::default()
                    }
                })
                .collect();
            let advance = network.advance(rule, &mut batch, &evaluations).unwrap();
            let weights: Vec<f32> = (0..TASKS * VARIABLES)
                .map(|i| ((i + t) as f32).cos())
                .collect();
            let weights = Tensor::from_vec(weights, (TASKS, VARIABLES), &Device::Cpu).unwrap();
            loss = (loss + (advance.steps * weights).unwrap().sum_all().unwrap()).unwrap();
            tapes.extend(advance.tape);
        }
        assert_eq!(
            tapes.len(),
            if rule.constants.is_some() { STEPS } else { 0 }
        );
        network.gradient(rule, &loss, tapes).unwrap()
    }

    fn agree(architecture: &Architecture) {
        let network = Network::new(architecture).unwrap();
        let mut theta = network.initial(&mut Rng::seed_from_u64(3));
        let mut rng = Rng::seed_from_u64(4);
        let noise = network.initial(&mut rng);
        let shifted = theta.iter_mut().zip(noise.iter().rev());
        shifted.for_each(|(theta, noise)| *theta += 0.02 * noise);
        let by_tapes = network.differentiable(&theta).unwrap();
        let by_candle = Rule {
            constants: None,
            ..by_tapes.clone()
        };
        let fast = gradient(&network, &by_tapes);
        let slow = gradient(&network, &by_candle);
        assert_eq!(fast, gradient(&network, &by_tapes), "it is not repeatable");
        let length = |v: &[f32]| v.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        for parameter in network.layout().parameters() {
            let range = parameter.offset..parameter.offset + parameter.len();
            let (fast, slow) = (&fast[range.clone()], &slow[range]);
            let apart: Vec<f32> = fast.iter().zip(slow).map(|(a, b)| a - b).collect();
            let error = length(&apart);
            // Key biases shift all scores of a query alike: their slope is rounding alone.
            let allowed = 1e-4 * length(slow) + 1e-7 * length(&theta);
            assert!(
                error <= allowed,
                "{}: {error} of {}",
                parameter.name,
                length(slow)
            );
        }
        assert!(length(&slow) > 1e-3);
    }

    #[test]
    fn taped_gradients_are_those_of_candle() {
        for structure in [Structure::Accumulated, Structure::Fresh, Structure::None] {
            for guided in [false, true] {
                agree(&Architecture::Optimus(Optimus {
                    structure,
                    guided,
                    ..Optimus::default()
                }));
            }
        }
        agree(&Architecture::AdafactorMlp(AdafactorMlp {
            layers: 3,
            ..AdafactorMlp::default()
        }));
    }
}
