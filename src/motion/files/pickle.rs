//! Python pickles that hold dictionaries of NumPy arrays: AIST++ annotations, VideoPose3D's object
//! arrays, joblib's files (WHAM, PHC), and the index of torch's.
//!
//! Nothing in the file is executed: what a pickle wants to be called is only noted down, and a list of
//! known classes tells what it means.

mod joblib;
mod machine;
mod numpy;
mod objects;
mod scalars;
pub(super) mod wrapped;

use std::io::Read;
use std::path::Path;

use super::array::Array;
use crate::error::{Error, Result};
use crate::motion::npy;
pub(super) use joblib::{begins as begins_compressed, unread};
pub(super) use numpy::Tensor;
use objects::{Graph, Id, Object};

/// The largest file that is read, bytes.
const LARGEST: u64 = 1 << 29;

/// The largest model of a body, bytes: one of SMPL-X's size has 620 MiB where protocol 0 writes its numbers as texts.
const LARGEST_MODEL: u64 = 1 << 30;

/// A Python object.
#[derive(Clone, Debug, PartialEq)]
pub struct Pickle {
    origin: String,
    graph: Graph,
}

/// A part of a Python object.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    origin: &'a str,
    graph: &'a Graph,
    id: Id,
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
    /// When it is no pickle, or larger than 512 MiB.
    pub fn read(reader: impl Read, origin: &str) -> Result<Self> {
        let bytes = unpacked(reader, LARGEST, origin)?;
        if let Some((found, advice)) = unread(&bytes) {
            return Err(Error::input(origin, "format", found, advice));
        }
        Self::parse(&bytes, origin)
    }

    /// Reads the model of a body at `path`: of any protocol, as the first ones were saved by Python 2, and larger.
    ///
    /// # Errors
    /// When it cannot be read, is no pickle, or larger than 1 GiB.
    pub fn open_model(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|error| Error::io(path, "read", error))?;
        let origin = path.display().to_string();
        Self::parse(&unpacked(file, LARGEST_MODEL, &origin)?, &origin)
    }

    fn parse(bytes: &[u8], origin: &str) -> Result<Self> {
        let graph = machine::read(bytes).map_err(|found| refused(origin, found))?;
        Ok(Self {
            origin: origin.into(),
            graph,
        })
    }

    /// The object itself; of an array of one object, that object.
    pub fn root(&self) -> Node<'_> {
        let root = self.graph.root;
        Node {
            origin: &self.origin,
            graph: &self.graph,
            id: numpy::only_item(&self.graph.objects, root).unwrap_or(root),
        }
    }
}

/// All bytes of a file of at most `largest`, which may be compressed.
fn unpacked(reader: impl Read, largest: u64, origin: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = reader.take(largest + 1).read_to_end(&mut bytes);
    read.map_err(|error| refused(origin, error.to_string()))?;
    if bytes.len() as u64 > largest {
        let found = format!("a pickle of more than {} MiB", largest >> 20);
        return Err(refused(origin, found));
    }
    if let Some((found, advice)) = joblib::foreign(&bytes) {
        return Err(Error::input(origin, "format", found, advice));
    }
    joblib::unpacked(bytes).map_err(|found| refused(origin, found))
}

fn refused(origin: &str, found: String) -> Error {
    let advice = "give a pickle of dictionaries and arrays, by pickle, joblib or torch.save";
    Error::input(origin, "format", found, advice)
}

impl<'a> Node<'a> {
    fn object(self) -> &'a Object {
        &self.graph.objects[self.id]
    }

    fn at(self, id: Id) -> Self {
        Self { id, ..self }
    }

    /// The keys and values of a dictionary in its order, numbers as texts; none of anything else.
    pub fn entries(self) -> Vec<(String, Self)> {
        let Object::Dict(entries) = self.object() else {
            return Vec::new();
        };
        let entry = |(key, value): &(Id, Id)| Some((self.at(*key).name()?, self.at(*value)));
        entries.iter().filter_map(entry).collect()
    }

    /// A text, or a whole number as one.
    fn name(self) -> Option<String> {
        if let Some(text) = numpy::text(&self.graph.objects, self.id) {
            return Some(text.to_string());
        }
        match self.object() {
            Object::Int(number) => Some(number.to_string()),
            _ => self.number().map(|number| number.to_string()),
        }
    }

    /// A number, or an array of one.
    pub fn number(self) -> Option<f64> {
        match self.object() {
            Object::Int(number) => Some(*number as f64),
            Object::Float(number) => Some(*number),
            _ => match self.array("number").ok()?.values[..] {
                [number] => Some(number),
                _ => None,
            },
        }
    }

    /// The entry `key` of a dictionary.
    pub fn get(self, key: &str) -> Option<Self> {
        let mut entries = self.entries().into_iter();
        entries
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
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
                shown(&keys)
            };
            let advice = format!("an entry called {key} is needed");
            Error::input(self.origin, "keys", found, advice)
        })
    }

    /// The keys of a dictionary, sorted; none of anything else.
    pub fn keys(self) -> Vec<String> {
        let mut keys: Vec<String> = self.entries().into_iter().map(|(key, _)| key).collect();
        keys.sort();
        keys
    }

    /// The items of a list or tuple; none of anything else.
    pub fn items(self) -> Vec<Self> {
        match self.object() {
            Object::List(items) | Object::Tuple(items) => {
                items.iter().map(|id| self.at(*id)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The record of a tensor of torch, whose numbers lie outside.
    pub(super) fn tensor(self) -> Option<Tensor> {
        numpy::tensor(&self.graph.objects, self.id)
    }

    /// The numbers of an array that errors call `name`.
    ///
    /// # Errors
    /// When it is no array of numbers.
    pub fn array(self, name: &str) -> Result<Array> {
        let refuse = |found: String, advice: &str| Error::input(self.origin, name, found, advice);
        let parts = numpy::parts(&self.graph.objects, self.id).ok_or_else(|| {
            let advice = "an array of plain numbers is needed (np.asarray(x, np.float32))";
            refuse(self.kind().into(), advice)
        })?;
        let count = parts
            .shape
            .iter()
            .try_fold(1usize, |a, b| a.checked_mul(*b));
        let size = count.and_then(|count| count.checked_mul(parts.element.size()));
        if size != Some(parts.bytes.len()) {
            let found = format!("{} bytes for {:?}", parts.bytes.len(), parts.shape);
            return Err(refuse(found, "save the array again"));
        }
        let values = parts.element.decode(&parts.bytes);
        Ok(Array {
            values: match parts.fortran {
                true => npy::c_order(&parts.shape, &values),
                false => values,
            },
            shape: parts.shape,
        })
    }

    /// What it is, for errors.
    fn kind(self) -> &'static str {
        match self.object() {
            Object::None => "None",
            Object::Bool(_) => "a truth value",
            Object::Int(_) | Object::Float(_) => "one number",
            Object::Text(_) | Object::Bytes(_) => "text",
            Object::List(_) | Object::Tuple(_) => "a list",
            Object::Dict(_) => "a dictionary",
            _ => "an object of another class",
        }
    }
}

/// The first of many keys.
pub(super) fn shown(keys: &[String]) -> String {
    const MOST: usize = 12;
    let first: Vec<String> = keys
        .iter()
        .take(MOST)
        .map(|key| key.escape_debug().collect())
        .collect();
    match keys.len().saturating_sub(MOST) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
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
    fn what_gzip_packed_is_read_and_other_files_are_told_apart() {
        let mut packed = Vec::new();
        let mut encoder = flate2::read::GzEncoder::new(FILES[1], flate2::Compression::fast());
        std::io::Read::read_to_end(&mut encoder, &mut packed).unwrap();
        assert!(begins_compressed(&packed));
        assert_eq!(
            Pickle::read(&packed[..], "x.pkl").unwrap().root().keys(),
            ["a", "b"]
        );
        let old = "a pickle of protocol 0 or 1; save it with pickle.dump(x, file, protocol=4)";
        let zlib = "or save it with joblib.dump(x, file, compress=(\"zlib\", 3))";
        // The beginnings of {"a": np.zeros(2)} by pickle.dumps(x, 0) and (x, 1), and of files by other programs.
        let cases: [(&[u8], &str); 7] = [
            (b"(dp0\nVa\np1\n", old),
            (b"}q\0X\x01\0\0\0aq\x01", old),
            (b"cnumpy.core.multiarray\n_reconstruct\n", old),
            (
                b"BZh91AY&SY",
                "a file compressed by bzip2; unpack it (bunzip2), ",
            ),
            (
                b"\xfd7zXZ\0\0\x04",
                "a file compressed by xz; unpack it (unxz), ",
            ),
            (b"\x5d\0\0\x80\0\xff", zlib),
            (b"\x04\x22\x4d\x18", zlib),
        ];
        for (start, expected) in cases {
            let error = Pickle::read(start, "x.pkl").unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
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
