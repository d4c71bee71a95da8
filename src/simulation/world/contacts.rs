//! What the last step did to the links.

use nalgebra::Vector3;
use rapier3d::prelude::{ColliderHandle, RigidBodyHandle};

use super::{Engine, World, from_vector};
use crate::simulation::{Contact, FootLoad};

impl World {
    /// What the ground did to each link that touched it in the last step.
    pub fn contacts(&self, engine: &Engine) -> Vec<Contact> {
        let links = self.links.iter().enumerate();
        let of_link = |(link, handle): (usize, &RigidBodyHandle)| {
            let colliders = self.bodies[*handle].colliders();
            let contacts: Vec<Contact> = colliders
                .iter()
                .flat_map(|collider| self.contacts_of(link, *collider, engine))
                .collect();
            Contact::total(&contacts)
        };
        links.filter_map(of_link).collect()
    }

    /// The contacts of a collider of `link` in the last step.
    fn contacts_of<'w>(
        &'w self,
        link: usize,
        collider: ColliderHandle,
        engine: &'w Engine,
    ) -> impl Iterator<Item = Contact> + 'w {
        let pose = self.colliders[collider].position();
        let pairs = self.narrow_phase.contact_pairs_with(collider);
        let manifolds = pairs.flat_map(move |pair| {
            let is_first = pair.collider1 == collider;
            let manifolds = pair.manifolds().iter();
            manifolds.map(move |manifold| (is_first, manifold))
        });
        manifolds.flat_map(move |(is_first, manifold)| {
            let away = from_vector(manifold.data.normal);
            let [first, second] = tangents(&-away);
            let sign = if is_first { 1.0 } else { -1.0 };
            let rate = sign / engine.parameters.dt;
            manifold.contacts().iter().filter_map(move |point| {
                let local = if is_first {
                    point.local_p1
                } else {
                    point.local_p2
                };
                let slip = point.data.tangent_impulse;
                let normal = -rate * point.data.impulse * away;
                let friction = rate * (slip.x * first + slip.y * second);
                let at = from_vector(pose.transform_point(local));
                (point.data.impulse != 0.0).then(|| Contact::at(link, at, normal, friction))
            })
        })
    }

    /// How what the feet `[right, left]` touched in the last step pressed on them.
    pub fn foot_loads(&self, engine: &Engine) -> [FootLoad; 2] {
        let mut loads = [FootLoad::default(); 2];
        for (collider, link) in self.spheres.iter().zip(&self.sphere_links) {
            if let Some(side) = self.feet[*link] {
                let contacts = self.contacts_of(*link, *collider, engine);
                let force = contacts.map(|contact| contact.force).sum();
                let center = from_vector(self.colliders[*collider].position().translation);
                loads[side.index()].add(&force, &center);
            }
        }
        loads
    }
}

/// Two directions at right angles to the unit vector `push` and to each other, along which the engine counts friction
/// impulses on the first body, on which a surface pushes along `push` (Duff et al., "Building an orthonormal basis, revisited", Journal of
/// Computer Graphics Techniques 6(1), 2017).
pub(crate) fn tangents(push: &Vector3<f64>) -> [Vector3<f64>; 2] {
    let sign = 1.0_f64.copysign(push.z);
    let a = -1.0 / (sign + push.z);
    let first = Vector3::new(push.x * push.y * a, sign + push.y * push.y * a, -push.y);
    [first, push.cross(&first)]
}
