//! What the program says stays as it is written down in `tests/snapshots/`, numbers aside.
//!
//! `MOTIONFIT_WRITE_SNAPSHOTS=1 cargo test --test snapshots` writes the files anew; the difference belongs into the
//! change that makes it.

mod program;

use std::fs;
use std::path::PathBuf;

use program::{QUICK, Workspace, succeed, walk};

/// The commands that have help of their own.
const COMMANDS: [&str; 8] = [
    "reconstruct",
    "evaluate",
    "export",
    "compare",
    "benchmark",
    "train",
    "completions",
    "man",
];

/// Compares `text` with the file called `name`, or writes it.
fn compare(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name);
    if std::env::var_os("MOTIONFIT_WRITE_SNAPSHOTS").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    let lines = kept.lines().zip(text.lines());
    for (i, (kept, said)) in lines.enumerate() {
        assert_eq!(kept, said, "{name}, line {}", i + 1);
    }
    assert_eq!(kept.lines().count(), text.lines().count(), "{name}");
}

/// `text` with `#` for every number, and one space for several.
fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    let mut in_number = false;
    for c in text.chars() {
        let continues = in_number && (c == '.' || c == '-' || c == 'e');
        if c.is_ascii_digit() || continues {
            if !in_number {
                out.push('#');
            }
            in_number = true;
            continue;
        }
        in_number = false;
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out
}

#[test]
fn numbers_are_left_out() {
    assert_eq!(without_numbers("a  12.5 mm, 3e-9 of 4"), "a # mm, # of #");
}

#[test]
fn the_help_is_as_written_down() {
    compare("motionfit.txt", &succeed(&["--help"]));
    for command in COMMANDS {
        compare(&format!("{command}.txt"), &succeed(&[command, "--help"]));
    }
}

#[test]
fn summaries_are_as_written_down() {
    let work = Workspace::new();
    fs::create_dir(work.path("clips")).unwrap();
    fs::copy(walk(), work.path("clips/walk.npy")).unwrap();
    let (clips, out) = (work.arg("clips"), work.arg("evaluation"));
    let quick = ["--seconds", "0.3", "--evaluations", "2", "--out", &out];
    succeed(&[&["evaluate", "--motions", &clips], &quick[..]].concat());
    let kept = |name: &str| fs::read_to_string(work.path(name)).unwrap();
    compare(
        "evaluation-summary.md",
        &without_numbers(&kept("evaluation/summary.md")),
    );
    let (poses, out) = (walk(), work.arg("run"));
    succeed(&[&["reconstruct", &poses, "--out", &out], &QUICK[..]].concat());
    let names = fs::read_dir(work.path("run")).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    compare("run-files.txt", &(names.join("\n") + "\n"));
    let record = work.json("run/metrics.json");
    let keys: Vec<&String> = record.as_object().unwrap().keys().collect();
    let keys: String = keys.iter().map(|key| format!("{key}\n")).collect();
    compare("run-metrics.txt", &keys);
}
