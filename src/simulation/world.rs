//! The humanoid in rapier: the only module that names the engine.
//!
//! Ball joints are impulse joints with three `ForceBased` motors. rapier has no quaternion motor,
//! so the joint's first frame is rotated to the PD target and the motors drive the remaining
//! rotation to zero, which is exact for large rotations. The motors' target velocity is the
//! angular velocity of the target: the controller is τ = kp (q* ⊖ q) + kd (q̇* − q̇).

mod contacts;
mod groups;

use nalgebra::{Isometry3, UnitQuaternion, Vector3};
use rapier3d::prelude::{
    BroadPhaseBvh, CCDSolver, ColliderBuilder, ColliderHandle, ColliderSet, ContactPair,
    FrictionModel, GenericJoint, Group, ImpulseJointHandle, ImpulseJointSet, IntegrationParameters,
    InteractionGroups, InteractionTestMode, IslandManager, JointAxesMask, JointAxis,
    MassProperties, MotorModel, MultibodyJointSet, NarrowPhase, PhysicsPipeline, Pose,
    RigidBodyBuilder, RigidBodyHandle, RigidBodySet, Rotation, SharedShape, SoftBodySet,
    SpringCoefficients, Vector,
};

use super::turns::{Touch, Turns};
use super::{LinkState, PREDICTION, PathFrame, Physics};
use crate::body::{Body, Link, Side};
use crate::scene::{Scene, Shape};
pub(crate) use contacts::tangents;
use groups::{Circles, EVERY_SPHERE};

const ANGULAR: [JointAxis; 3] = [JointAxis::AngX, JointAxis::AngY, JointAxis::AngZ];

/// Velocity of a link frame: linear velocity of its origin (m/s) and angular velocity (rad/s),
/// both in the world frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Velocity {
    /// Of the link frame's origin, m/s.
    pub linear: Vector3<f64>,
    /// rad/s.
    pub angular: Vector3<f64>,
}

/// The whole state of a simulation; a clone is a snapshot, from which stepping goes on with the
/// same bits.
#[derive(Clone)]
pub struct World {
    bodies: RigidBodySet,
    colliders: ColliderSet,
    joints: ImpulseJointSet,
    multibodies: MultibodyJointSet,
    soft_bodies: SoftBodySet,
    islands: IslandManager,
    broad_phase: BroadPhaseBvh,
    narrow_phase: NarrowPhase,
    ccd: CCDSolver,
    /// Per link.
    links: Vec<RigidBodyHandle>,
    /// Per link but the root.
    motors: Vec<ImpulseJointHandle>,
    /// The spheres that touch surfaces.
    spheres: Vec<ColliderHandle>,
    /// The links that they belong to.
    sphere_links: Vec<usize>,
    /// Per link, the side whose foot it belongs to, if it is one.
    feet: Vec<Option<Side>>,
    /// What they touch: the ground, then the solids of the scene.
    surfaces: Vec<ColliderHandle>,
    /// Of the spheres that were near surfaces in the last step.
    turns: Turns,
}

/// Scratch memory of the engine and its parameters; holds no state of a simulation.
pub struct Engine {
    pipeline: PhysicsPipeline,
    parameters: IntegrationParameters,
}

impl Engine {
    /// An engine that steps as `physics` says.
    pub fn new(physics: &Physics) -> Self {
        let parameters = IntegrationParameters {
            dt: physics.timestep,
            num_solver_iterations: physics.solver_iterations,
            num_internal_pgs_iterations: physics.pgs_iterations,
            num_internal_stabilization_iterations: 1,
            // Rollouts have no hidden state, and the loss is smooth.
            warmstart_coefficient: 0.0,
            warmstart_joints: false,
            max_ccd_substeps: 0,
            normalized_prediction_distance: PREDICTION,
            contact_recycling: false,
            static_contact_softness: SpringCoefficients::new(
                physics.contact_frequency,
                physics.contact_damping_ratio,
            ),
            // Per-point Coulomb friction in both passes: the cheaper models make the loss jump.
            friction_model: FrictionModel::Coulomb,
            friction_in_bias_pass: true,
            ..IntegrationParameters::default()
        };
        Self {
            pipeline: PhysicsPipeline::new(),
            parameters,
        }
    }
}

impl World {
    /// The body at the given link poses (world) and velocities, on the ground plane z = 0 and in `scene`, whose solids
    /// are all [there](Self::set_time) at first.
    pub fn new(
        (body, scene): (&Body, &Scene),
        physics: &Physics,
        poses: &[Isometry3<f64>],
        velocities: &[Velocity],
    ) -> Self {
        let mut world = Self {
            bodies: RigidBodySet::new(),
            colliders: ColliderSet::new(),
            joints: ImpulseJointSet::new(),
            multibodies: MultibodyJointSet::new(),
            soft_bodies: SoftBodySet::new(),
            islands: IslandManager::new(),
            broad_phase: BroadPhaseBvh::new(),
            narrow_phase: NarrowPhase::new(),
            ccd: CCDSolver::new(),
            links: Vec::new(),
            motors: Vec::new(),
            spheres: Vec::new(),
            sphere_links: Vec::new(),
            feet: body.links.iter().map(|link| link.foot).collect(),
            surfaces: Vec::new(),
            turns: Turns::default(),
        };
        let ground = ColliderBuilder::new(SharedShape::halfspace(Vector::Z));
        world.insert_surface(ground, EVERY_SPHERE, physics);
        let circles = Circles::of(scene);
        for solid in &scene.solids {
            let shape = ColliderBuilder::new(shape_in_engine(&solid.shape));
            let shape = shape.position(to_engine(&solid.pose));
            world.insert_surface(shape, circles.of_solid(solid), physics);
        }
        for (i, link) in body.links.iter().enumerate() {
            let c = link.center_of_mass;
            let inertia = link.inertia;
            // rapier's linear velocity is that of the centre of mass.
            let arm = poses[i].rotation * c;
            let velocity = velocities[i].linear + velocities[i].angular.cross(&arm);
            let handle = world.bodies.insert(
                RigidBodyBuilder::dynamic()
                    .pose(to_engine(&poses[i]))
                    .linvel(vector(velocity))
                    .angvel(vector(velocities[i].angular))
                    .can_sleep(false)
                    .additional_mass_properties(MassProperties::new(
                        vector(c),
                        link.mass,
                        vector(inertia),
                    )),
            );
            world.links.push(handle);
            for sphere in link.contact_spheres() {
                world.insert_sphere((i, circles.of_link(&link.name)), sphere, physics);
            }
            // Otherwise the engine knows the centre of mass only after the first step.
            world.bodies[handle].recompute_mass_properties_from_colliders(&world.colliders);
            if let Some(parent) = link.parent {
                world.insert_joint(parent, handle, link);
            }
        }
        world
    }

    /// The joint of `link`, whose body is `handle`, with its parent.
    fn insert_joint(&mut self, parent: usize, handle: RigidBodyHandle, link: &Link) {
        let mut joint = GenericJoint::new(JointAxesMask::LIN_AXES);
        joint.local_frame1 = Pose::from_parts(vector(link.offset), Rotation::IDENTITY);
        for axis in ANGULAR {
            joint.set_motor_model(axis, MotorModel::ForceBased);
            joint.set_motor_position(axis, 0.0, link.joint.stiffness, link.joint.damping);
            joint.set_motor_max_force(axis, link.joint.torque_limit);
        }
        let motor = self.joints.insert(self.links[parent], handle, joint, true);
        self.motors.push(motor);
    }

    /// A surface that spheres of the groups `touched_by` may touch.
    fn insert_surface(&mut self, shape: ColliderBuilder, touched_by: Group, physics: &Physics) {
        let groups = InteractionGroups::new(Group::GROUP_1, touched_by, InteractionTestMode::And);
        let shape = shape.collision_groups(groups).friction(physics.friction);
        self.surfaces.push(self.colliders.insert(shape));
    }

    /// A sphere of a link, which is in `groups`.
    fn insert_sphere(
        &mut self,
        (link, groups): (usize, Group),
        (center, radius): (Vector3<f64>, f64),
        physics: &Physics,
    ) {
        let groups = InteractionGroups::new(groups, Group::GROUP_1, InteractionTestMode::And);
        // Without mass, and with its centre of mass at the link's origin: to anything else the engine would
        // add the link's inertia anew, whose principal axes it then finds to 1e-5 only.
        let massless = MassProperties::new(vector(-center), 0.0, Vector::ZERO);
        let collider = ColliderBuilder::new(SharedShape::ball(radius))
            .position(Pose::from_parts(vector(center), Rotation::IDENTITY))
            .mass_properties(massless)
            .collision_groups(groups)
            .friction(physics.friction);
        let handle = self.links[link];
        let handle = self
            .colliders
            .insert_with_parent(collider, handle, &mut self.bodies);
        self.spheres.push(handle);
        self.sphere_links.push(link);
    }

    /// Sets the PD target of `link` (rotation parent ← child) and its angular velocity in the
    /// target's own frame, rad/s.
    pub fn set_target(
        &mut self,
        link: usize,
        target: &UnitQuaternion<f64>,
        angular_velocity: &Vector3<f64>,
    ) {
        if let Some(joint) = self.joints.get_mut(self.motors[link - 1], false) {
            let offset = joint.data.local_frame1.translation;
            joint.data.local_frame1 = Pose::from_parts(offset, to_rotation(target));
            for (axis, velocity) in ANGULAR.iter().zip(angular_velocity.iter()) {
                joint.data.motors[*axis as usize].target_vel = *velocity;
            }
        }
    }

    /// Sets the external force at the centre of mass of every link (N, world frame) for the steps
    /// to come.
    pub fn set_forces(&mut self, forces: impl Iterator<Item = Vector3<f64>>) {
        for (handle, force) in self.links.iter().zip(forces) {
            let body = &mut self.bodies[*handle];
            body.reset_forces(false);
            body.add_force(vector(force), false);
        }
    }

    /// Puts the links where and as fast as `links` are.
    pub fn place(&mut self, links: &[LinkState]) {
        for (handle, state) in self.links.iter().zip(links) {
            let body = &mut self.bodies[*handle];
            let center = from_vector(body.mass_properties().local_mprops.local_com);
            let origin = state.center - state.rotation * center;
            let pose = Isometry3::from_parts(origin.into(), state.rotation);
            body.set_position(to_engine(&pose), true);
            body.set_linvel(vector(state.linear), true);
            body.set_angvel(vector(state.angular), true);
        }
    }

    /// Position and velocity of the centre of mass of every link, m and m/s.
    pub fn mass_centers(&self) -> impl Iterator<Item = (Vector3<f64>, Vector3<f64>)> + '_ {
        self.links.iter().map(|handle| {
            let body = &self.bodies[*handle];
            let local = body.mass_properties().local_mprops.local_com;
            (
                from_vector(body.position().transform_point(local)),
                from_vector(body.linvel()),
            )
        })
    }

    /// Makes those solids of `scene`, with which the world was made, touchable that are there at `time`, s from the
    /// motion's first frame.
    pub fn set_time(&mut self, scene: &Scene, time: f64) {
        for (solid, handle) in scene.solids.iter().zip(&self.surfaces[1..]) {
            let is_there = solid.is_there(time);
            if self.colliders[*handle].is_enabled() != is_there {
                self.colliders[*handle].set_enabled(is_there);
            }
        }
    }

    /// Advances by one timestep.
    pub fn step(&mut self, engine: &mut Engine) {
        engine.pipeline.step(
            Vector::new(0.0, 0.0, -super::GRAVITY),
            &engine.parameters,
            &mut self.islands,
            &mut self.broad_phase,
            &mut self.narrow_phase,
            &mut self.bodies,
            &mut self.colliders,
            &mut self.joints,
            &mut self.multibodies,
            &mut self.soft_bodies,
            &mut self.ccd,
            &(),
            &(),
        );
        let near = self.pairs(ContactPair::has_any_active_contact);
        self.turns.update(|sphere| self.sphere_links[sphere], &near);
    }

    /// Spheres and surfaces that the engine looked at together in the last step, as far as `wanted`, in its order.
    fn pairs(&self, wanted: impl Fn(&ContactPair) -> bool) -> Vec<Touch> {
        let touch = |pair: &ContactPair| {
            let ends = [pair.collider1, pair.collider2];
            let among = |handles: &[ColliderHandle]| {
                handles.iter().position(|handle| ends.contains(handle))
            };
            Some(Touch {
                surface: among(&self.surfaces)?,
                sphere: among(&self.spheres)?,
            })
        };
        let pairs = self.narrow_phase.contact_pairs();
        pairs
            .filter(|pair| wanted(pair))
            .filter_map(touch)
            .collect()
    }

    /// The order in which spheres that come near surfaces in the same step will come into the engine's list.
    pub(super) fn pair_order(&self, physics: &Physics) -> Vec<Touch> {
        let known = self.pairs(|_| true);
        if !known.is_empty() {
            return known;
        }
        // It has not been stepped yet.
        let mut ahead = self.clone();
        ahead.step(&mut Engine::new(physics));
        ahead.pairs(|_| true)
    }

    /// The turns of the spheres near surfaces.
    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// Puts the links where and as fast as `links` are, after steps in which spheres have had `turns`.
    pub(super) fn place_after(&mut self, links: &[LinkState], turns: &Turns) {
        self.place(links);
        self.turns = turns.clone();
    }

    /// The spheres that were near surfaces in the last step, in the order in which the solver had them.
    pub fn contact_order(&self) -> Vec<Touch> {
        self.turns.order()
    }

    /// World pose of every link frame.
    pub fn link_poses(&self) -> impl Iterator<Item = Isometry3<f64>> + '_ {
        self.links
            .iter()
            .map(|handle| from_engine(self.bodies[*handle].position()))
    }

    /// Position and velocity of every link.
    pub fn links(&self) -> Vec<LinkState> {
        let links = self.mass_centers().zip(&self.links);
        let link = |((center, linear), handle): ((_, _), &RigidBodyHandle)| LinkState {
            center,
            rotation: from_engine(self.bodies[*handle].position()).rotation,
            linear,
            angular: from_vector(self.bodies[*handle].angvel()),
        };
        links.map(link).collect()
    }

    /// The body as a path begins: without loads, which come with steps.
    pub fn path_frame(&self) -> PathFrame {
        PathFrame {
            links: self.links(),
            loads: Default::default(),
        }
    }

    /// Motor torque on every link from its parent in the last step, world frame, N·m.
    pub fn torques(&self, engine: &Engine) -> Vec<Vector3<f64>> {
        let substep = engine.parameters.dt / engine.parameters.num_solver_iterations as f64;
        let motors = self
            .motors
            .iter()
            .map(|handle| match self.joints.get(*handle) {
                None => Vector3::zeros(),
                Some(joint) => {
                    let impulse = Vector3::from_fn(|axis, _| {
                        joint.data.motors[ANGULAR[axis] as usize].impulse
                    });
                    let parent = self.bodies[joint.body1()].position().rotation;
                    let frame = from_rotation(&(parent * joint.data.local_frame1.rotation));
                    // The engine gives the impulse to the first body of a joint, the parent.
                    -(frame * impulse) / substep
                }
            });
        std::iter::once(Vector3::zeros()).chain(motors).collect()
    }
}

/// A solid's shape as the engine has it.
fn shape_in_engine(shape: &Shape) -> SharedShape {
    match shape {
        Shape::Box(half) => SharedShape::cuboid(half.x, half.y, half.z),
        Shape::Hull(hull) => {
            let corners: Vec<Vector> = hull.points().iter().copied().map(vector).collect();
            SharedShape::convex_mesh(corners, hull.surface()).expect("a hull is a convex mesh")
        }
    }
}

fn vector(v: Vector3<f64>) -> Vector {
    Vector::new(v.x, v.y, v.z)
}

fn from_vector(v: Vector) -> Vector3<f64> {
    Vector3::new(v.x, v.y, v.z)
}

fn to_rotation(q: &UnitQuaternion<f64>) -> Rotation {
    Rotation::from_xyzw(q.i, q.j, q.k, q.w)
}

fn from_rotation(q: &Rotation) -> UnitQuaternion<f64> {
    UnitQuaternion::new_unchecked(nalgebra::Quaternion::new(q.w, q.x, q.y, q.z))
}

fn to_engine(pose: &Isometry3<f64>) -> Pose {
    Pose::from_parts(vector(pose.translation.vector), to_rotation(&pose.rotation))
}

fn from_engine(pose: &Pose) -> Isometry3<f64> {
    Isometry3::from_parts(
        from_vector(pose.translation).into(),
        from_rotation(&pose.rotation),
    )
}
