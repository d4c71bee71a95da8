//! Another frame rate.

use nalgebra::Vector3;

use super::gaps::hermite;
use super::{JOINTS, Motion, Turns};

/// Width σ of the Gaussian low-pass before down-sampling, in frames of the new rate: −3 dB at 0.32
/// of the new rate (16 Hz at 50 fps), 18 dB less at 0.8 of it.
const SIGMA: f64 = 0.414;

/// `motion` at `fps` frames per second, its first frame kept and its last one as far as a whole
/// number of frames reaches.
///
/// Catmull–Rom between frames, after a Gaussian low-pass when the rate goes down, so that what the
/// new rate cannot represent does not come back as slow jitter. At the same rate nothing changes.
///
/// # Panics
/// When `fps` is not positive.
pub fn resample(motion: &Motion, fps: f64) -> Motion {
    assert!(fps > 0.0, "a frame rate is positive");
    let step = motion.fps / fps;
    if motion.len() < 2 || (step - 1.0).abs() < 1e-9 {
        return Motion {
            fps,
            ..motion.clone()
        };
    }
    let track = |read: &dyn Fn(usize) -> Vector3<f64>| {
        resample_track((0..motion.len()).map(read).collect(), step)
    };
    let joints: [_; JOINTS] = std::array::from_fn(|j| track(&|t| motion.joints[t][j]));
    let len = joints[0].len();
    let toes = motion.toes.as_ref().map(|toes| {
        let feet: [_; 2] = std::array::from_fn(|foot| track(&|t| toes[t][foot]));
        (0..len)
            .map(|t| std::array::from_fn(|foot| feet[foot][t]))
            .collect()
    });
    let turns = motion.turns.as_ref();
    let turns = turns.map(|turns| Turns::filter(turns, |track| resample_track(track, step)));
    Motion {
        name: motion.name.clone(),
        fps,
        joints: (0..len)
            .map(|t| std::array::from_fn(|j| joints[j][t]))
            .collect(),
        toes,
        turns,
    }
}

/// One track at every `step` frames.
fn resample_track(track: Vec<Vector3<f64>>, step: f64) -> Vec<Vector3<f64>> {
    let track = if step > 1.0 {
        low_pass(&track, SIGMA * step)
    } else {
        track
    };
    let last = track.len() - 1;
    let len = (last as f64 / step + 1e-9).floor() as usize + 1;
    (0..len)
        .map(|k| {
            let at = (k as f64 * step).min(last as f64);
            let t = (at.floor() as usize).min(last - 1);
            let p = |offset: isize| extended(&track, t as isize + offset);
            let (m0, m1) = ((p(1) - p(-1)) / 2.0, (p(2) - p(0)) / 2.0);
            hermite(p(0), m0, p(1), m1, at - t as f64)
        })
        .collect()
}

/// Convolution with a Gaussian of `sigma` frames.
fn low_pass(track: &[Vector3<f64>], sigma: f64) -> Vec<Vector3<f64>> {
    let radius = (4.0 * sigma).ceil() as isize;
    let weight = |k: isize| (-0.5 * (k as f64 / sigma).powi(2)).exp();
    let total: f64 = (-radius..=radius).map(weight).sum();
    (0..track.len() as isize)
        .map(|t| {
            let near = (-radius..=radius).map(|k| extended(track, t + k) * weight(k));
            near.sum::<Vector3<f64>>() / total
        })
        .collect()
}

/// The track beyond its ends: reflected in its end points, which keeps position and velocity.
pub(super) fn extended(track: &[Vector3<f64>], t: isize) -> Vector3<f64> {
    let last = track.len() as isize - 1;
    let inside = |t: isize| track[t.clamp(0, last) as usize];
    match t {
        t if t < 0 => track[0] * 2.0 - inside(-t),
        t if t > last => inside(last) * 2.0 - inside(2 * last - t),
        _ => inside(t),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A joint on a sine of `hertz`, all others still.
    fn sine(hertz: f64, fps: f64, len: usize) -> Motion {
        let frame = |t: usize| {
            let mut joints = [Vector3::zeros(); JOINTS];
            joints[3].x = (std::f64::consts::TAU * hertz * t as f64 / fps).sin();
            joints
        };
        let joints = (0..len).map(frame).collect();
        Motion {
            name: "sine".into(),
            fps,
            joints,
            toes: Some(vec![[Vector3::y(); 2]; len]),
            turns: None,
        }
    }

    /// Largest amplitude away from the ends.
    fn amplitude(motion: &Motion) -> f64 {
        let inner = 5..motion.len() - 5;
        motion.joints[inner]
            .iter()
            .map(|joints| joints[3].x.abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn the_same_rate_changes_nothing() {
        let motion = sine(2.0, 50.0, 40);
        assert_eq!(resample(&motion, 50.0), motion);
    }

    #[test]
    fn slow_motion_survives_both_ways_and_keeps_its_time() {
        for (from, to) in [(120.0, 50.0), (30.0, 50.0), (60.0, 50.0)] {
            let motion = resample(&sine(1.0, from, (2.0 * from) as usize + 1), to);
            assert_eq!(motion.len(), (2.0 * to) as usize + 1);
            assert_eq!(motion.toes.as_ref().unwrap().len(), motion.len());
            for (t, joints) in motion.joints.iter().enumerate() {
                let x = (std::f64::consts::TAU * t as f64 / to).sin();
                assert!((joints[3].x - x).abs() < 5e-3, "{from} to {to}, frame {t}");
            }
        }
    }

    #[test]
    fn what_the_new_rate_cannot_carry_is_removed() {
        assert!(amplitude(&resample(&sine(45.0, 120.0, 240), 50.0)) < 0.12);
        assert!(amplitude(&resample(&sine(55.0, 120.0, 240), 50.0)) < 0.05);
    }
}
