//! `motionfit export`: the result of a run in another format.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::Session;
use super::progress::counter;
use super::run::SCENE;
use crate::body::Body;
use crate::error::{Error, Result};
use crate::export::forces::{self, FootForces};
use crate::export::{Recording, bvh, csv, gif, glb, joints, mjcf, mot, npz, smpl, trc};
use crate::output::{write_file, write_files};
use crate::scene::Scene;

/// Write the result of a run in another format.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Output directory of `motionfit reconstruct`.
    run: PathBuf,
    /// What to write.
    #[arg(long, value_enum)]
    format: Format,
    /// Where to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave the observed joints out (glb, npz, gif).
    #[arg(long)]
    without_reference: bool,
    /// Replace an existing file.
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Binary glTF 2.0 for 3D viewers: metres, y up
    Glb,
    /// BVH for animation tools: centimetres, y up
    Bvh,
    /// NumPy arrays: metres, z up
    Npz,
    /// Poses of SMPL in the manner of AMASS: axis times angle, metres, z up (npz)
    Smpl,
    /// Joints as markers for OpenSim and the like: millimetres, y up
    Trc,
    /// The body for MuJoCo, with its motion as keyframes and in an npz beside it: metres, z up
    Mjcf,
    /// Positions of SMPL-X's 22 joints with contacts, as OmniRetarget and Kimodo have them (npz)
    Joints,
    /// A table with a row per frame: joints, torques, ground reactions; metres, z up
    Csv,
    /// Ground reactions for OpenSim: a storage file, with external loads (.xml) and joints (.trc) beside
    /// it: y up
    Mot,
    /// A moving picture: the body with the forces of the ground, the observed joints beside it
    Gif,
}

/// Runs the command.
///
/// # Errors
/// When the directory does not hold a finished run, or the file cannot be written.
pub fn export(args: &ExportArgs, session: &Session) -> Result<()> {
    let mut recording = load(&args.run)?;
    if args.without_reference {
        recording.reference.clear();
    }
    let bytes = match args.format {
        Format::Glb => glb::encode(&recording, &metrics(&args.run))?,
        Format::Bvh => bvh::encode(&recording).into_bytes(),
        Format::Npz => npz::encode(&recording)?,
        Format::Smpl => smpl::encode(&recording)?,
        Format::Trc => trc::encode(&recording).into_bytes(),
        Format::Mjcf => mjcf::encode(&recording).into_bytes(),
        Format::Joints => joints::encode(&recording)?,
        Format::Csv => csv::encode(&recording)?,
        Format::Mot => return opensim(args, &recording, session),
        Format::Gif => moving_picture(&recording, session)?,
    };
    session.check()?;
    let beside = args.out.with_extension("npz");
    if matches!(args.format, Format::Mjcf) {
        if beside == args.out {
            let advice = "name the model .xml: its motion is written beside it as .npz";
            return Err(Error::input("--out", "name", args.out.display(), advice));
        }
        let motion = mjcf::motion(&recording)?;
        write_files(&[(&args.out, &bytes), (&beside, &motion)], args.force)?;
        return session.tell(format!(
            "wrote {} and {}",
            args.out.display(),
            beside.display()
        ));
    }
    write_file(&args.out, &bytes, args.force)?;
    session.tell(format!("wrote {}", args.out.display()))
}

/// The bytes of a GIF, drawn with a progress bar.
fn moving_picture(recording: &Recording, session: &Session) -> Result<Vec<u8>> {
    let bar = counter(session, 0);
    bar.set_message("pictures");
    let bytes = gif::encode(recording, &mut |drawn, count| {
        bar.set_length(count as u64);
        bar.set_position(drawn as u64);
    });
    bar.finish_and_clear();
    bytes
}

/// Writes the storage file and the external loads beside it.
fn opensim(args: &ExportArgs, recording: &Recording, session: &Session) -> Result<()> {
    let sampled = args.run.join(forces::FILE);
    let forces = match sampled.is_file() {
        true => forces::read(&sampled)?,
        false => FootForces::of_frames(recording),
    };
    let name = args.out.file_stem().unwrap_or_default().to_string_lossy();
    let file = args.out.file_name().unwrap_or_default().to_string_lossy();
    let loads = args.out.with_extension("xml");
    session.check()?;
    let markers = args.out.with_extension("trc");
    let storage = mot::encode(&forces, &name);
    let external = mot::external_loads(&name, &file);
    let points = trc::encode(recording);
    let files: [(&Path, &[u8]); 3] = [
        (&args.out, storage.as_bytes()),
        (&loads, external.as_bytes()),
        (&markers, points.as_bytes()),
    ];
    write_files(&files, args.force)?;
    for path in [&args.out, &loads, &markers] {
        session.tell(format!("wrote {}", path.display()))?;
    }
    Ok(())
}

/// The motion of the run in a directory.
pub(super) fn load(run: &Path) -> Result<Recording> {
    let arrays = run.join("motion.npz");
    let body = run.join("body.json");
    if run.is_file() {
        let advice = "give the folder of a run; motionfit reconstruct makes one of a motion";
        return Err(Error::input(run.display(), "run", "a file", advice));
    }
    let several = match arrays.is_file() {
        true => Vec::new(),
        false => sub_runs(run),
    };
    if !several.is_empty() {
        let advice = format!("give one of them: {}", several.join(", "));
        return Err(Error::input(run.display(), "run", "several runs", advice));
    }
    if let Some(missing) = [&arrays, &body].into_iter().find(|path| !path.is_file()) {
        let advice = "give the output directory of a finished motionfit reconstruct";
        let name = missing.file_name().unwrap_or_default().display();
        return Err(Error::input(run.display(), name, "no such file", advice));
    }
    let body: Body = crate::json::read(&body)?;
    let mut recording = npz::read(&arrays, body)?;
    let scene = run.join(SCENE);
    if scene.is_file() {
        recording.trajectory.scene = Scene::read(&scene)?;
    }
    Ok(recording)
}

/// The names of the runs in a directory, at most three.
fn sub_runs(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let runs = entries.filter(|entry| entry.path().join("motion.npz").is_file());
    let mut names: Vec<_> = runs.map(|run| run.path().display().to_string()).collect();
    names.sort();
    names.truncate(3);
    names
}

/// The metrics of the run without its times; nothing when they are gone.
pub(super) fn metrics(run: &Path) -> Value {
    let text = std::fs::read_to_string(run.join("metrics.json")).unwrap_or_default();
    let mut metrics: Value = serde_json::from_str(&text).unwrap_or_default();
    if let Value::Object(metrics) = &mut metrics {
        metrics.shift_remove("seconds");
        metrics.shift_remove("window_reports");
        metrics.shift_remove("input");
    }
    metrics
}
