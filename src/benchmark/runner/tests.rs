use super::super::functions::index_of;
use super::*;
use crate::optim::{Options, by_name};

fn descent(learning_rates: &[f64]) -> Solver {
    let variant = |rate: &f64| {
        let options = Options {
            learning_rate: Some(*rate),
            ..Options::default()
        };
        (Some(*rate), by_name("sgd", &options).unwrap())
    };
    Solver {
        name: "sgd".into(),
        variants: learning_rates.iter().map(variant).collect(),
    }
}

fn plan(function: &str) -> Plan {
    Plan {
        functions: vec![index_of(function).unwrap()],
        dimensions: vec![2, 10],
        inits: 5,
        iterations: 20,
        ..Plan::default()
    }
}

fn rows(plan: &Plan, solvers: &[Solver]) -> Vec<Row> {
    run(plan, solvers, &|_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn the_race_picks_what_the_full_grid_picks() {
    let rates = [1e-4, 1e-3, 1e-2, 3e-2, 0.1, 1.0];
    for function in ["sum_squares", "griewank", "rosenbrock"] {
        let plan = plan(function);
        let raced = rows(&plan, &[descent(&rates)]);
        let each: Vec<Vec<Row>> = rates
            .iter()
            .map(|r| rows(&plan, &[descent(&[*r])]))
            .collect();
        for (i, row) in raced.iter().enumerate() {
            let lowest = each
                .iter()
                .map(|r| r[i].mean_final)
                .fold(f64::INFINITY, f64::min);
            assert_eq!(row.mean_final.to_bits(), lowest.to_bits());
        }
    }
}

#[test]
fn diverged_runs_count_with_their_start() {
    let row = rows(&plan("zakharov"), &[descent(&[1.0])]).remove(1);
    assert_eq!(row.diverged, 5);
    assert_eq!(row.mean_final.to_bits(), row.best_by_iteration[0].to_bits());
}

#[test]
fn rows_come_in_order_and_curves_fall() {
    let plan = Plan {
        functions: vec![1, 9],
        ..plan("sphere")
    };
    let rows = rows(&plan, &[descent(&[1e-3]), descent(&[1e-2])]);
    let order: Vec<_> = rows
        .iter()
        .map(|row| (row.function, row.dimension))
        .collect();
    assert_eq!(
        order[..4],
        [
            ("dixon_price", 2),
            ("dixon_price", 2),
            ("dixon_price", 10),
            ("dixon_price", 10)
        ]
    );
    for row in &rows {
        assert_eq!(
            (row.best_by_iteration.len(), row.best_by_evaluation.len()),
            (21, 21)
        );
        assert!(row.best_by_iteration.is_sorted_by(|a, b| a >= b));
    }
}

#[test]
fn progress_may_stop_it() {
    let stopped = run(&plan("sphere"), &[descent(&[0.1])], &|_| {
        ControlFlow::Break(())
    });
    assert!(matches!(stopped, Err(Error::Interrupted)));
}
