//! Single windows as a test bench of optimizers: error and loss against function evaluations.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nalgebra::DVector;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Error, Result};
use crate::json;
use crate::objective::{Evaluation, Jacobian, Objective, Residuals};
use crate::optim::{Budget, Minimize, StoppingRule, Termination};
use crate::reconstruction::{Settings, WindowTask};

pub use table::{Interval, Line, lines, markdown};

mod table;

/// A list of windows; see `configs/evaluate-windows.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSet {
    /// Length, knots, physics and loss of the windows. Default: as in a reconstruction.
    #[serde(default)]
    pub reconstruction: Settings,
    /// The windows.
    pub windows: Vec<WindowEntry>,
}

/// A window of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowEntry {
    /// Name of the clip.
    pub clip: String,
    /// What it shows; "walk" is in domain.
    pub category: String,
    /// First frame, at the working rate.
    pub first: usize,
}

impl WindowSet {
    /// Reads a list.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Input`] when it is not valid or empty.
    pub fn read(path: &Path) -> Result<Self> {
        let set: Self = json::read(path)?;
        if set.windows.is_empty() {
            let advice = "give at least one window";
            return Err(Error::input(path.display(), "windows", "none", advice));
        }
        set.reconstruction.check()?;
        Ok(set)
    }

    /// Names of the clips, each once.
    pub fn clips(&self) -> Vec<String> {
        let mut names: Vec<String> = self.windows.iter().map(|w| w.clip.clone()).collect();
        names.sort();
        names.dedup();
        names
    }
}

/// How an optimizer did on a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Name of the clip.
    pub clip: String,
    /// What it shows.
    pub category: String,
    /// First frame.
    pub first: usize,
    /// The optimizer.
    pub optimizer: String,
    /// Function evaluations it was allowed.
    pub budget: usize,
    /// Those it used.
    pub evaluations: usize,
    /// Of these, the ones that needed gradient or Jacobian: what costs time.
    pub gradients: usize,
    /// Lowest loss within the first evaluations, `(evaluations,)`; `null` in JSON and NaN when read
    /// while none was finite.
    #[serde(deserialize_with = "numbers_or_null")]
    pub best_loss: Vec<f64>,
    /// MPJPE-G where the loss was lowest within the first evaluations, mm, `(evaluations,)`;
    /// otherwise the same.
    #[serde(deserialize_with = "numbers_or_null")]
    pub mpjpe_global_mm: Vec<f64>,
    /// Evaluations until the stopping rule of Alg. 1 (ten values, β = 1) would have ended the run.
    pub stopped_at: usize,
    /// Wall time, s.
    pub seconds: f64,
    /// Time the optimizer itself took for an evaluation, ms.
    pub step_ms: f64,
}

fn numbers_or_null<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<f64>, D::Error> {
    let numbers: Vec<Option<f64>> = Deserialize::deserialize(deserializer)?;
    let numbers = numbers.into_iter();
    Ok(numbers.map(|number| number.unwrap_or(f64::NAN)).collect())
}

impl Row {
    /// Whether the window is in domain.
    pub fn is_in_domain(&self) -> bool {
        self.category == "walk"
    }

    /// The value of `curve` after `evaluations`; runs that ended earlier keep their last one.
    pub fn after(curve: &[f64], evaluations: usize) -> f64 {
        let last = curve.len().min(evaluations).saturating_sub(1);
        curve.get(last).copied().unwrap_or(f64::NAN)
    }
}

/// Runs `optimizer` on `task`, the window `entry`.
///
/// # Errors
/// As [`Minimize::minimize`]; [`Error::Interrupted`] when `is_interrupted` says so.
pub fn run(
    entry: &WindowEntry,
    task: &WindowTask,
    (name, optimizer): (&str, &dyn Minimize),
    evaluations: usize,
    is_interrupted: &dyn Fn() -> bool,
) -> Result<Row> {
    let timed = Timed {
        task,
        spent: Mutex::default(),
    };
    let window = task.window();
    let (mut best_loss, mut errors) = (Vec::new(), Vec::new());
    let (mut lowest, mut error) = (f64::INFINITY, f64::NAN);
    let mut measuring = Duration::ZERO;
    let mut observe = |_: usize, x: &[f64], seen: &Evaluation| {
        if seen.value < lowest {
            let started = Instant::now();
            (lowest, error) = (seen.value, 1e3 * window.mean_joint_error(x));
            measuring += started.elapsed();
        }
        best_loss.push(lowest);
        errors.push(error);
        if is_interrupted() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let budget = Budget {
        evaluations,
        ..Budget::default()
    };
    let x0 = vec![0.0; task.dimension()];
    let started = Instant::now();
    let minimum = optimizer.minimize(&timed, &x0, &budget, &mut observe)?;
    let elapsed = started.elapsed() - measuring;
    if minimum.termination == Termination::Interrupt {
        return Err(Error::Interrupted);
    }
    let (spent, gradients) = timed.spent.into_inner().unwrap_or_default();
    let own = elapsed.saturating_sub(spent).as_secs_f64();
    Ok(Row {
        clip: entry.clip.clone(),
        category: entry.category.clone(),
        first: entry.first,
        optimizer: name.to_string(),
        budget: evaluations,
        evaluations: minimum.evaluations,
        gradients,
        best_loss,
        mpjpe_global_mm: errors,
        stopped_at: stopped_at(&minimum.values, &minimum.iteration_ends),
        seconds: elapsed.as_secs_f64(),
        step_ms: 1e3 * own / minimum.evaluations.max(1) as f64,
    })
}

/// Evaluations at which the stopping rule ends a run with these values.
fn stopped_at(values: &[f64], iteration_ends: &[usize]) -> usize {
    let rule = StoppingRule::default();
    let iterates: Vec<f64> = iteration_ends
        .iter()
        .filter_map(|end| values.get(end - 1).copied())
        .collect();
    (1..=iterates.len())
        .find(|k| rule.is_met(&iterates[..*k]))
        .map_or(values.len(), |k| iteration_ends[k - 1])
}

/// A window that measures the time spent in it and counts its gradients.
struct Timed<'a> {
    task: &'a WindowTask,
    spent: Mutex<(Duration, usize)>,
}

impl Timed<'_> {
    fn time<T>(&self, gradients: usize, look: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = look();
        if let Ok(mut spent) = self.spent.lock() {
            spent.0 += started.elapsed();
            spent.1 += gradients;
        }
        result
    }
}

impl Objective for Timed<'_> {
    fn dimension(&self) -> usize {
        self.task.dimension()
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.time(0, || self.task.value(x))
    }

    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.time(1, || self.task.value_and_gradient(x, gradient))
    }

    fn least_squares(&self) -> Option<&dyn Residuals> {
        Some(self)
    }
}

impl Residuals for Timed<'_> {
    fn len(&self) -> usize {
        self.task.len()
    }

    fn residuals(&self, x: &[f64]) -> DVector<f64> {
        self.time(0, || self.task.residuals(x))
    }

    fn residuals_and_jacobian(&self, x: &[f64]) -> (DVector<f64>, Jacobian) {
        self.time(1, || self.task.residuals_and_jacobian(x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stopping_rule_counts_evaluations_not_iterations() {
        let falling: Vec<f64> = (0..20).map(|k| 100.0 - f64::from(k)).collect();
        let ends: Vec<usize> = (1..=20).collect();
        assert_eq!(stopped_at(&falling, &ends), 20);
        let mut stalls = falling.clone();
        stalls[14] = 200.0;
        assert_eq!(stopped_at(&stalls, &ends), 15);
        // Two evaluations an iteration: the tenth iterate is the twentieth value.
        let ends: Vec<usize> = (0..10).map(|k| 2 * k + 1).collect();
        assert_eq!(stopped_at(&stalls, &ends), 20);
    }

    #[test]
    fn rows_of_a_window_that_is_never_finite_are_read_back() {
        let row = Row {
            clip: "a".into(),
            category: "walk".into(),
            first: 0,
            optimizer: "lm".into(),
            budget: 2,
            evaluations: 1,
            gradients: 1,
            best_loss: vec![f64::INFINITY],
            mpjpe_global_mm: vec![f64::NAN],
            stopped_at: 1,
            seconds: 1.0,
            step_ms: 1.0,
        };
        let back: Row = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap();
        assert!(back.best_loss[0].is_nan() && back.mpjpe_global_mm[0].is_nan());
    }

    #[test]
    fn curves_go_on_with_their_last_value() {
        assert_eq!(Row::after(&[3.0, 2.0], 1), 3.0);
        assert_eq!(Row::after(&[3.0, 2.0], 50), 2.0);
        assert!(Row::after(&[], 5).is_nan());
    }
}
