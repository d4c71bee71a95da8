//! Files of every kind, written here in the layouts of the detectors.

use super::*;
use crate::keypoints::{PoseOptions, read_poses};
use crate::motion::camera::Camera;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> std::path::PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Writes `people` who are `frame` px further to the right than in frame 0, which has `number`.
    fn openpose(&self, number: &str, frame: usize, people: usize) {
        let numbers: Vec<String> = (0..25)
            .map(|j| format!("{},{},0.8", frame + j + 1, 50 + j))
            .collect();
        let person = format!(
            r#"{{"person_id": [-1], "pose_keypoints_2d": [{}]}}"#,
            numbers.join(",")
        );
        let people = vec![person; people].join(",");
        let text = format!(r#"{{"version": 1.3, "people": [{people}]}}"#);
        self.write(&format!("clip_{number}_keypoints.json"), &text);
    }
}

#[test]
fn openpose_folders() {
    let folder = Folder::new();
    let write = |frame: usize, people| folder.openpose(&format!("{frame:012}"), frame, people);
    (0..4).for_each(|frame| write(frame, usize::from(frame != 2)));
    let read_it = || read(folder.0.path(), &ReadOptions::default());
    let detections = read_it().unwrap();
    assert_eq!(detections.views[0].len(), 4);
    // BODY_25's right ankle is keypoint 11.
    assert_eq!(detections.views[0][0][3].pixel, Vector2::new(12.0, 61.0));
    assert!(!detections.views[0][2][3].is_seen());
    write(6, 1);
    let error = read_it().unwrap_err().to_string();
    assert!(
        error.contains("frame 6 after frame 3") && error.contains("dropped"),
        "{error}"
    );
}

#[test]
fn files_are_told_by_their_content() {
    let folder = Folder::new();
    let numbers: Vec<String> = (0..17)
        .map(|j| format!("{},{},0.9", 100 + j, 50 + j))
        .collect();
    let frame = |t: usize| {
        let keypoints = numbers.join(",");
        format!(r#"{{"image_id": "{t}.jpg", "keypoints": [{keypoints}], "score": 2.0}}"#)
    };
    let text = format!("[{}, {}]", frame(0), frame(1));
    let read_it = |path: &Path| read(path, &ReadOptions::default());
    let named = read_it(&folder.write("a.json", &text)).unwrap();
    assert_eq!(named.views[0].len(), 2);
    assert_eq!(read_it(&folder.write("a.dat", &text)).unwrap(), named);
    for (content, found) in [
        ("frame,x,y\n", "neither JSON nor arrays"),
        ("", "an empty file"),
    ] {
        let error = read_it(&folder.write("a.npz", content))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("format: found {found}; give")),
            "{error}"
        );
    }
}

#[test]
fn openpose_files_are_in_the_order_of_their_numbers() {
    let folder = Folder::new();
    (0..12).for_each(|frame: usize| folder.openpose(&frame.to_string(), frame, 1));
    let detections = read(folder.0.path(), &ReadOptions::default()).unwrap();
    let ankles = detections.views[0].iter().map(|frame| frame[3].pixel.x);
    assert!(ankles.eq((0..12).map(|frame| f64::from(12 + frame))));
}

#[test]
fn alphapose_and_mmpose_lists() {
    let folder = Folder::new();
    let numbers: Vec<String> = (0..17)
        .map(|j| format!("{},{},0.5", j + 1, 2 * j))
        .collect();
    let entry = |frame: usize| {
        let keypoints = numbers.join(",");
        format!(
            r#"{{"image_id": "{frame}.jpg", "category_id": 1, "keypoints": [{keypoints}],
            "score": 2.5, "idx": 1}}"#
        )
    };
    let list = format!("[{},{},{}]", entry(3), entry(4), entry(6));
    let detections = read(&folder.write("alpha.json", &list), &ReadOptions::default()).unwrap();
    let frames = &detections.views[0];
    assert_eq!(frames.len(), 4);
    assert!(frames[1][3].is_seen() && !frames[2][3].is_seen());
    assert_eq!(frames[0][3].pixel, Vector2::new(17.0, 32.0));
    assert_eq!(
        detections.notes,
        ["frame 0 is image 3, the first with a person"]
    );
    let list = format!("[{},{}]", entry(1), entry(2));
    let others = read(&folder.write("one.json", &list), &ReadOptions::default()).unwrap();
    assert!(others.notes.is_empty(), "{:?}", others.notes);

    let points: Vec<String> = (0..17).map(|j| format!("[{},{}]", j + 1, 2 * j)).collect();
    let scores = vec!["0.5"; 17].join(",");
    let frame = |id: usize| {
        format!(
            r#"{{"frame_id": {id}, "instances": [{{"keypoints": [{}], "keypoint_scores": [{scores}],
            "bbox": [[0, 0, 9, 9]], "bbox_score": 0.9}}]}}"#,
            points.join(",")
        )
    };
    let list = format!("[{},{}]", frame(0), frame(1));
    for text in [
        list.clone(),
        format!(r#"{{"meta_info": {{}}, "instance_info": {list}}}"#),
    ] {
        let detections = read(&folder.write("mm.json", &text), &ReadOptions::default()).unwrap();
        assert_eq!(detections.views[0][1][3], frames[0][3]);
    }
}

#[test]
fn mmpose_entries_come_in_any_order_and_all_have_numbers_or_none() {
    let folder = Folder::new();
    let entry = |number: &str, x: usize| {
        let points: Vec<String> = (0..17).map(|j| format!("[{x},{}]", 10 * j)).collect();
        let points = points.join(",");
        format!(r#"{{{number} "instances": [{{"keypoints": [{points}]}}]}}"#)
    };
    let numbered = |id: usize| entry(&format!(r#""frame_id": {id},"#), 10 * id);
    let read_it = |entries: &[String]| {
        let list = format!("[{}]", entries.join(","));
        read(&folder.write("mm.json", &list), &ReadOptions::default())
    };
    let x = |entries: &[String]| -> Vec<f64> {
        let detections = read_it(entries).unwrap();
        let ankles = detections.views[0].iter().map(|frame| frame[3].pixel.x);
        ankles.collect()
    };
    let shuffled = [5, 3, 6, 4].map(numbered);
    assert_eq!(x(&shuffled), [30.0, 40.0, 50.0, 60.0]);
    let unnumbered = [20, 10, 30].map(|x| entry("", x));
    assert_eq!(x(&unnumbered), [20.0, 10.0, 30.0]);
    let error = read_it(&[numbered(0), entry("", 5), numbered(2)]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let line = error.to_string();
    assert!(line.contains("frame_id: found 2 of 3 numbers"), "{line}");
}

#[test]
fn arrays_shorter_than_their_header_says_are_refused() {
    let folder = Folder::new();
    for frames in [4, 1_000_000_000_000, 100_000_000_000_000_000_u64] {
        let header =
            format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({frames}, 17, 3), }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend([0_u8; 80]);
        let path = folder.write("a.npy", &bytes);
        let camera = Camera::standing([640.0, 480.0], 500.0, 1.5, 0.0);
        let keypoints = read(&path, &ReadOptions::default()).unwrap_err();
        let poses = read_poses(&path, &PoseOptions::default(), &camera).unwrap_err();
        for error in [keypoints, poses] {
            let line = error.to_string();
            assert_eq!(error.exit_code(), 2, "{line}");
            let expected = "size: found 80 bytes of data where the header promises";
            assert!(line.contains(expected) && !line.contains('\n'), "{line}");
        }
    }
}

#[test]
fn arrays_with_and_without_confidences_and_several_views() {
    let points: Vec<f64> = (0..2 * 3 * 17 * 2).map(|n| 1.0 + f64::from(n)).collect();
    let array = crate::motion::files::Array {
        shape: vec![2, 3, 17, 2],
        values: points,
    };
    let layout = Some(Layout2d::H36m17);
    let views = of_array(&array, None, layout, "x").unwrap();
    assert_eq!((views.len(), views[0].len()), (2, 3));
    assert_eq!(views[1][0][0].pixel, Vector2::new(103.0, 104.0));
    let mut confidences = crate::motion::files::Array {
        shape: vec![2, 3, 17],
        values: vec![0.3; 102],
    };
    confidences.values[51] = 0.0;
    let views = of_array(&array, Some(&confidences), layout, "x").unwrap();
    assert!(!views[1][0][0].is_seen());
    assert_eq!(views[1][0][1].confidence, 0.3);
    confidences.shape = vec![2, 51];
    let error = of_array(&array, Some(&confidences), layout, "x").unwrap_err();
    assert!(error.to_string().contains("one confidence"), "{error}");
    assert!(of_array(&array, None, Some(Layout2d::Body25), "x").is_err());
}

/// Where a file leaves no choice, another one than the file's is refused, not ignored.
#[test]
fn arrays_and_people_that_are_not_there_are_refused() {
    let folder = Folder::new();
    let points = ndarray::Array3::from_shape_fn((4, 17, 3), |(t, j, k)| match k {
        2 => 0.5,
        k => (10 + 20 * t + 5 * j + k) as f64,
    });
    let npy = folder.0.path().join("a.npy");
    ndarray_npy::write_npy(&npy, &points).unwrap();
    let mut archive = ndarray_npy::NpzWriter::new(std::io::Cursor::new(Vec::new()));
    archive.add_array("kp2d", &points).unwrap();
    let npz = folder.write("a.npz", archive.finish().unwrap().into_inner());
    let points: Vec<String> = (0..17).map(|j| format!("[9,{}]", 10 * j)).collect();
    let frame = format!(
        r#"[{{"instances": [{{"keypoints": [{}]}}]}}]"#,
        points.join(",")
    );
    let list = folder.write("mm.json", frame);
    let openpose = Folder::new();
    openpose.openpose("0", 0, 1);
    let openpose = openpose.0.path();
    let asked = |array: Option<&str>, person: Option<usize>| ReadOptions {
        layout: None,
        array: array.map(str::to_string),
        person,
    };
    for path in [npy.as_path(), &npz, &list, openpose] {
        read(path, &asked(None, None)).unwrap();
        read(path, &asked(None, Some(1))).unwrap();
        for person in [0, 2] {
            let error = read(path, &asked(None, Some(person))).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let line = error.to_string();
            assert!(
                line.contains("people: found 1") && line.contains("--person"),
                "{line}"
            );
        }
        let named = read(path, &asked(Some("kp2d"), None));
        if path == npz {
            named.unwrap();
            continue;
        }
        let error = named.unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let line = error.to_string();
        assert!(line.contains("arrays: found no names"), "{line}");
        assert!(line.contains("leave out --array kp2d"), "{line}");
    }
    let line = read(&npz, &asked(Some("kp"), None))
        .unwrap_err()
        .to_string();
    assert!(line.contains("arrays: found kp2d"), "{line}");
    let camera = Camera::standing([640.0, 480.0], 500.0, 1.5, 0.0);
    let options = PoseOptions {
        array: Some("joints".into()),
        ..PoseOptions::default()
    };
    let line = read_poses(&npy, &options, &camera).unwrap_err().to_string();
    assert!(line.contains("leave out the name joints"), "{line}");
}

#[test]
fn what_cannot_be_read_is_explained() {
    let folder = Folder::new();
    let message = |name: &str, text: &str| {
        read(&folder.write(name, text), &ReadOptions::default())
            .unwrap_err()
            .to_string()
    };
    assert!(message("a.json", "{}").contains("no list"));
    assert!(message("b.json", "[]").contains("empty list"));
    assert!(message("c.mp4", "x").contains(".mp4"));
    assert!(
        message(
            "d.json",
            r#"[{"image_id": "1.jpg", "keypoints": [1, 2, 0.5]}]"#
        )
        .contains("coco17")
    );
    let zeros = vec!["5,5,0"; 17].join(",");
    let list = format!(r#"[{{"image_id": "1.jpg", "keypoints": [{zeros}]}}]"#);
    let error = message("e.json", &list);
    assert!(
        error.contains("confidence") || error.contains("people"),
        "{error}"
    );
    let error = read(
        &folder.0.path().join("absent.json"),
        &ReadOptions::default(),
    );
    assert_eq!(error.unwrap_err().exit_code(), 2);
}

#[test]
fn landmarks_in_shares_of_the_image_become_pixels() {
    let folder = Folder::new();
    let landmarks = ndarray::Array3::from_shape_fn((3, 33, 4), |(t, _, k)| match k {
        0 => 0.25 + 0.01 * t as f64,
        1 => 0.5,
        2 => -0.3,  // depth
        _ => 0.875, // visibility
    });
    let path = folder.0.path().join("landmarks.npy");
    ndarray_npy::write_npy(&path, &landmarks).unwrap();
    let mut detections = read(&path, &ReadOptions::default()).unwrap();
    assert!(detections.is_normalized && detections.notes[0].contains("shares of the image"));
    detections.to_pixels([[1920.0, 1080.0]].into_iter());
    let ankle = detections.views[0][0][3];
    assert_eq!(
        (ankle.pixel, ankle.confidence),
        (Vector2::new(480.0, 540.0), 0.875)
    );
}
