//! `motionfit benchmark`: files, determinism, refusals.

use std::collections::BTreeMap;
use std::path::Path;

use motionfit::commands::benchmark::{BenchmarkArgs, run};

fn args(out: &Path) -> BenchmarkArgs {
    BenchmarkArgs {
        protocol: "paper".into(),
        functions: vec!["sphere".into(), "levy".into(), "perm0".into()],
        dims: vec![2, 250],
        optimizers: vec!["adam".into(), "bfgs".into(), "basin-l-bfgs".into()],
        inits: 3,
        iterations: 12,
        offsets: true,
        timing: false,
        out: out.to_path_buf(),
        force: false,
        quiet: true,
    }
}

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
    let dir = tempfile::tempdir().unwrap();
    let written = [1, 2, 5].map(|threads| {
        let out = dir.path().join(threads.to_string());
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| run(&args(&out))).unwrap();
        files(&out)
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
    assert_eq!(rows.len(), 3 * 2 * 3);
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
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("results");
    let small = BenchmarkArgs {
        functions: vec!["sphere".into()],
        dims: vec![2],
        ..args(&out)
    };
    run(&small).unwrap();
    assert_eq!(run(&small).unwrap_err().exit_code(), 2);
    run(&BenchmarkArgs {
        force: true,
        ..small.clone()
    })
    .unwrap();
    let other = dir.path().join("other");
    let unknown = BenchmarkArgs {
        optimizers: vec!["newton".into()],
        out: other.clone(),
        ..small
    };
    assert!(run(&unknown).unwrap_err().to_string().contains("newton"));
    assert!(!other.exists());
}
