//! A find in words: one sentence for the heading, why it did not happen, what to change.

use std::collections::BTreeSet;

use standoff_check::{Action, Alternative, Outcome, Stuck, Witness};
use standoff_mpi::Spelling;
use standoff_report::{AgentEntry, Finding, FindingKind, Op, Step};
use standoff_trace::Event;
use standoff_trace::event::{CollectiveKind, Root};

use super::lines::Lines;
use super::steps::{Waits, waits};
use crate::monitor::report::ranks;

/// Clauses of a sentence; with more it says nothing of each.
const CLAUSES: usize = 3;

/// Ranks of the core that do the same.
struct Group {
    ranks: Vec<u32>,
    places: Vec<String>,
    call: String,
    waits: Waits,
    waits_for: Vec<u32>,
}

/// What happens, as a sentence for the heading; `None`: the general words say it.
pub(super) fn summary(lines: &Lines<'_>, witness: &Witness) -> Option<String> {
    let held = held(&groups(lines, witness), witness)?;
    Some(match first_choice(lines, witness) {
        Some(choice) => format!("if {choice}, {held}"),
        None => held,
    })
}

fn at(place: &str) -> String {
    match place {
        "" => String::new(),
        place => format!(" at {place}"),
    }
}

/// The choice without which it would not happen, if it is not that sends wait.
fn first_choice(lines: &Lines<'_>, witness: &Witness) -> Option<String> {
    let other = |s: &&standoff_check::Step| witness.diverges.contains(&(s.rank, s.event));
    for step in witness.steps.iter().filter(other) {
        let place = at(&lines.place(step.rank, step.event));
        match step.action {
            Action::Receives { from, .. } | Action::Sees { from, .. } => {
                return Some(format!("rank {from}'s message arrives first{place}"));
            }
            Action::Told { request } => {
                let call = lines.call(step.rank, step.event);
                let made = at(&lines.place(step.rank, request));
                return Some(format!("{call}{place} tells the request made{made}"));
            }
            Action::Begins | Action::Buffered | Action::LeftEarly => {}
        }
    }
    let early = witness
        .steps
        .iter()
        .find(|s| s.action == Action::LeftEarly)?;
    Some(format!(
        "rank {} leaves {}{} before all have come",
        early.rank,
        lines.call(early.rank, early.event),
        at(&lines.place(early.rank, early.event))
    ))
}

/// Who holds whom.
fn held(groups: &[Group], witness: &Witness) -> Option<String> {
    let own = |g: &Group| g.waits == Waits::Send && g.ranks.len() == 1 && g.waits_for == g.ranks;
    if let [only] = groups
        && own(only)
    {
        let place = at(&only.places.join(", "));
        return Some(format!(
            "{} sends to itself{place} before it receives",
            ranks(&only.ranks)
        ));
    }
    let stuck = |rank: u32| witness.stuck.iter().any(|s| s.rank == rank);
    let inside = |g: &Group| g.waits_for.iter().all(|&r| stuck(r));
    if groups.iter().all(|g| g.waits == Waits::Send && inside(g)) {
        let all: Vec<u32> = groups
            .iter()
            .flat_map(|g| g.ranks.iter().copied())
            .collect();
        let places: BTreeSet<&str> = groups
            .iter()
            .flat_map(|g| &g.places)
            .map(String::as_str)
            .collect();
        let places: Vec<&str> = places
            .into_iter()
            .filter(|p| !p.is_empty())
            .take(CLAUSES)
            .collect();
        let places = match places.is_empty() {
            true => String::new(),
            false => format!(" ({})", places.join(", ")),
        };
        let both = if all.len() == 2 { "both" } else { "all" };
        return Some(format!(
            "{} {both} send before they receive{places}",
            ranks(&all)
        ));
    }
    if groups.len() > CLAUSES {
        return None;
    }
    let clause = |g: &Group| {
        let place = at(&g.places.join(", "));
        let verb = if g.ranks.len() == 1 { "waits" } else { "wait" };
        let partner = ranks(&g.waits_for);
        let never = if inside(g) { "" } else { " that never comes" };
        let what = match g.waits {
            Waits::Send | Waits::OtherSend if inside(g) => format!("for {partner} to receive"),
            Waits::Send | Waits::OtherSend => format!("for a receive of {partner}{never}"),
            Waits::Receive if g.waits_for.len() > CLAUSES => format!("for a message{never}"),
            Waits::Receive => format!("for a message from {partner}{never}"),
            Waits::Collective => format!("in {} for {partner}", g.call),
            Waits::Other => format!("for {partner}"),
        };
        format!("{} {verb}{place} {what}", ranks(&g.ranks))
    };
    let clauses: Vec<String> = groups.iter().map(clause).collect();
    (!clauses.is_empty()).then(|| clauses.join(" while "))
}

/// The core, ranks together that are in the same call and wait alike.
fn groups(lines: &Lines<'_>, witness: &Witness) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for stuck in core(witness) {
        let place = lines.place(stuck.rank, stuck.event);
        let (call, waits) = (lines.call(stuck.rank, stuck.event), waits(lines, stuck));
        let outside = |list: &[u32]| {
            let other = |r: &&u32| !witness.core.contains(r);
            list.iter().filter(other).count()
        };
        let same = |g: &&mut Group| {
            g.places.contains(&place)
                && !place.is_empty()
                && g.waits == waits
                && (g.waits_for == stuck.waits_for || waits == Waits::Send)
                && outside(&g.waits_for) == outside(&stuck.waits_for)
        };
        match groups.iter_mut().find(same) {
            Some(group) => {
                group.ranks.push(stuck.rank);
                group.waits_for.extend(&stuck.waits_for);
                group.waits_for.sort_unstable();
                group.waits_for.dedup();
            }
            None => groups.push(Group {
                ranks: vec![stuck.rank],
                places: vec![place],
                call,
                waits,
                waits_for: stuck.waits_for.clone(),
            }),
        }
    }
    groups
}

fn core(witness: &Witness) -> impl Iterator<Item = &Stuck> {
    let core = |s: &&Stuck| witness.core.contains(&s.rank);
    witness.stuck.iter().filter(core)
}

/// Corrects the advice of a find in which a rank waits for a message to be received of which the run has shown (`warnings`) that no receive is there:
/// no other order of calls helps.
pub(super) fn nobody_receives(find: &mut Finding, warnings: &[Finding]) {
    let lost = warnings
        .iter()
        .filter(|w| w.kind == FindingKind::UnreceivedMessage);
    let lost: Vec<&AgentEntry> = lost.flat_map(|w| &w.core).collect();
    let place = |e: &AgentEntry| {
        let frame = e.stack.first()?;
        Some((e.rank, frame.file.clone()?, frame.line?))
    };
    let same = |e: &AgentEntry| {
        e.op == Some(Op::Send)
            && lost
                .iter()
                .any(|l| place(l).is_some() && place(l) == place(e))
    };
    let mut sends = find
        .core
        .iter()
        .filter(|e| e.op == Some(Op::Send))
        .peekable();
    if sends.peek().is_some() && sends.all(same) {
        find.advice =
            vec!["Receive the message, or do not send it: no receive is there for it.".to_owned()];
    }
}

/// Says of a deadlock that the program had, forced into another outcome of a call, how it came about and what to change.
pub(super) fn of_outcome(lines: &Lines<'_>, alternative: &Alternative, live: &mut Finding) {
    let (rank, event) = (alternative.rank, alternative.event);
    let (call, place) = (lines.call(rank, event), lines.place(rank, event));
    let (choice, what) = match &alternative.outcome {
        Outcome::Message { source, .. } => (
            format!("rank {source}'s message arrives first{}", at(&place)),
            format!("{call} takes a message of rank {source}"),
        ),
        Outcome::Requests { events } => {
            let made = |&event| at(&lines.place(rank, event));
            let tells = match &events[..] {
                [one] => format!("tells the request made{}", made(one)),
                several => format!(
                    "tells together the {} requests made{}",
                    several.len(),
                    several.iter().map(made).collect::<Vec<_>>().join(" and")
                ),
            };
            (
                format!("{call}{} {tells}", at(&place)),
                format!("{call} {tells}"),
            )
        }
        Outcome::Found(found) => {
            let finds = if *found {
                "finds something already"
            } else {
                "finds nothing yet"
            };
            (
                format!("{call}{} {finds}", at(&place)),
                format!("{call} {finds}"),
            )
        }
    };
    let recorded = lines.told(rank, event);
    let not = recorded.map_or_else(String::new, |r| {
        format!(", and not that of rank {r} as in the recorded run")
    });
    let mut steps = vec![Step {
        agents: format!("rank {rank}"),
        place,
        what: what + &not,
    }];
    let held = |e: &&AgentEntry| e.op != Some(Op::Ended);
    let mut clauses = Vec::new();
    for entry in live.core.iter().filter(held) {
        let place = entry.stack.first().and_then(|f| {
            Some(format!(
                "{}:{}",
                f.file.as_ref()?.rsplit('/').next()?,
                f.line?
            ))
        });
        let place = place.unwrap_or_default();
        let call = entry.user_call.as_deref().unwrap_or(&entry.call);
        let call = call.split('(').next().unwrap_or_default();
        let whom = match &entry.waits_for[..] {
            list if list.is_empty() || list.len() > CLAUSES => "others".to_owned(),
            list => standoff_report::ranks::agents(list.iter().map(String::as_str)).text,
        };
        clauses.push(format!("{} waits{} for {whom}", entry.agent, at(&place)));
        steps.push(Step {
            agents: entry.agent.clone(),
            place,
            what: format!("{call} waits for {whom}"),
        });
    }
    if clauses.len() <= CLAUSES {
        live.summary = Some(format!("if {choice}, {}", clauses.join(" while ")));
    }
    steps.truncate(super::steps::SHOWN);
    live.steps = steps;
    live.advice = vec![ORDER.to_owned()];
}

/// For messages that come in another order.
const ORDER: &str = "Name the source where it is known, or tell kinds of messages apart by their tags, so that a receive cannot take a message \
                     that is meant for another.";

/// Which of the things that MPI leaves open it rests on.
struct Rests {
    sends: Vec<u32>,
    order: bool,
    early: Option<String>,
    collective: Option<String>,
    /// The members of a collective called different things.
    differs: bool,
}

fn rests(lines: &Lines<'_>, witness: &Witness) -> Rests {
    let waiting = |kind: Waits| core(witness).filter(move |s| waits(lines, s) == kind);
    let calls = |s: &Stuck| lines.call(s.rank, s.event);
    let early = witness.steps.iter().find(|s| s.action == Action::LeftEarly);
    // A barrier waits in every library.
    let may_pass = |s: &&Stuck| {
        s.operations.iter().any(|&o| {
            matches!(lines.event(s.rank, o), Some(Event::Collective(c)) if c.kind != CollectiveKind::Barrier)
        })
    };
    let entered = |s: &Stuck| {
        let others = s.waits_for.iter();
        let mut others = others.filter_map(|r| witness.stuck.iter().find(|o| o.rank == *r));
        others.any(|o| waits(lines, o) == Waits::Collective)
    };
    let mut all = core(witness);
    Rests {
        sends: waiting(Waits::Send).map(|s| s.rank).collect(),
        order: !witness.diverges.is_empty(),
        early: early.map(|s| format!("rank {} leave {}", s.rank, lines.call(s.rank, s.event))),
        collective: waiting(Waits::Collective).find(may_pass).map(calls),
        differs: all.all(|s| waits(lines, s) == Waits::Collective && entered(s)),
    }
}

/// `: ranks 0 and 1 call MPI_Bcast with root 0, rank 2 calls MPI_Bcast with root 1`, of collectives that members of one communicator called in
/// one place; nothing if it is not that simple.
fn different(lines: &Lines<'_>, witness: &Witness) -> String {
    let mut sides: Vec<(String, Vec<u32>)> = Vec::new();
    for stuck in core(witness) {
        let [operation] = stuck.operations[..] else {
            return String::new();
        };
        let Some(Event::Collective(c)) = lines.event(stuck.rank, operation) else {
            return String::new();
        };
        let root = match c.root {
            Root::Rank(root) => format!(" with root {}", root.0),
            _ => String::new(),
        };
        let side = lines.call(stuck.rank, operation) + &root;
        match sides.iter_mut().find(|(said, _)| *said == side) {
            Some((_, who)) => who.push(stuck.rank),
            None => sides.push((side, vec![stuck.rank])),
        }
    }
    if !(2..=CLAUSES).contains(&sides.len()) {
        return String::new();
    }
    let said = sides.iter().map(|(side, who)| {
        let call = if who.len() == 1 { "calls" } else { "call" };
        format!("{} {call} {side}", ranks(who))
    });
    format!(": {}", said.collect::<Vec<_>>().join(", "))
}

/// Why it did not happen, and may.
pub(super) fn explanation(lines: &Lines<'_>, witness: &Witness) -> String {
    let rests = rests(lines, witness);
    let mut text = Vec::new();
    if !rests.sends.is_empty() {
        let who = standoff_mpi::format::capital(&ranks(&rests.sends));
        let verb = if rests.sends.len() == 1 {
            "waits"
        } else {
            "wait"
        };
        text.push(format!(
            "{who} {verb} for a standard send to be received. In the recorded run the library buffered the message; MPI does not \
             promise that."
        ));
    }
    if rests.order {
        text.push(
            "It passed because messages came in another order; MPI promises none between messages of different ranks.".to_owned(),
        );
    }
    if let Some(early) = rests.early {
        text.push(format!("MPI lets {early} before all have come."));
    }
    if text.is_empty() {
        text.push(match (rests.differs, rests.collective) {
            (true, _) => format!(
                "The ranks call collectives that do not belong together{}; the library let them pass.",
                different(lines, witness)
            ),
            (false, Some(call)) => format!(
                "It passed because the library let a rank leave {call} before all had come; MPI lets it wait for them."
            ),
            (false, None) => "A collective may make its members wait for each other.".to_owned(),
        });
    }
    text.join(" ")
}

/// What to change.
pub(super) fn advice(lines: &Lines<'_>, witness: &Witness, spelling: Spelling) -> Vec<String> {
    let rests = rests(lines, witness);
    let mut advice = Vec::new();
    let own = |s: &Stuck| s.waits_for == [s.rank];
    let collective = core(witness).any(|s| waits(lines, s) == Waits::Collective);
    if !rests.sends.is_empty() {
        advice.push(if core(witness).any(own) {
            format!(
                "Keep what is meant for the rank itself, or post its receive with {} before the send.",
                spelling.both("MPI_Irecv")
            )
        } else if collective {
            format!(
                "Receive before the collective, or send with {} and wait for it after the collective.",
                spelling.both("MPI_Isend")
            )
        } else {
            format!(
                "Do not rely on buffering: swap the send and the receive on one side, use {}, or post the receive with {} before the send.",
                spelling.both("MPI_Sendrecv"),
                spelling.both("MPI_Irecv")
            )
        });
    }
    if rests.order || rests.early.is_some() {
        advice.push(ORDER.to_owned());
    }
    if advice.is_empty() {
        advice.push(
            if rests.differs {
                "Let all ranks call the same collectives in the same order, with the same root."
            } else {
                "Put the collectives in the same place among the messages on all ranks."
            }
            .to_owned(),
        );
    }
    advice
}
