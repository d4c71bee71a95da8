//! `summary.html`: the rows of an evaluation as a table to sort, the worst first.

use std::fmt::Write;

use nalgebra::Vector3;
use serde_json::{Value, json};

use super::plates::table::{self, KEY};
use super::summary::{Group, Row, with_plates};
use crate::motion::Joints;
use crate::motion::skeleton::bones;

const PAGE: &str = include_str!("../../assets/evaluation.html");
/// Moments in the picture of a row.
const MOMENTS: usize = 6;

/// Columns: heading, where the value is, decimals.
const COLUMNS: [(&str, &[&str], usize); 12] = [
    ("MPJPE-G, mm", &["mpjpe_global_mm"], 1),
    ("worst frame, mm", &["max_frame_error_mm"], 0),
    ("MPJPE, mm", &["mpjpe_mm"], 1),
    ("MPJPE-PA, mm", &["mpjpe_procrustes_mm"], 1),
    ("TV", &["acceleration_tv"], 4),
    ("TV observed", &["reference", "acceleration_tv"], 4),
    ("ankle skate, %", &["ankle_skate_percent"], 1),
    ("observed, %", &["reference", "ankle_skate_percent"], 1),
    ("penetration, mm", &["penetration_mm"], 1),
    ("reaction / weight", &["mean_ground_reaction_per_weight"], 2),
    ("evaluations", &["evaluations"], 0),
    ("time, s", &["seconds"], 1),
];

/// Columns about force plates, shown where a row has any.
const PLATES: [(&str, &[&str], usize); 7] = [
    ("vertical force MAE, %", &[KEY, "vertical_mae"], 1),
    ("by kinematics, %", &[KEY, "kinematics", "vertical_mae"], 1),
    ("RMSE, %", &[KEY, "vertical_rmse"], 1),
    ("r", &[KEY, "pearson_r"], 3),
    ("fore-aft, %", &[KEY, "ap_rmse"], 1),
    ("sideways, %", &[KEY, "ml_rmse"], 1),
    ("pressure, mm", &[KEY, "cop_rmse_mm"], 0),
];

/// The page of `rows`, and of their `groups`; `report` tells where the report of a row is, without `.html`, if it has one.
pub fn encode(rows: &[Row], groups: &[Group], report: impl Fn(&Row) -> Option<String>) -> String {
    let text = |row: &Row, key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by(|a, b| badness(b).total_cmp(&badness(a)));
    let about_plates = rows.iter().any(|row| row.contains_key(KEY));
    let columns = COLUMNS.iter().chain(PLATES.iter().filter(|_| about_plates));
    let lines = rows.iter().map(|row| {
        json!({
            "clip": text(row, "clip"),
            "category": text(row, "category"),
            "optimizer": text(row, "optimizer"),
            "failed": row.get("failed").and_then(Value::as_bool).unwrap_or(false),
            "error": text(row, "error"),
            "report": report(row),
            "values": columns.clone().map(|(_, path, _)| value(row, path)).collect::<Vec<_>>(),
        })
    });
    let data = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "columns": columns.clone().map(|(name, _, digits)| json!([name, digits])).collect::<Vec<_>>(),
        "plates": plates(groups),
        "rows": lines.collect::<Vec<_>>(),
    });
    // Inside a script element only "</" could end the data early.
    PAGE.replace("@DATA@", &data.to_string().replace("</", "<\\/"))
}

/// The table of means against force plates.
fn plates(groups: &[Group]) -> Value {
    let lines = table::lines(with_plates(groups)).into_iter().map(|line| {
        let [optimizer, group] = line.names;
        json!({
            "names": [optimizer, group, line.source],
            "trials": line.trials,
            "values": line.values,
        })
    });
    json!({
        "columns": table::COLUMNS.map(|(name, _, digits)| json!([name, digits])),
        "rows": lines.collect::<Vec<_>>(),
    })
}

fn value(row: &Row, path: &[&str]) -> Option<f64> {
    let (first, rest) = path.split_first()?;
    let start = row.get(*first)?;
    rest.iter()
        .try_fold(start, |value, key| value.get(key))?
        .as_f64()
}

/// Clips with an error come first, then those that failed, then the others by their error.
fn badness(row: &Row) -> f64 {
    let failed = row.get("failed").and_then(Value::as_bool).unwrap_or(false);
    let error = value(row, &["mpjpe_global_mm"]).unwrap_or(f64::INFINITY);
    error + if failed { 1e6 } else { 0.0 }
}

/// What the files of a row are called: clip and optimizer, with letters that every system takes.
pub fn file_name(row: &Row) -> String {
    let part = |key: &str| {
        let text = row.get(key).and_then(Value::as_str).unwrap_or("unnamed");
        let plain = |c: char| match c.is_alphanumeric() || c == '-' || c == '_' {
            true => c,
            false => '_',
        };
        text.chars().map(plain).collect::<String>()
    };
    format!("{}.{}", part("clip"), part("optimizer"))
}

/// Stick figures of a few moments side by side, the observed ones behind, as SVG.
pub fn picture(simulated: &[Joints], observed: &[Joints]) -> String {
    let (width, height) = (44.0 * MOMENTS as f64, 56.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         fill=\"none\" stroke-linecap=\"round\">"
    );
    let side = view(simulated);
    for k in 0..MOMENTS {
        let t = k * simulated.len().saturating_sub(1) / (MOMENTS - 1);
        let left = 44.0 * k as f64 + 22.0;
        let Some(center) = simulated.get(t).map(|joints| joints[0]) else {
            break;
        };
        for (joints, color) in [(observed.get(t), "#1f9d4d"), (simulated.get(t), "#d4692f")] {
            let path = joints.map(|joints| strokes(joints, &center, &side, left));
            let path = path.unwrap_or_default();
            // Writing to a String cannot fail.
            let _ = write!(
                svg,
                "<path stroke=\"{color}\" stroke-width=\"1.6\" d=\"{path}\"/>"
            );
        }
    }
    svg + "</svg>\n"
}

/// The horizontal direction that is drawn to the right: the way of the motion, or else across the hips.
fn view(joints: &[Joints]) -> Vector3<f64> {
    let flat = |v: Vector3<f64>| Vector3::new(v.x, v.y, 0.0);
    let (Some(first), Some(last)) = (joints.first(), joints.last()) else {
        return Vector3::x();
    };
    let way = flat(last[0] - first[0]);
    let across = flat(first[1] - first[4]);
    let chosen = if way.norm() > 0.3 { way } else { across };
    chosen.try_normalize(1e-9).unwrap_or(Vector3::x())
}

fn strokes(joints: &Joints, center: &Vector3<f64>, side: &Vector3<f64>, left: f64) -> String {
    let at = |j: usize| {
        let from = joints[j] - center;
        (left + 26.0 * from.dot(side), 53.0 - 26.0 * joints[j].z)
    };
    let lines = bones().map(|(a, b)| {
        let ((ax, ay), (bx, by)) = (at(a), at(b));
        format!("M{ax:.1} {ay:.1}L{bx:.1} {by:.1}")
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::summary::summarize;
    use crate::export::fixture;

    fn row(clip: &str, error: Option<f64>) -> Row {
        let row = json!({
            "clip": clip, "category": "walk", "optimizer": "out/w.safetensors",
            "failed": error.is_none(), "mpjpe_global_mm": error, "reference": {"acceleration_tv": 0.5},
        });
        row.as_object().unwrap().clone()
    }

    #[test]
    fn the_worst_clips_come_first_and_link_to_their_reports() {
        let rows = [
            row("good", Some(4.0)),
            row("bad", Some(40.0)),
            row("lost", None),
        ];
        let page = encode(&rows, &[], |row| {
            (row["clip"] == "bad").then(|| file_name(row))
        });
        let places = ["lost", "bad", "good"].map(|clip| page.find(&format!("\"clip\":\"{clip}\"")));
        assert!(places.is_sorted() && places[0].is_some());
        assert!(page.contains("\"report\":\"bad.out_w_safetensors\""));
        assert!(!PAGE.contains("http"));
        assert!(!page.contains("by kinematics, %"));
    }

    #[test]
    fn forces_beside_plates_are_columns_and_a_table_of_means() {
        let mut measured = row("measured", Some(4.0));
        let plates = json!({ "vertical_mae": 5.5, "kinematics": { "vertical_mae": 6.5 } });
        measured.insert(KEY.into(), plates);
        let rows = [measured, row("other", Some(3.0))];
        let page = encode(&rows, &summarize(&rows), |_| None);
        let start = page.find("type=\"application/json\">").unwrap() + 24;
        let end = start + page[start..].find("</script>").unwrap();
        let data: Value = serde_json::from_str(&page[start..end]).unwrap();
        let of = |row: usize, column: usize| &data["rows"][row]["values"][column];
        assert_eq!(data["columns"][COLUMNS.len()][0], "vertical force MAE, %");
        assert_eq!((of(0, 12), of(0, 13)), (&json!(5.5), &json!(6.5)));
        assert_eq!((of(1, 0), of(1, 12)), (&json!(3.0), &Value::Null));
        let means = data["plates"]["rows"].as_array().unwrap();
        assert_eq!(means[0]["names"][1], "walk");
        assert_eq!(means[0]["names"][2], "simulated");
        assert_eq!(means[1]["values"][1], 6.5);
        assert_eq!(means.len(), 4, "of walk and of all, both");
    }

    #[test]
    fn a_picture_has_both_figures_in_every_moment() {
        let recording = fixture::recording();
        let svg = picture(&recording.joints(), &recording.reference);
        assert_eq!(svg.matches("<path").count(), 2 * MOMENTS);
        assert!(!svg.contains("NaN"));
        assert!(picture(&[], &[]).ends_with("</svg>\n"));
    }
}
