//! Wall time of an iteration of every optimizer, without the objective.
//!
//! `cargo bench --bench optimizer_steps`; tools/scipy_step_time.py prints SciPy's for comparison.

use motionfit::benchmark::DIMENSIONS;
use motionfit::benchmark::timing::step_microseconds;
use motionfit::optim::{NAMES, Options, by_name};

fn main() -> motionfit::error::Result<()> {
    print!("{:>10}", "µs/step");
    DIMENSIONS
        .iter()
        .for_each(|dimension| print!("{dimension:>9}"));
    println!();
    // Levenberg–Marquardt needs a sum of squares, which the timed function is not.
    for name in NAMES.into_iter().filter(|name| *name != "lm") {
        let method = by_name(name, &Options::default())?;
        print!("{name:>10}");
        for dimension in DIMENSIONS {
            print!(
                "{:>9.2}",
                step_microseconds(method.as_ref(), dimension, 50, 10)?
            );
        }
        println!();
    }
    Ok(())
}
