//! A queue of jobs for the threads of all ranks.

use std::collections::VecDeque;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::pool::{Inbox, Pool};
use super::{Failure, Ranks, pack, unpack};
use crate::error::{Error, Result};

/// A rank that says nothing for so long is lost: each says that it lives six times as often.
const SILENCE: Duration = Duration::from_secs(60);

/// How often a rank looks for messages.
const POLL: Duration = Duration::from_millis(2);

/// What the leading rank does with results as they come.
pub trait Collector<R> {
    /// Takes the result of `job`.
    ///
    /// # Errors
    /// What ends the run; jobs that have begun by then are finished.
    fn done(&mut self, job: usize, result: R) -> Result<()>;

    /// Whether the run is to end.
    fn is_interrupted(&self) -> bool {
        false
    }

    /// Told, when the run is to end, which jobs every rank is at.
    fn interrupted(&mut self, _at_work: &[(String, Vec<usize>)]) {}

    /// Told that a rank has fallen silent; others will do its jobs.
    ///
    /// # Errors
    /// What ends the run.
    fn lost(&mut self, _rank: &str, _jobs: &[usize]) -> Result<()> {
        Ok(())
    }
}

impl<R, F: FnMut(usize, R) -> Result<()>> Collector<R> for F {
    fn done(&mut self, job: usize, result: R) -> Result<()> {
        self(job, result)
    }
}

/// Runs `work` on all `jobs` of the leading rank, in their order, as many at once as there are threads on all ranks,
/// and hands the results to its `collector` as they come. Those of one rank share its threads.
///
/// All ranks call it; only the leading one's `jobs` and `collector` count.
///
/// # Errors
/// The first error of `work` or `collector`, on all ranks; jobs that have begun by then are finished, no further
/// ones begin. [`Error::Shared`] when a rank was lost; the others have done its jobs then.
pub fn work_off<R: Serialize + DeserializeOwned + Send>(
    ranks: &dyn Ranks,
    jobs: &[usize],
    work: impl Fn(usize) -> Result<R> + Sync,
    collector: &mut dyn Collector<R>,
) -> Result<()> {
    within(ranks, jobs, work, (collector, SILENCE))
}

fn within<R: Serialize + DeserializeOwned + Send>(
    ranks: &dyn Ranks,
    jobs: &[usize],
    work: impl Fn(usize) -> Result<R> + Sync,
    (collector, silence): (&mut dyn Collector<R>, Duration),
) -> Result<()> {
    let all: Vec<(usize, usize)> = ranks.share(&(rayon::current_num_threads(), jobs.len()))?;
    let share = all[0].1.div_ceil(all.len());
    let slots: Vec<usize> = all.iter().map(|(n, _)| share.clamp(1, *n)).collect();
    let own = slots[ranks.rank()];
    let (sender, inbox) = Inbox::new();
    let (inbox, work) = (&inbox, &work);
    std::thread::scope(|scope| {
        let each = rayon::current_num_threads() / own;
        let pool = Pool::start(scope, (own, each), (sender, inbox), work)?;
        if ranks.leads() {
            let mut desk = Desk::new(ranks, jobs, &slots, silence);
            desk.work_off(&pool, collector)
        } else {
            serve(ranks, &pool, silence / 6)
        }
    })
}

/// What the leading rank says.
#[derive(Serialize, Deserialize)]
enum Order {
    Begin(usize),
    Stop(Option<Failure>),
}

/// What the others say.
#[derive(Serialize, Deserialize)]
enum Report {
    /// A job and its result as JSON.
    Done(usize, Vec<u8>),
    Failed(usize, Failure),
    Alive,
}

/// What any other rank does: jobs, until it is told to stop.
fn serve<R: Serialize + Send>(ranks: &dyn Ranks, pool: &Pool<R>, beat: Duration) -> Result<()> {
    let mut busy = 0;
    let mut stop = None;
    let mut last = Instant::now();
    loop {
        if let Ok((job, result)) = pool.results.recv_timeout(POLL) {
            busy -= 1;
            let result = result.and_then(|result| to_json(&result));
            let report = match result {
                Ok(json) => Report::Done(job, json),
                Err(error) => Report::Failed(job, ranks.failure(&error)),
            };
            ranks.send(0, &pack(&report)?)?;
        }
        while let Some((_, message)) = ranks.receive()? {
            match unpack(&message)? {
                Order::Begin(job) => {
                    busy += 1;
                    pool.give(job)?;
                }
                Order::Stop(outcome) => stop = Some(outcome),
            }
        }
        if let (Some(outcome), 0) = (&stop, busy) {
            return outcome
                .clone()
                .map_or(Ok(()), |failure| Err(failure.into()));
        }
        if last.elapsed() >= beat {
            last = Instant::now();
            ranks.send(0, &pack(&Report::Alive)?)?;
        }
    }
}

/// What the leading rank knows of a rank.
struct Member {
    free: usize,
    busy: Vec<usize>,
    heard: Instant,
    is_lost: bool,
}

/// Where the leading rank hands out jobs.
struct Desk<'a> {
    ranks: &'a dyn Ranks,
    waiting: VecDeque<usize>,
    members: Vec<Member>,
    silence: Duration,
    /// The first error; nothing is handed out after it.
    failure: Option<Error>,
}

impl<'a> Desk<'a> {
    fn new(ranks: &'a dyn Ranks, jobs: &[usize], slots: &[usize], silence: Duration) -> Self {
        let member = |free: &usize| Member {
            free: *free,
            busy: Vec::new(),
            heard: Instant::now(),
            is_lost: false,
        };
        Self {
            ranks,
            waiting: jobs.iter().copied().collect(),
            members: slots.iter().map(member).collect(),
            silence,
            failure: None,
        }
    }

    fn work_off<R: DeserializeOwned + Send>(
        &mut self,
        pool: &Pool<R>,
        collector: &mut dyn Collector<R>,
    ) -> Result<()> {
        loop {
            if self.failure.is_none() && collector.is_interrupted() {
                collector.interrupted(&self.at_work());
                self.failure = Some(Error::Interrupted);
            }
            self.hand_out(pool)?;
            if self.members.iter().all(|member| member.busy.is_empty()) {
                break;
            }
            if let Some((job, result)) = next(pool, self.ranks.size())? {
                self.take(0, job, result, collector);
            }
            while let Some((from, message)) = self.ranks.receive()? {
                self.hear(from, &message, collector)?;
            }
            self.look_for_silent(collector);
        }
        self.stop()
    }

    /// Gives every free thread a job, those of the rank with most of them first.
    fn hand_out<R: Send>(&mut self, pool: &Pool<R>) -> Result<()> {
        while self.failure.is_none() {
            let living = self.members.iter().enumerate();
            let living = living.filter(|(_, member)| !member.is_lost && member.free > 0);
            let freest = living.rev().max_by_key(|(_, member)| member.free);
            let Some(rank) = freest.map(|(rank, _)| rank) else {
                break;
            };
            let Some(job) = self.waiting.pop_front() else {
                break;
            };
            self.members[rank].free -= 1;
            self.members[rank].busy.push(job);
            match rank {
                0 => pool.give(job)?,
                rank => self.ranks.send(rank, &pack(&Order::Begin(job))?)?,
            }
        }
        Ok(())
    }

    fn hear<R: DeserializeOwned>(
        &mut self,
        from: usize,
        message: &[u8],
        collector: &mut dyn Collector<R>,
    ) -> Result<()> {
        if self.members[from].is_lost {
            return Ok(()); // others do its jobs
        }
        self.members[from].heard = Instant::now();
        match unpack(message)? {
            Report::Done(job, json) => self.take(from, job, from_json(&json), collector),
            Report::Failed(job, failure) => self.take(from, job, Err(failure.into()), collector),
            Report::Alive => {}
        }
        Ok(())
    }

    fn take<R>(
        &mut self,
        rank: usize,
        job: usize,
        result: Result<R>,
        collector: &mut dyn Collector<R>,
    ) {
        let member = &mut self.members[rank];
        member.busy.retain(|busy| *busy != job);
        member.free += 1;
        let outcome = result.and_then(|result| collector.done(job, result));
        self.note(outcome);
    }

    fn note(&mut self, outcome: Result<()>) {
        if let (None, Err(error)) = (&self.failure, outcome) {
            self.failure = Some(error);
        }
    }

    /// Gives the jobs of ranks that have fallen silent to others.
    fn look_for_silent<R>(&mut self, collector: &mut dyn Collector<R>) {
        for rank in 1..self.members.len() {
            let member = &mut self.members[rank];
            if member.is_lost || member.heard.elapsed() < self.silence {
                continue;
            }
            member.is_lost = true;
            let jobs = std::mem::take(&mut member.busy);
            jobs.iter()
                .rev()
                .for_each(|job| self.waiting.push_front(*job));
            self.ranks.give_up(rank);
            let told = collector.lost(&self.ranks.name(rank), &jobs);
            self.note(told);
        }
    }

    fn at_work(&self) -> Vec<(String, Vec<usize>)> {
        let named = self.members.iter().enumerate();
        let busy = named.filter(|(_, member)| !member.busy.is_empty());
        busy.map(|(rank, member)| (self.ranks.name(rank), member.busy.clone()))
            .collect()
    }

    /// Tells the others that it is over, and how.
    fn stop(&mut self) -> Result<()> {
        let failure = self.failure.take();
        let told = failure.as_ref().map(|error| self.ranks.failure(error));
        let order = pack(&Order::Stop(told.clone()))?;
        let living = (1..self.members.len()).filter(|rank| !self.members[*rank].is_lost);
        for rank in living {
            self.ranks.send(rank, &order)?;
        }
        match (failure, told) {
            (Some(_), Some(told)) if self.ranks.size() > 1 => Err(told.into()),
            (Some(own), _) => Err(own),
            (None, _) => self.without_lost(),
        }
    }

    fn without_lost(&self) -> Result<()> {
        let lost = (0..self.members.len()).filter(|rank| self.members[*rank].is_lost);
        let lost: Vec<String> = lost.map(|rank| self.ranks.name(rank)).collect();
        if lost.is_empty() {
            return Ok(());
        }
        let message = format!(
            "{} fell silent; the others have done everything",
            lost.join(", ")
        );
        Err(Error::Shared { code: 1, message })
    }
}

/// The next result of this process: waits for it, but not for long when there are messages to look for.
fn next<R: Send>(pool: &Pool<R>, size: usize) -> Result<Option<(usize, Result<R>)>> {
    let patience = if size == 1 { 50 * POLL } else { POLL };
    match pool.results.recv_timeout(patience) {
        Ok(result) => Ok(Some(result)),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => {
            Err(Error::Internal("the threads have ended".into()))
        }
    }
}

fn to_json<R: Serialize>(result: &R) -> Result<Vec<u8>> {
    serde_json::to_vec(result).map_err(|e| Error::Internal(format!("cannot write a result: {e}")))
}

fn from_json<R: DeserializeOwned>(json: &[u8]) -> Result<R> {
    let broken = |e| Error::Internal(format!("cannot read a result of another rank: {e}"));
    serde_json::from_slice(json).map_err(broken)
}

#[cfg(test)]
mod tests;
