use std::time::SystemTime;

use super::*;

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn writes_and_replaces() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("a/b");
    let output = OutputDir::create(&dir, false).unwrap();
    assert_eq!(output.write("x.json", b"{}").unwrap(), dir.join("x.json"));
    output
        .write_all(&[("x.json", b"[]".to_vec()), ("y.csv", b"1".to_vec())])
        .unwrap();
    drop(output);
    assert_eq!(names(&dir), ["x.json", "y.csv"]);
    assert_eq!(fs::read(dir.join("x.json")).unwrap(), b"[]");
}

#[test]
fn refuses_what_is_there_unless_forced() {
    let root = tempfile::tempdir().unwrap();
    OutputDir::create(root.path(), false)
        .unwrap()
        .write("x", b"1")
        .unwrap();
    let error = OutputDir::create(root.path(), false).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("--force"), "{error}");
    assert!(OutputDir::create(root.path(), true).is_ok());
    let file = root.path().join("x");
    assert!(
        OutputDir::create(&file, true)
            .unwrap_err()
            .to_string()
            .contains("a file")
    );
    assert!(OutputDir::create(file.join("below"), true).is_err());
    assert!(write_file(&file, b"2", false).is_err());
    write_file(&file, b"2", true).unwrap();
    assert_eq!(fs::read(file).unwrap(), b"2");
}

#[test]
fn a_failed_set_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let output = OutputDir::create(root.path(), false).unwrap();
    let files = [("good", b"1".to_vec()), ("missing/bad", b"2".to_vec())];
    assert!(output.write_all(&files).is_err());
    assert!(names(root.path()).is_empty());
}

#[test]
fn a_directory_in_the_place_of_a_file_leaves_the_others_as_they_were() {
    let root = tempfile::tempdir().unwrap();
    let output = OutputDir::create(root.path(), false).unwrap();
    output.write("first", b"old").unwrap();
    fs::create_dir(root.path().join("second")).unwrap();
    let files = [("first", b"new".to_vec()), ("second", b"new".to_vec())];
    let error = output.write_all(&files).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let message = error.to_string();
    assert!(
        message.contains("second: output: found a directory"),
        "{message}"
    );
    assert_eq!(fs::read(root.path().join("first")).unwrap(), b"old");
    assert_eq!(names(root.path()), ["first", "second"]);
}

#[test]
fn what_a_killed_process_has_left_is_removed() {
    let root = tempfile::tempdir().unwrap();
    let output = OutputDir::create(root.path(), false).unwrap();
    let leave = |name: &str, age: Duration| {
        let file = fs::File::create(root.path().join(name)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    };
    leave(".x.json.aaaaaa.partial", 2 * STALE);
    leave(".x.json.bbbbbb.partial", STALE / 2);
    leave(".x.json.backup", 2 * STALE);
    leave(".y.json.cccccc.partial", 2 * STALE);
    output.write_all(&[("x.json", b"{}".to_vec())]).unwrap();
    let left = [
        ".x.json.backup",
        ".x.json.bbbbbb.partial",
        ".y.json.cccccc.partial",
        "x.json",
    ];
    assert_eq!(names(root.path()), left);
}

#[test]
fn unused_directories_vanish() {
    let root = tempfile::tempdir().unwrap();
    drop(OutputDir::create(root.path().join("a/b"), false).unwrap());
    assert!(names(root.path()).is_empty());
}

#[cfg(unix)]
#[test]
fn files_have_ordinary_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().unwrap();
    let output = OutputDir::create(root.path(), false).unwrap();
    let ours = output.write("ours", b"").unwrap();
    let plain = root.path().join("plain");
    fs::write(&plain, b"").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&plain));
}
