//! Directions that guidance proposes, and the vector arithmetic they need.

use super::moments::{Decays, Moments};

/// Largest root mean square of a proposal, and of a coordinate's secant step in units of its last
/// step: how fast steps may grow.
pub const LONGEST: f64 = 10.0;

/// Bias-corrected m̂ / √r̂, each `(N,)`: the fastest decay as a feature, the others as proposals.
pub struct AdamDirections {
    pub fast: Vec<f64>,
    pub slow: [Vec<f64>; 2],
}

impl AdamDirections {
    pub fn new(moments: &Moments, decays: &Decays, k: usize) -> Self {
        let (momentum, rms) = (decays.momentum(), decays.rms());
        let n = moments.m.len() / momentum.len();
        let seen = (k + 1) as i32;
        let direction = |j: usize| {
            let m_scale = 1.0 / (1.0 - momentum[j].powi(seen)).max(1e-12);
            let r_scale = 1.0 / (1.0 - rms[j].powi(seen)).max(1e-12);
            let (m, r) = (&moments.m[j * n..][..n], &moments.r[j * n..][..n]);
            let pairs = m.iter().zip(r);
            pairs
                .map(|(m, r)| -m * m_scale / (r * r_scale).sqrt().max(1e-150))
                .collect::<Vec<f64>>()
        };
        Self {
            fast: direction(0),
            slow: [direction(1), direction(2)],
        }
    }
}

/// −g Δx/Δg where the curvature Δg/Δx is positive, twice the last step towards descent where not;
/// no coordinate more than [`LONGEST`] times its last step (or a hundredth of `scale`).
pub fn secant_newton(gradient: &[f64], s: &[f64], y: &[f64], scale: f64) -> Vec<f64> {
    let coordinates = gradient.iter().zip(s).zip(y);
    coordinates
        .map(|((g, s), y)| {
            let limit = LONGEST * (s.abs() + 0.01 * scale);
            let newton = -g * s / y;
            if s * y > 0.0 && newton.is_finite() {
                newton.clamp(-limit, limit)
            } else {
                -g.signum() * 2.0 * s.abs()
            }
        })
        .collect()
}

/// Shortens `step: (N,)`, in units of σ, to [`LONGEST`]; one that is not finite becomes zero.
pub fn shorten(step: &mut [f64]) {
    let excess = rms(step) / LONGEST;
    if !excess.is_finite() {
        step.fill(0.0);
    } else if excess > 1.0 {
        step.iter_mut().for_each(|s| *s /= excess);
    }
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Root mean square, without overflow of the squares.
pub fn rms(v: &[f64]) -> f64 {
    let largest = v.iter().fold(0.0_f64, |largest, v| largest.max(v.abs()));
    if largest <= 0.0 || !largest.is_finite() {
        return largest;
    }
    let sum: f64 = v.iter().map(|v| (v / largest).powi(2)).sum();
    largest * (sum / v.len() as f64).sqrt()
}

pub fn add_scaled(v: &mut [f64], factor: f64, other: &[f64]) {
    v.iter_mut().zip(other).for_each(|(v, o)| *v += factor * o);
}

pub fn signed_at_least(value: f64, least: f64) -> f64 {
    if value.abs() < least { least } else { value }
}
