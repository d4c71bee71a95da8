//! The fifteen classic test functions: value and gradient in one pass, with domain, minimizer and
//! minimum.
//!
//! # References
//! * S. Surjanovic, D. Bingham, "Virtual Library of Simulation Experiments: Test Functions and
//!   Datasets", Simon Fraser University, 2013, <https://www.sfu.ca/~ssurjano/optimization.html>.

use crate::error::{Error, Result};

pub use bowls::{Perm, RotatedHyperEllipsoid, Sphere, SumOfPowers, SumOfSquares, Trid, Zakharov};
pub use many_minima::{Ackley, Griewank, Levy, Rastrigin};
pub use valleys::{DixonPrice, Powell, Rosenbrock, StyblinskiTang};

mod bowls;
mod many_minima;
mod valleys;

/// A test function of any number of variables N, in its own coordinates.
pub trait Function: Sync + Send + std::fmt::Debug {
    /// The name in tables and on the command line.
    fn name(&self) -> &'static str;

    /// Lower and upper end of the usual domain of every coordinate.
    fn domain(&self, dimension: usize) -> (f64, f64);

    /// A global minimizer, `(N,)`.
    fn minimizer(&self, dimension: usize) -> Vec<f64>;

    /// The global minimum.
    fn minimum(&self, _dimension: usize) -> f64 {
        0.0
    }

    /// f(x) for `x: (N,)`, with ∇f(x) written into `gradient: (N,)`.
    ///
    /// Where f overflows the result is infinite or NaN.
    fn evaluate(&self, x: &[f64], gradient: &mut [f64]) -> f64;

    /// The number of variables used when a table says N = `dimension`.
    fn variables(&self, dimension: usize) -> usize {
        dimension
    }
}

/// All functions, in the order that numbers the streams of initial points.
pub static FUNCTIONS: [&dyn Function; 15] = [
    &Ackley,
    &DixonPrice,
    &Griewank,
    &Levy,
    &Perm,
    &Powell,
    &Rastrigin,
    &Rosenbrock,
    &RotatedHyperEllipsoid,
    &Sphere,
    &StyblinskiTang,
    &SumOfPowers,
    &SumOfSquares,
    &Trid,
    &Zakharov,
];

/// The position of the function called `name` in [`FUNCTIONS`].
///
/// # Errors
/// [`Error::Input`] listing the known names.
pub fn index_of(name: &str) -> Result<usize> {
    let known = FUNCTIONS.map(|function| function.name());
    known
        .iter()
        .position(|known| *known == name)
        .ok_or_else(|| {
            Error::input(
                "function",
                "name",
                name,
                format!("choose among {}", known.join(", ")),
            )
        })
}
