//! What is no motion.

use super::*;

#[test]
fn files_that_are_none_are_refused() {
    let options = ReadOptions::default();
    refused(read_bytes(b"", &options), "an empty file");
    refused(
        read_bytes(b"x,y,z\n0.1,0.2,0.3\n", &options),
        "found text; give an .npy",
    );
    refused(read_bytes(&[0x80, 4, 0x95], &options), "give a pickle of");
    refused(
        read_bytes(b"PK\x03\x04 and so on", &options),
        "damaged archive",
    );
    let whole = npy("(50, 17, 3)", &person(50, 1.0));
    refused(
        read_bytes(&whole[..whole.len() - 8], &options),
        "20392 bytes of data where",
    );
    refused(read_bytes(&whole[..40], &options), "truncated");
    refused(read_bytes(&whole[..4], &options), "truncated");
    refused(
        read(&PathBuf::from("no/such/clip.npy"), &options),
        "cannot read",
    );
    let folder = tempfile::tempdir().unwrap();
    refused(read(folder.path(), &options), "a directory");
}

#[test]
fn shapes_that_are_no_motion_are_refused() {
    let options = ReadOptions::default();
    let shaped = |shape: &str, len: usize| read_bytes(&npy(shape, &vec![0.5; len]), &options);
    refused(
        shaped("(50, 51)", 2550),
        "shape: found (50, 51); save the positions as",
    );
    refused(shaped("(51,)", 51), "found (51)");
    refused(
        shaped("(2, 23, 3)", 138),
        "the known numbers of joints are 17 (h36m17)",
    );
    refused(shaped("(1, 17, 3)", 51), "at least two frames");
    refused(shaped("(0, 17, 3)", 0), "at least two frames");
    // Five hours: refused by the header alone, whatever follows it.
    refused(shaped("(900000, 17, 3)", 1), "5.0 h at 50 fps");
    let options = ReadOptions {
        layout: Some(Layout::H36m17Toes),
        ..options
    };
    refused(read_person(&person(20, 1.0), &options), "has 19 joints");
}

#[test]
fn numbers_that_are_no_person_are_refused() {
    let options = ReadOptions::default();
    refused(
        read_person(&vec![f64::NAN; 510], &options),
        "NaN everywhere",
    );
    refused(
        read_person(&vec![0.7; 510], &options),
        "all joints in one place",
    );
    refused(
        read_person(&person(20, 0.1), &options),
        "stature: found a subject 16.",
    );
    let random: Vec<f64> = (0..5100)
        .map(|k| (k as f64 * 12.9898).sin() * 43758.5453 % 1.0)
        .collect();
    refused(read_person(&random, &options), "bone lengths varying");
    let mut values = person(20, 1.0);
    values[51 * 7 + 3 * 2 + 1] = f64::INFINITY;
    refused(
        read_person(&values, &options),
        "frame 7, joint 2: found inf",
    );
    for (unit, far) in [(1.0, 1e30), (0.001, -2e7)] {
        let mut values = person(20, unit);
        values[51 * 7 + 3 * 2 + 1] = far;
        let found = format!("clip.npy: frame 7, joint 2: found {far:.3e}; that is kilometres");
        refused(read_person(&values, &options), &found);
    }
    let metres = ReadOptions {
        units: Some(Unit::Metre),
        ..ReadOptions::default()
    };
    refused(read_person(&person(20, 0.001), &metres), "try --units mm");
}

#[test]
fn damaged_headers_are_refused_or_read_but_never_panic() {
    let whole = npy("(8, 17, 3)", &person(8, 1.0));
    for at in 0..whole.len() - 8 * 17 * 3 * 8 {
        for byte in [0, b'9', b'(', 0xff] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            if let Err(error) = read_bytes(&damaged, &ReadOptions::default()) {
                assert_eq!(error.exit_code(), 2, "{error}");
            }
        }
    }
}
