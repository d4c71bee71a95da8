//! Many clips and files: in shards, after a kill, with some that fail.

use std::fs;

use program::{QUICK, Workspace, fail, motionfit, succeed, text, walk_array};

mod program;

/// Three clips of different lengths.
fn clips() -> Workspace {
    let work = Workspace::new();
    let walk = walk_array();
    fs::create_dir(work.path("set")).unwrap();
    for (name, frames) in [("a", 30), ("b", 60), ("c", 45)] {
        let cut = walk.slice(ndarray::s![..frames, .., ..]).to_owned();
        work.write_array(&format!("set/{name}.npy"), &cut);
    }
    work
}

/// Evaluates two optimizers on them.
fn evaluate(work: &Workspace, out: &str, options: &[&str]) -> String {
    let (set, out) = (work.arg("set"), work.arg(out));
    let args = [
        "evaluate",
        "--motions",
        &set,
        "--out",
        &out,
        "--seconds",
        "0.3",
    ];
    let optimizers = ["--evaluations", "2", "--optimizers", "lm,adam"];
    succeed(&[&args[..], &optimizers, options].concat())
}

#[test]
fn an_evaluation_in_shards_has_the_rows_of_a_whole_one() {
    let work = clips();
    evaluate(&work, "whole", &[]);
    let expected = work.rows("whole");
    let clips = expected
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["clip"].as_str().unwrap());
    assert_eq!(clips.collect::<Vec<_>>(), ["a", "a", "b", "b", "c", "c"]);
    for shard in ["2/4", "4/4", "1/4"] {
        let told = evaluate(&work, "shards", &["--shard", shard]);
        assert!(told.contains("[1/") && told.contains("--resume"), "{told}");
    }
    assert!(!work.path("shards/clips.json").exists());
    // The third has not been run; a line of the first is torn.
    let journal = work.path("shards/rows-1-of-4.jsonl");
    let lines = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, &lines[..lines.len() - 20]).unwrap();
    let told = evaluate(&work, "shards", &["--resume"]);
    assert!(
        told.contains("[5/6]") && told.contains("[6/6]") && !told.contains("[4/6]"),
        "{told}"
    );
    assert_eq!(work.rows("shards"), expected);
    assert!(!journal.exists(), "everything is in the table");
    let (set, out) = (work.arg("set"), work.arg("bad"));
    let args = [
        "evaluate",
        "--motions",
        &set,
        "--out",
        &out,
        "--shard",
        "5/4",
    ];
    assert!(fail(&args, 2).contains("--shard"));
}

#[test]
fn an_evaluation_that_was_killed_ends_with_the_rows_of_a_whole_one() {
    let work = clips();
    evaluate(&work, "whole", &[]);
    // Some rows are in the table, some in the journal alone, one is torn.
    let all = work.json("whole/clips.json");
    work.write(
        "killed/clips.json",
        serde_json::to_string(&[&all[4]]).unwrap().as_bytes(),
    );
    let lines = format!("{}\n{}\n{}", all[4], all[1], &all[0].to_string()[..30]);
    work.write("killed/rows.jsonl", lines.as_bytes());
    fs::copy(
        work.path("whole/config.json"),
        work.path("killed/config.json"),
    )
    .unwrap();
    let told = evaluate(&work, "killed", &["--resume"]);
    assert!(told.contains("[3/6]") && !told.contains("[2/6]"), "{told}");
    assert_eq!(work.rows("killed"), work.rows("whole"));
    assert_eq!(
        work.json("killed/clips.json")[4],
        all[4],
        "a finished row was found again"
    );
}

#[test]
fn of_several_files_those_without_an_error_are_reconstructed() {
    let work = Workspace::new();
    let walk = walk_array();
    for name in ["a", "b"] {
        fs::create_dir_all(work.path("set")).unwrap();
        work.write_array(&format!("set/{name}.npy"), &walk);
    }
    let broken = work.write("broken.npy", b"nothing");
    let (pattern, out) = (work.arg("set/*.npy"), work.arg("out"));
    let args = [
        &["reconstruct", &pattern, &broken, "--out", &out],
        &QUICK[..],
    ]
    .concat();
    let output = motionfit(&args);
    assert_eq!(output.status.code(), Some(2));
    let (told, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(
        told.contains("a: MPJPE-G") && told.contains("b: MPJPE-G"),
        "{told}"
    );
    assert!(
        errors.contains("broken: error: ") && errors.contains("1 of 3 failed"),
        "{errors}"
    );
    // The same as of one file alone.
    let (file, alone) = (work.arg("set/a.npy"), work.arg("alone"));
    succeed(&[&["reconstruct", &file, "--out", &alone], &QUICK[..]].concat());
    for name in ["motion.npz", "motion.glb", "report.html"] {
        let read = |run: &str| fs::read(work.path(&format!("{run}/{name}"))).unwrap();
        assert!(read("alone") == read("out/a"), "{name}");
    }
    let again = fail(
        &[
            "reconstruct",
            &file,
            &work.arg("set/../set/a.npy"),
            "--out",
            &out,
        ],
        2,
    );
    assert!(again.contains("repeated value: found a"), "{again}");
    assert!(fail(&["reconstruct", &work.arg("set/*.bvh"), "--out", &out], 2).contains("0 files"));
}
