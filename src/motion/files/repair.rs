//! Positions that a file has numbers for, though nobody was there: they become missing (NaN), and
//! are bridged as other gaps are.

use nalgebra::Vector3;

use super::points::Points;
use super::world::complete;
use crate::error::{Error, Result};
use crate::motion::Joints;
use crate::motion::skeleton::{Layout, is_seen};
use crate::motion::{calibration, quantile};

/// Speed that no joint reaches, statures a second: 30 m/s for a subject of 1.75 m. Recorded motion
/// (CMU, AIST++) has up to 9.
const FASTEST: f64 = 17.0;

/// Distance from the origin at which nobody is recorded, statures: about 9 km.
const FARTHEST: f64 = 5000.0;

/// Frames on each side of one with which it is compared.
const REACH: usize = 2;

/// Makes missing, with a note, what trackers write where they lose somebody: frames with all joints
/// in one place, and single joints at exactly (0, 0, 0).
pub fn drop_lost(points: &mut Points, notes: &mut Vec<String>) {
    let frames = drop_lost_frames(points);
    if frames > 0 {
        notes.push(format!(
            "frames: {frames} with all joints in one place are taken for missing"
        ));
    }
    let joints = drop_zeros(points);
    if joints > 0 {
        notes.push(format!(
            "zeros: {joints} joint positions of exactly (0, 0, 0) are taken for missing"
        ));
    }
}

/// Refuses coordinates that no motion has, and makes missing, with a note, the joints that are
/// elsewhere for a single frame. Lengths are measured by the body: the unit is not known yet.
pub fn drop_spikes(
    points: &mut Points,
    layout: Layout,
    fps: f64,
    origin: &str,
    notes: &mut Vec<String>,
) -> Result<()> {
    let Some(stature) = stature(points, layout) else {
        return Ok(()); // refused by calibration
    };
    check_near(points, FARTHEST * stature, origin)?;
    let mut spikes = Vec::new();
    for joint in 0..points.joints {
        let found = spikes_of(&points.track(joint), FASTEST * stature / fps);
        spikes.extend(found.into_iter().map(|t| (t, joint)));
    }
    for (t, joint) in &spikes {
        points.forget(*t, *joint);
    }
    if let Some((t, joint)) = spikes.iter().min() {
        notes.push(format!(
            "spikes: {} joint positions, out and back at over 30 m/s, are taken for missing (the \
             first: frame {t}, joint {joint})",
            spikes.len()
        ));
    }
    Ok(())
}

/// The number of frames dropped; 0 where all joints are in one place in every frame.
fn drop_lost_frames(points: &mut Points) -> usize {
    let is_lost = |frame: &[f64]| frame.chunks_exact(3).all(|p| p == &frame[..3]);
    let frames = points.values.chunks_exact_mut(3 * points.joints);
    let count = frames.len();
    let lost: Vec<&mut [f64]> = frames.filter(|frame| is_lost(frame)).collect();
    let dropped = lost.len();
    if dropped == count {
        return 0;
    }
    lost.into_iter().for_each(|frame| frame.fill(f64::NAN));
    dropped
}

/// The number of positions dropped. A joint that is at zero in more than half of the frames in
/// which it is seen stays there: poses may be relative to it.
fn drop_zeros(points: &mut Points) -> usize {
    let mut dropped = 0;
    for joint in 0..points.joints {
        let track = points.track(joint);
        let is_zero = |t: &usize| track[*t].iter().all(|x| *x == 0.0);
        let zeros: Vec<usize> = (0..track.len()).filter(is_zero).collect();
        let seen = track.iter().filter(|p| is_seen(p)).count();
        if 2 * zeros.len() > seen {
            continue;
        }
        for t in &zeros {
            points.forget(*t, joint);
        }
        dropped += zeros.len();
    }
    dropped
}

/// Standing height in the file's unit; `None` where no frame is complete, or a body has no length.
fn stature(points: &Points, layout: Layout) -> Option<f64> {
    let complete = complete(&points.in_layout(layout));
    let joints: Vec<Joints> = complete.iter().map(|frame| frame.joints).collect();
    let stature = calibration::stature(&calibration::bone_lengths(&joints));
    (stature > 0.0).then_some(stature)
}

/// Refuses coordinates of more than `limit`, in the file's unit.
fn check_near(points: &Points, limit: f64, origin: &str) -> Result<()> {
    match points.values.iter().position(|x| x.abs() > limit) {
        None => Ok(()),
        Some(at) => {
            let found = format!("{:.3e}", points.values[at]);
            let advice = "that is kilometres away: write missing joints as NaN, or move the \
                          motion to the origin";
            Err(Error::input(origin, points.place(at), found, advice))
        }
    }
}

/// The frames in which `track` is farther than `limit` from where it is in the frames before and
/// after, and from the median over the frames around: what goes on that fast is no spike. At an
/// end of the track its only neighbour counts.
fn spikes_of(track: &[Vector3<f64>], limit: f64) -> Vec<usize> {
    let seen: Vec<usize> = (0..track.len()).filter(|t| is_seen(&track[*t])).collect();
    let count = seen.len();
    if count <= REACH {
        return Vec::new();
    }
    let leaves = |k: usize| {
        let (a, b) = (seen[k], seen[k + 1]);
        (track[a] - track[b]).norm() > limit * (b - a) as f64
    };
    let is_alone = |k: usize| {
        let around = &seen[k.saturating_sub(REACH)..(k + REACH + 1).min(count)];
        let median = |axis: usize| quantile(around.iter().map(|t| track[*t][axis]).collect(), 0.5);
        (track[seen[k]] - Vector3::from_fn(|axis, _| median(axis))).norm() > limit
    };
    (0..count)
        .filter(|&k| (k == 0 || leaves(k - 1)) && (k + 1 == count || leaves(k)) && is_alone(k))
        .map(|k| seen[k])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A track that moves by 0.1 a frame.
    fn steady(frames: usize) -> Vec<Vector3<f64>> {
        let at = |t: usize| Vector3::new(0.1 * t as f64, 1.0, 0.0);
        (0..frames).map(at).collect()
    }

    #[test]
    fn single_frames_elsewhere_are_spikes() {
        let cases: [Vec<usize>; 5] = [vec![0], vec![1], vec![10], vec![10, 12], vec![0, 8, 19]];
        for away in cases {
            let mut track = steady(20);
            away.iter().for_each(|&t| track[t].z += 2.0);
            assert_eq!(spikes_of(&track, 0.5), away);
        }
        // Beside a gap.
        let mut track = steady(20);
        track[9].fill(f64::NAN);
        track[10].z -= 2.0;
        assert_eq!(spikes_of(&track, 0.5), [10]);
    }

    #[test]
    fn what_goes_on_is_no_spike() {
        let calm = |track: &[Vector3<f64>]| assert!(spikes_of(track, 0.5).is_empty());
        calm(&steady(20));
        // A jump to another place, two frames elsewhere, and a turn as fast as can be.
        let mut track = steady(20);
        track[10..].iter_mut().for_each(|p| p.y += 5.0);
        calm(&track);
        let mut track = steady(20);
        track[10..12].iter_mut().for_each(|p| p.y += 5.0);
        calm(&track);
        let swing = |t: u8| Vector3::new(0.45 * f64::from(t.abs_diff(10)), 0.0, 0.0);
        calm(&(0..20).map(swing).collect::<Vec<_>>());
        // Restless from the first frame to the last: noise, not a spike.
        let restless = |t: u8| Vector3::new(0.8 * f64::from(t % 2), 0.0, 0.0);
        let track: Vec<_> = (0..21).map(restless).collect();
        calm(&track);
        calm(&track[..2]);
    }
}
