//! What a forced run is told: for each rank, what to do at which of its calls; and how to leave which collective.
//!
//! Calls are counted from 0 in the order of their records, as far as they are numbered ([`Event::numbered`]). A wildcard gets the source
//! that it is to take from; a standard send is made a synchronous one where it is to wait, and sent as a copy where it is to be
//! buffered; a completion waits for the request that it is to tell. Members of a collective meet in a barrier beside it, or its data goes by
//! messages. All of these are choices that MPI leaves open; the program's own arguments stay as they are, and the watch judges by them.
//! Which choices lead where: [`super::plan`].

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use standoff_board::layout::FORCE_VAR;
use standoff_trace::event::{Matched, Recv, RequestId, Told};
use standoff_trace::{Event, RankTrace, Trace};

use super::recording::Recording;
use crate::error::Error;

/// Name and version of the format of witnesses.
const SCHEMA: &str = "standoff-witness/2";

/// What brings the program into an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// By world rank.
    pub ranks: Vec<Rank>,
    /// How their members leave them.
    pub collectives: Vec<Collective>,
}

/// What one rank is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rank {
    /// By the number of the call, in order.
    pub calls: Vec<(u64, Choice)>,
    /// Outcomes of polls, in order: number of the next call, what is asked for ([`Event::asks`]), whether it finds something.
    pub polls: Vec<(u64, u64, bool)>,
    /// Persistent standard sends that wait for their receive when started: communicator, destination there, tag.
    pub starts: Vec<(u64, u32, i32)>,
}

/// What to do at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// A standard send: go on at once.
    Buffer,
    /// A completion of any: tell the request that was made by this call (one of them, if there are several such choices).
    Request(u64),
}

/// How the members of a collective leave it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Collective {
    /// Communicator.
    pub comm: u64,
    /// Its number there.
    pub seq: u64,
    /// Nobody before all have come; or each when its data is there, but these ranks of the communicator when all have come.
    pub early: Option<Vec<u32>>,
}

/// A schedule that leads to a deadlock, on file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What was run.
    pub command: Vec<String>,
    /// The schedule, for people.
    pub schedule: Vec<String>,
    /// What leads there.
    pub choices: Choices,
}

#[derive(Serialize, Deserialize)]
struct File {
    schema: String,
    command: Vec<String>,
    schedule: Vec<String>,
    choices: Choices,
}

impl Witness {
    /// Writes it into the current directory, or the temporary one.
    pub fn write(&self) -> Result<PathBuf, Error> {
        let file = File {
            schema: SCHEMA.to_owned(),
            command: self.command.clone(),
            schedule: self.schedule.clone(),
            choices: self.choices.clone(),
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
            choices: file.choices,
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
pub struct Forcing(PathBuf);

impl Forcing {
    /// Writes them.
    pub fn write(recording: &Recording, choices: &Choices) -> Result<Forcing, Error> {
        let directory = recording.path().join("force");
        let broken = |e: std::io::Error| Error::Recording(format!("cannot write the choices: {e}"));
        fs::create_dir(&directory).map_err(broken)?;
        let mut common = String::new();
        for Collective { comm, seq, early } in &choices.collectives {
            common += &match early {
                None => format!("meet {comm} {seq}\n"),
                Some(stay) => {
                    let stay: String = stay.iter().map(|rank| format!(" {rank}")).collect();
                    format!("early {comm} {seq}{stay}\n")
                }
            };
        }
        for (rank, own) in choices.ranks.iter().enumerate() {
            let mut text = common.clone();
            for (call, choice) in &own.calls {
                text += &match choice {
                    Choice::From { source, .. } => format!("from {call} {source}\n"),
                    Choice::Wait => format!("wait {call}\n"),
                    Choice::Buffer => format!("buffer {call}\n"),
                    Choice::Request(made) => format!("told {call} {made}\n"),
                };
            }
            for &(call, asks, found) in &own.polls {
                text += &format!("poll {call} {asks} {}\n", u8::from(found));
            }
            for (comm, to, tag) in &own.starts {
                text += &format!("start {comm} {to} {tag}\n");
            }
            fs::write(directory.join(rank.to_string()), text).map_err(broken)?;
        }
        Ok(Forcing(directory))
    }

    /// What the ranks must know.
    pub fn env(&self, recording: &Recording) -> Vec<(OsString, OsString)> {
        let mut env = recording.env();
        env.push((FORCE_VAR.into(), self.0.clone().into()));
        env
    }
}

/// Whether what a run was to be told, it was told. Linear in the trace and the choices.
pub fn reached(trace: &Trace, choices: &Choices) -> bool {
    trace.ranks.iter().zip(&choices.ranks).all(|(rank, own)| {
        let ran = Ran::of(rank);
        let call = |number: u64| usize::try_from(number).ok().and_then(|n| ran.calls.get(n));
        let told = |&(number, choice): &(u64, Choice)| match choice {
            Choice::From { source, .. } => match call(number) {
                Some(Event::Recv(Recv {
                    request: Some(request),
                    ..
                })) => ran
                    .received
                    .get(request)
                    .is_some_and(|t| t.source.0 == source),
                Some(Event::Recv(recv) | Event::Sendrecv { recv, .. }) => {
                    recv.told.is_some_and(|t| t.source.0 == source)
                }
                Some(Event::Probe { told, .. }) => told.is_some_and(|t| t.source.0 == source),
                _ => false,
            },
            Choice::Request(made) => match (call(number), call(made)) {
                (Some(Event::Complete { requests, told, .. }), Some(made)) => {
                    let tells = |at: u32| requests.get(at as usize).copied() == made.request();
                    let others = own.calls.iter().filter(|c| c.0 == number).count();
                    matches!(told, Told::Some(list) if list.len() == others && list.iter().any(|t| tells(t.0)))
                }
                _ => false,
            },
            Choice::Wait | Choice::Buffer => true,
        };
        // In the order in which they were asked, as far as they were to be told.
        let mut asked: HashMap<(u64, u64), usize> = HashMap::new();
        let mut polls = own.polls.iter();
        own.calls.iter().all(told)
            && polls.all(|&(number, asks, found)| {
                let place = asked.entry((number, asks)).or_default();
                *place += 1;
                let answers = ran.answers.get(&(number, asks));
                answers.and_then(|list| list.get(*place - 1)) == Some(&found)
            })
    })
}

/// What a rank did, to look things up in.
struct Ran<'t> {
    /// Its numbered events.
    calls: Vec<&'t Event<'static>>,
    /// What its nonblocking receives were told when they completed, where that is not what they asked for.
    received: HashMap<RequestId, Matched>,
    /// By the number of the next call and what is asked: whether each poll in turn found something.
    answers: HashMap<(u64, u64), Vec<bool>>,
}

impl<'t> Ran<'t> {
    fn of(rank: &'t RankTrace) -> Ran<'t> {
        let mut ran = Ran {
            calls: Vec::new(),
            received: HashMap::new(),
            answers: HashMap::new(),
        };
        for event in rank.records.iter().map(|record| &record.event) {
            if let Some(asks) = event.asks() {
                let key = (ran.calls.len() as u64, asks);
                ran.answers.entry(key).or_default().push(found(event));
            }
            if let Event::Complete { requests, told, .. } = event {
                let mut note = |at: u32, told: Matched| {
                    let request = requests.get(at as usize).copied();
                    request.map(|request| ran.received.entry(request).or_insert(told));
                };
                match told {
                    Told::All(list) => list.iter().for_each(|&(at, told)| note(at, told)),
                    Told::Some(list) => {
                        let list = list.iter().filter_map(|&(at, told)| Some((at, told?)));
                        list.for_each(|(at, told)| note(at, told));
                    }
                    Told::None => {}
                }
            }
            if event.numbered() {
                ran.calls.push(event);
            }
        }
        ran
    }
}

/// Whether a poll found something.
pub fn found(event: &Event<'_>) -> bool {
    match event {
        Event::Complete { told, .. } => *told != Told::None,
        Event::Probe { told, .. } => told.is_some(),
        _ => false,
    }
}
