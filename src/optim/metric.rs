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
use crate::objective::{Evaluation, Objective, Residuals, Rng, Task, TaskFamily};

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

    fn residuals_and_jacobian(&self, z: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        let x = self.whitening.color(z);
        let Some(inner) = self.objective.least_squares() else {
            return (DVector::zeros(0), DMatrix::zeros(0, z.len()));
        };
        let (residuals, jacobian) = inner.residuals_and_jacobian(&x);
        (residuals, self.whitening.whiten_jacobian(&jacobian))
    }

    fn estimated_jacobian(&self, z: &[f64]) -> Option<DMatrix<f64>> {
        let x = self.whitening.color(z);
        let estimate = self.objective.least_squares()?.estimated_jacobian(&x)?;
        Some(self.whitening.whiten_jacobian(&estimate))
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
mod tests {
    use rand::SeedableRng;

    use super::super::{Bfgs, Named};
    use super::*;
    use crate::objective::HeldOut;

    /// ½ (x − 1)ᵀ A (x − 1).
    struct Bowl(DMatrix<f64>);

    impl Objective for Bowl {
        fn dimension(&self) -> usize {
            self.0.nrows()
        }
        fn value(&self, x: &[f64]) -> f64 {
            self.value_and_gradient(x, &mut vec![0.0; x.len()])
        }
        fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
            let apart = DVector::from_column_slice(x).add_scalar(-1.0);
            let slope = &self.0 * &apart;
            gradient.copy_from_slice(slope.as_slice());
            0.5 * apart.dot(&slope)
        }
        fn value_and_curvature(
            &self,
            x: &[f64],
            gradient: &mut [f64],
        ) -> Option<(f64, DMatrix<f64>)> {
            Some((self.value_and_gradient(x, gradient), self.0.clone()))
        }
    }

    fn steep(n: usize) -> DMatrix<f64> {
        let tilted = DMatrix::from_fn(n, n, |i, j| {
            (0.3 * (i as f64 - j as f64).abs() + 1.0).recip()
        });
        let scales = DVector::from_fn(n, |i, _| 10_f64.powi(i as i32));
        DMatrix::from_diagonal(&scales) * tilted * DMatrix::from_diagonal(&scales)
    }

    impl Task for Bowl {
        fn name(&self) -> String {
            format!("bowl of {}", self.0[(0, 0)])
        }
        fn initial_point(&self, _: &mut Rng) -> Vec<f64> {
            vec![0.0; self.dimension()]
        }
    }

    /// Bowls of one curvature.
    struct Bowls(f64);

    impl TaskFamily for Bowls {
        type Task = Bowl;

        fn sample(&self, _: &mut Rng) -> Bowl {
            Bowl(DMatrix::identity(2, 2) * self.0)
        }
    }

    #[test]
    fn tasks_kept_apart_for_validation_stay_apart_in_the_metric() {
        let metric = Metric::new(steep(2), 2, "test").unwrap();
        let family = WhitenedFamily {
            family: HeldOut {
                training: Bowls(1.0),
                validation: Bowls(2.0),
            },
            whitening: Arc::new(metric.whitening(2)),
        };
        let mut rng = Rng::seed_from_u64(0);
        let names = |tasks: &[Whitened<Bowl>]| tasks.iter().map(Task::name).collect::<Vec<_>>();
        assert_eq!(names(&family.sample_batch(2, &mut rng)), ["bowl of 1"; 2]);
        let validation = family.sample_validation(2, &mut rng);
        assert_eq!(names(&validation), ["bowl of 2"; 2]);
    }

    #[test]
    fn a_bowl_is_round_in_its_own_metric() {
        let metric = Metric::new(steep(4), 2, "test").unwrap();
        let whitened = Whitened {
            objective: Bowl(steep(4)),
            whitening: Arc::new(metric.whitening(4)),
        };
        let z = whitened.whitening.whiten(&[3.0, -1.0, 0.2, 1.1]);
        let mut gradient = vec![0.0; 4];
        let (value, curvature) = whitened.value_and_curvature(&z, &mut gradient).unwrap();
        assert!((curvature - DMatrix::identity(4, 4)).amax() < 1e-8);
        let back = whitened.whitening.color(&z);
        assert!((whitened.objective.value(&back) - value).abs() < 1e-9 * value);
        // One step of steepest descent of length 1 is Newton's step.
        let minimum: Vec<f64> = z.iter().zip(&gradient).map(|(z, g)| z - g).collect();
        let minimum = whitened.whitening.color(&minimum);
        assert!(
            minimum.iter().all(|x| (x - 1.0).abs() < 1e-6),
            "{minimum:?}"
        );
    }

    #[test]
    fn optimizers_need_fewer_evaluations_in_the_metric() {
        let evaluations = |optimizer: &dyn Minimize| {
            let budget = Budget {
                evaluations: 500,
                target: Some(1e-9),
                ..Budget::default()
            };
            let bowl = Bowl(steep(4));
            let found =
                optimizer.minimize(&bowl, &[0.0; 4], &budget, &mut super::super::Unobserved);
            let found = found.unwrap();
            assert!(
                found.x.iter().all(|x| (x - 1.0).abs() < 1e-4),
                "{:?}",
                found.x
            );
            found.evaluations
        };
        let plain = Named::new("bfgs", Bfgs::default());
        let in_metric = InMetric {
            prefix: "metric-",
            metric: Metric::new(steep(4), 2, "test").unwrap(),
            optimizer: Box::new(plain.clone()),
        };
        assert!(evaluations(&in_metric) < evaluations(&plain));
    }

    #[test]
    fn smaller_problems_use_the_end_and_larger_ones_repeat_the_first_block() {
        let metric = Metric::new(steep(4), 2, "test").unwrap();
        let square = |n: usize| {
            let factor = metric.whitening(n).factor;
            &factor * factor.transpose()
        };
        let close = |a: DMatrix<f64>, b: DMatrix<f64>| (&a - b).amax() < 1e-9 * a.amax();
        assert!(close(square(3), steep(4).view((1, 1), (3, 3)).into_owned()));
        let large = square(7);
        assert!(close(large.view((3, 3), (4, 4)).into_owned(), steep(4)));
        let first = steep(4).view((0, 0), (2, 2)).into_owned();
        assert!(close(large.view((1, 1), (2, 2)).into_owned(), first));
        assert!(large[(0, 1)] == 0.0 && large[(1, 3)] == 0.0);
    }
}
