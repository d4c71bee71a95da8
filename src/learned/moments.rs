//! Accumulators of the gradient with learnable decays (Adafactor MLP, momentum and RMS).
//!
//! # References
//! * L. Metz, C. D. Freeman, J. Harrison, N. Maheswaranathan, J. Sohl-Dickstein, "Practical
//!   tradeoffs between memory, compute, and performance in learned optimizers", CoLLAs 2022.
//! * N. Shazeer, M. Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018.

use serde::{Deserialize, Serialize};

use super::layout::{Initial, Layout};

/// Places of the decays in θ, with the decays that θ = 0 stands for.
#[derive(Clone, Debug)]
pub(super) struct DecayParameters {
    momentum: (usize, Vec<f64>),
    rms: (usize, Vec<f64>),
    adafactor: (usize, Vec<f64>),
}

/// Decays of the accumulators, in [0, 1) unless learned otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Decays {
    momentum: Vec<f64>,
    rms: Vec<f64>,
    adafactor: Vec<f64>,
}

impl DecayParameters {
    /// One learnable number for every decay of `momentum`, `rms` and `adafactor`.
    pub fn new(layout: &mut Layout, momentum: &[f64], rms: &[f64], adafactor: &[f64]) -> Self {
        let mut add = |name: &str, decays: &[f64]| {
            let place = layout.add(
                format!("decays.{name}"),
                &[decays.len()],
                Initial::Constant(0.0),
            );
            (place, decays.to_vec())
        };
        Self {
            momentum: add("momentum", momentum),
            rms: add("rms", rms),
            adafactor: add("adafactor", adafactor),
        }
    }

    /// The decays that `theta` stands for: b = 1 − exp(10 (ln(1 − b₀)/10 + d)).
    ///
    /// Those of squares are kept in [0, 1], so that their accumulators stay positive.
    pub fn decays(&self, layout: &Layout, theta: &[f32]) -> Decays {
        let decays = |(place, initial): &(usize, Vec<f64>)| -> Vec<f64> {
            let learned = layout.slice(theta, *place).iter().zip(initial);
            learned
                .map(|(d, b0)| 1.0 - (1.0 - b0) * (10.0 * f64::from(*d)).exp())
                .collect()
        };
        let clipped = |place| decays(place).iter().map(|b| b.clamp(0.0, 1.0)).collect();
        Decays {
            momentum: decays(&self.momentum),
            rms: clipped(&self.rms),
            adafactor: clipped(&self.adafactor),
        }
    }
}

/// Means of g (m), of g² (r) and of g² + 10⁻³⁰ (v), a column of all coordinates for every decay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// m, `(momentum decays, N)`.
    pub(super) m: Vec<f64>,
    /// r, `(RMS decays, N)`.
    pub(super) r: Vec<f64>,
    /// v, `(Adafactor decays, N)`: not factored, since x is a flat vector.
    pub(super) v: Vec<f64>,
}

impl Moments {
    /// All zero, for N variables and as many decays as `parameters` has.
    pub(super) fn new(n: usize, parameters: &DecayParameters) -> Self {
        Self {
            m: vec![0.0; n * parameters.momentum.1.len()],
            r: vec![0.0; n * parameters.rms.1.len()],
            v: vec![0.0; n * parameters.adafactor.1.len()],
        }
    }

    /// Takes in `gradient: (N,)`: a ← b a + (1 − b) new. No bias correction.
    pub(super) fn update(&mut self, decays: &Decays, gradient: &[f64]) {
        fold(&mut self.m, &decays.momentum, gradient, |g| g);
        fold(&mut self.r, &decays.rms, gradient, |g| g * g);
        fold(&mut self.v, &decays.adafactor, gradient, |g| g * g + 1e-30);
    }
}

fn fold(means: &mut [f64], decays: &[f64], gradient: &[f64], of: impl Fn(f64) -> f64) {
    for (column, b) in means.chunks_exact_mut(gradient.len()).zip(decays) {
        for (mean, g) in column.iter_mut().zip(gradient) {
            *mean = b * *mean + (1.0 - b) * of(*g);
        }
    }
}

impl Decays {
    /// Decays of m.
    pub(super) fn momentum(&self) -> &[f64] {
        &self.momentum
    }

    /// Decays of r.
    pub(super) fn rms(&self) -> &[f64] {
        &self.rms
    }
}
