//! Arrays: out of `.npy` files, and by name out of `.npz` archives.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use zip::ZipArchive;

use super::pickle::Pickle;
use crate::error::{Error, Result};
use crate::motion::npy::{Header, read_header_text};

/// The largest array that is read, elements (1 GiB).
const LARGEST: usize = 1 << 27;

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
        Ok(Self {
            values: header.read_values(&mut file, origin)?,
            shape: header.shape,
        })
    }
}

/// An open `.npz` archive.
pub struct Archive {
    origin: String,
    zip: ZipArchive<BufReader<File>>,
}

impl Archive {
    /// Opens the archive at `path`.
    ///
    /// # Errors
    /// When it cannot be read or is no archive.
    pub fn open(path: &Path) -> Result<Self> {
        let origin = path.display().to_string();
        let file = File::open(path).map_err(|error| Error::io(path, "read", error))?;
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|error| {
            let advice = "give a file written by np.savez";
            Error::input(&origin, "format", format!("no archive ({error})"), advice)
        })?;
        Ok(Self { origin, zip })
    }

    /// Names of the arrays, sorted.
    pub fn names(&self) -> Vec<String> {
        let names = self.zip.file_names();
        let mut names: Vec<String> = names
            .filter_map(|name| name.strip_suffix(".npy"))
            .map(str::to_string)
            .collect();
        names.sort();
        names
    }

    /// Shape of the array `name`; `None` when there is none, or it holds no numbers.
    pub fn shape(&mut self, name: &str) -> Option<Vec<usize>> {
        let mut member = self.zip.by_name(&format!("{name}.npy")).ok()?;
        Some(Header::read(&mut member, name).ok()?.shape)
    }

    /// The array `name`.
    ///
    /// # Errors
    /// When there is none, or it holds no numbers, or is too large.
    pub fn array(&mut self, name: &str) -> Result<Array> {
        let inside = format!("{}: {name}", self.origin);
        let mut member = self.member(name)?;
        let header = Header::read(&mut member, &inside)?;
        if header.count().is_none_or(|count| count > LARGEST) {
            let found = format!("{:?}", header.shape);
            return Err(Error::input(inside, "shape", found, "cut it into parts"));
        }
        Ok(Array {
            values: header.read_values(&mut member, &inside)?,
            shape: header.shape,
        })
    }

    /// The Python object `name`, saved as an array of one object (np.savez of a dict).
    ///
    /// # Errors
    /// When there is none, or it is no pickle.
    pub fn object(&mut self, name: &str) -> Result<Pickle> {
        let inside = format!("{}: {name}", self.origin);
        let mut member = self.member(name)?;
        read_header_text(&mut member, &inside)?;
        Pickle::read(&mut member, &inside)
    }

    /// The number `name`, when there is one.
    pub fn number(&mut self, name: &str) -> Option<f64> {
        let array = self.array(name).ok()?;
        (array.values.len() == 1).then(|| array.values[0])
    }

    fn member(&mut self, name: &str) -> Result<impl Read + '_> {
        let names = self.names().join(", ");
        let missing = |_| {
            let found = if names.is_empty() {
                "no arrays"
            } else {
                &names
            };
            let advice = format!("an array called {name} is needed");
            Error::input(&self.origin, "arrays", found, advice)
        };
        self.zip.by_name(&format!("{name}.npy")).map_err(missing)
    }
}
