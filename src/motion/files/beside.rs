//! The JSON file that may lie beside a pose file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::check_rate;
use crate::error::Result;
use crate::json;

/// What it may tell; anything else in it is ignored.
#[derive(Debug, Deserialize)]
struct Beside {
    fps: Option<f64>,
}

/// The file's path: that of the pose file at `path` with another extension.
pub(super) fn place(path: &Path) -> PathBuf {
    path.with_extension("json")
}

/// The frame rate, Hz, by the JSON file of the same stem beside `path`; `None` where there is none,
/// it does not say, or is a list, as files of keypoints are.
///
/// # Errors
/// [`Error::Input`](crate::error::Error::Input) for broken JSON and for a rate out of range.
pub fn rate_beside(path: &Path) -> Result<Option<f64>> {
    let beside = place(path);
    if beside == path {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&beside).unwrap_or_default();
    if !text.trim_start().starts_with('{') {
        return Ok(None);
    }
    let origin = beside.display().to_string();
    let found: Beside = json::parse(&text, &origin)?;
    if let Some(fps) = found.fps {
        check_rate(fps, &origin)?;
    }
    Ok(found.fps)
}
