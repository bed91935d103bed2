//! Whether threads had processor time: a thread that is stopped or starved may still be about to move.

use std::fs;
use std::time::Duration;

/// A thread at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// It sleeps of its own accord (waiting for something).
    asleep: bool,
    /// It is stopped by a signal or a debugger.
    stopped: bool,
    /// Nanoseconds on a processor so far.
    ran: u64,
}

/// Time on a processor that lets a thread that could go on go on.
const ENOUGH: Duration = Duration::from_micros(500);

impl Sample {
    /// Looks at a thread; `None` if it is gone or cannot be seen.
    pub fn of(pid: i32, tid: u32) -> Option<Sample> {
        let base = format!("/proc/{pid}/task/{tid}");
        let stat = fs::read_to_string(format!("{base}/stat")).ok()?;
        let state = stat[stat.rfind(')')? + 1..]
            .split_ascii_whitespace()
            .next()?;
        let sched = fs::read_to_string(format!("{base}/schedstat")).ok()?;
        Some(Sample {
            asleep: matches!(state, "S"),
            stopped: matches!(state, "T" | "t"),
            ran: sched.split_ascii_whitespace().next()?.parse().ok()?,
        })
    }

    /// Whether a thread seen so earlier and so now had its chance in between.
    pub fn had_time(self, now: Sample) -> bool {
        self.had(now, ENOUGH)
    }

    /// Whether it had `time` on a processor in between, or did not want any.
    pub fn had(self, now: Sample, time: Duration) -> bool {
        if self.stopped || now.stopped {
            return false;
        }
        let ran = Duration::from_nanos(now.ran.saturating_sub(self.ran));
        ran >= time || (self.asleep && now.asleep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: Sample = Sample {
        asleep: false,
        stopped: false,
        ran: 10,
    };

    #[test]
    fn a_starved_or_stopped_thread_had_no_time() {
        assert!(!BUSY.had_time(BUSY));
        let later = Sample {
            ran: 10_000_000,
            ..BUSY
        };
        assert!(BUSY.had_time(later));
        assert!(!BUSY.had_time(Sample {
            stopped: true,
            ..later
        }));
    }

    #[test]
    fn computing_for_long_is_a_chance_and_being_starved_is_none() {
        let chance = Duration::from_millis(20);
        let later = |ran: u64| Sample { ran, ..BUSY };
        assert!(!BUSY.had(later(19_000_000), chance));
        assert!(BUSY.had(later(20_000_010), chance));
    }

    #[test]
    fn a_sleeper_waits_of_its_own_accord() {
        let asleep = Sample {
            asleep: true,
            ..BUSY
        };
        assert!(asleep.had_time(asleep));
        assert!(!asleep.had_time(BUSY));
    }

    #[test]
    fn this_thread_can_be_seen() {
        let pid = std::process::id();
        assert!(Sample::of(pid as i32, pid).is_some());
    }
}
