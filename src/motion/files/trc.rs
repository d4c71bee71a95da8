//! TRC files: a header of five lines, then the coordinates of named markers, separated by tabs.
//!
//! What is seen in the wild is read: line ends of any system, trailing tabs, blank or NaN coordinates,
//! a number of frames that is wrong, a first frame other than 1. Where the header's rate contradicts
//! the times of the frames, these count.

use super::markers::Markers;
use crate::error::{Error, Result};
use crate::motion::Subject;
use crate::motion::calibration::{Axis, Unit};

/// How such files begin.
const BEGIN: &[u8] = b"PathFileType";

/// The most coordinates that are read (512 MiB).
const LARGEST: usize = 1 << 26;

/// Columns before those of the markers: number and time of the frame.
const BEFORE: usize = 2;

/// Rates that differ by more than this share contradict each other.
const SAME_RATE: f64 = 0.01;

/// Whether a file that begins so is a TRC file.
pub fn begins(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start); // a byte order mark
    start.trim_ascii_start().starts_with(BEGIN)
}

/// The lines of a file that are not blank, with their numbers from 1.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // A line ends with \n, \r\n, or \r alone.
    let ends = |c: char| c == '\n' || c == '\r';
    let mut number = 1;
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let at = number;
        let (line, after) = match text.find(ends) {
            None => (text, None),
            Some(end) => {
                let after = &text[end..];
                let width = if after.starts_with("\r\n") { 2 } else { 1 };
                (&text[..end], Some(&after[width..]))
            }
        };
        (rest, number) = (after, number + 1);
        Some((at, line))
    })
    .filter(|(_, line)| !line.trim().is_empty())
}

/// The header of a file.
struct Header<'a> {
    /// Keys and values of the second and third line.
    keys: Vec<&'a str>,
    values: Vec<&'a str>,
    names: Vec<String>,
}

impl<'a> Header<'a> {
    fn read(lines: &mut impl Iterator<Item = (usize, &'a str)>, origin: &str) -> Result<Self> {
        let mut next = |what: &str| {
            lines.next().map(|(_, line)| line).ok_or_else(|| {
                let advice = "a TRC file has five lines before the coordinates";
                Error::input(origin, what, "the end of the file", advice)
            })
        };
        next("header")?;
        let cells = |line: &'a str| line.split('\t').map(str::trim).collect();
        let (keys, values): (Vec<&str>, Vec<&str>) = (cells(next("keys")?), cells(next("values")?));
        let names: Vec<&str> = cells(next("names of markers")?);
        let names = names.iter().skip(BEFORE).filter(|name| !name.is_empty());
        let names: Vec<String> = names.map(|name| name.to_string()).collect();
        if names.is_empty() {
            let advice = "the fourth line is Frame#, Time, and the names of the markers";
            return Err(Error::input(origin, "names of markers", "none", advice));
        }
        Ok(Self {
            keys,
            values,
            names,
        })
    }

    fn value(&self, key: &str) -> Option<&'a str> {
        let at = self.keys.iter().position(|k| k.eq_ignore_ascii_case(key))?;
        self.values.get(at).copied()
    }

    fn number(&self, key: &str) -> Option<f64> {
        self.value(key)?.parse().ok()
    }
}

/// Reads the markers of a file's `text`. The frame rate is `fps`, or else the file's.
///
/// # Errors
/// [`Error::Input`] naming the line that is not as above.
pub fn read(text: &str, origin: &str, fps: Option<f64>) -> Result<Markers> {
    let mut lines = lines(text.trim_start_matches('\u{feff}')).peekable();
    let header = Header::read(&mut lines, origin)?;
    lines.next_if(|(_, line)| line.trim_start().starts_with(['X', 'x'])); // X1 Y1 Z1 …
    let (mut times, mut values) = (Vec::new(), Vec::new());
    let mut notes = Vec::new();
    let mut rows: Vec<(usize, &str)> = lines.collect();
    if is_cut(&rows, header.names.len(), text) {
        let (number, _) = rows.pop().unwrap_or_default();
        notes.push(format!(
            "frames: line {number}, the last one, is incomplete and left out"
        ));
    }
    for (number, line) in rows {
        let place = format!("line {number}");
        let row = row(line, header.names.len(), origin, &place)?;
        if values.len() + row.len() > LARGEST {
            let found = format!("{} markers in so many frames", header.names.len());
            return Err(Error::input(origin, place, found, "cut it into parts"));
        }
        times.push(row[1]);
        values.extend_from_slice(&row[BEFORE..]);
    }
    if times.is_empty() {
        let advice = "export the markers again";
        return Err(Error::input(origin, "frames", "none", advice));
    }
    let unit = header.value("Units").unwrap_or_default();
    notes.push(format!("TRC: {} markers in {unit}", header.names.len()));
    if let Some(promised) = header
        .number("NumFrames")
        .filter(|n| *n != times.len() as f64)
    {
        let there = times.len();
        notes.push(format!(
            "frames: {there}, though the header says {promised}"
        ));
    }
    let rate = fps.or_else(|| rate(header.number("DataRate"), &times, &mut notes));
    Ok(Markers {
        names: header.names,
        values,
        fps: rate,
        unit: match unit.to_lowercase().as_str() {
            "mm" | "millimeters" => Some(Unit::Millimetre),
            "cm" | "centimeters" => Some(Unit::Centimetre),
            "m" | "meters" => Some(Unit::Metre),
            _ => None,
        },
        up: Axis::Y,
        subject: Subject::default(),
        notes,
    })
}

/// The cells of a row; a marker that was not seen leaves some blank where there are tabs.
fn cells(line: &str) -> Box<dyn Iterator<Item = &str> + '_> {
    match line.contains('\t') {
        true => Box::new(line.split('\t').map(str::trim)),
        false => Box::new(line.split_whitespace()),
    }
}

/// Whether the last of `rows`, those of a file's `text`, is cut: it has fewer cells than `markers` need, though another row
/// has enough, or it ends inside of a number, which then has fewer decimals than in all other rows.
fn is_cut(rows: &[(usize, &str)], markers: usize, text: &str) -> bool {
    let [others @ .., (_, last)] = rows else {
        return false;
    };
    let width = BEFORE + 3 * markers;
    if cells(last).count() < width {
        return others.iter().any(|(_, line)| cells(line).count() >= width);
    }
    let decimals = |line: &str| {
        let number = cells(line).filter(|cell| !cell.is_empty()).last()?;
        Some(
            number
                .split_once('.')
                .map_or(0, |(_, decimals)| decimals.len()),
        )
    };
    let Some((usual, own)) = others
        .first()
        .and_then(|(_, line)| decimals(line))
        .zip(decimals(last))
    else {
        return false;
    };
    let is_usual = |(_, line): &(usize, &str)| decimals(line) == Some(usual);
    !text.ends_with(['\n', '\r']) && own < usual && others.iter().all(is_usual)
}

/// The time of the first frame of a file's `text`, s.
pub fn first_time(text: &str) -> Option<f64> {
    let numbers = |line: &str| -> Option<f64> {
        let mut cells = line.split_whitespace();
        cells.next()?.parse::<f64>().ok()?;
        cells.next()?.parse().ok()
    };
    // The third line of the header has numbers as well.
    lines(text).skip(4).find_map(|(_, line)| numbers(line))
}

/// Number, time and coordinates of a frame; what is blank is NaN.
fn row(line: &str, markers: usize, origin: &str, place: &str) -> Result<Vec<f64>> {
    let width = BEFORE + 3 * markers;
    let mut row = Vec::with_capacity(width);
    for cell in cells(line) {
        match cell {
            "" if row.len() >= width => continue, // trailing tabs
            "" => row.push(f64::NAN),
            _ if row.len() >= width => {
                let found = format!("more than {width} numbers");
                let advice = format!("there are names for {markers} markers");
                return Err(Error::input(origin, place, found, advice));
            }
            cell => row.push(cell.parse().map_err(|_| {
                let found = format!("`{}`", cell.escape_debug().take(30).collect::<String>());
                Error::input(origin, place, found, "a number is needed")
            })?),
        }
    }
    if row.len() < width {
        let found = format!("{} columns", row.len());
        let advice = format!("{markers} markers need {width}: export the file again");
        return Err(Error::input(origin, place, found, advice));
    }
    Ok(row)
}

/// Frames per second by the header, or by the times where these say something else.
fn rate(header: Option<f64>, times: &[f64], notes: &mut Vec<String>) -> Option<f64> {
    let header = header.filter(|rate| *rate > 0.0);
    let (first, last) = (times.first()?, times.last()?);
    let by_times = (times.len() - 1) as f64 / (last - first);
    if !by_times.is_finite() || by_times <= 0.0 {
        return header;
    }
    match header {
        Some(rate) if (rate / by_times - 1.0).abs() < SAME_RATE => Some(rate),
        Some(rate) => {
            notes.push(format!(
                "frame rate: {by_times:.3} fps by the times, though the header says {rate} (--fps)"
            ));
            Some(by_times)
        }
        None => Some(by_times),
    }
}

#[cfg(test)]
mod tests;
