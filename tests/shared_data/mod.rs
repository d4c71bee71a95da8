//! Where the shared data are, for tests that use them when they are at hand.

use std::path::{Path, PathBuf};

/// A folder of the shared data in `$MOTIONFIT_SHARED` or `../shared`; says so where it is not there.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MOTIONFIT_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let path = root.join("data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no {} (set MOTIONFIT_SHARED)", path.display());
    None
}

/// The files in `folder` whose names end in `ending`, at least one, sorted.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no {ending} in {}", folder.display());
    files
}
