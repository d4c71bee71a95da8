//! Accelerations and jerks of the observed joints.

use nalgebra::Vector3;

use crate::motion::{JOINTS, Joints, third_difference};

/// Time before and after over which observed jerks are averaged, s.
const JERK_REACH: f64 = 0.08;

/// Second differences of `joints`, smoothed over five frames with binomial weights (fewer towards the
/// ends, none where only one side is known): a fiftieth of the power that white noise would give them,
/// and four fifths of motion at 5 Hz (at 50 fps). Zero in the first and last frame, where the
/// acceleration is unknown.
pub(super) fn accelerations(joints: &[Joints]) -> Vec<Joints> {
    let last = joints.len() as isize - 1;
    let known = |t: isize| 0 < t && t < last;
    let raw = |t: isize, j: usize| {
        let at = |t: isize| joints[t as usize][j];
        at(t + 1) - 2.0 * at(t) + at(t - 1)
    };
    let smooth = |t: isize, j: usize| {
        let taps = (-2..=2).zip([1.0, 4.0, 6.0, 4.0, 1.0]);
        let near = taps.filter(|(d, _)| known(t + d) && known(t - d));
        let (sum, weight) = near.fold((Vector3::zeros(), 0.0), |(sum, weight), (d, share)| {
            (sum + share * raw(t + d, j), weight + share)
        });
        sum / weight
    };
    (0..=last)
        .map(|t| {
            std::array::from_fn(|j| match known(t) {
                true => smooth(t, j),
                false => Vector3::zeros(),
            })
        })
        .collect()
}

/// Sizes of the jerks of `joints` up to each frame, m per frame³; zero in the first three.
pub(super) fn jerks(joints: &[Joints]) -> Vec<[f64; JOINTS]> {
    let unknown = std::iter::repeat_n([0.0; JOINTS], joints.len().min(3));
    let known = joints
        .windows(4)
        .map(|w| std::array::from_fn(|j| third_difference([&w[0], &w[1], &w[2], &w[3]], j).norm()));
    unknown.chain(known).collect()
}

/// The means of `jerks`, those of the first three frames aside, over the [`JERK_REACH`] before
/// and after each, `fps` frames a second.
pub(super) fn nearby(jerks: &[[f64; JOINTS]], fps: f64) -> Vec<[f64; JOINTS]> {
    let reach = (JERK_REACH * fps).round() as usize;
    let mean = |t: usize, j: usize| {
        let end = (t + reach + 1).min(jerks.len());
        let near = &jerks[t.saturating_sub(reach).max(3).min(end)..end];
        near.iter().map(|jerks| jerks[j]).sum::<f64>() / near.len().max(1) as f64
    };
    (0..jerks.len())
        .map(|t| std::array::from_fn(|j| mean(t, j)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_acceleration_is_kept_up_to_the_ends() {
        let fall = |t: usize| {
            let mut joints = Joints::default();
            joints[3].z = -0.5 * 0.004 * (t * t) as f64;
            joints
        };
        let joints: Vec<Joints> = (0..9).map(fall).collect();
        let accelerations = accelerations(&joints);
        assert_eq!(accelerations.len(), 9);
        for frame in &accelerations[1..8] {
            assert!((frame[3].z + 0.004).abs() < 1e-15);
        }
        assert_eq!([accelerations[0][3].z, accelerations[8][3].z], [0.0; 2]);
    }

    #[test]
    fn jerks_are_third_differences_and_means_of_those_nearby() {
        let joints: Vec<Joints> = (0..20)
            .map(|t| {
                let mut joints = Joints::default();
                // A jerk of 6 × 0.001 up to frame 10, none from frame 13 on.
                joints[3].x = 0.001 * f64::from(t.min(10)).powi(3);
                if t > 10 {
                    joints[3].x +=
                        0.001 * (300.0 * f64::from(t - 10) + 30.0 * f64::from(t - 10).powi(2));
                }
                joints
            })
            .collect();
        let jerks = jerks(&joints);
        assert_eq!(jerks.len(), 20);
        assert_eq!(jerks[2], [0.0; JOINTS]);
        for (t, jerk) in jerks.iter().enumerate().skip(3) {
            assert_eq!(jerk[0], 0.0);
            match t {
                ..=10 => assert!((jerk[3] - 0.006).abs() < 1e-12),
                13.. => assert!(jerk[3] < 1e-12),
                _ => (),
            }
        }
        let nearby = nearby(&jerks, 50.0);
        // The unknown ones of the first frames do not count.
        assert!((nearby[0][3] - 0.006).abs() < 1e-12);
        assert!((nearby[6][3] - 0.006).abs() < 1e-12);
        assert!(nearby[17][3] < 1e-12 && nearby[15][3] > 0.0);
    }
}
