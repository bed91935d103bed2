//! Where and how an execution's calls were written.

use std::cell::RefCell;

use standoff_check::Stuck;
use standoff_report::sources::{FileSources, Sources};
use standoff_report::{AgentEntry, Frame, Op, WaitKind};
use standoff_trace::event::{CommIndex, CommRank, Place, SiteId, Source, TagPattern};
use standoff_trace::{Event, RankTrace};

use super::recording::Execution;
use crate::monitor::names::{rust_call, user_call};
use crate::monitor::native::Native;
use crate::monitor::stacks::{own_native, relative};

/// Source lines of an execution's call sites.
pub(super) struct Lines<'a> {
    execution: &'a Execution,
    native: RefCell<Native>,
    sources: FileSources,
}

impl<'a> Lines<'a> {
    pub(super) fn new(execution: &'a Execution) -> Lines<'a> {
        Lines {
            execution,
            native: RefCell::new(Native::default()),
            sources: FileSources::new("."),
        }
    }

    pub(super) fn native(&self, rank: u32, address: u64) -> Option<Frame> {
        let modules = self.execution.modules.get(rank as usize)?.as_ref()?;
        // Each rank has a list of its own: a number that no process has tells them apart.
        let key = -1 - i32::try_from(rank).ok()?;
        let frames = self
            .native
            .borrow_mut()
            .lines(key, modules, address.checked_sub(1)?);
        let mut frames = [frames.into_iter().find(own_native)?];
        relative(&mut frames);
        let [frame] = frames;
        Some(frame)
    }

    fn frame(&self, rank: u32, site: SiteId) -> Option<Frame> {
        match self.execution.trace.ranks.get(rank as usize)?.place(site)? {
            Place::Native(address) => self.native(rank, *address),
            Place::Script {
                file,
                line,
                function,
            } => {
                let mut frames = [Frame::at(file.as_ref(), *line, function.as_ref())];
                relative(&mut frames);
                let [frame] = frames;
                Some(frame)
            }
        }
    }

    /// What the user wrote.
    fn written(&self, frame: &Frame, call: &str) -> Option<String> {
        let file = frame.file.as_deref()?;
        let line = self.sources.line(file, frame.line?)?;
        match file.rsplit('.').next() {
            Some("py") => user_call(call, &line),
            Some("rs") => rust_call(call, &line),
            _ => None,
        }
    }

    /// The file's own name and the line of a call; empty if that is not known.
    pub(super) fn place(&self, rank: u32, event: u32) -> String {
        let frame = self.site(rank, event).and_then(|s| self.frame(rank, s));
        let place = frame.and_then(|f| {
            let file = f.file?;
            let name = file.rsplit('/').next()?;
            Some(format!("{name}:{}", f.line?))
        });
        place.unwrap_or_default()
    }

    /// What the user wrote, without arguments, or else the MPI procedure.
    pub(super) fn call(&self, rank: u32, event: u32) -> String {
        let record = self.execution.trace.ranks[rank as usize]
            .records
            .get(event as usize);
        let procedure = record.map_or_else(String::new, |r| procedure(&r.event));
        let frame = self.site(rank, event).and_then(|s| self.frame(rank, s));
        let written = frame.and_then(|f| self.written(&f, &procedure));
        let written = written.and_then(|w| w.split('(').next().map(str::to_owned));
        written.unwrap_or(procedure)
    }

    pub(super) fn event(&self, rank: u32, event: u32) -> Option<&Event<'_>> {
        let records = &self.execution.trace.ranks.get(rank as usize)?.records;
        Some(&records.get(event as usize)?.event)
    }

    /// Whether a receive or probe is from any source.
    pub(super) fn wild(&self, rank: u32, event: u32) -> bool {
        match self.event(rank, event) {
            Some(Event::Recv(recv) | Event::Sendrecv { recv, .. }) => recv.from == Source::Any,
            Some(Event::Probe { from, .. }) => *from == Source::Any,
            _ => false,
        }
    }

    /// The world rank that a blocking receive or a probe was told in the recorded run.
    pub(super) fn told(&self, rank: u32, event: u32) -> Option<u32> {
        let (comm, told) = match self.event(rank, event)? {
            Event::Recv(recv) | Event::Sendrecv { recv, .. } => (recv.comm, recv.told?),
            Event::Probe { comm, told, .. } => (*comm, (*told)?),
            _ => return None,
        };
        self.world(rank, comm, told.source, event)
    }

    /// World rank of a partner on a communicator, as a rank saw it at a call.
    pub(super) fn world(&self, rank: u32, comm: CommIndex, peer: CommRank, at: u32) -> Option<u32> {
        let records = &self.execution.trace.ranks.get(rank as usize)?.records;
        let defined = records.get(..at as usize)?.iter().rev();
        let side = defined.into_iter().find_map(|r| match &r.event {
            Event::Comm {
                index,
                group,
                remote,
                ..
            } if *index == comm => Some(remote.as_ref().unwrap_or(group)),
            _ => None,
        })?;
        side.world(peer).map(|w| w.0)
    }

    fn site(&self, rank: u32, event: u32) -> Option<SiteId> {
        let records = &self.execution.trace.ranks.get(rank as usize)?.records;
        Some(records.get(event as usize)?.site)
    }

    /// The name of a communicator, as a rank saw it at a call.
    pub(super) fn comm_name(&self, rank: u32, comm: CommIndex, at: u32) -> Option<String> {
        self.comm(self.execution.trace.ranks.get(rank as usize)?, comm, at)
    }

    /// A rank that made a call.
    pub(super) fn caller(&self, rank: u32, event: u32) -> AgentEntry {
        let call = self.event(rank, event).map_or_else(String::new, procedure);
        let frame = self.site(rank, event).and_then(|s| self.frame(rank, s));
        let written = frame.as_ref().and_then(|f| self.written(f, &call));
        AgentEntry {
            agent: format!("rank {rank}"),
            rank,
            call,
            user_call: written,
            stack: frame.into_iter().collect(),
            ..AgentEntry::default()
        }
    }

    fn comm(&self, rank: &RankTrace, comm: CommIndex, before: u32) -> Option<String> {
        rank.records[..before as usize]
            .iter()
            .rev()
            .find_map(|r| match &r.event {
                Event::Comm { index, name, .. } if *index == comm => {
                    Some(name.clone().into_owned())
                }
                _ => None,
            })
    }

    pub(super) fn entry(&self, stuck: &Stuck) -> AgentEntry {
        let rank = &self.execution.trace.ranks[stuck.rank as usize];
        // What it waits for may have been posted earlier.
        let about = stuck.operations.first().copied().unwrap_or(stuck.event);
        let mut entry = AgentEntry {
            wait: Some(if stuck.any {
                WaitKind::Any
            } else {
                WaitKind::All
            }),
            waits_for: stuck
                .waits_for
                .iter()
                .map(|r| format!("rank {r}"))
                .collect(),
            ..self.caller(stuck.rank, stuck.event)
        };
        let (comm, peer, tag, op) = match &rank.records[about as usize].event {
            Event::Send(send) | Event::Sendrecv { send, .. } => (
                Some(send.comm),
                Some(send.to.0 as i32),
                Some(send.tag),
                Op::Send,
            ),
            Event::Recv(recv) => (
                Some(recv.comm),
                Some(source(recv.from)),
                Some(tag(recv.tag)),
                Op::Recv,
            ),
            Event::Probe {
                comm, from, tag: t, ..
            } => (Some(*comm), Some(source(*from)), Some(tag(*t)), Op::Probe),
            Event::Collective(c) => (Some(c.comm), None, None, Op::Collective),
            _ => (None, None, None, Op::Wait),
        };
        entry.op = Some(op);
        entry.comm = comm.and_then(|comm| self.comm(rank, comm, about));
        entry.peer = peer;
        entry.tag = tag;
        entry
    }
}

fn source(from: Source) -> i32 {
    match from {
        Source::Rank(rank) => rank.0 as i32,
        Source::Any => -1,
    }
}

fn tag(tag: TagPattern) -> i32 {
    match tag {
        TagPattern::Tag(tag) => tag,
        TagPattern::Any => -1,
    }
}

/// The name of the procedure, e.g. `MPI_Send`.
fn procedure(event: &Event<'_>) -> String {
    let said = standoff_check::call(event);
    let name = said.split([' ', ',']).next();
    name.unwrap_or_default().to_owned()
}
