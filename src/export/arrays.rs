//! Archives of NumPy arrays with numbers and text, as `np.load` reads them.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::error::{Error, Result};

/// The header of an array fills a multiple of so many bytes.
const ALIGNMENT: usize = 64;

/// An archive that is being written.
pub(super) struct Arrays {
    /// What it is called in errors.
    name: &'static str,
    zip: ZipWriter<Cursor<Vec<u8>>>,
}

impl Arrays {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            zip: ZipWriter::new(Cursor::new(Vec::new())),
        }
    }

    /// Adds an array of float64 in C order.
    pub fn add(&mut self, name: &str, shape: &[usize], values: &[f64]) -> Result<()> {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.write(name, "<f8", shape, bytes.collect())
    }

    /// Adds one number.
    pub fn number(&mut self, name: &str, value: f64) -> Result<()> {
        self.add(name, &[], &[value])
    }

    /// Adds a list of texts.
    pub fn texts(&mut self, name: &str, texts: &[&str]) -> Result<()> {
        self.letters(name, &[texts.len()], texts)
    }

    /// Adds one text.
    pub fn text(&mut self, name: &str, text: &str) -> Result<()> {
        self.letters(name, &[], &[text])
    }

    /// The archive as bytes.
    pub fn finish(self) -> Result<Vec<u8>> {
        let broken = |e| Error::Internal(format!("{}: {e}", self.name));
        Ok(self.zip.finish().map_err(broken)?.into_inner())
    }

    /// Text in NumPy is UTF-32, as wide as the longest.
    fn letters(&mut self, name: &str, shape: &[usize], texts: &[&str]) -> Result<()> {
        let width = texts.iter().map(|text| text.chars().count()).max();
        let width = width.unwrap_or(0).max(1);
        let letters = texts.iter().flat_map(|text| {
            let padding = std::iter::repeat('\0');
            text.chars().chain(padding).take(width)
        });
        let bytes = letters.flat_map(|letter| u32::from(letter).to_le_bytes());
        self.write(name, &format!("<U{width}"), shape, bytes.collect())
    }

    fn write(&mut self, name: &str, kind: &str, shape: &[usize], bytes: Vec<u8>) -> Result<()> {
        let lengths: String = shape.iter().map(|length| format!("{length}, ")).collect();
        let mut header =
            format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({lengths}), }}");
        // Magic, version and length are 10 bytes, the line's end is one.
        let padding = (header.len() + 11).next_multiple_of(ALIGNMENT) - header.len() - 11;
        header.extend(std::iter::repeat_n(' ', padding));
        header.push('\n');
        let mut member = b"\x93NUMPY\x01\x00".to_vec();
        member.extend((header.len() as u16).to_le_bytes());
        member.extend(header.bytes());
        member.extend(bytes);
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let broken = |e: String| Error::Internal(format!("{}: {e}", self.name));
        let file = format!("{name}.npy");
        self.zip
            .start_file(file, options)
            .map_err(|e| broken(e.to_string()))?;
        let written = self.zip.write_all(&member);
        written.map_err(|e| broken(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use ndarray_npy::NpzReader;

    use super::*;

    #[test]
    fn numbers_are_read_by_another_reader() {
        let mut arrays = Arrays::new("x.npz");
        arrays
            .add("a", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, -6.5])
            .unwrap();
        arrays.texts("names", &["hip", "knee"]).unwrap();
        let mut npz = NpzReader::new(Cursor::new(arrays.finish().unwrap())).unwrap();
        let a: Array2<f64> = npz.by_name("a").unwrap();
        assert_eq!(a[[1, 2]], -6.5);
        assert_eq!(npz.names().unwrap().len(), 2);
    }
}
