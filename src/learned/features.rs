//! Features of the Adafactor MLP, one row a coordinate: the paper's view of the inner problem.
//!
//! Every column but the last eleven is divided by its root mean square over the coordinates, so
//! the features do not depend on the scale of x or f, nor on N.

use candle_core::{Result, Tensor};
use pulp::{Arch, Simd, WithSimd};

use super::moments::Moments;

/// T of the time features tanh(k/T − 1).
const TIMES: [f64; 11] = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5];

/// The last features, which all coordinates of a problem share.
pub(super) const SHARED: usize = TIMES.len();

/// What the Adafactor features are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AdafactorFeatures {
    /// Decays of m, of r and of v.
    pub decays: (usize, usize, usize),
    /// Whether the gradient stands in front once more (Fig. 2: "gradient together with the
    /// features").
    pub repeats_gradient: bool,
    /// Whether v and 1/√v stand twice, as in the original: a vector has no rows and columns, so both
    /// factored slots hold the whole accumulator.
    pub repeats_factors: bool,
}

impl AdafactorFeatures {
    /// Columns that are normalized.
    fn normalized(&self) -> usize {
        let (momentum, rms, adafactor) = self.decays;
        let slots = if self.repeats_factors { 6 } else { 4 };
        usize::from(self.repeats_gradient) + 2 + 2 * momentum + 2 * rms + slots * adafactor
    }

    /// The same features without those that stand twice.
    pub fn folded(self) -> Self {
        Self {
            repeats_factors: false,
            ..self
        }
    }

    /// What a layer with weights `weight: (F, outputs)` of these features does to the
    /// [`folded`](Self::folded) ones: rows of equal features added.
    pub fn fold(&self, weight: &Tensor) -> Result<Tensor> {
        let (momentum, rms, k) = self.decays;
        let before = usize::from(self.repeats_gradient) + 2 + 2 * momentum + 2 * rms + k;
        let rows = |first: usize, count: usize| weight.narrow(0, first, count);
        let both = |first: usize| rows(first, k)? + rows(first + k, k)?;
        let after = before + 4 * k;
        let parts = [
            rows(0, before)?,
            both(before)?,
            both(before + 2 * k)?,
            rows(after, self.width() - after)?,
        ];
        Tensor::cat(&parts, 0)
    }

    /// Number of features F.
    pub fn width(&self) -> usize {
        self.normalized() + TIMES.len()
    }

    /// Writes `rows: (N, F)` for the iterate `x: (N,)`, its `gradient: (N,)`, accumulators that
    /// already hold that gradient, and the number `k` of updates before it.
    pub fn write(
        &self,
        x: &[f64],
        gradient: &[f64],
        moments: &Moments,
        k: usize,
        rows: &mut [f32],
    ) {
        Arch::new().dispatch(Normalized {
            features: *self,
            x,
            gradient,
            moments,
            rows,
        });
        let (width, columns) = (self.width(), self.normalized());
        let times = TIMES.map(|period| (k as f64 / period - 1.0).tanh() as f32);
        for row in rows.chunks_exact_mut(width) {
            row[columns..].copy_from_slice(&times);
        }
    }
}

/// Writes the features that are normalized, in the order of the original.
struct Normalized<'a> {
    features: AdafactorFeatures,
    x: &'a [f64],
    gradient: &'a [f64],
    moments: &'a Moments,
    rows: &'a mut [f32],
}

impl WithSimd for Normalized<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (x, gradient, Moments { m, r, v }) = (self.x, self.gradient, self.moments);
        let n = x.len();
        let by_r = inverse_roots(r, 1e-6);
        let by_v = inverse_roots(v, 1e-8);
        let mut g_by_v = inverse_roots(v, 1e-9);
        for column in g_by_v.chunks_exact_mut(n) {
            multiply(column, gradient);
        }
        let mut m_by_v = inverse_roots(v, 1e-6);
        multiply(&mut m_by_v, m);
        let mut m_by_r = m.clone();
        let rms = by_r.len() / n;
        for (j, column) in m_by_r.chunks_exact_mut(n).enumerate() {
            multiply(column, &by_r[j.min(rms - 1) * n..]);
        }
        let AdafactorFeatures {
            repeats_gradient,
            repeats_factors,
            ..
        } = self.features;
        let (one, two) = (1, 1 + usize::from(repeats_factors));
        let groups: [(&[f64], usize); 10] = [
            (gradient, 1 + usize::from(repeats_gradient)),
            (x, one),
            (m, one),
            (r, one),
            (&m_by_r, one),
            (&by_r, one),
            (&g_by_v, one),
            (v, two),
            (&by_v, two),
            (&m_by_v, one),
        ];
        let columns: Vec<(&[f64], f64)> = groups
            .into_iter()
            .flat_map(|(group, times)| std::iter::repeat_n(group, times))
            .flat_map(|group| group.chunks_exact(n))
            .map(|column| {
                let scale = (1e-5 + sum_of_squares(column) / n as f64).sqrt();
                (column, scale.recip())
            })
            .collect();
        let rows = self.rows.chunks_exact_mut(self.features.width());
        for (i, row) in rows.enumerate() {
            for (feature, (column, scale)) in row.iter_mut().zip(&columns) {
                *feature = (column[i] * scale) as f32;
            }
        }
    }
}

/// 1 / √(square + floor).
#[inline(always)]
fn inverse_roots(squares: &[f64], floor: f64) -> Vec<f64> {
    let mut roots = squares.to_vec();
    for root in &mut roots {
        *root = 1.0 / (*root + floor).sqrt();
    }
    roots
}

#[inline(always)]
fn multiply(values: &mut [f64], factors: &[f64]) {
    for (value, factor) in values.iter_mut().zip(factors) {
        *value *= factor;
    }
}

/// Summed in lanes.
#[inline(always)]
fn sum_of_squares(values: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    for chunk in values.chunks(8) {
        for (sum, value) in lanes.iter_mut().zip(chunk) {
            *sum += value * value;
        }
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn widths_are_those_published() {
        let width = |rms, repeats_gradient| {
            let decays = (3, rms, 3);
            AdafactorFeatures {
                decays,
                repeats_gradient,
                repeats_factors: true,
            }
            .width()
        };
        assert_eq!(
            (width(1, false), width(3, false), width(3, true)),
            (39, 43, 44)
        );
    }

    #[test]
    fn folded_features_do_what_all_do() {
        let all = AdafactorFeatures {
            decays: (3, 1, 3),
            repeats_gradient: false,
            repeats_factors: true,
        };
        let wave = |count: usize| (1..=count).map(|i| (i as f64).sin()).collect::<Vec<f64>>();
        let squares = |count: usize| wave(count).iter().map(|w| w * w).collect::<Vec<f64>>();
        let moments = Moments {
            m: wave(15),
            r: squares(5),
            v: squares(15),
        };
        let weight = wave(all.width() * 2).iter().map(|w| *w as f32).collect();
        let weight = Tensor::from_vec(weight, (all.width(), 2), &Device::Cpu).unwrap();
        let outputs = |features: AdafactorFeatures, weight: &Tensor| {
            let mut rows = vec![0.0; 5 * features.width()];
            features.write(&wave(5), &wave(5), &moments, 3, &mut rows);
            let rows = Tensor::from_vec(rows, (5, features.width()), &Device::Cpu).unwrap();
            let outputs = rows.matmul(weight).unwrap().flatten_all().unwrap();
            outputs.to_vec1::<f32>().unwrap()
        };
        let folded = outputs(all.folded(), &all.fold(&weight).unwrap());
        for (a, b) in folded.iter().zip(outputs(all, &weight)) {
            assert!((a - b).abs() < 1e-5, "{a} is not {b}");
        }
    }
}
