//! Damped Gauss–Newton steps, for objectives that know JᵀJ.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

/// Dampings λ of the steps from the point at hand, −(JᵀJ + λ D)⁻¹ g.
const DAMPINGS: [f64; 4] = [0.01, 0.1, 1.0, 10.0];

/// Dampings of the steps from the best point, each multiplied by [`CAUTION`] for every look since
/// that was no better.
const CAUTIOUS: [f64; 2] = [1.0, 10.0];
const CAUTION: f64 = 4.0;

/// Number of proposals that curvature adds.
pub const CURVED: usize = DAMPINGS.len() + CAUTIOUS.len();

/// The weight of each before anything is learned.
pub const FIRST_GATES: [f32; CURVED] = [0.0, 0.3, 0.5, 0.0, 0.0, 0.0];

/// What is known of the curvature at a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curvature {
    /// JᵀJ, `(N, N)`.
    matrix: DMatrix<f64>,
    /// g, `(N,)`.
    gradient: DVector<f64>,
    /// D: the diagonal of JᵀJ, no entry below the median, so that coordinates that hardly matter do
    /// not run away.
    scaling: Vec<f64>,
    /// The damped steps, each `(N,)`.
    steps: Vec<Vec<f64>>,
}

impl Curvature {
    /// The steps for `gradient: (N,)`; `None` when a number is not finite.
    pub fn new(matrix: &DMatrix<f64>, gradient: &[f64]) -> Option<Self> {
        let numbers = matrix.iter().chain(gradient);
        if !numbers.fold(true, |finite, number| finite & number.is_finite()) {
            return None;
        }
        let mut sorted: Vec<f64> = matrix.diagonal().iter().copied().collect();
        let diagonal = sorted.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2].max(1e-300);
        let mut curvature = Self {
            scaling: diagonal.iter().map(|d| d.max(median)).collect(),
            matrix: matrix.clone(),
            gradient: DVector::from_column_slice(gradient),
            steps: Vec::new(),
        };
        let steps = DAMPINGS.iter().map(|damping| curvature.step(*damping));
        curvature.steps = steps.collect::<Option<_>>()?;
        Some(curvature)
    }

    /// −(JᵀJ + λ D)⁻¹ g, `(N,)`.
    fn step(&self, damping: f64) -> Option<Vec<f64>> {
        let mut damped = self.matrix.clone();
        for (i, steepness) in self.scaling.iter().enumerate() {
            damped[(i, i)] += damping * steepness;
        }
        let step = damped.cholesky()?.solve(&self.gradient);
        Some(step.iter().map(|s| -s).collect())
    }

    /// The steps from here, then those from the best point, which lies at `back: (N,)` from the
    /// point at hand and was seen `failures` looks ago.
    pub fn proposals(
        here: Option<&Self>,
        best: Option<&Self>,
        back: &[f64],
        failures: usize,
    ) -> Vec<Vec<f64>> {
        let still = || vec![0.0; back.len()];
        let of_here = (0..DAMPINGS.len())
            .map(|i| here.map_or_else(still, |curvature| curvature.steps[i].clone()));
        let caution = CAUTION.powi(failures.min(20) as i32);
        let of_best = CAUTIOUS.map(|damping| {
            let step = best.and_then(|curvature| curvature.step(caution * damping));
            step.map_or_else(still, |step| {
                back.iter().zip(&step).map(|(back, s)| back + s).collect()
            })
        });
        of_here.chain(of_best).collect()
    }

    /// A length of step to begin with: that of the third step, in its root mean square.
    pub fn first_scale(&self) -> f64 {
        super::directions::rms(&self.steps[2])
    }

    /// The gain ½ sᵀJᵀJ s + g·s that the model promises for a step s, `(N,)`, from here.
    pub fn promised(&self, step: &[f64]) -> f64 {
        let step = DVector::from_column_slice(step);
        self.gradient.dot(&step) + 0.5 * step.dot(&(&self.matrix * &step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_damping_is_newtons_step_and_much_is_short_descent() {
        let matrix = DMatrix::from_row_slice(2, 2, &[4.0, 1.0, 1.0, 3.0]);
        let gradient = [1.0, -2.0];
        let curvature = Curvature::new(&matrix, &gradient).unwrap();
        let newton = [-5.0 / 11.0, 9.0 / 11.0];
        let first = &curvature.steps[0];
        assert!(first.iter().zip(newton).all(|(a, b)| (a - b).abs() < 0.02));
        let exact = curvature.promised(&newton);
        assert!((exact + 0.5 * (5.0 + 18.0) / 11.0).abs() < 1e-12);
        let gains: Vec<f64> = curvature
            .steps
            .iter()
            .map(|step| curvature.promised(step))
            .collect();
        assert!(gains.is_sorted() && gains[3] < 0.0, "{gains:?}");
    }

    #[test]
    fn from_the_best_point_the_way_back_comes_first() {
        let matrix = DMatrix::identity(2, 2);
        let best = Curvature::new(&matrix, &[2.0, 0.0]).unwrap();
        let proposals = Curvature::proposals(None, Some(&best), &[5.0, 5.0], 0);
        assert_eq!(proposals.len(), CURVED);
        assert_eq!(proposals[0], [0.0, 0.0]);
        assert_eq!(proposals[4], [4.0, 5.0]); // λ = 1 halves the step
        let proposals = Curvature::proposals(None, Some(&best), &[5.0, 5.0], 2);
        assert!((proposals[4][0] - (5.0 - 2.0 / 17.0)).abs() < 1e-12);
    }

    #[test]
    fn infinite_curvature_is_no_curvature() {
        let matrix = DMatrix::from_element(2, 2, f64::INFINITY);
        assert!(Curvature::new(&matrix, &[1.0, 1.0]).is_none());
    }
}
