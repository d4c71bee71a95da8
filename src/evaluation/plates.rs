//! Ground reactions against force plates: the simulated ones, and those that kinematics alone give.

mod kinematic;
mod measured;
pub mod table;

use nalgebra::{Vector2, Vector3};
use serde::Serialize;

pub use kinematic::Observed;
pub use measured::{ForcePlates, Place, PlateFile};

use crate::body::{Body, Side};
use crate::error::{Error, Result};
use crate::motion::directions_of_travel;
use crate::reconstruction::Reconstruction;
use crate::simulation::{Contact, Frame, GRAVITY, Push, Trajectory};

/// Share of body weight from which on a foot counts as loaded.
const LOADED: f64 = 0.05;

/// Share of body weight from which on centres of pressure are compared.
const PRESSED: f64 = 0.1;

/// Durations of complete stances whose peaks are compared, s.
const STANCES: (f64, f64) = (0.08, 1.5);

/// Time by which simulated peaks may lie outside the measured stance, s.
const PEAK_MARGIN: f64 = 0.04;

/// How far the forces of a run are from those measured, over the intervals between frames in which the plates
/// measure a foot's whole load. Forces in % of body weight.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlateScore {
    /// Measured time of both feet together, s.
    pub foot_seconds: f64,
    /// Vertical force: root mean square and mean absolute error.
    pub vertical_rmse: f64,
    /// The same.
    pub vertical_mae: f64,
    /// Correlation of the vertical forces; none where one of them is constant.
    pub pearson_r: Option<f64>,
    /// Vertical RMSE while plate or simulation is loaded.
    pub stance_rmse: Option<f64>,
    /// Vertical RMSE of both feet together, where both are measured.
    pub sum_rmse: Option<f64>,
    /// RMSE along the direction of travel.
    pub ap_rmse: f64,
    /// RMSE to the left of it.
    pub ml_rmse: f64,
    /// Simulated over measured vertical impulse.
    pub impulse_ratio: Option<f64>,
    /// Mean difference of the vertical peaks in the first half of complete stances, in the second, and over all.
    pub peak1_error: Option<f64>,
    /// The same.
    pub peak2_error: Option<f64>,
    /// The same.
    pub peak_error: Option<f64>,
    /// Root mean square distance of the centres of pressure, mm.
    pub cop_rmse_mm: Option<f64>,
}

/// A run beside force plates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The simulated forces.
    #[serde(flatten)]
    pub simulated: PlateScore,
    /// Those that the observed motion gives without a simulation ([`Observed`]); none for a body whose feet have no
    /// heel and ball.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kinematics: Option<PlateScore>,
    /// What was measured over the interval that ends at each frame; none where the plates do not measure a foot.
    #[serde(skip)]
    pub measured: Vec<[Option<Push>; 2]>,
}

/// `run`, whose first frame is `offset` s after the beginning of the plates' record, beside `plates`.
///
/// # Errors
/// [`Error::Input`] when no foot is measured while something is simulated.
pub fn compare(run: &Reconstruction, plates: &ForcePlates, offset: f64) -> Result<Comparison> {
    let fps = run.trajectory.fps;
    let measured = plates.frames(fps, run.trajectory.frames.len(), offset);
    let ahead = directions_of_travel(&run.reference.joints, run.reference.fps);
    let weight = run.body.mass() * GRAVITY;
    let scored = |feet: &[[Push; 2]]| score(&samples(feet, &measured, &ahead), weight, fps);
    let Some(simulated) = scored(&pushes(&run.body, &run.trajectory)) else {
        let advice = "give the plates of the same trial: time 0 is its first frame";
        return Err(Error::input(
            &plates.origin,
            "valid",
            "no measured foot",
            advice,
        ));
    };
    let kinematics = Observed::of(run).map(|observed| observed.pushes());
    Ok(Comparison {
        simulated,
        kinematics: kinematics.and_then(|feet| scored(&feet)),
        measured,
    })
}

/// What pushes the feet `[right, left]` of a simulated body, frame by frame.
fn pushes(body: &Body, trajectory: &Trajectory) -> Vec<[Push; 2]> {
    let feet =
        |frame: &Frame| Side::BOTH.map(|side| Contact::on_foot(&frame.contacts, body, side).into());
    trajectory.frames.iter().map(feet).collect()
}

/// One foot in one interval between frames.
struct Sample {
    interval: usize,
    simulated: Vector3<f64>,
    measured: Vector3<f64>,
    centers: [Option<Vector3<f64>>; 2],
    ahead: Vector2<f64>,
}

/// The intervals in which a foot is measured, of the right and of the left one.
fn samples(
    simulated: &[[Push; 2]],
    measured: &[[Option<Push>; 2]],
    ahead: &[Vector2<f64>],
) -> [Vec<Sample>; 2] {
    [0, 1].map(|foot| {
        let frames = simulated.iter().zip(measured).enumerate();
        let samples = frames.filter_map(|(t, (simulated, measured))| {
            let (simulated, measured) = (simulated[foot], measured[foot]?);
            Some(Sample {
                interval: t,
                simulated: simulated.force,
                measured: measured.force,
                centers: [simulated.center, measured.center],
                ahead: ahead[t.min(ahead.len() - 1)],
            })
        });
        samples.collect()
    })
}

/// The score of the samples of both feet for a body of `weight`, N; none without any.
fn score(feet: &[Vec<Sample>; 2], weight: f64, fps: f64) -> Option<PlateScore> {
    if feet.iter().all(Vec::is_empty) {
        return None;
    }
    let percent = 100.0 / weight;
    let all = || feet.iter().flatten();
    let error = |sample: &Sample| percent * (sample.simulated - sample.measured);
    let vertical = || all().map(|sample| error(sample).z);
    let is_loaded = |sample: &&Sample| sample.simulated.z.max(sample.measured.z) > LOADED * weight;
    let left = |ahead: Vector2<f64>| Vector2::new(-ahead.y, ahead.x);
    let both = feet[0].iter().filter_map(|right| {
        let left = feet[1]
            .iter()
            .find(|left| left.interval == right.interval)?;
        Some(error(right).z + error(left).z)
    });
    let distance = |sample: &Sample| {
        let [simulated, measured] = sample.centers;
        let least = sample.simulated.z.min(sample.measured.z);
        let apart = (simulated? - measured?).xy().norm();
        (least > PRESSED * weight).then_some(1e3 * apart)
    };
    let peaks: Vec<[f64; 3]> = feet
        .iter()
        .flat_map(|samples| peak_errors(samples, weight, fps))
        .collect();
    let peak = |k: usize| mean(peaks.iter().map(|errors| percent * errors[k]));
    let (simulated, measured): (f64, f64) = all().fold((0.0, 0.0), |(a, b), sample| {
        (a + sample.simulated.z, b + sample.measured.z)
    });
    Some(PlateScore {
        foot_seconds: all().count() as f64 / fps,
        vertical_rmse: rms(vertical()).unwrap_or_default(),
        vertical_mae: mean(vertical().map(f64::abs)).unwrap_or_default(),
        pearson_r: correlation(all().map(|sample| [sample.simulated.z, sample.measured.z])),
        stance_rmse: rms(all().filter(is_loaded).map(|sample| error(sample).z)),
        sum_rmse: rms(both),
        ap_rmse: rms(all().map(|s| error(s).xy().dot(&s.ahead))).unwrap_or_default(),
        ml_rmse: rms(all().map(|s| error(s).xy().dot(&left(s.ahead)))).unwrap_or_default(),
        impulse_ratio: (measured > 0.0).then(|| simulated / measured),
        peak1_error: peak(0),
        peak2_error: peak(1),
        peak_error: peak(2),
        cop_rmse_mm: rms(all().filter_map(distance)),
    })
}

/// Simulated less measured vertical peaks of every complete stance of a foot: in its first half, its second and
/// over all, N.
fn peak_errors(samples: &[Sample], weight: f64, fps: f64) -> Vec<[f64; 3]> {
    let pad = (PEAK_MARGIN * fps).round() as usize;
    let is_stance = |sample: &Sample| sample.measured.z > LOADED * weight;
    let mut errors = Vec::new();
    let mut start = 0;
    for run in samples.chunk_by(|a, b| b.interval == a.interval + 1 && is_stance(a) == is_stance(b))
    {
        let (from, to) = (start, start + run.len());
        start = to;
        let seconds = run.len() as f64 / fps;
        let is_complete = from > 0
            && to < samples.len()
            && samples[from - 1].interval + 1 == samples[from].interval
            && samples[to].interval == samples[to - 1].interval + 1;
        if !is_stance(&run[0]) || !is_complete || seconds < STANCES.0 || seconds > STANCES.1 {
            continue;
        }
        let half = (from + to).div_ceil(2);
        let (low, high) = (from.saturating_sub(pad), (to + pad).min(samples.len()));
        let highest = |range: std::ops::Range<usize>, part: fn(&Sample) -> f64| {
            samples[range].iter().map(part).fold(0.0, f64::max)
        };
        let error = |measured, simulated| {
            highest(simulated, |s| s.simulated.z) - highest(measured, |s| s.measured.z)
        };
        errors.push([
            error(from..half, low..half),
            error(half..to, half..high),
            error(from..to, low..high),
        ]);
    }
    errors
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

fn rms(values: impl Iterator<Item = f64>) -> Option<f64> {
    mean(values.map(|value| value * value)).map(f64::sqrt)
}

/// Pearson's correlation of pairs; none where one side is constant.
fn correlation(pairs: impl Iterator<Item = [f64; 2]> + Clone) -> Option<f64> {
    let center = [0, 1].map(|k| mean(pairs.clone().map(|pair| pair[k])).unwrap_or_default());
    let moment = |i: usize, j: usize| {
        let products = pairs
            .clone()
            .map(|p| (p[i] - center[i]) * (p[j] - center[j]));
        products.sum::<f64>()
    };
    let spread = (moment(0, 0) * moment(1, 1)).sqrt();
    (spread > 0.0).then(|| moment(0, 1) / spread)
}

#[cfg(test)]
mod tests;
