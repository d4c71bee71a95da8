//! The Python module behind the package `motionfit`: files, reconstruction, optimizers, the command.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use motionfit::error::Error;
use motionfit::{cli, learned};
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

mod arrays;
mod motions;
mod optimizers;
mod results;

/// Weights that the library does not embed.
static WEIGHTS: [(&str, &[u8]); 3] = [
    (
        "optimus.safetensors",
        include_bytes!("../../assets/optimus.safetensors"),
    ),
    (
        "optimus-walking.safetensors",
        include_bytes!("../../assets/optimus-walking.safetensors"),
    ),
    (
        "adafactor-mlp-walking.safetensors",
        include_bytes!("../../assets/adafactor-mlp-walking.safetensors"),
    ),
];

/// Options of the command that are arguments here.
const ARGUMENTS: [&str; 19] = [
    "body_model",
    "clip",
    "end",
    "evaluations",
    "floor",
    "fps",
    "layout",
    "markers",
    "mass",
    "optimizer",
    "person",
    "scene",
    "seed",
    "sex",
    "smooth",
    "start",
    "stature",
    "units",
    "up",
];

/// A sentence of the command, with the names that its options have as arguments.
fn in_python(mut sentence: String) -> String {
    for argument in ARGUMENTS {
        let option = format!("--{}", argument.replace('_', "-"));
        let mut from = 0;
        while let Some(at) = sentence[from..].find(&option) {
            let (start, end) = (from + at, from + at + option.len());
            let goes_on = |c: char| c == '-' || c.is_alphanumeric();
            match sentence[end..].starts_with(goes_on) {
                true => from = end,
                false => {
                    sentence.replace_range(start..end, argument);
                    from = start + argument.len();
                }
            }
        }
    }
    sentence
}

/// The same sentence in Python: `ValueError` for what the caller can mend.
fn raised(error: Error) -> PyErr {
    match error {
        Error::Input { .. } | Error::Io { .. } => {
            PyValueError::new_err(in_python(error.to_string()))
        }
        Error::Interrupted => PyKeyboardInterrupt::new_err(error.to_string()),
        Error::Internal(_) | Error::Shared { .. } => PyRuntimeError::new_err(error.to_string()),
    }
}

/// How often Python is asked whether Ctrl-C was pressed.
const POLL: Duration = Duration::from_millis(50);

/// Runs `work` on a pool of `threads` (all cores unless given), so that others may use Python meanwhile. Only the thread
/// that calls learns of Ctrl-C: it sets `interrupted`, by which `work` is to end, and returns the error then.
fn on_threads<T: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    interrupted: &AtomicBool,
    work: impl FnOnce() -> T + Send,
) -> PyResult<T> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(cores));
    let pool = pool
        .build()
        .map_err(|e| PyValueError::new_err(format!("threads: {e}")))?;
    let mut raised = None;
    let found = py.detach(|| {
        let (send, receive) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| send.send(pool.install(work)));
            loop {
                match receive.recv_timeout(POLL) {
                    Err(RecvTimeoutError::Timeout) => {}
                    found => break found,
                }
                if let Err(error) = Python::attach(|py| py.check_signals()) {
                    interrupted.store(true, Ordering::Relaxed);
                    raised.get_or_insert(error);
                }
            }
        })
    });
    match raised {
        Some(error) => Err(error),
        None => found.map_err(|error| PyRuntimeError::new_err(error.to_string())),
    }
}

/// Runs the command line; returns its exit code.
#[pyfunction]
fn run_program(py: Python<'_>, arguments: Vec<String>) -> u8 {
    py.detach(|| cli::run_program(arguments.into_iter().map(Into::into)))
}

#[pymodule]
fn _motionfit(module: &Bound<'_, PyModule>) -> PyResult<()> {
    learned::provide_weights(&WEIGHTS);
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<motions::Motion>()?;
    module.add_class::<results::Result>()?;
    module.add_class::<optimizers::Function>()?;
    module.add_class::<optimizers::Minimum>()?;
    module.add_function(wrap_pyfunction!(run_program, module)?)?;
    module.add_function(wrap_pyfunction!(motions::read, module)?)?;
    module.add_function(wrap_pyfunction!(motions::sample, module)?)?;
    module.add_function(wrap_pyfunction!(results::reconstruct, module)?)?;
    module.add_function(wrap_pyfunction!(optimizers::functions, module)?)?;
    module.add_function(wrap_pyfunction!(optimizers::optimizers, module)?)?;
    module.add_function(wrap_pyfunction!(optimizers::minimize, module)?)?;
    Ok(())
}
