//! What the ground does to the body according to the reference poses: the force that accelerates the centre of mass,
//! where it acts, and how the feet share it.
//!
//! Gravity and inertia of the centre of mass say how large the force is: m (a + g). Its place is the zero-moment point
//! (Vukobratović and Borovac 2004): the point of the ground about which they have no horizontal moment. A foot that
//! stands alone carries everything. Two feet share it by where the zero-moment point lies between them, that is,
//! between the ball of the one behind and the heel of the one ahead, and by how their ankles move.

mod footprint;
mod forces;

use nalgebra::{Isometry3, Point3, Vector2, Vector3};

use footprint::Footprint;
pub(super) use forces::{Forces, shears_in_steps};

use crate::body::{Body, ContactPoint};
use crate::motion::contact::{is_near, smooth_step, standing_heights};
use crate::motion::low_pass;
use crate::motion::skeleton::ANKLES;
use crate::scene::Scene;
use crate::simulation::GRAVITY;

/// Frequency up to which the accelerations of the observed centre of mass are believed, Hz. The vertical force that
/// they imply is off by, RMS in % of body weight over 46 trials with force plates, at 6, 8, 12 and 20 Hz: walks 4.9,
/// 4.6, 4.4, 4.5; runs 21.1, 19.7, 18.8, 18.4; jumps 32.5, 26.5, 21.4, 19.3. Files with more noise are smoothed when
/// they are read.
pub(super) const FORCE_CUTOFF: f64 = 12.0;

/// Vertical force, as a share of body weight, from which on something has to carry the body.
const CARRIED: f64 = 0.5;

/// How two feet share the load. The logit of a foot's share is [`NEARER`] where the zero-moment point is at the foot, and its
/// negative where it is at the other one, in proportion in between; [`SINKING`] less for every unit by which its ankle
/// sinks faster than the other's: it comes down; and [`MOVING`] less for every unit by which its ankle moves faster
/// over the ground: it leaves. Units are √(g × stature). The zero-moment point is that of accelerations up to
/// [`SHARING_CUTOFF`], Hz.
///
/// Fitted to the 45 trials with force plates that are no sprint. Loads of single feet are off by, RMS in % of body
/// weight, fitted without the subject in question and where a foot is slow: walks 5.2, turns 5.7, jumps 11.3, squats 1.6; by
/// the zero-moment point of all accelerations alone 6.2, 7.0, 13.6, 2.9.
const NEARER: f64 = 2.1;
/// See [`NEARER`].
const SINKING: f64 = 4.7;
/// See [`NEARER`].
const MOVING: f64 = 3.1;
/// See [`NEARER`].
const SHARING_CUTOFF: f64 = 2.0;

/// Horizontal speeds of the centre of mass, m/s, between which feet begin to roll under it: from where a body is taken to
/// travel ([`directions_of_travel`](crate::motion::directions_of_travel)) to slow walking.
const TRAVELS: [f64; 2] = [0.3, 0.6];

/// Where a foot presses on the ground.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pressure {
    /// Its centre of pressure, world frame, m.
    pub center: Vector2<f64>,
    /// The horizontal direction to the toes, in which the poses tell it; of length 1.
    pub ahead: Vector2<f64>,
    /// How much the foot rolls, 0 to 1: under a body that stays where it is, its balance says where feet press.
    pub rolls: f64,
}

/// The body in its reference poses, frame by frame.
pub(super) struct Reference<'a> {
    pub body: &'a Body,
    pub scene: &'a Scene,
    /// World poses of the links, one entry per frame.
    pub links: &'a [Vec<Isometry3<f64>>],
    /// Frames per second, Hz.
    pub fps: f64,
}

/// Accelerations of the centre of mass, m/s², given where it is, m, `fps` times a second: low-passed without lag at
/// `cutoff`, Hz; in the first and last frame as beside them.
pub fn mass_center_accelerations(
    centers: &[Vector3<f64>],
    fps: f64,
    cutoff: f64,
) -> Vec<Vector3<f64>> {
    let mut accelerations = second_differences(&low_pass(centers, fps, cutoff), fps);
    hold_ends(&mut accelerations);
    accelerations
}

/// What is not known in the first and last frame of `track` becomes what it is beside them.
pub(super) fn hold_ends<T: Clone>(track: &mut [T]) {
    if let [first, second, .., before, last] = track {
        first.clone_from(second);
        last.clone_from(before);
    }
}

/// The way on `track` from the frame before `t` to the one after, m, and the number of frames that it takes.
fn way_around(track: &[Vector3<f64>], t: usize) -> (Vector3<f64>, f64) {
    let (before, after) = (t.saturating_sub(1), (t + 1).min(track.len() - 1));
    (track[after] - track[before], (after - before).max(1) as f64)
}

/// Second differences of `track`, m, in m/s²; those at the ends are zero.
pub(super) fn second_differences(track: &[Vector3<f64>], fps: f64) -> Vec<Vector3<f64>> {
    let mut accelerations = vec![Vector3::zeros(); track.len()];
    for (acceleration, w) in accelerations.iter_mut().skip(1).zip(track.windows(3)) {
        *acceleration = fps * fps * (w[2] - 2.0 * w[1] + w[0]);
    }
    accelerations
}

/// The zero-moment point of a body whose centre of mass is at `center`, m, with `acceleration`, m/s²; `None` while
/// nothing has to carry it.
pub(super) fn zero_moment_point(
    center: &Vector3<f64>,
    acceleration: &Vector3<f64>,
) -> Option<Vector2<f64>> {
    let vertical = acceleration.z + GRAVITY;
    (vertical > CARRIED * GRAVITY).then(|| on_ground(center, acceleration, vertical))
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Where the line through `center`, m, along a force that accelerates it by `acceleration` to the side and by `vertical`
/// upwards, gravity included, m/s², goes through the ground.
fn on_ground(center: &Vector3<f64>, acceleration: &Vector3<f64>, vertical: f64) -> Vector2<f64> {
    center.xy() - acceleration.xy() * (center.z / vertical)
}

/// Means in the step to every frame of `loads` at the frames.
pub(super) fn loads_in_steps(loads: &[Option<[f64; 2]>]) -> Vec<Option<[f64; 2]>> {
    let step = |t: usize| {
        let (now, before) = (loads[t]?, loads[t.saturating_sub(1)]?);
        Some([0, 1].map(|foot| 0.5 * (now[foot] + before[foot])))
    };
    (0..loads.len()).map(step).collect()
}

/// Means in the step to every frame of `pressures` at the frames.
pub(super) fn pressures_in_steps(
    pressures: &[[Option<Pressure>; 2]],
) -> Vec<[Option<Pressure>; 2]> {
    let step = |foot: usize, t: usize| {
        let (now, before) = (pressures[t][foot]?, pressures[t.saturating_sub(1)][foot]?);
        Some(Pressure {
            center: 0.5 * (now.center + before.center),
            ..now
        })
    };
    let both = |t: usize| [0, 1].map(|foot| step(foot, t));
    (0..pressures.len()).map(both).collect()
}

impl Reference<'_> {
    /// The vertical forces on the feet `[right, left]` at every frame, as shares of body weight, where the centre of mass
    /// has the given `accelerations`; `None` where something else may carry part of it.
    pub fn foot_loads(&self, accelerations: &[Vector3<f64>]) -> Vec<Option<[f64; 2]>> {
        let points = ContactPoint::of(self.body);
        let centers = self.mass_centers();
        let slow = mass_center_accelerations(&centers, self.fps, SHARING_CUTOFF);
        let ankles = self.ankles();
        let at = |t: usize| {
            let mut others = points.iter().filter(|point| point.foot.is_none());
            if others.any(|point| is_near(self.distance(point, t))) {
                return None;
            }
            let total = (1.0 + accelerations[t].z / GRAVITY).max(0.0);
            match self.carrying(t, &points) {
                [None, None] => (total < CARRIED).then_some([0.0; 2]),
                [Some(_), None] => Some([total, 0.0]),
                [None, Some(_)] => Some([0.0, total]),
                [Some(right), Some(left)] => {
                    let vertical = (slow[t].z + GRAVITY).max(CARRIED * GRAVITY);
                    let zero_moment = on_ground(&centers[t], &slow[t], vertical);
                    let place = left.nearer(&right, &zero_moment);
                    let share = logistic(NEARER * place + self.moves_less(&ankles, t));
                    Some([total * (1.0 - share), total * share])
                }
            }
        };
        (0..self.links.len()).map(at).collect()
    }

    /// Where the feet `[right, left]` press on the ground at every frame; `None` for a foot that does not carry the body.
    pub fn pressures(&self) -> Vec<[Option<Pressure>; 2]> {
        let points = ContactPoint::of(self.body);
        let frames = 0..self.links.len();
        let prints: Vec<_> = (frames.clone())
            .map(|t| self.carrying(t, &points))
            .collect();
        let ankles = self.ankles();
        let height = |foot: usize, t: usize| -> Option<f64> {
            Some(ankles[foot][t].z - prints[t][foot].as_ref()?.ground)
        };
        let heights = |foot: usize| frames.clone().filter_map(|t| height(foot, t)).collect();
        let standing = standing_heights([heights(0), heights(1)]);
        let centers = self.mass_centers();
        let speed = |t: usize| {
            let (way, frames) = way_around(&centers, t);
            way.xy().norm() * self.fps / frames
        };
        let at = |foot: usize, t: usize| {
            let rise = (height(foot, t)? - standing[foot]).max(0.0);
            let lean = (centers[t] - ankles[foot][t]).try_normalize(1e-6)?;
            let print = prints[t][foot].as_ref()?;
            let pressure = print.pressure(&ankles[foot][t], &lean, (rise, self.body.stature))?;
            Some(Pressure {
                rolls: smooth_step(speed(t), TRAVELS),
                ..pressure
            })
        };
        let both = |t: usize| [0, 1].map(|foot| at(foot, t));
        frames.clone().map(both).collect()
    }

    /// How much less the left ankle sinks and moves than the right one at frame `t`: what that adds to the logit of the
    /// left foot's share.
    fn moves_less(&self, ankles: &[Vec<Vector3<f64>>; 2], t: usize) -> f64 {
        let [right, left] = [0, 1].map(|foot| {
            let (way, frames) = way_around(&ankles[foot], t);
            let velocity = self.fps / frames * way;
            SINKING * velocity.z - MOVING * velocity.xy().norm()
        });
        (left - right) / (GRAVITY * self.body.stature).sqrt()
    }

    /// Centre of mass, one entry per frame, m.
    fn mass_centers(&self) -> Vec<Vector3<f64>> {
        let links = self.links.iter();
        links.map(|links| self.body.mass_center(links)).collect()
    }

    /// The ankles of the feet `[right, left]`, one entry per frame, m.
    fn ankles(&self) -> [Vec<Vector3<f64>>; 2] {
        ANKLES.map(|joint| {
            let ankle = &self.body.markers[joint];
            let place = |links: &Vec<Isometry3<f64>>| {
                (links[ankle.link] * Point3::from(ankle.position)).coords
            };
            self.links.iter().map(place).collect()
        })
    }

    /// Of a contact point from what it may touch at frame `t`, m.
    fn distance(&self, point: &ContactPoint, t: usize) -> f64 {
        let time = t as f64 / self.fps;
        let place = point.place((self.body, self.scene), &self.links[t], time);
        place.distance
    }
}

#[cfg(test)]
mod tests;
