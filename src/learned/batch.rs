//! Inner states: a batch of problems with equally many variables, moved in lockstep.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::objective::Evaluation;
use crate::optim::Iterate;

use super::directions::shorten;
use super::guidance::Guidance;
use super::moments::Moments;

/// The inner states of B problems with N variables each.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Batch {
    pub(super) problems: Vec<Inner>,
    /// The preconditioners, `(B, N, N)`; `None` stands for the identity.
    #[serde(serialize_with = "write_tensor", deserialize_with = "read_tensor")]
    pub(super) structure: Option<Tensor>,
}

/// The inner state of one problem, but for its preconditioner.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Inner {
    pub iterate: Iterate,
    /// Updates so far.
    pub k: usize,
    pub moments: Moments,
    pub guidance: Option<Guidance>,
}

impl Batch {
    /// Number of problems B.
    pub fn len(&self) -> usize {
        self.problems.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// The point of problem `b` to evaluate next, `(N,)`.
    pub fn point(&self, b: usize) -> &[f64] {
        self.problems[b].iterate.x()
    }

    /// Goes on from `x: (N,)`, whatever point was proposed for the first problem.
    pub(super) fn move_to(&mut self, x: &[f64]) {
        self.problems[0].iterate.move_to(x);
    }

    /// Forgets how the preconditioners came about, so that derivatives stop here.
    pub fn detach(&mut self) {
        self.structure = self.structure.take().map(|structure| structure.detach());
    }
}

impl Inner {
    /// Units of the network's steps.
    pub fn scale(&self) -> f64 {
        self.guidance
            .as_ref()
            .map_or(1.0, |guidance| guidance.scale)
    }

    /// Keeps a look and says so; steps half-way back from one that is not finite, and, when
    /// guided, from one far above the start.
    pub fn accept(&mut self, evaluation: &Evaluation) -> bool {
        let guidance = self.guidance.as_mut();
        if let Some(guidance) = guidance.filter(|guidance| !guidance.tolerates(evaluation.value)) {
            self.iterate.retreat();
            guidance.scale *= 0.5;
            return false;
        }
        self.iterate.accept(evaluation)
    }

    /// x ← x + σ step, for `step: (N,)`; a step that is not finite is left out.
    pub fn advance(&mut self, step: &[f32]) {
        let mut step: Vec<f64> = if step.iter().all(|s| s.is_finite()) {
            step.iter().map(|s| f64::from(*s)).collect()
        } else {
            vec![0.0; step.len()]
        };
        if self.guidance.is_some() {
            shorten(&mut step);
        }
        let scale = self.scale();
        self.iterate.advance(scale, &step);
        if let Some(guidance) = &mut self.guidance {
            guidance.advance(&step);
        }
        self.k += 1;
    }
}

fn write_tensor<S: Serializer>(tensor: &Option<Tensor>, serializer: S) -> Result<S::Ok, S::Error> {
    let parts = tensor
        .as_ref()
        .map(|tensor| {
            let values = tensor.flatten_all()?.to_vec1::<f32>()?;
            Ok((tensor.dims().to_vec(), values))
        })
        .transpose()
        .map_err(|error: candle_core::Error| serde::ser::Error::custom(error))?;
    parts.serialize(serializer)
}

fn read_tensor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Tensor>, D::Error> {
    let parts: Option<(Vec<usize>, Vec<f32>)> = Deserialize::deserialize(deserializer)?;
    parts
        .map(|(shape, values)| Tensor::from_vec(values, shape, &Device::Cpu))
        .transpose()
        .map_err(serde::de::Error::custom)
}
