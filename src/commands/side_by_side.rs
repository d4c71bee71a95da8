//! Independent work on all cores: every job on one thread of its own.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::error::{Error, Result};

/// Runs `work` on every job, as many at once as there are threads and in the order of the jobs, each on one
/// thread; hands the results with the numbers of their jobs to `done`, one after the other as they end.
///
/// # Errors
/// The first error of `work` or `done`; jobs that have begun by then are finished, no further ones begin.
pub(super) fn side_by_side<J: Sync, R: Send>(
    jobs: &[J],
    work: impl Fn(&J) -> Result<R> + Sync,
    mut done: impl FnMut(usize, R) -> Result<()>,
) -> Result<()> {
    let count = rayon::current_num_threads().min(jobs.len());
    let pool = || rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pools: std::result::Result<Vec<_>, _> = (0..count).map(|_| pool()).collect();
    let pools = pools.map_err(|e| Error::Internal(format!("no thread for a clip: {e}")))?;
    let next = AtomicUsize::new(0);
    let stops = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    let mut outcome = Ok(());
    std::thread::scope(|scope| {
        for pool in &pools {
            let (sender, next, stops, work) = (sender.clone(), &next, &stops, &work);
            scope.spawn(move || {
                while !stops.load(Ordering::Relaxed) {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(i) else { break };
                    if sender.send((i, pool.install(|| work(job)))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (i, result) in receiver {
            if let Err(error) = result.and_then(|result| done(i, result)) {
                stops.store(true, Ordering::Relaxed);
                if outcome.is_ok() {
                    outcome = Err(error);
                }
            }
        }
    });
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_threads<R: Send>(threads: usize, run: impl FnOnce() -> R + Send) -> R {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(run)
    }

    #[test]
    fn every_job_is_done_once_on_one_thread() {
        for threads in [1, 3] {
            let jobs: Vec<usize> = (0..20).collect();
            let mut results = vec![None; jobs.len()];
            with_threads(threads, || {
                let work = |job: &usize| {
                    assert_eq!(rayon::current_num_threads(), 1);
                    Ok(job * job)
                };
                side_by_side(&jobs, work, |i, square| {
                    assert!(results[i].replace(square).is_none());
                    Ok(())
                })
                .unwrap();
            });
            assert!(jobs.iter().all(|job| results[*job] == Some(job * job)));
        }
    }

    #[test]
    fn the_first_error_ends_it() {
        let jobs: Vec<usize> = (0..1000).collect();
        let begun = AtomicUsize::new(0);
        let result = with_threads(2, || {
            let work = |job: &usize| {
                begun.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(std::time::Duration::from_millis(1));
                match job {
                    3 => Err(Error::Interrupted),
                    _ => Ok(()),
                }
            };
            side_by_side(&jobs, work, |_, ()| Ok(()))
        });
        assert!(matches!(result, Err(Error::Interrupted)));
        assert!(begun.into_inner() < 100);
    }

    #[test]
    fn nothing_to_do_is_done() {
        side_by_side(&[], |(): &()| Ok(()), |_, ()| Ok(())).unwrap();
    }
}
