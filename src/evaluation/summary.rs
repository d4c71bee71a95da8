//! Summaries of evaluated clips: medians and shares by optimizer and group of clips.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

pub use super::Row;
use super::clips::UNKNOWN;
use super::plates::table::{self, Means};

/// Names of the groups of clips that learned optimizers are trained on, and of the others.
const DOMAINS: [&str; 2] = ["in domain", "out of domain"];

/// The clips of one category, of one split, or all, as one optimizer did on them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// The optimizer.
    pub optimizer: String,
    /// A category, "in domain", "out of domain" or "all".
    pub group: String,
    /// Number of clips.
    pub clips: usize,
    /// Of these, those that failed.
    pub failed: usize,
    /// Median MPJPE-G over all clips, failed ones included; `None` when most have no value.
    pub mpjpe_global_mm: Option<f64>,
    /// Median MPJPE.
    pub mpjpe_mm: Option<f64>,
    /// Median MPJPE-PA.
    pub mpjpe_procrustes_mm: Option<f64>,
    /// Median TV of the acceleration.
    pub acceleration_tv: Option<f64>,
    /// Median TV of the acceleration of the observed motions.
    pub reference_acceleration_tv: Option<f64>,
    /// Median foot skate, told by the simulated soles.
    pub foot_skate_percent: Option<f64>,
    /// Median foot skate as the ankles alone tell it.
    pub ankle_skate_percent: Option<f64>,
    /// The same of the observed motions.
    pub reference_ankle_skate_percent: Option<f64>,
    /// Median penetration.
    pub penetration_mm: Option<f64>,
    /// Share of the clips whose TV is not above the observed motion's, percent.
    pub tv_not_above_reference_percent: f64,
    /// Share of the clips whose ankles skate not more than the observed ones, percent.
    pub skate_not_above_reference_percent: f64,
    /// Median number of evaluations.
    pub evaluations: Option<f64>,
    /// Median computing time per second of motion, s.
    pub seconds_per_second: Option<f64>,
    /// Mean errors against force plates; none without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plates: Option<Means>,
}

/// Summarizes `rows`: for every optimizer, in order of appearance, each category (sorted), the two
/// domains, and all.
pub fn summarize(rows: &[Row]) -> Vec<Group> {
    let mut optimizers: Vec<&str> = Vec::new();
    for row in rows {
        let optimizer = text(row, "optimizer");
        if !optimizers.contains(&optimizer) {
            optimizers.push(optimizer);
        }
    }
    let mut categories: Vec<&str> = rows.iter().map(|row| text(row, "category")).collect();
    categories.sort_unstable();
    categories.dedup();
    let mut groups = Vec::new();
    for optimizer in optimizers {
        let of_optimizer = rows
            .iter()
            .filter(|row| text(row, "optimizer") == optimizer);
        let select = |keep: &dyn Fn(&str) -> bool| -> Vec<&Row> {
            of_optimizer
                .clone()
                .filter(|row| keep(text(row, "category")))
                .collect()
        };
        let by_category = categories
            .iter()
            .map(|name| (*name, select(&|category| category == *name)));
        let domains = [
            (DOMAINS[0], select(&|category| category == "walk")),
            (DOMAINS[1], select(&|category| category != "walk")),
            ("all", select(&|_| true)),
        ];
        let count = of_optimizer.clone().count();
        // What would say the same as "all" does is left out.
        let says_more = |(group, rows): &(&str, Vec<&Row>)| {
            let is_label = *group != UNKNOWN && !DOMAINS.contains(group);
            !rows.is_empty() && (is_label || rows.len() < count)
        };
        let named = by_category.chain(domains).filter(says_more);
        groups.extend(named.map(|(group, rows)| Group::new(optimizer, group, &rows)));
    }
    groups
}

impl Group {
    fn new(optimizer: &str, group: &str, rows: &[&Row]) -> Self {
        let median = |path: &[&str]| finite_median(rows.iter().map(|row| number(row, path)));
        let not_above = |key: &str| {
            let clips = rows.iter().filter(|row| {
                let (ours, theirs) = (number(row, &[key]), number(row, &["reference", key]));
                ours.zip(theirs)
                    .is_some_and(|(ours, theirs)| ours <= theirs)
            });
            100.0 * clips.count() as f64 / rows.len() as f64
        };
        let pace = rows.iter().map(|row| {
            let (time, clip) = (number(row, &["seconds"])?, number(row, &["clip_seconds"])?);
            Some(time / clip)
        });
        Self {
            optimizer: optimizer.into(),
            group: group.into(),
            clips: rows.len(),
            failed: rows
                .iter()
                .filter(|row| row.get("failed") == Some(&Value::Bool(true)))
                .count(),
            mpjpe_global_mm: median(&["mpjpe_global_mm"]),
            mpjpe_mm: median(&["mpjpe_mm"]),
            mpjpe_procrustes_mm: median(&["mpjpe_procrustes_mm"]),
            acceleration_tv: median(&["acceleration_tv"]),
            reference_acceleration_tv: median(&["reference", "acceleration_tv"]),
            foot_skate_percent: median(&["foot_skate_percent"]),
            ankle_skate_percent: median(&["ankle_skate_percent"]),
            reference_ankle_skate_percent: median(&["reference", "ankle_skate_percent"]),
            penetration_mm: median(&["penetration_mm"]),
            tv_not_above_reference_percent: not_above("acceleration_tv"),
            skate_not_above_reference_percent: not_above("ankle_skate_percent"),
            evaluations: median(&["evaluations"]),
            seconds_per_second: finite_median(pace),
            plates: Means::new(rows),
        }
    }
}

/// The summary as Markdown tables, followed by the clips that failed.
pub fn markdown(groups: &[Group], rows: &[Row]) -> String {
    table_of(groups) + &table::markdown(with_plates(groups)) + &failures(rows)
}

/// The categories, and all, that have force plates.
pub fn with_plates(groups: &[Group]) -> Vec<([&str; 2], &Means)> {
    let is_domain = |group: &Group| DOMAINS.contains(&group.group.as_str());
    let groups = groups.iter().filter(|group| !is_domain(group));
    let named = groups.filter_map(|group| {
        let names = [group.optimizer.as_str(), group.group.as_str()];
        Some((names, group.plates.as_ref()?))
    });
    named.collect()
}

fn table_of(groups: &[Group]) -> String {
    // Writing to a String cannot fail: the results of writeln! are dropped.
    let mut page = String::from(
        "Medians over the clips of a group; TV and ankle skate: simulated / observed; \"≤ obs.\": \
         share of clips in which the simulated value is not above the observed one.\n\n\
         | optimizer | group | clips | failed | MPJPE-G mm | MPJPE mm | MPJPE-PA mm | TV | ≤ obs. \
         | ankle skate % | ≤ obs. | foot skate % | penetration mm | evaluations | s per s |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for g in groups {
        let pair =
            |ours, theirs, digits| format!("{} / {}", cell(ours, digits), cell(theirs, digits));
        let cells = [
            g.optimizer.clone(),
            g.group.clone(),
            g.clips.to_string(),
            g.failed.to_string(),
            cell(g.mpjpe_global_mm, 1),
            cell(g.mpjpe_mm, 1),
            cell(g.mpjpe_procrustes_mm, 1),
            pair(g.acceleration_tv, g.reference_acceleration_tv, 3),
            format!("{:.0} %", g.tv_not_above_reference_percent),
            pair(g.ankle_skate_percent, g.reference_ankle_skate_percent, 1),
            format!("{:.0} %", g.skate_not_above_reference_percent),
            cell(g.foot_skate_percent, 1),
            cell(g.penetration_mm, 1),
            cell(g.evaluations, 0),
            cell(g.seconds_per_second, 1),
        ];
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
    page
}

/// The clips that failed, and those whose plates could not be compared with.
fn failures(rows: &[Row]) -> String {
    let mut page = String::new();
    let failed = rows
        .iter()
        .filter(|row| row.get("failed") == Some(&Value::Bool(true)));
    for (k, row) in failed.enumerate() {
        let heading = if k == 0 { "\nFailed clips:\n\n" } else { "" };
        let reason = match number(row, &["max_frame_error_mm"]) {
            Some(error) => format!("a frame with a mean joint error of {error:.0} mm"),
            None if row.contains_key("error") => text(row, "error").to_string(),
            None => "a frame whose joint error is no number".to_string(),
        };
        let names = [
            text(row, "clip"),
            text(row, "category"),
            text(row, "optimizer"),
        ];
        let _ = writeln!(page, "{heading}* {}: {reason}", names.join(", "));
    }
    let without = rows.iter().filter(|row| row.contains_key(table::ERROR));
    for (k, row) in without.enumerate() {
        let heading = if k == 0 {
            "\nNot compared with plates:\n\n"
        } else {
            ""
        };
        let (clip, reason) = (text(row, "clip"), text(row, table::ERROR));
        let _ = writeln!(page, "{heading}* {clip}: {reason}");
    }
    page
}

fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or("—".into(), |value| format!("{value:.digits$}"))
}

fn text<'a>(row: &'a Row, key: &str) -> &'a str {
    row.get(key).and_then(Value::as_str).unwrap_or("")
}

fn number(row: &Row, path: &[&str]) -> Option<f64> {
    let (first, rest) = path.split_first()?;
    let mut value = row.get(*first)?;
    for key in rest {
        value = value.get(key)?;
    }
    value.as_f64()
}

/// The median, a missing value counting as infinite; `None` when it is not finite.
fn finite_median(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values = values.map(|value| value.unwrap_or(f64::INFINITY));
    super::median(values).filter(|middle| middle.is_finite())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(clip: &str, category: &str, error: Option<f64>) -> Row {
        let row = match error {
            Some(error) => json!({
                "clip": clip, "category": category, "optimizer": "lm", "failed": error > 250.0,
                "mpjpe_global_mm": error, "max_frame_error_mm": error, "acceleration_tv": error,
                "foot_skate_percent": 9.0, "ankle_skate_percent": 0.0, "seconds": 30.0, "clip_seconds": 3.0,
                "reference": { "acceleration_tv": 15.0, "ankle_skate_percent": 0.0 },
            }),
            None => json!({
                "clip": clip, "category": category, "optimizer": "lm", "failed": true,
                "error": "no such file",
            }),
        };
        row.as_object().unwrap().clone()
    }

    #[test]
    fn what_would_be_said_twice_is_said_once() {
        let names = |rows: &[Row]| -> Vec<String> {
            summarize(rows)
                .into_iter()
                .map(|group| group.group)
                .collect()
        };
        assert_eq!(names(&[row("a", "unknown", Some(1.0))]), ["all"]);
        assert_eq!(names(&[row("a", "walk", Some(1.0))]), ["walk", "all"]);
        let both = [row("a", "walk", Some(1.0)), row("b", "unknown", None)];
        let all = ["unknown", "walk", "in domain", "out of domain", "all"];
        assert_eq!(names(&both), all);
    }

    #[test]
    fn medians_failures_and_shares() {
        let rows = [
            row("a", "walk", Some(10.0)),
            row("b", "walk", Some(20.0)),
            row("c", "dance", Some(300.0)),
            row("d", "dance", None),
        ];
        let groups = summarize(&rows);
        let names: Vec<&str> = groups.iter().map(|g| g.group.as_str()).collect();
        assert_eq!(
            names,
            ["dance", "walk", "in domain", "out of domain", "all"]
        );
        let [dance, walk, .., all] = groups.as_slice() else {
            panic!()
        };
        assert_eq!(walk.mpjpe_global_mm, Some(15.0));
        assert_eq!(
            (walk.failed, walk.tv_not_above_reference_percent),
            (0, 50.0)
        );
        assert_eq!(walk.seconds_per_second, Some(10.0));
        assert_eq!((dance.failed, dance.mpjpe_global_mm), (2, None));
        assert_eq!((all.clips, all.mpjpe_global_mm), (4, Some(160.0)));
        assert_eq!(all.skate_not_above_reference_percent, 75.0);
        assert_eq!(
            (walk.foot_skate_percent, walk.ankle_skate_percent),
            (Some(9.0), Some(0.0))
        );
        let page = markdown(&groups, &rows);
        assert!(page.contains("| lm | walk | 2 | 0 | 15.0 |"), "{page}");
        assert!(page.contains("* c, dance, lm: a frame with a mean joint error of 300 mm"));
        assert!(page.contains("* d, dance, lm: no such file"));
        let mut row = row("e", "walk", Some(f64::NAN));
        row.insert("failed".into(), json!(true));
        assert!(markdown(&[], &[row]).contains("* e, walk, lm: a frame whose joint error is no"));
    }

    #[test]
    fn a_median_is_the_middle() {
        let of = |values: &[f64]| finite_median(values.iter().map(|v| Some(*v)));
        assert_eq!(of(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(of(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(of(&[]), None);
    }
}
