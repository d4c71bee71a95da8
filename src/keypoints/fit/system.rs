//! Normal equations of a chain: variables frame by frame, coupled over a few frames, and a handful
//! of global ones.
//!
//! ```text
//! [ A   B ] [x]   [g]      A banded (variables of the frames), C small (global variables)
//! [ Bᵀ  C ] [y] = [h]
//! ```
//! Solved by a banded Cholesky factorization of A and the Schur complement C − Bᵀ A⁻¹ B, in
//! O(n b²) for n variables and bandwidth b.

use nalgebra::{DMatrix, DVector};

/// One term's derivative: variable and ∂r/∂variable.
pub type Slope = (usize, f64);

/// The normal equations JᵀJ and −Jᵀr, with rows already weighted.
pub struct System {
    /// Number n of frame variables; global ones have the indices from n on.
    n: usize,
    /// Bandwidth b: variables i and j of the frames are coupled only for |i − j| ≤ b.
    b: usize,
    /// Lower band of A: entry (i, j) at `i * (b + 1) + j + b - i`.
    a: Vec<f64>,
    /// B, (n, m).
    border: DMatrix<f64>,
    /// C, (m, m).
    corner: DMatrix<f64>,
    /// −Jᵀr, (n + m,).
    right: DVector<f64>,
}

/// A factorized system.
pub struct Factor {
    n: usize,
    b: usize,
    /// L of A = L Lᵀ, arranged as A.
    l: Vec<f64>,
    /// A⁻¹ B, (n, m).
    solved: DMatrix<f64>,
    /// (C − Bᵀ A⁻¹ B)⁻¹, (m, m).
    schur: DMatrix<f64>,
}

impl System {
    /// Zeros for `n` frame variables, `m` global ones, and bandwidth `b`.
    pub fn new(n: usize, m: usize, b: usize) -> Self {
        Self {
            n,
            b,
            a: vec![0.0; n * (b + 1)],
            border: DMatrix::zeros(n, m),
            corner: DMatrix::zeros(m, m),
            right: DVector::zeros(n + m),
        }
    }

    /// Adds the term ½ w r² with the given derivatives of r.
    pub fn add(&mut self, r: f64, weight: f64, slopes: &[Slope]) {
        for (k, (i, di)) in slopes.iter().enumerate() {
            self.right[*i] -= weight * di * r;
            for (j, dj) in &slopes[..=k] {
                let (i, j) = (*i.max(j), *i.min(j));
                let product = weight * di * dj;
                match (i < self.n, j < self.n) {
                    (true, _) => self.a[i * (self.b + 1) + j + self.b - i] += product,
                    (false, true) => self.border[(j, i - self.n)] += product,
                    (false, false) => {
                        self.corner[(i - self.n, j - self.n)] += product;
                        if i != j {
                            self.corner[(j - self.n, i - self.n)] += product;
                        }
                    }
                }
            }
        }
    }

    /// −Jᵀr.
    pub fn right(&self) -> &DVector<f64> {
        &self.right
    }

    /// Factorizes the system with `damping` times its diagonal (and 1e-9) added; `None` when it is
    /// not positive definite.
    pub fn factorize(&self, damping: f64) -> Option<Factor> {
        let (n, b) = (self.n, self.b);
        let mut l = self.a.clone();
        for i in 0..n {
            let diagonal = &mut l[i * (b + 1) + b];
            *diagonal += damping * *diagonal + 1e-9;
        }
        for i in 0..n {
            let first = i.saturating_sub(b);
            for j in first..=i {
                let low = first.max(j.saturating_sub(b));
                let (row_i, row_j) = (i * (b + 1) + b - i, j * (b + 1) + b - j);
                let dot: f64 = l[row_i + low..row_i + j]
                    .iter()
                    .zip(&l[row_j + low..row_j + j])
                    .map(|(x, y)| x * y)
                    .sum();
                let rest = l[row_i + j] - dot;
                l[row_i + j] = if i == j {
                    if rest <= 0.0 || rest.is_nan() {
                        return None;
                    }
                    rest.sqrt()
                } else {
                    rest / l[row_j + j]
                };
            }
        }
        let mut factor = Factor {
            n,
            b,
            l,
            solved: self.border.clone(),
            schur: DMatrix::zeros(0, 0),
        };
        for k in 0..self.border.ncols() {
            let mut column = factor.solved.column(k).into_owned();
            factor.solve_band(column.as_mut_slice());
            factor.solved.set_column(k, &column);
        }
        let mut schur = &self.corner - self.border.tr_mul(&factor.solved);
        for k in 0..schur.nrows() {
            schur[(k, k)] += damping * self.corner[(k, k)] + 1e-9;
        }
        factor.schur = schur.cholesky()?.inverse();
        Some(factor)
    }
}

impl Factor {
    /// The solution for the right-hand side `right`, (n + m,).
    pub fn solve(&self, right: &DVector<f64>) -> DVector<f64> {
        let mut x = right.rows(0, self.n).into_owned();
        let m = right.len() - self.n;
        // Bᵀ A⁻¹ g = (A⁻¹ B)ᵀ g
        let y = &self.schur * (right.rows(self.n, m) - self.solved.tr_mul(&x));
        self.solve_band(x.as_mut_slice());
        x -= &self.solved * &y;
        let mut solution = DVector::zeros(self.n + m);
        solution.rows_mut(0, self.n).copy_from(&x);
        solution.rows_mut(self.n, m).copy_from(&y);
        solution
    }

    /// x ← A⁻¹ x.
    fn solve_band(&self, x: &mut [f64]) {
        let (n, b) = (self.n, self.b);
        let at = |i: usize, j: usize| self.l[i * (b + 1) + j + b - i];
        for i in 0..n {
            let dot: f64 = (i.saturating_sub(b)..i).map(|j| at(i, j) * x[j]).sum();
            x[i] = (x[i] - dot) / at(i, i);
        }
        for i in (0..n).rev() {
            x[i] /= at(i, i);
            for j in i.saturating_sub(b)..i {
                x[j] -= at(i, j) * x[i];
            }
        }
    }

    /// Variances of the frame variables: the diagonal of the inverse, by Takahashi's recursion on
    /// the band and the correction for the border.
    pub fn variances(&self) -> Vec<f64> {
        let (n, b) = (self.n, self.b);
        let at = |i: usize, j: usize| self.l[i * (b + 1) + j + b - i];
        // z holds the lower band of A⁻¹, arranged as A.
        let mut z = vec![0.0; n * (b + 1)];
        for j in (0..n).rev() {
            let end = (j + b + 1).min(n);
            for i in (j..end).rev() {
                let sum: f64 = (j + 1..end)
                    .map(|k| {
                        let (high, low) = (i.max(k), i.min(k));
                        at(k, j) * z[high * (b + 1) + low + b - high]
                    })
                    .sum();
                let own = if i == j { 1.0 / at(j, j) } else { 0.0 };
                z[i * (b + 1) + j + b - i] = (own - sum) / at(j, j);
            }
        }
        (0..n)
            .map(|i| {
                let border = self.solved.row(i);
                z[i * (b + 1) + b] + (border * &self.schur).dot(&border)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solutions_and_variances_equal_those_of_the_dense_matrix() {
        let (n, m, b) = (12, 2, 4);
        let mut system = System::new(n, m, b);
        let mut dense = DMatrix::<f64>::zeros(n + m, n + m);
        let mut right = DVector::<f64>::zeros(n + m);
        for row in 0..60usize {
            let first = row % (n - b);
            let mut slopes: Vec<Slope> = (0..3)
                .map(|k| {
                    (
                        first + (2 * k + row) % (b + 1),
                        (1.0 + row as f64 * (k + 2) as f64).sin(),
                    )
                })
                .collect();
            slopes.push((n + row % m, (row as f64).cos()));
            slopes.sort_by_key(|slope| slope.0);
            slopes.dedup_by_key(|slope| slope.0);
            let (r, weight) = ((row as f64 * 0.7).sin(), 0.5 + (row % 3) as f64);
            system.add(r, weight, &slopes);
            let mut j = DVector::<f64>::zeros(n + m);
            slopes.iter().for_each(|(i, d)| j[*i] += d);
            dense += weight * &j * j.transpose();
            right -= weight * r * j;
        }
        let factor = system.factorize(0.0).unwrap();
        let inverse = dense.try_inverse().unwrap();
        let expected = &inverse * &right;
        assert!((factor.solve(system.right()) - expected).norm() < 1e-6);
        for (i, variance) in factor.variances().iter().enumerate() {
            assert!((variance - inverse[(i, i)]).abs() < 1e-6 * inverse[(i, i)]);
        }
    }

    #[test]
    fn a_singular_system_is_refused() {
        let mut system = System::new(2, 1, 1);
        system.add(1.0, -1.0, &[(0, 1.0)]);
        assert!(system.factorize(0.0).is_none());
    }
}
