use super::super::bvh::{self, tests::standing};
use super::*;

mod robotics;

type Line<'a> = (&'a str, &'a str, [f64; 3]);

/// A person of Mixamo's, y up, cm.
const MIXAMO: [Line; 24] = [
    ("mixamorig:Hips", "", [0.0, 100.0, 0.0]),
    ("mixamorig:Spine", "mixamorig:Hips", [0.0, 10.0, 0.0]),
    ("mixamorig:Spine1", "mixamorig:Spine", [0.0, 12.0, 0.0]),
    ("mixamorig:Spine2", "mixamorig:Spine1", [0.0, 12.0, 0.0]),
    (
        "mixamorig:LeftShoulder",
        "mixamorig:Spine2",
        [5.0, 12.0, 0.0],
    ),
    (
        "mixamorig:LeftArm",
        "mixamorig:LeftShoulder",
        [12.0, 0.0, 0.0],
    ),
    (
        "mixamorig:LeftForeArm",
        "mixamorig:LeftArm",
        [28.0, 0.0, 0.0],
    ),
    (
        "mixamorig:LeftHand",
        "mixamorig:LeftForeArm",
        [26.0, 0.0, 0.0],
    ),
    (
        "mixamorig:LeftHandIndex1",
        "mixamorig:LeftHand",
        [9.0, 0.0, 0.0],
    ),
    ("mixamorig:Neck", "mixamorig:Spine2", [0.0, 16.0, 0.0]),
    ("mixamorig:Head", "mixamorig:Neck", [0.0, 8.0, 0.0]),
    ("mixamorig:HeadTop_End", "mixamorig:Head", [0.0, 17.0, 0.0]),
    (
        "mixamorig:RightShoulder",
        "mixamorig:Spine2",
        [-5.0, 12.0, 0.0],
    ),
    (
        "mixamorig:RightArm",
        "mixamorig:RightShoulder",
        [-12.0, 0.0, 0.0],
    ),
    (
        "mixamorig:RightForeArm",
        "mixamorig:RightArm",
        [-28.0, 0.0, 0.0],
    ),
    (
        "mixamorig:RightHand",
        "mixamorig:RightForeArm",
        [-26.0, 0.0, 0.0],
    ),
    ("mixamorig:LeftUpLeg", "mixamorig:Hips", [9.0, -6.0, 0.0]),
    (
        "mixamorig:LeftLeg",
        "mixamorig:LeftUpLeg",
        [0.0, -44.0, 0.0],
    ),
    ("mixamorig:LeftFoot", "mixamorig:LeftLeg", [0.0, -42.0, 0.0]),
    (
        "mixamorig:LeftToeBase",
        "mixamorig:LeftFoot",
        [0.0, -8.0, 14.0],
    ),
    ("mixamorig:RightUpLeg", "mixamorig:Hips", [-9.0, -6.0, 0.0]),
    (
        "mixamorig:RightLeg",
        "mixamorig:RightUpLeg",
        [0.0, -44.0, 0.0],
    ),
    (
        "mixamorig:RightFoot",
        "mixamorig:RightLeg",
        [0.0, -42.0, 0.0],
    ),
    (
        "mixamorig:RightToeBase",
        "mixamorig:RightFoot",
        [0.0, -8.0, 14.0],
    ),
];

fn read(lines: &[Line]) -> Result<(Layout, Vec<[f64; 3]>)> {
    let points = bvh::read(&standing(lines), "a.bvh", None, |_, _, _| Ok(()))?;
    assert_eq!(
        (points.fps, points.values.len()),
        (Some(30.0), 9 * points.joints)
    );
    let frame = points.values[..3 * points.joints].chunks(3);
    let frame = frame.map(|p| [p[0] - 0.25, p[1] - 0.25, p[2] - 0.25]);
    Ok((points.layout.unwrap(), frame.collect()))
}

#[test]
fn a_root_that_never_moves_is_noted() {
    let notes = |text: &str| bvh::read(text, "a.bvh", None, |_, _, _| Ok(())).map(|p| p.notes);
    let still = standing(&MIXAMO);
    let is_root = |note: &String| note.starts_with("root:");
    assert!(notes(&still).unwrap().iter().any(is_root));
    let moves = still.replacen("0.25 0.25 0.25", "0.25 0.25 0.26", 1);
    assert!(!notes(&moves).unwrap().iter().any(is_root));
}

#[test]
fn clavicles_and_names_above_the_limbs_follow_from_the_tree() {
    let (layout, points) = read(&MIXAMO).unwrap();
    assert_eq!(layout, Layout::H36m17Toes);
    let expected = [
        [0.0, -6.0, 0.0],
        [-9.0, -6.0, 0.0],
        [-9.0, -50.0, 0.0],
        [-9.0, -92.0, 0.0],
        [9.0, -6.0, 0.0],
        [9.0, -50.0, 0.0],
        [9.0, -92.0, 0.0],
        [0.0, 22.0, 0.0], // Spine1
        [0.0, 46.0, 0.0], // between the clavicles
        [0.0, 58.0, 0.0],
        [0.0, 69.4, 0.0], // the top of the head is no farther than Human3.6M's
        [17.0, 46.0, 0.0],
        [45.0, 46.0, 0.0],
        [71.0, 46.0, 0.0],
        [-17.0, 46.0, 0.0],
        [-45.0, 46.0, 0.0],
        [-71.0, 46.0, 0.0],
        [-9.0, -100.0, 14.0],
        [9.0, -100.0, 14.0],
    ];
    for (j, (found, expected)) in points.iter().zip(expected).enumerate() {
        assert!(
            (0..3).all(|k| (found[k] - expected[k]).abs() < 1e-9),
            "{j}: {found:?}"
        );
    }
    // The names of 3ds Max: the upper arm is called what is the clavicle above.
    let renamed: Vec<(String, String, [f64; 3])> = MIXAMO
        .iter()
        .map(|(name, parent, offset)| (max(name), max(parent), *offset))
        .collect();
    let renamed: Vec<Line> = renamed
        .iter()
        .map(|(n, p, o)| (&n[..], &p[..], *o))
        .collect();
    assert_eq!(read(&renamed).unwrap(), (layout, points));
}

fn max(name: &str) -> String {
    let own = name.trim_start_matches("mixamorig:");
    own.replace("Shoulder", "Collar")
        .replace("ForeArm", "Elbow")
        .replace("Arm", "Shoulder")
        .replace("HandIndex1", "Finger0")
        .replace("Hand", "Wrist")
        .replace("UpLeg", "Hip")
        .replace("Leg", "Knee")
        .replace("Foot", "Ankle")
        .replace("ToeBase", "Toe")
}

/// The same person with joints renamed and more of them.
fn changed(rename: impl Fn(&str) -> String, more: &[Line]) -> Vec<[f64; 3]> {
    let own = |name: &str| match name.trim_start_matches("mixamorig:") {
        "" => String::new(),
        name => rename(name),
    };
    let lines = MIXAMO.iter().map(|(n, p, o)| (own(n), own(p), *o));
    let more = more.iter().map(|(n, p, o)| (n.to_string(), rename(p), *o));
    // What is new comes before the rest, where a search would find it first.
    let mut lines: Vec<(String, String, [f64; 3])> = lines.collect();
    lines.splice(1..1, more);
    let lines: Vec<Line> = lines.iter().map(|(n, p, o)| (&n[..], &p[..], *o)).collect();
    read(&lines).unwrap().1
}

#[test]
fn props_controls_and_parts_of_bones_are_not_taken_for_limbs() {
    let expected = read(&MIXAMO).unwrap().1;
    let same = |name: &str| name.to_string();
    let more = [
        ("Skirt_L_BackLeg", "Hips", [3.0, -9.0, -5.0]),
        ("IK_Knee.L", "Hips", [9.0, -50.0, 30.0]),
        ("SpearHead", "Hips", [0.0, 40.0, 0.0]),
        ("Head", "Hips", [0.0, 40.0, 0.0]),
    ];
    assert_eq!(changed(same, &more[..3]), expected);
    let head = |name: &str| name.replace("Head", "head");
    assert_eq!(changed(head, &more), expected);
    let capitals = |name: &str| name.to_uppercase().replace('_', "");
    assert_eq!(changed(capitals, &[]), expected);
    let numbered = |name: &str| format!("{name}.001");
    assert_eq!(changed(numbered, &[]), expected);
    let shins = |name: &str| name.replace("tLeg", "tShin").replace("UpLeg", "Leg");
    assert_eq!(changed(shins, &[]), expected);
    // The end of the chain is the head; that of its face is not its top.
    let spine = |name: &str| match name {
        "Head" => "Spine6".to_string(),
        "HeadTop_End" => "Face".to_string(),
        name => name.to_string(),
    };
    let nameless = changed(spine, &[]);
    let all_but_crown = |points: &[[f64; 3]]| [&points[..10], &points[11..]].concat();
    assert_eq!(all_but_crown(&nameless), all_but_crown(&expected));
    let smpl = |name: &str| name.replace("Foot", "Ankle").replace("ToeBase", "Foot");
    assert_eq!(changed(smpl, &[]), expected);
}

#[test]
fn the_neck_may_begin_where_no_arm_does() {
    let below = MIXAMO.map(|(name, parent, [x, y, z])| match name {
        "mixamorig:Neck" => (name, "mixamorig:Spine1", [x, y + 12.0, z]),
        _ => (name, parent, [x, y, z]),
    });
    assert_eq!(read(&below).unwrap(), read(&MIXAMO).unwrap());
}

#[test]
fn arms_may_hang_on_the_neck() {
    let expected = read(&MIXAMO).unwrap();
    // As in 3ds Max, the neck is where the clavicles, or the arms, branch off.
    let biped = |arms: &'static str, offset: [f64; 3]| {
        MIXAMO.map(|(name, parent, [x, y, z])| match name {
            _ if name.ends_with("Shoulder") => (name, "mixamorig:Neck", [x, y - 12.0, z]),
            "mixamorig:Neck" => (name, parent, [x, y - 4.0, z]),
            "mixamorig:Head" => (name, parent, [x, y + 4.0, z]),
            "mixamorig:LeftArm" if !arms.is_empty() => (name, arms, offset),
            "mixamorig:RightArm" if !arms.is_empty() => (name, arms, offset.map(|x| -x)),
            _ => (name, parent, [x, y, z]),
        })
    };
    assert_eq!(read(&biped("", [0.0; 3])).unwrap(), expected);
    assert_eq!(
        read(&biped("mixamorig:Neck", [17.0, 0.0, 0.0])).unwrap(),
        expected
    );
}

#[test]
fn an_end_that_looks_ahead_is_no_top_of_the_head() {
    let nose = MIXAMO.map(|(name, parent, offset)| match name {
        "mixamorig:HeadTop_End" => (name, parent, [0.0, 1.0, 10.0]),
        _ => (name, parent, offset),
    });
    let crown = read(&nose).unwrap().1[10];
    assert!((crown[1] - (58.0 + 0.7 * 12.0)).abs() < 1e-9 && crown[2].abs() < 1e-9);
}

#[test]
fn what_a_rig_lacks_is_filled_in() {
    // Without toes, top of the head, neck, clavicles and hands, whose forearms have an end.
    let lacks = ["ToeBase", "HeadTop", "Index1"];
    let mut lines: Vec<Line> = MIXAMO.to_vec();
    lines.retain(|line| !lacks.iter().any(|name| line.0.contains(name)));
    for line in &mut lines {
        line.1 = line.1.trim_start_matches("mixamorig:");
        line.0 = line.0.trim_start_matches("mixamorig:");
        if line.0.ends_with("Hand") {
            line.0 = "End";
        }
    }
    let (layout, points) = read(&lines).unwrap();
    assert_eq!(layout, Layout::H36m17);
    assert_eq!((points[13][0], points[16][0]), (71.0, -71.0));
    assert!((points[10][1] - (58.0 + 0.7 * 12.0)).abs() < 1e-9);
    lines.retain(|line| !line.0.ends_with("Shoulder") && line.0 != "Neck");
    for line in &mut lines {
        match line.0 {
            "LeftArm" => (line.1, line.2) = ("Spine2", [17.0, 12.0, 0.0]),
            "RightArm" => (line.1, line.2) = ("Spine2", [-17.0, 12.0, 0.0]),
            "Head" => (line.1, line.2) = ("Spine2", [0.0, 14.0, 0.0]),
            _ => {}
        }
    }
    // The head begins at the neck: its joint is the thorax.
    let (_, points) = read(&lines).unwrap();
    let crown = 48.0 + 0.48 * 54.0;
    for (j, y) in [(8, 48.0), (9, (48.0 + crown) / 2.0), (10, crown)] {
        assert!((points[j][1] - y).abs() < 1e-9, "{j}: {:?}", points[j]);
    }
}

#[test]
fn joints_that_no_name_tells_are_told() {
    let lines: Vec<Line> = MIXAMO
        .iter()
        .filter(|line| !line.0.contains("RightForeArm") && !line.0.contains("RightHand"))
        .copied()
        .collect();
    let error = read(&lines).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let told = error.to_string();
    assert!(
        told.starts_with("a.bvh: joints: found no right elbow among mixamorig:Hips, "),
        "{told}"
    );
    assert!(told.contains("rename the joints"), "{told}");
}

/// Mixamo's person with other offsets of some joints, at rest: the axes of right and left knee and elbow, and the face's.
fn bearings(others: &[(&str, [f64; 3])]) -> Option<[[f64; 3]; 5]> {
    let lines = MIXAMO.map(|(name, parent, offset)| {
        let other = others.iter().find(|(other, _)| name.ends_with(other));
        (name, parent, other.map_or(offset, |(_, offset)| *offset))
    });
    let points = bvh::read(&standing(&lines), "a.bvh", None, |_, _, _| Ok(())).unwrap();
    let turns = points.turns?[0];
    let [a, b, c, d] = turns.hinges;
    Some([a, b, c, d, turns.facing].map(|v| v.map(|x| (100.0 * x).round() / 100.0 + 0.0).into()))
}

#[test]
fn limbs_bend_forward_and_shins_backward_from_any_rest_pose() {
    let (left, right, front) = ([1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]);
    let (up, down) = ([0.0, 1.0, 0.0], [0.0, -1.0, 0.0]);
    // A T: forearms forward about the vertical.
    assert_eq!(bearings(&[]), Some([left, left, up, down, front]));
    // Arms that hang: about the line to the right.
    let hanging = [
        ("LeftForeArm", [0.0, -28.0, 0.0]),
        ("LeftHand", [0.0, -26.0, 0.0]),
        ("RightForeArm", [0.0, -28.0, 0.0]),
        ("RightHand", [0.0, -26.0, 0.0]),
    ];
    assert_eq!(bearings(&hanging), Some([left, left, right, right, front]));
    // An arm that points to the front: its forearm up. One that is bent: as it is.
    let others = [
        ("LeftForeArm", [0.0, 0.0, 28.0]),
        ("LeftHand", [0.0, 0.0, 26.0]),
        ("RightHand", [-20.0, 12.0, 12.0]),
    ];
    let bent = [0.0, 0.71, -0.71];
    assert_eq!(bearings(&others), Some([left, left, bent, right, front]));
    // Feet apart: knees at right angles to the legs.
    let apart = [
        ("LeftLeg", [44.0, -44.0, 0.0]),
        ("LeftFoot", [42.0, -42.0, 0.0]),
    ];
    let slanted = [0.71, 0.71, 0.0];
    assert_eq!(bearings(&apart), Some([left, slanted, up, down, front]));
}

#[test]
fn a_rest_pose_that_is_nobodys_tells_no_turns() {
    for others in [
        &[
            ("LeftUpLeg", [0.0, -6.0, 0.0]),
            ("RightUpLeg", [0.0, -6.0, 0.0]),
        ][..],
        &[
            ("LeftLeg", [0.0, 44.0, 0.0]),
            ("LeftFoot", [0.0, 42.0, 0.0]),
        ],
        &[("RightForeArm", [0.0, 0.0, 0.0])],
    ] {
        assert_eq!(bearings(others), None, "{others:?}");
    }
}
