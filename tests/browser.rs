//! The pages in a real browser: they load without a complaint from a file, play, jump, and are not blank.
//! Needs Chromium; without it the tests say that they were skipped, and fail with MOTIONFIT_REQUIRE_BROWSER.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use program::{Workspace, succeed, walk};
use serde_json::{Value, json};

mod program;

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The first browser that starts.
fn browser() -> Option<&'static str> {
    let starts = |name: &&&str| {
        let mut command = Command::new(name);
        command
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let found = BROWSERS.iter().find(starts).copied();
    if found.is_none() {
        let required = std::env::var_os("MOTIONFIT_REQUIRE_BROWSER").is_some();
        assert!(!required, "none of {BROWSERS:?} starts");
        println!("SKIPPED: none of {BROWSERS:?} starts: the pages were not opened");
    }
    found
}

/// Opens `page` with `script` behind it, which puts what it found into `found`, and returns that. `width` is that of the
/// window.
fn open(page: &Path, script: &str, width: u32) -> Option<Value> {
    let browser = browser()?;
    let text = fs::read_to_string(page).unwrap();
    let before = "<head><script>const found = { errors: [] };\
         addEventListener('error', (e) => found.errors.push(e.message));\
         const wait = (ms) => new Promise((done) => setTimeout(done, ms));</script>";
    let after = format!(
        "<script>(async () => {{\n{script}\n}})().catch((e) => found.errors.push(String(e)))\
         .then(() => document.documentElement.dataset.found = JSON.stringify(found));</script>"
    );
    let probe = text.replacen("<head>", before, 1) + &after;
    let copy = page.with_extension("probed.html");
    fs::write(&copy, probe).unwrap();
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-sync",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-quic",
        ])
        .args([
            "--enable-logging=stderr",
            "--virtual-time-budget=8000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={width},900"))
        .arg(format!("file://{}", copy.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    let dom = String::from_utf8_lossy(&output.stdout);
    let (_, rest) = dom
        .split_once("data-found=\"")
        .unwrap_or_else(|| panic!("{said}"));
    let (found, _) = rest.split_once('"').unwrap();
    let found: Value = serde_json::from_str(&found.replace("&quot;", "\"")).unwrap();
    assert_eq!(found["errors"], json!([]));
    Some(found)
}

/// What a visitor does with a report; `pixels` tells how much a canvas shows.
const VISIT: &str = r#"
const clock = () => document.getElementById('clock').textContent;
const view = () => document.getElementById('view0').toDataURL();
const shades = (id) => {
  const canvas = document.getElementById(id);
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
};
found.shades = shades('view0');
found.curves = ['errors', 'up-right', 'ahead-left', 'left-right', 'along-left', 'across-left', 'contacts'].map(shades);
const start = clock(), first = view();
found.plays = false;
for (let n = 0; n < 20 && !found.plays; n += 1) {
  await wait(120);
  found.plays = clock() !== start && view() !== first;
}
document.getElementById('play').click();
const paused = clock();
await wait(120);
found.pauses = clock() === paused;
document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true }));
found.home = clock();
document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
found.step = clock();
const curve = document.getElementById('errors'), box = curve.getBoundingClientRect();
curve.dispatchEvent(new PointerEvent('pointerdown', { clientX: box.right - 11, clientY: box.top + 20, bubbles: true }));
found.jump = clock();
found.toggles = ['body', 'skeleton', 'observed', 'forces'].map((id) => {
  const before = view();
  document.getElementById(id).click();
  const changed = view() !== before;
  return changed;
});
found.wide = document.documentElement.scrollWidth <= innerWidth;
found.rows = document.querySelectorAll('#metrics tr').length;
found.network = performance.getEntriesByType('resource').filter((entry) => /^https?:/.test(entry.name)).length;
"#;

fn check_report(page: &Path, width: u32) {
    // On a busy machine the browser may draw nothing for seconds: a page that plays does so on another visit.
    let plays = |found: &Value| found["plays"] == json!(true);
    let mut visits = (0..3).map_while(|_| open(page, VISIT, width));
    let Some(mut found) = visits.next() else {
        return;
    };
    while !plays(&found)
        && let Some(again) = visits.next()
    {
        found = again;
    }
    assert!(found["shades"].as_u64() > Some(20), "{found}");
    assert!(
        found["curves"]
            .as_array()
            .unwrap()
            .iter()
            .all(|n| n.as_u64() > Some(1)),
        "{found}"
    );
    assert_eq!(
        (&found["plays"], &found["pauses"]),
        (&json!(true), &json!(true)),
        "{found}"
    );
    assert_eq!(found["home"], "0.00 s, frame 0");
    assert_eq!(found["step"], "0.02 s, frame 1");
    assert_ne!(found["jump"], found["step"], "{found}");
    assert_eq!(found["toggles"], json!([true, true, true, true]));
    assert_eq!(found["wide"], true, "the page is wider than the window");
    assert!(found["rows"].as_u64() > Some(10), "{found}");
    assert_eq!(found["network"], 0);
}

/// The measured forces are drawn over the simulated ones where plates were given, and there alone.
fn check_measured(work: &Workspace) {
    let script = r#"
found.legend = !document.getElementById('measured').hidden;
found.series = plots.map((plot) => plot.series.length);
const draws = (id) => {
  const canvas = document.getElementById(id), before = canvas.toDataURL();
  const { series } = plots.find((plot) => plot.id === id);
  const measured = series.pop();
  draw();
  const changed = canvas.toDataURL() !== before;
  series.push(measured);
  draw();
  return changed && canvas.toDataURL() === before;
};
playing = false;
draw();
found.drawn = found.legend && ['up-right', 'up-left', 'ahead-left', 'along-right'].map(draws);
"#;
    let Some(found) = open(&work.path("measured/report.html"), script, 1280) else {
        return;
    };
    assert_eq!(found["series"], json!(vec![2; 10]), "{found}");
    assert_eq!(found["drawn"], json!([true, true, true, true]), "{found}");
    let Some(found) = open(&work.path("first/report.html"), script, 1280) else {
        return;
    };
    assert_eq!(
        (&found["legend"], &found["series"]),
        (&json!(false), &json!(vec![1; 10]))
    );
}

#[test]
fn the_report_plays_and_two_runs_compare() {
    let work = Workspace::new();
    let first = work.run("first", &[]);
    check_report(&work.path("first/report.html"), 1280);
    check_report(&work.path("first/report.html"), 390);
    let plates = work.write_plates("plates.npz", 300.0);
    work.run("measured", &["--plates", &plates]);
    check_report(&work.path("measured/report.html"), 390);
    check_measured(&work);
    let second = work.run("second", &["--mass", "90"]);
    let page = work.arg("compare.html");
    succeed(&["compare", &first, &second, "--out", &page]);
    check_report(Path::new(&page), 1280);
}

#[test]
fn an_evaluation_is_a_table_to_sort() {
    let work = Workspace::new();
    fs::create_dir(work.path("clips")).unwrap();
    fs::copy(walk(), work.path("clips/walk.npy")).unwrap();
    work.write("clips/broken.npy", b"nothing");
    let (clips, out) = (work.arg("clips"), work.arg("out"));
    let seconds = [
        "--seconds",
        "0.3",
        "--evaluations",
        "2",
        "--optimizers",
        "lm,adam",
    ];
    succeed(
        &[
            &["evaluate", "--motions", &clips, "--out", &out],
            &seconds[..],
        ]
        .concat(),
    );
    assert!(work.path("out/reports/walk.lm.html").is_file());
    let script = r#"
const clips = () => [...document.querySelectorAll('#rows tr')].map((row) => row.cells[1].textContent);
found.first = clips();
document.querySelector('#heads button').click();
found.sorted = clips();
document.getElementById('filter').value = 'adam';
document.getElementById('filter').oninput();
found.filtered = clips();
const link = document.querySelector('#rows a');
found.link = link.getAttribute('href');
const image = document.querySelector('#rows img');
image.loading = 'eager';
await image.decode();
found.picture = image.naturalWidth > 0;
"#;
    let Some(found) = open(&work.path("out/summary.html"), script, 1280) else {
        return;
    };
    assert_eq!(found["first"], json!(["broken", "broken", "walk", "walk"]));
    assert_eq!(found["sorted"], json!(["broken", "broken", "walk", "walk"]));
    assert_eq!(found["filtered"], json!(["broken", "walk"]));
    assert_eq!(
        (&found["link"], &found["picture"]),
        (&json!("reports/walk.adam.html"), &json!(true))
    );
}
