//! The command line: parse, dispatch, print the error, exit code.

use clap::Parser;
use motionfit::commands::benchmark::{BenchmarkArgs, run};

#[derive(Parser)]
enum Command {
    Benchmark(BenchmarkArgs),
}

fn main() -> std::process::ExitCode {
    let Command::Benchmark(args) = Command::parse();
    match run(&args) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.exit_code().into()
        }
    }
}
