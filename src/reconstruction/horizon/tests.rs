use std::sync::Mutex;

use super::*;
use crate::motion::sample;
use crate::objective::Objective;
use crate::optim::Observer;

/// Looks twice and stays where it is.
struct Twice;

impl Minimize for Twice {
    fn name(&self) -> String {
        "twice".into()
    }

    fn minimize(
        &self,
        _: &dyn Objective,
        x0: &[f64],
        _: &Budget,
        observer: &mut dyn Observer,
    ) -> Result<Minimum> {
        for n in 1..=2 {
            assert!(
                observer
                    .observe(n, x0, &Evaluation::default())
                    .is_continue()
            );
        }
        Ok(Minimum {
            x: x0.to_vec(),
            value: 0.0,
            last_x: x0.to_vec(),
            last_value: 0.0,
            evaluations: 2,
            values: vec![0.0; 2],
            iteration_ends: vec![1, 2],
            termination: Termination::Stall,
        })
    }
}

/// Takes a Jacobian, stays where it is and notes whether there was an estimate of it.
#[derive(Default)]
struct Seer(Mutex<Vec<bool>>);

impl Minimize for Seer {
    fn name(&self) -> String {
        "seer".into()
    }

    fn minimize(
        &self,
        objective: &dyn Objective,
        x0: &[f64],
        budget: &Budget,
        observer: &mut dyn Observer,
    ) -> Result<Minimum> {
        let window = objective.least_squares().unwrap();
        let is_estimated = window.estimated_jacobian(x0).is_some();
        self.0.lock().unwrap().push(is_estimated);
        window.residuals_and_jacobian(x0);
        Twice.minimize(objective, x0, budget, observer)
    }
}

#[test]
fn windows_begin_with_the_jacobian_of_the_one_before_but_not_after_going_back() {
    let settings = Settings {
        window_frames: 10,
        easy_kept_frames: 5,
        assistance: Vec::new(),
        ..Settings::default()
    };
    let squat = sample("squat").unwrap();
    let clip = TrackingProblem::new(squat, &settings).unwrap();
    let mut observer = |_: &Progress<'_>| ControlFlow::<()>::Continue(());
    let seer = Seer::default();
    let mut run = Horizon::new(&clip, &settings, &seer, &mut observer);
    run.settle_window().unwrap();
    run.settle_window().unwrap();
    *run.errors.last_mut().unwrap() = 1.5 * settings.backtrack_error_mm;
    run.backtrack();
    assert_eq!(run.first, 0);
    run.settle_window().unwrap();
    // The first window, and one that was taken back, are approached in two stages.
    let seen = seer.0.lock().unwrap();
    assert_eq!(*seen, [false, false, true, false, false]);
}

#[test]
fn evaluations_of_a_window_that_was_taken_back_count_on() {
    let settings = Settings::default();
    let squat = sample("squat").unwrap();
    let clip = TrackingProblem::new(squat, &settings).unwrap();
    let mut observer = |_: &Progress<'_>| ControlFlow::<()>::Continue(());
    let mut run = Horizon::new(&clip, &settings, &Twice, &mut observer);
    let window = PhysicsWindow::new(&clip, 0, 10, clip.start(0), &run.knots);
    let budget = run.budget(2);
    run.minimize(&window, &window.point(), &budget).unwrap();
    run.windows.push(WindowReport {
        first_frame: 1,
        frames: 5,
        attempts: 1,
        evaluations: 2,
        loss: 0.0,
        terms: Vec::new(),
        failed: false,
    });
    run.minimize(&window, &window.point(), &budget).unwrap();
    run.windows.clear();
    run.minimize(&window, &window.point(), &budget).unwrap();
    let numbers: Vec<_> = run.curve.iter().map(|p| (p.window, p.evaluation)).collect();
    assert_eq!(numbers, [(0, 1), (0, 2), (1, 1), (1, 2), (0, 3), (0, 4)]);
}

/// Stays where it is, claims the loss it is told, and counts how often it is asked.
#[derive(Default)]
struct Claim(Mutex<(f64, usize)>);

impl Minimize for Claim {
    fn name(&self) -> String {
        "claim".into()
    }

    fn minimize(
        &self,
        objective: &dyn Objective,
        x0: &[f64],
        budget: &Budget,
        observer: &mut dyn Observer,
    ) -> Result<Minimum> {
        let mut claim = self.0.lock().unwrap();
        claim.1 += 1;
        let minimum = Twice.minimize(objective, x0, budget, observer)?;
        Ok(Minimum {
            value: claim.0,
            ..minimum
        })
    }
}

#[test]
fn windows_that_have_led_far_off_are_taken_back() {
    let settings = Settings {
        window_frames: 10,
        easy_kept_frames: 5,
        assistance: Vec::new(),
        ..Settings::default()
    };
    let squat = sample("squat").unwrap();
    let clip = TrackingProblem::new(squat, &settings).unwrap();
    for (share, expected) in [(0.9, (35, 0)), (1.1, (10, 35))] {
        let mut observer = |_: &Progress<'_>| ControlFlow::<()>::Continue(());
        let mut run = Horizon::new(&clip, &settings, &Twice, &mut observer);
        for _ in 0..7 {
            run.settle_window().unwrap();
        }
        *run.errors.last_mut().unwrap() = share * settings.backtrack_error_mm;
        run.backtrack();
        assert_eq!((run.first, run.careful_until), expected);
    }
}

#[test]
fn a_window_is_optimized_again_for_ankles_that_skate_in_the_frames_to_keep() {
    let settings = Settings::default();
    let squat = sample("squat").unwrap();
    let clip = TrackingProblem::new(squat, &settings).unwrap();
    // By how much the settled frame is away from where the simulation goes on.
    for (gap, calls) in [(0.0, 1), (0.03, 2)] {
        let mut observer = |_: &Progress<'_>| ControlFlow::<()>::Continue(());
        let claim = Claim::default();
        let mut run = Horizon::new(&clip, &settings, &claim, &mut observer);
        for link in &mut run.frames[0].links {
            link.translation.vector.x += gap;
        }
        let window = run.window(run.world.clone());
        let start = window.point();
        let attempt = run.optimize(window, &start).unwrap();
        let (attempt, _) = run.reduce_foot_skate(attempt).unwrap();
        assert_eq!(claim.0.lock().unwrap().1, calls);
        assert_eq!(attempt.evaluations, 2 * calls);
        assert_eq!(run.retry_evaluations, 2 * (calls - 1));
    }
}
