//! Supports that nobody recorded: a stool that a person sits on, a step under a foot.
//!
//! A body that is not falling is held up at its zero-moment point (Vukobratović and Borovac 2004): the point of the
//! ground about which gravity and inertia of the centre of mass have no horizontal moment. Where that point lies
//! outside of everything that touches the ground, for a while, something unseen carries the body: it is taken to be a
//! box under the part of the body that is still there and nearest to that point.

use std::ops::Range;

use nalgebra::{Isometry3, Vector2, Vector3};

use super::loads::{second_differences, zero_moment_point};
use crate::body::{Body, ContactPoint};
use crate::motion::contact::is_near;
use crate::motion::quantile;
use crate::motion::{distance_from_hull, low_pass};
use crate::scene::{Scene, Shape, Solid};

/// Frequency up to which the centre of mass is believed, Hz: who sits or stands somewhere does so slowly.
const CUTOFF: f64 = 3.0;

/// How far the zero-moment point has to lie outside, m, and for how long, s. On 74 recorded walks, dances and jumps it
/// does by more for 0.3 s at most (0.6 s in a cartwheel), on a stool for 4 s and more.
const OUTSIDE: f64 = 0.1;
const LONG: f64 = 1.0;

/// How much longer than that the support is there, before and after, s.
const MARGIN: f64 = 0.3;

/// The fastest that what rests on a support moves, m/s, in the median.
const STILL: f64 = 0.25;

/// The farthest that what rests on a support may be from the zero-moment point, m, and how much farther than other parts
/// the pelvis may be, on which people sit.
const REACH: f64 = 0.4;
const AS_NEAR: f64 = 0.15;

/// How much farther than the contact points a support reaches, m.
const RIM: f64 = 0.1;

/// The lowest support, m: lower ones are the ground.
const LOWEST: f64 = 0.05;

/// Of a body in motion, frame by frame.
struct Observed<'a> {
    body: &'a Body,
    fps: f64,
    /// World poses of the links.
    links: Vec<Vec<Isometry3<f64>>>,
    points: Vec<ContactPoint>,
    /// The zero-moment point, where something has to carry the body.
    zero_moment: Vec<Option<Vector2<f64>>>,
}

/// The supports that `body` needs in the poses `links`, world frame, one entry per frame, beside those of `scene`.
pub(super) fn infer(
    body: &Body,
    links: Vec<Vec<Isometry3<f64>>>,
    fps: f64,
    scene: &Scene,
) -> Vec<Solid> {
    let centers: Vec<Vector3<f64>> = links.iter().map(|links| body.mass_center(links)).collect();
    let observed = Observed {
        body,
        fps,
        zero_moment: zero_moment_points(&low_pass(&centers, fps, CUTOFF), fps),
        points: ContactPoint::of(body),
        links,
    };
    let is_held_up = |t: usize| observed.outside(t, scene) > OUTSIDE;
    let held_up: Vec<bool> = (0..observed.links.len()).map(is_held_up).collect();
    let shortest = (LONG * fps).ceil() as usize;
    let mut supports = Vec::new();
    let mut from = 0;
    for run in held_up.chunk_by(|a, b| a == b) {
        let frames = from..from + run.len();
        from = frames.end;
        if run[0] && run.len() >= shortest {
            let support = observed.support(&frames);
            // Who sits may have the feet on something, too.
            let sits = |support: &Solid| support.is_for(&body.links[0].name);
            if support.as_ref().is_some_and(sits) {
                supports.extend(observed.footrests(&frames));
            }
            supports.extend(support);
        }
    }
    supports
}

/// Zero-moment points of a body with its centre of mass at `centers`, m.
fn zero_moment_points(centers: &[Vector3<f64>], fps: f64) -> Vec<Option<Vector2<f64>>> {
    let accelerations = second_differences(centers, fps);
    let points = centers.iter().zip(&accelerations);
    points
        .map(|(center, acceleration)| zero_moment_point(center, acceleration))
        .collect()
}

impl Observed<'_> {
    /// How far the zero-moment point of frame `t` is from everything that touches the ground or `scene`, m; 0 where
    /// nothing has to carry the body.
    fn outside(&self, t: usize, scene: &Scene) -> f64 {
        let Some(zero_moment) = self.zero_moment[t] else {
            return 0.0;
        };
        let time = t as f64 / self.fps;
        let near = self.points.iter().filter_map(|point| {
            let place = point.place((self.body, scene), &self.links[t], time);
            is_near(place.distance).then(|| place.point.xy())
        });
        distance_from_hull(&zero_moment, &near.collect::<Vec<_>>())
    }

    /// What holds the body up in `frames`: a box under the link that is still, off the ground, and nearest to the
    /// zero-moment point, the pelvis rather than another.
    fn support(&self, frames: &Range<usize>) -> Option<Solid> {
        let links =
            (0..self.body.links.len()).filter(|link| self.points_on(*link).next().is_some());
        let still = links.filter(|link| self.is_still(*link, frames));
        let boxes =
            still.map(|link| (link, self.distance(link, frames), self.cuboid(link, frames)));
        let near = boxes.filter(|(_, distance, cuboid)| *distance < REACH && is_high(cuboid));
        // Who may be sitting is.
        let rank = |link: usize, distance: f64| distance + if link == 0 { 0.0 } else { AS_NEAR };
        let nearest = near.min_by(|a, b| rank(a.0, a.1).total_cmp(&rank(b.0, b.1)));
        nearest.map(|(_, _, cuboid)| cuboid)
    }

    /// What the feet rest on that are still in the air for long enough within `frames`.
    fn footrests(&self, frames: &Range<usize>) -> Vec<Solid> {
        let is_foot = |link: &usize| {
            self.body.links[*link].foot.is_some() && self.points_on(*link).next().is_some()
        };
        let shortest = (LONG * self.fps).ceil() as usize;
        let rests = (0..self.body.links.len()).filter(is_foot).flat_map(|link| {
            let is_still = |t: usize| self.speed(link, t).is_some_and(|speed| speed < STILL);
            let still: Vec<(usize, bool)> = frames.clone().map(|t| (t, is_still(t))).collect();
            let runs = still.chunk_by(|a, b| a.1 == b.1);
            let long = runs.filter(|run| run[0].1 && run.len() >= shortest);
            long.map(|run| self.cuboid(link, &(run[0].0..run[0].0 + run.len())))
                .collect::<Vec<_>>()
        });
        rests.filter(is_high).collect()
    }

    /// The contact points of `link`.
    fn points_on(&self, link: usize) -> impl Iterator<Item = &ContactPoint> {
        self.points.iter().filter(move |point| point.link == link)
    }

    /// Where the contact points of `link` are lowest in frame `t`, m.
    fn places(&self, link: usize, t: usize) -> impl Iterator<Item = Vector3<f64>> {
        self.points_on(link)
            .map(move |point| point.lowest(&self.links[t]))
    }

    /// Horizontal distance of `link` from the zero-moment point, m: the median over `frames`.
    fn distance(&self, link: usize, frames: &Range<usize>) -> f64 {
        let of_frame = |t: usize| {
            let zero_moment = self.zero_moment[t]?;
            let distances = self
                .places(link, t)
                .map(|place| (place.xy() - zero_moment).norm());
            Some(distances.fold(f64::INFINITY, f64::min))
        };
        quantile(frames.clone().filter_map(of_frame).collect(), 0.5)
    }

    /// Whether the lowest point of `link` is at rest in `frames`.
    fn is_still(&self, link: usize, frames: &Range<usize>) -> bool {
        let speeds = frames.clone().filter_map(|t| self.speed(link, t));
        quantile(speeds.collect(), 0.5) < STILL
    }

    /// Speed of the lowest point of `link` in the step to frame `t`, m/s.
    fn speed(&self, link: usize, t: usize) -> Option<f64> {
        let steps = self
            .places(link, t)
            .zip(self.places(link, t.checked_sub(1)?));
        let (now, before) = steps.min_by(|(a, _), (b, _)| a.z.total_cmp(&b.z))?;
        Some(self.fps * (now - before).norm())
    }

    /// A box from the ground up to `link` as it is in `frames`.
    fn cuboid(&self, link: usize, frames: &Range<usize>) -> Solid {
        let (mut low, mut high) = (Vector2::repeat(f64::MAX), Vector2::repeat(f64::MIN));
        let mut heights = Vec::new();
        for t in frames.clone() {
            let mut height = f64::INFINITY;
            for place in self.places(link, t) {
                low = low.inf(&place.xy());
                high = high.sup(&place.xy());
                height = height.min(place.z);
            }
            heights.push(height);
        }
        let top = quantile(heights, 0.5).max(0.0);
        let center = (low + high) / 2.0;
        let reach = (high - low) / 2.0 + Vector2::repeat(RIM);
        let name = &self.body.links[link].name;
        let [from, to] = [frames.start, frames.end].map(|t| t as f64 / self.fps);
        Solid {
            name: Some(format!("support of {name}")),
            shape: Shape::Box(Vector3::new(reach.x, reach.y, top / 2.0)),
            pose: Isometry3::translation(center.x, center.y, top / 2.0),
            during: Some(from - MARGIN..to + MARGIN),
            links: Some(vec![name.clone()]),
        }
    }
}

/// Whether a box is no part of the ground.
fn is_high(cuboid: &Solid) -> bool {
    cuboid.top() >= LOWEST
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Subject, fit, reference_poses};
    use crate::motion::{Motion, sample};

    fn supports(motion: &Motion) -> Vec<Solid> {
        let body = fit(motion, &Subject::default()).unwrap();
        let poses = reference_poses(&body, motion).unwrap();
        let links = poses.iter().map(|pose| body.forward_kinematics(pose));
        infer(&body, links.collect(), motion.fps, &Scene::default())
    }

    /// A person who sits down on a seat 0.4 m behind the ankles, stays for two seconds and gets up again.
    fn sitting() -> Motion {
        let squat = sample("squat").unwrap();
        let stand = squat.joints[0];
        let frame = |t: usize| {
            let share =
                (t as f64 / 50.0 - 0.5).clamp(0.0, 1.0) - (t as f64 / 50.0 - 3.5).clamp(0.0, 1.0);
            let share = share * share * (3.0 - 2.0 * share);
            let mut joints = stand;
            let (hip, knee) = (stand[1], stand[2]);
            // The thighs turn until they are level, with the knees where they are; the rest goes along.
            let thigh = (hip - knee).norm();
            let angle = share * std::f64::consts::FRAC_PI_2;
            let to = knee + Vector3::new(-thigh * angle.sin(), hip.y - knee.y, thigh * angle.cos());
            let shift = Vector3::new(to.x - hip.x, 0.0, to.z - hip.z);
            for (j, joint) in joints.iter_mut().enumerate() {
                if ![2, 3, 5, 6].contains(&j) {
                    *joint += shift;
                }
            }
            joints
        };
        Motion {
            joints: (0..250).map(frame).collect(),
            ..squat
        }
    }

    #[test]
    fn who_sits_gets_a_seat_for_as_long_as_it_is_used() {
        let motion = sitting();
        let supports = supports(&motion);
        let [seat] = &supports[..] else {
            panic!("{supports:?}")
        };
        let during = seat.during.clone().unwrap();
        assert!(during.start > 0.3 && during.start < 1.5, "{during:?}");
        assert!(during.end > 3.4 && during.end < 4.7, "{during:?}");
        let pelvis = motion.joints[125][0];
        let top = seat.top();
        assert!(
            pelvis.z - top > 0.04 && pelvis.z - top < 0.2,
            "{top} under {}",
            pelvis.z
        );
        assert!(
            seat.is_for("pelvis") && !seat.is_for("left_foot"),
            "{seat:?}"
        );
    }

    #[test]
    fn nobody_who_walks_turns_squats_or_jumps_gets_one() {
        for name in ["walk", "turn", "squat", "jump"] {
            assert_eq!(supports(&sample(name).unwrap()), [], "{name}");
        }
    }
}
