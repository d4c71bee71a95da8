//! Files of `torch.save`: a zip archive of a pickle and of storages, raw little-endian numbers.
//!
//! The pickle is read as all others are: nothing is executed.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::array::Array;
use super::pickle::{Node, Pickle, Tensor};
use crate::error::{Error, Result};

/// The member with the index; a folder with the archive's name comes before it.
const INDEX: &str = "data.pkl";

/// The largest storage that is read, bytes.
const LARGEST: u64 = 1 << 29;

/// An open file.
pub struct Torch {
    origin: String,
    folder: String,
    zip: ZipArchive<BufReader<File>>,
}

/// The folder of the index among the members of a zip archive; `None` where it is another file.
pub fn folder<'a>(mut members: impl Iterator<Item = &'a str>) -> Option<String> {
    let folder = members.find_map(|name| name.strip_suffix(INDEX))?;
    folder.ends_with('/').then(|| folder.to_string())
}

impl Torch {
    /// Opens the file at `path`, in which the index lies in `folder`, and reads the index.
    ///
    /// # Errors
    /// When it is broken.
    pub fn open(path: &Path, folder: String) -> Result<(Self, Pickle)> {
        let origin = path.display().to_string();
        let file = File::open(path).map_err(|error| Error::io(path, "read", error))?;
        let zip = ZipArchive::new(BufReader::new(file));
        let mut torch = Self {
            zip: zip.map_err(|error| damaged(&origin, &error.to_string()))?,
            folder,
            origin,
        };
        let index = Pickle::read(&torch.member(INDEX)?[..], &torch.origin)?;
        if torch.member("byteorder").is_ok_and(|order| order == b"big") {
            return Err(damaged(&torch.origin, "big-endian numbers"));
        }
        Ok((torch, index))
    }

    fn member(&mut self, name: &str) -> Result<Vec<u8>> {
        let path = format!("{}{name}", self.folder);
        let broken = |e: String| damaged(&self.origin, &format!("{name}: {e}"));
        let member = self.zip.by_name(&path).map_err(|e| broken(e.to_string()))?;
        let mut bytes = Vec::new();
        let read = member.take(LARGEST + 1).read_to_end(&mut bytes);
        read.map_err(|e| broken(e.to_string()))?;
        match bytes.len() as u64 > LARGEST {
            true => Err(broken("more than 512 MiB".into())),
            false => Ok(bytes),
        }
    }

    /// The numbers of a tensor that errors call `name`.
    ///
    /// # Errors
    /// When it is no tensor of numbers, or goes beyond its storage.
    pub fn array(&mut self, node: Node, name: &str) -> Result<Array> {
        let Some(tensor) = node.tensor() else {
            return node.array(name); // NumPy's arrays may be among them
        };
        let storage = self.member(&format!("data/{}", tensor.key))?;
        let size = tensor.element.size();
        gather(&tensor, storage.len() / size)
            .map(|picked| {
                let all = picked.iter().flat_map(|at| &storage[at * size..][..size]);
                Array {
                    values: tensor.element.decode(&all.copied().collect::<Vec<u8>>()),
                    shape: tensor.shape.clone(),
                }
            })
            .ok_or_else(|| {
                let found = format!("{:?} of {} bytes", tensor.shape, storage.len());
                Error::input(&self.origin, name, found, "copy or save the file again")
            })
    }
}

/// Where the elements of a tensor are in a storage of `count`, in C order; `None` where it has no room for
/// them.
fn gather(tensor: &Tensor, count: usize) -> Option<Vec<usize>> {
    let elements = tensor
        .shape
        .iter()
        .try_fold(1usize, |a, b| a.checked_mul(*b))?;
    if tensor.shape.len() != tensor.strides.len() || elements > count {
        return None;
    }
    let mut index = vec![0usize; tensor.shape.len()];
    let mut picked = Vec::with_capacity(elements);
    for _ in 0..elements {
        let mut steps = index.iter().zip(&tensor.strides);
        let at = steps.try_fold(tensor.offset, |at, (i, stride)| {
            at.checked_add(i.checked_mul(*stride)?)
        })?;
        picked.push(Some(at).filter(|at| *at < count)?);
        for k in (0..index.len()).rev() {
            index[k] += 1;
            if index[k] < tensor.shape[k] {
                break;
            }
            index[k] = 0;
        }
    }
    Some(picked)
}

fn damaged(origin: &str, found: &str) -> Error {
    let advice = "copy the file again, or save it by a torch of 1.6 or later";
    Error::input(origin, "format", found, advice)
}
