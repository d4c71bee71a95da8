//! Cameras against OpenCV and Human3.6M's formula (`tools/golden_cameras.py` writes
//! `tests/golden/cameras.json`).

use motionfit::motion::camera::read_cameras;
use nalgebra::{Vector2, Vector3};
use serde_json::Value;

#[test]
fn pixels_equal_opencv_and_the_formula_of_human36m() {
    let golden: Value = serde_json::from_str(include_str!("golden/cameras.json")).unwrap();
    let points: Vec<[f64; 3]> = serde_json::from_value(golden["points"].clone()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("camera.json");
    for case in golden["cases"].as_array().unwrap() {
        std::fs::write(&path, case["camera"].to_string()).unwrap();
        let camera = read_cameras(&path).unwrap().remove(0);
        assert_eq!(camera.name, case["camera"]["name"]);
        let pixels: Vec<[f64; 2]> = serde_json::from_value(case["pixels"].clone()).unwrap();
        for (point, expected) in points.iter().zip(pixels) {
            let pixel = camera.project(&Vector3::from(*point)).unwrap();
            let error = (pixel - Vector2::from(expected)).norm();
            assert!(error < 1e-6, "{}: {pixel}, not {expected:?}", camera.name);
        }
    }
}
