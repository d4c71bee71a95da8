//! The one error type: it names the culprit (file, field, value) and the remedy.

use std::path::{Path, PathBuf};

/// Result of every fallible operation of the library.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, with everything a user needs to fix it.
///
/// `Err` is for broken input, broken files and interruption. Divergence of an objective is not an
/// error: it is an infinite or NaN value (see [`Objective`](crate::objective::Objective)).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, an argument or a configuration value that cannot be used.
    #[error("{origin}: {field}: found {found}; {advice}")]
    Input {
        /// The file, or the argument as it is typed on the command line.
        origin: String,
        /// Which part of it: an array, a key, a frame.
        field: String,
        /// The value found there.
        found: String,
        /// What to do about it.
        advice: String,
    },
    /// The operating system refused to read or write.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was attempted: "read", "write", "create the directory".
        action: &'static str,
        /// The reason the system gave.
        source: std::io::Error,
    },
    /// Ctrl-C (or SIGTERM) arrived; no file was left incomplete.
    #[error("interrupted; only finished files were written")]
    Interrupted,
    /// What has ended a run that several processes share, on all of them; the first one tells it.
    #[error("{message}")]
    Shared {
        /// The exit code of the process that it happened to.
        code: u8,
        /// What happened, and to which rank.
        message: String,
    },
    /// An invariant of the program itself does not hold.
    #[error("internal error: {0}")]
    Internal(String),
}

/// The longest part of an error, bytes.
const LONGEST: usize = 600;

/// A text on one line, whatever a file had in it: control characters escaped, and cut where it is long.
fn one_line(text: String) -> String {
    let mut text = match text.contains(char::is_control) {
        true => text.escape_debug().to_string(),
        false => text,
    };
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or(0));
        text.push('…');
    }
    text
}

impl Error {
    /// An [`Error::Input`] naming origin, field, value found and advice.
    pub fn input(
        origin: impl std::fmt::Display,
        field: impl std::fmt::Display,
        found: impl std::fmt::Display,
        advice: impl std::fmt::Display,
    ) -> Self {
        Self::Input {
            origin: one_line(origin.to_string()),
            field: one_line(field.to_string()),
            found: one_line(found.to_string()),
            advice: one_line(advice.to_string()),
        }
    }

    /// The same error, said of `origin`.
    pub fn about(self, origin: impl std::fmt::Display) -> Self {
        match self {
            Self::Input {
                field,
                found,
                advice,
                ..
            } => Self::input(origin, field, found, advice),
            other => other,
        }
    }

    /// An [`Error::Io`] for `path`.
    pub fn io(path: impl AsRef<Path>, action: &'static str, source: std::io::Error) -> Self {
        Self::Io {
            path: path.as_ref().to_path_buf(),
            action,
            source,
        }
    }

    /// The process exit code: 2 for bad input or arguments (a file that cannot be opened or
    /// written to included), 130 after an interruption, 1 for anything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Input { .. } | Self::Io { .. } => 2,
            Self::Interrupted => 130,
            Self::Shared { code, .. } => *code,
            Self::Internal(_) => 1,
        }
    }
}
