//! Rows as they are found, a line of JSON each: a kill costs no row that is finished.
//!
//! Every process that writes has a file of its own in the directory of the evaluation: [`name`].

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cluster::Shard;
use crate::error::{Error, Result};

/// The beginning and the end of the names of journals.
const ENDS: (&str, &str) = ("rows", ".jsonl");

/// A file that rows are added to.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
}

/// The journal of a whole evaluation, or of a shard of one.
pub fn name(shard: Option<Shard>) -> String {
    let (begin, end) = ENDS;
    match shard {
        None => format!("{begin}{end}"),
        Some(Shard { number, count }) => format!("{begin}-{number}-of-{count}{end}"),
    }
}

impl Journal {
    /// Goes on with the journal at `path`, or begins it.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written to.
    pub fn open(path: PathBuf) -> Result<Self> {
        let written = |e| Error::io(&path, "write", e);
        let is_torn = match fs::read(&path) {
            Ok(bytes) => bytes.last().is_some_and(|last| *last != b'\n'),
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(Error::io(&path, "read", error)),
        };
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(written)?;
        if is_torn {
            // A process was killed as it wrote: what follows is a line of its own.
            file.write_all(b"\n").map_err(written)?;
        }
        Ok(Self { file, path })
    }

    /// Adds a row; it is safely on disk then.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn add(&mut self, row: &impl Serialize) -> Result<()> {
        let line = serde_json::to_vec(row);
        let mut line = line.map_err(|e| Error::Internal(format!("cannot write JSON: {e}")))?;
        line.push(b'\n');
        let written = self
            .file
            .write_all(&line)
            .and_then(|()| self.file.sync_data());
        written.map_err(|e| Error::io(&self.path, "write", e))
    }
}

/// All rows of the journals in `directory`, in the order of the names of the journals. A line that is torn is left
/// out: its row is found again.
///
/// # Errors
/// [`Error::Io`] when a journal cannot be read.
pub fn read<R: DeserializeOwned>(directory: &Path) -> Result<Vec<R>> {
    let mut rows = Vec::new();
    for path in journals(directory)? {
        let bytes = fs::read(&path).map_err(|e| Error::io(&path, "read", e))?;
        let lines = bytes.split(|byte| *byte == b'\n');
        rows.extend(lines.filter_map(|line| serde_json::from_slice(line).ok()));
    }
    Ok(rows)
}

/// Removes all journals in `directory`.
///
/// # Errors
/// [`Error::Io`] when one cannot be removed.
pub fn remove(directory: &Path) -> Result<()> {
    for path in journals(directory)? {
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(Error::io(&path, "remove", e)),
            _ => {}
        }
    }
    Ok(())
}

fn journals(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|e| Error::io(directory, "read", e))?,
    };
    let is_journal = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(ENDS.0) && name.ends_with(ENDS.1)
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(is_journal);
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_all_writers_come_back_but_for_a_torn_one() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        assert!(read::<u32>(&root.join("nowhere")).unwrap().is_empty());
        let path = |shard: &str| root.join(name(shard.parse().ok()));
        assert!(path("").ends_with("rows.jsonl") && path("2/3").ends_with("rows-2-of-3.jsonl"));
        Journal::open(path("")).unwrap().add(&1).unwrap();
        fs::write(path("2/3"), "2\n3\n[4").unwrap();
        let mut torn = Journal::open(path("2/3")).unwrap();
        torn.add(&5).unwrap();
        fs::write(root.join("rows.json"), "6\n").unwrap();
        assert_eq!(read::<u32>(root).unwrap(), [2, 3, 5, 1]);
        remove(root).unwrap();
        assert!(read::<u32>(root).unwrap().is_empty() && root.join("rows.json").is_file());
    }
}
