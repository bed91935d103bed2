//! Where ranks have called MPI, how often, and what they called last.
//!
//! Probes count every call at its place and keep the last few of each thread (see `standoff_board::layout::Place`). A place of Python code
//! is a line; one of native code an address, of which the rank's modules make a line as long as its process is there.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use standoff_board::functions;
use standoff_board::layout::{Place, RECENT, Recent, Thread, op, wait};
use standoff_board::read::text;
use standoff_mpi::picture::WorldRank;
use standoff_report::{AgentEntry, CallEntry, Frame, Op};

use super::native::Native;
use super::picture::Reading;
use super::ranks::World;
use super::stacks::{own_native, relative};

/// Places of the ranks of a world, read when they are asked for.
#[derive(Debug)]
pub struct Places<'a> {
    world: Option<&'a World>,
    read: RefCell<HashMap<usize, standoff_board::read::Places>>,
    native: RefCell<Native>,
    lines: RefCell<HashMap<(usize, u32), Option<Frame>>>,
}

impl<'a> Places<'a> {
    /// None read so far. `native` knows some modules already.
    pub fn new(world: Option<&'a World>, native: Native) -> Places<'a> {
        Places {
            world,
            read: RefCell::default(),
            native: RefCell::new(native),
            lines: RefCell::default(),
        }
    }

    fn with<R>(
        &self,
        rank: usize,
        f: impl FnOnce(&standoff_board::read::Places) -> R,
    ) -> Option<R> {
        let board = &self.world?.ranks.get(rank)?.as_ref()?.board;
        let mut read = self.read.borrow_mut();
        let places = read
            .entry(rank)
            .or_insert_with(|| board.places().unwrap_or_default());
        Some(f(places))
    }

    /// A rank's place.
    fn entry(&self, rank: usize, place: u32) -> Option<Place> {
        let entry = |p: &standoff_board::read::Places| p.places.get(place as usize).copied();
        self.with(rank, entry).flatten().filter(|p| p.key != 0)
    }

    /// Name of the procedure that is called at a place.
    pub fn function(&self, rank: usize, place: u32) -> Option<&'static str> {
        functions::name(self.entry(rank, place)?.function)
    }

    /// The source line of a rank's place.
    pub fn line(&self, rank: usize, place: u32) -> Option<Frame> {
        if let Some(known) = self.lines.borrow().get(&(rank, place)) {
            return known.clone();
        }
        let found = self.find(rank, place);
        self.lines.borrow_mut().insert((rank, place), found.clone());
        found
    }

    fn find(&self, rank: usize, place: u32) -> Option<Frame> {
        let (entry, python) = self.with(rank, |places| {
            let entry = *places.places.get(place as usize)?;
            let python = || Some((places.name(entry.file)?, places.name(entry.name)?));
            Some((entry, (entry.line != 0).then(python)))
        })??;
        let frame = match python {
            Some(names) => {
                let (file, name) = names?;
                Frame::at(file, entry.line, name)
            }
            None => {
                let rank = self.world?.ranks.get(rank)?.as_ref()?;
                let address = entry.key.checked_sub(1)?;
                let mut native = self.native.borrow_mut();
                let frames = native.lines(rank.pid, &rank.modules, address);
                // Called by a binding in its own function: the user's line is further out, and not known.
                frames.into_iter().find(own_native)?
            }
        };
        let mut frames = [frame];
        relative(&mut frames);
        let [frame] = frames;
        Some(frame)
    }

    /// How often MPI procedures were called from a source line: by function.
    fn counts(&self, rank: usize, file: &str, line: u32) -> BTreeMap<u32, u64> {
        let used: Vec<(u32, u32, u64)> = self
            .with(rank, |places| {
                (0u32..)
                    .zip(&places.places)
                    .filter(|(_, p)| p.key != 0)
                    .map(|(i, p)| (i, p.function, p.count))
                    .collect()
            })
            .unwrap_or_default();
        let mut out = BTreeMap::new();
        for (place, function, count) in used {
            let here = self.line(rank, place);
            if here.is_some_and(|f| f.file.as_deref() == Some(file) && f.line == Some(line)) {
                *out.entry(function).or_default() += count;
            }
        }
        out
    }

    /// A thread's last calls, newest first. `top` is the user's innermost frame on its stack.
    pub fn calls(
        &self,
        rank: usize,
        reading: &Reading,
        thread: &Thread,
        top: Option<&Frame>,
        written: &dyn Fn(&str, &Frame) -> Option<String>,
    ) -> Vec<CallEntry> {
        // A send in progress is not among the thread's calls yet.
        let [op, _] = thread.inline;
        let sends = thread.wait == wait::ALL
            && thread.inline_used == 1
            && matches!(op.kind, op::SEND | op::SSEND | op::BSEND | op::RSEND);
        let now = sends.then(|| Recent::of(thread.function, 0, op.envelope()));
        let last = (1..=RECENT as u64).map_while(|n| thread.calls.checked_sub(n));
        let last = last.filter_map(|n| thread.recent.get(n as usize % RECENT).copied());
        let entry = |recent: Recent| {
            let call = functions::name(u32::from(recent.function))?;
            let place = match recent.place {
                0 if now == Some(recent) => top.cloned(),
                place => self.line(rank, u32::from(place)),
            };
            let comm = usize::from(recent.comm).checked_sub(1);
            let comm = comm.and_then(|c| reading.copy.comms.get(c));
            Some(CallEntry {
                call: call.to_owned(),
                user_call: place.as_ref().and_then(|frame| written(call, frame)),
                comm: comm.filter(|c| c.id != 0).map(|c| text(&c.name)),
                peer: comm.map(|_| recent.peer).filter(|&peer| peer >= -1),
                tag: comm.map(|_| recent.tag),
                place,
                times: self.entry(rank, u32::from(recent.place)).map(|p| p.count),
            })
        };
        now.into_iter()
            .chain(last)
            .take(RECENT)
            .filter_map(entry)
            .collect()
    }

    /// In which loops the ranks of a finding parted: a sentence for each line where some of `waiting` are in a collective
    /// and others of the finding are not, having been there less often.
    pub fn partings(&self, waiting: &[&AgentEntry], left: &[WorldRank]) -> Vec<String> {
        let mut lines: BTreeMap<(String, u32), Vec<&AgentEntry>> = BTreeMap::new();
        for entry in waiting {
            if let Some((file, line)) = place_of(entry) {
                lines.entry((file, line)).or_default().push(entry);
            }
        }
        let mut out = Vec::new();
        for ((file, line), here) in lines {
            // Messages say nothing, those of a reduction of mpi4py neither: ranks differ in the number of their neighbours.
            let message = |call: &str| {
                ["ecv", "end", "robe"]
                    .iter()
                    .any(|part| call.contains(part))
            };
            let collective =
                |entry: &&&AgentEntry| entry.op == Some(Op::Collective) && !message(&entry.call);
            let Some(speaker) = here.iter().find(collective) else {
                continue;
            };
            let Some(function) = functions::number(&speaker.call) else {
                continue;
            };
            let often = |rank: u32| {
                let counts = self.counts(rank as usize, &file, line);
                rounds(speaker, counts.get(&function).copied().unwrap_or(0))
            };
            let mine = often(speaker.rank);
            let elsewhere = waiting
                .iter()
                .filter(|e| place_of(e) != Some((file.clone(), line)))
                .map(|e| e.rank);
            let mut fewer: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
            for rank in elsewhere.chain(left.iter().map(|r| r.0)) {
                let theirs = often(rank);
                if theirs > 0 && theirs < mine {
                    fewer.entry(theirs).or_default().push(rank);
                }
            }
            if fewer.is_empty() {
                continue;
            }
            let mut here: Vec<u32> = here.iter().map(|e| e.rank).collect();
            here.dedup();
            let call = speaker.user_call.as_deref().unwrap_or(&speaker.call);
            let are = if here.len() == 1 { "is" } else { "are" };
            let others: Vec<String> = fewer
                .iter()
                .map(|(n, ranks)| {
                    let were = if ranks.len() == 1 { "was" } else { "were" };
                    let times = match n {
                        1 => "once".to_owned(),
                        2 => "twice".to_owned(),
                        n => format!("{n} times"),
                    };
                    format!("{} {were} there {times}", super::report::ranks(ranks))
                })
                .collect();
            out.push(capital(&format!(
                "{} {are} at {file}:{line} ({call}) for the {} time; {}.",
                super::report::ranks(&here),
                ordinal(mine),
                others.join(", ")
            )));
        }
        out
    }
}

/// File and line of where an agent is.
fn place_of(entry: &AgentEntry) -> Option<(String, u32)> {
    let frame = entry.stack.first()?;
    Some((frame.file.clone()?, frame.line?))
}

/// How often the user's line was reached, when the procedure was called so often: mpi4py's lower-case methods broadcast the
/// size of a pickled object and then the object.
fn rounds(entry: &AgentEntry, calls: u64) -> u64 {
    let method = entry.user_call.as_deref().map(|call| {
        let name = call.split('(').next().unwrap_or(call);
        name.rsplit('.').next().unwrap_or(name)
    });
    let pickled = method.is_some_and(|m| m.starts_with(|c: char| c.is_ascii_lowercase()));
    if pickled && entry.call == "MPI_Bcast" {
        calls.div_ceil(2)
    } else {
        calls
    }
}

fn ordinal(n: u64) -> String {
    let end = match (n % 10, n % 100) {
        (1, r) if r != 11 => "st",
        (2, r) if r != 12 => "nd",
        (3, r) if r != 13 => "rd",
        _ => "th",
    };
    format!("{n}{end}")
}

/// With a capital letter.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// `early.py:8`.
pub fn at(frame: &Frame) -> Option<String> {
    Some(format!("{}:{}", frame.file.as_deref()?, frame.line?))
}

/// The last communication call before a rank left, in words: `comm.allreduce at early.py:8`.
pub fn in_words(call: &CallEntry) -> Option<String> {
    let place = call.place.as_ref()?;
    let what = call.user_call.as_deref().unwrap_or(&call.call);
    let name = what.split('(').next().unwrap_or(what);
    Some(format!("{name} at {}", at(place)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals() {
        let said: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal).into();
        assert_eq!(
            said.join(" "),
            "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th"
        );
    }
}
