//! What `motionfit evaluate` shows in a browser: a page with a table, and a report for every row.

use std::path::Path;

use serde_json::Value;

use crate::commands::run::losses;
use crate::error::{Error, Result};
use crate::evaluation::page;
use crate::evaluation::summary::{Group, Row};
use crate::export::report::Pushes;
use crate::export::{Recording, report};
use crate::output::OutputDir;
use crate::reconstruction::Reconstruction;

/// The folder of the reports.
const REPORTS: &str = "reports";

/// Writes the report of a row, with what force plates measured, and its small picture.
pub(super) fn write_report(
    out: &Path,
    row: &Row,
    (reconstruction, measured): (&Reconstruction, &Pushes),
) -> Result<()> {
    let folder = out.join(REPORTS);
    std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, "create the directory", e))?;
    let recording = Recording::new(
        reconstruction.body.clone(),
        reconstruction.trajectory.clone(),
        reconstruction.reference.joints.clone(),
    );
    let Ok(recording) = recording else {
        return Ok(()); // a simulation without numbers cannot be shown: its row says that it failed
    };
    let name = page::file_name(row);
    let metrics = Value::Object(row.clone());
    let losses = losses(&reconstruction.curve);
    let text = report::encode(&recording, &name, &metrics, &losses, measured);
    let picture = page::picture(&recording.joints(), &recording.reference);
    let output = OutputDir::create(&folder, true)?;
    output.write(&format!("{name}.html"), text)?;
    output.write(&format!("{name}.svg"), picture)?;
    Ok(())
}

/// The page of all rows and of their `groups`; those that have a report in `out` link to it.
pub(super) fn page(out: &Path, rows: &[Row], groups: &[Group]) -> Vec<u8> {
    let report = |row: &Row| {
        let path = format!("{REPORTS}/{}", page::file_name(row));
        let exists = out.join(format!("{path}.html")).is_file();
        exists.then_some(path)
    };
    page::encode(rows, groups, report).into_bytes()
}
