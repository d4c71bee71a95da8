//! `report.html`: one offline file that plays the motion beside its metrics.

use nalgebra::Vector3;
use serde_json::{Value, json};

use super::npz::{force, ground_reactions};
use super::{Recording, side};
use crate::body::{Body, Geometry};
use crate::motion::Joints;
use crate::motion::skeleton::bones;
use crate::scene::Solid;
use crate::simulation::GRAVITY;

mod ground;

pub use ground::Pushes;

const PAGE: &str = include_str!("../../assets/report.html");

/// Where the metrics are explained, in rows of a table: name, key in `metrics.json`, what it is, unit.
const METRICS: &str = include_str!("../../docs/metrics.md");

/// The report of a recording: `title` names the clip, `metrics` is the content of `metrics.json`,
/// `losses` holds one curve of losses by evaluation for every window, and `measured` what force plates measured over the
/// interval that ends at each frame; nothing without them.
pub fn encode(
    recording: &Recording,
    title: &str,
    metrics: &Value,
    losses: &[Vec<f64>],
    measured: &Pushes,
) -> String {
    page(&data((recording, measured), title, metrics, losses))
}

/// The report that shows two recordings side by side, each with its title and metrics.
pub fn compare(recordings: [(&Recording, &str, &Value); 2]) -> String {
    let runs =
        recordings.map(|(recording, title, metrics)| data((recording, &[]), title, metrics, &[]));
    page(&json!({ "runs": runs }))
}

fn page(data: &Value) -> String {
    // Inside a script element only "</" could end the data early.
    PAGE.replace("@MEANINGS@", &meanings().to_string())
        .replace("@DATA@", &data.to_string().replace("</", "<\\/"))
}

/// What every metric is, with its unit, by its key in `metrics.json`.
fn meanings() -> Value {
    let rows = METRICS.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match cells.as_slice() {
            ["", name, keys, meaning, unit, ""] if keys.starts_with('`') => {
                Some((*name, *keys, *meaning, *unit))
            }
            _ => None,
        }
    });
    let told = rows.flat_map(|(name, keys, meaning, unit)| {
        let unit = if unit.is_empty() {
            String::new()
        } else {
            format!(", {unit}")
        };
        let keys = keys
            .split(", ")
            .map(|key| key.trim_matches('`').to_string());
        keys.map(move |key| (key, json!(format!("{name}: {meaning}{unit}"))))
    });
    Value::Object(told.collect())
}

/// What the page shows of one recording.
fn data(
    (recording, measured): (&Recording, &Pushes),
    title: &str,
    metrics: &Value,
    losses: &[Vec<f64>],
) -> Value {
    let simulated = recording.joints();
    let frames = &recording.trajectory.frames;
    let weight = recording.body.mass() * GRAVITY;
    let reactions = frames
        .iter()
        .map(|frame| ground_reactions(&recording.body, &frame.contacts));
    json!({
        "title": title,
        "version": env!("CARGO_PKG_VERSION"),
        "fps": recording.trajectory.fps,
        "stature": recording.body.stature,
        "weight": weight,
        "metrics": metrics,
        "bones": bones().map(|(parent, child)| [parent, child]).collect::<Vec<_>>(),
        "capsules": capsules(&recording.body),
        "solids": recording.trajectory.scene.solids.iter().map(drawn).collect::<Vec<_>>(),
        "links": frames.iter().map(|frame| {
            frame.links.iter().map(|pose| {
                let rotation = pose.rotation.coords.iter().map(|v| rounded(*v, 4));
                let position = pose.translation.vector.iter().map(|v| rounded(*v, 4));
                position.chain(rotation).collect::<Vec<f64>>()
            }).collect::<Vec<_>>()
        }).collect::<Vec<_>>(),
        "joints": simulated.iter().map(|joints| joints.map(|j| triple(&j)).to_vec())
            .collect::<Vec<_>>(),
        "observed": recording.reference.iter().map(|joints| joints.map(|j| triple(&j)).to_vec())
            .collect::<Vec<_>>(),
        "contacts": frames.iter().map(|frame| {
            frame.contacts.iter().map(|c| [triple(&c.point), triple(&c.force)]).collect::<Vec<_>>()
        }).collect::<Vec<_>>(),
        "errors": errors(&simulated, &recording.reference),
        "reactions": reactions
            .map(|feet| feet.map(|foot| rounded(force(foot).z / weight, 3)))
            .collect::<Vec<_>>(),
        "ground": ground::data(recording, measured),
        "losses": losses,
    })
}

/// A solid as the page draws it: its corners, m, the corners of its faces, and when it is there, s.
fn drawn(solid: &Solid) -> Value {
    json!({
        "corners": solid.corners().iter().map(triple).collect::<Vec<_>>(),
        "faces": solid.shape.faces(),
        "during": solid.during.as_ref().map(|during| [during.start, during.end]),
        "partial": solid.is_partial(),
    })
}

/// Every shape as the thick line that the page draws; a box along its longest axis.
fn capsules(body: &Body) -> Vec<Value> {
    let shapes = body
        .links
        .iter()
        .enumerate()
        .flat_map(|(l, link)| link.shapes.iter().map(move |shape| (l, link, shape)));
    shapes
        .map(|(l, link, shape)| {
            let (a, b, radius) = match &shape.geometry {
                Geometry::Capsule { a, b, radius } => (*a, *b, *radius),
                Geometry::RoundBox {
                    center,
                    half_extents,
                    rotation,
                    ..
                } => {
                    let mut sorted: [f64; 3] = (*half_extents).into();
                    sorted.sort_by(f64::total_cmp);
                    let radius = (sorted[0] + sorted[1]) / 2.0;
                    let reach = (sorted[2] - radius).max(0.0);
                    let axis = rotation * Vector3::ith(half_extents.imax(), reach);
                    (center - axis, center + axis, radius)
                }
            };
            json!({
                "link": l,
                "a": triple(&a),
                "b": triple(&b),
                "radius": rounded(radius, 4),
                "side": side(&link.name),
            })
        })
        .collect()
}

/// Mean distance of the joints, mm, frame by frame.
fn errors(simulated: &[Joints], observed: &[Joints]) -> Vec<f64> {
    let frames = simulated.iter().zip(observed);
    frames
        .map(|(ours, theirs)| {
            let sum: f64 = ours.iter().zip(theirs).map(|(a, b)| (a - b).norm()).sum();
            rounded(1000.0 * sum / ours.len() as f64, 2)
        })
        .collect()
}

fn triple(v: &Vector3<f64>) -> [f64; 3] {
    (*v).map(|c| rounded(c, 4)).into()
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::fixture;

    fn data(page: &str) -> Value {
        let start = page.find("type=\"application/json\">").unwrap() + 24;
        let end = start + page[start..].find("</script>").unwrap();
        serde_json::from_str(&page[start..end]).unwrap()
    }

    #[test]
    fn the_page_says_what_metrics_are() {
        let meanings = meanings();
        let told = |key: &str| meanings[key].as_str().unwrap_or_default().to_string();
        let expected = "MPJPE-G: mean distance of the 17 joints in the world frame, mm";
        assert_eq!(told("mpjpe_global_mm"), expected);
        assert!(told("retries").starts_with("windows, retries: how many"));
        assert!(!page(&json!({})).contains("@MEANINGS@"));
    }

    #[test]
    fn the_page_carries_the_motion() {
        let recording = fixture::recording();
        let metrics = json!({ "mpjpe_mm": 3.5, "reference": { "foot_skate_percent": 0.0 } });
        let page = encode(
            &recording,
            "</script> & co",
            &metrics,
            &[vec![3.0, 1.0]],
            &[],
        );
        let data = data(&page);
        assert_eq!(data["title"], "</script> & co");
        assert_eq!(data["metrics"], metrics);
        assert_eq!(data["links"].as_array().unwrap().len(), 5);
        assert_eq!(data["contacts"][1][0][1][2], 301.0);
        let expected = 1000.0 * f64::hypot(0.01, 0.02);
        assert!((data["errors"][4].as_f64().unwrap() - expected).abs() < 0.01);
        let share = data["reactions"][0][0].as_f64().unwrap();
        assert!((share - 300.0 / (recording.body.mass() * GRAVITY)).abs() < 1e-3);
    }

    #[test]
    fn two_recordings_share_a_page() {
        let recording = fixture::recording();
        let (first, second) = (json!({ "mpjpe_mm": 3.5 }), json!({ "mpjpe_mm": 4.5 }));
        let page = compare([(&recording, "a", &first), (&recording, "b", &second)]);
        let data = data(&page);
        assert_eq!(data["runs"][1]["title"], "b");
        assert_eq!(data["runs"][1]["metrics"], second);
    }

    #[test]
    fn the_page_needs_no_network() {
        assert!(!PAGE.contains("http://") && !PAGE.contains("https://"));
    }
}
