//! A network built from an [`Architecture`], and what it does to a batch of problems.

use candle_core::{Device, Tensor};

use crate::error::{Error, Result};
use crate::objective::{Evaluation, Order, Rng};
use crate::optim::Iterate;

use super::LearnedOptimizer;
use super::architecture::{AdafactorMlp, Architecture, Optimus};
use super::batch::{Batch, Inner};
use super::features::{AdafactorFeatures, SHARED};
use super::guidance::{self, Guidance, Sight};
use super::layout::{Layout, Slopes, Weights};
use super::moments::{DecayParameters, Decays, Moments};
use super::network::{Linear, Trunk};
use super::optimus::{Inputs, OptimusNetwork, exponential_step};

pub use tape::Tape;
use tape::taped;

mod tape;

/// Decays of the accumulators at θ = 0, as in the original.
const DECAYS: [f64; 3] = [0.9, 0.99, 0.999];

/// Decays of the accumulators that guidance looks at.
const GUIDED_DECAYS: [f64; 3] = [0.5, 0.9, 0.99];

/// A learned optimizer of some architecture, without meta-parameters.
#[derive(Clone, Debug)]
pub struct Network {
    architecture: Architecture,
    layout: Layout,
    decays: DecayParameters,
    view: View,
    body: Body,
}

/// A [`Network`] with meta-parameters.
#[derive(Clone, Debug)]
pub struct Rule {
    weights: Weights,
    decays: Decays,
    /// What the network is shown; without weights to differentiate by, features that stand twice
    /// are folded into one.
    view: View,
    /// The weights as constants, where the layers below the heads keep tapes: all rules to
    /// differentiate, but in tests.
    constants: Option<Weights>,
}

/// What the network sees of a problem.
#[derive(Clone, Copy, Debug)]
enum View {
    Adafactor(AdafactorFeatures),
    Guided { initial_scale: f64, sight: Sight },
}

#[derive(Clone, Debug)]
enum Body {
    Mlp {
        trunk: Trunk,
        step: Linear,
        settings: AdafactorMlp,
    },
    Optimus(OptimusNetwork),
}

/// How a batch moved.
pub struct Advance {
    /// Steps in units of `scales`, `(B, N)`, differentiable by the weights.
    pub steps: Tensor,
    /// Units of the steps, `(B,)`; 0 for a problem that did not move because its value or gradient
    /// was not finite.
    pub scales: Vec<f64>,
    /// What the layers below the heads have kept; none where the weights are constants.
    pub tape: Option<Tape>,
}

impl Network {
    /// Builds the network of `architecture`.
    ///
    /// # Errors
    /// [`Error::Input`] for a size out of range.
    pub fn new(architecture: &Architecture) -> Result<Self> {
        architecture.check("architecture")?;
        let mut layout = Layout::default();
        let (decays, view, body) = match architecture {
            Architecture::AdafactorMlp(settings) => mlp(&mut layout, settings),
            Architecture::Optimus(settings) => optimus(&mut layout, settings),
        };
        Ok(Self {
            architecture: architecture.clone(),
            layout,
            decays,
            view,
            body,
        })
    }

    /// What it was built from.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Names, shapes and order of θ.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The rule of `theta: (meta_parameters,)` with weights to differentiate by.
    ///
    /// The accumulators, and so their decays, are constants under differentiation.
    ///
    /// # Errors
    /// [`Error::Internal`] when θ has the wrong length.
    pub fn differentiable(&self, theta: &[f32]) -> Result<Rule> {
        let weights = Weights::variable(&self.layout, theta)?;
        Ok(Rule {
            constants: Some(weights.detached()),
            weights,
            decays: self.decays.decays(&self.layout, theta),
            view: self.view,
        })
    }

    /// ∂loss/∂θ, for a `loss` of steps made with a `rule` from
    /// [`differentiable`](Self::differentiable), and the `tapes` of those steps in order.
    ///
    /// # Errors
    /// [`Error::Internal`] for a rule with constant weights.
    pub fn gradient(&self, rule: &Rule, loss: &Tensor, tapes: Vec<Tape>) -> Result<Vec<f32>> {
        let gradients = loss.backward()?;
        let mut slopes = Slopes::new(&rule.weights);
        if let Some(constants) = &rule.constants {
            // From the last, so that each is freed as soon as it has been gone through.
            for tape in tapes.into_iter().rev() {
                tape.backward(&self.body, constants, &gradients, &mut slopes)?;
            }
        }
        rule.weights.gradient(&gradients, &slopes)
    }

    /// Takes in value and gradient at the points of `batch`, `(B,)`, and moves on.
    ///
    /// # Errors
    /// [`Error::Internal`] when an evaluation has no gradient.
    pub fn advance(
        &self,
        rule: &Rule,
        batch: &mut Batch,
        evaluations: &[Evaluation],
    ) -> Result<Advance> {
        let (size, variables) = (batch.len(), batch.point(0).len());
        let (width, offers) = rule.view.widths();
        let mut features = vec![0.0; size * variables * width];
        let mut proposals = vec![0.0; size * variables * offers];
        let mut scales = vec![0.0; size];
        for (b, (inner, evaluation)) in batch.problems.iter_mut().zip(evaluations).enumerate() {
            if evaluation.gradient.len() != variables {
                let reason = "a learned optimizer needs gradients";
                return Err(Error::Internal(reason.into()));
            }
            if inner.accept(evaluation) {
                let target = guidance::Target {
                    rows: &mut features[b * variables * width..][..variables * width],
                    proposals: &mut proposals[b * variables * offers..][..variables * offers],
                };
                rule.view.observe(inner, evaluation, &rule.decays, target);
                scales[b] = inner.scale();
            }
        }
        let rows = size * variables;
        let features = Tensor::from_vec(features, (rows, width), &Device::Cpu)?;
        let proposals = (offers > 0)
            .then(|| Tensor::from_vec(proposals, (rows, offers), &Device::Cpu))
            .transpose()?;
        let inputs = Inputs {
            features: &features,
            proposals: proposals.as_ref(),
            size: (size, variables),
        };
        let before = batch.structure.take();
        let (steps, structure, tape) = match &rule.constants {
            Some(constants) => {
                let weights = (&rule.weights, constants);
                taped(&self.body, weights, &inputs, before.as_ref())?
            }
            None => {
                let moved = self.body.forward(&rule.weights, &inputs, before.as_ref())?;
                (moved.0, moved.1, None)
            }
        };
        batch.structure = structure;
        let all = steps.flatten_all()?.to_vec1::<f32>()?;
        for ((inner, step), scale) in batch
            .problems
            .iter_mut()
            .zip(all.chunks_exact(variables))
            .zip(&scales)
        {
            if *scale > 0.0 {
                inner.advance(step);
            }
        }
        Ok(Advance {
            steps,
            scales,
            tape,
        })
    }
}

impl LearnedOptimizer for Network {
    type Rule = Rule;
    type State = Batch;

    fn meta_parameters(&self) -> usize {
        self.layout.len()
    }

    fn initial(&self, rng: &mut Rng) -> Vec<f32> {
        self.layout.initial(rng)
    }

    fn rule(&self, theta: &[f32]) -> Result<Rule> {
        let mut rule = Rule {
            weights: Weights::constant(&self.layout, theta)?,
            decays: self.decays.decays(&self.layout, theta),
            view: self.view,
            constants: None,
        };
        if let View::Adafactor(features) = self.view {
            let place = self.body.trunk().first_weight();
            let folded = features.fold(rule.weights.at(place))?;
            rule.weights = rule.weights.with(place, folded);
            rule.view = View::Adafactor(features.folded());
        }
        Ok(rule)
    }

    fn start(&self, x0: &[Vec<f64>]) -> Batch {
        let inner = |x0: &Vec<f64>| Inner {
            iterate: Iterate::new(x0),
            k: 0,
            moments: Moments::new(x0.len(), &self.decays),
            guidance: match self.view {
                View::Adafactor(_) => None,
                View::Guided {
                    initial_scale,
                    sight,
                } => Some(Guidance::new(x0.len(), initial_scale, sight)),
            },
        };
        Batch {
            problems: x0.iter().map(inner).collect(),
            structure: None,
        }
    }

    fn point<'s>(&self, batch: &'s Batch, b: usize) -> &'s [f64] {
        batch.point(b)
    }

    fn order(&self) -> Order {
        match self.view {
            View::Guided { sight, .. } if sight.curvature => Order::Curvature,
            _ => Order::Gradient,
        }
    }

    fn tell(&self, rule: &Rule, batch: &mut Batch, evaluations: &[Evaluation]) -> Result<()> {
        self.advance(rule, batch, evaluations).map(|_| ())
    }
}

fn mlp(layout: &mut Layout, settings: &AdafactorMlp) -> (DecayParameters, View, Body) {
    let decays = DecayParameters::new(layout, &DECAYS, &settings.rms_decays, &DECAYS);
    let features = AdafactorFeatures {
        decays: (DECAYS.len(), settings.rms_decays.len(), DECAYS.len()),
        repeats_gradient: false,
        repeats_factors: true,
    };
    let width = settings.width;
    let body = Body::Mlp {
        trunk: Trunk::new(layout, "trunk", features.width(), width, settings.layers),
        step: Linear::new(layout, "step", (width, 2), 1.0),
        settings: settings.clone(),
    };
    (decays, View::Adafactor(features), body)
}

fn optimus(layout: &mut Layout, settings: &Optimus) -> (DecayParameters, View, Body) {
    let (decays, view, width) = if settings.guided {
        let decays = DecayParameters::new(layout, &GUIDED_DECAYS, &GUIDED_DECAYS, &[]);
        let sight = Sight::of(settings);
        let view = View::Guided {
            initial_scale: settings.initial_scale,
            sight,
        };
        (decays, view, sight.width())
    } else {
        let features = AdafactorFeatures {
            decays: (DECAYS.len(), DECAYS.len(), DECAYS.len()),
            repeats_gradient: true,
            repeats_factors: true,
        };
        let decays = DecayParameters::new(layout, &DECAYS, &DECAYS, &DECAYS);
        (decays, View::Adafactor(features), features.width())
    };
    let body = Body::Optimus(OptimusNetwork::new(layout, settings, width));
    (decays, view, body)
}

impl View {
    /// Features and proposals of a coordinate.
    fn widths(&self) -> (usize, usize) {
        match self {
            Self::Adafactor(features) => (features.width(), 0),
            Self::Guided { sight, .. } => (sight.width(), sight.proposals()),
        }
    }

    /// Brings accumulators and guidance up to date and writes what the network sees.
    fn observe(
        &self,
        inner: &mut Inner,
        evaluation: &Evaluation,
        decays: &Decays,
        target: guidance::Target,
    ) {
        let gradient = evaluation.gradient.as_slice();
        inner.moments.update(decays, gradient);
        let x = inner.iterate.x();
        match (self, &mut inner.guidance) {
            (Self::Adafactor(features), _) => {
                features.write(x, gradient, &inner.moments, inner.k, target.rows);
            }
            (Self::Guided { .. }, Some(guidance)) => {
                guidance.observe((x, evaluation), (&inner.moments, decays, inner.k), target);
            }
            (Self::Guided { .. }, None) => {}
        }
    }
}

impl Body {
    /// The layers that see the features first.
    fn trunk(&self) -> &Trunk {
        match self {
            Self::Mlp { trunk, .. } => trunk,
            Self::Optimus(network) => network.trunk(),
        }
    }

    /// Steps `(B, N)` and the next preconditioners, from the present ones.
    fn forward(
        &self,
        weights: &Weights,
        inputs: &Inputs,
        structure: Option<&Tensor>,
    ) -> Result<(Tensor, Option<Tensor>)> {
        match self {
            Self::Mlp { trunk, .. } => {
                let shared = if inputs.size.0 == 1 { SHARED } else { 0 };
                let hidden = trunk.forward_shared(weights, inputs.features, shared)?;
                Ok((self.mlp_step(weights, &hidden)?.reshape(inputs.size)?, None))
            }
            Self::Optimus(network) => Ok(network.forward(weights, inputs, structure)?),
        }
    }

    /// The steps of an Adafactor MLP, `(B · N, 1)`, from the output of its trunk.
    fn mlp_step(&self, weights: &Weights, hidden: &Tensor) -> Result<Tensor> {
        match self {
            Self::Mlp { step, settings, .. } => {
                let outputs = step.forward(weights, hidden)?;
                let scales = (settings.magnitude_scale, settings.direction_scale);
                Ok(exponential_step(&outputs, scales.0, scales.1)?.neg()?)
            }
            Self::Optimus(_) => Err(Error::Internal("Optimus is no MLP".into())),
        }
    }
}
