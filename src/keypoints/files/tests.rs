//! Files of every kind, written here in the layouts of the detectors.

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn openpose(&self, frame: usize, people: usize) {
        let numbers: Vec<String> = (0..25)
            .map(|j| format!("{},{},0.8", j + 1, 50 + j))
            .collect();
        let person = format!(
            r#"{{"person_id": [-1], "pose_keypoints_2d": [{}]}}"#,
            numbers.join(",")
        );
        let people = vec![person; people].join(",");
        let text = format!(r#"{{"version": 1.3, "people": [{people}]}}"#);
        self.write(&format!("clip_{frame:012}_keypoints.json"), &text);
    }
}

#[test]
fn openpose_folders() {
    let folder = Folder::new();
    (0..4).for_each(|frame| folder.openpose(frame, usize::from(frame != 2)));
    let read_it = || read(folder.0.path(), &ReadOptions::default());
    let detections = read_it().unwrap();
    assert_eq!(detections.views[0].len(), 4);
    // BODY_25's right ankle is keypoint 11.
    assert_eq!(detections.views[0][0][3].pixel, Vector2::new(12.0, 61.0));
    assert!(!detections.views[0][2][3].is_seen());
    folder.openpose(6, 1);
    let error = read_it().unwrap_err().to_string();
    assert!(
        error.contains("frame 6 after frame 3") && error.contains("dropped"),
        "{error}"
    );
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
