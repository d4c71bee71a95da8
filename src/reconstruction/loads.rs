//! What the ground does to the body according to the reference poses: the force that accelerates the centre of mass,
//! where it acts, and how the feet share it.
//!
//! Gravity and inertia of the centre of mass say how large the force is: m (a + g). Its place is the zero-moment point
//! (Vukobratović and Borovac 2004): the point of the ground about which they have no horizontal moment. A foot that
//! stands alone carries everything; two feet share it by where the zero-moment point lies between them, that is,
//! between the ball of the one behind and the heel of the one ahead.

use nalgebra::{Isometry3, Point3, Vector2, Vector3};

use crate::body::{Body, ContactPoint, Side};
use crate::motion::contact::{is_near, may_carry, smooth_step, standing_heights};
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

/// Where a foot presses on the ground, ahead of its ankle along the foot, over stature: [`UPRIGHT`] under an upright
/// body; [`ROLLING`] more for every unit of lean, the sine of the angle of the line from the ankle to the centre of mass;
/// [`RISING`] less for every unit of height by which the ankle has risen. A foot rolls on the ground like an arc
/// (Hansen, Childress and Knox 2004, Clinical Biomechanics 19), here with a radius of 0.2 of stature: that of the lean
/// and the ankle's own height. Fitted to 36 walks, turns and runs with force plates, where centres of pressure are off by
/// 23 mm (walks) and 33 mm (runs) along the foot; zero-moment points by 58 mm and more.
const UPRIGHT: f64 = 0.034;
/// See [`UPRIGHT`].
const ROLLING: f64 = 0.156;
/// See [`UPRIGHT`].
const RISING: f64 = 0.70;

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
/// `cutoff`, Hz; zero in the first and last frame.
pub fn mass_center_accelerations(
    centers: &[Vector3<f64>],
    fps: f64,
    cutoff: f64,
) -> Vec<Vector3<f64>> {
    second_differences(&low_pass(centers, fps, cutoff), fps)
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

/// Where the line through `center`, m, along a force that accelerates it by `acceleration` to the side and by `vertical`
/// upwards, gravity included, m/s², goes through the ground.
fn on_ground(center: &Vector3<f64>, acceleration: &Vector3<f64>, vertical: f64) -> Vector2<f64> {
    center.xy() - acceleration.xy() * (center.z / vertical)
}

/// A foot that may carry the body.
struct Footprint {
    /// Height of the surface under it, m.
    ground: f64,
    /// The middle of its contact points, m.
    center: Vector2<f64>,
    /// From there to the ball, m.
    reach: Vector2<f64>,
}

impl Footprint {
    /// Where the foot presses on the ground that shares the load with a foot at `other`: at the heel where that is a
    /// foot's length behind, at the ball where it is as much ahead.
    fn pressed(&self, other: &Self) -> Vector2<f64> {
        let length = self.reach.norm().max(1e-3);
        let ahead = self.reach.dot(&(other.center - self.center)) / (2.0 * length * length);
        self.center + self.reach * ahead.clamp(-1.0, 1.0)
    }
}

impl Footprint {
    /// Where a foot presses with the ankle at `ankle`, m, which has risen by `rise`, m, of a body whose centre of mass
    /// is along the unit vector `lean` from there: between heel and toes.
    fn pressure(
        &self,
        ankle: &Vector3<f64>,
        lean: &Vector3<f64>,
        (rise, stature): (f64, f64),
    ) -> Option<Pressure> {
        let ahead = self.reach.try_normalize(1e-6)?;
        let place = stature * (UPRIGHT + ROLLING * ahead.dot(&lean.xy())) - RISING * rise;
        let middle = ahead.dot(&(self.center - ankle.xy()));
        let reach = self.reach.norm();
        let place = place.clamp(middle - reach, middle + reach);
        Some(Pressure {
            center: ankle.xy() + place * ahead,
            ahead,
            rolls: 1.0,
        })
    }
}

impl Reference<'_> {
    /// The vertical forces on the feet `[right, left]` in the step to every frame, as shares of body weight, where the
    /// centre of mass has the given `accelerations`; `None` where something else may carry part of it.
    pub fn foot_loads(&self, accelerations: &[Vector3<f64>]) -> Vec<Option<[f64; 2]>> {
        let points = ContactPoint::of(self.body);
        let at: Vec<Option<[f64; 2]>> = (0..self.links.len())
            .map(|t| self.loads_at(t, &points, &accelerations[t]))
            .collect();
        let step = |t: usize| {
            let (now, before) = (at[t]?, at[t.saturating_sub(1)]?);
            Some([0, 1].map(|foot| 0.5 * (now[foot] + before[foot])))
        };
        (0..at.len()).map(step).collect()
    }

    /// Where the feet `[right, left]` press on the ground in the step to every frame; `None` for a foot that does not
    /// carry the body.
    pub fn pressures(&self) -> Vec<[Option<Pressure>; 2]> {
        let points = ContactPoint::of(self.body);
        let frames = 0..self.links.len();
        let prints = Side::BOTH.map(|side| {
            let print = |t: usize| self.footprint(side, t, &points);
            frames.clone().map(print).collect::<Vec<_>>()
        });
        let ankles = [0, 1].map(|foot| {
            let ankle = &self.body.markers[ANKLES[foot]];
            let place = |t: usize| self.links[t][ankle.link] * Point3::from(ankle.position);
            frames.clone().map(|t| place(t).coords).collect::<Vec<_>>()
        });
        let height = |foot: usize, t: usize| -> Option<f64> {
            Some(ankles[foot][t].z - prints[foot][t].as_ref()?.ground)
        };
        let heights = |foot: usize| frames.clone().filter_map(|t| height(foot, t)).collect();
        let standing = standing_heights([heights(0), heights(1)]);
        let centers: Vec<_> = (self.links.iter())
            .map(|links| self.body.mass_center(links))
            .collect();
        let speed = |t: usize| {
            let (before, after) = (t.saturating_sub(1), (t + 1).min(centers.len() - 1));
            let way = (centers[after] - centers[before]).xy().norm();
            way * self.fps / (after - before).max(1) as f64
        };
        let at = |foot: usize, t: usize| {
            let rise = (height(foot, t)? - standing[foot]).max(0.0);
            let lean = (centers[t] - ankles[foot][t]).try_normalize(1e-6)?;
            prints[foot][t]
                .as_ref()?
                .pressure(&ankles[foot][t], &lean, (rise, self.body.stature))
        };
        let step = |foot: usize, t: usize| {
            let (now, before) = (at(foot, t)?, at(foot, t.saturating_sub(1))?);
            Some(Pressure {
                center: 0.5 * (now.center + before.center),
                ahead: now.ahead,
                rolls: smooth_step(speed(t), TRAVELS),
            })
        };
        frames
            .clone()
            .map(|t| [0, 1].map(|foot| step(foot, t)))
            .collect()
    }

    /// The same at frame `t`.
    fn loads_at(
        &self,
        t: usize,
        points: &[ContactPoint],
        acceleration: &Vector3<f64>,
    ) -> Option<[f64; 2]> {
        let mut others = points.iter().filter(|point| point.foot.is_none());
        if others.any(|point| is_near(self.distance(point, t))) {
            return None;
        }
        let total = (1.0 + acceleration.z / GRAVITY).max(0.0);
        match Side::BOTH.map(|side| self.footprint(side, t, points)) {
            [None, None] => (total < CARRIED).then_some([0.0; 2]),
            [Some(_), None] => Some([total, 0.0]),
            [None, Some(_)] => Some([0.0, total]),
            [Some(right), Some(left)] => {
                let center = self.body.mass_center(&self.links[t]);
                let vertical = total.max(CARRIED) * GRAVITY;
                let zero_moment = on_ground(&center, acceleration, vertical);
                let [from, to] = [right.pressed(&left), left.pressed(&right)];
                let between = to - from;
                let share = (zero_moment - from).dot(&between) / between.norm_squared().max(1e-6);
                let share = share.clamp(0.0, 1.0);
                Some([total * (1.0 - share), total * share])
            }
        }
    }

    /// The foot of `side` at frame `t`, if it may carry the body: near a surface, and slow there.
    fn footprint(&self, side: Side, t: usize, points: &[ContactPoint]) -> Option<Footprint> {
        let own: Vec<&ContactPoint> = (points.iter())
            .filter(|point| point.foot == Some(side))
            .collect();
        let near = own.iter().min_by(|a, b| {
            let distances = [a, b].map(|point| self.distance(point, t));
            distances[0].total_cmp(&distances[1])
        })?;
        let step = [t.saturating_sub(1), t.max(1)].map(|t| t.min(self.links.len() - 1));
        let [before, now] = step.map(|t| near.lowest(&self.links[t]));
        let speed = self.fps * (now - before).norm();
        let distance = self.distance(near, t);
        if !may_carry(distance, speed) {
            return None;
        }
        let places: Vec<Vector2<f64>> = (own.iter())
            .map(|point| point.lowest(&self.links[t]).xy())
            .collect();
        let center = places.iter().sum::<Vector2<f64>>() / places.len() as f64;
        let toes = self.links[t][near.link].rotation * Vector3::x();
        let axis = toes.xy().try_normalize(1e-3)?;
        let reach = places.iter().map(|place| axis.dot(&(place - center)));
        Some(Footprint {
            ground: near.lowest(&self.links[t]).z - distance,
            center,
            reach: axis * reach.fold(0.0, f64::max),
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
mod tests {
    use super::*;
    use crate::body::{Subject, fit, reference_poses};
    use crate::motion::sample;

    /// Link poses, frame by frame.
    type Links = Vec<Vec<Isometry3<f64>>>;

    /// Body, links, moved up by `lift`, m, and accelerations of the centre of mass of a sample.
    fn sampled(name: &str, lift: f64) -> (Body, Links, Vec<Vector3<f64>>) {
        let motion = sample(name).unwrap();
        let body = fit(&motion, &Subject::default()).unwrap();
        let mut poses = reference_poses(&body, &motion).unwrap();
        for pose in &mut poses {
            pose.root.translation.vector.z += lift;
        }
        let links: Vec<_> = (poses.iter())
            .map(|pose| body.forward_kinematics(pose))
            .collect();
        let centers: Vec<_> = links.iter().map(|links| body.mass_center(links)).collect();
        let accelerations = mass_center_accelerations(&centers, motion.fps, FORCE_CUTOFF);
        (body, links, accelerations)
    }

    fn loads(
        (body, links): (&Body, &[Vec<Isometry3<f64>>]),
        accelerations: &[Vector3<f64>],
    ) -> Vec<Option<[f64; 2]>> {
        let scene = Scene::default();
        reference(body, links, &scene).foot_loads(accelerations)
    }

    /// At 50 frames a second.
    fn reference<'a>(
        body: &'a Body,
        links: &'a [Vec<Isometry3<f64>>],
        scene: &'a Scene,
    ) -> Reference<'a> {
        Reference {
            body,
            scene,
            links,
            fps: 50.0,
        }
    }

    /// Where the feet press.
    fn pressures(body: &Body, links: &[Vec<Isometry3<f64>>]) -> Vec<[Option<Pressure>; 2]> {
        reference(body, links, &Scene::default()).pressures()
    }

    #[test]
    fn who_stands_has_half_the_weight_on_each_foot() {
        let (body, links, _) = sampled("squat", 0.0);
        let still = vec![links[0].clone(); 20];
        for load in loads((&body, &still), &[Vector3::zeros(); 20]) {
            let [right, left] = load.unwrap();
            assert!((right + left - 1.0).abs() < 1e-12);
            assert!((right - left).abs() < 0.2, "{right} {left}");
        }
    }

    #[test]
    fn who_walks_has_it_on_one_foot_after_the_other_and_on_both_in_between() {
        let (body, links, accelerations) = sampled("walk", 0.0);
        let loads = loads((&body, &links), &accelerations);
        let known: Vec<[f64; 2]> = loads.iter().copied().flatten().collect();
        assert!(known.len() * 20 > 19 * loads.len());
        for (t, load) in loads.iter().enumerate().skip(1) {
            let Some([right, left]) = load else { continue };
            let total = 1.0 + 0.5 * (accelerations[t].z + accelerations[t - 1].z) / GRAVITY;
            assert!((right + left - total).abs() < 1e-9);
        }
        let share = |is: &dyn Fn(&[f64; 2]) -> bool| {
            known.iter().filter(|load| is(load)).count() as f64 / known.len() as f64
        };
        // 60 to 62 % of a step's time a foot is on the ground (Perry 1992).
        let double = share(&|load| load.iter().all(|foot| *foot > 0.05));
        assert!(double > 0.1 && double < 0.35, "{double}");
        for foot in 0..2 {
            let single = share(&|load| load[1 - foot] == 0.0 && load[foot] > 0.5);
            assert!(single > 0.25, "{single}");
        }
    }

    #[test]
    fn who_falls_has_none_and_who_floats_is_held_by_something_unknown() {
        let (body, links, accelerations) = sampled("squat", 1.0);
        let still = vec![Vector3::zeros(); accelerations.len()];
        assert!(loads((&body, &links), &still).iter().all(Option::is_none));
        let falling = vec![Vector3::z() * -GRAVITY; accelerations.len()];
        let falls = loads((&body, &links), &falling);
        assert!(falls.iter().all(|load| *load == Some([0.0; 2])));
    }

    #[test]
    fn who_is_on_the_knees_does_not_tell() {
        let (body, links, accelerations) = sampled("squat", -0.5);
        assert!(loads((&body, &links), &accelerations)[10].is_none());
    }

    #[test]
    fn the_zero_moment_point_goes_behind_a_centre_that_speeds_up() {
        let center = Vector3::new(1.0, 2.0, 0.9);
        let at = |acceleration| zero_moment_point(&center, &acceleration);
        assert_eq!(at(Vector3::zeros()), Some(center.xy()));
        let forwards = at(Vector3::x() * GRAVITY).unwrap();
        assert!((forwards - Vector2::new(0.1, 2.0)).norm() < 1e-12);
        assert_eq!(at(Vector3::z() * -0.6 * GRAVITY), None);
    }

    #[test]
    fn feet_roll_under_who_walks_but_not_under_who_squats() {
        // How far the place of pressure moves along the foot while it is on the ground, over stature.
        let ways = |name: &str| -> Vec<f64> {
            let (body, links, _) = sampled(name, 0.0);
            let pressures = pressures(&body, &links);
            let mut ways = Vec::new();
            for foot in 0..2 {
                let ankle = &body.markers[ANKLES[foot]];
                let along = |t: usize| {
                    let Pressure { center, ahead, .. } = pressures[t][foot]?;
                    let ankle = links[t][ankle.link] * Point3::from(ankle.position);
                    Some(ahead.dot(&(center - ankle.coords.xy())) / body.stature)
                };
                let along: Vec<Option<f64>> = (0..links.len()).map(along).collect();
                for stance in along.chunk_by(|a, b| a.is_some() == b.is_some()) {
                    let known: Vec<f64> = stance.iter().copied().flatten().collect();
                    if let (true, [first, .., last]) = (known.len() > 20, &known[..]) {
                        ways.push(last - first);
                    }
                }
            }
            ways
        };
        let walk = ways("walk");
        assert!(
            walk.len() > 3 && walk.iter().all(|way| *way > 0.04),
            "{walk:?}"
        );
        let (body, links, _) = sampled("squat", 0.0);
        let pressures = pressures(&body, &links);
        let mut known = pressures.iter().flatten().flatten();
        assert!(known.all(|pressure| pressure.rolls < 0.5));
    }
}
