//! Arrays of numbers, and those of `.npy` files.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;

use crate::error::{Error, Result};
use crate::motion::npy::Header;

/// The largest array that is read, elements (512 MiB).
const LARGEST: usize = 1 << 26;

/// Numbers and how they are arranged.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Length of every axis.
    pub shape: Vec<usize>,
    /// The elements in C order.
    pub values: Vec<f64>,
}

impl Array {
    /// Reads the `.npy` file at `path`, called `origin` in errors. `check` sees the shape before
    /// memory is taken for the elements.
    ///
    /// # Errors
    /// When the file cannot be read, is no `.npy` or shorter than its header promises, and when `check`
    /// refuses the shape.
    pub fn read(
        path: &Path,
        origin: &str,
        check: impl FnOnce(&[usize]) -> Result<()>,
    ) -> Result<Self> {
        let unreadable = |error| Error::io(path, "read", error);
        let file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let mut file = BufReader::new(file);
        let header = Header::read(&mut file, origin)?;
        check(&header.shape)?;
        let there = size.saturating_sub(file.stream_position().map_err(unreadable)?);
        let expected = header.bytes().unwrap_or(usize::MAX);
        if u128::from(there) < expected as u128 {
            let found = format!("{there} bytes of data where the header promises {expected}");
            let advice = "copy or save the file again";
            return Err(Error::input(origin, "size", found, advice));
        }
        check_size(&header, origin)?;
        Ok(Self {
            values: header.read_values(&mut file, origin)?,
            shape: header.shape,
        })
    }
}

/// A matrix of which most entries are zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Sparse {
    /// Numbers of rows and columns.
    pub shape: [usize; 2],
    /// Row, column and value of the others; values at one place add up.
    pub entries: Vec<(usize, usize, f64)>,
}

impl Sparse {
    /// What is not zero among the `values` of a matrix of this shape, in C order.
    pub fn of(values: &[f64], shape: [usize; 2]) -> Self {
        let entry = |(at, value): (usize, &f64)| (at / shape[1], at % shape[1], *value);
        let others = values.iter().enumerate().filter(|(_, x)| **x != 0.0);
        let entries = others.map(entry).collect();
        Self { shape, entries }
    }
}

/// Refuses an array of more elements than are read.
pub fn check_size(header: &Header, origin: &str) -> Result<()> {
    match header.count().is_some_and(|count| count <= LARGEST) {
        true => Ok(()),
        false => {
            let found = format!("{:?}", header.shape);
            Err(Error::input(origin, "shape", found, "cut it into parts"))
        }
    }
}
