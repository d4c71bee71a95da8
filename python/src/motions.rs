//! Observed motion.

use std::path::PathBuf;
use std::sync::Arc;

use motionfit::error::Error;
use motionfit::motion::files::{BodyModel, MarkerMap};
use motionfit::motion::{self, ReadOptions, Subject};
use numpy::PyArray3;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::{arrays, raised};

/// Observed motion: 17 joints of Human3.6M in metres, z up, the floor at z = 0.
#[pyclass(module = "motionfit", frozen)]
pub(crate) struct Motion {
    pub(crate) motion: motion::Motion,
    pub(crate) subject: Subject,
    /// What was understood, assumed and repaired.
    #[pyo3(get)]
    pub(crate) notes: Vec<String>,
    /// Where it comes from, for `metrics.json`.
    pub(crate) input: Value,
}

#[pymethods]
impl Motion {
    #[getter]
    fn joints<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray3<f64>> {
        arrays::joints(py, &self.motion.joints)
    }

    #[getter]
    fn fps(&self) -> f64 {
        self.motion.fps
    }

    #[getter]
    fn name(&self) -> &str {
        &self.motion.name
    }

    fn __len__(&self) -> usize {
        self.motion.len()
    }

    fn __repr__(&self) -> String {
        let (name, frames, fps) = (&self.motion.name, self.motion.len(), self.motion.fps);
        format!("<motionfit.Motion '{name}': {frames} frames at {fps} fps>")
    }
}

/// A value from its name, as on the command line.
fn parsed<T: std::str::FromStr<Err = Error>>(text: Option<&str>) -> PyResult<Option<T>> {
    text.map(str::parse).transpose().map_err(raised)
}

/// Reads a file; `origin` is what errors call it. `markers` is the path of a file, `marker_text` the text of one,
/// `body_model` the path of a model file.
#[pyfunction]
#[pyo3(signature = (path, *, fps=None, layout=None, up=None, units=None, smooth=None, stature=None, person=None, clip=None, markers=None, marker_text=None, body_model=None, floor=None, start=None, end=None, origin=None))]
#[allow(clippy::too_many_arguments)] // keyword arguments
pub(crate) fn read(
    py: Python<'_>,
    path: PathBuf,
    fps: Option<f64>,
    layout: Option<&str>,
    up: Option<&str>,
    units: Option<&str>,
    smooth: Option<&str>,
    stature: Option<f64>,
    person: Option<usize>,
    clip: Option<String>,
    markers: Option<PathBuf>,
    marker_text: Option<&str>,
    body_model: Option<PathBuf>,
    floor: Option<f64>,
    start: Option<f64>,
    end: Option<f64>,
    origin: Option<&str>,
) -> PyResult<Motion> {
    if person == Some(0) {
        let advice = "persons are counted from 1";
        return Err(PyValueError::new_err(format!(
            "person: number: found 0; {advice}"
        )));
    }
    let markers = match (markers, marker_text) {
        (Some(path), _) => Some(MarkerMap::read(&path).map_err(raised)?),
        (None, Some(text)) => Some(MarkerMap::parse(text, "markers").map_err(raised)?),
        (None, None) => None,
    };
    let body_model = body_model.map(|path| BodyModel::read(&path)).transpose();
    let options = ReadOptions {
        fps,
        layout: parsed(layout)?,
        up: parsed(up)?,
        units: parsed(units)?,
        stature,
        person,
        clip,
        markers,
        body_model: body_model.map_err(raised)?.map(Arc::new),
        floor,
        start,
        end,
        smoothing: parsed(smooth)?.unwrap_or_default(),
    };
    let reading = py
        .detach(|| motion::read(&path, &options))
        .map_err(|error| {
            raised(match origin {
                Some(origin) => error.about(origin),
                None => error,
            })
        })?;
    let rows = reading.world_from_file.row_iter();
    let rows: Vec<Vec<f64>> = rows.map(|row| row.iter().copied().collect()).collect();
    let file = origin.map_or_else(|| json!(path), |origin| json!(origin));
    Ok(Motion {
        subject: reading.subject,
        input: json!({"file": file, "world_from_file": rows, "notes": reading.notes}),
        motion: reading.motion,
        notes: reading.notes,
    })
}

/// An embedded sample: walk, turn, squat or jump.
#[pyfunction]
pub(crate) fn sample(name: &str) -> PyResult<Motion> {
    let advice = "choose walk, turn, squat or jump";
    let motion = motion::sample(name)
        .ok_or_else(|| PyValueError::new_err(format!("sample: name: found {name}; {advice}")))?;
    Ok(Motion {
        motion,
        subject: Subject::default(),
        notes: vec![format!("embedded sample \"{name}\"")],
        input: json!({ "sample": name }),
    })
}
