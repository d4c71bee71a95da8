//! Inverse dynamics: what the joints did to the links in a step, from the links' motion and the ground's forces.

use nalgebra::{Matrix3, Vector3};

use super::{Contact, GRAVITY, LinkState};
use crate::body::Body;

/// What a link is given by its parent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Wrench {
    /// N.
    force: Vector3<f64>,
    /// About the joint's centre, N·m.
    moment: Vector3<f64>,
}

/// The net moment on every link of `body` from its parent about the joint's centre, world frame, N·m: the mean over a
/// step of `duration`, s, from the links' states `before` to those `after` it, in which the ground did `contacts`.
/// Newton's and Euler's equations, from the ends of the limbs to the root (Winter 2009, chapter 5). It is all that the
/// joint does: motors, limits and what holds its axes. What the root is given is zero but for rounding.
///
/// # Panics
/// When the states are not those of the links of `body`.
pub fn net_moments(
    body: &Body,
    [before, after]: [&[LinkState]; 2],
    contacts: &[Contact],
    duration: f64,
) -> Vec<Vector3<f64>> {
    let center = |i: usize| 0.5 * (before[i].center + after[i].center);
    let joint = |i: usize| {
        let origin =
            |state: &LinkState| state.center - state.rotation * body.links[i].center_of_mass;
        0.5 * (origin(&before[i]) + origin(&after[i]))
    };
    let mut given = vec![Wrench::default(); body.links.len()];
    for (i, link) in body.links.iter().enumerate().rev() {
        let momentum = link.mass * (after[i].linear - before[i].linear) / duration;
        let mut force = momentum + link.mass * GRAVITY * Vector3::z();
        let [old, new] = [&before[i], &after[i]].map(|state| spin(state, &link.inertia));
        let mut moment = (new - old) / duration;
        for contact in contacts.iter().filter(|contact| contact.link == i) {
            force -= contact.force;
            moment -= (contact.point - center(i)).cross(&contact.force);
            moment.z -= contact.free_moment;
        }
        given[i].moment += moment + (center(i) - joint(i)).cross(&force);
        given[i].force += force;
        if let Some(parent) = link.parent {
            let arm = joint(i) - joint(parent);
            let Wrench { force, moment } = given[i];
            given[parent].moment += moment + arm.cross(&force);
            given[parent].force += force;
        }
    }
    given.into_iter().map(|wrench| wrench.moment).collect()
}

/// Angular momentum of a link about its centre of mass, world frame, kg·m²/s; `inertia` about the axes of its frame.
fn spin(state: &LinkState, inertia: &Vector3<f64>) -> Vector3<f64> {
    let inertia = Matrix3::from_diagonal(inertia);
    state.rotation * (inertia * (state.rotation.inverse() * state.angular))
}
