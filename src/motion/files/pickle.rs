//! Python pickles that hold dictionaries of NumPy arrays: AIST++ annotations, VideoPose3D's object
//! arrays.
//!
//! Nothing in the file is executed: classes are dropped, and an array arrives as the state that
//! NumPy would restore it from.

use std::io::Read;
use std::path::Path;

use serde_pickle::value::{HashableValue, Value};
use serde_pickle::{DeOptions, value_from_reader};

use super::Array;
use crate::error::{Error, Result};

/// A Python object.
#[derive(Clone, Debug, PartialEq)]
pub struct Pickle {
    origin: String,
    value: Value,
}

/// A part of a Python object.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    origin: &'a str,
    value: &'a Value,
}

impl Pickle {
    /// Reads the pickle at `path`.
    ///
    /// # Errors
    /// When it cannot be read or is no pickle.
    pub fn open(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|error| Error::io(path, "read", error))?;
        Self::read(file, &path.display().to_string())
    }

    /// Reads a pickle that errors call `origin`.
    ///
    /// # Errors
    /// When it is no pickle.
    pub fn read(reader: impl Read, origin: &str) -> Result<Self> {
        let options = DeOptions::new()
            .replace_unresolved_globals()
            .keep_restore_state()
            .decode_strings();
        let value = value_from_reader(reader, options).map_err(|error| {
            let advice = "give a pickle of dictionaries and NumPy arrays (no joblib, no torch)";
            Error::input(origin, "format", error, advice)
        })?;
        Ok(Self {
            origin: origin.into(),
            value,
        })
    }

    /// The object itself; of an array of one object, that object.
    pub fn root(&self) -> Node<'_> {
        let value = match &self.value {
            Value::Tuple(state) => match &state[..] {
                [_, _, _, _, Value::List(items)] if items.len() == 1 => &items[0],
                _ => &self.value,
            },
            value => value,
        };
        Node {
            origin: &self.origin,
            value,
        }
    }
}

impl<'a> Node<'a> {
    /// The entry `key` of a dictionary.
    pub fn get(self, key: &str) -> Option<Self> {
        let Value::Dict(entries) = self.value else {
            return None;
        };
        let value = entries
            .get(&HashableValue::String(key.into()))
            .or_else(|| entries.get(&HashableValue::Bytes(key.as_bytes().to_vec())))?;
        Some(Self { value, ..self })
    }

    /// The entry `key` of a dictionary.
    ///
    /// # Errors
    /// When there is none, naming those there are.
    pub fn entry(self, key: &str) -> Result<Self> {
        self.get(key).ok_or_else(|| {
            let keys = self.keys();
            let found = if keys.is_empty() {
                "no dictionary".to_string()
            } else {
                keys.join(", ")
            };
            let advice = format!("an entry called {key} is needed");
            Error::input(self.origin, "keys", found, advice)
        })
    }

    /// The keys of a dictionary, sorted; none of anything else.
    pub fn keys(self) -> Vec<String> {
        let Value::Dict(entries) = self.value else {
            return Vec::new();
        };
        let name = |key: &HashableValue| match key {
            HashableValue::String(name) => Some(name.clone()),
            HashableValue::Bytes(name) => Some(String::from_utf8_lossy(name).into_owned()),
            _ => None,
        };
        entries.keys().filter_map(name).collect()
    }

    /// The items of a list or tuple; none of anything else.
    pub fn items(self) -> Vec<Self> {
        match self.value {
            Value::List(items) | Value::Tuple(items) => {
                items.iter().map(|value| Self { value, ..self }).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The numbers of a floating-point array that errors call `name`.
    ///
    /// # Errors
    /// When it is no such array.
    pub fn array(self, name: &str) -> Result<Array> {
        let parts = self.array_parts().ok_or_else(|| {
            let advice = "an array of floating-point numbers is needed";
            Error::input(self.origin, name, "something else", advice)
        })?;
        let (shape, bytes, fortran) = parts;
        let count: usize = shape.iter().product();
        // The element type does not survive unpickling; its size tells float from double.
        let values: Vec<f64> = match bytes.len().checked_div(count) {
            Some(8) => bytes
                .as_chunks()
                .0
                .iter()
                .map(|b| f64::from_le_bytes(*b))
                .collect(),
            Some(4) => bytes
                .as_chunks()
                .0
                .iter()
                .map(|b| f64::from(f32::from_le_bytes(*b)))
                .collect(),
            _ => {
                let found = format!("{} bytes for {shape:?}", bytes.len());
                let advice = "an array of float32 or float64 is needed";
                return Err(Error::input(self.origin, name, found, advice));
            }
        };
        if fortran && shape.len() > 1 {
            let advice = "save it in C order (np.ascontiguousarray)";
            return Err(Error::input(self.origin, name, "Fortran order", advice));
        }
        Ok(Array { shape, values })
    }

    /// Shape, bytes and order of an array: protocols 2 to 4 restore it from (version, shape,
    /// dtype, fortran, bytes), protocol 5 from (bytes, dtype, shape, order).
    fn array_parts(self) -> Option<(Vec<usize>, &'a [u8], bool)> {
        let Value::Tuple(state) = self.value else {
            return None;
        };
        match &state[..] {
            [_, shape, _, Value::Bool(fortran), Value::Bytes(bytes)] => {
                Some((lengths(shape)?, bytes, *fortran))
            }
            [Value::Bytes(bytes), _, shape, Value::String(order)] => {
                Some((lengths(shape)?, bytes, order == "F"))
            }
            _ => None,
        }
    }
}

fn lengths(shape: &Value) -> Option<Vec<usize>> {
    let Value::Tuple(lengths) = shape else {
        return None;
    };
    let length = |value: &Value| match value {
        Value::I64(length) => usize::try_from(*length).ok(),
        _ => None,
    };
    lengths.iter().map(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `pickle.dumps({"a": np.array([[1.5, -2.0]], np.float32), "b": [np.array([0.25])]}, protocol)`
    /// for protocols 2, 4 and 5 (NumPy 2.3; tools/golden_pickles.py).
    const FILES: [&[u8]; 3] = [
        include_bytes!("../../../tests/golden/arrays_protocol2.pkl"),
        include_bytes!("../../../tests/golden/arrays_protocol4.pkl"),
        include_bytes!("../../../tests/golden/arrays_protocol5.pkl"),
    ];

    #[test]
    fn arrays_of_every_protocol_are_read() {
        for file in FILES {
            let pickle = Pickle::read(file, "x.pkl").unwrap();
            let root = pickle.root();
            assert_eq!(root.keys(), ["a", "b"]);
            let a = root.entry("a").unwrap().array("a").unwrap();
            assert_eq!((a.shape, a.values), (vec![1, 2], vec![1.5, -2.0]));
            let b = root.entry("b").unwrap().items()[0].array("b").unwrap();
            assert_eq!((b.shape, b.values), (vec![1], vec![0.25]));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let pickle = Pickle::read(FILES[1], "x.pkl").unwrap();
        let error = pickle.root().entry("c").unwrap_err().to_string();
        assert!(error.contains("found a, b") && error.contains("called c"));
        assert!(pickle.root().array("root").is_err());
        assert!(Pickle::read(&b"no pickle"[..], "x.pkl").is_err());
        assert!(Pickle::read(&FILES[1][..40], "x.pkl").is_err());
    }
}
