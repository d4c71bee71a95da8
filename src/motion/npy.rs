//! NumPy arrays: the header first, so that nothing is allocated for a file that cannot be used.
//!
//! Reads format 1.0 to 3.0, both memory orders, both byte orders, and every real number type
//! (`f2 f4 f8 i1 … i8 u1 … u8`) as `f64`. The crate `ndarray-npy` wants to know the element type
//! beforehand, has no half floats and allocates what the header asks for; it is used for writing.

use std::io::Read;

use crate::error::{Error, Result};

/// Shape and element type of an array, as its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Length of every axis.
    pub shape: Vec<usize>,
    /// Whether the first axis varies fastest.
    fortran_order: bool,
    element: Element,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Element {
    kind: Kind,
    /// Size in bytes.
    size: usize,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
}

/// The first bytes of every `.npy` file.
pub const MAGIC: &[u8; 6] = b"\x93NUMPY";

impl Header {
    /// Reads the header and leaves `reader` at the first element. `origin` names the file in errors.
    ///
    /// # Errors
    /// When the file ends early, is no `.npy`, or holds something else than real numbers.
    pub fn read(reader: &mut impl Read, origin: &str) -> Result<Self> {
        Self::parse(&read_header_text(reader, origin)?, origin)
    }

    /// Parses the dictionary `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 17, 3), }`.
    fn parse(text: &str, origin: &str) -> Result<Self> {
        let value = |key: &str| {
            let (_, rest) = text.split_once(&format!("'{key}':"))?;
            Some(rest.trim_start())
        };
        let broken = || not_npy(origin, format!("the header `{}`", text.trim_end()));
        let descr = value("descr").ok_or_else(broken)?;
        let element = Element::parse(descr).ok_or_else(|| {
            let descr = descr.split(", 'fortran_order'").next().unwrap_or(descr);
            let advice = "save plain numbers: np.save(path, array.astype(np.float32))";
            Error::input(origin, "element type", descr.trim_end(), advice)
        })?;
        let fortran_order = value("fortran_order")
            .ok_or_else(broken)?
            .starts_with("True");
        let shape = value("shape")
            .and_then(|rest| rest.strip_prefix('('))
            .ok_or_else(broken)?;
        let (shape, _) = shape.split_once(')').ok_or_else(broken)?;
        let shape = shape
            .split(',')
            .map(str::trim)
            .filter(|axis| !axis.is_empty())
            .map(str::parse)
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| broken())?;
        Ok(Self {
            shape,
            fortran_order,
            element,
        })
    }

    /// Number of elements; `None` when the product overflows.
    pub fn count(&self) -> Option<usize> {
        self.shape
            .iter()
            .try_fold(1usize, |product, axis| product.checked_mul(*axis))
    }

    /// Size of the elements in bytes; `None` when it overflows.
    pub fn bytes(&self) -> Option<usize> {
        self.count()?.checked_mul(self.element.size)
    }

    /// Reads the elements in C order (the last axis varies fastest). Check [`count`](Self::count) first.
    ///
    /// # Errors
    /// When the file ends early.
    pub fn read_values(&self, reader: &mut impl Read, origin: &str) -> Result<Vec<f64>> {
        let too_large = || {
            Error::input(
                origin,
                "shape",
                format!("{:?}", self.shape),
                "cut the clip into parts",
            )
        };
        let len = self.count().ok_or_else(too_large)?;
        // As much as the header asks for is taken only when so much comes.
        let mut values = Vec::with_capacity(len.min(1 << 20));
        let mut buffer = vec![0u8; 4096 * self.element.size];
        while values.len() < len {
            let count = (len - values.len()).min(4096);
            let bytes = &mut buffer[..count * self.element.size];
            read_exactly(reader, bytes, origin)?;
            values.extend(
                bytes
                    .chunks_exact(self.element.size)
                    .map(|b| self.element.decode(b)),
            );
        }
        Ok(if self.fortran_order {
            c_order(&self.shape, &values)
        } else {
            values
        })
    }
}

/// Transposes values of an array of that shape from Fortran order to C order.
pub(super) fn c_order(shape: &[usize], values: &[f64]) -> Vec<f64> {
    let mut index = vec![0usize; shape.len()];
    let mut ordered = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        let source = (0..index.len())
            .rev()
            .fold(0, |at, k| at * shape[k] + index[k]);
        ordered.push(values[source]);
        for k in (0..index.len()).rev() {
            index[k] += 1;
            if index[k] < shape[k] {
                break;
            }
            index[k] = 0;
        }
    }
    ordered
}

impl Element {
    /// Parses a type such as `'<f4'`; `None` for anything but real numbers.
    fn parse(descr: &str) -> Option<Self> {
        let descr = descr.strip_prefix('\'')?;
        let (descr, _) = descr.split_once('\'')?;
        let mut letters = descr.chars();
        let order = letters.next()?;
        let kind = match letters.next()? {
            'f' => Kind::Float,
            'i' => Kind::Signed,
            'u' => Kind::Unsigned,
            _ => return None,
        };
        let size = letters.as_str().parse().ok()?;
        let known = matches!((kind, size), (Kind::Float, 2) | (_, 4 | 8))
            || (kind != Kind::Float && matches!(size, 1 | 2));
        known.then_some(Self {
            kind,
            size,
            big_endian: order == '>',
        })
    }

    /// The value of one element of `size` bytes.
    fn decode(self, bytes: &[u8]) -> f64 {
        let mut wide = [0u8; 8];
        for (k, byte) in bytes.iter().enumerate() {
            wide[if self.big_endian {
                self.size - 1 - k
            } else {
                k
            }] = *byte;
        }
        let bits = u64::from_le_bytes(wide);
        let shift = 64 - 8 * self.size as u32;
        match (self.kind, self.size) {
            (Kind::Float, 8) => f64::from_bits(bits),
            (Kind::Float, 4) => f32::from_bits(bits as u32).into(),
            (Kind::Float, _) => half(bits as u16),
            // Shifting up and down again extends the sign.
            (Kind::Signed, _) => (((bits << shift) as i64) >> shift) as f64,
            (Kind::Unsigned, _) => bits as f64,
        }
    }
}

/// The value of an IEEE 754 half-precision number.
pub(super) fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from((bits >> 10) & 31), f64::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction > 0.0 => f64::NAN,
        31 => f64::INFINITY,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

/// Reads the header's dictionary as text and leaves `reader` at the first byte of the data.
///
/// # Errors
/// When the file ends early or is no `.npy`.
pub fn read_header_text(reader: &mut impl Read, origin: &str) -> Result<String> {
    let mut start = [0u8; 8];
    read_exactly(reader, &mut start, origin)?;
    if &start[..6] != MAGIC {
        return Err(not_npy(
            origin,
            "other first bytes than those of an .npy file",
        ));
    }
    let mut length = [0u8; 4];
    let width = if start[6] == 1 { 2 } else { 4 };
    read_exactly(reader, &mut length[..width], origin)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > 1 << 16 {
        return Err(not_npy(origin, format!("a header of {length} bytes")));
    }
    let mut text = vec![0u8; length];
    read_exactly(reader, &mut text, origin)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn not_npy(origin: &str, found: impl std::fmt::Display) -> Error {
    Error::input(
        origin,
        "format",
        found,
        "give a file written by np.save or np.savez",
    )
}

fn read_exactly(reader: &mut impl Read, bytes: &mut [u8], origin: &str) -> Result<()> {
    reader
        .read_exact(bytes)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Error::input(
                origin,
                "size",
                "a truncated array",
                "the file ends before its data does; copy or save it again",
            ),
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput => Error::input(
                origin,
                "size",
                format!("damaged data ({error})"),
                "copy or save the file again",
            ),
            _ => Error::io(origin, "read", error),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let header =
            format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn values(bytes: &[u8]) -> Result<Vec<f64>> {
        let mut reader = bytes;
        Header::read(&mut reader, "x.npy")?.read_values(&mut reader, "x.npy")
    }

    #[test]
    fn every_number_type_and_byte_order_is_read() {
        let cases: [(&str, Vec<u8>); 7] = [
            ("'<f8'", (-2.5f64).to_le_bytes().to_vec()),
            ("'>f8'", (-2.5f64).to_be_bytes().to_vec()),
            ("'<f4'", (-2.5f32).to_le_bytes().to_vec()),
            ("'<f2'", 0xC100u16.to_le_bytes().to_vec()),
            ("'<i2'", (-2i16).to_le_bytes().to_vec()),
            ("'>i4'", (-2i32).to_be_bytes().to_vec()),
            ("'|u1'", vec![254]),
        ];
        let expected = [-2.5, -2.5, -2.5, -2.5, -2.0, -2.0, 254.0];
        for ((descr, data), expected) in cases.iter().zip(expected) {
            assert_eq!(
                values(&npy(descr, false, "(1,)", data)).unwrap(),
                [expected],
                "{descr}"
            );
        }
        assert_eq!(half(0x0001), 2f64.powi(-24));
        assert!(half(0x7E00).is_nan());
    }

    #[test]
    fn fortran_order_is_transposed() {
        let data: Vec<u8> = [1u8, 4, 2, 5, 3, 6].to_vec();
        assert_eq!(
            values(&npy("'|u1'", true, "(2, 3)", &data)).unwrap(),
            [1., 2., 3., 4., 5., 6.]
        );
    }

    #[test]
    fn broken_files_are_refused_with_the_reason() {
        let refused = |bytes: &[u8]| values(bytes).unwrap_err().to_string();
        assert!(refused(b"x,y,z\n1.0,2.0").contains("np.save"));
        assert!(refused(&npy("'<f8'", false, "(2,)", &[0; 8])).contains("truncated"));
        assert!(refused(&npy("'|O'", false, "()", &[])).contains("'|O'"));
        assert!(refused(&npy("[('a', '<f4')]", false, "(1,)", &[])).contains("element type"));
        assert!(refused(&npy("'<f8'", false, "(2, x)", &[])).contains("header"));
        let huge = npy("'<f8'", false, "(18446744073709551615, 17, 3)", &[]);
        assert!(refused(&huge).contains("shape"));
    }
}
