//! Learned optimizers by name, beside the classical ones.

use std::borrow::Cow;
use std::path::Path;

use crate::error::{Error, Result};
use crate::optim::{self, BasinHopping, InMetric, Metric, Minimize, Options};

use super::Trained;
use super::shipped::Weights;

/// An optimizer whose weights come with the program.
struct Shipped {
    name: &'static str,
    /// Weights trained on test functions.
    functions: Option<Weights>,
    /// Weights trained on windows of walks.
    windows: Weights,
}

/// A file in `assets/` as a part of the program.
macro_rules! embedded {
    ($name:literal) => {
        Weights::Embedded(include_bytes!(concat!("../../assets/", $name)))
    };
}

/// The weights whose metric serves `metric-…` as well.
const NEWTON: Weights = embedded!("optimus-newton-walking.safetensors");

/// Those that are not embedded have 3 MB each.
const SHIPPED: [Shipped; 5] = [
    Shipped {
        name: "optimus",
        functions: Some(Weights::File("optimus.safetensors")),
        windows: Weights::File("optimus-walking.safetensors"),
    },
    Shipped {
        name: "optimus-guided",
        functions: Some(embedded!("optimus-guided.safetensors")),
        windows: embedded!("optimus-guided-walking.safetensors"),
    },
    Shipped {
        name: "optimus-newton",
        functions: None,
        windows: NEWTON,
    },
    Shipped {
        name: "optimus-search",
        functions: None,
        windows: embedded!("optimus-search-walking.safetensors"),
    },
    Shipped {
        name: "adafactor-mlp",
        functions: Some(embedded!("adafactor-mlp.safetensors")),
        windows: Weights::File("adafactor-mlp-walking.safetensors"),
    },
];

/// Names of the learned optimizers that come with the program; `optimus-newton` and
/// `optimus-search` only for windows.
pub const NAMES: [&str; SHIPPED.len()] = [
    SHIPPED[0].name,
    SHIPPED[1].name,
    SHIPPED[2].name,
    SHIPPED[3].name,
    SHIPPED[4].name,
];

impl Shipped {
    /// The weights for the objectives of `options`.
    fn weights(&self, options: &Options) -> Result<Cow<'static, [u8]>> {
        if options.is_window {
            return self.windows.bytes();
        }
        let functions = self.functions.ok_or_else(|| {
            let advice = "it needs a Jacobian: use it in reconstruct and evaluate";
            Error::input("optimizer", "name", self.name, advice)
        });
        functions?.bytes()
    }
}

/// The metric of windows.
fn window_metric() -> Result<Metric> {
    let metric = Trained::parse(&NEWTON.bytes()?, "optimus-newton")?.metric;
    metric.ok_or_else(|| Error::Internal("optimus-newton has no metric".into()))
}

/// What stands in front of the name of an optimizer that works in the metric of windows.
const METRIC: &str = "metric-";

/// The end of the name of a weight file.
const WEIGHT_FILE: &str = ".safetensors";

/// The optimizer called `name`: a learned one with the weights that come with the program, one
/// read from a weight file, or a classical one ([`optim::by_name`]); `basin-` in front of any
/// wraps it in basin hopping, and `metric-`, for windows, lets it work in the variables of their mean
/// curvature.
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
    if let Some(local) = name.strip_prefix(METRIC).filter(|_| options.is_window) {
        return Ok(Box::new(InMetric {
            prefix: METRIC,
            metric: window_metric()?,
            optimizer: by_name(local, options)?,
        }));
    }
    if let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.name == name) {
        let weights = shipped.weights(options)?;
        let trained = Trained::parse(&weights, name)?.started_with(options.initial_step)?;
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
        let windows = Options {
            is_window: true,
            ..Options::default()
        };
        for name in NAMES.iter().chain(&optim::NAMES) {
            for name in [name.to_string(), format!("basin-{name}")] {
                assert_eq!(by_name(&name, &windows).unwrap().name(), name);
                if !["newton", "search"].iter().any(|part| name.contains(part)) {
                    assert_eq!(by_name(&name, &Options::default()).unwrap().name(), name);
                }
            }
        }
        assert_eq!(by_name("metric-lm", &windows).unwrap().name(), "metric-lm");
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
        assert!(refused("optimus-newton").contains("Jacobian"));
        assert!(refused("metric-lm").contains("choose one of"));
    }
}
