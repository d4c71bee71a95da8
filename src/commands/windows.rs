//! Sets of windows: clips by name, and windows recorded along the paths of optimizers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::reading::complete;
use super::{Session, json};
use crate::cluster::work_off;
use crate::config::RecordedSettings;
use crate::error::{Error, Result};
use crate::evaluation::clips;
use crate::motion::{self, Motion, ReadOptions};
use crate::objective::{Evaluation, Objective};
use crate::optim::{Budget, Minimize};
use crate::output::{OutputDir, write_file};
use crate::reconstruction::recorded::RecordedWindow;
use crate::reconstruction::{Settings, WindowFamily, WindowTask, optimizer_of_windows};

/// The embedded motions that stand in where no clips are given.
const EMBEDDED: [&str; 2] = ["walk", "turn"];

/// What reconstructs the clips whose windows are stitched.
const STITCHER: &str = "lm-search";

/// The file beside recordings that tells with which settings they were made.
const SETTINGS: &str = "settings.json";

/// The windows of the clips in `directories`, read as is `given` where nothing else is known, whose names fit one of `patterns` (all when there is
/// none); of embedded motions when there are no directories.
///
/// # Errors
/// [`Error::Input`] when a pattern fits nothing, and as for [`WindowFamily::new`].
pub(super) fn family(
    motions: (&[PathBuf], &ReadOptions),
    patterns: &[String],
    settings: &Settings,
) -> Result<WindowFamily> {
    let motions = motions_of(motions, patterns)?;
    WindowFamily::new(&motions, settings)
}

/// The motions in `directories` whose names fit one of `patterns`.
fn motions_of(
    (directories, given): (&[PathBuf], &ReadOptions),
    patterns: &[String],
) -> Result<Vec<(String, Motion)>> {
    let mut motions: Vec<(String, Motion)> = Vec::new();
    if directories.is_empty() {
        let embedded = EMBEDDED.iter().filter_map(|name| motion::sample(name));
        motions.extend(embedded.map(|motion| (motion.name.clone(), motion)));
        return Ok(motions);
    }
    let mut fitting = vec![false; patterns.len()];
    for directory in directories {
        for clip in clips::find(directory, None)? {
            let mut wanted = patterns.is_empty();
            for (pattern, found) in patterns.iter().zip(&mut fitting) {
                let fits = fits(pattern, &clip.name);
                wanted |= fits;
                *found |= fits;
            }
            if wanted {
                if motions.iter().any(|(name, _)| *name == clip.name) {
                    let advice =
                        "clips are told apart by name: rename one, or pick others in \"clips\"";
                    return Err(Error::input(clip.path.display(), "name", clip.name, advice));
                }
                let mut options = clip.options.clone();
                let extension = clip.path.extension().unwrap_or_default();
                complete(&mut options, given, &extension.to_string_lossy());
                let reading = motion::read(&clip.path, &options)?;
                motions.push((clip.name, reading.motion));
            }
        }
    }
    if let Some((pattern, _)) = patterns.iter().zip(fitting).find(|(_, found)| !found) {
        let advice = "give --motions the directory of the clip, or correct the name";
        return Err(Error::input("clips", "name", pattern, advice));
    }
    Ok(motions)
}

/// The same windows as a reconstruction of the first `seconds` of every clip meets them.
///
/// # Errors
/// As [`family`], and [`Error::Interrupted`] after Ctrl-C.
pub(super) fn stitched(
    motions: (&[PathBuf], &ReadOptions),
    patterns: &[String],
    (settings, seconds): (&Settings, f64),
    session: &Session,
) -> Result<WindowFamily> {
    let optimizer = optimizer_of_windows(STITCHER, settings.seed)?;
    let motions = motions_of(motions, patterns)?.into_iter();
    let beginnings = motions.map(|(name, motion)| {
        let seconds = seconds.min(motion.seconds());
        Ok((name, motion::excerpt(motion, None, Some(seconds))?.0))
    });
    let beginnings = beginnings.collect::<Result<Vec<_>>>()?;
    let family = WindowFamily::new(&beginnings, settings)?;
    family.stitched(settings, optimizer.as_ref(), &|| session.flow())
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

/// A window to be recorded, by which optimizer, in which file.
struct Recording {
    task: WindowTask,
    optimizer: Arc<dyn Minimize>,
    evaluations: usize,
    path: PathBuf,
}

/// Records the windows that are not in `directory` yet, side by side and on all ranks, and reads all of them.
///
/// # Errors
/// [`Error::Interrupted`] after Ctrl-C, with everything recorded so far on disk; [`Error::Input`]
/// for an unknown optimizer, a damaged file, or recordings made with other settings.
pub(super) fn recorded(
    family: &WindowFamily,
    settings: &RecordedSettings,
    directory: &Path,
    session: &Session,
) -> Result<Vec<RecordedWindow>> {
    let prepared = match session.leads() {
        true => OutputDir::create(directory, true)
            .and_then(|output| same_settings(directory, &output, settings)),
        false => Ok(()),
    };
    session.agree(prepared)?;
    let recordings = session.agree(recordings(family, settings, directory))?;
    let jobs: Vec<usize> = (0..recordings.len()).collect();
    let total = jobs.len();
    let mut number = 0;
    let mut tell = |job: usize, looks: Option<usize>| {
        number += 1;
        let (clip, first) = (recordings[job].task.clip(), recordings[job].task.first());
        match looks {
            Some(looks) => session.detail(format!(
                "[{number}/{total}] recorded {clip} from frame {first}: {looks} looks"
            )),
            None => Ok(()),
        }
    };
    let work = |job: usize| recordings[job].record(session);
    work_off(session.ranks.as_ref(), &jobs, work, &mut tell)?;
    session.agree(read_all(&recordings, directory))
}

fn recordings(
    family: &WindowFamily,
    settings: &RecordedSettings,
    directory: &Path,
) -> Result<Vec<Recording>> {
    let count = settings.windows.min(family.len());
    let mut recordings = Vec::new();
    for recorder in &settings.recorders {
        let optimizer = optimizer_of_windows(&recorder.optimizer, settings.reconstruction.seed)?;
        let optimizer: Arc<dyn Minimize> = Arc::from(optimizer);
        for i in 0..count {
            let task = family.nth(i * family.len() / count);
            let (clip, first, name) = (task.clip(), task.first(), optimizer.name());
            let file = format!("{clip}_{first}_{name}_{}.bin", recorder.evaluations);
            recordings.push(Recording {
                path: directory.join(file),
                task,
                optimizer: Arc::clone(&optimizer),
                evaluations: recorder.evaluations,
            });
        }
    }
    Ok(recordings)
}

impl Recording {
    /// Records the window, unless that was done earlier; then what is there must show it. Returns the looks of a
    /// new recording.
    fn record(&self, session: &Session) -> Result<Option<usize>> {
        if self.path.is_file() {
            let window = RecordedWindow::read(&self.path)?;
            if !window.path.is_empty() {
                check_recording(&self.path, &window, &self.task)?;
            }
            return Ok(None);
        }
        let budget = Budget {
            evaluations: self.evaluations,
            ..Budget::default()
        };
        let mut observe = |_: usize, _: &[f64], _: &Evaluation| session.flow();
        let optimizer = self.optimizer.as_ref();
        let window = RecordedWindow::record(&self.task, optimizer, &budget, &mut observe)?;
        session.check()?;
        write_file(&self.path, &window.to_bytes()?, true)?;
        Ok(Some(window.path.len()))
    }
}

/// All recordings that have looks: nothing can be learned where the physics has no finite derivatives.
fn read_all(recordings: &[Recording], directory: &Path) -> Result<Vec<RecordedWindow>> {
    let windows = recordings
        .par_iter()
        .map(|recording| RecordedWindow::read(&recording.path));
    let mut windows = windows.collect::<Result<Vec<_>>>()?;
    windows.retain(|window| !window.path.is_empty());
    if windows.is_empty() {
        let advice = "record with more evaluations, or other clips";
        let found = "none";
        return Err(Error::input(
            directory.display(),
            "linearizations",
            found,
            advice,
        ));
    }
    Ok(windows)
}

/// By how much a recorded loss may differ from today's, relative to it.
const SAME_LOSS: f64 = 1e-3;

/// Refuses a recording that does not show `task`.
fn check_recording(path: &Path, window: &RecordedWindow, task: &WindowTask) -> Result<()> {
    let (found, variables) = (window.dimension(), task.dimension());
    if found != variables {
        let advice =
            format!("windows of {variables} are wanted: give another --recorded directory");
        return Err(Error::input(path.display(), "variables", found, advice));
    }
    if let Some(look) = window.path.first() {
        let value = task.value(&look.x);
        if (value - look.value).abs() > SAME_LOSS * value.abs() {
            let advice = format!(
                "the loss of this motion is {value:.4} there: give another --recorded directory"
            );
            return Err(Error::input(path.display(), "value", look.value, advice));
        }
    }
    Ok(())
}

/// Makes sure that what is in `directory` was recorded with `settings`, or notes them down there.
fn same_settings(directory: &Path, output: &OutputDir, settings: &RecordedSettings) -> Result<()> {
    let path = directory.join(SETTINGS);
    let windows = &settings.reconstruction;
    let mut wanted = serde_json::json!({
        "fps": windows.fps,
        "window_frames": windows.window_frames,
        "knot_frames": windows.knot_frames,
        "physics": windows.physics,
        "weights": windows.weights,
    });
    if settings.stitched_seconds > 0.0 {
        wanted["stitched_seconds"] = settings.stitched_seconds.into();
    }
    let wanted = json(&wanted)?;
    let found = match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if !holds_recordings(directory) {
                output.write(SETTINGS, wanted)?;
                return Ok(());
            }
            "none"
        }
        Err(error) => return Err(Error::io(&path, "read", error)),
        Ok(bytes) if bytes == wanted => return Ok(()),
        Ok(_) => "others",
    };
    let advice = "recordings show the loss they were made with: give another --recorded directory";
    Err(Error::input(path.display(), "settings", found, advice))
}

fn holds_recordings(directory: &Path) -> bool {
    let mut entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.any(|entry| Path::new(&entry.file_name()).extension() == Some("bin".as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_of_another_loss_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let output = OutputDir::create(dir.path(), true).unwrap();
        let mut settings = RecordedSettings::default();
        for _ in 0..2 {
            same_settings(dir.path(), &output, &settings).unwrap();
        }
        settings.reconstruction.target_loss += 1.0;
        same_settings(dir.path(), &output, &settings).unwrap();
        let stitched = RecordedSettings {
            stitched_seconds: 1.0,
            ..settings.clone()
        };
        settings.reconstruction.weights.velocity += 1.0;
        let refused = |settings: &RecordedSettings| {
            let error = same_settings(dir.path(), &output, settings).unwrap_err();
            error.exit_code() == 2 && error.to_string().contains("another --recorded")
        };
        assert!(refused(&settings) && refused(&stitched));
        // Recordings that do not say how they were made.
        std::fs::remove_file(dir.path().join(SETTINGS)).unwrap();
        same_settings(dir.path(), &output, &settings).unwrap();
        std::fs::remove_file(dir.path().join(SETTINGS)).unwrap();
        output.write("walk_10_lm_6.bin", [0]).unwrap();
        assert!(refused(&settings));
    }

    #[test]
    fn clips_are_picked_by_name_or_beginning() {
        assert!(fits("02_*", "02_01") && fits("*", "walk") && fits("walk", "walk"));
        assert!(!fits("02_*", "12_02") && !fits("walk", "walk_2"));
        let settings = Settings::default();
        let given = ReadOptions::default();
        assert!(family((&[], &given), &[], &settings).unwrap().len() > 20);
        let dir = tempfile::tempdir().unwrap();
        let walk = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/walk.npy");
        std::fs::copy(walk, dir.path().join("mine_1.npy")).unwrap();
        std::fs::write(dir.path().join("mine_1.json"), r#"{ "fps": 50.0 }"#).unwrap();
        let directories = [dir.path().to_path_buf()];
        let found = family((&directories, &given), &["mine_*".into()], &settings).unwrap();
        assert_eq!(found.window("mine_1", 10).unwrap().first(), 10);
        assert!(found.window("mine_1", 11).is_err());
        let missing = family((&directories, &given), &["yours".into()], &settings);
        assert!(missing.err().unwrap().to_string().contains("yours"));
    }
}
