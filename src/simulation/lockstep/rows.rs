//! The constraints of joints: velocities to be brought to zero by impulses.

use pulp::Simd;

use super::lanes::{Lanes, Matrices, Rotations, Symmetric, Vectors};
use super::links::{Links, Velocities};
use super::{Joint, Spring};

/// The constraints of a joint: three motors, and the lock that holds its ends together.
#[derive(Clone, Copy)]
pub struct JointRows<S: Simd> {
    motors: [MotorRow<S>; 3],
    lock: Lock<S>,
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

/// The ends of a joint in one place. The engine makes three rows of it that do not act on each other (Gram–Schmidt
/// with the inverse masses as the metric), so that one after the other they do what this does at once.
#[derive(Clone, Copy)]
struct Lock<S: Simd> {
    /// From the centres of mass of parent and child to the joint.
    arms: [Vectors<S>; 2],
    /// Change of the angular velocities of parent and child per impulse.
    turns: [Matrices<S>; 2],
    /// Inverse of the effective inverse mass, softened.
    mass: Symmetric<S>,
    /// The velocity at which the ends should come together.
    rate: Vectors<S>,
    impulse: Vectors<S>,
}

impl<S: Simd> JointRows<S> {
    /// Where the `ends`, parent and child, are now.
    #[inline(always)]
    pub fn new(
        simd: S,
        joint: &Joint,
        spring: &Spring,
        ends: [&Links<S>; 2],
        target: &(Rotations<S>, Vectors<S>),
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
        parent: &mut Velocities<S>,
        child: &mut Velocities<S>,
    ) {
        for motor in &mut self.motors {
            motor.solve(joint, parent, child);
        }
        self.lock.solve(joint, spring, parent, child);
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
            impulse: error.like(0.0),
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

impl<S: Simd> Lock<S> {
    /// With the joint at `arms` from the centres of mass, and `rate` at which its ends should come together.
    #[inline(always)]
    fn new(
        joint: &Joint,
        spring: &Spring,
        [parent, child]: [&Links<S>; 2],
        arms: [Vectors<S>; 2],
        rate: Vectors<S>,
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
        parent: &mut Velocities<S>,
        child: &mut Velocities<S>,
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
