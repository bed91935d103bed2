//! Findings in words.

use crate::agents::Agent;
use crate::format::{self, and, capital, collective, ranks};
use crate::picture::{CommId, Need, Picture, RankState, Root, SendMode, WorldRank};
use crate::reason::{Blocked, BlockedOp, CollectiveVariant, Finding, OpKind, Peer, Reason};

/// Groups of agents named one by one; the rest is counted.
const NAMED: usize = 6;

/// A finding as one paragraph: who waits for what, why nobody comes, and who merely waits behind.
#[must_use]
pub fn explain(finding: &Finding, picture: &Picture) -> String {
    let mut text = Vec::new();
    let groups = grouped(&finding.core, picture);
    let mut parts: Vec<String> = groups
        .iter()
        .take(NAMED)
        .map(|(who, plural, what)| {
            format!("{who} {} {what}", if *plural { "wait" } else { "waits" })
        })
        .collect();
    if groups.len() > NAMED {
        parts.push(format!("{} more are stuck with them", groups.len() - NAMED));
    }
    // A group that names who is missing has a comma of its own.
    let list = if parts.iter().any(|part| part.contains(", which")) {
        parts.join("; ")
    } else {
        and(&parts)
    };
    text.push(sentence(&list));
    for why in reasons(finding) {
        text.push(sentence(&why));
    }
    for mismatch in &finding.mismatches {
        let called: Vec<String> = mismatch.variants.iter().take(NAMED).map(called).collect();
        text.push(sentence(&format!(
            "collective number {} on {} was {}",
            mismatch.seq + 1,
            mismatch.comm_name,
            called.join(", but ")
        )));
    }
    for (state, gone) in left(&finding.ended, picture) {
        let its = if gone.len() == 1 { "its" } else { "their" };
        let never = format!("and can never do {its} part");
        text.push(sentence(&format!("{} {state} {never}", ranks(&gone))));
    }
    match &finding.cycle[..] {
        [] => {}
        [_] => text.push("Only this rank itself could release it, and it is blocked.".to_owned()),
        [_, _] => text.push("Each waits for the other, so neither can go on.".to_owned()),
        _ => {
            text.push("They wait for each other in a circle, so none of them can go on.".to_owned())
        }
    }
    let (finished, behind): (Vec<&Blocked>, Vec<&Blocked>) = finding
        .victims
        .iter()
        .partition(|v| v.function == "MPI_Finalize");
    for (list, single, many) in [
        (behind, "is stuck behind this", "are stuck behind this"),
        (
            finished,
            "has finished and sits in MPI_Finalize",
            "have finished and sit in MPI_Finalize",
        ),
    ] {
        let mut list: Vec<WorldRank> = list.iter().map(|v| v.agent.rank).collect();
        list.dedup();
        if !list.is_empty() {
            let does = if list.len() == 1 { single } else { many };
            text.push(sentence(&format!("{} {does}", ranks(&list))));
        }
    }
    text.join(" ")
}

/// What one agent waits for: `rank 1 waits to receive from rank 5 (any tag)`.
#[must_use]
pub fn describe(blocked: &Blocked, picture: &Picture) -> String {
    format!("{} waits {}", name(blocked.agent, picture), waits(blocked))
}

/// (who, more than one, what they wait for), those with the same words together.
fn grouped(core: &[Blocked], picture: &Picture) -> Vec<(String, bool, String)> {
    let mut groups: Vec<(Vec<Agent>, String)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for blocked in core {
        let what = waits(blocked);
        let place = *places.entry(what.clone()).or_insert_with(|| {
            groups.push((Vec::new(), what));
            groups.len() - 1
        });
        groups[place].0.push(blocked.agent);
    }
    groups
        .into_iter()
        .map(|(agents, what)| {
            if let &[one] = &agents[..] {
                return (name(one, picture), false, what);
            }
            let mut members: Vec<WorldRank> = agents.iter().map(|a| a.rank).collect();
            members.dedup();
            let several = members.len() > 1 && members.len() < agents.len();
            let threads = if several { " (several threads)" } else { "" };
            let who = format!("{}{threads}", format::agents(&agents));
            (who, true, what)
        })
        .collect()
}

fn name(agent: Agent, picture: &Picture) -> String {
    let threads = picture
        .ranks
        .get(agent.rank.0 as usize)
        .map_or(0, |r| r.threads.iter().filter(|t| !t.not_an_agent).count());
    if threads > 1 || agent.thread > 0 {
        format!("rank {} thread {}", agent.rank.0, agent.thread)
    } else {
        format!("rank {}", agent.rank.0)
    }
}

/// What follows "waits".
fn waits(blocked: &Blocked) -> String {
    let total = blocked.ops.len() + blocked.omitted;
    let mut parts: Vec<String> = Vec::new();
    for op in &blocked.ops {
        let part = operation(op);
        if !parts.contains(&part) {
            parts.push(part);
        }
        if parts.len() == 3 {
            break;
        }
    }
    match (blocked.need, &parts[..]) {
        (_, []) => format!("in {}", blocked.function),
        (_, [one]) => one.clone(),
        (Need::Any, _) if total <= 3 => {
            format!("for one of {total} operations: {}", parts.join(", or "))
        }
        (Need::All, _) if total <= 3 => and(&parts),
        (need, _) => format!(
            "for {} {total} operations, among them {}",
            if need == Need::Any {
                "one of"
            } else {
                "all of"
            },
            and(&parts[..2])
        ),
    }
}

fn operation(op: &BlockedOp) -> String {
    let on = if op.comm == CommId::WORLD {
        String::new()
    } else {
        format!(" on {}", op.comm_name)
    };
    let tag = op
        .tag
        .map_or_else(|| "any tag".to_owned(), |tag| format!("tag {tag}"));
    let peer = match op.peer {
        Peer::Rank { comm, world } if op.comm != CommId::WORLD && comm.0 != world.0 => {
            format!("rank {} (its rank there: {})", world.0, comm.0)
        }
        Peer::Rank { world, .. } => format!("rank {}", world.0),
        Peer::Any | Peer::None => "any rank".to_owned(),
    };
    match op.kind {
        OpKind::Receive | OpKind::Probe | OpKind::Send(_) if op.private => {
            format!("for {peer} to take part in a lower-case reduction of mpi4py{on}")
        }
        OpKind::Receive | OpKind::Probe => format!("to receive from {peer} ({tag}){on}"),
        OpKind::Send(SendMode::Synchronous) => {
            format!("for {peer} to receive its synchronous send ({tag}){on}")
        }
        OpKind::Send(_) => format!("for {peer} to receive its message ({tag}){on}"),
        OpKind::Collective {
            kind,
            root,
            blocking,
            start,
            ..
        } => {
            let (what, did) = match (start, kind.init()) {
                (Some(start), Some(init)) => {
                    let init = collective(init, true);
                    (
                        format!("start {} of a request of {init}", start + 1),
                        "started",
                    )
                }
                _ => (collective(kind, blocking), "entered"),
            };
            let root = root_words(root);
            let missing = match &op.reason {
                Reason::NotEntered { missing } if !missing.is_empty() => {
                    let have = if missing.len() == 1 { "has" } else { "have" };
                    format!(", which {} {have} not {did}", ranks(missing))
                }
                _ => String::new(),
            };
            format!("in {what}{root}{on}{missing}")
        }
    }
}

fn root_words(root: Root) -> String {
    match root {
        Root::Rank(rank) => format!(" (root {})", rank.0),
        Root::Me => " (MPI_ROOT)".to_owned(),
        Root::Null => " (MPI_PROC_NULL)".to_owned(),
        Root::None => String::new(),
    }
}

/// `MPI_Bcast (root 0) on ranks 0–3`.
fn called(variant: &CollectiveVariant) -> String {
    let what = collective(variant.kind, variant.blocking);
    format!(
        "{what}{} on {}",
        root_words(variant.root),
        ranks(&variant.ranks)
    )
}

/// What was seen besides, for the members of the core that have something special.
fn reasons(finding: &Finding) -> Vec<String> {
    // Two of each sort are enough: often all ranks make the same mistake.
    let mut found: Vec<(std::mem::Discriminant<Reason>, String)> = Vec::new();
    for blocked in &finding.core {
        let me = blocked.agent.rank.0;
        for op in blocked
            .ops
            .iter()
            .filter(|op| !mirrored(finding, blocked, op))
        {
            let wanted = op
                .tag
                .map_or_else(|| "any tag".to_owned(), |tag| format!("tag {tag}"));
            let why = match &op.reason {
                Reason::TagDiffers { sent } => {
                    let mut senders: Vec<(WorldRank, Vec<String>)> = Vec::new();
                    for s in sent.iter().take(3) {
                        match senders.last_mut() {
                            Some((from, tags)) if *from == s.from => tags.push(s.tag.to_string()),
                            _ => senders.push((s.from, vec![s.tag.to_string()])),
                        }
                    }
                    let sent: Vec<String> = senders
                        .into_iter()
                        .map(|(from, tags)| match &tags[..] {
                            [one] => {
                                format!(
                                    "rank {} did send rank {me} a message with tag {one}",
                                    from.0
                                )
                            }
                            _ => format!(
                                "rank {} did send rank {me} messages with tags {}",
                                from.0,
                                and(&tags)
                            ),
                        })
                        .collect();
                    format!("{}, but rank {me} waits for {wanted}", and(&sent))
                }
                Reason::OtherSource { sent } => {
                    let sent: Vec<String> = sent
                        .iter()
                        .take(3)
                        .map(|s| {
                            format!(
                                "rank {} did send rank {me} a message with tag {}",
                                s.from.0, s.tag
                            )
                        })
                        .collect();
                    let Peer::Rank { world, .. } = op.peer else {
                        continue;
                    };
                    format!("{}, but rank {me} waits for rank {}", and(&sent), world.0)
                }
                Reason::OtherDestination { sent } => {
                    let Peer::Rank { world, .. } = op.peer else {
                        continue;
                    };
                    let sent: Vec<String> = sent
                        .iter()
                        .take(3)
                        .map(|s| format!("a message with tag {} to rank {}", s.tag, s.to.0))
                        .collect();
                    format!(
                        "rank {} did send {}, where nothing receives it, and none to rank {me}",
                        world.0,
                        and(&sent)
                    )
                }
                Reason::OtherCommunicator { comms } => {
                    let names: Vec<String> = comms.iter().map(|(_, name)| name.clone()).collect();
                    format!(
                        "a message from that rank to rank {me} is there on {}, but rank {me} waits on {}",
                        and(&names),
                        op.comm_name
                    )
                }
                Reason::EdgeMissing {
                    sources,
                    destinations,
                } => {
                    let one_sided = |list: &[WorldRank], data: &str, side: &str| {
                        let have = if list.len() == 1 { "has" } else { "have" };
                        (!list.is_empty()).then(|| {
                            format!(
                                "rank {me} {data} {}, which {have} no such edge {side} rank {me}",
                                ranks(list)
                            )
                        })
                    };
                    let parts: Vec<String> = [
                        one_sided(sources, "takes data from", "to"),
                        one_sided(destinations, "gives data to", "from"),
                    ]
                    .into_iter()
                    .flatten()
                    .collect();
                    format!("in the graph of {}, {}", op.comm_name, and(&parts))
                }
                Reason::Claimed => {
                    format!(
                        "messages that would do were sent to rank {me}, but receives that it posted earlier take them"
                    )
                }
                Reason::ReceiveDiffers { posted } => {
                    let Some(first) = posted.first() else {
                        continue;
                    };
                    let Peer::Rank { world, .. } = op.peer else {
                        continue;
                    };
                    let from = first
                        .from
                        .map_or_else(|| "any rank".to_owned(), |f| format!("rank {}", f.0));
                    let tag = first
                        .tag
                        .map_or_else(|| "any tag".to_owned(), |tag| format!("tag {tag}"));
                    let on = if first.comm == op.comm {
                        String::new()
                    } else {
                        format!(" on {}", first.comm_name)
                    };
                    format!(
                        "rank {} does receive from {from}, but with {tag}{on}, and rank {me} sends with {wanted} on {}",
                        world.0, op.comm_name
                    )
                }
                _ => continue,
            };
            let sort = std::mem::discriminant(&op.reason);
            if found.iter().filter(|f| f.0 == sort).count() < 2 && !found.iter().any(|f| f.1 == why)
            {
                found.push((sort, why));
            }
        }
    }
    found.truncate(4);
    found.into_iter().map(|f| f.1).collect()
}

/// Whether what keeps a send from its receive is what keeps that receive from the send, and so is told already.
pub(crate) fn mirrored(finding: &Finding, blocked: &Blocked, op: &BlockedOp) -> bool {
    let (Reason::ReceiveDiffers { .. }, Peer::Rank { world, .. }) = (&op.reason, op.peer) else {
        return false;
    };
    let me = blocked.agent.rank;
    let there = finding.core.iter().filter(|b| b.agent.rank == world);
    let mut theirs = there.flat_map(|b| &b.ops);
    theirs.any(|o| match &o.reason {
        Reason::TagDiffers { sent } => sent.iter().any(|s| s.from == me),
        Reason::OtherCommunicator { .. } => {
            matches!(o.peer, Peer::Rank { world, .. } if world == me)
        }
        _ => false,
    })
}

/// Ranks that have left, by how they left, in words.
fn left(ended: &[WorldRank], picture: &Picture) -> Vec<(String, Vec<WorldRank>)> {
    let mut groups: Vec<(String, Vec<WorldRank>)> = Vec::new();
    for &rank in ended {
        let how = match picture.ranks.get(rank.0 as usize).map(|r| &r.state) {
            Some(RankState::Exited(Some(status))) => format!("ended with exit status {status}"),
            Some(RankState::Exited(None)) => "ended".to_owned(),
            Some(RankState::Killed) => "was killed or crashed".to_owned(),
            _ => "already finished (MPI_Finalize)".to_owned(),
        };
        match groups.iter_mut().find(|(known, _)| *known == how) {
            Some((_, list)) => list.push(rank),
            None => groups.push((how, vec![rank])),
        }
    }
    groups
}

/// Upper-case first letter, full stop.
fn sentence(text: &str) -> String {
    format!("{}.", capital(text))
}
