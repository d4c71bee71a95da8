//! Ranks that are threads of one process: no machine is needed to see what several would do.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use super::Ranks;
use crate::error::{Error, Result};

/// Bytes from a rank.
type Post = (usize, Vec<u8>);

/// One of them.
#[derive(Debug)]
struct Thread {
    rank: usize,
    parts: Vec<Sender<Post>>,
    parts_in: Mutex<Receiver<Post>>,
    messages: Vec<Sender<Post>>,
    messages_in: Mutex<Receiver<Post>>,
}

/// Runs `run` as `size` ranks and returns what each has returned, in the order of ranks.
///
/// # Panics
/// When one of them does.
pub fn threads<R: Send>(size: usize, run: impl Fn(&dyn Ranks) -> R + Sync) -> Vec<R> {
    let (parts, parts_in): (Vec<_>, Vec<_>) = (0..size).map(|_| channel()).unzip();
    let (messages, messages_in): (Vec<_>, Vec<_>) = (0..size).map(|_| channel()).unzip();
    let ends = parts_in.into_iter().zip(messages_in).enumerate();
    let all: Vec<Thread> = ends
        .map(|(rank, (parts_in, messages_in))| Thread {
            rank,
            parts: parts.clone(),
            parts_in: Mutex::new(parts_in),
            messages: messages.clone(),
            messages_in: Mutex::new(messages_in),
        })
        .collect();
    let run = &run;
    std::thread::scope(|scope| {
        let started: Vec<_> = all
            .iter()
            .map(|thread| scope.spawn(move || run(thread)))
            .collect();
        let ended = started.into_iter().map(|thread| thread.join());
        ended
            .map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn broken() -> Error {
    Error::Internal("another rank has ended".into())
}

impl Ranks for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.parts.len()
    }

    fn name(&self, rank: usize) -> String {
        format!("rank {rank} (a thread)")
    }

    fn exchange(&self, parts: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>> {
        for (to, part) in self.parts.iter().zip(parts) {
            to.send((self.rank, part)).map_err(|_| broken())?;
        }
        let inbox = self.parts_in.lock().map_err(|_| broken())?;
        let mut given: Vec<Option<Vec<u8>>> = vec![None; self.size()];
        let mut early = Vec::new();
        while given.iter().any(Option::is_none) {
            let (from, part) = inbox.recv().map_err(|_| broken())?;
            match &mut given[from] {
                // A rank that is ahead has begun the next exchange.
                Some(_) => early.push((from, part)),
                place => *place = Some(part),
            }
        }
        for post in early {
            self.parts[self.rank].send(post).map_err(|_| broken())?;
        }
        Ok(given.into_iter().flatten().collect())
    }

    fn send(&self, to: usize, message: &[u8]) -> Result<()> {
        let post = (self.rank, message.to_vec());
        self.messages[to].send(post).map_err(|_| broken())
    }

    fn receive(&self) -> Result<Option<(usize, Vec<u8>)>> {
        let inbox = self.messages_in.lock().map_err(|_| broken())?;
        match inbox.try_recv() {
            Ok(post) => Ok(Some(post)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(broken()),
        }
    }
}
