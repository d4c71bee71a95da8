//! Ends of a clip that lag: a filter that pads a track with its end points draws the frames there inwards along the
//! motion, a Gaussian by 0.4 σ. (First frames of AIST++ and of CMU's clips after such a filter are 0.54 and 0.18 frames
//! late in the median, trials with force plates 0.01.) A body that starts with such a frame starts at the wrong speed:
//! at 4 m/s and 3 ms late a parabola through five frames at 50 fps is 0.5 m/s too slow.

use nalgebra::Vector3;

use crate::motion::skeleton::Frame;

/// Time between the frames to which a parabola is fitted, s.
const SPACING: f64 = 0.02;

/// Number of these frames, from one after the end on.
const FITTED: usize = 5;

/// What they weigh in the parabola's value and slope at the end, the latter per frame: least squares.
const VALUE: [f64; FITTED] = [1.8, 0.0, -0.8, -0.6, 0.6];
const SLOPE: [f64; FITTED] = [
    -74.0 / 70.0,
    23.0 / 70.0,
    60.0 / 70.0,
    37.0 / 70.0,
    -46.0 / 70.0,
];

/// The share of the squared distances from where the parabola ends that a lag has to explain.
const EXPLAINED: f64 = 0.5;

/// The root mean square distance by which points lag, over that from their middle, below which it is no matter: 1.8 mm of a
/// person; noise of recorded motion is up to 1.2 mm.
const NO_MATTER: f64 = 0.004;

/// Moves the first and the last of `frames` along the motion to where those after and before tell that they were, each with
/// a note, if they lag.
pub fn advance(frames: &mut [Frame], fps: f64, notes: &mut Vec<String>) {
    let last = frames.len().saturating_sub(1);
    let mut advance = |at: &dyn Fn(usize) -> usize, what: &str| {
        if let Some(lag) = advance_end(frames, fps, at) {
            notes.push(format!(
                "{what}, as after a filter that pads ends: moved along the motion by {:.1} ms",
                1e3 * lag
            ));
        }
    };
    advance(&|k| k, "first frame: late");
    advance(&|k| last - k, "last frame: early");
}

/// Moves the frames nearer to the end than [`SPACING`], frame `at(k)` being k frames from there; the lag of the outermost,
/// s, if it was moved.
fn advance_end(frames: &mut [Frame], fps: f64, at: &dyn Fn(usize) -> usize) -> Option<f64> {
    let stride = (SPACING * fps).round().max(1.0) as usize;
    if frames.len() <= (FITTED + 1) * stride {
        return None;
    }
    let mut outermost = None;
    for k in 0..stride {
        let Some((lag, slopes)) = lag(|i| points(&frames[at(k + i * stride)])) else {
            break;
        };
        outermost.get_or_insert(lag * stride as f64 / fps);
        let frame = &mut frames[at(k)];
        let toes = frame.toes.iter_mut().flatten();
        for (point, slope) in frame.joints.iter_mut().chain(toes).zip(slopes) {
            *point -= lag * slope;
        }
    }
    outermost
}

/// By how many steps the points `at(0)` are behind where those `at(1)` and further tell that they were, and how far the points
/// move in a step there; `None` where a lag explains too little, or a point is missing.
fn lag(at: impl Fn(usize) -> Vec<Vector3<f64>>) -> Option<(f64, Vec<Vector3<f64>>)> {
    let fitted = |i: usize| at(i + 1);
    let (ends, slopes) = (weighted(&VALUE, fitted), weighted(&SLOPE, fitted));
    let dot = |a: &[Vector3<f64>], b: &[Vector3<f64>]| -> f64 {
        a.iter().zip(b).map(|(a, b)| a.dot(b)).sum()
    };
    let minus = |a: &[Vector3<f64>], b: &[Vector3<f64>]| -> Vec<_> {
        a.iter().zip(b).map(|(a, b)| a - b).collect()
    };
    let frame = at(0);
    let off = minus(&frame, &ends);
    let lag = dot(&off, &slopes) / dot(&slopes, &slopes);
    let explained = lag * dot(&off, &slopes) / dot(&off, &off);
    // Who starts from rest seems to come from elsewhere.
    let goes_on = dot(&slopes, &minus(&at(FITTED), &at(1))) > 0.0;
    let middle = frame.iter().sum::<Vector3<f64>>() / frame.len() as f64;
    let spread = minus(&frame, &vec![middle; frame.len()]);
    let matters = lag.powi(2) * dot(&slopes, &slopes) > NO_MATTER.powi(2) * dot(&spread, &spread);
    (explained > EXPLAINED && lag > 0.0 && goes_on && matters).then_some((lag, slopes))
}

/// The joints and toes of `frame`.
fn points(frame: &Frame) -> Vec<Vector3<f64>> {
    let toes = frame.toes.iter().flatten();
    frame.joints.iter().chain(toes).copied().collect()
}

/// The sum of the points `at(i)` with `weights[i]`.
fn weighted(weights: &[f64], at: impl Fn(usize) -> Vec<Vector3<f64>>) -> Vec<Vector3<f64>> {
    let mut sum = vec![Vector3::zeros(); at(0).len()];
    for (i, weight) in weights.iter().enumerate() {
        for (sum, point) in sum.iter_mut().zip(at(i)) {
            *sum += *weight * point;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::JOINTS;

    /// A body whose joints swing about a place that moves at 3 m/s, at `time` s.
    fn moving(time: f64) -> Frame {
        let joint = |j: usize| {
            let phase = 3.0 * time + j as f64;
            Vector3::new(3.0 * time, 0.1 * phase.sin(), 0.3 * phase.cos())
        };
        Frame {
            joints: std::array::from_fn::<_, JOINTS, _>(joint),
            toes: None,
            turns: None,
        }
    }

    #[test]
    fn an_end_that_lags_is_moved_along_the_motion() {
        for (fps, lag) in [(50.0, 0.006), (120.0, 0.004), (30.0, 0.015)] {
            let time = |t: usize| t as f64 / fps;
            let mut frames: Vec<Frame> = (0..60).map(|t| moving(time(t))).collect();
            let asked = frames.clone();
            frames[0] = moving(lag);
            frames[59] = moving(time(59) - lag);
            let mut notes = Vec::new();
            advance(&mut frames, fps, &mut notes);
            assert_eq!(notes.len(), 2, "{fps}: {notes:?}");
            for (t, (frame, asked)) in frames.iter().zip(&asked).enumerate() {
                let off = |(a, b): (&Vector3<f64>, &Vector3<f64>)| (a - b).norm();
                let joints = frame.joints.iter().zip(&asked.joints);
                let mean = joints.map(off).sum::<f64>() / JOINTS as f64;
                assert!(mean < 0.2 * 3.0 * lag, "{fps}: frame {t}, {mean}");
            }
        }
    }

    #[test]
    fn a_clip_that_is_right_or_short_or_starts_from_rest_stays() {
        let stays = |at: &dyn Fn(f64) -> Frame, count: usize| {
            let mut frames: Vec<Frame> = (0..count).map(|t| at(t as f64 / 50.0)).collect();
            let asked = frames.clone();
            let mut notes = Vec::new();
            advance(&mut frames, 50.0, &mut notes);
            assert_eq!(frames, asked);
            assert!(notes.is_empty(), "{notes:?}");
        };
        stays(&moving, 4);
        stays(&|_| moving(1.0), 60);
        let from_rest = |time: f64| Frame {
            joints: [Vector3::new(time.powi(3), 0.0, 0.0); JOINTS],
            ..moving(0.0)
        };
        stays(&from_rest, 60);
        stays(&|time| from_rest(1.2 - time), 60);
    }
}
