//! Progress on standard error: bars on a terminal, one line a minute otherwise.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Session;
use crate::reconstruction::Progress;

const LINE_EVERY: Duration = Duration::from_secs(60);

/// A line a minute on standard error, where there is no terminal that could show a bar.
pub(super) struct MinuteLines {
    /// When the last one was printed; `None` where none are.
    last: Option<Instant>,
}

impl MinuteLines {
    pub(super) fn new(session: &Session) -> Self {
        let prints = !std::io::stderr().is_terminal() && !session.quiet;
        Self {
            last: prints.then(Instant::now),
        }
    }

    /// Prints `line` if a minute has passed.
    pub(super) fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(last) = self
            .last
            .as_mut()
            .filter(|last| last.elapsed() >= LINE_EVERY)
        {
            *last = Instant::now();
            self.say_now(&line());
        }
    }

    /// Prints `line` at once.
    fn say_now(&self, line: &str) {
        if self.last.is_some() {
            // Progress that cannot be shown is not worth failing for.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}

/// The progress of one reconstruction.
pub(super) struct Reporter {
    bar: Option<ProgressBar>,
    lines: MinuteLines,
    prefix: String,
    started: Instant,
}

impl Reporter {
    /// For the clip called `prefix`.
    pub(super) fn new(session: &Session, prefix: &str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            bar: (terminal && !session.quiet).then(|| bar(prefix)),
            lines: MinuteLines::new(session),
            prefix: prefix.into(),
            started: Instant::now(),
        }
    }

    /// Shows where the reconstruction stands.
    pub(super) fn show(&mut self, progress: &Progress) {
        let status = format!(
            "window {}/{}, {} evaluations, loss {:.3e}, MPJPE-G {:.1} mm",
            progress.window + 1,
            progress.windows,
            progress.evaluations,
            progress.loss,
            progress.mpjpe_mm
        );
        if let Some(bar) = &self.bar {
            bar.set_length(progress.frames as u64);
            bar.set_position(progress.frame as u64);
            bar.set_message(status.clone());
        }
        if let Some(message) = progress.message {
            let line = format!("{}: {message}", self.prefix);
            match &self.bar {
                Some(bar) => bar.println(line),
                None => self.lines.say_now(&line),
            }
        }
        let (prefix, started) = (&self.prefix, self.started);
        self.lines.say(|| {
            let (done, all) = (progress.frame, progress.frames);
            let left = started.elapsed().as_secs_f64() * (all as f64 / done as f64 - 1.0);
            let left = if done > 0 {
                format!(", {left:.0} s left")
            } else {
                String::new()
            };
            format!("{prefix}: frame {done}/{all}, {status}{left}")
        });
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A bar over `length` pieces of work; hidden when quiet and off a terminal.
pub(super) fn counter(session: &Session, length: usize) -> ProgressBar {
    let bar = if session.quiet {
        ProgressBar::hidden()
    } else {
        ProgressBar::new(length as u64)
    };
    bar.set_length(length as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} ({eta} left)") {
        bar.set_style(style);
    }
    bar
}

fn bar(prefix: &str) -> ProgressBar {
    let template = "{prefix} {bar:24} {pos}/{len} frames, {msg}, {eta} left";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()); // the template is a constant
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        .with_style(style)
        .with_prefix(prefix.to_string())
}
