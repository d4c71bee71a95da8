//! `motionfit reconstruct`: a pose file in, a simulated motion out.

mod args;
mod many;
mod one;

use std::path::PathBuf;

use super::{Session, named_by};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::reconstruction;
pub use args::ReconstructArgs;
use many::{named, reconstruct_many};
use one::reconstruct_one;
pub(super) use one::{run, run_keypoints};

/// Runs the command.
///
/// # Errors
/// For bad input, an unusable output directory, or an interruption; of several files only the others are written then.
pub fn reconstruct(args: &ReconstructArgs, session: &Session) -> Result<()> {
    let prepared = || Ok((configuration(args)?, named(&args.poses)?));
    let (config, several) = session.agree(prepared())?;
    if let Some(paths) = several {
        return reconstruct_many(&paths, args, &config, session);
    }
    let processes = session.ranks.size();
    if processes > 1 {
        let advice = "one file is reconstructed by one process: start one, or give several files";
        let refused = Error::input("mpirun", "processes", processes, advice);
        return session.agree(Err(refused));
    }
    let path = args.poses.first().map(PathBuf::as_path);
    reconstruct_one(args, &config, (path, args.out.as_deref()), session).map(drop)
}

/// The configuration, with what was given besides.
fn configuration(args: &ReconstructArgs) -> Result<Config> {
    let mut config = args.overrides.configuration()?;
    let mut origin = "optimizer"; // of the configuration
    if let Some(optimizer) = &args.optimizer {
        config.optimizer.clone_from(optimizer);
        origin = "--optimizer";
    }
    check_optimizer(origin, &config.optimizer, &config)?;
    if let Some(path) = &args.scene {
        config.reconstruction.add_scene(path)?;
    }
    Ok(config)
}

/// Refuses an unknown optimizer, which `origin` names, before anything is computed.
pub(super) fn check_optimizer(origin: &str, name: &str, config: &Config) -> Result<()> {
    let found = reconstruction::optimizer_of_windows(name, config.reconstruction.seed);
    found.map(drop).map_err(|error| named_by(origin, error))
}
