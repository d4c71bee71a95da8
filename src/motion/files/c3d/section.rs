//! The parameter section of a C3D file: groups of named arrays, and numbers as three kinds of
//! processors wrote them.

use std::collections::HashMap;

use crate::error::{Error, Result};

/// Bytes of a block; positions in the header count blocks from 1.
pub const BLOCK: usize = 512;

/// How the numbers of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// Little-endian integers, IEEE floats.
    Intel,
    /// Little-endian integers, VAX F floats.
    Dec,
    /// Big-endian integers and IEEE floats (MIPS, SGI).
    Mips,
}

impl Processor {
    /// The one with the number 84, 85 or 86.
    fn of(number: u8) -> Option<Self> {
        match number {
            84 => Some(Self::Intel),
            85 => Some(Self::Dec),
            86 => Some(Self::Mips),
            _ => None,
        }
    }

    /// The 16-bit integer at the beginning of `bytes`; 0 where they end.
    pub fn int(self, bytes: &[u8]) -> i16 {
        let Some(&word) = bytes.first_chunk() else {
            return 0;
        };
        match self {
            Self::Mips => i16::from_be_bytes(word),
            _ => i16::from_le_bytes(word),
        }
    }

    /// The 32-bit float at the beginning of `bytes`; 0 where they end.
    pub fn float(self, bytes: &[u8]) -> f64 {
        let Some(&[a, b, c, d]) = bytes.first_chunk() else {
            return 0.0;
        };
        match self {
            Self::Intel => f32::from_le_bytes([a, b, c, d]).into(),
            Self::Mips => f32::from_be_bytes([a, b, c, d]).into(),
            // The words are swapped, and the exponent's bias is 128 with the point before the one.
            Self::Dec => f64::from(f32::from_le_bytes([c, d, a, b])) / 4.0,
        }
    }
}

/// A parameter: an array whose first axis varies fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Length of every axis; none for a single value.
    pub shape: Vec<usize>,
    /// The numbers; of text, its bytes.
    pub values: Vec<f64>,
    is_text: bool,
}

impl Parameter {
    /// The lines of a text.
    pub fn lines(&self) -> Vec<String> {
        let width = self.shape.first().copied().unwrap_or(1);
        if !self.is_text || width == 0 {
            return Vec::new();
        }
        let line = |letters: &[f64]| {
            let letters: String = letters.iter().map(|x| char::from(*x as u8)).collect();
            letters.trim_matches(['\0', ' ']).to_string()
        };
        self.values.chunks(width).map(line).collect()
    }

    /// The integers as if they had no sign: counts beyond 32 767 come out negative.
    pub fn counts(&self) -> Vec<usize> {
        let count = |x: &f64| match *x {
            x if x < 0.0 => (x + 65536.0).max(0.0) as usize,
            x => x as usize,
        };
        self.values.iter().map(count).collect()
    }
}

/// The parameters of a file, by group and name in capitals.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// How the numbers of the file are written.
    pub processor: Processor,
    parameters: HashMap<(String, String), Parameter>,
}

impl Section {
    /// Reads the parameters of a file's `bytes`.
    ///
    /// # Errors
    /// When there are none.
    pub fn read(bytes: &[u8], origin: &str) -> Result<Self> {
        let start = (usize::from(bytes.first().copied().unwrap_or(0)).max(1) - 1) * BLOCK;
        let number = bytes.get(start + 3).copied().unwrap_or(0);
        let Some(processor) = Processor::of(number) else {
            let found = format!("processor {number}");
            let advice = "84 (Intel), 85 (DEC) and 86 (MIPS) are known; export the file again";
            return Err(Error::input(origin, "parameter section", found, advice));
        };
        let (mut groups, mut found) = (HashMap::new(), Vec::new());
        let mut rest = bytes.get(start + 4..).unwrap_or_default();
        while let Some((entry, next)) = Entry::read(rest, processor) {
            match entry.group {
                group if group < 0 => {
                    groups.insert(group.unsigned_abs(), entry.name);
                }
                group => found.push((group.unsigned_abs(), entry.name, entry.parameter)),
            }
            rest = next;
        }
        let named = found.into_iter().filter_map(|(group, name, parameter)| {
            Some(((groups.get(&group)?.clone(), name), parameter?))
        });
        Ok(Self {
            processor,
            parameters: named.collect(),
        })
    }

    /// The parameter `name` of `group`.
    pub fn get(&self, group: &str, name: &str) -> Option<&Parameter> {
        self.parameters.get(&(group.to_string(), name.to_string()))
    }

    /// The only or first number of a parameter.
    pub fn number(&self, group: &str, name: &str) -> Option<f64> {
        self.get(group, name)?.values.first().copied()
    }

    /// The lines of a text that may go on in parameters whose names end in 2, 3, …
    pub fn lines(&self, group: &str, name: &str) -> Vec<String> {
        let more = (2..).map(|k| format!("{name}{k}"));
        let all = std::iter::once(name.to_string()).chain(more);
        all.map_while(|name| Some(self.get(group, &name)?.lines()))
            .flatten()
            .collect()
    }

    /// The numbers of an array that may go on in parameters whose names end in 2, 3, …
    pub fn numbers(&self, group: &str, name: &str) -> Vec<f64> {
        let more = (2..).map(|k| format!("{name}{k}"));
        let all = std::iter::once(name.to_string()).chain(more);
        all.map_while(|name| Some(self.get(group, &name)?.values.clone()))
            .flatten()
            .collect()
    }
}

/// A group (negative number) or a parameter of one.
struct Entry {
    group: i8,
    name: String,
    parameter: Option<Parameter>,
}

impl Entry {
    /// The entry at the beginning of `bytes`, and what follows; `None` at the end of the section.
    fn read(bytes: &[u8], processor: Processor) -> Option<(Self, &[u8])> {
        let (&[length, group], rest) = bytes.split_first_chunk()?;
        let (length, group) = (usize::from((length as i8).unsigned_abs()), group as i8);
        let name = rest.get(..length).filter(|name| !name.is_empty())?;
        let rest = &rest[length..];
        let offset = usize::try_from(processor.int(rest)).ok()?;
        let entry = Self {
            group,
            name: String::from_utf8_lossy(name).trim().to_uppercase(),
            parameter: (group > 0)
                .then(|| Parameter::read(rest.get(2..)?, processor))
                .flatten(),
        };
        // The last entry has an offset of 0.
        let next = match offset {
            0 => &[],
            offset => rest.get(offset.max(2)..).unwrap_or_default(),
        };
        Some((entry, next))
    }
}

impl Parameter {
    fn read(bytes: &[u8], processor: Processor) -> Option<Self> {
        let (&[kind, axes], rest) = bytes.split_first_chunk()?;
        let shape = rest.get(..usize::from(axes))?;
        let data = &rest[shape.len()..];
        let shape: Vec<usize> = shape.iter().map(|length| usize::from(*length)).collect();
        let count = shape.iter().try_fold(1usize, |a, b| a.checked_mul(*b))?;
        let size = usize::from((kind as i8).unsigned_abs()).max(1);
        let data = data.get(..count.checked_mul(size)?)?;
        let decode = |item: &[u8]| match kind as i8 {
            2 => f64::from(processor.int(item)),
            4 => processor.float(item),
            _ => f64::from(item[0]),
        };
        Some(Self {
            shape,
            values: data.chunks_exact(size).map(decode).collect(),
            is_text: kind as i8 == -1,
        })
    }
}
