//! The constraints of spheres on the ground, whose normal is z, and on solids, whose normals differ from copy to copy.

use nalgebra::{Isometry3, Vector3};

use super::lanes::Lanes;
use super::links::{Links, Velocities};
use super::model::{Model, Sphere};
use super::places::Places;
use super::vectors::{Rotations, Vectors};
use super::wide::Wide;
use crate::body::Side;
use crate::scene::Shape;

/// The fastest mending of a penetration, m/s.
const FASTEST_RECOVERY: f64 = 3.0;

/// The distance of a sphere that is not there, m: nothing is that fast.
const FAR: f64 = 1e3;

/// A sphere of the same link per lane.
#[derive(Clone, Copy)]
pub struct Ball<W: Wide> {
    pub link: usize,
    /// The side whose foot the link belongs to, if it is one.
    pub foot: Option<Side>,
    /// Of the link, 1/kg.
    inverse_mass: f64,
    /// From the link's centre of mass, in its frame.
    pub center: Vectors<W>,
    radius: Lanes<W>,
}

impl<W: Wide> Ball<W> {
    /// The same in all lanes.
    #[inline(always)]
    pub fn splat(wide: W, sphere: &Sphere) -> Self {
        Self {
            link: sphere.link,
            foot: sphere.foot,
            inverse_mass: sphere.inverse_mass,
            center: Vectors::splat(wide, &sphere.center),
            radius: Lanes::splat(wide, sphere.radius),
        }
    }

    /// Replaces the one in `lane` by another one of the link.
    #[inline(always)]
    pub fn set(&mut self, lane: usize, sphere: &Sphere) {
        self.center.set(lane, &sphere.center);
        self.radius.set(lane, sphere.radius);
    }
}

/// What every contact has, whatever its axes: two tangents and the normal.
#[derive(Clone, Copy)]
struct Contact<W: Wide> {
    ball: Ball<W>,
    /// The centre of mass at the beginning of the step.
    center: Places<W>,
    /// From there to the point of contact, in the world, and in the link's frame.
    arm: Vectors<W>,
    local: Vectors<W>,
    /// Distance from the surface at the beginning of the step.
    distance: Lanes<W>,
    /// Moments of the axes about the centre of mass, and the change of the angular velocity.
    moments: [Vectors<W>; 3],
    turns: [Vectors<W>; 3],
    /// Inverse of the normal's effective mass matrix, and the tangents' effective mass matrix (11, 22, 12)
    /// with the inverse of its determinant.
    normal: Lanes<W>,
    tangents: [Lanes<W>; 3],
    inverse_determinant: Lanes<W>,
    rates: [Lanes<W>; 3],
    softness: Lanes<W>,
    impulses: [Lanes<W>; 3],
}

impl<W: Wide> Contact<W> {
    /// At `arm` from the link's centre of mass, of a sphere that is `distance` from the surface; `moments` are those of the axes about the link's
    /// centre of mass.
    #[inline(always)]
    fn new(
        link: &Links<W>,
        ball: &Ball<W>,
        (arm, distance): (Vectors<W>, Lanes<W>),
        moments: [Vectors<W>; 3],
    ) -> Self {
        let turns = [
            link.inverse_inertia * moments[0],
            link.inverse_inertia * moments[1],
            link.inverse_inertia * moments[2],
        ];
        let tangents = [
            turns[0].dot(moments[0]) + ball.inverse_mass,
            turns[1].dot(moments[1]) + ball.inverse_mass,
            turns[0].dot(moments[1]),
        ];
        let square = tangents[2] * tangents[2];
        let determinant = tangents[0].mul_add(tangents[1], -square);
        let zero = distance.like(0.0);
        Self {
            ball: *ball,
            center: link.center,
            arm,
            local: link.rotation.rounded().inverse() * arm,
            distance,
            normal: (turns[2].dot(moments[2]) + ball.inverse_mass).recip(),
            tangents,
            inverse_determinant: determinant.recip(),
            moments,
            turns,
            rates: [zero; 3],
            softness: zero,
            impulses: [zero; 3],
        }
    }

    /// Makes the contact one that does nothing in `lane`.
    #[inline(always)]
    fn leave(&mut self, lane: usize) {
        self.distance.set(lane, FAR);
    }

    /// How far the point of contact has moved since the beginning of the step.
    #[inline(always)]
    fn shift(&self, link: &Links<W>) -> Vectors<W> {
        link.center.from(self.center) + (link.rotation.rounded() * self.local - self.arm)
    }

    /// The rates to begin a substep with, at the springs' softness, after a `shift` along the axes.
    #[inline(always)]
    fn begin(&mut self, model: &Model, shift: [Lanes<W>; 3]) {
        let distance = self.distance + shift[2];
        let spring = &model.contact_spring;
        let mending = (distance * spring.recovery).max(-FASTEST_RECOVERY).min(0.0);
        let inverse_dt = 1.0 / model.dt;
        self.rates = [
            shift[0] * inverse_dt,
            shift[1] * inverse_dt,
            distance.max(0.0) * inverse_dt + mending,
        ];
        let zero = distance.like(0.0);
        let soft = distance.like(1.0 / (1.0 + spring.compliance));
        self.softness = distance.above(zero, distance.like(1.0), soft);
        self.impulses = [zero; 3];
    }

    /// The rates to end a substep with, after a shift by `rise` along the normal: rigid, and without mending what is
    /// wrong.
    #[inline(always)]
    fn relax(&mut self, model: &Model, rise: Lanes<W>) {
        let distance = self.distance + rise;
        let zero = distance.like(0.0);
        let inverse_dt = 1.0 / model.dt;
        self.rates = [zero, zero, distance.max(0.0) * inverse_dt];
        self.softness = distance.like(1.0);
    }

    /// The change of the normal impulse that `rate` asks for.
    #[inline(always)]
    fn push(&mut self, rate: Lanes<W>) -> Lanes<W> {
        let total = self.softness * (-self.normal).mul_add(rate, self.impulses[2]).max(0.0);
        let change = total - self.impulses[2];
        self.impulses[2] = total;
        change
    }

    /// The changes of the tangential impulses that the rates `x` and `y` ask for, within the cone of friction.
    #[inline(always)]
    fn rub(&mut self, friction: f64, [x, y]: [Lanes<W>; 2]) -> [Lanes<W>; 2] {
        let [xx, yy, xy] = self.tangents;
        let free = [
            yy.mul_add(x, -(xy * y))
                .mul_add(-self.inverse_determinant, self.impulses[0]),
            xx.mul_add(y, -(xy * x))
                .mul_add(-self.inverse_determinant, self.impulses[1]),
        ];
        let limit = self.impulses[2] * friction;
        let length = free[0].mul_add(free[0], free[1] * free[1]).sqrt();
        let share = length.above(limit, limit * length.recip(), length.like(1.0));
        let pushes = [free[0] * share, free[1] * share];
        let changes = [pushes[0] - self.impulses[0], pushes[1] - self.impulses[1]];
        self.impulses = [pushes[0], pushes[1], self.impulses[2]];
        changes
    }
}

/// The rows of a sphere on the ground: the tangents x and y, and its normal, z.
#[derive(Clone, Copy)]
pub struct GroundRows<W: Wide>(Contact<W>);

impl<W: Wide> GroundRows<W> {
    /// Of a sphere at `arm` from the link's centre of mass.
    #[inline(always)]
    pub fn new(link: &Links<W>, ball: &Ball<W>, arm: Vectors<W>) -> Self {
        let lowest = Vectors::new(arm.x, arm.y, arm.z - ball.radius);
        let distance = link.center.beyond(lowest).z;
        // Halfway between the lowest point and the ground.
        let arm = Vectors::new(arm.x, arm.y, lowest.z - distance * 0.5);
        let zero = distance.like(0.0);
        let moments = [
            Vectors::new(zero, arm.z, -arm.y),
            Vectors::new(-arm.z, zero, arm.x),
            Vectors::new(arm.y, -arm.x, zero),
        ];
        let contact = Contact::new(link, ball, (arm, distance), moments);
        Self(contact)
    }

    /// As [`Contact::leave`].
    #[inline(always)]
    pub fn leave(&mut self, lane: usize) {
        self.0.leave(lane);
    }

    /// The link that the sphere belongs to.
    #[inline(always)]
    pub fn link(&self) -> usize {
        self.0.ball.link
    }

    /// The spheres, and the impulse on them in this substep, N·s.
    #[inline(always)]
    pub fn impulse(&self) -> (&Ball<W>, Vectors<W>) {
        let [x, y, z] = self.0.impulses;
        (&self.0.ball, Vectors::new(x, y, z))
    }

    /// Begins a substep.
    #[inline(always)]
    pub fn begin(&mut self, model: &Model, link: &Links<W>) {
        let shift = self.0.shift(link);
        self.0.begin(model, [shift.x, shift.y, shift.z]);
    }

    /// Ends a substep.
    #[inline(always)]
    pub fn relax(&mut self, model: &Model, link: &Links<W>) {
        let rise = self.0.shift(link).z;
        self.0.relax(model, rise);
    }

    /// One solution: normal, then friction.
    #[inline(always)]
    pub fn solve(&mut self, model: &Model, velocity: &mut Velocities<W>) {
        let contact = &mut self.0;
        let inverse_mass = contact.ball.inverse_mass;
        let rise = velocity.linear.z + contact.rates[2];
        let change = contact.push(contact.moments[2].dot_add(velocity.angular, rise));
        velocity.linear.z = change.mul_add(change.like(inverse_mass), velocity.linear.z);
        velocity.angular = contact.turns[2].mul_add(change, velocity.angular);

        let x = velocity.linear.x + contact.rates[0];
        let y = velocity.linear.y + contact.rates[1];
        let x = contact.moments[0].dot_add(velocity.angular, x);
        let y = contact.moments[1].dot_add(velocity.angular, y);
        let changes = contact.rub(model.friction, [x, y]);
        let inverse_mass = x.like(inverse_mass);
        velocity.linear.x = changes[0].mul_add(inverse_mass, velocity.linear.x);
        velocity.linear.y = changes[1].mul_add(inverse_mass, velocity.linear.y);
        let angular = contact.turns[0].mul_add(changes[0], velocity.angular);
        velocity.angular = contact.turns[1].mul_add(changes[1], angular);
    }
}

/// The rows of a sphere on a solid.
#[derive(Clone, Copy)]
pub struct SolidRows<W: Wide> {
    contact: Contact<W>,
    /// Two tangents and the normal of the surface, which points out of it.
    axes: [Vectors<W>; 3],
}

impl<W: Wide> SolidRows<W> {
    /// Of a sphere at `arm` from the link's centre of mass and the solid `(world ← solid, its shape)`.
    #[inline(always)]
    pub fn new(
        wide: W,
        link: &Links<W>,
        ball: &Ball<W>,
        solid: &(Isometry3<f64>, &Shape),
        arm: Vectors<W>,
    ) -> Self {
        let (normal, distance) = nearest(wide, solid, (link.center, arm));
        let distance = distance - ball.radius;
        // Halfway between the sphere and the surface.
        let arm = arm - normal * (distance * 0.5 + ball.radius);
        let [first, second] = tangents(normal);
        let moments = [arm.cross(first), arm.cross(second), arm.cross(normal)];
        Self {
            contact: Contact::new(link, ball, (arm, distance), moments),
            axes: [first, second, normal],
        }
    }

    /// As [`Contact::leave`].
    #[inline(always)]
    pub fn leave(&mut self, lane: usize) {
        self.contact.leave(lane);
    }

    /// The link that the sphere belongs to.
    #[inline(always)]
    pub fn link(&self) -> usize {
        self.contact.ball.link
    }

    /// The spheres, and the impulse on them in this substep, N·s.
    #[inline(always)]
    pub fn impulse(&self) -> (&Ball<W>, Vectors<W>) {
        let [x, y, z] = self.contact.impulses;
        let [first, second, normal] = self.axes;
        (&self.contact.ball, first * x + second * y + normal * z)
    }

    /// Begins a substep.
    #[inline(always)]
    pub fn begin(&mut self, model: &Model, link: &Links<W>) {
        let shift = self.contact.shift(link);
        let [first, second, normal] = self.axes;
        let along = [first.dot(shift), second.dot(shift), normal.dot(shift)];
        self.contact.begin(model, along);
    }

    /// Ends a substep.
    #[inline(always)]
    pub fn relax(&mut self, model: &Model, link: &Links<W>) {
        let rise = self.axes[2].dot(self.contact.shift(link));
        self.contact.relax(model, rise);
    }

    /// The rate of the sphere along axis `i`.
    #[inline(always)]
    fn rate(&self, i: usize, velocity: &Velocities<W>) -> Lanes<W> {
        let contact = &self.contact;
        let sliding = self.axes[i].dot_add(velocity.linear, contact.rates[i]);
        contact.moments[i].dot_add(velocity.angular, sliding)
    }

    /// One solution: normal, then friction.
    #[inline(always)]
    pub fn solve(&mut self, model: &Model, velocity: &mut Velocities<W>) {
        let inverse_mass = self.contact.ball.inverse_mass;
        let rate = self.rate(2, velocity);
        let change = self.contact.push(rate);
        velocity.linear = self.axes[2].mul_add(change * inverse_mass, velocity.linear);
        velocity.angular = self.contact.turns[2].mul_add(change, velocity.angular);

        let rates = [self.rate(0, velocity), self.rate(1, velocity)];
        let changes = self.contact.rub(model.friction, rates);
        let push = self.axes[0].mul_add(changes[0], self.axes[1] * changes[1]);
        velocity.linear = push.mul_add(changes[0].like(inverse_mass), velocity.linear);
        let turns = &self.contact.turns;
        let angular = turns[0].mul_add(changes[0], velocity.angular);
        velocity.angular = turns[1].mul_add(changes[1], angular);
    }
}

/// Out of the solid at its place nearest to what is `arm` from `center`, and how far that is, negative inside, where
/// the nearest side counts.
#[inline(always)]
pub fn nearest<W: Wide>(
    wide: W,
    (pose, shape): &(Isometry3<f64>, &Shape),
    (center, arm): (Places<W>, Vectors<W>),
) -> (Vectors<W>, Lanes<W>) {
    let rotation = Rotations::splat(wide, &pose.rotation);
    let local =
        rotation.inverse() * (center.from(Places::splat(wide, &pose.translation.vector)) + arm);
    let (normal, distance) = match shape {
        Shape::Box(half) => nearest_of_box(half, local),
        Shape::Hull(_) => nearest_by_lane::<W>(shape, local),
    };
    (rotation * normal, distance)
}

/// As [`Shape::nearest`], lane by lane.
fn nearest_by_lane<W: Wide>(shape: &Shape, local: Vectors<W>) -> (Vectors<W>, Lanes<W>) {
    let (mut normals, mut distances) = (local, local.x);
    for lane in 0..W::LANES {
        let (normal, distance) = shape.nearest(&local.lane(lane));
        normals.set(lane, &normal);
        distances.set(lane, distance);
    }
    (normals, distances)
}

/// As [`Shape::nearest`], of a box of the given half sizes.
#[inline(always)]
fn nearest_of_box<W: Wide>(half: &Vector3<f64>, local: Vectors<W>) -> (Vectors<W>, Lanes<W>) {
    let clamped = Vectors::new(
        local.x.max(-half.x).min(half.x),
        local.y.max(-half.y).min(half.y),
        local.z.max(-half.z).min(half.z),
    );
    let away = local - clamped;
    let length = away.dot(away).sqrt();
    let zero = length.like(0.0);
    let one = length.like(1.0);
    // From outside. Where it is inside, what this makes is not looked at.
    let outside = away * length.above(zero, length, one).recip();

    // From inside: the side with the least depth, x before y before z.
    let signs = Vectors::new(
        local.x.above(zero, one, -one),
        local.y.above(zero, one, -one),
        local.z.above(zero, one, -one),
    );
    let depths = [
        -(local.x * signs.x) + half.x,
        -(local.y * signs.y) + half.y,
        -(local.z * signs.z) + half.z,
    ];
    let least = depths[0].above(depths[1], depths[1], depths[0]);
    let least = least.above(depths[2], depths[2], least);
    let is_x = depths[0].above(least, zero, one);
    let is_y = depths[1].above(least, zero, one) * (one - is_x);
    let is_z = one - is_x - is_y;
    let inside = Vectors::new(signs.x * is_x, signs.y * is_y, signs.z * is_z);

    let normal = Vectors::new(
        length.above(zero, outside.x, inside.x),
        length.above(zero, outside.y, inside.y),
        length.above(zero, outside.z, inside.z),
    );
    (normal, length.above(zero, length, -least))
}

/// Two directions at right angles to the unit vector `n` and to each other (Duff et al., "Building an orthonormal
/// basis, revisited", Journal of Computer Graphics Techniques 6(1), 2017).
#[inline(always)]
fn tangents<W: Wide>(n: Vectors<W>) -> [Vectors<W>; 2] {
    let zero = n.z.like(0.0);
    let one = n.z.like(1.0);
    let sign = n.z.above(zero, one, -one);
    let a = -(sign + n.z).recip();
    let b = n.x * n.y * a;
    [
        Vectors::new(one + sign * n.x * n.x * a, sign * b, -(sign * n.x)),
        Vectors::new(b, sign + n.y * n.y * a, -n.y),
    ]
}
