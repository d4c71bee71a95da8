//! The classic benchmark: fifteen test functions, the protocols that pose them, and what is
//! measured of the optimizers run on them.

pub use family::FunctionFamily;
pub use problem::{Problem, random_rotation};
pub use profile::{Profile, relative_iterations};
pub use protocol::{DIMENSIONS, LARGEST_TRAINED, Protocol};
pub use runner::{Plan, Row, Solver, run};

mod family;
pub mod functions;
pub mod paper;
mod problem;
pub mod profile;
mod protocol;
mod runner;
pub mod summary;
pub mod timing;
pub mod trajectory;
mod trigonometry;
