use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;

use super::super::{Alone, threads};
use super::*;

/// Runs as `size` ranks of `count` threads each.
fn ranks_with<R: Send>(size: usize, count: usize, run: impl Fn(&dyn Ranks) -> R + Sync) -> Vec<R> {
    threads(size, |ranks| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build();
        let (run, ranks) = (&run, &ranks);
        pool.unwrap().install(move || run(*ranks))
    })
}

fn millisecond() {
    sleep(Duration::from_millis(1));
}

fn pause(_job: usize) -> Result<()> {
    millisecond();
    Ok(())
}

#[test]
fn every_job_is_done_once_wherever_it_is() {
    let jobs: Vec<usize> = (0..40).rev().collect();
    for (size, count) in [(1, 1), (1, 3), (2, 1), (3, 2)] {
        let begun = Mutex::new(Vec::new());
        let results = ranks_with(size, count, |ranks| {
            let mut results = vec![None; jobs.len()];
            let own = if ranks.leads() { &jobs[..] } else { &[] };
            let work = |job: usize| {
                assert_eq!(rayon::current_num_threads(), 1);
                begun.lock().unwrap().push(job);
                millisecond();
                Ok(job * job)
            };
            let mut collect = |job: usize, square: usize| {
                assert!(results[job].replace(square).is_none());
                Ok(())
            };
            work_off(ranks, own, work, &mut collect).unwrap();
            results
        });
        let leader = &results[0];
        assert!((0..jobs.len()).all(|job| leader[job] == Some(job * job)));
        let begun = begun.into_inner().unwrap();
        assert_eq!(begun.len(), jobs.len());
        assert!(begun[0] > 30, "the first of the queue comes first");
    }
}

#[test]
fn few_jobs_have_the_threads_of_many() {
    let seen = ranks_with(1, 4, |ranks| {
        let mut seen = Vec::new();
        let work = |_| Ok(rayon::current_num_threads());
        let mut collect = |_, threads: usize| {
            seen.push(threads);
            Ok(())
        };
        work_off(ranks, &[0, 1], work, &mut collect).unwrap();
        seen
    });
    assert_eq!(seen, [[2, 2]]);
}

#[test]
fn the_first_error_ends_it_on_all_ranks() {
    let jobs: Vec<usize> = (0..1000).collect();
    for size in [1, 3] {
        let begun = AtomicUsize::new(0);
        let outcomes = ranks_with(size, 1, |ranks| {
            let work = |job: usize| {
                begun.fetch_add(1, Ordering::Relaxed);
                millisecond();
                match job {
                    4 => Err(Error::input("clip", "file", "none", "look for it")),
                    _ => Ok(()),
                }
            };
            work_off(ranks, &jobs, work, &mut |_, ()| Ok(()))
        });
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(
                error
                    .to_string()
                    .ends_with("clip: file: found none; look for it")
            );
        }
        assert!(begun.into_inner() < 100);
    }
}

#[test]
fn a_panic_and_a_refused_result_end_it() {
    let broken = |_: usize| -> Result<()> { panic!("on purpose") };
    let error = work_off(&Alone, &[0], broken, &mut |_, ()| Ok(())).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let outcomes = ranks_with(2, 1, |ranks| {
        let mut refuse = |_, ()| Err(Error::Internal("the disk is full".into()));
        work_off(ranks, &[0, 1], |_| Ok(()), &mut refuse)
    });
    let told = |outcome: &Result<()>| outcome.as_ref().unwrap_err().to_string();
    assert!(
        outcomes
            .iter()
            .all(|outcome| told(outcome).contains("disk is full"))
    );
}

/// Notes down what it is told.
#[derive(Default)]
struct Listener {
    done: Vec<usize>,
    lost: Vec<(String, Vec<usize>)>,
    at_work: Vec<(String, Vec<usize>)>,
    ends_after: Option<usize>,
}

impl Collector<()> for Listener {
    fn done(&mut self, job: usize, (): ()) -> Result<()> {
        self.done.push(job);
        Ok(())
    }

    fn is_interrupted(&self) -> bool {
        self.ends_after
            .is_some_and(|count| self.done.len() >= count)
    }

    fn interrupted(&mut self, at_work: &[(String, Vec<usize>)]) {
        self.at_work = at_work.to_vec();
    }

    fn lost(&mut self, rank: &str, jobs: &[usize]) -> Result<()> {
        self.lost.push((rank.into(), jobs.to_vec()));
        Ok(())
    }
}

#[test]
fn what_a_silent_rank_was_at_is_done_by_others_and_it_is_named() {
    let heard = threads(3, |ranks| {
        let mut listener = Listener::default();
        if ranks.rank() == 1 {
            // Begins, and is never heard of again.
            let _: Vec<(usize, usize)> = ranks.share(&(1, 0)).unwrap();
            return (listener, Ok(()));
        }
        let silence = Duration::from_millis(300);
        let jobs: Vec<usize> = (0..6).collect();
        let outcome = within(ranks, &jobs, pause, (&mut listener, silence));
        (listener, outcome)
    });
    let (listener, outcome) = &heard[0];
    let mut done = listener.done.clone();
    done.sort_unstable();
    assert_eq!(done, [0, 1, 2, 3, 4, 5]);
    let [(rank, jobs)] = &listener.lost[..] else {
        panic!("{:?}", listener.lost);
    };
    assert_eq!((rank.as_str(), jobs.len()), ("rank 1 (a thread)", 1));
    let error = outcome.as_ref().unwrap_err();
    assert_eq!(error.exit_code(), 1);
    assert!(
        error.to_string().contains("rank 1 (a thread) fell silent"),
        "{error}"
    );
    assert!(heard[2].1.is_ok());
}

#[test]
fn an_interruption_tells_who_is_at_what() {
    let jobs: Vec<usize> = (0..100).collect();
    let heard = ranks_with(2, 1, |ranks| {
        let mut listener = Listener {
            ends_after: Some(5),
            ..Listener::default()
        };
        // The other rank is at its first job when the leading one has done a few.
        let work = |job| match ranks.leads() {
            true => pause(job),
            false => {
                sleep(Duration::from_millis(500));
                Ok(())
            }
        };
        let outcome = work_off(ranks, &jobs, work, &mut listener);
        assert_eq!(outcome.unwrap_err().exit_code(), 130);
        listener
    });
    assert!(heard[0].done.len() < 20);
    let names = heard[0].at_work.iter().map(|(rank, _)| rank.as_str());
    assert!(names.into_iter().any(|name| name == "rank 1 (a thread)"));
}
