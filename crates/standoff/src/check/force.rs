//! What a forced run is told: for each rank, what to do at which of its calls.
//!
//! Calls are counted from 0 in the order of their records, definitions left out. A wildcard gets the source (and tag) that it is to take; a
//! standard send is made a synchronous one where it is to wait; the members of a collective that is to synchronize meet in a
//! barrier after it. All of these are choices that MPI leaves open; the program's own arguments stay as they are, and the watch judges by them.

use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use standoff_board::layout::FORCE_VAR;
use standoff_check::{Action, Alternative, Outcome};
use standoff_trace::event::{
    CollectiveKind, CommId, CommIndex, Completion, Matched, RequestId, SendMode, Source, Told,
};
use standoff_trace::{Event, RankTrace, Trace};

use super::recording::Recording;
use crate::error::Error;

/// Name and version of the format of witnesses.
const SCHEMA: &str = "standoff-witness/1";

/// What one rank is to do, by the number of the call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rank {
    /// In the order of calls.
    pub calls: Vec<(u64, Choice)>,
}

/// What to do at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// A receive or probe: take the message of this rank of the communicator, with this tag.
    From {
        /// Source.
        source: u32,
        /// Tag.
        tag: i32,
    },
    /// A standard send: wait for the receive.
    Wait,
    /// A blocking collective: let nobody go before all have come.
    Meet,
    /// A completion of any: take the request that was made by this call.
    Request(u64),
}

/// A schedule that leads to a deadlock, on file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What was run.
    pub command: Vec<String>,
    /// The schedule, for people.
    pub schedule: Vec<String>,
    /// By world rank.
    pub ranks: Vec<Rank>,
}

#[derive(Serialize, Deserialize)]
struct File {
    schema: String,
    command: Vec<String>,
    schedule: Vec<String>,
    ranks: Vec<Rank>,
}

impl Witness {
    /// Writes it into the current directory, or the temporary one.
    pub fn write(&self) -> Result<PathBuf, Error> {
        let file = File {
            schema: SCHEMA.to_owned(),
            command: self.command.clone(),
            schedule: self.schedule.clone(),
            ranks: self.ranks.clone(),
        };
        let text = serde_json::to_string_pretty(&file).unwrap_or_default() + "\n";
        let here = PathBuf::new();
        match put(&here, &text) {
            Ok(path) => Ok(path),
            Err(_) => match put(&std::env::temp_dir(), &text) {
                Ok(path) => Ok(path),
                Err(error) => Err(Error::Recording(format!(
                    "cannot write the witness: {error}"
                ))),
            },
        }
    }

    /// Reads one.
    pub fn read(path: &Path) -> Result<Witness, Error> {
        let bad = |why: String| Error::Witness(format!("{}: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|e| bad(e.to_string()))?;
        let file: File = serde_json::from_str(&text).map_err(|e| bad(e.to_string()))?;
        if file.schema != SCHEMA {
            return Err(bad(format!("it is no {SCHEMA}")));
        }
        Ok(Witness {
            command: file.command,
            schedule: file.schedule,
            ranks: file.ranks,
        })
    }
}

/// Writes a new file: `standoff-witness.json`, or with a number if that is there.
fn put(directory: &Path, text: &str) -> std::io::Result<PathBuf> {
    for n in 1..10_000 {
        let name = match n {
            1 => "standoff-witness.json".to_owned(),
            n => format!("standoff-witness-{n}.json"),
        };
        let path = directory.join(name);
        match fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
        {
            Ok(mut file) => return file.write_all(text.as_bytes()).map(|()| path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// The files that tell the ranks, beside a recording.
#[derive(Debug)]
pub struct Forced(PathBuf);

impl Forced {
    /// Writes them.
    pub fn write(recording: &Recording, ranks: &[Rank]) -> Result<Forced, Error> {
        let directory = recording.path().join("force");
        let broken = |e: std::io::Error| Error::Recording(format!("cannot write the choices: {e}"));
        fs::create_dir(&directory).map_err(broken)?;
        for (rank, choices) in ranks.iter().enumerate() {
            let mut text = String::new();
            for (call, choice) in &choices.calls {
                let line = match choice {
                    Choice::From { source, tag } => format!("{call} from {source} {tag}\n"),
                    Choice::Wait => format!("{call} wait\n"),
                    Choice::Meet => format!("{call} meet\n"),
                    Choice::Request(made) => format!("{call} request {made}\n"),
                };
                text += &line;
            }
            fs::write(directory.join(rank.to_string()), text).map_err(broken)?;
        }
        Ok(Forced(directory))
    }

    /// What the ranks must know.
    pub fn env(&self, recording: &Recording) -> Vec<(OsString, OsString)> {
        let mut env = recording.env();
        env.push((FORCE_VAR.into(), self.0.clone().into()));
        env
    }
}

/// Equal for equal choices.
pub fn identity(ranks: &[Rank]) -> u64 {
    let mut hasher = DefaultHasher::new();
    ranks.hash(&mut hasher);
    hasher.finish()
}

/// Whether the blocking wildcards that a run was to force took what was chosen.
pub fn reached(trace: &Trace, ranks: &[Rank]) -> bool {
    trace.ranks.iter().zip(ranks).all(|(rank, choices)| {
        let calls: Vec<&Event<'_>> = rank
            .records
            .iter()
            .map(|r| &r.event)
            .filter(|event| !definition(event))
            .collect();
        choices.calls.iter().all(|&(call, choice)| {
            let source = match choice {
                Choice::From { source, .. } => source,
                // Not forced yet.
                Choice::Request(_) => return false,
                Choice::Wait | Choice::Meet => return true,
            };
            match usize::try_from(call).ok().and_then(|call| calls.get(call)) {
                Some(Event::Recv(recv)) if recv.request.is_some() => {
                    told(rank, recv.request).is_some_and(|t| t.source.0 == source)
                }
                Some(Event::Recv(recv)) => recv.told.is_some_and(|t| t.source.0 == source),
                Some(Event::Probe { told, .. }) => told.is_some_and(|t| t.source.0 == source),
                _ => false,
            }
        })
    })
}

/// What a nonblocking receive was told when it completed.
fn told(rank: &RankTrace, request: Option<RequestId>) -> Option<Matched> {
    rank.records.iter().find_map(|record| {
        let Event::Complete { requests, told, .. } = &record.event else {
            return None;
        };
        let at = requests.iter().position(|r| Some(*r) == request)? as u32;
        match told {
            Told::All(list) => list.iter().find(|t| t.0 == at).map(|t| t.1),
            Told::Some(list) => list.iter().find(|t| t.0 == at).and_then(|t| t.1),
            Told::None => None,
        }
    })
}

/// Number of the call that a record stands for.
fn number(rank: &RankTrace, event: u32) -> u64 {
    let before = rank.records.iter().take(event as usize);
    before.filter(|r| !definition(&r.event)).count() as u64
}

fn definition(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::Site { .. } | Event::Comm { .. } | Event::Init { .. }
    )
}

/// The rank of a world rank in a communicator, as a rank sees it (of the remote group for an intercommunicator).
fn in_comm(rank: &RankTrace, comm: CommIndex, world: u32, before: u32) -> Option<u32> {
    let mut found = None;
    for record in rank.records.iter().take(before as usize) {
        if let Event::Comm {
            index,
            group,
            remote,
            ..
        } = &record.event
            && *index == comm
        {
            let side = remote.as_ref().unwrap_or(group);
            found = (0..side.len() as u32).find(|&r| {
                side.world(standoff_trace::event::CommRank(r))
                    .is_some_and(|w| w.0 == world)
            });
        }
    }
    found
}

/// The choice that lets a wildcard take a message.
fn take(rank: &RankTrace, event: u32, from: u32, tag: i32) -> Option<Choice> {
    let comm = match &rank.records.get(event as usize)?.event {
        Event::Recv(recv) | Event::Sendrecv { recv, .. } => {
            (recv.from == Source::Any).then_some(recv.comm)?
        }
        Event::Probe { comm, from, .. } => (*from == Source::Any).then_some(*comm)?,
        _ => return None,
    };
    let source = in_comm(rank, comm, from, event)?;
    Some(Choice::From { source, tag })
}

fn tag_of(trace: &Trace, from: u32, send: u32) -> Option<i32> {
    match &trace
        .ranks
        .get(from as usize)?
        .records
        .get(send as usize)?
        .event
    {
        Event::Send(send) | Event::Sendrecv { send, .. } => Some(send.tag),
        _ => None,
    }
}

/// What brings the program to the end of a witness.
pub fn of_witness(trace: &Trace, witness: &standoff_check::Witness) -> Vec<Rank> {
    let mut ranks: Vec<Rank> = vec![Rank::default(); trace.ranks.len()];
    let mut free: Vec<(u32, u32)> = Vec::new();
    let mut early: Vec<(CommId, u64)> = Vec::new();
    for step in &witness.steps {
        let rank = &trace.ranks[step.rank as usize];
        let choice = match step.action {
            Action::Receives { from, send } | Action::Sees { from, send } => {
                tag_of(trace, from, send).and_then(|tag| take(rank, step.event, from, tag))
            }
            Action::Told { request } => Some(Choice::Request(number(rank, request))),
            Action::Buffered => {
                free.push((step.rank, step.event));
                None
            }
            Action::LeftEarly => {
                early.extend(instance(rank, step.event));
                None
            }
            Action::Begins => None,
        };
        if let Some(choice) = choice {
            let call = number(rank, step.event);
            ranks[step.rank as usize].calls.push((call, choice));
        }
    }
    // Polls shift the numbers of calls from run to run: members of a collective might not agree on whether to meet.
    let polls = trace.ranks.iter().flat_map(|r| &r.records).any(|r| {
        matches!(&r.event, Event::Probe { poll: true, .. })
            || matches!(&r.event, Event::Complete { call, .. }
                if matches!(call, Completion::Test | Completion::Testall | Completion::Testany | Completion::Testsome))
    });
    for step in witness.steps.iter().filter(|s| s.action == Action::Begins) {
        let rank = &trace.ranks[step.rank as usize];
        let record = &rank.records[step.event as usize];
        let choice = match &record.event {
            Event::Send(send)
                if send.mode == SendMode::Standard
                    && !send.persistent
                    && !free.contains(&(step.rank, step.event)) =>
            {
                Choice::Wait
            }
            Event::Collective(c)
                if c.request.is_none()
                    && c.members.is_none()
                    && c.kind != CollectiveKind::CommFree
                    && c.kind != CollectiveKind::CommDisconnect
                    && c.kind != CollectiveKind::Barrier =>
            {
                match instance(rank, step.event) {
                    Some(i) if !early.contains(&i) && !polls => Choice::Meet,
                    _ => continue,
                }
            }
            _ => continue,
        };
        let call = number(rank, step.event);
        ranks[step.rank as usize].calls.push((call, choice));
    }
    for rank in &mut ranks {
        rank.calls.sort_by_key(|(call, _)| *call);
        rank.calls.dedup_by_key(|(call, _)| *call);
    }
    ranks
}

/// Which collective a record is of: communicator and number on it.
fn instance(rank: &RankTrace, event: u32) -> Option<(CommId, u64)> {
    let Event::Collective(c) = &rank.records.get(event as usize)?.event else {
        return None;
    };
    let defined = rank.records[..event as usize]
        .iter()
        .rev()
        .find_map(|r| match &r.event {
            Event::Comm { index, id, .. } if *index == c.comm => Some(*id),
            _ => None,
        });
    Some((defined?, c.seq))
}

/// What brings the program to another outcome of a wildcard: all that was told before it, and then that.
pub fn prefix(trace: &Trace, alternative: &Alternative) -> Vec<Rank> {
    let mut ranks: Vec<Rank> = Vec::new();
    for (r, rank) in trace.ranks.iter().enumerate() {
        let mut out = Rank::default();
        let end = alternative.before.get(r).copied().unwrap_or(0);
        for (event, record) in (0u32..end).zip(&rank.records) {
            let told = match &record.event {
                Event::Recv(recv) => recv.told.map(|t| (t.source.0, t.tag)),
                Event::Probe {
                    told,
                    from: Source::Any,
                    ..
                } => told.map(|t| (t.source.0, t.tag)),
                _ => None,
            };
            let wild = match &record.event {
                Event::Recv(recv) => recv.from == Source::Any,
                Event::Probe { .. } => true,
                _ => false,
            };
            if let Some((source, tag)) = told.filter(|_| wild) {
                out.calls
                    .push((number(rank, event), Choice::From { source, tag }));
            }
            // A nonblocking wildcard is told when it completes: it is forced where it was posted.
            if let Event::Complete { requests, told, .. } = &record.event {
                let list: Vec<(u32, standoff_trace::event::Matched)> = match told {
                    Told::All(list) => list.to_vec(),
                    Told::Some(list) => list
                        .iter()
                        .filter_map(|(at, m)| Some((*at, (*m)?)))
                        .collect(),
                    Told::None => Vec::new(),
                };
                for (at, matched) in list {
                    let Some(request) = requests.get(at as usize) else {
                        continue;
                    };
                    let posted = rank.records.iter().take(event as usize).position(|r| {
                        matches!(&r.event, Event::Recv(recv) if recv.request == Some(*request) && recv.from == Source::Any)
                    });
                    if let Some(posted) = posted {
                        let choice = Choice::From {
                            source: matched.source.0,
                            tag: matched.tag,
                        };
                        out.calls.push((number(rank, posted as u32), choice));
                    }
                }
            }
        }
        if r as u32 == alternative.rank {
            let call = number(rank, alternative.event);
            let choice = match alternative.outcome {
                Outcome::Message { source, tag } => take(rank, alternative.event, source, tag),
                Outcome::Request { event } => Some(Choice::Request(number(rank, event))),
            };
            out.calls.retain(|(c, _)| *c != call);
            out.calls.extend(choice.map(|choice| (call, choice)));
        }
        out.calls.sort_by_key(|(call, _)| *call);
        out.calls.dedup_by_key(|(call, _)| *call);
        ranks.push(out);
    }
    ranks
}
