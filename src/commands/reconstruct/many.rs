//! `motionfit reconstruct` of several files, side by side.

use std::path::{Component, Path, PathBuf};
use std::time::Instant;

use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::args::ReconstructArgs;
use super::one::reconstruct_one;
use crate::cluster::{Collector, work_off};
use crate::commands::progress::{MinuteLines, counter};
use crate::commands::{Session, refuse, refuse_repeated};
use crate::config::Config;
use crate::error::{Error, Result};

/// The files that `given` names, patterns included; `None` where that is one file or none.
pub(super) fn named(given: &[PathBuf]) -> Result<Option<Vec<PathBuf>>> {
    if let [path] = given
        && !is_pattern(path)
    {
        return Ok(None);
    }
    if given.is_empty() {
        return Ok(None);
    }
    let mut paths = Vec::new();
    for path in given {
        let found = expanded(path);
        if found.is_empty() {
            let advice = "no file is called so; correct the pattern";
            return Err(Error::input(path.display(), "pattern", "0 files", advice));
        }
        paths.extend(found);
    }
    let names: Vec<String> = paths.iter().map(|path| name(path)).collect();
    let advice = "each is written into a folder of its name: rename one, or reconstruct it alone";
    refuse_repeated("files", &names, advice)?;
    Ok(Some(paths))
}

/// The name of what a file shows.
fn name(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn is_pattern(path: &Path) -> bool {
    !path.exists() && path.to_string_lossy().contains(['*', '?'])
}

/// What fits a pattern, sorted; any other path as it is.
fn expanded(path: &Path) -> Vec<PathBuf> {
    if !is_pattern(path) {
        return vec![path.to_path_buf()];
    }
    let mut found = vec![PathBuf::new()];
    for component in path.components() {
        let text = component.as_os_str().to_string_lossy();
        found = match component {
            Component::Normal(_) if text.contains(['*', '?']) => found
                .iter()
                .flat_map(|folder| fitting(folder, &text))
                .collect(),
            _ => found.iter().map(|folder| folder.join(component)).collect(),
        };
    }
    found.retain(|path| path.exists());
    found.sort();
    found
}

/// The entries of `folder` that fit `pattern`; hidden ones only where it begins with a dot.
fn fitting(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let place = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name());
    let is_wanted = |name: &std::ffi::OsString| {
        let name = name.to_string_lossy();
        name.starts_with('.') == pattern.starts_with('.')
            && fits(pattern.as_bytes(), name.as_bytes())
    };
    names
        .filter(is_wanted)
        .map(|name| folder.join(name))
        .collect()
}

/// Whether `name` fits `pattern`, in which * stands for any text and ? for one byte.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=name.len()).any(|i| fits(rest, &name[i..])),
        (Some((b'?', rest)), Some((_, name))) => fits(rest, name),
        (Some((p, rest)), Some((n, name))) => p == n && fits(rest, name),
        _ => false,
    }
}

/// What has become of a file.
#[derive(Serialize, Deserialize)]
enum Outcome {
    /// Its metrics, and what there is to warn of.
    Done(Map<String, Value>, Option<String>),
    /// The exit code of its error, and the error.
    Failed(u8, String),
}

/// Reconstructs all of `paths`, each into a folder of its name; where one fails, the others go on.
pub(super) fn reconstruct_many(
    paths: &[PathBuf],
    args: &ReconstructArgs,
    config: &Config,
    session: &Session,
) -> Result<()> {
    let of_one = [
        ("--plates", args.forces.plates.is_some()),
        ("--more-views", !args.keypoints.more_views.is_empty()),
    ];
    let advice = "they belong to one recording: reconstruct its file alone";
    session.agree(refuse(&of_one, "input", "several files", advice))?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("out"));
    let at_once = session.ranks.size() * rayon::current_num_threads();
    let quiet = session.among(at_once.min(paths.len()));
    let work = |job: usize| {
        let out = out.join(name(&paths[job]));
        match reconstruct_one(args, config, (Some(&paths[job]), Some(&out)), &quiet) {
            Ok((record, warning)) => Ok(Outcome::Done(record, warning)),
            Err(Error::Interrupted) => Err(Error::Interrupted),
            Err(error) => Ok(Outcome::Failed(error.exit_code(), error.to_string())),
        }
    };
    let jobs: Vec<usize> = (0..paths.len()).collect();
    let mut all = All::new(paths, &out, session);
    work_off(session.ranks.as_ref(), &jobs, work, &mut all)?;
    session.agree(all.outcome())
}

/// The outcomes as they come.
struct All<'a> {
    paths: &'a [PathBuf],
    out: &'a Path,
    session: &'a Session,
    bar: ProgressBar,
    lines: MinuteLines,
    begun: Instant,
    done: usize,
    /// Files that failed, and the exit codes.
    failed: Vec<(String, u8)>,
}

impl<'a> All<'a> {
    fn new(paths: &'a [PathBuf], out: &'a Path, session: &'a Session) -> Self {
        Self {
            paths,
            out,
            session,
            bar: counter(session, paths.len()),
            lines: MinuteLines::new(session),
            begun: Instant::now(),
            done: 0,
            failed: Vec::new(),
        }
    }

    fn show(&mut self) {
        self.bar.set_position(self.done as u64);
        self.bar
            .set_message(format!("files, {} failed", self.failed.len()));
        let (done, all, failed) = (self.done, self.paths.len(), self.failed.len());
        let left = self.begun.elapsed().as_secs_f64() * (all as f64 / done as f64 - 1.0) / 60.0;
        self.lines
            .say(|| format!("{done}/{all} files, {failed} failed, {left:.0} min left"));
    }

    /// An error where a file has failed.
    fn outcome(&self) -> Result<()> {
        let names: Vec<&str> = self.failed.iter().map(|(name, _)| name.as_str()).collect();
        let (count, all) = (names.len(), self.paths.len());
        let found = format!("{count} of {all} failed ({})", names.join(", "));
        match self
            .failed
            .iter()
            .map(|(_, code)| *code)
            .find(|code| *code != 2)
        {
            _ if count == 0 => Ok(()),
            Some(_) => Err(Error::Internal(found)),
            None => {
                let advice = "their errors are told above; the others are done";
                Err(Error::input("reconstruct", "files", found, advice))
            }
        }
    }
}

impl Collector<Outcome> for All<'_> {
    fn done(&mut self, job: usize, outcome: Outcome) -> Result<()> {
        self.done += 1;
        let (path, all) = (&self.paths[job], self.paths.len());
        let (name, done) = (name(path), self.done);
        match outcome {
            Outcome::Done(record, warning) => {
                let number =
                    |key: &str| record.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN);
                let line = format!(
                    "[{done}/{all}] {name}: MPJPE-G {:.1} mm, worst frame {:.0} mm; wrote to {}",
                    number("mpjpe_global_mm"),
                    number("max_frame_error_mm"),
                    self.out.join(&name).display()
                );
                let session = self.session;
                self.bar.suspend(|| session.tell(line))?;
                if let Some(warning) = warning {
                    self.bar.suspend(|| session.tell(warning))?;
                }
            }
            Outcome::Failed(code, error) => {
                let error = error.split_whitespace().collect::<Vec<_>>().join(" ");
                let line = format!("[{done}/{all}] {name}: error: {error}");
                self.bar.suspend(|| self.session.warn(line));
                self.failed.push((path.display().to_string(), code));
            }
        }
        self.show();
        Ok(())
    }

    fn is_interrupted(&self) -> bool {
        self.session.is_interrupted()
    }
}

impl Drop for All<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_what_they_should() {
        let fits = |pattern: &str, name: &str| fits(pattern.as_bytes(), name.as_bytes());
        assert!(fits("*.npy", "walk.npy") && fits("w?lk*", "walk") && fits("*a*b", "xaxb"));
        assert!(!fits("*.npy", "walk.npz") && !fits("w?lk", "wlk") && !fits("a*b", "ab.c"));
    }

    #[test]
    fn files_are_named_one_by_one_or_by_patterns() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in ["a/2.npy", "b/1.npy", "b/3.bvh", "b/.4.npy"] {
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            std::fs::write(path(name), b"").unwrap();
        }
        let names = |given: &[&str]| {
            let given: Vec<PathBuf> = given.iter().map(|name| path(name)).collect();
            named(&given)
        };
        assert!(names(&[]).unwrap().is_none() && names(&["nothing.npy"]).unwrap().is_none());
        let found = names(&["*/*.npy"]).unwrap().unwrap();
        assert_eq!(found, [path("a/2.npy"), path("b/1.npy")]);
        let found = names(&["b/3.bvh", "nothing.npy"]).unwrap().unwrap();
        assert_eq!(found, [path("b/3.bvh"), path("nothing.npy")]);
        let refused = |given: &[&str]| names(given).unwrap_err().to_string();
        assert!(refused(&["*.c3d"]).contains("found 0 files"));
        assert!(refused(&["a/2.npy", "*/2.npy"]).contains("repeated value: found 2"));
    }
}
