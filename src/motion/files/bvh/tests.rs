use std::fmt::Write;

use super::*;

/// The text of a skeleton that stands still for three frames in its rest pose; every line is
/// `(name, parent, offset)`, and leaves end where an `End` of theirs is.
pub fn standing(lines: &[(&str, &str, [f64; 3])]) -> String {
    let mut text = String::from("HIERARCHY\n");
    write(&mut text, lines, 0);
    let joints = lines.iter().filter(|line| line.0 != "End").count();
    let row = "0.25 ".repeat(3) + &"0 ".repeat(3 * joints) + "\n";
    text + "MOTION\nFrames: 3\nFrame Time: 0.0333333\n" + &row.repeat(3)
}

fn write(text: &mut String, lines: &[(&str, &str, [f64; 3])], at: usize) {
    let (name, parent, [x, y, z]) = lines[at];
    let (kind, channels) = match (name, parent) {
        ("End", _) => ("End Site".into(), ""),
        (_, "") => (
            format!("ROOT {name}"),
            "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation",
        ),
        _ => (
            format!("JOINT {name}"),
            "CHANNELS 3 Zrotation Xrotation Yrotation",
        ),
    };
    let _ = writeln!(text, "{kind} {{\nOFFSET {x} {y} {z}\n{channels}");
    let children = (0..lines.len()).filter(|&child| name != "End" && lines[child].1 == name);
    children.for_each(|child| write(text, lines, child));
    let _ = writeln!(text, "}}");
}

const ARM: &str = "HIERARCHY\nROOT Hips {\n OFFSET 1 2 3\n CHANNELS 6 Xposition Yposition \
    Zposition Zrotation Xrotation Yrotation\n JOINT L Arm\n {\n  OFFSET 0 10 0\n  CHANNELS 3 \
    Zrotation Yrotation Xrotation\n  End Site\n  {\n   OFFSET 0 5 0\n  }\n }\n}\nMOTION\nFrames: \
    2\nFrame Time: .0083333\n";

fn with_rows(rows: &str) -> String {
    format!("{ARM}{rows}")
}

fn refusal(text: &str) -> String {
    match parse(text, "a.bvh") {
        Ok(bvh) => match bvh.rate() {
            Ok(_) => bvh.rows(&mut Vec::new()).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    }
}

#[test]
fn rotations_apply_in_the_order_of_their_channels() {
    let text = with_rows("0 0 0 0 0 0 0 0 0\n7 8 9 90 90 0  0 0 90\n");
    let bvh = parse(&text, "a.bvh").unwrap();
    assert_eq!((bvh.frames, bvh.rate().unwrap()), (2, 120.0));
    assert_eq!(bvh.joints[1].name, "L Arm");
    let rows = bvh.rows(&mut Vec::new()).unwrap();
    let rest = bvh.pose(&rows[..9]);
    assert_eq!(rest.joint(1), Vector3::new(0.0, 10.0, 0.0)); // channels replace the OFFSET
    assert_eq!(rest.end(1), Vector3::new(0.0, 15.0, 0.0));
    // Rz(90) Rx(90) takes y to z and leaves z; the elbow's Rx(90) takes its y to z, which is −y
    // after Rx and x after Rz.
    let pose = bvh.pose(&rows[9..]);
    assert!((pose.joint(1) - Vector3::new(7.0, 8.0, 19.0)).norm() < 1e-12);
    assert!((pose.end(1) - Vector3::new(12.0, 8.0, 19.0)).norm() < 1e-12);
}

#[test]
fn a_frame_of_whole_degrees_before_the_motion_is_told_from_one_of_it() {
    let begins = |rows: &str| {
        let text = with_rows(rows).replace("Frames: 2", "Frames: 3");
        let bvh = parse(&text, "a.bvh").unwrap();
        bvh.begins_at_rest(&bvh.rows(&mut Vec::new()).unwrap())
    };
    let moving = "0.5 0 0 0.25 0 0 0 1 0\n";
    assert!(begins(&format!("0.5 0 0 0 0 -21 0 0 0\n{moving}{moving}")));
    assert!(!begins(&moving.repeat(3)));
    assert!(!begins(&"0 0 0 0 0 0 0 0 0\n".repeat(3)));
}

#[test]
fn a_frame_more_or_less_and_idle_positions_are_noted() {
    let rows = "0 0 0 0 0 0 0 0 0\n".repeat(4);
    let text = with_rows(&rows).replace("Frames: 2", "frames : 3");
    let bvh = parse(&text, "a.bvh").unwrap();
    let mut notes = Vec::new();
    assert_eq!(bvh.rows(&mut notes).unwrap().len(), 36);
    assert!(notes[0].starts_with("frames: 4, though"), "{notes:?}");
    // The arm has position channels that are never used.
    let text = with_rows("7 0 0 0 0 0 0 0 0 0 0 0\n7 0 0 0 0 0 0 0 0 0 0 0\n");
    let six = "CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation";
    let text = text.replace("CHANNELS 3 Zrotation Yrotation Xrotation", six);
    let mut bvh = parse(&text, "a.bvh").unwrap();
    let rows = bvh.rows(&mut notes).unwrap();
    assert_eq!(bvh.pose(&rows[..12]).joint(1), Vector3::new(7.0, 0.0, 0.0));
    bvh.ignore_idle_positions(&rows, &mut notes);
    assert_eq!(bvh.pose(&rows[..12]).joint(1), Vector3::new(7.0, 10.0, 0.0));
    assert!(notes[1].contains("zero for 1 joints"), "{notes:?}");
}

#[test]
fn lines_may_end_and_be_joined_as_programs_of_old_did() {
    let text = with_rows("0 0 0 0 0 0 0 0 0\n7 8 9 90 90 0  0 0 90\n");
    let expected = parse(&text, "a.bvh").unwrap();
    let rows = expected.rows(&mut Vec::new()).unwrap();
    for other in [
        text.replace('\n', "\r\n"),
        text.replace('\n', "\r"),
        text.replace("OFFSET 0 10 0\n", "OFFSET 0 10 0"),
        text.replace("OFFSET 1 2 3\n", "OFFSET 1 2 3\t"),
    ] {
        let mut notes = Vec::new();
        let bvh = parse(&other, "a.bvh").unwrap();
        assert_eq!(bvh.joints, expected.joints, "{other:?}");
        assert_eq!(bvh.rows(&mut notes).unwrap(), rows, "{other:?}");
        assert_eq!(notes, [""; 0]);
    }
    let error = refusal(&text.replace("OFFSET 0 10 0\n", "OFFSET 0 10 0 CHANGES 3"));
    assert!(error.contains("`OFFSET 0 10 0 CHANGES"), "{error}");
}

#[test]
fn broken_files_are_told_with_the_place() {
    let rows = "0 0 0 0 0 0 0 0 0\n0 0 0 0 0 0 0 0 0\n";
    let complete = with_rows(rows);
    let bvh = parse(&complete, "a.bvh").unwrap();
    bvh.rows(&mut Vec::new()).unwrap();
    for (from, to, told) in [
        (
            "OFFSET 0 10 0",
            "OFFSET 0 ten 0",
            "line 7: found `OFFSET 0 ten 0`",
        ),
        ("CHANNELS 3", "CHANNELS 2", "line 8: found `CHANNELS 2"),
        (
            "Yrotation\n JOINT",
            "Yturn\n JOINT",
            "line 4: found `CHANNELS 6",
        ),
        ("MOTION", "MOTOIN", "found `MOTOIN`"),
        (" }\n}\n", " }\n", "MOTION inside Hips"),
        (" }\n}\n", " }\n}\n}\n", "a closing brace"),
        (
            " }\n}\n",
            " }\n}\nROOT Other\n{\n}\n",
            "one person's skeleton",
        ),
        ("Frames: 2", "Frames: two", "Frames: found `two`"),
        (
            "Frames: 2",
            "Frames: 4",
            "numbers of 2.00 frames of 9 channels",
        ),
        (".0083333", "0", "Frame Time"),
        ("0 0 0\n", "0 0 nan\n", "frame 0, L Arm: found `nan`"),
    ] {
        let error = refusal(&complete.replacen(from, to, 1));
        assert!(
            error.contains(told) && !error.contains('\n'),
            "{told}: {error}"
        );
    }
    assert!(refusal("HIERARCHY\nROOT Hips\n{\n").contains("cut off"));
    assert!(refusal("HIERARCHY\nMOTION\n").contains("without joints"));
}
