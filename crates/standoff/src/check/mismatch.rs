//! Warnings from a recorded run: messages that do not fit their receives, collectives whose members do not agree.

use std::collections::BTreeMap;

use standoff_check::Warning;
use standoff_report::{Finding, FindingKind};
use standoff_trace::Event;
use standoff_trace::event::{CommIndex, Recv, Send, Signature};

use super::lines::Lines;
use super::recording::Execution;
use crate::monitor::agree::{self, elements};
use crate::monitor::report::ranks;
use crate::monitor::warnings::cut;

/// The warnings of a recorded run.
pub fn findings(execution: &Execution) -> Vec<Finding> {
    let lines = Lines::new(execution);
    let mut messages: BTreeMap<Said, Vec<Pair>> = BTreeMap::new();
    let mut collectives = Vec::new();
    for warning in standoff_check::mismatches(&execution.trace) {
        match warning {
            Warning::Message { from, to } => {
                if let Some(said) = said(&lines, from, to) {
                    messages.entry(said).or_default().push((from, to));
                }
            }
            Warning::Signature { members, .. } => collectives.push(collective(&lines, &members)),
            Warning::NeverReceived { .. } | Warning::NeverCompleted { .. } => {}
        }
    }
    let messages = messages
        .iter()
        .map(|(said, pairs)| message(&lines, said, pairs));
    let mut out = cut(messages.collect(), "messages");
    out.extend(cut(collectives, "collectives"));
    out
}

/// Rank and record of the send, and of the receive.
type Pair = ((u32, u32), (u32, u32));

/// What is said of a message but for the ranks.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    /// Where it is sent and where it is received.
    places: [String; 2],
    sent: String,
    received: String,
    longer: bool,
}

fn said(lines: &Lines<'_>, from: (u32, u32), to: (u32, u32)) -> Option<Said> {
    let (send, recv) = (send(lines, from)?, recv(lines, to)?);
    let longer = send.bytes > recv.bytes;
    Some(Said {
        places: [from, to].map(|(rank, event)| lines.place(rank, event)),
        sent: elements(send.bytes, send.basic),
        received: match longer {
            true => elements(recv.bytes, recv.basic),
            false => format!("{:#}", recv.basic),
        },
        longer,
    })
}

fn send<'a>(lines: &'a Lines<'_>, (rank, event): (u32, u32)) -> Option<&'a Send> {
    match lines.event(rank, event)? {
        Event::Send(send) | Event::Sendrecv { send, .. } => Some(send),
        _ => None,
    }
}

fn recv<'a>(lines: &'a Lines<'_>, (rank, event): (u32, u32)) -> Option<&'a Recv> {
    match lines.event(rank, event)? {
        Event::Recv(recv) | Event::Sendrecv { recv, .. } => Some(recv),
        _ => None,
    }
}

/// ` at x.py:12`, or nothing.
fn at(place: &str) -> String {
    match place {
        "" => String::new(),
        place => format!(" at {place}"),
    }
}

fn message(lines: &Lines<'_>, said: &Said, pairs: &[Pair]) -> Finding {
    let (from, to) = pairs[0];
    let mut finding = Finding::new(FindingKind::MessageMismatch);
    let [sends, receives] = said.places.each_ref().map(|place| at(place));
    let (sender, receiver) = (from.0, to.0);
    let Said { sent, received, .. } = said;
    finding.explanation = match said.longer {
        true => format!(
            "rank {sender} sends {sent}{sends}, and rank {receiver} receives the message{receives} with room for {received}. MPI \
             makes that an error; this library let it pass."
        ),
        false => format!(
            "rank {sender} sends {sent}{sends}, and rank {receiver} receives the message{receives} as {received}. MPI does not \
             convert: the bytes mean something else there."
        ),
    };
    if pairs.len() > 1 {
        let more = pairs.len() - 1;
        let s = if more == 1 { "" } else { "s" };
        finding.explanation += &format!(" So do {more} more pair{s} of ranks.");
    }
    finding.advice = vec![match said.longer {
        true => "Give the receive room for the longest message; MPI_Probe and MPI_Get_count tell its length before.".to_owned(),
        false => "Name the same datatype on both sides (in Python: arrays of the same dtype).".to_owned(),
    }];
    finding.core = vec![lines.caller(sender, from.1), lines.caller(receiver, to.1)];
    finding
}

fn collective(lines: &Lines<'_>, members: &[(u32, u32, Signature)]) -> Finding {
    let mut finding = Finding::new(FindingKind::CollectiveMismatch);
    let mut sides: BTreeMap<(Signature, String), Vec<u32>> = BTreeMap::new();
    for &(rank, event, signature) in members {
        let entry = lines.caller(rank, event);
        let side = agree::said(&entry.call, signature) + &at(&lines.place(rank, event));
        sides.entry((signature, side)).or_default().push(rank);
        finding.core.push(entry);
    }
    let mut sides: Vec<(Vec<u32>, String)> =
        sides.into_iter().map(|((_, s), who)| (who, s)).collect();
    sides.sort();
    finding.mismatch = sides
        .into_iter()
        .map(|(who, side)| format!("{} {side}", ranks(&who)))
        .collect();
    let comm = members.first().and_then(|&(rank, event, _)| {
        let comm: CommIndex = match lines.event(rank, event)? {
            Event::Collective(c) => c.comm,
            _ => return None,
        };
        lines.comm_name(rank, comm, event)
    });
    finding.explanation = agree::explanation(comm.as_deref().unwrap_or("the communicator"));
    finding
}
