//! What to do about a finding, chosen from what was seen.

use std::collections::BTreeSet;

use crate::format::{agents, capital, collective, ranks};
use crate::picture::{CollectiveKind, Picture, RankState, Root, SendMode, WorldRank};
use crate::reason::{Blocked, BlockedOp, Finding, OpKind, Peer, Reason};

/// Advice, the most promising first. Never empty. Advice names MPI's procedures and mpi4py's spellings; it cannot know
/// what the program is meant to do.
#[must_use]
pub fn advise(finding: &Finding, picture: &Picture) -> Vec<String> {
    let mut advice = Advice::default();
    collectives(finding, picture, &mut advice);
    messages(finding, &mut advice);
    circles(finding, &mut advice);
    partners(finding, picture, &mut advice);
    if advice.list.is_empty() {
        advice.add("Look at the calls of the core in order: one of them must be made before another that now waits for it.");
    }
    advice.list
}

#[derive(Default)]
struct Advice {
    list: Vec<String>,
}

impl Advice {
    fn add(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.list.contains(&text) && self.list.len() < 8 {
            self.list.push(text);
        }
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
    let mut told: BTreeSet<(u64, u64)> = BTreeSet::new();
    for (_, op) in ops(finding) {
        let OpKind::Collective {
            kind,
            blocking,
            seq,
            ..
        } = op.kind
        else {
            continue;
        };
        let Reason::NotEntered { missing } = &op.reason else {
            continue;
        };
        if missing.is_empty() || !told.insert((op.comm.0, seq)) {
            continue;
        }
        let name = collective(kind, blocking);
        let python = python(kind);
        let stuck = |rank: &WorldRank| finding.core.iter().any(|b| b.agent.rank == *rank);
        if !missing.iter().any(stuck) {
            advice.add(format!(
            "Let every rank of {} call {name}{python}: {} did not. It may stand inside an `if rank == …:`, in a loop that runs a \
             different number of times, or behind an early return or an exception.",
            op.comm_name,
            ranks(missing)
        ));
        }
        let behind = missing.iter().find(|&&rank| elsewhere(picture, rank, op));
        if let Some(&WorldRank(rank)) = behind {
            advice.add(format!(
                "Rank {rank} is still in an earlier collective, or in one of another communicator: use the same order of collectives on all ranks."
            ));
        }
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
                && matches!((&o.op, op.kind), (Op::Collective { comm, seq, .. }, OpKind::Collective { seq: mine, .. })
                    if (*comm, *seq) != (Some(op.comm), mine))
        }),
        _ => false,
    })
}

fn messages(finding: &Finding, advice: &mut Advice) {
    // One advice for each sort of near miss: often all ranks make the same mistake.
    let mut told: Vec<std::mem::Discriminant<Reason>> = Vec::new();
    for (blocked, op) in ops(finding) {
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
                        "Rank {} did send rank {me} a message with tag {} while it waits for {wanted}: use the same tag on both sides, or receive any tag (MPI_ANY_TAG, the default of comm.recv).",
                        first.from.0, first.tag
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
                        "Rank {} sent its message with tag {} to rank {}, and rank {me} waits for one: check the destination of the send (a reply goes to the source of the request, status.Get_source()).",
                        world.0, first.tag, first.to.0
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
                "Rank {me} posted more receives than messages are sent to it: earlier ones (MPI_Irecv, comm.irecv) take the messages first. Count them."
            )),
            _ => {}
        }
        if is_receive(op) && op.peer == Peer::Any && !matches!(op.reason, Reason::TagDiffers { .. })
        {
            advice.add(format!(
                "Rank {me} receives from any source and expects more messages than are sent: compare the number of receives with the number of sends, and let each sender also say when it is done."
            ));
        }
        if op.kind == OpKind::Probe && blocked.function.contains("MPI_Probe") {
            advice.add("A blocking probe needs a message to come; where none may come, use MPI_Iprobe (comm.iprobe) and go on.");
        }
        if is_receive(op) && blocked.function.contains("Wait") {
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
    if cycle.is_empty() {
        return;
    }
    let who = agents(&finding.cycle);
    let subject = capital(&who);
    let all = |what: fn(&BlockedOp) -> bool| cycle.iter().all(|b| b.ops.iter().any(what));
    let is_send = |op: &BlockedOp| matches!(op.kind, OpKind::Send(_));
    if let [one] = cycle[..] {
        if one.ops.iter().any(is_receive) {
            advice.add(format!(
                "{subject} receives from itself, and nothing was sent: send first with MPI_Isend (comm.isend), or use MPI_Sendrecv (comm.sendrecv)."
            ));
        } else if one.ops.iter().any(is_send) {
            advice.add(format!(
                "{subject} sends to itself without a posted receive: post it first with MPI_Irecv (comm.irecv), or use MPI_Sendrecv (comm.sendrecv)."
            ));
        }
    } else if cycle
        .iter()
        .flat_map(|b| &b.ops)
        .any(|op| op.reason.is_near_miss())
    {
        // Another order would not help.
    } else if all(is_receive) {
        advice.add(format!(
            "{subject} each receive before they send: let one side send first and then receive (swap the two calls on one rank)."
        ));
        advice.add("Or let both use MPI_Sendrecv (comm.sendrecv), which does both at once.");
        advice.add("Or post the receive with MPI_Irecv (comm.irecv, comm.Irecv), send, and then wait for it.");
    } else if all(is_send) {
        let ssend = ops(finding).any(|(_, op)| op.kind == OpKind::Send(SendMode::Synchronous));
        advice.add(format!(
            "{subject} each send before they receive: use MPI_Sendrecv (comm.sendrecv), or MPI_Isend (comm.isend, comm.Isend) and wait after the receive, or swap the two calls on one rank."
        ));
        advice.add(if ssend {
            "A synchronous send (MPI_Ssend, comm.ssend) always waits for its receive: post the receive first with MPI_Irecv."
        } else {
            "Standard sends like these pass only when the library buffers the message; on this MPI it did not. Small messages hide the fault."
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

fn partners(finding: &Finding, picture: &Picture, advice: &mut Advice) {
    let Some(&first) = finding.ended.first() else {
        return;
    };
    let list = ranks(&finding.ended);
    let state = picture.ranks.get(first.0 as usize).map(|r| &r.state);
    match state {
        Some(RankState::Killed | RankState::Exited(_)) => advice.add(format!(
            "First find out why {list} ended; the others only wait for it."
        )),
        _ => advice.add(format!(
            "{} finished without doing what the others wait for: look for an exception (in Python it is easily lost), an early return or sys.exit, a branch on the rank, or a loop that ends too soon.",
            capital(&list)
        )),
    }
    if ops(finding).any(|(_, op)| matches!(op.kind, OpKind::Send(_))) {
        advice.add(format!(
            "Nobody on {list} receives the message any more: send fewer, or receive more."
        ));
    }
}

/// mpi4py's spelling, in brackets.
fn python(kind: CollectiveKind) -> &'static str {
    use CollectiveKind as K;
    match kind {
        K::Barrier => " (comm.barrier)",
        K::Bcast => " (comm.bcast)",
        K::Gather | K::Gatherv => " (comm.gather)",
        K::Scatter | K::Scatterv => " (comm.scatter)",
        K::Allgather | K::Allgatherv => " (comm.allgather)",
        K::Alltoall | K::Alltoallv | K::Alltoallw => " (comm.alltoall)",
        K::Reduce => " (comm.Reduce)",
        K::Allreduce => " (comm.Allreduce)",
        K::Scan => " (comm.Scan)",
        K::Exscan => " (comm.Exscan)",
        K::CommDup => " (comm.Dup; also the first lower-case comm.reduce or comm.allreduce)",
        K::CommSplit => " (comm.Split)",
        K::CommFree => " (comm.Free)",
        _ => "",
    }
}
