//! Trained optimizers on disk: θ as safetensors, and a JSON card that says where it comes from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nalgebra::DMatrix;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::optim::{InMetric, Metric, Minimize, Named};

use super::{Architecture, Learned, Network, Searched, Staged};

/// The key of the metadata that holds the architecture as JSON.
const ARCHITECTURE: &str = "architecture";

/// An architecture with trained meta-parameters.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The network.
    pub network: Arc<Network>,
    /// θ, `(meta_parameters,)`.
    pub theta: Vec<f32>,
    /// The metric in whose variables it was trained and is used; none: those of the objective.
    pub metric: Option<Metric>,
}

/// Where trained meta-parameters come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// What it is.
    pub name: String,
    /// Length of θ.
    pub meta_parameters: usize,
    /// The training configuration, complete.
    pub config: serde_json::Value,
    /// What it was trained on, in words.
    pub data: String,
    /// Outer steps done.
    pub steps: usize,
    /// Evaluations of the inner problems' value and gradient.
    pub evaluations: u64,
    /// Wall time of the training.
    pub hours: f64,
    /// Validation loss by outer step: the curve, its lowest point being the one shipped.
    pub validation: Vec<(usize, f64)>,
    /// Commit of the program that trained it.
    pub commit: String,
}

/// The tensor that holds the metric, `(N / block, block, N)`.
const METRIC: &str = "metric";

const ADVICE: &str = "give a weight file written by motionfit train";

fn damaged(origin: &str, error: &dyn std::fmt::Display) -> Error {
    Error::input(origin, "safetensors", error, ADVICE)
}

/// Little-endian numbers.
fn numbers(data: &[u8]) -> impl Iterator<Item = f32> {
    let chunks = data.chunks_exact(4);
    chunks.map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

fn metric(tensor: &TensorView, origin: &str) -> Result<Metric> {
    match (tensor.dtype(), tensor.shape()) {
        (Dtype::F32, [knots, block, n]) if knots * block == *n => {
            let matrix = DMatrix::from_iterator(*n, *n, numbers(tensor.data()).map(f64::from));
            Metric::new(matrix, *block, origin)
        }
        (dtype, shape) => {
            let found = format!("{dtype:?} of shape {shape:?}");
            Err(Error::input(origin, METRIC, found, ADVICE))
        }
    }
}

impl Trained {
    /// Reads a weight file.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Input`] when it is not one.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, "read", e))?;
        Self::parse(&bytes, &path.display().to_string())
    }

    /// Parses the bytes of a weight file that errors call `origin`.
    ///
    /// # Errors
    /// [`Error::Input`] when they are damaged, or hold other tensors than the architecture has.
    pub fn parse(bytes: &[u8], origin: &str) -> Result<Self> {
        let advice = ADVICE;
        let damaged = |error: &dyn std::fmt::Display| damaged(origin, error);
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(&e))?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get(ARCHITECTURE))
            .ok_or_else(|| Error::input(origin, "metadata", "no architecture", advice))?;
        let architecture: Architecture = serde_json::from_str(text)
            .map_err(|e| Error::input(origin, ARCHITECTURE, e, advice))?;
        architecture.check(origin)?;
        let network = Network::new(&architecture)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| damaged(&e))?;
        let mut theta = Vec::with_capacity(network.layout().len());
        for parameter in network.layout().parameters() {
            let name = &parameter.name;
            let tensor = tensors
                .tensor(name)
                .map_err(|_| Error::input(origin, name, "nothing", advice))?;
            if tensor.dtype() != Dtype::F32 || tensor.shape() != parameter.shape {
                let found = format!("{:?} of shape {:?}", tensor.dtype(), tensor.shape());
                let advice = format!("it should be F32 of shape {:?}", parameter.shape);
                return Err(Error::input(origin, name, found, advice));
            }
            theta.extend(numbers(tensor.data()));
        }
        if let Some(n) = theta.iter().position(|value| !value.is_finite()) {
            let field = format!("number {n}");
            return Err(Error::input(origin, field, theta[n], advice));
        }
        let metric = match tensors.tensor(METRIC) {
            Ok(tensor) => Some(metric(&tensor, origin)?),
            Err(_) => None,
        };
        Ok(Self {
            network: Arc::new(network),
            theta,
            metric,
        })
    }

    /// Meta-parameters of `network` taken from the weight file `path` wherever it has a tensor of
    /// that name and shape, from `theta` elsewhere: a start for training.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read, [`Error::Input`] when nothing in it fits.
    pub fn warm_start(path: &Path, network: &Network, mut theta: Vec<f32>) -> Result<Vec<f32>> {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, "read", e))?;
        let origin = path.display().to_string();
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| damaged(&origin, &e))?;
        let mut found = false;
        for parameter in network.layout().parameters() {
            let tensor = tensors.tensor(&parameter.name).ok();
            let fits = |tensor: &TensorView| {
                tensor.dtype() == Dtype::F32 && tensor.shape() == parameter.shape
            };
            if let Some(tensor) = tensor.filter(fits) {
                let place = &mut theta[parameter.offset..][..parameter.len()];
                place
                    .iter_mut()
                    .zip(numbers(tensor.data()))
                    .for_each(|(t, v)| *t = v);
                found = true;
            }
        }
        if found {
            return Ok(theta);
        }
        let advice = "give weights of a similar architecture";
        Err(Error::input(origin, "tensors", "none that fits", advice))
    }

    /// The bytes of a weight file.
    ///
    /// # Errors
    /// [`Error::Internal`] when θ does not fit the network.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let broken = |error: &dyn std::fmt::Display| Error::Internal(format!("weights: {error}"));
        let bytes: Vec<u8> = self.theta.iter().flat_map(|v| v.to_le_bytes()).collect();
        let metric: Vec<u8> = self
            .metric
            .iter()
            .flat_map(|metric| metric.matrix().iter())
            .flat_map(|entry| (*entry as f32).to_le_bytes())
            .collect();
        let mut tensors = self
            .network
            .layout()
            .parameters()
            .iter()
            .map(|parameter| {
                let start = 4 * parameter.offset;
                let data = bytes
                    .get(start..start + 4 * parameter.len())
                    .ok_or_else(|| broken(&"too few meta-parameters"))?;
                let view = TensorView::new(Dtype::F32, parameter.shape.clone(), data);
                Ok((parameter.name.clone(), view.map_err(|e| broken(&e))?))
            })
            .collect::<Result<Vec<_>>>()?;
        let architecture = serde_json::to_string(self.network.architecture());
        let architecture = architecture.map_err(|e| broken(&e))?;
        if let Some(known) = &self.metric {
            let (n, block) = (known.matrix().nrows(), known.block());
            let view = TensorView::new(Dtype::F32, vec![n / block, block, n], &metric);
            tensors.push((METRIC.to_string(), view.map_err(|e| broken(&e))?));
        }
        // A single entry: the order of several would change from run to run.
        let metadata = HashMap::from([(ARCHITECTURE.to_string(), architecture)]);
        serialize(tensors, Some(metadata)).map_err(|e| broken(&e))
    }

    /// The same with first steps of length `scale`, in units of x, where it is guided: it sees no
    /// units, so weights trained in one serve in any other. In the variables of a metric nothing
    /// changes.
    ///
    /// # Errors
    /// [`Error::Input`] when `scale` is not positive.
    pub fn started_with(self, scale: Option<f64>) -> Result<Self> {
        let mut architecture = self.network.architecture().clone();
        let scale = scale.filter(|_| self.metric.is_none());
        if let (Some(scale), Architecture::Optimus(optimus)) = (scale, &mut architecture) {
            optimus.initial_scale = scale;
        }
        Ok(Self {
            network: Arc::new(Network::new(&architecture)?),
            ..self
        })
    }

    /// The optimizer under the name `name`.
    ///
    /// # Errors
    /// [`Error::Internal`] when θ does not fit the network.
    pub fn optimizer(self, name: &str) -> Result<Box<dyn Minimize>> {
        let architecture = self.network.architecture().clone();
        let learned = Learned::new(self.network, &self.theta)?;
        let optimizer: Box<dyn Minimize> = match architecture {
            Architecture::Optimus(settings) if settings.staged => {
                let staged = Staged::new(learned, settings.initial_scale);
                Box::new(Named::new(name, staged))
            }
            Architecture::Optimus(settings) if settings.searched => {
                let searched = Searched::new(learned, self.metric);
                return Ok(Box::new(Named::new(name, searched)));
            }
            _ => Box::new(Named::new(name, learned)),
        };
        Ok(match self.metric {
            Some(metric) => Box::new(InMetric {
                prefix: "",
                metric,
                optimizer,
            }),
            None => optimizer,
        })
    }

    /// The file that the card of the weight file `path` is in.
    pub fn card_path(path: &Path) -> PathBuf {
        path.with_extension("json")
    }
}
