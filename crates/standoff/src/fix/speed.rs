//! How long patched programs run, beside each other and beside the program as it is, where that comes to its end.
//!
//! Whole jobs are timed, the start of MPI included, taking turns, so that whatever slows the machine slows all of them. One is called slower than another only if
//! its fastest run took longer than the other's slowest, and the median by a tenth.

use std::time::{Duration, Instant};

use super::Patch;
use super::copy::{Copy, Texts};
use super::trial::Trials;
use crate::error::Error;

/// Patches that are timed, best first.
const MOST: usize = 3;
/// Rounds in which each runs once.
const ROUNDS: (usize, usize) = (3, 5);
/// Of the time that the checks took, timing may take this part, but no more than [`LONGEST`].
const SHARE: u32 = 2;
const LONGEST: Duration = Duration::from_secs(30);

/// What a program took.
#[derive(Clone, Debug, PartialEq)]
pub struct Speed {
    /// Shortest first.
    times: Vec<Duration>,
    /// How many times as long as the fastest patch, if it is slower.
    pub slower: Option<f64>,
}

impl Speed {
    pub(super) fn new(mut times: Vec<Duration>) -> Speed {
        times.sort();
        let slower = None;
        Speed { times, slower }
    }

    /// The median.
    pub fn median(&self) -> Duration {
        self.times[self.times.len() / 2]
    }

    /// How many runs.
    pub fn runs(&self) -> usize {
        self.times.len()
    }

    /// How many times as long as `other`, if it is surely slower.
    pub fn against(&self, other: &Speed) -> Option<f64> {
        let apart = self.times.first()? > other.times.last()?;
        let ratio = self.median().as_secs_f64() / other.median().as_secs_f64();
        (apart && ratio > 1.1).then_some(ratio)
    }
}

/// Times the first of `patches`, and the program itself if it `ends`; says what that took. `spent`: what the checks took.
pub fn measure(
    trials: &Trials<'_>,
    ends: bool,
    patches: &mut [Patch],
    spent: Duration,
) -> Result<Option<Speed>, Error> {
    let timed: Vec<usize> = (0..patches.len())
        .filter(|&i| !patches[i].cured.sizes.is_empty())
        .take(MOST)
        .collect();
    if timed.len() + usize::from(ends) < 2 {
        return Ok(None);
    }
    let mut copies: Vec<(Option<usize>, Option<Copy>)> = Vec::new();
    if ends {
        copies.push((None, None));
    }
    for &i in &timed {
        let changed = |c: &super::Change| (c.path.clone(), c.new.clone());
        let texts: Texts = patches[i].changes.iter().map(changed).collect();
        match trials.program.copy(&texts, trials.build) {
            Ok(copy) => copies.push((Some(i), Some(copy))),
            Err(Error::Fix(_)) => {}
            Err(other) => return Err(other),
        }
    }
    let limit = (spent / SHARE).min(LONGEST);
    let mut taken: Vec<Vec<Duration>> = vec![Vec::new(); copies.len()];
    let begun = Instant::now();
    for round in 0..ROUNDS.1 {
        let each = begun.elapsed() / (round.max(1) as u32);
        if begun.elapsed() + each > limit {
            break;
        }
        let order: Vec<usize> = match round % 2 {
            0 => (0..copies.len()).collect(),
            _ => (0..copies.len()).rev().collect(),
        };
        for k in order {
            let Some(time) = trials.time(copies[k].1.as_ref())? else {
                // What does not end well is no measure for others either.
                return Ok(None);
            };
            taken[k].push(time);
        }
    }
    if taken.iter().any(|t| t.len() < ROUNDS.0) {
        return Ok(None);
    }
    let mut original = None;
    for ((which, _), times) in copies.iter().zip(taken) {
        match which {
            Some(i) => patches[*i].speed = Some(Speed::new(times)),
            None => original = Some(Speed::new(times)),
        }
    }
    let fastest = patches
        .iter()
        .filter_map(|p| p.speed.clone())
        .min_by_key(Speed::median);
    if let Some(fastest) = fastest {
        for speed in patches.iter_mut().filter_map(|p| p.speed.as_mut()) {
            speed.slower = speed.against(&fastest);
        }
    }
    Ok(original)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speed(times: &[u64]) -> Speed {
        Speed::new(times.iter().map(|&t| Duration::from_millis(t)).collect())
    }

    #[test]
    fn only_what_is_surely_slower_is_called_so() {
        let fast = speed(&[520, 500, 510]);
        assert_eq!(fast.median(), Duration::from_millis(510));
        // One run of it was as fast.
        assert_eq!(speed(&[515, 900, 800]).against(&fast), None);
        // Apart, but by less than a tenth.
        assert_eq!(speed(&[530, 531, 540]).against(&fast), None);
        assert_eq!(speed(&[1020, 1000, 1020]).against(&fast), Some(2.0));
        assert_eq!(fast.against(&speed(&[1000, 1000, 1000])), None);
        assert_eq!(fast.against(&fast), None);
    }
}
