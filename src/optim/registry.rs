//! Optimizers by name.

use crate::error::{Error, Result};

use super::{
    Adam, BasinHopping, Bfgs, GradientDescent, LBfgs, LevenbergMarquardt, Minimize, Named,
};

/// Names that [`by_name`] knows; each may be prefixed with `basin-`.
pub const NAMES: [&str; 7] = ["sgd", "sgd-m", "adam", "bfgs", "l-bfgs", "lm", "lm-search"];

/// Steps that `lm-search` tries from one linearization.
const SEARCH_TRIALS: usize = 4;

/// What may be chosen about a classical optimizer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Learning rate of the first-order methods. Default: 0.001 for `sgd` and `sgd-m`, 0.01 for
    /// `adam`.
    pub learning_rate: Option<f64>,
    /// Whether line searches look at values before gradients: for objectives whose gradient costs
    /// much more than their value. Default: no.
    pub probes_value_first: bool,
    /// Length of the first steps of a guided learned optimizer, in units of x. Default: what it
    /// was trained with.
    pub initial_step: Option<f64>,
    /// Smallest gain, as a share of the value, for which `lm` and `lm-search` go on. Default: 0.1.
    pub stall: Option<f64>,
    /// Whether the objectives are windows of motion: learned optimizers then have the weights that
    /// were trained on windows, where there are some. Default: no.
    pub is_window: bool,
    /// Seed of `basin-…`. Default: 0.
    pub seed: u64,
}

/// The optimizer called `name`.
///
/// # Errors
/// [`Error::Input`] for an unknown name (listing the known ones) and for a learning rate that is
/// not a positive number.
pub fn by_name(name: &str, options: &Options) -> Result<Box<dyn Minimize>> {
    if let Some(local) = name.strip_prefix("basin-") {
        let local = by_name(local, options)?;
        return Ok(Box::new(BasinHopping {
            seed: options.seed,
            ..BasinHopping::around(local)
        }));
    }
    let learning_rate = |default: f64| {
        let rate = options.learning_rate.unwrap_or(default);
        let is_valid = rate.is_finite() && rate > 0.0;
        let advice = "give a positive number";
        is_valid
            .then_some(rate)
            .ok_or_else(|| Error::input(name, "learning rate", rate, advice))
    };
    let probes_value_first = options.probes_value_first;
    Ok(match name {
        "sgd" | "sgd-m" => {
            let momentum = if name == "sgd" { 0.0 } else { 0.9 };
            let learning_rate = learning_rate(1e-3)?;
            Box::new(Named::new(
                name,
                GradientDescent {
                    learning_rate,
                    momentum,
                },
            ))
        }
        "adam" => {
            let learning_rate = learning_rate(Adam::default().learning_rate)?;
            Box::new(Named::new(
                name,
                Adam {
                    learning_rate,
                    ..Adam::default()
                },
            ))
        }
        "bfgs" => Box::new(Named::new(
            name,
            Bfgs {
                probes_value_first,
                ..Bfgs::default()
            },
        )),
        "l-bfgs" => Box::new(Named::new(
            name,
            LBfgs {
                probes_value_first,
                ..LBfgs::default()
            },
        )),
        "lm" | "lm-search" => {
            let default = LevenbergMarquardt::default();
            let searches = name == "lm-search";
            let lm = LevenbergMarquardt {
                stall: options.stall.unwrap_or(default.stall),
                trials: if searches { SEARCH_TRIALS } else { 1 },
                ..default
            };
            Box::new(Named::new(name, lm))
        }
        _ => {
            let advice = format!(
                "choose one of {}, or basin- and one of them",
                NAMES.join(", ")
            );
            return Err(Error::input("optimizer", "name", name, advice));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_and_kept() {
        for name in NAMES {
            for name in [name.to_string(), format!("basin-{name}")] {
                assert_eq!(by_name(&name, &Options::default()).unwrap().name(), name);
            }
        }
    }

    #[test]
    fn unknown_names_and_bad_rates_are_refused_with_advice() {
        let message = |name: &str, options: &Options| match by_name(name, options) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{name} was accepted"),
        };
        let unknown = message("newton", &Options::default());
        assert!(
            unknown.contains("newton") && unknown.contains("l-bfgs"),
            "{unknown}"
        );
        let options = Options {
            learning_rate: Some(-1.0),
            ..Options::default()
        };
        assert!(message("adam", &options).contains("positive"));
    }
}
