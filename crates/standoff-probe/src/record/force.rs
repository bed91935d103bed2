//! Choices of a forced run: only of what MPI leaves open, and only at the calls that were named.

use crate::rank::Rank;
use standoff_board::layout::ANY;

/// What a forced run has a call do ([`standoff_board::layout::FORCE_VAR`]); of what MPI leaves open there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// A wildcard takes the message with this source and tag.
    From(i32, i32),
    /// A standard send waits for its receive.
    Wait,
    /// A collective lets nobody go before all have come.
    Meet,
}

impl Choice {
    /// A line of the rank's file: number of the call, word, arguments.
    pub(super) fn parse(line: &str) -> Option<(u64, Choice)> {
        let mut words = line.split_ascii_whitespace();
        let call = words.next()?.parse().ok()?;
        let choice = match words.next()? {
            "from" => Choice::From(words.next()?.parse().ok()?, words.next()?.parse().ok()?),
            "wait" => Choice::Wait,
            "meet" => Choice::Meet,
            _ => return None,
        };
        Some((call, choice))
    }
}

/// What the call that begins is to do.
#[inline(always)]
pub(crate) fn chosen(rank: &Rank) -> Option<Choice> {
    if !rank.records() {
        return None;
    }
    rank.quiet(|s, _| {
        let recorder = s.recorder.as_ref()?;
        let next = recorder
            .forced
            .binary_search_by_key(&recorder.calls, |f| f.0)
            .ok()?;
        Some(recorder.forced[next].1)
    })
}

/// Source and tag for a receive or probe: those that it was given, or what is chosen where they are wildcards.
#[inline(always)]
pub(crate) fn pattern(rank: &Rank, source: i32, tag: i32) -> (i32, i32) {
    match chosen(rank) {
        Some(Choice::From(from, with)) if rank.abi.source(source) == ANY => {
            let tag = if rank.abi.tag(tag) == ANY { with } else { tag };
            (from, tag)
        }
        _ => (source, tag),
    }
}
