//! Functions with curved valleys, plates and steep walls.

use super::Function;

/// (x₁−1)² + Σ_{i≥2} i (2xᵢ² − xᵢ₋₁)² on [−10, 10]; 0 at xᵢ = 2^(2^(1−i) − 1).
///
/// Most descents end in the trap at x = (1/3, 0, …, 0), of value 2/3.
#[derive(Clone, Copy, Debug)]
pub struct DixonPrice;

impl Function for DixonPrice {
    fn name(&self) -> &'static str {
        "dixon_price"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-10.0, 10.0)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        (0..dimension)
            .map(|i| ((-(i as f64)).exp2() - 1.0).exp2())
            .collect()
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = (x[0] - 1.0).powi(2);
        gradient[0] = 2.0 * (x[0] - 1.0);
        for i in 1..x.len() {
            let weight = (i + 1) as f64;
            let residual = 2.0 * x[i] * x[i] - x[i - 1];
            value += weight * residual * residual;
            gradient[i - 1] -= 2.0 * weight * residual;
            gradient[i] = 8.0 * weight * residual * x[i];
        }
        value
    }
}

/// Σ over blocks (a+10b)² + 5(c−e)² + (b−2c)⁴ + 10(a−e)⁴ of four variables on [−4, 5]; 0 at 0.
///
/// The number of variables should be divisible by four; the last block is filled up with zeros.
#[derive(Clone, Copy, Debug)]
pub struct Powell;

impl Function for Powell {
    fn name(&self) -> &'static str {
        "powell"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-4.0, 5.0)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        vec![0.0; dimension]
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for (x, gradient) in x.chunks(4).zip(gradient.chunks_mut(4)) {
            let at = |i: usize| x.get(i).copied().unwrap_or(0.0);
            let [p, q, r, s] = [
                at(0) + 10.0 * at(1),
                at(2) - at(3),
                at(1) - 2.0 * at(2),
                at(0) - at(3),
            ];
            let (r2, s2) = (r * r, s * s);
            value += p * p + 5.0 * q * q + r2 * r2 + 10.0 * s2 * s2;
            let (r3, s3) = (4.0 * r2 * r, 40.0 * s2 * s);
            let block = [
                2.0 * p + s3,
                20.0 * p + r3,
                10.0 * q - 2.0 * r3,
                -10.0 * q - s3,
            ];
            gradient.copy_from_slice(&block[..gradient.len()]);
        }
        value
    }

    /// The two-dimensional row of the paper's Table 8 is one block of four.
    fn variables(&self, dimension: usize) -> usize {
        dimension.max(4)
    }
}

/// Σ 100 (xᵢ₊₁ − xᵢ²)² + (xᵢ − 1)² on [−5, 10]; 0 at 1.
#[derive(Clone, Copy, Debug)]
pub struct Rosenbrock;

impl Function for Rosenbrock {
    fn name(&self) -> &'static str {
        "rosenbrock"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-5.0, 10.0)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        vec![1.0; dimension]
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        gradient[0] = 0.0;
        for i in 0..x.len() - 1 {
            let (rise, rest) = (x[i + 1] - x[i] * x[i], x[i] - 1.0);
            value += 100.0 * rise * rise + rest * rest;
            gradient[i] += 2.0 * rest - 400.0 * rise * x[i];
            gradient[i + 1] = 200.0 * rise;
        }
        value
    }
}

/// ½ Σ (xᵢ⁴ − 16xᵢ² + 5xᵢ) on [−5, 5]; −39.16617 N at −2.903534.
#[derive(Clone, Copy, Debug)]
pub struct StyblinskiTang;

impl StyblinskiTang {
    /// The root of 4x³ − 32x + 5 below zero.
    const MINIMIZER: f64 = -2.903_534_027_771_177;
    /// The minimum per coordinate.
    const MINIMUM: f64 = -39.166_165_703_771_42;
}

impl Function for StyblinskiTang {
    fn name(&self) -> &'static str {
        "styblinski_tang"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-5.0, 5.0)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        vec![Self::MINIMIZER; dimension]
    }

    fn minimum(&self, dimension: usize) -> f64 {
        Self::MINIMUM * dimension as f64
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for (g, x) in gradient.iter_mut().zip(x) {
            let x2 = x * x;
            value += 0.5 * (x2 * x2 - 16.0 * x2 + 5.0 * x);
            *g = 2.0 * x2 * x - 16.0 * x + 2.5;
        }
        value
    }
}
