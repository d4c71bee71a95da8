//! What guidance remembers of a run: looks, steps, and the pairs of L-BFGS.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::curvature::Curvature;
use super::directions::{add_scaled, dot};

/// Pairs (Δx, Δg) kept for L-BFGS.
const MEMORY: usize = 10;

/// A look at an objective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    pub x: Vec<f64>,
    pub value: f64,
    pub gradient: Vec<f64>,
    pub curvature: Option<Curvature>,
}

/// Δx, Δg and 1 / (Δx · Δg).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair {
    s: Vec<f64>,
    y: Vec<f64>,
    rho: f64,
}

/// The last pairs of steps and changes of the gradient.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pairs(VecDeque<Pair>);

impl Pairs {
    /// Keeps the pair of a step along which the slope rose.
    pub fn remember(&mut self, moved: &Move) {
        let slope = dot(&moved.s, &moved.y);
        let size = dot(&moved.s, &moved.s).sqrt() * dot(&moved.y, &moved.y).sqrt();
        if !(slope > 1e-10 * size && slope.recip().is_finite()) {
            return;
        }
        if self.0.len() == MEMORY {
            self.0.pop_front();
        }
        self.0.push_back(Pair {
            s: moved.s.clone(),
            y: moved.y.clone(),
            rho: slope.recip(),
        });
    }

    /// −H g, `(N,)`, by the two-loop recursion (J. Nocedal, S. J. Wright, "Numerical optimization",
    /// 2006, Alg. 7.4); `None` while there are no pairs.
    pub fn quasi_newton(&self, gradient: &[f64]) -> Option<Vec<f64>> {
        let last = self.0.back()?;
        let mut q = gradient.to_vec();
        let mut alphas = Vec::with_capacity(self.0.len());
        for pair in self.0.iter().rev() {
            let alpha = pair.rho * dot(&pair.s, &q);
            add_scaled(&mut q, -alpha, &pair.y);
            alphas.push(alpha);
        }
        let gamma = 1.0 / (last.rho * dot(&last.y, &last.y));
        q.iter_mut().for_each(|q| *q *= gamma);
        for (pair, alpha) in self.0.iter().zip(alphas.iter().rev()) {
            let beta = pair.rho * dot(&pair.y, &q);
            add_scaled(&mut q, alpha - beta, &pair.s);
        }
        q.iter_mut().for_each(|q| *q = -*q);
        Some(q)
    }
}

/// The last step and what it changed.
pub struct Move {
    /// Δx and Δg.
    pub s: Vec<f64>,
    pub y: Vec<f64>,
    /// Δf.
    pub gain: f64,
    /// Δf as the curvature where the step began promised it.
    pub promised: Option<f64>,
}

impl Move {
    pub fn between(last: &Look, look: &Look) -> Self {
        let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        let s: Vec<f64> = apart(&look.x, &last.x);
        let curvature = last.curvature.as_ref();
        Self {
            promised: curvature.map(|curvature| curvature.promised(&s)),
            s,
            y: apart(&look.gradient, &last.gradient),
            gain: look.value - last.value,
        }
    }
}
