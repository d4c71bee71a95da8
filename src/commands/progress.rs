//! Progress on standard error: bars on a terminal, one line a minute otherwise.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Session;
use crate::reconstruction::Progress;

const LINE_EVERY: Duration = Duration::from_secs(60);

/// The progress of one reconstruction.
pub(super) struct Reporter {
    bar: Option<ProgressBar>,
    prints_lines: bool,
    prefix: String,
    started: Instant,
    last_line: Instant,
}

impl Reporter {
    /// For the clip called `prefix`.
    pub(super) fn new(session: &Session, prefix: &str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let now = Instant::now();
        Self {
            bar: (terminal && !session.quiet).then(|| bar(prefix)),
            prints_lines: !terminal && !session.quiet,
            prefix: prefix.into(),
            started: now,
            last_line: now,
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
            if let Some(message) = progress.message {
                bar.println(format!("{}: {message}", self.prefix));
            }
        }
        if self.prints_lines && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let (done, all) = (progress.frame, progress.frames);
            let left = self.started.elapsed().as_secs_f64() * (all as f64 / done as f64 - 1.0);
            let left = if done > 0 {
                format!(", {left:.0} s left")
            } else {
                String::new()
            };
            let prefix = &self.prefix;
            // Progress that cannot be shown is not worth failing for.
            let _ = writeln!(
                std::io::stderr(),
                "{prefix}: frame {done}/{all}, {status}{left}"
            );
        }
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
