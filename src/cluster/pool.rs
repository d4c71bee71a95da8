//! Threads of this process that take jobs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Scope;

use crate::error::{Error, Result};

/// Threads at work.
pub(super) struct Pool<R> {
    jobs: Sender<usize>,
    /// Jobs and what has come out of them, as they end.
    pub results: Receiver<(usize, Result<R>)>,
}

/// The jobs that are waiting.
pub(super) struct Inbox(Mutex<Receiver<usize>>);

impl Inbox {
    /// An empty one, and where jobs go in.
    pub fn new() -> (Sender<usize>, Self) {
        let (sender, receiver) = channel();
        (sender, Self(Mutex::new(receiver)))
    }

    /// The next job; `None` when there will be none.
    fn next(&self) -> Option<usize> {
        self.0.lock().ok()?.recv().ok()
    }
}

impl<R: Send> Pool<R> {
    /// Starts `count` threads that take jobs from `inbox`, each with `each` threads for its work; they end when
    /// the pool is dropped.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system has no threads left.
    pub fn start<'scope, 'env>(
        scope: &'scope Scope<'scope, 'env>,
        (count, each): (usize, usize),
        (jobs, inbox): (Sender<usize>, &'scope Inbox),
        work: &'scope (impl Fn(usize) -> Result<R> + Sync),
    ) -> Result<Self>
    where
        R: 'scope,
    {
        let (sender, results) = channel();
        for _ in 0..count {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(each).build();
            let pool = pool.map_err(|e| Error::Internal(format!("no thread for a job: {e}")))?;
            let sender: Sender<(usize, Result<R>)> = sender.clone();
            scope.spawn(move || {
                while let Some(job) = inbox.next() {
                    let result = catch_unwind(AssertUnwindSafe(|| pool.install(|| work(job))));
                    // The panic has been reported where it happened.
                    let panicked = |_| Err(Error::Internal("a thread has panicked".into()));
                    if sender.send((job, result.unwrap_or_else(panicked))).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Self { jobs, results })
    }

    /// Gives a job to the first thread that is free.
    pub fn give(&self, job: usize) -> Result<()> {
        let ended = |_| Error::Internal("the threads have ended".into());
        self.jobs.send(job).map_err(ended)
    }
}
