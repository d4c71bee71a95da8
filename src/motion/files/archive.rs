//! Arrays by name out of `.npz` archives.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::array::{Array, check_size};
use super::pickle::Pickle;
use crate::error::{Error, Result};
use crate::motion::npy::{Header, read_header_text};

/// The longest text in an array, letters, and the most bytes of all.
const LONGEST_TEXT: usize = 256;
const MOST_TEXT: u64 = 1 << 20;

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
            let found = format!("a damaged archive ({error})");
            Error::input(&origin, "format", found, "copy or save the file again")
        })?;
        Ok(Self { origin, zip })
    }

    /// Whether the file at `path` begins as an archive does.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn is_one(path: &Path) -> Result<bool> {
        let mut file = File::open(path).map_err(|error| Error::io(path, "read", error))?;
        let mut start = [0; 2];
        Ok(file.read_exact(&mut start).is_ok() && &start == b"PK")
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

    /// Whether there is an array called `name`.
    pub fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(&format!("{name}.npy")).is_some()
    }

    /// Names of all members, arrays or not.
    pub(super) fn members(&self) -> impl Iterator<Item = &str> {
        self.zip.file_names()
    }

    /// The array `name`, if `check` accepts its shape, which it sees before the elements are read.
    ///
    /// # Errors
    /// As [`array`](Self::array), and when `check` refuses.
    pub fn checked(
        &mut self,
        name: &str,
        check: impl FnOnce(&[usize]) -> Result<()>,
    ) -> Result<Array> {
        let inside = format!("{}: {name}", self.origin);
        let mut member = self.member(name)?;
        let header = Header::read(&mut member, &inside)?;
        check(&header.shape)?;
        drop(member);
        self.array(name)
    }

    /// The texts of the array `name`; none when there is no such array of texts.
    pub fn texts(&mut self, name: &str) -> Vec<String> {
        let Ok(mut member) = self.member(name) else {
            return Vec::new();
        };
        let header = read_header_text(&mut member, name).unwrap_or_default();
        let width = header
            .split_once("'<U")
            .and_then(|(_, rest)| rest.split_once('\''))
            .and_then(|(width, _)| width.parse::<usize>().ok());
        let Some(width) = width.filter(|width| (1..=LONGEST_TEXT).contains(width)) else {
            return Vec::new();
        };
        let mut bytes = Vec::new();
        if member.take(MOST_TEXT).read_to_end(&mut bytes).is_err() {
            return Vec::new();
        }
        let letter = |b: &[u8; 4]| char::from_u32(u32::from_le_bytes(*b)).unwrap_or('?');
        let texts = bytes.chunks_exact(4 * width).map(|text| {
            let letters = text.as_chunks().0.iter().map(letter);
            letters.take_while(|letter| *letter != '\0').collect()
        });
        texts.collect()
    }

    /// Shape of the array `name`; `None` when there is none, or it holds no numbers.
    pub fn shape(&mut self, name: &str) -> Option<Vec<usize>> {
        Some(self.header(name)?.shape)
    }

    pub(super) fn header(&mut self, name: &str) -> Option<Header> {
        let mut member = self.zip.by_name(&format!("{name}.npy")).ok()?;
        Header::read(&mut member, name).ok()
    }

    /// The array `name`.
    ///
    /// # Errors
    /// When there is none, or it holds no numbers, or is too large.
    pub fn array(&mut self, name: &str) -> Result<Array> {
        let inside = format!("{}: {name}", self.origin);
        let mut member = self.member(name)?;
        let header = Header::read(&mut member, &inside)?;
        check_size(&header, &inside)?;
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
