//! How the ranks of a run are found.

use std::sync::Arc;

use super::{Alone, Ranks};
#[cfg(not(feature = "mpi"))]
use crate::error::Error;
use crate::error::Result;

/// Where launchers of MPI programs (mpirun, srun) tell a process how many there are.
const SIZES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"];

/// What only a process has that was begun by such a launcher.
#[cfg(feature = "mpi")]
const LAUNCHED: [&str; 2] = ["PMIX_RANK", "PMI_RANK"];

/// The ranks that this process was launched among by `mpirun` or the like; alone when it was launched by itself.
///
/// # Errors
/// [`Error::Input`] when there are several and the program was built without MPI: each would do the whole work.
pub fn launched() -> Result<Arc<dyn Ranks>> {
    #[cfg(feature = "mpi")]
    if SIZES
        .iter()
        .chain(&LAUNCHED)
        .any(|name| std::env::var_os(name).is_some())
    {
        return Ok(Arc::new(super::mpi::Mpi::start()?));
    }
    #[cfg(not(feature = "mpi"))]
    for name in SIZES {
        let size = std::env::var(name).ok();
        if let Some(size) = size.filter(|size| size.parse().is_ok_and(|n: usize| n > 1)) {
            let advice = "this program was built without MPI: build it with --features mpi, or start one process";
            return Err(Error::input(name, "processes", size, advice));
        }
    }
    Ok(Arc::new(Alone))
}

/// The threads of a process unless it is told otherwise: of ranks, which share machines, one each.
pub fn default_threads(ranks: &dyn Ranks) -> usize {
    match ranks.size() {
        1 => std::thread::available_parallelism().map_or(1, usize::from),
        _ => 1,
    }
}
