//! Features of the Adafactor MLP, one row a coordinate: the paper's view of the inner problem.
//!
//! Every column but the last eleven is divided by its root mean square over the coordinates, so
//! the features do not depend on the scale of x or f, nor on N.

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
}

impl AdafactorFeatures {
    /// Columns that are normalized.
    fn normalized(&self) -> usize {
        let (momentum, rms, adafactor) = self.decays;
        usize::from(self.repeats_gradient) + 2 + 2 * momentum + 2 * rms + 6 * adafactor
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
        let (width, columns) = (self.width(), self.normalized());
        let mut all = Vec::with_capacity(x.len() * columns);
        for n in 0..x.len() {
            self.push(&mut all, n, x[n], gradient[n], moments);
        }
        let mut scales = vec![0.0; columns];
        for row in all.chunks_exact(columns) {
            for (scale, value) in scales.iter_mut().zip(row) {
                *scale += value * value;
            }
        }
        for scale in &mut scales {
            *scale = (1e-5 + *scale / x.len() as f64).sqrt().recip();
        }
        let times = TIMES.map(|period| (k as f64 / period - 1.0).tanh() as f32);
        for (row, values) in rows.chunks_exact_mut(width).zip(all.chunks_exact(columns)) {
            for ((feature, value), scale) in row.iter_mut().zip(values).zip(&scales) {
                *feature = (value * scale) as f32;
            }
            row[columns..].copy_from_slice(&times);
        }
    }

    /// The features of coordinate `n` before normalization, in the order of the original.
    fn push(&self, all: &mut Vec<f64>, n: usize, x: f64, g: f64, moments: &Moments) {
        let (momentum, rms, adafactor) = self.decays;
        let m = &moments.m[n * momentum..][..momentum];
        let r = &moments.r[n * rms..][..rms];
        let v = &moments.v[n * adafactor..][..adafactor];
        if self.repeats_gradient {
            all.push(g);
        }
        all.extend([g, x]);
        all.extend(m);
        all.extend(r);
        // m / √r, which stands in front of the 1 / √r it is made from.
        let scaled = all.len();
        all.extend(m);
        all.extend(r.iter().map(|r| (r + 1e-6).sqrt().recip()));
        for j in 0..momentum {
            all[scaled + j] *= all[scaled + momentum + j.min(rms - 1)];
        }
        all.extend(v.iter().map(|v| g / (v + 1e-9).max(1e-9).sqrt()));
        // A vector has no rows and columns: both factored slots hold the whole accumulator.
        all.extend(v.iter().chain(v));
        all.extend(v.iter().map(|v| (v + 1e-8).sqrt().recip()));
        all.extend_from_within(all.len() - adafactor..);
        all.extend(m.iter().zip(v).map(|(m, v)| m / (v + 1e-6).sqrt()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_published() {
        let width = |rms, repeats_gradient| {
            let decays = (3, rms, 3);
            AdafactorFeatures {
                decays,
                repeats_gradient,
            }
            .width()
        };
        assert_eq!(
            (width(1, false), width(3, false), width(3, true)),
            (39, 43, 44)
        );
    }
}
