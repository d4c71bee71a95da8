//! Binary glTF 2.0: a node per link with its mesh, a node per observed joint, one animation.
//!
//! Link nodes carry the rest offsets of the body, so that animation tools see a clean skeleton:
//! every joint's rotation is animated, and the root's translation. Times are in seconds, lengths
//! in metres; the node "motionfit" turns the z-up world into glTF's y-up one.

use nalgebra::{UnitQuaternion, Vector3};
use serde_json::{Value, json};

use super::document::{Document, floats};
use super::mesh::Mesh;
use super::{Recording, pose, side};
use crate::body::{Geometry, Link, Pose};
use crate::error::Result;
use crate::motion::skeleton::NAMES;
use crate::scene::Shape;

// Indices into `materials`.
const TRUNK: usize = 0;
const RIGHT: usize = 1;
const LEFT: usize = 2;
const REFERENCE: usize = 3;
const GROUND: usize = 4;
const SOLID: usize = 5;
const SUPPORT: usize = 6;

/// Rotation that takes (x, y, z) to (y, z, x), `[x, y, z, w]`.
const Y_UP: [f32; 4] = [-0.5, -0.5, -0.5, 0.5];
/// Radius of the spheres that show the observed joints, m.
const REFERENCE_RADIUS: f64 = 0.03;

/// The recording as a `.glb` file; `extras` (metrics, say) is attached to the scene.
///
/// When the recording has a reference, its joints are shown as translucent spheres below the node
/// "reference".
///
/// # Errors
/// [`Error::Internal`](crate::error::Error::Internal) when the document cannot be serialized.
pub fn encode(recording: &Recording, extras: &Value) -> Result<Vec<u8>> {
    let mut document = Document::new(json!({ "name": "motionfit", "rotation": Y_UP }));
    let times = add_times(&mut document, recording);
    add_body(&mut document, recording, times);
    if !recording.reference.is_empty() {
        add_reference(&mut document, recording, times);
    }
    add_ground(&mut document, recording);
    add_solids(&mut document, recording);
    document.into_glb(&materials(), extras)
}

fn add_times(document: &mut Document, recording: &Recording) -> usize {
    let trajectory = &recording.trajectory;
    let times: Vec<[f32; 1]> = (0..trajectory.frames.len())
        .map(|t| [(t as f64 / trajectory.fps) as f32])
        .collect();
    document.add_accessor("SCALAR", &times, None)
}

fn add_body(document: &mut Document, recording: &Recording, times: usize) {
    let body = &recording.body;
    let mut link_nodes: Vec<usize> = Vec::with_capacity(body.links.len());
    for link in &body.links {
        let parent = link.parent.map_or(0, |parent| link_nodes[parent]);
        let mut node = json!({ "name": link.name, "translation": floats(&link.offset) });
        if let Some(mesh) = add_link_mesh(document, link) {
            node["mesh"] = json!(mesh);
        }
        link_nodes.push(document.add_node(parent, node));
    }
    for (name, marker) in NAMES.iter().zip(&body.markers) {
        let node = json!({
            "name": format!("joint_{name}"),
            "translation": floats(&marker.position),
        });
        document.add_node(link_nodes[marker.link], node);
    }
    animate_body(document, recording, times, &link_nodes);
}

fn add_link_mesh(document: &mut Document, link: &Link) -> Option<usize> {
    let mut mesh = Mesh::default();
    for shape in &link.shapes {
        mesh.append(Mesh::of(&shape.geometry));
    }
    let material = match side(&link.name) {
        "right" => RIGHT,
        "left" => LEFT,
        _ => TRUNK,
    };
    (!mesh.triangles.is_empty()).then(|| document.add_mesh(&link.name, &mesh, material))
}

fn animate_body(document: &mut Document, recording: &Recording, times: usize, nodes: &[usize]) {
    let frames = recording.trajectory.frames.iter();
    let poses: Vec<Pose> = frames.map(|frame| pose(&recording.body, frame)).collect();
    for (l, &node) in nodes.iter().enumerate() {
        let rotations = poses.iter().map(|pose| match l {
            0 => pose.root.rotation,
            _ => pose.rotations[l],
        });
        let output = document.add_accessor("VEC4", &continuous(rotations), None);
        document.add_channel(times, output, node, "rotation");
    }
    let path: Vec<[f32; 3]> = poses
        .iter()
        .map(|pose| floats(&pose.root.translation.vector))
        .collect();
    let output = document.add_accessor("VEC3", &path, None);
    document.add_channel(times, output, nodes[0], "translation");
}

fn add_reference(document: &mut Document, recording: &Recording, times: usize) {
    let origin = Vector3::zeros();
    let sphere = Mesh::capsule(&origin, &origin, REFERENCE_RADIUS);
    let sphere = document.add_mesh("observed joint", &sphere, REFERENCE);
    let group = document.add_node(0, json!({ "name": "reference" }));
    for (j, name) in NAMES.iter().enumerate() {
        let path: Vec<[f32; 3]> = recording
            .reference
            .iter()
            .map(|joints| floats(&joints[j]))
            .collect();
        let node = json!({
            "name": format!("reference_{name}"),
            "mesh": sphere,
            "translation": path[0],
        });
        let node = document.add_node(group, node);
        let output = document.add_accessor("VEC3", &path, None);
        document.add_channel(times, output, node, "translation");
    }
}

/// A square of ground below the whole path.
fn add_ground(document: &mut Document, recording: &Recording) {
    let roots = recording
        .trajectory
        .frames
        .iter()
        .filter_map(|frame| frame.links.first());
    let (mut low, mut high) = (Vector3::repeat(f64::MAX), Vector3::repeat(f64::MIN));
    for root in roots {
        low = low.inf(&root.translation.vector);
        high = high.sup(&root.translation.vector);
    }
    let mut center = (low + high) / 2.0;
    center.z = 0.0;
    let mesh = Mesh::ground(center, (high - low).xy().max() / 2.0 + 1.5);
    let mesh = document.add_mesh("ground", &mesh, GROUND);
    document.add_node(0, json!({ "name": "ground", "mesh": mesh }));
}

/// The solids of the scene; those that are there for a while, or for some links, translucent.
fn add_solids(document: &mut Document, recording: &Recording) {
    for (i, solid) in recording.trajectory.scene.solids.iter().enumerate() {
        let (kind, mesh) = match &solid.shape {
            Shape::Box(half_extents) => {
                let shape = Geometry::RoundBox {
                    center: Vector3::zeros(),
                    half_extents: *half_extents,
                    rotation: UnitQuaternion::identity(),
                    radius: 0.0,
                };
                ("box", Mesh::of(&shape))
            }
            Shape::Hull(_) => ("hull", Mesh::polyhedron(&solid.shape)),
        };
        let material = if solid.is_partial() { SUPPORT } else { SOLID };
        let mesh = document.add_mesh(kind, &mesh, material);
        let [x, y, z, w] = solid.pose.rotation.coords.into();
        let node = json!({
            "name": solid.name.clone().unwrap_or_else(|| format!("{kind}_{i}")),
            "mesh": mesh,
            "translation": floats(&solid.pose.translation.vector),
            "rotation": [x as f32, y as f32, z as f32, w as f32],
        });
        document.add_node(0, node);
    }
}

/// Trunk, right side, left side, observed joints, ground, solids, supports.
fn materials() -> Value {
    let opaque = |name: &str, color: [f32; 4]| {
        json!({
            "name": name,
            "pbrMetallicRoughness": {
                "baseColorFactor": color,
                "metallicFactor": 0.0,
                "roughnessFactor": 0.8,
            },
        })
    };
    let translucent = |name: &str, color: [f32; 4]| {
        let mut material = opaque(name, color);
        material["alphaMode"] = json!("BLEND");
        material
    };
    json!([
        opaque("trunk", [0.72, 0.70, 0.66, 1.0]),
        opaque("right", [0.84, 0.42, 0.20, 1.0]),
        opaque("left", [0.20, 0.46, 0.72, 1.0]),
        translucent("reference", [0.1, 0.7, 0.3, 0.5]),
        opaque("ground", [0.35, 0.36, 0.38, 1.0]),
        opaque("box", [0.55, 0.50, 0.42, 1.0]),
        translucent("support", [0.55, 0.50, 0.42, 0.4]),
    ])
}

/// Quaternions `[x, y, z, w]` with signs such that neighbours lie on the same hemisphere.
fn continuous(rotations: impl Iterator<Item = UnitQuaternion<f64>>) -> Vec<[f32; 4]> {
    let mut last = UnitQuaternion::identity();
    rotations
        .map(|rotation| {
            let flip = rotation.coords.dot(&last.coords) < 0.0;
            last = if flip {
                UnitQuaternion::new_unchecked(-rotation.into_inner())
            } else {
                rotation
            };
            let [x, y, z, w] = last.coords.into();
            [x as f32, y as f32, z as f32, w as f32]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::Path;
    use std::process::Command;

    use gltf::animation::util::ReadOutputs;
    use nalgebra::{Matrix4, Quaternion, Translation3};

    use super::*;
    use crate::export::{fixture, y_up};

    /// World positions of all nodes at frame `t`, read back from the file.
    fn node_positions(glb: &[u8], t: usize) -> HashMap<String, Vector3<f64>> {
        let gltf = gltf::Gltf::from_slice(glb).unwrap();
        let blob = gltf.blob.clone().unwrap();
        let mut local: Vec<([f32; 3], [f32; 4])> = gltf
            .nodes()
            .map(|node| {
                let (translation, rotation, _) = node.transform().decomposed();
                (translation, rotation)
            })
            .collect();
        for channel in gltf.animations().next().unwrap().channels() {
            let node = channel.target().node().index();
            match channel.reader(|_| Some(&blob)).read_outputs().unwrap() {
                ReadOutputs::Translations(rows) => local[node].0 = rows.clone().nth(t).unwrap(),
                ReadOutputs::Rotations(rows) => {
                    local[node].1 = rows.into_f32().nth(t).unwrap();
                }
                _ => unreachable!("only translations and rotations are written"),
            }
        }
        let mut positions = HashMap::new();
        let root = gltf.scenes().next().unwrap().nodes().next().unwrap();
        let mut stack = vec![(root, Matrix4::identity())];
        while let Some((node, parent)) = stack.pop() {
            let (translation, [x, y, z, w]) = local[node.index()];
            let rotation = Quaternion::new(w, x, y, z).cast::<f64>();
            let world: Matrix4<f64> = parent
                * Translation3::from(Vector3::from(translation).cast::<f64>()).to_homogeneous()
                * UnitQuaternion::from_quaternion(rotation).to_homogeneous();
            positions.insert(node.name().unwrap().to_string(), world.column(3).xyz());
            stack.extend(node.children().map(|child| (child, world)));
        }
        positions
    }

    #[test]
    fn joints_read_back_are_where_they_were() {
        let recording = fixture::recording();
        let glb = encode(&recording, &json!({ "mpjpe_mm": 1.0 })).unwrap();
        for (t, joints) in recording.joints().iter().enumerate() {
            let positions = node_positions(&glb, t);
            for (j, name) in NAMES.iter().enumerate() {
                let simulated = positions[&format!("joint_{name}")] - y_up(joints[j]);
                let observed =
                    positions[&format!("reference_{name}")] - y_up(recording.reference[t][j]);
                assert!(simulated.norm() < 1e-5, "{name} at {t}: {simulated}");
                assert!(observed.norm() < 1e-5, "{name} at {t}: {observed}");
            }
        }
    }

    #[test]
    fn the_reference_is_optional_and_extras_stay() {
        let mut recording = fixture::recording();
        recording.reference.clear();
        let glb = encode(&recording, &json!({ "mpjpe_mm": 1.25 })).unwrap();
        let gltf = gltf::Gltf::from_slice(&glb).unwrap();
        assert!(gltf.nodes().all(|node| node.name() != Some("reference")));
        let scene = gltf.scenes().next().unwrap();
        let extras = scene.extras().as_ref().unwrap().get();
        assert_eq!(extras, r#"{"mpjpe_mm":1.25}"#);
        let meshes = gltf.nodes().filter(|node| node.mesh().is_some()).count();
        assert_eq!(meshes, recording.body.links.len() + 1);
    }

    /// The Khronos validator; skipped, loudly, where node or its package is missing, unless
    /// MOTIONFIT_REQUIRE_VALIDATOR is set.
    #[test]
    fn the_khronos_validator_finds_nothing() {
        let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/check-gltf");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("motion.glb");
        std::fs::write(
            &file,
            encode(&fixture::recording(), &json!({ "a": 1 })).unwrap(),
        )
        .unwrap();
        let installed = tool.join("node_modules/gltf-validator").is_dir();
        let run = Command::new("node")
            .arg(tool.join("check.mjs"))
            .arg(&file)
            .output();
        match run {
            Ok(output) if installed => {
                assert!(
                    output.status.success(),
                    "{}",
                    String::from_utf8_lossy(&output.stdout)
                );
            }
            _ => {
                let missing = "SKIPPED: run `npm ci` in tools/check-gltf to check motion.glb";
                assert!(
                    std::env::var_os("MOTIONFIT_REQUIRE_VALIDATOR").is_none(),
                    "{missing}"
                );
                eprintln!("{missing}");
            }
        }
    }

    #[test]
    fn the_animation_lasts_as_long_as_the_motion() {
        let glb = encode(&fixture::recording(), &Value::Null).unwrap();
        let gltf = gltf::Gltf::from_slice(&glb).unwrap();
        let blob = gltf.blob.clone().unwrap();
        let channel = gltf.animations().next().unwrap().channels().next().unwrap();
        let times: Vec<f32> = channel
            .reader(|_| Some(&blob))
            .read_inputs()
            .unwrap()
            .collect();
        assert_eq!(times, [0.0, 0.02, 0.04, 0.06, 0.08]);
    }
}
