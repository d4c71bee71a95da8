//! Sets of clips: a directory of pose files with an optional index, or a manifest.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::json;
use crate::motion::MASSES;
use crate::motion::ReadOptions;
use crate::motion::files::{RATES, rate_beside};

pub use trials::with_plates;

mod trials;

/// The category of clips that are in domain.
const WALK: &str = "walk";

/// The category of clips of which nothing says it.
pub const UNKNOWN: &str = "unknown";

/// A pose file and what is known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// Its name in tables: the file's stem.
    pub name: String,
    /// The pose file.
    pub path: PathBuf,
    /// What it shows: "walk"; "unknown" when nothing says.
    pub category: String,
    /// How to read it.
    pub options: ReadOptions,
    /// Mass of the subject, kg; that of the configuration unless known.
    pub mass: Option<f64>,
    /// The file of the force plates that measured it.
    pub plates: Option<PathBuf>,
}

impl Clip {
    /// Whether the clip is a walk: the motions that learned optimizers are trained on.
    pub fn is_in_domain(&self) -> bool {
        self.category == WALK
    }

    /// Everything that is known about it, as JSON: what changes its results, but for the content of
    /// the file.
    pub fn to_json(&self) -> Value {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let options = &self.options;
        let mut json = serde_json::json!({
            "name": self.name,
            "file": path.display().to_string(),
            "category": self.category,
            "fps": options.fps,
            "layout": options.layout.map(|layout| layout.to_string()),
            "up": options.up.map(|axis| axis.to_string()),
            "units": options.units.map(|unit| unit.to_string()),
            "start": options.start,
            "end": options.end,
            "smooth": options.smoothing.to_string(),
        });
        let plates = self.plates.as_ref().map(|plates| {
            let path = std::path::absolute(plates).unwrap_or_else(|_| plates.clone());
            path.display().to_string()
        });
        let others: [(&str, Option<Value>); 6] = [
            ("person", options.person.map(Value::from)),
            ("clip", options.clip.as_deref().map(Value::from)),
            (
                "markers",
                options.markers.as_ref().map(|map| map.origin().into()),
            ),
            (
                "body_model",
                options
                    .body_model
                    .as_ref()
                    .map(|model| model.origin().into()),
            ),
            ("mass", self.mass.map(Value::from)),
            ("plates", plates.map(Value::from)),
        ];
        // Only where they are there: sets without them are what they were.
        for (name, value) in others {
            if let Some(value) = value {
                json[name] = value;
            }
        }
        json
    }
}

/// Which clips of a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// All of them.
    #[default]
    All,
    /// Walks.
    InDomain,
    /// Everything else.
    OutOfDomain,
}

impl Split {
    /// Whether it contains `clip`.
    pub fn contains(self, clip: &Clip) -> bool {
        match self {
            Self::All => true,
            Self::InDomain => clip.is_in_domain(),
            Self::OutOfDomain => !clip.is_in_domain(),
        }
    }
}

/// The clips of `motions`, sorted by name: a directory of pose files (`.npy`, `.npz`, `.bvh`, `.trc`,
/// `.c3d`, `.pkl`, `.pt`), or a manifest.
///
/// A directory is described by `index`, or the file `index.csv` in it: a table with the columns
/// `file` (or `name`) and `category`, and perhaps `fps`, matched by the file's stem. Of several files with
/// one stem the first in this order is taken, and files of force plates, `NAME_grf.*`, are none. A JSON file beside a pose file, of the same stem, may give its `fps`;
/// the index's `fps` counts only for rows that name the pose file itself.
///
/// A manifest is a JSON array of objects with the fields `file` (relative to the manifest) and,
/// optionally, `name`, `category`, `fps`, `layout`, `up`, `units`, `start`, `end`, `smooth`, `mass` (kg) and `plates`
/// (a file of force plates, relative to the manifest).
///
/// # Errors
/// [`Error::Input`] when there are no clips, the index or the manifest is not as above, or there
/// are both.
pub fn find(motions: &Path, index: Option<&Path>) -> Result<Vec<Clip>> {
    let mut clips = if motions.is_dir() {
        in_directory(motions, index)?
    } else {
        in_manifest(motions)?
    };
    if let Some(index) = index.filter(|_| !motions.is_dir()) {
        let advice = "leave it out: a manifest gives category and fps of its clips itself";
        let found = format!("{} beside a manifest", index.display());
        return Err(Error::input("--index", "use", found, advice));
    }
    for clip in &clips {
        if let Some(fps) = clip.options.fps.filter(|fps| !RATES.contains(fps)) {
            let field = format!("fps of {}", clip.name);
            let advice = "give 1 to 1000 frames per second";
            return Err(Error::input(motions.display(), field, fps, advice));
        }
    }
    check_masses(&clips, motions)?;
    clips.sort_by(|a, b| a.name.cmp(&b.name));
    if clips.is_empty() {
        let advice =
            "give a directory of .npy, .npz, .bvh, .trc, .c3d, .pkl or .pt files, or a manifest";
        return Err(Error::input(motions.display(), "clips", "none", advice));
    }
    Ok(clips)
}

/// Refuses masses that nobody has; `origin` is where the clips are from.
fn check_masses(clips: &[Clip], origin: &Path) -> Result<()> {
    for clip in clips {
        if let Some(mass) = clip.mass.filter(|mass| !MASSES.contains(mass)) {
            let field = format!("mass of {}", clip.name);
            let advice = format!("give {} to {} kg", MASSES.start(), MASSES.end());
            return Err(Error::input(origin.display(), field, mass, advice));
        }
    }
    Ok(())
}

/// Extensions of pose files; of several files with one stem, the first counts.
const EXTENSIONS: [&str; 7] = ["npy", "npz", "bvh", "trc", "c3d", "pkl", "pt"];

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// The place of a file's extension in [`EXTENSIONS`].
fn rank(path: &Path) -> Option<usize> {
    EXTENSIONS
        .iter()
        .position(|extension| has_extension(path, extension))
}

fn in_directory(directory: &Path, index: Option<&Path>) -> Result<Vec<Clip>> {
    let own_index = directory.join("index.csv");
    let index = match index {
        Some(index) => read_index(index)?,
        None if own_index.is_file() => read_index(&own_index)?,
        None => Vec::new(),
    };
    let entries = std::fs::read_dir(directory).map_err(|e| Error::io(directory, "read", e))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| Error::io(directory, "read", e))?.path();
        if rank(&path).is_some() && !trials::is_plates(&path) {
            paths.push(path);
        }
    }
    paths.sort_by_key(|path| (path.with_extension(""), rank(path), path.clone()));
    paths.dedup_by_key(|path| path.with_extension(""));
    let of_paths = |row: &IndexRow| {
        let named = stem(Path::new(row.named()));
        paths.iter().any(|path| stem(path) == named)
    };
    if let Some(row) = index.first().filter(|_| !index.iter().any(of_paths)) {
        let advice = format!("no row names a file in {}", directory.display());
        return Err(Error::input("index", "file", row.named(), advice));
    }
    paths
        .into_iter()
        .map(|path| described(path, &index))
        .collect()
}

fn described(path: PathBuf, index: &[IndexRow]) -> Result<Clip> {
    let stem = stem(&path);
    let row = index
        .iter()
        .find(|row| self::stem(Path::new(row.named())) == stem);
    let of_file = row.filter(|row| path.file_name() == Path::new(row.named()).file_name());
    let beside = rate_beside(&path)?;
    Ok(Clip {
        name: stem,
        path,
        category: row.map_or(UNKNOWN.into(), |row| row.category.clone()),
        options: ReadOptions {
            fps: beside.or(of_file.and_then(|row| row.fps)),
            ..ReadOptions::default()
        },
        mass: None,
        plates: None,
    })
}

#[derive(Debug, Deserialize)]
struct IndexRow {
    file: Option<String>,
    /// In place of `file`.
    name: Option<String>,
    category: String,
    fps: Option<f64>,
}

impl IndexRow {
    /// The file that it is about, or its stem.
    fn named(&self) -> &str {
        let named = self.file.as_deref().or(self.name.as_deref());
        named.unwrap_or_default()
    }
}

fn read_index(path: &Path) -> Result<Vec<IndexRow>> {
    let file = std::fs::File::open(path).map_err(|e| Error::io(path, "read", e))?;
    let rows = csv::Reader::from_reader(file).into_deserialize();
    let advice = "give a CSV table with the columns file, category and perhaps fps";
    rows.map(|row: csv::Result<IndexRow>| {
        let row = row.map_err(|e| Error::input(path.display(), "index", e, advice))?;
        match row.named() {
            "" => Err(Error::input(path.display(), "file", "missing", advice)),
            _ => Ok(row),
        }
    })
    .collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestEntry {
    file: PathBuf,
    name: Option<String>,
    category: Option<String>,
    fps: Option<f64>,
    layout: Option<String>,
    up: Option<String>,
    units: Option<String>,
    start: Option<f64>,
    end: Option<f64>,
    smooth: Option<String>,
    mass: Option<f64>,
    plates: Option<PathBuf>,
}

fn in_manifest(path: &Path) -> Result<Vec<Clip>> {
    let entries: Vec<ManifestEntry> = json::read(path)?;
    let directory = path.parent().unwrap_or(Path::new(""));
    entries
        .into_iter()
        .map(|entry| {
            Ok(Clip {
                name: entry.name.unwrap_or_else(|| stem(&entry.file)),
                path: directory.join(&entry.file),
                category: entry.category.unwrap_or_else(|| UNKNOWN.into()),
                options: ReadOptions {
                    fps: entry.fps,
                    layout: parsed(entry.layout)?,
                    up: parsed(entry.up)?,
                    units: parsed(entry.units)?,
                    start: entry.start,
                    end: entry.end,
                    smoothing: parsed(entry.smooth)?.unwrap_or_default(),
                    ..ReadOptions::default()
                },
                mass: entry.mass,
                plates: entry.plates.map(|plates| directory.join(plates)),
            })
        })
        .collect()
}

fn parsed<T: std::str::FromStr<Err = Error>>(text: Option<String>) -> Result<Option<T>> {
    text.map(|text| text.parse()).transpose()
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests;
