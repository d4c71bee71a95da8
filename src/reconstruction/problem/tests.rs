use super::*;

#[test]
fn a_clip_starts_with_the_velocity_that_its_first_frames_have() {
    let still = crate::motion::sample("walk").unwrap().joints[0];
    for (frames, expected) in [(9, 1.5_f64), (5, 1.5), (3, 1.53), (1, 0.0)] {
        let at = |t: u32| {
            let seconds = f64::from(t) / 50.0;
            still.map(|joint| joint + Vector3::x() * (1.5 + 1.5 * seconds) * seconds)
        };
        let motion = Motion {
            name: "accelerates".into(),
            fps: 50.0,
            joints: (0..frames).map(at).collect(),
            toes: None,
            turns: None,
        };
        let problem = TrackingProblem::new(motion, &Settings::default()).unwrap();
        for (_, velocity) in problem.world(0).mass_centers() {
            let error: f64 = (velocity - Vector3::new(expected, 0.0, 0.0)).norm();
            assert!(error < 1e-6, "{frames} frames: {velocity}");
        }
    }
}

#[test]
fn what_the_ground_does_is_what_changes_the_momentum() {
    let motion = crate::motion::sample("walk").unwrap();
    let problem = TrackingProblem::new(motion, &Settings::default()).unwrap();
    let knots = Knots::zeros(5, 60, problem.body.links.len());
    let mut engine = Engine::new(&problem.physics);
    let mut world = problem.world(5);
    let momentum = |world: &World| -> Vector3<f64> {
        let velocities = world.mass_centers().map(|(_, velocity)| velocity);
        let links = problem.body.links.iter().zip(velocities);
        links.map(|(link, velocity)| link.mass * velocity).sum()
    };
    let (mut before, mut friction) = (momentum(&world), 0.0_f64);
    for t in 5..25 {
        let frame = problem.advance(&mut world, &mut engine, &knots, t);
        let after = momentum(&world);
        let weight = problem.body.mass() * crate::simulation::GRAVITY;
        let expected = problem.motion.fps * (after - before) + weight * Vector3::z();
        let force: Vector3<f64> = frame.contacts.iter().map(|contact| contact.force).sum();
        assert!(
            (force - expected).norm() < 1e-6 * weight,
            "{force} {expected}"
        );
        let sideways = frame
            .contacts
            .iter()
            .map(|contact| contact.friction().norm());
        friction = sideways.fold(friction, f64::max);
        before = after;
    }
    assert!(friction > 20.0, "{friction} N");
}

#[test]
fn what_joints_do_is_what_moves_the_links() {
    let motion = crate::motion::sample("walk").unwrap();
    let problem = TrackingProblem::new(motion, &Settings::default()).unwrap();
    let body = &problem.body;
    let knots = Knots::zeros(5, 60, body.links.len());
    let mut engine = Engine::new(&problem.physics);
    let mut world = problem.world(5);
    let (mut motors, mut net) = (Vec::new(), Vec::new());
    for t in 5..25 {
        let frame = problem.advance(&mut world, &mut engine, &knots, t);
        // Nothing but the ground and gravity acts on the whole.
        assert!(frame.moments[0].norm() < 2.0, "{}", frame.moments[0]);
        for name in [
            "right_thigh",
            "left_thigh",
            "right_foot",
            "left_foot",
            "thorax",
        ] {
            let link = body
                .links
                .iter()
                .position(|link| link.name == name)
                .unwrap();
            motors.extend(frame.torques[link].iter().copied());
            net.extend(frame.moments[link].iter().copied());
        }
    }
    // Motors are recorded in the last substep of a step only, and limits are not theirs.
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let likeness = dot(&motors, &net) / (dot(&motors, &motors) * dot(&net, &net)).sqrt();
    let size = dot(&motors, &motors).sqrt() / dot(&net, &net).sqrt();
    assert!(
        likeness > 0.95 && (0.8..1.25).contains(&size),
        "{likeness} {size}"
    );
}

#[test]
fn ankles_that_slide_in_a_squat_skate_and_those_that_swing_high_do_not() {
    let motion = crate::motion::sample("squat").unwrap();
    let problem = TrackingProblem::new(motion, &Settings::default()).unwrap();
    let shifted = |by: &dyn Fn(usize) -> Vector3<f64>| -> Vec<Frame> {
        let frame = |t: usize| {
            let mut links = problem.body.forward_kinematics(&problem.poses[t]);
            for link in &mut links {
                link.translation.vector += by(t);
            }
            Frame {
                links,
                ..Frame::default()
            }
        };
        (0..40).map(frame).collect()
    };
    let surplus = |by: &dyn Fn(usize) -> Vector3<f64>| {
        let frames = shifted(by);
        let excess = problem.standing_excess(&frames[..30]);
        problem.surplus_skating(10, &frames[10..30], &frames[30..], excess)
    };
    assert_eq!(surplus(&|_| Vector3::zeros()), 0);
    // 0.6 m/s.
    let slide = |t: usize| Vector3::x() * 0.012 * t as f64;
    assert_eq!(surplus(&slide), 29);
    assert_eq!(surplus(&|t| slide(t) + Vector3::z() * 0.1), 0);

    let excess = |height: f64| problem.standing_excess(&shifted(&|_| Vector3::z() * height));
    let still = excess(0.0);
    assert!(still.iter().all(|e| *e < 1e-3), "{still:?}");
    for (foot, raised) in excess(0.004).into_iter().enumerate() {
        assert!((raised - still[foot] - 0.004).abs() < 1e-3, "{raised}");
    }
    assert_eq!(excess(0.1), [footing::MOST_EXCESS; 2]);
    assert_eq!(
        problem.standing_excess(&shifted(&|_| Vector3::zeros())[..5]),
        [footing::STANDING_EXCESS; 2]
    );
}

#[test]
fn feedforward_alone_leads_nearer_to_the_reference() {
    // Mean error of 0.2 s without anything optimized, over starts all along the clip, mm.
    let error = |sample: &str, feedforward: bool| {
        let mut settings = Settings::default();
        settings.strategies.feedforward = feedforward;
        let motion = crate::motion::sample(sample).unwrap();
        let problem = TrackingProblem::new(motion, &settings).unwrap();
        let frames = problem.motion.len();
        let knots = Knots::zeros(5, frames, problem.body.links.len());
        let mut engine = Engine::new(&problem.physics);
        let starts: Vec<usize> = (5..frames - 11).step_by(10).collect();
        let after = |start: &usize| {
            let mut world = problem.world(*start);
            let frames = *start..*start + 10;
            let last = frames.map(|t| problem.advance(&mut world, &mut engine, &knots, t));
            1e3 * problem.frame_error(&last.last().unwrap().links, *start + 10)
        };
        starts.iter().map(after).sum::<f64>() / starts.len() as f64
    };
    for sample in ["walk", "turn", "jump", "squat"] {
        let [without, with] = [false, true].map(|on| error(sample, on));
        println!("{sample}: {without:.1} mm, with feedforward {with:.1}");
        assert!(with < 0.8 * without, "{sample}: {with} {without}");
    }
}
