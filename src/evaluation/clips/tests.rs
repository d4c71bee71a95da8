use super::*;

#[test]
fn a_directory_with_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    for name in ["b.npy", "a.npz", "a.npy", "c.npy", "notes.txt"] {
        write(name, "");
    }
    write("b.json", r#"{ "fps": 60.0, "floor": 1 }"#);
    write(
        "index.csv",
        "file,category,fps\na.bvh,walk,120\nc.npy,dance,30\n",
    );
    let clips = find(dir.path(), None).unwrap();
    let seen: Vec<_> = clips
        .iter()
        .map(|c| (c.name.as_str(), c.category.as_str(), c.options.fps))
        .collect();
    let expected = [
        ("a", "walk", None),
        ("b", "unknown", Some(60.0)),
        ("c", "dance", Some(30.0)),
    ];
    assert_eq!(seen, expected);
    assert!(clips[0].path.ends_with("a.npy"));
    let split = |split: Split| clips.iter().filter(|clip| split.contains(clip)).count();
    assert_eq!(
        [Split::All, Split::InDomain, Split::OutOfDomain].map(split),
        [3, 1, 2]
    );
}

#[test]
fn a_directory_of_every_kind() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a.c3d", "a.trc", "b.pt", "c.pkl", "d.C3D", "e.bvh", "f.mot"] {
        std::fs::write(dir.path().join(name), "").unwrap();
    }
    let clips = find(dir.path(), None).unwrap();
    let names: Vec<_> = clips
        .iter()
        .map(|clip| clip.path.file_name().unwrap())
        .collect();
    assert_eq!(names, ["a.trc", "b.pt", "c.pkl", "d.C3D", "e.bvh"]);
}

#[test]
fn a_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("set.json");
    let text = r#"[{ "file": "x/y.npy", "category": "walk", "up": "y", "end": 2.0 }]"#;
    std::fs::write(&path, text).unwrap();
    let clips = find(&path, None).unwrap();
    assert_eq!(clips[0].path, dir.path().join("x/y.npy"));
    assert_eq!(clips[0].options.up, Some("y".parse().unwrap()));
    assert_eq!(clips[0].options.end, Some(2.0));
    let json = clips[0].to_json();
    assert_eq!((&json["up"], &json["end"]), (&"y".into(), &2.0.into()));
    assert!(json.get("mass").is_none() && json.get("plates").is_none());
    assert_eq!(find(&path, Some(&path)).unwrap_err().exit_code(), 2);
    let text = r#"[{ "file": "y.npy", "mass": 60.0, "plates": "p/y_grf.npz" }]"#;
    std::fs::write(&path, text).unwrap();
    let clip = &find(&path, None).unwrap()[0];
    assert_eq!(clip.plates, Some(dir.path().join("p/y_grf.npz")));
    assert_eq!(
        (clip.mass, &clip.to_json()["mass"]),
        (Some(60.0), &60.0.into())
    );
    std::fs::write(&path, text.replace("60.0", "6000")).unwrap();
    let error = find(&path, None).unwrap_err().to_string();
    assert!(error.contains("mass of y: found 6000"), "{error}");
    std::fs::write(&path, r#"[{ "path": "y.npy" }]"#).unwrap();
    let error = find(&path, None).unwrap_err().to_string();
    assert!(
        error.contains("\"path\"") && error.contains("expected one of"),
        "{error}"
    );
}

#[test]
fn frame_rates_and_indices_that_cannot_be_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("a.npy", "");
    write("index.csv", "file,category,fps\na.npy,walk,0\n");
    let message = || find(dir.path(), None).unwrap_err().to_string();
    assert!(message().contains("fps of a: found 0"), "{}", message());
    write("index.csv", "file,category\nA.npy,walk\n");
    assert!(message().contains("A.npy"), "{}", message());
}

#[test]
fn no_clips_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(find(dir.path(), None).unwrap_err().exit_code(), 2);
    assert_eq!(
        find(&dir.path().join("absent"), None)
            .unwrap_err()
            .exit_code(),
        2
    );
}
