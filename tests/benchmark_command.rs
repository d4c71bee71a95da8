//! `motionfit benchmark`: files, determinism, refusals.

use std::collections::BTreeMap;
use std::path::Path;

use program::{Workspace, fail, succeed};

mod program;

/// Few runs that still cover learning rates, a quasi-Newton method and basin hopping.
const SMALL: [&str; 14] = [
    "benchmark",
    "--quiet",
    "--functions",
    "sphere,levy,perm0",
    "--dims",
    "2,250",
    "--optimizers",
    "adam,bfgs,basin-l-bfgs,optimus-guided,adafactor-mlp",
    "--inits",
    "3",
    "--iterations",
    "12",
    "--offsets",
    "--out",
];

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|e| {
            (
                e.file_name().into_string().unwrap(),
                std::fs::read(e.path()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn any_number_of_threads_writes_the_same_bytes() {
    let work = Workspace::new();
    let written = ["1", "2", "5"].map(|threads| {
        let out = work.arg(threads);
        succeed(&[&SMALL[..], &[&out, "--threads", threads]].concat());
        files(&work.path(threads))
    });
    for other in &written[1..] {
        assert!(written[0].keys().eq(other.keys()));
        for (name, bytes) in &written[0] {
            assert!(other[name] == *bytes, "{name} differs");
        }
    }
    for name in [
        "table.json",
        "profile.json",
        "summary.md",
        "dimension.svg",
        "profile.png",
    ] {
        assert!(written[0].contains_key(name), "{name} is missing");
    }
    let table: serde_json::Value = serde_json::from_slice(&written[0]["table.json"]).unwrap();
    let rows = table.as_array().unwrap();
    assert_eq!(rows.len(), 3 * 2 * 5);
    let keys = [
        "function",
        "dimension",
        "optimizer",
        "mean_best",
        "median_best",
        "mean_final",
    ];
    let counts = ["mean_evaluations", "mean_iterations", "inits", "offsets"];
    for key in keys.into_iter().chain(counts) {
        assert!(rows.iter().all(|row| row.get(key).is_some()), "{key}");
    }
    let overflow = rows
        .iter()
        .find(|r| r["function"] == "perm0" && r["dimension"] == 250);
    assert!(overflow.unwrap()["mean_best"].is_null());
}

#[test]
fn results_are_replaced_only_on_demand_and_bad_names_write_nothing() {
    let work = Workspace::new();
    let (out, other) = (work.arg("results"), work.arg("other"));
    let one = ["benchmark", "--functions", "sphere", "--dims", "2"];
    let few = ["--inits", "3", "--iterations", "12"];
    let args = |rest: &[&str], out: &str| -> Vec<String> {
        let all = [&one[..], &few, rest, &["--out"]].concat();
        all.into_iter()
            .map(String::from)
            .chain([out.to_string()])
            .collect()
    };
    let run = |rest: &[&str]| {
        let args = args(rest, &out);
        succeed(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refused = |rest: &[&str], out: &str| {
        let args = args(rest, out);
        fail(&args.iter().map(String::as_str).collect::<Vec<_>>(), 2)
    };
    run(&[]);
    assert!(refused(&[], &out).contains("--force"));
    run(&["--force"]);
    assert!(refused(&["--optimizers", "newton"], &other).contains("newton"));
    let huge = [
        "benchmark",
        "--dims",
        "100000",
        "--optimizers",
        "bfgs",
        "--out",
        &other,
    ];
    assert!(fail(&huge, 2).contains("--dims: value: found 100000; bfgs keeps"));
    assert!(!work.path("other").exists());
}
