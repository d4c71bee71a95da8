//! Gradient descent, with and without momentum, and Adam.
//!
//! One evaluation of value and gradient per iteration, no line search. When a step lands where the
//! objective is not finite, the next point is half-way back to the last finite iterate and the
//! moments stay as they were.
//!
//! # References
//! * B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
//! * D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, Alg. 1.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::objective::{Evaluation, Order};

use super::{Optimizer, Query};

/// Gradient descent with heavy-ball momentum: v ← μ v + g, x ← x − η v.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientDescent {
    /// η, in units of x per unit of gradient. Larger is faster until it diverges.
    pub learning_rate: f64,
    /// μ in [0, 1): 0 is plain gradient descent ("sgd"); "sgd-m" uses 0.9.
    pub momentum: f64,
}

/// Where [`GradientDescent`] is.
#[derive(Clone, Debug)]
pub struct DescentState {
    iterate: Iterate,
    /// v, `(N,)`.
    velocity: Vec<f64>,
}

impl Optimizer for GradientDescent {
    type State = DescentState;

    fn init(&self, x0: &[f64]) -> DescentState {
        DescentState {
            iterate: Iterate::new(x0),
            velocity: vec![0.0; x0.len()],
        }
    }

    fn ask<'s>(&self, state: &'s DescentState) -> Query<'s> {
        Query {
            x: &state.iterate.x,
            order: Order::Gradient,
        }
    }

    fn tell(&self, state: &mut DescentState, evaluation: &Evaluation) -> Result<()> {
        if !state.iterate.accept(evaluation) {
            return Ok(());
        }
        let moved = state.iterate.x.iter_mut().zip(&mut state.velocity);
        for ((x, v), g) in moved.zip(&evaluation.gradient) {
            *v = self.momentum * *v + g;
            *x -= self.learning_rate * *v;
        }
        Ok(())
    }
}

/// Adam with bias correction: x ← x − η m̂ / (√v̂ + ε).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// η, the largest step of a coordinate, in units of x. Default: 0.01.
    pub learning_rate: f64,
    /// β₁, decay of the mean of the gradient. Default: 0.9.
    pub beta1: f64,
    /// β₂, decay of the mean of its square. Default: 0.999.
    pub beta2: f64,
    /// ε, keeps the division finite. Default: 1e-8.
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
        }
    }
}

/// Where [`Adam`] is.
#[derive(Clone, Debug)]
pub struct AdamState {
    iterate: Iterate,
    /// First and second moments, `(N,)` each.
    m: Vec<f64>,
    v: Vec<f64>,
    /// β₁ᵏ and β₂ᵏ.
    decay1: f64,
    decay2: f64,
}

impl Optimizer for Adam {
    type State = AdamState;

    fn init(&self, x0: &[f64]) -> AdamState {
        let zeros = vec![0.0; x0.len()];
        AdamState {
            iterate: Iterate::new(x0),
            m: zeros.clone(),
            v: zeros,
            decay1: 1.0,
            decay2: 1.0,
        }
    }

    fn ask<'s>(&self, state: &'s AdamState) -> Query<'s> {
        Query {
            x: &state.iterate.x,
            order: Order::Gradient,
        }
    }

    fn tell(&self, state: &mut AdamState, evaluation: &Evaluation) -> Result<()> {
        if !state.iterate.accept(evaluation) {
            return Ok(());
        }
        state.decay1 *= self.beta1;
        state.decay2 *= self.beta2;
        // η m̂ / (√v̂ + ε) with m̂ = m/(1 − β₁ᵏ) and v̂ = v/(1 − β₂ᵏ)
        let rate = self.learning_rate / (1.0 - state.decay1);
        let scale = 1.0 / (1.0 - state.decay2);
        let moments = state.m.iter_mut().zip(&mut state.v);
        for ((x, (m, v)), g) in state
            .iterate
            .x
            .iter_mut()
            .zip(moments)
            .zip(&evaluation.gradient)
        {
            *m = self.beta1 * *m + (1.0 - self.beta1) * g;
            *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
            *x -= rate * *m / ((*v * scale).sqrt() + self.epsilon);
        }
        Ok(())
    }
}

/// The point asked for, and the last one where the objective was finite.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Iterate {
    x: Vec<f64>,
    finite: Vec<f64>,
}

impl Iterate {
    /// At `x0: (N,)`.
    pub(crate) fn new(x0: &[f64]) -> Self {
        Self {
            x: x0.to_vec(),
            finite: x0.to_vec(),
        }
    }

    /// The point asked for, `(N,)`.
    pub(crate) fn x(&self) -> &[f64] {
        &self.x
    }

    /// x ← x + `scale` · `step: (N,)`.
    pub(crate) fn advance(&mut self, scale: f64, step: &[f64]) {
        let moved = self.x.iter_mut().zip(step);
        moved.for_each(|(x, s)| *x += scale * s);
    }

    /// x ← `point: (N,)`.
    pub(crate) fn move_to(&mut self, point: &[f64]) {
        self.x.copy_from_slice(point);
    }

    /// Keeps a finite point and says so; from any other, steps half-way back.
    pub(crate) fn accept(&mut self, evaluation: &Evaluation) -> bool {
        let is_finite = evaluation.value.is_finite()
            & evaluation
                .gradient
                .iter()
                .fold(true, |finite, g| finite & g.is_finite());
        if is_finite {
            self.finite.copy_from_slice(&self.x);
        } else {
            self.retreat();
        }
        is_finite
    }

    /// Steps half-way back to the last point kept.
    pub(crate) fn retreat(&mut self) {
        for (x, finite) in self.x.iter_mut().zip(&self.finite) {
            *x = 0.5 * (*x + finite);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{a} is not {b}");
    }

    fn look(value: f64, gradient: &[f64]) -> Evaluation {
        Evaluation {
            value,
            gradient: gradient.to_vec(),
            ..Evaluation::default()
        }
    }

    #[test]
    fn momentum_accumulates() {
        let descent = GradientDescent {
            learning_rate: 0.1,
            momentum: 0.9,
        };
        let mut state = descent.init(&[0.0]);
        for x in [-0.1, -0.29, -0.561] {
            descent.tell(&mut state, &look(0.0, &[1.0])).unwrap();
            assert_close(descent.ask(&state).x[0], x);
        }
    }

    #[test]
    fn the_first_step_of_adam_is_the_learning_rate() {
        let adam = Adam::default();
        let mut state = adam.init(&[1.0, 1.0]);
        adam.tell(&mut state, &look(0.0, &[1e6, -1e-3])).unwrap();
        assert_close(adam.ask(&state).x[0], 0.99);
        assert!((adam.ask(&state).x[1] - 1.01).abs() < 1e-6);
    }

    #[test]
    fn a_second_step_of_adam_agrees_with_algorithm_1() {
        let adam = Adam {
            learning_rate: 0.1,
            ..Adam::default()
        };
        let mut state = adam.init(&[0.0]);
        adam.tell(&mut state, &look(0.0, &[2.0])).unwrap();
        adam.tell(&mut state, &look(0.0, &[-1.0])).unwrap();
        let m = (0.9 * 0.2 - 0.1) / (1.0 - 0.81);
        let v: f64 = (0.999 * 0.004 + 0.001) / (1.0 - 0.999 * 0.999);
        assert_close(
            adam.ask(&state).x[0],
            -0.1 * 2.0 / (2.0 + 1e-8) - 0.1 * m / (v.sqrt() + 1e-8),
        );
    }

    #[test]
    fn a_non_finite_landing_steps_half_way_back() {
        let descent = GradientDescent {
            learning_rate: 1.0,
            momentum: 0.0,
        };
        let mut state = descent.init(&[4.0]);
        descent.tell(&mut state, &look(1.0, &[8.0])).unwrap();
        assert_close(descent.ask(&state).x[0], -4.0);
        descent.tell(&mut state, &look(f64::NAN, &[8.0])).unwrap();
        assert_close(descent.ask(&state).x[0], 0.0);
        descent
            .tell(&mut state, &look(1.0, &[f64::INFINITY]))
            .unwrap();
        assert_close(descent.ask(&state).x[0], 2.0);
    }
}
