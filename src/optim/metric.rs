//! A metric: how steep a family of objectives is on average, and variables in which it is even.
//!
//! With the Cholesky factorization of the metric, H̄ = L Lᵀ, the variables z = Lᵀ x see an objective
//! whose curvature is the identity on average: every optimizer converges faster in them, and to a
//! learned one all coordinates look alike.

use std::ops::ControlFlow;
use std::sync::Arc;

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::objective::{Evaluation, Jacobian, Objective, Residuals, Rng, Task, TaskFamily};

use super::{Budget, Minimize, Minimum, Observer};

/// A symmetric positive definite matrix H̄, `(N, N)`, made of blocks of coordinates, the last of
/// which belong to the end of a problem.
///
/// Problems with fewer coordinates use the last rows and columns; in problems with more, the first
/// block stands for every one before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    matrix: DMatrix<f64>,
    block: usize,
}

impl Metric {
    /// `matrix: (N, N)` in blocks of `block` coordinates.
    ///
    /// # Errors
    /// [`Error::Input`] naming `origin` when it is not made of blocks or not positive definite.
    pub fn new(matrix: DMatrix<f64>, block: usize, origin: &str) -> Result<Self> {
        let n = matrix.nrows();
        let is_square = n == matrix.ncols() && n > 0 && block > 0 && n.is_multiple_of(block);
        if !is_square || matrix.clone().cholesky().is_none() {
            let found = format!("{n} × {} in blocks of {block}", matrix.ncols());
            let advice = "give a positive definite matrix of whole blocks";
            return Err(Error::input(origin, "metric", found, advice));
        }
        Ok(Self { matrix, block })
    }

    /// The diagonal of H̄: units for the coordinates, and nothing else.
    pub fn without_couplings(mut self) -> Self {
        self.matrix = DMatrix::from_diagonal(&self.matrix.diagonal());
        self
    }

    /// The identity of this size: the coordinates as they are.
    pub fn identity(mut self) -> Self {
        self.matrix.fill_with_identity();
        self
    }

    /// H̄, `(N, N)`.
    pub fn matrix(&self) -> &DMatrix<f64> {
        &self.matrix
    }

    /// Coordinates of a block.
    pub fn block(&self) -> usize {
        self.block
    }

    /// The variables z of problems with `n` coordinates.
    pub fn whitening(&self, n: usize) -> Whitening {
        let (known, block) = (self.matrix.nrows(), self.block);
        // Coordinate i, counted from the end, and the one of the matrix that stands for it.
        let known_as = |i: usize| {
            let from_end = n - i;
            if from_end <= known {
                (None, known - from_end)
            } else {
                let beyond = from_end - known - 1;
                (Some(beyond / block), block - 1 - beyond % block)
            }
        };
        let matrix = DMatrix::from_fn(n, n, |i, j| {
            let ((a, i), (b, j)) = (known_as(i), known_as(j));
            if a == b { self.matrix[(i, j)] } else { 0.0 }
        });
        // Principal submatrices of a positive definite matrix are positive definite.
        let factor = matrix
            .cholesky()
            .map_or_else(|| DMatrix::identity(n, n), |factor| factor.unpack());
        Whitening { factor }
    }
}

/// The change of variables z = Lᵀ x.
#[derive(Clone, Debug, PartialEq)]
pub struct Whitening {
    /// L, `(N, N)`, lower triangular with a positive diagonal.
    factor: DMatrix<f64>,
}

impl Whitening {
    /// z = Lᵀ x, `(N,)`.
    pub fn whiten(&self, x: &[f64]) -> Vec<f64> {
        let x = DVector::from_column_slice(x);
        self.factor.tr_mul(&x).as_slice().to_vec()
    }

    /// x = L⁻ᵀ z, `(N,)`.
    pub fn color(&self, z: &[f64]) -> Vec<f64> {
        let mut x = DVector::from_column_slice(z);
        self.factor.tr_solve_lower_triangular_mut(&mut x);
        x.as_slice().to_vec()
    }

    /// ∂f/∂z = L⁻¹ ∂f/∂x, `(N,)`.
    pub fn whiten_gradient(&self, gradient: &[f64]) -> Vec<f64> {
        let mut column = DVector::from_column_slice(gradient);
        self.factor.solve_lower_triangular_mut(&mut column);
        column.as_slice().to_vec()
    }

    /// ∂r/∂z = (∂r/∂x) L⁻ᵀ, `(M, N)`.
    pub fn whiten_jacobian(&self, jacobian: &DMatrix<f64>) -> DMatrix<f64> {
        let mut transposed = jacobian.transpose();
        self.factor.solve_lower_triangular_mut(&mut transposed);
        transposed.transpose()
    }

    /// ∂²f/∂z² = L⁻¹ (∂²f/∂x²) L⁻ᵀ, `(N, N)`.
    pub fn whiten_curvature(&self, mut curvature: DMatrix<f64>) -> DMatrix<f64> {
        self.factor.solve_lower_triangular_mut(&mut curvature);
        curvature.transpose_mut();
        self.factor.solve_lower_triangular_mut(&mut curvature);
        curvature
    }
}

/// An objective in the variables z.
#[derive(Clone, Debug)]
pub struct Whitened<O> {
    /// The objective in the variables x.
    pub objective: O,
    /// The change of variables.
    pub whitening: Arc<Whitening>,
}

impl<O: Objective> Objective for Whitened<O> {
    fn dimension(&self) -> usize {
        self.objective.dimension()
    }

    fn value(&self, z: &[f64]) -> f64 {
        self.objective.value(&self.whitening.color(z))
    }

    fn value_and_gradient(&self, z: &[f64], gradient: &mut [f64]) -> f64 {
        let x = self.whitening.color(z);
        let value = self.objective.value_and_gradient(&x, gradient);
        gradient.copy_from_slice(&self.whitening.whiten_gradient(gradient));
        value
    }

    fn value_and_curvature(&self, z: &[f64], gradient: &mut [f64]) -> Option<(f64, DMatrix<f64>)> {
        let x = self.whitening.color(z);
        let (value, curvature) = self.objective.value_and_curvature(&x, gradient)?;
        gradient.copy_from_slice(&self.whitening.whiten_gradient(gradient));
        Some((value, self.whitening.whiten_curvature(curvature)))
    }

    fn estimated_curvature(&self, z: &[f64]) -> Option<(Vec<f64>, DMatrix<f64>)> {
        let x = self.whitening.color(z);
        let (gradient, curvature) = self.objective.estimated_curvature(&x)?;
        let gradient = self.whitening.whiten_gradient(&gradient);
        Some((gradient, self.whitening.whiten_curvature(curvature)))
    }

    fn look_ahead(&self, z: &[f64], next: &dyn Fn(usize) -> Vec<Vec<f64>>) {
        let colored = |z: &Vec<f64>| self.whitening.color(z);
        let x = self.whitening.color(z);
        (self.objective).look_ahead(&x, &|count| next(count).iter().map(colored).collect());
    }

    fn least_squares(&self) -> Option<&dyn Residuals> {
        self.objective
            .least_squares()
            .map(|_| self as &dyn Residuals)
    }
}

impl<O: Objective> Residuals for Whitened<O> {
    fn len(&self) -> usize {
        self.objective.least_squares().map_or(0, Residuals::len)
    }

    fn residuals(&self, z: &[f64]) -> DVector<f64> {
        let x = self.whitening.color(z);
        self.objective
            .least_squares()
            .map_or_else(|| DVector::zeros(0), |inner| inner.residuals(&x))
    }

    fn residuals_and_jacobian(&self, z: &[f64]) -> (DVector<f64>, Jacobian) {
        let x = self.whitening.color(z);
        let Some(inner) = self.objective.least_squares() else {
            return (DVector::zeros(0), DMatrix::zeros(0, z.len()).into());
        };
        let (residuals, jacobian) = inner.residuals_and_jacobian(&x);
        (residuals, self.whitening.whiten_jacobian(&jacobian).into())
    }

    fn estimated_jacobian(&self, z: &[f64]) -> Option<Jacobian> {
        let x = self.whitening.color(z);
        let estimate = self.objective.least_squares()?.estimated_jacobian(&x)?;
        Some(self.whitening.whiten_jacobian(&estimate).into())
    }
}

impl<T: Task> Task for Whitened<T> {
    fn name(&self) -> String {
        self.objective.name()
    }

    fn initial_point(&self, rng: &mut Rng) -> Vec<f64> {
        self.whitening.whiten(&self.objective.initial_point(rng))
    }

    fn normalize(&self, loss: f64) -> f64 {
        self.objective.normalize(loss)
    }

    fn known_minimizer(&self) -> Option<Vec<f64>> {
        let minimizer = self.objective.known_minimizer()?;
        Some(self.whitening.whiten(&minimizer))
    }

    fn normalize_slope(&self, loss: f64) -> f64 {
        self.objective.normalize_slope(loss)
    }
}

/// A family in the variables z; its tasks have equally many variables.
#[derive(Clone, Debug)]
pub struct WhitenedFamily<F> {
    /// The family in the variables x.
    pub family: F,
    /// The change of variables.
    pub whitening: Arc<Whitening>,
}

impl<F: TaskFamily> WhitenedFamily<F> {
    fn whitened(&self, objective: F::Task) -> Whitened<F::Task> {
        Whitened {
            objective,
            whitening: Arc::clone(&self.whitening),
        }
    }
}

impl<F: TaskFamily> TaskFamily for WhitenedFamily<F> {
    type Task = Whitened<F::Task>;

    fn sample(&self, rng: &mut Rng) -> Self::Task {
        self.whitened(self.family.sample(rng))
    }

    fn sample_batch(&self, count: usize, rng: &mut Rng) -> Vec<Self::Task> {
        let tasks = self.family.sample_batch(count, rng).into_iter();
        tasks.map(|task| self.whitened(task)).collect()
    }

    fn sample_validation(&self, count: usize, rng: &mut Rng) -> Vec<Self::Task> {
        let tasks = self.family.sample_validation(count, rng).into_iter();
        tasks.map(|task| self.whitened(task)).collect()
    }
}

/// An optimizer that works in the variables z of a metric.
pub struct InMetric {
    /// What stands in front of the optimizer's name in tables.
    pub prefix: &'static str,
    /// The metric.
    pub metric: Metric,
    /// The optimizer.
    pub optimizer: Box<dyn Minimize>,
}

impl Minimize for InMetric {
    fn name(&self) -> String {
        format!("{}{}", self.prefix, self.optimizer.name())
    }

    fn minimize(
        &self,
        objective: &dyn Objective,
        x0: &[f64],
        budget: &Budget,
        observer: &mut dyn Observer,
    ) -> Result<Minimum> {
        let whitening = Arc::new(self.metric.whitening(objective.dimension()));
        let whitened = Whitened {
            objective,
            whitening: Arc::clone(&whitening),
        };
        let mut observe = |n: usize, z: &[f64], evaluation: &Evaluation| -> ControlFlow<()> {
            observer.observe(n, &whitening.color(z), evaluation)
        };
        let start = whitening.whiten(x0);
        let minimum = self
            .optimizer
            .minimize(&whitened, &start, budget, &mut observe)?;
        Ok(Minimum {
            x: whitening.color(&minimum.x),
            last_x: whitening.color(&minimum.last_x),
            ..minimum
        })
    }
}

#[cfg(test)]
mod tests;
