//! `motionfit evaluate --windows`: optimizers on single windows, error against evaluations.

use std::path::Path;

use serde_json::json;

use super::args::EvaluateArgs;
use super::rows::{Files, Sheet, evaluate_sheet};
use crate::commands::overrides::check_evaluations;
use crate::commands::windows::family;
use crate::commands::{NAME_ONCE, Session, json, named_by, refuse_repeated};
use crate::error::{Error, Result};
use crate::evaluation::windows::{
    Interval, Line, Row, WindowEntry, WindowSet, lines, markdown, run,
};
use crate::learned::by_name;
use crate::optim::{Minimize, Options};
use crate::plot::{Chart, Curve, Mark, Picture};
use crate::reconstruction::{WindowTask, window_options};

/// Evaluations of optimizers named without a number.
const EVALUATIONS: usize = 50;

/// Runs the command on the list at `path`.
pub(super) fn evaluate_windows(path: &Path, args: &EvaluateArgs, session: &Session) -> Result<()> {
    let (sheet, set) = session.agree(Windows::new(path, args))?;
    evaluate_sheet(
        &sheet,
        args,
        session,
        (&set.reconstruction, json!(set.windows)),
    )
}

/// Windows, each with several optimizers.
struct Windows {
    windows: Vec<(WindowEntry, WindowTask)>,
    optimizers: Vec<(Box<dyn Minimize>, usize)>,
    keys: Vec<String>,
}

impl Windows {
    fn new(path: &Path, args: &EvaluateArgs) -> Result<(Self, WindowSet)> {
        args.overrides.check_for_windows()?;
        let set = WindowSet::read(path)?;
        let name = |window: &WindowEntry| format!("frame {} of {}", window.first, window.clip);
        let names: Vec<String> = set.windows.iter().map(name).collect();
        let origin = path.display().to_string();
        refuse_repeated(&origin, &names, "list every window once")?;
        let motions: Vec<_> = args.motions.iter().cloned().collect();
        let family = family(
            (&motions, &args.reading.options()?),
            &set.clips(),
            &set.reconstruction,
        )?;
        let default = args.overrides.evaluations.unwrap_or(EVALUATIONS);
        let optimizers = optimizers(args, default, set.reconstruction.seed)?;
        let count = args.limit.unwrap_or(usize::MAX).min(set.windows.len());
        let windows = set.windows[..count]
            .iter()
            .map(|entry| Ok((entry.clone(), family.window(&entry.clip, entry.first)?)))
            .collect::<Result<Vec<_>>>()
            .map_err(|error: Error| error.about(&origin))?;
        let with_each = |(entry, _): &(WindowEntry, WindowTask)| {
            let of = |(optimizer, budget): &(Box<dyn Minimize>, usize)| {
                key(&entry.clip, entry.first, (&optimizer.name(), *budget))
            };
            optimizers.iter().map(of).collect::<Vec<_>>()
        };
        let keys = windows.iter().flat_map(with_each).collect();
        let sheet = Self {
            windows,
            optimizers,
            keys,
        };
        Ok((sheet, set))
    }
}

/// What tells rows apart.
fn key(clip: &str, first: usize, (optimizer, budget): (&str, usize)) -> String {
    format!("frame {first} of {clip} with {optimizer}:{budget}")
}

impl Sheet for Windows {
    type Row = Row;

    const FILE: &'static str = "windows.json";
    const WRITTEN: &'static str =
        "windows.json, summary.json, summary.md, curves.csv, curves.svg, curves.png";

    fn keys(&self) -> &[String] {
        &self.keys
    }

    fn key(row: &Row) -> String {
        key(&row.clip, row.first, (&row.optimizer, row.budget))
    }

    fn check(&self, rows: &[Row]) -> Result<()> {
        check_budgets(&self.optimizers, rows)
    }

    fn find(&self, job: usize, session: &Session) -> Result<Row> {
        let (entry, task) = &self.windows[job / self.optimizers.len()];
        let (optimizer, evaluations) = &self.optimizers[job % self.optimizers.len()];
        let interrupted = || session.is_interrupted();
        let label = optimizer.name();
        run(
            entry,
            task,
            (&label, optimizer.as_ref()),
            *evaluations,
            &interrupted,
        )
    }

    fn line(row: &Row) -> String {
        format!(
            "{} from frame {} ({}), {}: loss {:.2}, MPJPE-G {:.1} mm after {} evaluations, {:.0} s",
            row.clip,
            row.first,
            row.category,
            row.optimizer,
            Row::after(&row.best_loss, row.budget),
            Row::after(&row.mpjpe_global_mm, row.budget),
            row.evaluations,
            row.seconds
        )
    }

    fn files(&self, _out: &Path, rows: &[Row], is_over: bool) -> Result<Files> {
        if !is_over {
            return Ok(Vec::new()); // the pictures take longer than some rows
        }
        let lines = lines(rows);
        let picture = picture(&lines);
        Ok(vec![
            ("summary.json", json(&lines)?),
            ("summary.md", markdown(&lines).into_bytes()),
            ("curves.csv", picture.csv().into_bytes()),
            ("curves.svg", picture.svg().into_bytes()),
            ("curves.png", picture.png()?),
        ])
    }

    fn summary(&self, rows: &[Row]) -> String {
        markdown(&lines(rows))
    }
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
