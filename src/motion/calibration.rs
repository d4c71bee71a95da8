//! The frame of reference of a file: unit of length, up axis and floor, found from the body itself.

use std::fmt;
use std::str::FromStr;

use nalgebra::{Vector2, Vector3};

use super::contact::STANDING_QUANTILE;
use super::skeleton::{self, ANKLES, HEAD, LEFT_ANKLE, LEFT_HIP, RIGHT_HIP};
use super::{Joints, STATURES, distance_from_hull, quantile};
use crate::error::{Error, Result};

/// Stature over the sum of shin, thigh, pelvis–spine–thorax–neck–head: what the foot below the
/// ankle and the skull above the head joint add. CMU subjects: 1.11 to 1.13.
const STATURE_RATIO: f64 = 1.12;

/// The stature that is taken for the most likely one, m.
const ADULT: f64 = 1.7;

/// How much more unlikely an unmetrical unit is: as if the stature were wrong by a factor of 1.5.
const UNUSUAL: f64 = 0.405;

/// Height over the floor up to which a joint may carry the body, and the distance from such joints from which on a body
/// cannot stay up, as shares of stature: a tenth and the length of a foot (Winter 2009).
const NEAR_FLOOR: f64 = 0.1;
const OFF_BALANCE: f64 = 0.152;

/// A floor estimated closer to z = 0 than this (m) is taken to be at z = 0: ankle heights differ by
/// as much between subjects, shoes and ways to place the joint.
pub const FLOOR_TOLERANCE: f64 = 0.04;

/// Units of length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    /// m
    Metre,
    /// cm
    Centimetre,
    /// mm
    Millimetre,
    /// in, 2.54 cm
    Inch,
    /// That of the CMU motion capture database: an inch over 0.45.
    Cmu,
    /// Any other, by its length in metres.
    Other(f64),
}

impl Unit {
    /// Every unit that has a name: those that skeletons (BVH) come in.
    pub const ALL: [Self; 5] = [
        Self::Metre,
        Self::Centimetre,
        Self::Millimetre,
        Self::Inch,
        Self::Cmu,
    ];

    /// The units that arrays of positions come in.
    pub const METRIC: [Self; 3] = [Self::Metre, Self::Centimetre, Self::Millimetre];

    /// Its length in metres.
    pub fn metres(self) -> f64 {
        match self {
            Self::Metre => 1.0,
            Self::Centimetre => 0.01,
            Self::Millimetre => 0.001,
            Self::Inch => 0.0254,
            Self::Cmu => 0.0254 / 0.45,
            Self::Other(metres) => metres,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metre => f.write_str("m"),
            Self::Centimetre => f.write_str("cm"),
            Self::Millimetre => f.write_str("mm"),
            Self::Inch => f.write_str("in"),
            Self::Cmu => f.write_str("cmu"),
            Self::Other(metres) => write!(f, "{metres}"),
        }
    }
}

impl FromStr for Unit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|unit| unit.to_string() == text);
        let length = || {
            text.parse()
                .ok()
                .filter(|m: &f64| m.is_finite() && *m > 0.0)
        };
        named.or_else(|| length().map(Self::Other)).ok_or_else(|| {
            let advice = "choose one of m, cm, mm, in, cmu, or give its length in metres";
            Error::input("--units", "unit", format!("`{text}`"), advice)
        })
    }
}

/// The axis of a file that points up. A minus sign means that the axis points down, as y does in
/// camera coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// x up
    X,
    /// y up
    Y,
    /// z up
    Z,
    /// x down
    MinusX,
    /// y down
    MinusY,
    /// z down
    MinusZ,
}

impl Axis {
    /// Every axis, ordered so that `ALL[k]` and `ALL[k + 3]` point along coordinate k.
    pub const ALL: [Self; 6] = [
        Self::X,
        Self::Y,
        Self::Z,
        Self::MinusX,
        Self::MinusY,
        Self::MinusZ,
    ];

    /// Its name, "y" or "-y".
    pub fn name(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Y => "y",
            Self::Z => "z",
            Self::MinusX => "-x",
            Self::MinusY => "-y",
            Self::MinusZ => "-z",
        }
    }

    /// Turns a point of a file in which this axis is up so that z is up. Always a proper rotation:
    /// left stays left.
    pub fn to_z_up(self, p: Vector3<f64>) -> Vector3<f64> {
        match self {
            Self::X => Vector3::new(p.y, p.z, p.x),
            Self::Y => Vector3::new(p.z, p.x, p.y),
            Self::Z => p,
            Self::MinusX => Vector3::new(p.y, -p.z, -p.x),
            Self::MinusY => Vector3::new(p.z, -p.x, -p.y),
            Self::MinusZ => Vector3::new(p.x, -p.y, -p.z),
        }
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Axis {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|axis| axis.name() == text)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                Error::input(
                    "--up",
                    "axis",
                    format!("`{text}`"),
                    format!("choose one of {names}"),
                )
            })
    }
}

/// Median length of every bone over `frames`, by child joint (0 for the pelvis), in their unit.
pub fn bone_lengths(frames: &[Joints]) -> Joints17<f64> {
    let mut lengths = [0.0; super::JOINTS];
    for (parent, child) in skeleton::bones() {
        let all = frames
            .iter()
            .map(|joints| (joints[child] - joints[parent]).norm());
        lengths[child] = quantile(all.collect(), 0.5);
    }
    lengths
}

/// One value per joint of the working layout.
pub type Joints17<T> = [T; super::JOINTS];

/// Standing height from bone lengths (as [`bone_lengths`] gives them), in their unit.
pub fn stature(lengths: &Joints17<f64>) -> f64 {
    use skeleton::{LEFT_KNEE, NECK, RIGHT_ANKLE, RIGHT_KNEE, SPINE, THORAX};
    let legs = [LEFT_KNEE, LEFT_ANKLE, RIGHT_KNEE, RIGHT_ANKLE].map(|j| lengths[j]);
    let trunk = [SPINE, THORAX, NECK, HEAD].map(|j| lengths[j]);
    STATURE_RATIO * (legs.iter().sum::<f64>() / 2.0 + trunk.iter().sum::<f64>())
}

/// Mean length of the shins, from [`bone_lengths`].
pub fn shin(lengths: &Joints17<f64>) -> f64 {
    ANKLES.map(|j| lengths[j]).iter().sum::<f64>() / 2.0
}

/// The `units` in which a body of `stature` file units is of human size, and how tall it is then, m.
pub fn human_sizes(stature: f64, units: &[Unit]) -> impl Iterator<Item = (Unit, f64)> {
    let sizes = units
        .iter()
        .map(move |unit| (*unit, stature * unit.metres()));
    sizes.filter(|(_, size)| STATURES.contains(size))
}

/// The one of `units` in which a body of `stature` file units is between 0.5 and 2.5 m tall, and
/// most likely, for a stature of 1.7 m, where several are.
///
/// # Errors
/// When none fits, or not the one that was asked for.
pub fn detect_unit(
    stature: f64,
    asked: Option<Unit>,
    units: &[Unit],
    origin: &str,
) -> Result<Unit> {
    let metres = |unit: Unit| stature * unit.metres();
    let unlikely = |(unit, size): &(Unit, f64)| {
        let is_metric = Unit::METRIC.contains(unit);
        (size / ADULT).ln().abs() + if is_metric { 0.0 } else { UNUSUAL }
    };
    let likely = human_sizes(stature, units).min_by(|a, b| unlikely(a).total_cmp(&unlikely(b)));
    let likely = likely.map(|(unit, _)| unit);
    match (asked, likely) {
        (Some(unit), _) if STATURES.contains(&metres(unit)) => Ok(unit),
        (Some(unit), likely) => {
            let found = format!("a subject {} m tall", significant(metres(unit)));
            let advice = match likely {
                Some(other) => format!("these look like {other}: try --units {other}"),
                None => "give joint positions of a person 0.5 to 2.5 m tall".to_string(),
            };
            Err(Error::input(origin, "stature", found, advice))
        }
        (None, Some(unit)) => Ok(unit),
        (None, None) => {
            let tall = |unit: &Unit| format!("{} m if in {unit}", significant(metres(*unit)));
            let all: Vec<String> = units.iter().map(tall).collect();
            let names: Vec<String> = units.iter().map(Unit::to_string).collect();
            let found = format!("a subject {}", all.join(", "));
            let advice = format!(
                "give joint positions of a person 0.5 to 2.5 m tall, in {}, or the unit's length \
                 in metres: --units 0.1",
                names.join(", ")
            );
            Err(Error::input(origin, "stature", found, advice))
        }
    }
}

/// `value` with three significant digits.
fn significant(value: f64) -> String {
    let digits = 2 - value.abs().max(1e-12).log10().floor() as i32;
    format!("{value:.*}", digits.max(0) as usize)
}

/// The axis along which the head is above the feet, on average over the clip; `None` when no axis
/// stands out (somebody lying on the floor).
pub fn detect_up(frames: &[Joints]) -> Option<Axis> {
    let upward = frames.iter().map(|joints| {
        let feet = (joints[ANKLES[0]] + joints[ANKLES[1]]) / 2.0;
        (joints[HEAD] - feet)
            .try_normalize(1e-12)
            .unwrap_or_default()
    });
    let mean = upward.sum::<Vector3<f64>>() / frames.len().max(1) as f64;
    let k = mean.iamax();
    let others = (mean.norm_squared() - mean[k] * mean[k]).max(0.0).sqrt();
    if mean[k].abs() < 0.4 || others > 0.8 * mean[k].abs() {
        return None;
    }
    Some(Axis::ALL[if mean[k] > 0.0 { k } else { k + 3 }])
}

/// For how many frames in a row, at most, the joints that are lowest along `up` do not carry the body, because the mean
/// of all joints is not over them; in flights they don't either. `stature` in units of `frames`.
pub fn longest_unsupported(frames: &[Joints], up: Axis, stature: f64) -> usize {
    let turned: Vec<Joints> = frames.iter().map(|p| p.map(|p| up.to_z_up(p))).collect();
    let lowest = |joints: &Joints| joints.iter().map(|p| p.z).fold(f64::INFINITY, f64::min);
    let floor = quantile(turned.iter().map(lowest).collect(), STANDING_QUANTILE);
    let is_unsupported = |joints: &Joints| {
        let near = joints.iter().filter(|p| p.z < floor + NEAR_FLOOR * stature);
        let near: Vec<_> = near.map(|p| p.xy()).collect();
        let center = joints.iter().map(|p| p.xy()).sum::<Vector2<f64>>() / joints.len() as f64;
        distance_from_hull(&center, &near) > OFF_BALANCE * stature
    };
    let unsupported: Vec<bool> = turned.iter().map(is_unsupported).collect();
    let runs = unsupported.chunk_by(|a, b| a == b).filter(|run| run[0]);
    runs.map(<[bool]>::len).max().unwrap_or(0)
}

/// Whether the knees bend backwards with respect to the hips: left and right are swapped, or the
/// axes are left-handed. `frames` in a z-up frame; false when the legs are too straight to tell.
pub fn looks_mirrored(frames: &[Joints]) -> bool {
    let (mut ahead, mut count) = (0.0, 0);
    for joints in frames {
        let forward = (joints[LEFT_HIP] - joints[RIGHT_HIP]).cross(&Vector3::z());
        let Some(forward) = forward.try_normalize(1e-9) else {
            continue;
        };
        for hip in [RIGHT_HIP, LEFT_HIP] {
            let [hip, knee, ankle] = [joints[hip], joints[hip + 1], joints[hip + 2]];
            let bend = knee - (hip + ankle) / 2.0;
            // A straight leg says nothing.
            if bend.norm() > 0.1 * (knee - hip).norm() {
                ahead += bend.normalize().dot(&forward);
                count += 1;
            }
        }
    }
    count > 0 && ahead / f64::from(count) < -0.3
}

#[cfg(test)]
mod tests;
