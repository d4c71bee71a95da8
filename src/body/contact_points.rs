//! The points by which the body touches the ground.

use nalgebra::{Isometry3, Vector3};

use super::{Body, Side};
use crate::scene::{Scene, Solid};

/// A contact sphere of a link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContactPoint {
    /// Index of the link.
    pub link: usize,
    /// Number of contact spheres of this link.
    pub of: usize,
    /// The side whose foot the link belongs to, if it is one.
    pub foot: Option<Side>,
    /// In the frame of the link, m.
    center: Vector3<f64>,
    /// m.
    radius: f64,
}

/// Where a contact sphere is nearest to what it may touch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// The point of the sphere, world frame, m.
    pub point: Vector3<f64>,
    /// Out of the surface, unit vector.
    pub normal: Vector3<f64>,
    /// From the surface, m; negative inside.
    pub distance: f64,
}

/// The ball of a foot: the foremost of the contact points on the link that begins at the ankle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ball {
    /// Index of the link.
    link: usize,
    /// How far ahead of the ankle it is, along the x axis of the link, m.
    reach: f64,
}

impl Ball {
    /// Those of the feet `[right, left]` of `body`, as far as it has them.
    pub fn of(body: &Body) -> Vec<Self> {
        let ball = |side| {
            let link = body.links.iter().position(|l| l.foot == Some(side))?;
            let spheres = body.links[link].contact_spheres().into_iter();
            let reach = spheres.map(|(center, _)| center.x).fold(0.0, f64::max);
            (reach > 0.0).then_some(Self { link, reach })
        };
        Side::BOTH.into_iter().filter_map(ball).collect()
    }

    /// From the ankle to it, along the foot, world frame, m.
    pub fn from_ankle(&self, links: &[Isometry3<f64>]) -> Vector3<f64> {
        links[self.link].rotation * (self.reach * Vector3::x())
    }
}

impl ContactPoint {
    /// Those of `body`, link by link.
    pub fn of(body: &Body) -> Vec<Self> {
        let mut points = Vec::new();
        for (link, shapes) in body.links.iter().enumerate() {
            let spheres = shapes.contact_spheres();
            let of = spheres.len();
            points.extend(spheres.into_iter().map(|(center, radius)| Self {
                link,
                of,
                foot: shapes.foot,
                center,
                radius,
            }));
        }
        points
    }

    /// Its lowest point, world frame, m, with the links at `links`.
    pub fn lowest(&self, links: &[Isometry3<f64>]) -> Vector3<f64> {
        let center = links[self.link].transform_point(&self.center.into());
        center.coords - self.radius * Vector3::z()
    }

    /// Where it is nearest to the ground or one of `solids`, with the links at `links`.
    pub fn nearest<'b>(
        &self,
        links: &[Isometry3<f64>],
        solids: impl Iterator<Item = &'b Solid>,
    ) -> Place {
        let lowest = self.lowest(links);
        let ground = Place {
            point: lowest,
            normal: Vector3::z(),
            distance: lowest.z,
        };
        solids.fold(ground, |nearest, solid| {
            let center = lowest + self.radius * Vector3::z();
            let place = solid.nearest(&center, self.radius);
            match place.distance < nearest.distance {
                true => Place {
                    point: center - self.radius * place.normal,
                    normal: place.normal,
                    distance: place.distance,
                },
                false => nearest,
            }
        })
    }

    /// The same of what its link of `body` can touch in `scene` at `time`, s.
    pub fn place(
        &self,
        (body, scene): (&Body, &Scene),
        links: &[Isometry3<f64>],
        time: f64,
    ) -> Place {
        let solids = scene.solids_for(&body.links[self.link].name);
        self.nearest(links, solids.filter(|solid| solid.is_there(time)))
    }

    /// How far the matter at its `lowest` point with the links at `links` has come from where it was
    /// with them at `previous`, world frame, m: nothing where the sphere rolls.
    pub fn slip(
        &self,
        lowest: &Vector3<f64>,
        [links, previous]: [&[Isometry3<f64>]; 2],
    ) -> Vector3<f64> {
        let matter = links[self.link].inverse_transform_point(&(*lowest).into());
        lowest - previous[self.link].transform_point(&matter).coords
    }
}

/// Heights of the contact spheres on the foot of `side` above the ground or a box of `scene`, m, with the links at
/// `links`; `points` are those of `body`.
pub fn heights_of_foot(
    (body, scene): (&Body, &Scene),
    points: &[ContactPoint],
    side: Side,
    links: &[Isometry3<f64>],
) -> impl Iterator<Item = f64> {
    let of_foot = points.iter().filter(move |point| point.foot == Some(side));
    of_foot.map(move |point| {
        let solids = scene.solids_for(&body.links[point.link].name);
        point.nearest(links, solids).distance
    })
}
