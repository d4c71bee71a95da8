//! Surveys: where an objective has its minimum from afar, coordinate by coordinate.
//!
//! A sweep looks at K points of a box around a center so that the values of every coordinate stand at
//! equal distances, each once: a Latin hypercube (McKay et al. 1979) whose permutations are rotations of one
//! order, so that neighbours of a coordinate are mostly seen one after the other while the distance from the
//! center stays what it is. The gradient g_n over x_n, integrated by the trapezoid rule, is the profile of
//! coordinate n: for a sum of functions of one variable it is that function, up to a constant; where
//! coordinates depend on each other it averages the others out. Ripples much shorter than the box do not
//! hide the lowest point of a profile from it, as they do from a descent.
//!
//! Profiles are also made of g / rms(g), since where all slopes share a factor that changes from point to
//! point (the distance to the minimum, in Ackley's function), this takes it out. Which of the two led lower
//! is found by a look at both.
//!
//! A survey is three sweeps, each in a quarter of the box of the one before, around the better of the
//! two lowest points.
//!
//! # References
//! * M. D. McKay, R. J. Beckman, W. J. Conover, "A comparison of three methods for selecting values of
//!   input variables in the analysis of output from a computer code", Technometrics 21, 1979.

use super::directions::rms;
use crate::objective::Evaluation;

/// Looks of each sweep, as shares of the budget of a run, and half widths, as shares of the first one.
const SWEEPS: [(f64, f64); 3] = [(0.2, 1.0), (0.1, 0.25), (0.05, 0.0625)];

/// Where a box begins to be too narrow: the distance of a coordinate's lowest point from the center, in
/// units of the half width, from which on the first sweep is repeated around where it led.
const EDGE: f64 = 0.75;

/// How often that may be, and the looks of each, as a share of the budget.
const REPEATS: usize = 2;
const REPEATED: f64 = 0.15;

/// Lowest points that are looked at after every sweep.
const CANDIDATES: usize = 2;

/// The fewest looks of a first sweep that are worth it.
const FEWEST: f64 = 16.0;

/// What is left for the descent after a survey, as a share of the budget.
const DESCENT: f64 = 0.1;

/// 1 / golden ratio: multiples of it spread evenly over [0, 1) modulo 1.
const SPREAD: f64 = 0.618_033_988_749_894_9;

/// A box of points and what was seen there so far.
#[derive(Clone, Debug)]
struct Sweep {
    center: Vec<f64>,
    half_width: f64,
    /// K.
    size: usize,
    points: Vec<Vec<f64>>,
    gradients: Vec<Vec<f64>>,
}

impl Sweep {
    fn new(center: Vec<f64>, half_width: f64, size: usize) -> Self {
        Self {
            center,
            half_width,
            size,
            points: Vec::with_capacity(size),
            gradients: Vec::with_capacity(size),
        }
    }

    /// Distance of neighbours.
    fn spacing(&self) -> f64 {
        2.0 * self.half_width / self.size as f64
    }

    /// The next point, `(N,)`.
    fn point(&self) -> Vec<f64> {
        let place = (self.points.len() as f64 + 0.5) / self.size as f64;
        let coordinates = self.center.iter().enumerate();
        coordinates
            .map(|(n, c)| {
                let turn = (place + n as f64 * SPREAD).fract();
                c + self.half_width * (2.0 * turn - 1.0)
            })
            .collect()
    }

    /// The lowest points of the profiles of g and of g / rms(g), `(N,)` each.
    fn lowest(&self) -> [Vec<f64>; CANDIDATES] {
        let sizes: Vec<f64> = self.gradients.iter().map(|g| rms(g)).collect();
        let inverse = |size: &f64| size.max(1e-300).recip();
        let scales = [
            vec![1.0; sizes.len()],
            sizes.iter().map(inverse).collect::<Vec<f64>>(),
        ];
        scales.map(|scales| {
            (0..self.center.len())
                .map(|n| self.lowest_of(n, &scales))
                .collect()
        })
    }

    /// The lowest point of the profile of coordinate `n`, for gradients multiplied by `scales: (K,)`.
    fn lowest_of(&self, n: usize, scales: &[f64]) -> f64 {
        let looks = self.points.iter().zip(&self.gradients).zip(scales);
        let mut profile: Vec<(f64, f64)> = looks.map(|((x, g), s)| (x[n], s * g[n])).collect();
        profile.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut height, mut lowest, mut at) = (0.0, 0.0, profile[0].0);
        for pair in profile.windows(2) {
            let ((x, g), (next, after)) = (pair[0], pair[1]);
            if g < 0.0 && after > 0.0 {
                // The slope, a line between the two, is zero in between.
                let share = g / (g - after);
                let bottom = height + 0.5 * g * share * (next - x);
                if bottom < lowest {
                    (lowest, at) = (bottom, x + share * (next - x));
                }
            }
            height += 0.5 * (next - x) * (g + after);
            if height < lowest {
                (lowest, at) = (height, next);
            }
        }
        at
    }

    /// Whether any coordinate of `x: (N,)` is further from the center than `distance`.
    fn leaves(&self, x: &[f64], distance: f64) -> bool {
        let mut apart = x.iter().zip(&self.center);
        apart.any(|(x, c)| (x - c).abs() > distance)
    }
}

/// A survey under way.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    /// Evaluations that a share of 1 stands for.
    unit: f64,
    /// Half width of the first sweep.
    half_width: f64,
    /// How often the first sweep may still be repeated.
    repeats: usize,
    /// Number of the sweep in [`SWEEPS`].
    number: usize,
    sweep: Sweep,
    /// Lowest points still to be looked at, the next one last.
    candidates: Vec<Vec<f64>>,
    /// The better of those seen, and its value.
    chosen: Option<(Vec<f64>, f64)>,
    point: Vec<f64>,
}

/// What a survey asks for.
pub(super) enum News {
    /// More looks.
    GoOn,
    /// An end: no profile has its lowest point anywhere but at the center, or the box has points where
    /// the objective is not finite.
    Nothing,
    /// An end, after a sweep in the smallest box.
    Done,
}

impl Survey {
    /// Around `center: (N,)` in a box of half width `half_width`, with `left` of `budget` evaluations to
    /// go; `None` when these are too few. `is_first`: nothing tells yet whether the box is wide enough.
    pub fn new(
        center: Vec<f64>,
        half_width: f64,
        (left, budget): (usize, usize),
        is_first: bool,
    ) -> Option<Self> {
        let (left, budget) = (left as f64, budget as f64);
        let share: f64 = SWEEPS.iter().map(|(share, _)| share).sum();
        let need = (share + DESCENT) * budget + (CANDIDATES * SWEEPS.len()) as f64;
        let unit = budget * (left / need).min(1.0);
        if unit * SWEEPS[0].0 < FEWEST || !half_width.is_finite() || half_width <= 0.0 {
            return None;
        }
        let sweep = Sweep::new(center, half_width, (unit * SWEEPS[0].0).round() as usize);
        Some(Self {
            unit,
            half_width,
            repeats: if is_first { REPEATS } else { 0 },
            number: 0,
            point: sweep.point(),
            sweep,
            candidates: Vec::new(),
            chosen: None,
        })
    }

    /// Half width of the first box.
    pub fn half_width(&self) -> f64 {
        self.half_width
    }

    /// The point to look at, `(N,)`.
    pub fn point(&self) -> &[f64] {
        &self.point
    }

    /// Takes in the look at that point.
    pub fn tell(&mut self, evaluation: &Evaluation) -> News {
        let finite = evaluation.gradient.iter().all(|g| g.is_finite());
        let is_finite = finite && evaluation.value.is_finite();
        if let Some(candidate) = self.candidates.pop() {
            let lowest = self.chosen.as_ref().map_or(f64::INFINITY, |c| c.1);
            if is_finite && evaluation.value < lowest {
                self.chosen = Some((candidate, evaluation.value));
            }
            return self.after_candidate();
        }
        if !is_finite {
            return News::Nothing;
        }
        self.sweep.points.push(std::mem::take(&mut self.point));
        self.sweep.gradients.push(evaluation.gradient.clone());
        if self.sweep.points.len() < self.sweep.size {
            self.point = self.sweep.point();
            return News::GoOn;
        }
        let mut lowest = self.sweep.lowest();
        if self.chosen.is_none() && !self.sweep.leaves(&lowest[0], self.sweep.spacing()) {
            return News::Nothing;
        }
        lowest.reverse();
        self.candidates = lowest.into();
        self.chosen = None;
        self.after_candidate()
    }

    /// The next candidate, or the next sweep.
    fn after_candidate(&mut self) -> News {
        if let Some(candidate) = self.candidates.last() {
            self.point.clone_from(candidate);
            return News::GoOn;
        }
        let Some((center, _)) = self.chosen.clone() else {
            return News::Nothing;
        };
        let mut share = REPEATED;
        if self.is_narrow() {
            self.repeats -= 1;
        } else {
            self.number += 1;
            let Some((next, _)) = SWEEPS.get(self.number) else {
                return News::Done;
            };
            share = *next;
        }
        let half_width = self.half_width * SWEEPS[self.number].1;
        let size = ((self.unit * share).round() as usize).max(2);
        self.sweep = Sweep::new(center, half_width, size);
        self.point = self.sweep.point();
        News::GoOn
    }

    /// Whether the box was too narrow and there is another try.
    fn is_narrow(&self) -> bool {
        let edge = EDGE * self.sweep.half_width;
        let may_repeat = self.number == 0 && self.repeats > 0;
        may_repeat && self.sweep.leaves(&self.sweep.lowest()[0], edge)
    }
}

#[cfg(test)]
mod tests;
