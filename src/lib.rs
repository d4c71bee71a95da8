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
//! use std::ops::ControlFlow;
//! use motionfit::{export, motion, reconstruction};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let read = motion::read("walk.bvh".as_ref(), &motion::ReadOptions::default())?;
//! let settings = reconstruction::Settings::default();
//! let mut go_on = |_: &reconstruction::Progress| ControlFlow::Continue(());
//! let run = reconstruction::reconstruct(&read.motion, &settings, "lm-search", &mut go_on)?;
//! let recording = export::Recording::new(run.body, run.trajectory, run.reference.joints)?;
//! std::fs::write("walk.glb", export::glb::encode(&recording, &serde_json::Value::Null)?)?;
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
