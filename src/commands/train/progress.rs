//! The progress of a training.

use std::time::Instant;

use indicatif::ProgressBar;

use super::super::Session;
use super::super::progress::{MinuteLines, counter};
use crate::meta::{StepReport, StepTimes};

/// A bar on a terminal, a line a minute elsewhere, nothing when quiet.
pub(super) struct Progress {
    bar: ProgressBar,
    lines: MinuteLines,
    steps: usize,
    first: usize,
    begun: Instant,
    validation: Option<f64>,
}

impl Progress {
    pub(super) fn new(session: &Session, steps: usize, first: usize) -> Self {
        Self {
            bar: counter(session, steps),
            lines: MinuteLines::new(session),
            steps,
            first,
            begun: Instant::now(),
            validation: None,
        }
    }

    pub(super) fn show(&mut self, report: &StepReport) {
        self.validation = report.validation.or(self.validation);
        let validation = match self.validation {
            Some(loss) => format!(", validation {loss:.4}"),
            None => String::new(),
        };
        let message = format!("loss {:.4}{validation}", report.loss);
        self.bar.set_position(report.step as u64);
        self.bar.set_message(message.clone());
        let (step, steps) = (report.step, self.steps);
        let pace = self.begun.elapsed().as_secs_f64() / (step - self.first) as f64;
        self.lines.say(|| {
            let left = pace * (steps - step) as f64 / 60.0;
            format!("step {step}/{steps}, {message}, {left:.0} min left")
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Where the time of a step went.
pub(super) fn times(report: &StepReport) -> String {
    let StepTimes {
        computing,
        waiting,
        adding,
        sent,
    } = &report.times;
    let computing: Vec<String> = computing.iter().map(|s| format!("{s:.4}")).collect();
    format!(
        "step {}: computing {} s, waiting {waiting:.4} s, adding up {adding:.4} s, {sent} bytes sent",
        report.step,
        computing.join(" ")
    )
}
