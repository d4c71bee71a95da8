//! `joints.npz`: joint positions under the names of retargeting and motion generation tools.
//!
//! T frames, SMPL-X's 22 joints (`joint_names`), m:
//!
//! | array | shape | what |
//! |---|---|---|
//! | `global_joint_positions` | (T, 22, 3) | z up, as OmniRetarget reads them |
//! | `height` | () | the subject's, m |
//! | `posed_joints` | (T, 22, 3) | y up, facing +z at first, as Kimodo writes them |
//! | `root_positions` | (T, 3) | the first of these |
//! | `global_rot_mats` | (T, 22, 3, 3) | rotations world ← joint, of the rest pose of SMPL, y up |
//! | `foot_contacts` | (T, 4) | left heel, left ball, right heel, right ball: 1 where they carry something |
//! | `fps` | () | frames per second |

use nalgebra::{Matrix3, Rotation3, Vector3};

use super::arrays::Arrays;
use super::feet::Foot;
use super::smpl::{Poses, list};
use super::{Recording, y_up};
use crate::error::Result;
use crate::motion::files::smpl::body::{NAMES, PARENTS, TURNS};

/// The recording as a compressed `.npz` file.
///
/// # Errors
/// [`Error::Internal`](crate::error::Error::Internal) when the archive cannot be assembled.
pub fn encode(recording: &Recording) -> Result<Vec<u8>> {
    let poses = Poses::of(recording);
    let joints: Vec<Vector3<f64>> = poses
        .joints()
        .iter()
        .flat_map(|joints| joints[..TURNS].to_vec())
        .collect();
    let frames = poses.turns.len();
    let shape = [frames, TURNS, 3];
    let upright: Vec<Vector3<f64>> = joints.iter().map(|joint| y_up(*joint)).collect();
    let roots: Vec<Vector3<f64>> = upright.iter().step_by(TURNS).copied().collect();
    let mut npz = Arrays::new("joints.npz");
    npz.add("global_joint_positions", &shape, &list(&joints))?;
    npz.number("height", recording.body.stature)?;
    npz.add("posed_joints", &shape, &list(&upright))?;
    npz.add("root_positions", &[frames, 3], &list(&roots))?;
    let rotations: Vec<f64> = poses.turns.iter().flat_map(rotations).collect();
    npz.add("global_rot_mats", &[frames, TURNS, 3, 3], &rotations)?;
    if let Some(contacts) = contacts(recording) {
        npz.add("foot_contacts", &[frames, 4], &contacts)?;
    }
    npz.number("fps", recording.trajectory.fps)?;
    npz.texts("joint_names", &NAMES[..TURNS])?;
    npz.finish()
}

/// Rotations of all joints in the y-up world, row by row.
fn rotations(turns: &[Vector3<f64>; TURNS]) -> Vec<f64> {
    let to_y_up = Matrix3::from_rows(&[
        Vector3::y().transpose(),
        Vector3::z().transpose(),
        Vector3::x().transpose(),
    ]);
    let mut world = [to_y_up; TURNS];
    for (joint, turn) in turns.iter().enumerate() {
        let parent = if joint == 0 {
            to_y_up
        } else {
            world[PARENTS[joint]]
        };
        world[joint] = parent * Rotation3::new(*turn).into_inner();
    }
    let rows = world.iter().flat_map(|m| m.transpose().as_slice().to_vec());
    rows.collect()
}

/// Which of left heel, left ball, right heel and right ball carry something, frame by frame.
fn contacts(recording: &Recording) -> Option<Vec<f64>> {
    let [right, left] = Foot::both(&recording.body)?;
    let frames = recording.trajectory.frames.iter();
    let touches = frames.flat_map(|frame| {
        let feet = [&left, &right].map(|foot| foot.touches(&recording.body, frame));
        feet.concat()
    });
    Some(touches.map(|touch| f64::from(u8::from(touch))).collect())
}
