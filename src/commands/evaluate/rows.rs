//! The rows of an evaluation: who finds them, where they are kept, what is written of them.
//!
//! A row is added to a journal when it is found. From the journals of ranks, of shards and of runs that were killed,
//! and from the table of an earlier run, an evaluation goes on.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::args::{EvaluateArgs, settings};
use crate::cluster::{self, Collector};
use crate::commands::{SETTINGS, Session, check_begun_with, json};
use crate::error::Result;
use crate::evaluation::journal::{self, Journal};
use crate::output::OutputDir;
use crate::reconstruction::Settings;

/// A table is written again when so many times as long has passed as it takes to write.
const WRITING_SHARE: u32 = 10;

/// What is evaluated.
pub(super) trait Sheet: Sync {
    /// A row.
    type Row: Serialize + DeserializeOwned + Clone + Send;

    /// The file of all rows.
    const FILE: &'static str;

    /// What tells the rows apart, in their order: one for every job.
    fn keys(&self) -> &[String];

    /// That of a row.
    fn key(row: &Self::Row) -> String;

    /// Whether a row stays as it is when an evaluation goes on.
    fn is_final(_row: &Self::Row) -> bool {
        true
    }

    /// About how long a job takes, in any unit.
    fn length(&self, _job: usize) -> u64 {
        0
    }

    /// Refuses rows that cannot be gone on with.
    fn check(&self, _rows: &[Self::Row]) -> Result<()> {
        Ok(())
    }

    /// Finds the row of a job.
    fn find(&self, job: usize, session: &Session) -> Result<Self::Row>;

    /// A row as a line on the terminal.
    fn line(row: &Self::Row) -> String;

    /// What is written of `rows` beside [`FILE`](Self::FILE) into `out`; some of it perhaps only when all is done.
    fn files(&self, out: &Path, rows: &[Self::Row], is_over: bool) -> Result<Files>;

    /// All files that are written, in words.
    const WRITTEN: &'static str;

    /// What is said at the end.
    fn summary(&self, rows: &[Self::Row]) -> String;
}

/// Names and contents.
pub(super) type Files = Vec<(&'static str, Vec<u8>)>;

/// Finds the rows of `sheet` that are missing, with all ranks and threads, and writes them. `clips` says what is
/// known about the clips.
pub(super) fn evaluate_sheet<S: Sheet>(
    sheet: &S,
    args: &EvaluateArgs,
    session: &Session,
    (reconstruction, clips): (&Settings, serde_json::Value),
) -> Result<()> {
    let opened = match session.leads() {
        true => Board::open(sheet, args, session, (reconstruction, clips)).map(Some),
        false => Ok(None),
    };
    let mut board = session.agree(opened)?;
    let open = board.as_ref().map_or(Vec::new(), Board::open_jobs);
    let at_once = session.ranks.size() * rayon::current_num_threads();
    let quiet = session.among(at_once.min(open.len()));
    let work = |job: usize| sheet.find(job, &quiet);
    let Some(board) = &mut board else {
        return cluster::work_off(session.ranks.as_ref(), &open, work, &mut |_, _| Ok(()));
    };
    let outcome = cluster::work_off(session.ranks.as_ref(), &open, work, board);
    board.close()?;
    outcome?;
    let out = args.out.display();
    if let Some(shard) = args.shard {
        let name = journal::name(Some(shard));
        return session.tell(format!(
            "wrote {name} to {out}; when all shards are done, the same with --resume instead of --shard makes the tables"
        ));
    }
    session.tell(sheet.summary(&board.rows()))?;
    session.tell(format!("wrote {} to {out}", S::WRITTEN))
}

/// The rows so far.
struct Board<'a, S: Sheet> {
    sheet: &'a S,
    session: &'a Session,
    args: &'a EvaluateArgs,
    output: OutputDir,
    journal: Journal,
    /// The jobs of this run, the longest first.
    jobs: Vec<usize>,
    /// Rows of earlier evaluations, which keep their places.
    earlier: Vec<S::Row>,
    /// The others, by their keys.
    found: HashMap<String, S::Row>,
    finished: usize,
    /// When the table was last written, and how long that took.
    written: (Instant, Duration),
}

impl<'a, S: Sheet> Board<'a, S> {
    /// The output directory, with the settings written, and the rows of an earlier run to go on from; that must
    /// have had the same settings.
    fn open(
        sheet: &'a S,
        args: &'a EvaluateArgs,
        session: &'a Session,
        (reconstruction, clips): (&Settings, serde_json::Value),
    ) -> Result<Self> {
        let settings = settings(args, reconstruction, clips)?;
        // Without settings no evaluation was begun there: it starts, unless there is something else.
        let may_go_on = args.resume || args.shard.is_some();
        let goes_on = may_go_on && args.out.join(SETTINGS).exists();
        if goes_on {
            let advice = "resume with the same clips and configuration, or write to another --out";
            check_begun_with(&args.out, &settings, advice)?;
        }
        let is_beginning = args.shard.is_some() && holds_only_hidden(&args.out);
        let output = OutputDir::create(&args.out, args.force || goes_on || is_beginning)?;
        let mut earlier: Vec<S::Row> = Vec::new();
        let mut found = HashMap::new();
        if goes_on {
            let table = args.out.join(S::FILE);
            if table.exists() {
                earlier = crate::json::read(&table)?;
            }
            for row in journal::read::<S::Row>(&args.out)? {
                keep::<S>(&mut found, row);
            }
            // What a run has written that did not come to its end finds its place among the rest.
            earlier.retain(|row| !found.contains_key(&S::key(row)));
        } else if args.shard.is_none() {
            // Of an evaluation that is replaced: resumed with these settings it would go on.
            output.remove(S::FILE)?;
            journal::remove(output.path())?;
        }
        sheet.check(&earlier)?;
        output.write(SETTINGS, settings)?;
        let journal = Journal::open(args.out.join(journal::name(args.shard)))?;
        let mut jobs: Vec<usize> = (0..sheet.keys().len()).collect();
        jobs.sort_by_cached_key(|job| std::cmp::Reverse(sheet.length(*job)));
        if let Some(shard) = args.shard {
            jobs = shard.of(&jobs);
        }
        let mut board = Self {
            jobs,
            sheet,
            session,
            args,
            output,
            journal,
            earlier,
            found,
            finished: 0,
            written: (Instant::now(), Duration::ZERO),
        };
        board.finished = board.jobs.len() - board.open_jobs().len();
        Ok(board)
    }

    /// The jobs without a row that stays.
    fn open_jobs(&self) -> Vec<usize> {
        let rows = self.earlier.iter().chain(self.found.values());
        let done: HashSet<String> = rows.filter(|row| S::is_final(row)).map(S::key).collect();
        let is_open = |job: &&usize| !done.contains(&self.sheet.keys()[**job]);
        self.jobs.iter().filter(is_open).copied().collect()
    }

    /// All rows: the earlier ones, then the others in the order of the jobs, then those of other jobs.
    fn rows(&self) -> Vec<S::Row> {
        let keys = self.sheet.keys();
        let own = keys.iter().filter_map(|key| self.found.get(key));
        let of_jobs: HashSet<&String> = keys.iter().collect();
        let mut others: Vec<_> = self
            .found
            .iter()
            .filter(|(k, _)| !of_jobs.contains(k))
            .collect();
        others.sort_by_key(|(key, _)| *key);
        let others = others.into_iter().map(|(_, row)| row);
        self.earlier
            .iter()
            .chain(own)
            .chain(others)
            .cloned()
            .collect()
    }

    fn write(&mut self, is_over: bool) -> Result<()> {
        let begun = Instant::now();
        let rows = self.rows();
        let mut files = vec![(S::FILE, json(&rows)?)];
        files.extend(self.sheet.files(self.output.path(), &rows, is_over)?);
        self.output.write_all(&files)?;
        self.written = (Instant::now(), begun.elapsed());
        Ok(())
    }

    /// Writes what has not been, but for a shard, which does not know the other rows.
    fn close(&mut self) -> Result<()> {
        if self.args.shard.is_some() || (self.earlier.is_empty() && self.found.is_empty()) {
            return Ok(());
        }
        let is_over = self.finished == self.jobs.len();
        self.write(is_over)?;
        match is_over {
            true => journal::remove(self.output.path()), // everything is in the table
            false => Ok(()),
        }
    }
}

impl<S: Sheet> Collector<S::Row> for Board<'_, S> {
    fn done(&mut self, _job: usize, row: S::Row) -> Result<()> {
        self.finished += 1;
        let (finished, all) = (self.finished, self.jobs.len());
        self.session
            .tell(format!("[{finished}/{all}] {}", S::line(&row)))?;
        self.journal.add(&row)?;
        let key = S::key(&row);
        match self
            .earlier
            .iter_mut()
            .find(|earlier| S::key(earlier) == key)
        {
            Some(earlier) => *earlier = row,
            None => keep::<S>(&mut self.found, row),
        }
        let (last, took) = self.written;
        let is_due = last.elapsed() >= WRITING_SHARE * took;
        match is_due && self.args.shard.is_none() {
            true => self.write(false),
            false => Ok(()),
        }
    }

    fn is_interrupted(&self) -> bool {
        self.session.is_interrupted()
    }

    fn interrupted(&mut self, at_work: &[(String, Vec<usize>)]) {
        if self.session.ranks.size() > 1 {
            for (rank, jobs) in at_work {
                self.session
                    .warn(format!("{rank} was at {}", self.named(jobs)));
            }
        }
    }

    fn lost(&mut self, rank: &str, jobs: &[usize]) -> Result<()> {
        let named = self.named(jobs);
        self.session.warn(format!(
            "{rank} has fallen silent; it was at {named}, which others will do"
        ));
        Ok(())
    }
}

impl<S: Sheet> Board<'_, S> {
    fn named(&self, jobs: &[usize]) -> String {
        let names = jobs.iter().map(|job| self.sheet.keys()[*job].as_str());
        let names: Vec<&str> = names.collect();
        match names.is_empty() {
            true => "nothing".into(),
            false => names.join(", "),
        }
    }
}

/// Keeps `row` unless there is one that stays.
fn keep<S: Sheet>(found: &mut HashMap<String, S::Row>, row: S::Row) {
    let key = S::key(&row);
    if !found.get(&key).is_some_and(S::is_final) {
        found.insert(key, row);
    }
}

/// Whether there is nothing in `out` but what another shard is just making.
fn holds_only_hidden(out: &Path) -> bool {
    let mut entries = std::fs::read_dir(out).into_iter().flatten().flatten();
    entries.all(|entry| entry.file_name().to_string_lossy().starts_with('.'))
}
