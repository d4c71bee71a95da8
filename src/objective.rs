//! What is minimized: objectives, residual functions, tasks, and one look at them.
//!
//! Everything is minimized. Values may be infinite or NaN (a rollout that blew up): divergence is
//! data, and every optimizer must survive it.

use std::sync::Arc;

use nalgebra::{DMatrix, DVector};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, s};
use rayon::prelude::*;

/// A Jacobian, `(M, N)`, which may be large and is never copied.
pub type Jacobian = Arc<DMatrix<f64>>;

/// The random generator of the crate: portable, seedable, with independent streams.
pub type Rng = rand_chacha::ChaCha12Rng;

/// A scalar function of `dimension()` variables.
///
/// ```
/// use motionfit::objective::Objective;
/// struct Sphere;
/// impl Objective for Sphere {
///     fn dimension(&self) -> usize { 3 }
///     fn value(&self, x: &[f64]) -> f64 { x.iter().map(|v| v * v).sum() }
///     fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
///         for (g, v) in gradient.iter_mut().zip(x) { *g = 2.0 * v; }
///         self.value(x)
///     }
/// }
/// let mut gradient = [0.0; 3];
/// assert_eq!(Sphere.value_and_gradient(&[1.0, 2.0, 0.0], &mut gradient), 5.0);
/// ```
pub trait Objective: Sync {
    /// Number of variables N.
    fn dimension(&self) -> usize;

    /// f(x) for `x: (N,)`; may be infinite or NaN.
    fn value(&self, x: &[f64]) -> f64;

    /// f(x), with ∇f(x) written into `gradient: (N,)`.
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64;

    /// f(x) and the Gauss–Newton matrix JᵀJ, `(N, N)`, with ∇f(x) written into `gradient: (N,)`;
    /// `None` when there is none.
    ///
    /// Comes from residuals and Jacobian where the objective is half a sum of squares.
    fn value_and_curvature(&self, x: &[f64], gradient: &mut [f64]) -> Option<(f64, DMatrix<f64>)> {
        let (residuals, jacobian) = self.least_squares()?.residuals_and_jacobian(x);
        gradient.copy_from_slice(jacobian.tr_mul(&residuals).as_slice());
        Some((0.5 * residuals.norm_squared(), gram(&jacobian)))
    }

    /// Estimates of ∇f(x), `(N,)`, and JᵀJ, `(N, N)`, where there is one of the Jacobian
    /// ([`Residuals::estimated_jacobian`]).
    fn estimated_curvature(&self, x: &[f64]) -> Option<(Vec<f64>, DMatrix<f64>)> {
        let inner = self.least_squares()?;
        let jacobian = inner.estimated_jacobian(x)?;
        let gradient = jacobian.tr_mul(&inner.residuals(x));
        Some((gradient.as_slice().to_vec(), gram(&jacobian)))
    }

    /// Announces that the value at `x: (N,)` is asked for now, and soon, perhaps, that at some of the points
    /// `next(n)`: at most n, each `(N,)`, the likeliest first. Where idle threads can look at several points
    /// at once, this is the time to do so; what later looks return is the same.
    fn look_ahead(&self, _x: &[f64], _next: &dyn Fn(usize) -> Vec<Vec<f64>>) {}

    /// The residual function behind the value, when the objective is half a sum of squares.
    fn least_squares(&self) -> Option<&dyn Residuals> {
        None
    }
}

impl<O: Objective + ?Sized> Objective for &O {
    fn dimension(&self) -> usize {
        (**self).dimension()
    }

    fn value(&self, x: &[f64]) -> f64 {
        (**self).value(x)
    }

    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        (**self).value_and_gradient(x, gradient)
    }

    fn value_and_curvature(&self, x: &[f64], gradient: &mut [f64]) -> Option<(f64, DMatrix<f64>)> {
        (**self).value_and_curvature(x, gradient)
    }

    fn estimated_curvature(&self, x: &[f64]) -> Option<(Vec<f64>, DMatrix<f64>)> {
        (**self).estimated_curvature(x)
    }

    fn look_ahead(&self, x: &[f64], next: &dyn Fn(usize) -> Vec<Vec<f64>>) {
        (**self).look_ahead(x, next);
    }

    fn least_squares(&self) -> Option<&dyn Residuals> {
        (**self).least_squares()
    }
}

/// An objective of the form f(x) = ½ ‖r(x)‖², with r: ℝᴺ → ℝᴹ.
pub trait Residuals: Objective {
    /// Number of residuals M.
    fn len(&self) -> usize;

    /// Whether there are no residuals at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// r(x), `(M,)`.
    fn residuals(&self, x: &[f64]) -> DVector<f64>;

    /// r(x), `(M,)`, and the Jacobian ∂r/∂x, `(M, N)`.
    fn residuals_and_jacobian(&self, x: &[f64]) -> (DVector<f64>, Jacobian);

    /// An estimate of ∂r/∂x, `(M, N)`, at x where one is known that costs less than the Jacobian.
    fn estimated_jacobian(&self, _x: &[f64]) -> Option<Jacobian> {
        None
    }

    /// ½ ‖r(x)‖², with its gradient Jᵀr written into `gradient: (N,)`: what
    /// [`value_and_gradient`](Objective::value_and_gradient) is where nothing cheaper is known.
    fn half_square_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (residuals, jacobian) = self.residuals_and_jacobian(x);
        gradient.copy_from_slice(jacobian.tr_mul(&residuals).as_slice());
        0.5 * residuals.norm_squared()
    }
}

/// JᵀJ, `(N, N)`, for `jacobian: (M, N)`.
///
/// Rows of zeros at the top of a column cost nothing: a knot moves no frame before it, so that a window's Jacobian
/// is a staircase, whose product is a third of that of a full matrix.
pub fn gram(jacobian: &DMatrix<f64>) -> DMatrix<f64> {
    /// Columns that are multiplied together.
    const BLOCK: usize = 48;
    let (m, n) = jacobian.shape();
    let zeros = |column: usize| {
        let column = jacobian.column(column);
        column.iter().take_while(|entry| **entry == 0.0).count()
    };
    let mut gram = DMatrix::zeros(n, n);
    if n == 0 {
        return gram;
    }
    // The upper half, in blocks of columns, by ndarray's product, which takes a transpose as it is.
    let blocks = gram.as_mut_slice().par_chunks_mut(n * BLOCK);
    blocks.enumerate().for_each(|(block, columns)| {
        let (from, to) = (block * BLOCK, n.min((block + 1) * BLOCK));
        let top = (from..to).map(zeros).min().unwrap_or_default();
        let entries = &jacobian.as_slice()[..m * to];
        // Both matrices by their columns, which are rows here.
        let fits = "a block has as many entries as its shape says";
        let all = ArrayView2::from_shape((to, m), entries).expect(fits);
        let mut product = ArrayViewMut2::from_shape((to - from, n), columns).expect(fits);
        let all = all.slice(s![.., top..]);
        let own = all.slice(s![from.., ..]);
        let mut product = product.slice_mut(s![.., ..to]);
        general_mat_mul(1.0, &own, &all.t(), 0.0, &mut product);
    });
    gram.fill_lower_triangle_with_upper_triangle();
    gram
}

/// How much of the objective an optimizer needs at the point it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// The value alone.
    Value,
    /// The value and an estimate of the Jacobian, where there is one
    /// ([`Residuals::estimated_jacobian`]).
    Estimate,
    /// The value and estimates of the gradient and of JᵀJ, where there are some
    /// ([`Objective::estimated_curvature`]).
    EstimatedCurvature,
    /// Value and gradient.
    Gradient,
    /// Value, gradient and the Gauss–Newton matrix JᵀJ, where there is one.
    Curvature,
    /// Value, gradient, residuals and Jacobian; needs [`Objective::least_squares`].
    Jacobian,
}

/// One look at an objective.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// f(x); may be infinite or NaN.
    pub value: f64,
    /// ∇f(x), `(N,)`; empty when only the value was asked for.
    pub gradient: Vec<f64>,
    /// r(x), `(M,)`; present for a sum of squares, unless only value and gradient were asked for.
    pub residuals: Option<DVector<f64>>,
    /// ∂r/∂x, `(M, N)`; present when it was asked for; an estimate where only that was asked for.
    pub jacobian: Option<Jacobian>,
    /// JᵀJ, `(N, N)`; present when it was asked for and there is one.
    pub curvature: Option<DMatrix<f64>>,
}

impl Evaluation {
    /// Looks at `objective` in `x` as closely as `order` says.
    ///
    /// [`Order::Jacobian`] and [`Order::Curvature`] fall back to value and gradient when the objective is
    /// not a sum of squares, the estimates to the value.
    pub fn of(objective: &dyn Objective, x: &[f64], order: Order) -> Self {
        match (order, objective.least_squares()) {
            (Order::Estimate | Order::EstimatedCurvature, _) => {
                let mut seen = Self::of(objective, x, Order::Value);
                seen.estimate(objective, x, order);
                seen
            }
            (Order::Value, Some(least_squares)) => {
                let r = least_squares.residuals(x);
                Self {
                    value: 0.5 * r.norm_squared(),
                    residuals: Some(r),
                    ..Self::default()
                }
            }
            (Order::Value, None) => Self {
                value: objective.value(x),
                ..Self::default()
            },
            (Order::Jacobian, Some(least_squares)) => {
                let (r, jacobian) = least_squares.residuals_and_jacobian(x);
                Self {
                    value: 0.5 * r.norm_squared(),
                    gradient: jacobian.tr_mul(&r).as_slice().to_vec(),
                    residuals: Some(r),
                    jacobian: Some(jacobian),
                    ..Self::default()
                }
            }
            _ => {
                let mut gradient = vec![0.0; objective.dimension()];
                if order == Order::Curvature
                    && let Some((value, curvature)) =
                        objective.value_and_curvature(x, &mut gradient)
                {
                    return Self {
                        value,
                        gradient,
                        curvature: Some(curvature),
                        ..Self::default()
                    };
                }
                let value = objective.value_and_gradient(x, &mut gradient);
                Self {
                    value,
                    gradient,
                    ..Self::default()
                }
            }
        }
    }

    /// Makes a look at the value in `x` one of [`Order::Estimate`] or [`Order::EstimatedCurvature`], as `order` says.
    pub fn estimate(&mut self, objective: &dyn Objective, x: &[f64], order: Order) {
        if order == Order::Estimate {
            let least_squares = objective.least_squares();
            self.jacobian = least_squares.and_then(|inner| inner.estimated_jacobian(x));
        } else if let Some((gradient, curvature)) = objective.estimated_curvature(x) {
            self.gradient = gradient;
            self.curvature = Some(curvature);
        }
    }
}

/// An objective together with where optimization starts: the inner problem of meta-training.
pub trait Task: Objective {
    /// A short name for tables and logs.
    fn name(&self) -> String;

    /// x⁰, `(N,)`.
    fn initial_point(&self, rng: &mut Rng) -> Vec<f64>;

    /// Brings losses of one family to one scale before they enter the meta-loss.
    fn normalize(&self, loss: f64) -> f64 {
        loss
    }

    /// A global minimizer, `(N,)`, where one is known: training may aim at it.
    fn known_minimizer(&self) -> Option<Vec<f64>> {
        None
    }

    /// The derivative of [`normalize`](Self::normalize).
    fn normalize_slope(&self, _loss: f64) -> f64 {
        1.0
    }
}

/// log₁₀ of losses that span decades, which are not told apart below and above two of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogScale {
    /// The smallest loss that counts.
    pub smallest: f64,
    /// The largest one; also stands for NaN.
    pub largest: f64,
}

impl LogScale {
    /// log₁₀ of `loss`, for [`Task::normalize`].
    pub fn value(self, loss: f64) -> f64 {
        if loss.is_nan() {
            return self.largest.log10();
        }
        loss.clamp(self.smallest, self.largest).log10()
    }

    /// Its derivative, for [`Task::normalize_slope`].
    pub fn slope(self, loss: f64) -> f64 {
        if (self.smallest..self.largest).contains(&loss) {
            (loss * std::f64::consts::LN_10).recip()
        } else {
            0.0
        }
    }
}

/// A distribution over tasks.
pub trait TaskFamily: Sync {
    /// What is drawn.
    type Task: Task;

    /// Draws a task.
    fn sample(&self, rng: &mut Rng) -> Self::Task;

    /// Draws `count` tasks with equally many variables, so that they can be optimized in lockstep.
    ///
    /// Unless a family knows better, the first task decides how many.
    fn sample_batch(&self, count: usize, rng: &mut Rng) -> Vec<Self::Task> {
        let mut tasks = vec![self.sample(rng)];
        while tasks.len() < count {
            let task = self.sample(rng);
            if task.dimension() == tasks[0].dimension() {
                tasks.push(task);
            }
        }
        tasks
    }

    /// Draws a batch to measure progress on; of tasks like those trained on unless a family keeps
    /// some apart.
    fn sample_validation(&self, count: usize, rng: &mut Rng) -> Vec<Self::Task> {
        self.sample_batch(count, rng)
    }
}

/// A family that is trained on, and another one that progress is measured on.
#[derive(Clone, Debug)]
pub struct HeldOut<F> {
    /// What tasks are drawn from.
    pub training: F,
    /// What progress is measured on.
    pub validation: F,
}

impl<F: TaskFamily> TaskFamily for HeldOut<F> {
    type Task = F::Task;

    fn sample(&self, rng: &mut Rng) -> F::Task {
        self.training.sample(rng)
    }

    fn sample_batch(&self, count: usize, rng: &mut Rng) -> Vec<F::Task> {
        self.training.sample_batch(count, rng)
    }

    fn sample_validation(&self, count: usize, rng: &mut Rng) -> Vec<F::Task> {
        self.validation.sample_validation(count, rng)
    }
}

/// ∇f(x), `(N,)`, by central differences with step `h`; for tests and for objectives without an
/// analytic gradient. The error is O(h²) in f‴ plus O(ε/h) in rounding.
pub fn central_difference(objective: &dyn Objective, x: &[f64], h: f64) -> Vec<f64> {
    let mut x = x.to_vec();
    (0..x.len())
        .map(|n| {
            let x_n = x[n];
            x[n] = x_n + h;
            let above = objective.value(&x);
            x[n] = x_n - h;
            let below = objective.value(&x);
            x[n] = x_n;
            (above - below) / (2.0 * h)
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod rosenbrock;
#[cfg(test)]
mod tests;
