//! The outer optimizer: Adam on θ, with its moments in the open so that training can resume.
//!
//! D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, Alg. 1.

use serde::{Deserialize, Serialize};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Moments of the meta-gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    m: Vec<f32>,
    v: Vec<f32>,
    steps: i32,
}

impl Adam {
    /// For θ of length `n`.
    pub fn new(n: usize) -> Self {
        Self {
            m: vec![0.0; n],
            v: vec![0.0; n],
            steps: 0,
        }
    }

    /// θ ← θ − η m̂ / (√v̂ + ε) for `theta` and `gradient`, `(n,)` each.
    pub fn step(&mut self, theta: &mut [f32], gradient: &[f32], learning_rate: f64) {
        self.steps += 1;
        let rate = learning_rate / (1.0 - BETA1.powi(self.steps));
        let scale = 1.0 / (1.0 - BETA2.powi(self.steps));
        let moments = self.m.iter_mut().zip(&mut self.v);
        for ((theta, g), (m, v)) in theta.iter_mut().zip(gradient).zip(moments) {
            let g = f64::from(*g);
            let first = BETA1 * f64::from(*m) + (1.0 - BETA1) * g;
            let second = BETA2 * f64::from(*v) + (1.0 - BETA2) * g * g;
            *m = first as f32;
            *v = second as f32;
            *theta -= (rate * first / ((second * scale).sqrt() + EPSILON)) as f32;
        }
    }
}

/// Shortens `gradient` to length `longest` if it is longer; returns its length before.
///
/// A gradient that is not finite becomes zero.
pub fn clip(gradient: &mut [f32], longest: f64) -> f64 {
    let square: f64 = gradient.iter().map(|g| f64::from(*g).powi(2)).sum();
    let length = square.sqrt();
    if !length.is_finite() {
        gradient.fill(0.0);
    } else if length > longest {
        let factor = (longest / length) as f32;
        gradient.iter_mut().for_each(|g| *g *= factor);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_the_adam_of_the_inner_problems() {
        use crate::objective::Evaluation;
        use crate::optim::{self, Optimizer};
        let inner = optim::Adam {
            learning_rate: 0.03,
            ..optim::Adam::default()
        };
        let mut state = inner.init(&[1.0, -2.0]);
        let (mut adam, mut theta) = (Adam::new(2), [1.0_f32, -2.0]);
        for k in 0..20 {
            let gradient = [(k as f32).sin(), 3.0 - k as f32];
            let evaluation = Evaluation {
                gradient: gradient.map(f64::from).to_vec(),
                ..Evaluation::default()
            };
            inner.tell(&mut state, &evaluation).unwrap();
            adam.step(&mut theta, &gradient, 0.03);
        }
        for (ours, theirs) in theta.iter().zip(inner.ask(&state).x) {
            assert!(
                (f64::from(*ours) - theirs).abs() < 1e-5,
                "{ours} is not {theirs}"
            );
        }
    }

    #[test]
    fn long_gradients_are_shortened_and_broken_ones_dropped() {
        let mut gradient = [3.0, 4.0];
        assert!((clip(&mut gradient, 1.0) - 5.0).abs() < 1e-12);
        assert_eq!(gradient, [0.6, 0.8]);
        let mut broken = [f32::NAN, 1.0];
        clip(&mut broken, 1.0);
        assert_eq!(broken, [0.0, 0.0]);
    }
}
