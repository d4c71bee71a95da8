use super::*;
use crate::motion::{ReadOptions, Reading, read as read_file};

/// Joint centres as Pose2Sim names them, of a person 1.7 m tall that faces along x, m, y up.
const PERSON: [(&str, [f64; 3]); 17] = [
    ("Hip", [0.0, 0.92, 0.0]),
    ("RHip", [0.0, 0.92, 0.09]),
    ("RKnee", [0.04, 0.5, 0.09]),
    ("RAnkle", [0.0, 0.08, 0.09]),
    ("RBigToe", [0.18, 0.02, 0.09]),
    ("RHeel", [-0.06, 0.02, 0.09]),
    ("LHip", [0.0, 0.92, -0.09]),
    ("LKnee", [0.04, 0.5, -0.09]),
    ("LAnkle", [0.0, 0.08, -0.09]),
    ("LBigToe", [0.18, 0.02, -0.09]),
    ("LHeel", [-0.06, 0.02, -0.09]),
    ("RShoulder", [0.0, 1.41, 0.18]),
    ("RElbow", [-0.02, 1.12, 0.2]),
    ("RWrist", [0.05, 0.88, 0.2]),
    ("LShoulder", [0.0, 1.41, -0.18]),
    ("LElbow", [-0.02, 1.12, -0.2]),
    ("LWrist", [0.05, 0.88, -0.2]),
];

/// A file of `frames` frames at 50 Hz in which the person walks along x, in mm.
fn file(frames: usize, rate: &str) -> String {
    let names: Vec<String> = PERSON
        .iter()
        .map(|(name, _)| format!("{name}\t\t"))
        .collect();
    let axes: Vec<String> = (1..=PERSON.len())
        .map(|k| format!("X{k}\tY{k}\tZ{k}"))
        .collect();
    let mut text = format!(
        "PathFileType\t4\t(X/Y/Z)\twalk.trc\nDataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\n\
         {rate}\t{rate}\t  {frames}\t17\tmm\nFrame#\tTime\t{}\n\t\t{}\n\n",
        names.join("\t"),
        axes.join("\t")
    );
    for t in 0..frames {
        text.push_str(&format!("{}\t{:.3}", t + 7, 0.02 * t as f64));
        for (_, [x, y, z]) in PERSON {
            let x = 1e3 * x + 10.0 * t as f64;
            text.push_str(&format!("\t{x:.3}\t{:.3}\t{:.3}", 1e3 * y, 1e3 * z));
        }
        text.push('\n');
    }
    text
}

fn read_text(text: &str) -> Result<Reading> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("walk.trc");
    std::fs::write(&path, text).unwrap();
    read_file(&path, &ReadOptions::default())
}

fn noted(reading: &Reading, expected: &str) -> bool {
    reading.notes.iter().any(|note| note.contains(expected))
}

#[test]
fn joint_centres_of_openpose_and_its_heirs_are_joints() {
    let reading = read_text(&file(60, "50.00")).unwrap();
    for note in [
        "17 markers in mm",
        "points: RHip, RKnee, RAnkle, RShoulder, RElbow, RWrist; head inferred",
        "toe base behind RBigToe",
        "50 fps",
        "units: mm",
        "up axis: y",
    ] {
        assert!(noted(&reading, note), "{note}: {:?}", reading.notes);
    }
    let joints = &reading.motion.joints[0];
    let [right, left] = [joints[1], joints[4]];
    assert!((right - left).norm() - 0.18 < 1e-9);
    // It faces along the file's x; right is to the right of that.
    let forward = reading.motion.joints[59][0] - joints[0];
    assert!((forward.norm() - 0.59).abs() < 1e-9);
    assert!(forward.cross(&(left - right)).z > 0.0);
    assert!((reading.stature - 1.7).abs() < 0.1, "{}", reading.stature);
    assert!(reading.motion.toes.is_some());
}

#[test]
fn files_of_the_wild_are_the_same() {
    let plain = read_text(&file(60, "50.00")).unwrap().motion;
    let text = file(60, "50");
    for (name, text) in [
        ("line ends of Windows", text.replace('\n', "\r\n")),
        ("line ends of old Macs", text.replace('\n', "\r")),
        ("trailing tabs", text.replace('\n', "\t\t\n")),
        ("a mark of byte order", format!("\u{feff}{text}")),
        (
            "a wrong number of frames",
            text.replace("\t  60\t", "\t600\t"),
        ),
    ] {
        let reading = read_text(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(reading.motion, plain, "{name}");
    }
    let wrong = read_text(&text.replace("50\t50", "100\t100")).unwrap();
    assert_eq!(wrong.motion.fps.round(), 50.0);
    assert!(noted(&wrong, "though the header says 100"));
}

#[test]
fn a_row_that_is_cut_is_left_out_and_short_ones_are_refused() {
    let text = file(60, "50");
    let plain = read_text(&text).unwrap().motion;
    for cut in [1, 3, 4, 40] {
        // Inside of the last number, before its point, before it, and some columns before.
        let reading = read_text(&text[..text.len() - 1 - cut]).unwrap();
        assert!(
            noted(&reading, "line 66, the last one, is incomplete"),
            "{cut}: {:?}",
            reading.notes
        );
        assert_eq!(reading.motion.joints, plain.joints[..59], "{cut}");
    }
    let whole = read_text(text.trim_end()).unwrap();
    assert_eq!(whole.motion, plain, "no line end, but a whole number");
    let short: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(k, line)| match k {
            7.. => line
                .split('\t')
                .take(2 + 3 * 16)
                .collect::<Vec<_>>()
                .join("\t"),
            _ => line.to_string(),
        })
        .collect();
    let error = read_text(&(short.join("\n") + "\n"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("found 50 columns; 17 markers need 53"),
        "{error}"
    );
}

#[test]
fn blank_zero_and_nan_are_gaps() {
    let plain = read_text(&file(60, "50")).unwrap().motion;
    let ankle = "\t300.000\t80.000\t90.000";
    for (gap, bridged) in [
        ("\t\t\t", true),
        ("\tNaN\tnan\tNaN", true),
        ("\t0\t0\t0.0", true),
    ] {
        let text = file(60, "50");
        assert!(text.contains(ankle));
        let reading = read_text(&text.replace(ankle, gap)).unwrap();
        assert_eq!(
            noted(&reading, "1 missing joint positions bridged"),
            bridged
        );
        for (a, b) in reading.motion.joints.iter().zip(&plain.joints) {
            assert!((a[3] - b[3]).norm() < 0.002);
        }
    }
}

#[test]
fn what_is_no_such_file_is_refused_with_the_line() {
    let text = file(60, "50");
    let first = text.lines().nth(6).unwrap();
    for (text, expected) in [
        (
            text.replace("\t80.000\t90.000", "\tfast\t90.000"),
            "line 7: found `fast`",
        ),
        (
            text.replace(first, &format!("{first}\t1.0")),
            "line 7: found more than 53 numbers",
        ),
        (
            text.replace("RKnee", "Snee"),
            "no right knee among Hip, RHip, Snee",
        ),
        ("PathFileType\t4\n".to_string(), "the end of the file"),
        (
            text.lines().take(5).collect::<Vec<_>>().join("\n"),
            "frames: found none",
        ),
        (
            "PathFileType\nDataRate\n50\nFrame#\tTime\n".to_string(),
            "names of markers: found none",
        ),
        (
            text.lines().take(7).collect::<Vec<_>>().join("\n"),
            "at least two frames",
        ),
    ] {
        let error = read_text(&text).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let line = error.to_string();
        assert!(
            line.contains(expected) && !line.contains('\n'),
            "{expected}: {line}"
        );
    }
}
