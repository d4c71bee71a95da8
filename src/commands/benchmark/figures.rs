//! The figures of the benchmark and the numbers behind them.

use crate::benchmark::{Plan, Row, Solver};
use crate::error::Result;
use crate::plot::Picture;

use super::profiles::Profiles;
use super::steps::{timing_picture, trajectory_picture};
use super::values::{dimension_picture, evaluations_picture};

/// The numbers of profile.json, and all pictures by file name.
pub fn all(
    plan: &Plan,
    solvers: &[Solver],
    rows: &[Row],
    is_timed: bool,
) -> Result<(Profiles, Vec<(&'static str, Picture)>)> {
    let profiles = Profiles::new(plan, rows)?;
    let mut pictures = Vec::from(profiles.pictures());
    pictures.extend([
        ("dimension", dimension_picture(rows)),
        ("evaluations", evaluations_picture(rows)),
        ("trajectory", trajectory_picture(solvers)?),
    ]);
    if is_timed {
        pictures.push(("timing", timing_picture(solvers, &plan.dimensions)?));
    }
    Ok((profiles, pictures))
}
