//! What is wrong without hanging: collectives whose members do not agree and messages that do not fit their receives (module
//! `mismatch`), messages that nobody receives, requests that nobody completes.
//!
//! # What it may miss
//! Messages and requests of ranks whose record ends early are not looked at.

use std::collections::BTreeMap;

use standoff_trace::event::{CollectiveKind, RequestId, Signature};
use standoff_trace::{Event, Trace};

use crate::Model;
use crate::program::{Kind, Route};

/// Something that is wrong without hanging. Events are numbers of records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// The members of a collective do not agree.
    Signature {
        /// Operation.
        kind: CollectiveKind,
        /// (rank, event, signature) of the members.
        members: Vec<(u32, u32, Signature)>,
    },
    /// A message that its receive was not made for.
    Message {
        /// Sender and its send.
        from: (u32, u32),
        /// Receiver and its receive.
        to: (u32, u32),
    },
    /// No receive takes this message, in no execution.
    NeverReceived {
        /// Sender.
        rank: u32,
        /// Its send.
        event: u32,
    },
    /// A request that no call completes or frees.
    NeverCompleted {
        /// Rank.
        rank: u32,
        /// The call that made it.
        event: u32,
    },
}

/// All warnings of a run, sorted.
#[must_use]
pub fn warnings(trace: &Trace, model: &Model) -> Vec<Warning> {
    let mut found = crate::mismatch::mismatches(trace);
    for (rank, content) in model.program.ranks.iter().enumerate() {
        for op in &content.ops {
            if let Kind::Send {
                to,
                route: Route::Fixed(None),
                ..
            } = op.kind
                && trace.ranks[to as usize].finalized()
            {
                found.push(Warning::NeverReceived {
                    rank: rank as u32,
                    event: op.record,
                });
            }
        }
    }
    for (rank, content) in trace
        .ranks
        .iter()
        .enumerate()
        .filter(|(_, r)| r.finalized())
    {
        let mut open: BTreeMap<RequestId, u32> = BTreeMap::new();
        for (at, record) in content.records.iter().enumerate() {
            match &record.event {
                Event::Send(s) => open.extend(s.request.map(|r| (r, at as u32))),
                Event::Recv(r) => open.extend(r.request.map(|r| (r, at as u32))),
                Event::Mrecv { request, .. } => open.extend(request.map(|r| (r, at as u32))),
                Event::Collective(c) => open.extend(c.request.map(|r| (r, at as u32))),
                Event::Complete { requests, told, .. } => match told {
                    standoff_trace::event::Told::None => {}
                    standoff_trace::event::Told::All(_) => {
                        for request in requests.iter() {
                            open.remove(request);
                        }
                    }
                    standoff_trace::event::Told::Some(list) => {
                        let told = list.iter().filter_map(|&(at, _)| requests.get(at as usize));
                        for request in told {
                            open.remove(request);
                        }
                    }
                },
                Event::RequestFree(r) | Event::Cancel(r) => {
                    open.remove(r);
                }
                _ => {}
            }
        }
        found.extend(open.into_values().map(|event| Warning::NeverCompleted {
            rank: rank as u32,
            event,
        }));
    }
    found.sort();
    found
}
