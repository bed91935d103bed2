//! How a witness comes about, as a few steps that one can follow: the choices that MPI left open, then who is stuck where.

use standoff_check::{Action, Stuck, Witness};
use standoff_report::Step;
use standoff_trace::Event;
use standoff_trace::event::{SendMode, Source};

use super::lines::Lines;
use crate::monitor::report::ranks;

/// Steps that are shown; of more choices those that differ from the recorded run, and the last.
pub(super) const SHOWN: usize = 12;

/// What a stuck rank waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// A standard send.
    Send,
    /// A send that has to wait.
    OtherSend,
    /// A receive or probe.
    Receive,
    /// A collective.
    Collective,
    /// Several things, or something else.
    Other,
}

/// Of which kind the operations are that a rank waits for.
pub(super) fn waits(lines: &Lines<'_>, stuck: &Stuck) -> Waits {
    let kind = |&event: &u32| match lines.event(stuck.rank, event) {
        Some(Event::Send(send)) if send.mode == SendMode::Standard => Waits::Send,
        Some(Event::Send(_)) => Waits::OtherSend,
        Some(Event::Recv(_) | Event::Probe { .. } | Event::Mrecv { .. }) => Waits::Receive,
        Some(Event::Collective(_)) => Waits::Collective,
        Some(Event::Sendrecv { send, recv }) => {
            // Which half it is shows in whom it waits for.
            let half = |world| stuck.waits_for.contains(&world);
            let to = lines.world(stuck.rank, send.comm, send.to, event);
            let from = match recv.from {
                Source::Rank(rank) => lines.world(stuck.rank, recv.comm, rank, event),
                Source::Any => None,
            };
            match (to.is_some_and(half), from.is_some_and(half)) {
                (true, false) => Waits::Send,
                (false, true) => Waits::Receive,
                _ => Waits::Other,
            }
        }
        _ => Waits::Other,
    };
    let mut kinds = stuck.operations.iter().map(kind);
    let first = kinds.next().unwrap_or(Waits::Other);
    match kinds.all(|kind| kind == first) {
        true => first,
        false => Waits::Other,
    }
}

/// The steps, and how many are left out.
pub(super) fn steps(lines: &Lines<'_>, witness: &Witness) -> (Vec<Step>, u32) {
    let mut choices: Vec<Row> = Vec::new();
    for step in &witness.steps {
        let other = witness.diverges.contains(&(step.rank, step.event));
        let call = lines.call(step.rank, step.event);
        let of = |from: u32, send: u32| match lines.place(from, send) {
            place if place.is_empty() => format!("the message of rank {from}"),
            place => format!("the message of rank {from} ({place})"),
        };
        let not = match lines.told(step.rank, step.event) {
            Some(recorded) if other => {
                format!(", and not that of rank {recorded} as in the recorded run")
            }
            _ if other => ", which the recorded run did not".to_owned(),
            _ => String::new(),
        };
        let what = match step.action {
            Action::Receives { from, send } if lines.wild(step.rank, step.event) => {
                format!("{call} takes {}{not}", of(from, send))
            }
            Action::Sees { from, send } if lines.wild(step.rank, step.event) => {
                format!("{call} sees {}{not}", of(from, send))
            }
            Action::Buffered => format!("{call} is buffered, and its rank goes on"),
            Action::LeftEarly => format!("{call} lets its rank go on before all have come"),
            Action::Told { request } => format!(
                "{call} tells the request made at {}{not}",
                lines.place(step.rank, request)
            ),
            Action::Begins | Action::Receives { .. } | Action::Sees { .. } => continue,
        };
        let place = lines.place(step.rank, step.event);
        merge(&mut choices, step.rank, other, place, what);
    }
    let mut ends: Vec<Row> = Vec::new();
    let core = witness
        .stuck
        .iter()
        .filter(|s| witness.core.contains(&s.rank));
    for stuck in core {
        let place = lines.place(stuck.rank, stuck.event);
        merge(
            &mut ends,
            stuck.rank,
            true,
            place,
            end(lines, stuck, &witness.core),
        );
    }
    ends.truncate(SHOWN);
    let room = SHOWN.saturating_sub(ends.len()).max(1);
    let all = choices.len();
    if all > room {
        let told = choices.iter().filter(|row| row.other).count();
        let mut ordinary = room.saturating_sub(told);
        choices.reverse();
        choices.retain(|row| {
            let keep = row.other || ordinary > 0;
            ordinary -= usize::from(keep && !row.other);
            keep
        });
        choices.truncate(room);
        choices.reverse();
    }
    let left_out = (all - choices.len()) as u32;
    let step = |row: Row| Step {
        agents: ranks(&row.ranks),
        place: row.place,
        what: row.what,
    };
    (
        choices.into_iter().chain(ends).map(step).collect(),
        left_out,
    )
}

/// A step of one rank, or of several that do the same at one place.
struct Row {
    ranks: Vec<u32>,
    /// It differs from the recorded run, or must be shown for another reason.
    other: bool,
    place: String,
    what: String,
}

/// Adds a step, to the last one if that is the same of another rank.
fn merge(list: &mut Vec<Row>, rank: u32, other: bool, place: String, what: String) {
    match list.last_mut() {
        Some(last)
            if !place.is_empty()
                && (&last.place, &last.what) == (&place, &what)
                && !last.ranks.contains(&rank) =>
        {
            last.ranks.push(rank);
            last.ranks.sort_unstable();
        }
        _ => list.push(Row {
            ranks: vec![rank],
            other,
            place,
            what,
        }),
    }
}

/// What a stuck rank waits for, in words that are the same for ranks in the same position.
fn end(lines: &Lines<'_>, stuck: &Stuck, core: &[u32]) -> String {
    let call = lines.call(stuck.rank, stuck.event);
    let many = core.len() > 2;
    let whom = match &stuck.waits_for[..] {
        [] => "somebody".to_owned(),
        list if list.len() > 4 => format!("{} ranks", list.len()),
        list => ranks(list),
    };
    match waits(lines, stuck) {
        Waits::Send | Waits::OtherSend if many => format!("{call} waits for its receive"),
        Waits::Send | Waits::OtherSend => format!("{call} waits for {whom} to receive"),
        Waits::Receive => format!("{call} waits for a message from {whom}"),
        Waits::Collective => format!("{call} waits for {whom} to take part"),
        Waits::Other => format!("{call} waits for {whom}"),
    }
}
