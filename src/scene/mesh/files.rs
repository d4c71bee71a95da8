//! Files of meshes.

use std::io::BufReader;
use std::path::Path;

use nalgebra::Vector3;

use super::{Mesh, gltf2, triangles, unreadable};
use crate::error::{Error, Result};
use crate::motion::calibration::Axis;

/// Whether a path is called as meshes are.
pub fn is_mesh(path: &Path) -> bool {
    is_called(path, &["obj", "glb", "gltf"])
}

fn is_called(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().unwrap_or_default();
    extensions
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// The objects of a file, and the axis that points up unless told: z in OBJ, which does not say, y in glTF, which does.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Input`] when it is none of these files.
pub fn read(path: &Path) -> Result<(Vec<Mesh>, Axis)> {
    let (meshes, up) = match path {
        _ if is_called(path, &["obj"]) => (read_obj(path)?, Axis::Z),
        _ if is_called(path, &["glb", "gltf"]) => (gltf2::read(path)?, Axis::Y),
        _ => {
            let advice = "give a mesh as .obj, .glb or .gltf";
            return Err(Error::input(path.display(), "file", "another kind", advice));
        }
    };
    let is_finite = |mesh: &Mesh| mesh.points.iter().all(|p| p.iter().all(|x| x.is_finite()));
    match meshes.iter().all(is_finite) {
        true => Ok((meshes, up)),
        false => {
            let advice = "give numbers for all coordinates";
            Err(Error::input(
                path.display(),
                "points",
                "a coordinate that is not finite",
                advice,
            ))
        }
    }
}

fn read_obj(path: &Path) -> Result<Vec<Mesh>> {
    let file = std::fs::File::open(path).map_err(|error| Error::io(path, "read", error))?;
    let options = tobj::LoadOptions {
        triangulate: true,
        ignore_lines: true,
        ignore_points: true,
        ..tobj::LoadOptions::default()
    };
    // Materials are not looked at.
    let materials = |_: &Path| Err(tobj::LoadError::GenericFailure);
    let (models, _) = tobj::load_obj_buf(&mut BufReader::new(file), &options, materials)
        .map_err(|error| unreadable(path, error))?;
    let mesh = |model: tobj::Model| Mesh {
        points: model
            .mesh
            .positions
            .chunks_exact(3)
            .map(Vector3::from_column_slice)
            .collect(),
        triangles: triangles(&model.mesh.indices),
        name: Some(model.name),
    };
    Ok(models.into_iter().map(mesh).collect())
}
