//! Many copies of the humanoid, simulated side by side: what a Jacobian by differences needs.
//!
//! The copies of a group take the same steps at the same time, each in one lane of the processor's
//! vector registers. Equations, iterations and their order are those of the [engine](super::Engine)
//! with ball joints, torque-limited motors and spheres on a plane: a step is divided into substeps, of
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

use super::{ControlTrack, GRAVITY, Knots, Physics};
use crate::body::Body;
use lanes::{Lanes, Rotations, Symmetric, Vectors};

mod lanes;

/// Frequency and damping ratio of the springs that hold joints together, as the engine has them: Hz and 1.
const JOINT_SPRING: [f64; 2] = [1e6, 1.0];

/// The widest vector registers there are, in numbers.
const MOST_LANES: usize = 16;

/// The fastest mending of a penetration, m/s.
const FASTEST_RECOVERY: f64 = 3.0;

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
pub struct Copy<'a> {
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
    /// In every step, the spheres near the ground in the order in which the
    /// [engine](super::World::contact_order) had them.
    pub orders: &'a [Vec<usize>],
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
    /// Spheres that touch the ground.
    spheres: Vec<Sphere>,
    substeps: usize,
    sweeps: usize,
    /// Length of a substep, s.
    dt: f64,
    contact_spring: Spring,
    friction: f64,
}

struct LinkModel {
    inverse_mass: f64,
    inertia: Vector3<f64>,
    inverse_inertia: Vector3<f64>,
    /// In the link's frame.
    center_of_mass: Vector3<f64>,
}

struct Joint {
    parent: usize,
    child: usize,
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
    /// `body` on the ground plane z = 0, stepped as `physics` says.
    pub fn new(body: &Body, physics: &Physics) -> Self {
        let dt = physics.timestep / physics.solver_iterations as f64;
        let links = body.links.iter().map(|link| LinkModel {
            inverse_mass: 1.0 / link.mass,
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
                center: center - link.center_of_mass,
                radius,
            })
        });
        Self {
            joints: in_rounds(joints.collect(), body.links.len()),
            links: links.collect(),
            spheres: spheres.collect(),
            substeps: physics.solver_iterations,
            sweeps: physics.pgs_iterations,
            dt,
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
        copies: &[Copy],
        drive: &Drive,
        end: usize,
    ) -> Vec<Path> {
        let arch = Arch::new();
        let run = |copies: &[Copy]| {
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
    copies: &'a [Copy<'a>],
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

/// The links of all copies, and what acts on them.
struct Bodies<S: Simd> {
    simd: S,
    links: Vec<Links<S>>,
    velocities: Vec<Velocities<S>>,
    /// Change of velocity by forces, per substep.
    pushes: Vec<Vectors<S>>,
    /// PD targets, a rotation parent ← child and its angular velocity, in the order of the joints.
    targets: Vec<(Rotations<S>, Vectors<S>)>,
    joints: Vec<JointRows<S>>,
    contacts: Vec<ContactRows<S>>,
}

/// One link in all copies.
#[derive(Clone, Copy)]
struct Links<S: Simd> {
    center: Vectors<S>,
    rotation: Rotations<S>,
    /// About the centre of mass, world frame, at the beginning of the step.
    inverse_inertia: Symmetric<S>,
}

/// The velocity of one link in all copies.
#[derive(Clone, Copy)]
struct Velocities<S: Simd> {
    linear: Vectors<S>,
    angular: Vectors<S>,
}

/// The rows of a joint: three motors and three locked axes.
#[derive(Clone, Copy)]
struct JointRows<S: Simd> {
    motors: [MotorRow<S>; 3],
    locks: [LockRow<S>; 3],
}

#[derive(Clone, Copy)]
struct MotorRow<S: Simd> {
    axis: Vectors<S>,
    /// Change of the angular velocities of parent and child per impulse.
    turns: [Vectors<S>; 2],
    inverse: Lanes<S>,
    rate: Lanes<S>,
    impulse: Lanes<S>,
}

#[derive(Clone, Copy)]
struct LockRow<S: Simd> {
    axis: Vectors<S>,
    /// Moment about the centres of mass of parent and child per impulse, and the change of their angular
    /// velocities.
    moments: [Vectors<S>; 2],
    turns: [Vectors<S>; 2],
    inverse: Lanes<S>,
    gain: Lanes<S>,
    rate: Lanes<S>,
    impulse: Lanes<S>,
}

/// The rows of a sphere on the ground: its normal, z, and the tangents x and y.
#[derive(Clone, Copy)]
struct ContactRows<S: Simd> {
    /// The sphere's number.
    sphere: usize,
    /// The point of contact at the beginning of the step: from the centre of mass in the link's frame, and
    /// in the world.
    local: Vectors<S>,
    point: Vectors<S>,
    /// Distance from the ground at the beginning of the step.
    distance: Lanes<S>,
    /// Moments of x, y, z about the centre of mass, and the change of the angular velocity.
    moments: [Vectors<S>; 3],
    turns: [Vectors<S>; 3],
    /// Inverse of the normal's effective mass matrix, and the tangents' effective mass matrix (xx, yy, xy)
    /// with the inverse of its determinant.
    normal: Lanes<S>,
    tangents: [Lanes<S>; 3],
    inverse_determinant: Lanes<S>,
    rates: [Lanes<S>; 3],
    softness: Lanes<S>,
    impulses: [Lanes<S>; 3],
}

impl<S: Simd> Bodies<S> {
    #[inline(always)]
    fn new(simd: S, lockstep: &Lockstep, start: &[LinkState]) -> Self {
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
        }
    }

    /// Puts `links` into `lane`.
    fn load(&mut self, lane: usize, links: &[LinkState]) {
        for (i, state) in links.iter().enumerate() {
            self.links[i].center.set(lane, &state.center);
            self.links[i].rotation.set(lane, &state.rotation);
            self.velocities[i].linear.set(lane, &state.linear);
            self.velocities[i].angular.set(lane, &state.angular);
        }
    }

    /// Sets targets and forces for simulation step `step` of the clip.
    #[inline(always)]
    fn aim(&mut self, lockstep: &Lockstep, copies: &[Copy], drive: &Drive, step: usize) {
        let simd = self.simd;
        self.targets.clear();
        for joint in &lockstep.joints {
            let shared = drive.track.target(drive.knots, joint.child, step);
            let mut targets = [shared; MOST_LANES];
            for (target, copy) in targets.iter_mut().zip(copies) {
                if let Some((link, knots)) = copy.own
                    && link == joint.child
                {
                    *target = drive.track.target(knots, link, step);
                }
            }
            self.targets.push((
                Rotations::from_fn(simd, |lane| targets[lane].0),
                Vectors::from_fn(simd, |lane| targets[lane].1),
            ));
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

    #[inline(always)]
    fn step(&mut self, lockstep: &Lockstep, order: &[usize]) {
        for (link, model) in self.links.iter_mut().zip(&lockstep.links) {
            let axes = link.rotation.axes();
            link.inverse_inertia = Symmetric::turned(axes, &model.inverse_inertia);
        }
        self.touch(lockstep, order);
        for _ in 0..lockstep.substeps {
            self.push(lockstep);
            self.join(lockstep);
            for contact in &mut self.contacts {
                contact.begin(lockstep, &self.links[lockstep.spheres[contact.sphere].link]);
            }
            for _ in 0..lockstep.sweeps {
                self.sweep(lockstep);
            }
            self.advance(lockstep.dt);
            for rows in &mut self.joints {
                for lock in &mut rows.locks {
                    lock.rate = Lanes::splat(self.simd, 0.0);
                }
            }
            for contact in &mut self.contacts {
                contact.relax(lockstep, &self.links[lockstep.spheres[contact.sphere].link]);
            }
            self.sweep(lockstep);
        }
    }

    /// Adds the links' states to the path of every copy.
    #[inline(always)]
    fn record(&self, paths: &mut [Path]) {
        for (lane, path) in paths.iter_mut().enumerate() {
            let links = self.links.iter().zip(&self.velocities);
            let state = |(link, velocity): (&Links<S>, &Velocities<S>)| LinkState {
                center: link.center.lane(lane),
                rotation: link.rotation.lane(lane),
                linear: velocity.linear.lane(lane),
                angular: velocity.angular.lane(lane),
            };
            path.push(links.map(state).collect());
        }
    }

    /// The contacts of the spheres in `order`.
    #[inline(always)]
    fn touch(&mut self, lockstep: &Lockstep, order: &[usize]) {
        self.contacts.clear();
        for number in order {
            let sphere = &lockstep.spheres[*number];
            let link = &self.links[sphere.link];
            let arm = link.rotation * Vectors::splat(self.simd, &sphere.center);
            let center = link.center + arm;
            let distance = center.z + -sphere.radius;
            // Halfway between the lowest point and the ground.
            let point = Vectors::new(center.x, center.y, distance * 0.5);
            let inverse_mass = lockstep.links[sphere.link].inverse_mass;
            let contact = ContactRows::new(link, inverse_mass, *number, point, distance);
            self.contacts.push(contact);
        }
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
            let masses = [joint.parent, joint.child].map(|i| lockstep.links[i].inverse_mass);
            let rows = JointRows::new(self.simd, joint, ends, masses, target, lockstep.dt);
            self.joints.push(rows);
        }
    }

    /// One sweep over all joints, then all contacts.
    #[inline(always)]
    fn sweep(&mut self, lockstep: &Lockstep) {
        for (rows, joint) in self.joints.iter_mut().zip(&lockstep.joints) {
            let masses = [joint.parent, joint.child].map(|i| lockstep.links[i].inverse_mass);
            let mut parent = self.velocities[joint.parent];
            let mut child = self.velocities[joint.child];
            for motor in &mut rows.motors {
                motor.solve(joint, &mut parent, &mut child);
            }
            for lock in &mut rows.locks {
                lock.solve(masses, &mut parent, &mut child);
            }
            self.velocities[joint.parent] = parent;
            self.velocities[joint.child] = child;
        }
        for contact in &mut self.contacts {
            let link = lockstep.spheres[contact.sphere].link;
            let inverse_mass = lockstep.links[link].inverse_mass;
            let velocity = &mut self.velocities[link];
            contact.solve(inverse_mass, lockstep.friction, velocity);
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

impl<S: Simd> JointRows<S> {
    #[inline(always)]
    fn new(
        simd: S,
        joint: &Joint,
        ends: [&Links<S>; 2],
        masses: [f64; 2],
        target: &(Rotations<S>, Vectors<S>),
        dt: f64,
    ) -> Self {
        let [parent, child] = ends;
        let frame = parent.rotation * target.0;
        let axes = frame.axes();
        let zero = Lanes::splat(simd, 0.0);
        let one = Lanes::splat(simd, 1.0);

        // The error as a rotation; of its two quaternions, the one near 1.
        let error = frame.inverse() * child.rotation;
        let sign = error.w.above(zero, one, -one);
        let error = error.v * sign;
        let motors = [
            MotorRow::new(joint, ends, axes[0], error.x, target.1.x),
            MotorRow::new(joint, ends, axes[1], error.y, target.1.y),
            MotorRow::new(joint, ends, axes[2], error.z, target.1.z),
        ];

        let arms = [
            parent.rotation * Vectors::splat(simd, &joint.anchors[0]),
            child.rotation * Vectors::splat(simd, &joint.anchors[1]),
        ];
        let gap = child.center + arms[1] - (parent.center + arms[0]);
        let spring = Spring::new(JOINT_SPRING[0], JOINT_SPRING[1], dt);
        let gap = gap * spring.recovery;
        let mut locks = [
            LockRow::new(ends, axes[0], arms, gap),
            LockRow::new(ends, axes[1], arms, gap),
            LockRow::new(ends, axes[2], arms, gap),
        ];
        // Modified Gram–Schmidt.
        let mass = masses[0] + masses[1];
        for j in 0..3 {
            let row = locks[j];
            let square = row.axis.dot(row.axis) * mass
                + row.turns[0].dot(row.moments[0])
                + row.turns[1].dot(row.moments[1]);
            locks[j].gain = square * spring.compliance;
            locks[j].inverse = (square + locks[j].gain).recip();
            let inverse_square = square.recip();
            for other in &mut locks[j + 1..] {
                let product = other.axis.dot(row.axis) * mass
                    + other.turns[0].dot(row.moments[0])
                    + other.turns[1].dot(row.moments[1]);
                let share = product * inverse_square;
                other.axis -= row.axis * share;
                other.rate -= row.rate * share;
                for k in 0..2 {
                    other.moments[k] -= row.moments[k] * share;
                    other.turns[k] -= row.turns[k] * share;
                }
            }
        }
        Self { motors, locks }
    }
}

impl<S: Simd> MotorRow<S> {
    /// About `axis`, with `error` the sine of half the angle.
    #[inline(always)]
    fn new(
        joint: &Joint,
        [parent, child]: [&Links<S>; 2],
        axis: Vectors<S>,
        error: Lanes<S>,
        velocity: Lanes<S>,
    ) -> Self {
        let turns = [parent.inverse_inertia * axis, child.inverse_inertia * axis];
        let angle = error.max(-1.0).min(1.0).asin() * 2.0;
        Self {
            axis,
            turns,
            inverse: (turns[0].dot(axis) + turns[1].dot(axis) + joint.gain).recip(),
            rate: angle * joint.recovery - velocity,
            impulse: error * 0.0,
        }
    }

    #[inline(always)]
    fn solve(&mut self, joint: &Joint, parent: &mut Velocities<S>, child: &mut Velocities<S>) {
        let rate = self.axis.dot(child.angular - parent.angular) + self.rate;
        let total = self.impulse + self.inverse * (rate - self.impulse * joint.gain);
        let total = total.max(-joint.largest).min(joint.largest);
        let change = total - self.impulse;
        self.impulse = total;
        parent.angular += self.turns[0] * change;
        child.angular -= self.turns[1] * change;
    }
}

impl<S: Simd> LockRow<S> {
    /// Along `axis`, with the joint at `arms` from the centres of mass, `gap` the rate at which its ends
    /// should come together.
    #[inline(always)]
    fn new(
        [parent, child]: [&Links<S>; 2],
        axis: Vectors<S>,
        arms: [Vectors<S>; 2],
        gap: Vectors<S>,
    ) -> Self {
        let moments = [arms[0].cross(axis), arms[1].cross(axis)];
        let rate = axis.dot(gap);
        let zero = rate * 0.0;
        Self {
            axis,
            moments,
            turns: [
                parent.inverse_inertia * moments[0],
                child.inverse_inertia * moments[1],
            ],
            inverse: zero,
            gain: zero,
            rate,
            impulse: zero,
        }
    }

    #[inline(always)]
    fn solve(&mut self, masses: [f64; 2], parent: &mut Velocities<S>, child: &mut Velocities<S>) {
        let rate = self.axis.dot(child.linear - parent.linear)
            + (self.moments[1].dot(child.angular) - self.moments[0].dot(parent.angular))
            + self.rate;
        let change = self.inverse * (rate - self.gain * self.impulse);
        self.impulse += change;
        let push = self.axis * change;
        parent.linear += push * masses[0];
        parent.angular += self.turns[0] * change;
        child.linear -= push * masses[1];
        child.angular -= self.turns[1] * change;
    }
}

impl<S: Simd> ContactRows<S> {
    #[inline(always)]
    fn new(
        link: &Links<S>,
        inverse_mass: f64,
        sphere: usize,
        point: Vectors<S>,
        distance: Lanes<S>,
    ) -> Self {
        let arm = point - link.center;
        let zero = arm.x + -arm.x;
        let moments = [
            Vectors::new(zero, arm.z, -arm.y),
            Vectors::new(-arm.z, zero, arm.x),
            Vectors::new(arm.y, -arm.x, zero),
        ];
        let turns = [
            link.inverse_inertia * moments[0],
            link.inverse_inertia * moments[1],
            link.inverse_inertia * moments[2],
        ];
        let tangents = [
            turns[0].dot(moments[0]) + inverse_mass,
            turns[1].dot(moments[1]) + inverse_mass,
            turns[0].dot(moments[1]),
        ];
        let determinant = tangents[0] * tangents[1] - tangents[2] * tangents[2];
        Self {
            sphere,
            local: link.rotation.inverse() * arm,
            point,
            distance,
            normal: (turns[2].dot(moments[2]) + inverse_mass).recip(),
            tangents,
            inverse_determinant: determinant.recip(),
            moments,
            turns,
            rates: [zero; 3],
            softness: zero,
            impulses: [zero; 3],
        }
    }

    /// How far the point of contact has moved since the beginning of the step.
    #[inline(always)]
    fn shift(&self, link: &Links<S>) -> Vectors<S> {
        link.center + link.rotation * self.local - self.point
    }

    /// The rates to begin a substep with, at the springs' softness.
    #[inline(always)]
    fn begin(&mut self, lockstep: &Lockstep, link: &Links<S>) {
        let shift = self.shift(link);
        let distance = self.distance + shift.z;
        let spring = &lockstep.contact_spring;
        let mending = (distance * spring.recovery).max(-FASTEST_RECOVERY).min(0.0);
        let inverse_dt = 1.0 / lockstep.dt;
        self.rates = [
            shift.x * inverse_dt,
            shift.y * inverse_dt,
            distance.max(0.0) * inverse_dt + mending,
        ];
        let zero = distance + -distance;
        let soft = zero + 1.0 / (1.0 + spring.compliance);
        self.softness = distance.above(zero, zero + 1.0, soft);
        self.impulses = [zero; 3];
    }

    /// The rates to end a substep with: rigid, and without mending what is wrong.
    #[inline(always)]
    fn relax(&mut self, lockstep: &Lockstep, link: &Links<S>) {
        let distance = self.distance + self.shift(link).z;
        let zero = distance + -distance;
        let inverse_dt = 1.0 / lockstep.dt;
        self.rates = [zero, zero, distance.max(0.0) * inverse_dt];
        self.softness = zero + 1.0;
    }

    #[inline(always)]
    fn solve(&mut self, inverse_mass: f64, friction: f64, velocity: &mut Velocities<S>) {
        let rate = velocity.linear.z + self.moments[2].dot(velocity.angular) + self.rates[2];
        let total = self.softness * (self.impulses[2] - self.normal * rate).max(0.0);
        let change = total - self.impulses[2];
        self.impulses[2] = total;
        velocity.linear.z += change * inverse_mass;
        velocity.angular += self.turns[2] * change;

        let x = velocity.linear.x + self.moments[0].dot(velocity.angular) + self.rates[0];
        let y = velocity.linear.y + self.moments[1].dot(velocity.angular) + self.rates[1];
        let [xx, yy, xy] = self.tangents;
        let free = [
            self.impulses[0] - (yy * x - xy * y) * self.inverse_determinant,
            self.impulses[1] - (xx * y - xy * x) * self.inverse_determinant,
        ];
        // Within the cone of friction.
        let limit = total * friction;
        let length = (free[0] * free[0] + free[1] * free[1]).sqrt();
        let one = length + -length + 1.0;
        let share = length.above(limit, limit * length.recip(), one);
        let pushes = [free[0] * share, free[1] * share];
        let changes = [pushes[0] - self.impulses[0], pushes[1] - self.impulses[1]];
        self.impulses = [pushes[0], pushes[1], total];
        velocity.linear.x += changes[0] * inverse_mass;
        velocity.linear.y += changes[1] * inverse_mass;
        velocity.angular += self.turns[0] * changes[0] + self.turns[1] * changes[1];
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
        let poses = reference_poses(&body, &motion);
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
    ) -> (Path, Vec<Vec<usize>>) {
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
        let lockstep = Lockstep::new(&body, &physics);
        for lift in [1.0, 0.0] {
            let mut start = poses[10].clone();
            start.root.translation.vector.z += lift;
            let start = body.forward_kinematics(&start);
            let velocity = Velocity {
                linear: Vector3::new(1.2, 0.1, 0.0),
                angular: Vector3::new(0.1, 0.2, -0.3),
            };
            let world = World::new(&body, &physics, &start, &vec![velocity; links]);
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
            let copy = |onset, own| Copy {
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
        let lockstep = Lockstep::new(&body, &physics);
        let start = body.forward_kinematics(&poses[0]);
        let world = World::new(&body, &physics, &start, &vec![Velocity::default(); links]);
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
            .map(|(link, own)| Copy {
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
