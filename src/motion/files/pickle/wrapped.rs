//! Arrays inside of other objects, as models of bodies have them: chumpy's variables (the SMPL of 2015 was fitted with
//! chumpy) and SciPy's sparse matrices.
//!
//! What is known of them are the names of their classes and attributes (chumpy's `ch.py` and `reordering.py`; what
//! SciPy 1.17 writes); nothing is executed.

use super::super::array::{Array, Sparse};
use super::Node;
use super::objects::Object;
use crate::error::{Error, Result};

/// A variable: its array is `x`.
const VARIABLE: &str = "chumpy.ch Ch";

/// A part of a variable `a`: its elements `idxs`, in C order, in the shape `preferred_shape`.
const SELECTION: &str = "chumpy.reordering Select";

/// What makes an object of a class, the first argument, in protocols 0 and 1.
const MAKERS: [&str; 2] = ["copy_reg _reconstructor", "copyreg _reconstructor"];

impl<'a> Node<'a> {
    /// The name of an object's class, "module name", and its attributes; `None` of anything else.
    fn instance(self) -> Option<(&'a str, Self)> {
        let Object::Call {
            function,
            arguments,
            state: Some(state),
        } = self.object()
        else {
            return None;
        };
        let objects = &self.graph.objects;
        let mut class = &objects[*function];
        if matches!(class, Object::Global(name) if MAKERS.contains(&name.as_str()))
            && let Object::Tuple(arguments) = &objects[*arguments]
        {
            class = &objects[*arguments.first()?];
        }
        match class {
            Object::Global(name) => Some((name, self.at(*state))),
            _ => None,
        }
    }

    /// The numbers of an array, which may be a variable of chumpy. Errors call it `name`.
    ///
    /// # Errors
    /// When it is no array of numbers.
    pub fn unwrapped(self, name: &str) -> Result<Array> {
        match self.instance() {
            Some((VARIABLE, variable)) => variable.entry("x")?.array(name),
            Some((SELECTION, selection)) => selection.selected(name),
            _ => self.array(name),
        }
    }

    /// The elements of a variable that a selection with these attributes has.
    fn selected(self, name: &str) -> Result<Array> {
        let whole = self.entry("a")?;
        let whole = match whole.instance() {
            Some((VARIABLE, variable)) => variable.entry("x")?.array(name)?,
            _ => whole.array(name)?,
        };
        let places = self.entry("idxs")?.array(name)?;
        let value = |at: &f64| Some(whole.values[index(*at, whole.values.len())?]);
        let values: Option<Vec<f64>> = places.values.iter().map(value).collect();
        let shape = match self.get("preferred_shape") {
            Some(shape) => shape.lengths(),
            None => Some(places.shape),
        };
        let count = |shape: &[usize]| shape.iter().try_fold(1usize, |a, b| a.checked_mul(*b));
        match (values, shape) {
            (Some(values), Some(shape)) if count(&shape) == Some(values.len()) => {
                Ok(Array { shape, values })
            }
            _ => {
                let advice = "save it as a plain array, by np.array(x)";
                Err(Error::input(
                    self.origin,
                    name,
                    "a broken selection",
                    advice,
                ))
            }
        }
    }

    /// The entries of a sparse matrix (csc, csr or coo); `None` of anything else. Errors call it `name`.
    ///
    /// # Errors
    /// When it is broken, or a sparse matrix of another kind.
    pub fn sparse(self, name: &str) -> Result<Option<Sparse>> {
        let found = self.instance().and_then(|(class, attributes)| {
            let (module, class) = class.split_once(' ')?;
            module
                .starts_with("scipy.sparse")
                .then_some((class, attributes))
        });
        let Some((class, matrix)) = found else {
            return Ok(None);
        };
        let refuse = |found: &str| {
            let advice = "save it as a plain array, by x.toarray()";
            Error::input(self.origin, name, format!("{found} {class}"), advice)
        };
        let shape = matrix.get("_shape").and_then(Self::lengths);
        let Some(&[rows, columns]) = shape.as_deref() else {
            return Err(refuse("no shape of a"));
        };
        let entries = match class.split_once('_') {
            Some(("csc", _)) => matrix.compressed(name, [columns, rows])?.map(turned),
            Some(("csr", _)) => matrix.compressed(name, [rows, columns])?,
            Some(("coo", _)) => matrix.listed(name, [rows, columns])?,
            _ => return Err(refuse("a")),
        };
        Ok(Some(Sparse {
            shape: [rows, columns],
            entries: entries.ok_or_else(|| refuse("a broken"))?,
        }))
    }

    /// The entries of a matrix that is compressed along one axis, by that axis and the other one, of such `lengths`;
    /// `None` where its arrays do not fit each other.
    fn compressed(self, name: &str, lengths: [usize; 2]) -> Result<Option<Entries>> {
        let array = |key: &str| Ok::<_, Error>(self.entry(key)?.array(name)?.values);
        let (data, places, starts) = (array("data")?, array("indices")?, array("indptr")?);
        let count = data.len();
        if Some(starts.len()) != lengths[0].checked_add(1)
            || places.len() != count
            || !starts.is_sorted()
        {
            return Ok(None);
        }
        let of_line = |(line, ends): (usize, &[f64])| {
            let (start, end) = (index(ends[0], count + 1)?, index(ends[1], count + 1)?);
            let entry = |at: usize| Some((line, index(places[at], lengths[1])?, data[at]));
            (start..end).map(entry).collect::<Option<Entries>>()
        };
        let lines: Option<Vec<Entries>> = starts.windows(2).enumerate().map(of_line).collect();
        Ok(lines.map(|lines| lines.concat()))
    }

    /// The entries of a matrix that lists them; `None` where its arrays do not fit each other.
    fn listed(self, name: &str, lengths: [usize; 2]) -> Result<Option<Entries>> {
        let places = match self.get("coords").map(Self::items).as_deref() {
            Some(&[rows, columns]) => [rows.array(name)?, columns.array(name)?],
            _ => [
                self.entry("row")?.array(name)?,
                self.entry("col")?.array(name)?,
            ],
        };
        let [rows, columns] = places.map(|places| places.values);
        let data = self.entry("data")?.array(name)?.values;
        if rows.len() != data.len() || columns.len() != data.len() {
            return Ok(None);
        }
        let entry = |((row, column), value): ((&f64, &f64), &f64)| {
            Some((
                index(*row, lengths[0])?,
                index(*column, lengths[1])?,
                *value,
            ))
        };
        Ok(rows.iter().zip(&columns).zip(&data).map(entry).collect())
    }

    /// Lengths of axes, of a tuple of numbers.
    fn lengths(self) -> Option<Vec<usize>> {
        let length = |item: &Self| index(item.number()?, usize::MAX);
        self.items().iter().map(length).collect()
    }
}

/// Row, column and value of what is in a matrix.
type Entries = Vec<(usize, usize, f64)>;

fn turned(entries: Entries) -> Entries {
    let turn = |(column, row, value)| (row, column, value);
    entries.into_iter().map(turn).collect()
}

/// A whole number below `bound`.
fn index(number: f64, bound: usize) -> Option<usize> {
    let is_one = number >= 0.0 && number < bound as f64 && number.fract() == 0.0;
    is_one.then_some(number as usize)
}
