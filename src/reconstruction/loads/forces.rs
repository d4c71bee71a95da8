//! The forces of the ground on the feet, their horizontal parts among them.

use nalgebra::{Vector2, Vector3};

use super::{
    FORCE_CUTOFF, Footprint, Pressure, Reference, mass_center_accelerations, zero_moment_point,
};
use crate::body::ContactPoint;
use crate::simulation::{Contact, GRAVITY};

/// Vertical force on a foot, as a share of body weight, below which it does not count.
const SMALLEST_LOAD: f64 = 1e-3;

/// The height over the ground of the point at which the forces on both feet aim, over that of the centre of mass: forces
/// in walking meet above the centre of mass, in a virtual pivot point (Maus et al. 2010, Nature Communications 1:70).
/// Where the measured vertical forces and centres of pressure are given, forces that aim so and take over [`REST`] of
/// what is left to the accelerations of the centre of mass are off to the front by 3.0, 2.9, 6.3 and 5.1 % of body
/// weight in walks, turns, runs and jumps with force plates, and to the side by 1.7, 2.3, 2.5 and 5.0; in proportion to
/// the vertical forces they are by 5.6 to the front and 2.5 to the side in walks. Chosen on these 43 trials, from 1, 1.3 and
/// 1.6 and from 0 to 1.
const PIVOT: f64 = 1.3;
/// See [`PIVOT`]. All of it in a foot that stands alone is less right: accelerations of the centre of mass of recorded
/// poses are off by 4 % of g.
const REST: f64 = 0.4;

/// What the ground does to the feet `[right, left]`, as far as it does something.
pub(in crate::reconstruction) type Forces = [Option<Contact>; 2];

/// What the ground does to the body in its reference poses, one entry per frame.
pub(in crate::reconstruction) struct Ground {
    /// Accelerations of the centre of mass, low-passed, m/s².
    pub accelerations: Vec<Vector3<f64>>,
    /// Vertical forces on the feet `[right, left]`, as shares of body weight; `None` where something else may carry part.
    pub loads: Vec<Option<[f64; 2]>>,
    /// Where the feet press on the ground.
    pub pressures: Vec<[Option<Pressure>; 2]>,
    /// All of it, in the same frames as the loads.
    pub forces: Vec<Option<Forces>>,
}

impl Reference<'_> {
    /// What the ground does to the body whose centre of mass is at `centers`, m, frame by frame.
    pub fn ground(&self, centers: &[Vector3<f64>]) -> Ground {
        let accelerations = mass_center_accelerations(centers, self.fps, FORCE_CUTOFF);
        let mut ground = Ground {
            loads: self.foot_loads(&accelerations),
            pressures: self.pressures(),
            accelerations,
            forces: Vec::new(),
        };
        ground.forces = self.forces(&ground);
        ground
    }

    /// Forces on the feet at every frame, by all else that is known of the ground. Feet press where they
    /// roll or, under a body that does not travel, at the point that is nearest to the zero-moment point.
    fn forces(&self, ground: &Ground) -> Vec<Option<Forces>> {
        let points = ContactPoint::of(self.body);
        let at = |t: usize| {
            let loads = ground.loads[t]?;
            let center = self.body.mass_center(&self.links[t]);
            let acceleration = &ground.accelerations[t];
            let balance = zero_moment_point(&center, acceleration).unwrap_or(center.xy());
            let prints = self.carrying(t, &points);
            let press = |foot: usize| {
                let print = prints[foot].as_ref()?;
                let point = pressed(print, ground.pressures[t][foot].as_ref(), &balance);
                (loads[foot] > SMALLEST_LOAD).then_some((print.link, point))
            };
            let places = [press(0), press(1)];
            let sideways = shears(&places, &loads, &center, &acceleration.xy());
            Some([0, 1].map(|foot| {
                let (link, point) = places[foot]?;
                let weight = self.body.mass() * GRAVITY;
                let normal = loads[foot] * weight * Vector3::z();
                Some(Contact {
                    link,
                    point,
                    force: normal + (weight * sideways[foot]).push(0.0),
                    normal,
                    free_moment: 0.0,
                })
            }))
        };
        (0..self.links.len()).map(at).collect()
    }
}

/// Where a foot presses, m, by its roll and by the balance of a body that stays.
fn pressed(print: &Footprint, rolled: Option<&Pressure>, balance: &Vector2<f64>) -> Vector3<f64> {
    let balanced = print.nearest(balance);
    rolled.map_or(balanced, |pressure| {
        balanced.lerp(&print.nearest(&pressure.center), pressure.rolls)
    })
}

/// The horizontal forces on feet that press at `places`, m, with `loads`, both as shares of body weight, under a centre of
/// mass at `center`, m, with the horizontal `acceleration`, m/s².
fn shears(
    places: &[Option<(usize, Vector3<f64>)>; 2],
    loads: &[f64; 2],
    center: &Vector3<f64>,
    acceleration: &Vector2<f64>,
) -> [Vector2<f64>; 2] {
    let aimed = [0, 1].map(|foot| {
        places[foot].map_or(Vector2::zeros(), |(_, point)| {
            let way = center - point;
            loads[foot] / (PIVOT * way.z.max(1e-3)) * way.xy()
        })
    });
    let total: f64 = loads.iter().sum();
    let rest = acceleration / GRAVITY - (aimed[0] + aimed[1]);
    [0, 1].map(|foot| aimed[foot] + REST * loads[foot] / total.max(SMALLEST_LOAD) * rest)
}

/// Means in the step to every frame of the horizontal parts of `forces` at the frames, over `weight`, N: shares of body weight.
pub(in crate::reconstruction) fn shears_in_steps(
    forces: &[Option<Forces>],
    weight: f64,
) -> Vec<Option<[Vector2<f64>; 2]>> {
    let shear = |force: &Option<Contact>| {
        force
            .as_ref()
            .map_or(Vector2::zeros(), |contact| contact.force.xy() / weight)
    };
    let step = |t: usize| {
        let (now, before) = (forces[t].as_ref()?, forces[t.saturating_sub(1)].as_ref()?);
        Some([0, 1].map(|foot| 0.5 * (shear(&now[foot]) + shear(&before[foot]))))
    };
    (0..forces.len()).map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forces_aim_above_the_centre_of_mass_and_make_part_of_what_accelerates_it() {
        let center = Vector3::new(0.0, 0.0, 1.0);
        let apart = [
            Some((3, Vector3::new(-0.3, 0.0, 0.0))),
            Some((6, Vector3::new(0.3, 0.0, 0.0))),
        ];
        // Two feet apart push against each other, none sideways, and not at all as a whole.
        let [behind, ahead] = shears(&apart, &[0.5; 2], &center, &Vector2::zeros());
        assert!((behind.x - 0.5 * 0.3 / PIVOT).abs() < 1e-12 && behind.y == 0.0);
        assert!((behind + ahead).norm() < 1e-12);
        // Who is accelerated has a share of that in proportion to the loads.
        let faster = shears(&apart, &[0.75, 0.25], &center, &Vector2::new(0.0, GRAVITY));
        assert!((faster[0].y - 0.75 * REST).abs() < 1e-12);
        assert!((faster[1].y - 0.25 * REST).abs() < 1e-12);
        // A foot in the air does nothing.
        let alone = shears(&[apart[0], None], &[1.0, 0.0], &center, &Vector2::zeros());
        assert_eq!(alone[1], Vector2::zeros());
        assert!(alone[0].x > 0.0);
    }
}
