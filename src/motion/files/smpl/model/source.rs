//! The arrays of a model file, an archive or a pickle.

use std::ops::RangeInclusive;
use std::path::Path;

use crate::error::{Error, Result};
use crate::motion::files::archive::Archive;
use crate::motion::files::array::{Array, Sparse};
use crate::motion::files::pickle::{Node, Pickle, shown};

const ADVICE: &str = "give the model file of SMPL, SMPL+H or SMPL-X, .npz or .pkl";

/// An open model file.
pub struct Source {
    origin: String,
    content: Content,
}

enum Content {
    /// An `.npz`, in which arrays of objects are pickles.
    Archive(Archive),
    /// A dictionary.
    Pickle(Pickle),
}

impl Source {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, or is neither an archive nor a pickle.
    pub fn open(path: &Path) -> Result<Self> {
        let origin = path.display().to_string();
        if path.is_dir() {
            return Err(Error::input(origin, "path", "a directory", ADVICE));
        }
        let content = match Archive::is_one(path)? {
            true => Content::Archive(Archive::open(path)?),
            false => {
                let pickle = Pickle::open_model(path).map_err(|error| match error {
                    Error::Input { field, found, .. } => {
                        Error::input(&origin, field, found, ADVICE)
                    }
                    other => other,
                });
                Content::Pickle(pickle?)
            }
        };
        Ok(Self { origin, content })
    }

    /// Refuses a file that lacks one of the arrays `needed`.
    ///
    /// # Errors
    /// [`Error::Input`] naming the first one that is not there.
    pub fn check_names(&self, needed: &[&str]) -> Result<()> {
        let names = match &self.content {
            Content::Archive(archive) => archive.names(),
            Content::Pickle(pickle) => pickle.root().keys(),
        };
        let is_missing = |name: &&&str| !names.iter().any(|found| found == **name);
        let Some(missing) = needed.iter().find(is_missing) else {
            return Ok(());
        };
        let found = match names.is_empty() {
            true => "no arrays".to_string(),
            false => shown(&names),
        };
        let advice = format!("{missing} is missing: {ADVICE}");
        Err(Error::input(&self.origin, "arrays", found, advice))
    }

    /// The array `name`, whose axes have such `lengths`; an archive's are checked before the elements are read.
    ///
    /// # Errors
    /// When there is none, it holds no numbers, or is of another shape.
    pub fn array(&mut self, name: &str, lengths: &[RangeInclusive<usize>]) -> Result<Array> {
        let origin = self.origin.clone();
        let check = |shape: &[usize]| check_shape(shape, lengths, name, &origin);
        if let Content::Archive(archive) = &mut self.content
            && archive.shape(name).is_some()
        {
            return archive.checked(name, check);
        }
        let array = self.object(name, |node| node.unwrapped(name))?;
        check(&array.shape)?;
        Ok(array)
    }

    /// The matrix `name` of `rows` and `columns`, as an array or a sparse matrix.
    ///
    /// # Errors
    /// As [`array`](Self::array).
    pub fn matrix(&mut self, name: &str, [rows, columns]: [usize; 2]) -> Result<Sparse> {
        let lengths = [rows..=rows, columns..=columns];
        let is_plain = match &mut self.content {
            Content::Archive(archive) => archive.shape(name).is_some(),
            Content::Pickle(_) => false,
        };
        if !is_plain && let Some(sparse) = self.object(name, |node| node.sparse(name))? {
            check_shape(&sparse.shape, &lengths, name, &self.origin)?;
            return Ok(sparse);
        }
        let array = self.array(name, &lengths)?;
        Ok(Sparse::of(&array.values, [rows, columns]))
    }

    /// What `read` makes of the object `name`.
    fn object<T>(&mut self, name: &str, read: impl FnOnce(Node) -> Result<T>) -> Result<T> {
        match &mut self.content {
            Content::Archive(archive) => read(archive.object(name)?.root()),
            Content::Pickle(pickle) => read(pickle.root().entry(name)?),
        }
    }
}

/// Refuses a shape but one of such `lengths`.
fn check_shape(
    shape: &[usize],
    lengths: &[RangeInclusive<usize>],
    name: &str,
    origin: &str,
) -> Result<()> {
    let fits = |(length, allowed): (&usize, &RangeInclusive<usize>)| allowed.contains(length);
    if shape.len() == lengths.len() && shape.iter().zip(lengths).all(fits) {
        return Ok(());
    }
    let allowed = lengths.iter().map(|allowed| match allowed.clone().count() {
        1 => allowed.start().to_string(),
        _ => format!("{} to {}", allowed.start(), allowed.end()),
    });
    let advice = format!(
        "({}) is needed: {ADVICE}",
        allowed.collect::<Vec<_>>().join(", ")
    );
    let found: Vec<String> = shape.iter().map(usize::to_string).collect();
    let found = format!("shape ({})", found.join(", "));
    Err(Error::input(origin, name, found, advice))
}
