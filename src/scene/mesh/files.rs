//! Files of meshes: Wavefront OBJ and glTF 2.0.

use std::collections::HashSet;
use std::io::BufReader;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gltf::binary::Glb;
use gltf::buffer::Source;
use gltf::json::Root;
use gltf::mesh::Mode;
use gltf::{Gltf, Node};
use nalgebra::{Matrix4, Point3, Vector3};

use super::Mesh;
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
        _ if is_called(path, &["glb", "gltf"]) => (read_gltf(path)?, Axis::Y),
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

/// Refuses a file that its library does not understand.
fn unreadable(path: &Path, error: impl std::fmt::Display) -> Error {
    let advice = "export the mesh anew as OBJ or glTF 2.0";
    Error::input(path.display(), "content", error, advice)
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

/// Three corners each.
fn triangles(indices: &[u32]) -> Vec<[u32; 3]> {
    indices.as_chunks().0.to_vec()
}

/// Refuses attributes that no accessor has: the library's own check takes them for granted.
fn check_accessors(path: &Path, bytes: &[u8]) -> Result<()> {
    let root = match bytes.starts_with(b"glTF") {
        true => {
            let glb = Glb::from_slice(bytes).map_err(|error| unreadable(path, error))?;
            Root::from_slice(&glb.json)
        }
        false => Root::from_slice(bytes),
    };
    let root = root.map_err(|error| unreadable(path, error))?;
    let primitives = root.meshes.iter().flat_map(|mesh| &mesh.primitives);
    let mut accessors = primitives.flat_map(|primitive| primitive.attributes.values());
    match accessors.all(|accessor| accessor.value() < root.accessors.len()) {
        true => Ok(()),
        false => Err(unreadable(path, "an accessor that is not there")),
    }
}

fn read_gltf(path: &Path) -> Result<Vec<Mesh>> {
    let bytes = std::fs::read(path).map_err(|error| Error::io(path, "read", error))?;
    check_accessors(path, &bytes)?;
    let file = Gltf::from_slice(&bytes).map_err(|error| unreadable(path, error))?;
    let buffers = file.buffers().map(|buffer| match buffer.source() {
        Source::Bin => file
            .blob
            .clone()
            .ok_or_else(|| unreadable(path, "no binary chunk")),
        Source::Uri(uri) => read_uri(path, uri),
    });
    let buffers: Vec<Vec<u8>> = buffers.collect::<Result<_>>()?;
    let mut meshes = Vec::new();
    let mut visited = HashSet::new();
    let scene = file.default_scene().or_else(|| file.scenes().next());
    let mut nodes: Vec<(Node, Matrix4<f64>)> = match scene {
        Some(scene) => scene
            .nodes()
            .map(|node| (node, Matrix4::identity()))
            .collect(),
        None => Vec::new(),
    };
    while let Some((node, parent)) = nodes.pop() {
        if !visited.insert(node.index()) {
            return Err(unreadable(path, "a node with two parents"));
        }
        let local = Matrix4::from(node.transform().matrix()).cast::<f64>();
        let world = parent * local;
        nodes.extend(node.children().map(|child| (child, world)));
        if let Some(mesh) = node.mesh() {
            let name = node.name().or(mesh.name()).map(String::from);
            for primitive in mesh
                .primitives()
                .filter(|part| part.mode() == Mode::Triangles)
            {
                let reader =
                    primitive.reader(|buffer| buffers.get(buffer.index()).map(Vec::as_slice));
                let Some(positions) = reader.read_positions() else {
                    continue;
                };
                let place = |p: [f32; 3]| world.transform_point(&Point3::from(p).cast()).coords;
                let points: Vec<_> = positions.map(place).collect();
                let indices: Vec<u32> = match reader.read_indices() {
                    Some(indices) => indices.into_u32().collect(),
                    None => (0..points.len() as u32).collect(),
                };
                if indices
                    .iter()
                    .any(|corner| *corner as usize >= points.len())
                {
                    return Err(unreadable(path, "a triangle of a corner that is not there"));
                }
                meshes.push(Mesh {
                    name: name.clone(),
                    triangles: triangles(&indices),
                    points,
                });
            }
        }
    }
    Ok(meshes)
}

/// The bytes that a URI of the glTF file at `path` stands for: data, or a file beside it.
fn read_uri(path: &Path, uri: &str) -> Result<Vec<u8>> {
    if let Some(data) = uri.strip_prefix("data:") {
        let encoded = data
            .split_once(";base64,")
            .map_or("", |(_, encoded)| encoded);
        return BASE64_STANDARD
            .decode(encoded)
            .map_err(|error| unreadable(path, error));
    }
    let file = path.with_file_name(uri);
    std::fs::read(&file).map_err(|error| Error::io(&file, "read", error))
}
