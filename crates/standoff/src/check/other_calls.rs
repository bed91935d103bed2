//! Whether a program that was run again made the calls that it had made before.

use standoff_check::Witness;
use standoff_trace::event::{CollectiveKind, Root, SendMode, Source, TagPattern};
use standoff_trace::{Event, RankTrace, Trace};

/// What a call asked for, without what it was told and without what differs from run to run.
#[derive(PartialEq)]
enum Asked {
    Send(u32, u32, i32, SendMode, bool),
    Recv(u32, Source, TagPattern, bool),
    Both(u32, u32, i32, Source, TagPattern),
    Probe(u32, Source, TagPattern, bool),
    Take,
    Collective(u32, CollectiveKind, Root, bool),
    Complete(u8, usize),
    Finalize,
    Other,
}

fn asked(event: &Event<'_>) -> Asked {
    match event {
        Event::Send(s) => Asked::Send(s.comm.0, s.to.0, s.tag, s.mode, s.request.is_some()),
        Event::Recv(r) => Asked::Recv(r.comm.0, r.from, r.tag, r.request.is_some()),
        Event::Sendrecv { send, recv } => {
            Asked::Both(send.comm.0, send.to.0, send.tag, recv.from, recv.tag)
        }
        Event::Probe {
            comm,
            from,
            tag,
            message,
            ..
        } => Asked::Probe(comm.0, *from, *tag, message.is_some()),
        Event::Mrecv { .. } => Asked::Take,
        Event::Collective(c) => Asked::Collective(c.comm.0, c.kind, c.root, c.request.is_some()),
        Event::Complete { call, requests, .. } => Asked::Complete(*call as u8, requests.len()),
        Event::Finalize => Asked::Finalize,
        _ => Asked::Other,
    }
}

/// The first call of the recorded run, up to the end of a witness, instead of which the other run made another one: rank and record.
pub(super) fn first(recorded: &Trace, witness: &Witness, other: &Trace) -> Option<(u32, u32)> {
    let numbered = |rank: &RankTrace, end: usize| {
        let records = rank.records.iter().take(end).enumerate();
        let calls = records.filter(|(_, record)| record.event.numbered());
        let calls = calls.map(|(at, record)| (at as u32, asked(&record.event)));
        calls.collect::<Vec<_>>()
    };
    let ranks = recorded.ranks.iter().zip(&other.ranks).enumerate();
    for (rank, (one, two)) in ranks {
        let steps = witness.steps.iter().filter(|s| s.rank as usize == rank);
        let stuck = witness.stuck.iter().filter(|s| s.rank as usize == rank);
        let ends = steps.map(|s| s.event).chain(stuck.map(|s| s.event));
        let Some(end) = ends.max() else { continue };
        let one = numbered(one, end as usize + 1);
        let two = numbered(two, usize::MAX);
        let same = |at: usize| two.get(at).is_some_and(|call| call.1 == one[at].1);
        if let Some(at) = (0..one.len()).find(|&at| !same(at)) {
            return Some((rank as u32, one[at].0));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use standoff_check::Stuck;
    use standoff_trace::event::{CommIndex, CommRank, Send, SiteId};
    use standoff_trace::{Basic, Header, Record};

    fn sends(to: &[u32]) -> RankTrace {
        let send = |to: &u32| {
            Event::Send(Send {
                comm: CommIndex(0),
                to: CommRank(*to),
                tag: 0,
                mode: SendMode::Standard,
                bytes: 8,
                basic: Basic::UNKNOWN,
                request: None,
                persistent: false,
            })
        };
        let record = |event| Record {
            thread: 0,
            site: SiteId(0),
            event,
        };
        let ends = [Event::Finalize].into_iter();
        RankTrace {
            header: Header {
                rank: 0,
                world_size: 1,
                world_key: 0,
            },
            records: to.iter().map(send).chain(ends).map(record).collect(),
        }
    }

    fn told(recorded: &[u32], stuck: u32, other: &[u32]) -> Option<(u32, u32)> {
        let trace = |to| Trace::new(vec![sends(to)]).expect("it is whole");
        let stuck = Stuck {
            rank: 0,
            event: stuck,
            operations: vec![stuck],
            any: false,
            waits_for: Vec::new(),
        };
        let witness = Witness {
            steps: Vec::new(),
            stuck: vec![stuck],
            core: vec![0],
            diverges: Vec::new(),
        };
        first(&trace(recorded), &witness, &trace(other))
    }

    #[test]
    fn the_first_call_that_differs_is_named() {
        assert_eq!(told(&[1, 2, 3], 2, &[1, 2, 3]), None);
        assert_eq!(told(&[1, 2, 3], 2, &[1, 5, 3]), Some((0, 1)));
        assert_eq!(told(&[1, 2, 3], 2, &[1, 2]), Some((0, 2)));
    }

    #[test]
    fn what_comes_after_the_witness_does_not_count() {
        assert_eq!(told(&[1, 2, 3], 1, &[1, 2, 7, 8]), None);
    }
}
