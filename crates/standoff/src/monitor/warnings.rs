//! What a run did wrong without hanging: messages that nobody received, requests that were never completed, collectives that
//! differ and that the library let pass.
//!
//! All of it is read from the boards after the end, of ranks that came to `MPI_Finalize` and of which everything was followed; so it
//! costs the run nothing, and what is not certain is not said. What may be missed: messages of more different tags in flight on one channel
//! than a digest tells apart; communicators that were freed and whose entry was needed for another; the place of a mismatch before
//! the last [`HISTORY`](standoff_board::layout::HISTORY) collectives of a communicator.

use std::collections::{BTreeMap, BTreeSet};

use standoff_board::layout::{self as lay, flag, op, state};
use standoff_board::read::text;
use standoff_mpi::format::collective;
use standoff_mpi::picture::{CommId, Op, Operation, Tags, Unmatched, WorldRank};
use standoff_report::{AgentEntry, Finding, FindingKind, Frame};

use super::agree;
use super::picture::{self, Polls, Reading, collective_kind};
use super::report::{Known, ranks};

/// Findings of one kind that are listed; the others are counted.
const SHOWN: usize = 5;

/// The warnings of a world that has ended.
pub fn warnings(known: &Known<'_>) -> Vec<Finding> {
    let mut out = collectives(known);
    out.extend(unreceived(known));
    out.extend(requests(known));
    out
}

/// The board of a rank that came to `MPI_Finalize`, where no code of the user's runs any more, and of which everything was followed.
fn whole(reading: &Option<Reading>) -> Option<&Reading> {
    reading.as_ref().filter(|r| {
        let header = &r.copy.header;
        let over = matches!(header.state, state::FINALIZING | state::FINALIZED);
        over && header.taint == 0 && !r.moving
    })
}

/// At most [`SHOWN`], and in the last of them how many more there are.
pub(crate) fn cut(mut found: Vec<Finding>, what: &str) -> Vec<Finding> {
    let more = found.len().saturating_sub(SHOWN);
    found.truncate(SHOWN);
    if let Some(last) = found.last_mut().filter(|_| more > 0) {
        last.explanation += &format!(" There are {more} more {what} of this kind.");
    }
    found
}

/// `1 message`, `3 messages`.
pub(super) fn count(n: u64, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        _ => format!("{n} {what}s"),
    }
}

/// ` at x.py:12`, or nothing.
pub(super) fn at(place: Option<&Frame>) -> String {
    place
        .and_then(|p| Some(format!(" at {}:{}", p.file.as_deref()?, p.line?)))
        .unwrap_or_default()
}

/// What messages that are told of together have in common.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
struct Sort {
    /// ` at x.py:12`, or nothing.
    place: String,
    tag: i32,
    comm: String,
}

/// Messages of one sort.
#[derive(Default)]
struct Lost {
    count: u64,
    from: BTreeSet<u32>,
    to: BTreeSet<u32>,
    /// One for each sender.
    entries: Vec<AgentEntry>,
}

/// Messages that were sent and not received.
fn unreceived(known: &Known<'_>) -> Vec<Finding> {
    let picture = picture::picture(known.world, known.readings, &|_, _| Polls::Act);
    let mut sorts: BTreeMap<Sort, Lost> = BTreeMap::new();
    for Unmatched {
        comm,
        from,
        to,
        tags,
    } in &picture.unmatched
    {
        let both = [from, to].map(|r| known.readings.get(r.0 as usize).and_then(whole));
        let ([Some(sender), Some(_)], Tags::Known(tags)) = (both, tags) else {
            continue;
        };
        let pending = &picture.ranks[to.0 as usize].ops;
        let name = sender.copy.comms.iter().find(|c| c.id == comm.0);
        let name = name.map_or_else(String::new, |c| text(&c.name));
        for &(tag, n) in tags.iter().filter(|t| !awaited(pending, *comm, t.0)) {
            let channel = known.channel(*from, *to, *comm, tag);
            let rank = from.0 as usize;
            let place = channel.and_then(|c| known.places.line(rank, c.place));
            let call = channel.and_then(|c| known.places.function(rank, c.place));
            let sort = Sort {
                place: at(place.as_ref()),
                tag,
                comm: name.clone(),
            };
            let lost = sorts.entry(sort).or_default();
            lost.count += n;
            lost.to.insert(to.0);
            if lost.from.insert(from.0) {
                lost.entries.push(AgentEntry {
                    comm: Some(name.clone()),
                    tag: Some(tag),
                    waits_for: vec![known.rank_name(*to)],
                    ..known.at(*from, call.unwrap_or("MPI_Send"), place)
                });
            }
        }
    }
    let finding = |(sort, lost): (Sort, Lost)| {
        let mut finding = Finding::new(FindingKind::UnreceivedMessage);
        let [from, to] =
            [&lost.from, &lost.to].map(|r| ranks(&r.iter().copied().collect::<Vec<_>>()));
        let (was, it) = if lost.count == 1 {
            ("was", "it")
        } else {
            ("were", "them")
        };
        finding.explanation = format!(
            "{} from {from} to {to} (tag {}, {}), sent{}, {was} never received: {to} came to MPI_Finalize without a receive for \
             {it}. This passed because the library buffered {it}.",
            count(lost.count, "message"),
            sort.tag,
            sort.comm,
            sort.place,
        );
        finding.core = lost.entries;
        finding
    };
    cut(sorts.into_iter().map(finding).collect(), "messages")
}

/// Whether a receive that was posted, and never completed, may have got a message.
fn awaited(pending: &[Operation], on: CommId, sent: i32) -> bool {
    pending.iter().any(|o| match o.op {
        Op::Recv { comm, tag, .. } => {
            comm.is_none_or(|comm| comm == on) && tag.is_none_or(|tag| tag == sent)
        }
        _ => false,
    })
}

/// Requests that were still there at the end.
fn requests(known: &Known<'_>) -> Vec<Finding> {
    let mut groups: BTreeMap<(String, String), Vec<(AgentEntry, u64)>> = BTreeMap::new();
    for (rank, reading) in (0u32..).map(WorldRank).zip(known.readings) {
        let Some(reading) = whole(reading) else {
            continue;
        };
        for o in &reading.copy.ops {
            let name = match o.kind {
                op::SEND => "MPI_Isend",
                op::SSEND => "MPI_Issend",
                op::BSEND => "MPI_Ibsend",
                op::RSEND => "MPI_Irsend",
                op::RECV => "MPI_Irecv",
                op::COLLECTIVE => "a nonblocking collective",
                _ => continue,
            };
            if o.flags & flag::INACTIVE != 0 {
                continue;
            }
            let place = known.places.line(rank.0 as usize, o.place);
            let call = known
                .places
                .function(rank.0 as usize, o.place)
                .unwrap_or(name);
            let key = (at(place.as_ref()), call.to_owned());
            let group = groups.entry(key).or_default();
            let n = u64::from(o.shared.max(1));
            match group.last_mut().filter(|(entry, _)| entry.rank == rank.0) {
                Some((_, sum)) => *sum += n,
                None => group.push((known.at(rank, call, place), n)),
            }
        }
    }
    let found = groups.into_iter().map(|((place, call), entries)| {
        let mut finding = Finding::new(FindingKind::RequestLeak);
        let all: u64 = entries.iter().map(|e| e.1).sum();
        let who: Vec<u32> = entries.iter().map(|e| e.0.rank).collect();
        let was = if all == 1 { "was" } else { "were" };
        finding.explanation = format!(
            "{} of {}, made by {call}{place}, {was} neither completed nor freed before MPI_Finalize.",
            count(all, "request"),
            ranks(&who),
        );
        finding.advice = vec!["Complete each request with MPI_Wait or MPI_Waitall (request.wait(), MPI.Request.waitall): until then \
             its buffer must not be touched, and a send may never leave."
            .to_owned()];
        finding.core = entries.into_iter().map(|e| e.0).collect();
        finding
    });
    cut(found.collect(), "places")
}

/// What a member called: operation and root; `None`: nothing any more.
type Variant = Option<(u8, u8, i32)>;
/// Who called what, and at which places.
type Sides = BTreeMap<Variant, Vec<(WorldRank, u16)>>;

/// A member of a communicator.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub rank: WorldRank,
    pub comm: &'a lay::Comm,
}

/// Collectives in which members of a communicator differ.
fn collectives(known: &Known<'_>) -> Vec<Finding> {
    let mut members: BTreeMap<u64, Vec<Member<'_>>> = BTreeMap::new();
    for (rank, reading) in (0u32..).map(WorldRank).zip(known.readings) {
        for comm in whole(reading).into_iter().flat_map(|r| &r.copy.comms) {
            if comm.id != 0 {
                members
                    .entry(comm.id)
                    .or_default()
                    .push(Member { rank, comm });
            }
        }
    }
    let several = || members.values().filter(|m| m.len() > 1);
    let found = several().filter_map(|m| differing(m, known));
    let mut out = cut(found.collect(), "communicators");
    for members in several().filter(|m| same(m) && m[0].comm.inter == 0) {
        out.extend(agree::disagreements(members, known));
    }
    out
}

/// Whether all called the same collectives.
fn same(members: &[Member<'_>]) -> bool {
    let folded = |m: &Member<'_>| (m.comm.collectives, m.comm.folded);
    members.iter().all(|m| folded(m) == folded(&members[0]))
}

fn differing(members: &[Member<'_>], known: &Known<'_>) -> Option<Finding> {
    let inter = members[0].comm.inter != 0;
    // On an intercommunicator roots are not folded: right ones differ.
    if !inter && same(members) {
        return None;
    }
    let fewest = members.iter().map(|m| m.comm.collectives).min()?;
    let most = members.iter().map(|m| m.comm.collectives).max()?;
    let oldest = most.saturating_sub(lay::HISTORY as u64);
    let name = text(&members[0].comm.name);
    for seq in oldest..most {
        let mut variants = Sides::new();
        let mut roots = Sides::new();
        for m in members {
            let begun = m.comm.history[seq as usize % lay::HISTORY];
            match begun.seq1 {
                n if n == seq + 1 => {
                    let key = |root| Some((begun.collective, begun.blocking, root));
                    let here = (m.rank, begun.place);
                    let root = if inter { lay::root::NONE } else { begun.root };
                    variants.entry(key(root)).or_default().push(here);
                    roots.entry(key(begun.root)).or_default().push(here);
                }
                _ if m.comm.collectives <= seq => {
                    variants.entry(None).or_default().push((m.rank, 0))
                }
                _ => {}
            }
        }
        // To give a communicator up is no harm on the way out.
        let parting = |key: &Variant| {
            key.is_none_or(|(kind, ..)| {
                matches!(
                    kind,
                    lay::collective::COMM_FREE | lay::collective::COMM_DISCONNECT
                )
            })
        };
        if variants.len() > 1 && !variants.keys().all(parting) {
            return Some(mismatch(&name, seq, variants, known));
        }
        if inter && variants.len() == 1 && roots_clash(&roots) {
            let mut finding = mismatch(&name, seq, roots, known);
            finding.explanation = format!(
                "Collective number {} on {name}: the roots do not fit. One rank gives MPI_ROOT, the others of its group give MPI_PROC_NULL, and all of the \
                 other group give its rank in its group; here the library let it pass, with another message size, library or timing it hangs or gives wrong \
                 data.",
                seq + 1,
            );
            return Some(finding);
        }
    }
    // Before what is remembered.
    (fewest == most && oldest > 0 && !same(members)).then(|| {
        let mut finding = Finding::new(FindingKind::CollectiveMismatch);
        let who: Vec<u32> = members.iter().map(|m| m.rank.0).collect();
        finding.explanation = format!(
            "{} called {most} collectives on {name}, but not the same ones in the same order: they differ in operation or root \
             somewhere before the last {}. The library let it pass.",
            ranks(&who),
            lay::HISTORY,
        );
        finding
    })
}

/// Whether roots of one collective on an intercommunicator cannot belong together, whoever else gave what: two roots, or two ranks for the root.
fn roots_clash(roots: &Sides) -> bool {
    let given = |wanted: fn(i32) -> bool| {
        let of = roots
            .iter()
            .filter(move |(key, _)| key.is_some_and(|k| wanted(k.2)));
        of.map(|(_, who)| who.len())
    };
    given(|root| root >= 0).count() > 1 || given(|root| root == lay::root::ME).sum::<usize>() > 1
}

fn mismatch(name: &str, seq: u64, variants: Sides, known: &Known<'_>) -> Finding {
    let mut finding = Finding::new(FindingKind::CollectiveMismatch);
    let mut sides: Vec<_> = variants.into_iter().collect();
    sides.sort_by_key(|(_, who)| who[0].0);
    for (variant, members) in sides {
        let list: Vec<u32> = members.iter().map(|m| m.0.0).collect();
        let Some((kind, blocking, root)) = variant else {
            finding
                .mismatch
                .push(format!("{} made no further call", ranks(&list)));
            continue;
        };
        let call = collective_kind(kind).map_or_else(
            || "a collective".to_owned(),
            |kind| collective(kind, blocking != 0),
        );
        let root = match root {
            lay::root::ME => " with MPI_ROOT".to_owned(),
            lay::root::NULL => " with MPI_PROC_NULL".to_owned(),
            root if root >= 0 => format!(" with root {root}"),
            _ => String::new(),
        };
        let mut places: Vec<String> = Vec::new();
        for &(rank, place) in &members {
            let line = known.places.line(rank.0 as usize, u32::from(place));
            places.push(at(line.as_ref()));
            finding.core.push(known.at(rank, &call, line));
        }
        places.dedup();
        let place = if let [one] = &places[..] {
            one.as_str()
        } else {
            ""
        };
        let said = format!("{} called {call}{root}{place}", ranks(&list));
        finding.mismatch.push(said);
    }
    finding.core.sort_by_key(|e| e.rank);
    finding.explanation = format!(
        "Collective number {} on {name} differs between ranks. All members must call the same collectives in the same order and with \
         the same root; here the library let it pass, with another message size, library or timing it hangs or gives wrong data.",
        seq + 1,
    );
    finding
}

impl Known<'_> {
    /// A rank that made a call at a place.
    pub(super) fn at(&self, rank: WorldRank, call: &str, place: Option<Frame>) -> AgentEntry {
        AgentEntry {
            agent: self.rank_name(rank),
            rank: rank.0,
            world: self.world,
            call: call.to_owned(),
            user_call: place.as_ref().and_then(|p| self.written(rank, call, p)),
            stack: place.into_iter().collect(),
            ..AgentEntry::default()
        }
    }
}
