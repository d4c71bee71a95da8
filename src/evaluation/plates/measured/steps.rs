//! Which foot stands on which plate, and when the plates measure its whole load.

use std::ops::Range;

use nalgebra::Vector3;

use super::ForcePlates;
use super::plate::{LOADED, Plate};
use crate::evaluation::plates::Observed;
use crate::motion::skeleton::{LEFT_ANKLE, RIGHT_ANKLE};
use crate::motion::{Joints, quantile};
use crate::reconstruction::Reconstruction;

/// The shortest contact with a plate, s.
const SHORTEST: f64 = 0.05;

/// The farthest that a foot is from the centre of its pressure, m.
const NEAR: f64 = 0.15;

/// The part of a contact in which the foot has to be on the plate, and how far it may reach over the edge, m.
const FLAT: [f64; 2] = [0.25, 0.6];
/// The same.
const OVER: f64 = 0.02;

/// Height over its lowest, m, or horizontal speed, m/s, of both ends of a foot that is in the air.
const AIR: (f64, f64) = (0.04, 1.0);

/// So long after it left the ground and before it comes down a foot may still touch it, s.
const EDGES: [f64; 2] = [0.04, 0.02];

/// Time around a contact in which the foot is on the plate or beside it in the air, s.
const AROUND: f64 = 0.1;

/// Where the feet are.
#[derive(Clone, Debug, PartialEq)]
pub struct Feet {
    /// Frames per second, Hz.
    pub fps: f64,
    /// Time of the first frame, s from that of the motion's file.
    pub offset: f64,
    /// Heel and ball of the feet `[right, left]`, frame by frame, m.
    pub soles: Vec<[[Vector3<f64>; 2]; 2]>,
}

impl Feet {
    /// The feet of the observed motion of `run`, which begins `offset` s after the first frame of the motion's file. Of a
    /// body whose feet have no heel and ball, the ankles.
    pub fn of(run: &Reconstruction, offset: f64) -> Self {
        let observed = Observed::of(run).map(|observed| observed.soles);
        let ankles = |joints: &Joints| [RIGHT_ANKLE, LEFT_ANKLE].map(|ankle| [joints[ankle]; 2]);
        Self {
            fps: run.reference.fps,
            offset,
            soles: observed.unwrap_or_else(|| run.reference.joints.iter().map(ankles).collect()),
        }
    }

    /// The number of the frame next to `time`; none where there is no motion.
    fn frame(&self, time: f64) -> Option<usize> {
        let frame = ((time - self.offset) * self.fps).round();
        (frame >= 0.0 && frame < self.soles.len() as f64).then_some(frame as usize)
    }

    /// Whether `foot` is surely in the air, frame by frame.
    fn in_air(&self, foot: usize) -> Vec<bool> {
        let count = self.soles.len();
        let lowest = [0, 1].map(|end| {
            let heights = self.soles.iter().map(|soles| soles[foot][end].z);
            quantile(heights.collect(), 0.02)
        });
        let is_off = |t: usize, end: usize| {
            let (before, after) = (t.saturating_sub(1), (t + 1).min(count - 1));
            let way = self.soles[after][foot][end] - self.soles[before][foot][end];
            let speed = way.xy().norm() * self.fps / (after - before).max(1) as f64;
            self.soles[t][foot][end].z > lowest[end] + AIR.0 || speed > AIR.1
        };
        let off: Vec<bool> = (0..count).map(|t| is_off(t, 0) && is_off(t, 1)).collect();
        let mut air = vec![false; count];
        let [after, before] = EDGES.map(|edge| (edge * self.fps).ceil() as usize);
        for run in runs(&off) {
            let from = if run.start > 0 { run.start + after } else { 0 };
            let to = if run.end < count {
                run.end.saturating_sub(before)
            } else {
                count
            };
            air[from.min(to)..to].fill(true);
        }
        air
    }
}

/// A plate that is loaded from one sample to another, and the foot on it.
struct Contact {
    samples: Range<usize>,
    foot: Option<usize>,
    /// Whether the foot's whole load is on this plate, and nothing else.
    is_clean: bool,
}

/// The forces of `plates`, in the world, on `feet`; `time` in s from the first frame of the motion's file.
pub fn on_feet(origin: String, time: Vec<f64>, plates: &[Plate], feet: &Feet) -> ForcePlates {
    let contacts: Vec<Vec<Contact>> = plates
        .iter()
        .map(|plate| contacts(plate, &time, feet))
        .collect();
    let mut force = vec![[Vector3::zeros(); 2]; time.len()];
    let mut moment = force.clone();
    for (plate, contacts) in plates.iter().zip(&contacts) {
        for contact in contacts {
            let Some(foot) = contact.foot else { continue };
            for i in contact.samples.clone() {
                force[i][foot] += plate.force[i];
                moment[i][foot] += plate.force[i].z * plate.center[i].unwrap_or_default();
            }
        }
    }
    let contacts: Vec<&Contact> = contacts.iter().flatten().collect();
    let valid = [0, 1].map(|foot| valid(&time, &contacts, feet, foot));
    let center = |i: usize, foot: usize| {
        let load = force[i][foot].z;
        (load > LOADED).then(|| moment[i][foot] / load)
    };
    ForcePlates {
        center: (0..time.len())
            .map(|i| [center(i, 0), center(i, 1)])
            .collect(),
        valid: (0..time.len())
            .map(|i| [valid[0][i], valid[1][i]])
            .collect(),
        origin,
        time,
        force,
    }
}

/// The contacts with a plate.
fn contacts(plate: &Plate, time: &[f64], feet: &Feet) -> Vec<Contact> {
    let loaded: Vec<bool> = plate.force.iter().map(|force| force.z > LOADED).collect();
    let all = runs(&loaded).into_iter();
    let long = all.filter(|run| time[run.end - 1] - time[run.start] >= SHORTEST);
    long.map(|samples| {
        let distances = [0, 1].map(|foot| distance(plate, time, feet, &samples, foot));
        let nearer = usize::from(distances[1] < distances[0]);
        let near = (distances[nearer] < NEAR).then_some(nearer);
        let foot = plate.foot.or(near);
        let is_alone = |foot: usize| {
            plate.corners.is_none()
                || stands_on(plate, time, feet, &samples, foot)
                    && !shares(plate, time, feet, &samples, 1 - foot)
        };
        Contact {
            is_clean: foot.is_some_and(is_alone),
            samples,
            foot,
        }
    })
    .collect()
}

/// The median distance of `foot`, seen from above, from the centre of pressure, m.
fn distance(plate: &Plate, time: &[f64], feet: &Feet, samples: &Range<usize>, foot: usize) -> f64 {
    let distances = samples.clone().filter_map(|i| {
        let [heel, ball] = feet.soles[feet.frame(time[i])?][foot];
        let (way, to) = ((ball - heel).xy(), (plate.center[i]? - heel).xy());
        let share = (to.dot(&way) / way.norm_squared()).clamp(0.0, 1.0);
        let share = if share.is_finite() { share } else { 0.0 };
        Some((to - share * way).norm())
    });
    let distances: Vec<f64> = distances.collect();
    match distances.is_empty() {
        true => f64::INFINITY,
        false => quantile(distances, 0.5),
    }
}

/// Whether heel and ball of `foot` are on the plate in the middle of a contact.
fn stands_on(
    plate: &Plate,
    time: &[f64],
    feet: &Feet,
    samples: &Range<usize>,
    foot: usize,
) -> bool {
    let [from, to] = FLAT.map(|share| samples.start + (share * samples.len() as f64) as usize);
    let mut frames = time[from..to.max(from + 1)]
        .iter()
        .filter_map(|time| feet.frame(*time))
        .peekable();
    let is_seen = frames.peek().is_some();
    is_seen && frames.all(|t| feet.soles[t][foot].iter().all(|end| plate.holds(end, OVER)))
}

/// Whether `foot` stands on the plate, too, for some part of a contact.
fn shares(plate: &Plate, time: &[f64], feet: &Feet, samples: &Range<usize>, foot: usize) -> bool {
    let air = feet.in_air(foot);
    let mut frames = time[samples.clone()]
        .iter()
        .filter_map(|time| feet.frame(*time));
    frames.any(|t| !air[t] && feet.soles[t][foot].iter().any(|end| plate.holds(end, 0.0)))
}

/// The samples in which the plates measure the whole load of `foot`: its clean contacts, a moment around them, and the
/// time in the air beside them.
fn valid(time: &[f64], contacts: &[&Contact], feet: &Feet, foot: usize) -> Vec<bool> {
    let own = |contact: &&&Contact| contact.foot.is_none_or(|own| own == foot);
    let (mut clean, mut spoiled) = (vec![false; time.len()], vec![false; time.len()]);
    for contact in contacts.iter().filter(own) {
        let mask = if contact.is_clean {
            &mut clean
        } else {
            &mut spoiled
        };
        mask[contact.samples.clone()].fill(true);
    }
    let air = feet.in_air(foot);
    let mut valid: Vec<bool> = time
        .iter()
        .map(|time| feet.frame(*time).is_some_and(|t| air[t]))
        .collect();
    for run in runs(&clean) {
        let from = time.partition_point(|t| *t < time[run.start] - AROUND);
        let to = time.partition_point(|t| *t <= time[run.end - 1] + AROUND);
        valid[from..to].fill(true);
    }
    valid
        .iter_mut()
        .zip(&spoiled)
        .for_each(|(valid, spoiled)| *valid &= !spoiled);
    for run in runs(&valid) {
        if !clean[run.clone()].contains(&true) {
            valid[run].fill(false);
        }
    }
    valid
}

/// The ranges in which `mask` is true.
fn runs(mask: &[bool]) -> Vec<Range<usize>> {
    let mut end = 0;
    let parts = mask.chunk_by(|a, b| a == b).map(|part| {
        end += part.len();
        (part[0], end - part.len()..end)
    });
    parts
        .filter(|(is_true, _)| *is_true)
        .map(|(_, range)| range)
        .collect()
}
