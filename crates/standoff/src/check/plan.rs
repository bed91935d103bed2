//! Which choices bring the program to the end of a witness, or to another outcome.

use std::collections::{BTreeMap, BTreeSet};

use standoff_check::{Action, Alternative, Outcome};
use standoff_trace::event::{
    Collective as Call, CollectiveKind, CommIndex, CommRank, Group, Root, Send, SendMode, Source,
    Told,
};
use standoff_trace::{Event, RankTrace, Trace};

use super::force::{Choice, Choices, Collective, Rank, found};

/// Choices, and what of the way there cannot be chosen.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What is forced.
    pub choices: Choices,
    /// What is not, in words.
    pub left: BTreeSet<String>,
}

/// Any library buffers a message of fewer bytes.
const SMALL: u64 = 256;

/// One rank's records, with what is asked of them.
struct View<'t> {
    rank: &'t RankTrace,
    /// Number of the call, by record.
    numbers: Vec<u64>,
    /// Records that define communicators.
    comms: Vec<u32>,
}

impl<'t> View<'t> {
    fn new(rank: &'t RankTrace) -> View<'t> {
        let mut next = 0;
        let number = |record: &standoff_trace::Record<'_>| {
            let this = next;
            next += u64::from(record.event.numbered());
            this
        };
        let numbers = rank.records.iter().map(number).collect();
        let defines = |at: &u32| matches!(rank.records[*at as usize].event, Event::Comm { .. });
        let comms = (0..rank.records.len() as u32).filter(defines).collect();
        View {
            rank,
            numbers,
            comms,
        }
    }

    fn all(trace: &'t Trace) -> Vec<View<'t>> {
        trace.ranks.iter().map(View::new).collect()
    }

    fn event(&self, at: u32) -> Option<&'t Event<'static>> {
        self.rank.records.get(at as usize).map(|r| &r.event)
    }

    fn number(&self, at: u32) -> u64 {
        self.numbers.get(at as usize).copied().unwrap_or(u64::MAX)
    }

    /// A communicator as it was defined last before a record: identity, group, remote group.
    fn comm(
        &self,
        comm: CommIndex,
        before: u32,
    ) -> Option<(u64, &'t Group<'static>, Option<&'t Group<'static>>)> {
        let earlier = self.comms.iter().rev().filter(|&&at| at < before);
        let mut earlier = earlier.filter_map(|&at| self.event(at));
        earlier.find_map(|event| match event {
            Event::Comm {
                index,
                id,
                group,
                remote,
                ..
            } if *index == comm => Some((id.0, group, remote.as_ref())),
            _ => None,
        })
    }

    /// The rank of a world rank in a communicator, as this rank names it (in the remote group of an intercommunicator).
    fn peer(&self, comm: CommIndex, world: u32, before: u32) -> Option<u32> {
        let (_, group, remote) = self.comm(comm, before)?;
        place(remote.unwrap_or(group), world)
    }

    /// The choice that lets a wildcard take a message.
    fn take(&self, event: u32, from: u32, tag: i32) -> Option<Choice> {
        let comm = match self.event(event)? {
            Event::Recv(recv) | Event::Sendrecv { recv, .. } => {
                (recv.from == Source::Any).then_some(recv.comm)?
            }
            Event::Probe { comm, from, .. } => (*from == Source::Any).then_some(*comm)?,
            _ => return None,
        };
        let source = self.peer(comm, from, event)?;
        Some(Choice::From { source, tag })
    }

    /// The recorded answers to polls before a record.
    fn polls(&self, end: u32) -> Vec<(u64, u64, bool)> {
        let records = (0..end).zip(&self.rank.records);
        let one = |(at, record): (u32, &standoff_trace::Record<'_>)| {
            Some((self.number(at), record.event.asks()?, found(&record.event)))
        };
        records.filter_map(one).collect()
    }
}

fn place(group: &Group<'_>, world: u32) -> Option<u32> {
    (0..group.len() as u32).find(|&r| group.world(CommRank(r)).is_some_and(|w| w.0 == world))
}

fn standard_send<'t>(event: &'t Event<'_>) -> Option<&'t Send> {
    match event {
        Event::Send(send) if send.mode == SendMode::Standard => Some(send),
        Event::Sendrecv { send, .. } => Some(send),
        _ => None,
    }
}

fn tag_of(view: &View<'_>, send: u32) -> Option<i32> {
    match view.event(send)? {
        Event::Send(send) | Event::Sendrecv { send, .. } => Some(send.tag),
        _ => None,
    }
}

/// A communicator's identity, the number of a collective there, and of a persistent one which start.
type Place = (u64, u64, Option<u64>);

/// What happens to one collective in a witness.
struct Instance<'t> {
    call: &'t Call<'static>,
    /// The members called different things.
    mismatch: bool,
    intercomm: bool,
    group: &'t Group<'static>,
    members: usize,
    /// World ranks.
    begun: BTreeSet<u32>,
    early: BTreeSet<u32>,
}

/// What brings the program to the end of a witness.
pub fn of_witness(trace: &Trace, witness: &standoff_check::Witness) -> Plan {
    let views = View::all(trace);
    let mut plan = Plan::default();
    plan.choices.ranks = vec![Rank::default(); views.len()];
    let mut last = vec![0; views.len()];
    let mut begun: Vec<(u32, u32)> = Vec::new();
    let mut buffered: BTreeSet<(u32, u32)> = BTreeSet::new();
    let mut instances: BTreeMap<Place, Instance<'_>> = BTreeMap::new();
    for step in &witness.steps {
        let view = &views[step.rank as usize];
        last[step.rank as usize] = last[step.rank as usize].max(step.event);
        let choice = match step.action {
            Action::Receives { from, send } | Action::Sees { from, send } => {
                let tag = tag_of(&views[from as usize], send);
                tag.and_then(|tag| view.take(step.event, from, tag))
            }
            Action::Told { request } => Some(Choice::Request(view.number(request))),
            Action::Buffered => {
                buffered.insert((step.rank, step.event));
                None
            }
            Action::LeftEarly | Action::Begins => {
                if let Some(instance) = instance(view, step.event, &mut instances) {
                    match step.action {
                        Action::Begins => instance.begun.insert(step.rank),
                        _ => instance.early.insert(step.rank),
                    };
                }
                begun.push((step.rank, step.event));
                None
            }
        };
        let calls = &mut plan.choices.ranks[step.rank as usize].calls;
        calls.extend(choice.map(|choice| (view.number(step.event), choice)));
    }
    let needed = witness.needed();
    begun.retain(|&(rank, event)| needed.contains(&rank) || buffered.contains(&(rank, event)));
    sends(&views, &begun, &buffered, &mut plan);
    for (key, instance) in &instances {
        collective(*key, instance, &mut plan);
    }
    let detaches = |s: &standoff_check::Stuck| {
        matches!(
            views[s.rank as usize].event(s.event),
            Some(Event::Buffer { .. })
        )
    };
    if witness.stuck.iter().any(detaches) {
        plan.left.insert(
            "a rank that waits in MPI_Buffer_detach is not judged while it runs".to_owned(),
        );
    }
    for (rank, view) in views.iter().enumerate() {
        let stuck = witness.stuck.iter().find(|s| s.rank as usize == rank);
        let own = &mut plan.choices.ranks[rank];
        own.polls = view.polls(stuck.map_or(last[rank], |s| s.event));
        own.calls.sort_unstable();
        own.calls.dedup();
        own.starts.sort_unstable();
        own.starts.dedup();
    }
    plan
}

/// Standard sends wait, but for those that the witness has buffered. Sends of ranks that the core does not need are left out: they would only make further
/// deadlocks, of which the run might end with another than this one.
fn sends(
    views: &[View<'_>],
    begun: &[(u32, u32)],
    buffered: &BTreeSet<(u32, u32)>,
    plan: &mut Plan,
) {
    let mut free: BTreeSet<(u32, (u64, u32, i32))> = BTreeSet::new();
    let mut wait = free.clone();
    for &(rank, event) in begun {
        let view = &views[rank as usize];
        let Some(send) = view.event(event).and_then(standard_send) else {
            continue;
        };
        let goes = buffered.contains(&(rank, event));
        if send.request.is_some() && matches!(view.event(event), Some(Event::Sendrecv { .. })) {
            plan.left.insert(
                "whether the send of an MPI_Isendrecv waits is up to the library".to_owned(),
            );
            continue;
        }
        let own = &mut plan.choices.ranks[rank as usize];
        if send.persistent {
            // Chosen when the request is made, for all its starts.
            if let Some((comm, ..)) = view.comm(send.comm, event) {
                let list = if goes { &mut free } else { &mut wait };
                list.insert((rank, (comm, send.to.0, send.tag)));
            }
        } else {
            let choice = if goes { Choice::Buffer } else { Choice::Wait };
            own.calls.push((view.number(event), choice));
        }
    }
    for (rank, start) in wait {
        if free.contains(&(rank, start)) {
            plan.left
                .insert("one start of a persistent send waits, and another is buffered".to_owned());
        } else {
            plan.choices.ranks[rank as usize].starts.push(start);
        }
    }
}

/// The entry of the collective that a record is of.
fn instance<'a, 't>(
    view: &View<'t>,
    event: u32,
    all: &'a mut BTreeMap<Place, Instance<'t>>,
) -> Option<&'a mut Instance<'t>> {
    let Some(Event::Collective(call)) = view.event(event) else {
        return None;
    };
    let (comm, group, remote) = view.comm(call.comm, event)?;
    if call.members.is_some() {
        return None;
    }
    let entry = all
        .entry((comm, call.seq, call.start))
        .or_insert_with(|| Instance {
            call,
            mismatch: false,
            intercomm: remote.is_some(),
            group,
            members: group.len() + remote.map_or(0, Group::len),
            begun: BTreeSet::new(),
            early: BTreeSet::new(),
        });
    let what = |c: &Call<'_>| (c.kind, c.request.is_some());
    entry.mismatch |= what(entry.call) != what(call);
    entry.mismatch |= !entry.intercomm && entry.call.root != call.root;
    Some(entry)
}

/// How the members of a collective leave it in a witness.
fn collective((comm, seq, start): Place, instance: &Instance<'_>, plan: &mut Plan) {
    use CollectiveKind as K;
    let complete = instance.begun.len() == instance.members;
    let kind = instance.call.kind;
    let nonblocking = instance.call.request.is_some();
    if instance.mismatch {
        plan.left.insert(
            "the ranks call different collectives there, and what comes of that is up to the library"
                .to_owned(),
        );
        return;
    }
    if start.is_some() {
        if !instance.early.is_empty() || (!complete && kind != K::Barrier) {
            plan.left.insert(format!(
                "when a rank is done with {} is up to the library",
                standoff_check::call(&Event::Collective(instance.call.clone()))
            ));
        }
        return;
    }
    if instance.early.is_empty() {
        if !complete && (nonblocking || kind != K::Barrier) {
            let early = None;
            plan.choices
                .collectives
                .push(Collective { comm, seq, early });
        }
        return;
    }
    let stay: Vec<u32> = match complete {
        true => Vec::new(),
        false => {
            let stay = instance.begun.difference(&instance.early);
            stay.filter_map(|&rank| place(instance.group, rank))
                .collect()
        }
    };
    let moves = match kind {
        K::Bcast | K::Scatter | K::Scatterv | K::Gather | K::Gatherv | K::Reduce => {
            matches!(instance.call.root, Root::Rank(_))
        }
        K::Scan | K::Exscan => true,
        _ => false,
    };
    if moves && !instance.intercomm {
        let early = Some(stay);
        plan.choices
            .collectives
            .push(Collective { comm, seq, early });
    } else {
        plan.left.insert(format!(
            "a rank leaves {} before the others have come, which this library must do by itself",
            standoff_check::call(&Event::Collective(instance.call.clone()))
        ));
    }
}

/// What brings the program to another outcome: all that was told before it, and then that. Nobody waits before it if MPI does not make it: messages that a
/// library might not buffer are, and members of collectives leave these early.
pub fn prefix(trace: &Trace, alternative: &Alternative) -> Choices {
    let mut plan = Plan::default();
    let mut instances: BTreeMap<Place, Instance<'_>> = BTreeMap::new();
    let views = View::all(trace);
    for (r, view) in views.iter().enumerate() {
        let mut out = Rank::default();
        let end = alternative.before.get(r).copied().unwrap_or(0);
        for (event, record) in (0u32..end).zip(&view.rank.records) {
            told(view, event, &record.event, &mut out);
            let send = standard_send(&record.event).filter(|s| !s.persistent && s.bytes >= SMALL);
            out.calls
                .extend(send.map(|_| (view.number(event), Choice::Buffer)));
            if let Some(instance) = instance(view, event, &mut instances) {
                instance.begun.insert(r as u32);
                instance.early.insert(r as u32);
            }
        }
        out.polls = view.polls(end);
        if r as u32 == alternative.rank {
            let call = view.number(alternative.event);
            let choices: Vec<Choice> = match &alternative.outcome {
                Outcome::Message { source, tag } => {
                    let taken = view.take(alternative.event, *source, *tag);
                    taken.into_iter().collect()
                }
                Outcome::Requests { events } => {
                    let made = events.iter().map(|&event| view.number(event));
                    made.map(Choice::Request).collect()
                }
                Outcome::Found(found) => {
                    let asks = view.event(alternative.event).and_then(Event::asks);
                    out.polls.extend(asks.map(|asks| (call, asks, *found)));
                    Vec::new()
                }
            };
            if !choices.is_empty() {
                out.calls.retain(|(c, _)| *c != call);
                out.calls
                    .extend(choices.into_iter().map(|choice| (call, choice)));
            }
        }
        out.calls.sort_unstable();
        out.calls.dedup();
        plan.choices.ranks.push(out);
    }
    for (key, instance) in instances {
        if instance.begun.len() < instance.members {
            collective(key, &instance, &mut plan);
        }
    }
    plan.choices
}

/// The choices that have a call be told what it was.
fn told(view: &View<'_>, at: u32, event: &Event<'_>, out: &mut Rank) {
    let from = |matched: standoff_trace::event::Matched| Choice::From {
        source: matched.source.0,
        tag: matched.tag,
    };
    match event {
        Event::Recv(recv) | Event::Sendrecv { recv, .. } if recv.from == Source::Any => {
            let told = recv.told.map(|m| (view.number(at), from(m)));
            out.calls.extend(told);
        }
        Event::Probe {
            told,
            from: Source::Any,
            ..
        } => out.calls.extend(told.map(|m| (view.number(at), from(m)))),
        Event::Complete {
            call,
            requests,
            told,
        } => {
            let list = match told {
                Told::All(list) => list.iter().map(|(at, m)| (*at, Some(*m))).collect(),
                Told::Some(list) => list.to_vec(),
                Told::None => Vec::new(),
            };
            for (position, matched) in list {
                let Some(request) = requests.get(position as usize) else {
                    continue;
                };
                let made = |e: &Event<'_>| e.request() == Some(*request);
                let before = view.rank.records[..at as usize].iter();
                let Some(made) = before.clone().rposition(|r| made(&r.event)) else {
                    continue;
                };
                let made = made as u32;
                if call.any() && requests.len() > 1 {
                    let choice = Choice::Request(view.number(made));
                    out.calls.push((view.number(at), choice));
                }
                // A nonblocking wildcard is told when it completes: it is forced where it was posted.
                let wild =
                    matches!(view.event(made), Some(Event::Recv(recv)) if recv.from == Source::Any);
                if let Some(matched) = matched.filter(|_| wild) {
                    out.calls.push((view.number(made), from(matched)));
                }
            }
        }
        _ => {}
    }
}
