//! `motionfit evaluate`: a set of clips, several optimizers, one table.

mod args;
mod clips;
mod manifest;
mod page;
mod rows;
mod windows;

use super::Session;
use crate::error::Result;
pub use args::EvaluateArgs;
use args::check;
use clips::Clips;
use manifest::evaluate_manifest;
use rows::evaluate_sheet;
use windows::evaluate_windows;

/// Runs the command.
///
/// # Errors
/// For a bad set, configuration or output directory, and for an interruption; the rows of finished
/// clips are on disk then.
pub fn evaluate(args: &EvaluateArgs, session: &Session) -> Result<()> {
    session.agree(check(args))?;
    if let Some(windows) = &args.windows {
        return evaluate_windows(windows, args, session);
    }
    if let Some(manifest) = &args.manifest {
        return evaluate_manifest(manifest, args, session);
    }
    let (sheet, known) = session.agree(Clips::new(args))?;
    let reconstruction = &sheet.config.reconstruction;
    evaluate_sheet(&sheet, args, session, (reconstruction, known))
}
