//! The bodies of the copies, and how they step.

use nalgebra::{Isometry3, Vector2, Vector3};

use super::Targets;
use super::contacts::{Ball, GroundRows, SolidRows, nearest};
use super::lanes::Lanes;
use super::links::{Links, Velocities};
use super::matrices::Symmetric;
use super::model::{Model, Obstacle};
use super::near::{Trail, slots};
use super::places::{Orientations, Places};
use super::rows::JointRows;
use super::vectors::{Rotations, Vectors};
use super::wide::Wide;
use crate::scene::Shape;
use crate::simulation::{
    Drive, FootLoad, GRAVITY, LinkState, PREDICTION, Path, PathFrame, Replica, Touch,
};

/// The links of all copies, and what acts on them.
pub struct Bodies<W: Wide> {
    wide: W,
    /// What the copies' places are counted from, so that they stay near: m, in the world frame.
    origin: Vector3<f64>,
    links: Vec<Links<W>>,
    velocities: Vec<Velocities<W>>,
    /// Change of velocity by forces, per substep.
    pushes: Vec<Vectors<W>>,
    /// PD targets, a rotation parent ← child and its angular velocity, in the order of the joints.
    targets: Vec<(Rotations<W>, Vectors<W>)>,
    joints: Vec<JointRows<W>>,
    contacts: Vec<Rows<W>>,
    /// Impulses of the contacts in the step at hand, in their order, N·s.
    impulses: Vec<Vectors<W>>,
    /// Since they were recorded, of the ground on the feet `[right, left]`: vertical impulse, N·s, its first moment
    /// along x and y, N·s·m, and the impulses along x and y, N·s.
    presses: [[Lanes<W>; 5]; 2],
}

/// The rows of a contact: of a sphere on the ground, whose normal is the same everywhere, or on a box.
enum Rows<W: Wide> {
    Ground(GroundRows<W>),
    Solid(SolidRows<W>),
}

impl<W: Wide> Rows<W> {
    /// The spheres, and the impulse on them in the substep at hand, N·s.
    #[inline(always)]
    fn impulse(&self) -> (&Ball<W>, Vectors<W>) {
        match self {
            Self::Ground(rows) => rows.impulse(),
            Self::Solid(rows) => rows.impulse(),
        }
    }
}

/// Which spheres may touch surfaces in a step.
pub enum Near<'a, 'b> {
    /// These, in this order, in all lanes.
    Known(&'a [Touch]),
    /// Those that are near surfaces in each lane at this time, s from the motion's first frame.
    Found(f64, &'a mut [Trail<'b>]),
}

impl<W: Wide> Bodies<W> {
    /// All lanes in the state `start`; places are counted from the ground under `origin`.
    #[inline(always)]
    pub fn new(wide: W, model: &Model, origin: &Vector3<f64>, start: &[LinkState]) -> Self {
        let origin = Vector3::new(origin.x, origin.y, 0.0);
        let zero = Vectors::zero(wide);
        let mut links = Vec::with_capacity(start.len());
        let mut velocities = Vec::with_capacity(start.len());
        for state in start {
            let rotation = Orientations::splat(wide, &state.rotation);
            links.push(Links {
                center: Places::splat(wide, &(state.center - origin)),
                rotation,
                inverse_inertia: Symmetric::turned(rotation.rounded().axes(), &Vector3::zeros()),
            });
            velocities.push(Velocities {
                linear: Vectors::splat(wide, &state.linear),
                angular: Vectors::splat(wide, &state.angular),
            });
        }
        Self {
            wide,
            origin,
            links,
            velocities,
            pushes: vec![zero; start.len()],
            targets: Vec::with_capacity(model.joints.len()),
            joints: Vec::with_capacity(model.joints.len()),
            contacts: Vec::with_capacity(model.spheres.len()),
            impulses: Vec::with_capacity(model.spheres.len()),
            presses: [[Lanes::splat(wide, 0.0); 5]; 2],
        }
    }

    /// Puts `links` into `lane`.
    pub fn load(&mut self, lane: usize, links: &[LinkState]) {
        for (i, state) in links.iter().enumerate() {
            self.links[i]
                .center
                .set(lane, &(state.center - self.origin));
            self.links[i].rotation.set(lane, &state.rotation);
            self.velocities[i].linear.set(lane, &state.linear);
            self.velocities[i].angular.set(lane, &state.angular);
        }
    }

    /// Sets targets and forces for simulation step `step` of the clip.
    #[inline(always)]
    pub fn aim(
        &mut self,
        model: &Model,
        copies: &[Replica],
        (drive, targets): (&Drive, &Targets),
        step: usize,
    ) {
        let wide = self.wide;
        self.targets.clear();
        for (joint, shared) in model.joints.iter().zip(targets.at(step)) {
            let mut rotations = Rotations::splat(wide, &shared.0);
            let mut velocities = Vectors::splat(wide, &shared.1);
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
        self.push_by(model, drive, step);
    }

    /// As [`aim`](Self::aim), with targets of its own, and offsets of its own drive, in every lane.
    #[inline(always)]
    pub fn aim_each(
        &mut self,
        model: &Model,
        (drives, targets): (&[Drive], &[Targets]),
        step: usize,
    ) {
        let wide = self.wide;
        self.targets.clear();
        for (joint, first) in targets[0].at(step).iter().enumerate() {
            let mut rotations = Rotations::splat(wide, &first.0);
            let mut velocities = Vectors::splat(wide, &first.1);
            for (lane, own) in targets.iter().enumerate().skip(1) {
                let (rotation, velocity) = &own.at(step)[joint];
                rotations.set(lane, rotation);
                velocities.set(lane, velocity);
            }
            self.targets.push((rotations, velocities));
        }
        self.push_by(model, &drives[0], step);
    }

    /// Sets the forces of `drive` for simulation step `step` of the clip.
    #[inline(always)]
    fn push_by(&mut self, model: &Model, drive: &Drive, step: usize) {
        let wide = self.wide;
        let fall = Vector3::new(0.0, 0.0, -GRAVITY * model.dt);
        self.pushes.fill(Vectors::splat(wide, &fall));
        if let Some(assistance) = &drive.assistance {
            let centers = (assistance.centers)(step);
            for (i, (position, velocity)) in centers.iter().enumerate() {
                let push = &mut self.pushes[i];
                let stretch = Vectors::splat(wide, &(position - self.origin))
                    - self.links[i].center.rounded();
                let lag = Vectors::splat(wide, velocity) - self.velocities[i].linear;
                let pull = stretch * assistance.stiffness + lag * assistance.damping;
                *push += pull * model.dt;
            }
        }
    }

    /// One timestep, in which the spheres that are `near` may touch their surfaces.
    #[inline(always)]
    pub fn step(&mut self, model: &Model, near: Near) {
        for (link, body) in self.links.iter_mut().zip(&model.links) {
            let axes = link.rotation.rounded().axes();
            link.inverse_inertia = Symmetric::turned(axes, &body.inverse_inertia);
        }
        match near {
            Near::Known(order) => self.touch(model, order),
            Near::Found(time, trails) => self.touch_near(model, time, trails),
        }
        let zero = Vectors::splat(self.wide, &Vector3::zeros());
        self.impulses.clear();
        self.impulses.resize(self.contacts.len(), zero);
        for _ in 0..model.substeps {
            self.push(model);
            self.join(model);
            for contact in &mut self.contacts {
                match contact {
                    Rows::Ground(rows) => rows.begin(model, &self.links[rows.link()]),
                    Rows::Solid(rows) => rows.begin(model, &self.links[rows.link()]),
                }
            }
            for _ in 0..model.sweeps {
                self.sweep(model);
            }
            self.advance(model.dt);
            for rows in &mut self.joints {
                rows.relax();
            }
            for contact in &mut self.contacts {
                match contact {
                    Rows::Ground(rows) => rows.relax(model, &self.links[rows.link()]),
                    Rows::Solid(rows) => rows.relax(model, &self.links[rows.link()]),
                }
            }
            self.sweep(model);
            for (sum, contact) in self.impulses.iter_mut().zip(&self.contacts) {
                *sum += contact.impulse().1;
            }
        }
        self.press();
    }

    /// Adds what the contacts did in the step to what pressed on the feet.
    #[inline(always)]
    fn press(&mut self) {
        for (impulse, contact) in self.impulses.iter().zip(&self.contacts) {
            let ball = contact.impulse().0;
            let Some(side) = ball.foot else {
                continue;
            };
            let link = &self.links[ball.link];
            let arm = link.rotation.rounded() * ball.center;
            let center = link.center.rounded() + arm;
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
        self.presses = [[Lanes::splat(self.wide, 0.0); 5]; 2];
        for (lane, path) in paths.iter_mut().enumerate() {
            let links = self.links.iter().zip(&self.velocities);
            let state = |(link, velocity): (&Links<W>, &Velocities<W>)| LinkState {
                center: link.center.lane(lane) + self.origin,
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
                        moment: Vector2::new(x, y) + vertical * self.origin.xy(),
                        friction: Vector2::new(right, left),
                    }
                }),
            });
        }
    }

    /// The contacts of the spheres in `order`.
    #[inline(always)]
    fn touch(&mut self, model: &Model, order: &[Touch]) {
        self.contacts.clear();
        for touch in order {
            let ball = Ball::splat(self.wide, &model.spheres[touch.sphere]);
            self.add_contact(model, touch.surface, &ball);
        }
    }

    /// The contacts of the spheres that are near surfaces at `time`, each lane with its own; where a lane has none of a link
    /// with a surface and another lane has, it has one there that does nothing.
    #[inline(always)]
    fn touch_near(&mut self, model: &Model, time: f64, trails: &mut [Trail]) {
        self.find_near(model, time, trails);
        self.contacts.clear();
        for slot in slots(model, trails) {
            let Some((_, first)) = slot.spheres().next() else {
                continue;
            };
            let mut ball = Ball::splat(self.wide, &model.spheres[first]);
            for (lane, sphere) in slot.spheres() {
                ball.set(lane, &model.spheres[sphere]);
            }
            self.add_contact(model, slot.surface, &ball);
            let has_sphere = |lane: usize| slot.spheres().any(|(own, _)| own == lane);
            for lane in (0..W::LANES).filter(|lane| !has_sphere(*lane)) {
                match self.contacts.last_mut() {
                    Some(Rows::Ground(rows)) => rows.leave(lane),
                    Some(Rows::Solid(rows)) => rows.leave(lane),
                    None => {}
                }
            }
        }
    }

    /// Adds the contact of `ball` with a surface.
    #[inline(always)]
    fn add_contact(&mut self, model: &Model, surface: usize, ball: &Ball<W>) {
        let link = &self.links[ball.link];
        let arm = link.rotation.rounded() * ball.center;
        self.contacts.push(match surface {
            0 => Rows::Ground(GroundRows::new(link, ball, arm)),
            _ => {
                let solid = self.place_of(&model.obstacles[surface - 1]);
                Rows::Solid(SolidRows::new(self.wide, link, ball, &solid, arm))
            }
        });
    }

    /// Where `obstacle` is, counted from the origin of the copies' places, and its shape.
    #[inline(always)]
    fn place_of<'m>(&self, obstacle: &'m Obstacle) -> (Isometry3<f64>, &'m Shape) {
        let mut pose = obstacle.solid.pose;
        pose.translation.vector -= self.origin;
        (pose, &obstacle.solid.shape)
    }

    /// Notes the spheres that are near surfaces at `time` in the trails of their lanes.
    #[inline(always)]
    fn find_near(&self, model: &Model, time: f64, trails: &mut [Trail]) {
        for (number, sphere) in model.spheres.iter().enumerate() {
            let link = &self.links[sphere.link];
            let arm = link.rotation.rounded() * Vectors::splat(self.wide, &sphere.center);
            let lowest = Vectors::new(arm.x, arm.y, arm.z + -sphere.radius);
            note(
                Touch::on_ground(number),
                link.center.beyond(lowest).z,
                trails,
            );
            for (i, obstacle) in model.obstacles.iter().enumerate() {
                if !(obstacle.is_for[sphere.link] && obstacle.solid.is_there(time)) {
                    continue;
                }
                let (pose, shape) = self.place_of(obstacle);
                let reach = obstacle.radius + sphere.radius + PREDICTION;
                let middle = Vectors::splat(self.wide, &pose.translation.vector);
                let away = link.center.rounded() + arm - middle;
                if (-away.dot(away)).largest() < -reach * reach {
                    continue;
                }
                let (_, distance) = nearest(self.wide, &(pose, shape), (link.center, arm));
                let touch = Touch {
                    surface: i + 1,
                    sphere: number,
                };
                note(touch, distance + -sphere.radius, trails);
            }
        }
    }

    /// Forces, and the gyroscopic change of the angular velocity, which keeps the length of the angular
    /// momentum.
    #[inline(always)]
    fn push(&mut self, model: &Model) {
        let zero = Lanes::splat(self.wide, 0.0);
        for (i, body) in model.links.iter().enumerate() {
            let rotation = self.links[i].rotation.rounded();
            let velocity = &mut self.velocities[i];
            velocity.linear += self.pushes[i];
            let turn = rotation.inverse() * velocity.angular;
            let momentum = turn.scaled_by(&body.inertia);
            let total = (turn.cross(momentum)).mul_add(zero.like(-model.dt), momentum);
            let square = total.dot(total);
            let scale = (momentum.dot(momentum) * square.recip()).sqrt();
            let total = total * square.above(zero, scale, zero);
            velocity.angular = rotation * total.scaled_by(&body.inverse_inertia);
        }
    }

    /// The rows of all joints where the links are now.
    #[inline(always)]
    fn join(&mut self, model: &Model) {
        self.joints.clear();
        for (joint, target) in model.joints.iter().zip(&self.targets) {
            let ends = [&self.links[joint.parent], &self.links[joint.child]];
            let spring = &model.joint_spring;
            let rows = JointRows::new(self.wide, joint, spring, ends, target);
            self.joints.push(rows);
        }
    }

    /// One sweep over all joints, then all contacts.
    #[inline(always)]
    fn sweep(&mut self, model: &Model) {
        for (rows, joint) in self.joints.iter_mut().zip(&model.joints) {
            let inertias = [
                &self.links[joint.parent].inverse_inertia,
                &self.links[joint.child].inverse_inertia,
            ];
            let mut parent = self.velocities[joint.parent];
            let mut child = self.velocities[joint.child];
            let velocities = [&mut parent, &mut child];
            rows.solve(joint, &model.joint_spring, inertias, velocities);
            self.velocities[joint.parent] = parent;
            self.velocities[joint.child] = child;
        }
        for contact in &mut self.contacts {
            match contact {
                Rows::Ground(rows) => {
                    let velocity = &mut self.velocities[rows.link()];
                    rows.solve(model, velocity);
                }
                Rows::Solid(rows) => {
                    let velocity = &mut self.velocities[rows.link()];
                    rows.solve(model, velocity);
                }
            }
        }
    }

    /// Moves the links by their velocities.
    #[inline(always)]
    fn advance(&mut self, dt: f64) {
        for (link, velocity) in self.links.iter_mut().zip(&self.velocities) {
            link.rotation.turn(velocity.angular * (0.5 * dt));
            link.center.advance(velocity.linear * dt);
        }
    }
}

/// Notes `touch` in the trails of those lanes in which its `distance` is small.
#[inline(always)]
fn note<W: Wide>(touch: Touch, distance: Lanes<W>, trails: &mut [Trail]) {
    if (-distance).largest() <= -PREDICTION {
        return;
    }
    for (lane, trail) in trails.iter_mut().enumerate() {
        if distance.lane(lane) < PREDICTION {
            trail.note(touch);
        }
    }
}
