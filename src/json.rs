//! JSON files, with errors that say where in them something is wrong.

use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};

/// The text of a JSON file.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Input`] when it is not text.
pub fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => {
            let (found, advice) = ("no text", "give a JSON file");
            Error::input(path.display(), "content", found, advice)
        }
        _ => Error::io(path, "read", error),
    })
}

/// Reads a JSON file into `T`.
///
/// # Errors
/// As [`read_text`] and [`parse`].
pub fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    parse(&read_text(path)?, &path.display().to_string())
}

/// Parses JSON into `T`, with errors that say where, what was found and what to do.
///
/// # Errors
/// [`Error::Input`] naming `origin`, the line and the field.
pub fn parse<T: for<'de> Deserialize<'de>>(text: &str, origin: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message
            .rsplit_once(" at line ")
            .map_or(message.as_str(), |(message, _)| message);
        let (found, advice) = match message.split_once(", expected ") {
            Some((found, expected)) => (found, format!("expected {expected}")),
            None => (message, "correct the JSON".to_string()),
        };
        let field = match field_at(text, error.line(), error.column()) {
            Some(field) => format!("line {}, \"{field}\"", error.line()),
            None => format!("line {}", error.line()),
        };
        Error::input(origin, field, found, advice)
    })
}

/// The last key before a position (line and column from 1).
fn field_at(text: &str, line: usize, column: usize) -> Option<&str> {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let before = text.get(..start + column).unwrap_or(text);
    // Cut at the quote that ends the last key: the one before the last colon outside of a string.
    let colon = before
        .rfind("\":")
        .or_else(|| before.rfind("\" :"))
        .or_else(|| before.ends_with('"').then(|| before.len() - 1))?;
    let key = &before[..colon];
    Some(&key[key.rfind('"')? + 1..])
}
