//! A sum of squares that counts how it is looked at, for tests of optimizers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use nalgebra::{DMatrix, DVector};

use super::{Jacobian, Objective, Residuals};

/// Rosenbrock's function as a sum of squares: r = (10 (y − x²), 1 − x); counts its Jacobians and the
/// values that it did not know when they were asked for.
#[derive(Default)]
pub(crate) struct Rosenbrock {
    pub jacobians: AtomicUsize,
    pub estimate: Option<DMatrix<f64>>,
    /// Points that it looks at ahead.
    pub ahead: usize,
    pub known: Mutex<Vec<Vec<f64>>>,
    pub unknown: AtomicUsize,
}

impl Objective for Rosenbrock {
    fn dimension(&self) -> usize {
        2
    }
    fn value(&self, x: &[f64]) -> f64 {
        0.5 * self.residuals(x).norm_squared()
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (r, jacobian) = self.residuals_and_jacobian(x);
        gradient.copy_from_slice(jacobian.tr_mul(&r).as_slice());
        0.5 * r.norm_squared()
    }
    fn look_ahead(&self, x: &[f64], next: &dyn Fn(usize) -> Vec<Vec<f64>>) {
        let mut known = self.known.lock().unwrap();
        if !known.iter().any(|point| point == x) {
            self.unknown.fetch_add(1, Ordering::Relaxed);
            known.extend(next(self.ahead));
        }
    }
    fn least_squares(&self) -> Option<&dyn Residuals> {
        Some(self)
    }
}

impl Residuals for Rosenbrock {
    fn len(&self) -> usize {
        2
    }
    fn residuals(&self, x: &[f64]) -> DVector<f64> {
        DVector::from_vec(vec![10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]])
    }
    fn residuals_and_jacobian(&self, x: &[f64]) -> (DVector<f64>, Jacobian) {
        self.jacobians.fetch_add(1, Ordering::Relaxed);
        let jacobian = DMatrix::from_row_slice(2, 2, &[-20.0 * x[0], 10.0, -1.0, 0.0]);
        (self.residuals(x), jacobian.into())
    }
    fn estimated_jacobian(&self, _: &[f64]) -> Option<Jacobian> {
        self.estimate.clone().map(Into::into)
    }
}
