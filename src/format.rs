//! Binary files that say what they are: a mark, the number of their format, and then the contents.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A kind of binary file.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What a file begins with; the number and the contents follow.
    pub mark: [u8; 4],
    /// Which contents can be understood: to be raised with every change to what they consist of.
    pub number: u32,
    /// What it is called in errors.
    pub name: &'static str,
    /// What to do about a file that cannot be used.
    pub remedy: &'static str,
}

impl Format {
    /// The bytes of a file.
    ///
    /// # Errors
    /// [`Error::Internal`] when they cannot be made.
    pub fn write(&self, contents: &impl Serialize) -> Result<Vec<u8>> {
        let head = [self.mark, self.number.to_le_bytes()].concat();
        postcard::to_extend(contents, head)
            .map_err(|error| Error::Internal(format!("cannot write a {}: {error}", self.name)))
    }

    /// The contents of a file.
    ///
    /// # Errors
    /// [`Error::Input`] naming `origin` when `bytes` are of another format, or damaged.
    pub fn read<T: for<'de> Deserialize<'de>>(&self, bytes: &[u8], origin: &str) -> Result<T> {
        let after = bytes.strip_prefix(&self.mark);
        let (number, contents) = match after.and_then(|rest| rest.split_first_chunk::<4>()) {
            Some((number, contents)) => (Some(u32::from_le_bytes(*number)), contents),
            None => (None, bytes),
        };
        if number != Some(self.number) {
            let field = format!("{} format", self.name);
            let found = number.map_or("none".to_string(), |number| number.to_string());
            let (known, remedy) = (self.number, self.remedy);
            let advice = format!("this program reads format {known} only: {remedy}");
            return Err(Error::input(origin, field, found, advice));
        }
        postcard::from_bytes(contents).map_err(|error| self.damaged(origin, error))
    }

    /// The error for a file with contents that make no sense.
    pub fn damaged(&self, origin: &str, found: impl Display) -> Error {
        let advice = format!("it is damaged: {}", self.remedy);
        Error::input(origin, self.name, found, advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: Format = Format {
        mark: *b"MFXX",
        number: 1,
        name: "letter",
        remedy: "write again",
    };

    #[test]
    fn another_format_is_told_from_damage() {
        let contents = (3_u64, vec![0.5_f32, -1.0]);
        let bytes = LETTER.write(&contents).unwrap();
        let read = |bytes: &[u8]| LETTER.read::<(u64, Vec<f32>)>(bytes, "l.bin");
        assert_eq!(read(&bytes).unwrap(), contents);
        let message = |bytes: &[u8]| {
            let error = read(bytes).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        };
        // Files once had nothing in front of their contents.
        for headless in [&bytes[8..], &bytes[..7], &[]] {
            let told = message(headless);
            assert!(
                told.starts_with("l.bin: letter format: found none;"),
                "{told}"
            );
            assert!(told.ends_with("write again"), "{told}");
        }
        let mut later = bytes.clone();
        later[4] += 1;
        let told = message(&later);
        assert!(
            told.contains("found 2; ") && told.contains("format 1 only"),
            "{told}"
        );
        let told = message(&bytes[..bytes.len() - 1]);
        assert!(
            told.starts_with("l.bin: letter: found") && told.contains("damaged"),
            "{told}"
        );
    }
}
