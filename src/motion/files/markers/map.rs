//! Which markers stand for which joint, as the user says.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::Markers;
use crate::error::{Error, Result};
use crate::json;
use crate::motion::skeleton::NAMES;

/// What joint centres are called among markers, in the order of the 17 joints, and the toe bases.
const CENTRES: [(&str, &str); 19] = [
    (NAMES[0], "PELVIS"),
    (NAMES[1], "RHJC"),
    (NAMES[2], "RKJC"),
    (NAMES[3], "RAJC"),
    (NAMES[4], "LHJC"),
    (NAMES[5], "LKJC"),
    (NAMES[6], "LAJC"),
    (NAMES[7], "SPINE"),
    (NAMES[8], "THORAX"),
    (NAMES[9], "NECK"),
    (NAMES[10], "HEAD"),
    (NAMES[11], "LSJC"),
    (NAMES[12], "LEJC"),
    (NAMES[13], "LWJC"),
    (NAMES[14], "RSJC"),
    (NAMES[15], "REJC"),
    (NAMES[16], "RWJC"),
    ("right_toe", "RTOE"),
    ("left_toe", "LTOE"),
];

/// Markers by joint: the joint is the marker, or the mean of several.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkerMap {
    origin: String,
    /// What joints are called among markers, and the markers that stand for them.
    joints: Vec<(&'static str, Vec<String>)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl MarkerMap {
    /// The file that it is from.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Reads a JSON file such as `{"right_knee": ["RKNE", "RKNM"], "head": "VERTEX"}`. Joints are
    /// called as in `metrics.json`, besides `right_toe` and `left_toe`, the bases of the toes.
    ///
    /// # Errors
    /// [`Error::Input`] for other JSON and for a joint that is not known.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&json::read_text(path)?, &path.display().to_string())
    }

    /// The same of the text of such a file, which errors call `origin`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(text: &str, origin: &str) -> Result<Self> {
        let given: BTreeMap<String, OneOrMore> = json::parse(text, origin)?;
        let origin = origin.to_string();
        let mut joints = Vec::new();
        for (joint, markers) in given {
            let Some((_, name)) = CENTRES.iter().find(|(known, _)| *known == joint) else {
                let names = CENTRES.map(|(name, _)| name).join(", ");
                let found = format!("`{}`", joint.escape_debug());
                return Err(Error::input(
                    origin,
                    "joint",
                    found,
                    format!("choose of {names}"),
                ));
            };
            let markers = match markers {
                OneOrMore::One(marker) => vec![marker],
                OneOrMore::More(markers) => markers,
            };
            if markers.is_empty() {
                let advice = "name one marker, or several to take the mean of";
                return Err(Error::input(origin, joint, "no markers", advice));
            }
            joints.push((*name, markers));
        }
        Ok(Self { origin, joints })
    }
}

impl Markers {
    /// Puts the joints that `map` tells before the markers, so that they count first.
    ///
    /// # Errors
    /// [`Error::Input`] naming a marker that is not there.
    pub fn assign(&mut self, map: &MarkerMap) -> Result<()> {
        let mut sources = Vec::new();
        for (joint, markers) in &map.joints {
            let find = |marker: &String| {
                let found = self.names.iter().position(|name| name == marker);
                found.ok_or_else(|| {
                    let advice = format!("the file has {}", self.list_names());
                    let found = format!("`{}`", marker.escape_debug());
                    Error::input(&map.origin, "marker", found, advice)
                })
            };
            sources.push((
                *joint,
                markers.iter().map(find).collect::<Result<Vec<usize>>>()?,
            ));
        }
        let width = 3 * self.names.len();
        let mut values = Vec::with_capacity(self.values.len());
        for row in self.values.chunks_exact(width) {
            for (_, indices) in &sources {
                values.extend((0..3).map(|axis| {
                    let sum: f64 = indices.iter().map(|index| row[3 * index + axis]).sum();
                    sum / indices.len() as f64
                }));
            }
            values.extend_from_slice(row);
        }
        let names = sources.iter().map(|(joint, _)| joint.to_string());
        self.names = names.chain(self.names.drain(..)).collect();
        self.values = values;
        let count = sources.len();
        self.notes
            .push(format!("markers: {count} joints as {} says", map.origin));
        Ok(())
    }
}
