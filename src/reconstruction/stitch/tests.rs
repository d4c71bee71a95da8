use std::sync::Mutex;

use super::*;
use crate::body::Subject;
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
    let (physics, weights) = (&settings.physics, &settings.weights);
    let clip = Clip::new(squat, &Subject::default(), physics, weights).unwrap();
    let mut observer = |_: &Progress<'_>| ControlFlow::<()>::Continue(());
    let seer = Seer::default();
    let mut run = Stitching::new(&clip, &settings, &seer, &mut observer);
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
    let (physics, weights) = (&settings.physics, &settings.weights);
    let clip = Clip::new(squat, &Subject::default(), physics, weights).unwrap();
    let mut observer = |_: &Progress<'_>| ControlFlow::<()>::Continue(());
    let mut run = Stitching::new(&clip, &settings, &Twice, &mut observer);
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
