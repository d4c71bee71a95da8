//! Clips with force plates beside them.

use std::path::Path;

use serde::Deserialize;

use super::{Clip, UNKNOWN, check_masses};
use crate::error::{Error, Result};
use crate::json;

/// What the names of files of force plates end in, after the stem of the pose file.
const PLATES: &str = "_grf.npz";

/// What the JSON file beside a pose file tells of a trial; anything else in it is ignored.
#[derive(Debug, Deserialize)]
struct Trial {
    mass_kg: Option<f64>,
    category: Option<String>,
}

/// `clips` of the directory `motions` with the plates beside them: `NAME_grf.npz` beside `NAME.npy`. Where they are,
/// `NAME.json` may give `mass_kg`, and `category` unless an index does.
///
/// # Errors
/// [`Error::Input`] when `motions` is no directory or has no plates, and for broken JSON.
pub fn with_plates(clips: Vec<Clip>, motions: &Path) -> Result<Vec<Clip>> {
    if !motions.is_dir() {
        let advice = "leave it out: a manifest names \"plates\" and \"mass\" of its clips itself";
        return Err(Error::input("--plates", "use", "with a manifest", advice));
    }
    let is_plates = |clip: &Clip| clip.path.to_string_lossy().ends_with(PLATES);
    let clips = clips.into_iter().filter(|clip| !is_plates(clip));
    let clips: Vec<Clip> = clips.map(beside).collect::<Result<_>>()?;
    if clips.iter().all(|clip| clip.plates.is_none()) {
        let advice = "put NAME_grf.npz beside NAME.npy, or leave --plates out";
        return Err(Error::input(motions.display(), "plates", "none", advice));
    }
    check_masses(&clips, motions)?;
    Ok(clips)
}

/// `clip` with what lies beside it.
fn beside(mut clip: Clip) -> Result<Clip> {
    let plates = clip.path.with_file_name(format!("{}{PLATES}", clip.name));
    if !plates.is_file() {
        return Ok(clip);
    }
    clip.plates = Some(plates);
    let path = clip.path.with_extension("json");
    if path.is_file() {
        let trial: Trial = json::read(&path)?;
        clip.mass = trial.mass_kg;
        if let Some(category) = trial.category.filter(|_| clip.category == UNKNOWN) {
            clip.category = category;
        }
    }
    Ok(clip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::clips::find;

    #[test]
    fn plates_lie_beside_the_motion_with_mass_and_category() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        let found = || with_plates(find(dir.path(), None).unwrap(), dir.path());
        write("a.npy", "");
        write("b.npy", "");
        let error = found().unwrap_err();
        assert!(error.to_string().contains("plates: found none"), "{error}");
        write("a_grf.npz", "");
        write(
            "a.json",
            r#"{ "fps": 100, "mass_kg": 60.5, "category": "walk" }"#,
        );
        let clips = found().unwrap();
        assert_eq!(clips.len(), 2);
        assert_eq!(clips[0].plates, Some(dir.path().join("a_grf.npz")));
        assert_eq!(
            (clips[0].mass, clips[0].category.as_str()),
            (Some(60.5), "walk")
        );
        assert_eq!((&clips[1].plates, clips[1].mass), (&None, None));
        write("index.csv", "name,category\na,stroll\n");
        assert_eq!(found().unwrap()[0].category, "stroll");
        let error = with_plates(Vec::new(), &dir.path().join("a.json")).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
