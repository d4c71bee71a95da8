//! Strong-Wolfe line search by safeguarded interpolation, as a machine that is told one trial at a
//! time.
//!
//! It looks for a step α along a descent direction with
//! φ(α) ≤ φ(0) + c₁ α φ′(0) (Armijo) and |φ′(α)| ≤ c₂ |φ′(0)| (curvature).
//! The slope of a trial whose value already rules it out may be withheld: the machine then
//! interpolates values alone, which saves the gradient of every overshooting trial.
//!
//! # References
//! J. J. Moré, D. J. Thuente, "Line search algorithms with guaranteed sufficient decrease", ACM
//! TOMS 20(3), 1994; the safeguards are those of MINPACK-2, which SciPy uses too.

use super::interpolation::{Trial, cubic, extrapolating_cubic, quadratic_by_value, secant};

/// What a line search is satisfied with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wolfe {
    /// c₁, the share of the linear decrease that is asked for. Default: 1e-4.
    pub armijo: f64,
    /// c₂, the share of the initial slope that may be left. Larger accepts earlier. Default: 0.9.
    pub curvature: f64,
    /// Relative width of the bracket below which the best trial is taken. Default: 1e-14.
    pub width_tolerance: f64,
    /// Trials before the search gives up. Default: 100.
    pub max_trials: usize,
}

impl Default for Wolfe {
    fn default() -> Self {
        Self {
            armijo: 1e-4,
            curvature: 0.9,
            width_tolerance: 1e-14,
            max_trials: 100,
        }
    }
}

/// What to do after a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// Evaluate this step next.
    Try(f64),
    /// Take the step just evaluated.
    Accept,
    /// No acceptable step was found.
    Fail,
}

/// A search under way.
#[derive(Clone, Debug)]
pub struct LineSearch {
    wolfe: Wolfe,
    start: Trial,
    start_slope: f64,
    /// The step being evaluated.
    step: f64,
    /// The best step so far, and the other end of the interval.
    best: Trial,
    other: Trial,
    is_bracketed: bool,
    /// Still after a point with sufficient decrease and a non-negative slope.
    seeks_upturn: bool,
    /// Where the next step may lie, and the longest step ever allowed.
    bounds: (f64, f64),
    longest: f64,
    /// Widths of the last two brackets.
    widths: (f64, f64),
    trials: usize,
}

/// How far an unbracketed search may extrapolate, in units of the last advance.
const EXTRAPOLATION: (f64, f64) = (1.1, 4.0);
/// The longest step.
const LONGEST: f64 = 1e100;
/// A bracket must shrink by this factor in two trials, or it is bisected.
const SHRINK: f64 = 0.66;

impl LineSearch {
    /// A search from φ(0) = `value` with φ′(0) = `slope` < 0, whose first trial is `step` > 0.
    pub fn new(wolfe: Wolfe, value: f64, slope: f64, step: f64) -> Self {
        let start = Trial {
            step: 0.0,
            value,
            slope: Some(slope),
        };
        Self {
            wolfe,
            start,
            start_slope: slope,
            step,
            best: start,
            other: start,
            is_bracketed: false,
            seeks_upturn: true,
            bounds: (0.0, step + EXTRAPOLATION.1 * step),
            longest: LONGEST,
            widths: (LONGEST, 2.0 * LONGEST),
            trials: 0,
        }
    }

    /// The step being evaluated.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// Whether the decrease that a full step promises is lost in the rounding of φ(0).
    pub fn is_below_rounding(&self) -> bool {
        -self.start_slope <= 100.0 * f64::EPSILON * self.start.value.abs()
    }

    /// Whether a trial of this value can only be judged with its slope.
    pub fn needs_slope(&self, value: f64) -> bool {
        value <= self.armijo_bound().max(self.best.value)
    }

    /// Takes in φ and, unless [`needs_slope`](Self::needs_slope) denies it, φ′ at the current step.
    pub fn tell(&mut self, value: f64, slope: Option<f64>) -> Verdict {
        self.trials += 1;
        if !value.is_finite() || slope.is_some_and(|slope| !slope.is_finite()) {
            return self.retreat();
        }
        let decreases = value <= self.armijo_bound();
        let trial = Trial {
            step: self.step,
            value,
            slope,
        };
        if let Some(slope) = slope.filter(|_| decreases) {
            if slope.abs() <= self.wolfe.curvature * -self.start_slope {
                return Verdict::Accept;
            }
            self.seeks_upturn &= slope < 0.0;
        }
        if self.is_exhausted(decreases) {
            let improves = value < self.start.value && slope.is_some();
            return if improves {
                Verdict::Accept
            } else {
                Verdict::Fail
            };
        }
        self.shrink_towards(trial, decreases);
        Verdict::Try(self.step)
    }

    /// φ(0) + c₁ α φ′(0) at the current step.
    fn armijo_bound(&self) -> f64 {
        self.start.value + self.step * self.wolfe.armijo * self.start_slope
    }

    /// From a trial that is not finite: half-way back to the best one, never as far again.
    fn retreat(&mut self) -> Verdict {
        let step = 0.5 * (self.best.step + self.step);
        if self.trials >= self.wolfe.max_trials || step <= self.best.step || step >= self.step {
            return Verdict::Fail;
        }
        self.longest = step;
        self.step = step;
        self.bounds.1 = self.bounds.1.min(step);
        Verdict::Try(step)
    }

    /// Whether the interval has become too small, or the trials too many, to go on.
    fn is_exhausted(&self, decreases: bool) -> bool {
        let (low, high) = self.bounds;
        let is_at_end = self.step <= low || self.step >= high;
        let is_narrow = high - low <= self.wolfe.width_tolerance * high;
        let is_longest = decreases && self.step >= self.longest;
        self.trials >= self.wolfe.max_trials
            || is_longest
            || self.is_bracketed && (is_at_end || is_narrow)
    }

    /// Updates the interval with `trial` and picks the next step inside it.
    fn shrink_towards(&mut self, trial: Trial, decreases: bool) {
        // In the first stage, below the best but above the Armijo line, the line is subtracted.
        let is_tilted = self.seeks_upturn && !decreases && trial.value <= self.best.value;
        let tilt = if is_tilted {
            self.wolfe.armijo * self.start_slope
        } else {
            0.0
        };
        let mut step = self.interpolate(trial.tilted(tilt), tilt);
        self.update_interval(trial, tilt);
        if self.is_bracketed {
            let (best, other) = (self.best.step, self.other.step);
            let width = (other - best).abs();
            if width >= SHRINK * self.widths.1 {
                step = best + 0.5 * (other - best);
            }
            self.widths = (width, self.widths.0);
            self.bounds = (best.min(other), best.max(other));
        } else {
            let advance = step - self.best.step;
            let (near, far) = EXTRAPOLATION;
            self.bounds = (step + near * advance, step + far * advance);
        }
        step = step.min(self.longest);
        let (low, high) = self.bounds;
        let is_narrow = high - low <= self.wolfe.width_tolerance * high;
        if self.is_bracketed && (step <= low || step >= high || is_narrow) {
            step = self.best.step; // rounding prevents progress
        }
        self.step = step;
    }

    /// Keeps the interval around a minimum of φ minus the `tilt`ed line.
    fn update_interval(&mut self, trial: Trial, tilt: f64) {
        let (value, best) = (trial.tilted(tilt), self.best.tilted(tilt));
        if value.value > best.value {
            self.other = trial;
            return;
        }
        if value.slope.unwrap_or(0.0) * best.slope.unwrap_or(0.0) < 0.0 {
            self.other = self.best;
        }
        self.best = trial;
    }

    /// The safeguarded minimizer of the interpolant through the best and this `trial`, both with
    /// the line of slope `tilt` subtracted (Moré and Thuente, Sec. 4, cases 1 to 4).
    fn interpolate(&mut self, trial: Trial, tilt: f64) -> f64 {
        let (best, other) = (self.best.tilted(tilt), self.other.tilted(tilt));
        let best_slope = best.slope.unwrap_or(0.0);
        if trial.value > best.value {
            self.is_bracketed = true;
            let quadratic = quadratic_by_value(best, trial);
            let Some(cubic) = cubic(best, trial) else {
                return quadratic;
            };
            let is_cubic_nearer = (cubic - best.step).abs() < (quadratic - best.step).abs();
            return if is_cubic_nearer {
                cubic
            } else {
                cubic + 0.5 * (quadratic - cubic)
            };
        }
        let slope = trial.slope.unwrap_or(0.0);
        if slope * best_slope < 0.0 {
            self.is_bracketed = true;
            let secant = secant(best, trial);
            let cubic = cubic(trial, best).unwrap_or(secant);
            let is_cubic_farther = (cubic - trial.step).abs() > (secant - trial.step).abs();
            return if is_cubic_farther { cubic } else { secant };
        }
        if slope.abs() < best_slope.abs() {
            return self.interpolate_flattening(trial, best);
        }
        if self.is_bracketed {
            return cubic(trial, other).unwrap_or(0.5 * (trial.step + other.step));
        }
        if trial.step > best.step {
            self.bounds.1
        } else {
            self.bounds.0
        }
    }

    /// Case 3: lower, same direction, and flatter.
    fn interpolate_flattening(&self, trial: Trial, best: Trial) -> f64 {
        let secant = secant(best, trial);
        let cubic = extrapolating_cubic(best, trial).unwrap_or(if trial.step > best.step {
            self.bounds.1
        } else {
            self.bounds.0
        });
        let is_cubic_nearer = (cubic - trial.step).abs() < (secant - trial.step).abs();
        if self.is_bracketed {
            let step = if is_cubic_nearer { cubic } else { secant };
            let limit = trial.step + SHRINK * (self.other.step - trial.step);
            return if trial.step > best.step {
                step.min(limit)
            } else {
                step.max(limit)
            };
        }
        let step = if is_cubic_nearer { secant } else { cubic };
        step.clamp(self.bounds.0, self.bounds.1)
    }
}

#[cfg(test)]
mod tests;
