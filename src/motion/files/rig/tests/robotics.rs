//! Skeletons of LAFAN1, SOMA and Xsens.

use super::*;

/// A person whose joints are called so: root, two of the spine, chest, neck, head; collar, shoulder, elbow,
/// wrist; hip, knee, ankle, toe, the left of each.
fn person(names: [&'static str; 14]) -> Vec<(String, String, [f64; 3])> {
    let [root, low, middle, chest, neck, head, rest @ ..] = names;
    let mut lines = vec![
        (root.to_string(), String::new(), [0.0, 100.0, 0.0]),
        (low.to_string(), root.to_string(), [0.0, 10.0, 0.0]),
        (middle.to_string(), low.to_string(), [0.0, 12.0, 0.0]),
        (chest.to_string(), middle.to_string(), [0.0, 12.0, 0.0]),
        (neck.to_string(), chest.to_string(), [0.0, 16.0, 0.0]),
        (head.to_string(), neck.to_string(), [0.0, 8.0, 0.0]),
    ];
    for (side, sign) in [("Left", 1.0), ("Right", -1.0)] {
        let own = rest.map(|name| name.replace("Left", side));
        let offsets = [
            [5.0 * sign, 12.0, 0.0],
            [12.0 * sign, 0.0, 0.0],
            [28.0 * sign, 0.0, 0.0],
            [26.0 * sign, 0.0, 0.0],
            [9.0 * sign, -6.0, 0.0],
            [0.0, -44.0, 0.0],
            [0.0, -42.0, 0.0],
            [0.0, -8.0, 14.0],
        ];
        for (k, offset) in offsets.into_iter().enumerate() {
            let parent = match k {
                0 => chest.to_string(),
                4 => root.to_string(),
                _ => own[k - 1].clone(),
            };
            lines.push((own[k].clone(), parent, offset));
        }
    }
    lines
}

const LAFAN: [&str; 14] = [
    "Hips",
    "Spine",
    "Spine1",
    "Spine2",
    "Neck",
    "Head",
    "LeftShoulder",
    "LeftArm",
    "LeftForeArm",
    "LeftHand",
    "LeftUpLeg",
    "LeftLeg",
    "LeftFoot",
    "LeftToe",
];
const SOMA: [&str; 14] = [
    "Hips",
    "Spine1",
    "Spine2",
    "Chest",
    "Neck1",
    "Head",
    "LeftShoulder",
    "LeftArm",
    "LeftForeArm",
    "LeftHand",
    "LeftLeg",
    "LeftShin",
    "LeftFoot",
    "LeftToeBase",
];
const XSENS: [&str; 14] = [
    "Hips",
    "Chest",
    "Chest2",
    "Chest4",
    "Neck",
    "Head",
    "LeftCollar",
    "LeftShoulder",
    "LeftElbow",
    "LeftWrist",
    "LeftHip",
    "LeftKnee",
    "LeftAnkle",
    "LeftToe",
];

#[test]
fn skeletons_of_robotics_are_understood() {
    for names in [LAFAN, SOMA, XSENS] {
        let lines = person(names);
        let lines: Vec<Line> = lines
            .iter()
            .map(|(name, parent, offset)| (name.as_str(), parent.as_str(), *offset))
            .collect();
        let (layout, points) = read(&lines).unwrap();
        assert_eq!(layout, Layout::H36m17Toes, "{names:?}");
        // Right hip, knee and ankle; left shoulder, elbow and wrist; right toe.
        let expected = [
            (1, [-9.0, -6.0, 0.0]),
            (2, [-9.0, -50.0, 0.0]),
            (3, [-9.0, -92.0, 0.0]),
            (11, [17.0, 46.0, 0.0]),
            (12, [45.0, 46.0, 0.0]),
            (13, [71.0, 46.0, 0.0]),
            (17, [-9.0, -100.0, 14.0]),
        ];
        for (joint, place) in expected {
            for (found, wanted) in points[joint].iter().zip(place) {
                assert!(
                    (found - wanted).abs() < 1e-6,
                    "{names:?} {joint}: {:?}",
                    points[joint]
                );
            }
        }
    }
}
