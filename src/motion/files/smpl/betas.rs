//! The shape coefficients (betas) of a motion.

use crate::error::{Error, Result};
use crate::motion::files::array::Array;

/// Names of the coefficients (AMASS, WHAM and GVHMR; PHC; PromptHMR).
pub const BETAS: [&str; 3] = ["betas", "beta", "shape"];

/// One shape for a whole motion.
#[derive(Clone, Debug, PartialEq)]
pub struct Betas {
    /// The coefficients, in standard deviations of the model's people.
    pub values: Vec<f64>,
    /// Of how many frames they are the mean; 1 where the file has one shape, or the same one in all frames.
    pub frames: usize,
}

impl Betas {
    /// Those of an array (B,), or (T, B) with a row for every frame, of which the mean is taken: nobody's bones change.
    ///
    /// # Errors
    /// [`Error::Input`], naming the array in `origin`, where no row is finite.
    pub fn of(array: &Array, name: &str, origin: &str) -> Result<Self> {
        let width = array.shape.last().copied().unwrap_or(1).max(1);
        let rows = array.values.chunks_exact(width);
        let rows: Vec<&[f64]> = rows
            .filter(|row| row.iter().all(|x| x.is_finite()))
            .collect();
        let Some(first) = rows.first() else {
            let advice = "leave --body-model out, or save finite shape coefficients";
            return Err(Error::input(origin, name, "no finite numbers", advice));
        };
        if rows.iter().all(|row| row == first) {
            let (values, frames) = (first.to_vec(), 1);
            return Ok(Self { values, frames });
        }
        let count = rows.len() as f64;
        let mean = |k: usize| rows.iter().map(|row| row[k]).sum::<f64>() / count;
        Ok(Self {
            values: (0..width).map(mean).collect(),
            frames: rows.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(shape: &[usize], values: &[f64]) -> Result<Betas> {
        let array = Array {
            shape: shape.to_vec(),
            values: values.to_vec(),
        };
        Betas::of(&array, "betas", "x.npz")
    }

    #[test]
    fn shapes_of_frames_are_one_shape() {
        let one = Betas {
            values: vec![1.0, -2.0],
            frames: 1,
        };
        assert_eq!(of(&[2], &[1.0, -2.0]).unwrap(), one);
        assert_eq!(of(&[1, 2], &[1.0, -2.0]).unwrap(), one);
        assert_eq!(of(&[2, 2], &[1.0, -2.0, 1.0, -2.0]).unwrap(), one);
        let mean = of(&[3, 2], &[1.0, -2.0, f64::NAN, 0.0, 2.0, -3.0]).unwrap();
        assert_eq!((mean.values, mean.frames), (vec![1.5, -2.5], 2));
    }

    #[test]
    fn shapes_of_no_numbers_are_refused() {
        for (shape, values) in [(&[2][..], &[f64::NAN, 0.0][..]), (&[0, 10], &[])] {
            let line = of(shape, values).unwrap_err().to_string();
            assert!(
                line.starts_with("x.npz: betas: found no finite numbers"),
                "{line}"
            );
        }
    }
}
