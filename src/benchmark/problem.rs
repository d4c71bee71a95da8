//! A test function as it is minimized: scaled, moved, rotated, and with its minimum at zero.

use nalgebra::{DMatrix, DVector};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use crate::objective::{LogScale, Objective, Rng, Task};

use super::functions::Function;

/// x ↦ f(s R (x − o)) − f*, with scale s, rotation R and offset o: the minimum is 0.
#[derive(Clone, Debug)]
pub struct Problem {
    function: &'static dyn Function,
    /// N as tables print it.
    dimension: usize,
    scale: f64,
    offset: Option<Vec<f64>>,
    rotation: Option<DMatrix<f64>>,
    /// Ends of the interval that initial coordinates are drawn from.
    start: (f64, f64),
}

impl Problem {
    /// `function` of `dimension` variables in its own coordinates, started in its usual domain.
    pub fn new(function: &'static dyn Function, dimension: usize) -> Self {
        Self {
            function,
            dimension,
            scale: 1.0,
            offset: None,
            rotation: None,
            start: function.domain(dimension),
        }
    }

    /// The same with coordinates multiplied by `scale` before f sees them.
    pub fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// The same with initial coordinates between `low` and `high`.
    pub fn started_in(self, low: f64, high: f64) -> Self {
        Self {
            start: (low, high),
            ..self
        }
    }

    /// The same, moved by `offset: (N,)`.
    pub fn moved(self, offset: Vec<f64>) -> Self {
        Self {
            offset: Some(offset),
            ..self
        }
    }

    /// The same, turned about the origin by the orthogonal matrix `rotation: (N, N)`.
    pub fn rotated(self, rotation: DMatrix<f64>) -> Self {
        Self {
            rotation: Some(rotation),
            ..self
        }
    }

    /// The function.
    pub fn function(&self) -> &'static dyn Function {
        self.function
    }

    /// N as tables print it; [`Objective::dimension`] says how many variables there really are.
    pub fn label(&self) -> usize {
        self.dimension
    }

    /// The interval that initial coordinates are drawn from.
    pub fn start(&self) -> (f64, f64) {
        self.start
    }

    /// A global minimizer, `(N,)`.
    pub fn minimizer(&self) -> Vec<f64> {
        let inner = self.function.minimizer(self.dimension()).into_iter();
        let mut x = DVector::from_iterator(self.dimension(), inner.map(|z| z / self.scale));
        if let Some(rotation) = &self.rotation {
            x = rotation.tr_mul(&x);
        }
        if let Some(offset) = &self.offset {
            x.iter_mut().zip(offset).for_each(|(x, o)| *x += o);
        }
        x.data.into()
    }

    /// s R (x − o), or `None` when that is x.
    fn inner_point(&self, x: &[f64]) -> Option<Vec<f64>> {
        let is_plain = self.offset.is_none() && self.rotation.is_none();
        if is_plain && self.scale.to_bits() == 1.0_f64.to_bits() {
            return None;
        }
        let mut z: Vec<f64> = match &self.offset {
            Some(offset) => x
                .iter()
                .zip(offset)
                .map(|(x, o)| self.scale * (x - o))
                .collect(),
            None => x.iter().map(|x| self.scale * x).collect(),
        };
        if let Some(rotation) = &self.rotation {
            z = (rotation * DVector::from_vec(z)).data.into();
        }
        Some(z)
    }
}

impl Objective for Problem {
    fn dimension(&self) -> usize {
        self.function.variables(self.dimension)
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.value_and_gradient(x, &mut vec![0.0; x.len()])
    }

    /// Where f overflows, the value is +∞ and the gradient not a number.
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let z = self.inner_point(x);
        let value = self.function.evaluate(z.as_deref().unwrap_or(x), gradient);
        if !value.is_finite() {
            gradient.fill(f64::NAN);
            return f64::INFINITY;
        }
        if z.is_some() {
            if let Some(rotation) = &self.rotation {
                let turned = rotation.tr_mul(&DVector::from_column_slice(gradient));
                gradient.copy_from_slice(turned.as_slice());
            }
            gradient.iter_mut().for_each(|g| *g *= self.scale);
        }
        value - self.function.minimum(self.dimension())
    }
}

impl Task for Problem {
    fn name(&self) -> String {
        format!("{} {}", self.function.name(), self.dimension)
    }

    fn initial_point(&self, rng: &mut Rng) -> Vec<f64> {
        let (low, high) = self.start;
        (0..self.dimension())
            .map(|_| rng.random_range(low..high))
            .collect()
    }

    /// log₁₀ of the loss, which spans decades, between −16 and 30.
    fn normalize(&self, loss: f64) -> f64 {
        LOSSES.value(loss)
    }

    fn known_minimizer(&self) -> Option<Vec<f64>> {
        Some(self.minimizer())
    }

    fn normalize_slope(&self, loss: f64) -> f64 {
        LOSSES.slope(loss)
    }
}

/// The losses that meta-training tells apart.
const LOSSES: LogScale = LogScale {
    smallest: 1e-16,
    largest: 1e30,
};

/// A random orthogonal matrix, `(N, N)`, uniform over all of them (Haar).
pub fn random_rotation(dimension: usize, rng: &mut Rng) -> DMatrix<f64> {
    let normal: DMatrix<f64> =
        DMatrix::from_fn(dimension, dimension, |_, _| StandardNormal.sample(rng));
    let (mut q, r) = normal.qr().unpack();
    for (mut column, diagonal) in q.column_iter_mut().zip(r.diagonal().iter()) {
        column *= diagonal.signum();
    }
    q
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::super::functions::{FUNCTIONS, Trid};
    use super::*;
    use crate::objective::central_difference;

    fn wrapped(rng: &mut Rng) -> Problem {
        Problem::new(&Trid, 6)
            .scaled(0.3)
            .moved(vec![1.0, -2.0, 0.5, 3.0, 0.0, 7.0])
            .rotated(random_rotation(6, rng))
    }

    #[test]
    fn wrappers_keep_the_minimum_and_carry_the_minimizer() {
        let problem = wrapped(&mut Rng::seed_from_u64(3));
        let x = problem.minimizer();
        let mut gradient = vec![1.0; 6];
        assert!(problem.value_and_gradient(&x, &mut gradient).abs() < 1e-12);
        assert!(gradient.iter().all(|g| g.abs() < 1e-12), "{gradient:?}");
    }

    #[test]
    fn wrapped_gradients_agree_with_central_differences() {
        let mut rng = Rng::seed_from_u64(4);
        let problem = wrapped(&mut rng);
        let x = problem.initial_point(&mut rng);
        let mut gradient = vec![0.0; 6];
        problem.value_and_gradient(&x, &mut gradient);
        for (a, b) in gradient.iter().zip(central_difference(&problem, &x, 1e-4)) {
            assert!((a - b).abs() < 1e-6 * b.abs().max(1.0), "{a} {b}");
        }
    }

    #[test]
    fn rotations_are_orthogonal() {
        let r = random_rotation(9, &mut Rng::seed_from_u64(1));
        assert!((r.tr_mul(&r) - DMatrix::identity(9, 9)).norm() < 1e-12);
    }

    #[test]
    fn overflow_is_infinite_never_a_silent_nan() {
        let problem = Problem::new(FUNCTIONS[4], 1000);
        let mut gradient = vec![0.0; 1000];
        let value = problem.value_and_gradient(&vec![-1000.0; 1000], &mut gradient);
        assert_eq!(value, f64::INFINITY);
        assert!(gradient.iter().all(|g| g.is_nan()));
    }
}
