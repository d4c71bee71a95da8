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
    loads_in_steps(&reference(body, links, &scene).foot_loads(accelerations))
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
    pressures_in_steps(&reference(body, links, &Scene::default()).pressures())
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
fn feet_that_land_fast_carry_where_no_other_does() {
    let (body, links, _) = sampled("squat", 0.0);
    let along = |t: usize| nalgebra::Translation3::new(0.06 * t as f64, 0.0, 0.0);
    let fast: Links = (0..20)
        .map(|t| links[0].iter().map(|pose| along(t) * pose).collect())
        .collect();
    for load in loads((&body, &fast), &[Vector3::z() * GRAVITY; 20]) {
        assert!((load.unwrap().iter().sum::<f64>() - 2.0).abs() < 1e-12);
    }
}

#[test]
fn of_two_feet_on_the_ground_the_one_that_moves_less_carries_more() {
    let (body, links, _) = sampled("squat", 0.0);
    let slides = |from: &str, by: Vector3<f64>| -> f64 {
        let foot = body.links.iter().position(|link| link.name == from);
        let moved = |t: usize| {
            let mut links = links[0].clone();
            links[foot.unwrap()].translation.vector += t as f64 / 50.0 * by;
            links
        };
        let moved: Links = (0..3).map(moved).collect();
        loads((&body, &moved), &[Vector3::zeros(); 3])[1].unwrap()[0]
    };
    let still = slides("right_foot", Vector3::zeros());
    assert!(slides("right_foot", 0.3 * Vector3::x()) < still - 0.05);
    assert!(slides("right_foot", -0.3 * Vector3::z()) < still - 0.05);
    assert!(slides("left_foot", 0.3 * Vector3::x()) > still + 0.05);
}

#[test]
fn accelerations_at_the_ends_are_those_beside_them() {
    let fall = |t: i32| Vector3::z() * (-0.5 * GRAVITY * (f64::from(t) / 50.0).powi(2));
    let centers: Vec<_> = (0..9).map(fall).collect();
    let accelerations = mass_center_accelerations(&centers, 50.0, 25.0);
    assert_eq!(accelerations.len(), 9);
    for acceleration in accelerations {
        assert!((acceleration.z + GRAVITY).abs() < 1e-9, "{acceleration}");
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
