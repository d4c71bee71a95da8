//! The command line: what can be typed, its help, and what becomes of it.

use std::ffi::OsString;
use std::io::Write;
use std::panic::catch_unwind;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::commands::{
    BenchmarkArgs, CompareArgs, CompletionArgs, EvaluateArgs, ExportArgs, ManArgs, ReconstructArgs,
    Session, TrainArgs, benchmark, compare, completions, evaluate, export, man, reconstruct, train,
};
use crate::error::{Error, Result};
use crate::learned;

const GLOBAL: &str = "Global options";

/// Turns pose files into physically simulated human motion.
///
/// Exit codes: 0 done, 2 bad input or arguments, 130 interrupted, 1 anything else.
#[derive(Debug, Parser)]
#[command(
    name = "motionfit",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print nothing but errors.
    #[arg(short, long, global = true, help_heading = GLOBAL, conflicts_with = "verbose")]
    quiet: bool,
    /// Print the details: windows, attempts, loss terms.
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    verbose: bool,
    /// Number of threads; all cores unless given. The results do not depend on it.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Where the large weight files are: optimus, optimus-walking and adafactor-mlp-walking; unless given, beside the program.
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "DIR")]
    weights: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Reconstruct(Box<ReconstructArgs>),
    Evaluate(Box<EvaluateArgs>),
    Export(ExportArgs),
    Compare(CompareArgs),
    Benchmark(Box<BenchmarkArgs>),
    Train(TrainArgs),
    Completions(CompletionArgs),
    Man(ManArgs),
}

impl Cli {
    /// Runs what was asked for.
    ///
    /// # Errors
    /// Whatever the command ends with.
    pub fn run(self) -> Result<()> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.map_or(cores, usize::from);
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|e| Error::Internal(format!("cannot start {threads} threads: {e}")))?;
        if let Some(folder) = &self.weights {
            learned::look_for_weights_in(folder);
        }
        let session = Session::start(self.quiet, self.verbose)?;
        match &self.command {
            Command::Reconstruct(args) => reconstruct(args, &session),
            Command::Evaluate(args) => evaluate(args, &session),
            Command::Export(args) => export(args, &session),
            Command::Compare(args) => compare(args, &session),
            Command::Benchmark(args) => benchmark(args, &session),
            Command::Train(args) => train(args, &session),
            Command::Completions(args) => completions(args, Self::command(), &session),
            Command::Man(args) => man(args, Self::command(), &session),
        }
    }
}

/// Bad input or arguments.
const BAD_INPUT: u8 = 2;
/// A broken invariant.
const FAILURE: u8 = 1;

/// Parses `arguments`, the program's name first, runs the command, reports its error, and returns the exit code.
pub fn run_program(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(request) if !request.use_stderr() => return show(&request),
        Err(request) if request.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            show(&request);
            return BAD_INPUT;
        }
        Err(error) => return fail(&one_line(&error), BAD_INPUT),
    };
    match catch_unwind(|| cli.run()) {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => fail(&error.to_string(), error.exit_code()),
        Err(_) => FAILURE, // the panic has been reported where it happened
    }
}

/// Prints help or version; a closed pipe is not an error.
fn show(request: &clap::Error) -> u8 {
    let _ = request.print();
    0
}

/// Prints the error as one line.
fn fail(message: &str, code: u8) -> u8 {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(std::io::stderr(), "error: {message}");
    code
}

/// A complaint about the arguments as one line, without its heading and the usage.
pub fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let complaint = text.split("\n\nUsage:").next().unwrap_or(text);
    let complaint = complaint
        .split("\n\nFor more information")
        .next()
        .unwrap_or(complaint);
    let lines: Vec<&str> = complaint
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(" ") + "; see motionfit --help"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn complaints_are_one_line() {
        let complaint = |args: &[&str]| {
            one_line(&Cli::try_parse_from(args).expect_err("the arguments are wrong"))
        };
        let unknown = complaint(&["motionfit", "reconstruct", "--fpz", "50"]);
        assert!(
            unknown.contains("--fpz") && !unknown.contains('\n'),
            "{unknown}"
        );
        let missing = complaint(&["motionfit", "evaluate"]);
        assert!(
            missing.contains("--motions") && !missing.contains('\n'),
            "{missing}"
        );
        let value = complaint(&["motionfit", "reconstruct", "--up", "sideways"]);
        assert!(
            value.contains("sideways") && !value.contains('\n'),
            "{value}"
        );
    }
}
