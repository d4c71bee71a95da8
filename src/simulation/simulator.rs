//! The seam between what is tracked and what simulates: a nominal rollout, and rollouts that leave it.

use std::ops::Range;
use std::sync::Arc;

use nalgebra::Vector3;
use rayon::prelude::*;

use super::turns::Turns;
use super::{
    ControlTrack, Engine, FootLoad, Knots, LinkState, Path, PathFrame, Physics, Touch, World,
};
use crate::body::Body;
use crate::scene::Scene;

/// Step of forward differences that double precision allows, rad.
pub(super) const DIFFERENCE_STEP: f64 = 1e-5;

/// What drives the body.
#[derive(Clone, Copy)]
pub struct Drive<'a> {
    /// Reference targets.
    pub track: &'a ControlTrack,
    /// The offsets of the targets.
    pub knots: &'a Knots,
    /// Springs that pull the links along.
    pub assistance: Option<Assistance<'a>>,
}

/// A force m (k Δp + d Δv) at the centre of mass of every link.
#[derive(Clone, Copy)]
pub struct Assistance<'a> {
    /// k, 1/s².
    pub stiffness: f64,
    /// d, 1/s.
    pub damping: f64,
    /// Where the centres of mass of all links should be at a simulation step, m, and how fast they should
    /// move, m/s.
    pub centers: &'a (dyn Fn(usize) -> Vec<(Vector3<f64>, Vector3<f64>)> + Sync),
}

/// A nominal rollout.
pub struct Rollout {
    /// The frame that it starts from.
    pub first: usize,
    /// The world there.
    pub start: Arc<World>,
    /// The body from there on.
    pub path: Path,
    /// In every step, the spheres near surfaces in the order in which they were solved for.
    pub orders: Vec<Vec<Touch>>,
    end: End,
}

/// How a rollout ends.
enum End {
    /// In this world.
    Engine(Box<World>),
    /// With these turns of the spheres near surfaces.
    Twin(Turns),
}

impl Rollout {
    /// One that takes `path` from `start` at frame `first` on, with the contacts of `orders`.
    pub(super) fn new(
        first: usize,
        start: Arc<World>,
        (path, orders, turns): (Path, Vec<Vec<Touch>>, Turns),
    ) -> Self {
        Self {
            first,
            start,
            path,
            orders,
            end: End::Twin(turns),
        }
    }

    /// The world at its end.
    pub fn end(&self) -> World {
        match &self.end {
            End::Engine(world) => World::clone(world),
            End::Twin(turns) => {
                let mut world = World::clone(&self.start);
                if let Some(last) = self.path.last() {
                    world.place_after(&last.links, turns);
                }
                world
            }
        }
    }
}

/// A rollout that leaves a nominal one.
pub struct Replica<'a> {
    /// The frame from which on it is simulated.
    pub onset: usize,
    /// Its links there; otherwise those of the rollout that it leaves.
    pub start: Option<&'a [LinkState]>,
    /// The link, if any, whose PD target is its own, and the offsets that this target has.
    pub own: Option<(usize, &'a Knots)>,
}

/// What simulates the body.
pub trait Simulator: Send + Sync {
    /// Number of nominal rollouts that are simulated at the cost of one.
    fn side_by_side(&self) -> usize;

    /// Simulates from `start` at the first of `frames` to the last, which is not simulated further, under each of
    /// `drives`.
    fn nominal(&self, start: &World, frames: Range<usize>, drives: &[Drive]) -> Vec<Rollout>;

    /// Step of forward differences between a nominal rollout and one that leaves it, rad: what rounding allows.
    fn difference_step(&self) -> f64;

    /// Simulates `replicas`, sorted by onset, that leave `nominal`, up to frame `end` of the clip. Returns the path of
    /// each from its onset on, which is the first entry.
    fn perturbed(
        &self,
        nominal: &Rollout,
        replicas: &[Replica],
        drive: &Drive,
        end: usize,
    ) -> Vec<Path>;
}

/// The engine as it is: the truth that others are held to.
pub struct Rapier {
    physics: Physics,
    scene: Scene,
    /// Of the links, kg.
    masses: Vec<f64>,
}

impl Rapier {
    /// `body` on the ground plane z = 0 and in `scene`, stepped as `physics` says.
    pub fn new((body, scene): (&Body, &Scene), physics: &Physics) -> Self {
        Self {
            physics: physics.clone(),
            scene: scene.clone(),
            masses: body.links.iter().map(|link| link.mass).collect(),
        }
    }

    /// Scratch memory to step with.
    pub fn engine(&self) -> Engine {
        Engine::new(&self.physics)
    }

    /// Simulation step `step` of the clip, in which the target of a link may be its `own`.
    pub fn step(
        &self,
        (world, engine): (&mut World, &mut Engine),
        drive: &Drive,
        own: Option<(usize, &Knots)>,
        step: usize,
    ) {
        world.set_time(&self.scene, drive.track.time(step));
        for link in 1..self.masses.len() {
            let knots = match own {
                Some((owner, knots)) if owner == link => knots,
                _ => drive.knots,
            };
            let (target, velocity) = drive.track.target(knots, link, step);
            world.set_target(link, &target, &velocity);
        }
        if let Some(assistance) = &drive.assistance {
            let centers = world.mass_centers().zip((assistance.centers)(step));
            let pull = |((position, velocity), (target, speed)): ((_, _), (_, _))| {
                let stretch: Vector3<f64> = target - position;
                let lag: Vector3<f64> = speed - velocity;
                assistance.stiffness * stretch + assistance.damping * lag
            };
            let forces = centers.map(pull).zip(&self.masses);
            let forces: Vec<_> = forces.map(|(pull, mass)| *mass * pull).collect();
            world.set_forces(forces.into_iter());
        }
        world.step(engine);
    }

    /// Simulates frame `frame` of the clip: the body at its end; `each` sees the world after every step.
    fn frame(
        &self,
        (world, engine): (&mut World, &mut Engine),
        (drive, own): (&Drive, Option<(usize, &Knots)>),
        frame: usize,
        mut each: impl FnMut(&World),
    ) -> PathFrame {
        let steps = drive.track.steps_per_frame;
        let mut loads = [FootLoad::default(); 2];
        for step in frame * steps..(frame + 1) * steps {
            self.step((world, engine), drive, own, step);
            for (mean, load) in loads.iter_mut().zip(world.foot_loads(engine)) {
                mean.vertical += load.vertical / steps as f64;
                mean.moment += load.moment / steps as f64;
                mean.friction += load.friction / steps as f64;
            }
            each(world);
        }
        PathFrame {
            links: world.links(),
            loads,
        }
    }
}

impl Simulator for Rapier {
    fn difference_step(&self) -> f64 {
        DIFFERENCE_STEP
    }

    fn side_by_side(&self) -> usize {
        rayon::current_num_threads()
    }

    fn nominal(&self, start: &World, frames: Range<usize>, drives: &[Drive]) -> Vec<Rollout> {
        let shared = Arc::new(start.clone());
        let run = |drive: &Drive| {
            let (mut world, mut engine) = (start.clone(), self.engine());
            let mut path = vec![start.path_frame()];
            let mut orders = Vec::new();
            for frame in frames.clone() {
                let simulation = (&mut world, &mut engine);
                path.push(self.frame(simulation, (drive, None), frame, |world| {
                    orders.push(world.contact_order());
                }));
            }
            Rollout {
                first: frames.start,
                start: Arc::clone(&shared),
                path,
                orders,
                end: End::Engine(Box::new(world)),
            }
        };
        drives.par_iter().map(run).collect()
    }

    fn perturbed(
        &self,
        nominal: &Rollout,
        replicas: &[Replica],
        drive: &Drive,
        end: usize,
    ) -> Vec<Path> {
        let run = |replica: &Replica| {
            let (mut world, mut engine) = (World::clone(&nominal.start), self.engine());
            for frame in nominal.first..replica.onset {
                self.frame((&mut world, &mut engine), (drive, None), frame, |_| ());
            }
            if let Some(links) = replica.start {
                world.place(links);
            }
            let mut path = vec![world.path_frame()];
            for frame in replica.onset..end {
                let driven = (drive, replica.own);
                path.push(self.frame((&mut world, &mut engine), driven, frame, |_| ()));
            }
            path
        };
        replicas.par_iter().map(run).collect()
    }
}
