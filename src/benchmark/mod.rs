//! The classic benchmark: fifteen test functions, the protocols that pose them, and what is
//! measured of the optimizers run on them.

pub use problem::{FunctionFamily, Problem, random_rotation};
pub use protocol::{DIMENSIONS, LARGEST_TRAINED, Protocol};
pub use runner::{Plan, Row, Solver, run};

pub mod functions;
mod problem;
mod protocol;
mod runner;
mod trigonometry;
