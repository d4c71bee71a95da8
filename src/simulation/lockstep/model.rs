//! The body as the copies see it.

use nalgebra::Vector3;

use crate::body::{Body, Side};
use crate::scene::{Scene, Solid};
use crate::simulation::Physics;

/// Frequency and damping ratio of the springs that hold joints together, as the engine has them: Hz and 1.
const JOINT_SPRING: [f64; 2] = [1e6, 1.0];

/// The body, and what it moves on, as the copies see them.
pub struct Model {
    pub links: Vec<Link>,
    /// In the order in which the engine solves them.
    pub joints: Vec<Joint>,
    /// Spheres that touch surfaces.
    pub spheres: Vec<Sphere>,
    /// The solids of the scene.
    pub obstacles: Vec<Obstacle>,
    pub substeps: usize,
    pub sweeps: usize,
    /// Length of a substep, s.
    pub dt: f64,
    pub joint_spring: Spring,
    pub contact_spring: Spring,
    pub friction: f64,
}

/// A solid of the scene.
pub struct Obstacle {
    pub solid: Solid,
    /// The longest way from its origin to a corner, m.
    pub radius: f64,
    /// Per link, whether it can touch the solid.
    pub is_for: Vec<bool>,
}

/// A body of the copies.
pub struct Link {
    pub inertia: Vector3<f64>,
    pub inverse_inertia: Vector3<f64>,
}

/// A ball joint with three motors.
pub struct Joint {
    pub parent: usize,
    pub child: usize,
    /// Inverse masses of parent and child, 1/kg.
    pub masses: [f64; 2],
    /// From the centres of mass of parent and child, in their frames.
    pub anchors: [Vector3<f64>; 2],
    /// Share of the motor's error that is made up for per second, 1/s.
    pub recovery: f64,
    /// Compliance of the motor.
    pub gain: f64,
    /// The motor's largest impulse per substep, N·m·s.
    pub largest: f64,
}

/// A sphere that touches surfaces.
pub struct Sphere {
    pub link: usize,
    /// The side whose foot the link belongs to, if it is one.
    pub foot: Option<Side>,
    /// Of the link, 1/kg.
    pub inverse_mass: f64,
    /// From the link's centre of mass, in its frame.
    pub center: Vector3<f64>,
    pub radius: f64,
}

/// A spring as a constraint of velocities.
#[derive(Clone, Copy)]
pub struct Spring {
    /// Share of the error that is made up for per second, 1/s.
    pub recovery: f64,
    /// Compliance, as a share of the inverse of the constraint's effective mass.
    pub compliance: f64,
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

impl Model {
    /// `body` on the ground plane z = 0 and in `scene`, stepped as `physics` says.
    pub fn new((body, scene): (&Body, &Scene), physics: &Physics) -> Self {
        let dt = physics.timestep / physics.solver_iterations as f64;
        let links = body.links.iter().map(|link| Link {
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
        let obstacle = |solid: &Solid| Obstacle {
            is_for: body
                .links
                .iter()
                .map(|link| solid.is_for(&link.name))
                .collect(),
            radius: solid.shape.radius(),
            solid: solid.clone(),
        };
        Self {
            joints: in_rounds(joints.collect(), body.links.len()),
            links: links.collect(),
            spheres: spheres.collect(),
            obstacles: scene.solids.iter().map(obstacle).collect(),
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
