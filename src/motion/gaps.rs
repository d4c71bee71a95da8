//! Missing joints (NaN): bridged when the gap is short, refused when it is long.

use nalgebra::Vector3;

use super::skeleton::is_seen;
use crate::error::{Error, Result};

/// The longest gap that is bridged, s.
pub const LONGEST: f64 = 0.2;

/// Number of observed frames on each side from which a velocity is taken.
const VELOCITY_FRAMES: usize = 3;

/// Fills the gaps of one joint's `track` (any unit) and returns how many frames were missing.
///
/// Inside the clip a cubic (Hermite) curve joins position and velocity on both sides; a single frame
/// between two gaps has the velocity of the straight line across. At the clip's ends the nearest
/// velocity goes on. `name` is the joint's, `first` the number of the track's first
/// frame in the file, for the error.
///
/// # Errors
/// When a gap is longer than [`LONGEST`] seconds, or the joint is never seen.
pub fn bridge(
    track: &mut [Vector3<f64>],
    fps: f64,
    name: &str,
    first: usize,
    origin: &str,
) -> Result<usize> {
    let seen: Vec<bool> = track.iter().map(is_seen).collect();
    let mut filled = 0;
    let mut t = 0;
    while let Some(start) = (t..track.len()).find(|&t| !seen[t]) {
        let end = (start..track.len())
            .find(|&t| seen[t])
            .unwrap_or(track.len());
        if start == 0 && end == track.len() {
            let advice = "give a file in which every joint is seen";
            return Err(Error::input(origin, name, "NaN in every frame", advice));
        }
        if (end - start) as f64 / fps > LONGEST + 1e-9 {
            let frames = format!("nothing in frames {} to {}", first + start, first + end - 1);
            let advice = format!(
                "at most {LONGEST} s are bridged; fill the gap or leave it out with --start, --end"
            );
            return Err(Error::input(origin, name, frames, advice));
        }
        fill(track, &seen, start, end);
        filled += end - start;
        t = end;
    }
    Ok(filled)
}

/// Fills `start..end`; at least one side was `seen`.
fn fill(track: &mut [Vector3<f64>], seen: &[bool], start: usize, end: usize) {
    let len = track.len();
    // Observed frames next to the gap, nearest first.
    let before = (0..start)
        .rev()
        .take_while(|&t| seen[t])
        .take(VELOCITY_FRAMES);
    let after = (end..len).take_while(|&t| seen[t]).take(VELOCITY_FRAMES);
    let across = match start > 0 && end < len {
        true => (track[end] - track[start - 1]) / (end + 1 - start) as f64,
        false => Vector3::zeros(),
    };
    let velocity = |near: Option<usize>, far: Option<usize>| match (near, far) {
        (Some(near), Some(far)) if near != far => {
            (track[far] - track[near]) / (far as f64 - near as f64)
        }
        _ => across,
    };
    let v0 = velocity(before.clone().next(), before.last());
    let v1 = velocity(after.clone().next(), after.last());
    for t in start..end {
        track[t] = if start == 0 {
            track[end] - v1 * (end - t) as f64
        } else if end == len {
            track[start - 1] + v0 * (t + 1 - start) as f64
        } else {
            let span = (end + 1 - start) as f64;
            let s = (t + 1 - start) as f64 / span;
            hermite(track[start - 1], v0 * span, track[end], v1 * span, s)
        };
    }
}

/// The cubic with values `p0`, `p1` and slopes `m0`, `m1` at s = 0 and s = 1.
pub(super) fn hermite(
    p0: Vector3<f64>,
    m0: Vector3<f64>,
    p1: Vector3<f64>,
    m1: Vector3<f64>,
    s: f64,
) -> Vector3<f64> {
    let (s2, s3) = (s * s, s * s * s);
    p0 * (2.0 * s3 - 3.0 * s2 + 1.0)
        + m0 * (s3 - 2.0 * s2 + s)
        + p1 * (3.0 * s2 - 2.0 * s3)
        + m1 * (s3 - s2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: Vector3<f64> = Vector3::new(f64::NAN, 0.0, 0.0);

    /// A track of constant velocity with the frames `gap` missing.
    fn track(len: usize, gap: std::ops::Range<usize>) -> Vec<Vector3<f64>> {
        let at = |t| {
            if gap.contains(&t) {
                NAN
            } else {
                Vector3::new(t as f64, 1.0, -2.0 * t as f64)
            }
        };
        (0..len).map(at).collect()
    }

    #[test]
    fn straight_motion_is_restored_inside_and_at_both_ends() {
        for gap in [0..4, 5..15, 17..20] {
            let mut filled = track(20, gap.clone());
            assert_eq!(
                bridge(&mut filled, 50.0, "head", 0, "x.npy").unwrap(),
                gap.len()
            );
            for (a, b) in filled.iter().zip(track(20, 0..0)) {
                assert!((a - b).norm() < 1e-12);
            }
        }
    }

    #[test]
    fn a_frame_between_two_gaps_does_not_stop_the_motion() {
        let truth = track(20, 0..0);
        let mut filled = truth.clone();
        for t in (5..8).chain(9..12) {
            filled[t] = NAN;
        }
        assert_eq!(bridge(&mut filled, 50.0, "head", 0, "x.npy").unwrap(), 6);
        for (a, b) in filled.iter().zip(&truth) {
            assert!((a - b).norm() < 1e-12, "{a} {b}");
        }
        // What was filled says nothing about the velocity: frame 8 rises by 1/4 to the next gap.
        let mut rising = truth;
        rising[12..].iter_mut().for_each(|p| p.y += 1.0);
        for t in (5..8).chain(9..12) {
            rising[t] = NAN;
        }
        bridge(&mut rising, 50.0, "head", 0, "x.npy").unwrap();
        assert!((rising[10].y - 1.625).abs() < 1e-12, "{}", rising[10].y);
    }

    #[test]
    fn long_gaps_are_refused_with_their_frames() {
        let error = bridge(&mut track(30, 5..16), 50.0, "head", 100, "x.npy").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("head: found nothing in frames 105 to 115"),
            "{error}"
        );
        let error = bridge(&mut track(3, 0..3), 50.0, "head", 0, "x.npy").unwrap_err();
        assert!(error.to_string().contains("every frame"), "{error}");
    }
}
