//! Files that are read as a whole.

use std::path::Path;

use crate::error::{Error, Result};

/// The largest file that is read as a whole, bytes.
const LARGEST: u64 = 1 << 29;

/// The text of a file. Names may be in any encoding; what is read of them is ASCII.
pub fn text(path: &Path) -> Result<String> {
    let bytes = bytes(path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The bytes of a file that is read as a whole.
///
/// # Errors
/// When it cannot be read, or has more than 512 MiB.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    let size = path
        .metadata()
        .map_err(|e| Error::io(path, "read", e))?
        .len();
    if size > LARGEST {
        let found = format!("{} MiB", size >> 20);
        let advice = "at most 512 MiB are read: cut it into parts";
        return Err(Error::input(path.display(), "size", found, advice));
    }
    std::fs::read(path).map_err(|e| Error::io(path, "read", e))
}
