//! Approximations of the inverse Hessian, built from the steps taken.
//!
//! # References
//! * J. Nocedal, S. J. Wright, "Numerical Optimization", 2nd ed. 2006, Eq. (6.17) and Alg. 7.4.

use std::collections::VecDeque;

/// H ≈ (∇²f)⁻¹, symmetric and positive definite, starting as the identity.
pub trait InverseHessian: Clone + Send + Sync {
    /// Becomes the identity of `dimension` variables.
    fn reset(&mut self, dimension: usize);

    /// Whether it is (a multiple of) the identity: nothing has been learned since the reset.
    fn is_identity(&self) -> bool;

    /// H v, `(N,)`, for `v: (N,)`.
    fn multiply(&self, v: &[f64]) -> Vec<f64>;

    /// Takes in the step s = xᵏ⁺¹ − xᵏ and y = ∇fᵏ⁺¹ − ∇fᵏ, `(N,)` each; requires yᵀs > 0.
    fn update(&mut self, s: &[f64], y: &[f64]);
}

/// The matrix of BFGS, its upper triangle stored row by row.
///
/// An update costs one product and one symmetric rank-two correction: O(N²), N²/2 numbers touched
/// three times an iteration.
#[derive(Clone, Debug, Default)]
pub struct Dense {
    dimension: usize,
    /// Rows i of the upper triangle, from the diagonal on, `(N (N + 1) / 2,)`.
    upper: Vec<f64>,
    is_identity: bool,
}

impl Dense {
    /// The rows of the upper triangle: row i has N − i entries.
    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        let mut rest = self.upper.as_slice();
        (0..self.dimension).map(move |i| {
            let (row, below) = rest.split_at(self.dimension - i);
            rest = below;
            row
        })
    }
}

impl InverseHessian for Dense {
    fn reset(&mut self, dimension: usize) {
        self.dimension = dimension;
        self.is_identity = true;
        self.upper.clear();
        self.upper.resize(dimension * (dimension + 1) / 2, 0.0);
        let mut diagonal = 0;
        for i in 0..dimension {
            self.upper[diagonal] = 1.0;
            diagonal += dimension - i;
        }
    }

    fn is_identity(&self) -> bool {
        self.is_identity
    }

    fn multiply(&self, v: &[f64]) -> Vec<f64> {
        if self.is_identity {
            return v.to_vec();
        }
        let mut product = vec![0.0; v.len()];
        for (i, row) in self.rows().enumerate() {
            let v_i = v[i];
            product[i] += row[0] * v_i;
            let (row, v, right) = (&row[1..], &v[i + 1..], &mut product[i + 1..]);
            for (p, h) in right.iter_mut().zip(row) {
                *p += h * v_i;
            }
            product[i] += dot(row, v);
        }
        product
    }

    /// H ← (I − ρ s yᵀ) H (I − ρ y sᵀ) + ρ s sᵀ, ρ = 1 / yᵀs (Eq. 6.17), written as
    /// H + u sᵀ + s uᵀ with u = ρ (½ (1 + ρ yᵀHy) s − Hy).
    fn update(&mut self, s: &[f64], y: &[f64]) {
        let rho = 1.0 / dot(y, s);
        let h_y = self.multiply(y);
        let half = 0.5 * (1.0 + rho * dot(y, &h_y));
        let u: Vec<f64> = s
            .iter()
            .zip(&h_y)
            .map(|(s, h_y)| rho * (half * s - h_y))
            .collect();
        let mut rest = self.upper.as_mut_slice();
        for i in 0..self.dimension {
            let (row, below) = rest.split_at_mut(self.dimension - i);
            let (u_i, s_i) = (u[i], s[i]);
            for ((h, s_j), u_j) in row.iter_mut().zip(&s[i..]).zip(&u[i..]) {
                *h += u_i * s_j + s_i * u_j;
            }
            rest = below;
        }
        self.is_identity = false;
    }
}

/// The last few steps of L-BFGS: H is never formed, O(m N) for each product.
#[derive(Clone, Debug)]
pub struct LimitedMemory {
    /// m, steps remembered. More follows the curvature better and costs more. Default: 10.
    pub memory: usize,
    /// s, y and ρ = 1 / yᵀs of each step, the oldest first.
    steps: VecDeque<(Vec<f64>, Vec<f64>, f64)>,
}

impl LimitedMemory {
    /// Remembers `memory` steps.
    pub fn new(memory: usize) -> Self {
        Self {
            memory: memory.max(1),
            steps: VecDeque::new(),
        }
    }
}

impl InverseHessian for LimitedMemory {
    fn reset(&mut self, _dimension: usize) {
        self.steps.clear();
    }

    fn is_identity(&self) -> bool {
        self.steps.is_empty()
    }

    /// The two-loop recursion (Alg. 7.4), with H⁰ = (sᵀy / yᵀy) I of the last step.
    fn multiply(&self, v: &[f64]) -> Vec<f64> {
        let mut q = v.to_vec();
        let Some((_, y, rho)) = self.steps.back() else {
            return q;
        };
        let mut alphas = Vec::with_capacity(self.steps.len());
        for (s, y, rho) in self.steps.iter().rev() {
            let alpha = rho * dot(s, &q);
            add_scaled(&mut q, -alpha, y);
            alphas.push(alpha);
        }
        let gamma = 1.0 / (rho * dot(y, y));
        q.iter_mut().for_each(|q| *q *= gamma);
        for ((s, y, rho), alpha) in self.steps.iter().zip(alphas.iter().rev()) {
            let beta = rho * dot(y, &q);
            add_scaled(&mut q, alpha - beta, s);
        }
        q
    }

    fn update(&mut self, s: &[f64], y: &[f64]) {
        if self.steps.len() == self.memory {
            self.steps.pop_front();
        }
        self.steps
            .push_back((s.to_vec(), y.to_vec(), 1.0 / dot(y, s)));
    }
}

/// aᵀb, in sixteen partial sums: the order of additions is fixed and the loop vectorizes.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 16];
    let (a_chunks, b_chunks) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f64 = a_chunks
        .remainder()
        .iter()
        .zip(b_chunks.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for lane in 0..16 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// a ← a + `scale` b.
fn add_scaled(a: &mut [f64], scale: f64, b: &[f64]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a += scale * b;
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};

    use super::*;

    /// Steps and gradient differences of a fixed quadratic in 11 variables.
    fn steps() -> Vec<(Vec<f64>, Vec<f64>)> {
        let wave = |i: usize, k: usize| ((3 * i + 7 * k * k + i * k) as f64).sin();
        (0..4)
            .map(|k| {
                let s: Vec<f64> = (0..11).map(|i| wave(i, k)).collect();
                let y = s
                    .iter()
                    .enumerate()
                    .map(|(i, s)| (1.0 + i as f64) * s)
                    .collect();
                (s, y)
            })
            .collect()
    }

    /// Eq. 6.17 as it is printed, from H⁰ = `scale` I.
    fn textbook(scale: f64) -> DMatrix<f64> {
        let identity = DMatrix::<f64>::identity(11, 11);
        steps()
            .into_iter()
            .fold(identity.clone() * scale, |h, (s, y)| {
                let (s, y) = (DVector::from_vec(s), DVector::from_vec(y));
                let rho = 1.0 / y.dot(&s);
                let left = &identity - rho * &s * y.transpose();
                &left * h * left.transpose() + rho * &s * s.transpose()
            })
    }

    fn assert_multiplies_like(inverse: &impl InverseHessian, expected: &DMatrix<f64>) {
        let v: Vec<f64> = (0..11).map(|i| (i as f64 * 0.7).cos()).collect();
        let product = expected * DVector::from_vec(v.clone());
        for (a, b) in inverse.multiply(&v).iter().zip(product.iter()) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn both_agree_with_the_textbook() {
        let mut dense = Dense::default();
        let mut limited = LimitedMemory::new(10);
        dense.reset(11);
        limited.reset(11);
        assert!(dense.is_identity() && limited.is_identity());
        for (s, y) in steps() {
            dense.update(&s, &y);
            limited.update(&s, &y);
        }
        assert_multiplies_like(&dense, &textbook(1.0));
        let (s, y) = steps().pop().unwrap();
        assert_multiplies_like(&limited, &textbook(dot(&s, &y) / dot(&y, &y)));
        assert!(!dense.is_identity() && !limited.is_identity());
    }

    #[test]
    fn limited_memory_forgets_the_oldest_step() {
        let (mut two, mut all) = (LimitedMemory::new(2), LimitedMemory::new(2));
        for (s, y) in steps() {
            two.update(&s, &y);
        }
        for (s, y) in &steps()[2..] {
            all.update(s, y);
        }
        let v = vec![1.0; 11];
        assert_eq!(two.multiply(&v), all.multiply(&v));
    }

    #[test]
    fn dot_sums_every_length() {
        for n in 0..40 {
            let a: Vec<f64> = (0..n).map(|i| i as f64).collect();
            assert_eq!(dot(&a, &a), (0..n).map(|i| (i * i) as f64).sum::<f64>());
        }
    }
}
