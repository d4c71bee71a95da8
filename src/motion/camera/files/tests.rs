use super::*;

fn read(text: &str) -> Result<Vec<Camera>> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("camera.json");
    std::fs::write(&path, text).unwrap();
    read_cameras(&path)
}

const PINHOLE: &str = r#"{"size": [1000, 800], "focal": [900, 910], "position": [0, 0, 1.5],
        "rotation": [[0, -1, 0], [0, 0, -1], [1, 0, 0]]}"#;

#[test]
fn one_camera_a_list_and_a_named_list_are_the_same() {
    let one = read(PINHOLE).unwrap();
    assert_eq!(one[0].center, Vector2::new(500.0, 400.0));
    assert!((one[0].position() - Vector3::new(0.0, 0.0, 1.5)).norm() < 1e-12);
    assert_eq!(read(&format!("[{PINHOLE}]")).unwrap(), one);
    assert_eq!(read(&format!("{{\"cameras\": [{PINHOLE}]}}")).unwrap(), one);
}

#[test]
fn aist_settings_are_centimetres_with_y_up() {
    let text = r#"[{"name": "c01", "size": [1920, 1080], "distortions": [0.1, 0, 0, 0, 0],
            "matrix": [[1300, 0, 960], [0, 1300, 540], [0, 0, 1]],
            "rotation": [3.14159265358979, 0, 0], "translation": [0, 180, 450]}]"#;
    let camera = read(text).unwrap().remove(0);
    assert_eq!(camera.name, "c01");
    // Its y axis points down: 1.8 m high, 4.5 m from the origin.
    assert!((camera.position().z - 1.8).abs() < 1e-9);
    assert!((camera.position().xy().norm() - 4.5).abs() < 1e-9);
}

#[test]
fn quaternions_are_made_unit_ones_where_they_nearly_are() {
    let turned = |wxyz: &str| {
        let text = r#"{"size": [1000, 800], "focal": [900, 910], "position": [0, 0, 1.5],
                "orientation_wxyz": WXYZ}"#;
        read(&text.replace("WXYZ", wxyz))
    };
    let exact = turned("[0.5, -0.5, 0.5, -0.5]").unwrap().remove(0);
    let rough = turned("[0.51, -0.51, 0.51, -0.51]").unwrap().remove(0);
    assert!((exact.rotation.matrix() - rough.rotation.matrix()).norm() < 1e-12);
    let found = "camera 0: orientation_wxyz: found (0, 0, 0, 0); give a unit quaternion";
    for (wxyz, expected) in [("[0, 0, 0, 0]", found), ("[3, 0, 0, 0]", "(3, 0, 0, 0)")] {
        let error = turned(wxyz).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn mistakes_are_named() {
    let message = |text: &str| read(text).unwrap_err().to_string();
    let swap = |from: &str, to: &str| message(&PINHOLE.replace(from, to));
    assert!(swap("[900, 910]", "[0.9, 0.9]").contains("focal"));
    assert!(swap("[0, -1, 0]", "[0, 1, 0]").contains("determinant"));
    assert!(swap("\"position\"", "\"positoin\"").contains("positoin"));
    assert!(swap("[0, 0, 1.5]", "[0, 0, 15000]").contains("units"));
    assert!(message("[]").contains("none"));
    let with = |field: &str| swap("\"size\"", &format!("{field}, \"size\""));
    let units = with(r#""units": "inch""#);
    assert!(
        units.contains("camera.json: camera 0: units: found `inch`"),
        "{units}"
    );
    let up = with(r#""up": "sideways""#);
    assert!(
        up.contains("camera.json: camera 0: up: found `sideways`"),
        "{up}"
    );
}
