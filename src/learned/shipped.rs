//! Weights that come with the program: small ones inside of it, large ones as files beside it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::error::{Error, Result};

/// Where weights are.
#[derive(Clone, Copy)]
pub(super) enum Weights {
    /// Inside of the program.
    Embedded(&'static [u8]),
    /// In a file of this name.
    File(&'static str),
}

impl Weights {
    /// The content of the file.
    pub(super) fn bytes(self) -> Result<Cow<'static, [u8]>> {
        match self {
            Self::Embedded(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::File(name) => {
                let provided = PROVIDED.get().copied().unwrap_or_default();
                if let Some((_, bytes)) = provided.iter().find(|(known, _)| *known == name) {
                    return Ok(Cow::Borrowed(bytes));
                }
                let path = find(name)?;
                let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, "read", e))?;
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Looks for weight files in `folder` before all other places; the first call counts.
pub fn look_for_weights_in(folder: impl Into<PathBuf>) {
    let _ = FOLDER.set(folder.into()); // a second folder changes nothing
}

/// Weight files by name.
type Files = &'static [(&'static str, &'static [u8])];

static PROVIDED: OnceLock<Files> = OnceLock::new();

/// Gives the large weight files by name, for programs that carry them; the first call counts.
pub fn provide_weights(files: Files) {
    let _ = PROVIDED.set(files); // a second set changes nothing
}

/// The folders that may hold weight files, the best first: the one that was named, the program's own, the
/// shared data of its installation, and the source it was built from.
fn folders() -> Vec<PathBuf> {
    let named = FOLDER.get().cloned();
    let program = std::env::current_exe().ok();
    let own = program.as_deref().and_then(Path::parent);
    let shared = own
        .and_then(Path::parent)
        .map(|root| root.join("share/motionfit"));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let folders = [named, own.map(Path::to_path_buf), shared, Some(source)];
    folders.into_iter().flatten().collect()
}

fn find(name: &str) -> Result<PathBuf> {
    let folders = folders();
    let found = folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let found = format!("no file in {}", looked.join(", "));
        let advice = "get it from the release or from assets/ of the source, and name its folder by --weights";
        Error::input(name, "weights", found, advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_in_the_source_and_missed_with_advice() {
        let found = Weights::File("optimus.safetensors").bytes().unwrap();
        assert!(found.len() > 3_000_000);
        let missing = Weights::File("nothing.safetensors").bytes();
        let error = missing.unwrap_err().to_string();
        assert!(
            error.contains("nothing.safetensors") && error.contains("--weights"),
            "{error}"
        );
    }
}
