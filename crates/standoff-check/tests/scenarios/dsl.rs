//! Traces by hand: one call a line of a script.

use std::borrow::Cow;

use standoff_trace::event::*;
use standoff_trace::{Basic, Event, Header, RankTrace, Record, Trace};

/// The trace of a job on `MPI_COMM_WORLD`; call i of rank r is line i + 1 of `rank_r.py`.
pub fn trace(ranks: Vec<Vec<Event<'static>>>) -> Trace {
    let size = ranks.len() as u32;
    let world = Event::Comm {
        index: CommIndex(0),
        id: CommId(1),
        name: Cow::Borrowed("MPI_COMM_WORLD"),
        group: Group::Strided {
            first: 0,
            stride: 1,
            len: size,
        },
        remote: None,
        sources: None,
    };
    let rank = |(rank, calls): (usize, Vec<Event<'static>>)| {
        let mut records = vec![record(0, world.clone())];
        for (at, call) in calls.into_iter().chain([Event::Finalize]).enumerate() {
            let id = SiteId(at as u32 + 1);
            let place = Place::Script {
                file: Cow::Owned(format!("rank_{rank}.py")),
                line: at as u32 + 1,
                function: Cow::Borrowed("main"),
            };
            records.push(record(0, Event::Site { id, place }));
            records.push(record(at as u32 + 1, call));
        }
        RankTrace {
            header: Header {
                rank: rank as u32,
                world_size: size,
                world_key: 1,
            },
            records,
        }
    };
    Trace::new(ranks.into_iter().enumerate().map(rank).collect()).expect("all ranks are there")
}

fn record(site: u32, event: Event<'static>) -> Record<'static> {
    Record {
        thread: 0,
        site: SiteId(site),
        event,
    }
}

/// The record of a call (from 1) of [`trace`].
pub fn event(call: u32) -> u32 {
    2 * call
}

pub fn send(to: u32) -> Event<'static> {
    Event::Send(plain_send(to))
}

pub fn plain_send(to: u32) -> Send {
    let (comm, mode) = (CommIndex(0), SendMode::Standard);
    Send {
        comm,
        to: CommRank(to),
        tag: 0,
        mode,
        bytes: 4096,
        basic: Basic::UNKNOWN,
        request: None,
        persistent: false,
    }
}

pub fn plain_recv(from: Option<u32>) -> Recv {
    let from = from.map_or(Source::Any, |f| Source::Rank(CommRank(f)));
    let (comm, tag) = (CommIndex(0), TagPattern::Tag(0));
    Recv {
        comm,
        from,
        tag,
        bytes: 4096,
        basic: Basic::UNKNOWN,
        request: None,
        persistent: false,
        told: None,
    }
}

pub fn recv(from: u32) -> Event<'static> {
    Event::Recv(plain_recv(Some(from)))
}

pub fn matched(source: u32) -> Matched {
    Matched {
        source: CommRank(source),
        tag: 0,
    }
}

/// A receive from anybody that was told `source`.
pub fn recv_any(source: u32) -> Event<'static> {
    Event::Recv(Recv {
        told: Some(matched(source)),
        ..plain_recv(None)
    })
}

pub fn irecv(from: Option<u32>, request: u64) -> Event<'static> {
    Event::Recv(Recv {
        request: Some(RequestId(request)),
        ..plain_recv(from)
    })
}

pub fn isend(to: u32, request: u64) -> Event<'static> {
    Event::Send(Send {
        request: Some(RequestId(request)),
        ..plain_send(to)
    })
}

pub fn sendrecv(to: u32, from: u32) -> Event<'static> {
    Event::Sendrecv {
        send: plain_send(to),
        recv: plain_recv(Some(from)),
    }
}

/// `MPI_Isendrecv`: the send has the request, the receive the next one.
pub fn isendrecv(to: u32, from: u32, request: u64) -> Event<'static> {
    Event::Sendrecv {
        send: Send {
            request: Some(RequestId(request)),
            ..plain_send(to)
        },
        recv: Recv {
            request: Some(RequestId(request + 1)),
            ..plain_recv(Some(from))
        },
    }
}

/// `MPI_Start` of a persistent collective that was made as number `seq`.
pub fn started(
    kind: CollectiveKind,
    root: Option<u32>,
    seq: u64,
    start: u64,
    request: u64,
) -> Event<'static> {
    let Event::Collective(made) = collective(kind, root, seq) else {
        unreachable!()
    };
    Event::Collective(Collective {
        start: Some(start),
        request: Some(RequestId(request)),
        ..made
    })
}

pub fn probe_any(source: u32) -> Event<'static> {
    let (comm, from, tag) = (CommIndex(0), Source::Any, TagPattern::Any);
    Event::Probe {
        comm,
        from,
        tag,
        poll: false,
        told: Some(matched(source)),
        message: None,
    }
}

pub fn complete(
    call: Completion,
    requests: &[u64],
    told: &[(u32, Option<Matched>)],
) -> Event<'static> {
    Event::Complete {
        call,
        requests: requests.iter().map(|&r| RequestId(r)).collect(),
        told: if told.is_empty() {
            Told::None
        } else {
            Told::Some(Cow::Owned(told.to_vec()))
        },
    }
}

pub fn waitall(requests: &[u64]) -> Event<'static> {
    Event::Complete {
        call: Completion::Waitall,
        requests: requests.iter().map(|&r| RequestId(r)).collect(),
        told: Told::All(Cow::Borrowed(&[])),
    }
}

pub fn collective(kind: CollectiveKind, root: Option<u32>, seq: u64) -> Event<'static> {
    Event::Collective(Collective {
        comm: CommIndex(0),
        kind,
        seq,
        start: None,
        root: root.map_or(Root::None, |r| Root::Rank(CommRank(r))),
        flow: Flow::Data,
        request: None,
        members: None,
        signature: None,
    })
}
