//! Stand-in that follows the joints kinematically; replaced by the physical reconstruction.

use std::ops::ControlFlow;

use nalgebra::{Isometry3, UnitQuaternion, Vector3};
use serde::{Deserialize, Serialize};

use crate::body::{Body, Geometry, JointModel, Link, Marker, Shape};
use crate::error::{Error, Result};
use crate::motion::skeleton::{NAMES, PARENTS};
use crate::motion::{JOINTS, Motion, resample};
use crate::simulation::{Contact, Frame, Trajectory};

/// All knobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Working frame rate, Hz.
    pub fps: f64,
    /// Evaluations per window.
    pub evaluations: usize,
    /// Body mass, kg.
    pub mass: Option<f64>,
    /// Standing height, m.
    pub stature: Option<f64>,
    /// Seed.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fps: 50.0,
            evaluations: 20,
            mass: None,
            stature: None,
            seed: 0,
        }
    }
}

/// What the observer sees.
pub struct Progress<'a> {
    /// Window, from 0.
    pub window: usize,
    /// Number of windows.
    pub windows: usize,
    /// Frames done.
    pub frame: usize,
    /// Frames in all.
    pub frames: usize,
    /// Evaluations so far.
    pub evaluations: usize,
    /// Loss of the current window.
    pub loss: f64,
    /// MPJPE-G so far, mm.
    pub mpjpe_mm: f64,
    /// News.
    pub message: Option<&'a str>,
}

/// One evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvePoint {
    /// Window, from 0.
    pub window: usize,
    /// Evaluation, from 1.
    pub evaluation: usize,
    /// Loss.
    pub loss: f64,
    /// Seconds since the start.
    pub seconds: f64,
}

/// How a window went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WindowReport {
    /// First frame.
    pub first_frame: usize,
    /// Frames.
    pub frames: usize,
    /// Attempts.
    pub attempts: usize,
    /// Evaluations.
    pub evaluations: usize,
    /// Final loss.
    pub loss: f64,
    /// Its terms.
    pub terms: Vec<(String, f64)>,
    /// Whether it ended badly.
    pub failed: bool,
}

/// The result.
#[derive(Clone, Debug, PartialEq)]
pub struct Reconstruction {
    /// The scaled body.
    pub body: Body,
    /// The observed motion at the working rate.
    pub reference: Motion,
    /// Fit of the inverse kinematics, mm.
    pub kinematic_error_mm: f64,
    /// The simulated motion.
    pub trajectory: Trajectory,
    /// Loss by evaluation.
    pub curve: Vec<CurvePoint>,
    /// Windows.
    pub windows: Vec<WindowReport>,
    /// Evaluations in all.
    pub evaluations: usize,
    /// Frames that failed.
    pub failed_frames: Vec<usize>,
}

/// Follows the joints.
///
/// # Errors
/// When interrupted, or the optimizer is unknown.
pub fn reconstruct(
    motion: &Motion,
    settings: &Settings,
    optimizer: &str,
    observer: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Reconstruction> {
    if !["lm", "adam"].contains(&optimizer)
        && crate::optim::by_name(optimizer, &Default::default()).is_err()
    {
        let advice = "choose one of lm, adam";
        return Err(Error::input("optimizer", "name", optimizer, advice));
    }
    let reference = resample(motion, settings.fps);
    let body = body(&reference);
    let mut curve = Vec::new();
    let mut frames = Vec::new();
    for t in 0..reference.len() {
        if std::env::var_os("MOTIONFIT_STANDIN_SLOW").is_some() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let progress = Progress {
            window: t / 15,
            windows: reference.len() / 15 + 1,
            frame: t,
            frames: reference.len(),
            evaluations: t,
            loss: 1.0 / (t % 15 + 1) as f64,
            mpjpe_mm: 1.0,
            message: None,
        };
        if observer(&progress).is_break() {
            return Err(Error::Interrupted);
        }
        curve.push(CurvePoint {
            window: t / 15,
            evaluation: t % 15 + 1,
            loss: progress.loss,
            seconds: 0.01 * t as f64,
        });
        frames.push(frame(&body, &reference, t));
    }
    let windows = vec![WindowReport {
        first_frame: 0,
        frames: frames.len(),
        attempts: 1,
        evaluations: curve.len(),
        loss: 0.5,
        terms: vec![("position".into(), 0.4), ("torque".into(), 0.1)],
        failed: false,
    }];
    Ok(Reconstruction {
        body,
        evaluations: curve.len(),
        reference,
        kinematic_error_mm: 0.0,
        trajectory: Trajectory {
            fps: settings.fps,
            frames,
        },
        curve,
        windows,
        failed_frames: vec![],
    })
}

fn body(motion: &Motion) -> Body {
    let rest = &motion.joints[0];
    let links = (0..JOINTS)
        .map(|j| {
            let child = (0..JOINTS).find(|&c| PARENTS[c] == Some(j));
            let end = child.map_or(Vector3::new(0.1, 0.0, -0.03), |c| rest[c] - rest[j]);
            Link {
                name: NAMES[j].into(),
                parent: PARENTS[j],
                offset: PARENTS[j].map_or(Vector3::zeros(), |p| rest[j] - rest[p]),
                mass: 4.0,
                center_of_mass: end / 2.0,
                inertia: Vector3::repeat(0.1),
                shapes: vec![Shape {
                    geometry: Geometry::Capsule {
                        a: Vector3::zeros(),
                        b: end,
                        radius: 0.05,
                    },
                    collides: NAMES[j].ends_with("ankle"),
                }],
                joint: JointModel {
                    stiffness: 300.0,
                    damping: 30.0,
                    torque_limit: 200.0,
                    limits: [[-1.5, 1.5]; 3],
                    controlled: [true; 3],
                },
            }
        })
        .collect();
    let markers = std::array::from_fn(|j| Marker {
        link: j,
        position: Vector3::zeros(),
    });
    Body {
        links,
        markers,
        stature: 1.75,
    }
}

fn frame(body: &Body, motion: &Motion, t: usize) -> Frame {
    let joints = &motion.joints[t];
    let rest = &motion.joints[0];
    let links: Vec<Isometry3<f64>> = (0..JOINTS)
        .map(|j| {
            let child = (0..JOINTS).find(|&c| PARENTS[c] == Some(j));
            let rotation = child
                .and_then(|c| {
                    UnitQuaternion::rotation_between(&(rest[c] - rest[j]), &(joints[c] - joints[j]))
                })
                .unwrap_or_default();
            Isometry3::from_parts(joints[j].into(), rotation)
        })
        .collect();
    let contacts = [3, 6]
        .iter()
        .filter(|&&j| joints[j].z < 0.12)
        .map(|&link| Contact {
            link,
            point: Vector3::new(joints[link].x, joints[link].y, 0.0),
            force: Vector3::new(0.0, 0.0, 350.0),
        })
        .collect();
    Frame {
        targets: vec![UnitQuaternion::identity(); body.links.len()],
        torques: vec![Vector3::zeros(); body.links.len()],
        contacts,
        links,
    }
}
