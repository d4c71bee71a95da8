//! The command line: what can be typed, its help, and what becomes of it.

use std::ffi::OsString;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::cluster::{Ranks, default_threads, launched};
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
    /// Number of threads; all cores unless given, one for each process under mpirun. The results do not depend on it.
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

impl Command {
    /// What is left of a command that was interrupted, and how to go on.
    fn kept(&self) -> &'static str {
        match self {
            Self::Evaluate(_) => {
                "; finished rows are kept: go on with the same command and --resume"
            }
            Self::Train(_) => {
                "; the last checkpoint is kept: go on with the same command and --resume"
            }
            Self::Reconstruct(_) => {
                "; finished clips are kept, nothing of others: give those again"
            }
            _ => "",
        }
    }
}

impl Cli {
    /// Runs what was asked for, as one of `ranks`.
    ///
    /// # Errors
    /// Whatever the command ends with.
    pub fn run(self, ranks: &Arc<dyn Ranks>) -> Result<()> {
        let threads = self
            .threads
            .map_or_else(|| default_threads(ranks.as_ref()), usize::from);
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|e| Error::Internal(format!("cannot start {threads} threads: {e}")))?;
        if let Some(folder) = &self.weights {
            learned::look_for_weights_in(folder);
        }
        let session = Session::start(self.quiet, self.verbose)?.as_one_of(ranks);
        session.agree(self.check_shared(ranks.size()))?;
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

    /// Refuses several processes for a command that each would run for itself.
    fn check_shared(&self, processes: usize) -> Result<()> {
        use Command::{Evaluate, Reconstruct, Train};
        if processes == 1 || matches!(self.command, Reconstruct(_) | Evaluate(_) | Train(_)) {
            return Ok(());
        }
        let advice = "only evaluate, train and reconstruct share their work: start one process";
        Err(Error::input("mpirun", "processes", processes, advice))
    }
}

/// Bad input or arguments.
const BAD_INPUT: u8 = 2;
/// A broken invariant.
const FAILURE: u8 = 1;

/// Parses `arguments`, the program's name first, runs the command, reports its error, and returns the exit code.
pub fn run_program(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let ranks = match launched() {
        Ok(ranks) => ranks,
        Err(error) => return fail(&error.to_string(), error.exit_code()),
    };
    let (code, has_agreed) = run_among(&ranks, arguments);
    ranks.end(has_agreed, code);
    code
}

/// The same as one of `ranks`: the first one reports what all know. Also returns whether they do.
fn run_among(ranks: &Arc<dyn Ranks>, arguments: impl IntoIterator<Item = OsString>) -> (u8, bool) {
    let arguments = plain(arguments.into_iter().collect());
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(_) if !ranks.leads() => return (BAD_INPUT, true),
        Err(request) if !request.use_stderr() => return (show(&request), true),
        Err(request) if request.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            show(&request);
            return (BAD_INPUT, true);
        }
        Err(error) => return (fail(&one_line(&error, &arguments), BAD_INPUT), true),
    };
    let kept = cli.command.kept();
    match catch_unwind(AssertUnwindSafe(|| cli.run(ranks))) {
        Ok(Ok(())) => (0, true),
        Ok(Err(error)) => {
            let is_shared = ranks.size() == 1 || matches!(error, Error::Shared { .. });
            let code = error.exit_code();
            let error = match code == Error::Interrupted.exit_code() {
                true => format!("{error}{kept}"),
                false => error.to_string(),
            };
            match (ranks.leads(), is_shared) {
                (false, true) => (code, true),
                (true, _) => (fail(&error, code), is_shared),
                (false, false) => {
                    let name = ranks.name(ranks.rank());
                    (fail(&format!("{name}: {error}"), code), false)
                }
            }
        }
        // The panic has been reported where it happened.
        Err(_) if ranks.size() == 1 => (FAILURE, true),
        Err(_) => {
            let message = format!("{} has panicked", ranks.name(ranks.rank()));
            (fail(&message, FAILURE), false)
        }
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

/// `motionfit help --help` is about `help`.
fn plain(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if let [_, help, option] = &mut arguments[..]
        && help == "help"
        && (option == "--help" || option == "-h")
    {
        *option = help.clone();
    }
    arguments
}

/// The command among `arguments`, with a space before it.
fn subcommand(arguments: &[OsString]) -> String {
    let command = Cli::command();
    let mut names = arguments
        .iter()
        .skip(1)
        .filter_map(|argument| argument.to_str());
    let name = names.find(|name| command.find_subcommand(name).is_some());
    name.map_or(String::new(), |name| format!(" {name}"))
}

/// A complaint about the `arguments` as one line, without its heading and the usage.
pub fn one_line(error: &clap::Error, arguments: &[OsString]) -> String {
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
    format!(
        "{}; see motionfit{} --help",
        lines.join(" "),
        subcommand(arguments)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_has_help() {
        for option in ["--help", "-h"] {
            let arguments = plain(["motionfit", "help", option].map(OsString::from).into());
            let request = Cli::try_parse_from(arguments).expect_err("help is no run");
            assert_eq!(request.kind(), ErrorKind::DisplayHelp);
        }
        let arguments: Vec<OsString> = ["motionfit", "export", "--help"].map(OsString::from).into();
        assert_eq!(plain(arguments.clone()), arguments);
    }

    #[test]
    fn an_interruption_says_how_to_go_on() {
        let kept = |args: &[&str]| Cli::try_parse_from(args).unwrap().command.kept();
        let evaluate = ["motionfit", "evaluate", "--motions", "a", "--out", "b"];
        assert!(kept(&evaluate).contains("--resume"));
        let train = ["motionfit", "train", "--config", "a", "--out", "b"];
        assert!(kept(&train).contains("--resume"));
        assert!(kept(&["motionfit", "reconstruct"]).contains("clips"));
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn complaints_are_one_line() {
        let complaint = |args: &[&str]| {
            let error = Cli::try_parse_from(args).expect_err("the arguments are wrong");
            let arguments: Vec<OsString> = args.iter().map(OsString::from).collect();
            one_line(&error, &arguments)
        };
        let unknown = complaint(&["motionfit", "reconstruct", "--fpz", "50"]);
        assert!(
            unknown.contains("--fpz") && !unknown.contains('\n'),
            "{unknown}"
        );
        assert!(
            unknown.ends_with("; see motionfit reconstruct --help"),
            "{unknown}"
        );
        let stray = complaint(&["motionfit", "--fps", "50"]);
        assert!(stray.ends_with("; see motionfit --help"), "{stray}");
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
