use nalgebra::{DMatrix, DVector};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::motion::sample;

fn walk() -> Vec<Frame> {
    let walk = sample("walk").unwrap();
    let frame = |joints: &_| Frame {
        joints: *joints,
        toes: None,
        turns: None,
    };
    walk.joints.iter().map(frame).collect()
}

fn noisy(frames: &[Frame], sigma: f64) -> Vec<Frame> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    // Twelve uniform numbers: close enough to a normal variable.
    let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
    let mut noisy = frames.to_vec();
    for point in noisy.iter_mut().flat_map(|frame| &mut frame.joints) {
        *point += sigma * Vector3::from_fn(|_, _| normal());
    }
    noisy
}

/// Root mean square error per coordinate of the positions, and of their change from frame to
/// frame.
fn errors(frames: &[Frame], truth: &[Frame]) -> (f64, f64) {
    let error = |t: usize, j: usize| frames[t].joints[j] - truth[t].joints[j];
    let mean = |of: &dyn Fn(usize, usize) -> f64| {
        let all = (1..frames.len()).flat_map(|t| (0..JOINTS).map(move |j| (t, j)));
        let sum: f64 = all.map(|(t, j)| of(t, j)).sum();
        (sum / (3.0 * (JOINTS * (frames.len() - 1)) as f64)).sqrt()
    };
    (
        mean(&|t, j| error(t, j).norm_squared()),
        mean(&|t, j| (error(t, j) - error(t - 1, j)).norm_squared()),
    )
}

#[test]
fn noise_is_measured_and_mostly_removed() {
    let walk = walk();
    assert!(noise(&walk) < 0.0005, "{}", noise(&walk));
    for sigma in [0.003, 0.010, 0.030] {
        let given = noisy(&walk, sigma);
        assert!((noise(&given) / sigma - 1.0).abs() < 0.1);
        let mut smoothed = given.clone();
        smooth(&mut smoothed);
        let (before, after) = (errors(&given, &walk), errors(&smoothed, &walk));
        assert!(after.0 < 0.6 * before.0, "{after:?} {before:?}");
        assert!(after.1 < 0.3 * before.1, "{after:?} {before:?}");
    }
}

#[test]
fn clean_motion_stays_as_it_is() {
    let walk = walk();
    let mut smoothed = walk.clone();
    smooth(&mut smoothed);
    assert!(errors(&smoothed, &walk).0 < 0.0005);
}

#[test]
fn what_is_missing_stays_missing_and_harms_nothing_else() {
    let walk = walk();
    let mut given = noisy(&walk, 0.010);
    for frame in &mut given[40..46] {
        frame.joints[3] = Vector3::repeat(f64::NAN);
    }
    assert!((noise(&given) / 0.010 - 1.0).abs() < 0.1);
    smooth(&mut given);
    let missing = |t: usize| given[t].joints[3].x.is_nan();
    assert!((0..given.len()).all(|t| missing(t) == (40..46).contains(&t)));
    let error = |t: usize| (given[t].joints[3] - walk[t].joints[3]).norm();
    assert!(error(39) < 0.02 && error(46) < 0.02);
}

#[test]
fn noise_is_removed_where_every_third_frame_is_missing() {
    let walk = walk();
    let mut given = noisy(&walk, 0.010);
    for frame in given.iter_mut().step_by(3) {
        frame.joints = [Vector3::repeat(f64::NAN); JOINTS];
    }
    smooth(&mut given);
    let seen = (0..walk.len()).filter(|t| t % 3 != 0);
    let squares: Vec<f64> = seen
        .flat_map(|t| (0..JOINTS).map(move |j| (t, j)))
        .map(|(t, j)| (given[t].joints[j] - walk[t].joints[j]).norm_squared())
        .collect();
    let error = (squares.iter().sum::<f64>() / (3.0 * squares.len() as f64)).sqrt();
    assert!(error < 0.006, "{error}");
}

#[test]
fn the_factors_solve_the_normal_equations() {
    for (frames, strength) in [(7, 0.5), (20, 300.0)] {
        let differences = DMatrix::from_fn(frames - 3, frames, |i, t| match t.wrapping_sub(i) {
            0 => -1.0,
            1 => 3.0,
            2 => -3.0,
            3 => 1.0,
            _ => 0.0,
        });
        let matrix =
            DMatrix::identity(frames, frames) + strength * differences.transpose() * &differences;
        let y = DVector::from_fn(frames, |t, _| ((t * t) as f64).sin());
        let track: Vec<_> = y.iter().map(|y| Vector3::new(*y, 0.0, -*y)).collect();
        let z = Smoother::new(&vec![true; frames], strength).apply(&track);
        let z = DVector::from_iterator(frames, z.iter().map(|z| z.x));
        assert!((&matrix * z - y).norm() < 1e-10);
        let trace = matrix.try_inverse().unwrap().trace();
        let estimate = degrees_of_freedom(frames, strength);
        assert!((estimate / trace - 1.0).abs() < 0.05, "{estimate} {trace}");
    }
}

#[test]
fn a_joint_that_is_lost_for_good_keeps_what_was_seen() {
    let mut given = noisy(&walk(), 0.010);
    let seen = given.len();
    let missing = Frame {
        joints: [Vector3::repeat(f64::NAN); JOINTS],
        toes: None,
        turns: None,
    };
    given.extend(std::iter::repeat_n(missing, 2000));
    smooth(&mut given);
    assert!(errors(&given[..seen], &walk()).0 < 0.006);
    assert!(given[seen].joints[0].x.is_nan());
}

#[test]
fn fast_motion_at_a_low_rate_is_no_noise() {
    let jump = sample("jump").unwrap();
    for every in [1, 2, 3, 4] {
        let frame = |joints: &_| Frame {
            joints: *joints,
            toes: None,
            turns: None,
        };
        let mut frames: Vec<Frame> = jump.joints.iter().step_by(every).map(frame).collect();
        let fps = jump.fps / every as f64;
        let found = reduce_noise(&mut frames, fps, Smoothing::Auto);
        assert_eq!(found.note(1.75), None, "{fps} fps");
        let mut noisy = noisy(&frames, 0.030);
        let found = reduce_noise(&mut noisy, fps, Smoothing::Auto);
        assert!(found.is_smoothed, "{fps} fps");
        // Smoothing by request moves clean motion hardly.
        let before = frames.clone();
        reduce_noise(&mut frames, fps, Smoothing::On);
        let moved = errors(&frames, &before).0;
        assert!(moved < 0.002, "{moved} m at {fps} fps");
    }
}

#[test]
fn parabolas_pass_and_short_tracks_are_left_alone() {
    let parabola: Vec<_> = (0..40)
        .map(|t| Vector3::new(f64::from(t * t), f64::from(t), 1.0))
        .collect();
    let smoothed = smooth_track(&parabola);
    let moved = parabola.iter().zip(&smoothed).map(|(a, b)| (a - b).norm());
    assert!(moved.fold(0.0, f64::max) < 1e-6);
    assert_eq!(smooth_track(&parabola[..6]), parabola[..6]);
}
