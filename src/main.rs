//! The command-line program: its allocator, its threads, its exit code.

use std::process::ExitCode;

/// Tensors come and go with every step of a learned optimizer: with the system's allocator half of
/// a benchmark of the Adafactor MLP in 1000 variables went into mapping their pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keep_tensors_on_one_thread();
    ExitCode::from(motionfit::cli::run_program(std::env::args_os()))
}

/// Tensor operations stay on the thread that calls them, so that sums have one order; parallel is
/// what is above them: problems, windows, columns.
fn keep_tensors_on_one_thread() {
    for variable in ["CANDLE_NUM_THREADS", "RAYON_NUM_THREADS"] {
        #[allow(unsafe_code)]
        // SAFETY: no other thread has been started.
        unsafe {
            std::env::set_var(variable, "1");
        }
    }
}
