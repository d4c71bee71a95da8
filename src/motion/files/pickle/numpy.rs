//! What NumPy and torch mean by the calls that a pickle records.

use super::objects::{Id, Object};

/// The type of an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    Float(usize),
    Signed(usize),
    Unsigned(usize),
    Bool,
}

impl Element {
    /// Of the name that NumPy has for it, "f4".
    fn named(name: &str) -> Option<Self> {
        let name = name.trim_start_matches(['<', '=', '|']);
        let (kind, size) = name.split_at_checked(1)?;
        let size: usize = size.parse().ok()?;
        match (kind, size) {
            ("f", 2 | 4 | 8) => Some(Self::Float(size)),
            ("i", 1 | 2 | 4 | 8) => Some(Self::Signed(size)),
            ("u", 1 | 2 | 4 | 8) => Some(Self::Unsigned(size)),
            ("b", 1) => Some(Self::Bool),
            _ => None,
        }
    }

    /// Of the class that torch has for a storage, "FloatStorage".
    pub fn of_storage(class: &str) -> Option<Self> {
        match class {
            "torch FloatStorage" => Some(Self::Float(4)),
            "torch DoubleStorage" => Some(Self::Float(8)),
            "torch HalfStorage" => Some(Self::Float(2)),
            "torch LongStorage" => Some(Self::Signed(8)),
            "torch IntStorage" => Some(Self::Signed(4)),
            "torch BoolStorage" => Some(Self::Bool),
            _ => None,
        }
    }

    /// Of the object that a pickle has for a dtype; `None` for anything but little-endian numbers.
    pub fn read(objects: &[Object], dtype: Id) -> Option<Self> {
        let Object::Call {
            function,
            arguments,
            state,
        } = &objects[dtype]
        else {
            return None;
        };
        if !matches!(&objects[*function], Object::Global(name) if name == "numpy dtype") {
            return None;
        }
        let is_big = state.is_some_and(|state| match &objects[state] {
            Object::Tuple(state) => state.iter().any(|id| text(objects, *id) == Some(">")),
            _ => false,
        });
        let Object::Tuple(arguments) = &objects[*arguments] else {
            return None;
        };
        let name = text(objects, *arguments.first()?)?;
        Self::named(name).filter(|_| !is_big)
    }

    /// Bytes of an element.
    pub fn size(self) -> usize {
        match self {
            Self::Float(size) | Self::Signed(size) | Self::Unsigned(size) => size,
            Self::Bool => 1,
        }
    }

    /// The values of `bytes`.
    pub fn decode(self, bytes: &[u8]) -> Vec<f64> {
        let one = |bytes: &[u8]| {
            let mut wide = [0; 8];
            wide[..bytes.len()].copy_from_slice(bytes);
            let bits = u64::from_le_bytes(wide);
            let shift = 64 - 8 * bytes.len() as u32;
            match self {
                Self::Float(8) => f64::from_bits(bits),
                Self::Float(4) => f32::from_bits(bits as u32).into(),
                Self::Float(_) => crate::motion::npy::half(bits as u16),
                Self::Signed(_) => (((bits << shift) as i64) >> shift) as f64,
                Self::Unsigned(_) | Self::Bool => bits as f64,
            }
        };
        bytes.chunks_exact(self.size()).map(one).collect()
    }
}

/// A text, also of the kind that Python 2 writes.
pub fn text(objects: &[Object], id: Id) -> Option<&str> {
    match &objects[id] {
        Object::Text(text) => Some(text),
        Object::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// Lengths of the axes, of a tuple of numbers or a single one.
pub fn lengths(objects: &[Object], shape: Id) -> Option<Vec<usize>> {
    let length = |id: &Id| match &objects[*id] {
        Object::Int(length) => usize::try_from(*length).ok(),
        _ => None,
    };
    match &objects[shape] {
        Object::Tuple(lengths) => lengths.iter().map(length).collect(),
        Object::Int(_) => Some(vec![length(&shape)?]),
        _ => None,
    }
}

/// The bytes of an array, of which Python 3 makes a text in old protocols.
fn raw(objects: &[Object], id: Id) -> Option<Vec<u8>> {
    match &objects[id] {
        Object::Bytes(bytes) => Some(bytes.clone()),
        Object::Call {
            function,
            arguments,
            ..
        } => {
            let Object::Global(name) = &objects[*function] else {
                return None;
            };
            let Object::Tuple(arguments) = &objects[*arguments] else {
                return None;
            };
            match (name.as_str(), arguments.first().map(|id| &objects[*id])) {
                ("_codecs encode", Some(Object::Text(text))) => text
                    .chars()
                    .map(|c| u8::try_from(u32::from(c)).ok())
                    .collect(),
                ("builtins bytearray" | "builtins bytes" | "__builtin__ bytes", first) => {
                    match first {
                        None => Some(Vec::new()),
                        Some(Object::Bytes(bytes)) => Some(bytes.clone()),
                        _ => None,
                    }
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// The parts of an array.
pub struct Parts {
    pub element: Element,
    pub shape: Vec<usize>,
    pub fortran: bool,
    pub bytes: Vec<u8>,
}

/// Takes the record of an array apart; `None` where the object is something else.
pub fn parts(objects: &[Object], id: Id) -> Option<Parts> {
    match &objects[id] {
        Object::Inline {
            dtype,
            shape,
            fortran,
            bytes,
        } => Some(Parts {
            element: Element::read(objects, *dtype)?,
            shape: shape.clone(),
            fortran: *fortran,
            bytes: bytes.clone(),
        }),
        Object::Call {
            function,
            arguments,
            state,
        } => {
            let (Object::Global(name), Object::Tuple(arguments)) =
                (&objects[*function], &objects[*arguments])
            else {
                return None;
            };
            let (module, name) = name.split_once(' ')?;
            match name {
                _ if !module.starts_with("numpy") => None,
                "_reconstruct" => restored(objects, (*state)?),
                "_frombuffer" => from_buffer(objects, arguments),
                "scalar" => Some(Parts {
                    element: Element::read(objects, *arguments.first()?)?,
                    shape: Vec::new(),
                    fortran: false,
                    bytes: raw(objects, *arguments.get(1)?)?,
                }),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Protocols up to 4: (version, shape, dtype, is Fortran, bytes).
fn restored(objects: &[Object], state: Id) -> Option<Parts> {
    let Object::Tuple(state) = &objects[state] else {
        return None;
    };
    let &[_, shape, dtype, fortran, bytes] = &state[..] else {
        return None;
    };
    Some(Parts {
        element: Element::read(objects, dtype)?,
        shape: lengths(objects, shape)?,
        fortran: matches!(objects[fortran], Object::Bool(true)),
        bytes: raw(objects, bytes)?,
    })
}

/// Protocol 5: (bytes, dtype, shape, order).
fn from_buffer(objects: &[Object], arguments: &[Id]) -> Option<Parts> {
    let &[bytes, dtype, shape, order] = arguments else {
        return None;
    };
    Some(Parts {
        element: Element::read(objects, dtype)?,
        shape: lengths(objects, shape)?,
        fortran: text(objects, order) == Some("F"),
        bytes: raw(objects, bytes)?,
    })
}

/// The single object of an array of objects (np.savez of a dictionary).
pub fn only_item(objects: &[Object], id: Id) -> Option<Id> {
    let items = match &objects[id] {
        Object::Call {
            state: Some(state), ..
        } => match &objects[*state] {
            Object::Tuple(state) => *state.get(4)?,
            _ => return None,
        },
        _ => return None,
    };
    match &objects[items] {
        Object::List(items) if items.len() == 1 => Some(items[0]),
        _ => None,
    }
}

/// A tensor of torch: its storage's key and type, where it begins there, its lengths and strides.
#[derive(Debug, PartialEq)]
pub struct Tensor {
    pub key: String,
    pub element: Element,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// Takes the record of a tensor apart.
pub fn tensor(objects: &[Object], id: Id) -> Option<Tensor> {
    let Object::Call {
        function,
        arguments,
        ..
    } = &objects[id]
    else {
        return None;
    };
    let (Object::Global(name), Object::Tuple(arguments)) =
        (&objects[*function], &objects[*arguments])
    else {
        return None;
    };
    if name == "torch._utils _rebuild_parameter" {
        let inner = *arguments.first()?;
        // A parameter holds a tensor, not another parameter.
        return (inner < id).then(|| tensor(objects, inner)).flatten();
    }
    let (true, &[storage, offset, shape, strides, ..]) =
        (name == "torch._utils _rebuild_tensor_v2", &arguments[..])
    else {
        return None;
    };
    let Object::Persistent(storage) = objects[storage] else {
        return None;
    };
    let Object::Tuple(storage) = &objects[storage] else {
        return None;
    };
    let (Object::Global(class), Object::Int(offset)) =
        (&objects[*storage.get(1)?], &objects[offset])
    else {
        return None;
    };
    Some(Tensor {
        key: text(objects, *storage.get(2)?)?.to_string(),
        element: Element::of_storage(class)?,
        offset: usize::try_from(*offset).ok()?,
        shape: lengths(objects, shape)?,
        strides: lengths(objects, strides)?,
    })
}
