//! Training on windows of motion: the families, the metric, and what the card says of them.

use std::sync::Arc;

use super::super::Session;
use super::super::windows::{family, recorded, stitched};
use super::{RECORDED, TrainArgs, WEIGHTS, motions, resumes, run, start, start_path};
use crate::config::{RecordedSettings, TrainingConfig, Variables, WindowSettings};
use crate::error::Result;
use crate::learned::Trained;
use crate::objective::{HeldOut, Objective};
use crate::optim::{Metric, WhitenedFamily};
use crate::reconstruction::recorded::{RecordedFamily, mean_curvature};
use crate::reconstruction::{Settings, WindowFamily};

/// One window of so many is recorded for validation.
const VALIDATION_SHARE: usize = 5;

/// Trains on windows with the physics, in the variables of the metric of the weights it starts
/// from.
pub(super) fn on_windows(
    args: &TrainArgs,
    session: &Session,
    config: &TrainingConfig,
    settings: &WindowSettings,
) -> Result<()> {
    let clips = (&settings.clips[..], &settings.validation[..]);
    let wanted = (&settings.reconstruction, settings.stitched_seconds);
    session.agree(settings.check(&args.config.display().to_string()))?;
    let family = session.agree(held_out((args, session), clips, wanted))?;
    let (metric, theta) = session.agree(start_on_windows(args, config))?;
    let data = format!(
        "{} windows of {}",
        family.training.len(),
        described(args, &settings.clips)
    );
    let Some(metric) = metric else {
        return run(args, session, config, &family, (data, theta, None));
    };
    let n = family.training.nth(0).dimension();
    let whitening = Arc::new(metric.whitening(n));
    let whitened = WhitenedFamily { family, whitening };
    run(
        args,
        session,
        config,
        &whitened,
        (data, theta, Some(metric)),
    )
}

/// The metric and the meta-parameters to start from, if there are any.
fn start_on_windows(
    args: &TrainArgs,
    config: &TrainingConfig,
) -> Result<(Option<Metric>, Option<Vec<f32>>)> {
    // What is resumed goes on in the variables that it was begun in.
    let holds_metric = match resumes(args) {
        true => Some(args.out.join(WEIGHTS)),
        false => start_path(args, config),
    };
    let metric = match holds_metric {
        Some(path) => Trained::read(&path)?.metric,
        None => None,
    };
    Ok((metric, start(args, config)?))
}

/// Trains on recorded windows, in the variables that the settings name.
pub(super) fn on_recorded_windows(
    args: &TrainArgs,
    session: &Session,
    config: &TrainingConfig,
    settings: &RecordedSettings,
) -> Result<()> {
    let prepared = || {
        settings.check(&args.config.display().to_string())?;
        let clips = (&settings.clips[..], &settings.validation[..]);
        let wanted = (&settings.reconstruction, settings.stitched_seconds);
        held_out((args, session), clips, wanted)
    };
    let families = session.agree(prepared())?;
    let own = args.out.join(RECORDED);
    let directory = args.recorded.as_deref().unwrap_or(&own);
    let training = recorded(&families.training, settings, directory, session)?;
    let fewer = RecordedSettings {
        windows: settings.windows.div_ceil(VALIDATION_SHARE),
        ..settings.clone()
    };
    let validation = recorded(&families.validation, &fewer, directory, session)?;
    let n = families.training.nth(0).dimension();
    let curvature = session.agree(mean_curvature(&training, families.training.block()))?;
    let metric = match settings.variables {
        Variables::Curvature => curvature,
        Variables::Scaled => curvature.without_couplings(),
        Variables::Plain => curvature.identity(),
    };
    let whitening = metric.whitening(n);
    let looks: usize = training.iter().map(|window| window.path.len()).sum();
    let data = format!(
        "{} recorded windows ({looks} linearizations) of {}",
        training.len(),
        described(args, &settings.clips)
    );
    let family = HeldOut {
        training: RecordedFamily::new(&training, &whitening).roughened(settings.rough),
        validation: RecordedFamily::new(&validation, &whitening).roughened(settings.rough),
    };
    drop((training, validation));
    let theta = session.agree(start(args, config))?;
    let metric = Some(metric).filter(|_| settings.variables != Variables::Plain);
    run(args, session, config, &family, (data, theta, metric))
}

/// The families of the clips to train on and of those to validate on; a training that is resumed
/// must have been begun with the same.
fn held_out(
    (args, session): (&TrainArgs, &Session),
    (clips, validation): (&[String], &[String]),
    wanted: (&Settings, f64),
) -> Result<HeldOut<WindowFamily>> {
    if args.resume {
        motions::check(&args.motions, &args.out)?;
    }
    let motions = (&args.motions[..], &args.reading.options()?);
    let windows = |names: &[String]| match wanted {
        (settings, 0.0) => family(motions, names, settings),
        (settings, seconds) => stitched(motions, names, (settings, seconds), session),
    };
    let training = windows(clips)?;
    let validation = match validation {
        [] => training.clone(),
        names => windows(names)?,
    };
    Ok(HeldOut {
        training,
        validation,
    })
}

/// Clips in words.
fn described(args: &TrainArgs, clips: &[String]) -> String {
    let names = match clips {
        [] => "all clips".to_string(),
        clips => clips.join(", "),
    };
    match args.motions.as_slice() {
        [] => "the embedded walks".to_string(),
        _ => names,
    }
}
