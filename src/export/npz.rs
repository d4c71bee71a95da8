//! `motion.npz`: everything that was simulated as NumPy arrays, and reading it back.
//!
//! T frames, L links in the order of `body.json`, world frame z-up, SI units, quaternions
//! `[x, y, z, w]`:
//!
//! | array | shape | what |
//! |---|---|---|
//! | `fps` | () | frames per second |
//! | `joints` | (T, 17, 3) | simulated joint positions, m |
//! | `reference_joints` | (T, 17, 3) | observed joint positions, m (absent when unknown) |
//! | `links` | (T, L, 7) | link poses: position of the joint to the parent, m, and rotation world ← link |
//! | `targets` | (T, L, 4) | PD targets, rotation parent ← link |
//! | `torques` | (T, L, 3) | motor torque on a link from its parent, world frame, N·m |
//! | `contact_forces` | (T, 2, 3) | ground reaction on the right and the left foot, N |
//! | `contact_points` | (T, 2, 3) | its centre of pressure, m; NaN in the air |
//! | `link_contact_forces` | (T, L, 3) | the same for every link |
//! | `link_contact_points` | (T, L, 3) | |
//! | `parents` | (L,) | index of the parent link; −1 for the root |

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use nalgebra::{Isometry3, Quaternion, Translation3, UnitQuaternion, Vector3};
use ndarray::{Array1, Array3, ArrayView1, Dimension, OwnedRepr, arr0, s};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpzError, WritableElement, WriteNpzError};

use super::Recording;
use crate::body::Body;
use crate::error::{Error, Result};
use crate::motion::{JOINTS, Joints};
use crate::simulation::{Contact, Frame, Trajectory};

/// The recording as a compressed `.npz` file.
///
/// # Errors
/// [`Error::Internal`] when the archive cannot be assembled.
pub fn encode(recording: &Recording) -> Result<Vec<u8>> {
    write(recording).map_err(|e| Error::Internal(format!("motion.npz: {e}")))
}

fn write(recording: &Recording) -> std::result::Result<Vec<u8>, WriteNpzError> {
    let Recording {
        body,
        trajectory,
        reference,
    } = recording;
    let frames = &trajectory.frames;
    let links = body.links.len();
    let mut npz = NpzWriter::new_compressed(Cursor::new(Vec::new()));
    npz.add_array("fps", &arr0(trajectory.fps))?;
    npz.add_array("joints", &joint_array(&recording.joints()))?;
    if !reference.is_empty() {
        npz.add_array("reference_joints", &joint_array(reference))?;
    }
    let per_link = |width: usize, row: &dyn Fn(&Frame, usize) -> Vec<f64>| {
        array(frames.len(), links, width, |t, l| row(&frames[t], l))
    };
    add(
        &mut npz,
        "links",
        &per_link(7, &|frame, l| {
            let pose = frame.links[l];
            pose.translation
                .vector
                .iter()
                .chain(pose.rotation.coords.iter())
                .copied()
                .collect()
        }),
    )?;
    add(
        &mut npz,
        "targets",
        &per_link(4, &|frame, l| frame.targets[l].coords.as_slice().to_vec()),
    )?;
    add(
        &mut npz,
        "torques",
        &per_link(3, &|frame, l| frame.torques[l].as_slice().to_vec()),
    )?;
    let on_foot = |t: usize, side: usize| ground_reactions(body, &frames[t])[side];
    let rows = |f: &dyn Fn(usize, usize) -> Vector3<f64>, width| {
        array(frames.len(), width, 3, |t, i| f(t, i).as_slice().to_vec())
    };
    add(
        &mut npz,
        "contact_forces",
        &rows(&|t, side| on_foot(t, side).0, 2),
    )?;
    add(
        &mut npz,
        "contact_points",
        &rows(&|t, side| on_foot(t, side).1, 2),
    )?;
    let on_link = |t: usize, l: usize| {
        total(
            frames[t]
                .contacts
                .iter()
                .filter(|contact| contact.link == l),
        )
    };
    add(
        &mut npz,
        "link_contact_forces",
        &rows(&|t, l| on_link(t, l).0, links),
    )?;
    add(
        &mut npz,
        "link_contact_points",
        &rows(&|t, l| on_link(t, l).1, links),
    )?;
    let parents = body
        .links
        .iter()
        .map(|link| link.parent.map_or(-1, |parent| parent as i64));
    npz.add_array("parents", &Array1::from_iter(parents))?;
    Ok(npz.finish()?.into_inner())
}

fn add<T: WritableElement, D: Dimension>(
    npz: &mut NpzWriter<Cursor<Vec<u8>>>,
    name: &str,
    array: &ndarray::Array<T, D>,
) -> std::result::Result<(), WriteNpzError> {
    npz.add_array(name, array)
}

/// Force of the ground on the right and on the left foot, N, and its centre of pressure, m.
///
/// A foot is every link named after its side that can touch the ground.
pub(super) fn ground_reactions(body: &Body, frame: &Frame) -> [(Vector3<f64>, Vector3<f64>); 2] {
    ["right", "left"].map(|side| {
        total(frame.contacts.iter().filter(|contact| {
            let link = &body.links[contact.link];
            link.name.starts_with(side) && link.shapes.iter().any(|shape| shape.collides)
        }))
    })
}

/// The sum of the forces and their centre, weighted by the vertical force; NaN without a force.
fn total<'a>(contacts: impl Iterator<Item = &'a Contact>) -> (Vector3<f64>, Vector3<f64>) {
    let (mut force, mut moment) = (Vector3::zeros(), Vector3::zeros());
    for contact in contacts {
        force += contact.force;
        moment += contact.force.z * contact.point;
    }
    (force, moment / force.z)
}

fn array(
    rows: usize,
    columns: usize,
    width: usize,
    row: impl Fn(usize, usize) -> Vec<f64>,
) -> Array3<f64> {
    let mut array = Array3::zeros((rows, columns, width));
    for t in 0..rows {
        for i in 0..columns {
            array
                .slice_mut(s![t, i, ..])
                .assign(&Array1::from(row(t, i)));
        }
    }
    array
}

fn joint_array(joints: &[Joints]) -> Array3<f64> {
    array(joints.len(), JOINTS, 3, |t, j| {
        joints[t][j].as_slice().to_vec()
    })
}

/// Reads a recording of `body` back from a file that [`encode`] made.
///
/// # Errors
/// [`Error::Input`] when the file is not such an archive, or is one of another body.
pub fn read(path: &Path, body: Body) -> Result<Recording> {
    let file = File::open(path).map_err(|e| Error::io(path, "read", e))?;
    let npz = NpzReader::new(file).map_err(|e| {
        Error::input(
            path.display(),
            "archive",
            e,
            "give the directory of a finished run",
        )
    })?;
    let mut arrays = Arrays { path, npz };
    let fps: ndarray::Array0<f64> = arrays
        .npz
        .by_name("fps")
        .map_err(|e| arrays.unusable("fps", &e))?;
    let poses = arrays.take("links", None, body.links.len(), 7)?;
    let frames = poses.dim().0;
    let links = body.links.len();
    let targets = arrays.take("targets", Some(frames), links, 4)?;
    let torques = arrays.take("torques", Some(frames), links, 3)?;
    let forces = arrays.take("link_contact_forces", Some(frames), links, 3)?;
    let points = arrays.take("link_contact_points", Some(frames), links, 3)?;
    let names = arrays
        .npz
        .names()
        .map_err(|e| arrays.unusable("archive", &e))?;
    let reference = if names
        .iter()
        .any(|name| name.starts_with("reference_joints"))
    {
        arrays.take("reference_joints", Some(frames), JOINTS, 3)?
    } else {
        Array3::zeros((0, JOINTS, 3))
    };
    let frame = |t: usize| Frame {
        links: (0..links)
            .map(|l| isometry(poses.slice(s![t, l, ..])))
            .collect(),
        targets: (0..links)
            .map(|l| quaternion(targets.slice(s![t, l, ..])))
            .collect(),
        torques: (0..links)
            .map(|l| vector(torques.slice(s![t, l, ..])))
            .collect(),
        contacts: (0..links)
            .map(|link| Contact {
                link,
                point: vector(points.slice(s![t, link, ..])),
                force: vector(forces.slice(s![t, link, ..])),
            })
            .filter(|contact| contact.force != Vector3::zeros())
            .collect(),
    };
    let trajectory = Trajectory {
        fps: fps[()],
        frames: (0..frames).map(frame).collect(),
    };
    let observed = (0..reference.dim().0)
        .map(|t| std::array::from_fn(|j| vector(reference.slice(s![t, j, ..]))))
        .collect();
    Recording::new(body, trajectory, observed)
        .map_err(|e| Error::input(path.display(), "arrays", e, "run the reconstruction again"))
}

struct Arrays<'a> {
    path: &'a Path,
    npz: NpzReader<File>,
}

impl Arrays<'_> {
    /// The array `name` of shape `(frames, columns, width)`.
    fn take(
        &mut self,
        name: &str,
        frames: Option<usize>,
        columns: usize,
        width: usize,
    ) -> Result<Array3<f64>> {
        let array: Array3<f64> = self
            .npz
            .by_name::<OwnedRepr<f64>, _>(name)
            .map_err(|e| self.unusable(name, &e))?;
        let shape = array.dim();
        if shape != (frames.unwrap_or(shape.0), columns, width) {
            let advice =
                format!("motion.npz and body.json must be of one run ({columns} links or joints)");
            return Err(Error::input(
                self.path.display(),
                name,
                format!("shape {shape:?}"),
                advice,
            ));
        }
        Ok(array)
    }

    fn unusable(&self, name: &str, reason: &ReadNpzError) -> Error {
        Error::input(
            self.path.display(),
            name,
            reason,
            "run the reconstruction again",
        )
    }
}

fn vector(row: ArrayView1<f64>) -> Vector3<f64> {
    Vector3::new(row[0], row[1], row[2])
}

fn quaternion(row: ArrayView1<f64>) -> UnitQuaternion<f64> {
    // Not normalized again: what is read is what was written, bit for bit.
    UnitQuaternion::new_unchecked(Quaternion::new(row[3], row[0], row[1], row[2]))
}

fn isometry(row: ArrayView1<f64>) -> Isometry3<f64> {
    Isometry3::from_parts(
        Translation3::from(vector(row)),
        quaternion(row.slice_move(s![3..])),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;

    #[test]
    fn what_is_read_is_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("motion.npz");
        let mut recording = fixture::recording();
        std::fs::write(&path, encode(&recording).unwrap()).unwrap();
        assert_eq!(read(&path, recording.body.clone()).unwrap(), recording);
        recording.reference.clear();
        std::fs::write(&path, encode(&recording).unwrap()).unwrap();
        assert_eq!(read(&path, recording.body.clone()).unwrap(), recording);
    }

    #[test]
    fn the_same_recording_gives_the_same_bytes() {
        let recording = fixture::recording();
        assert_eq!(encode(&recording).unwrap(), encode(&recording).unwrap());
    }

    #[test]
    fn feet_are_right_then_left() {
        let recording = fixture::recording();
        let bytes = encode(&recording).unwrap();
        let mut npz = NpzReader::new(Cursor::new(bytes)).unwrap();
        let forces: Array3<f64> = npz.by_name("contact_forces").unwrap();
        let points: Array3<f64> = npz.by_name("contact_points").unwrap();
        assert_eq!(forces.slice(s![2, 0, ..]).to_vec(), [1.0, 2.0, 302.0]);
        assert_eq!(forces.slice(s![2, 1, ..]).to_vec(), [0.0; 3]);
        assert!((points[[2, 0, 0]] - 0.2).abs() < 1e-12 && points[[2, 1, 0]].is_nan());
    }

    #[test]
    fn another_body_and_other_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("motion.npz");
        let recording = fixture::recording();
        std::fs::write(&path, encode(&recording).unwrap()).unwrap();
        let mut body = recording.body;
        body.links.pop();
        let error = read(&path, body.clone()).unwrap_err();
        assert!(
            error.to_string().contains("links: found shape (5, 6, 7)"),
            "{error}"
        );
        std::fs::write(&path, b"text").unwrap();
        assert_eq!(read(&path, body).unwrap_err().exit_code(), 2);
    }
}
