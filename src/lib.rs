//! Physically simulated human motion from pose files and 2D keypoints, by trajectory optimization with classical
//! and learned optimizers.
//!
//! ```text
//! 2D keypoints, cameras ──► kinematic fit ──► Motion (and reprojection errors in the windows)
//!
//! pose file ──► Motion ──► Body (scaled) + reference poses (IK) ──► windows ──► PhysicsWindow: x ↦ residuals, loss, gradient
//!  .npy .npz     frames     links, masses, PD gains                    │             ▲ rollout of the rapier humanoid
//!                                                                      ▼             │
//!                                                        one loop: Optimizer.ask ─► evaluate ─► tell
//!                                                                      │
//! simulated Trajectory ◄── stitched windows ◄──────────────────────────┘
//!    ├─► Metrics      ├─► motion.glb      └─► motion.npz, metrics.json, loss.csv
//! ```
//!
//! # From a file to glTF
//! ```no_run
//! use motionfit::{export, motion, reconstruction};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let read = motion::read("walk.bvh".as_ref(), &motion::ReadOptions::default())?;
//! let settings = reconstruction::Settings::default();
//! let optimizer = reconstruction::optimizer_of_windows("lm-search", settings.seed)?;
//! let run = reconstruction::reconstruct(&read.motion, &settings, optimizer.as_ref(), None)?;
//! let recording = export::Recording::new(run.body, run.trajectory, run.reference.joints)?;
//! std::fs::write("walk.glb", export::glb::encode(&recording, &serde_json::Value::Null)?)?;
//! # Ok(())
//! # }
//! ```
//!
//! # An optimizer of your own
//! ```
//! use motionfit::error::Result;
//! use motionfit::motion::sample;
//! use motionfit::objective::{Evaluation, Order};
//! use motionfit::optim::{Named, Optimizer, Query};
//! use motionfit::reconstruction::{Settings, reconstruct};
//!
//! struct Descent { learning_rate: f64 }
//! impl Optimizer for Descent {
//!     type State = Vec<f64>;
//!     fn init(&self, x0: &[f64]) -> Vec<f64> { x0.to_vec() }
//!     fn ask<'s>(&self, state: &'s Vec<f64>) -> Query<'s> {
//!         Query { x: state, order: Order::Gradient }
//!     }
//!     fn tell(&self, state: &mut Vec<f64>, evaluation: &Evaluation) -> Result<()> {
//!         for (x, g) in state.iter_mut().zip(&evaluation.gradient) { *x -= self.learning_rate * g; }
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> Result<()> {
//! let mut motion = sample("squat").expect("an embedded sample");
//! motion.joints.truncate(12);
//! let settings = Settings { evaluations: 3, ..Settings::default() };
//! let descent = Named::new("descent", Descent { learning_rate: 1e-3 });
//! let run = reconstruct(&motion, &settings, &descent, None)?;
//! assert_eq!(run.trajectory.frames.len(), 12);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//! `cli` (default): the command line, its pictures and the allocator of the program. Without it, the library alone:
//! `cargo build --release --no-default-features --lib`.
//!
//! `mpi`: runs that many machines share ([`cluster`]); needs an MPI and libclang to build.
//!
//! # Conventions
//! SI units (m, s, kg, rad, N·m) inside; millimetres and percent only in metrics. Right-handed
//! z-up world, x forward, y left; converted on reading and to glTF's y-up on export. Rotations act
//! parent ← child; quaternions are `[x, y, z, w]` on disk. Frames are indexed `t`, joints `j`,
//! parameters `n`, iterations `k`. Everything is minimized. Every random choice takes an `rng`.
#![warn(missing_docs)]
#![deny(unsafe_code)]

pub mod benchmark;
pub mod body;
#[cfg(feature = "cli")]
pub mod cli;
pub mod cluster;
#[cfg(feature = "cli")]
pub mod commands;
pub mod config;
pub mod error;
pub mod evaluation;
pub mod export;
mod format;
mod json;
pub mod keypoints;
pub mod learned;
pub mod meta;
pub mod metrics;
pub mod motion;
pub mod objective;
pub mod optim;
pub mod output;
#[cfg(feature = "cli")]
pub mod plot;
pub mod reconstruction;
pub mod scene;
pub mod simulation;
