//! BFGS and L-BFGS against SciPy's, recorded by tools/benchmark_golden.py.

use std::collections::HashMap;
use std::ops::ControlFlow;

use motionfit::benchmark::functions::index_of;
use motionfit::benchmark::{Plan, Row, Solver, run};
use motionfit::optim::{Options, by_name};
use serde_json::Value;

/// Values below this are all the same: solved.
const SOLVED: f64 = 1e-6;

/// Rows whose mean hangs on single runs that rounding decides, or that overflow:
/// * Zakharov beyond 250 variables: a mean of 1e17 over a median of 1e-13;
/// * Perm in ten and more variables, which starts at 1e22 and on which SciPy's BFGS stops early;
/// * Rosenbrock in ten variables: moving the starts by 1e-15 sends 10 to 12 of 64 runs of BFGS to
///   the local minimum of value 3.99; SciPy was recorded with 9;
/// * Powell in 1000 variables: moving the starts by 1e-15 moves the mean of L-BFGS between 4.0e-5
///   and 4.5e-5, and that of SciPy's between 3.8e-5 and 4.1e-5.
fn is_irreproducible(row: &Row) -> bool {
    match (row.function, row.dimension) {
        ("zakharov", dimension) => dimension >= 500,
        ("perm0", _) => true,
        ("rosenbrock", 10) => row.optimizer == "bfgs",
        ("powell", 1000) => row.optimizer == "l-bfgs",
        _ => false,
    }
}

fn golden() -> Vec<Value> {
    let text = include_str!("golden/scipy_baselines.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    golden["rows"].as_array().unwrap().clone()
}

/// Our rows for `optimizer` where `dimension` is at most `largest`, beside SciPy's.
fn pairs(optimizer: &str, largest: u64) -> Vec<(Row, Value)> {
    let rows = golden().into_iter().filter(|row| {
        row["optimizer"] == optimizer && row["dimension"].as_u64().unwrap() <= largest
    });
    let mut by_dimension: HashMap<u64, Vec<Value>> = HashMap::new();
    rows.for_each(|r| {
        by_dimension
            .entry(r["dimension"].as_u64().unwrap())
            .or_default()
            .push(r)
    });
    let mut pairs = Vec::new();
    for (dimension, golden) in by_dimension {
        let plan = Plan {
            functions: golden
                .iter()
                .map(|r| index_of(r["function"].as_str().unwrap()).unwrap())
                .collect(),
            dimensions: vec![dimension as usize],
            ..Plan::default()
        };
        let method = by_name(optimizer, &Options::default()).unwrap();
        let solver = Solver {
            name: optimizer.into(),
            variants: vec![(None, method)],
        };
        let rows = run(&plan, &[solver], &|_| ControlFlow::Continue(())).unwrap();
        pairs.extend(rows.into_iter().zip(golden));
    }
    pairs
}

/// Every row at most 10 % above SciPy's, and no more evaluations than SciPy's on average over the
/// functions.
fn assert_no_worse_than_scipy(optimizer: &str, largest: u64) {
    let (mut ours, mut theirs, mut worse) = (0.0, 0.0, Vec::new());
    for (row, golden) in pairs(optimizer, largest) {
        let number = |key: &str| golden[key].as_f64().unwrap();
        if is_irreproducible(&row) {
            continue;
        }
        ours += row.mean_evaluations;
        theirs += number("mean_nfev");
        let bound = 1.1 * number("mean_best").max(SOLVED);
        if row.mean_best > bound {
            worse.push(format!(
                "{} {}: {} against {}",
                row.function,
                row.dimension,
                row.mean_best,
                number("mean_best")
            ));
        }
    }
    assert!(worse.is_empty(), "{}", worse.join("\n"));
    assert!(ours <= theirs, "{ours} evaluations, SciPy {theirs}");
}

#[test]
fn bfgs_is_no_worse_than_scipy() {
    assert_no_worse_than_scipy("bfgs", 100);
}

#[test]
fn l_bfgs_is_no_worse_than_scipy() {
    assert_no_worse_than_scipy("l-bfgs", 100);
}

#[test]
#[ignore = "two minutes: the dense matrices of 1000 variables"]
fn bfgs_is_no_worse_than_scipy_in_large() {
    assert_no_worse_than_scipy("bfgs", 1000);
}

#[test]
#[ignore = "half a minute"]
fn l_bfgs_is_no_worse_than_scipy_in_large() {
    assert_no_worse_than_scipy("l-bfgs", 1000);
}
