//! The points by which feet touch the ground.

use nalgebra::{Isometry3, Vector3};

use crate::body::{Body, Link};

/// The lowest point of a contact sphere of a flat foot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sole {
    link: usize,
    /// In the frame of the link, m.
    position: Vector3<f64>,
    /// Whether it is on the left.
    is_left: bool,
}

impl Sole {
    /// Those of `body`.
    pub fn of(body: &Body) -> Vec<Self> {
        let spheres = |(link, shapes): (usize, &Link)| {
            let is_left = shapes.name.starts_with("left");
            let lowest = move |(center, radius): (Vector3<f64>, f64)| Self {
                link,
                position: center - radius * Vector3::z(),
                is_left,
            };
            shapes.contact_spheres().into_iter().map(lowest)
        };
        body.links.iter().enumerate().flat_map(spheres).collect()
    }

    /// Where it is, m, with the links at `links`.
    pub fn at(&self, links: &[Isometry3<f64>]) -> Vector3<f64> {
        let position = self.position.into();
        links[self.link].transform_point(&position).coords
    }
}

/// Height of the lowest of `soles` of the right (0) or left (1) foot with the links at `links`, m.
pub fn lowest(soles: &[Sole], foot: usize, links: &[Isometry3<f64>]) -> f64 {
    let of_foot = soles
        .iter()
        .filter(|sole| usize::from(sole.is_left) == foot);
    let heights = of_foot.map(|sole| sole.at(links).z);
    heights.fold(f64::INFINITY, f64::min)
}
