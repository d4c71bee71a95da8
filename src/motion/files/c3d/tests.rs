use super::*;
use crate::motion::{ReadOptions, read};

const FILES: [&[u8]; 6] = [
    include_bytes!("../../../../tests/golden/c3d/intel_integer.c3d"),
    include_bytes!("../../../../tests/golden/c3d/dec_integer.c3d"),
    include_bytes!("../../../../tests/golden/c3d/mips_integer.c3d"),
    include_bytes!("../../../../tests/golden/c3d/intel_float.c3d"),
    include_bytes!("../../../../tests/golden/c3d/dec_float.c3d"),
    include_bytes!("../../../../tests/golden/c3d/mips_float.c3d"),
];

fn parse(bytes: &[u8]) -> Result<C3d> {
    C3d::parse(bytes, "x.c3d", |_, _| Ok(()))
}

#[test]
fn every_processor_says_the_same() {
    let same = |a: &[f64], b: &[f64]| {
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-9 || a.is_nan() && b.is_nan();
        a.len() == b.len() && a.iter().zip(b).all(close)
    };
    let files = FILES.map(|bytes| parse(bytes).unwrap());
    for (first, others) in [(&files[0], &files[1..3]), (&files[3], &files[4..6])] {
        for other in others {
            assert!(same(&first.points, &other.points));
            assert!(same(&first.analog.values, &other.analog.values));
            assert_eq!((&first.names, &first.plates), (&other.names, &other.plates));
        }
    }
    assert_eq!(files[0].analog.rate, 400.0);
    assert_eq!(files[0].analog.units[3], "Nmm");
    assert_eq!(
        files[2].notes,
        ["C3D: MIPS integers, 260 points, 8 analog channels, 1 force plates"]
    );
}

#[test]
fn files_that_end_early_or_promise_too_much_are_refused() {
    let whole = FILES[3];
    let message = |bytes: &[u8]| parse(bytes).unwrap_err().to_string();
    assert!(message(&whole[..whole.len() - 2048]).contains("3 frames of data where"));
    assert!(message(&whole[..512]).contains("processor 0"));
    let mut bytes = whole.to_vec();
    bytes[8..10].copy_from_slice(&[0xfe, 0xff]);
    assert!(message(&bytes).contains("where the header promises 65524"));
    bytes[2..4].copy_from_slice(&[0, 0]);
    assert!(message(&bytes).contains("points: found none"));
    let refused = C3d::parse(whole, "x.c3d", |frames, fps| {
        assert_eq!((frames, fps), (4, 100.0));
        Err(Error::input("x.c3d", "length", frames, "no"))
    });
    assert!(refused.unwrap_err().to_string().contains("length"));
}

/// A section with one group of float parameters.
fn section(group: &str, parameters: &[(&str, f32)]) -> Section {
    let mut bytes = vec![1, KEY, 1, 84];
    let mut add = |number: i8, name: &str, data: &[u8]| {
        bytes.extend([name.len() as u8, number as u8]);
        bytes.extend(name.as_bytes());
        bytes.extend((2 + data.len() as i16).to_le_bytes());
        bytes.extend(data);
    };
    add(-1, group, &[0]);
    for (name, value) in parameters {
        let value = [&[4, 0][..], &value.to_le_bytes(), &[0]].concat();
        add(1, name, &value);
    }
    bytes.extend([0; 8]);
    Section::read(&bytes, "x.c3d").unwrap()
}

#[test]
fn the_file_says_who_moved() {
    let entered = section("PROCESSING", &[("Bodymass", 32.1), ("Height", 1450.0)]);
    let known = subject(&entered);
    let note = told(known).unwrap();
    assert_eq!(note, "subject: 32.1 kg (--mass), 1.45 m, as the file says");
    let zeros = section("PROCESSING", &[("Bodymass", 0.0), ("Height", 1.45)]);
    assert_eq!((subject(&zeros), told(subject(&zeros))), Default::default());
    let given = Subject {
        mass: Some(40.0),
        stature: None,
    };
    let both = (Some(40.0), known.stature);
    assert_eq!((given.or(known).mass, given.or(known).stature), both);
}

#[test]
fn a_group_of_the_lowest_number_is_a_group_like_others() {
    let mut bytes = FILES[3].to_vec();
    let first = 512 * (usize::from(bytes[0]) - 1) + 4;
    assert!((bytes[first + 1] as i8) < 0);
    bytes[first + 1] = i8::MIN as u8;
    let _ = parse(&bytes).map(|file| file.names);
}

#[test]
fn damaged_files_are_refused_or_read_but_never_panic() {
    for whole in [FILES[0], FILES[4]] {
        let mut state = 7_u32;
        for _ in 0..3000 {
            let mut bytes = whole[..6000].to_vec();
            for _ in 0..4 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 8) as usize % 1800;
                bytes[at] = (state >> 4) as u8;
            }
            let _ = parse(&bytes).map(|file| file.markers(None).joints("x.c3d"));
        }
    }
}

#[test]
fn points_that_are_no_body_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.c3d");
    std::fs::write(&path, FILES[4]).unwrap();
    let error = read(&path, &ReadOptions::default()).unwrap_err();
    let line = error.to_string();
    assert_eq!(error.exit_code(), 2);
    assert!(
        line.contains("no right hip, right knee") && line.contains("230 more"),
        "{line}"
    );
}
