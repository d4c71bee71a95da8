//! Progress on standard error: bars on a terminal, one line a minute otherwise.

use std::fmt::Write;
use std::io::{IsTerminal, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

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
            bar.set_message(format!(", {status}"));
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
            let left = time_left(done as u64, all as u64, started.elapsed());
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
    // What was done before a work was gone on with took no time: the bar's own estimate leaves it out.
    let left = |state: &ProgressState, text: &mut dyn Write| {
        let seconds = state.eta().as_secs_f64().round();
        if seconds > 0.0 {
            let _ = write!(text, ", {seconds} s left");
        }
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}{left}") {
        bar.set_style(style.with_key("left", left));
    }
    bar
}

/// How long the rest takes if it goes on as before; nothing before something is done, nor at the end.
fn time_left(done: u64, all: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64() * (all as f64 / done as f64 - 1.0);
    match done > 0 && seconds >= 0.5 {
        true => format!(", {seconds:.0} s left"),
        false => String::new(),
    }
}

fn bar(prefix: &str) -> ProgressBar {
    let template = "{prefix} {bar:24} {pos}/{len} frames{msg}{left}";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()); // the template is a constant
    let left = |state: &ProgressState, text: &mut dyn Write| {
        let all = state.len().unwrap_or_default();
        let _ = text.write_str(&time_left(state.pos(), all, state.elapsed()));
    };
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        .with_style(style.with_key("left", left))
        .with_prefix(prefix.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_told_where_it_is_known() {
        let left = |done, all, seconds| time_left(done, all, Duration::from_secs(seconds));
        assert_eq!(left(0, 51, 3), "");
        assert_eq!(left(0, 0, 3), "");
        assert_eq!(left(17, 51, 10), ", 20 s left");
        assert_eq!(left(51, 51, 10), "");
    }
}
