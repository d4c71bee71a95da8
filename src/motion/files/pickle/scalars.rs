//! Numbers and texts of a pickle that are not simply there.

use super::objects::{Failure, Object};

/// A little-endian integer of any length with a sign.
///
/// # Errors
/// When it has more than 64 bits.
pub fn long(bytes: &[u8]) -> Result<i64, Failure> {
    if bytes.len() > 8 {
        return Err("an integer beyond 64 bits".into());
    }
    let is_negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut wide = [if is_negative { 0xff } else { 0 }; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    Ok(i64::from_le_bytes(wide))
}

/// Numbers and texts of protocol 0, of the instruction `code`.
///
/// # Errors
/// When `line` is none.
pub fn written(code: u8, line: &str) -> Result<Object, Failure> {
    let broken = || {
        let beginning: String = line.chars().take(40).collect();
        format!(
            "`{}` where a number or a text should be",
            beginning.escape_debug()
        )
    };
    Ok(match (code, line) {
        (b'I', "00") => Object::Bool(false),
        (b'I', "01") => Object::Bool(true),
        (b'I' | b'L', _) => {
            let digits = line.trim_end_matches('L');
            Object::Int(digits.parse().map_err(|_| broken())?)
        }
        (b'F', _) => Object::Float(line.parse().map_err(|_| broken())?),
        (b'S', _) => Object::Bytes(unescaped(line).ok_or_else(broken)?),
        _ => Object::Text(line.to_string()),
    })
}

/// The bytes of a text of Python 2 as it writes them: in quotes, all but plain letters by escapes.
fn unescaped(line: &str) -> Option<Vec<u8>> {
    let quote = line.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let inside = line.strip_prefix(quote)?.strip_suffix(quote)?.as_bytes();
    let mut bytes = Vec::with_capacity(inside.len());
    let mut at = 0;
    while let Some(&byte) = inside.get(at) {
        let (value, length) = match (byte, inside.get(at + 1)) {
            (b'\\', Some(b'x')) => {
                let digits = std::str::from_utf8(inside.get(at + 2..at + 4)?).ok()?;
                (u8::from_str_radix(digits, 16).ok()?, 4)
            }
            (b'\\', Some(b'n')) => (b'\n', 2),
            (b'\\', Some(b'r')) => (b'\r', 2),
            (b'\\', Some(b't')) => (b'\t', 2),
            (b'\\', Some(letter @ (b'\\' | b'\'' | b'"'))) => (*letter, 2),
            (b'\\', _) => return None,
            _ => (byte, 1),
        };
        bytes.push(value);
        at += length;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_python_2_are_bytes() {
        let read = |line: &str| unescaped(line);
        assert_eq!(
            read(r#"'\x00a\'\n\\\xff"'"#).unwrap(),
            [0, b'a', b'\'', b'\n', b'\\', 255, b'"']
        );
        for broken in ["", "'", "'a", "a'", r"'\x0'", r"'\'", r"'\q'", "'a\""] {
            assert!(read(broken).is_none(), "{broken}");
        }
    }
}
