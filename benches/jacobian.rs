//! What a rollout, a snapshot and the Jacobian of a window cost.
//!
//! `cargo bench --bench jacobian` prints, for windows of 0.5, 1 and 2 s in the middle of a clip and
//! for one and two threads, medians of several runs on the embedded walk, and what the estimate of the
//! next window's Jacobian costs that comes from the states in which the columns of this one ended; and
//! what four trials cost that are announced.

use std::hint::black_box;
use std::time::Instant;

use motionfit::motion::sample;
use motionfit::objective::{Objective, Residuals};
use motionfit::reconstruction::{PhysicsWindow, Settings, TrackingProblem};
use motionfit::simulation::Knots;

/// Where the windows start, and by how much the next one is later, frames.
const FIRST: usize = 10;
const SHIFT: usize = 5;
/// Points of which the values are asked for one after the other, as `lm-search` does.
const TRIALS: usize = 4;

/// Median milliseconds of `runs` calls.
fn milliseconds<T>(runs: usize, mut call: impl FnMut() -> T) -> f64 {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let started = Instant::now();
            black_box(call());
            1e3 * started.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let motion = sample("walk").ok_or("no sample")?;
    let clip = TrackingProblem::new(motion, &Settings::default())?;
    let world = clip.world(0);
    println!("snapshot {:.3} ms", milliseconds(101, || world.clone()));
    println!(
        "{:>8} {:>8} {:>12} {:>14} {:>14} {:>22} {:>13} {:>13} {:>13}",
        "window",
        "columns",
        "rollout ms",
        "Jacobian 1t",
        "Jacobian 2t",
        "rollouts per parameter",
        "inherited 1t",
        "4 trials 1t",
        "4 trials 2t"
    );
    // Rollouts are kept for a while: every call looks at another point.
    let mut calls = 0.0;
    let mut elsewhere = |x: &[f64]| -> Vec<f64> {
        calls += 1.0;
        x.iter().map(|x| x + 1e-9 * calls).collect()
    };
    for frames in [25, 50, 100] {
        let knots = Knots::zeros(5, clip.motion.len(), clip.body.links.len());
        let window = PhysicsWindow::new(&clip, FIRST, frames, clip.start(FIRST), &knots);
        let x = window.point();
        let rollout = milliseconds(9, || window.residuals(&elsewhere(&x)));
        let (mut jacobian, mut trials) = ([0.0; 2], [0.0; 2]);
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()?;
            pool.install(|| {
                jacobian[threads - 1] =
                    milliseconds(3, || window.residuals_and_jacobian(&elsewhere(&x)));
                trials[threads - 1] = milliseconds(5, || {
                    let points: Vec<_> = (0..TRIALS).map(|_| elsewhere(&x)).collect();
                    for (n, x) in points.iter().enumerate() {
                        let next = |count| points[n + 1..].iter().take(count).cloned().collect();
                        window.look_ahead(x, &next);
                        window.residuals(x);
                    }
                });
            });
        }
        let single = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
        // The window five frames later, with the Jacobian of this one.
        let mut earlier =
            PhysicsWindow::new(&clip, FIRST, frames, clip.start(FIRST), &knots).remembering();
        earlier.residuals_and_jacobian(&x);
        let start = clip.start(FIRST + SHIFT);
        let next = PhysicsWindow::new(&clip, FIRST + SHIFT, frames, start, &knots)
            .with_inherited(earlier.take_last_jacobian());
        let point = next.point();
        let inherited = single.install(|| milliseconds(3, || next.estimated_jacobian(&point)));
        println!(
            "{:>6.1} s {:>8} {:>12.2} {:>14.1} {:>14.1} {:>22.3} {:>13.1} {:>13.1} {:>13.1}",
            frames as f64 / 50.0,
            window.dimension(),
            rollout,
            jacobian[0],
            jacobian[1],
            jacobian[0] / rollout / window.dimension() as f64,
            inherited,
            trials[0],
            trials[1],
        );
    }
    Ok(())
}
