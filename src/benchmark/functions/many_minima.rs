//! Functions with many local minima.

use std::f64::consts::{E, PI, TAU};

use super::Function;
use crate::benchmark::trigonometry::{sin_cos_each, sin_cos_turns};

/// −20 exp(−0.2 √(Σ xᵢ²/N)) − exp(Σ cos 2πxᵢ / N) + 20 + e on [−32.768, 32.768]; 0 at 0.
///
/// The gradient is taken as 0 at the origin, where the function has a cusp.
#[derive(Clone, Copy, Debug)]
pub struct Ackley;

impl Function for Ackley {
    fn name(&self) -> &'static str {
        "ackley"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-32.768, 32.768)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        vec![0.0; dimension]
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let n = x.len() as f64;
        let (mut squares, mut cosines) = (0.0, 0.0);
        sin_cos_each(x, |_, x| x, gradient, |_, _, cos| cosines += cos);
        x.iter().for_each(|x| squares += x * x);
        let radius = (squares / n).sqrt();
        let (well, ripple) = (20.0 * (-0.2 * radius).exp(), (cosines / n).exp());
        let pull = if radius > 0.0 {
            0.2 * well / (n * radius)
        } else {
            0.0
        };
        let wave = TAU * ripple / n;
        for (g, x) in gradient.iter_mut().zip(x) {
            *g = pull * x + wave * *g;
        }
        20.0 + E - well - ripple
    }
}

/// Σ xᵢ²/4000 − Π cos(xᵢ/√i) + 1 on [−600, 600]; 0 at 0.
#[derive(Clone, Copy, Debug)]
pub struct Griewank;

impl Function for Griewank {
    fn name(&self) -> &'static str {
        "griewank"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-600.0, 600.0)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        vec![0.0; dimension]
    }

    /// The product without factor i is a product from the left times one from the right, so that
    /// no factor is ever divided by.
    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let frequency = |i: usize| 1.0 / ((i + 1) as f64).sqrt();
        let mut cosines = Vec::with_capacity(x.len());
        let turns = |i: usize, x: f64| x * frequency(i) / TAU;
        sin_cos_each(x, turns, gradient, |_, _, cos| cosines.push(cos));
        let (mut value, mut left) = (1.0, 1.0);
        for (i, (g, x)) in gradient.iter_mut().zip(x).enumerate() {
            value += x * x / 4000.0;
            *g *= left * frequency(i);
            left *= cosines[i];
        }
        let mut right = 1.0;
        for ((g, x), cos) in gradient.iter_mut().zip(x).zip(&cosines).rev() {
            *g = *g * right + x / 2000.0;
            right *= cos;
        }
        value - left
    }
}

/// With wᵢ = 1 + (xᵢ − 1)/4: sin² πw₁ + Σ_{i<N} (wᵢ−1)² (1 + 10 sin²(πwᵢ + 1))
/// + (w_N−1)² (1 + sin² 2πw_N) on [−10, 10]; 0 at 1.
#[derive(Clone, Copy, Debug)]
pub struct Levy;

impl Function for Levy {
    fn name(&self) -> &'static str {
        "levy"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-10.0, 10.0)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        vec![1.0; dimension]
    }

    /// sin² a = (1 − cos 2a)/2 and d sin² a/da = sin 2a: one sine and cosine a coordinate.
    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let Some((last, inner)) = x.split_last() else {
            return 0.0;
        };
        let mut value = 0.0;
        let turns = |_, x: f64| (0.75 + 0.25 * x) + 1.0 / PI;
        sin_cos_each(inner, turns, &mut gradient[..inner.len()], |i, g, cos| {
            let (v, bump) = (0.25 * (inner[i] - 1.0), 6.0 - 5.0 * cos);
            value += v * v * bump;
            *g = 0.25 * (2.0 * v * bump + v * v * 10.0 * PI * *g);
        });
        let v = 0.25 * (last - 1.0);
        let (sin, cos) = sin_cos_turns(2.0 * v);
        let bump = 1.5 - 0.5 * cos;
        gradient[x.len() - 1] = 0.25 * (2.0 * v * bump + v * v * TAU * sin);
        let (sin, cos) = sin_cos_turns(0.25 * (x[0] - 1.0));
        gradient[0] += 0.25 * PI * sin;
        value + v * v * bump + 0.5 * (1.0 - cos)
    }
}

/// 10 N + Σ (xᵢ² − 10 cos 2πxᵢ) on [−5.12, 5.12]; 0 at 0.
#[derive(Clone, Copy, Debug)]
pub struct Rastrigin;

impl Function for Rastrigin {
    fn name(&self) -> &'static str {
        "rastrigin"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-5.12, 5.12)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        vec![0.0; dimension]
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        sin_cos_each(
            x,
            |_, x| x,
            gradient,
            |i, g, cos| {
                value += x[i] * x[i] + 10.0 * (1.0 - cos);
                *g = 2.0 * x[i] + 20.0 * PI * *g;
            },
        );
        value
    }
}
