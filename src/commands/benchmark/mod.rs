//! `motionfit benchmark`: the classic test functions.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Mutex;

use indicatif::ProgressBar;

use super::progress::{MinuteLines, counter};
use super::{NAME_ONCE, Session, json, named_by, refuse_repeated};
use crate::benchmark::functions::{FUNCTIONS, index_of};
use crate::benchmark::{DIMENSIONS, Plan, Protocol, Row, Solver, run as run_plan, summary};
use crate::error::{Error, Result};
use crate::learned;
use crate::optim::Options;
use crate::output::OutputDir;

mod figures;
mod profiles;
mod steps;
mod values;

/// Run optimizers on the fifteen classic test functions and compare them.
///
/// Writes table.json, profile.json, summary.md, and every figure as CSV, SVG and PNG.
#[derive(Clone, Debug, clap::Args)]
pub struct BenchmarkArgs {
    /// How functions are posed: paper (x0 in [-10, 10], four functions rescaled) or sfu (x0 in the
    /// usual domain).
    #[arg(long, default_value = "paper")]
    pub protocol: String,

    /// Functions, separated by commas [default: all fifteen].
    #[arg(long, value_delimiter = ',')]
    pub functions: Vec<String>,

    /// Numbers of variables, separated by commas [default: 2,10,20,50,100,250,500,1000].
    #[arg(long, value_delimiter = ',', allow_negative_numbers = true)]
    pub dims: Vec<usize>,

    /// Optimizers, separated by commas; a .safetensors file written by motionfit train is one too.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "sgd,sgd-m,adam,bfgs,l-bfgs"
    )]
    pub optimizers: Vec<String>,

    /// Starts of every function and dimension.
    #[arg(long, default_value_t = 64, allow_negative_numbers = true)]
    pub inits: usize,

    /// Iterations of every run.
    #[arg(long, default_value_t = 200, allow_negative_numbers = true)]
    pub iterations: usize,

    /// Move every run by a random offset of its own, so that minimizers are not at round numbers.
    #[arg(long)]
    pub offsets: bool,

    /// Also measure the wall time of a step (the only output that differs between runs).
    #[arg(long)]
    pub timing: bool,

    /// Directory for the results.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Replace results that are already there.
    #[arg(long)]
    pub force: bool,
}

/// Runs the benchmark and writes its files.
///
/// # Errors
/// [`Error::Input`] for arguments that cannot be used, [`Error::Io`] when a file cannot be written,
/// [`Error::Interrupted`] after Ctrl-C.
pub fn benchmark(args: &BenchmarkArgs, session: &Session) -> Result<()> {
    let plan = plan(args)?;
    let solvers = args
        .optimizers
        .iter()
        .map(|name| solver(name).map_err(|error| named_by("--optimizers", error)))
        .collect::<Result<Vec<_>>>()?;
    let names: Vec<&str> = solvers.iter().map(|solver| solver.name.as_str()).collect();
    refuse_repeated("--optimizers", &names, NAME_ONCE)?;
    check_memory(&names, &plan.dimensions)?;
    let output = OutputDir::create(&args.out, args.force)?;
    let progress = Progress::new(&plan, solvers.len(), session);
    let rows = run_plan(&plan, &solvers, &|row| progress.advance(row))?;
    progress.finish();
    let mut files = vec![
        ("table.json".to_string(), json(&rows)?),
        (
            "summary.md".to_string(),
            summary::markdown(&plan, &rows)?.into_bytes(),
        ),
    ];
    let (profiles, pictures) = figures::all(&plan, &solvers, &rows, args.timing)?;
    files.push(("profile.json".to_string(), json(&profiles)?));
    for (name, picture) in pictures {
        files.push((format!("{name}.csv"), picture.csv().into_bytes()));
        files.push((format!("{name}.svg"), picture.svg().into_bytes()));
        files.push((format!("{name}.png"), picture.png()?));
    }
    let files: Vec<(&str, Vec<u8>)> = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.clone()))
        .collect();
    session.check()?;
    output.write_all(&files)?;
    session.tell(format!(
        "wrote {} files to {}",
        files.len(),
        args.out.display()
    ))
}

/// Optimizers that keep a d × d matrix, and the most variables for them.
const DENSE: [&str; 3] = ["bfgs", "optimus", "optimus-guided"];
const DENSE_VARIABLES: usize = 10_000;

/// Refuses what would take more memory than there is.
fn check_memory(optimizers: &[&str], dimensions: &[usize]) -> Result<()> {
    let dense = optimizers.iter().find(|name| DENSE.contains(name));
    let large = dimensions.iter().find(|d| **d > DENSE_VARIABLES);
    match (dense, large) {
        (Some(name), Some(d)) => {
            let advice = format!(
                "{name} keeps a matrix of d x d numbers: give at most {DENSE_VARIABLES}, or leave it out"
            );
            Err(Error::input("--dims", "value", d, advice))
        }
        _ => Ok(()),
    }
}

fn plan(args: &BenchmarkArgs) -> Result<Plan> {
    let all = FUNCTIONS
        .iter()
        .map(|function| function.name().to_string())
        .collect();
    let names: Vec<String> = if args.functions.is_empty() {
        all
    } else {
        args.functions.clone()
    };
    let dimensions = if args.dims.is_empty() {
        DIMENSIONS.to_vec()
    } else {
        args.dims.clone()
    };
    for (argument, values) in [
        ("--dims", &dimensions),
        ("--inits", &vec![args.inits]),
        ("--iterations", &vec![args.iterations]),
    ] {
        let least = if argument == "--dims" { 2 } else { 1 };
        if let Some(value) = values
            .iter()
            .find(|value| **value < least || **value > 100_000)
        {
            let advice = format!("give numbers from {least} to 100000");
            return Err(Error::input(argument, "value", value, advice));
        }
    }
    refuse_repeated("--functions", &names, "name every function once")?;
    refuse_repeated("--dims", &dimensions, "give every number once")?;
    Ok(Plan {
        protocol: Protocol::by_name(&args.protocol)?,
        functions: names
            .iter()
            .map(|name| index_of(name))
            .collect::<Result<_>>()?,
        dimensions,
        inits: args.inits,
        iterations: args.iterations,
        offsets: args.offsets,
    })
}

/// The learning rates of the paper: 100, log-spaced in [1e-6, 1].
fn learning_rates() -> impl Iterator<Item = f64> {
    (0..100).map(|i| 10.0_f64.powf(-6.0 + 6.0 * f64::from(i) / 99.0))
}

/// The optimizer called `name`, in all learning rates if it has one.
fn solver(name: &str) -> Result<Solver> {
    let variant = |learning_rate: Option<f64>| {
        let options = Options {
            learning_rate,
            ..Options::default()
        };
        Ok((learning_rate, learned::by_name(name, &options)?))
    };
    let variants = if matches!(name, "sgd" | "sgd-m" | "adam") {
        learning_rates()
            .map(|rate| variant(Some(rate)))
            .collect::<Result<Vec<_>>>()?
    } else {
        vec![variant(None)?]
    };
    Ok(Solver {
        name: variants[0].1.name(),
        variants,
    })
}

/// A bar on a terminal, a line a minute elsewhere, nothing when quiet.
struct Progress<'a> {
    session: &'a Session,
    bar: ProgressBar,
    lines: Mutex<MinuteLines>,
}

impl<'a> Progress<'a> {
    fn new(plan: &Plan, solvers: usize, session: &'a Session) -> Self {
        let rows = plan.functions.len() * plan.dimensions.len() * solvers;
        let bar = counter(session, rows);
        Self {
            session,
            bar,
            lines: Mutex::new(MinuteLines::new(session)),
        }
    }

    fn advance(&self, row: &Row) -> ControlFlow<()> {
        self.bar.inc(1);
        self.bar.set_message(format!(
            "{} {} {}",
            row.function, row.dimension, row.optimizer
        ));
        if let Ok(mut lines) = self.lines.lock() {
            lines.say(|| {
                let (done, all) = (self.bar.position(), self.bar.length().unwrap_or(0));
                format!("{done} of {all} rows, last: {}", self.bar.message())
            });
        }
        self.session.flow()
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> BenchmarkArgs {
        BenchmarkArgs {
            protocol: "paper".into(),
            functions: vec![],
            dims: vec![],
            optimizers: vec![],
            inits: 64,
            iterations: 200,
            offsets: false,
            timing: false,
            out: PathBuf::new(),
            force: false,
        }
    }

    #[test]
    fn the_default_is_the_whole_protocol() {
        let plan = plan(&args()).unwrap();
        assert_eq!((plan.functions.len(), plan.dimensions.len()), (15, 8));
        let rates: Vec<f64> = learning_rates().collect();
        assert!((rates[0] - 1e-6).abs() < 1e-18 && (rates[99] - 1.0).abs() < 1e-12);
        assert_eq!(solver("adam").unwrap().variants.len(), 100);
        assert_eq!(solver("bfgs").unwrap().variants.len(), 1);
    }

    #[test]
    fn unusable_arguments_are_named() {
        let refused = |args: BenchmarkArgs| plan(&args).unwrap_err().to_string();
        assert!(
            refused(BenchmarkArgs {
                dims: vec![1],
                ..args()
            })
            .contains("--dims")
        );
        assert!(refused(BenchmarkArgs { inits: 0, ..args() }).contains("--inits"));
        let unknown = BenchmarkArgs {
            functions: vec!["beale".into()],
            ..args()
        };
        assert!(refused(unknown).contains("beale"));
        assert!(
            refused(BenchmarkArgs {
                protocol: "nips".into(),
                ..args()
            })
            .contains("sfu")
        );
    }
}
