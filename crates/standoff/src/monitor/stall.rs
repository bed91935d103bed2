//! Threads that have long done nothing but poll in vain: the heuristic behind the verdict `stalled`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use standoff_board::layout::wait;

use super::picture::{Polls, Reading};
use super::ranks::World;

/// Fruitless polling for so long is a stall, if nobody can complete what is polled.
pub const STALL: Duration = Duration::from_secs(5);
/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Remembers since when which threads poll in vain.
#[derive(Debug)]
pub struct Pollers {
    /// (world, rank, slot) → round of polls and when it was first seen.
    since: BTreeMap<(usize, usize, usize), (u64, Instant)>,
    next_look: Instant,
}

impl Default for Pollers {
    fn default() -> Self {
        Pollers {
            since: BTreeMap::new(),
            next_look: Instant::now(),
        }
    }
}

impl Pollers {
    /// Whether it is time for a look: a rank has not changed for a while (fruitless polls are no change).
    pub fn due(&mut self, worlds: &[World]) -> bool {
        let now = Instant::now();
        let still = |w: &World| w.joined().any(|r| r.changed.elapsed() >= 2 * PAUSE);
        if now < self.next_look || !worlds.iter().any(still) {
            return false;
        }
        self.next_look = now + PAUSE;
        true
    }

    /// Takes in a reading of a world; true if somebody has polled in vain for long enough.
    pub fn note(&mut self, world: usize, readings: &[Option<Reading>]) -> bool {
        let mut any = false;
        for (rank, reading) in readings.iter().enumerate() {
            let Some(reading) = reading else { continue };
            for (slot, t) in reading.copy.threads.iter().enumerate() {
                let key = (world, rank, slot);
                if t.used != 1 || t.polls == 0 || t.wait != wait::OUTSIDE {
                    self.since.remove(&key);
                    continue;
                }
                let fresh = (t.poll_round, Instant::now());
                let entry = self.since.entry(key).or_insert(fresh);
                if entry.0 != t.poll_round {
                    *entry = fresh;
                }
                any |= entry.1.elapsed() >= STALL;
            }
        }
        any
    }

    /// How a thread is to be taken.
    pub fn of(&self, world: usize, rank: usize, slot: usize) -> Polls {
        match self.since.get(&(world, rank, slot)) {
            Some((_, since)) if since.elapsed() >= STALL => Polls::Wait,
            _ => Polls::Act,
        }
    }
}
