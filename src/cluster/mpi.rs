//! Ranks that `mpirun` has launched.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use mpi::Count;
use mpi::Threading;
use mpi::datatype::{Partition, PartitionMut};
use mpi::environment::{Universe, processor_name};
use mpi::point_to_point::MatchedReceiveVec;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Destination, Source};

use super::Ranks;
use crate::error::{Error, Result};

/// The processes of `MPI_COMM_WORLD`. Its errors end all of them, as is MPI's way.
pub(super) struct Mpi {
    rank: usize,
    /// The machine of every rank.
    hosts: Vec<String>,
    has_lost: AtomicBool,
    /// Finalizes when it is dropped.
    universe: Mutex<Option<Universe>>,
}

impl Mpi {
    /// Meets the others.
    ///
    /// # Errors
    /// [`Error::Internal`] when that was done already.
    pub fn start() -> Result<Self> {
        let started = mpi::initialize_with_threading(Threading::Funneled);
        let (universe, _) =
            started.ok_or_else(|| Error::Internal("MPI is at work already".into()))?;
        let mut ranks = Self {
            rank: world().rank() as usize,
            hosts: vec![String::new(); world().size() as usize],
            has_lost: AtomicBool::new(false),
            universe: Mutex::new(Some(universe)),
        };
        let host = processor_name().unwrap_or_default();
        let ranks_so_far: &dyn Ranks = &ranks;
        ranks.hosts = ranks_so_far.share(&host)?;
        Ok(ranks)
    }
}

fn world() -> SimpleCommunicator {
    SimpleCommunicator::world()
}

impl fmt::Debug for Mpi {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} of {}", self.name(self.rank), self.size())
    }
}

/// Sizes as MPI counts them, and where each part begins.
fn layout(sizes: &[usize]) -> Result<(Vec<Count>, Vec<Count>, usize)> {
    let total: usize = sizes.iter().sum();
    if Count::try_from(total).is_err() {
        let message = format!("{total} bytes at once are more than MPI takes");
        return Err(Error::Internal(message));
    }
    let counts: Vec<Count> = sizes.iter().map(|size| *size as Count).collect();
    let starts = counts.iter().scan(0, |next, count| {
        let start = *next;
        *next += count;
        Some(start)
    });
    let starts = starts.collect();
    Ok((counts, starts, total))
}

impl Ranks for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.hosts.len()
    }

    fn name(&self, rank: usize) -> String {
        format!("rank {rank} on {}", self.hosts[rank])
    }

    fn exchange(&self, parts: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>> {
        let sizes: Vec<u64> = parts.iter().map(|part| part.len() as u64).collect();
        let mut given = vec![0_u64; self.size()];
        world().all_to_all_into(&sizes, &mut given);
        let given: Vec<usize> = given.into_iter().map(|size| size as usize).collect();
        let sizes: Vec<usize> = parts.iter().map(Vec::len).collect();
        let (counts, starts, total) = layout(&sizes)?;
        let (counts_in, starts_in, total_in) = layout(&given)?;
        // A byte more than is needed: the address of an empty Vec may be the one that means MPI_IN_PLACE.
        let mut sent = parts.concat();
        sent.push(0);
        let mut received = vec![0_u8; total_in + 1];
        world().all_to_all_varcount_into(
            &Partition::new(&sent[..total], counts, starts),
            &mut PartitionMut::new(&mut received[..total_in], counts_in, &starts_in[..]),
        );
        let places = starts_in.iter().zip(&given);
        let part = |(start, size): (&Count, &usize)| {
            let start = *start as usize;
            received[start..start + size].to_vec()
        };
        Ok(places.map(part).collect())
    }

    fn send(&self, to: usize, message: &[u8]) -> Result<()> {
        world().process_at_rank(to as i32).send(message);
        Ok(())
    }

    fn receive(&self) -> Result<Option<(usize, Vec<u8>)>> {
        let found = world().any_process().immediate_matched_probe();
        Ok(found.map(|found| {
            let (message, status) = found.matched_receive_vec::<u8>();
            (status.source_rank() as usize, message)
        }))
    }

    fn give_up(&self, _rank: usize) {
        self.has_lost.store(true, Ordering::Relaxed);
    }

    fn end(&self, has_agreed: bool, code: u8) {
        if !has_agreed || self.has_lost.load(Ordering::Relaxed) {
            world().abort(code.into());
        }
        if let Ok(mut universe) = self.universe.lock() {
            drop(universe.take());
        }
    }
}
