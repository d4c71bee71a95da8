//! The motions that a training was begun with: it goes on with no others.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::json;
use crate::config::parse_json;
use crate::error::{Error, Result};
use crate::output::OutputDir;

/// The file in which the directories of motions are noted down.
pub(super) const MOTIONS: &str = "motions.json";

/// Notes down `directories` in `output`.
pub(super) fn note(directories: &[PathBuf], output: &OutputDir) -> Result<()> {
    output.write(MOTIONS, json(&places(directories))?)?;
    Ok(())
}

/// Refuses to go on in `out` with other `directories` than were noted down there. Earlier versions
/// noted down nothing.
pub(super) fn check(directories: &[PathBuf], out: &Path) -> Result<()> {
    let path = out.join(MOTIONS);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        text => text.map_err(|e| Error::io(&path, "read", e))?,
    };
    let before: Vec<String> = parse_json(&text, &path.display().to_string())?;
    let now = places(directories);
    if before == now {
        return Ok(());
    }
    let advice = format!(
        "resume with what it was begun with ({}), or train to another --out",
        in_words(&before)
    );
    let found = in_words(&now);
    Err(Error::input("--motions", "directories", found, advice))
}

/// The directories, however they were written on the command line.
fn places(directories: &[PathBuf]) -> Vec<String> {
    let place = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let places = directories.iter().map(place);
    places.map(|path| path.display().to_string()).collect()
}

fn in_words(places: &[String]) -> String {
    match places {
        [] => "the embedded walks".to_string(),
        places => places.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_directories_are_gone_on_with() {
        let root = tempfile::tempdir().unwrap();
        let [clips, others] = ["clips", "others"].map(|name| root.path().join(name));
        std::fs::create_dir(&clips).unwrap();
        std::fs::create_dir(&others).unwrap();
        let output = OutputDir::create(root.path().join("out"), false).unwrap();
        let check = |directories: &[PathBuf]| check(directories, output.path());
        check(std::slice::from_ref(&clips)).unwrap(); // nothing was noted down
        note(std::slice::from_ref(&clips), &output).unwrap();
        check(std::slice::from_ref(&clips)).unwrap();
        check(&[others.join("../clips/")]).unwrap();
        for directories in [vec![], vec![others.clone()], vec![clips.clone(), others]] {
            let error = check(&directories).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let told = error.to_string();
            assert!(told.starts_with("--motions: directories: found"), "{told}");
            assert!(told.contains("clips), or train to another"), "{told}");
        }
        note(&[], &output).unwrap();
        let told = check(&[clips]).unwrap_err().to_string();
        assert!(told.contains("(the embedded walks)"), "{told}");
    }
}
