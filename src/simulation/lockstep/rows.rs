//! The constraints of joints: rows of velocities to be brought to zero by impulses.

use pulp::Simd;

use super::lanes::{Lanes, Rotations, Vectors};
use super::links::{Links, Velocities};
use super::{Joint, Spring};

/// The rows of a joint: three motors and three locked axes.
#[derive(Clone, Copy)]
pub struct JointRows<S: Simd> {
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
        let gap = gap * spring.recovery;
        let mut locks = [
            LockRow::new(ends, axes[0], arms, gap),
            LockRow::new(ends, axes[1], arms, gap),
            LockRow::new(ends, axes[2], arms, gap),
        ];
        // Modified Gram–Schmidt.
        let mass = joint.masses[0] + joint.masses[1];
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

    /// Leaves out what mends errors of position.
    #[inline(always)]
    pub fn relax(&mut self) {
        for lock in &mut self.locks {
            lock.rate = lock.rate.like(0.0);
        }
    }

    /// One sweep.
    #[inline(always)]
    pub fn solve(&mut self, joint: &Joint, parent: &mut Velocities<S>, child: &mut Velocities<S>) {
        for motor in &mut self.motors {
            motor.solve(joint, parent, child);
        }
        for lock in &mut self.locks {
            lock.solve(joint, parent, child);
        }
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
        let zero = rate.like(0.0);
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
    fn solve(&mut self, joint: &Joint, parent: &mut Velocities<S>, child: &mut Velocities<S>) {
        let rate = self.axis.dot(child.linear - parent.linear)
            + (self.moments[1].dot(child.angular) - self.moments[0].dot(parent.angular))
            + self.rate;
        let change = self.inverse * (rate - self.gain * self.impulse);
        self.impulse += change;
        let push = self.axis * change;
        parent.linear += push * joint.masses[0];
        parent.angular += self.turns[0] * change;
        child.linear -= push * joint.masses[1];
        child.angular -= self.turns[1] * change;
    }
}
