//! Where the contact points are, for the terms that look at them.

use nalgebra::Vector3;

use super::{Scope, Step};
use crate::body::{ContactPoint, Place};
use crate::motion::skeleton::ANKLES;
use crate::scene::Solid;
use crate::simulation::tangents;

/// The contact points of the body with what each may touch.
pub(super) struct Places<'a> {
    fps: f64,
    points: Vec<Scaled<'a>>,
}

/// A contact point, the scale of its residuals, and the solids that it may touch.
struct Scaled<'a> {
    point: ContactPoint,
    scale: f64,
    solids: Vec<&'a Solid>,
}

impl<'a> Places<'a> {
    /// The contact points of the body with `weight` over the root of their number: means over the points of a
    /// link, as if two feet stood.
    pub fn new(scope: &Scope<'a>, weight: f64) -> Self {
        let problem = scope.problem;
        let points = ContactPoint::of(&problem.body).into_iter();
        let scaled = |point: ContactPoint| {
            let count = scope.frames as f64 * (ANKLES.len() * point.of) as f64;
            let link = &problem.body.links[point.link].name;
            Scaled {
                point,
                scale: weight * (1.0 / count.sqrt()),
                solids: problem.scene.solids_for(link).collect(),
            }
        };
        Self {
            fps: problem.motion.fps,
            points: points.map(scaled).collect(),
        }
    }

    /// Number of contact points.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Every contact point with the scale of its residuals and the place at which it is nearest to a surface at the end
    /// of `step`.
    pub fn nearest<'s>(
        &'s self,
        step: &'s Step,
    ) -> impl Iterator<Item = (&'s ContactPoint, f64, Place)> + 's {
        let time = step.frame as f64 / self.fps;
        self.points.iter().map(move |scaled| {
            let solids = scaled.solids.iter().copied();
            let there = solids.filter(|solid| solid.is_there(time));
            let place = scaled.point.nearest(step.now.links, there);
            (&scaled.point, scaled.scale, place)
        })
    }

    /// Velocity along a surface of the matter that is at `place` at the end of `step`, m/s, along two axes: x and y on
    /// the ground.
    pub fn slip(&self, point: &ContactPoint, place: &Place, step: &Step) -> [f64; 2] {
        let way = point.slip(&place.point, [step.now.links, step.before.links]);
        let velocity = self.fps * way;
        match place.normal == Vector3::z() {
            true => [velocity.x, velocity.y],
            false => tangents(&place.normal).map(|axis| axis.dot(&velocity)),
        }
    }
}
