//! The bodies of the copies, and how they step.

use nalgebra::{Vector2, Vector3};
use pulp::Simd;

use super::contacts::{BoxRows, GroundRows};
use super::lanes::{Lanes, Rotations, Symmetric, Vectors};
use super::links::{Links, Velocities};
use super::rows::JointRows;
use super::{Lockstep, Targets};
use crate::simulation::{Drive, FootLoad, GRAVITY, LinkState, Path, PathFrame, Replica, Touch};

/// The links of all copies, and what acts on them.
pub struct Bodies<S: Simd> {
    simd: S,
    links: Vec<Links<S>>,
    velocities: Vec<Velocities<S>>,
    /// Change of velocity by forces, per substep.
    pushes: Vec<Vectors<S>>,
    /// PD targets, a rotation parent ← child and its angular velocity, in the order of the joints.
    targets: Vec<(Rotations<S>, Vectors<S>)>,
    joints: Vec<JointRows<S>>,
    contacts: Vec<Rows<S>>,
    /// Impulses of the contacts in the step at hand, in their order, N·s.
    impulses: Vec<Vectors<S>>,
    /// Since they were recorded, of the ground on the feet `[right, left]`: vertical impulse, N·s, its first moment
    /// along x and y, N·s·m, and the impulses along x and y, N·s.
    presses: [[Lanes<S>; 5]; 2],
}

/// The rows of a contact: of a sphere on the ground, whose normal is the same everywhere, or on a box.
enum Rows<S: Simd> {
    Ground(GroundRows<S>),
    Box(BoxRows<S>),
}

impl<S: Simd> Rows<S> {
    /// The sphere, and the impulse on it in the substep at hand, N·s.
    #[inline(always)]
    fn impulse(&self) -> (usize, Vectors<S>) {
        match self {
            Self::Ground(rows) => rows.impulse(),
            Self::Box(rows) => rows.impulse(),
        }
    }
}

impl<S: Simd> Bodies<S> {
    /// All lanes in the state `start`.
    #[inline(always)]
    pub fn new(simd: S, lockstep: &Lockstep, start: &[LinkState]) -> Self {
        let zero = Vectors::zero(simd);
        let mut links = Vec::with_capacity(start.len());
        let mut velocities = Vec::with_capacity(start.len());
        for state in start {
            let rotation = Rotations::splat(simd, &state.rotation);
            links.push(Links {
                center: Vectors::splat(simd, &state.center),
                rotation,
                inverse_inertia: Symmetric::turned(rotation.axes(), &Vector3::zeros()),
            });
            velocities.push(Velocities {
                linear: Vectors::splat(simd, &state.linear),
                angular: Vectors::splat(simd, &state.angular),
            });
        }
        Self {
            simd,
            links,
            velocities,
            pushes: vec![zero; start.len()],
            targets: Vec::with_capacity(lockstep.joints.len()),
            joints: Vec::with_capacity(lockstep.joints.len()),
            contacts: Vec::with_capacity(lockstep.spheres.len()),
            impulses: Vec::with_capacity(lockstep.spheres.len()),
            presses: [[Lanes::splat(simd, 0.0); 5]; 2],
        }
    }

    /// Puts `links` into `lane`.
    pub fn load(&mut self, lane: usize, links: &[LinkState]) {
        for (i, state) in links.iter().enumerate() {
            self.links[i].center.set(lane, &state.center);
            self.links[i].rotation.set(lane, &state.rotation);
            self.velocities[i].linear.set(lane, &state.linear);
            self.velocities[i].angular.set(lane, &state.angular);
        }
    }

    /// Sets targets and forces for simulation step `step` of the clip.
    #[inline(always)]
    pub fn aim(
        &mut self,
        lockstep: &Lockstep,
        copies: &[Replica],
        (drive, targets): (&Drive, &Targets),
        step: usize,
    ) {
        let simd = self.simd;
        self.targets.clear();
        for (joint, shared) in lockstep.joints.iter().zip(targets.at(step)) {
            let mut rotations = Rotations::splat(simd, &shared.0);
            let mut velocities = Vectors::splat(simd, &shared.1);
            for (lane, copy) in copies.iter().enumerate() {
                if let Some((link, knots)) = copy.own
                    && link == joint.child
                {
                    let (rotation, velocity) = drive.track.target(knots, link, step);
                    rotations.set(lane, &rotation);
                    velocities.set(lane, &velocity);
                }
            }
            self.targets.push((rotations, velocities));
        }
        let fall = Vector3::new(0.0, 0.0, -GRAVITY * lockstep.dt);
        self.pushes.fill(Vectors::splat(simd, &fall));
        if let Some(assistance) = &drive.assistance {
            let centers = (assistance.centers)(step);
            for (i, (position, velocity)) in centers.iter().enumerate() {
                let push = &mut self.pushes[i];
                let stretch = Vectors::splat(simd, position) - self.links[i].center;
                let lag = Vectors::splat(simd, velocity) - self.velocities[i].linear;
                let pull = stretch * assistance.stiffness + lag * assistance.damping;
                *push += pull * lockstep.dt;
            }
        }
    }

    /// One timestep, in which the spheres in `order` may touch their surfaces.
    #[inline(always)]
    pub fn step(&mut self, lockstep: &Lockstep, order: &[Touch]) {
        for (link, model) in self.links.iter_mut().zip(&lockstep.links) {
            let axes = link.rotation.axes();
            link.inverse_inertia = Symmetric::turned(axes, &model.inverse_inertia);
        }
        self.touch(lockstep, order);
        for _ in 0..lockstep.substeps {
            self.push(lockstep);
            self.join(lockstep);
            for contact in &mut self.contacts {
                match contact {
                    Rows::Ground(rows) => rows.begin(lockstep, &self.links[rows.link(lockstep)]),
                    Rows::Box(rows) => rows.begin(lockstep, &self.links[rows.link(lockstep)]),
                }
            }
            for _ in 0..lockstep.sweeps {
                self.sweep(lockstep);
            }
            self.advance(lockstep.dt);
            for rows in &mut self.joints {
                rows.relax();
            }
            for contact in &mut self.contacts {
                match contact {
                    Rows::Ground(rows) => rows.relax(lockstep, &self.links[rows.link(lockstep)]),
                    Rows::Box(rows) => rows.relax(lockstep, &self.links[rows.link(lockstep)]),
                }
            }
            self.sweep(lockstep);
            for (sum, contact) in self.impulses.iter_mut().zip(&self.contacts) {
                *sum += contact.impulse().1;
            }
        }
        self.press(lockstep);
    }

    /// Adds what the contacts did in the step to what pressed on the feet.
    #[inline(always)]
    fn press(&mut self, lockstep: &Lockstep) {
        for (impulse, contact) in self.impulses.iter().zip(&self.contacts) {
            let sphere = &lockstep.spheres[contact.impulse().0];
            let Some(side) = sphere.foot else {
                continue;
            };
            let link = &self.links[sphere.link];
            let center = link.center + link.rotation * Vectors::splat(self.simd, &sphere.center);
            let parts = [
                impulse.z,
                impulse.z * center.x,
                impulse.z * center.y,
                impulse.x,
                impulse.y,
            ];
            for (sum, part) in self.presses[side.index()].iter_mut().zip(parts) {
                *sum += part;
            }
        }
    }

    /// Adds the bodies to the path of every copy; `frame_time` has passed since the last time, s.
    #[inline(always)]
    pub fn record(&mut self, paths: &mut [Path], frame_time: f64) {
        let presses = self.presses;
        self.presses = [[Lanes::splat(self.simd, 0.0); 5]; 2];
        for (lane, path) in paths.iter_mut().enumerate() {
            let links = self.links.iter().zip(&self.velocities);
            let state = |(link, velocity): (&Links<S>, &Velocities<S>)| LinkState {
                center: link.center.lane(lane),
                rotation: link.rotation.lane(lane),
                linear: velocity.linear.lane(lane),
                angular: velocity.angular.lane(lane),
            };
            path.push(PathFrame {
                links: links.map(state).collect(),
                loads: presses.map(|press| {
                    let [vertical, x, y, right, left] =
                        press.map(|sum| sum.lane(lane) / frame_time);
                    FootLoad {
                        vertical,
                        moment: Vector2::new(x, y),
                        friction: Vector2::new(right, left),
                    }
                }),
            });
        }
    }

    /// The contacts of the spheres in `order`.
    #[inline(always)]
    fn touch(&mut self, lockstep: &Lockstep, order: &[Touch]) {
        self.contacts.clear();
        for touch in order {
            let number = touch.sphere;
            let sphere = &lockstep.spheres[number];
            let link = &self.links[sphere.link];
            let arm = link.rotation * Vectors::splat(self.simd, &sphere.center);
            let center = link.center + arm;
            if touch.surface > 0 {
                let cuboid = &lockstep.boxes[touch.surface - 1];
                let rows = BoxRows::new(self.simd, link, (number, sphere), cuboid, center);
                self.contacts.push(Rows::Box(rows));
                continue;
            }
            let rows = GroundRows::new(link, (number, sphere), center);
            self.contacts.push(Rows::Ground(rows));
        }
        let zero = Vectors::splat(self.simd, &Vector3::zeros());
        self.impulses.clear();
        self.impulses.resize(self.contacts.len(), zero);
    }

    /// Forces, and the gyroscopic change of the angular velocity, which keeps the length of the angular
    /// momentum.
    #[inline(always)]
    fn push(&mut self, lockstep: &Lockstep) {
        let zero = Lanes::splat(self.simd, 0.0);
        for (i, model) in lockstep.links.iter().enumerate() {
            let rotation = self.links[i].rotation;
            let velocity = &mut self.velocities[i];
            velocity.linear += self.pushes[i];
            let turn = rotation.inverse() * velocity.angular;
            let momentum = turn.scaled_by(&model.inertia);
            let total = momentum - turn.cross(momentum) * lockstep.dt;
            let square = total.dot(total);
            let scale = (momentum.dot(momentum) * square.recip()).sqrt();
            let total = total * square.above(zero, scale, zero);
            velocity.angular = rotation * total.scaled_by(&model.inverse_inertia);
        }
    }

    /// The rows of all joints where the links are now.
    #[inline(always)]
    fn join(&mut self, lockstep: &Lockstep) {
        self.joints.clear();
        for (joint, target) in lockstep.joints.iter().zip(&self.targets) {
            let ends = [&self.links[joint.parent], &self.links[joint.child]];
            let spring = &lockstep.joint_spring;
            let rows = JointRows::new(self.simd, joint, spring, ends, target);
            self.joints.push(rows);
        }
    }

    /// One sweep over all joints, then all contacts.
    #[inline(always)]
    fn sweep(&mut self, lockstep: &Lockstep) {
        for (rows, joint) in self.joints.iter_mut().zip(&lockstep.joints) {
            let mut parent = self.velocities[joint.parent];
            let mut child = self.velocities[joint.child];
            rows.solve(joint, &lockstep.joint_spring, &mut parent, &mut child);
            self.velocities[joint.parent] = parent;
            self.velocities[joint.child] = child;
        }
        for contact in &mut self.contacts {
            match contact {
                Rows::Ground(rows) => {
                    let velocity = &mut self.velocities[rows.link(lockstep)];
                    rows.solve(lockstep, velocity);
                }
                Rows::Box(rows) => {
                    let velocity = &mut self.velocities[rows.link(lockstep)];
                    rows.solve(lockstep, velocity);
                }
            }
        }
    }

    /// Moves the links by their velocities.
    #[inline(always)]
    fn advance(&mut self, dt: f64) {
        for (link, velocity) in self.links.iter_mut().zip(&self.velocities) {
            let turn = Rotations {
                v: velocity.angular * (0.5 * dt),
                w: Lanes::splat(self.simd, 1.0),
            };
            link.rotation = (turn * link.rotation).normalized();
            link.center += velocity.linear * dt;
        }
    }
}
