//! Learned optimizers by name, beside the classical ones.

use std::path::Path;

use crate::error::{Error, Result};
use crate::optim::{self, BasinHopping, Minimize, Options};

use super::Trained;

/// Optimizers whose weights come with the program, with those weights.
const SHIPPED: [(&str, &[u8]); 3] = [
    (
        "optimus",
        include_bytes!("../../assets/optimus.safetensors"),
    ),
    (
        "optimus-guided",
        include_bytes!("../../assets/optimus-guided.safetensors"),
    ),
    (
        "adafactor-mlp",
        include_bytes!("../../assets/adafactor-mlp.safetensors"),
    ),
];

/// Names of the learned optimizers that come with the program.
pub const NAMES: [&str; SHIPPED.len()] = [SHIPPED[0].0, SHIPPED[1].0, SHIPPED[2].0];

/// The end of the name of a weight file.
const WEIGHT_FILE: &str = ".safetensors";

/// The optimizer called `name`: a learned one with the weights that come with the program, one
/// read from a weight file, or a classical one ([`optim::by_name`]); `basin-` in front of any
/// wraps it in basin hopping.
///
/// # Errors
/// [`Error::Input`] for an unknown name (listing the known ones) and for a damaged weight file,
/// [`Error::Io`] for one that cannot be read.
pub fn by_name(name: &str, options: &Options) -> Result<Box<dyn Minimize>> {
    if let Some(local) = name.strip_prefix("basin-") {
        return Ok(Box::new(BasinHopping {
            seed: options.seed,
            ..BasinHopping::around(by_name(local, options)?)
        }));
    }
    if let Some((_, weights)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
        let trained = Trained::parse(weights, name)?.started_with(options.initial_step)?;
        return trained.optimizer(name);
    }
    if name.ends_with(WEIGHT_FILE) {
        let path = Path::new(name);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let trained = Trained::read(path)?.started_with(options.initial_step)?;
        return trained.optimizer(&stem);
    }
    if optim::NAMES.contains(&name) {
        return optim::by_name(name, options);
    }
    let known = [optim::NAMES.as_slice(), NAMES.as_slice()]
        .concat()
        .join(", ");
    let advice = format!("choose one of {known}, a *{WEIGHT_FILE} file, or basin- and one of them");
    Err(Error::input("optimizer", "name", name, advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_and_kept() {
        for name in NAMES.iter().chain(&optim::NAMES) {
            for name in [name.to_string(), format!("basin-{name}")] {
                assert_eq!(by_name(&name, &Options::default()).unwrap().name(), name);
            }
        }
    }

    #[test]
    fn unknown_names_and_missing_files_are_refused_with_advice() {
        let refused = |name: &str| {
            by_name(name, &Options::default())
                .err()
                .unwrap()
                .to_string()
        };
        let unknown = refused("basin-newton");
        assert!(
            unknown.contains("newton") && unknown.contains("optimus"),
            "{unknown}"
        );
        assert!(refused("nowhere.safetensors").contains("nowhere"));
    }
}
