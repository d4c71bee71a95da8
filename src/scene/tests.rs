use super::*;

fn scene(text: &str) -> Result<Scene> {
    let scene: Scene = json::parse(text, "x.json")?;
    scene.check("x.json")?;
    Ok(scene)
}

#[test]
fn the_nearest_place_is_on_a_face_an_edge_or_from_inside_the_nearest_side() {
    let text = r#"{"boxes": [{"center": [1, 0, 0.5], "half_extents": [0.2, 0.3, 0.5], "yaw": 1.5707963267948966}]}"#;
    let cuboid = &scene(text).unwrap().boxes[0];
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
    let seat = &scene.boxes[0];
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
}
