//! `--on-deadlock raise`: blocked calls of a deadlock that has been shown return an error.
//!
//! The probe's side is `standoff-probe/src/raise.rs`, the argument `docs/algorithms/raise.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use standoff_board::layout::{Header, RAISE_FILE, command, state};
use standoff_mpi::{Agent, Finding as Found, OpKind};
use standoff_report::{AgentEntry, Finding};

use super::picture::Reading;
use super::ranks::World;
use super::rescue::word;

/// How long after it may a thread has to return from its call.
const EFFECT: Duration = Duration::from_millis(1500);
/// How long ranks have to end calls.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a job may stay in `MPI_Finalize` once all its ranks are there: the library may wait for what was given up.
const LAST: Duration = Duration::from_secs(5);
/// Characters of what an error says; the library may have room for less.
const TEXT: usize = 480;

/// What was asked of the ranks of a session.
#[derive(Debug, Default)]
pub struct Raiser {
    /// The deadlock has been shown.
    pub shown: bool,
    /// Every thread is asked once, or a program that tries again and again would never end.
    asked: BTreeMap<(usize, Agent), Asked>,
    /// Told to end calls. None may return before all have done so.
    ending: Option<Ending>,
    /// Since when all ranks are in `MPI_Finalize`.
    over: Option<Instant>,
}

/// Of one world, which ranks were told, by which command.
#[derive(Debug)]
struct Ending {
    world: usize,
    ranks: Vec<(usize, u32)>,
    since: Instant,
}

#[derive(Debug)]
struct Asked {
    /// How many calls the thread had made.
    calls: u64,
    since: Instant,
}

/// What to do about a deadlock that still stands, or a new one.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Threads that were asked may still return.
    Wait,
    /// These are to be asked.
    Ask(BTreeSet<Agent>),
    /// All have been asked: the job can only be ended. Of those that did not return, with the names of their calls.
    Over(Vec<(Agent, String)>),
}

impl Raiser {
    /// What is to be done about the deadlocks of a world.
    pub fn next(&mut self, number: usize, readings: &[Option<Reading>], found: &[Found]) -> Next {
        if self.ending.is_some() {
            return Next::Wait;
        }
        let mut fresh = BTreeSet::new();
        let mut stayed = Vec::new();
        let mut wait = false;
        for blocked in found.iter().flat_map(|f| &f.core) {
            let agent = blocked.agent;
            let Some(asked) = self.asked.get(&(number, agent)) else {
                fresh.insert(agent);
                continue;
            };
            if calls(readings, agent) == Some(asked.calls) {
                wait |= asked.since.elapsed() < EFFECT;
                stayed.push((agent, blocked.function.clone()));
            }
        }
        match (wait, fresh.is_empty()) {
            (true, _) => Next::Wait,
            (false, false) => Next::Ask(fresh),
            (false, true) => Next::Over(stayed),
        }
    }

    /// Asks these agents, which are in the core of `findings`, the same as `found`.
    pub fn ask(
        &mut self,
        number: usize,
        world: &World,
        readings: &[Option<Reading>],
        found: &[Found],
        findings: &[Finding],
        agents: &BTreeSet<Agent>,
    ) {
        let mut lines: BTreeMap<usize, String> = BTreeMap::new();
        for (found, finding) in found.iter().zip(findings) {
            for blocked in found.core.iter().filter(|b| agents.contains(&b.agent)) {
                let Some(calls) = calls(readings, blocked.agent) else {
                    continue;
                };
                let (rank, slot) = (blocked.agent.rank.0 as usize, blocked.agent.thread);
                let text = diagnosis(finding, blocked.agent.rank.0);
                let _ = writeln!(lines.entry(rank).or_default(), "{slot} {calls} {text}");
            }
            self.close(found, agents, world, &mut lines);
        }
        let mut ranks = Vec::new();
        for (rank, text) in lines {
            let Some(target) = world.ranks.get(rank).and_then(Option::as_ref) else {
                continue;
            };
            let Ok(header) = target.board.header() else {
                continue;
            };
            let path = target.board.path().with_extension(RAISE_FILE);
            let word = word(&header, command::RAISE);
            if std::fs::write(path, text).is_ok() && target.board.command(word).is_ok() {
                ranks.push((rank, word));
            }
        }
        for &agent in agents {
            let asked = Asked {
                calls: calls(readings, agent).unwrap_or(u64::MAX),
                since: Instant::now(),
            };
            self.asked.insert((number, agent), asked);
        }
        self.ending = Some(Ending {
            world: number,
            ranks,
            since: Instant::now(),
        });
    }

    /// Lets the calls return, once all have ended.
    pub fn go(&mut self, worlds: &[World]) {
        let Some(Ending {
            world,
            ranks,
            since,
        }) = &self.ending
        else {
            return;
        };
        let joined = |rank: usize| worlds.get(*world)?.ranks.get(rank)?.as_ref();
        let ends = |&(rank, word): &(usize, u32)| {
            joined(rank).is_some_and(|r| !r.gone && r.board.done().is_ok_and(|done| done != word))
        };
        if since.elapsed() < PATIENCE && ranks.iter().any(ends) {
            return;
        }
        for rank in ranks.iter().filter_map(|&(rank, _)| joined(rank)) {
            if let Ok(header) = rank.board.header() {
                let _ = rank.board.command(word(&header, command::GO));
            }
        }
        for asked in self.asked.values_mut() {
            asked.since = Instant::now();
        }
        self.ending = None;
    }

    /// Communicators on which collectives will be given up: no rank may begin further ones there.
    fn close(
        &self,
        found: &Found,
        agents: &BTreeSet<Agent>,
        world: &World,
        lines: &mut BTreeMap<usize, String>,
    ) {
        let asked = found.core.iter().filter(|b| agents.contains(&b.agent));
        let collective = |kind: &OpKind| matches!(kind, OpKind::Collective { .. });
        let comms: BTreeMap<u64, &str> = asked
            .flat_map(|b| &b.ops)
            .filter(|op| collective(&op.kind))
            .map(|op| (op.comm.0, op.comm_name.as_str()))
            .collect();
        for (id, name) in comms {
            for rank in world.joined() {
                let _ = writeln!(
                    lines.entry(rank.rank).or_default(),
                    "closed {id} standoff: no collective works on {name} any more: one was given up in a deadlock"
                );
            }
        }
    }

    /// Whether the job is to be ended because it does not come out of `MPI_Finalize`.
    pub fn hangs_at_the_end(&mut self, worlds: &[World]) -> bool {
        let over = |h: Header| matches!(h.state, state::FINALIZING | state::FINALIZED);
        let ends = worlds.iter().flat_map(World::joined).all(|r| {
            // A rank that is gone has nothing to do here any more.
            r.gone || r.board.header().is_ok_and(over)
        });
        if !self.shown || !ends || !worlds.iter().all(World::complete) {
            self.over = None;
            return false;
        }
        self.over.get_or_insert_with(Instant::now).elapsed() >= LAST
    }
}

fn calls(readings: &[Option<Reading>], agent: Agent) -> Option<u64> {
    let reading = readings.get(agent.rank.0 as usize)?.as_ref()?;
    Some(reading.copy.threads.get(agent.thread as usize)?.calls)
}

/// What the error says on this rank: its own wait first.
fn diagnosis(finding: &Finding, rank: u32) -> String {
    let (mine, others): (Vec<&AgentEntry>, Vec<&AgentEntry>) =
        finding.core.iter().partition(|e| e.rank == rank);
    let waits: Vec<String> = mine.into_iter().chain(others).map(phrase).collect();
    let text = format!("standoff: deadlock: {}", waits.join("; "));
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match text.char_indices().nth(TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// `rank 0 in comm.recv at ring.py:4 waits for rank 1`.
fn phrase(entry: &AgentEntry) -> String {
    let AgentEntry {
        agent,
        call,
        user_call,
        state,
        waits_for,
        stack,
        ..
    } = entry;
    let place = stack.first().and_then(|frame| {
        let file = frame.file.as_ref()?;
        let name = std::path::Path::new(file).file_name()?.to_string_lossy();
        Some(format!(" at {name}:{}", frame.line?))
    });
    let place = place.unwrap_or_default();
    if let Some(state) = state {
        return format!("{agent} {state}{place}");
    }
    let call = user_call.as_ref().unwrap_or(call);
    format!(
        "{agent} in {call}{place} waits for {}",
        waits_for.join(", ")
    )
}
