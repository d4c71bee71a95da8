//! Damped Gauss–Newton steps, for objectives that know JᵀJ.

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};
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
    /// D, see [`scaling`].
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
        let mut curvature = Self {
            scaling: scaling(matrix),
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
        let factor = factor(&self.matrix, &self.scaling, damping)?;
        let step = factor.solve(&self.gradient);
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

/// D: the diagonal of JᵀJ, no entry below the median, so that coordinates that hardly matter do not
/// run away, `(N,)`.
fn scaling(matrix: &DMatrix<f64>) -> Vec<f64> {
    let diagonal: Vec<f64> = matrix.diagonal().iter().copied().collect();
    let mut sorted = diagonal.clone();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2].max(1e-300);
    diagonal.iter().map(|d| d.max(median)).collect()
}

/// The factorization of JᵀJ + λ D.
fn factor(matrix: &DMatrix<f64>, scaling: &[f64], damping: f64) -> Option<Cholesky<f64, Dyn>> {
    let mut damped = matrix.clone();
    for (i, steepness) in scaling.iter().enumerate() {
        damped[(i, i)] += damping * steepness;
    }
    damped.cholesky()
}

/// What a damped Gauss–Newton step leaves of an error δx: its Jacobian I − (JᵀJ + λ D)⁻¹ JᵀJ,
/// transposed, times `slopes: (N,)`; they come back as they are when a number is not finite.
pub fn uncorrected(matrix: &DMatrix<f64>, damping: f64, slopes: &[f64]) -> Vec<f64> {
    let finite = matrix.iter().all(|entry| entry.is_finite());
    let scaling = scaling(matrix);
    let Some(factor) = factor(matrix, &scaling, damping).filter(|_| finite) else {
        return slopes.to_vec();
    };
    let solved = factor.solve(&DVector::from_column_slice(slopes));
    let rows = solved.iter().zip(&scaling);
    rows.map(|(v, steepness)| damping * steepness * v).collect()
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
    fn steep_errors_are_corrected_and_flat_ones_stay() {
        let matrix = DMatrix::from_row_slice(2, 2, &[9.0, 0.0, 0.0, 1.0]);
        // D = (9, 9): in the flat coordinate 9 / (1 + 9) of the error is left.
        let left = uncorrected(&matrix, 1.0, &[1.0, 1.0]);
        assert!((left[0] - 0.5).abs() < 1e-12 && (left[1] - 0.9).abs() < 1e-12);
        // The step of an erring optimizer: x⁺ = x + step(x), differentiated along v.
        let matrix = DMatrix::from_row_slice(2, 2, &[4.0, 1.0, 1.0, 3.0]);
        let (v, slopes) = ([0.3, -0.7], [0.2, 0.5]);
        let gradient: Vec<f64> = (0..2)
            .map(|i| matrix[(i, 0)] * v[0] + matrix[(i, 1)] * v[1])
            .collect();
        let step = Curvature::new(&matrix, &gradient)
            .unwrap()
            .step(0.5)
            .unwrap();
        let after: f64 = (0..2).map(|i| slopes[i] * (v[i] + step[i])).sum();
        let left = uncorrected(&matrix, 0.5, &slopes);
        assert!((after - (left[0] * v[0] + left[1] * v[1])).abs() < 1e-12);
    }

    #[test]
    fn infinite_curvature_is_no_curvature() {
        let matrix = DMatrix::from_element(2, 2, f64::INFINITY);
        assert!(Curvature::new(&matrix, &[1.0, 1.0]).is_none());
    }
}
