//! Frame rates: given, beside the file, in an archive.

use super::*;

#[test]
fn frame_rates_that_are_none_are_refused() {
    for fps in [0.0, -50.0, f64::NAN, f64::INFINITY] {
        let options = ReadOptions {
            fps: Some(fps),
            ..ReadOptions::default()
        };
        refused(
            read_person(&person(20, 1.0), &options),
            "--fps: frame rate: found",
        );
    }
}

#[test]
fn a_json_file_beside_gives_the_frame_rate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.npy");
    let read_beside = |json: &str, fps: Option<f64>| {
        std::fs::write(folder.path().join("clip.json"), json).unwrap();
        let options = ReadOptions {
            fps,
            ..ReadOptions::default()
        };
        read(&path, &options)
    };
    let positions = npy("(20, 17, 3)", &person(20, 1.0));
    // It comes before what an archive says, in `evaluate` as well.
    let archive = npz(&[("joints", positions.clone()), ("fps", npy("()", &[120.0]))]);
    for bytes in [&positions, &archive] {
        std::fs::write(&path, bytes).unwrap();
        let reading = read_beside(r#"{ "fps": 25, "floor": 1 }"#, None).unwrap();
        assert_eq!(reading.motion.fps, 25.0);
        assert!(noted(&reading, "frame rate: 25 fps, by clip.json beside"));
    }
    for silent in ["{}", "[25, 30]"] {
        assert_eq!(read_beside(silent, None).unwrap().motion.fps, 120.0);
    }
    refused(
        read_beside(r#"{ "fps": 0 }"#, None),
        "clip.json: frame rate: found 0",
    );
    let fast = r#"{ "fps": "fast" }"#;
    refused(read_beside(fast, None), "clip.json: line 1, \"fps\": found");
    let reading = read_beside(fast, Some(60.0)).unwrap();
    assert_eq!(reading.motion.fps, 60.0);
    assert!(!noted(&reading, "frame rate"));
}

/// An archive of the given members.
fn npz(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    use std::io::Write;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn archives_give_positions_and_frame_rate() {
    let positions = npy("(20, 17, 3)", &person(20, 1.0));
    let other = npy("(9, 3, 3)", &[0.0; 81]);
    for (name, rate) in [("joints", "fps"), ("mine", "mocap_framerate")] {
        let bytes = npz(&[
            ("R", other.clone()),
            (name, positions.clone()),
            (rate, npy("()", &[120.0])),
        ]);
        let reading = read_bytes(&bytes, &ReadOptions::default()).unwrap();
        assert_eq!((reading.motion.fps, reading.motion.len()), (120.0, 20));
        let options = ReadOptions {
            fps: Some(60.0),
            ..ReadOptions::default()
        };
        assert_eq!(read_bytes(&bytes, &options).unwrap().motion.fps, 60.0);
    }
    let options = ReadOptions::default();
    refused(
        read_bytes(&npz(&[("R", other)]), &options),
        "arrays: found R [9, 3, 3]; call",
    );
    let two = npz(&[("a", positions.clone()), ("b", positions.clone())]);
    refused(read_bytes(&two, &options), "a [20, 17, 3], b [20, 17, 3]");
    let slow = npz(&[("joints", positions), ("fps", npy("()", &[0.0]))]);
    refused(read_bytes(&slow, &options), "frame rate: found 0");
}

#[test]
fn frame_rates_of_archives_that_are_no_number_are_refused() {
    let mut text = npy("()", &[0.0, 0.0]);
    let kind = text.windows(3).position(|w| w == b"<f8").unwrap();
    text[kind..kind + 3].copy_from_slice(b"<U4");
    for (rate, found) in [
        (text, "fps: frame rate: found no number ('<U4'); save"),
        (npy("(2,)", &[25.0, 30.0]), "found [25.0, 30.0]; save"),
        (npy("(9, 2)", &[1.0; 18]), "found an array [9, 2]; save"),
    ] {
        let positions = npy("(20, 17, 3)", &person(20, 1.0));
        let bytes = npz(&[("joints", positions), ("fps", rate)]);
        refused(read_bytes(&bytes, &ReadOptions::default()), found);
        let options = ReadOptions {
            fps: Some(60.0),
            ..ReadOptions::default()
        };
        assert_eq!(read_bytes(&bytes, &options).unwrap().motion.fps, 60.0);
    }
}
