//! Forces beside force plates: of one run, and of a set of trials.

use std::fs;

use program::{QUICK, Workspace, fail, succeed, walk, walk_array};
use serde_json::Value;

mod program;

/// The data of a page.
fn data(page: &str) -> Value {
    let start = page.find("type=\"application/json\">").unwrap() + 24;
    let end = start + page[start..].find("</script>").unwrap();
    serde_json::from_str(&page[start..end]).unwrap()
}

/// Trials a and b, a with plates, in the folder `set`.
fn trials(work: &Workspace) {
    fs::create_dir(work.path("set")).unwrap();
    for name in ["a", "b"] {
        work.write_array(&format!("set/{name}.npy"), &walk_array());
    }
    work.write_plates("set/a_grf.npz", 300.0);
    work.write(
        "set/a.json",
        br#"{ "fps": 50, "mass_kg": 61.5, "category": "stroll" }"#,
    );
}

const SHORT: [&str; 6] = [
    "--seconds",
    "0.3",
    "--evaluations",
    "2",
    "--optimizers",
    "lm",
];

#[test]
fn a_run_is_compared_with_plates_and_so_are_kinematics() {
    let work = Workspace::new();
    let plates = work.write_plates("plates.npz", 300.0);
    let (poses, out) = (walk(), work.arg("out"));
    let command = [
        "reconstruct",
        &poses,
        "--out",
        &out,
        "--mass",
        "60",
        "--plates",
        &plates,
    ];
    let told = succeed(&[&command[..], &QUICK].concat());
    assert!(
        told.contains("plates, 0.4 s of a foot: vertical MAE"),
        "{told}"
    );
    assert!(
        told.contains("without a simulation, by kinematics: vertical MAE"),
        "{told}"
    );
    let metrics = work.json("out/metrics.json");
    assert!(metrics["plates"]["vertical_rmse"].is_number());
    assert!(metrics["plates"]["kinematics"]["vertical_rmse"].is_number());
    let page = data(&fs::read_to_string(work.path("out/report.html")).unwrap());
    let forces = &page["ground"]["measured"]["forces"];
    assert_eq!(
        forces[2],
        serde_json::json!([null, null]),
        "not measured before 0.1 s"
    );
    assert_eq!(forces[10][1][2], 0.51, "300 N of 60 kg");
    assert!(page["ground"]["measured"]["pressure"][10][0][1].is_number());
    let late = ["--start", "2.0", "--end", "2.2"];
    let command = [
        "reconstruct",
        &poses,
        "--out",
        &out,
        "--force",
        "--plates",
        &plates,
    ];
    let message = fail(&[&command[..], &late, &["--evaluations", "1"]].concat(), 2);
    assert!(
        message.contains("plates.npz: valid: found no measured foot"),
        "{message}"
    );
}

#[test]
fn an_evaluation_has_a_table_of_trials_with_plates() {
    let work = Workspace::new();
    trials(&work);
    let (set, out) = (work.arg("set"), work.arg("out"));
    let command = ["evaluate", "--motions", &set, "--plates", "--out", &out];
    let told = succeed(&[&command[..], &SHORT].concat());
    assert!(told.contains("| lm | stroll | 1 | simulated |"), "{told}");
    let rows = work.rows("out");
    assert_eq!(rows.as_array().unwrap().len(), 2, "plates are no motion");
    assert_eq!(rows[0]["category"], "stroll");
    assert!((rows[0]["mass_kg"].as_f64().unwrap() - 61.5).abs() < 1e-9);
    assert!(rows[0]["plates"]["kinematics"]["vertical_mae"].is_number());
    assert!(rows[1].get("plates").is_none());
    let groups = work.json("out/summary.json");
    let stroll = groups
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["group"] == "stroll");
    let means = &stroll.unwrap()["plates"];
    assert_eq!(means["trials"], 1);
    assert_eq!(
        means["simulated"]["vertical_mae"],
        rows[0]["plates"]["vertical_mae"]
    );
    let page = data(&fs::read_to_string(work.path("out/summary.html")).unwrap());
    assert_eq!(page["plates"]["rows"][0]["names"][1], "stroll");
    let report = fs::read_to_string(work.path("out/reports/a.lm.html")).unwrap();
    assert!(data(&report)["ground"]["measured"].is_object());
}

#[test]
fn a_manifest_names_plates_and_masses() {
    let work = Workspace::new();
    trials(&work);
    let manifest = br#"[
        { "file": "set/a.npy", "category": "walk", "mass": 70.0, "plates": "set/a_grf.npz" },
        { "file": "set/b.npy", "start": 2.0, "plates": "set/a_grf.npz" },
        { "file": "set/b.npy", "name": "c", "plates": "set/c_grf.npz" }
    ]"#;
    let (manifest, out) = (work.write("set.json", manifest), work.arg("out"));
    let command = ["evaluate", "--motions", &manifest, "--out", &out];
    let told = succeed(&[&command[..], &SHORT].concat());
    let rows = work.rows("out");
    assert!((rows[0]["mass_kg"].as_f64().unwrap() - 70.0).abs() < 1e-9);
    assert!(rows[0]["plates"]["vertical_rmse"].is_number());
    // What was simulated is kept where the plates have nothing to say of it.
    assert!(rows[1]["mpjpe_mm"].is_number() && rows[1].get("plates").is_none());
    assert!(
        told.contains("* b: ") && told.contains("no measured foot"),
        "{told}"
    );
    assert!(rows[2]["error"].as_str().unwrap().contains("c_grf.npz"));
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let work = Workspace::new();
    trials(&work);
    let (set, out) = (work.arg("set"), work.arg("out"));
    let evaluate = |motions: &str| {
        fail(
            &["evaluate", "--motions", motions, "--plates", "--out", &out],
            2,
        )
    };
    work.write("set/a.json", br#"{ "mass_kg": 6150 }"#);
    assert!(
        evaluate(&set).contains("mass of a: found 6150"),
        "{}",
        evaluate(&set)
    );
    let manifest = work.write("set.json", br#"[{ "file": "set/a.npy" }]"#);
    assert!(evaluate(&manifest).contains("--plates: use: found with a manifest"));
    fs::remove_file(work.path("set/a_grf.npz")).unwrap();
    assert!(evaluate(&set).contains("set: plates: found none"));
    assert!(!work.path("out").exists());
}
