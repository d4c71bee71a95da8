//! The points by which feet touch the ground.

use nalgebra::{Isometry3, Vector3};

use super::{Body, Link};

/// A contact sphere of a foot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sole {
    link: usize,
    /// In the frame of the link, m.
    center: Vector3<f64>,
    /// m.
    radius: f64,
    /// Whether it is on the left.
    is_left: bool,
}

impl Sole {
    /// Those of `body`.
    pub fn of(body: &Body) -> Vec<Self> {
        let spheres = |(link, shapes): (usize, &Link)| {
            let is_left = shapes.name.starts_with("left");
            let sole = move |(center, radius)| Self {
                link,
                center,
                radius,
                is_left,
            };
            shapes.contact_spheres().into_iter().map(sole)
        };
        body.links.iter().enumerate().flat_map(spheres).collect()
    }

    /// Where the point is that is its lowest under a flat foot, m, with the links at `links`.
    pub fn at(&self, links: &[Isometry3<f64>]) -> Vector3<f64> {
        let point = self.center - self.radius * Vector3::z();
        links[self.link].transform_point(&point.into()).coords
    }

    /// Height of its lowest point, however the foot is turned, m.
    fn height(&self, links: &[Isometry3<f64>]) -> f64 {
        let center = links[self.link].transform_point(&self.center.into());
        center.z - self.radius
    }
}

/// Heights of the `soles` of the right (0) or left (1) foot with the links at `links`, m.
pub fn sole_heights(
    soles: &[Sole],
    foot: usize,
    links: &[Isometry3<f64>],
) -> impl Iterator<Item = f64> {
    let of_foot = soles
        .iter()
        .filter(move |sole| usize::from(sole.is_left) == foot);
    of_foot.map(|sole| sole.height(links))
}
