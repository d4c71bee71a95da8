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
//! | `moments` | (T, L, 3) | net moment on a link from its parent about the joint's centre, world frame, N·m |
//! | `contact_forces` | (T, 2, 3) | ground reaction on the right and the left foot, friction included, N |
//! | `contact_points` | (T, 2, 3) | its centre of pressure, m; NaN in the air |
//! | `contact_normals` | (T, 2, 3) | the part of the force that is normal to the ground, N |
//! | `joint_moments` | (T, J, 3) | net moments about the anatomical axes of the joints that `body.json` names (`anatomy`), in its order of links, positive towards the movement that is named, N·m |
//! | `joint_powers` | (T, J) | power of the same joints, W |
//! | `contact_free_moments` | (T, 2) | its moment about the vertical through the centre of pressure, N·m |
//! | `link_contact_forces` | (T, L, 3) | the same for every link |
//! | `link_contact_points` | (T, L, 3) | |
//! | `parents` | (L,) | index of the parent link; −1 for the root |

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use nalgebra::{Isometry3, Quaternion, SVector, Translation3, UnitQuaternion, Vector3};
use ndarray::{Array0, Array1, Array2, Array3, ArrayView1, Axis, OwnedRepr, arr0, s};
use ndarray_npy::{NpzReader, NpzWriter, ReadNpzError, WriteNpzError};

use super::{Recording, moments};
use crate::body::{Body, Side};
use crate::error::{Error, Result};
use crate::motion::{JOINTS, Joints};
use crate::scene::Scene;
use crate::simulation::{Contact, Frame, Trajectory};

/// The recording as a compressed `.npz` file.
///
/// # Errors
/// [`Error::Internal`] when the archive cannot be assembled.
pub fn encode(recording: &Recording) -> Result<Vec<u8>> {
    write(recording).map_err(|e| Error::Internal(format!("motion.npz: {e}")))
}

/// The numbers of a frame and a column.
type Row<'a> = dyn Fn(&Frame, usize) -> Vec<f64> + 'a;

/// The wrench on a foot or link, by its number.
type Wrench<'a> = dyn Fn(&Frame, usize) -> Option<Contact> + 'a;

fn write(recording: &Recording) -> std::result::Result<Vec<u8>, WriteNpzError> {
    let Recording {
        body,
        trajectory,
        reference,
    } = recording;
    let links = body.links.len();
    let mut npz = NpzWriter::new_compressed(Cursor::new(Vec::new()));
    npz.add_array("fps", &arr0(trajectory.fps))?;
    npz.add_array("joints", &joint_array(&recording.joints()))?;
    if !reference.is_empty() {
        npz.add_array("reference_joints", &joint_array(reference))?;
    }
    // An array (T, columns, N) from the row of every frame and column.
    let tensor = |columns: usize, row: &Row| {
        let frames = &trajectory.frames;
        array(frames.len(), columns, |t, i| row(&frames[t], i))
    };
    let of_links: [(&str, &Row); 4] = [
        ("links", &|frame, l| coordinates(&frame.links[l])),
        ("targets", &|frame, l| list(&frame.targets[l].coords)),
        ("torques", &|frame, l| list(&frame.torques[l])),
        ("moments", &|frame, l| list(&frame.moments[l])),
    ];
    for (name, row) in of_links {
        npz.add_array(name, &tensor(links, row))?;
    }
    let foot = |frame: &Frame, side: usize| ground_reactions(body, &frame.contacts)[side];
    let on = |frame: &Frame, l: usize| {
        Contact::total(frame.contacts.iter().filter(|contact| contact.link == l))
    };
    let wrenches: [(&str, usize, &Wrench); 2] = [("", 2, &foot), ("link_", links, &on)];
    for (prefix, columns, wrench) in wrenches {
        let mut add = |name: &str, part: &dyn Fn(Option<Contact>) -> Vec<f64>| {
            let rows = tensor(columns, &|frame, i| part(wrench(frame, i)));
            npz.add_array(format!("{prefix}contact_{name}"), &rows)
        };
        add("forces", &|contact| list(&force(contact)))?;
        add("points", &|contact| list(&center(contact)))?;
        add("normals", &|contact| {
            list(&contact.map_or(Vector3::zeros(), |contact| contact.normal))
        })?;
        let moments = tensor(columns, &|frame, i| {
            vec![wrench(frame, i).map_or(0.0, |contact| contact.free_moment)]
        });
        let moments = moments.remove_axis(Axis(2));
        npz.add_array(format!("{prefix}contact_free_moments"), &moments)?;
    }
    let joints = moments::joints(recording);
    npz.add_array(
        "joint_moments",
        &tensor(joints.len(), &|frame, j| joints[j].moments(frame).to_vec()),
    )?;
    let frames = &trajectory.frames;
    let powers = Array2::from_shape_fn((frames.len(), joints.len()), |(t, j)| match t {
        0 => 0.0,
        _ => joints[j].power(&frames[t - 1], &frames[t], trajectory.fps),
    });
    npz.add_array("joint_powers", &powers)?;
    let parents = body
        .links
        .iter()
        .map(|link| link.parent.map_or(-1, |parent| parent as i64));
    npz.add_array("parents", &Array1::from_iter(parents))?;
    Ok(npz.finish()?.into_inner())
}

/// Position and quaternion, `(7,)`.
fn coordinates(pose: &Isometry3<f64>) -> Vec<f64> {
    [list(&pose.translation.vector), list(&pose.rotation.coords)].concat()
}

fn list<const N: usize>(vector: &SVector<f64, N>) -> Vec<f64> {
    vector.as_slice().to_vec()
}

/// What the ground does to the right and to the left foot, by the `contacts` of the links.
pub(super) fn ground_reactions(body: &Body, contacts: &[Contact]) -> [Option<Contact>; 2] {
    Side::BOTH.map(|side| Contact::on_foot(contacts, body, side))
}

/// The force of a contact, N; none without one.
pub(super) fn force(contact: Option<Contact>) -> Vector3<f64> {
    contact.map_or(Vector3::zeros(), |contact| contact.force)
}

/// The centre of pressure of a contact, m; NaN without one.
pub(super) fn center(contact: Option<Contact>) -> Vector3<f64> {
    contact.map_or(Vector3::repeat(f64::NAN), |contact| contact.point)
}

/// An array (rows, columns, N) from its innermost rows.
fn array(rows: usize, columns: usize, row: impl Fn(usize, usize) -> Vec<f64>) -> Array3<f64> {
    let values: Vec<f64> = (0..rows)
        .flat_map(|t| (0..columns).map(move |i| (t, i)))
        .flat_map(|(t, i)| row(t, i))
        .collect();
    let width = values.len() / (rows * columns).max(1);
    // Every row has the same length, so the shape holds exactly the values.
    Array3::from_shape_vec((rows, columns, width), values).unwrap_or_default()
}

fn joint_array(joints: &[Joints]) -> Array3<f64> {
    array(joints.len(), JOINTS, |t, j| list(&joints[t][j]))
}

/// Reads a recording of `body` back from a file that [`encode`] made.
///
/// # Errors
/// [`Error::Input`] when the file is not such an archive, or is one of another body.
pub fn read(path: &Path, body: Body) -> Result<Recording> {
    let file = File::open(path).map_err(|e| Error::io(path, "read", e))?;
    let npz = NpzReader::new(file).map_err(|e| {
        let advice = "give the directory of a finished run";
        Error::input(path.display(), "archive", e, advice)
    })?;
    let mut arrays = Arrays { path, npz };
    let trajectory = arrays.trajectory(body.links.len())?;
    let reference = arrays.reference(trajectory.frames.len())?;
    Recording::new(body, trajectory, reference)
        .map_err(|e| Error::input(path.display(), "arrays", e, "run the reconstruction again"))
}

struct Arrays<'a> {
    path: &'a Path,
    npz: NpzReader<File>,
}

impl Arrays<'_> {
    fn trajectory(&mut self, links: usize) -> Result<Trajectory> {
        let fps: Array0<f64> = self
            .npz
            .by_name("fps")
            .map_err(|e| self.unusable("fps", &e))?;
        let poses = self.take("links", None, links, 7)?;
        let frames = Some(poses.dim().0);
        let targets = self.take("targets", frames, links, 4)?;
        let torques = self.take("torques", frames, links, 3)?;
        let net = self.take("moments", frames, links, 3)?;
        let forces = self.take("link_contact_forces", frames, links, 3)?;
        let points = self.take("link_contact_points", frames, links, 3)?;
        let normals = self.take("link_contact_normals", frames, links, 3)?;
        let name = "link_contact_free_moments";
        let moments: Array2<f64> = self
            .npz
            .by_name::<OwnedRepr<f64>, _>(name)
            .map_err(|e| self.unusable(name, &e))?;
        if moments.dim() != forces.index_axis(Axis(2), 0).dim() {
            return Err(self.mismatch(name, moments.shape(), links));
        }
        let contact = |t: usize, link: usize| Contact {
            link,
            point: vector(points.slice(s![t, link, ..])),
            force: vector(forces.slice(s![t, link, ..])),
            normal: vector(normals.slice(s![t, link, ..])),
            free_moment: moments[[t, link]],
        };
        let frame = |t: usize| Frame {
            links: rows(&poses, t).map(isometry).collect(),
            targets: rows(&targets, t).map(quaternion).collect(),
            torques: rows(&torques, t).map(vector).collect(),
            moments: rows(&net, t).map(vector).collect(),
            contacts: (0..links)
                .map(|link| contact(t, link))
                .filter(|contact| contact.force != Vector3::zeros())
                .collect(),
            steps: Vec::new(),
        };
        Ok(Trajectory {
            fps: fps[()],
            scene: Scene::default(),
            frames: (0..poses.dim().0).map(frame).collect(),
        })
    }

    fn reference(&mut self, frames: usize) -> Result<Vec<Joints>> {
        let names = self.npz.names().map_err(|e| self.unusable("archive", &e))?;
        if !names
            .iter()
            .any(|name| name.starts_with("reference_joints"))
        {
            return Ok(Vec::new());
        }
        let joints = self.take("reference_joints", Some(frames), JOINTS, 3)?;
        let frame = |t: usize| std::array::from_fn(|j| vector(joints.slice(s![t, j, ..])));
        Ok((0..frames).map(frame).collect())
    }

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
            return Err(self.mismatch(name, array.shape(), columns));
        }
        Ok(array)
    }

    fn mismatch(&self, name: &str, shape: &[usize], columns: usize) -> Error {
        let advice =
            format!("motion.npz and body.json must be of one run ({columns} links or joints)");
        let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
        let found = format!("shape ({})", shape.join(", "));
        Error::input(self.path.display(), name, found, advice)
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

fn rows(array: &Array3<f64>, t: usize) -> impl Iterator<Item = ArrayView1<'_, f64>> {
    (0..array.dim().1).map(move |i| array.slice(s![t, i, ..]))
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
mod tests;
