//! Meta-parameters θ: a flat vector in memory, named tensors on disk and in the network.
//!
//! A network is built once, against a [`Layout`]; every layer keeps the places of its
//! tensors. The order of θ is the order of construction, so it never depends on a map.

use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use rand_distr::{Distribution, StandardNormal};

use crate::error::{Error, Result};
use crate::objective::Rng;

use super::kernels::taped::add_in_place;

/// How a tensor of θ begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// The same number everywhere.
    Constant(f32),
    /// Normal with this standard deviation, cut off at two of them (and so 0.88 of it in effect).
    TruncatedNormal(f32),
    /// These numbers.
    List(&'static [f32]),
}

/// A named tensor of θ.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name in weight files.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How it begins.
    pub initial: Initial,
    /// Where it starts in θ.
    pub offset: usize,
}

impl Parameter {
    /// How many numbers it holds.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// All tensors of θ, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    parameters: Vec<Parameter>,
}

impl Layout {
    /// The tensors.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Length of θ.
    pub fn len(&self) -> usize {
        self.parameters.iter().map(Parameter::len).sum()
    }

    /// Whether θ is empty.
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }

    /// A random θ, `(len,)`.
    pub fn initial(&self, rng: &mut Rng) -> Vec<f32> {
        let mut theta = Vec::with_capacity(self.len());
        for parameter in &self.parameters {
            theta.extend((0..parameter.len()).map(|i| draw(parameter.initial, i, rng)));
        }
        theta
    }

    /// Adds a tensor; returns its place.
    pub(super) fn add(
        &mut self,
        name: impl Into<String>,
        shape: &[usize],
        initial: Initial,
    ) -> usize {
        self.parameters.push(Parameter {
            name: name.into(),
            shape: shape.to_vec(),
            initial,
            offset: self.len(),
        });
        self.parameters.len() - 1
    }

    /// The numbers of the tensor at `place`, out of `theta: (len,)`.
    pub(super) fn slice<'t>(&self, theta: &'t [f32], place: usize) -> &'t [f32] {
        let parameter = &self.parameters[place];
        &theta[parameter.offset..parameter.offset + parameter.len()]
    }
}

fn draw(initial: Initial, i: usize, rng: &mut Rng) -> f32 {
    match initial {
        Initial::Constant(value) => value,
        Initial::List(values) => values[i],
        Initial::TruncatedNormal(deviation) => loop {
            let z: f32 = StandardNormal.sample(rng);
            if z.abs() <= 2.0 {
                return deviation * z;
            }
        },
    }
}

/// θ as tensors, in the order of a [`Layout`].
#[derive(Clone, Debug)]
pub struct Weights {
    tensors: Vec<Tensor>,
    variables: Vec<Var>,
}

impl Weights {
    /// `theta: (len,)` as constants.
    ///
    /// # Errors
    /// [`Error::Internal`] when θ does not have the layout's length.
    pub fn constant(layout: &Layout, theta: &[f32]) -> Result<Self> {
        let tensors = tensors(layout, theta)?;
        Ok(Self {
            tensors,
            variables: Vec::new(),
        })
    }

    /// `theta: (len,)` as variables to differentiate by.
    ///
    /// # Errors
    /// [`Error::Internal`] when θ does not have the layout's length.
    pub fn variable(layout: &Layout, theta: &[f32]) -> Result<Self> {
        let variables = tensors(layout, theta)?
            .iter()
            .map(|tensor| Ok(Var::from_tensor(tensor)?))
            .collect::<Result<Vec<_>>>()?;
        let tensors = variables.iter().map(|v| v.as_tensor().clone()).collect();
        Ok(Self { tensors, variables })
    }

    /// These weights with another constant at `place`.
    pub(super) fn with(mut self, place: usize, tensor: Tensor) -> Self {
        self.tensors[place] = tensor;
        self
    }

    /// The tensor at `place`.
    pub(super) fn at(&self, place: usize) -> &Tensor {
        &self.tensors[place]
    }

    /// The same as constants, sharing their memory.
    pub(super) fn detached(&self) -> Self {
        Self {
            tensors: self.tensors.iter().map(Tensor::detach).collect(),
            variables: Vec::new(),
        }
    }

    /// Whether there is something to differentiate by.
    pub(super) fn is_variable(&self) -> bool {
        !self.variables.is_empty()
    }

    /// ∂loss/∂θ, `(len,)`, from what candle found and what taped layers have added up; zero where
    /// neither knows of any.
    ///
    /// # Errors
    /// [`Error::Internal`] when the weights are constants.
    pub(super) fn gradient(&self, gradients: &GradStore, slopes: &Slopes) -> Result<Vec<f32>> {
        if !self.is_variable() {
            let reason = "a gradient with respect to constant weights";
            return Err(Error::Internal(reason.into()));
        }
        let mut flat = Vec::new();
        for (place, variable) in self.variables.iter().enumerate() {
            let before = flat.len();
            flat.resize(before + variable.elem_count(), 0.0);
            let parts = [gradients.get(variable), slopes.at(place)];
            for part in parts.into_iter().flatten() {
                let part = part.flatten_all()?.to_vec1::<f32>()?;
                let sums = flat[before..].iter_mut().zip(part);
                sums.for_each(|(sum, slope)| *sum += slope);
            }
        }
        Ok(flat)
    }
}

/// Slopes by the tensors of θ, added up; none where nothing was added.
#[derive(Debug)]
pub(super) struct Slopes(Vec<Option<Tensor>>);

impl Slopes {
    /// None so far, for the tensors of `weights`.
    pub fn new(weights: &Weights) -> Self {
        Self(vec![None; weights.tensors.len()])
    }

    /// Adds `slope`, which nothing else may use, to that by the tensor at `place`.
    pub fn add(&mut self, place: usize, slope: Tensor) -> candle_core::Result<()> {
        match &self.0[place] {
            Some(sum) => add_in_place(sum, &slope),
            None => {
                self.0[place] = Some(slope);
                Ok(())
            }
        }
    }

    fn at(&self, place: usize) -> Option<&Tensor> {
        self.0[place].as_ref()
    }
}

fn tensors(layout: &Layout, theta: &[f32]) -> Result<Vec<Tensor>> {
    if theta.len() != layout.len() {
        let (found, expected) = (theta.len(), layout.len());
        return Err(Error::Internal(format!(
            "{found} meta-parameters instead of {expected}"
        )));
    }
    (0..layout.parameters.len())
        .map(|place| {
            let shape = layout.parameters[place].shape.as_slice();
            let slice = layout.slice(theta, place);
            Ok(Tensor::from_slice(slice, shape, &Device::Cpu)?)
        })
        .collect()
}
