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
