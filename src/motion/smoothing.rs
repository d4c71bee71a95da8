//! Noise of observed joints, and smoothing by as much as it calls for.
//!
//! A track y of T values is replaced by the z that minimizes ‖y − z‖² (over the frames that were
//! seen) + λ ‖D₃ z‖², D₃ the third differences: the discrete form of the quintic smoothing spline
//! that biomechanics uses for markers. Every joint has its own λ, by generalized cross-validation of
//! its three coordinates.
//!
//! # References
//! * H. J. Woltring, "A Fortran package for generalized, cross-validatory spline smoothing and
//!   differentiation", Advances in Engineering Software 8(2), 1986.
//! * P. H. C. Eilers, "A perfect smoother", Analytical Chemistry 75(14), 2003.

use std::fmt;
use std::str::FromStr;

use nalgebra::Vector3;

use super::skeleton::{Frame, Turns, is_seen};
use super::{JOINTS, calibration};
use crate::error::Error;

/// When to smooth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Smoothing {
    /// Where the noise is above what recorded motion has, and below what leaves no skeleton.
    #[default]
    Auto,
    /// Whatever the noise.
    On,
    /// Never.
    Off,
}

impl fmt::Display for Smoothing {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        })
    }
}

impl FromStr for Smoothing {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Self::Auto),
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => {
                let advice = "choose auto, on or off";
                Err(Error::input(
                    "--smooth",
                    "value",
                    format!("`{text}`"),
                    advice,
                ))
            }
        }
    }
}

/// Order of the differences that are penalized.
const ORDER: usize = 3;

/// Squared norm of the fourth difference (1, −4, 6, −4, 1): what it makes of the variance of noise.
const FOURTH_DIFFERENCE_POWER: f64 = 70.0;

/// Median of the absolute value of a normal variable of variance 1.
const NORMAL_MEDIAN: f64 = 0.6745;

/// Powers of ten of the smallest and the largest λ that are tried, and steps per power of ten.
const STRENGTHS: (i32, i32) = (-6, 6);
const STEPS_PER_DECADE: i32 = 4;

/// Noise of a coordinate above which joints are smoothed, of the stature, at 40 fps and more: 1.75 mm
/// for a subject of 1.75 m. Recorded motion (CMU, AIST++) has up to 1.2 mm at 50 and 60 fps.
const NOISE: f64 = 0.001;

/// Frame rate below which fast motion is in the fourth differences as well, Hz; the threshold grows
/// with the square of the time between frames. Recorded motion stays below it from 10 fps on.
const SLOW_RATE: f64 = 40.0;

/// Noise above which points are no skeleton any more, whatever smoothing makes of them, of the stature.
const SCATTER: f64 = 0.04;

/// Missing frames over which a track is not continued, but smoothed in two parts.
const LONGEST_GAP: usize = 10;

/// What was found about the noise of joints.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Noise {
    /// Standard deviation in a coordinate, of the stature, before smoothing.
    share: f64,
    /// Whether it is more than recorded motion has.
    is_high: bool,
    /// Whether the joints were smoothed.
    is_smoothed: bool,
}

impl Noise {
    /// A line about it for a subject of `stature` m, where there is something to say.
    pub fn note(&self, stature: f64) -> Option<String> {
        let what = match (self.is_smoothed, self.is_high) {
            (true, _) => "smoothed (--smooth off leaves it)",
            (false, true) => "left as it is",
            (false, false) => return None,
        };
        let noise = 1e3 * self.share * stature;
        Some(format!("noise: {noise:.1} mm in a coordinate, {what}"))
    }
}

/// Smooths `frames`, in any unit, where they are noisy or `smoothing` asks for it.
pub(super) fn reduce_noise(frames: &mut [Frame], fps: f64, smoothing: Smoothing) -> Noise {
    let seen = |frame: &&Frame| frame.joints.iter().all(is_seen);
    let complete: Vec<_> = frames.iter().filter(seen).map(|f| f.joints).collect();
    let stature = match complete.is_empty() {
        true => f64::INFINITY,
        false => calibration::stature(&calibration::bone_lengths(&complete)),
    };
    let share = noise(frames) / stature.max(f64::MIN_POSITIVE);
    let is_high = share > NOISE * (SLOW_RATE / fps).max(1.0).powi(2);
    let is_smoothed = match smoothing {
        Smoothing::Auto => is_high && share < SCATTER,
        Smoothing::On => true,
        Smoothing::Off => false,
    };
    if is_smoothed {
        smooth(frames);
    }
    Noise {
        share,
        is_high,
        is_smoothed,
    }
}

/// Standard deviation of the noise in one coordinate of a joint, in the unit of `frames`: what is in
/// the fourth differences, which motion at usual frame rates hardly has (recorded motion at 50 fps:
/// 0.1 to 0.5 mm). Noise that is not independent from frame to frame is underestimated. 0 where no
/// joint is seen in five frames in a row.
pub fn noise(frames: &[Frame]) -> f64 {
    let fourth = |w: &[Frame], j: usize| {
        let at = |t: usize| w[t].joints[j];
        at(4) - 4.0 * at(3) + 6.0 * at(2) - 4.0 * at(1) + at(0)
    };
    let mut sizes: Vec<f64> = frames
        .windows(5)
        .flat_map(|w| (0..JOINTS).flat_map(move |j| (0..3).map(move |axis| fourth(w, j)[axis])))
        .map(f64::abs)
        .filter(|size| size.is_finite())
        .collect();
    if sizes.is_empty() {
        return 0.0;
    }
    let middle = sizes.len() / 2;
    let (_, median, _) = sizes.select_nth_unstable_by(middle, f64::total_cmp);
    *median / (NORMAL_MEDIAN * FOURTH_DIFFERENCE_POWER.sqrt())
}

/// Smooths every joint (and direction) of `frames` by as much as cross-validation asks for, wherever it is seen in more
/// than six frames. Missing joints (NaN) stay missing.
pub fn smooth(frames: &mut [Frame]) {
    for j in 0..JOINTS {
        let track: Vec<_> = frames.iter().map(|frame| frame.joints[j]).collect();
        for (frame, point) in frames.iter_mut().zip(smooth_track(&track)) {
            frame.joints[j] = point;
        }
    }
    for foot in 0..2 {
        let toe = |frame: &Frame| frame.toes.map(|toes| toes[foot]);
        let Some(track) = frames.iter().map(toe).collect::<Option<Vec<_>>>() else {
            continue;
        };
        let toes = frames.iter_mut().flat_map(|frame| &mut frame.toes);
        for (toes, point) in toes.zip(smooth_track(&track)) {
            toes[foot] = point;
        }
    }
    if let Some(turns) = frames
        .iter()
        .map(|frame| frame.turns)
        .collect::<Option<Vec<_>>>()
    {
        let smoothed = Turns::filter(&turns, |track| smooth_track(&track));
        for (frame, turns) in frames.iter_mut().zip(smoothed) {
            frame.turns = Some(turns);
        }
    }
}

/// One track, part by part between long gaps.
fn smooth_track(track: &[Vector3<f64>]) -> Vec<Vector3<f64>> {
    let seen: Vec<usize> = (0..track.len()).filter(|&t| is_seen(&track[t])).collect();
    let mut smoothed = track.to_vec();
    for part in seen.chunk_by(|a, b| b - a <= LONGEST_GAP + 1) {
        let (first, last) = (part[0], part[part.len() - 1]);
        if part.len() > 2 * ORDER {
            let found = smooth_part(&track[first..=last]);
            part.iter().for_each(|&t| smoothed[t] = found[t - first]);
        }
    }
    smoothed
}

/// A track with short gaps, smoothed with the λ of the least generalized cross-validation.
fn smooth_part(track: &[Vector3<f64>]) -> Vec<Vector3<f64>> {
    let seen: Vec<bool> = track.iter().map(is_seen).collect();
    let count = seen.iter().filter(|seen| **seen).count();
    // The frames seen, taken for evenly spaced, are 1 / `share` times as far apart: λ is `share`⁵ λ there.
    let share = count as f64 / track.len() as f64;
    let (low, high) = STRENGTHS;
    let candidates = (low * STEPS_PER_DECADE..=high * STEPS_PER_DECADE).map(|step| {
        let strength = 10f64.powf(f64::from(step) / f64::from(STEPS_PER_DECADE));
        let smoothed = Smoother::new(&seen, strength).apply(track);
        let rest: f64 = (track.iter().zip(&smoothed).zip(&seen))
            .filter(|(_, seen)| **seen)
            .map(|((y, z), _)| (y - z).norm_squared())
            .sum();
        let freedom = 1.0 - degrees_of_freedom(count, strength * share.powi(5)) / count as f64;
        (rest / count as f64 / freedom.powi(2), smoothed)
    });
    let possible = candidates.filter(|(score, _)| score.is_finite());
    let best = possible.min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(|| track.to_vec(), |(_, smoothed)| smoothed)
}

/// Trace of the smoother, Σ 1 / (1 + λ wᵢ) with wᵢ the eigenvalues of D₃ᵀD₃: three of them are 0, the
/// others are close to (2 sin(π (i − 1) / 2T))⁶ (the trace to 2 % from 30 frames on).
fn degrees_of_freedom(frames: usize, strength: f64) -> f64 {
    let share = |i: usize| {
        let angle = std::f64::consts::FRAC_PI_2 * (i - 1) as f64 / frames as f64;
        1.0 / (1.0 + strength * (2.0 * angle.sin()).powi(2 * ORDER as i32))
    };
    ORDER as f64 + (ORDER..frames).map(share).sum::<f64>()
}

/// The factors of W + λ D₃ᵀD₃ = L D Lᵀ, L with a unit diagonal and three diagonals below; W is 1 on
/// the diagonal where a value was seen, else 0.
struct Smoother {
    seen: Vec<bool>,
    diagonal: Vec<f64>,
    /// `below[t][k]` is L[t, t − 1 − k].
    below: Vec<[f64; ORDER]>,
}

impl Smoother {
    fn new(seen: &[bool], strength: f64) -> Self {
        let frames = seen.len();
        const DIFFERENCE: [f64; ORDER + 1] = [-1.0, 3.0, -3.0, 1.0];
        // Entry (t, t − k) of D₃ᵀD₃: the sum over the differences that contain both frames.
        let penalty = |t: usize, k: usize| -> f64 {
            let first = t.saturating_sub(ORDER)..=(t - k).min(frames - 1 - ORDER);
            first
                .map(|start| DIFFERENCE[t - start] * DIFFERENCE[t - k - start])
                .sum()
        };
        let mut diagonal = vec![0.0; frames];
        let mut below = vec![[0.0; ORDER]; frames];
        for t in 0..frames {
            for k in (1..=ORDER.min(t)).rev() {
                let column = t - k;
                let known: f64 = (k + 1..=ORDER.min(t))
                    .map(|m| below[t][m - 1] * diagonal[t - m] * below[column][m - k - 1])
                    .sum();
                below[t][k - 1] = (strength * penalty(t, k) - known) / diagonal[column];
            }
            let known: f64 = (1..=ORDER.min(t))
                .map(|m| below[t][m - 1].powi(2) * diagonal[t - m])
                .sum();
            diagonal[t] = f64::from(u8::from(seen[t])) + strength * penalty(t, 0) - known;
        }
        Self {
            seen: seen.to_vec(),
            diagonal,
            below,
        }
    }

    fn apply(&self, track: &[Vector3<f64>]) -> Vec<Vector3<f64>> {
        let weighted = |(y, seen): (&Vector3<f64>, &bool)| match seen {
            true => *y,
            false => Vector3::zeros(),
        };
        let mut z: Vec<_> = track.iter().zip(&self.seen).map(weighted).collect();
        for t in 0..z.len() {
            for k in 1..=ORDER.min(t) {
                let step = self.below[t][k - 1] * z[t - k];
                z[t] -= step;
            }
        }
        for (z, d) in z.iter_mut().zip(&self.diagonal) {
            *z /= *d;
        }
        for t in (0..z.len()).rev() {
            for k in 1..=ORDER.min(t) {
                let step = self.below[t][k - 1] * z[t];
                z[t - k] -= step;
            }
        }
        z
    }
}

#[cfg(test)]
mod tests;
