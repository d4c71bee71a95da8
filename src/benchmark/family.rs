//! The family of test functions that learned optimizers are trained on.

use rand::RngExt;

use crate::objective::{Objective, Rng, TaskFamily};

use super::functions::FUNCTIONS;
use super::problem::{Problem, random_rotation};
use super::protocol::{Protocol, offset_range};

/// Test functions at random, from random offsets if so wanted: what meta-training draws from.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionFamily {
    /// Functions drawn from, as positions in [`FUNCTIONS`].
    pub functions: Vec<usize>,
    /// Dimensions drawn from.
    pub dimensions: Vec<usize>,
    /// The protocol that scales functions and places initial points.
    pub protocol: Protocol,
    /// Whether each task is moved by a random offset, so that positions cannot be memorized.
    pub offsets: bool,
    /// The share of tasks whose function is turned by a random rotation, so that coordinates
    /// depend on each other.
    pub rotated: f64,
}

impl TaskFamily for FunctionFamily {
    type Task = Problem;

    fn sample(&self, rng: &mut Rng) -> Problem {
        let dimension = self.dimension(rng);
        self.problem(dimension, rng)
    }

    /// Functions whose number of variables is not free (Powell) are drawn where they fit.
    fn sample_batch(&self, count: usize, rng: &mut Rng) -> Vec<Problem> {
        let first = self.sample(rng);
        let variables = first.dimension();
        let mut problems = vec![first];
        while problems.len() < count {
            let problem = self.problem(variables, rng);
            if problem.dimension() == variables {
                problems.push(problem);
            }
        }
        problems
    }
}

impl FunctionFamily {
    fn dimension(&self, rng: &mut Rng) -> usize {
        self.dimensions[rng.random_range(0..self.dimensions.len())]
    }

    /// A random function of `dimension` variables.
    fn problem(&self, dimension: usize, rng: &mut Rng) -> Problem {
        let function = self.functions[rng.random_range(0..self.functions.len())];
        let mut problem = self.protocol.problem(FUNCTIONS[function], dimension);
        let n = problem.dimension();
        if self.offsets {
            let (low, high) = offset_range(&problem);
            problem = problem.moved((0..n).map(|_| rng.random_range(low..high)).collect());
        }
        if self.rotated > 0.0 && rng.random_bool(self.rotated) {
            problem = problem.rotated(random_rotation(n, rng));
        }
        problem
    }
}
