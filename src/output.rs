//! Output files: atomic, never half-written, never overwritten without being asked.
//!
//! Every file is first written in full to a hidden temporary file in its own directory, synced,
//! and then renamed. After an error, a full disk or an interruption only complete files exist. A
//! killed process may leave temporary files; a later set of the same files removes them.

use std::fs::{self, DirEntry};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// The end of the names of temporary files.
const PARTIAL: &str = ".partial";

/// A temporary file of this age is a killed process's: nobody takes so long to write one.
const STALE: Duration = Duration::from_secs(3600);

/// The directory that receives the files of one run.
///
/// Directories made by [`OutputDir::create`] are removed again when the run ends without having
/// written anything into them.
#[derive(Debug)]
pub struct OutputDir {
    path: PathBuf,
    /// Directories that did not exist before, deepest first.
    created: Vec<PathBuf>,
}

impl OutputDir {
    /// Makes sure that `dir` is a directory that can be written to, creating it and its parents.
    ///
    /// # Errors
    /// [`Error::Input`] when `dir` is a file, holds files already and `force` is not set, or
    /// cannot be written to. Nothing is changed then.
    pub fn create(dir: impl AsRef<Path>, force: bool) -> Result<Self> {
        let path = dir.as_ref().to_path_buf();
        refuse_unusable(&path, force)?;
        let created: Vec<PathBuf> = path
            .ancestors()
            .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
            .map(Path::to_path_buf)
            .collect();
        let output = Self { path, created };
        fs::create_dir_all(&output.path).map_err(|e| refused(&output.path, &e))?;
        temporary(&output.path, "probe").map_err(|e| refused(&output.path, &e))?;
        Ok(output)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes (or replaces) the file `name` atomically and returns its path.
    ///
    /// # Errors
    /// [`Error::Io`] when the bytes cannot be written; the previous file, if any, stays as it was.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.path.join(name);
        persist(filled(&path, bytes.as_ref())?, &path)?;
        Ok(path)
    }

    /// Removes what an earlier run has left under `name`, if anything.
    ///
    /// # Errors
    /// [`Error::Io`] when it is there and cannot be removed.
    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, "remove", e)),
            _ => Ok(()),
        }
    }

    /// Writes a set of files of which none becomes visible before all are complete on disk.
    ///
    /// # Errors
    /// [`Error::Input`] when a directory has the name of one of them, [`Error::Io`] when one cannot
    /// be written; then none is.
    pub fn write_all(&self, files: &[(&str, Vec<u8>)]) -> Result<Vec<PathBuf>> {
        for (name, _) in files {
            refuse_directory(&self.path.join(name))?; // it would be found out amid the renaming
        }
        self.remove_stale(files);
        let staged = files
            .iter()
            .map(|(name, bytes)| {
                let path = self.path.join(name);
                Ok((filled(&path, bytes)?, path))
            })
            .collect::<Result<Vec<_>>>()?;
        staged
            .into_iter()
            .map(|(file, path)| {
                persist(file, &path)?;
                Ok(path)
            })
            .collect()
    }

    /// Removes what killed processes have left of the temporary files of `files`. Fresh ones stay:
    /// another process may be writing them.
    fn remove_stale(&self, files: &[(&str, Vec<u8>)]) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let is_ours = files.iter().any(|(name, _)| is_partial(&entry, name));
            if is_ours && is_stale(&entry) {
                let _ = fs::remove_file(entry.path()); // if it stays, it does no harm
            }
        }
    }
}

impl Drop for OutputDir {
    fn drop(&mut self) {
        for dir in &self.created {
            // Fails, as it should, as soon as a directory holds something.
            if fs::remove_dir(dir).is_err() {
                break;
            }
        }
    }
}

/// Writes the single file `path` atomically.
///
/// # Errors
/// [`Error::Input`] when it exists and `force` is not set, [`Error::Io`] when it cannot be written.
pub fn write_file(path: &Path, bytes: &[u8], force: bool) -> Result<()> {
    check_file(path, force)?;
    persist(filled(path, bytes)?, path)
}

/// Writes files that belong together, each atomically; nothing where one of them cannot be written to.
///
/// # Errors
/// As [`write_file`].
pub fn write_files(files: &[(&Path, &[u8])], force: bool) -> Result<()> {
    for (path, _) in files {
        check_file(path, force)?;
    }
    let filled = files.iter().map(|(path, bytes)| filled(path, bytes));
    let filled = filled.collect::<Result<Vec<_>>>()?;
    let mut files = files.iter().zip(filled);
    files.try_for_each(|((path, _), file)| persist(file, path))
}

/// Refuses to write to `path` where there is something, unless `force` is set, or no directory for it.
fn check_file(path: &Path, force: bool) -> Result<()> {
    refuse_directory(path)?;
    let directory = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    if let Some(dir) = directory.filter(|dir| !dir.is_dir()) {
        let found = format!("no directory {}", dir.display());
        return Err(Error::input(
            path.display(),
            "output",
            found,
            "create it first",
        ));
    }
    if path.exists() && !force {
        return Err(Error::input(
            path.display(),
            "output",
            "an existing file",
            "choose another name or replace it with --force",
        ));
    }
    Ok(())
}

/// Refuses a directory in the place of a file.
fn refuse_directory(path: &Path) -> Result<()> {
    if !path.is_dir() {
        return Ok(());
    }
    let advice = "a file is written there: give another name, or move the directory away";
    Err(Error::input(
        path.display(),
        "output",
        "a directory",
        advice,
    ))
}

fn refuse_unusable(path: &Path, force: bool) -> Result<()> {
    if path.exists() && !path.is_dir() {
        let advice = "give the name of a directory";
        return Err(Error::input(
            path.display(),
            "output directory",
            "a file",
            advice,
        ));
    }
    let occupied = path.is_dir()
        && fs::read_dir(path)
            .map_err(|e| refused(path, &e))?
            .next()
            .is_some();
    if occupied && !force {
        return Err(Error::input(
            path.display(),
            "output directory",
            "files of an earlier run",
            "choose another --out or replace them with --force",
        ));
    }
    Ok(())
}

fn refused(path: &Path, reason: &std::io::Error) -> Error {
    let advice = "choose an --out that you may write to";
    Error::input(path.display(), "output directory", reason, advice)
}

/// An empty hidden file in `dir`, removed unless it is persisted.
fn temporary(dir: &Path, name: &str) -> std::io::Result<NamedTempFile> {
    let prefix = format!(".{name}.");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(PARTIAL);
    #[cfg(unix)]
    let permissions = {
        use std::os::unix::fs::PermissionsExt;
        fs::Permissions::from_mode(0o666) // less the umask, as for any other file
    };
    #[cfg(unix)]
    builder.permissions(permissions);
    builder.tempfile_in(dir)
}

/// Whether `entry` is a temporary file of the file `name`.
fn is_partial(entry: &DirEntry, name: &str) -> bool {
    let found = entry.file_name();
    let found = found.to_string_lossy();
    let rest = found.strip_prefix(&format!(".{name}."));
    rest.is_some_and(|rest| rest.ends_with(PARTIAL))
}

fn is_stale(entry: &DirEntry) -> bool {
    let modified = entry.metadata().and_then(|found| found.modified()).ok();
    let age = modified.and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > STALE)
}

/// A temporary file beside `path` that holds `bytes`, safely on disk.
fn filled(path: &Path, bytes: &[u8]) -> Result<NamedTempFile> {
    let dir = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut file = temporary(dir, &name).map_err(|e| Error::io(path, "create", e))?;
    file.as_file_mut()
        .write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(|e| Error::io(path, "write", e))?;
    Ok(file)
}

fn persist(file: NamedTempFile, path: &Path) -> Result<()> {
    file.persist(path)
        .map_err(|e| Error::io(path, "write", e.error))?;
    Ok(())
}

#[cfg(test)]
mod tests;
