//! Meshes in glTF 2.0.

use std::collections::HashSet;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gltf::accessor::{DataType, Dimensions};
use gltf::binary::Glb;
use gltf::buffer::Source;
use gltf::json::Root;
use gltf::mesh::{Mode, Semantic};
use gltf::{Accessor, Gltf, Node, Primitive};
use nalgebra::{Matrix4, Point3, Vector3};

use super::{Mesh, triangles, unreadable};
use crate::error::{Error, Result};

/// The triangles of a file's scene, each mesh where its node says.
///
/// # Errors
/// [`Error::Io`] when it, or a file that it names, cannot be read, [`Error::Input`] where it does not hold what it says.
pub fn read(path: &Path) -> Result<Vec<Mesh>> {
    let bytes = std::fs::read(path).map_err(|error| Error::io(path, "read", error))?;
    check_attributes(path, &bytes)?;
    let file = Gltf::from_slice(&bytes).map_err(|error| unreadable(path, error))?;
    let buffers = file.buffers().map(|buffer| match buffer.source() {
        Source::Bin => {
            let blob = file.blob.clone();
            blob.ok_or_else(|| unreadable(path, "no binary chunk"))
        }
        Source::Uri(uri) => read_uri(path, uri),
    });
    let buffers: Vec<Vec<u8>> = buffers.collect::<Result<_>>()?;
    let scene = file.default_scene().or_else(|| file.scenes().next());
    let roots = scene.iter().flat_map(|scene| scene.nodes());
    let mut nodes: Vec<(Node, Matrix4<f64>)> =
        roots.map(|node| (node, Matrix4::identity())).collect();
    let (mut meshes, mut visited) = (Vec::new(), HashSet::new());
    while let Some((node, parent)) = nodes.pop() {
        if !visited.insert(node.index()) {
            return Err(unreadable(path, "a node with two parents"));
        }
        let world = parent * Matrix4::from(node.transform().matrix()).cast::<f64>();
        nodes.extend(node.children().map(|child| (child, world)));
        let Some(mesh) = node.mesh() else {
            continue;
        };
        for primitive in mesh.primitives() {
            if primitive.mode() == Mode::Triangles {
                let read = read_primitive(&primitive, &buffers, &world);
                let (points, triangles) = read.map_err(|found| unreadable(path, found))?;
                meshes.push(Mesh {
                    name: node.name().or(mesh.name()).map(String::from),
                    points,
                    triangles,
                });
            }
        }
    }
    Ok(meshes)
}

/// Refuses attributes that no accessor has: the library's own check takes them for granted.
fn check_attributes(path: &Path, bytes: &[u8]) -> Result<()> {
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

/// Points, m, and triangles of them.
type Triangles = (Vec<Vector3<f64>>, Vec<[u32; 3]>);

/// Points in the world and triangles of them, or what is wrong with them.
fn read_primitive(
    primitive: &Primitive,
    buffers: &[Vec<u8>],
    world: &Matrix4<f64>,
) -> std::result::Result<Triangles, &'static str> {
    let positions = primitive.get(&Semantic::Positions).ok_or("no positions")?;
    let kind = (DataType::F32, Dimensions::Vec3);
    let rows = elements(&positions, kind, buffers).ok_or("positions that are no rows of floats")?;
    let place = |row: &[u8]| {
        let [x, y, z] = [0, 4, 8].map(|at| float(&row[at..]));
        world.transform_point(&Point3::new(x, y, z)).coords
    };
    let points: Vec<_> = rows.map(place).collect();
    let corners = match primitive.indices() {
        Some(accessor) => numbers(&accessor, buffers).ok_or("indices that are no whole numbers")?,
        None => (0..points.len() as u32).collect(),
    };
    let is_there = |corner: &u32| (*corner as usize) < points.len();
    match corners.iter().all(is_there) {
        true => Ok((points, triangles(&corners))),
        false => Err("a triangle of a corner that is not there"),
    }
}

/// The bytes of every element of an accessor; `None` unless they are of that type and in the buffers. (The library's own
/// readers take both for granted.)
fn elements<'b>(
    accessor: &Accessor,
    (data_type, dimensions): (DataType, Dimensions),
    buffers: &'b [Vec<u8>],
) -> Option<impl Iterator<Item = &'b [u8]>> {
    let view = accessor.view().filter(|_| accessor.sparse().is_none())?;
    if (accessor.data_type(), accessor.dimensions()) != (data_type, dimensions) {
        return None;
    }
    let size = data_type.size() * dimensions.multiplicity();
    let end = view.offset().checked_add(view.length())?;
    let bytes = buffers
        .get(view.buffer().index())?
        .get(view.offset()..end)?;
    let bytes = bytes.get(accessor.offset()..)?;
    let stride = view.stride().unwrap_or(size).max(size);
    let count = accessor.count();
    let needed = stride
        .checked_mul(count.checked_sub(1)?)?
        .checked_add(size)?;
    (needed <= bytes.len()).then(|| (0..count).map(move |i| &bytes[i * stride..][..size]))
}

fn float(bytes: &[u8]) -> f64 {
    let bytes = bytes.first_chunk().copied().unwrap_or_default();
    f64::from(f32::from_le_bytes(bytes))
}

/// Whole numbers of one, two or four bytes each.
fn numbers(accessor: &Accessor, buffers: &[Vec<u8>]) -> Option<Vec<u32>> {
    let data_type = accessor.data_type();
    if !matches!(data_type, DataType::U8 | DataType::U16 | DataType::U32) {
        return None;
    }
    let number = |bytes: &[u8]| {
        let digits = bytes.iter().rev();
        digits.fold(0, |number, digit| (number << 8) | u32::from(*digit))
    };
    let elements = elements(accessor, (data_type, Dimensions::Scalar), buffers)?;
    Some(elements.map(number).collect())
}

/// The bytes that a URI of the glTF file at `path` stands for: data, or a file beside it.
fn read_uri(path: &Path, uri: &str) -> Result<Vec<u8>> {
    if let Some(data) = uri.strip_prefix("data:") {
        let encoded = data
            .split_once(";base64,")
            .map_or("", |(_, encoded)| encoded);
        let bytes = BASE64_STANDARD.decode(encoded);
        return bytes.map_err(|error| unreadable(path, error));
    }
    let file = path.with_file_name(uri);
    std::fs::read(&file).map_err(|error| Error::io(&file, "read", error))
}
