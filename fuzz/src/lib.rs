//! What the fuzz targets share: bytes as a file, and what reading it may end in.

use std::path::Path;

use motionfit::error::Result;

/// Reads `data` by `read` as a file called `name`.
///
/// # Panics
/// Where it is refused otherwise than by one line and exit code 2.
pub fn check<T>(name: &str, data: &[u8], read: impl FnOnce(&Path) -> Result<T>) {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
    }
    let path = FOLDER.with(|folder| folder.path().join(name));
    std::fs::write(&path, data).expect("a temporary file");
    if let Err(error) = read(&path) {
        let line = error.to_string();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(!line.contains('\n') && line.len() < 2000, "{line}");
    }
}
