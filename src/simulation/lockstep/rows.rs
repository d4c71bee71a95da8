//! The constraints of joints: velocities to be brought to zero by impulses.

use super::lanes::Lanes;
use super::links::{Links, Velocities};
use super::matrices::{Matrices, Symmetric};
use super::model::{Joint, Spring};
use super::vectors::{Rotations, Vectors};
use super::wide::Wide;

/// The constraints of a joint: three motors, and the lock that holds its ends together.
#[derive(Clone, Copy)]
pub struct JointRows<W: Wide> {
    motors: [MotorRow<W>; 3],
    lock: Lock<W>,
}

#[derive(Clone, Copy)]
struct MotorRow<W: Wide> {
    axis: Vectors<W>,
    /// Change of the angular velocities of parent and child per impulse.
    turns: [Vectors<W>; 2],
    inverse: Lanes<W>,
    rate: Lanes<W>,
    impulse: Lanes<W>,
}

/// The ends of a joint in one place. The engine makes three rows of it that do not act on each other (Gram–Schmidt
/// with the inverse masses as the metric), so that one after the other they do what this does at once.
#[derive(Clone, Copy)]
struct Lock<W: Wide> {
    /// From the centres of mass of parent and child to the joint.
    arms: [Vectors<W>; 2],
    /// Change of the angular velocities of parent and child per impulse.
    turns: [Matrices<W>; 2],
    /// Inverse of the effective inverse mass, softened.
    mass: Symmetric<W>,
    /// The velocity at which the ends should come together.
    rate: Vectors<W>,
    impulse: Vectors<W>,
}

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
        let turns = [parent.rotation.rounded(), child.rotation.rounded()];
        let frame = turns[0] * target.0;
        let axes = frame.axes();
        let zero = Lanes::splat(wide, 0.0);
        let one = Lanes::splat(wide, 1.0);

        // The error as a rotation; of its two quaternions, the one near 1.
        let error = frame.inverse() * turns[1];
        let sign = error.w.above(zero, one, -one);
        let error = error.v * sign;
        let motors = [
            MotorRow::new(joint, ends, axes[0], error.x, target.1.x),
            MotorRow::new(joint, ends, axes[1], error.y, target.1.y),
            MotorRow::new(joint, ends, axes[2], error.z, target.1.z),
        ];

        let arms = [
            turns[0] * Vectors::splat(wide, &joint.anchors[0]),
            turns[1] * Vectors::splat(wide, &joint.anchors[1]),
        ];
        let gap = child.center.from(parent.center) + (arms[1] - arms[0]);
        Self {
            motors,
            lock: Lock::new(joint, spring, ends, arms, gap * spring.recovery),
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
        parent: &mut Velocities<W>,
        child: &mut Velocities<W>,
    ) {
        for motor in &mut self.motors {
            motor.solve(joint, parent, child);
        }
        self.lock.solve(joint, spring, parent, child);
    }
}

impl<W: Wide> MotorRow<W> {
    /// About `axis`, with `error` the sine of half the angle.
    #[inline(always)]
    fn new(
        joint: &Joint,
        [parent, child]: [&Links<W>; 2],
        axis: Vectors<W>,
        error: Lanes<W>,
        velocity: Lanes<W>,
    ) -> Self {
        let turns = [parent.inverse_inertia * axis, child.inverse_inertia * axis];
        let angle = error.max(-1.0).min(1.0).asin() * 2.0;
        Self {
            axis,
            turns,
            inverse: (turns[0].dot(axis) + turns[1].dot(axis) + joint.gain).recip(),
            rate: angle * joint.recovery - velocity,
            impulse: error.like(0.0),
        }
    }

    #[inline(always)]
    fn solve(&mut self, joint: &Joint, parent: &mut Velocities<W>, child: &mut Velocities<W>) {
        let rate = self.axis.dot(child.angular - parent.angular) + self.rate;
        let total = self.impulse + self.inverse * (rate - self.impulse * joint.gain);
        let total = total.max(-joint.largest).min(joint.largest);
        let change = total - self.impulse;
        self.impulse = total;
        parent.angular += self.turns[0] * change;
        child.angular -= self.turns[1] * change;
    }
}

impl<W: Wide> Lock<W> {
    /// With the joint at `arms` from the centres of mass, and `rate` at which its ends should come together.
    #[inline(always)]
    fn new(
        joint: &Joint,
        spring: &Spring,
        [parent, child]: [&Links<W>; 2],
        arms: [Vectors<W>; 2],
        rate: Vectors<W>,
    ) -> Self {
        let turns = [
            Matrices::turning(&parent.inverse_inertia, arms[0]),
            Matrices::turning(&child.inverse_inertia, arms[1]),
        ];
        let inverse_mass = turns[0].lifted(arms[0]) + turns[1].lifted(arms[1]);
        let inverse_mass = inverse_mass.plus(joint.masses[0] + joint.masses[1]);
        Self {
            arms,
            turns,
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
        parent: &mut Velocities<W>,
        child: &mut Velocities<W>,
    ) {
        let softness = spring.compliance / (1.0 + spring.compliance);
        let rate = child.linear - parent.linear
            + (child.angular.cross(self.arms[1]) - parent.angular.cross(self.arms[0]))
            + self.rate;
        let push = self.mass * rate - self.impulse * softness;
        self.impulse += push;
        parent.linear += push * joint.masses[0];
        parent.angular += self.turns[0] * push;
        child.linear -= push * joint.masses[1];
        child.angular -= self.turns[1] * push;
    }
}
