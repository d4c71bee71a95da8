//! What is in a pickle: a graph of objects.

/// Index of an object in a [`Graph`].
pub type Id = usize;

/// What a pickle can hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// The name of a class or function, "module name".
    Global(String),
    /// That something is called, and the state that the result is given.
    Call {
        function: Id,
        arguments: Id,
        state: Option<Id>,
    },
    /// What lies outside the pickle (storages of torch).
    Persistent(Id),
    /// An array whose numbers follow inside the file (joblib): its type and shape as in the record of
    /// the call, and the numbers.
    Inline {
        dtype: Id,
        shape: Vec<usize>,
        fortran: bool,
        bytes: Vec<u8>,
    },
}

/// All objects of a pickle.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub objects: Vec<Object>,
    pub root: Id,
}

/// Why a pickle cannot be read.
pub type Failure = String;
