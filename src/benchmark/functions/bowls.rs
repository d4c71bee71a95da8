//! Bowl- and plate-shaped functions.

use super::Function;

/// Σᵢ [Σⱼ (j + β)(xⱼⁱ − j⁻ⁱ)]² with β = 10 on [−N, N]; 0 at xⱼ = 1/j. O(N²).
///
/// Overflows from about N = 150 on when |x| is near 10. The "Perm" rows of the paper's Table 8 are
/// those of [`SumOfSquares`].
#[derive(Clone, Copy, Debug)]
pub struct Perm;

impl Perm {
    /// β; the library's page suggests 10.
    const BETA: f64 = 10.0;
}

impl Function for Perm {
    fn name(&self) -> &'static str {
        "perm0"
    }

    fn domain(&self, dimension: usize) -> (f64, f64) {
        (-(dimension as f64), dimension as f64)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        (1..=dimension).map(|j| 1.0 / j as f64).collect()
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        gradient.fill(0.0);
        // xⱼⁱ⁻¹ and j¹⁻ⁱ
        let mut powers = vec![(1.0, 1.0); x.len()];
        for i in 1..=x.len() {
            let mut sum = 0.0;
            for (j, ((power, target), x)) in powers.iter_mut().zip(x).enumerate() {
                *target /= (j + 1) as f64;
                sum += ((j + 1) as f64 + Self::BETA) * (*power * x - *target);
            }
            value += sum * sum;
            let outer = 2.0 * sum * i as f64;
            for (j, (((power, _), x), g)) in
                powers.iter_mut().zip(x).zip(&mut *gradient).enumerate()
            {
                *g += outer * ((j + 1) as f64 + Self::BETA) * *power;
                *power *= x;
            }
        }
        value
    }
}

/// Σᵢ Σ_{j≤i} xⱼ² = Σ (N − j + 1) xⱼ² on [−65.536, 65.536]; 0 at 0.
#[derive(Clone, Copy, Debug)]
pub struct RotatedHyperEllipsoid;

impl Function for RotatedHyperEllipsoid {
    fn name(&self) -> &'static str {
        "rot_hyper_ellipsoid"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-65.536, 65.536)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        vec![0.0; dimension]
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let n = x.len();
        weighted_squares(x, gradient, |j| (n - j) as f64)
    }
}

/// Σ xᵢ² on [−5.12, 5.12]; 0 at 0.
#[derive(Clone, Copy, Debug)]
pub struct Sphere;

impl Function for Sphere {
    fn name(&self) -> &'static str {
        "sphere"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-5.12, 5.12)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        vec![0.0; dimension]
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        weighted_squares(x, gradient, |_| 1.0)
    }
}

/// Σ |xᵢ|ⁱ⁺¹ on [−1, 1]; 0 at 0.
#[derive(Clone, Copy, Debug)]
pub struct SumOfPowers;

impl Function for SumOfPowers {
    fn name(&self) -> &'static str {
        "sum_powers"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-1.0, 1.0)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        vec![0.0; dimension]
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for (i, (g, x)) in gradient.iter_mut().zip(x).enumerate() {
            let size = x.abs();
            let power = size.powi(i as i32 + 1);
            value += power * size;
            *g = ((i + 2) as f64 * power).copysign(*x);
        }
        value
    }
}

/// Σ i xᵢ² on [−10, 10]; 0 at 0.
#[derive(Clone, Copy, Debug)]
pub struct SumOfSquares;

impl Function for SumOfSquares {
    fn name(&self) -> &'static str {
        "sum_squares"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-10.0, 10.0)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        vec![0.0; dimension]
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        weighted_squares(x, gradient, |i| (i + 1) as f64)
    }
}

/// Σ (xᵢ−1)² − Σ xᵢ xᵢ₋₁ on [−N², N²]; −N(N+4)(N−1)/6 at xᵢ = i (N+1−i).
#[derive(Clone, Copy, Debug)]
pub struct Trid;

impl Function for Trid {
    fn name(&self) -> &'static str {
        "trid"
    }

    fn domain(&self, dimension: usize) -> (f64, f64) {
        let end = (dimension * dimension) as f64;
        (-end, end)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        (1..=dimension)
            .map(|i| (i * (dimension + 1 - i)) as f64)
            .collect()
    }

    fn minimum(&self, dimension: usize) -> f64 {
        let n = dimension as f64;
        -n * (n + 4.0) * (n - 1.0) / 6.0
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (mut value, mut before) = (0.0, 0.0);
        for (i, g) in gradient.iter_mut().enumerate() {
            let after = x.get(i + 1).copied().unwrap_or(0.0);
            let rest = x[i] - 1.0;
            value += rest * rest - x[i] * before;
            *g = 2.0 * rest - before - after;
            before = x[i];
        }
        value
    }
}

/// s₁ + s₂² + s₂⁴ with s₁ = Σ xᵢ² and s₂ = Σ ½ i xᵢ on [−5, 10]; 0 at 0.
#[derive(Clone, Copy, Debug)]
pub struct Zakharov;

impl Function for Zakharov {
    fn name(&self) -> &'static str {
        "zakharov"
    }

    fn domain(&self, _: usize) -> (f64, f64) {
        (-5.0, 10.0)
    }

    fn minimizer(&self, dimension: usize) -> Vec<f64> {
        vec![0.0; dimension]
    }

    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (mut s1, mut s2) = (0.0, 0.0);
        for (i, x) in x.iter().enumerate() {
            s1 += x * x;
            s2 += 0.5 * (i + 1) as f64 * x;
        }
        let outer = 2.0 * s2 + 4.0 * s2 * s2 * s2;
        for (i, (g, x)) in gradient.iter_mut().zip(x).enumerate() {
            *g = 2.0 * x + outer * 0.5 * (i + 1) as f64;
        }
        s1 + s2 * s2 + s2 * s2 * s2 * s2
    }
}

/// Σ `weight(i)` xᵢ² and its gradient.
fn weighted_squares(x: &[f64], gradient: &mut [f64], weight: impl Fn(usize) -> f64) -> f64 {
    let mut value = 0.0;
    for (i, (g, x)) in gradient.iter_mut().zip(x).enumerate() {
        let slope = weight(i) * x;
        value += slope * x;
        *g = 2.0 * slope;
    }
    value
}
