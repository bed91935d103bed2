//! `--rescue`: instead of reporting a deadlock in which standard sends wait, ask their ranks to let them return from copies.
//!
//! The probe's side is `standoff-probe/src/rescue`, the argument `docs/algorithms/rescue.md`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use standoff_board::layout::{Header, RESCUED, Rescued, command, state};
use standoff_mpi::picture::{SendMode, WorldRank};
use standoff_mpi::{Agent, Blocked, Finding as Found, OpKind};
use standoff_report::{AgentEntry, Finding, FindingKind};

use super::ranks::World;
use super::report::{Known, ranks};

/// How long after it was told a rank has to let its sends go.
const EFFECT: Duration = Duration::from_millis(500);
/// How long it has to be told: its helper may not get a processor at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was asked of the ranks of a session.
#[derive(Debug, Default)]
pub struct Rescuer {
    /// By world and rank: at which epoch, the command, when, and when it was seen to be heard.
    asked: BTreeMap<(usize, usize), Asked>,
    /// Worlds whose ranks were told that all are in `MPI_Finalize`.
    over: Vec<usize>,
}

#[derive(Debug)]
struct Asked {
    epoch: u64,
    word: u32,
    since: Instant,
    heard: Option<Instant>,
}

/// A command that this rank has not seen.
pub fn word(header: &Header, command: u32) -> u32 {
    (header.command >> 8).wrapping_add(1).max(1) << 8 | command
}

/// Whether a send in the core waits only because the library does not buffer it.
pub fn rescuable(found: &Found) -> bool {
    found.core.iter().any(sends)
}

fn sends(blocked: &Blocked) -> bool {
    let standard = OpKind::Send(SendMode::Standard);
    blocked.ops.iter().any(|op| op.kind == standard && op.may)
}

impl Rescuer {
    /// Asks for the sends of a proven deadlock. True while there is hope: something was asked, and may not have had its effect yet.
    /// `polls`: who does not wait, but asks again and again.
    pub fn try_on(
        &mut self,
        number: usize,
        world: &World,
        found: &[Found],
        polls: &dyn Fn(&Agent) -> bool,
    ) -> bool {
        if !found.iter().all(rescuable) {
            return false;
        }
        let mut hope = false;
        for blocked in found.iter().flat_map(|f| &f.core).filter(|b| sends(b)) {
            let rank = blocked.agent.rank.0 as usize;
            let Some(target) = world.ranks.get(rank).and_then(Option::as_ref) else {
                continue;
            };
            match self.asked.get_mut(&(number, rank)) {
                Some(asked) if asked.epoch == target.epoch => {
                    if asked.heard.is_none() && target.board.done().is_ok_and(|d| d == asked.word) {
                        asked.heard = Some(Instant::now());
                    }
                    hope |= match asked.heard {
                        Some(heard) => heard.elapsed() < EFFECT,
                        None => asked.since.elapsed() < PATIENCE,
                    };
                }
                _ => {
                    let Ok(header) = target.board.header() else {
                        continue;
                    };
                    let asked = Asked {
                        epoch: target.epoch,
                        word: word(
                            &header,
                            match polls(&blocked.agent) {
                                true => command::RESCUE_POLLED,
                                false => command::RESCUE,
                            },
                        ),
                        since: Instant::now(),
                        heard: None,
                    };
                    if target.board.command(asked.word).is_ok() {
                        self.asked.insert((number, rank), asked);
                        hope = true;
                    }
                }
            }
        }
        hope
    }

    /// Tells the ranks of a world that has come to its end that nobody will receive any more.
    pub fn end(&mut self, number: usize, world: &World) {
        if self.over.contains(&number) || !world.complete() {
            return;
        }
        let headers: Option<Vec<Header>> = world.joined().map(|r| r.board.header().ok()).collect();
        let Some(headers) = headers else { return };
        let over = |h: &Header| matches!(h.state, state::FINALIZING | state::FINALIZED);
        if world.joined().zip(&headers).all(|(r, h)| r.gone || over(h)) {
            self.over.push(number);
            for (rank, header) in world.joined().zip(&headers) {
                let _ = rank.board.command(word(header, command::OVER));
            }
        }
    }
}

/// Why a deadlock was not resolved, as a sentence.
pub fn no_way_out(found: &Found) -> &'static str {
    if rescuable(found) {
        "--rescue found no way out: a send here could not be copied beforehand (no room left under --rescue-memory, memory of a device, or a \
         partitioned send)."
    } else {
        "--rescue found no way out: only a standard send may be buffered instead, and none holds these ranks up."
    }
}

/// Sends of one place, of all ranks.
#[derive(Default)]
struct Sends {
    count: u64,
    asked: u64,
    bytes: u64,
    entries: Vec<AgentEntry>,
}

/// The sends that returned from a copy: a warning for each place.
pub fn rescued(known: &Known<'_>, world: &World) -> Vec<Finding> {
    let mut places: BTreeMap<(Option<String>, Option<u32>, String), Sends> = BTreeMap::new();
    let mut more = 0;
    for joined in world.joined() {
        let rank = WorldRank(joined.rank as u32);
        let sends = joined.board.rescued().unwrap_or_default();
        for (i, sent) in sends.iter().enumerate() {
            let Rescued {
                asked,
                count,
                bytes,
                place,
                peer,
            } = *sent;
            if count == 0 {
                continue;
            }
            let line = known.places.line(rank.0 as usize, place);
            let call = known
                .places
                .function(rank.0 as usize, place)
                .unwrap_or("MPI_Send");
            let file = line.as_ref().and_then(|l| l.file.clone());
            let key = (file, line.as_ref().and_then(|l| l.line), call.to_owned());
            let sends = places.entry(key).or_default();
            sends.count = sends.count.saturating_add(count);
            sends.asked = sends.asked.saturating_add(asked);
            sends.bytes = sends.bytes.max(bytes);
            sends.entries.push(AgentEntry {
                peer: Some(peer),
                ..known.at(rank, call, line)
            });
            more += u64::from(i + 1 == RESCUED);
        }
    }
    let found = places.into_iter().map(|((.., call), sends)| {
        let at = super::warnings::at(sends.entries[0].stack.first());
        let who: Vec<u32> = sends.entries.iter().map(|e| e.rank).collect();
        let name = sends.entries[0].user_call.clone().unwrap_or(call);
        let mut finding = Finding::new(FindingKind::RescuedSend);
        let (copies, all) = (counted(sends.count), sends.count == sends.asked);
        finding.explanation = format!(
            "{copies} of {name}{at} in {} returned from a copy ({} bytes at most). {} MPI allows a standard send to return before it is received, but no \
             library must let it.{}",
            ranks(&who),
            sends.bytes,
            match (sends.asked, all) {
                (0, _) => "--rescue=always asked for that (or MPI_Cancel or MPI_Request_get_status was called for one); standoff did not look whether they \
                    would have waited for ever.".to_owned(),
                (_, true) => "Without that they would have waited for ever.".to_owned(),
                (n, false) => format!(
                    "{n} of them would have waited for ever; from then on calls from there were not made to wait."
                ),
            },
            if more > 0 { " There may be further places." } else { "" },
        );
        finding.core = sends.entries;
        finding
    });
    let mut found: Vec<Finding> = found.collect();
    // Once is enough.
    if let Some(last) = found.last_mut() {
        last.advice = vec![ADVICE.to_owned()];
    }
    found
}

/// `1 call`, `3 calls`.
fn counted(n: u64) -> String {
    super::warnings::count(n, "call")
}

const ADVICE: &str = "Make it safe for every library and size: let one side receive first, join the send and the receive into MPI_Sendrecv \
    (comm.sendrecv), or use MPI_Isend (comm.isend) and complete it after the receive.";
