//! Heels and balls of the feet of a body.

use nalgebra::{Isometry3, UnitQuaternion, Vector3};

use crate::body::{Body, Marker, Pose, Side};
use crate::simulation::{Contact, Frame};

/// A foot touches the ground from this force on, N.
const TOUCH: f64 = 5.0;

/// A sphere of a foot that does so is no higher above the ground, m.
const CLOSE: f64 = 0.01;

/// A foot's contact spheres, in two halves.
pub struct Foot {
    side: Side,
    /// Those of the heel and those of the ball, with their radii, m.
    halves: [Vec<(Marker, f64)>; 2],
}

impl Foot {
    /// The feet `[right, left]`; `None` where one has no spheres before and behind its middle.
    pub fn both(body: &Body) -> Option<[Self; 2]> {
        let [right, left] = Side::BOTH.map(|side| Self::of(body, side));
        Some([right?, left?])
    }

    fn of(body: &Body, side: Side) -> Option<Self> {
        let rest = Pose {
            root: Isometry3::identity(),
            rotations: vec![UnitQuaternion::identity(); body.links.len()],
        };
        let poses = body.forward_kinematics(&rest);
        let links = body.links.iter().enumerate();
        let spheres = links.filter(|(_, link)| link.foot == Some(side));
        let spheres = spheres.flat_map(|(link, model)| {
            let spheres = model.contact_spheres().into_iter();
            spheres.map(move |(position, radius)| (Marker { link, position }, radius))
        });
        let spheres: Vec<(Marker, f64)> = spheres.collect();
        let forward = |sphere: &(Marker, f64)| point(&sphere.0, &poses).x;
        let middle = spheres.iter().map(forward).sum::<f64>() / spheres.len() as f64;
        let (heel, ball): (Vec<_>, Vec<_>) = spheres
            .into_iter()
            .partition(|sphere| forward(sphere) < middle);
        let is_whole = !heel.is_empty() && !ball.is_empty();
        is_whole.then_some(Self {
            side,
            halves: [heel, ball],
        })
    }

    /// Heel and ball in the world: the middles of their spheres, m.
    pub fn points(&self, links: &[Isometry3<f64>]) -> [Vector3<f64>; 2] {
        [0, 1].map(|half| {
            let spheres = &self.halves[half];
            let all = spheres.iter().map(|(marker, _)| point(marker, links));
            all.sum::<Vector3<f64>>() / spheres.len() as f64
        })
    }

    /// Whether heel and ball carry something: the foot is pushed, and a sphere of theirs is down.
    pub fn touches(&self, body: &Body, frame: &Frame) -> [bool; 2] {
        let push = Contact::on_foot(&frame.contacts, body, self.side);
        let is_pushed = push.is_some_and(|push| push.force.z > TOUCH);
        [0, 1].map(|half| {
            let is_down =
                |(marker, radius): &(Marker, f64)| point(marker, &frame.links).z - radius < CLOSE;
            is_pushed && self.halves[half].iter().any(is_down)
        })
    }
}

fn point(marker: &Marker, links: &[Isometry3<f64>]) -> Vector3<f64> {
    let position = marker.position.into();
    links[marker.link].transform_point(&position).coords
}
