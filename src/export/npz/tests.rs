use super::*;
use crate::export::fixture;

#[test]
fn what_is_read_is_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("motion.npz");
    let mut recording = fixture::recording();
    std::fs::write(&path, encode(&recording).unwrap()).unwrap();
    assert_eq!(read(&path, recording.body.clone()).unwrap(), recording);
    recording.reference.clear();
    std::fs::write(&path, encode(&recording).unwrap()).unwrap();
    assert_eq!(read(&path, recording.body.clone()).unwrap(), recording);
}

#[test]
fn the_same_recording_gives_the_same_bytes() {
    let recording = fixture::recording();
    assert_eq!(encode(&recording).unwrap(), encode(&recording).unwrap());
}

#[test]
fn feet_are_right_then_left() {
    let recording = fixture::recording();
    let bytes = encode(&recording).unwrap();
    let mut npz = NpzReader::new(Cursor::new(bytes)).unwrap();
    let forces: Array3<f64> = npz.by_name("contact_forces").unwrap();
    let points: Array3<f64> = npz.by_name("contact_points").unwrap();
    assert_eq!(forces.slice(s![2, 0, ..]).to_vec(), [1.0, 2.0, 302.0]);
    assert_eq!(forces.slice(s![2, 1, ..]).to_vec(), [0.0; 3]);
    assert!((points[[2, 0, 0]] - 0.2).abs() < 1e-12 && points[[2, 1, 0]].is_nan());
}

#[test]
fn another_body_and_other_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("motion.npz");
    let recording = fixture::recording();
    std::fs::write(&path, encode(&recording).unwrap()).unwrap();
    let mut body = recording.body;
    body.links.pop();
    let error = read(&path, body.clone()).unwrap_err();
    assert!(
        error.to_string().contains("links: found shape (5, 6, 7)"),
        "{error}"
    );
    std::fs::write(&path, b"text").unwrap();
    assert_eq!(read(&path, body).unwrap_err().exit_code(), 2);
}
