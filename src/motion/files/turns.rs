//! Whether the rotations of a file agree with its positions, and what is missing in them.

use nalgebra::Vector3;

use crate::motion::gaps;
use crate::motion::skeleton::{
    Frame, HINGES, LEFT_SHOULDER, NAMES, RIGHT_SHOULDER, SPINE, THORAX, Turns, is_seen,
};

/// Mean sine of its bend below which a limb does not show its axis.
const STRAIGHT: f64 = 0.1;

/// The cosine between seen and told axes, as a mean over a clip, below which the file's rest pose is not understood. In
/// dances of AIST++ with SMPL's rotations it is 0.58 to 0.98, in CMU's BVH files 0.87 to 1.
const AGREEMENT: f64 = 0.3;

/// The sine of a bend from which on its axis is no matter of how straight the limb is at rest.
const BENT: f64 = 0.5;

/// The share of frames with such bends, and the length of the mean of their axes, above which a joint is a hinge: 1.000
/// in CMU's BVH files, at most 0.99 where joints are balls, as in SMPL.
const OFTEN: f64 = 0.1;
const HINGE: f64 = 0.995;

/// A line about the turns in `frames`, in which z is up; they are taken out where limbs bend about other axes than told,
/// or the face looks backward.
pub fn check(frames: &mut [Frame]) -> Option<String> {
    frames.iter().find_map(|frame| frame.turns)?;
    (0..HINGES.len()).for_each(|k| align(frames, k));
    let Some(odd) = contradiction(frames) else {
        let what = "turns of upper arms, thighs and head as the file has them";
        return Some(format!("rotations: {what}"));
    };
    frames.iter_mut().for_each(|frame| frame.turns = None);
    Some(format!(
        "rotations: not used, as {odd}: the rest pose is not understood"
    ))
}

/// What is seen in `frames` and cannot be if their turns are right.
fn contradiction(frames: &[Frame]) -> Option<String> {
    let bends = |k: usize| {
        agreement(frames, |frame, turns| {
            (bend(frame, HINGES[k]), turns.hinges[k])
        })
    };
    let odd = (0..HINGES.len()).find(|&k| bends(k).is_some_and(|cosine| cosine < AGREEMENT));
    let joint = odd.map(|k| {
        format!(
            "the {} bends about another axis",
            NAMES[HINGES[k]].replace('_', " ")
        )
    });
    joint.or_else(|| {
        let looks = agreement(frames, |frame, turns| (ahead(frame), turns.facing))?;
        (looks < 0.0).then(|| "the face looks backward".to_string())
    })
}

/// The cosine between what is seen and what is told, each frame with the weight of the former's length; `None` where that is
/// small.
fn agreement(
    frames: &[Frame],
    of: impl Fn(&Frame, &Turns) -> (Vector3<f64>, Vector3<f64>),
) -> Option<f64> {
    let pairs = frames
        .iter()
        .filter_map(|frame| Some(of(frame, frame.turns.as_ref()?)));
    let pairs = pairs.filter(|(seen, told)| is_seen(seen) && is_seen(told));
    let (mut dot, mut length, mut count) = (0.0, 0.0, 0.0);
    for (seen, told) in pairs {
        dot += seen.dot(&told);
        length += seen.norm();
        count += 1.0;
    }
    (length > STRAIGHT * count).then(|| dot / length)
}

/// Turns the axis told of a limb about the limb onto the one that it is seen to bend about, where that is one axis of its
/// upper segment in all `frames`: the rest pose does not show where it is (CMU's elbows: 24° off).
fn align(frames: &mut [Frame], k: usize) {
    let seen = frames.iter().filter_map(|frame| {
        let axes = axes(frame, k)?;
        let bend = bend(frame, HINGES[k]);
        (bend.norm() > BENT)
            .then(|| bend.normalize())
            .map(|bend| axes.map(|axis| axis.dot(&bend)))
    });
    let (sum, count) = seen.fold(([0.0; 2], 0.0), |([x, y], count), seen| {
        ([x + seen[0], y + seen[1]], count + 1.0)
    });
    let mean = sum.map(|sum| sum / count);
    if count < OFTEN * frames.len() as f64 || mean[0].hypot(mean[1]) < HINGE {
        return; // a count of 0 passes neither
    }
    for frame in frames {
        let Some([told, across]) = axes(frame, k) else {
            continue;
        };
        let axis = mean[0] * told + mean[1] * across;
        frame
            .turns
            .iter_mut()
            .for_each(|turns| turns.hinges[k] = axis.normalize());
    }
}

/// The axis told of a limb, brought to a right angle to its upper segment, and the one at right angles to both.
fn axes(frame: &Frame, k: usize) -> Option<[Vector3<f64>; 2]> {
    let told = frame.turns?.hinges[k];
    let [a, b] = [HINGES[k] - 1, HINGES[k]].map(|j| frame.joints[j]);
    let upper = (b - a).try_normalize(0.0)?;
    let told = (told - upper * upper.dot(&told)).try_normalize(0.0)?;
    Some([told, upper.cross(&told)])
}

/// The axis about which a limb is bent, as long as the sine of its bend.
fn bend(frame: &Frame, joint: usize) -> Vector3<f64> {
    let [a, b, c] = [joint - 1, joint, joint + 1].map(|j| frame.joints[j]);
    let direction = |v: Vector3<f64>| v.try_normalize(0.0).unwrap_or(v);
    direction(b - a).cross(&direction(c - b))
}

/// Where the chest looks.
fn ahead(frame: &Frame) -> Vector3<f64> {
    let p = &frame.joints;
    let ahead = (p[LEFT_SHOULDER] - p[RIGHT_SHOULDER]).cross(&(p[THORAX] - p[SPINE]));
    ahead.try_normalize(0.0).unwrap_or(ahead)
}

/// Bridges short gaps in every direction; where one is missing for longer, it is not known (zero).
pub fn bridge(turns: &mut Vec<Turns>, fps: f64) {
    *turns = Turns::filter(turns, |track| {
        let mut bridged = track.clone();
        match gaps::bridge(&mut bridged, fps, "direction", 0, "turns") {
            Ok(_) => bridged,
            Err(_) => {
                let known = |v: &Vector3<f64>| if is_seen(v) { *v } else { Vector3::zeros() };
                track.iter().map(known).collect()
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::sample;

    /// The walk with turns: limbs bend as they are seen to, but about axes that are off by `angle` rad about the upper
    /// segment; `facing` of the chest's direction.
    fn walk(angle: f64, facing: f64) -> Vec<Frame> {
        let frame = |joints: &_| {
            let frame = Frame {
                joints: *joints,
                toes: None,
                turns: None,
            };
            let hinge = |joint: usize| {
                let axis = bend(&frame, joint).normalize();
                let upper = (joints[joint] - joints[joint - 1]).normalize();
                axis * angle.cos() + upper.cross(&axis) * angle.sin()
            };
            let turns = Turns {
                hinges: HINGES.map(hinge),
                facing: ahead(&frame) * facing,
            };
            Frame {
                turns: Some(turns),
                ..frame
            }
        };
        sample("walk").unwrap().joints.iter().map(frame).collect()
    }

    #[test]
    fn hinges_that_are_off_by_the_same_angle_all_the_time_are_put_right() {
        let right = walk(0.0, 1.0);
        for angle in [0.4, -1.5, 3.0] {
            let mut frames = walk(angle, 1.0);
            assert!(check(&mut frames).unwrap().contains("as the file has them"));
            for (frame, right) in frames.iter().zip(&right) {
                let [found, wanted] = [frame, right].map(|frame| frame.turns.unwrap());
                // Knees bend by more than 30°.
                for k in 0..2 {
                    assert!(
                        (found.hinges[k] - wanted.hinges[k]).norm() < 1e-6,
                        "{angle}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_contradicts_the_positions_is_not_used() {
        let mut backward = walk(0.0, -1.0);
        let note = check(&mut backward).unwrap();
        assert!(
            note.contains("not used, as the face looks backward"),
            "{note}"
        );
        assert!(backward.iter().all(|frame| frame.turns.is_none()));
        let mut odd = walk(0.0, 1.0);
        for (t, frame) in odd.iter_mut().enumerate() {
            let turned = |v: Vector3<f64>| if t % 3 == 0 { v } else { -v };
            let turns = frame.turns.as_mut().unwrap();
            turns.hinges[1] = turned(turns.hinges[1]);
        }
        let note = check(&mut odd).unwrap();
        assert!(
            note.contains("the left knee bends about another axis"),
            "{note}"
        );
        assert_eq!(check(&mut odd), None);
    }

    #[test]
    fn short_gaps_are_bridged_and_directions_in_long_ones_unknown() {
        let turns = |x: f64| Turns {
            hinges: [Vector3::new(x, 1.0, 0.0).normalize(); 4],
            facing: Vector3::x(),
        };
        let mut all: Vec<_> = (0..60).map(|t| turns(0.02 * f64::from(t))).collect();
        all[20].hinges = [Vector3::repeat(f64::NAN); 4];
        all[30..50]
            .iter_mut()
            .for_each(|turns| turns.facing.x = f64::NAN);
        bridge(&mut all, 50.0);
        assert!((all[20].hinges[0] - turns(0.4).hinges[0]).norm() < 1e-3);
        assert_eq!(all[40].facing, Vector3::zeros());
        assert_eq!(all[29].facing, Vector3::x());
        assert!((all[40].hinges[0] - turns(0.8).hinges[0]).norm() < 1e-9);
    }
}
