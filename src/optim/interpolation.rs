//! Minimizers of the polynomials through two trials of a line search.

/// A trial step: α, φ(α) and, when it was looked at, φ′(α).
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    pub step: f64,
    pub value: f64,
    pub slope: Option<f64>,
}

impl Trial {
    /// The same trial of φ(α) − `tilt` α.
    pub fn tilted(self, tilt: f64) -> Self {
        Self {
            value: self.value - self.step * tilt,
            slope: self.slope.map(|slope| slope - tilt),
            ..self
        }
    }
}

/// θ and γ of the cubic through two points with slopes; γ² may come out negative.
fn cubic_coefficients(a: Trial, b: Trial, slope_a: f64, slope_b: f64) -> (f64, f64) {
    let theta = 3.0 * (a.value - b.value) / (b.step - a.step) + slope_a + slope_b;
    let s = theta.abs().max(slope_a.abs()).max(slope_b.abs());
    let gamma_squared = (theta / s).powi(2) - (slope_a / s) * (slope_b / s);
    (
        theta,
        if gamma_squared < 0.0 {
            f64::NAN
        } else {
            s * gamma_squared.sqrt()
        },
    )
}

/// The minimizer of the cubic through `a` and `b`, if both slopes are known and it has one.
pub(super) fn cubic(a: Trial, b: Trial) -> Option<f64> {
    let (slope_a, slope_b) = (a.slope?, b.slope?);
    let (theta, gamma) = cubic_coefficients(a, b, slope_a, slope_b);
    let gamma = if b.step < a.step { -gamma } else { gamma };
    let r = ((gamma - slope_a) + theta) / (((gamma - slope_a) + gamma) + slope_b);
    let step = a.step + r * (b.step - a.step);
    step.is_finite().then_some(step)
}

/// The minimizer of the cubic through `a` and `b`, when it lies beyond `b`.
pub(super) fn extrapolating_cubic(a: Trial, b: Trial) -> Option<f64> {
    let (slope_a, slope_b) = (a.slope?, b.slope?);
    let (theta, gamma) = cubic_coefficients(a, b, slope_a, slope_b);
    let gamma = if gamma.is_nan() { 0.0 } else { gamma };
    let gamma = if b.step > a.step { -gamma } else { gamma };
    let r = ((gamma - slope_b) + theta) / ((gamma + (slope_a - slope_b)) + gamma);
    (r < 0.0 && gamma != 0.0).then_some(b.step + r * (a.step - b.step))
}

/// The minimizer of the parabola through both values and the slope of `a`.
pub(super) fn quadratic_by_value(a: Trial, b: Trial) -> f64 {
    let slope = a.slope.unwrap_or(0.0);
    let width = b.step - a.step;
    a.step + slope / ((a.value - b.value) / width + slope) / 2.0 * width
}

/// The zero of the line through both slopes.
pub(super) fn secant(a: Trial, b: Trial) -> f64 {
    let (slope_a, slope_b) = (a.slope.unwrap_or(0.0), b.slope.unwrap_or(0.0));
    b.step + slope_b / (slope_b - slope_a) * (a.step - b.step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(phi: impl Fn(f64) -> (f64, f64), step: f64) -> Trial {
        let (value, slope) = phi(step);
        Trial {
            step,
            value,
            slope: Some(slope),
        }
    }

    #[test]
    fn polynomials_of_their_own_degree_are_minimized_exactly() {
        let parabola = |a: f64| (3.0 * (a - 2.0).powi(2), 6.0 * (a - 2.0));
        let (a, b) = (sample(parabola, 0.0), sample(parabola, 5.0));
        assert!((quadratic_by_value(a, b) - 2.0).abs() < 1e-12);
        assert!((secant(a, b) - 2.0).abs() < 1e-12);
        let third = |a: f64| (a.powi(3) - 3.0 * a, 3.0 * a * a - 3.0); // minimum at 1
        let (a, b) = (sample(third, 0.0), sample(third, 3.0));
        assert!((cubic(a, b).unwrap() - 1.0).abs() < 1e-12);
        assert!((cubic(b, a).unwrap() - 1.0).abs() < 1e-12);
        let b = sample(third, 0.5);
        assert!((extrapolating_cubic(a, b).unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_withheld_slope_leaves_no_cubic() {
        let a = Trial {
            step: 0.0,
            value: 0.0,
            slope: Some(-1.0),
        };
        let b = Trial {
            step: 1.0,
            value: 2.0,
            slope: None,
        };
        assert!(cubic(a, b).is_none() && extrapolating_cubic(a, b).is_none());
    }
}
