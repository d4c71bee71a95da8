//! `motionfit reconstruct` of one file, or of a sample.

use std::path::{Path, PathBuf};
use std::time::Instant;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value, json};

use super::args::ReconstructArgs;
use crate::commands::forces::compare;
use crate::commands::keypoints::Cut;
use crate::commands::progress::Reporter;
use crate::commands::run::{Run, SCENE, files};
use crate::commands::{Session, refuse};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::evaluation::plates::Place;
use crate::evaluation::{failures, keypoint_record, record, worst_frame};
use crate::export::{forces, kinematic};
use crate::keypoints::Observation;
use crate::motion::files::first_time;
use crate::motion::{self, Motion, ReadOptions, Subject};
use crate::output::OutputDir;
use crate::reconstruction::{self, Progress, Reconstructed, Reconstruction};

/// The file that only a run from keypoints writes.
const KINEMATIC: &str = "kinematic.npz";

/// Reconstructs the file at `path`, or else a sample, into `out`; returns its metrics and what there is to warn of.
pub(super) fn reconstruct_one(
    args: &ReconstructArgs,
    config: &Config,
    (path, out): (Option<&Path>, Option<&Path>),
    session: &Session,
) -> Result<(Map<String, Value>, Option<String>)> {
    let plates = args.forces.check(config)?;
    if let (Some(path), true) = (path, args.keypoints.are_given()) {
        return from_keypoints((path, out), args, config, session);
    }
    args.keypoints.check_absent()?;
    let Loaded {
        motion,
        input,
        subject,
        notes,
        place,
    } = load(args, path, config.reconstruction.stature)?;
    let config = &config.about(subject);
    let out = out.map_or_else(
        || PathBuf::from("out").join(&motion.name),
        Path::to_path_buf,
    );
    let output = OutputDir::create(&out, args.force)?;
    session.tell(format!(
        "{}: {:.2} s of motion",
        motion.name,
        motion.seconds()
    ))?;
    for note in notes {
        session.tell(format!("  {note}"))?;
    }
    if let Some(scene) = &config.reconstruction.scene {
        session.tell(format!("  scene: {}", scene.described()))?;
    }
    let started = Instant::now();
    let reconstruction = run(&motion, config, session)?;
    let seconds = started.elapsed().as_secs_f64();
    let mut record = record(&reconstruction, &config.optimizer);
    let forces = plates.map(|plates| {
        let offset = args.start.unwrap_or_default();
        compare(&plates, &reconstruction, (&place, offset), &mut record)
    });
    let (measured, forces) = forces.transpose()?.unzip();
    let name = &motion.name;
    let files = files(Run {
        name,
        reconstruction: &reconstruction,
        config,
        record: &record,
        input,
        seconds,
        force_rate: args.forces.force_rate,
        measured: measured.as_deref().unwrap_or_default(),
    })?;
    session.check()?;
    output.write_all(&files)?;
    if args.forces.force_rate.is_none() {
        output.remove(forces::FILE)?;
    }
    if reconstruction.trajectory.scene.is_empty() {
        output.remove(SCENE)?;
    }
    output.remove(KINEMATIC)?; // a run from keypoints may have left it
    let warning = tell_outcome(&reconstruction, &record, forces, session)?;
    tell_files(&files, seconds, &out, session)?;
    tell_worst(&reconstruction, &out, session)?;
    Ok((record, warning))
}

/// Tells where the simulated body is furthest off, and where to see it.
fn tell_worst(reconstruction: &Reconstruction, out: &Path, session: &Session) -> Result<()> {
    let Some((time, error)) = worst_frame(reconstruction) else {
        return Ok(());
    };
    let report = out.join("report.html");
    session.tell(format!(
        "furthest off at {time:.1} s, {error:.0} mm; to look at it, open {}#{time:.1}",
        report.display()
    ))
}

/// Tells how good `reconstruction` is, by its `record` and by what plates say of its `forces`; returns the warning, where
/// there is one.
fn tell_outcome(
    reconstruction: &Reconstruction,
    record: &Map<String, Value>,
    forces: Option<String>,
    session: &Session,
) -> Result<Option<String>> {
    describe_windows(reconstruction, session)?;
    session.tell(table(record))?;
    if let Some(forces) = forces {
        session.tell(forces)?;
    }
    let warning = warning(reconstruction);
    if let Some(warning) = &warning {
        session.tell(warning)?;
    }
    Ok(warning)
}

fn tell_files(
    files: &[(&str, Vec<u8>)],
    seconds: f64,
    out: &Path,
    session: &Session,
) -> Result<()> {
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let (names, out) = (names.join(", "), out.display());
    session.tell(format!("{seconds:.1} s; wrote {names} to {out}"))
}

/// Runs the command on 2D keypoints.
fn from_keypoints(
    (path, out): (&Path, Option<&Path>),
    args: &ReconstructArgs,
    config: &Config,
    session: &Session,
) -> Result<(Map<String, Value>, Option<String>)> {
    let for_poses = [
        ("--up", args.reading.up.is_some()),
        ("--units", args.reading.units.is_some()),
        ("--smooth", args.smooth.is_some()),
        ("--clip", args.reading.clip.is_some()),
        ("--markers", args.reading.markers.is_some()),
        ("--body-model", args.reading.body_model.is_some()),
        ("--plates", args.forces.plates.is_some()),
    ];
    let advice = "leave it out: it is for 3D poses alone";
    refuse(&for_poses, "input", "keypoints", advice)?;
    let cut = Cut {
        fps: args.reading.fps,
        person: args.reading.person()?,
        start: args.start,
        end: args.end,
        layout: args.layout,
    };
    let input = args.keypoints.read(path, &cut)?;
    let name = input.observation.name.clone();
    let out = out.map_or_else(|| PathBuf::from("out").join(&name), Path::to_path_buf);
    let output = OutputDir::create(&out, args.force)?;
    session.tell(format!("{name}: keypoints"))?;
    for note in &input.notes {
        session.tell(format!("  {note}"))?;
    }
    let started = Instant::now();
    let found = run_keypoints(&input.observation, input.floor, config, session)?;
    let seconds = started.elapsed().as_secs_f64();
    for note in found.fit.notes.iter().chain(&found.warnings()) {
        session.tell(format!("  {note}"))?;
    }
    let record = keypoint_record(&found, input.truth.as_deref(), &config.optimizer);
    let used = Config {
        reconstruction: found.settings.clone(),
        ..config.clone()
    };
    let notes = [&input.notes[..], &found.fit.notes].concat();
    let input = json!({"file": path, "notes": notes});
    let run = &found.reconstruction;
    let mut files = files(Run {
        name: &name,
        reconstruction: run,
        config: &used,
        record: &record,
        input,
        seconds,
        force_rate: args.forces.force_rate,
        measured: &[],
    })?;
    files.push((
        KINEMATIC,
        kinematic::encode(&found.fit, found.observation.fps)?,
    ));
    session.check()?;
    output.write_all(&files)?;
    let warning = tell_outcome(&found.reconstruction, &record, None, session)?;
    tell_files(&files, seconds, &out, session)?;
    Ok((record, warning))
}

/// Reconstructs what was observed, showing progress and stopping at Ctrl-C.
pub(in crate::commands) fn run_keypoints(
    observation: &Observation,
    floor: Option<f64>,
    config: &Config,
    session: &Session,
) -> Result<Reconstructed> {
    let mut reporter = Reporter::new(session, &observation.name);
    let (settings, optimizer) = (&config.reconstruction, &config.optimizer);
    let mut watch = |progress: &Progress| {
        reporter.show(progress);
        session.flow()
    };
    reconstruction::reconstruct_keypoints(observation, floor, settings, optimizer, &mut watch)
}

/// The motion to reconstruct.
struct Loaded {
    motion: Motion,
    /// What the file tells of who moves.
    subject: Subject,
    /// Where it comes from, for `metrics.json`.
    input: Value,
    /// What was understood about it.
    notes: Vec<String>,
    /// Where force plates of the same trial are.
    place: Place,
}

fn load(args: &ReconstructArgs, path: Option<&Path>, stature: Option<f64>) -> Result<Loaded> {
    if let Some(poses) = path {
        let options = ReadOptions {
            layout: args.layout,
            stature,
            // A scene and its motion have the same origin.
            floor: args.keypoints.floor()?.or(args.scene.as_ref().map(|_| 0.0)),
            start: args.start,
            end: args.end,
            smoothing: args.smooth.unwrap_or_default(),
            ..args.reading.options()?
        };
        let reading = motion::read(poses, &options)?;
        let rows = reading.world_from_file.row_iter();
        let rows: Vec<Vec<f64>> = rows.map(|row| row.iter().copied().collect()).collect();
        return Ok(Loaded {
            input: json!({"file": poses, "world_from_file": rows, "notes": reading.notes}),
            motion: reading.motion,
            subject: reading.subject,
            place: Place {
                world_from_file: Some(reading.world_from_file),
                first: first_time(poses)?,
            },
            notes: reading.notes,
        });
    }
    let advice = "name the file that it is about";
    refuse(&args.reading.given(), "use", "no POSES", advice)?;
    let name = args.sample.as_deref().unwrap_or("walk");
    let motion = motion::sample(name).ok_or_else(|| {
        Error::input("--sample", "name", name, "choose walk, turn, squat or jump")
    })?;
    let (motion, cuts) = motion::excerpt(motion, args.start, args.end)?;
    Ok(Loaded {
        motion,
        input: json!({ "sample": name, "notes": cuts }),
        subject: Subject::default(),
        notes: [vec![format!("embedded sample \"{name}\"")], cuts].concat(),
        place: Place::default(),
    })
}

/// Reconstructs `motion`, showing progress and stopping at Ctrl-C.
pub(in crate::commands) fn run(
    motion: &Motion,
    config: &Config,
    session: &Session,
) -> Result<Reconstruction> {
    let settings = &config.reconstruction;
    let optimizer = reconstruction::optimizer_of_windows(&config.optimizer, settings.seed)?;
    let mut reporter = Reporter::new(session, &motion.name);
    let mut observer = |progress: &Progress| {
        reporter.show(progress);
        session.flow()
    };
    reconstruction::reconstruct(motion, settings, optimizer.as_ref(), Some(&mut observer))
}

fn describe_windows(reconstruction: &Reconstruction, session: &Session) -> Result<()> {
    for window in &reconstruction.windows {
        let terms: Vec<String> = window
            .terms
            .iter()
            .map(|(name, value)| format!("{name} {value:.3e}"))
            .collect();
        session.detail(format!(
            "  frames {}-{}: {} evaluations in {} attempts, loss {:.4e} ({}){}",
            window.first_frame,
            window.first_frame + window.frames.saturating_sub(1),
            window.evaluations,
            window.attempts,
            window.loss,
            terms.join(", "),
            if window.failed { ", FAILED" } else { "" },
        ))?;
    }
    Ok(())
}

/// The numbers of the record beside those of the observed motion.
fn table(record: &Map<String, Value>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["metric", "simulated", "observed"]);
    let reference = record.get("reference");
    for (key, value) in record {
        let observed = reference.and_then(|reference| reference.get(key));
        let Some(value) = value.as_f64() else {
            continue;
        };
        let observed = observed
            .and_then(Value::as_f64)
            .map(shown)
            .unwrap_or_default();
        table.add_row([key.replace('_', " "), shown(value), observed]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn shown(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e6 {
        format!("{}", value + 0.0) // no negative zero
    } else if value.abs() < 10.0 {
        format!("{value:.3}")
    } else {
        format!("{value:.1}")
    }
}

/// A line for every failure.
fn warning(reconstruction: &Reconstruction) -> Option<String> {
    let failures = failures(reconstruction);
    let lines: Vec<_> = (failures.iter().map(|failure| format!("WARNING: {failure}"))).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
