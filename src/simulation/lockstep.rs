//! The engine's fast twin: many copies of the humanoid, simulated side by side, which is what a Jacobian by differences
//! needs. [Property tests](../../../tests/batched_simulator.rs) hold it to the engine.
//!
//! The copies of a group take the same steps at the same time, each in one lane of the processor's
//! vector registers. Equations, iterations and their order are those of the [engine](super::Rapier)
//! with ball joints, torque-limited motors and spheres on a plane or on boxes: a step is divided into substeps, of
//! which each has some sweeps of projected Gauss–Seidel over all joints, then all contacts, the motion
//! of the bodies, and one more sweep without the springs that mend errors of position (E. Catto, "Solver2D",
//! 2024). Where the engine solves for the spheres of a foot in the order in which they came near the ground,
//! copies do, too.
//!
//! Each lane computes what it would alone: results do not depend on the width of the registers, nor on
//! which copies share a group.

use std::ops::Range;

use nalgebra::{Isometry3, UnitQuaternion, Vector3};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{Drive, Path, Physics, Rapier, Replica, Rollout, Simulator, World};
use crate::body::{Body, Side};
use crate::scene::Scene;
use bodies::Bodies;

mod bodies;
mod contacts;
mod lanes;
mod links;
mod rows;

/// Frequency and damping ratio of the springs that hold joints together, as the engine has them: Hz and 1.
const JOINT_SPRING: [f64; 2] = [1e6, 1.0];

/// The body as the copies see it.
pub struct Lockstep {
    /// What simulates the rollouts that copies leave.
    engine: Rapier,
    links: Vec<LinkModel>,
    /// In the order in which the engine solves them.
    joints: Vec<Joint>,
    /// Spheres that touch surfaces.
    spheres: Vec<Sphere>,
    /// The boxes of the scene: world ← box, and half their sizes, m.
    boxes: Vec<(Isometry3<f64>, Vector3<f64>)>,
    substeps: usize,
    sweeps: usize,
    /// Length of a substep, s.
    dt: f64,
    joint_spring: Spring,
    contact_spring: Spring,
    friction: f64,
}

struct LinkModel {
    inertia: Vector3<f64>,
    inverse_inertia: Vector3<f64>,
}

struct Joint {
    parent: usize,
    child: usize,
    /// Inverse masses of parent and child, 1/kg.
    masses: [f64; 2],
    /// From the centres of mass of parent and child, in their frames.
    anchors: [Vector3<f64>; 2],
    /// Share of the motor's error that is made up for per second, 1/s.
    recovery: f64,
    /// Compliance of the motor.
    gain: f64,
    /// The motor's largest impulse per substep, N·m·s.
    largest: f64,
}

struct Sphere {
    link: usize,
    /// The side whose foot the link belongs to, if it is one.
    foot: Option<Side>,
    /// Of the link, 1/kg.
    inverse_mass: f64,
    /// From the link's centre of mass, in its frame.
    center: Vector3<f64>,
    radius: f64,
}

/// A spring as a constraint of velocities.
#[derive(Clone, Copy)]
struct Spring {
    /// Share of the error that is made up for per second, 1/s.
    recovery: f64,
    /// Compliance, as a share of the inverse of the constraint's effective mass.
    compliance: f64,
}

impl Spring {
    fn new(frequency: f64, damping_ratio: f64, dt: f64) -> Self {
        let omega = std::f64::consts::TAU * frequency;
        let recovery = omega / (dt * omega + 2.0 * damping_ratio);
        let rest = 1.0 / (dt * recovery) - 1.0;
        let compliance = rest * rest / ((1.0 + rest) * 4.0 * damping_ratio * damping_ratio);
        Self {
            recovery,
            compliance,
        }
    }
}

impl Lockstep {
    /// `body` on the ground plane z = 0 and in `scene`, stepped as `physics` says.
    pub fn new((body, scene): (&Body, &Scene), physics: &Physics) -> Self {
        let dt = physics.timestep / physics.solver_iterations as f64;
        let links = body.links.iter().map(|link| LinkModel {
            inertia: link.inertia,
            inverse_inertia: link.inertia.map(|moment| 1.0 / moment),
        });
        let joints = body.links.iter().enumerate().filter_map(|(child, link)| {
            let parent = link.parent?;
            let (k, d) = (link.joint.stiffness, link.joint.damping);
            Some(Joint {
                parent,
                child,
                masses: [parent, child].map(|i| 1.0 / body.links[i].mass),
                anchors: [
                    link.offset - body.links[parent].center_of_mass,
                    -link.center_of_mass,
                ],
                recovery: k / (dt * k + d),
                gain: 1.0 / (dt * dt * k + dt * d),
                largest: link.joint.torque_limit * dt,
            })
        });
        let spheres = body.links.iter().enumerate().flat_map(|(i, link)| {
            let spheres = link.contact_spheres().into_iter();
            spheres.map(move |(center, radius)| Sphere {
                link: i,
                foot: link.foot,
                inverse_mass: 1.0 / link.mass,
                center: center - link.center_of_mass,
                radius,
            })
        });
        Self {
            engine: Rapier::new((body, scene), physics),
            joints: in_rounds(joints.collect(), body.links.len()),
            links: links.collect(),
            spheres: spheres.collect(),
            boxes: (scene.boxes.iter())
                .map(|cuboid| (cuboid.pose, cuboid.half_extents))
                .collect(),
            substeps: physics.solver_iterations,
            sweeps: physics.pgs_iterations,
            dt,
            joint_spring: Spring::new(JOINT_SPRING[0], JOINT_SPRING[1], dt),
            contact_spring: Spring::new(
                physics.contact_frequency,
                physics.contact_damping_ratio,
                dt,
            ),
            friction: physics.friction,
        }
    }
}

impl Simulator for Lockstep {
    fn nominal(&self, start: &World, frames: Range<usize>, drive: &Drive) -> Rollout {
        self.engine.nominal(start, frames, drive)
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
        let targets = Targets::new(self, drive, onsets.min().unwrap_or(end)..end);
        let run = |copies: &[Replica]| {
            let first = copies[0].onset;
            let paths = arch.dispatch(Run {
                lockstep: self,
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
        let groups = replicas.par_chunks(arch.dispatch(Width));
        groups.flat_map_iter(run).collect()
    }
}

/// The joints in the order in which the engine solves them: in rounds, in which no link appears twice,
/// each joint in the first round that has room for it.
fn in_rounds(joints: Vec<Joint>, links: usize) -> Vec<Joint> {
    let mut taken: Vec<Vec<usize>> = vec![Vec::new(); links];
    let round_of = |joint: &Joint| {
        let ends = [joint.parent, joint.child];
        let is_free = |round: &usize| ends.iter().all(|link| !taken[*link].contains(round));
        let round = (0..).find(is_free).unwrap_or_default();
        ends.iter().for_each(|link| taken[*link].push(round));
        round
    };
    let rounds: Vec<usize> = joints.iter().map(round_of).collect();
    let mut joints: Vec<_> = rounds.into_iter().zip(joints).collect();
    joints.sort_by_key(|(round, _)| *round);
    joints.into_iter().map(|(_, joint)| joint).collect()
}

/// How many copies are simulated at once.
struct Width;

impl WithSimd for Width {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F64_LANES
    }
}

/// A run of as many copies as there are lanes, or fewer.
struct Run<'a> {
    lockstep: &'a Lockstep,
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
    fn new(lockstep: &Lockstep, drive: &Drive, frames: Range<usize>) -> Self {
        let per_frame = drive.track.steps_per_frame;
        let steps = frames.start * per_frame..frames.end * per_frame;
        let joints = &lockstep.joints;
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

impl WithSimd for Run<'_> {
    type Output = Vec<Path>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self {
            lockstep,
            nominal,
            copies,
            drive,
            targets,
            end,
        } = self;
        let first = copies[0].onset;
        let per_frame = drive.track.steps_per_frame;
        let frame_time = (per_frame * lockstep.substeps) as f64 * lockstep.dt;
        // Until its onset, and for good in a lane without a copy, a lane does what the original does.
        let start = &nominal.path[first - nominal.first];
        let mut bodies = Bodies::new(simd, lockstep, &start.links);
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
                bodies.aim(lockstep, copies, (drive, targets), step);
                bodies.step(lockstep, orders.next().map_or(&[], Vec::as_slice));
            }
        }
        bodies.record(&mut paths, frame_time);
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Pose, Subject, fit, reference_poses};
    use crate::motion::sample;
    use crate::simulation::{ControlTrack, Knots, PathFrame, Velocity};

    /// The first second of the sample walk: the body, its reference poses and their targets.
    fn walk() -> (Body, Vec<Pose>, ControlTrack, Physics) {
        let mut motion = sample("walk").unwrap();
        motion.joints.truncate(50);
        let body = fit(&motion, &Subject::default()).unwrap();
        let poses = reference_poses(&body, &motion).unwrap();
        let physics = Physics::default().at_rate(motion.fps);
        let steps = physics.steps_per_frame(motion.fps);
        let track = ControlTrack::new(&body, &poses, motion.fps, steps);
        (body, poses, track, physics)
    }

    fn assert_same(path: &[PathFrame], expected: &[PathFrame]) {
        assert_eq!(path.len(), expected.len());
        let frames = || path.iter().zip(expected);
        for (a, b) in frames().skip(1) {
            let differences = [0, 1].map(|foot| {
                let (a, b) = (a.loads[foot], b.loads[foot]);
                let pressed = (a.vertical - b.vertical).abs() + (a.moment - b.moment).norm();
                pressed + (a.friction - b.friction).norm()
            });
            assert!(
                differences.iter().all(|difference| *difference < 1e-5),
                "{differences:?}"
            );
        }
        for (a, b) in frames().flat_map(|(a, b)| a.links.iter().zip(&b.links)) {
            assert!((a.center - b.center).norm() < 1e-12);
            assert!(a.rotation.angle_to(&b.rotation) < 1e-7);
            assert!((a.linear - b.linear).norm() < 1e-10);
            assert!((a.angular - b.angular).norm() < 1e-9);
        }
    }

    #[test]
    fn copies_move_as_in_the_engine() {
        let (body, poses, track, physics) = walk();
        let links = body.links.len();
        let lockstep = Lockstep::new((&body, &Scene::default()), &physics);
        for lift in [1.0, 0.0] {
            let mut start = poses[10].clone();
            start.root.translation.vector.z += lift;
            let start = body.forward_kinematics(&start);
            let velocity = Velocity {
                linear: Vector3::new(1.2, 0.1, 0.0),
                angular: Vector3::new(0.1, 0.2, -0.3),
            };
            let world = World::new(
                (&body, &Scene::default()),
                &physics,
                &start,
                &vec![velocity; links],
            );
            let knots = Knots::zeros(5, 60, links);
            let mut own = knots.clone();
            own.offsets[3][7].y = 1e-5;
            let drive = Drive {
                track: &track,
                knots: &knots,
                assistance: None,
            };
            let nominal = lockstep.nominal(&world, 0..30, &drive);
            let copy = |onset, own| Replica {
                onset,
                start: None,
                own,
            };
            let copies = [copy(0, None), copy(10, Some((7, &own)))];
            let twins = lockstep.perturbed(&nominal, &copies, &drive, 30);
            let paths = lockstep.engine.perturbed(&nominal, &copies, &drive, 30);
            assert_eq!(paths[0], nominal.path);
            for (twin, path) in twins.iter().zip(&paths) {
                assert_same(twin, path);
            }
        }
    }

    #[test]
    fn a_copy_does_not_depend_on_the_others_nor_on_the_registers() {
        let (body, poses, track, physics) = walk();
        let links = body.links.len();
        let lockstep = Lockstep::new((&body, &Scene::default()), &physics);
        let start = body.forward_kinematics(&poses[0]);
        let world = World::new(
            (&body, &Scene::default()),
            &physics,
            &start,
            &vec![Velocity::default(); links],
        );
        let knots = Knots::zeros(5, 60, links);
        let owns: Vec<_> = (1..links)
            .map(|link| {
                let mut own = knots.clone();
                own.offsets[1 + link / 8][link].x = 0.4;
                (link, own)
            })
            .collect();
        let copies: Vec<_> = owns
            .iter()
            .map(|(link, own)| Replica {
                onset: link / 8 * 5,
                start: None,
                own: Some((*link, own)),
            })
            .collect();
        let drive = Drive {
            track: &track,
            knots: &knots,
            assistance: None,
        };
        let nominal = lockstep.nominal(&world, 0..10, &drive);
        let together = lockstep.perturbed(&nominal, &copies, &drive, 10);
        for (copy, expected) in copies.iter().zip(&together) {
            let alone = pulp::Scalar::new().vectorize(Run {
                lockstep: &lockstep,
                nominal: &nominal,
                copies: std::slice::from_ref(copy),
                drive: &drive,
                targets: &Targets::new(&lockstep, &drive, copy.onset..10),
                end: 10,
            });
            assert_eq!(&alone[0], expected);
        }
    }
}
