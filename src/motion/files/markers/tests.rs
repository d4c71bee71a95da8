use super::*;
use crate::motion::skeleton::{
    LEFT_HIP, RIGHT_ANKLE, RIGHT_HIP, RIGHT_KNEE, RIGHT_SHOULDER, THORAX,
};

/// Markers of Plug-in Gait on a person 1.75 m tall who faces along y, mm, z up: pelvis 240 mm wide and
/// 150 deep.
fn plug_in_gait() -> Vec<(String, [f64; 3])> {
    let mut markers = vec![
        ("C7".to_string(), [0.0, -60.0, 1500.0]),
        ("CLAV".to_string(), [0.0, 60.0, 1430.0]),
    ];
    for (side, sign) in [('R', 1.0), ('L', -1.0)] {
        for (name, [x, y, z]) in [
            ("ASI", [120.0, 75.0, 1000.0]),
            ("PSI", [45.0, -75.0, 1000.0]),
            ("KNE", [145.0, 20.0, 500.0]),
            ("ANK", [130.0, 0.0, 85.0]),
            ("TOE", [100.0, 140.0, 35.0]),
            ("SHO", [180.0, 0.0, 1480.0]),
            ("ELB", [230.0, 0.0, 1120.0]),
            ("WRA", [215.0, 30.0, 870.0]),
            ("WRB", [245.0, 0.0, 870.0]),
            ("FHD", [70.0, 70.0, 1690.0]),
            ("BHD", [70.0, -70.0, 1690.0]),
        ] {
            markers.push((format!("Tom:{side}{name}"), [sign * x, y, z]));
        }
    }
    markers
}

fn markers(points: &[(String, [f64; 3])]) -> Markers {
    Markers {
        names: points.iter().map(|(name, _)| name.clone()).collect(),
        values: (0..3)
            .flat_map(|_| points.iter().flat_map(|(_, p)| *p))
            .collect(),
        fps: Some(100.0),
        unit: Some(Unit::Millimetre),
        up: Axis::Z,
        subject: Subject::default(),
        notes: Vec::new(),
    }
}

#[test]
fn markers_on_the_skin_tell_the_joints() {
    let points = markers(&plug_in_gait()).joints("x.c3d").unwrap();
    assert_eq!(points.layout, Some(Layout::H36m17Toes));
    for note in [
        "Harrington",
        "half a knee's width inside Tom:RKNE",
        "4 markers around it",
    ] {
        assert!(points.notes[0].contains(note), "{}", points.notes[0]);
    }
    let frame = points.frames().next().unwrap();
    // 0.33 · 240 + 7.3 to the side, 0.24 · 150 + 9.9 back, 0.3 · 240 + 10.9 down.
    let hip = Vector3::new(86.5, 75.0 - 45.9, 1000.0 - 82.9);
    assert!((frame[RIGHT_HIP] - hip).norm() < 1e-9);
    assert!((frame[LEFT_HIP] - Vector3::new(-86.5, hip.y, hip.z)).norm() < 1e-9);
    let width = frame[RIGHT_KNEE].x - 145.0;
    assert!((-62.0..-50.0).contains(&width), "{width}");
    assert!((-50.0..-38.0).contains(&(frame[RIGHT_ANKLE].x - 130.0)));
    assert!((1480.0 - frame[RIGHT_SHOULDER].z - 0.17 * 360.0).abs() < 1.0);
    assert!((frame[THORAX].z - 1465.0).abs() < 1.0);
    assert!(
        frame[10].z > 1690.0 && frame[10].z < 1780.0,
        "{}",
        frame[10]
    );
}

/// A frame of `names`, each where the markers of Plug-in Gait have `at`, moved by `by`.
fn renamed(names: &[(&str, &str, [f64; 3])]) -> Vec<(String, [f64; 3])> {
    let known = plug_in_gait();
    let find = |at: &str| known.iter().find(|(name, _)| name.ends_with(at)).unwrap().1;
    let both = |(name, at, by): &(&str, &str, [f64; 3])| {
        let of = |side: char, sign: f64| {
            let [x, y, z] = find(&format!("{side}{at}"));
            let point = [x + sign * by[0], y + by[1], z + by[2]];
            (name.replace('?', &side.to_string()), point)
        };
        [of('R', 1.0), of('L', -1.0)]
    };
    names.iter().flat_map(both).collect()
}

#[test]
fn an_elbow_is_half_its_width_inside_its_marker() {
    let place = |bend: f64| {
        let mut points = plug_in_gait();
        for (name, at) in &mut points {
            if name.ends_with("WRA") || name.ends_with("WRB") {
                at[1] += bend; // forward
            }
        }
        let points = markers(&points).joints("x.c3d").unwrap();
        let frame = points.frames().next().unwrap();
        [frame[15], frame[12]]
    };
    for bend in [0.0, 60.0, 150.0] {
        let [right, left] = place(bend);
        assert!((right.x + left.x).abs() < 1e-9 && (right.z - left.z).abs() < 1e-9);
        let way = right - Vector3::new(230.0, 0.0, 1120.0);
        assert!((40.0..46.0).contains(&way.norm()), "{bend}: {}", way.norm());
        // An arm that hangs straight down, and a little to the side, tells little of its axis.
        let most = if bend > 0.0 { 25.0 } else { 35.0 };
        let is_inside = way.x < -25.0 && way.y.abs() < most && way.z.abs() < 12.0;
        assert!(is_inside, "{bend}: {way}");
    }
}

#[test]
fn the_markers_of_rajagopal_tell_the_joints() {
    let mut points = renamed(&[
        ("?ASI", "ASI", [0.0; 3]),
        ("?PSI", "PSI", [0.0; 3]),
        ("?LFC", "KNE", [0.0; 3]),
        ("?MFC", "KNE", [-100.0, 0.0, 0.0]),
        ("?LMAL", "ANK", [0.0; 3]),
        ("?MMAL", "ANK", [-80.0, 0.0, 0.0]),
        ("?ACR", "SHO", [0.0; 3]),
        ("?LEL", "ELB", [0.0; 3]),
        ("?MEL", "ELB", [-70.0, 0.0, 0.0]),
        ("?FAradius", "WRA", [0.0; 3]),
        ("?FAulna", "WRB", [0.0; 3]),
        ("?MT1", "TOE", [-20.0, 0.0, 0.0]),
        ("?MT5", "TOE", [40.0, -20.0, 0.0]),
        ("?CAL", "TOE", [0.0, -200.0, 0.0]),
    ]);
    points.push(("C7".into(), [0.0, -60.0, 1500.0]));
    points.push(("CLAV".into(), [0.0, 60.0, 1430.0]));
    let points = markers(&points).joints("x.trc").unwrap();
    let note = &points.notes[0];
    for expected in [
        "middle of RLFC and RMFC",
        "middle of RLMAL and RMMAL",
        "middle of RLEL and RMEL",
        "middle of RFAradius and RFAulna",
        "toe base between RMT1 and RMT5",
    ] {
        assert!(note.contains(expected), "{note}");
    }
    let frame = points.frames().next().unwrap();
    assert_eq!(frame[RIGHT_KNEE], Vector3::new(95.0, 20.0, 500.0));
    assert_eq!(frame[17], Vector3::new(110.0, 130.0, 35.0));
}

#[test]
fn augmented_markers_go_before_the_centres_they_were_made_of() {
    let mut points = Vec::new();
    for (centre, at) in [
        ("Hip", "ASI"),
        ("Knee", "KNE"),
        ("Ankle", "ANK"),
        ("Shoulder", "SHO"),
        ("Elbow", "ELB"),
        ("Wrist", "WRA"),
        ("BigToe", "TOE"),
        ("Heel", "ANK"),
    ] {
        points.extend(renamed(&[(&format!("?{centre}"), at, [500.0, 0.0, 0.0])]));
    }
    points.extend(renamed(&[
        ("?.ASIS_study", "ASI", [0.0; 3]),
        ("?.PSIS_study", "PSI", [0.0; 3]),
        ("?_knee_study", "KNE", [0.0; 3]),
        ("?_mknee_study", "KNE", [-100.0, 0.0, 0.0]),
        ("?_ankle_study", "ANK", [0.0; 3]),
        ("?_mankle_study", "ANK", [-80.0, 0.0, 0.0]),
        ("?_shoulder_study", "SHO", [0.0; 3]),
        ("?_lelbow_study", "ELB", [0.0; 3]),
        ("?_melbow_study", "ELB", [-70.0, 0.0, 0.0]),
        ("?_lwrist_study", "WRA", [0.0; 3]),
        ("?_mwrist_study", "WRB", [0.0; 3]),
        ("?_toe_study", "TOE", [0.0; 3]),
        ("?_calc_study", "ANK", [0.0; 3]),
    ]));
    let points = markers(&points).joints("x.trc").unwrap();
    let frame = points.frames().next().unwrap();
    let note = &points.notes[0];
    assert!(
        note.contains("Harrington") && note.contains("below R_shoulder_study"),
        "{note}"
    );
    assert!(note.contains("toe base R_toe_study"), "{note}");
    for (joint, point) in frame.iter().enumerate() {
        assert!(
            point.x.abs() < 260.0,
            "joint {joint} is by OpenPose: {point}"
        );
    }
}

#[test]
fn what_is_hardly_ever_seen_is_not_used() {
    let mut markers = markers(&plug_in_gait());
    let toe = 3 * markers
        .names
        .iter()
        .position(|name| name == "Tom:RTOE")
        .unwrap();
    let width = 3 * markers.names.len();
    for frame in 0..2 {
        markers.values[frame * width + toe..][..3].fill(0.0);
    }
    let points = markers.joints("x.c3d").unwrap();
    assert_eq!(points.layout, Some(Layout::H36m17));
    assert!(points.notes[0].starts_with("zeros: 2 points"));
    let missing: Vec<_> = plug_in_gait();
    let missing: Vec<_> = missing
        .into_iter()
        .filter(|(name, _)| !name.ends_with("SHO"))
        .collect();
    let error = self::markers(&missing)
        .joints("x.c3d")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no right shoulder, left shoulder among"),
        "{error}"
    );
}

/// The markers of Plug-in Gait on the skin, without the letter of the side.
const SKIN: [&str; 11] = [
    "ASI", "PSI", "KNE", "ANK", "TOE", "SHO", "ELB", "WRA", "WRB", "FHD", "BHD",
];
/// What Plug-in Gait calls hip, knee, ankle, shoulder, elbow and wrist, and the joints of the right and the left side.
const ORIGINS: [(&str, usize, usize); 6] = [
    ("FEP", 1, 4),
    ("FEO", 2, 5),
    ("TIO", 3, 6),
    ("CLO", 14, 11),
    ("HUO", 15, 12),
    ("RAO", 16, 13),
];

/// Two trials of children by Vicon, where they are at hand: the joints by the skin alone against those that the system has
/// computed with the measures of the subjects.
#[test]
fn joints_by_the_skin_are_near_the_origins_of_plug_in_gait() {
    let root = std::env::var_os("MOTIONFIT_SHARED").unwrap_or_else(|| "../shared".into());
    let folder = std::path::Path::new(&root).join("data/grf/raw");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no {} (set MOTIONFIT_SHARED)", folder.display());
        return;
    }
    let mut means = [0.0; 6];
    let trials = ["HC002D25_turn.c3d", "HC039A17_straight.c3d"];
    for trial in trials {
        let file =
            crate::motion::files::c3d::C3d::read(&folder.join(trial), |_, _| Ok(())).unwrap();
        let all = file.markers(None);
        let own = |name: &str| name.rsplit(':').next().unwrap().to_string();
        let is_skin = |name: &str| {
            let name = own(name);
            let side = name.starts_with(['L', 'R']) && SKIN.contains(&&name[1..]);
            side || ["C7", "CLAV", "SACR"].contains(&name.as_str())
        };
        let kept: Vec<usize> = (0..all.names.len())
            .filter(|k| is_skin(&all.names[*k]))
            .collect();
        let width = 3 * all.names.len();
        let rows = all.values.chunks_exact(width);
        let cut = Markers {
            names: kept.iter().map(|k| all.names[*k].clone()).collect(),
            values: rows
                .clone()
                .flat_map(|row| kept.iter().flat_map(|k| row[3 * k..3 * k + 3].to_vec()))
                .collect(),
            ..all.clone()
        };
        let points = cut.joints(trial).unwrap();
        for (k, (origin, right, left)) in ORIGINS.into_iter().enumerate() {
            let mut distances = Vec::new();
            for (row, joints) in rows.clone().zip(points.frames()) {
                for (letter, joint) in [('R', right), ('L', left)] {
                    let name = format!("{letter}{origin}");
                    let at = all.names.iter().position(|n| own(n) == name).unwrap();
                    distances.push(
                        (Vector3::from_column_slice(&row[3 * at..][..3]) - joints[joint]).norm(),
                    );
                }
            }
            distances.retain(|distance| distance.is_finite());
            let mean = distances.iter().sum::<f64>() / distances.len() as f64;
            println!("{trial} {origin}: {mean:.1} mm");
            means[k] += mean / trials.len() as f64;
        }
    }
    println!("{means:.1?}");
    for (mean, most) in means.into_iter().zip([29.0, 15.0, 15.0, 15.0, 15.0, 31.0]) {
        assert!(mean < most, "{means:?}");
    }
}
