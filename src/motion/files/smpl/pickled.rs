//! Pose parameters in pickles and files of torch: AIST++, WHAM, PromptHMR, PHC, GVHMR.

use std::path::Path;

use super::{
    BETAS, BODIES, Betas, COUNT, Known, Parameters, ROOTS, TRANSLATIONS, WIDTH, check_frames,
    points, rows,
};
use crate::error::{Error, Result};
use crate::motion::calibration::{Axis, Unit};
use crate::motion::files::array::Array;
use crate::motion::files::pickle::{Node, Pickle, shown};
use crate::motion::files::points::{Check, Points};
use crate::motion::files::torch::Torch;
use crate::motion::skeleton::Layout;

/// AIST++ annotates every frame of 60 fps video.
const AIST_RATE: f64 = 60.0;

/// Frames per second of programs that do not note down that of the video.
const VIDEO_RATE: f64 = 30.0;

/// Lengths of the body's metre that are believed, in metres or centimetres.
const SCALES: std::ops::RangeInclusive<f64> = 0.3..=150.0;

/// The most frames that a person may be missing in, over those that there are.
const LOST: usize = 20;

/// One program's way of writing pose parameters.
struct Dialect {
    program: &'static str,
    /// The dictionary in a person's or a clip's entry, where there is one more.
    inside: Option<&'static str>,
    /// Names of all turns in one array, and of the translation.
    turns: &'static str,
    translation: &'static str,
    /// Name of the numbers of the frames.
    frames: Option<&'static str>,
    up: Axis,
    /// Whether the translation is where the root joint is.
    is_root: bool,
}

/// What is known, the first that fits counts.
const DIALECTS: [Dialect; 5] = [
    Dialect {
        program: "WHAM",
        inside: None,
        turns: "pose_world",
        translation: "trans_world",
        frames: Some("frame_ids"),
        up: Axis::Y,
        is_root: false,
    },
    Dialect {
        program: "PromptHMR",
        inside: Some("smplx_world"),
        turns: "pose",
        translation: "trans",
        frames: Some("frames"),
        up: Axis::Y,
        is_root: false,
    },
    Dialect {
        program: "PHC",
        inside: None,
        turns: "pose_aa",
        translation: "trans_orig",
        frames: None,
        up: Axis::Z,
        is_root: false,
    },
    Dialect {
        program: "PHC",
        inside: None,
        turns: "pose_aa",
        translation: "root_trans_offset",
        frames: None,
        up: Axis::Z,
        is_root: true,
    },
    Dialect {
        program: "SMPL",
        inside: None,
        turns: "poses",
        translation: "trans",
        frames: None,
        up: Axis::Z,
        is_root: false,
    },
];

impl Dialect {
    /// The dialect of a person's or a clip's entry.
    fn of(entry: Node) -> Option<&'static Self> {
        DIALECTS.iter().find(|dialect| {
            let inner = dialect.inner(entry);
            let has = |name: &str| inner.is_some_and(|inner| inner.get(name).is_some());
            has(dialect.turns) && has(dialect.translation)
        })
    }

    fn inner<'a>(&self, entry: Node<'a>) -> Option<Node<'a>> {
        self.inside.map_or(Some(entry), |inside| entry.get(inside))
    }
}

/// Reads a pickle: the parameters of a clip, or a dictionary of them by person or clip, of which
/// `known` chooses one.
///
/// # Errors
/// [`Error::Input`] when it is no such pickle, arrays do not fit each other, and when `check` refuses
/// the shape.
pub fn read(path: &Path, origin: &str, known: Known, check: impl Check) -> Result<Points> {
    let pickle = Pickle::open(path)?;
    let root = pickle.root();
    if root.get("smpl_poses").is_some() {
        known.refuse_choice(origin)?;
        return aist(root, origin, known, check);
    }
    let root = root.get("people").unwrap_or(root);
    let (entry, note) = choose(root, origin, known)?;
    let Some(dialect) = Dialect::of(entry) else {
        let keys = entry.keys();
        let found = if keys.is_empty() {
            "no dictionary".into()
        } else {
            shown(&keys)
        };
        let advice = "known are smpl_poses with smpl_trans (AIST++), pose_world with trans_world (WHAM), \
                      smplx_world (PromptHMR), pose_aa with trans_orig (PHC), poses with trans; 2D keypoints need --camera or --focal";
        return Err(Error::input(origin, "keys", found, advice));
    };
    let mut points = of_dialect(dialect, entry, origin, known, check)?;
    points.notes.extend(note);
    Ok(points)
}

/// The person or clip that `known` asks for, or the only one, and what there is to say of it.
fn choose<'a>(root: Node<'a>, origin: &str, known: Known) -> Result<(Node<'a>, Option<String>)> {
    let entries = root.entries();
    let several: Vec<&(String, Node)> = entries
        .iter()
        .filter(|(_, entry)| Dialect::of(*entry).is_some())
        .collect();
    if Dialect::of(root).is_some() || several.is_empty() {
        known.refuse_choice(origin)?;
        return Ok((root, None));
    }
    let names: Vec<String> = several.iter().map(|(name, _)| name.clone()).collect();
    let index = match (known.clip, known.person) {
        (Some(clip), _) => names.iter().position(|name| name == clip).ok_or_else(|| {
            let advice = format!("choose one of {}", shown(&names));
            Error::input("--clip", "name", format!("`{clip}`"), advice)
        })?,
        (None, Some(person)) if (1..=names.len()).contains(&person) => person - 1,
        (None, Some(person)) => {
            let advice = format!("{origin} has {}: {}", names.len(), shown(&names));
            return Err(Error::input("--person", "number", person, advice));
        }
        (None, None) if names.len() == 1 => 0,
        (None, None) => {
            let found = format!("{}: {}", names.len(), shown(&names));
            let advice = "choose one with --person N, from 1, or --clip NAME";
            return Err(Error::input(origin, "people or clips", found, advice));
        }
    };
    let note = format!("clip: {} of {}", shown(&names[index..=index]), names.len());
    Ok((several[index].1, Some(note)))
}

fn of_dialect(
    dialect: &Dialect,
    entry: Node,
    origin: &str,
    mut known: Known,
    check: impl Check,
) -> Result<Points> {
    let mut notes = vec![format!("pickle: as {} writes it", dialect.program)];
    let inner = dialect.inner(entry).unwrap_or(entry);
    let array = |name: &str, width: usize| {
        let entry = inner.entry(name)?;
        rows(entry.array(name)?, name, width, origin)
    };
    let turns = array(dialect.turns, WIDTH)?;
    let translation = array(dialect.translation, 3)?;
    known.fps = known.fps.or(entry.get("fps").and_then(Node::number));
    known.assume(VIDEO_RATE, &mut notes);
    check_frames(
        turns.len() / WIDTH,
        translation.len() / 3,
        dialect.turns,
        origin,
    )?;
    let numbers = dialect.frames.and_then(|name| entry.get(name));
    let numbers = numbers.map(|node| node.array("frames")).transpose()?;
    let (turns, translation) = match numbers {
        Some(numbers) => spread(&numbers, turns, translation, origin)?,
        None => (turns, translation),
    };
    let frames = translation.len() / 3;
    check(&[frames, COUNT, 3], known.fps, Some(Layout::Smpl24))?;
    let parameters = Parameters {
        turns,
        translation,
        scale: None,
        rest: None,
        betas: betas(inner, origin, known, Node::array)?,
        is_root: dialect.is_root,
        names: format!("{}, {}", dialect.turns, dialect.translation),
        unit: &[Unit::Metre],
        up: dialect.up,
    };
    let mut points = points(parameters, origin, known)?;
    points.notes.append(&mut notes);
    Ok(points)
}

/// The shape among the entries of a dictionary, by what reads one of them, where a model makes it count.
fn betas<'a>(
    entries: Node<'a>,
    origin: &str,
    known: Known,
    mut read: impl FnMut(Node<'a>, &str) -> Result<Array>,
) -> Result<Option<Betas>> {
    let found = |name: &'static str| Some((name, entries.get(name)?));
    match BETAS.into_iter().find_map(found) {
        Some((name, node)) if known.model.is_some() => {
            Ok(Some(Betas::of(&read(node, name)?, name, origin)?))
        }
        _ => Ok(None),
    }
}

/// Turns and translations with missing frames (NaN) where the frames' numbers leave some out.
fn spread(
    numbers: &Array,
    turns: Vec<f64>,
    translation: Vec<f64>,
    origin: &str,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let numbers = &numbers.values;
    check_frames(
        numbers.len(),
        translation.len() / 3,
        "numbers of frames",
        origin,
    )?;
    let steps = numbers.windows(2).map(|pair| pair[1] - pair[0]);
    let is_ordered = steps.clone().all(|step| step >= 1.0 && step.fract() == 0.0);
    let (first, last) = (numbers.first().copied(), numbers.last().copied());
    let span = first
        .zip(last)
        .map_or(0.0, |(first, last)| last - first + 1.0);
    if !is_ordered || span > (LOST * numbers.len()) as f64 {
        let found = format!("{} frames in {span}", numbers.len());
        let advice = "they must increase, with short gaps: cut the clip";
        return Err(Error::input(origin, "numbers of frames", found, advice));
    }
    let frames = span as usize;
    let mut all = (vec![f64::NAN; WIDTH * frames], vec![f64::NAN; 3 * frames]);
    for (k, number) in numbers.iter().enumerate() {
        let at = (number - numbers[0]) as usize;
        all.0[WIDTH * at..][..WIDTH].copy_from_slice(&turns[WIDTH * k..][..WIDTH]);
        all.1[3 * at..][..3].copy_from_slice(&translation[3 * k..][..3]);
    }
    Ok(all)
}

/// AIST++: `smpl_poses` (T, 72), `smpl_trans` (T, 3) and `smpl_scaling`, the length of the body's metre in
/// the unit of the translation (cm).
fn aist(root: Node, origin: &str, mut known: Known, check: impl Check) -> Result<Points> {
    let array = |name: &str, width: usize| {
        let entry: Node = root.entry(name)?;
        rows(entry.array(name)?, name, width, origin)
    };
    let turns = array("smpl_poses", WIDTH)?;
    let translation = array("smpl_trans", 3)?;
    let scaling = root.get("smpl_scaling").map(|_| array("smpl_scaling", 1));
    let scale = scaling.transpose()?.map(|scaling| scaling[0]);
    if let Some(scale) = scale.filter(|scale| !SCALES.contains(scale)) {
        let advice = "give the length of the body's metre in the unit of smpl_trans, m or cm";
        return Err(Error::input(origin, "smpl_scaling", scale, advice));
    }
    let mut notes = Vec::new();
    if known.fps.is_none() && scale.is_some() {
        known.fps = Some(AIST_RATE);
        notes.push(format!(
            "frame rate: {AIST_RATE} fps, as all of AIST++ (--fps)"
        ));
    }
    let shape = [translation.len() / 3, COUNT, 3];
    check(&shape, known.fps, Some(Layout::Smpl24))?;
    let scaling = scale.map(|scale| format!(", smpl_scaling {scale:.1}"));
    let parameters = Parameters {
        turns,
        translation,
        scale,
        rest: None,
        betas: betas(root, origin, known, Node::array)?,
        is_root: false,
        names: format!("smpl_poses, smpl_trans{}", scaling.unwrap_or_default()),
        unit: match scale {
            Some(scale) if scale > 10.0 => &[Unit::Centimetre],
            _ => &[Unit::Metre],
        },
        up: Axis::Y,
    };
    let mut points = points(parameters, origin, known)?;
    points.notes.append(&mut notes);
    Ok(points)
}

/// Reads GVHMR's results, whose index is in `folder` of the file: `smpl_params_global` with
/// `global_orient` (T, 3), `body_pose` (T, 63) and `transl` (T, 3), y up.
///
/// # Errors
/// As [`read`].
pub fn read_torch(
    path: &Path,
    folder: String,
    mut known: Known,
    check: impl Check,
) -> Result<Points> {
    let origin = &path.display().to_string();
    known.refuse_choice(origin)?;
    let (mut torch, index) = Torch::open(path, folder)?;
    let root = index.root();
    let inside = root.get("smpl_params_global").unwrap_or(root);
    let mut array = |names: &[&str], width: usize| {
        let entry = names
            .iter()
            .find_map(|name| Some((*name, inside.get(name)?)));
        let Some((name, entry)) = entry else {
            let keys = root.keys();
            let found = if keys.is_empty() {
                "no dictionary".into()
            } else {
                shown(&keys)
            };
            let advice =
                "GVHMR's results have smpl_params_global with global_orient, body_pose, transl";
            return Err(Error::input(origin, "keys", found, advice));
        };
        rows(torch.array(entry, name)?, name, width, origin)
    };
    let (roots, below) = (array(&ROOTS, 3)?, array(&BODIES, WIDTH - 3)?);
    let translation = array(&TRANSLATIONS, 3)?;
    check_frames(
        below.len() / (WIDTH - 3),
        roots.len() / 3,
        BODIES[1],
        origin,
    )?;
    let mut notes = vec!["torch: results as GVHMR writes them".to_string()];
    known.assume(VIDEO_RATE, &mut notes);
    check(
        &[translation.len() / 3, COUNT, 3],
        known.fps,
        Some(Layout::Smpl24),
    )?;
    let both = roots.chunks_exact(3).zip(below.chunks_exact(WIDTH - 3));
    let parameters = Parameters {
        turns: both
            .flat_map(|(root, body)| [root, body].concat())
            .collect(),
        translation,
        scale: None,
        rest: None,
        betas: betas(inside, origin, known, |node, name| torch.array(node, name))?,
        is_root: false,
        names: "global_orient, body_pose, transl".into(),
        unit: &[Unit::Metre],
        up: Axis::Y,
    };
    let mut points = points(parameters, origin, known)?;
    points.notes.append(&mut notes);
    Ok(points)
}
