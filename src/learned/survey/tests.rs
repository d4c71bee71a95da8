use std::f64::consts::TAU;

use super::*;

/// Σ (x − c)² + 10 (1 − cos 2π (x − c)) and its gradient.
fn rippled(x: &[f64], minimizer: &[f64]) -> Evaluation {
    let apart: Vec<f64> = x.iter().zip(minimizer).map(|(x, c)| x - c).collect();
    let heights = apart.iter().map(|d| d * d + 10.0 * (1.0 - (TAU * d).cos()));
    Evaluation {
        value: heights.sum(),
        gradient: (apart.iter())
            .map(|d| 2.0 * d + 10.0 * TAU * (TAU * d).sin())
            .collect(),
        ..Evaluation::default()
    }
}

#[test]
fn every_coordinate_of_a_sweep_takes_equally_spaced_values() {
    let mut sweep = Sweep::new(vec![1.0, -2.0, 5.0], 4.0, 8);
    while sweep.points.len() < 8 {
        sweep.points.push(sweep.point());
    }
    for n in 0..3 {
        let mut values: Vec<f64> = sweep.points.iter().map(|x| x[n]).collect();
        values.sort_by(f64::total_cmp);
        let gaps = values.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.into_iter().all(|gap| (gap - 1.0).abs() < 1e-12));
        assert!(values[0] >= sweep.center[n] - 4.0 && values[7] <= sweep.center[n] + 4.0);
    }
}

#[test]
fn the_lowest_of_many_minima_is_found() {
    let minimizer = [3.7, -5.2, 0.4, 6.1];
    let mut survey = Survey::new(vec![0.0; 4], 9.0, (170, 200), true).unwrap();
    let mut last = Vec::new();
    for looks in 0.. {
        last = survey.point().to_vec();
        match survey.tell(&rippled(&last, &minimizer)) {
            News::GoOn => assert!(looks < 140),
            News::Nothing => panic!("it saw nothing"),
            News::Done => break,
        }
    }
    let apart = last.iter().zip(&minimizer).map(|(x, c)| (x - c).abs());
    assert!(apart.fold(0.0, f64::max) < 0.2, "{last:?}");
}

#[test]
fn where_the_center_is_lowest_one_sweep_says_so() {
    let mut survey = Survey::new(vec![0.0; 4], 4.0, (170, 200), true).unwrap();
    // Five looks for every ripple.
    for look in 1.. {
        match survey.tell(&rippled(survey.point(), &[0.0; 4])) {
            News::GoOn => assert!(look < 40),
            News::Nothing => break,
            News::Done => panic!("it left the minimum"),
        }
    }
}

#[test]
fn small_budgets_have_no_survey_and_overflow_ends_one() {
    assert!(Survey::new(vec![0.0], 1.0, (40, 50), true).is_none());
    assert!(Survey::new(vec![0.0], f64::NAN, (170, 200), true).is_none());
    let mut survey = Survey::new(vec![0.0], 1.0, (170, 200), true).unwrap();
    let overflow = Evaluation {
        value: f64::INFINITY,
        gradient: vec![f64::NAN],
        ..Evaluation::default()
    };
    assert!(matches!(survey.tell(&overflow), News::Nothing));
}
