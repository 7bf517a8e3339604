//! A bar that shows how far a long run is: on a terminal only, and only once the run has taken more than a moment.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// A run shorter than this shows no bar.
const MOMENT: Duration = Duration::from_millis(500);

/// How far a run is.
pub struct Progress {
    bar: ProgressBar,
    began: Instant,
    is_watched: bool,
}

impl Progress {
    /// Of a run with `count` steps. Nothing is shown yet.
    pub fn of(count: usize) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(count as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos} of {len} files, {eta} left") {
            bar.set_style(style);
        }
        Progress { bar, began: Instant::now(), is_watched: std::io::stderr().is_terminal() && count > 1 }
    }

    /// One step more has been done.
    pub fn step(&self) {
        if self.is_watched && self.bar.is_hidden() && self.began.elapsed() > MOMENT {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(1);
    }

    /// Writes something to the terminal without the bar in its way.
    pub fn beside(&self, write: impl FnOnce()) {
        self.bar.suspend(write);
    }

    /// Takes the bar away.
    pub fn end(self) {
        self.bar.finish_and_clear();
    }
}
