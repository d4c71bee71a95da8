//! `kinematic.npz`: the kinematic fit that a reconstruction from keypoints starts from.
//!
//! | array | shape | what |
//! |---|---|---|
//! | `fps` | () | frames per second |
//! | `joints` | (T, 17, 3) | joint positions, m, z up |
//! | `sigma` | (T, 17) | their uncertainty: root of the summed variances, m |

use std::io::Cursor;

use ndarray::{Array2, Array3, arr0};
use ndarray_npy::{NpzWriter, WriteNpzError};

use crate::error::{Error, Result};
use crate::keypoints::fit::Fit;
use crate::motion::JOINTS;

/// The fit as a compressed `.npz` file.
///
/// # Errors
/// [`Error::Internal`] when the archive cannot be assembled.
pub fn encode(fit: &Fit, fps: f64) -> Result<Vec<u8>> {
    write(fit, fps).map_err(|e| Error::Internal(format!("kinematic.npz: {e}")))
}

fn write(fit: &Fit, fps: f64) -> std::result::Result<Vec<u8>, WriteNpzError> {
    let frames = fit.joints.len();
    let joints = Array3::from_shape_fn((frames, JOINTS, 3), |(t, j, k)| fit.joints[t][j][k]);
    let sigma = Array2::from_shape_fn((frames, JOINTS), |(t, j)| fit.sigma[t][j]);
    let mut npz = NpzWriter::new_compressed(Cursor::new(Vec::new()));
    npz.add_array("fps", &arr0(fps))?;
    npz.add_array("joints", &joints)?;
    npz.add_array("sigma", &sigma)?;
    Ok(npz.finish()?.into_inner())
}
