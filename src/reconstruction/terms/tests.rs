use super::*;
use crate::motion::sample;
use crate::motion::skeleton::ANKLES;
use crate::reconstruction::Settings;
use crate::reconstruction::footing::{Footing, Height, Hold};

/// The residuals of skate, `[right, left]`, of a body that slides by 2 cm in a step of 20 ms, 1 m/s,
/// `lift` m above where it walks.
fn skate_of(hold: [Option<Hold>; 2], lift: f64) -> Vec<f64> {
    let motion = sample("walk").unwrap();
    let mut problem = TrackingProblem::new(motion, &Settings::default()).unwrap();
    problem.footings[1] = hold.map(|hold| Footing {
        stands: 0.0,
        skates: hold.is_none(),
        contact: 0.0,
        hold,
    });
    let mut now = problem.body.forward_kinematics(&problem.poses[0]);
    for link in &mut now {
        link.translation.vector.z += lift;
    }
    let mut before = now.clone();
    for link in &mut before {
        link.translation.vector.x -= 0.02;
    }
    let joints = problem.body.marker_positions(&now);
    assert!(ANKLES.iter().all(|ankle| joints[*ankle].z < 0.3));
    residuals(&problem, [&now, &before], skate::NAME)
}

/// The residuals of the term `name` in the step to the first frame of eight, from the second of `links` to the first.
fn residuals(problem: &TrackingProblem, links: [&Vec<Isometry3<f64>>; 2], name: &str) -> Vec<f64> {
    let terms = FrameTerms::new(&Scope {
        problem,
        frames: 8,
        emphasis: Emphasis::default(),
    });
    let [now, before] = links.map(|links| Simulated::new(&problem.body, links));
    let step = Step {
        frame: 1,
        now: &now,
        before: &before,
        earlier: None,
        earliest: None,
        targets: &problem.poses[0].rotations,
        loads: Default::default(),
    };
    let mut residuals = vec![0.0; terms.count()];
    terms.residuals(&step, &mut residuals);
    let mut own = terms.sizes().skip_while(|(other, _)| *other != name);
    let size = own.next().unwrap().1;
    let after: usize = own.map(|(_, size)| size).sum();
    let end = terms.count() - after;
    residuals[end - size..end].to_vec()
}

/// The same for ankles that are to be as slow or as high as given, m/s and m.
fn skate(hold: [Option<(f64, f64)>; 2]) -> Vec<f64> {
    let of = |(speed, height)| Hold {
        speed,
        height: Height::Ankle(height),
    };
    skate_of(hold.map(|hold| hold.map(of)), 0.0)
}

#[test]
fn ankles_skate_when_they_are_faster_or_lower_than_observed() {
    // Three units of weight, two ankles, eight frames.
    let scale = 3.0 / 4.0;
    let of_speed = |speed| Some((speed, f64::INFINITY));
    let [right, left] = skate([of_speed(0.4), of_speed(1.5)])[..] else {
        unreachable!()
    };
    assert!((right - scale * 6.0).abs() < 1e-9, "{right}");
    assert_eq!(left, 0.0);
    // As little as makes it slow or high enough.
    let of_height = |height| Some((0.4, height));
    assert_eq!(skate([of_height(0.0), None]), [0.0, 0.0]);
    assert_eq!(skate([of_height(1.0), of_speed(0.4)]), [right, right]);
    let slow = |height| Some((-1e3, height));
    let low = skate([slow(1.005), None])[0] - skate([slow(1.0), None])[0];
    assert!((low - scale).abs() < 1e-9, "{low}");
}

#[test]
fn feet_on_the_ground_skate_when_their_ankles_are_fast() {
    let holds = [Some(Hold::of_soles()); 2];
    // 0.55 m/s too fast, in units of 0.1, by the scale of the test above; feet from keypoints count 5/3 as much.
    for residual in skate_of(holds, -0.2) {
        let expected = 0.75 * 5.5 * 5.0 / 3.0;
        assert!((residual - expected).abs() < 1e-9, "{residual}");
    }
    assert_eq!(skate_of(holds, 0.1), [0.0, 0.0]);
}

#[test]
fn a_foot_that_is_turned_up_counts_by_how_far_its_ball_is_from_where_it_should_be() {
    let mut problem = TrackingProblem::new(sample("walk").unwrap(), &Settings::default()).unwrap();
    problem.weights.foot_direction = 2.0;
    let mut links = problem.body.forward_kinematics(&problem.poses[1]);
    let size = |links: &Vec<Isometry3<f64>>| {
        let vectors = residuals(&problem, [links, links], foot_direction::NAME);
        vectors
            .chunks(3)
            .map(|v| v.iter().map(|x| x * x).sum::<f64>().sqrt())
            .collect::<Vec<_>>()
    };
    assert!(size(&links).iter().all(|foot| *foot < 1e-9));
    let foot = problem
        .body
        .links
        .iter()
        .position(|link| link.name == "left_foot")
        .unwrap();
    let spheres = problem.body.links[foot].contact_spheres().into_iter();
    let reach = spheres.map(|(center, _)| center.x).fold(0.0, f64::max);
    links[foot].rotation *= UnitQuaternion::from_axis_angle(&Vector3::y_axis(), 0.1);
    let [right, left] = size(&links)[..] else {
        unreachable!()
    };
    assert!(right < 1e-9);
    // Two units of weight, two feet, eight frames, per 10 mm.
    let expected = 2.0 / 4.0 * 2.0 * (0.05_f64).sin() * reach / 0.01;
    assert!((left - expected).abs() < 1e-9, "{left} {expected}");
}
