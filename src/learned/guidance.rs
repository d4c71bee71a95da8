//! Guidance: classical directions offered to the network, and features without a scale.
//!
//! After every evaluation the inner state proposes nine directions. All are measured in units of
//! σ, the root mean square of the last step, so that what the network sees does not depend on the
//! units of x or f, nor on where the origin is, and so that steps may shrink or grow by any factor
//! over a run. The network blends the proposals coordinate by coordinate.
//!
//! | | proposal | |
//! |---|---|---|
//! | 0 | −σ g / rms(g) | steepest descent |
//! | 1, 2 | −σ m̂ / √r̂ | Adam's direction, two decays |
//! | 3 | −g Δx / Δg, by coordinate | secant Newton step where Δg/Δx > 0; else on in the direction of descent |
//! | 4 | −H g | L-BFGS |
//! | 5 | Δx | the last step again |
//! | 6 | x_best − x | back to the best point |
//! | 7, 8 | c − x | to the root of a running regression of g on x, two decays |
//!
//! Where the objective knows its Gauss–Newton matrix and the architecture asks for it, there are
//! six more: damped Gauss–Newton steps from the point at hand and from the best point
//! ([`curvature`](super::curvature)); and, where it asks for these too, four from averages of all
//! models so far.
//!
//! No proposal is longer than 10 σ in its root mean square.

use serde::{Deserialize, Serialize};

use super::architecture::Optimus;
use super::curvature::{AVERAGED, Average, CURVED, Curvature};
use super::directions::{
    AdamDirections, LONGEST, dot, rms, secant_newton, shorten, signed_at_least,
};
use super::memory::{Look, Move, Pairs};
use super::moments::{Decays, Moments};
use super::regression::Regression;
use crate::objective::Evaluation;

/// Number of proposals without curvature.
pub const PROPOSALS: usize = 9;

/// Largest number of coordinates in training; a guided optimizer is shown larger problems as if
/// they had this many.
pub(super) const FAMILIAR: usize = 100;

/// Decays of the regressions.
const REGRESSION_DECAYS: [f64; 2] = [0.9, 0.98];

/// Features of every coordinate beside two for every proposal, and those that all share.
const OWN: usize = 6;
const SHARED: usize = 26;

/// Features of a coordinate's block: how far it is from the first and from the last one, in units of
/// [`SEQUENCE`] blocks.
const PLACE: usize = 2;
const SEQUENCE: f32 = 8.0;

/// How much a guided optimizer looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sight {
    /// Whether it sees the Gauss–Newton matrix.
    pub curvature: bool,
    /// Whether it averages what it has seen of that.
    pub averaged: bool,
    /// Coordinates of a block, whose place and kind it sees; 0: none.
    pub block: usize,
}

impl Sight {
    /// What an Optimus of `settings` sees.
    pub fn of(settings: &Optimus) -> Self {
        Self {
            curvature: settings.curvature,
            averaged: settings.averaged,
            block: settings.block,
        }
    }

    /// Number of proposals P.
    pub fn proposals(self) -> usize {
        PROPOSALS + self.curved()
    }

    /// Those that curvature adds.
    fn curved(self) -> usize {
        let curved = if self.curvature { CURVED } else { 0 };
        curved + if self.averaged { AVERAGED } else { 0 }
    }

    /// Number of features F.
    pub fn width(self) -> usize {
        2 * self.proposals() + OWN + self.shared() + self.place()
    }

    /// Features that tell where a coordinate stands: its block's place, and one for every coordinate of a
    /// block, 1 for its own.
    fn place(self) -> usize {
        match self.block {
            0 => 0,
            block => PLACE + block,
        }
    }

    /// Features that all coordinates share.
    fn shared(self) -> usize {
        SHARED + self.curved() + if self.curvature { 2 } else { 0 }
    }

    /// Writes where coordinate `n` of `count` stands.
    fn write_place(self, n: usize, count: usize, place: &mut [f32]) {
        let Some(index) = n.checked_div(self.block) else {
            return;
        };
        let last = (count - 1) / self.block;
        place.fill(0.0);
        place[0] = index as f32 / SEQUENCE;
        place[1] = (last - index) as f32 / SEQUENCE;
        place[PLACE + n % self.block] = 1.0;
    }
}

/// What is remembered of the run besides the accumulators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Guidance {
    sight: Sight,
    /// σ, in units of x.
    pub scale: f64,
    last_scale: f64,
    first_scale: f64,
    last: Option<Look>,
    best: Option<Look>,
    first_value: f64,
    first_slope: f64,
    since_best: usize,
    pairs: Pairs,
    regressions: Vec<Regression>,
    averages: Vec<Average>,
}

/// Where the features and proposals of a problem go.
pub(super) struct Target<'a> {
    /// `(N, F)`.
    pub rows: &'a mut [f32],
    /// `(N, P)`, in units of σ.
    pub proposals: &'a mut [f32],
}

impl Guidance {
    /// At the start of a run in `n` variables whose first steps are about `scale` long in every
    /// coordinate, unless curvature tells better.
    pub fn new(n: usize, scale: f64, sight: Sight) -> Self {
        Self {
            sight,
            scale,
            last_scale: scale,
            first_scale: scale,
            last: None,
            best: None,
            first_value: 0.0,
            first_slope: 0.0,
            since_best: 0,
            pairs: Pairs::default(),
            regressions: REGRESSION_DECAYS
                .map(|decay| Regression::new(n, decay))
                .to_vec(),
            averages: match sight.averaged {
                true => Average::all(n),
                false => Vec::new(),
            },
        }
    }

    /// Takes in a look at x and writes features and proposals; `moments` hold its gradient.
    pub fn observe(
        &mut self,
        (x, seen): (&[f64], &Evaluation),
        (moments, decays, k): (&Moments, &Decays, usize),
        target: Target,
    ) {
        let (value, gradient) = (seen.value, seen.gradient.as_slice());
        let matrix = seen.curvature.as_ref().filter(|_| self.sight.curvature);
        let look = Look {
            x: x.to_vec(),
            value,
            gradient: gradient.to_vec(),
            curvature: matrix.and_then(|matrix| Curvature::new(matrix, gradient)),
        };
        if let Some(curvature) = look.curvature.as_ref().filter(|_| k == 0) {
            self.scale = curvature.first_scale().clamp(1e-150, 1e150);
            (self.last_scale, self.first_scale) = (self.scale, self.scale);
        }
        let moved = self.last.take().map(|last| Move::between(&last, &look));
        if let Some(moved) = &moved {
            self.pairs.remember(moved);
        }
        for regression in &mut self.regressions {
            regression.update(x, gradient);
        }
        self.since_best += 1;
        if self.best.as_ref().is_none_or(|best| value < best.value) {
            self.since_best = 0;
            self.best = Some(look.clone());
        }
        if k == 0 {
            self.first_value = value;
            self.first_slope = rms(gradient);
        }
        if let Some(curvature) = &look.curvature {
            let share = value / self.first_value.max(1e-300);
            for average in &mut self.averages {
                average.update(x, curvature, share);
            }
        }
        let adam = AdamDirections::new(moments, decays, k);
        let directions = self.directions(&look, moved.as_ref(), &adam);
        self.write(&look, moved.as_ref(), &adam, &directions, k, target);
        self.last = Some(look);
    }

    /// Whether a look at `value` is worth keeping: it is not far above the start, measured by what
    /// has been gained so far and by the start's own size.
    pub fn tolerates(&self, value: f64) -> bool {
        self.best.as_ref().is_none_or(|best| {
            let gained = self.first_value - best.value;
            value <= self.first_value + 2.0 * gained.max(self.first_value.abs())
        })
    }

    /// Takes in `step: (N,)`, the step about to be made in units of σ: the next σ is its root mean
    /// square, at most [`LONGEST`] times smaller than this one.
    pub fn advance(&mut self, step: &[f64]) {
        self.last_scale = self.scale;
        let size = rms(step).max(1.0 / LONGEST);
        self.scale = (self.scale * size).clamp(1e-150, 1e150);
    }

    /// All proposals in units of σ, each `(N,)`.
    fn directions(
        &self,
        look: &Look,
        moved: Option<&Move>,
        adam: &AdamDirections,
    ) -> Vec<Vec<f64>> {
        let inverse = self.scale.recip();
        let scaled = |v: &[f64]| v.iter().map(|v| v * inverse).collect::<Vec<f64>>();
        let steepest = {
            let size = rms(&look.gradient).max(1e-300).recip();
            look.gradient
                .iter()
                .map(|g| -g * size)
                .collect::<Vec<f64>>()
        };
        let still = || vec![0.0; look.x.len()];
        let secant = moved.map_or_else(still, |moved| {
            scaled(&secant_newton(
                &look.gradient,
                &moved.s,
                &moved.y,
                self.scale,
            ))
        });
        let quasi_newton = match self.pairs.quasi_newton(&look.gradient) {
            Some(step) => scaled(&step),
            None => steepest.clone(),
        };
        let onward = moved.map_or_else(still, |moved| scaled(&moved.s));
        let best = self.best.as_ref();
        let back: Vec<f64> = best.map_or_else(still, |best| {
            best.x.iter().zip(&look.x).map(|(b, x)| b - x).collect()
        });
        let [first, second] = adam.slow.clone();
        let root = |i: usize| scaled(&self.regressions[i].step_to_root(&look.x, LONGEST));
        let mut all = vec![
            steepest,
            first,
            second,
            secant,
            quasi_newton,
            onward,
            scaled(&back),
            root(0),
            root(1),
        ];
        if self.sight.curvature {
            let of_best = best.and_then(|best| best.curvature.as_ref());
            let curved =
                Curvature::proposals(look.curvature.as_ref(), of_best, &back, self.since_best);
            let averaged = self.averages.iter().flat_map(|a| a.proposals(&look.x));
            all.extend(curved.into_iter().chain(averaged).map(|step| scaled(&step)));
        }
        all.iter_mut().for_each(|direction| shorten(direction));
        all
    }

    fn write(
        &self,
        look: &Look,
        moved: Option<&Move>,
        adam: &AdamDirections,
        directions: &[Vec<f64>],
        k: usize,
        target: Target,
    ) {
        let shared = self.shared(look, moved, directions, k);
        let rows = target.rows.chunks_exact_mut(self.sight.width());
        let offers = target.proposals.chunks_exact_mut(directions.len());
        for (n, (row, offers)) in rows.zip(offers).enumerate() {
            for (j, direction) in directions.iter().enumerate() {
                let d = direction[n];
                offers[j] = d as f32;
                row[2 * j] = d.asinh() as f32;
                row[2 * j + 1] = (0.25 * (d.abs() + 1e-6).ln()) as f32;
            }
            let (own, rest) = row[2 * directions.len()..].split_at_mut(OWN);
            let (all, place) = rest.split_at_mut(shared.len());
            self.sight.write_place(n, look.x.len(), place);
            own[0] = adam.fast[n] as f32;
            own[1] = (0.25 * (directions[0][n].abs() + 1e-6).ln()) as f32;
            let (turn, ratio) = moved.map_or((0.0, 0.0), |moved| {
                let before = look.gradient[n] - moved.y[n];
                let ratio = look.gradient[n] / signed_at_least(before, 1e-300);
                ((-look.gradient[n] * moved.s[n]).signum(), ratio.asinh())
            });
            own[2] = turn as f32;
            own[3] = ratio.clamp(-10.0, 10.0) as f32;
            own[4] = self.regressions[0].correlation(n) as f32;
            own[5] = self.regressions[1].correlation(n) as f32;
            all.copy_from_slice(&shared);
        }
    }

    /// Features that all coordinates share.
    fn shared(
        &self,
        look: &Look,
        moved: Option<&Move>,
        directions: &[Vec<f64>],
        k: usize,
    ) -> Vec<f32> {
        let g = rms(&look.gradient);
        let log = |ratio: f64| 0.25 * (ratio.clamp(1e-12, 1e12)).ln();
        let cosine = |a: &[f64], b: &[f64]| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1e-300);
        let best = self.best.as_ref().unwrap_or(look);
        let mut features = vec![0.0; SHARED];
        if let Some(moved) = moved {
            let before: Vec<f64> = moved
                .y
                .iter()
                .zip(&look.gradient)
                .map(|(y, g)| g - y)
                .collect();
            let predicted = dot(&before, &moved.s).abs().max(1e-300);
            features[0] = 0.5 * (moved.gain / predicted).asinh().clamp(-10.0, 10.0);
            features[1] = moved.gain.signum();
            features[2] = log(g / rms(&before).max(1e-300));
            features[3] = cosine(&look.gradient, &before);
            features[4] = cosine(&look.gradient, &moved.s);
            features[5] = cosine(&moved.y, &moved.s);
        }
        features[6] = log(g / self.first_slope.max(1e-300));
        features[7] = log(g / rms(&best.gradient).max(1e-300));
        let fallen = (self.first_value - best.value).max(1e-300);
        features[8] = ((look.value - best.value) / fallen).min(1e3).asinh();
        features[9] = (self.since_best as f64 / 10.0).tanh();
        features[10] = log(self.scale / self.last_scale);
        features[11] = 0.1 * (self.scale / self.first_scale).ln().clamp(-60.0, 60.0);
        for (j, direction) in directions[3..PROPOSALS].iter().enumerate() {
            features[12 + j] = log(rms(direction) + 1e-6);
        }
        features[18] = cosine(&directions[4], &directions[0]);
        features[19] = (look.x.len().min(FAMILIAR) as f64).ln() / 7.0;
        for (feature, period) in features[20..]
            .iter_mut()
            .zip([1.0, 3.0, 10.0, 30.0, 100.0, 300.0])
        {
            *feature = (k as f64 / period - 1.0).tanh();
        }
        if self.sight.curvature {
            let sizes = directions[PROPOSALS..].iter();
            features.extend(sizes.map(|direction| log(rms(direction) + 1e-6)));
            let kept = moved.and_then(|moved| Some((moved.gain, moved.promised?)));
            features.extend(kept.map_or([0.0; 2], |(gain, promised)| {
                let ratio = gain / promised.abs().max(1e-300);
                [0.5 * ratio.asinh().clamp(-10.0, 10.0), promised.signum()]
            }));
        }
        let finite = |f: f64| if f.is_finite() { f as f32 } else { 0.0 };
        features.into_iter().map(finite).collect()
    }
}

#[cfg(test)]
mod tests;
