//! Physics windows: exact restarts, exact derivatives, and a short reconstruction.

use std::ops::ControlFlow;

use motionfit::evaluation::measure;
use motionfit::keypoints::{Keypoint, Observation, View};
use motionfit::motion::camera::Camera;
use motionfit::motion::{Motion, resample, sample};
use motionfit::objective::{Objective, Residuals};
use motionfit::reconstruction::{
    Emphasis, PhysicsWindow, Progress, Settings, SimulatorKind, Start, TrackingProblem,
    optimizer_of_windows, reconstruct,
};
use motionfit::simulation::{Engine, Knots};
use nalgebra::{DVector, Rotation3, Vector2, Vector3};

const FRAMES: usize = 10;

fn walk(frames: usize) -> Motion {
    let mut motion = sample("walk").unwrap();
    motion.joints.truncate(frames);
    motion
}

fn clip(frames: usize) -> TrackingProblem {
    TrackingProblem::new(walk(frames), &Settings::default()).unwrap()
}

/// The same with other settings.
fn clip_with(frames: usize, change: impl Fn(&mut Settings)) -> TrackingProblem {
    let mut settings = Settings::default();
    change(&mut settings);
    TrackingProblem::new(walk(frames), &settings).unwrap()
}

fn knots(clip: &TrackingProblem) -> Knots {
    Knots::zeros(5, clip.motion.len() + FRAMES, clip.body.links.len())
}

#[test]
fn the_body_fits_and_the_reference_follows() {
    let clip = clip(60);
    let subject_mass: f64 = 22.5 * clip.body.stature.powi(2);
    assert!((clip.body.mass() - subject_mass).abs() < 0.01 * subject_mass);
    for (t, pose) in clip.poses.iter().enumerate() {
        let error = clip.frame_error(&clip.body.forward_kinematics(pose), t);
        assert!(error < 0.01, "frame {t}: {error} m");
    }
}

#[test]
fn a_snapshot_goes_on_with_the_same_bits() {
    let clip = clip(30);
    let knots = knots(&clip);
    let mut world = clip.world(0);
    let mut engine = Engine::new(&clip.physics);
    for t in 0..8 {
        clip.advance(&mut world, &mut engine, &knots, t);
    }
    let mut restored = world.clone();
    let mut fresh = Engine::new(&clip.physics);
    for t in 8..20 {
        let frame = clip.advance(&mut world, &mut engine, &knots, t);
        assert_eq!(clip.advance(&mut restored, &mut fresh, &knots, t), frame);
    }
}

#[test]
fn columns_equal_central_differences_of_full_rollouts() {
    columns_equal_central_differences(SimulatorKind::Engine, 1e-2);
    columns_equal_central_differences(SimulatorKind::Batched, 5e-2);
}

fn columns_equal_central_differences(simulator: SimulatorKind, tolerance: f64) {
    let clip = clip_with(2 * FRAMES, |settings| settings.simulator = simulator);
    let window = PhysicsWindow::new(&clip, 0, FRAMES, clip.start(0), &knots(&clip));
    // At 0.02 a foot meets the ground within h, where there is no derivative.
    let x: Vec<f64> = (0..window.dimension())
        .map(|n| 0.015 * (n as f64).sin())
        .collect();
    let (residuals, jacobian) = window.residuals_and_jacobian(&x);
    assert_eq!(residuals, window.residuals(&x));
    let h = 1e-6;
    for n in (0..x.len()).step_by(7) {
        let at = |step: f64| {
            let mut x = x.clone();
            x[n] += step;
            window.residuals(&x)
        };
        let central: DVector<f64> = (at(h) - at(-h)) / (2.0 * h);
        let difference = (jacobian.column(n) - &central).norm();
        assert!(
            difference < tolerance * central.norm().max(1e-3),
            "column {n}: {difference}"
        );
    }
    let mut gradient = vec![0.0; x.len()];
    let value = window.value_and_gradient(&x, &mut gradient);
    assert_eq!(value, window.value(&x));
    let terms: f64 = window.term_losses(&x).iter().map(|(_, loss)| loss).sum();
    assert!((terms - value).abs() < 1e-9 * value);
}

#[test]
fn rollouts_that_are_kept_or_simulated_ahead_change_nothing() {
    let clip = clip(20);
    let points: Vec<Vec<f64>> = {
        let window = PhysicsWindow::new(&clip, 0, 6, clip.start(0), &knots(&clip));
        let point = |n: usize| window.point().iter().map(|x| x + 0.01 * n as f64).collect();
        (0..4).map(point).collect()
    };
    let look = |assistance, n: usize| {
        let window = PhysicsWindow::new(&clip, 0, 6, clip.start(0), &knots(&clip))
            .with_assistance(assistance);
        window.residuals_and_jacobian(&points[n])
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build();
    pool.unwrap().install(|| {
        let mut window = PhysicsWindow::new(&clip, 0, 6, clip.start(0), &knots(&clip));
        let asked = std::sync::Mutex::new(Vec::new());
        let next = |count| {
            asked.lock().unwrap().push(count);
            points[1..].iter().take(count).cloned().collect()
        };
        for assistance in [0.0, 0.5] {
            window = window.with_assistance(assistance);
            for x in &points[..3] {
                window.look_ahead(x, &next);
            }
            for n in [1, 0, 3, 2] {
                let (residuals, jacobian) = look(assistance, n);
                assert_eq!(window.residuals(&points[n]), residuals);
                let again = window.residuals_and_jacobian(&points[n]);
                assert_eq!(again, (residuals, jacobian));
            }
        }
        // The second point was simulated along with the first, for either assistance, and so was the third where registers
        // have room for it.
        let asked = asked.into_inner().unwrap();
        let times = if asked[0] > 1 { 2 } else { 4 };
        assert_eq!(asked, vec![asked[0]; times]);
    });
}

#[test]
fn a_window_inherits_the_jacobian_of_the_one_before() {
    inherits(SimulatorKind::Engine, 1e-7);
    // Two roundings of single precision, one each.
    inherits(SimulatorKind::Batched, 2e-2);
}

fn inherits(simulator: SimulatorKind, tolerance: f64) {
    const SHIFT: usize = 5;
    let clip = clip_with(2 * FRAMES, |settings| settings.simulator = simulator);
    let mut all = knots(&clip);
    let mut earlier = PhysicsWindow::new(&clip, 0, FRAMES, clip.start(0), &all);
    let x: Vec<f64> = (0..earlier.dimension())
        .map(|n| 0.02 * (n as f64).sin())
        .collect();
    earlier = earlier.remembering();
    earlier.residuals_and_jacobian(&x);
    all.replace(&earlier.knots_at(&x));
    let mut world = clip.world(0);
    let mut engine = Engine::new(&clip.physics);
    let frames: Vec<_> = (0..SHIFT)
        .map(|t| clip.advance(&mut world, &mut engine, &all, t))
        .collect();
    let start = Start {
        world,
        past: [SHIFT - 2, SHIFT - 3]
            .map(|t| frames[t].links.clone())
            .into(),
    };
    // Where the one before has led, its Jacobian is that of the next one.
    let window = PhysicsWindow::new(&clip, SHIFT, FRAMES, start.clone(), &all);
    let (_, exact) = window.residuals_and_jacobian(&window.point());
    let point = window.point();
    assert_eq!(window.estimated_jacobian(&point), None);
    let last = earlier.take_last_jacobian();
    assert!(last.is_some());
    let window = window.with_inherited(last);
    let difference = (&*window.estimated_jacobian(&point).unwrap() - &*exact).norm();
    assert!(difference < tolerance * exact.norm(), "{difference}");
    let elsewhere: Vec<f64> = point.iter().map(|x| x + 0.1).collect();
    assert_eq!(window.estimated_jacobian(&elsewhere), None);

    // A window that is shorter has nothing to add; one that is longer, too much.
    for (frames, is_known) in [(FRAMES - SHIFT, true), (FRAMES + SHIFT, false)] {
        earlier = earlier.remembering();
        earlier.residuals_and_jacobian(&x);
        let other = PhysicsWindow::new(&clip, SHIFT, frames, start.clone(), &all);
        let (_, exact) = other.residuals_and_jacobian(&other.point());
        let other = other.with_inherited(earlier.take_last_jacobian());
        let estimate = other.estimated_jacobian(&other.point());
        assert_eq!(estimate.is_some(), is_known);
        if let Some(estimate) = estimate {
            let difference = (&*estimate - &*exact).norm();
            assert!(difference < tolerance * exact.norm(), "{difference}");
        }
    }
}

#[test]
fn keypoints_enter_the_loss_and_its_derivatives() {
    // A ground so slippery that a foot of the bare reference skates.
    let slippery = |settings: &mut Settings| {
        settings.physics.friction = 0.1;
        settings.simulator = SimulatorKind::Engine;
    };
    let unseen = clip_with(2 * FRAMES, slippery);
    let mut clip = clip_with(2 * FRAMES, slippery);
    let blind = PhysicsWindow::new(&unseen, 0, FRAMES, unseen.start(0), &knots(&unseen));
    let x = vec![0.0; blind.dimension()];
    let term = |window: &PhysicsWindow, name: &str| {
        let mut terms = window.term_losses(&x).into_iter();
        terms.find(|(term, _)| term == name).unwrap().1
    };
    // Skating counts by the ankles only where the motion was observed, not fitted.
    let skate = term(&blind, "skate");
    let before = (blind.residuals(&x).len(), blind.value(&x) - skate);
    // Every second frame is seen, ten pixels to the right of where the joints are.
    let camera = Camera::standing([1000.0, 1000.0], 1000.0, 1.5, 0.0).moved(
        &Rotation3::from_axis_angle(&Vector3::z_axis(), std::f64::consts::FRAC_PI_2),
        0.0,
    );
    let camera = Camera {
        translation: camera.translation + Vector3::z() * 5.0,
        ..camera
    };
    let seen = |p: &Vector3<f64>| Keypoint {
        pixel: camera.project(p).unwrap() + Vector2::new(10.0, 0.0),
        confidence: 1.0,
    };
    let joints = clip.motion.joints.iter().step_by(2);
    let view = View {
        frames: joints.map(|p| p.each_ref().map(seen)).collect(),
        camera: camera.clone(),
    };
    let seen = Observation::new("walk".into(), 25.0, vec![view], None).unwrap();
    clip.watch(&seen, 2);
    let window = PhysicsWindow::new(&clip, 0, FRAMES, clip.start(0), &knots(&clip));
    assert_eq!(window.residuals(&x).len(), before.0 + 34 * FRAMES);
    let reprojection = term(&window, "reprojection");
    assert!(reprojection > 0.1, "{reprojection}");
    // By its soles then.
    let of_soles = term(&window, "skate");
    assert!(skate > 0.0 && of_soles != skate, "{skate} {of_soles}");
    assert!((window.value(&x) - of_soles - before.1 - reprojection).abs() < 1e-9);
    let (_, jacobian) = window.residuals_and_jacobian(&x);
    let h = 1e-6;
    let moved = |step: f64| {
        let mut x = x.clone();
        x[40] += step;
        window.residuals(&x)
    };
    let central: DVector<f64> = (moved(h) - moved(-h)) / (2.0 * h);
    assert!((jacobian.column(40) - &central).norm() < 1e-2 * central.norm());
}

#[test]
fn a_later_window_frees_only_knots_it_can_still_move() {
    let clip = clip(30);
    let window = PhysicsWindow::new(&clip, 10, FRAMES, clip.start(10), &knots(&clip));
    let first = PhysicsWindow::new(&clip, 0, FRAMES, clip.start(0), &knots(&clip));
    assert_eq!(window.dimension() * 3, first.dimension() * 2);
}

/// Whatever the working rate, a frame lasts as long in the simulation as in the recording.
#[test]
fn the_simulation_keeps_time_at_any_rate() {
    for fps in [30.0, 60.0, 100.0] {
        let motion = resample(&walk(41), fps);
        let clip = TrackingProblem::new(motion, &Settings::default()).unwrap();
        let steps = clip.physics.steps_per_frame(fps) as f64;
        assert!(
            (steps * clip.physics.timestep * fps - 1.0).abs() < 1e-12,
            "{fps} Hz"
        );
    }
}

/// The acceleration error of a window's first frame depends on the frame before the window, which is
/// not simulated again; nothing else does.
#[test]
fn the_frame_before_a_window_gives_its_first_acceleration() {
    let clip = clip_with(30, |settings| {
        settings.weights.mass_center = 0.0;
        settings.simulator = SimulatorKind::Engine;
    });
    let new = |start: Start| PhysicsWindow::new(&clip, 10, FRAMES, start, &knots(&clip));
    let mut start = clip.start(10);
    let right = new(start.clone());
    for link in &mut start.past[0] {
        link.translation.vector.z += 0.01;
    }
    let x = vec![0.0; right.dimension()];
    let wrong = new(start);
    let apart = wrong.residuals(&x) - right.residuals(&x);
    let touched: Vec<f64> = apart.iter().copied().filter(|d| d.abs() > 1e-12).collect();
    // All 17 joints, upwards: 50 ms squared of 0.01 m × (50 Hz)², per 10 mm, a share of the mean.
    let expected = 6.25 / (17.0 * FRAMES as f64).sqrt();
    assert_eq!(touched.len(), 17);
    assert!(
        touched.iter().all(|d| (d - expected).abs() < 1e-9),
        "{touched:?}, not {expected}"
    );
    assert!(right.value(&x) < wrong.value(&x));
    let term = |window: &PhysicsWindow| window.term_losses(&x)[2].clone();
    assert_eq!(term(&right).0, "acceleration");
    let rest = wrong.value(&x) - term(&wrong).1 - right.value(&x) + term(&right).1;
    assert!(rest.abs() < 1e-9);
    // Columns that start later than the first frame know the frame before theirs.
    let (_, jacobian) = right.residuals_and_jacobian(&x);
    let n = x.len() - 20;
    let mut moved = x.clone();
    moved[n] += 1e-5;
    let column = (right.residuals(&moved) - right.residuals(&x)) / 1e-5;
    assert!((jacobian.column(n) - &column).norm() < 1e-6 * column.norm());
}

/// Jerks count where they are larger than observed, and only when they are told to; their columns are
/// those of full rollouts, across the window's start too.
#[test]
fn jerks_count_with_the_share_they_are_given() {
    let clip = clip_with(30, |settings| settings.simulator = SimulatorKind::Engine);
    let mut start = clip.start(10);
    // Two frames before the window, a centimetre up: three jerks of the first three frames.
    for link in &mut start.past[1] {
        link.translation.vector.z += 0.01;
    }
    let window = |start: &Start, share: f64| {
        let emphasis = Emphasis {
            jerk: share,
            ..Emphasis::default()
        };
        PhysicsWindow::new(&clip, 10, FRAMES, start.clone(), &knots(&clip)).with_emphasis(emphasis)
    };
    let [without, half, full] = [0.0, 0.5, 1.0].map(|share| window(&start, share));
    let x = vec![0.0; full.dimension()];
    let term = |window: &PhysicsWindow| window.term_losses(&x)[3].clone();
    assert_eq!(term(&without), ("jerk".to_string(), 0.0));
    assert!(term(&full).1 > 0.1, "{:?}", term(&full));
    assert!((term(&half).1 - 0.25 * term(&full).1).abs() < 1e-9);
    assert!((full.value(&x) - without.value(&x) - term(&full).1).abs() < 1e-9);
    let calm = window(&clip.start(10), 1.0);
    assert!(term(&calm).1 < 0.5 * term(&full).1);

    let (_, jacobian) = full.residuals_and_jacobian(&x);
    for n in [0, x.len() / 2, x.len() - 20] {
        let mut moved = x.clone();
        moved[n] += 1e-5;
        let column = (full.residuals(&moved) - full.residuals(&x)) / 1e-5;
        assert!((jacobian.column(n) - &column).norm() < 1e-6 * column.norm());
    }
}

#[test]
fn the_walk_is_followed_without_a_hand_on_the_root() {
    let motion = walk(41);
    let mut seen = 0;
    let optimizer = optimizer_of_windows("lm-search", 0).unwrap();
    let mut observer = |progress: &Progress| {
        seen = progress.evaluations;
        ControlFlow::Continue(())
    };
    let settings = Settings::default();
    let result = reconstruct(&motion, &settings, optimizer.as_ref(), Some(&mut observer)).unwrap();
    assert_eq!(result.trajectory.frames.len(), 41);
    assert_eq!(result.evaluations, seen);
    assert!(result.failed_frames.is_empty());
    let frames = &result.trajectory.frames;
    let markers = |t: usize| result.body.marker_positions(&frames[t].links);
    let error = |t: usize| -> f64 {
        let pairs = markers(t).into_iter().zip(result.reference.joints[t]);
        pairs.map(|(a, b)| (a - b).norm()).sum::<f64>() / 17.0
    };
    let mean = (0..41).map(error).sum::<f64>() / 41.0;
    assert!(mean < 0.025, "{mean} m");
    // All momentum comes from the ground: impulse = weight × time + change of momentum.
    let center = |t: usize| result.body.mass_center(&frames[t].links);
    let velocity = |t: usize| (center(t + 1) - center(t - 1)) * 25.0;
    let mass = result.body.mass();
    let forces = frames[2..40].iter().flat_map(|frame| &frame.contacts);
    let impulse: Vector3<f64> = forces.map(|contact| contact.force / 50.0).sum();
    let weight = Vector3::z() * (9.80665 * 38.0 / 50.0);
    let expected = mass * (weight + velocity(39) - velocity(1));
    assert!(
        (impulse - expected).norm() < 0.05 * expected.norm(),
        "{impulse} N s instead of {expected}"
    );
}

#[test]
fn bad_settings_are_refused() {
    let message = |settings: Settings| {
        let optimizer = optimizer_of_windows("lm", 0).unwrap();
        let result = reconstruct(&walk(20), &settings, optimizer.as_ref(), None);
        result.unwrap_err().to_string()
    };
    let settings = Settings {
        knot_frames: 4,
        ..Settings::default()
    };
    assert!(message(settings).contains("knot_frames"));
    let settings = Settings {
        assistance: vec![2.0],
        ..Settings::default()
    };
    assert!(message(settings).contains("assistance"));
    let mut settings = Settings::default();
    settings.physics.timestep = 0.0;
    assert!(message(settings).contains("timestep"));
    let mut settings = Settings::default();
    settings.weights.position = -1.0;
    assert!(message(settings).contains("position"));
}

/// Beside Levenberg-Marquardt's search, on a second of the sample walk.
#[test]
fn the_learned_search_is_about_as_near() {
    let motion = walk(50);
    let settings = Settings::default();
    let error = |name: &str| {
        let optimizer = optimizer_of_windows(name, 0).unwrap();
        let run = reconstruct(&motion, &settings, optimizer.as_ref(), None).unwrap();
        measure(&run).mpjpe_global_mm
    };
    let (classical, learned) = (error("lm-search"), error("optimus-search"));
    assert!(
        learned < 1.5 * classical,
        "{learned} mm, lm-search {classical} mm"
    );
}
