use super::*;
use crate::motion::files::MarkerMap;
use crate::motion::{self, ReadOptions};

/// Feet that walk along x at 1 m/s, right foot first: each stands for 0.6 s of every second, half a second apart.
fn walking() -> Feet {
    let foot = |t: f64, lag: f64, y: f64| {
        let t = t + lag;
        let (step, phase) = (t.floor(), t - t.floor());
        let swing = ((phase - 0.6) / 0.4).max(0.0);
        let x = step + swing - lag;
        let z = 0.2 * (std::f64::consts::PI * swing).sin();
        [Vector3::new(x, y, z), Vector3::new(x + 0.2, y, z)]
    };
    let at = |k: usize| {
        let t = k as f64 / 50.0;
        [foot(t, 0.0, -0.1), foot(t, 0.5, 0.1)]
    };
    Feet {
        fps: 50.0,
        offset: 0.0,
        soles: (0..150).map(at).collect(),
    }
}

/// A plate under one step of the right foot (from 1.0 to 1.6 s), 700 N, m, y up as in storage files.
fn plate(corners: bool) -> Plate {
    let load = |k: usize| if (100..160).contains(&k) { 700.0 } else { 0.0 };
    let center = |k: usize| Vector3::new(1.0 + 0.2 * (k as f64 - 100.0) / 60.0, 0.0, 0.1);
    let edge = |x: f64, z: f64| Vector3::new(x, 0.0, z);
    Plate {
        force: (0..300).map(|k| Vector3::new(0.0, load(k), 0.0)).collect(),
        center: (0..300)
            .map(|k| (load(k) > 0.0).then(|| center(k)))
            .collect(),
        foot: None,
        corners: corners.then(|| {
            [
                edge(0.9, -0.2),
                edge(1.4, -0.2),
                edge(1.4, 0.2),
                edge(0.9, 0.2),
            ]
        }),
    }
}

fn plates(plate: Plate) -> Plates {
    Plates {
        origin: "x.mot".into(),
        time: (0..300).map(|k| 10.0 + k as f64 / 100.0).collect(),
        plates: vec![plate],
        turn: Matrix3::new(1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0),
        by_clock: true,
    }
}

#[test]
fn the_foot_that_stands_on_the_plate_is_measured() {
    let place = Place {
        world_from_file: None,
        first: 10.0,
    };
    for corners in [false, true] {
        let found = plates(plate(corners)).on_feet(&place, &walking());
        assert_eq!(found.force[130], [Vector3::z() * 700.0, Vector3::zeros()]);
        let center = found.center[130][0].unwrap();
        assert!(
            (center - Vector3::new(1.1, -0.1, 0.0)).norm() < 1e-9,
            "{center}"
        );
        let valid = |time: f64| found.valid[(100.0 * time) as usize];
        assert_eq!(valid(1.3), [true, false], "the left foot is on no plate");
        assert_eq!(valid(0.3), [false, false], "the step before");
        assert!(valid(0.95)[0] && valid(1.8)[0], "the swings beside it");
        assert_eq!(valid(2.3), [false, false], "the step after");
    }
}

#[test]
fn a_foot_over_the_edge_or_two_on_a_plate_are_not_measured() {
    let place = Place {
        world_from_file: None,
        first: 10.0,
    };
    let mut small = plate(true);
    small.corners = small
        .corners
        .map(|corners| corners.map(|p| Vector3::new(p.x - 0.3, p.y, p.z)));
    let mut large = plate(true);
    large.corners = large.corners.map(|corners| corners.map(|p| p * 3.0));
    for plate in [small, large] {
        let found = plates(plate).on_feet(&place, &walking());
        assert!(found.valid.iter().all(|valid| *valid == [false; 2]));
    }
    let mut named = plate(false);
    named.foot = Some(1);
    let found = plates(named).on_feet(&place, &walking());
    assert_eq!(found.force[130], [Vector3::zeros(), Vector3::z() * 700.0]);
}

#[test]
fn other_files_are_refused_by_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let told = |name: &str, content: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        PlateFile::read(&path).unwrap_err().to_string()
    };
    for (name, content, found) in [
        ("a.npz", &b""[..], "an empty file"),
        ("a.npy", b"\x93NUMPY\x01\0", "a NumPy array"),
        ("a.trc", b"PathFileType\t4", "markers (.trc)"),
        (
            "a.csv",
            b"time,fz\n",
            "text without a storage file's header",
        ),
        (
            "a.md",
            "a — b\n".as_bytes(),
            "text without a storage file's header",
        ),
        (
            "a.bin",
            b"\x7fELF\0\0\0\0\xff\xfe\xfd\xfc",
            "an unknown binary format",
        ),
        ("a.pkl", b"\x80\x04", "a pickle"),
    ] {
        let told = told(name, content);
        assert!(
            told.contains(&format!("format: found {found}; give an .npz")),
            "{told}"
        );
    }
    let told = told(
        "a.xml",
        b"<OpenSimDocument><ExternalLoads></ExternalLoads></OpenSimDocument>",
    );
    assert!(told.contains("datafile: found none"), "{told}");
}

/// The folder of trials with force plates, where it is at hand.
fn trials() -> Option<std::path::PathBuf> {
    let root = std::env::var_os("MOTIONFIT_SHARED").unwrap_or_else(|| "../shared".into());
    let folder = Path::new(&root).join("data/grf");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no {} (set MOTIONFIT_SHARED)", folder.display());
        return None;
    }
    Some(folder)
}

/// What the plates in `file` say of the feet in `trial`.
fn measured(file: &Path, trial: &Path, options: &ReadOptions) -> ForcePlates {
    let reading = motion::read(trial, options).unwrap();
    let ankles = |joints: &motion::Joints| [[joints[3]; 2], [joints[6]; 2]];
    let joints = &reading.motion.joints;
    let soles = match &reading.motion.toes {
        Some(toes) => {
            let frames = joints.iter().zip(toes);
            let foot = |(joints, toes): (&motion::Joints, &[_; 2])| {
                [[joints[3], toes[0]], [joints[6], toes[1]]]
            };
            frames.map(foot).collect()
        }
        None => joints.iter().map(ankles).collect(),
    };
    let feet = Feet {
        fps: reading.motion.fps,
        offset: 0.0,
        soles,
    };
    let place = Place {
        world_from_file: Some(reading.world_from_file),
        first: motion::files::first_time(trial).unwrap(),
    };
    let PlateFile::Plates(plates) = PlateFile::read(file).unwrap() else {
        panic!("{} has plates", file.display())
    };
    plates.on_feet(&place, &feet)
}

/// Where both say that a loaded foot is measured: (ours, other's, foot) of every such sample; and how many of the other's
/// ours misses. Times are those of the other.
fn beside(ours: &ForcePlates, other: &ForcePlates) -> (Vec<(usize, usize, usize)>, usize) {
    let (mut both, mut missed) = (Vec::new(), 0);
    for (k, time) in other.time.iter().enumerate() {
        let i = ours.time.partition_point(|t| *t < time - 1e-6);
        if i == ours.time.len() || (ours.time[i] - time).abs() > 1e-4 {
            continue;
        }
        for foot in [0, 1] {
            let is_loaded = other.force[k][foot].z > 20.0 && other.valid[k][foot];
            match is_loaded && ours.valid[i][foot] {
                true => both.push((i, k, foot)),
                false => missed += usize::from(is_loaded),
            }
        }
    }
    (both, missed)
}

/// A trial by Vicon against what other code made of it with other rules.
#[test]
fn a_c3d_of_a_walk_has_the_forces_that_others_read() {
    let Some(folder) = trials() else { return };
    let trial = folder.join("raw/HC039A17_straight.c3d");
    let found = measured(&trial, &trial, &ReadOptions::default());
    let other = ForcePlates::from_archive(&folder.join("hc039a_straight_grf.npz")).unwrap();
    let (both, missed) = beside(&found, &other);
    assert!(
        both.len() > 900 && missed < 20,
        "{} samples, {missed} missed",
        both.len()
    );
    for (i, k, foot) in both {
        let difference = (found.force[i][foot] - other.force[k][foot]).norm();
        assert!(difference < 0.01, "{i} {foot}: {difference} N");
        let (a, b) = found.center[i][foot].zip(other.center[k][foot]).unwrap();
        // The other code takes the sensors to be below the middle of the plate, not beside it.
        assert!((a - b).xy().norm() < 3e-3, "{i} {foot}: {a} {b}");
    }
}

/// A walk of OpenSim's examples, whose columns do not say which foot they are of, against the same.
#[test]
fn a_storage_file_of_a_walk_is_given_to_the_feet() {
    let Some(folder) = trials() else { return };
    let raw = folder.join("raw");
    // Its knees and ankles have no markers: what is on the feet is all that counts here.
    let markers = r#"{
        "right_knee": "R.Shank.Upper", "right_ankle": ["R.Heel", "R.Midfoot.Sup"], "right_toe": "R.Toe.Tip",
        "left_knee": "L.Shank.Upper", "left_ankle": ["L.Heel", "L.Midfoot.Sup"], "left_toe": "L.Toe.Tip"
    }"#;
    let options = ReadOptions {
        markers: Some(MarkerMap::parse(markers, "markers").unwrap()),
        ..ReadOptions::default()
    };
    let (forces, trial) = (
        raw.join("subject01_walk1_grf.mot"),
        raw.join("subject01_walk1.trc"),
    );
    let mut found = measured(&forces, &trial, &options);
    // The other begins half a second later, with the joint angles that were published.
    found.time.iter_mut().for_each(|time| *time -= 0.5);
    let other = ForcePlates::from_archive(&folder.join("subject01_walk_grf.npz")).unwrap();
    let (both, missed) = beside(&found, &other);
    assert!(
        both.len() > 1300 && missed < 200,
        "{} samples, {missed} missed",
        both.len()
    );
    for (i, k, foot) in both {
        let difference = (found.force[i][foot].z - other.force[k][foot].z).abs();
        assert!(difference < 1.0, "{i} {foot}: {difference} N");
    }
}
