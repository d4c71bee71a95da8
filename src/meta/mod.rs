//! Meta-training: one trainer over any learned optimizer and any family of tasks.
//!
//! * [`Settings`]: stages of training, each with its gradient estimator;
//! * [`GradientEstimator`]: how the meta-gradient of a group of unrolls is found
//!   ([`Backprop`], [`Evolution`]);
//! * [`MetaTrainer`]: the outer loop: groups in parallel, Adam, validation, checkpoints.
//!
//! A group is a batch of tasks with equally many variables, optimized in lockstep. It advances by
//! one truncation per outer step and starts anew when its horizon is reached; groups are staggered,
//! so that they do not all start anew together.

pub use adam::{Adam, clip};
pub use backprop::Backprop;
pub use evolution::{Evolution, Kind};
pub use group::{Estimate, GradientEstimator, Group};
pub use settings::{Estimator, Settings, Stage, ValidationSettings};
pub use sharing::StepTimes;
pub use trainer::{MetaTrainer, StepReport};

mod adam;
mod backprop;
mod estimators;
mod evolution;
mod group;
mod settings;
mod sharing;
mod trainer;
