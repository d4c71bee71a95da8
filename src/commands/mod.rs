//! The subcommands: each loads, calls the library, and writes. Only here is anything printed.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cluster::{Alone, Ranks};
use crate::config::Config;
use crate::error::{Error, Result};

pub use benchmark::{BenchmarkArgs, benchmark};
pub use compare::{CompareArgs, compare};
pub use evaluate::{EvaluateArgs, evaluate};
pub use export::{ExportArgs, export};
pub use reconstruct::{ReconstructArgs, reconstruct};
pub use run::{Run, files as run_files};
pub use shell::{CompletionArgs, ManArgs, completions, man};
pub use train::{TrainArgs, train};

mod benchmark;
mod compare;
mod evaluate;
mod export;
mod forces;
mod keypoints;
mod overrides;
mod progress;
mod reading;
mod reconstruct;
mod run;
mod shell;
mod train;
mod windows;

/// How much is printed, whether Ctrl-C was pressed, and the processes that share the run.
#[derive(Clone, Debug)]
pub struct Session {
    quiet: bool,
    verbose: bool,
    interrupted: Arc<AtomicBool>,
    ranks: Arc<dyn Ranks>,
}

impl Session {
    /// Starts listening to Ctrl-C (and SIGTERM): the first one ends the command at the next
    /// evaluation, the second one ends the process.
    ///
    /// # Errors
    /// [`Error::Internal`] when the signal handler cannot be installed.
    pub fn start(quiet: bool, verbose: bool) -> Result<Self> {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                exit(Error::Interrupted.exit_code().into());
            }
        })
        .map_err(|e| Error::Internal(format!("cannot listen to Ctrl-C: {e}")))?;
        Ok(Self {
            quiet,
            verbose,
            interrupted,
            ranks: Arc::new(Alone),
        })
    }

    /// The session of one of `ranks`: the first one alone prints.
    pub fn as_one_of(self, ranks: &Arc<dyn Ranks>) -> Self {
        Self {
            quiet: self.quiet || !ranks.leads(),
            verbose: self.verbose && ranks.leads(),
            ranks: Arc::clone(ranks),
            ..self
        }
    }

    /// Whether this is the process that writes and prints.
    fn leads(&self) -> bool {
        self.ranks.leads()
    }

    /// Goes on only where no process has failed; see `Ranks::agree`.
    pub(crate) fn agree<T>(&self, outcome: Result<T>) -> Result<T> {
        self.ranks.agree(outcome)
    }

    /// The session of one piece of work among `count` at once, whose progress would run together.
    fn among(&self, count: usize) -> Self {
        Self {
            quiet: self.quiet || count > 1,
            ..self.clone()
        }
    }

    /// Whether Ctrl-C was pressed.
    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Whether an optimization goes on: until Ctrl-C is pressed.
    fn flow(&self) -> ControlFlow<()> {
        if self.is_interrupted() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Ends the command when Ctrl-C was pressed.
    fn check(&self) -> Result<()> {
        if self.is_interrupted() {
            Err(Error::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Prints a line on standard output, unless quiet. A closed pipe is not an error.
    fn tell(&self, line: impl Display) -> Result<()> {
        if self.quiet {
            return Ok(());
        }
        match writeln!(std::io::stdout(), "{line}") {
            Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Error::io("stdout", "write", e)),
            _ => Ok(()),
        }
    }

    /// Prints a line on standard error, even when quiet. Where that cannot be shown, nothing can.
    fn warn(&self, line: impl Display) {
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// Prints a line when details were asked for.
    fn detail(&self, line: impl Display) -> Result<()> {
        if self.verbose {
            self.tell(line)
        } else {
            Ok(())
        }
    }
}

/// Refuses the first of `options` (name, whether it was given) that was given.
fn refuse(options: &[(&str, bool)], field: &str, found: &str, advice: &str) -> Result<()> {
    match options.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => Err(Error::input(option, field, found, advice)),
    }
}

/// Refuses a value that is listed twice.
fn refuse_repeated<T: PartialEq + Display>(option: &str, values: &[T], advice: &str) -> Result<()> {
    let mut earlier = (0..).zip(values);
    match earlier.find(|(i, value)| values[..*i].contains(value)) {
        None => Ok(()),
        Some((_, value)) => Err(Error::input(option, "repeated value", value, advice)),
    }
}

/// The file in which a command notes down with which settings it was begun.
const SETTINGS: &str = "config.json";

/// Refuses to go on with what an earlier run with other settings than `now` has left in `out`.
fn check_begun_with(out: &Path, now: &[u8], advice: &str) -> Result<()> {
    let path = out.join(SETTINGS);
    let before = std::fs::read(&path).map_err(|e| Error::io(&path, "read", e))?;
    if before == now {
        return Ok(());
    }
    let found = "other settings";
    Err(Error::input(path.display(), "earlier run", found, advice))
}

/// What to do about optimizers of the same name.
const NAME_ONCE: &str = "name every optimizer once; a weight file is called by its own name";

/// An error about the name of an optimizer, said of the `option` that named it; one about a weight
/// file stays.
fn named_by(option: &str, error: Error) -> Error {
    let is_name = matches!(&error, Error::Input { origin, .. } if origin == "optimizer");
    if is_name { error.about(option) } else { error }
}

/// The configuration file, or the defaults.
fn config(path: Option<&Path>) -> Result<Config> {
    path.map_or_else(|| Ok(Config::default()), Config::read)
}

/// JSON as the text of a file.
fn json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|e| Error::Internal(format!("cannot write JSON: {e}")))?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_run_with_the_same_settings_is_gone_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let check = |now: &[u8]| check_begun_with(dir.path(), now, "give the same again");
        assert_eq!(check(b"{}").unwrap_err().exit_code(), 2);
        std::fs::write(dir.path().join(SETTINGS), b"{}").unwrap();
        check(b"{}").unwrap();
        let error = check(b"[]").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let message = error.to_string();
        let expected = "config.json: earlier run: found other settings; give the same again";
        assert!(message.ends_with(expected), "{message}");
    }
}
