//! Recorded windows: what the physics answered along the path of an optimizer, as cheap tasks.
//!
//! Around every point xᵢ that was looked at closely, f(x) ≈ qᵢ(x) = fᵢ + gᵢ·(x − xᵢ) +
//! ½ (x − xᵢ)ᵀ JᵢᵀJᵢ (x − xᵢ), the least squares of the linearized residuals. A task blends these
//! models by distance: it has the values, slopes and curvatures of the physics where it was visited,
//! its surprises in between, and an evaluation takes less than a millisecond instead of a second.
//!
//! Everything is kept in the variables z of a [`Metric`], the mean curvature of all that was
//! recorded ([`mean_curvature`]).

use std::path::Path;
use std::sync::Mutex;

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::family::WindowTask;
use crate::error::{Error, Result};
use crate::format::Format;
use crate::objective::{Jacobian, Objective, Residuals, gram};
use crate::optim::{Budget, Metric, Minimize, Observer};

pub use tasks::{RecordedFamily, RecordedTask};

mod tasks;

/// The files of recorded windows; a change to [`RecordedWindow`], or to what it consists of, makes
/// another format.
const RECORDING: Format = Format {
    mark: *b"MFRW",
    number: 1,
    name: "recorded window",
    remedy: "to record again, delete it or give another --recorded directory",
};

/// A close look at a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Linearization {
    /// x, `(N,)`, rad.
    pub x: Vec<f64>,
    /// f(x).
    pub value: f64,
    /// ∇f(x), `(N,)`.
    pub gradient: Vec<f64>,
    /// JᵀJ, the lower triangle row by row, `(N (N + 1) / 2,)`.
    pub curvature: Vec<f32>,
}

/// All close looks at a window, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedWindow {
    /// The clip's name.
    pub clip: String,
    /// First frame.
    pub first: usize,
    /// The looks.
    pub path: Vec<Linearization>,
}

impl Linearization {
    fn matrix(&self) -> DMatrix<f64> {
        let n = self.x.len();
        DMatrix::from_fn(n, n, |i, j| {
            let (row, column) = (i.max(j), i.min(j));
            f64::from(self.curvature[row * (row + 1) / 2 + column])
        })
    }

    fn fits(&self) -> bool {
        let n = self.x.len();
        self.gradient.len() == n && self.curvature.len() == n * (n + 1) / 2
    }
}

impl RecordedWindow {
    /// Optimizes `task` with `optimizer` and keeps every close look.
    ///
    /// # Errors
    /// As [`Minimize::minimize`].
    pub fn record(
        task: &WindowTask,
        optimizer: &dyn Minimize,
        budget: &Budget,
        observer: &mut dyn Observer,
    ) -> Result<Self> {
        let recorder = Recorder {
            task,
            path: Mutex::default(),
        };
        let x0 = vec![0.0; task.dimension()];
        optimizer.minimize(&recorder, &x0, budget, observer)?;
        Ok(Self {
            clip: task.clip().to_string(),
            first: task.first(),
            path: recorder.path.into_inner().unwrap_or_default(),
        })
    }

    /// Number of variables N.
    pub fn dimension(&self) -> usize {
        self.path.first().map_or(0, |look| look.x.len())
    }

    /// Reads a recorded window.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Input`] when it is damaged or of another
    /// format.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, "read", e))?;
        let origin = path.display().to_string();
        let window: Self = RECORDING.read(&bytes, &origin)?;
        let n = window.dimension();
        // A path without looks is what a window leaves whose physics has no finite derivatives.
        let fits = |look: &Linearization| n > 0 && look.x.len() == n && look.fits();
        if !window.path.iter().all(fits) {
            return Err(RECORDING.damaged(&origin, "sizes that do not fit"));
        }
        Ok(window)
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// [`Error::Internal`] when they cannot be made.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        RECORDING.write(self)
    }
}

/// A window that remembers its close looks.
struct Recorder<'a> {
    task: &'a WindowTask,
    path: Mutex<Vec<Linearization>>,
}

impl Objective for Recorder<'_> {
    fn dimension(&self) -> usize {
        self.task.dimension()
    }

    fn value(&self, x: &[f64]) -> f64 {
        self.task.value(x)
    }

    fn value_and_gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.half_square_and_gradient(x, gradient)
    }

    fn least_squares(&self) -> Option<&dyn Residuals> {
        Some(self)
    }
}

impl Residuals for Recorder<'_> {
    fn len(&self) -> usize {
        self.task.len()
    }

    fn residuals(&self, x: &[f64]) -> DVector<f64> {
        self.task.residuals(x)
    }

    fn residuals_and_jacobian(&self, x: &[f64]) -> (DVector<f64>, Jacobian) {
        let (residuals, jacobian) = self.task.residuals_and_jacobian(x);
        let gradient = jacobian.tr_mul(&residuals);
        let curvature = gram(&jacobian);
        let n = x.len();
        let triangle = (0..n).flat_map(|i| (0..=i).map(move |j| (i, j)));
        let look = Linearization {
            x: x.to_vec(),
            value: 0.5 * residuals.norm_squared(),
            gradient: gradient.as_slice().to_vec(),
            curvature: triangle.map(|at| curvature[at] as f32).collect(),
        };
        let is_finite = look.value.is_finite()
            && look.gradient.iter().all(|g| g.is_finite())
            && look.curvature.iter().all(|c| c.is_finite());
        if let Ok(mut path) = self.path.lock()
            && is_finite
        {
            path.push(look);
        }
        (residuals, jacobian)
    }
}

/// The mean of all curvatures of `windows`, in blocks of `block` coordinates.
///
/// A foot that is just about to touch the ground makes single columns of a Jacobian huge; no
/// coordinate counts with more than the 80th percentile of its curvatures.
///
/// # Errors
/// [`Error::Input`] when there are no looks. Those of other sizes than the first are left out.
pub fn mean_curvature(windows: &[RecordedWindow], block: usize) -> Result<Metric> {
    let looks = || windows.iter().flat_map(|window| &window.path);
    let n = looks().next().map_or(0, |look| look.x.len());
    let looks: Vec<&Linearization> = looks().filter(|look| look.x.len() == n).collect();
    let diagonal = |look: &Linearization, i: usize| f64::from(look.curvature[i * (i + 3) / 2]);
    let limits: Vec<f64> = (0..n)
        .map(|i| {
            let mut steepness: Vec<f64> = looks.iter().map(|look| diagonal(look, i)).collect();
            steepness.sort_by(f64::total_cmp);
            steepness[steepness.len() * 4 / 5]
        })
        .collect();
    let mut mean = DMatrix::zeros(n, n);
    for look in &looks {
        let shrink: Vec<f64> = (0..n)
            .map(|i| (limits[i] / diagonal(look, i)).sqrt().min(1.0))
            .collect();
        let matrix = look.matrix();
        mean += DMatrix::from_fn(n, n, |i, j| shrink[i] * shrink[j] * matrix[(i, j)]);
    }
    Metric::new(mean / looks.len().max(1) as f64, block, "recorded windows")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three looks at a valley that bends.
    pub(super) fn window() -> RecordedWindow {
        let look = |x: [f64; 2], value: f64, gradient: [f64; 2], c: [f32; 3]| Linearization {
            x: x.to_vec(),
            value,
            gradient: gradient.to_vec(),
            curvature: c.to_vec(),
        };
        RecordedWindow {
            clip: "valley".into(),
            first: 5,
            path: vec![
                look([0.0, 0.0], 9.0, [-4.0, 1.0], [2.0, 0.3, 5.0]),
                look([1.0, 0.2], 4.0, [-2.0, -1.0], [3.0, -0.4, 4.0]),
                look([1.8, 0.9], 1.0, [-0.2, 0.1], [6.0, 0.1, 2.0]),
            ],
        }
    }

    #[test]
    fn files_come_back_and_damage_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("window.bin");
        std::fs::write(&path, window().to_bytes().unwrap()).unwrap();
        assert_eq!(RecordedWindow::read(&path).unwrap(), window());
        let mut broken = window();
        broken.path[1].curvature.pop();
        std::fs::write(&path, broken.to_bytes().unwrap()).unwrap();
        let error = RecordedWindow::read(&path).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("record again"), "{error}");
        broken.path.clear();
        std::fs::write(&path, broken.to_bytes().unwrap()).unwrap();
        assert_eq!(RecordedWindow::read(&path).unwrap(), broken);
    }

    #[test]
    fn another_format_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("window.bin");
        let bytes = window().to_bytes().unwrap();
        let mut later = bytes.clone();
        later[4] += 1;
        // Recordings once had nothing in front of their contents.
        for (bytes, found) in [(&bytes[8..], "found none;"), (&later[..], "found 2;")] {
            std::fs::write(&path, bytes).unwrap();
            let error = RecordedWindow::read(&path).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            let told = error.to_string();
            let expected = format!("window.bin: recorded window format: {found}");
            assert!(told.contains(&expected), "{told}");
            assert!(told.contains("to record again, delete it"), "{told}");
        }
    }

    #[test]
    fn a_column_that_explodes_does_not_rule_the_mean() {
        let mut windows = vec![window(); 4];
        windows[3].path[2].curvature[2] = 1e9;
        let metric = mean_curvature(&windows, 1).unwrap();
        assert!(metric.matrix()[(1, 1)] < 6.0, "{}", metric.matrix());
    }
}
