//! The paper's own Table 8, and where ours differs.

use serde::Deserialize;

use crate::error::{Error, Result};

use super::Row;

/// The published table, as printed.
const TABLE: &str = include_str!("../../data/paper_table8.json");

/// Both are solved when the values are below this: the paper's objective was in single precision.
const SOLVED: f64 = 1e-6;

/// The paper's numbers for one function and dimension: mean f after 200 iterations, as printed.
#[derive(Clone, Debug, Deserialize)]
pub struct PaperRow {
    /// Name of the function.
    pub function: String,
    /// Number of variables.
    pub dimension: usize,
    /// SciPy's BFGS.
    pub bfgs: f64,
    /// The paper's learned optimizer.
    pub optimus: f64,
    /// A learned optimizer of Metz et al. with Adafactor features.
    pub adafac: f64,
    /// Adam with the best of 100 learning rates.
    pub adam: f64,
    /// Gradient descent with momentum and the best of 100 learning rates.
    pub momentum: f64,
}

#[derive(Deserialize)]
struct Table {
    rows: Vec<PaperRow>,
}

/// The published table.
///
/// # Errors
/// [`Error::Internal`] when the embedded table cannot be read.
pub fn table() -> Result<Vec<PaperRow>> {
    let table: Table = serde_json::from_str(TABLE)
        .map_err(|error| Error::Internal(format!("data/paper_table8.json: {error}")))?;
    Ok(table.rows)
}

impl PaperRow {
    /// The printed column that `optimizer` answers to.
    pub fn column(&self, optimizer: &str) -> Option<f64> {
        match optimizer {
            "bfgs" => Some(self.bfgs),
            "optimus" => Some(self.optimus),
            "adafactor-mlp" => Some(self.adafac),
            "adam" => Some(self.adam),
            "sgd-m" => Some(self.momentum),
            _ => None,
        }
    }

    /// What the paper's values of this row stand above f − f*: Trid's f* is off by one there.
    pub fn shift(&self) -> f64 {
        let d = self.dimension as f64;
        if self.function == "trid" {
            0.5 * d * (d + 3.0)
        } else {
            0.0
        }
    }
}

/// A row of ours that is not within 10 % of the paper's.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Our value, with the paper's shift.
    pub ours: f64,
    /// The paper's, as printed.
    pub paper: f64,
    /// Why, as far as that is known.
    pub reason: &'static str,
}

/// How `row` differs from the paper's, if by more than 10 %.
///
/// The classical line-search methods are compared by their mean best value, first-order ones by
/// the mean final one, which is what the published numbers look like.
pub fn difference(row: &Row, paper: &PaperRow) -> Option<Difference> {
    let published = paper.column(&row.optimizer)?;
    let value = if row.optimizer == "bfgs" {
        row.mean_best
    } else {
        row.mean_final
    };
    let ours = value + paper.shift();
    let are_solved = ours < SOLVED && published < SOLVED;
    let are_close = (ours - published).abs() <= 0.1 * published;
    let reason = reason(row, ours > 0.8 * published && ours < published);
    (!are_solved && !are_close).then_some(Difference {
        ours,
        paper: published,
        reason,
    })
}

/// Why a row differs; `is_near` when it is up to a fifth below the paper's.
fn reason(row: &Row, is_near: bool) -> &'static str {
    let first_order = row.optimizer != "bfgs";
    match (row.function, row.dimension) {
        ("perm0", _) => "the paper's Perm rows repeat its Sum of Squares; ours are true Perm",
        ("trid", 250..) => {
            "unknown; minimizers lie as far as d²/4, so the value measures how fast steps grow"
        }
        ("zakharov", 100..) if !first_order => {
            "unknown; the paper's objective is in single precision, in which 1e19 leaves no digits below 1e12"
        }
        ("zakharov", 50..) => {
            "starts of up to 1e19 leave hardly a stable learning rate; the mean hangs on the highest starts"
        }
        ("levy", _) if !first_order => "the paper's values stand 4 to 5 higher throughout: unknown",
        ("styblinski_tang", _) => {
            "many local minima; the paper's values stand about 10 % higher: unknown scale"
        }
        ("sum_powers", _) if first_order => {
            "the scale 0.1 was inferred from BFGS and does not explain the first-order columns"
        }
        ("sphere" | "sum_squares" | "rot_hyper_ellipsoid", 20..) if first_order && is_near => {
            "one step: ours is the value after 200 updates, the paper's seems to be after 199"
        }
        ("ackley" | "rastrigin" | "griewank" | "levy", _) => {
            "local minima: the mean depends on the 64 starts, which the paper does not give"
        }
        _ if first_order => {
            "learning rates, momentum and the handling of diverged runs are not published"
        }
        ("rosenbrock" | "dixon_price", 10 | 20) => {
            "local minima: the mean depends on how many of the 64 starts end in one"
        }
        _ => "sampling of the 64 starts, or single precision",
    }
}

#[cfg(test)]
mod tests {
    use super::super::functions::index_of;
    use super::super::profile::Profile;
    use super::*;

    #[test]
    fn every_row_of_the_table_is_a_known_function() {
        let table = table().unwrap();
        assert_eq!(table.len(), 120);
        assert!(table.iter().all(|row| index_of(&row.function).is_ok()));
    }

    #[test]
    fn perm_repeats_sum_of_squares() {
        let table = table().unwrap();
        let of = |name: &str| {
            table
                .iter()
                .filter(|r| r.function == name)
                .map(|r| r.adam)
                .collect()
        };
        let (perm, squares): (Vec<f64>, Vec<f64>) = (of("perm0"), of("sum_squares"));
        assert_eq!(perm, squares);
    }

    /// Shares computed from the published table independently of this program.
    #[test]
    fn the_published_profile_of_held_out_dimensions() {
        let table = table().unwrap();
        let held_out = table.iter().filter(|row| row.dimension >= 250);
        let values: Vec<Vec<f64>> = held_out
            .map(|r| vec![r.optimus, r.bfgs, r.adafac, r.adam, r.momentum])
            .collect();
        let names = ["optimus", "bfgs", "adafac", "adam", "momentum"].map(String::from);
        let profile = Profile::new("held out", &names, &values);
        let expected = [
            [0.53, 0.76, 0.84],
            [0.24, 0.36, 0.53],
            [0.20, 0.33, 0.49],
            [0.02, 0.13, 0.62],
            [0.00, 0.11, 0.44],
        ];
        for (curve, expected) in profile.solvers.iter().zip(expected) {
            let found = [0, 10, 40].map(|i| curve.rho[i]);
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 0.0051,
                    "{}: {found:?}",
                    curve.optimizer
                );
            }
        }
    }
}
