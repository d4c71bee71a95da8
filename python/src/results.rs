//! Reconstruction and what comes out.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use motionfit::commands::{Run, run_files};
use motionfit::config::Config;
use motionfit::evaluation::record;
use motionfit::export::{Recording, bvh, gif, glb, npz, report};
use motionfit::output::OutputDir;
use motionfit::reconstruction::{self, Progress, Reconstruction};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::{Map, Value};

use crate::motions::Motion;
use crate::{on_threads, raised};

/// A reconstructed motion.
#[pyclass(module = "motionfit._motionfit", frozen)]
pub(crate) struct Result {
    name: String,
    reconstruction: Reconstruction,
    recording: Recording,
    config: Config,
    record: Map<String, Value>,
    input: Value,
    seconds: f64,
}

#[pymethods]
impl Result {
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// What `metrics.json` holds of the motion, as JSON.
    fn metrics_json(&self) -> String {
        Value::Object(self.record.clone()).to_string()
    }

    /// Names of the links, in the order of the arrays.
    fn link_names(&self) -> Vec<String> {
        let links = self.recording.body.links.iter();
        links.map(|link| link.name.clone()).collect()
    }

    /// (window, evaluation, loss) of every evaluation.
    fn losses(&self) -> Vec<(usize, usize, f64)> {
        let curve = self.reconstruction.curve.iter();
        curve
            .map(|point| (point.window, point.evaluation, point.loss))
            .collect()
    }

    fn to_npz<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| npz::encode(&self.recording)).map_err(raised)?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn to_glb<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let metrics = Value::Object(self.record.clone());
        let bytes = py
            .detach(|| glb::encode(&self.recording, &metrics))
            .map_err(raised)?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn to_gif<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py
            .detach(|| gif::encode(&self.recording, &mut |_, _| {}))
            .map_err(raised)?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn to_bvh(&self) -> String {
        bvh::encode(&self.recording)
    }

    fn to_html(&self) -> String {
        let metrics = Value::Object(self.record.clone());
        let curve = self
            .reconstruction
            .curve
            .chunk_by(|a, b| a.window == b.window);
        let losses: Vec<Vec<f64>> = curve
            .map(|window| window.iter().map(|point| point.loss).collect())
            .collect();
        report::encode(&self.recording, &self.name, &metrics, &losses, &[])
    }

    /// Writes all files of the command; returns their names.
    fn save(&self, py: Python<'_>, out: PathBuf, force: bool) -> PyResult<Vec<&'static str>> {
        let written = py.detach(|| {
            let output = OutputDir::create(&out, force)?;
            let files = run_files(Run {
                name: &self.name,
                reconstruction: &self.reconstruction,
                config: &self.config,
                record: &self.record,
                input: self.input.clone(),
                seconds: self.seconds,
                force_rate: None,
                measured: &[],
            })?;
            output.write_all(&files)?;
            Ok(files.iter().map(|(name, _)| *name).collect())
        });
        written.map_err(raised)
    }

    fn __repr__(&self) -> String {
        let (name, frames) = (&self.name, self.recording.trajectory.frames.len());
        let error = self.record.get("mpjpe_global_mm").and_then(Value::as_f64);
        let error = error.map_or(String::new(), |mm| format!(", MPJPE-G {mm:.1} mm"));
        format!("<motionfit.Result '{name}': {frames} frames{error}>")
    }
}

/// The configuration that arguments ask for, with the solids of the file `scene`.
fn configuration(
    settings: Option<&str>,
    optimizer: &str,
    scene: Option<&Path>,
) -> motionfit::error::Result<Config> {
    let mut config = match settings {
        Some(text) => Config::parse(text, "settings")?,
        None => Config::default(),
    };
    optimizer.clone_into(&mut config.optimizer);
    if let Some(path) = scene {
        config.reconstruction.add_scene(path)?;
    }
    config
        .reconstruction
        .check()
        .map_err(|error| error.about("settings"))?;
    Ok(config)
}

/// Reconstructs `motion`; `settings` is a configuration as JSON, `scene` a scene file or a mesh, `progress` is called with frames done, frames in
/// all, and the mean joint error so far, mm.
#[pyfunction]
#[pyo3(signature = (motion, optimizer, settings=None, threads=None, progress=None, scene=None))]
pub(crate) fn reconstruct(
    py: Python<'_>,
    motion: &Motion,
    optimizer: &str,
    settings: Option<&str>,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
    scene: Option<PathBuf>,
) -> PyResult<Result> {
    let config = configuration(settings, optimizer, scene.as_deref()).map_err(raised)?;
    let config = config.about(motion.subject);
    let started = Instant::now();
    let interrupted = AtomicBool::new(false);
    let mut watch = Watch {
        progress,
        frame: None,
        interrupted: &interrupted,
        raised: None,
    };
    let found = on_threads(py, threads, &interrupted, || {
        let settings = &config.reconstruction;
        let optimizer = reconstruction::optimizer_of_windows(optimizer, settings.seed)?;
        let mut observer = |progress: &Progress| watch.see(progress);
        reconstruction::reconstruct(
            &motion.motion,
            settings,
            optimizer.as_ref(),
            Some(&mut observer),
        )
    })?;
    if let Some(error) = watch.raised {
        return Err(error);
    }
    let reconstruction = found.map_err(raised)?;
    let recording = Recording::new(
        reconstruction.body.clone(),
        reconstruction.trajectory.clone(),
        reconstruction.reference.joints.clone(),
    );
    Ok(Result {
        name: motion.motion.name.clone(),
        recording: recording.map_err(raised)?,
        record: record(&reconstruction, optimizer),
        reconstruction,
        config,
        input: motion.input.clone(),
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Tells Python how far it is, and stops when Python says so.
struct Watch<'a> {
    progress: Option<Py<PyAny>>,
    /// The last that was told.
    frame: Option<usize>,
    interrupted: &'a AtomicBool,
    raised: Option<PyErr>,
}

impl Watch<'_> {
    fn see(&mut self, now: &Progress) -> ControlFlow<()> {
        if self.interrupted.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        let told = Python::attach(|py| {
            let is_news = self.frame.replace(now.frame) != Some(now.frame);
            match &self.progress {
                Some(progress) if is_news => progress
                    .call1(py, (now.frame, now.frames, now.mpjpe_mm))
                    .map(drop),
                _ => Ok(()),
            }
        });
        match told {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.raised = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
