//! The command-line program: parses, runs, reports the error, sets the exit code.

use std::io::Write;
use std::panic::catch_unwind;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use motionfit::cli::{Cli, one_line};

/// Tensors come and go with every step of a learned optimizer: with the system's allocator half of
/// a benchmark of the Adafactor MLP in 1000 variables went into mapping their pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bad input or arguments.
const BAD_INPUT: u8 = 2;
/// A broken invariant.
const FAILURE: u8 = 1;

fn main() -> ExitCode {
    keep_tensors_on_one_thread();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(request) if !request.use_stderr() => return show(&request),
        Err(request) if request.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = show(&request);
            return ExitCode::from(BAD_INPUT);
        }
        Err(error) => return fail(&one_line(&error), BAD_INPUT),
    };
    match catch_unwind(|| cli.run()) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&error.to_string(), error.exit_code()),
        Err(_) => ExitCode::from(FAILURE), // the panic has been reported where it happened
    }
}

/// Tensor operations stay on the thread that calls them, so that sums have one order; parallel is
/// what is above them: problems, windows, columns.
fn keep_tensors_on_one_thread() {
    for variable in ["CANDLE_NUM_THREADS", "RAYON_NUM_THREADS"] {
        #[allow(unsafe_code)]
        // SAFETY: no other thread has been started.
        unsafe {
            std::env::set_var(variable, "1");
        }
    }
}

/// Prints help or version; a closed pipe is not an error.
fn show(request: &clap::Error) -> ExitCode {
    let _ = request.print();
    ExitCode::SUCCESS
}

/// Prints the error as one line.
fn fail(message: &str, code: u8) -> ExitCode {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(std::io::stderr(), "error: {message}");
    ExitCode::from(code)
}
