//! Clips with force plates beside them.

use std::path::Path;

use serde::Deserialize;

use super::{Clip, UNKNOWN, check_masses};
use crate::error::{Error, Result};
use crate::json;
use crate::motion::files::c3d::C3d;

/// What the names of files of force plates end in, after the stem of the pose file.
const PLATES: [&str; 3] = ["_grf.npz", "_grf.mot", "_grf.c3d"];

/// What the JSON file beside a pose file tells of a trial; anything else in it is ignored.
#[derive(Debug, Deserialize)]
struct Trial {
    mass_kg: Option<f64>,
    category: Option<String>,
}

/// `clips` of the directory `motions` with the plates beside them: `NAME_grf.npz`, `NAME_grf.mot` or `NAME_grf.c3d` beside
/// `NAME.npy`, or in a C3D itself. Where they are, `NAME.json` may give `mass_kg`, and `category` unless an index does.
///
/// # Errors
/// [`Error::Input`] when `motions` is no directory or has no plates, and for broken JSON.
pub fn with_plates(clips: Vec<Clip>, motions: &Path) -> Result<Vec<Clip>> {
    if !motions.is_dir() {
        let advice = "leave it out: a manifest names \"plates\" and \"mass\" of its clips itself";
        return Err(Error::input("--plates", "use", "with a manifest", advice));
    }
    let clips: Vec<Clip> = clips.into_iter().map(beside).collect::<Result<_>>()?;
    if clips.iter().all(|clip| clip.plates.is_none()) {
        let advice = "put NAME_grf.npz or NAME_grf.mot beside NAME.npy, or leave --plates out";
        return Err(Error::input(motions.display(), "plates", "none", advice));
    }
    check_masses(&clips, motions)?;
    Ok(clips)
}

/// Whether the file at `path` holds, by its name, force plates and no motion.
pub(super) fn is_plates(path: &Path) -> bool {
    let path = path.to_string_lossy();
    PLATES.iter().any(|ending| path.ends_with(ending))
}

/// `clip` with what lies beside it.
fn beside(mut clip: Clip) -> Result<Clip> {
    let beside = |ending| clip.path.with_file_name(format!("{}{ending}", clip.name));
    let beside = PLATES.into_iter().map(beside).find(|path| path.is_file());
    clip.plates = beside.or_else(|| has_plates(&clip.path).then(|| clip.path.clone()));
    if clip.plates.is_none() {
        return Ok(clip);
    }
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

/// Whether the file at `path` is a C3D with force plates.
fn has_plates(path: &Path) -> bool {
    let is_c3d = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("c3d"));
    is_c3d && C3d::read(path, |_, _| Ok(())).is_ok_and(|file| !file.plates.is_empty())
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
        write("b_grf.mot", "");
        assert!(
            found().unwrap()[1]
                .plates
                .as_ref()
                .unwrap()
                .ends_with("b_grf.mot")
        );
        write("index.csv", "name,category\na,stroll\n");
        assert_eq!(found().unwrap()[0].category, "stroll");
        let error = with_plates(Vec::new(), &dir.path().join("a.json")).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
