//! The seconds in which the simulated body does not follow the observed one, and what went wrong before.

use std::fmt;

use serde::Serialize;

use crate::metrics::mean_distance;
use crate::reconstruction::Reconstruction;
use crate::simulation::GRAVITY;

/// Failed frames that are closer together than this are one failure, s.
const GAP: f64 = 0.5;

/// What went wrong is looked for from so long before a failure on, s: a body that loses its footing needs as long to
/// be a quarter of a metre off.
const BEFORE: f64 = 0.5;

/// A motor that gives more than this share of its limit has no more to give.
const SPENT: f64 = 0.98;

/// The share of the time from which on a cause counts.
const OFTEN: f64 = 0.3;

/// Vertical force, as a share of body weight, below which nothing holds a body up, and above which something does.
const HELD: [f64; 2] = [0.1, 0.5];

/// Seconds that are not followed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    /// The first failed frame, s from the first one.
    pub from_s: f64,
    /// The last one.
    pub to_s: f64,
    /// Mean joint error of its worst frame, mm; infinite where the simulation blew up.
    pub error_mm: f64,
    /// What went wrong.
    #[serde(flatten)]
    pub cause: Cause,
}

/// What went wrong before a failure.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// A joint had no more torque to give.
    Torque {
        /// What the joint is called.
        joint: String,
        /// Its limit, N·m.
        limit_nm: f64,
    },
    /// The observed body is held up by something that the simulated one has not got under it.
    Unsupported,
    /// None of these: the optimizer found no way.
    Search,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self {
            from_s,
            to_s,
            error_mm,
            cause,
        } = self;
        write!(
            f,
            "not followed from {from_s:.2} to {to_s:.2} s, up to {error_mm:.0} mm off: "
        )?;
        match cause {
            Cause::Torque { joint, limit_nm } => write!(
                f,
                "the {} was at its limit of {limit_nm:.0} N·m; a heavier subject (--mass) or a stronger --body has more",
                joint.replace('_', " ")
            ),
            Cause::Unsupported => write!(
                f,
                "something holds the observed body up there that the simulated one has not got; describe it \
                 (--scene, --supports FILE)"
            ),
            Cause::Search => write!(
                f,
                "no way was found; try more --evaluations, or another --start and --end"
            ),
        }
    }
}

/// The failures of `reconstruction`, in order.
pub fn failures(reconstruction: &Reconstruction) -> Vec<Failure> {
    let fps = reconstruction.trajectory.fps;
    let mut groups: Vec<[usize; 2]> = Vec::new();
    for frame in &reconstruction.failed_frames {
        match groups.last_mut() {
            Some([_, last]) if (frame - *last) as f64 <= GAP * fps => *last = *frame,
            _ => groups.push([*frame, *frame]),
        }
    }
    let failure = |[first, last]: [usize; 2]| {
        let before = first.saturating_sub((BEFORE * fps).round() as usize);
        let errors = (first..=last).map(|t| error_mm(reconstruction, t));
        Failure {
            from_s: first as f64 / fps,
            to_s: last as f64 / fps,
            error_mm: errors.fold(0.0, worse),
            cause: cause(reconstruction, before, first),
        }
    };
    groups.into_iter().map(failure).collect()
}

/// The larger of two errors, infinite where one is no number.
fn worse(a: f64, b: f64) -> f64 {
    match b.is_nan() {
        true => f64::INFINITY,
        false => a.max(b),
    }
}

/// Mean joint error of frame `t`, mm.
fn error_mm(reconstruction: &Reconstruction, t: usize) -> f64 {
    let links = &reconstruction.trajectory.frames[t].links;
    let simulated = reconstruction.body.marker_positions(links);
    1e3 * mean_distance(&simulated, &reconstruction.reference.joints[t])
}

/// What went wrong in the frames from `first` to `last`.
fn cause(reconstruction: &Reconstruction, first: usize, last: usize) -> Cause {
    let count = (last + 1 - first) as f64;
    let share =
        |holds: &dyn Fn(usize) -> bool| (first..=last).filter(|t| holds(*t)).count() as f64 / count;
    let is_falling = |t: usize| {
        simulated_support(reconstruction, t) < HELD[0]
            && observed_support(reconstruction, t).is_some_and(|support| support > HELD[1])
    };
    if share(&is_falling) > OFTEN {
        return Cause::Unsupported;
    }
    let frames = &reconstruction.trajectory.frames;
    let links = reconstruction.body.links.iter().enumerate().skip(1);
    let spent = links.map(|(i, link)| {
        let limit = link.joint.torque_limit;
        let is_spent = |t: usize| frames[t].torques[i].norm() > SPENT * limit;
        (share(&is_spent), link, limit)
    });
    match spent.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((share, link, limit)) if share > OFTEN => Cause::Torque {
            joint: (link.anatomy.as_ref())
                .map_or(&link.name, |anatomy| &anatomy.joint)
                .clone(),
            limit_nm: limit,
        },
        _ => Cause::Search,
    }
}

/// Vertical force on the simulated body in the frame before `t`, as a share of its weight.
fn simulated_support(reconstruction: &Reconstruction, t: usize) -> f64 {
    let contacts = &reconstruction.trajectory.frames[t].contacts;
    let force: f64 = contacts.iter().map(|contact| contact.force.z).sum();
    force / (reconstruction.body.mass() * GRAVITY)
}

/// Vertical force that the reference poses imply at `t`, from how their centre of mass moves over 0.1 s before and
/// after, as a share of the weight.
fn observed_support(reconstruction: &Reconstruction, t: usize) -> Option<f64> {
    let fps = reconstruction.trajectory.fps;
    let step = (0.1 * fps).round().max(1.0) as usize;
    let height = |t: usize| {
        let pose = reconstruction.poses.get(t)?;
        let body = &reconstruction.body;
        Some(body.mass_center(&body.forward_kinematics(pose)).z)
    };
    let [before, here, after] = [height(t.checked_sub(step)?)?, height(t)?, height(t + step)?];
    let seconds = step as f64 / fps;
    Some(1.0 + (before - 2.0 * here + after) / (seconds * seconds) / GRAVITY)
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::*;
    use crate::body::{Subject, fit, reference_poses};
    use crate::motion::sample;
    use crate::simulation::{Contact, Frame, Trajectory};

    /// A walk followed to the letter, with the body's weight on the right foot, that fails in frames 40 to 50.
    fn failed() -> Reconstruction {
        let motion = sample("walk").unwrap();
        let body = fit(&motion, &Subject::default()).unwrap();
        let poses = reference_poses(&body, &motion).unwrap();
        let links = body.links.len();
        let foot = body
            .links
            .iter()
            .position(|link| link.name == "right_foot")
            .unwrap();
        let weight = Contact {
            link: foot,
            point: Vector3::zeros(),
            force: Vector3::new(0.0, 0.0, body.mass() * GRAVITY),
            normal: Vector3::new(0.0, 0.0, body.mass() * GRAVITY),
            free_moment: 0.0,
        };
        let frames = poses.iter().map(|pose| Frame {
            links: body.forward_kinematics(pose),
            torques: vec![Vector3::zeros(); links],
            contacts: vec![weight],
            ..Frame::default()
        });
        Reconstruction {
            trajectory: Trajectory {
                fps: motion.fps,
                frames: frames.collect(),
                ..Trajectory::default()
            },
            reference: motion,
            poses,
            body,
            kinematic_error_mm: 0.0,
            curve: Vec::new(),
            windows: Vec::new(),
            evaluations: 0,
            failed_frames: (40..=50).collect(),
        }
    }

    #[test]
    fn a_failure_tells_its_seconds_and_what_was_missing() {
        let mut run = failed();
        for frame in &mut run.trajectory.frames[40..=50] {
            for link in &mut frame.links {
                link.translation.x += 0.3;
            }
        }
        let [failure] = &failures(&run)[..] else {
            panic!()
        };
        assert_eq!((failure.from_s, failure.to_s), (0.8, 1.0));
        assert!((failure.error_mm - 300.0).abs() < 20.0, "{failure}");
        assert_eq!(failure.cause, Cause::Search);

        let mut weak = run.clone();
        let knee = weak
            .body
            .links
            .iter()
            .position(|link| link.name == "left_shin")
            .unwrap();
        for frame in &mut weak.trajectory.frames[25..40] {
            frame.torques[knee].y = weak.body.links[knee].joint.torque_limit;
        }
        let told = failures(&weak)[0].to_string();
        assert!(told.contains("left knee was at its limit"), "{told}");

        for frame in &mut run.trajectory.frames[25..40] {
            frame.contacts.clear();
        }
        assert_eq!(failures(&run)[0].cause, Cause::Unsupported);
    }

    #[test]
    fn failures_far_apart_are_told_apart() {
        let mut run = failed();
        run.failed_frames = vec![10, 11, 30, 100];
        let seconds: Vec<_> = failures(&run)
            .iter()
            .map(|found| [found.from_s, found.to_s])
            .collect();
        assert_eq!(seconds, [[0.2, 0.6], [2.0, 2.0]]);
        run.failed_frames.clear();
        assert_eq!(failures(&run), []);
    }
}
