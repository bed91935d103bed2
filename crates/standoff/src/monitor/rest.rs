//! Whether the rest of a job has come to rest after a deadlock was proven, so that all who are stuck behind it are told.

use std::time::{Duration, Instant};

use standoff_board::layout::{state, wait};

use super::picture::Reading;
use super::processor::Sample;
use super::ranks::{Rank, World};

/// The rest of a job gets so long at most.
const LONGEST: Duration = Duration::from_secs(1);
/// At rest: has not moved for so long.
const QUIET: Duration = Duration::from_millis(50);
/// And, where it is in the program's own code, had so much time on a processor meanwhile: it may compute for long.
const CHANCE: Duration = Duration::from_millis(20);

/// A job of which a deadlock is proven.
#[derive(Debug)]
pub struct Rest {
    since: Instant,
    /// By rank: its epoch when it was first seen so, and its main thread then.
    seen: Vec<Option<(u64, Option<Sample>)>>,
}

impl Rest {
    /// A job at the time of the proof.
    pub fn new(world: &World) -> Rest {
        Rest {
            since: Instant::now(),
            seen: vec![None; world.ranks.len()],
        }
    }

    /// Whether all are at rest, or have had the time to be. `readings` are of now.
    pub fn reached(&mut self, world: &World, readings: &[Option<Reading>]) -> bool {
        let mut all = world.complete();
        for ((rank, reading), seen) in world.ranks.iter().zip(readings).zip(&mut self.seen) {
            // Each is looked at each time, so that its chance counts from when it last moved.
            if let (Some(rank), Some(reading)) = (rank, reading) {
                all &= at_rest(rank, reading, seen);
            }
        }
        all || self.since.elapsed() >= LONGEST
    }
}

fn at_rest(rank: &Rank, reading: &Reading, seen: &mut Option<(u64, Option<Sample>)>) -> bool {
    let header = &reading.copy.header;
    let waits = || {
        let mut threads = reading.copy.threads.iter();
        threads.any(|t| t.used == 1 && t.wait != wait::OUTSIDE)
    };
    if reading.gone || rank.pid == 0 || header.state != state::RUNNING || waits() {
        return reading.gone || rank.changed.elapsed() >= QUIET;
    }
    let now = Sample::of(rank.pid, rank.pid.unsigned_abs());
    match seen {
        Some((epoch, then)) if *epoch == rank.epoch => {
            let chance = then.zip(now).is_none_or(|(t, n)| t.had(n, CHANCE));
            chance && rank.changed.elapsed() >= QUIET
        }
        _ => {
            *seen = Some((rank.epoch, now));
            false
        }
    }
}
