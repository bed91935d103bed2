//! A witness as a person reads it: numbered steps, then who is stuck.

use std::fmt;

use standoff_trace::event::{Completion, Place, Root, SendMode, SiteId, Source, TagPattern};
use standoff_trace::{Event, Trace};

use crate::result::{Action, Witness};

/// More steps than this are cut down to those that matter.
const SHORT: usize = 40;

/// A witness in words; `Display` is the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The steps that are shown, in order.
    pub lines: Vec<Line>,
    /// Steps of the witness that are not shown.
    pub left_out: usize,
    /// Who is stuck at the end: (in the core, line); its number is 0.
    pub stuck: Vec<(bool, Line)>,
}

/// A step in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Number of the step in the witness, from 1.
    pub number: usize,
    /// World rank.
    pub rank: u32,
    /// E.g. `MPI_Recv from any, tag 3`.
    pub call: String,
    /// Where it was called; empty if that is not known.
    pub place: String,
    /// What happens.
    pub what: String,
}

/// Puts a witness into words. `native` names return addresses in a rank; where it has no name, the address is shown.
///
/// Short witnesses are shown whole. Of others: choices (what wildcards take, what is buffered or leaves early) and the last calls of those
/// who are stuck.
#[must_use]
pub fn schedule(
    trace: &Trace,
    witness: &Witness,
    native: &dyn Fn(u32, u64) -> Option<String>,
) -> Schedule {
    let line = |number, rank: u32, event: u32, what: String| {
        let record = trace
            .ranks
            .get(rank as usize)
            .and_then(|r| r.records.get(event as usize));
        let (call, place) = record.map_or_else(Default::default, |record| {
            (call(&record.event), place(trace, rank, record.site, native))
        });
        Line {
            number,
            rank,
            call,
            place,
            what,
        }
    };
    let short = witness.steps.len() <= SHORT;
    let wildcard = |rank: u32, event: u32| {
        let record = trace
            .ranks
            .get(rank as usize)
            .and_then(|r| r.records.get(event as usize));
        record.is_some_and(|record| match &record.event {
            Event::Recv(recv) | Event::Sendrecv { recv, .. } => recv.from == Source::Any,
            Event::Probe { from, .. } => *from == Source::Any,
            _ => false,
        })
    };
    let mut lines = Vec::new();
    for (at, step) in witness.steps.iter().enumerate() {
        let shown = short
            || match step.action {
                Action::Begins => witness.stuck.iter().any(|s| {
                    s.rank == step.rank
                        && (s.event == step.event || s.operations.contains(&step.event))
                }),
                Action::Receives { .. } | Action::Sees { .. } => wildcard(step.rank, step.event),
                Action::Buffered | Action::LeftEarly | Action::Told { .. } => true,
            };
        if !shown {
            continue;
        }
        let from = |from: u32, send: u32| {
            let sent = line(0, from, send, String::new());
            let place = if sent.place.is_empty() {
                String::new()
            } else {
                format!(" ({})", sent.place)
            };
            format!("the message of rank {from}{place}")
        };
        let diverges = if witness.diverges.contains(&(step.rank, step.event)) {
            "; in the recorded run it was another"
        } else {
            ""
        };
        let what = match step.action {
            Action::Begins => "begins".to_owned(),
            Action::Receives { from: f, send } => format!("takes {}{diverges}", from(f, send)),
            Action::Sees { from: f, send } => format!("sees {}{diverges}", from(f, send)),
            Action::Buffered => "is buffered, and its rank goes on".to_owned(),
            Action::LeftEarly => "lets its rank go on before all have come".to_owned(),
            Action::Told { request } => {
                let made = line(0, step.rank, request, String::new());
                format!("tells the request of {}", made.call)
            }
        };
        lines.push(line(at + 1, step.rank, step.event, what));
    }
    let stuck = witness.stuck.iter().map(|stuck| {
        let ranks: Vec<String> = stuck.waits_for.iter().map(u32::to_string).collect();
        let whom = match &ranks[..] {
            [] => "waits, and nobody can help".to_owned(),
            [one] => format!("waits for rank {one}"),
            [..] if ranks.len() > 8 => format!("waits for {} ranks", ranks.len()),
            many => format!("waits for ranks {}", many.join(", ")),
        };
        (
            witness.core.contains(&stuck.rank),
            line(0, stuck.rank, stuck.event, whom),
        )
    });
    let stuck = stuck.collect();
    Schedule {
        left_out: witness.steps.len() - lines.len(),
        lines,
        stuck,
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{:5}  {line}", line.number)?;
        }
        if self.left_out > 0 {
            writeln!(f, "       ({} more steps need no choice)", self.left_out)?;
        }
        for (core, line) in &self.stuck {
            writeln!(f, "{}  {line}", if *core { "stuck" } else { "  and" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {}  {}", self.rank, self.call)?;
        if !self.place.is_empty() {
            write!(f, " at {}", self.place)?;
        }
        write!(f, ": {}", self.what)
    }
}

fn place(
    trace: &Trace,
    rank: u32,
    site: SiteId,
    native: &dyn Fn(u32, u64) -> Option<String>,
) -> String {
    match trace.ranks[rank as usize].place(site) {
        Some(Place::Script { file, line, .. }) => format!("{file}:{line}"),
        Some(Place::Native(address)) => {
            native(rank, *address).unwrap_or_else(|| format!("{address:#x}"))
        }
        None => String::new(),
    }
}

/// A call in words, e.g. `MPI_Send to 1, tag 0`.
#[must_use]
pub fn call(event: &Event<'_>) -> String {
    let source = |from: &Source| match from {
        Source::Any => "any".to_owned(),
        Source::Rank(rank) => rank.0.to_string(),
    };
    let tag = |tag: &TagPattern| match tag {
        TagPattern::Any => "any tag".to_owned(),
        TagPattern::Tag(tag) => format!("tag {tag}"),
    };
    match event {
        Event::Send(send) => {
            let mode = match send.mode {
                SendMode::Standard => "s",
                SendMode::Buffered => "bs",
                SendMode::Synchronous => "ss",
                SendMode::Ready => "rs",
            };
            let name = match (send.persistent, send.request) {
                (true, _) => "MPI_Start of a send".to_owned(),
                (false, Some(_)) => format!("MPI_I{mode}end"),
                (false, None) if mode == "s" => "MPI_Send".to_owned(),
                (false, None) => format!("MPI_{}send", mode[..1].to_uppercase()),
            };
            format!("{name} to {}, tag {}", send.to.0, send.tag)
        }
        Event::Recv(recv) => {
            let name = match (recv.persistent, recv.request) {
                (true, _) => "MPI_Start of a receive",
                (false, Some(_)) => "MPI_Irecv",
                (false, None) => "MPI_Recv",
            };
            format!("{name} from {}, {}", source(&recv.from), tag(&recv.tag))
        }
        Event::Sendrecv { send, recv } => {
            let name = match send.request {
                Some(_) => "MPI_Isendrecv",
                None => "MPI_Sendrecv",
            };
            format!(
                "{name} to {}, tag {}, from {}, {}",
                send.to.0,
                send.tag,
                source(&recv.from),
                tag(&recv.tag)
            )
        }
        Event::Probe {
            from,
            tag: t,
            poll,
            message,
            ..
        } => {
            let name = match (poll, message) {
                (false, None) => "MPI_Probe",
                (true, None) => "MPI_Iprobe",
                (false, Some(_)) => "MPI_Mprobe",
                (true, Some(_)) => "MPI_Improbe",
            };
            format!("{name} from {}, {}", source(from), tag(t))
        }
        Event::Mrecv { request: None, .. } => "MPI_Mrecv".to_owned(),
        Event::Mrecv {
            request: Some(_), ..
        } => "MPI_Imrecv".to_owned(),
        Event::Complete { call, .. } => match call {
            Completion::Wait => "MPI_Wait",
            Completion::Waitall => "MPI_Waitall",
            Completion::Waitany => "MPI_Waitany",
            Completion::Waitsome => "MPI_Waitsome",
            Completion::Test => "MPI_Test",
            Completion::Testall => "MPI_Testall",
            Completion::Testany => "MPI_Testany",
            Completion::Testsome => "MPI_Testsome",
        }
        .to_owned(),
        Event::Collective(c) => {
            let name = c.kind.name();
            let name = match c.request {
                _ if c.start.is_some() => format!("MPI_Start of MPI_{name}_init"),
                None => format!("MPI_{name}"),
                Some(_) if name.starts_with("Comm_") => format!("MPI_Comm_i{}", &name[5..]),
                Some(_) => format!("MPI_I{}", name.to_lowercase()),
            };
            match c.root {
                Root::Rank(root) => format!("{name}, root {}", root.0),
                _ => name,
            }
        }
        Event::Unmodelled { name, .. } => name.clone().into_owned(),
        Event::Cancel(_) => "MPI_Cancel".to_owned(),
        Event::RequestFree(_) => "MPI_Request_free".to_owned(),
        Event::Buffer { bytes: 0 } => "MPI_Buffer_detach".to_owned(),
        Event::Buffer { .. } => "MPI_Buffer_attach".to_owned(),
        Event::Init { .. } => "MPI_Init".to_owned(),
        Event::Finalize => "MPI_Finalize".to_owned(),
        Event::Site { .. } | Event::Comm { .. } => String::new(),
    }
}
