//! What the ground does to a link or a foot: force, centre of pressure, free moment.

use nalgebra::Vector3;

use crate::body::{Body, Side};

/// The wrench of the ground on a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contact {
    /// Index of the link.
    pub link: usize,
    /// Centre of pressure, world frame, m: the mean of the places of contact, weighted by normal force.
    pub point: Vector3<f64>,
    /// Force on the link, friction included, world frame, N.
    pub force: Vector3<f64>,
    /// The part of it that is normal to the surface, world frame, N.
    pub normal: Vector3<f64>,
    /// Moment about the vertical axis through `point`, N·m.
    pub free_moment: f64,
}

/// What the ground does to a foot, as plates measure it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Push {
    /// Force on the foot, friction included, world frame, N.
    pub force: Vector3<f64>,
    /// Centre of pressure, world frame, m; none in the air.
    pub center: Option<Vector3<f64>>,
}

impl From<Option<Contact>> for Push {
    fn from(contact: Option<Contact>) -> Self {
        Self {
            force: contact.map_or(Vector3::zeros(), |contact| contact.force),
            center: contact.map(|contact| contact.point),
        }
    }
}

impl Contact {
    /// A force at one place, which has no moment about it.
    pub fn at(
        link: usize,
        point: Vector3<f64>,
        normal: Vector3<f64>,
        friction: Vector3<f64>,
    ) -> Self {
        Self {
            link,
            point,
            force: normal + friction,
            normal,
            free_moment: 0.0,
        }
    }

    /// The part of the force that is tangential to the surface, world frame, N.
    pub fn friction(&self) -> Vector3<f64> {
        self.force - self.normal
    }

    /// `share` of the wrench.
    #[must_use]
    pub fn scaled(self, share: f64) -> Self {
        Self {
            force: share * self.force,
            normal: share * self.normal,
            free_moment: share * self.free_moment,
            ..self
        }
    }

    /// The wrench of both; of this one's link.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        let weights = [self.normal.norm(), other.normal.norm()];
        let total = weights[0] + weights[1];
        let point = match total > 0.0 {
            true => (weights[0] * self.point + weights[1] * other.point) / total,
            false => self.point,
        };
        let moment =
            |contact: &Self| contact.free_moment + (contact.point - point).cross(&contact.force).z;
        Self {
            link: self.link,
            point,
            force: self.force + other.force,
            normal: self.normal + other.normal,
            free_moment: moment(&self) + moment(other),
        }
    }

    /// The wrench on the foot of `side`, by the `contacts` of the links of `body`: on all links that are said to
    /// belong to it.
    pub fn on_foot(contacts: &[Self], body: &Body, side: Side) -> Option<Self> {
        let is_own = |contact: &&Self| body.links[contact.link].foot == Some(side);
        Self::total(contacts.iter().filter(is_own))
    }

    /// The wrench of all `contacts`; `None` without any.
    pub fn total<'a>(contacts: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let sum = |sum: Self, contact: &Self| sum.with(contact);
        let mut contacts = contacts.into_iter();
        let first = contacts.next()?;
        Some(contacts.fold(*first, sum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrench_of_two_contacts_has_the_moment_of_both_about_any_place() {
        let contact = |x: f64, y: f64, normal: f64, friction: [f64; 2]| {
            let friction = Vector3::new(friction[0], friction[1], 0.0);
            Contact::at(3, Vector3::new(x, y, 0.0), Vector3::z() * normal, friction)
        };
        let contacts = [
            contact(0.1, 0.2, 300.0, [10.0, -20.0]),
            contact(0.3, -0.1, 100.0, [-5.0, 8.0]),
            contact(0.2, 0.0, 50.0, [0.0, 30.0]),
        ];
        let total = Contact::total(&contacts).unwrap();
        let moment = |contact: &Contact| {
            contact.point.cross(&contact.force) + Vector3::z() * contact.free_moment
        };
        let sum: Vector3<f64> = contacts.iter().map(moment).sum();
        assert!((moment(&total) - sum).norm() < 1e-12);
        assert!((total.force - Vector3::new(5.0, 18.0, 450.0)).norm() < 1e-12);
        assert!((total.point.x - 70.0 / 450.0).abs() < 1e-12);
        assert_eq!(Contact::total(&[]), None);
    }
}
