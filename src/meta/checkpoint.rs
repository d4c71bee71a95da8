//! Checkpoints as bytes: what they are, in which format, and then their contents.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What a checkpoint begins with; its format and its contents follow.
const MAGIC: [u8; 4] = *b"MFCP";

/// Which contents can be understood: to be raised with every change to what they consist of.
const FORMAT: u32 = 1;

/// What to do about a checkpoint that cannot be used.
const ANEW: &str = "start anew, with --force instead of --resume";

/// The bytes of a checkpoint.
///
/// # Errors
/// [`Error::Internal`] when they cannot be made.
pub fn to_bytes(contents: &impl Serialize) -> Result<Vec<u8>> {
    let head = [MAGIC, FORMAT.to_le_bytes()].concat();
    postcard::to_extend(contents, head)
        .map_err(|error| Error::Internal(format!("cannot write a checkpoint: {error}")))
}

/// The contents of a checkpoint.
///
/// # Errors
/// [`Error::Input`] naming `origin` when `bytes` are of another format, or damaged.
pub fn from_bytes<T: for<'de> Deserialize<'de>>(bytes: &[u8], origin: &str) -> Result<T> {
    let after = bytes.strip_prefix(&MAGIC);
    let (format, contents) = match after.and_then(|rest| rest.split_first_chunk::<4>()) {
        Some((format, contents)) => (Some(u32::from_le_bytes(*format)), contents),
        None => (None, bytes),
    };
    if format != Some(FORMAT) {
        let found = format.map_or("none".to_string(), |format| format.to_string());
        let advice = format!("this program goes on from format {FORMAT} only: {ANEW}");
        return Err(Error::input(origin, "checkpoint format", found, advice));
    }
    postcard::from_bytes(contents).map_err(|error| {
        let advice = format!("it is damaged: {ANEW}");
        Error::input(origin, "checkpoint", error, advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_format_is_told_from_damage() {
        let contents = (3_u64, vec![0.5_f32, -1.0]);
        let bytes = to_bytes(&contents).unwrap();
        let read = |bytes: &[u8]| from_bytes::<(u64, Vec<f32>)>(bytes, "c.bin");
        assert_eq!(read(&bytes).unwrap(), contents);
        let message = |bytes: &[u8]| {
            let error = read(bytes).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        };
        // Checkpoints once had nothing in front of their contents.
        for headless in [&bytes[8..], &bytes[..7], &[]] {
            let told = message(headless);
            assert!(
                told.starts_with("c.bin: checkpoint format: found none;"),
                "{told}"
            );
            assert!(told.contains("--force"), "{told}");
        }
        let mut later = bytes.clone();
        later[4] += 1;
        let told = message(&later);
        assert!(
            told.contains("found 2; ") && told.contains("format 1 only"),
            "{told}"
        );
        let told = message(&bytes[..bytes.len() - 1]);
        assert!(told.contains("damaged"), "{told}");
    }
}
