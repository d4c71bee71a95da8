use super::*;

/// Runs a search on φ; returns the step taken and the trials it took.
fn search(
    phi: impl Fn(f64) -> (f64, f64),
    first: f64,
    wolfe: Wolfe,
    is_frugal: bool,
) -> (f64, usize) {
    let (value, slope) = phi(0.0);
    let mut search = LineSearch::new(wolfe, value, slope, first);
    loop {
        let (value, slope) = phi(search.step());
        let slope = (!is_frugal || search.needs_slope(value)).then_some(slope);
        match search.tell(value, slope) {
            Verdict::Try(step) => assert!(step.is_finite() && step >= 0.0),
            Verdict::Accept => return (search.step(), search.trials),
            Verdict::Fail => panic!("no step found from {first}"),
        }
    }
}

/// The first test function of Moré and Thuente (Eq. 5.1, β = 2): φ = −α / (α² + β).
fn phi_1(a: f64) -> (f64, f64) {
    (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2))
}

#[test]
fn trials_agree_with_table_1_of_the_source() {
    // Table I: first steps 1e-3, 1e-1, 1e1, 1e3 take 6, 3, 1, 4 evaluations.
    let wolfe = Wolfe {
        armijo: 0.001,
        curvature: 0.1,
        width_tolerance: 1e-14,
        max_trials: 100,
    };
    for (first, trials, step) in [
        (1e-3, 6, 1.4),
        (1e-1, 3, 1.4),
        (1e1, 1, 10.0),
        (1e3, 4, 37.0),
    ] {
        let (found, spent) = search(phi_1, first, wolfe, false);
        assert_eq!(spent, trials, "from {first}: {found}");
        assert!((found - step).abs() < 0.05 * step, "from {first}: {found}");
    }
}

#[test]
fn accepted_steps_satisfy_strong_wolfe_with_and_without_withheld_slopes() {
    let quartic = |a: f64| ((a - 1.0).powi(4), 4.0 * (a - 1.0).powi(3));
    let wolfe = Wolfe::default();
    for is_frugal in [false, true] {
        for first in [1e-4, 0.3, 1.0, 17.0, 1e4] {
            let (value, slope) = quartic(0.0);
            let (step, _) = search(quartic, first, wolfe, is_frugal);
            let (found, rest) = quartic(step);
            assert!(found <= value + wolfe.armijo * step * slope);
            assert!(rest.abs() <= wolfe.curvature * slope.abs());
        }
    }
}

#[test]
fn a_wall_of_infinities_is_backed_away_from() {
    let barrier = |a: f64| {
        if a < 1.0 {
            (-a, -1.0 + a)
        } else {
            (f64::INFINITY, f64::NAN)
        }
    };
    let (step, _) = search(barrier, 50.0, Wolfe::default(), false);
    assert!(step > 0.0 && step < 1.0);
}

#[test]
fn hopeless_searches_fail() {
    let mut search = LineSearch::new(Wolfe::default(), 0.0, -1.0, 1.0);
    let verdict = loop {
        let verdict = search.tell(1.0, Some(1.0)); // uphill everywhere: the slope was a lie
        if !matches!(verdict, Verdict::Try(_)) {
            break verdict;
        }
    };
    assert_eq!(verdict, Verdict::Fail);
    let mut search = LineSearch::new(Wolfe::default(), 0.0, -1.0, 1.0);
    while let Verdict::Try(_) = search.tell(f64::NAN, None) {}
    assert!(search.trials <= 100);
}
