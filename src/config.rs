//! Configuration files: JSON in which every field is optional and no field is unknown.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::json::read_text;
use crate::motion::Subject;
use crate::reconstruction::Settings;

pub use crate::json::parse as parse_json;
pub use training::{
    FunctionSettings, RecordedSettings, RecorderSettings, TaskSettings, TrainingConfig, Variables,
    WindowSettings,
};

mod training;

/// How a motion is reconstructed; `configs/reconstruct.json` holds the defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Name of the optimizer. Default: "lm-search".
    pub optimizer: String,
    /// Windows, loss weights, simulation and retries.
    pub reconstruction: Settings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            optimizer: "lm-search".into(),
            reconstruction: Settings::default(),
        }
    }
}

impl Config {
    /// Reads a configuration file; what it leaves out keeps its default.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read,
    /// [`Error::Input`] naming line, field and value when it is not valid.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read_text(path)?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Parses the text of a configuration file that errors call `origin`.
    ///
    /// # Errors
    /// [`Error::Input`] as for [`read`](Self::read).
    pub fn parse(text: &str, origin: &str) -> Result<Self> {
        parse_fields(text, origin)
    }

    /// The same configuration with what `subject` tells and it does not.
    #[must_use]
    pub fn about(&self, subject: Subject) -> Self {
        Self {
            reconstruction: self.reconstruction.about(subject),
            ..self.clone()
        }
    }

    /// The configuration as the text of a file, every field spelled out.
    pub fn to_json(&self) -> String {
        // Numbers, strings and options of them: serialization has nothing to fail on.
        let json = serde_json::to_string_pretty(self).unwrap_or_default();
        json + "\n"
    }
}

/// As [`parse_json`] of an object: a list would be taken for its fields in their order.
///
/// # Errors
/// [`Error::Input`] as for [`parse_json`], and for a list.
fn parse_fields<T: for<'de> Deserialize<'de>>(text: &str, origin: &str) -> Result<T> {
    if text.trim_start().starts_with('[') {
        let advice = "a configuration is an object: {\"optimizer\": \"lm\", ...}";
        return Err(Error::input(origin, "line 1", "a list", advice));
    }
    parse_json(text, origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The committed file is made by this test with MOTIONFIT_WRITE_CONFIGS=1.
    #[test]
    fn the_committed_file_holds_the_defaults() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/reconstruct.json");
        if std::env::var_os("MOTIONFIT_WRITE_CONFIGS").is_some() {
            std::fs::write(&path, Config::default().to_json()).unwrap();
        }
        assert_eq!(Config::read(&path).unwrap(), Config::default());
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, Config::default().to_json());
    }

    #[test]
    fn what_is_left_out_keeps_its_default() {
        let config = Config::parse(r#"{ "optimizer": "adam" }"#, "c.json").unwrap();
        assert_eq!(config.optimizer, "adam");
        assert_eq!(config.reconstruction, Settings::default());
    }

    #[test]
    fn errors_name_file_line_field_value_and_advice() {
        let message = |text: &str| Config::parse(text, "c.json").unwrap_err().to_string();
        let unknown = message("{\n  \"optimiser\": \"lm\"\n}");
        assert!(
            unknown.starts_with("c.json: line 2, \"optimiser\": found"),
            "{unknown}"
        );
        assert!(
            unknown.contains("expected `optimizer` or `reconstruction`"),
            "{unknown}"
        );
        let kind = message("{\n  \"reconstruction\": {\n    \"fps\": \"fast\"\n  }\n}");
        assert!(kind.starts_with("c.json: line 3, \"fps\": found"), "{kind}");
        assert!(
            kind.contains("\"fast\"") && kind.contains("expected f64"),
            "{kind}"
        );
        let broken = message("{ \"optimizer\": ");
        assert!(broken.starts_with("c.json: line 1"), "{broken}");
        assert!(!broken.contains('\n'));
        assert!(message("").contains("line 1"));
        let list = message("[]");
        assert!(
            list.contains("line 1: found a list; a configuration is an object"),
            "{list}"
        );
    }
}
