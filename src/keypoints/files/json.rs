//! JSON of OpenPose, AlphaPose and MMPose.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::{Person, keypoint, layout_of};
use crate::error::{Error, Result};
use crate::json::read_text;
use crate::keypoints::{Keypoints, Layout2d};

#[derive(Deserialize)]
struct OpenPoseFrame {
    people: Vec<OpenPosePerson>,
}

#[derive(Deserialize)]
struct OpenPosePerson {
    #[serde(default)]
    person_id: Vec<i64>,
    pose_keypoints_2d: Vec<f64>,
}

#[derive(Deserialize)]
struct MmPoseFrame {
    frame_id: Option<i64>,
    instances: Vec<MmPosePerson>,
}

#[derive(Deserialize)]
struct MmPosePerson {
    keypoints: Vec<Vec<f64>>,
    keypoint_scores: Option<Vec<f64>>,
    #[serde(alias = "instance_id")]
    track_id: Option<i64>,
}

#[derive(Deserialize)]
struct AlphaPosePerson {
    image_id: Value,
    keypoints: Vec<f64>,
    #[serde(default)]
    idx: Value,
}

/// The people in every frame of a folder of `*_keypoints.json`, in the order of their numbers.
pub fn read_openpose(folder: &Path, layout: Option<Layout2d>) -> Result<Vec<Vec<Person>>> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder, "read", e))?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| Error::io(folder, "read", e))?.path();
        if path.to_string_lossy().ends_with("_keypoints.json") {
            paths.push(path);
        }
    }
    paths.sort_by_cached_key(|path| (number(path), path.clone()));
    if paths.is_empty() {
        let advice = "an OpenPose folder has files NAME_000000000000_keypoints.json";
        return Err(Error::input(folder.display(), "files", "none", advice));
    }
    check_numbers(&paths, folder)?;
    paths
        .iter()
        .map(|path| {
            let origin = path.display().to_string();
            let frame: OpenPoseFrame = parse(path, "OpenPose's {\"people\": [...]}")?;
            let person = |p: &OpenPosePerson| {
                let id = p.person_id.first().copied().filter(|id| *id >= 0);
                Ok(Person {
                    id,
                    keypoints: flat(&p.pose_keypoints_2d, layout, &origin)?,
                })
            };
            frame.people.iter().map(person).collect()
        })
        .collect()
}

/// The frame's number in the name of a file of OpenPose, with or without zeros in front.
fn number(path: &Path) -> Option<i64> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix("_keypoints.json")?;
    name.rsplit('_').next()?.parse().ok()
}

/// Refuses a folder from which frames are missing: time would jump.
fn check_numbers(paths: &[PathBuf], folder: &Path) -> Result<()> {
    let numbers: Option<Vec<i64>> = paths.iter().map(|path| number(path)).collect();
    let Some(numbers) = numbers else {
        return Ok(());
    };
    match numbers.windows(2).find(|pair| pair[1] != pair[0] + 1) {
        None => Ok(()),
        Some(pair) => {
            let found = format!("frame {} after frame {}", pair[1], pair[0]);
            let advice = "frames were dropped; write one file for every frame, if without people";
            Err(Error::input(folder.display(), "files", found, advice))
        }
    }
}

/// The people in every frame of a list by AlphaPose or MMPose, and a note on where it begins.
pub fn read_list(
    path: &Path,
    layout: Option<Layout2d>,
) -> Result<(Vec<Vec<Person>>, Option<String>)> {
    let origin = path.display().to_string();
    let mut value: Value = parse(path, "a list of AlphaPose or MMPose")?;
    if let Some(list) = value.get_mut("instance_info") {
        value = list.take();
    }
    let refuse = |found: String| {
        let advice = "give a list of {image_id, keypoints} or of {frame_id, instances}";
        Error::input(&origin, "entries", found, advice)
    };
    let Value::Array(entries) = value else {
        return Err(refuse("no list".into()));
    };
    let Some(first) = entries.first() else {
        return Err(refuse("an empty list".into()));
    };
    if first.get("instances").is_some() {
        let frames: Vec<MmPoseFrame> =
            serde_json::from_value(Value::Array(entries)).map_err(|e| refuse(e.to_string()))?;
        return Ok((mmpose(frames, layout, &origin)?, None));
    }
    let people: Vec<AlphaPosePerson> =
        serde_json::from_value(Value::Array(entries)).map_err(|e| refuse(e.to_string()))?;
    alphapose(&people, layout, &origin)
}

fn mmpose(
    frames: Vec<MmPoseFrame>,
    layout: Option<Layout2d>,
    origin: &str,
) -> Result<Vec<Vec<Person>>> {
    let numbers: Vec<i64> = frames.iter().filter_map(|frame| frame.frame_id).collect();
    if !numbers.is_empty() && numbers.len() < frames.len() {
        let found = format!("{} of {} numbers", numbers.len(), frames.len());
        let advice = "give every entry its frame_id, or none";
        return Err(Error::input(origin, "frame_id", found, advice));
    }
    let first = numbers.into_iter().min().unwrap_or(0);
    let mut people: Vec<Vec<Person>> = Vec::new();
    for (k, frame) in frames.into_iter().enumerate() {
        let t = frame.frame_id.map_or(k, |id| id.abs_diff(first) as usize);
        place(&mut people, t, origin)?;
        for instance in frame.instances {
            let scores = instance.keypoint_scores.unwrap_or_default();
            let points = instance.keypoints.iter().enumerate().flat_map(|(j, p)| {
                let at = |axis: usize| p.get(axis).copied().unwrap_or(f64::NAN);
                let score = scores.get(j).copied().or(p.get(2).copied());
                [at(0), at(1), score.unwrap_or(1.0)]
            });
            people[t].push(Person {
                id: instance.track_id,
                keypoints: flat(&points.collect::<Vec<_>>(), layout, origin)?,
            });
        }
    }
    Ok(people)
}

/// AlphaPose lists people, so that images before the first of them are not there.
fn alphapose(
    entries: &[AlphaPosePerson],
    layout: Option<Layout2d>,
    origin: &str,
) -> Result<(Vec<Vec<Person>>, Option<String>)> {
    let numbers: Result<Vec<i64>> = entries
        .iter()
        .map(|entry| {
            image_number(&entry.image_id).ok_or_else(|| {
                let advice = "the frames' numbers are read from image_id (\"12.jpg\")";
                Error::input(origin, "image_id", &entry.image_id, advice)
            })
        })
        .collect();
    let numbers = numbers?;
    let first = numbers.iter().copied().min().unwrap_or(0);
    let mut people: Vec<Vec<Person>> = Vec::new();
    for (entry, number) in entries.iter().zip(numbers) {
        let t = number.abs_diff(first) as usize;
        place(&mut people, t, origin)?;
        people[t].push(Person {
            id: entry.idx.as_i64(),
            keypoints: flat(&entry.keypoints, layout, origin)?,
        });
    }
    // Images are numbered from 0 or from 1.
    let note = (first > 1).then(|| format!("frame 0 is image {first}, the first with a person"));
    Ok((people, note))
}

/// Makes room for frame `t`.
fn place(people: &mut Vec<Vec<Person>>, t: usize, origin: &str) -> Result<()> {
    if t >= 1_000_000 {
        let advice = "the frames' numbers must follow each other";
        return Err(Error::input(origin, "frame number", t, advice));
    }
    if people.len() <= t {
        people.resize_with(t + 1, Vec::new);
    }
    Ok(())
}

/// The number in an image's name, or the number that stands for it.
fn image_number(id: &Value) -> Option<i64> {
    if let Some(number) = id.as_i64() {
        return Some(number);
    }
    let name = id.as_str()?;
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let digits = stem.rsplit(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Keypoints from x, y, confidence, x, y, confidence, …
fn flat(numbers: &[f64], layout: Option<Layout2d>, origin: &str) -> Result<Keypoints> {
    let layout = layout_of(numbers.len() / 3, layout, origin)?;
    let points: Vec<_> = numbers
        .chunks_exact(3)
        .map(|p| keypoint(p[0], p[1], p[2]))
        .collect();
    Ok(layout.convert(&points))
}

fn parse<T: for<'de> Deserialize<'de>>(path: &Path, expected: &str) -> Result<T> {
    let text = read_text(path)?;
    serde_json::from_str(&text).map_err(|e| {
        let advice = format!("give {expected}");
        Error::input(path.display(), "JSON", e, advice)
    })
}
