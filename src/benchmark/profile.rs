//! Comparisons over many problems: performance profiles and relative iterations.
//!
//! # References
//! * E. D. Dolan, J. J. Moré, "Benchmarking optimization software with performance profiles",
//!   Math. Program. 91, 2002.
//! * V. Beiranvand, W. Hare, Y. Lucet, "Best practices for comparing optimization algorithms",
//!   Optim. Eng. 18, 2017.

use serde::Serialize;

use super::Row;

/// Values relative to the worst solver are not told apart below this: one solver's exact 0 would
/// otherwise make every other ratio infinite.
pub const FLOOR: f64 = 1e-16;

/// The share of problems that each solver solves within a factor τ of the best.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// Which problems were compared.
    pub problems: String,
    /// How many.
    pub count: usize,
    /// [`FLOOR`].
    pub floor: f64,
    /// τ, `(len,)`, log-spaced from 1.
    pub tau: Vec<f64>,
    /// One curve a solver.
    pub solvers: Vec<ProfileCurve>,
}

/// ρ of one solver.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileCurve {
    /// Its name.
    pub optimizer: String,
    /// ρ(τ), `(len,)`: the share of problems whose ratio is at most τ.
    pub rho: Vec<f64>,
}

impl Profile {
    /// The profile of solvers `names: (S,)` from `values: (problems, S)` of f − f*.
    ///
    /// m = (f − f*) / (f_worst − f*), at least [`FLOOR`]; r = m / min m; ρ(τ) = share with r ≤ τ.
    /// Values that are not finite count as the worst; problems that no solver has a finite value
    /// on are left out.
    pub fn new(problems: impl Into<String>, names: &[String], values: &[Vec<f64>]) -> Self {
        let ratios: Vec<Vec<f64>> = values.iter().filter_map(|values| ratios(values)).collect();
        let tau: Vec<f64> = (0..=160).map(|i| 10.0_f64.powf(i as f64 * 0.1)).collect();
        let share = |solver: usize, tau: f64| {
            let within = ratios
                .iter()
                .filter(|r| r[solver] <= tau * (1.0 + 1e-12))
                .count();
            within as f64 / ratios.len().max(1) as f64
        };
        let solvers = names
            .iter()
            .enumerate()
            .map(|(solver, name)| ProfileCurve {
                optimizer: name.clone(),
                rho: tau.iter().map(|tau| share(solver, *tau)).collect(),
            })
            .collect();
        Self {
            problems: problems.into(),
            count: ratios.len(),
            floor: FLOOR,
            tau,
            solvers,
        }
    }
}

/// r of every solver on one problem.
fn ratios(values: &[f64]) -> Option<Vec<f64>> {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let worst = finite.reduce(f64::max)?;
    let measure = |value: &f64| {
        let is_trivial = worst <= 0.0;
        let m = if is_trivial {
            0.0
        } else {
            value.max(0.0) / worst
        };
        if value.is_finite() { m.max(FLOOR) } else { 1.0 }
    };
    let measures: Vec<f64> = values.iter().map(measure).collect();
    let best = measures.iter().copied().fold(f64::INFINITY, f64::min);
    Some(measures.iter().map(|m| m / best).collect())
}

/// The iteration of a baseline whose value the others must reach.
pub const TARGET_ITERATION: usize = 100;

/// How many times fewer iterations `solver` needs than `baseline` to reach the baseline's mean best
/// value after [`TARGET_ITERATION`] iterations; 0 when it never does, `None` when there is no such
/// value.
pub fn relative_iterations(baseline: &Row, solver: &Row) -> Option<f64> {
    let last = baseline.best_by_iteration.len().checked_sub(1)?;
    let target = baseline.best_by_iteration[TARGET_ITERATION.min(last)];
    if !target.is_finite() {
        return None;
    }
    let reached = |row: &Row| {
        row.best_by_iteration
            .iter()
            .position(|v| *v <= target)
            .map(|k| k.max(1))
    };
    let spent = reached(baseline)? as f64;
    Some(reached(solver).map_or(0.0, |k| spent / k as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("s{i}")).collect()
    }

    #[test]
    fn shares_rise_with_the_factor() {
        let values = vec![
            vec![1.0, 10.0],
            vec![2.0, 1.0],
            vec![3.0, 3.0],
            vec![1.0, 1e4],
        ];
        let profile = Profile::new("all", &names(2), &values);
        let rho = |solver: usize, tau: usize| profile.solvers[solver].rho[10 * tau];
        assert_eq!((rho(0, 0), rho(1, 0)), (0.75, 0.5));
        assert_eq!((rho(0, 1), rho(1, 1)), (1.0, 0.75));
        assert_eq!((rho(0, 4), rho(1, 4)), (1.0, 1.0));
    }

    #[test]
    fn exact_zeros_and_overflow_have_finite_ratios() {
        assert_eq!(ratios(&[0.0, 1.0]), Some(vec![1.0, 1.0 / FLOOR]));
        assert_eq!(ratios(&[0.0, 0.0]), Some(vec![1.0, 1.0]));
        assert_eq!(ratios(&[f64::INFINITY, 2.0]), Some(vec![1.0, 1.0]));
        assert_eq!(ratios(&[f64::INFINITY, f64::NAN]), None);
    }
}
