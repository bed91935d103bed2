//! What `check` is doing, for whoever waits: one line that is written over on a terminal, else a line now and then.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::output;

/// How often something is said where lines stay.
const EVERY: Duration = Duration::from_secs(10);
/// How often the line on a terminal changes at most.
const REDRAW: Duration = Duration::from_millis(200);

/// What was said last.
pub(super) struct Progress {
    quiet: bool,
    terminal: bool,
    began: Instant,
    last: Option<Instant>,
    /// A line is there that must go before anything else is said.
    shown: bool,
    /// What is said besides.
    more: String,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Progress {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let terminal = io::stderr().is_terminal() && !dumb;
        Progress {
            quiet,
            terminal,
            began: Instant::now(),
            // On a terminal the first word comes at once.
            last: (!terminal).then(Instant::now),
            shown: false,
            more: String::new(),
        }
    }

    /// What there is left to do.
    pub(super) fn more(&mut self, said: impl FnOnce() -> String) {
        if !self.quiet {
            self.more = said();
        }
    }

    /// What is being done.
    pub(super) fn tell(&mut self, said: impl FnOnce() -> String) {
        let pause = if self.terminal { REDRAW } else { EVERY };
        if self.quiet || self.last.is_some_and(|last| last.elapsed() < pause) {
            return;
        }
        self.last = Some(Instant::now());
        let mut said = format!("check: {}", said());
        if !self.more.is_empty() {
            said += &format!("; {}", self.more);
        }
        said += &format!("; {} s", self.began.elapsed().as_secs());
        if self.terminal {
            self.write(&format!("\r\x1b[Kstandoff: {said}"));
            self.shown = true;
        } else {
            output::remark(&said);
        }
    }

    /// Nothing is being done any more, or something else is said now.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.shown) {
            self.write("\r\x1b[K");
        }
    }

    fn write(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        // Nobody listening is no reason to fail.
        let _ = stderr
            .write_all(text.as_bytes())
            .and_then(|()| stderr.flush());
    }
}
