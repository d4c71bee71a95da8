//! Running regressions of the gradient on the position, coordinate by coordinate.
//!
//! Over many points, g_n ≈ a (x_n − c) is a view of the objective from afar: ripples of the
//! landscape average out, and the root c is where the smoothed objective has its minimum.

use serde::{Deserialize, Serialize};

/// Exponentially weighted moments of (x_n, g_n) for every coordinate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Regression {
    /// Weight of the newest point, once there are enough.
    weight: f64,
    seen: usize,
    moments: Vec<Coordinate>,
}

/// Means, variances and covariance of one coordinate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Coordinate {
    x: f64,
    g: f64,
    xx: f64,
    xg: f64,
    gg: f64,
}

impl Regression {
    /// Over about 1 / (1 − `decay`) points of `n` coordinates.
    pub fn new(n: usize, decay: f64) -> Self {
        Self {
            weight: 1.0 - decay,
            seen: 0,
            moments: vec![Coordinate::default(); n],
        }
    }

    /// Takes in a point and its gradient, `(N,)` each.
    pub fn update(&mut self, x: &[f64], gradient: &[f64]) {
        self.seen += 1;
        let weight = self.weight.max(1.0 / self.seen as f64);
        for ((c, x), g) in self.moments.iter_mut().zip(x).zip(gradient) {
            let (dx, dg) = (x - c.x, g - c.g);
            c.x += weight * dx;
            c.g += weight * dg;
            c.xx = (1.0 - weight) * (c.xx + weight * dx * dx);
            c.xg = (1.0 - weight) * (c.xg + weight * dx * dg);
            c.gg = (1.0 - weight) * (c.gg + weight * dg * dg);
        }
    }

    /// From `x: (N,)` to the roots of the regressions, `(N,)`; where the slope is not positive, two
    /// standard deviations from the mean position in the direction of descent. No coordinate goes
    /// further than `longest` standard deviations from the mean.
    pub fn step_to_root(&self, x: &[f64], longest: f64) -> Vec<f64> {
        let coordinates = self.moments.iter().zip(x);
        coordinates
            .map(|(c, x)| {
                let spread = c.xx.sqrt();
                let newton = -c.g * c.xx / c.xg;
                let from_mean = if c.xg > 0.0 && newton.is_finite() {
                    newton.clamp(-longest * spread, longest * spread)
                } else {
                    -c.g.signum() * 2.0 * spread
                };
                c.x + from_mean - x
            })
            .collect()
    }

    /// Correlation of position and gradient, `(N,)`, in [−1, 1].
    pub fn correlation(&self, n: usize) -> f64 {
        let c = &self.moments[n];
        let scale = (c.xx * c.gg).sqrt();
        if scale > 0.0 && scale.is_finite() {
            (c.xg / scale).clamp(-1.0, 1.0)
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_a_rippled_line_is_found() {
        let mut regression = Regression::new(1, 0.98);
        let gradient = |x: f64| 0.5 * (x - 3.0) + 4.0 * (6.0 * x).sin();
        for k in 0..100 {
            let x = 8.0 * (k as f64 * 0.7).sin();
            regression.update(&[x], &[gradient(x)]);
        }
        let root = 1.0 + regression.step_to_root(&[1.0], 10.0)[0];
        assert!((root - 3.0).abs() < 1.0, "{root}");
        assert!(regression.correlation(0) > 0.3);
    }

    #[test]
    fn a_line_is_fitted_exactly() {
        let mut regression = Regression::new(2, 0.9);
        for x in [4.0, 2.0, 5.0] {
            regression.update(&[x, -x], &[2.0 * (x - 1.0), 3.0 * (-x + 7.0)]);
        }
        let step = regression.step_to_root(&[5.0, -5.0], 100.0);
        assert!((step[0] + 4.0).abs() < 1e-12 && (step[1] + 2.0).abs() < 1e-12);
        assert!((regression.correlation(1) - 1.0).abs() < 1e-12);
    }
}
