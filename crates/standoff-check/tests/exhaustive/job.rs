//! Small programs, and the traces they would leave.

use std::borrow::Cow;
use std::collections::BTreeMap;

use standoff_trace::event::*;
use standoff_trace::{Basic, Event, Header, RankTrace, Record, Trace};

/// How a send may complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    Standard,
    Buffered,
    Synchronous,
}

/// Collectives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coll {
    Barrier,
    Bcast(usize),
    Reduce(usize),
    Allreduce,
    Scan,
}

/// One call. Peers and roots are communicator ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Do {
    Send {
        comm: usize,
        to: usize,
        tag: i32,
        mode: Mode,
        blocking: bool,
    },
    Recv {
        comm: usize,
        from: Option<usize>,
        tag: Option<i32>,
        blocking: bool,
    },
    Probe {
        comm: usize,
        from: Option<usize>,
        tag: Option<i32>,
    },
    /// A matched probe and the receive of what it took.
    MprobeRecv {
        comm: usize,
        from: Option<usize>,
        tag: Option<i32>,
    },
    /// For all requests made so far; those that were completed before do not count.
    WaitAll,
    /// For one of them.
    WaitAny,
    /// For some of them.
    WaitSome,
    /// For one that was made at this place of the program (if it makes a request).
    WaitOne(usize),
    Collective {
        comm: usize,
        what: Coll,
        blocking: bool,
    },
}

/// Communicators by world ranks; programs by rank.
#[derive(Clone, Debug)]
pub struct Job {
    pub comms: Vec<Vec<usize>>,
    pub programs: Vec<Vec<Do>>,
}

impl Do {
    pub fn makes_request(self) -> bool {
        matches!(
            self,
            Do::Send {
                blocking: false,
                ..
            } | Do::Recv {
                blocking: false,
                ..
            } | Do::Collective {
                blocking: false,
                ..
            }
        )
    }
}

impl Job {
    /// Records before the first call; then each `Do` is one or two records.
    pub fn trace(&self) -> Trace {
        let ranks = (0..self.programs.len())
            .map(|rank| self.rank(rank))
            .collect();
        Trace::new(ranks).expect("all ranks are there")
    }

    /// The same with what wildcards were told, by (rank, call): (world rank, tag).
    pub fn trace_of(&self, outcomes: &BTreeMap<(usize, usize), (usize, i32)>) -> Trace {
        let mut trace = self.trace();
        for (rank, content) in trace.ranks.iter_mut().enumerate() {
            let matched = |call: usize| {
                let &(source, tag) = outcomes.get(&(rank, call))?;
                let comm = match self.programs[rank][call] {
                    Do::Recv { comm, .. }
                    | Do::Probe { comm, .. }
                    | Do::MprobeRecv { comm, .. } => comm,
                    _ => return None,
                };
                let source = self.comms[comm].iter().position(|&m| m == source)?;
                Some(Matched {
                    source: CommRank(source as u32),
                    tag,
                })
            };
            for (at, record) in content.records.iter_mut().enumerate() {
                if matches!(record.event, Event::Comm { .. } | Event::Finalize) {
                    continue;
                }
                let call = self.call(rank, at as u32);
                match &mut record.event {
                    Event::Recv(recv) if recv.request.is_none() => recv.told = matched(call),
                    Event::Probe { told, .. } => *told = matched(call),
                    Event::Complete {
                        requests,
                        told: told @ Told::All(_),
                        ..
                    } => {
                        let of = |(at, r): (usize, &RequestId)| {
                            Some((at as u32, matched(r.0 as usize)?))
                        };
                        *told = Told::All(requests.iter().enumerate().filter_map(of).collect());
                    }
                    _ => {}
                }
            }
        }
        trace
    }

    /// The call that a record belongs to.
    pub fn call(&self, rank: usize, event: u32) -> usize {
        let mut at = self.comms.iter().filter(|c| c.contains(&rank)).count();
        for (call, what) in self.programs[rank].iter().enumerate() {
            at += if matches!(what, Do::MprobeRecv { .. }) {
                2
            } else {
                1
            };
            if (event as usize) < at {
                return call;
            }
        }
        panic!("no such record: {event}");
    }

    fn rank(&self, rank: usize) -> RankTrace {
        let header = Header {
            rank: rank as u32,
            world_size: self.programs.len() as u32,
            world_key: 1,
        };
        let mut events = Vec::new();
        for (index, members) in self
            .comms
            .iter()
            .enumerate()
            .filter(|(_, m)| m.contains(&rank))
        {
            let group = Group::List(members.iter().map(|&m| WorldRank(m as u32)).collect());
            events.push(Event::Comm {
                index: CommIndex(index as u32),
                id: CommId(index as u64 + 1),
                name: Cow::Borrowed(""),
                group,
                remote: None,
                sources: None,
            });
        }
        let mut seqs = vec![0; self.comms.len()];
        let mut requests = Vec::new();
        for (at, &what) in self.programs[rank].iter().enumerate() {
            let request = what.makes_request().then_some(RequestId(at as u64));
            self.call_events(&mut events, what, at, request, &requests, &mut seqs);
            requests.extend(request);
        }
        events.push(Event::Finalize);
        let record = |(at, event)| Record {
            thread: 0,
            site: SiteId(at as u32),
            event,
        };
        RankTrace {
            header,
            records: events.into_iter().enumerate().map(record).collect(),
        }
    }

    fn call_events(
        &self,
        events: &mut Vec<Event<'static>>,
        what: Do,
        at: usize,
        request: Option<RequestId>,
        requests: &[RequestId],
        seqs: &mut [u64],
    ) {
        let source =
            |from: Option<usize>| from.map_or(Source::Any, |f| Source::Rank(CommRank(f as u32)));
        let pattern = |tag: Option<i32>| tag.map_or(TagPattern::Any, TagPattern::Tag);
        let complete = |call, requests: &[RequestId], told| Event::Complete {
            call,
            requests: Cow::Owned(requests.to_vec()),
            told,
        };
        let first = || {
            if requests.is_empty() {
                Told::None
            } else {
                Told::Some(Cow::Owned(vec![(0, None)]))
            }
        };
        match what {
            Do::Send {
                comm,
                to,
                tag,
                mode,
                ..
            } => events.push(Event::Send(Send {
                comm: CommIndex(comm as u32),
                to: CommRank(to as u32),
                tag,
                mode: match mode {
                    Mode::Standard => SendMode::Standard,
                    Mode::Buffered => SendMode::Buffered,
                    Mode::Synchronous => SendMode::Synchronous,
                },
                bytes: 8,
                basic: Basic::UNKNOWN,
                request,
                persistent: false,
            })),
            Do::Recv {
                comm, from, tag, ..
            } => events.push(Event::Recv(Recv {
                comm: CommIndex(comm as u32),
                from: source(from),
                tag: pattern(tag),
                bytes: 8,
                basic: Basic::UNKNOWN,
                request,
                persistent: false,
                told: None,
            })),
            Do::Probe { comm, from, tag } | Do::MprobeRecv { comm, from, tag } => {
                let message = matches!(what, Do::MprobeRecv { .. }).then_some(MessageId(at as u64));
                events.push(Event::Probe {
                    comm: CommIndex(comm as u32),
                    from: source(from),
                    tag: pattern(tag),
                    poll: false,
                    told: None,
                    message,
                });
                events.extend(message.map(|message| Event::Mrecv {
                    message,
                    request: None,
                }));
            }
            Do::WaitAll => events.push(complete(
                Completion::Waitall,
                requests,
                Told::All(Cow::Borrowed(&[])),
            )),
            Do::WaitAny => events.push(complete(Completion::Waitany, requests, first())),
            Do::WaitSome => events.push(complete(Completion::Waitsome, requests, first())),
            Do::WaitOne(made) => {
                let one: Vec<_> = requests
                    .iter()
                    .copied()
                    .filter(|r| r.0 == made as u64)
                    .collect();
                events.push(complete(
                    Completion::Wait,
                    &one,
                    Told::All(Cow::Borrowed(&[])),
                ));
            }
            Do::Collective { comm, what, .. } => {
                let (kind, root) = match what {
                    Coll::Barrier => (CollectiveKind::Barrier, None),
                    Coll::Bcast(root) => (CollectiveKind::Bcast, Some(root)),
                    Coll::Reduce(root) => (CollectiveKind::Reduce, Some(root)),
                    Coll::Allreduce => (CollectiveKind::Allreduce, None),
                    Coll::Scan => (CollectiveKind::Scan, None),
                };
                events.push(Event::Collective(Collective {
                    comm: CommIndex(comm as u32),
                    kind,
                    seq: seqs[comm],
                    start: None,
                    root: root.map_or(Root::None, |r| Root::Rank(CommRank(r as u32))),
                    flow: Flow::Data,
                    request,
                    members: None,
                    signature: None,
                }));
                seqs[comm] += 1;
            }
        }
    }
}
