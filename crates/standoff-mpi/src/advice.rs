//! What to do about a finding, chosen from what was seen.

use std::collections::BTreeSet;

use crate::explain::mirrored;
use crate::format::{agents, capital, collective, ranks};
use crate::picture::{CollectiveKind, Picture, RankState, Root, SendMode, WorldRank};
use crate::reason::{Blocked, BlockedOp, Finding, OpKind, Peer, Reason};
use crate::spelling::Spelling;

/// What is known of how the ranks that ended did so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// By an exception.
    Raised,
    /// By calling for an end of the program, as `sys.exit` does.
    Exited,
}

/// Advice, the most promising first. Never empty. Advice names MPI's procedures, and what the program's language calls them; it cannot know
/// what the program is meant to do. `departure`: how all ranks left that the core waits for, if that is known.
#[must_use]
pub fn advise(
    finding: &Finding,
    picture: &Picture,
    spelling: Spelling,
    departure: Option<Departure>,
) -> Vec<String> {
    let mut advice = Advice {
        list: Vec::new(),
        spelling,
        departure,
    };
    departed(finding, &mut advice);
    collectives(finding, picture, &mut advice);
    messages(finding, &mut advice);
    circles(finding, &mut advice);
    partners(finding, picture, &mut advice);
    if advice.list.is_empty() {
        advice.add("Look at the calls of the core in order: one of them must be made before another that now waits for it.");
    }
    advice.list
}

struct Advice {
    list: Vec<String>,
    spelling: Spelling,
    departure: Option<Departure>,
}

impl Advice {
    fn add(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.list.contains(&text) && self.list.len() < 8 {
            self.list.push(text);
        }
    }

    /// A procedure of MPI, and what the language calls it.
    fn name(&self, procedure: &str) -> String {
        self.spelling.both(procedure)
    }
}

fn ops(finding: &Finding) -> impl Iterator<Item = (&Blocked, &BlockedOp)> {
    finding
        .core
        .iter()
        .flat_map(|b| b.ops.iter().map(move |op| (b, op)))
}

fn is_receive(op: &BlockedOp) -> bool {
    matches!(op.kind, OpKind::Receive | OpKind::Probe)
}

fn collectives(finding: &Finding, picture: &Picture, advice: &mut Advice) {
    for mismatch in &finding.mismatches {
        let kinds: BTreeSet<CollectiveKind> = mismatch.variants.iter().map(|v| v.kind).collect();
        let roots: BTreeSet<Root> = mismatch.variants.iter().map(|v| v.root).collect();
        let on = &mismatch.comm_name;
        if kinds.len() == 1 && mismatch.intercomm {
            advice.add("On an intercommunicator the root gives MPI_ROOT, the other ranks of its group give MPI_PROC_NULL, and all of the other group give the root's rank in its own group.");
        } else if kinds.len() > 1 {
            advice.add(format!(
                "Call the collectives of {on} in the same order on all its ranks; look for a call that stands inside an `if` on the rank."
            ));
        } else if roots.len() > 1 {
            advice.add(format!(
                "Give the same root on all ranks of {on} (the rank in {on}, not each rank's own number)."
            ));
        } else {
            advice.add("A blocking collective does not match its nonblocking form (MPI_Barrier and MPI_Ibarrier, say): use the same on all ranks.");
        }
    }
    let one_sided = |(_, op): (_, &BlockedOp)| matches!(op.reason, Reason::EdgeMissing { .. });
    let edges = ops(finding).any(one_sided);
    if ops(finding).any(|(_, op)| op.private) {
        advice.add("Let every rank of the communicator call its lower-case reductions (comm.reduce, comm.allreduce, comm.scan, comm.exscan) in the same order and equally often: look for one inside an `if` on the rank, in a loop that runs a different number of times, or behind an early return or an exception.");
    }
    let mut told: BTreeSet<(u64, u64, Option<u64>)> = BTreeSet::new();
    let mut behind: Vec<WorldRank> = Vec::new();
    for (_, op) in ops(finding).filter(|(_, op)| !op.private) {
        let OpKind::Collective {
            kind,
            blocking,
            seq,
            start,
            ..
        } = op.kind
        else {
            continue;
        };
        if matches!(op.reason, Reason::EdgeMissing { .. }) {
            advice.add(format!(
                "Make the graph of {} of the same edges on both sides: if one rank has another as a destination, that one must have the first as a source, as often. {} \
                 does not check it; MPI_Dist_graph_create takes each edge once, from anybody.",
                op.comm_name,
                advice.name("MPI_Dist_graph_create_adjacent")
            ));
        }
        let Reason::NotEntered { missing } = &op.reason else {
            continue;
        };
        if missing.is_empty() || !told.insert((op.comm.0, seq, start)) {
            continue;
        }
        let name = match (start.and(kind.init()), blocking) {
            (Some(init), _) => format!(
                "MPI_Start for their request of {}",
                advice.name(&collective(init, true))
            ),
            (None, true) => advice.name(&collective(kind, true)),
            (None, false) => collective(kind, false),
        };
        let stuck = |rank: &WorldRank| finding.core.iter().any(|b| b.agent.rank == *rank);
        if !missing.iter().any(stuck) {
            // Who has ended gets an advice of its own (`partners`, `departed`).
            let ended = missing.iter().all(|rank| finding.ended.contains(rank));
            if ended && advice.departure.is_some() {
                continue;
            }
            let why = if ended {
                String::new()
            } else {
                format!(
                    " It may stand inside an `if` on the rank, in a loop that runs a different number of times, or behind {}.",
                    advice.spelling.ways_out()
                )
            };
            advice.add(format!(
                "Let every rank of {} call {name}: {} did not.{why}",
                op.comm_name,
                ranks(missing)
            ));
        }
        behind.extend(missing.iter().filter(|&&rank| elsewhere(picture, rank, op)));
    }
    if !behind.is_empty() && !edges && finding.mismatches.is_empty() {
        behind.sort_unstable();
        behind.dedup();
        let is = if behind.len() == 1 { "is" } else { "are" };
        advice.add(format!(
            "{} {is} still in an earlier collective, or in one of another communicator: use the same order of collectives on all ranks.",
            capital(&ranks(&behind))
        ));
    }
}

/// Whether the rank is blocked in some other collective.
fn elsewhere(picture: &Picture, rank: WorldRank, op: &BlockedOp) -> bool {
    use crate::picture::{Op, Wait};
    let Some(content) = picture.ranks.get(rank.0 as usize) else {
        return false;
    };
    content.threads.iter().any(|t| match t.call.as_ref().map(|c| &c.wait) {
        Some(Wait::Operations { ops, .. }) => content.ops.iter().any(|o| {
            ops.contains(&o.id)
                && matches!((&o.op, op.kind), (Op::Collective { comm, seq, start, .. }, OpKind::Collective { seq: mine, start: here, .. })
                    if (*comm, *seq, *start) != (Some(op.comm), mine, here))
        }),
        _ => false,
    })
}

fn messages(finding: &Finding, advice: &mut Advice) {
    // One advice for each sort of near miss: often all ranks make the same mistake.
    let mut told: Vec<std::mem::Discriminant<Reason>> = Vec::new();
    let told_there = |(blocked, op): &(&Blocked, &BlockedOp)| mirrored(finding, blocked, op);
    let own = ops(finding).filter(|(_, op)| !op.private);
    for (blocked, op) in own.filter(|it| !told_there(it)) {
        if op.reason.is_near_miss() {
            let sort = std::mem::discriminant(&op.reason);
            if told.contains(&sort) {
                continue;
            }
            told.push(sort);
        }
        let me = blocked.agent.rank.0;
        match &op.reason {
            Reason::TagDiffers { sent } => {
                if let Some(first) = sent.first() {
                    let wanted = op.tag.map_or_else(|| "another".to_owned(), |tag| format!("tag {tag}"));
                    advice.add(format!(
                        "Rank {} did send rank {me} a message with tag {} while it waits for {wanted}: use the same tag on both sides, or receive any tag ({}).",
                        first.from.0,
                        first.tag,
                        advice.spelling.any_tag()
                    ));
                }
            }
            Reason::OtherSource { sent } => {
                if let (Some(first), Peer::Rank { world, .. }) = (sent.first(), op.peer) {
                    advice.add(format!(
                        "Rank {me} waits for rank {}, but the message with tag {} came from rank {}: check the source of the receive, and which rank sends.",
                        world.0, first.tag, first.from.0
                    ));
                }
            }
            Reason::OtherDestination { sent } => {
                if let (Some(first), Peer::Rank { world, .. }) = (sent.first(), op.peer) {
                    advice.add(format!(
                        "Rank {} sent its message with tag {} to rank {}, and rank {me} waits for one: check the destination of the send (a reply goes to the source of the request, {}).",
                        world.0,
                        first.tag,
                        first.to.0,
                        advice.spelling.source_of_status()
                    ));
                }
            }
            Reason::OtherCommunicator { comms } => {
                if let Some((_, name)) = comms.first() {
                    advice.add(format!(
                        "The message for rank {me} was sent on {name}, and rank {me} receives on {}: use the same communicator on both sides.",
                        op.comm_name
                    ));
                }
            }
            Reason::ReceiveDiffers { posted } => {
                if let Some(first) = posted.first() {
                    let what = if first.comm == op.comm {
                        "the same tag"
                    } else {
                        "the same communicator"
                    };
                    advice.add(format!(
                        "Use {what} for the send on rank {me} and the receive that is meant for it."
                    ));
                }
            }
            Reason::Claimed => advice.add(format!(
                "Rank {me} posted more receives than messages are sent to it: earlier ones, of {}, take the messages first. Count them.",
                advice.name("MPI_Irecv")
            )),
            _ => {}
        }
        if advice.departure.is_some() && !op.reason.is_near_miss() {
            continue;
        }
        if is_receive(op) && op.peer == Peer::Any && !matches!(op.reason, Reason::TagDiffers { .. })
        {
            advice.add(format!(
                "Rank {me} receives from any source and expects more messages than are sent: compare the number of receives with the number of sends, and let each sender also say when it is done."
            ));
        }
        if op.kind == OpKind::Probe && blocked.function.contains("MPI_Probe") {
            advice.add(format!(
                "A blocking probe needs a message to come; where none may come, use {} and go on.",
                advice.name("MPI_Iprobe")
            ));
        }
        if is_receive(op) && blocked.function.contains("Wait") && !op.reason.is_near_miss() {
            advice.add(format!(
                "Rank {me} waits for a nonblocking receive whose message nobody sends: check the sender's source, destination and tag, and that the send is reached before the wait."
            ));
        }
    }
}

fn circles(finding: &Finding, advice: &mut Advice) {
    let cycle: Vec<&Blocked> = finding
        .core
        .iter()
        .filter(|b| finding.cycle.contains(&b.agent))
        .collect();
    // Who waits in a circle for one that left would not, had it stayed.
    if cycle.is_empty() || advice.departure.is_some() {
        return;
    }
    let who = agents(&finding.cycle);
    let subject = capital(&who);
    let [sendrecv, isend, irecv] =
        ["MPI_Sendrecv", "MPI_Isend", "MPI_Irecv"].map(|name| advice.name(name));
    let all = |what: fn(&BlockedOp) -> bool| cycle.iter().all(|b| b.ops.iter().any(what));
    let is_send = |op: &BlockedOp| matches!(op.kind, OpKind::Send(_));
    if let [one] = cycle[..] {
        if one.ops.iter().any(is_receive) {
            advice.add(format!(
                "{subject} receives from itself, and nothing was sent: send first with {isend}, or use {sendrecv}."
            ));
        } else if one.ops.iter().any(is_send) {
            advice.add(format!(
                "{subject} sends to itself without a posted receive: post it first with {irecv}, or use {sendrecv}."
            ));
        }
    } else if cycle
        .iter()
        .flat_map(|b| &b.ops)
        .any(|op| op.reason.is_near_miss() || op.private)
    {
        // Another order of messages would not help, or they are not the program's.
    } else if all(is_receive) && cycle.iter().all(|b| b.function.contains("MPI_Sendrecv")) {
        advice.add(format!(
            "{subject} are all in {sendrecv}, and none is sent what it waits for: whom a rank receives from must be who sends to it in the same step. Look at \
             source and destination at the borders (MPI_PROC_NULL on one side is MPI_PROC_NULL on the other), and at which neighbour is which."
        ));
    } else if all(is_receive) {
        let none = match cycle.len() {
            2 => "neither has sent what the other waits for",
            _ => "none has sent what another waits for",
        };
        advice.add(format!(
            "{subject} each wait to receive, and {none}: let one side send first (if it does so after its receive, swap the two calls there)."
        ));
        advice.add(format!(
            "Or let both use {sendrecv}, which does both at once."
        ));
        advice.add(format!(
            "Or post the receive with {irecv}, send, and then wait for it."
        ));
    } else if all(is_send) {
        let ssend = ops(finding).any(|(_, op)| op.kind == OpKind::Send(SendMode::Synchronous));
        advice.add(format!(
            "{subject} each send before they receive: use {sendrecv}, or {isend} and wait after the receive, or swap the two calls on one rank."
        ));
        advice.add(if ssend {
            format!("A synchronous send, {}, always waits for its receive: post the receive first with {irecv}.", advice.name("MPI_Ssend"))
        } else {
            "Standard sends like these pass only when the library buffers the message; on this MPI it did not. Small messages hide the fault.".to_owned()
        });
    } else if cycle.iter().any(|b| {
        b.ops
            .iter()
            .any(|op| matches!(op.kind, OpKind::Collective { .. }))
    }) && cycle
        .iter()
        .any(|b| b.ops.iter().any(|op| is_receive(op) || is_send(op)))
    {
        advice.add(format!(
            "Among {who} some wait in a collective for others that wait for a message from them: move the collective after the messages on all ranks, or before them on all."
        ));
    }
}

/// Ranks that left in a way that is known.
fn departed(finding: &Finding, advice: &mut Advice) {
    let python = matches!(advice.spelling, Spelling::Objects | Spelling::Buffers);
    let abort = if python { "comm.Abort" } else { "MPI_Abort" };
    let list = ranks(&finding.ended);
    match advice.departure {
        None => {}
        Some(Departure::Raised) => advice.add(format!(
            "First mend what ended {list}; the others only wait for it. To have an exception on one rank end the whole job, start the program with \
             `python -m mpi4py`, or catch it and call {abort}."
        )),
        Some(Departure::Exited) => advice.add(format!(
            "Let {list} not leave alone: have all ranks decide together (by an all-reduction of a flag, say), or end the whole job with {abort}."
        )),
    }
}

fn partners(finding: &Finding, picture: &Picture, advice: &mut Advice) {
    let Some(&first) = finding.ended.first() else {
        return;
    };
    if advice.departure.is_some() {
        return;
    }
    let list = ranks(&finding.ended);
    let state = picture.ranks.get(first.0 as usize).map(|r| &r.state);
    match state {
        Some(RankState::Killed | RankState::Exited(_)) => advice.add(format!(
            "First find out why {list} ended; the others only wait for it."
        )),
        // Who did nearly the right thing did not leave too soon.
        _ if ops(finding).any(|(_, op)| op.reason.is_near_miss()) => {}
        _ => advice.add(format!(
            "{} finished without doing what the others wait for: look for {}, a branch on the rank, or a loop that ends too soon.",
            capital(&list),
            advice.spelling.ways_out()
        )),
    }
    if ops(finding).any(|(_, op)| matches!(op.kind, OpKind::Send(_)) && !op.private) {
        advice.add(format!(
            "Nobody on {list} receives the message any more: send fewer, or receive more."
        ));
    }
}
