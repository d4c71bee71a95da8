//! The constraints of joints: velocities to be brought to zero by impulses.

use super::lanes::Lanes;
use super::links::{Links, Velocities};
use super::matrices::{Matrices, Symmetric};
use super::model::{Joint, Spring};
use super::vectors::{Rotations, Vectors};
use super::wide::Wide;

/// The constraints of a joint: three motors, and the lock that holds its ends together. What follows from the links'
/// inertia alone is not kept for every joint: the less there is to be read in every sweep, the faster it is.
#[derive(Clone, Copy)]
pub struct JointRows<W: Wide> {
    motors: Motors<W>,
    lock: Lock<W>,
}

/// Three motors about axes at right angles to each other, one solved for after the other. They act on the same two links:
/// what one does to the rate of the next is known beforehand, and the links turn by the sum of all three impulses.
#[derive(Clone, Copy)]
struct Motors<W: Wide> {
    axes: [Vectors<W>; 3],
    inverses: [Lanes<W>; 3],
    /// By how much an impulse of the first motor lowers the rates of the second and the third, and one of the second that
    /// of the third.
    couplings: [Lanes<W>; 3],
    rates: [Lanes<W>; 3],
    impulses: [Lanes<W>; 3],
}

/// The ends of a joint in one place. The engine makes three rows of it that do not act on each other (Gram–Schmidt
/// with the inverse masses as the metric), so that one after the other they do what this does at once.
#[derive(Clone, Copy)]
struct Lock<W: Wide> {
    /// From the centres of mass of parent and child to the joint.
    arms: [Vectors<W>; 2],
    /// Inverse of the effective inverse mass, softened.
    mass: Symmetric<W>,
    /// The velocity at which the ends should come together.
    rate: Vectors<W>,
    impulse: Vectors<W>,
}

/// The inverse inertia of parent and child about their centres of mass, world frame.
type Inertias<'a, W> = [&'a Symmetric<W>; 2];

impl<W: Wide> JointRows<W> {
    /// Where the `ends`, parent and child, are now.
    #[inline(always)]
    pub fn new(
        wide: W,
        joint: &Joint,
        spring: &Spring,
        ends: [&Links<W>; 2],
        target: &(Rotations<W>, Vectors<W>),
    ) -> Self {
        let [parent, child] = ends;
        let inertias = [&parent.inverse_inertia, &child.inverse_inertia];
        let turns = [parent.rotation.rounded(), child.rotation.rounded()];
        let frame = turns[0] * target.0;
        let zero = Lanes::splat(wide, 0.0);
        let one = Lanes::splat(wide, 1.0);

        // The error as a rotation; of its two quaternions, the one near 1.
        let error = frame.inverse() * turns[1];
        let sign = error.w.above(zero, one, -one);
        let error = error.v * sign;

        let arms = [
            turns[0] * Vectors::splat(wide, &joint.anchors[0]),
            turns[1] * Vectors::splat(wide, &joint.anchors[1]),
        ];
        let gap = child.center.from(parent.center) + (arms[1] - arms[0]);
        Self {
            motors: Motors::new(joint, inertias, frame.axes(), (error, target.1)),
            lock: Lock::new(joint, spring, inertias, arms, gap * spring.recovery),
        }
    }

    /// Leaves out what mends errors of position.
    #[inline(always)]
    pub fn relax(&mut self) {
        self.lock.rate = self.lock.rate.like(0.0);
    }

    /// One sweep.
    #[inline(always)]
    pub fn solve(
        &mut self,
        joint: &Joint,
        spring: &Spring,
        inertias: Inertias<W>,
        velocities: [&mut Velocities<W>; 2],
    ) {
        let [parent, child] = velocities;
        let turns = [&mut parent.angular, &mut child.angular];
        self.motors.solve(joint, inertias, turns);
        self.lock.solve(joint, spring, inertias, [parent, child]);
    }
}

impl<W: Wide> Motors<W> {
    /// About `axes`, with the sines of half the angles that are missing to the targets, and the targets' velocities.
    #[inline(always)]
    fn new(
        joint: &Joint,
        inertias: Inertias<W>,
        axes: [Vectors<W>; 3],
        (errors, velocities): (Vectors<W>, Vectors<W>),
    ) -> Self {
        let inertia = *inertias[0] + *inertias[1];
        let turns = [inertia * axes[0], inertia * axes[1], inertia * axes[2]];
        let gain = errors.x.like(joint.gain);
        Self {
            inverses: [
                turns[0].dot_add(axes[0], gain).recip(),
                turns[1].dot_add(axes[1], gain).recip(),
                turns[2].dot_add(axes[2], gain).recip(),
            ],
            couplings: [
                turns[0].dot(axes[1]),
                turns[0].dot(axes[2]),
                turns[1].dot(axes[2]),
            ],
            axes,
            rates: [
                rate(joint, errors.x, velocities.x),
                rate(joint, errors.y, velocities.y),
                rate(joint, errors.z, velocities.z),
            ],
            impulses: [gain.like(0.0); 3],
        }
    }

    /// `turns` are the angular velocities of parent and child.
    #[inline(always)]
    fn solve(&mut self, joint: &Joint, inertias: Inertias<W>, turns: [&mut Vectors<W>; 2]) {
        let [parent, child] = turns;
        let turn = *child - *parent;
        let [first, second, third] = self.axes;
        let rates = [
            first.dot_add(turn, self.rates[0]),
            second.dot_add(turn, self.rates[1]),
            third.dot_add(turn, self.rates[2]),
        ];
        let [by_first, by_first_too, by_second] = self.couplings;
        let x = self.change(joint, 0, rates[0]);
        let y = self.change(joint, 1, by_first.mul_add(-x, rates[1]));
        let rate = by_first_too.mul_add(-x, rates[2]);
        let z = self.change(joint, 2, by_second.mul_add(-y, rate));
        let impulse = third.mul_add(z, second.mul_add(y, first * x));
        *parent = inertias[0].mul_add(impulse, *parent);
        *child = inertias[1].mul_add(-impulse, *child);
    }

    /// The change of the impulse of motor `i` that `rate` asks for, within what it can do.
    #[inline(always)]
    fn change(&mut self, joint: &Joint, i: usize, rate: Lanes<W>) -> Lanes<W> {
        let before = self.impulses[i];
        let rate = before.mul_add(rate.like(-joint.gain), rate);
        let total = self.inverses[i].mul_add(rate, before);
        let total = total.max(-joint.largest).min(joint.largest);
        self.impulses[i] = total;
        total - before
    }
}

/// The rate with which a motor begins, where `error` is the sine of half the angle that is missing.
#[inline(always)]
fn rate<W: Wide>(joint: &Joint, error: Lanes<W>, velocity: Lanes<W>) -> Lanes<W> {
    let angle = error.max(-1.0).min(1.0).asin() * 2.0;
    angle.mul_add(angle.like(joint.recovery), -velocity)
}

impl<W: Wide> Lock<W> {
    /// With the joint at `arms` from the centres of mass, and `rate` at which its ends should come together.
    #[inline(always)]
    fn new(
        joint: &Joint,
        spring: &Spring,
        inertias: Inertias<W>,
        arms: [Vectors<W>; 2],
        rate: Vectors<W>,
    ) -> Self {
        let parent = Matrices::turning(inertias[0], arms[0]).lifted(arms[0]);
        let child = Matrices::turning(inertias[1], arms[1]).lifted(arms[1]);
        let inverse_mass = parent + child;
        let inverse_mass = inverse_mass.plus(joint.masses[0] + joint.masses[1]);
        Self {
            arms,
            mass: inverse_mass.inverse() * (1.0 / (1.0 + spring.compliance)),
            rate,
            impulse: rate.like(0.0),
        }
    }

    #[inline(always)]
    fn solve(
        &mut self,
        joint: &Joint,
        spring: &Spring,
        inertias: Inertias<W>,
        [parent, child]: [&mut Velocities<W>; 2],
    ) {
        let softness = spring.compliance / (1.0 + spring.compliance);
        let [near, far] = self.arms;
        let rate = child.linear - parent.linear + self.rate;
        let rate = near.cross_add(parent.angular, child.angular.cross_add(far, rate));
        let push = self.mass.mul_add(rate, self.impulse * -softness);
        self.impulse += push;
        let like = |number| push.x.like(number);
        parent.linear = push.mul_add(like(joint.masses[0]), parent.linear);
        parent.angular = inertias[0].mul_add(near.cross(push), parent.angular);
        child.linear = push.mul_add(like(-joint.masses[1]), child.linear);
        child.angular = inertias[1].mul_add(push.cross(far), child.angular);
    }
}
