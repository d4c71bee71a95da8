//! `motionfit evaluate --windows`: optimizers on single windows, error against evaluations.

use std::path::Path;

use serde_json::json;

use super::evaluate::{EvaluateArgs, open};
use super::overrides::check_evaluations;
use super::windows::family;
use super::{NAME_ONCE, Session, json, named_by, refuse_repeated};
use crate::error::{Error, Result};
use crate::evaluation::windows::{
    Interval, Line, Row, WindowEntry, WindowSet, lines, markdown, run,
};
use crate::learned::by_name;
use crate::optim::{Minimize, Options};
use crate::output::OutputDir;
use crate::plot::{Chart, Curve, Mark, Picture};
use crate::reconstruction::window_options;

/// Evaluations of optimizers named without a number.
const EVALUATIONS: usize = 50;

/// Runs the command on the list at `path`.
pub(super) fn evaluate_windows(path: &Path, args: &EvaluateArgs, session: &Session) -> Result<()> {
    args.overrides.check_for_windows()?;
    let set = WindowSet::read(path)?;
    let name = |window: &WindowEntry| format!("frame {} of {}", window.first, window.clip);
    let names: Vec<String> = set.windows.iter().map(name).collect();
    let origin = path.display().to_string();
    refuse_repeated(&origin, &names, "list every window once")?;
    let motions: Vec<_> = args.motions.iter().cloned().collect();
    let family = family(&motions, &set.clips(), &set.reconstruction)?;
    let default = args.overrides.evaluations.unwrap_or(EVALUATIONS);
    let optimizers = optimizers(args, default, set.reconstruction.seed)?;
    let windows = &set.windows[..args.limit.unwrap_or(usize::MAX).min(set.windows.len())];
    let tasks = windows
        .iter()
        .map(|entry| family.window(&entry.clip, entry.first))
        .collect::<Result<Vec<_>>>()
        .map_err(|error| error.about(&origin))?;
    let (known, file) = (json!(set.windows), "windows.json");
    let (output, mut rows) = open::<Row>(args, &set.reconstruction, known, file)?;
    check_budgets(&optimizers, &rows)?;
    let total = windows.len() * optimizers.len();
    for (i, (entry, task)) in windows.iter().zip(&tasks).enumerate() {
        for (j, (optimizer, evaluations)) in optimizers.iter().enumerate() {
            let label = optimizer.name();
            let is_known = |row: &Row| {
                (&row.clip, row.first) == (&entry.clip, entry.first)
                    && (&row.optimizer, row.budget) == (&label, *evaluations)
            };
            if rows.iter().any(is_known) {
                continue;
            }
            let interrupted = || session.is_interrupted();
            let pair = (label.as_str(), optimizer.as_ref());
            let row = run(entry, task, pair, *evaluations, &interrupted)?;
            session.tell(format!(
                "[{}/{total}] {} from frame {} ({}), {label}: loss {:.2}, MPJPE-G {:.1} mm after {} evaluations, {:.0} s",
                i * optimizers.len() + j + 1,
                row.clip,
                row.first,
                row.category,
                Row::after(&row.best_loss, row.budget),
                Row::after(&row.mpjpe_global_mm, row.budget),
                row.evaluations,
                row.seconds
            ))?;
            rows.push(row);
            output.write(file, json(&rows)?)?;
        }
    }
    write(&output, &rows)?;
    session.tell(markdown(&lines(&rows)))?;
    let out = args.out.display();
    session.tell(format!(
        "wrote windows.json, summary.json, summary.md, curves.csv, curves.svg, curves.png to {out}"
    ))
}

/// Refuses optimizers that had another number of evaluations in `rows`: a table shows one number for
/// each.
fn check_budgets(optimizers: &[(Box<dyn Minimize>, usize)], rows: &[Row]) -> Result<()> {
    for (optimizer, evaluations) in optimizers {
        let name = optimizer.name();
        let is_other = |row: &&Row| row.optimizer == name && row.budget != *evaluations;
        if let Some(row) = rows.iter().find(is_other) {
            let field = format!("evaluations of {name}");
            let advice = format!(
                "resume with as many as before ({}), or write to another --out",
                row.budget
            );
            return Err(Error::input("--optimizers", field, evaluations, advice));
        }
    }
    Ok(())
}

/// Optimizers and their evaluations, given as `NAME` or `NAME:EVALUATIONS`.
fn optimizers(
    args: &EvaluateArgs,
    default: usize,
    seed: u64,
) -> Result<Vec<(Box<dyn Minimize>, usize)>> {
    let configured = [args.overrides.configuration()?.optimizer];
    let names = match args.optimizers.as_slice() {
        [] => configured.as_slice(),
        names => names,
    };
    let parsed = names
        .iter()
        .map(|text| {
            let (name, evaluations) = match text.rsplit_once(':') {
                Some((name, number)) => {
                    let advice = "give a whole number of evaluations after the colon";
                    let refused = |_| Error::input("--optimizers", "evaluations", text, advice);
                    let count = number.parse().map_err(refused)?;
                    (name, check_evaluations("--optimizers", count)?)
                }
                None => (text.as_str(), default),
            };
            Ok((patient(name, seed)?, evaluations))
        })
        .collect::<Result<Vec<_>>>()?;
    let names: Vec<String> = parsed.iter().map(|(known, _)| known.name()).collect();
    refuse_repeated("--optimizers", &names, NAME_ONCE)?;
    Ok(parsed)
}

/// The optimizer called `name`, which does not stop before its budget as long as it gains anything.
fn patient(name: &str, seed: u64) -> Result<Box<dyn Minimize>> {
    let options = Options {
        stall: Some(0.0),
        ..window_options(seed)
    };
    by_name(name, &options).map_err(|error| named_by("--optimizers", error))
}

fn write(output: &OutputDir, rows: &[Row]) -> Result<()> {
    let lines = lines(rows);
    let picture = picture(&lines);
    let files = [
        ("summary.json", json(&lines)?),
        ("summary.md", markdown(&lines).into_bytes()),
        ("curves.csv", picture.csv().into_bytes()),
        ("curves.svg", picture.svg().into_bytes()),
        ("curves.png", picture.png()?),
    ];
    output.write_all(&files)?;
    Ok(())
}

/// MPJPE-G against evaluations in both domains; grey lines bound the 95 % intervals.
fn picture(lines: &[Line]) -> Picture {
    let chart = |group: &str| {
        let own: Vec<&Line> = lines.iter().filter(|line| line.group == group).collect();
        let points = |line: &Line, value: fn(&Interval) -> f64| {
            (1..)
                .zip(&line.curve)
                .map(|(n, i)| (f64::from(n), value(i)))
                .collect::<Vec<_>>()
        };
        let bounds = own.iter().flat_map(|line| {
            [points(line, |i| i.low), points(line, |i| i.high)].map(|points| Curve {
                label: line.optimizer.clone(),
                points,
                mark: Mark::Background,
            })
        });
        let means = own.iter().map(|line| Curve {
            label: line.optimizer.clone(),
            points: points(line, |i| i.mean),
            mark: Mark::Line,
        });
        Chart {
            title: group.to_string(),
            x_label: "function evaluations".into(),
            y_label: "MPJPE-G, mm".into(),
            log_y: true,
            curves: bounds.chain(means).collect(),
            ..Chart::default()
        }
    };
    Picture {
        title: "MPJPE-G of single windows against function evaluations".into(),
        charts: vec![chart("in domain"), chart("out of domain")],
        columns: 2,
        legend: Vec::new(),
        cell: (520.0, 380.0),
    }
}
