//! Exported files: glTF for viewers, NumPy arrays and CSV for analysis, BVH for animation tools, a
//! moving picture, and a self-contained HTML report.
//!
//! Inside, the world is z-up with x forward and y left. glTF and BVH are written y-up with z
//! forward and x left: (x, y, z) here is (y, z, x) there.

use nalgebra::{Isometry3, UnitQuaternion, Vector3};

use crate::body::{Body, Pose};
use crate::error::{Error, Result};
use crate::motion::Joints;
use crate::simulation::{Frame, Trajectory};

mod arrays;
pub mod bvh;
pub mod csv;
mod document;
pub mod feet;
pub mod forces;
pub mod gif;
pub mod glb;
pub mod joints;
pub mod kinematic;
mod mesh;
pub mod mjcf;
pub mod moments;
pub mod mot;
pub mod npz;
mod render;
pub mod report;
pub mod smpl;
pub mod trc;

/// What every exported file is made of: a simulated motion and what it follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The body that was simulated.
    pub body: Body,
    /// What it did.
    pub trajectory: Trajectory,
    /// The observed joints, one entry per frame of the trajectory; empty when unknown.
    pub reference: Vec<Joints>,
}

impl Recording {
    /// Checks that all frames fit the body and are finite.
    ///
    /// # Errors
    /// [`Error::Internal`] naming the first frame that does not.
    pub fn new(body: Body, trajectory: Trajectory, reference: Vec<Joints>) -> Result<Self> {
        if trajectory.frames.is_empty() {
            return Err(Error::Internal("a trajectory without frames".into()));
        }
        let misfit = trajectory
            .frames
            .iter()
            .position(|frame| !fits(&body, frame));
        if let Some(t) = misfit {
            return Err(Error::Internal(format!(
                "frame {t} does not fit the body or is not finite"
            )));
        }
        if !reference.is_empty() && reference.len() != trajectory.frames.len() {
            let (ours, theirs) = (trajectory.frames.len(), reference.len());
            return Err(Error::Internal(format!(
                "{ours} simulated but {theirs} observed frames"
            )));
        }
        Ok(Self {
            body,
            trajectory,
            reference,
        })
    }

    /// The simulated positions of the 17 joints, frame by frame.
    pub fn joints(&self) -> Vec<Joints> {
        let frames = self.trajectory.frames.iter();
        frames
            .map(|frame| self.body.marker_positions(&frame.links))
            .collect()
    }
}

fn fits(body: &Body, frame: &Frame) -> bool {
    let links = body.links.len();
    let (moves, turns) = (frame.links.len(), frame.targets.len());
    [moves, turns, frame.torques.len(), frame.moments.len()] == [links; 4]
        && frame
            .links
            .iter()
            .all(|pose| pose.to_homogeneous().iter().all(|v| v.is_finite()))
        && frame.contacts.iter().all(|contact| contact.link < links)
}

/// The generalized coordinates of a simulated frame: the root's pose and the joints' rotations.
///
/// The tiny gaps that the solver leaves open at the joints are dropped.
fn pose(body: &Body, frame: &Frame) -> Pose {
    let rotations = body.links.iter().zip(&frame.links);
    Pose {
        root: frame
            .links
            .first()
            .copied()
            .unwrap_or_else(Isometry3::identity),
        rotations: rotations
            .map(|(link, world)| match link.parent {
                None => UnitQuaternion::identity(),
                Some(parent) => frame.links[parent].rotation.inverse() * world.rotation,
            })
            .collect(),
    }
}

/// The side of the body that a link is named after: "right", "left" or else "trunk".
fn side(link: &str) -> &'static str {
    ["right", "left"]
        .into_iter()
        .find(|side| link.starts_with(side))
        .unwrap_or("trunk")
}

/// A vector of the z-up world in the y-up world of glTF and BVH.
fn y_up(v: Vector3<f64>) -> Vector3<f64> {
    Vector3::new(v.y, v.z, v.x)
}

/// A small body and motion that the tests of all formats share.
#[cfg(test)]
pub(crate) mod fixture {
    use super::*;
    use crate::body::{Geometry, JointModel, Link, Marker, Shape, Side};
    use crate::simulation::Contact;

    fn link(name: &str, parent: Option<usize>, offset: [f64; 3], end: [f64; 3]) -> Link {
        let end = Vector3::from(end);
        let geometry = if name.ends_with("foot") {
            Geometry::RoundBox {
                center: end / 2.0,
                half_extents: Vector3::new(0.12, 0.05, 0.03),
                rotation: UnitQuaternion::from_euler_angles(0.0, 0.1, 0.0),
                radius: 0.02,
            }
        } else {
            Geometry::Capsule {
                a: Vector3::zeros(),
                b: end,
                radius: 0.06,
            }
        };
        Link {
            name: name.into(),
            parent,
            offset: offset.into(),
            mass: 5.0,
            center_of_mass: end / 2.0,
            inertia: Vector3::repeat(0.1),
            shapes: vec![Shape {
                geometry,
                collides: name.ends_with("foot"),
            }],
            foot: match name {
                "right_foot" => Some(Side::Right),
                "left_foot" => Some(Side::Left),
                _ => None,
            },
            anatomy: None,
            joint: JointModel {
                stiffness: 300.0,
                damping: 30.0,
                torque_limit: 200.0,
                limits: [[-1.5, 1.5]; 3],
                controlled: [true; 3],
            },
        }
    }

    pub(crate) fn body() -> Body {
        let links = vec![
            link("pelvis", None, [0.0; 3], [0.0, 0.0, 0.1]),
            link("trunk", Some(0), [0.0, 0.0, 0.1], [0.0, 0.0, 0.5]),
            link("right_leg", Some(0), [0.0, -0.1, 0.0], [0.0, 0.0, -0.9]),
            link("right_foot", Some(2), [0.0, 0.0, -0.9], [0.1, 0.0, -0.05]),
            link("left_leg", Some(0), [0.0, 0.1, 0.0], [0.0, 0.0, -0.9]),
            link("left_foot", Some(4), [0.0, 0.0, -0.9], [0.1, 0.0, -0.05]),
        ];
        let markers = std::array::from_fn(|j| Marker {
            link: j % links.len(),
            position: Vector3::new(0.01 * j as f64, 0.02, -0.03 * j as f64),
        });
        Body {
            links,
            markers,
            stature: 1.7,
        }
    }

    /// A sample as its reference poses have it.
    pub(crate) fn moving(name: &str) -> Recording {
        posed(name, |_| {})
    }

    /// A sample whose upper arms, thighs and head are turned about themselves besides, by 30 to 40°.
    pub(crate) fn turned(name: &str) -> Recording {
        let turns = [
            ("head", Vector3::z() * 0.7),
            ("right_thigh", Vector3::z() * 0.5),
            ("left_thigh", Vector3::z() * -0.5),
            ("left_upper_arm", Vector3::y() * 0.6),
            ("right_upper_arm", Vector3::y() * -0.6),
        ];
        posed(name, |(body, pose)| {
            for (name, turn) in turns {
                let link = body
                    .links
                    .iter()
                    .position(|link| link.name == name)
                    .unwrap();
                pose.rotations[link] *= UnitQuaternion::new(turn);
            }
        })
    }

    /// A sample as its reference poses have it once each has been changed.
    fn posed(name: &str, change: impl Fn((&Body, &mut Pose))) -> Recording {
        let motion = crate::motion::sample(name).unwrap();
        let body = crate::body::fit(&motion, &crate::body::Subject::default()).unwrap();
        let mut poses = crate::body::reference_poses(&body, &motion).unwrap();
        poses.iter_mut().for_each(|pose| change((&body, pose)));
        let frame = |pose: &Pose| Frame {
            links: body.forward_kinematics(pose),
            targets: pose.rotations.clone(),
            torques: vec![Vector3::zeros(); body.links.len()],
            moments: vec![Vector3::zeros(); body.links.len()],
            ..Frame::default()
        };
        let frames = poses.iter().map(frame).collect();
        let fps = motion.fps;
        Recording::new(
            body,
            Trajectory {
                fps,
                frames,
                ..Trajectory::default()
            },
            Vec::new(),
        )
        .unwrap()
    }

    /// Five frames at 50 fps of a body that moves forward, turns and bends every joint.
    pub(crate) fn recording() -> Recording {
        let body = body();
        let frames: Vec<Frame> = (0..5).map(|t| frame(&body, f64::from(t))).collect();
        let offset = Vector3::new(0.01, -0.02, 0.0);
        let reference = frames
            .iter()
            .map(|frame| {
                body.marker_positions(&frame.links)
                    .map(|joint| joint + offset)
            })
            .collect();
        Recording::new(
            body,
            Trajectory {
                fps: 50.0,
                frames,
                ..Trajectory::default()
            },
            reference,
        )
        .unwrap()
    }

    fn frame(body: &Body, t: f64) -> Frame {
        let rotations: Vec<UnitQuaternion<f64>> = (0..body.links.len())
            .map(|l| match l {
                0 => UnitQuaternion::identity(),
                _ => UnitQuaternion::new(Vector3::new(0.2, -0.3, 0.1) * (t + l as f64)),
            })
            .collect();
        let root = Isometry3::new(
            Vector3::new(0.02 * t, 0.1, 1.0),
            Vector3::new(0.1, 0.2, 1.5 * t),
        );
        let links = body.forward_kinematics(&Pose {
            root,
            rotations: rotations.clone(),
        });
        Frame {
            torques: (0..links.len())
                .map(|l| Vector3::new(l as f64, t, -1.0))
                .collect(),
            moments: (0..links.len())
                .map(|l| Vector3::new(l as f64, 1.0, 2.0 * t))
                .collect(),
            contacts: vec![Contact {
                free_moment: 4.0,
                ..Contact::at(
                    3,
                    Vector3::new(0.1 * t, -0.1, 0.0),
                    Vector3::z() * (300.0 + t),
                    Vector3::new(1.0, 2.0, 0.0),
                )
            }],
            steps: Vec::new(),
            targets: rotations,
            links,
        }
    }
}

#[cfg(test)]
mod tests;
