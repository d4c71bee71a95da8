use super::*;
use crate::json;

fn scene(text: &str) -> Result<Scene> {
    let scene: Scene = json::parse(text, "x.json")?;
    scene.check("x.json")?;
    Ok(scene)
}

#[test]
fn the_nearest_place_is_on_a_face_an_edge_or_from_inside_the_nearest_side() {
    let text = r#"{"boxes": [{"center": [1, 0, 0.5], "half_extents": [0.2, 0.3, 0.5], "yaw": 1.5707963267948966}]}"#;
    let cuboid = &scene(text).unwrap().solids[0];
    // Turned by a quarter, it reaches 0.3 along x and 0.2 along y.
    let of = |x: f64, y: f64, z: f64| cuboid.nearest(&Vector3::new(x, y, z), 0.05);
    let above = of(1.1, 0.1, 1.2);
    assert!((above.normal - Vector3::z()).norm() < 1e-12 && (above.distance - 0.15).abs() < 1e-12);
    let beside = of(1.4, 0.3, 0.5);
    let expected = Vector3::new(1.0, 1.0, 0.0).normalize();
    assert!((beside.normal - expected).norm() < 1e-12);
    assert!((beside.distance - (0.02_f64.sqrt() - 0.05)).abs() < 1e-12);
    let inside = of(1.0, -0.15, 0.5);
    assert!((inside.normal + Vector3::y()).norm() < 1e-12 && (inside.distance + 0.1).abs() < 1e-12);
}

#[test]
fn a_ramp_is_as_high_as_its_slope_says() {
    // 30 degrees about y: up towards −x.
    let (w, y) = (15.0_f64.to_radians().cos(), 15.0_f64.to_radians().sin());
    let text = format!(
        r#"{{"boxes": [{{"center": [0, 0, 0], "half_extents": [1, 1, 0.1], "quaternion": [{w}, 0, {y}, 0]}}]}}"#
    );
    let scene = scene(&text).unwrap();
    let at = |x: f64| scene.height_under(&Vector3::new(x, 0.0, 2.0), 0.0);
    let thickness = 0.1 / 30.0_f64.to_radians().cos();
    assert!((at(0.0) - thickness).abs() < 1e-12);
    assert!((at(-0.5) - thickness - 0.5 * 30.0_f64.to_radians().tan()).abs() < 1e-12);
    assert_eq!(at(0.9), 0.0, "it is under the ground there");
    assert_eq!(scene.height_under(&Vector3::new(0.0, 0.0, 0.1), 0.0), 0.0);
}

#[test]
fn boxes_that_are_there_for_a_while_or_for_some_links_come_back_from_a_file() {
    let text = r#"{"boxes": [{"name": "seat", "center": [0, 0, 0.2], "half_extents": [0.2, 0.2, 0.2],
            "during": [1, 2.5], "links": ["pelvis"]}]}"#;
    let scene = scene(text).unwrap();
    let seat = &scene.solids[0];
    assert!(seat.is_there(1.0) && !seat.is_there(2.5) && !seat.is_there(0.9));
    assert!(seat.is_for("pelvis") && !seat.is_for("head"));
    let again: Scene = json::parse(&serde_json::to_string(&scene).unwrap(), "y").unwrap();
    assert_eq!(again, scene);
}

#[test]
fn a_box_without_size_place_or_rotation_is_refused_by_name() {
    let of = |fields: &str| {
        scene(&format!(r#"{{"boxes": [{{{fields}}}]}}"#))
            .unwrap_err()
            .to_string()
    };
    let error = of(r#""center": [0, 0, 0], "half_extents": [1, 0, 1]"#);
    assert!(
        error.starts_with("x.json: boxes[0].half_extents: found [1, 0, 1]"),
        "{error}"
    );
    let error = of(r#""center": [0, 0, 1e300], "half_extents": [1, 1, 1]"#);
    assert!(error.contains("boxes[0].center"), "{error}");
    let error = of(r#""center": [0, 0, 0], "half_extents": [1, 1, 1], "quaternion": [0, 0, 0, 0]"#);
    assert!(error.contains("boxes[0].quaternion"), "{error}");
    let error = of(r#""center": [0, 0, 0], "half_extents": [1, 1, 1], "during": [2, 1]"#);
    assert!(error.contains("boxes[0].during"), "{error}");
    let error = of(r#""center": [0, 0]"#);
    assert!(error.contains("line 1"), "{error}");
    let error = of(r#""center": [0, 0, 0]"#);
    assert!(error.contains("boxes[0].half_extents: nothing"), "{error}");
    let error = of(r#""center": [0, 0, 0], "half_extents": [1, 1, 1], "scale": 2"#);
    assert!(
        error.contains("boxes[0].scale: a field of another list"),
        "{error}"
    );
}

/// The corners of a box with the given half sizes as the points of a hull.
fn corners(half: [f64; 3]) -> Vec<Vector3<f64>> {
    Shape::Box(half.into()).corners()
}

#[test]
fn a_hull_of_the_corners_of_a_box_is_that_box() {
    let half = [0.2, 0.3, 0.5];
    let (cuboid, hull) = (
        Shape::Box(half.into()),
        Shape::Hull(Hull::new(&corners(half)).unwrap()),
    );
    let steps = (-9..=9).map(|i| 0.08 * f64::from(i));
    for (x, y) in steps
        .clone()
        .flat_map(|x| steps.clone().map(move |y| (x, y)))
    {
        for z in steps.clone() {
            let p = Vector3::new(x + 0.003, y + 0.001, z + 0.002);
            let [(normal, distance), (expected, known)] =
                [&hull, &cuboid].map(|shape| shape.nearest(&p));
            assert!(
                (distance - known).abs() < 1e-12,
                "{p}: {distance} and {known}"
            );
            assert!(
                (normal - expected).norm() < 1e-9,
                "{p}: {normal} and {expected}"
            );
        }
        let up = Vector3::new(0.1, -0.2, 1.0);
        let [top, known] =
            [&hull, &cuboid].map(|shape| shape.highest(&Vector3::new(x, y, 0.0), &up));
        assert_eq!(top.is_some(), known.is_some(), "{x} {y}");
        assert!(
            (top.unwrap_or(0.0) - known.unwrap_or(0.0)).abs() < 1e-12,
            "{x} {y}"
        );
    }
    assert_eq!(hull.faces().len(), 6);
}

#[test]
fn hulls_come_back_from_a_file_and_flat_ones_are_refused() {
    let text = r#"{"hulls": [{"name": "wedge", "points": [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0.5], [0, 1, 0.5]],
        "center": [2, 0, 0], "yaw": 3.141592653589793, "links": ["pelvis"]}]}"#;
    let scene = scene(text).unwrap();
    // Turned by a half, it rises along x from 1 to 2.
    let at = |x: f64| scene.height_under(&Vector3::new(x, -0.5, 1.0), 0.0);
    assert!(
        (at(1.5) - 0.25).abs() < 1e-12 && (at(1.9) - 0.45).abs() < 1e-12,
        "{} {}",
        at(1.5),
        at(1.9)
    );
    assert_eq!(at(2.1), 0.0);
    let again: Scene = json::parse(&serde_json::to_string(&scene).unwrap(), "y").unwrap();
    let [mut before, mut after] = [&scene, &again].map(|scene| scene.solids[0].corners());
    for corners in [&mut before, &mut after] {
        corners.sort_by(|a, b| a.iter().partial_cmp(b.iter()).unwrap());
    }
    assert_eq!(before, after);
    assert_eq!(again.solids[0].links, scene.solids[0].links);

    let flat =
        r#"{"hulls": [{"points": [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0.5, 0.2, 0]]}]}"#;
    let error = self::scene(flat).unwrap_err().to_string();
    assert!(error.contains("hulls[0].points: found 0.0000 m"), "{error}");
    let thin = r#"{"hulls": [{"points": [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0.004]]}]}"#;
    let error = self::scene(thin).unwrap_err().to_string();
    assert!(
        error.starts_with("x.json: hulls[0].points: found 0.00"),
        "{error}"
    );
}

mod meshes {
    use std::fs;

    use super::*;

    /// A cube of 1 m that begins at `x`, as the lines of an OBJ file, after `before` corners.
    fn cube(x: f64, before: usize) -> String {
        let corners =
            (0..8).map(|i| format!("v {} {} {}\n", x + f64::from(i & 1), i >> 1 & 1, i >> 2));
        let faces = [
            [1, 3, 4, 2],
            [5, 6, 8, 7],
            [1, 2, 6, 5],
            [3, 7, 8, 4],
            [1, 5, 7, 3],
            [2, 4, 8, 6],
        ];
        let faces = faces.map(|face| {
            format!(
                "f {} {} {} {}\n",
                face[0] + before,
                face[1] + before,
                face[2] + before,
                face[3] + before
            )
        });
        corners.chain(faces).collect()
    }

    fn write(folder: &tempfile::TempDir, name: &str, text: &str) -> std::path::PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn every_part_of_an_obj_that_is_convex_is_a_hull() {
        let folder = tempfile::tempdir().unwrap();
        // A label without thickness is left out.
        let label = "v 0 0 2\nv 1 0 2\nv 0 1 2\nf 17 18 19\n";
        let text = String::from("o rocks\n") + &cube(0.0, 0) + &cube(3.0, 8) + label;
        let path = write(&folder, "rocks.OBJ", &text);
        let scene = Scene::read(&path).unwrap();
        assert_eq!(scene.described(), "2 hulls");
        assert_eq!(scene.solids[0].name.as_deref(), Some("rocks"));
        assert_eq!(scene.height_under(&Vector3::new(3.5, 0.5, 2.0), 0.0), 1.0);
        assert_eq!(scene.height_under(&Vector3::new(2.5, 0.5, 2.0), 0.0), 0.0);
    }

    #[test]
    fn a_scene_places_its_meshes() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, "rocks.obj", &cube(0.0, 0));
        let entry = r#"{"meshes": [{"file": "rocks.obj", "scale": 0.5, "up": "-y", "center": [1, 0, 0.2], "during": [0, 1]}]}"#;
        let scene = Scene::read(&write(&folder, "scene.json", entry)).unwrap();
        // y points down in the file, from 0 to 0.5 m.
        assert!((scene.solids[0].top() - 0.2).abs() < 1e-12);
        assert!(!scene.solids[0].is_there(1.0));
        let error = |text: &str| {
            Scene::read(&write(&folder, "bad.json", text))
                .unwrap_err()
                .to_string()
        };
        let refused = error(r#"{"meshes": [{"file": "rocks.obj", "up": "north"}]}"#);
        assert!(
            refused.contains("bad.json: meshes[0].up: found north"),
            "{refused}"
        );
        let refused = error(r#"{"meshes": [{"file": "none.obj"}]}"#);
        assert!(refused.contains("none.obj: cannot read"), "{refused}");
        let refused = error(r#"{"meshes": [{"file": "bad.json"}]}"#);
        assert!(refused.contains("found another kind"), "{refused}");
    }

    /// Two steps of stairs that rise along x, 1 m wide, 0.5 m deep and high each, as one closed mesh.
    const STAIRS: &str = "
        v 0 0 0\nv 1 0 0\nv 1 0 1\nv 0.5 0 1\nv 0.5 0 0.5\nv 0 0 0.5
        v 0 1 0\nv 1 1 0\nv 1 1 1\nv 0.5 1 1\nv 0.5 1 0.5\nv 0 1 0.5
        f 1 2 5\nf 1 5 6\nf 2 3 5\nf 3 4 5
        f 11 8 7\nf 12 11 7\nf 11 9 8\nf 11 10 9
        f 1 7 8 2\nf 2 8 9 3\nf 3 9 10 4\nf 4 10 11 5\nf 5 11 12 6\nf 6 12 7 1";

    #[test]
    fn what_is_not_convex_is_divided_if_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let stairs = Scene::read(&write(&folder, "stairs.obj", STAIRS)).unwrap();
        assert!(
            (2..=6).contains(&stairs.solids.len()),
            "{} pieces",
            stairs.solids.len()
        );
        // Within a cell of the division, 1 / 64 m.
        for (x, top) in [(0.1, 0.5), (0.4, 0.5), (0.6, 1.0), (0.9, 1.0)] {
            let height = stairs.height_under(&Vector3::new(x, 0.5, 2.0), 0.0);
            assert!((height - top).abs() < 0.02, "{height} m at {x}");
        }
        let open = STAIRS.replace("f 1 2 5", "");
        let error = Scene::read(&write(&folder, "open.obj", &open))
            .unwrap_err()
            .to_string();
        assert!(error.contains("open and not convex"), "{error}");
        let error = Scene::read(&write(&folder, "none.obj", "o nothing"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("no body"), "{error}");
    }

    #[test]
    fn a_gltf_file_stands_as_its_nodes_say_with_y_up() {
        let folder = tempfile::tempdir().unwrap();
        // A tetrahedron: corners at the origin and 1 m along every axis.
        let corners: [[f32; 3]; 4] = [[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let indices: [u16; 12] = [0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3];
        let bytes = corners.iter().flatten().flat_map(|x| x.to_le_bytes());
        let bytes: Vec<u8> = bytes
            .chain(indices.iter().flat_map(|i| i.to_le_bytes()))
            .collect();
        fs::write(folder.path().join("corner.bin"), &bytes).unwrap();
        let text = |uri: &str| {
            format!(
                r#"{{"asset": {{"version": "2.0"}}, "scene": 0, "scenes": [{{"nodes": [0]}}],
            "nodes": [{{"children": [1], "translation": [0, 0.25, 0]}}, {{"name": "corner", "mesh": 0, "scale": [2, 2, 2]}}],
            "meshes": [{{"primitives": [{{"attributes": {{"POSITION": 0}}, "indices": 1}}]}}],
            "buffers": [{{"uri": "{uri}", "byteLength": 72}}],
            "bufferViews": [{{"buffer": 0, "byteLength": 48}}, {{"buffer": 0, "byteOffset": 48, "byteLength": 24}}],
            "accessors": [{{"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3", "min": [0, 0, 0], "max": [1, 1, 1]}},
                {{"bufferView": 1, "componentType": 5123, "count": 12, "type": "SCALAR"}}]}}"#
            )
        };
        use base64::Engine;
        let inline = base64::prelude::BASE64_STANDARD.encode(&bytes);
        for uri in [
            "corner.bin".to_string(),
            format!("data:application/octet-stream;base64,{inline}"),
        ] {
            let scene = Scene::read(&write(&folder, "corner.gltf", &text(&uri))).unwrap();
            let [solid] = scene.solids.as_slice() else {
                panic!("{scene:?}")
            };
            assert_eq!(solid.name.as_deref(), Some("corner"));
            assert!((solid.top() - 2.25).abs() < 1e-6);
            // (x, y, z) of the file is (y, z, x) here, reversed: its z is x.
            assert!((scene.height_under(&Vector3::new(1.0, 0.5, 3.0), 0.0) - 0.75).abs() < 1e-6);
        }
        let error = Scene::read(&write(&folder, "lost.gltf", &text("lost.bin")))
            .unwrap_err()
            .to_string();
        assert!(error.contains("lost.bin: cannot read"), "{error}");
        let error = Scene::read(&write(&folder, "no.glb", "glTF?"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("no.glb: content"), "{error}");
    }
}
