use rand::SeedableRng;

use super::super::mean_curvature;
use super::super::tests::window;
use super::*;
use crate::objective::central_difference;
use crate::optim::Metric;

fn task() -> (RecordedTask, Metric) {
    let windows = [window()];
    let metric = mean_curvature(&windows, 1).unwrap();
    let family = RecordedFamily::new(&windows, &metric.whitening(2));
    let task = family.sample_validation(1, &mut Rng::seed_from_u64(0));
    (task[0].clone(), metric)
}

#[test]
fn paths_of_several_optimizers_through_a_window_make_one_task() {
    let (first, mut second, mut other) = (window(), window(), window());
    second.path.remove(1);
    second.path[1].x = vec![2.5, 0.4];
    other.first += 1;
    let windows = [first, second, other];
    let metric = mean_curvature(&windows, 1).unwrap();
    let whitening = metric.whitening(2);
    let family = RecordedFamily::new(&windows, &whitening);
    assert_eq!(family.tasks.len(), 2);
    // Both begin at one point, which counts once.
    let models = |task: usize| &family.tasks[task].window.models;
    assert_eq!((models(0).len(), models(1).len()), (4, 3));
    assert_eq!(models(0)[3].z, whitening.whiten(&[2.5, 0.4]));
}

#[test]
fn rough_tasks_answer_alike_at_the_same_point_and_differ_nearby() {
    let (task, metric) = task();
    let z = metric.whitening(2).whiten(&[0.9, 0.3]);
    let near = [z[0] + 1e-9, z[1]];
    assert!((task.value(&z) - task.value(&near)).abs() < 1e-6);
    let roughness = Some(Roughness {
        share: 0.1,
        seed: 7,
    });
    let rough = RecordedTask { roughness, ..task };
    assert_eq!(rough.value(&z), rough.value(&z));
    assert!((rough.value(&z) - rough.value(&near)).abs() > 1e-3);
    let away = square_distance(&rough.seen_from(&z), &z);
    assert!(away > 0.0 && away < 4.0, "{away}");
}

#[test]
fn values_are_those_recorded_and_gradients_agree_with_central_differences() {
    let (task, metric) = task();
    let whitening = metric.whitening(2);
    for look in &window().path {
        let z = whitening.whiten(&look.x);
        assert!((task.value(&z) - look.value).abs() < 0.1 * look.value);
    }
    for (x, share) in [
        ([0.3, 0.1], 0.0),
        ([0.6, -0.2], 0.0),
        ([1.4, 0.5], 0.3),
        ([3.0, 2.0], 0.3),
    ] {
        let (z, task) = (whitening.whiten(&x), task.stiffened(share));
        let mut gradient = vec![0.0; 2];
        let value = task.value_and_gradient(&z, &mut gradient);
        let (same, _) = task.value_and_curvature(&z, &mut [0.0; 2]).unwrap();
        assert_eq!(value, same);
        for (a, b) in gradient.iter().zip(central_difference(&task, &z, 1e-3)) {
            assert!((a - b).abs() < 2e-2 * b.abs().max(1.0), "{a} {b} at {x:?}");
        }
    }
}
