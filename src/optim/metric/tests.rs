use rand::SeedableRng;

use super::super::{Bfgs, Named};
use super::*;
use crate::objective::HeldOut;

/// ½ (x − 1)ᵀ A (x − 1).
struct Bowl(DMatrix<f64>);

impl Objective for Bowl {
    fn dimension(&self) -> usize {
        self.0.nrows()
    }
    fn value(&self, x: &[f64]) -> f64 {
        self.value_and_gradient(x, &mut vec![0.0; x.len()])
    }
    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let apart = DVector::from_column_slice(x).add_scalar(-1.0);
        let slope = &self.0 * &apart;
        gradient.copy_from_slice(slope.as_slice());
        0.5 * apart.dot(&slope)
    }
    fn value_and_curvature(&self, x: &[f64], gradient: &mut [f64]) -> Option<(f64, DMatrix<f64>)> {
        Some((self.value_and_gradient(x, gradient), self.0.clone()))
    }
}

fn steep(n: usize) -> DMatrix<f64> {
    let tilted = DMatrix::from_fn(n, n, |i, j| {
        (0.3 * (i as f64 - j as f64).abs() + 1.0).recip()
    });
    let scales = DVector::from_fn(n, |i, _| 10_f64.powi(i as i32));
    DMatrix::from_diagonal(&scales) * tilted * DMatrix::from_diagonal(&scales)
}

impl Task for Bowl {
    fn name(&self) -> String {
        format!("bowl of {}", self.0[(0, 0)])
    }
    fn initial_point(&self, _: &mut Rng) -> Vec<f64> {
        vec![0.0; self.dimension()]
    }
}

/// Bowls of one curvature.
struct Bowls(f64);

impl TaskFamily for Bowls {
    type Task = Bowl;

    fn sample(&self, _: &mut Rng) -> Bowl {
        Bowl(DMatrix::identity(2, 2) * self.0)
    }
}

#[test]
fn tasks_kept_apart_for_validation_stay_apart_in_the_metric() {
    let metric = Metric::new(steep(2), 2, "test").unwrap();
    let family = WhitenedFamily {
        family: HeldOut {
            training: Bowls(1.0),
            validation: Bowls(2.0),
        },
        whitening: Arc::new(metric.whitening(2)),
    };
    let mut rng = Rng::seed_from_u64(0);
    let names = |tasks: &[Whitened<Bowl>]| tasks.iter().map(Task::name).collect::<Vec<_>>();
    assert_eq!(names(&family.sample_batch(2, &mut rng)), ["bowl of 1"; 2]);
    let validation = family.sample_validation(2, &mut rng);
    assert_eq!(names(&validation), ["bowl of 2"; 2]);
}

#[test]
fn a_bowl_is_round_in_its_own_metric() {
    let metric = Metric::new(steep(4), 2, "test").unwrap();
    let whitened = Whitened {
        objective: Bowl(steep(4)),
        whitening: Arc::new(metric.whitening(4)),
    };
    let z = whitened.whitening.whiten(&[3.0, -1.0, 0.2, 1.1]);
    let mut gradient = vec![0.0; 4];
    let (value, curvature) = whitened.value_and_curvature(&z, &mut gradient).unwrap();
    assert!((curvature - DMatrix::identity(4, 4)).amax() < 1e-8);
    let back = whitened.whitening.color(&z);
    assert!((whitened.objective.value(&back) - value).abs() < 1e-9 * value);
    // One step of steepest descent of length 1 is Newton's step.
    let minimum: Vec<f64> = z.iter().zip(&gradient).map(|(z, g)| z - g).collect();
    let minimum = whitened.whitening.color(&minimum);
    assert!(
        minimum.iter().all(|x| (x - 1.0).abs() < 1e-6),
        "{minimum:?}"
    );
}

#[test]
fn optimizers_need_fewer_evaluations_in_the_metric() {
    let evaluations = |optimizer: &dyn Minimize| {
        let budget = Budget {
            evaluations: 500,
            target: Some(1e-9),
            ..Budget::default()
        };
        let bowl = Bowl(steep(4));
        let found = optimizer.minimize(&bowl, &[0.0; 4], &budget, &mut super::super::Unobserved);
        let found = found.unwrap();
        assert!(
            found.x.iter().all(|x| (x - 1.0).abs() < 1e-4),
            "{:?}",
            found.x
        );
        found.evaluations
    };
    let plain = Named::new("bfgs", Bfgs::default());
    let in_metric = InMetric {
        prefix: "metric-",
        metric: Metric::new(steep(4), 2, "test").unwrap(),
        optimizer: Box::new(plain.clone()),
    };
    assert!(evaluations(&in_metric) < evaluations(&plain));
}

#[test]
fn smaller_problems_use_the_end_and_larger_ones_repeat_the_first_block() {
    let metric = Metric::new(steep(4), 2, "test").unwrap();
    let square = |n: usize| {
        let factor = metric.whitening(n).factor;
        &factor * factor.transpose()
    };
    let close = |a: DMatrix<f64>, b: DMatrix<f64>| (&a - b).amax() < 1e-9 * a.amax();
    assert!(close(square(3), steep(4).view((1, 1), (3, 3)).into_owned()));
    let large = square(7);
    assert!(close(large.view((3, 3), (4, 4)).into_owned(), steep(4)));
    let first = steep(4).view((0, 0), (2, 2)).into_owned();
    assert!(close(large.view((1, 1), (2, 2)).into_owned(), first));
    assert!(large[(0, 1)] == 0.0 && large[(1, 3)] == 0.0);
}
