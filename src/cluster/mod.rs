//! Many processes, perhaps on many machines, that share one run.
//!
//! * [`Ranks`]: the processes of a run, which MPI calls ranks, and how they talk: [`Alone`] is the one process of
//!   an ordinary run, [`threads()`] makes ranks of threads, and with the feature `mpi` those of `mpirun` are found by
//!   [`launched`];
//! * [`work_off`]: a queue of jobs that the first rank hands out to the threads of all;
//! * [`ordered_sum`]: a sum over all ranks that is the same to the last bit however many there are;
//! * [`Shard`]: a share of the jobs, for runs that do not talk at all.
//!
//! Nothing that is computed depends on the number of ranks. Each runs the same program on the same arguments and
//! sees the same files.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

pub use launch::{default_threads, launched};
pub use queue::{Collector, work_off};
pub use shard::Shard;
pub use sum::ordered_sum;
pub use threads::threads;

mod launch;
#[cfg(feature = "mpi")]
mod mpi;
mod pool;
mod queue;
mod shard;
mod sum;
mod threads;

/// The processes of a run, as one of them sees the others.
///
/// One thread of each process talks: the one that began the run.
pub trait Ranks: Debug + Send + Sync {
    /// The number of this process, from 0; the first one leads: it writes and prints.
    fn rank(&self) -> usize;

    /// The number of processes.
    fn size(&self) -> usize;

    /// What `rank` is called in messages, with its machine.
    fn name(&self, rank: usize) -> String;

    /// Gives `parts[r]` to every rank r, and returns what each has given to this one, in the order of ranks. All
    /// ranks must call it, and wait for each other.
    ///
    /// # Errors
    /// [`Error::Internal`] when the connection is broken.
    fn exchange(&self, parts: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>>;

    /// Sends a short message; it need not be waited for.
    ///
    /// # Errors
    /// [`Error::Internal`] when the connection is broken.
    fn send(&self, to: usize, message: &[u8]) -> Result<()>;

    /// A message that has come, and who sent it; `None` when there is none yet.
    ///
    /// # Errors
    /// [`Error::Internal`] when the connection is broken.
    fn receive(&self) -> Result<Option<(usize, Vec<u8>)>>;

    /// Notes down that a rank is lost: the others cannot take leave of it.
    fn give_up(&self, _rank: usize) {}

    /// Takes leave. After an error that the ranks did not agree on, and where one is lost, the others would wait
    /// for ever: they are ended with `code`.
    fn end(&self, _has_agreed: bool, _code: u8) {}
}

/// The one process of an ordinary run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Ranks for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn name(&self, _rank: usize) -> String {
        "rank 0".into()
    }

    fn exchange(&self, parts: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>> {
        Ok(parts)
    }

    fn send(&self, _to: usize, _message: &[u8]) -> Result<()> {
        Ok(())
    }

    fn receive(&self) -> Result<Option<(usize, Vec<u8>)>> {
        Ok(None)
    }
}

/// What can be said with an exchange.
impl dyn Ranks + '_ {
    /// Whether this process leads.
    pub fn leads(&self) -> bool {
        self.rank() == 0
    }

    /// What every rank has to say, in the order of ranks.
    ///
    /// # Errors
    /// As [`Ranks::exchange`].
    pub fn share<T: Serialize + DeserializeOwned>(&self, own: &T) -> Result<Vec<T>> {
        let bytes = pack(own)?;
        let said = self.exchange(vec![bytes; self.size()])?;
        said.iter().map(|bytes| unpack(bytes)).collect()
    }

    /// What every rank gives to the first, in the order of ranks; nothing elsewhere.
    ///
    /// # Errors
    /// As [`Ranks::exchange`].
    pub fn collect<T: Serialize + DeserializeOwned>(&self, own: &T) -> Result<Vec<T>> {
        let mut parts = vec![Vec::new(); self.size()];
        parts[0] = pack(own)?;
        let given = self.exchange(parts)?;
        let of_first = given.iter().filter(|_| self.leads());
        of_first.map(|bytes| unpack(bytes)).collect()
    }

    /// Goes on only where no rank has failed: all return the error of the first that has.
    ///
    /// # Errors
    /// That of this process when it is alone, [`Error::Shared`] otherwise.
    pub fn agree<T>(&self, outcome: Result<T>) -> Result<T> {
        if self.size() == 1 {
            return outcome;
        }
        let own = outcome.as_ref().err().map(|error| self.failure(error));
        let all: Vec<Option<Failure>> = self.share(&own)?;
        match all.into_iter().flatten().next() {
            Some(failure) => Err(failure.into()),
            // No rank has failed, this one neither.
            None => outcome,
        }
    }

    /// An error of this rank, to be told to the others.
    fn failure(&self, error: &Error) -> Failure {
        let is_told = self.leads() || matches!(error, Error::Shared { .. } | Error::Interrupted);
        let message = match is_told {
            true => error.to_string(),
            false => format!("{}: {error}", self.name(self.rank())),
        };
        Failure {
            code: error.exit_code(),
            message,
        }
    }
}

/// An error on its way to another rank.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
struct Failure {
    code: u8,
    message: String,
}

impl From<Failure> for Error {
    fn from(Failure { code, message }: Failure) -> Self {
        Self::Shared { code, message }
    }
}

fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(|e| Error::Internal(format!("cannot pack a message: {e}")))
}

fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes)
        .map_err(|e| Error::Internal(format!("cannot read a message of another rank: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_hears_everything_and_the_first_collects() {
        for size in [1, 2, 5] {
            let heard = threads(size, |ranks| {
                let all = ranks.share(&(ranks.rank() * 10)).unwrap();
                (all, ranks.collect(&ranks.rank()).unwrap())
            });
            for (rank, (all, collected)) in heard.into_iter().enumerate() {
                assert_eq!(all, (0..size).map(|r| r * 10).collect::<Vec<_>>());
                let expected = if rank == 0 { size } else { 0 };
                assert_eq!(collected, (0..expected).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn an_error_of_one_is_an_error_of_all_and_names_it() {
        let outcomes = threads(3, |ranks| {
            let own = match ranks.rank() {
                0 => Ok(()),
                rank => Err(Error::input("clips", "files", rank, "look for it")),
            };
            ranks.agree(own)
        });
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert!(matches!(error, Error::Shared { .. }));
            assert_eq!(error.exit_code(), 2);
            let told = "rank 1 (a thread): clips: files: found 1; look for it";
            assert_eq!(error.to_string(), told);
        }
        let alone: &dyn Ranks = &Alone;
        let own = alone.agree::<()>(Err(Error::Interrupted));
        assert!(matches!(own, Err(Error::Interrupted)));
    }
}
