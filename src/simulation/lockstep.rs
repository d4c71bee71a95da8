//! Many copies of the humanoid, simulated side by side: what a Jacobian by differences needs.
//!
//! The copies of a group take the same steps at the same time, each in one lane of the processor's
//! vector registers. Equations, iterations and their order are those of the [engine](super::Engine)
//! with ball joints, torque-limited motors and spheres on a plane or on boxes: a step is divided into substeps, of
//! which each has some sweeps of projected Gauss–Seidel over all joints, then all contacts, the motion
//! of the bodies, and one more sweep without the springs that mend errors of position (E. Catto, "Solver2D",
//! 2024). Where the engine solves for the spheres of a foot in the order in which they came near the ground,
//! copies do, too.
//!
//! Each lane computes what it would alone: results do not depend on the width of the registers, nor on
//! which copies share a group.

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{ControlTrack, Knots, Physics, Touch};
use crate::body::Body;
use crate::scene::Scene;
use bodies::Bodies;

mod bodies;
mod contacts;
mod lanes;
mod rows;

/// Frequency and damping ratio of the springs that hold joints together, as the engine has them: Hz and 1.
const JOINT_SPRING: [f64; 2] = [1e6, 1.0];

/// Position and velocity of a link, in the world frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkState {
    /// The centre of mass, m.
    pub center: Vector3<f64>,
    /// Orientation of the link frame.
    pub rotation: UnitQuaternion<f64>,
    /// Velocity of the centre of mass, m/s.
    pub linear: Vector3<f64>,
    /// Angular velocity, rad/s.
    pub angular: Vector3<f64>,
}

/// The states of all links at a number of frames in a row, `[frame][link]`.
pub type Path = Vec<Vec<LinkState>>;

/// One of the copies that are simulated side by side.
pub struct Replica<'a> {
    /// The frame from which on it is simulated.
    pub onset: usize,
    /// Its links there; otherwise those of the simulation that it leaves.
    pub start: Option<&'a [LinkState]>,
    /// The link, if any, whose PD target is its own, and the offsets that this target has.
    pub own: Option<(usize, &'a Knots)>,
}

/// What all copies share.
pub struct Drive<'a> {
    /// Reference targets.
    pub track: &'a ControlTrack,
    /// The offsets of all targets that are not a copy's own.
    pub knots: &'a Knots,
    /// Springs that pull the links along.
    pub assistance: Option<Assistance<'a>>,
}

/// The simulation that copies leave.
pub struct Original<'a> {
    /// The frame that it starts from.
    pub first: usize,
    /// Its links from there on.
    pub path: &'a [Vec<LinkState>],
    /// In every step, the spheres near surfaces in the order in which the
    /// [engine](super::World::contact_order) had them.
    pub orders: &'a [Vec<Touch>],
}

/// A force m (k Δp + d Δv) at the centre of mass of every link.
pub struct Assistance<'a> {
    /// k, 1/s².
    pub stiffness: f64,
    /// d, 1/s.
    pub damping: f64,
    /// Where the centres of mass of all links should be at a simulation step, m, and how fast they should
    /// move, m/s.
    pub centers: &'a (dyn Fn(usize) -> Vec<(Vector3<f64>, Vector3<f64>)> + Sync),
}

/// The body as the copies see it.
pub struct Lockstep {
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
    /// In the link's frame.
    center_of_mass: Vector3<f64>,
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
            center_of_mass: link.center_of_mass,
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
                inverse_mass: 1.0 / link.mass,
                center: center - link.center_of_mass,
                radius,
            })
        });
        Self {
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

    /// Simulates `copies`, sorted by onset, up to frame `end` of the clip. Returns the path of each from its
    /// onset on, which is the first entry.
    pub fn run(
        &self,
        original: &Original,
        copies: &[Replica],
        drive: &Drive,
        end: usize,
    ) -> Vec<Path> {
        let arch = Arch::new();
        let run = |copies: &[Replica]| {
            let first = copies[0].onset;
            let paths = arch.dispatch(Run {
                lockstep: self,
                original,
                copies,
                drive,
                end,
            });
            let paths = paths.into_iter().zip(copies);
            let from_onset = paths.map(|(mut path, copy)| path.split_off(copy.onset - first));
            from_onset.collect::<Vec<_>>()
        };
        let groups = copies.par_chunks(arch.dispatch(Width));
        groups.flat_map_iter(run).collect()
    }

    /// World poses of the link frames in `state`.
    pub fn link_poses(&self, state: &[LinkState]) -> Vec<Isometry3<f64>> {
        let poses = self.links.iter().zip(state).map(|(link, state)| {
            let origin = state.center - state.rotation * link.center_of_mass;
            Isometry3::from_parts(Translation3::from(origin), state.rotation)
        });
        poses.collect()
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
    original: &'a Original<'a>,
    copies: &'a [Replica<'a>],
    drive: &'a Drive<'a>,
    end: usize,
}

impl WithSimd for Run<'_> {
    type Output = Vec<Path>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self {
            lockstep,
            original,
            copies,
            drive,
            end,
        } = self;
        let first = copies[0].onset;
        let per_frame = drive.track.steps_per_frame;
        // Until its onset, and for good in a lane without a copy, a lane does what the original does.
        let mut bodies = Bodies::new(simd, lockstep, &original.path[first - original.first]);
        let mut paths = vec![Vec::with_capacity(end - first + 1); copies.len()];
        let mut orders = original.orders[(first - original.first) * per_frame..].iter();
        for frame in first..end {
            for (lane, copy) in copies.iter().enumerate() {
                if copy.onset == frame {
                    let links = copy.start.unwrap_or(&original.path[frame - original.first]);
                    bodies.load(lane, links);
                }
            }
            bodies.record(&mut paths);
            for step in frame * per_frame..(frame + 1) * per_frame {
                bodies.aim(lockstep, copies, drive, step);
                bodies.step(lockstep, orders.next().map_or(&[], Vec::as_slice));
            }
        }
        bodies.record(&mut paths);
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Pose, Subject, fit, reference_poses};
    use crate::motion::sample;
    use crate::simulation::{Engine, Velocity, World};

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

    /// The links of the engine's world after every frame.
    fn engine_states(
        mut world: World,
        (track, physics, links): (&ControlTrack, &Physics, usize),
        knots: &Knots,
        frames: usize,
    ) -> (Path, Vec<Vec<Touch>>) {
        let mut engine = Engine::new(physics);
        let (mut path, mut orders) = (vec![world.links()], Vec::new());
        for frame in 0..frames {
            for step in frame * track.steps_per_frame..(frame + 1) * track.steps_per_frame {
                for link in 1..links {
                    let (target, velocity) = track.target(knots, link, step);
                    world.set_target(link, &target, &velocity);
                }
                world.step(&mut engine);
                orders.push(world.contact_order());
            }
            path.push(world.links());
        }
        (path, orders)
    }

    fn assert_same(path: &[Vec<LinkState>], expected: &[Vec<LinkState>]) {
        assert_eq!(path.len(), expected.len());
        for (a, b) in path.iter().flatten().zip(expected.iter().flatten()) {
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
            let engine = (&track, &physics, links);
            let (path, orders) = engine_states(world.clone(), engine, &knots, 30);
            let original = Original {
                first: 0,
                path: &path,
                orders: &orders,
            };
            let copy = |onset, own| Replica {
                onset,
                start: None,
                own,
            };
            let copies = [copy(0, None), copy(10, Some((7, &own)))];
            let copies = lockstep.run(&original, &copies, &drive, 30);
            assert_same(&copies[0], &path);
            let (path, _) = engine_states(world, engine, &own, 30);
            assert_same(&copies[1], &path[10..]);
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
        let (path, orders) = engine_states(world, (&track, &physics, links), &knots, 10);
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
        let original = Original {
            first: 0,
            path: &path,
            orders: &orders,
        };
        let together = lockstep.run(&original, &copies, &drive, 10);
        for (copy, expected) in copies.iter().zip(&together) {
            let alone = pulp::Scalar::new().vectorize(Run {
                lockstep: &lockstep,
                original: &original,
                copies: std::slice::from_ref(copy),
                drive: &drive,
                end: 10,
            });
            assert_eq!(&alone[0], expected);
        }
    }
}
