//! C3D files: points, analog channels and force plates, as motion capture systems write them.
//!
//! The format: <https://www.c3d.org/HTML/default.htm>.

mod plates;
mod section;

use std::path::Path;

use super::markers::Markers;
use crate::error::{Error, Result};
use crate::motion::calibration::{Axis, Unit};
use crate::motion::{MASSES, STATURES, Subject};
pub use plates::ForcePlate;
use section::{BLOCK, Processor, Section};

/// The second byte of every file.
const KEY: u8 = 0x50;

/// The parameters begin before this block: nearly always in the second one.
const MOST_BLOCKS: u8 = 20;

/// From this number of the last frame on, the header does not tell it.
const LAST_IN_HEADER: usize = 65535;

/// A file as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct C3d {
    /// Names of the points N.
    pub names: Vec<String>,
    /// Coordinates (T, N, 3) in C order, in `unit` and the axes of the laboratory; NaN where a point
    /// was not seen.
    pub points: Vec<f64>,
    /// Number of frames T.
    pub frames: usize,
    /// Frames per second, Hz.
    pub fps: f64,
    /// Unit of length, as the file names it ("mm").
    pub unit: String,
    /// The analog channels.
    pub analog: Analog,
    /// The force plates.
    pub plates: Vec<ForcePlate>,
    /// Who moved.
    pub subject: Subject,
    /// How the numbers are written, and what is odd.
    pub notes: Vec<String>,
}

/// Signals that were sampled along with the points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analog {
    /// Names of the channels C.
    pub names: Vec<String>,
    /// Unit of every channel.
    pub units: Vec<String>,
    /// Samples per second, Hz.
    pub rate: f64,
    /// Samples (S, C) in C order, in the units of the channels.
    pub values: Vec<f64>,
}

impl Analog {
    /// Number of channels C.
    pub fn channels(&self) -> usize {
        self.names.len()
    }
}

/// Whether a file that begins so is a C3D file.
pub fn begins(start: &[u8]) -> bool {
    matches!(start, [1..=MOST_BLOCKS, KEY, _, ..])
}

/// Where the numbers of a frame are.
struct Format {
    processor: Processor,
    /// Metres or the like of an integer; `None` for float data.
    scale: Option<f64>,
    points: usize,
    /// Analog values of a frame, and samples of every channel among them.
    analog: usize,
    samples: usize,
    start: usize,
}

impl Format {
    fn of(bytes: &[u8], section: &Section) -> Self {
        let word = |k: usize| {
            section
                .processor
                .int(bytes.get(2 * k..).unwrap_or_default())
        };
        let count = |k: usize| usize::from(word(k) as u16);
        let header = section.processor.float(bytes.get(12..).unwrap_or_default());
        let scale = section.number("POINT", "SCALE").unwrap_or(header);
        Self {
            processor: section.processor,
            scale: (scale > 0.0).then_some(scale),
            points: count(1),
            analog: count(2),
            samples: count(9).max(1),
            start: (count(8).max(1) - 1) * BLOCK,
        }
    }

    /// Bytes of a number.
    fn width(&self) -> usize {
        if self.scale.is_some() { 2 } else { 4 }
    }

    /// Bytes of a frame.
    fn frame(&self) -> usize {
        (4 * self.points + self.analog) * self.width()
    }

    fn number(&self, bytes: &[u8]) -> f64 {
        match self.scale {
            Some(_) => self.processor.int(bytes).into(),
            None => self.processor.float(bytes),
        }
    }

    /// Coordinates of a point; NaN where its residual is negative.
    fn point(&self, bytes: &[u8]) -> [f64; 3] {
        let width = self.width();
        if self.number(&bytes[3 * width..]) < 0.0 {
            return [f64::NAN; 3];
        }
        let scale = self.scale.unwrap_or(1.0);
        [0, 1, 2].map(|k| scale * self.number(&bytes[k * width..]))
    }
}

impl C3d {
    /// Reads the file at `path`. `check` sees the number of frames and their rate (Hz) before memory is
    /// taken for them.
    ///
    /// # Errors
    /// When it cannot be read, is no C3D file or ends early, and when `check` refuses.
    pub fn read(path: &Path, check: impl Fn(usize, f64) -> Result<()>) -> Result<Self> {
        let bytes = super::whole::bytes(path)?;
        Self::parse(&bytes, &path.display().to_string(), check)
    }

    fn parse(bytes: &[u8], origin: &str, check: impl Fn(usize, f64) -> Result<()>) -> Result<Self> {
        let section = Section::read(bytes, origin)?;
        let format = Format::of(bytes, &section);
        if format.points == 0 {
            let advice = "the trial has no markers: reconstruct and label it first";
            return Err(Error::input(origin, "points", "none", advice));
        }
        let frames = frames(bytes, &section);
        let header = section.processor.float(bytes.get(20..).unwrap_or_default());
        let fps = section.number("POINT", "RATE").unwrap_or(header);
        check(frames, fps)?;
        let data = bytes.get(format.start..).unwrap_or_default();
        if frames
            .checked_mul(format.frame())
            .is_none_or(|size| size > data.len())
        {
            let there = data.len() / format.frame();
            let found = format!("{there} frames of data where the header promises {frames}");
            return Err(Error::input(
                origin,
                "size",
                found,
                "copy or save the file again",
            ));
        }
        let rows = data.chunks_exact(format.frame()).take(frames);
        let width = 4 * format.width();
        let of_frame = |row: &[u8]| -> Vec<f64> {
            let points = row.chunks_exact(width).take(format.points);
            points.flat_map(|point| format.point(point)).collect()
        };
        let units = section.lines("POINT", "UNITS");
        let subject = subject(&section);
        let mut notes = vec![describe(&section, &format)];
        notes.extend(told(subject));
        Ok(Self {
            names: names(&section, format.points),
            points: rows.clone().flat_map(of_frame).collect(),
            frames,
            fps,
            unit: units.first().cloned().unwrap_or_default(),
            analog: analog(&section, &format, fps, rows),
            plates: plates::all(&section),
            subject,
            notes,
        })
    }

    /// The points as markers to make joints of; their rate is `fps`, or else the file's, Hz.
    pub(super) fn markers(self, fps: Option<f64>) -> Markers {
        Markers {
            names: self.names,
            values: self.points,
            fps: fps.or(Some(self.fps)),
            unit: match self.unit.as_str() {
                "mm" => Some(Unit::Millimetre),
                "cm" => Some(Unit::Centimetre),
                "m" => Some(Unit::Metre),
                _ => None,
            },
            up: Axis::Z,
            subject: self.subject,
            notes: self.notes,
        }
    }
}

fn describe(section: &Section, format: &Format) -> String {
    let processor = match section.processor {
        Processor::Intel => "Intel",
        Processor::Dec => "DEC",
        Processor::Mips => "MIPS",
    };
    let numbers = if format.scale.is_some() {
        "integers"
    } else {
        "floats"
    };
    let channels = format.analog / format.samples;
    let plates = section.number("FORCE_PLATFORM", "USED").unwrap_or(0.0);
    format!(
        "C3D: {processor} {numbers}, {} points, {channels} analog channels, {plates} force plates",
        format.points
    )
}

/// The mass and the stature that the laboratory entered: Vicon's names, kg and mm. Zeros stand for nothing.
fn subject(section: &Section) -> Subject {
    let entered = |name| section.number("PROCESSING", name);
    let stature = entered("HEIGHT").map(|height| height * Unit::Millimetre.metres());
    Subject {
        mass: entered("BODYMASS").filter(|mass| MASSES.contains(mass)),
        stature: stature.filter(|stature| STATURES.contains(stature)),
    }
}

/// What `subject` is said to be, where something is.
fn told(subject: Subject) -> Option<String> {
    let mass = subject.mass.map(|mass| format!("{mass:.1} kg (--mass)"));
    let stature = subject.stature.map(|stature| format!("{stature:.2} m"));
    let known: Vec<String> = mass.into_iter().chain(stature).collect();
    let known = known.join(", ");
    (!known.is_empty()).then(|| format!("subject: {known}, as the file says"))
}

/// Number of frames: by the header, or where that has no room for it, by the parameters.
fn frames(bytes: &[u8], section: &Section) -> usize {
    let count = |k: usize| {
        let word = section
            .processor
            .int(bytes.get(2 * k..).unwrap_or_default());
        usize::from(word as u16)
    };
    let (first, last) = (count(3), count(4));
    if last < LAST_IN_HEADER {
        return (last + 1).saturating_sub(first);
    }
    let field = |name: &str| {
        let words = section.get("TRIAL", name)?.counts();
        let high = words.get(1)?.saturating_mul(65536);
        Some(words.first()?.saturating_add(high))
    };
    let actual = field("ACTUAL_START_FIELD").zip(field("ACTUAL_END_FIELD"));
    let by_trial = actual.map(|(start, end)| end.saturating_add(1).saturating_sub(start));
    let long = section.number("POINT", "LONG_FRAMES").map(|x| x as usize);
    let plain = || section.get("POINT", "FRAMES")?.counts().first().copied();
    by_trial.or(long).or_else(plain).unwrap_or(last + 1 - first)
}

/// Names of the points; those without one are numbered.
fn names(section: &Section, points: usize) -> Vec<String> {
    let mut names = section.lines("POINT", "LABELS");
    names.truncate(points);
    names.extend((names.len()..points).map(|k| format!("*{}", k + 1)));
    names
}

fn analog<'a>(
    section: &Section,
    format: &Format,
    fps: f64,
    rows: impl Iterator<Item = &'a [u8]>,
) -> Analog {
    let channels = format.analog / format.samples;
    let get = |name: &str| section.numbers("ANALOG", name);
    let (mut scale, mut offset) = (get("SCALE"), get("OFFSET"));
    scale.resize(channels, 1.0);
    offset.resize(channels, 0.0);
    let general = section.number("ANALOG", "GEN_SCALE").unwrap_or(1.0);
    let is_unsigned = section
        .lines("ANALOG", "FORMAT")
        .first()
        .is_some_and(|format| format.eq_ignore_ascii_case("unsigned"));
    let sign = |x: f64| {
        if is_unsigned && x < 0.0 {
            x + 65536.0
        } else {
            x
        }
    };
    let raw = |x: f64| if format.scale.is_some() { sign(x) } else { x };
    let width = format.width();
    let mut values = Vec::new();
    for row in rows {
        let samples = row[4 * format.points * width..].chunks_exact(width);
        values.extend(
            samples
                .take(channels * format.samples)
                .enumerate()
                .map(|(k, sample)| {
                    let channel = k % channels;
                    (raw(format.number(sample)) - sign(offset[channel])) * scale[channel] * general
                }),
        );
    }
    let (mut names, mut units) = (
        section.lines("ANALOG", "LABELS"),
        section.lines("ANALOG", "UNITS"),
    );
    names.resize(channels, String::new());
    units.resize(channels, String::new());
    Analog {
        names,
        units,
        rate: fps * format.samples as f64,
        values,
    }
}

#[cfg(test)]
mod tests;
