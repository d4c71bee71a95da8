//! joblib's pickles: arrays follow in the file where they are mentioned, and all may be compressed.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::numpy::Element;
use super::objects::{Failure, Id, Object};

/// The class that stands for an array.
pub const WRAPPER: &str = "joblib.numpy_pickle NumpyArrayWrapper";

/// The largest file that is unpacked, bytes.
const LARGEST: u64 = 1 << 29;

/// What joblib notes down of an array before its numbers.
pub struct Wrapper {
    pub dtype: Id,
    pub shape: Vec<usize>,
    pub fortran: bool,
    /// Whether a byte tells how many more come before the numbers.
    pub is_aligned: bool,
    /// Bytes of the numbers.
    pub size: usize,
}

impl Wrapper {
    /// Reads the state of a wrapper.
    pub fn read(objects: &[Object], state: Id) -> Result<Self, Failure> {
        let Object::Dict(entries) = &objects[state] else {
            return Err("an array of joblib without a shape".into());
        };
        let get = |key: &str| {
            let is_it = |(k, _): &&(Id, Id)| matches!(&objects[*k], Object::Text(k) if k == key);
            entries.iter().find(is_it).map(|(_, value)| *value)
        };
        let dtype = get("dtype").ok_or("an array of joblib without a type")?;
        let shape = get("shape").and_then(|shape| super::numpy::lengths(objects, shape));
        let shape = shape.ok_or("an array of joblib without a shape")?;
        let element = Element::read(objects, dtype)
            .ok_or("an array of joblib that holds no numbers; save float arrays")?;
        let count = shape.iter().try_fold(1usize, |a, b| a.checked_mul(*b));
        let size = count.and_then(|count| count.checked_mul(element.size()));
        let order = get("order").map(|order| &objects[order]);
        let alignment = get("numpy_array_alignment_bytes").map(|bytes| &objects[bytes]);
        Ok(Self {
            dtype,
            shape,
            fortran: matches!(order, Some(Object::Text(order)) if order == "F"),
            is_aligned: !matches!(alignment, None | Some(Object::None)),
            size: size.ok_or("an array of joblib beyond memory")?,
        })
    }
}

/// The bytes of a file that may be compressed.
///
/// # Errors
/// For methods that are not known, broken data, and what is too large.
pub fn unpacked(bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let unpack = |decoder: &mut dyn Read| {
        let mut unpacked = Vec::new();
        let read = decoder.take(LARGEST + 1).read_to_end(&mut unpacked);
        read.map_err(|error| format!("broken compression ({error})"))?;
        match unpacked.len() as u64 > LARGEST {
            true => Err("more than 512 MiB when unpacked".to_string()),
            false => Ok(unpacked),
        }
    };
    match bytes[..] {
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => unpack(&mut ZlibDecoder::new(&bytes[..])),
        [0x1f, 0x8b, ..] => unpack(&mut MultiGzDecoder::new(&bytes[..])),
        _ => Ok(bytes),
    }
}

/// Whether a file that begins so may be a compressed pickle that is read.
pub fn begins(start: &[u8]) -> bool {
    matches!(
        start,
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] | [0x1f, 0x8b, ..]
    )
}

/// What is found in a file that begins as one that is compressed and not read, and what to do.
pub fn foreign(start: &[u8]) -> Option<(String, String)> {
    let (method, program) = match start {
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => ("bzip2", "bunzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => ("xz", "unxz"),
        [0x5d, 0, 0, ..] => ("lzma", "unlzma"),
        [0x04, 0x22, 0x4d, 0x18, ..] => ("lz4", "unlz4"),
        _ => return None,
    };
    let advice = format!(
        "unpack it ({program}), or save it with joblib.dump(x, file, compress=(\"zlib\", 3))"
    );
    Some((format!("a file compressed by {method}"), advice))
}

/// What is found in a file that begins as no pickle that is read, and what to do.
pub fn unread(start: &[u8]) -> Option<(String, String)> {
    let old = || {
        let advice = "save it with pickle.dump(x, file, protocol=4)";
        is_old(start).then(|| ("a pickle of protocol 0 or 1".into(), advice.into()))
    };
    foreign(start).or_else(old)
}

/// Whether a file that begins so is a pickle of protocol 0 or 1, which have no mark of their own: a dictionary, a list, or
/// an object of a class.
fn is_old(start: &[u8]) -> bool {
    let begins = [
        "(dp",
        "(lp",
        "(ip",
        "}q\0",
        "]q\0",
        "ccopy_reg\n",
        "cnumpy",
        "cjoblib",
        "ccollections\n",
        "c__builtin__\n",
    ];
    begins
        .iter()
        .any(|begin| start.starts_with(begin.as_bytes()))
}
