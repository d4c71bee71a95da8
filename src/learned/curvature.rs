//! Damped Gauss–Newton steps, for objectives that know JᵀJ: from one look, and from averages of many.

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

/// Decays of the averages of models.
const AVERAGE_DECAYS: [f64; 2] = [0.6, 0.9];

/// Dampings of the steps to their minima.
const AVERAGE_DAMPINGS: [f64; 2] = [0.01, 0.1];

/// Number of proposals that averages add.
pub const AVERAGED: usize = AVERAGE_DECAYS.len() * AVERAGE_DAMPINGS.len();

/// The weight of each before anything is learned, beside half of the [`FIRST_GATES`].
pub const FIRST_AVERAGED_GATES: [f32; AVERAGED] = [0.1, 0.2, 0.0, 0.1];

/// What is known of the curvature at a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curvature {
    model: Model,
    /// The damped steps, each `(N,)`.
    steps: Vec<Vec<f64>>,
}

/// g·s + ½ sᵀ JᵀJ s for steps s from a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Model {
    /// JᵀJ, `(N, N)`.
    matrix: DMatrix<f64>,
    /// g, `(N,)`.
    gradient: DVector<f64>,
    /// D: the diagonal of JᵀJ, no entry below the median, so that coordinates that hardly matter do
    /// not run away.
    scaling: Vec<f64>,
}

impl Model {
    fn new(matrix: DMatrix<f64>, gradient: DVector<f64>) -> Self {
        let diagonal = matrix.diagonal();
        let mut sorted: Vec<f64> = diagonal.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2].max(1e-300);
        Self {
            scaling: diagonal.iter().map(|d| d.max(median)).collect(),
            matrix,
            gradient,
        }
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
}

impl Curvature {
    /// The steps for `gradient: (N,)`; `None` when a number is not finite.
    pub fn new(matrix: &DMatrix<f64>, gradient: &[f64]) -> Option<Self> {
        let numbers = matrix.iter().chain(gradient);
        if !numbers.fold(true, |finite, number| finite & number.is_finite()) {
            return None;
        }
        let gradient = DVector::from_column_slice(gradient);
        let model = Model::new(matrix.clone(), gradient);
        let steps = DAMPINGS.iter().map(|damping| model.step(*damping));
        let steps = steps.collect::<Option<_>>()?;
        Some(Self { model, steps })
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
            let step = best.and_then(|curvature| curvature.model.step(caution * damping));
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
        let model = &self.model;
        model.gradient.dot(&step) + 0.5 * step.dot(&(&model.matrix * &step))
    }
}

/// A running average of the models of all looks, weighed by 1/f².
///
/// The loss of a window is rough on the scale of the last steps, for contacts come and go: what one
/// linearization promises there is chance, and their average is less so. What averaging of iterates is to
/// stochastic gradients, this is to Newton's method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Average {
    decay: f64,
    /// Σ w.
    weight: f64,
    /// Σ w JᵀJ, `(N, N)`.
    matrix: DMatrix<f64>,
    /// Σ w (JᵀJ x − g), `(N,)`.
    pull: DVector<f64>,
}

impl Average {
    /// Averages for `n` variables, without any look.
    pub fn all(n: usize) -> Vec<Self> {
        let average = |decay| Self {
            decay,
            weight: 0.0,
            matrix: DMatrix::zeros(n, n),
            pull: DVector::zeros(n),
        };
        AVERAGE_DECAYS.map(average).to_vec()
    }

    /// Takes in the model at `x: (N,)`, whose value is `share` of the first one.
    pub fn update(&mut self, x: &[f64], curvature: &Curvature, share: f64) {
        let model = &curvature.model;
        let weight = share.clamp(1e-6, 1e6).powi(-2);
        self.weight = self.decay * self.weight + weight;
        self.matrix *= self.decay;
        self.matrix += weight * &model.matrix;
        let pull = &model.matrix * DVector::from_column_slice(x) - &model.gradient;
        self.pull = self.decay * &self.pull + weight * pull;
    }

    /// The damped steps from `x: (N,)` towards the minimum, each `(N,)`.
    pub fn proposals(&self, x: &[f64]) -> Vec<Vec<f64>> {
        let share = self.weight.recip();
        let pull = &self.matrix * DVector::from_column_slice(x) - &self.pull;
        let model = Model::new(share * &self.matrix, share * pull);
        let step = |damping| model.step(damping).unwrap_or_else(|| vec![0.0; x.len()]);
        AVERAGE_DAMPINGS.map(step).to_vec()
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
    fn an_average_finds_the_minimum_that_noise_hides() {
        // ½ ‖x − (1, −2)‖², with slopes that are off to one side and to the other.
        let matrix = DMatrix::identity(2, 2);
        let mut averages = Average::all(2);
        for (x, noise) in [([3.0, 0.0], 0.5), ([0.0, 0.0], -0.5), ([1.0, 1.0], 0.0)] {
            let gradient = [x[0] - 1.0 + noise, x[1] + 2.0 - noise];
            let curvature = Curvature::new(&matrix, &gradient).unwrap();
            for average in &mut averages {
                average.update(&x, &curvature, 1.0);
            }
        }
        let at = [1.0, 1.0];
        let [fast, slow] = [0, 1].map(|i| averages[i].proposals(&at)[0][0].abs());
        assert!(slow < fast && fast < 0.1, "{slow} {fast}");
        // A look with a high value does not count.
        let far = Curvature::new(&matrix, &[100.0, 100.0]).unwrap();
        averages[1].update(&at, &far, 1e3);
        assert!(averages[1].proposals(&at)[0][0].abs() < 0.1);
    }

    #[test]
    fn infinite_curvature_is_no_curvature() {
        let matrix = DMatrix::from_element(2, 2, f64::INFINITY);
        assert!(Curvature::new(&matrix, &[1.0, 1.0]).is_none());
    }
}
