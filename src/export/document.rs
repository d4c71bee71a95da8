//! A glTF document under construction: nodes, meshes, one animation, and their binary buffer.

use std::borrow::Cow;

use gltf::binary::{Glb, Header};
use nalgebra::Vector3;
use serde_json::{Value, json};

use super::mesh::Mesh;
use crate::error::{Error, Result};

const ARRAY_BUFFER: u32 = 34962;
const ELEMENT_ARRAY_BUFFER: u32 = 34963;
const UNSIGNED_INT: u32 = 5125;
const FLOAT: u32 = 5126;

/// A document whose node 0 is the root of everything.
pub(super) struct Document {
    bytes: Vec<u8>,
    views: Vec<Value>,
    accessors: Vec<Value>,
    meshes: Vec<Value>,
    nodes: Vec<Value>,
    /// Children of every node.
    children: Vec<Vec<usize>>,
    samplers: Vec<Value>,
    channels: Vec<Value>,
}

impl Document {
    /// A document with the node `root`.
    pub(super) fn new(root: Value) -> Self {
        Self {
            bytes: Vec::new(),
            views: Vec::new(),
            accessors: Vec::new(),
            meshes: Vec::new(),
            nodes: vec![root],
            children: vec![Vec::new()],
            samplers: Vec::new(),
            channels: Vec::new(),
        }
    }

    /// Adds a mesh with one material and returns its index.
    pub(super) fn add_mesh(&mut self, name: &str, mesh: &Mesh, material: usize) -> usize {
        let rows = |vectors: &[Vector3<f64>]| vectors.iter().map(floats).collect::<Vec<_>>();
        let position = self.add_accessor("VEC3", &rows(&mesh.positions), Some(ARRAY_BUFFER));
        let normal = self.add_accessor("VEC3", &rows(&mesh.normals), Some(ARRAY_BUFFER));
        let indices = self.add_indices(&mesh.triangles);
        self.meshes.push(json!({
            "name": name,
            "primitives": [{
                "attributes": { "POSITION": position, "NORMAL": normal },
                "indices": indices,
                "material": material,
            }],
        }));
        self.meshes.len() - 1
    }

    /// Adds a node below `parent` and returns its index.
    pub(super) fn add_node(&mut self, parent: usize, node: Value) -> usize {
        let index = self.nodes.len();
        self.nodes.push(node);
        self.children.push(Vec::new());
        self.children[parent].push(index);
        index
    }

    /// Animates the property `path` of a node: linear between the rows of `output` at the times
    /// `input`, both accessors.
    pub(super) fn add_channel(&mut self, input: usize, output: usize, node: usize, path: &str) {
        let sampler = self.samplers.len();
        self.samplers
            .push(json!({ "input": input, "interpolation": "LINEAR", "output": output }));
        self.channels
            .push(json!({ "sampler": sampler, "target": { "node": node, "path": path } }));
    }

    /// Adds rows of floats with their bounds, as an accessor of type `kind`.
    pub(super) fn add_accessor<const N: usize>(
        &mut self,
        kind: &str,
        rows: &[[f32; N]],
        target: Option<u32>,
    ) -> usize {
        let mut bounds = [[f32::MAX; N], [f32::MIN; N]];
        for row in rows {
            for (i, value) in row.iter().enumerate() {
                bounds[0][i] = bounds[0][i].min(*value);
                bounds[1][i] = bounds[1][i].max(*value);
            }
        }
        let bytes: Vec<u8> = rows
            .as_flattened()
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let view = self.add_view(&bytes, target);
        self.accessors.push(json!({
            "bufferView": view,
            "componentType": FLOAT,
            "count": rows.len(),
            "type": kind,
            "min": bounds[0].as_slice(),
            "max": bounds[1].as_slice(),
        }));
        self.accessors.len() - 1
    }

    fn add_indices(&mut self, triangles: &[[u32; 3]]) -> usize {
        let bytes: Vec<u8> = triangles
            .as_flattened()
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let view = self.add_view(&bytes, Some(ELEMENT_ARRAY_BUFFER));
        self.accessors.push(json!({
            "bufferView": view,
            "componentType": UNSIGNED_INT,
            "count": 3 * triangles.len(),
            "type": "SCALAR",
        }));
        self.accessors.len() - 1
    }

    /// All components have four bytes, so every view starts aligned.
    fn add_view(&mut self, bytes: &[u8], target: Option<u32>) -> usize {
        let mut view = json!({
            "buffer": 0,
            "byteOffset": self.bytes.len(),
            "byteLength": bytes.len(),
        });
        if let Some(target) = target {
            view["target"] = json!(target);
        }
        self.bytes.extend_from_slice(bytes);
        self.views.push(view);
        self.views.len() - 1
    }

    /// The finished file; `extras` is attached to the scene.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be serialized.
    pub(super) fn into_glb(mut self, materials: &Value, extras: &Value) -> Result<Vec<u8>> {
        for (node, children) in self.nodes.iter_mut().zip(&self.children) {
            if !children.is_empty() {
                node["children"] = json!(children);
            }
        }
        let mut scene = json!({ "nodes": [0] });
        if !extras.is_null() {
            scene["extras"] = extras.clone();
        }
        let document = json!({
            "asset": {
                "version": "2.0",
                "generator": concat!("motionfit ", env!("CARGO_PKG_VERSION")),
            },
            "scene": 0,
            "scenes": [scene],
            "nodes": self.nodes,
            "meshes": self.meshes,
            "materials": materials,
            "animations": [{
                "name": "motion",
                "channels": self.channels,
                "samplers": self.samplers,
            }],
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{ "byteLength": self.bytes.len() }],
        });
        let glb = Glb {
            header: Header {
                magic: *b"glTF",
                version: 2,
                length: 0,
            },
            json: Cow::Owned(document.to_string().into_bytes()),
            bin: Some(Cow::Owned(self.bytes)),
        };
        glb.to_vec()
            .map_err(|e| Error::Internal(format!("motion.glb: {e}")))
    }
}

/// The components in single precision.
pub(super) fn floats(v: &Vector3<f64>) -> [f32; 3] {
    [v.x as f32, v.y as f32, v.z as f32]
}
