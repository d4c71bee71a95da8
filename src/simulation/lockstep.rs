//! The engine's fast twin: many copies of the humanoid, simulated side by side, which is what a Jacobian by differences
//! needs. [Property tests](../../../tests/batched_simulator.rs) hold it to the engine.
//!
//! The copies of a group take the same steps at the same time, each in one lane of the processor's
//! vector registers. Equations, iterations and their order are those of the [engine](super::Rapier)
//! with ball joints, torque-limited motors and spheres on a plane or on convex solids: a step is divided into substeps, of
//! which each has some sweeps of projected Gauss–Seidel over all joints, then all contacts, the motion
//! of the bodies, and one more sweep without the springs that mend errors of position (E. Catto, "Solver2D",
//! 2024). Where the engine solves for the spheres of a foot in the order in which they came near the ground,
//! copies do, too.
//!
//! Each lane computes what it would alone: results do not depend on the width of the registers, nor on
//! which copies share a group.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use nalgebra::{UnitQuaternion, Vector3};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::turns::Turns;
use super::{Drive, LinkState, Path, Physics, Replica, Rollout, Simulator, Touch, World};
use crate::body::Body;
use crate::scene::Scene;
use bodies::{Bodies, Near};
use model::{Joint, Model};
use near::Trail;
use wide::Wide;
pub use wide::{Double, Precision, Single};

mod bodies;
mod contacts;
mod lanes;
mod links;
mod matrices;
mod model;
mod near;
mod places;
mod rows;
mod vectors;
mod wide;

/// The fast twin, whose copies are simulated in the precision `P`.
pub struct Lockstep<P = Single> {
    model: Model,
    physics: Physics,
    precision: PhantomData<P>,
}

impl<P: Precision> Lockstep<P> {
    /// `body` on the ground plane z = 0 and in `scene`, stepped as `physics` says.
    pub fn new((body, scene): (&Body, &Scene), physics: &Physics) -> Self {
        Self {
            model: Model::new((body, scene), physics),
            physics: physics.clone(),
            precision: PhantomData,
        }
    }
}

impl<P: Precision> Simulator for Lockstep<P> {
    fn difference_step(&self) -> f64 {
        P::DIFFERENCE_STEP
    }

    fn side_by_side(&self) -> usize {
        Arch::new().dispatch(Width(PhantomData::<Double>))
    }

    fn nominal(&self, start: &World, frames: Range<usize>, drives: &[Drive]) -> Vec<Rollout> {
        let links = start.links();
        let pairs = start.pair_order(&self.physics);
        let start = Arc::new(start.clone());
        let run = |drives: &[Drive]| {
            Arch::new().dispatch(Originals {
                model: &self.model,
                drives,
                start: (&links, start.turns()),
                pairs: &pairs,
                frames: frames.clone(),
            })
        };
        let groups = drives.par_chunks(self.side_by_side());
        let rollout = |run| Rollout::new(frames.start, Arc::clone(&start), run);
        groups.flat_map_iter(run).map(rollout).collect()
    }

    fn perturbed(
        &self,
        nominal: &Rollout,
        replicas: &[Replica],
        drive: &Drive,
        end: usize,
    ) -> Vec<Path> {
        let arch = Arch::new();
        let onsets = replicas.iter().map(|copy| copy.onset);
        let targets = Targets::new(&self.model, drive, onsets.min().unwrap_or(end)..end);
        let run = |copies: &[Replica]| {
            let first = copies[0].onset;
            let paths = arch.dispatch(Run {
                model: &self.model,
                precision: PhantomData::<P>,
                nominal,
                copies,
                drive,
                targets: &targets,
                end,
            });
            let paths = paths.into_iter().zip(copies);
            let from_onset = paths.map(|(mut path, copy)| {
                let mut path = path.split_off(copy.onset - first);
                path[0].loads = Default::default();
                path
            });
            from_onset.collect::<Vec<_>>()
        };
        let groups = replicas.par_chunks(arch.dispatch(Width(PhantomData::<P>)));
        groups.flat_map_iter(run).collect()
    }
}

/// How many copies are simulated at once.
struct Width<P>(PhantomData<P>);

impl<P: Precision> WithSimd for Width<P> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        P::Registers::<S>::LANES
    }
}

/// A run of as many copies as there are lanes, or fewer.
struct Run<'a, P> {
    precision: PhantomData<P>,
    model: &'a Model,
    nominal: &'a Rollout,
    copies: &'a [Replica<'a>],
    drive: &'a Drive<'a>,
    targets: &'a Targets,
    end: usize,
}

/// The PD targets that all copies share but for their own link's: a rotation parent ← child and its angular velocity,
/// in the order of the joints, for each of a number of steps.
struct Targets {
    first_step: usize,
    joints: usize,
    targets: Vec<(UnitQuaternion<f64>, Vector3<f64>)>,
}

impl Targets {
    /// Those of `frames` that `drive` sets.
    fn new(model: &Model, drive: &Drive, frames: Range<usize>) -> Self {
        let per_frame = drive.track.steps_per_frame;
        let steps = frames.start * per_frame..frames.end * per_frame;
        let joints = &model.joints;
        let at = |step| {
            let target = move |joint: &Joint| drive.track.target(drive.knots, joint.child, step);
            joints.iter().map(target)
        };
        Self {
            first_step: steps.start,
            joints: joints.len(),
            targets: steps.flat_map(at).collect(),
        }
    }

    /// Those of simulation step `step` of the clip.
    fn at(&self, step: usize) -> &[(UnitQuaternion<f64>, Vector3<f64>)] {
        let from = (step - self.first_step) * self.joints;
        &self.targets[from..from + self.joints]
    }
}

impl<P: Precision> WithSimd for Run<'_, P> {
    type Output = Vec<Path>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self {
            precision: _,
            model,
            nominal,
            copies,
            drive,
            targets,
            end,
        } = self;
        let first = copies[0].onset;
        let per_frame = drive.track.steps_per_frame;
        let frame_time = (per_frame * model.substeps) as f64 * model.dt;
        // Until its onset, and for good in a lane without a copy, a lane does what the original does.
        let start = &nominal.path[first - nominal.first];
        // The same for all copies, so that they round alike whichever of them share a group.
        let origin = &nominal.path[0].links[0].center;
        let mut bodies = Bodies::new(P::registers(simd), model, origin, &start.links);
        let mut paths = vec![Vec::with_capacity(end - first + 1); copies.len()];
        let mut orders = nominal.orders[(first - nominal.first) * per_frame..].iter();
        for frame in first..end {
            for (lane, copy) in copies.iter().enumerate() {
                if copy.onset == frame {
                    let here = &nominal.path[frame - nominal.first].links;
                    bodies.load(lane, copy.start.unwrap_or(here));
                }
            }
            bodies.record(&mut paths, frame_time);
            for step in frame * per_frame..(frame + 1) * per_frame {
                bodies.aim(model, copies, (drive, targets), step);
                let order = orders.next().map_or(&[][..], Vec::as_slice);
                bodies.step(model, Near::Known(order));
            }
        }
        bodies.record(&mut paths, frame_time);
        paths
    }
}

/// Rollouts from the same start in double precision, one a lane: as many as there are lanes, or fewer.
struct Originals<'a> {
    model: &'a Model,
    drives: &'a [Drive<'a>],
    start: (&'a [LinkState], &'a Turns),
    pairs: &'a [Touch],
    frames: Range<usize>,
}

impl WithSimd for Originals<'_> {
    type Output = Vec<(Path, Vec<Vec<Touch>>, Turns)>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self {
            model,
            drives,
            start: (start, turns),
            pairs,
            frames,
        } = self;
        let track = drives[0].track;
        let per_frame = track.steps_per_frame;
        let frame_time = (per_frame * model.substeps) as f64 * model.dt;
        let targets = drives
            .iter()
            .map(|drive| Targets::new(model, drive, frames.clone()));
        let targets: Vec<_> = targets.collect();
        let origin = &start[0].center;
        let mut bodies = Bodies::new(Double::registers(simd), model, origin, start);
        let mut paths = vec![Vec::with_capacity(frames.len() + 1); drives.len()];
        let trails = drives.iter().map(|_| Trail::new(turns, pairs));
        let mut trails: Vec<_> = trails.collect();
        for frame in frames {
            bodies.record(&mut paths, frame_time);
            for step in frame * per_frame..(frame + 1) * per_frame {
                bodies.aim_each(model, (drives, &targets), step);
                bodies.step(model, Near::Found(track.time(step), &mut trails));
            }
        }
        bodies.record(&mut paths, frame_time);
        let all = paths.into_iter().zip(trails);
        all.map(|(path, trail)| (path, trail.orders, trail.turns))
            .collect()
    }
}

#[cfg(test)]
mod tests;
