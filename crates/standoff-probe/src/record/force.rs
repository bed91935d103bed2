//! Choices of a forced run: only of what MPI leaves open, and only at the calls that were named.

use super::companion::Companion;
use crate::P;
use crate::rank::{Rank, State, ThreadState};
use standoff_board::layout::{ANY, Board};
use standoff_trace::event::RequestId;
use std::collections::{HashMap, VecDeque};
use std::str::SplitAsciiWhitespace;
use std::time::{Duration, Instant};

/// How long a poll that is to find something is repeated. If nothing comes, it says so: the run is then another one.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a call is to do ([`standoff_board::layout::FORCE_VAR`]); of what MPI leaves open there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// A wildcard takes the next message of this source.
    pub from: Option<i32>,
    /// A standard send waits for its receive.
    pub wait: bool,
    /// A standard send is buffered.
    pub buffer: bool,
}

/// How the members of a collective leave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Nobody before all have come.
    Meet,
    /// Each when its data is there, but these (ranks of the communicator) when all have come.
    Early(Vec<u32>),
}

/// What a rank is to do in a forced run, and what it has to remember for that.
#[derive(Default)]
pub(crate) struct Forced {
    /// By number of the call.
    calls: HashMap<u64, Chosen>,
    /// Calls whose requests a completion is to tell, by its number.
    told: HashMap<u64, Vec<u64>>,
    /// The identities of these requests, once they are made.
    made: HashMap<u64, Option<u64>>,
    /// Outcomes of polls, by the number of the next call and what they ask for.
    polls: HashMap<(u64, u64), VecDeque<bool>>,
    /// Persistent standard sends that wait when started: communicator, destination, tag.
    starts: Vec<(u64, i32, i32)>,
    /// By communicator and number of the collective.
    collectives: HashMap<(u64, u64), Reading>,
    /// By communicator: one with the same members for messages of our own.
    pub(super) shadows: HashMap<u64, usize>,
    /// By identity of a request: what it waits for, too.
    pub(super) companions: HashMap<u64, Companion>,
    /// Messages of our own that are on their way: request and content.
    pub(super) pending: Vec<(usize, Vec<u8>)>,
}

impl Forced {
    /// Reads a rank's file.
    pub(super) fn parse(text: &str) -> Forced {
        let mut out = Forced::default();
        for line in text.lines() {
            // Both are of one version: what cannot be read is of no file of ours.
            let _ = out.line(line.split_ascii_whitespace());
        }
        out
    }

    fn line(&mut self, mut words: SplitAsciiWhitespace<'_>) -> Option<()> {
        fn number<T: std::str::FromStr>(words: &mut SplitAsciiWhitespace<'_>) -> Option<T> {
            words.next()?.parse().ok()
        }
        let w = &mut words;
        match w.next()? {
            "from" => {
                let (call, source) = (number(w)?, number(w)?);
                self.calls.entry(call).or_default().from = Some(source);
            }
            "wait" => self.calls.entry(number(w)?).or_default().wait = true,
            "buffer" => self.calls.entry(number(w)?).or_default().buffer = true,
            "told" => {
                let (call, made) = (number(w)?, number(w)?);
                self.told.entry(call).or_default().push(made);
                self.made.insert(made, None);
            }
            "poll" => {
                let key = (number(w)?, number(w)?);
                let found: u8 = number(w)?;
                self.polls.entry(key).or_default().push_back(found != 0);
            }
            "start" => self.starts.push((number(w)?, number(w)?, number(w)?)),
            "meet" => drop(
                self.collectives
                    .insert((number(w)?, number(w)?), Reading::Meet),
            ),
            "early" => {
                let key = (number(w)?, number(w)?);
                let stay = w.filter_map(|word| word.parse().ok()).collect();
                self.collectives.insert(key, Reading::Early(stay));
            }
            _ => return None,
        }
        Some(())
    }

    /// A numbered call was made.
    pub(super) fn made(&mut self, call: u64, request: Option<RequestId>) {
        if let (Some(entry), Some(request)) = (self.made.get_mut(&call), request) {
            *entry = Some(request.0);
        }
    }

    /// How a collective is to be left.
    pub(super) fn reading(&self, comm: u64, seq: u64) -> Option<Reading> {
        self.collectives.get(&(comm, seq)).cloned()
    }

    /// Whether messages of our own are needed beside this communicator.
    pub(super) fn needs_shadow(&self, comm: u64) -> bool {
        let early = |(key, reading): (&(u64, u64), &Reading)| {
            key.0 == comm && matches!(reading, Reading::Early(_))
        };
        self.collectives.iter().any(early)
    }
}

/// Looks into the choices of a forced run; `None` in every other.
#[inline(always)]
pub(super) fn forced<R>(
    rank: &Rank,
    look: impl FnOnce(&mut State, &mut Board, &mut Forced) -> Option<R>,
) -> Option<R> {
    if !rank.records() {
        return None;
    }
    rank.quiet(|s, b| {
        let mut forced = s.recorder.as_mut()?.forced.take()?;
        let answer = look(s, b, &mut forced);
        if let Some(recorder) = &mut s.recorder {
            recorder.forced = Some(forced);
        }
        answer
    })
}

fn next(s: &State) -> Option<u64> {
    Some(s.recorder.as_ref()?.calls)
}

/// What the call that begins is to do.
#[inline(always)]
pub(crate) fn chosen(rank: &Rank) -> Chosen {
    forced(rank, |s, _, forced| forced.calls.get(&next(s)?).copied()).unwrap_or_default()
}

/// Source for a receive or probe: the one that it was given, or the chosen one for a wildcard. The tag stays as it is: which message of the source
/// comes next is not open, so whatever a rank is made to receive is what MPI allows.
#[inline(always)]
pub(crate) fn sender(rank: &Rank, source: i32) -> i32 {
    match chosen(rank).from {
        Some(from) if rank.abi.source(source) == ANY => from,
        _ => source,
    }
}

/// Positions of the requests that a completion is to tell, if it is given all of them.
#[inline(always)]
pub(crate) fn told(
    rank: &Rank,
    thread: &ThreadState,
    place: impl Fn(u32) -> usize,
) -> Option<Vec<u32>> {
    forced(rank, |s, b, forced| {
        let list = forced.told.get(&next(s)?)?;
        let position = |made: &u64| {
            let wanted = Some(RequestId((*forced.made.get(made)?)?));
            let mut waits = thread.waits.iter();
            waits
                .find(|w| s.identity(b, place(w.0), w.1) == wanted)
                .map(|w| w.0)
        };
        list.iter().map(position).collect()
    })
}

/// Whether a poll is to find something; `None`: as it comes.
#[inline(always)]
pub(crate) fn outcome(
    rank: &Rank,
    asks: impl FnOnce(&mut State, &mut Board) -> u64,
) -> Option<bool> {
    forced(rank, |s, b, forced| {
        if forced.polls.is_empty() {
            return None;
        }
        let key = (next(s)?, asks(s, b));
        forced.polls.get_mut(&key)?.pop_front()
    })
}

/// Whether the starts of a persistent standard send wait.
pub(crate) fn starts_wait(rank: &Rank, comm: usize, dest: i32, tag: i32) -> bool {
    let found = forced(rank, |s, b, forced| {
        let comm = b.comms.get(s.comm(rank.abi.handle(comm))? as usize)?.id;
        Some(forced.starts.contains(&(comm, dest, tag)))
    });
    found == Some(true)
}

/// Repeats a poll until it finds something, or for a while. True if it did, or failed.
pub(crate) fn patiently(rc: &mut i32, mut found: impl FnMut(&mut i32) -> bool) -> bool {
    let began = Instant::now();
    loop {
        if found(rc) {
            return true;
        }
        if began.elapsed() > PATIENCE {
            return false;
        }
        // SAFETY: no arguments, no memory.
        unsafe { libc::sched_yield() };
    }
}

/// Where `MPI_Waitany` and its kin say what they completed.
#[derive(Clone, Copy)]
pub(crate) struct Tells {
    /// How many; not there if it is at most one.
    pub count: Option<P>,
    /// Which.
    pub list: P,
}

impl Tells {
    /// The positions that the library has told.
    #[inline(always)]
    pub fn positions(self) -> impl Iterator<Item = u32> {
        let list = self.list.cast::<i32>();
        // SAFETY: a call that succeeded has stored the count or the index (negative: MPI_UNDEFINED), and so many indices.
        let n = unsafe {
            match self.count {
                Some(count) => count.cast::<i32>().read_unaligned(),
                None => i32::from(list.read_unaligned() >= 0),
            }
        };
        (0..n.max(0) as usize)
            // SAFETY: as above.
            .map(move |k| unsafe { list.add(k).cast::<u32>().read_unaligned() })
    }

    /// Tells this one; not for what tells several.
    pub fn index(self, position: u32) {
        // SAFETY: the program gives room for an index.
        unsafe { self.list.cast::<i32>().write_unaligned(position as i32) };
    }

    /// Tells these.
    pub fn put(self, rank: &Rank, positions: &[u32]) {
        let list = self.list.cast::<i32>();
        // SAFETY: the program gives room for a count, and for as many indices as it has requests.
        unsafe {
            match self.count {
                Some(count) => count.cast::<i32>().write_unaligned(positions.len() as i32),
                None if positions.is_empty() => list.write_unaligned(rank.abi.undefined),
                None => {}
            }
            for (k, &position) in positions.iter().enumerate() {
                list.add(k).write_unaligned(position as i32);
            }
        }
    }
}
