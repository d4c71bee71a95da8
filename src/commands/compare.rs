//! `motionfit compare`: two runs on one page.

use std::path::PathBuf;

use clap::Args;

use super::Session;
use super::export::{load, metrics};
use crate::error::Result;
use crate::export::report;
use crate::output::write_file;

/// Write a page that plays two runs side by side, with their difference in numbers.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Output directory of `motionfit reconstruct`.
    first: PathBuf,
    /// That of another run.
    second: PathBuf,
    /// Where to write.
    #[arg(long, value_name = "FILE", default_value = "compare.html")]
    out: PathBuf,
    /// Replace an existing file.
    #[arg(long)]
    force: bool,
}

/// Runs the command.
///
/// # Errors
/// When a directory does not hold a finished run, or the file cannot be written.
pub fn compare(args: &CompareArgs, session: &Session) -> Result<()> {
    let (first, second) = (load(&args.first)?, load(&args.second)?);
    let titles = [&args.first, &args.second].map(|run| run.display().to_string());
    let numbers = [metrics(&args.first), metrics(&args.second)];
    let page = report::compare([
        (&first, &titles[0], &numbers[0]),
        (&second, &titles[1], &numbers[1]),
    ]);
    session.check()?;
    write_file(&args.out, page.as_bytes(), args.force)?;
    session.tell(format!("wrote {}", args.out.display()))
}
