//! Forces on the feet in an `.npz`.

use std::fs::File;
use std::path::Path;

use nalgebra::Vector3;
use ndarray::{Array1, Array2, Array3, Dimension};
use ndarray_npy::{NpzReader, ReadNpzError};

use super::ForcePlates;
use crate::error::{Error, Result};

impl ForcePlates {
    /// Reads an `.npz` with `time` (N,), s, `force` (N, 2, 3), N on the `[right, left]` foot, z up, and,
    /// where they are there, `cop` (N, 2, 3), m, `valid` (N, 2) and `outside_support` (N,), bool: a chair
    /// carries part.
    ///
    /// # Errors
    /// [`Error::Input`] for a file that cannot be read or holds something else.
    pub fn from_archive(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::io(path, "read", e))?;
        let mut archive = Archive {
            path,
            npz: NpzReader::new(file).map_err(|e| unusable(path, "archive", &e))?,
        };
        let time: Array1<f64> = archive.floats("time")?;
        let count = time.len();
        let force: Array3<f64> = archive.floats("force")?;
        archive.expect("force", force.shape(), &[count, 2, 3])?;
        let cop: Option<Array3<f64>> = archive.optional("cop", Archive::floats)?;
        let valid: Option<Array2<bool>> = archive.optional("valid", Archive::flags)?;
        let outside: Option<Array1<bool>> = archive.optional("outside_support", Archive::flags)?;
        if let Some(cop) = &cop {
            archive.expect("cop", cop.shape(), &[count, 2, 3])?;
        }
        if let Some(valid) = &valid {
            archive.expect("valid", valid.shape(), &[count, 2])?;
        }
        if let Some(outside) = &outside {
            archive.expect("outside_support", outside.shape(), &[count])?;
        }
        let time = time.to_vec();
        let rises = time.len() > 1 && time.windows(2).all(|w| w[1] > w[0]);
        if !rises || !force.iter().all(|value| value.is_finite()) {
            let found = "times that do not rise, or forces that are no numbers";
            return Err(unusable(path, "time", &found));
        }
        let vector = |array: &Array3<f64>, i: usize, foot: usize| {
            Vector3::from_fn(|axis, _| array[[i, foot, axis]])
        };
        let center = |i: usize, foot: usize| {
            let center = vector(cop.as_ref()?, i, foot);
            center
                .iter()
                .all(|value| value.is_finite())
                .then_some(center)
        };
        let is_valid = |i: usize, foot: usize| {
            valid.as_ref().is_none_or(|valid| valid[[i, foot]])
                && !outside.as_ref().is_some_and(|outside| outside[i])
        };
        Ok(Self {
            origin: path.display().to_string(),
            force: (0..count)
                .map(|i| [0, 1].map(|foot| vector(&force, i, foot)))
                .collect(),
            center: (0..count)
                .map(|i| [0, 1].map(|foot| center(i, foot)))
                .collect(),
            valid: (0..count)
                .map(|i| [0, 1].map(|foot| is_valid(i, foot)))
                .collect(),
            time,
        })
    }
}

struct Archive<'a> {
    path: &'a Path,
    npz: NpzReader<File>,
}

impl Archive<'_> {
    /// The numbers `name`, of either precision.
    fn floats<D: Dimension>(&mut self, name: &str) -> Result<ndarray::Array<f64, D>> {
        if let Ok(array) = self.npz.by_name::<ndarray::OwnedRepr<f64>, D>(name) {
            return Ok(array);
        }
        let array = self.npz.by_name::<ndarray::OwnedRepr<f32>, D>(name);
        let array = array.map_err(|e| unusable(self.path, name, &e))?;
        Ok(array.mapv(f64::from))
    }

    /// The truth values `name`.
    fn flags<D: Dimension>(&mut self, name: &str) -> Result<ndarray::Array<bool, D>> {
        let array: std::result::Result<_, ReadNpzError> =
            self.npz.by_name::<ndarray::OwnedRepr<bool>, D>(name);
        array.map_err(|e| unusable(self.path, name, &e))
    }

    /// What `read` makes of `name`, where it is there.
    fn optional<T>(
        &mut self,
        name: &str,
        read: fn(&mut Self, &str) -> Result<T>,
    ) -> Result<Option<T>> {
        let names = self.npz.names();
        let names = names.map_err(|e| unusable(self.path, "archive", &e))?;
        let is_there = names
            .iter()
            .any(|known| known.trim_end_matches(".npy") == name);
        is_there.then(|| read(self, name)).transpose()
    }

    fn expect(&self, name: &str, shape: &[usize], expected: &[usize]) -> Result<()> {
        match shape == expected {
            true => Ok(()),
            false => Err(unusable(
                self.path,
                name,
                &format!("shape {shape:?}, not {expected:?}"),
            )),
        }
    }
}

fn unusable(path: &Path, name: &str, reason: &dyn std::fmt::Display) -> Error {
    let advice = "give an .npz with time (N,), force (N, 2, 3) and, if known, cop, valid";
    Error::input(path.display(), name, reason, advice)
}
