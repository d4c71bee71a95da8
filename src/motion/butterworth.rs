//! The zero-lag Butterworth filter of biomechanics: second order, forwards and backwards.
//!
//! # References
//! D. A. Winter, "Biomechanics and Motor Control of Human Movement", 4th ed., Wiley 2009, section 2.2.4.4.

use nalgebra::Vector3;

use super::resample::extended;

/// The cut-off of a pass is raised by this so that two passes together leave half the power at the cut-off that
/// is asked for: (√2 − 1)^¼ (Winter 2009).
const PASSES: f64 = 0.802;

/// `track`, `fps` samples a second, without what is faster than `cutoff`, Hz. The same track where the cut-off
/// is not below half the rate.
pub fn low_pass(track: &[Vector3<f64>], fps: f64, cutoff: f64) -> Vec<Vector3<f64>> {
    if track.len() < 2 || cutoff >= 0.5 * fps {
        return track.to_vec();
    }
    let filter = Biquad::new(fps, cutoff);
    // Long enough for the filter to settle before the first sample and after the last.
    let padding = ((2.0 * fps / cutoff).ceil() as usize).min(track.len() - 1);
    let range = -(padding as isize)..(track.len() + padding) as isize;
    let mut padded: Vec<_> = range.map(|t| extended(track, t)).collect();
    for _ in 0..2 {
        filter.run(&mut padded);
        padded.reverse();
    }
    padded[padding..padding + track.len()].to_vec()
}

/// A low-pass filter of second order: y = b (x + 2 x₁ + x₂) + a₁ y₁ + a₂ y₂.
struct Biquad {
    b: f64,
    a: [f64; 2],
}

impl Biquad {
    /// By the bilinear transform.
    fn new(fps: f64, cutoff: f64) -> Self {
        let omega = (std::f64::consts::PI * cutoff / fps).tan() / PASSES;
        let root = std::f64::consts::SQRT_2 * omega;
        let square = omega * omega;
        let b = square / (1.0 + root + square);
        let a1 = 2.0 * b * (1.0 / square - 1.0);
        Self {
            b,
            a: [a1, 1.0 - (4.0 * b + a1)],
        }
    }

    fn run(&self, track: &mut [Vector3<f64>]) {
        // As if the first sample had been there for long.
        let mut x = [track[0]; 2];
        let mut y = x;
        for sample in track {
            let next = self.b * (*sample + 2.0 * x[0] + x[1]) + self.a[0] * y[0] + self.a[1] * y[1];
            x = [*sample, x[0]];
            y = [next, y[0]];
            *sample = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a wave of `hertz`, at 50 samples a second and a cut-off of 6 Hz.
    fn left(hertz: f64) -> f64 {
        let wave = |t: usize| (std::f64::consts::TAU * hertz * t as f64 / 50.0).sin();
        let track: Vec<_> = (0..400).map(|t| Vector3::repeat(wave(t))).collect();
        let smooth = low_pass(&track, 50.0, 6.0);
        let power =
            |track: &[Vector3<f64>]| -> f64 { track[100..300].iter().map(|v| v.x * v.x).sum() };
        (power(&smooth) / power(&track)).sqrt()
    }

    #[test]
    fn slow_waves_stay_and_fast_ones_go() {
        assert!((left(1.0) - 1.0).abs() < 0.01, "{}", left(1.0));
        assert!((left(6.0) - 0.5_f64.sqrt()).abs() < 0.02, "{}", left(6.0));
        assert!(left(15.0) < 0.02, "{}", left(15.0));
    }

    #[test]
    fn steady_motion_is_kept_up_to_the_ends() {
        let track: Vec<_> = (0..30)
            .map(|t| Vector3::new(0.1 * t as f64, 1.0, 0.0))
            .collect();
        for (a, b) in track.iter().zip(low_pass(&track, 50.0, 6.0)) {
            assert!((a - b).norm() < 1e-3, "{a} {b}");
        }
    }
}
