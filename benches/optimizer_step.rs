//! Wall time of an iteration of every optimizer on one thread, without the objective, and the
//! memory that a learned one takes.
//!
//! `cargo bench --bench optimizer_step`; tools/scipy_step_time.py prints SciPy's for comparison.

use std::sync::Arc;

use motionfit::benchmark::timing::step_microseconds;
use motionfit::error::Result;
use motionfit::learned::{AdafactorMlp, Architecture, Learned, LearnedOptimizer, Network};
use motionfit::objective::Rng;
use motionfit::optim::{Minimize, Named, Options};
use motionfit::{learned, optim};
use rand::SeedableRng;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DIMENSIONS: [usize; 5] = [2, 10, 100, 250, 1000];

fn main() -> Result<()> {
    for variable in ["CANDLE_NUM_THREADS", "RAYON_NUM_THREADS"] {
        // SAFETY: no other thread has been started.
        unsafe { std::env::set_var(variable, "1") };
    }
    print!("{:>20}", "µs/step, N =");
    DIMENSIONS.iter().for_each(|n| print!("{n:>10}"));
    println!("{:>10}", "peak MiB");
    // Levenberg–Marquardt needs a sum of squares, which the timed function is not.
    let classical = optim::NAMES.into_iter().filter(|name| *name != "lm");
    for name in classical.chain(learned::NAMES) {
        time(learned::by_name(name, &Options::default())?.as_ref())?;
    }
    time(wide_mlp()?.as_ref())
}

/// The Adafactor MLP with 512 × 4 units, which is not shipped: untrained, as fast as any.
fn wide_mlp() -> Result<Box<dyn Minimize>> {
    let network = Network::new(&Architecture::AdafactorMlp(AdafactorMlp {
        width: 512,
        layers: 4,
        ..AdafactorMlp::default()
    }))?;
    let theta = network.initial(&mut Rng::seed_from_u64(0));
    let network = Arc::new(network);
    Ok(Box::new(Named::new(
        "adafactor-mlp-512x4",
        Learned::new(network, &theta)?,
    )))
}

fn time(method: &dyn Minimize) -> Result<()> {
    print!("{:>20}", method.name());
    for n in DIMENSIONS {
        let iterations = if n > 100 { 5 } else { 50 };
        print!("{:>10.1}", step_microseconds(method, n, iterations, 6)?);
    }
    println!(
        "{:>10}",
        peak_memory().map_or("?".into(), |mib| format!("{mib:.0}"))
    );
    Ok(())
}

/// Peak resident memory of the process so far, in MiB, where the system tells.
fn peak_memory() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
