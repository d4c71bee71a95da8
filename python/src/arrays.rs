//! NumPy arrays from the library's vectors.

use motionfit::motion::Joints;
use numpy::ndarray::Array3;
use numpy::{IntoPyArray, PyArray3};
use pyo3::prelude::*;

/// Positions (T, 17, 3), m.
pub(crate) fn joints<'py>(py: Python<'py>, frames: &[Joints]) -> Bound<'py, PyArray3<f64>> {
    rows(py, frames.len(), 17, 3, |t, j| {
        frames[t][j].as_slice().to_vec()
    })
}

/// An array (rows, columns, width) from its innermost rows.
pub(crate) fn rows(
    py: Python<'_>,
    rows: usize,
    columns: usize,
    width: usize,
    row: impl Fn(usize, usize) -> Vec<f64>,
) -> Bound<'_, PyArray3<f64>> {
    let mut array = Array3::zeros((rows, columns, width));
    for t in 0..rows {
        for i in 0..columns {
            for (k, value) in row(t, i).into_iter().take(width).enumerate() {
                array[[t, i, k]] = value;
            }
        }
    }
    array.into_pyarray(py)
}
