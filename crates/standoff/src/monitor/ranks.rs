//! The boards of a session, grouped into jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use standoff_board::layout::{Header, LIFE, state};
use standoff_board::read::{BoardFile, ReadError};

use super::deaths::Deaths;
use super::picture::Reading;
use crate::proc::Process;
use crate::sys::{self, End};

/// Ranks that a world can have; a board that tells of more is none.
const WORLD: u32 = 1 << 20;

/// A rank that has joined.
#[derive(Debug)]
pub struct Rank {
    /// Its board.
    pub board: BoardFile,
    /// Where its list of modules is kept once it is in `MPI_Finalize`.
    pub modules: PathBuf,
    /// Its process; 0 if that has its number in another namespace, where it cannot be seen.
    pub pid: i32,
    /// Its process, if it can be seen.
    pub process: Option<Process>,
    /// Its rank in its world.
    pub rank: usize,
    /// Epoch at the last look.
    pub epoch: u64,
    /// When the epoch was last seen to change.
    pub changed: Instant,
    /// It has ended (as far as seen).
    pub gone: bool,
    /// How it ended, if the system tells.
    pub end: Option<End>,
    fd: Option<Rc<OwnedFd>>,
    /// When it was seen to have ended in a way that launchers do not take for an end of work.
    pub died: Option<Instant>,
}

/// One `MPI_COMM_WORLD`.
#[derive(Debug)]
pub struct World {
    key: u64,
    /// By world rank; `None`: has not joined.
    pub ranks: Vec<Option<Rank>>,
    /// Two processes claim one rank: nothing can be said about this world.
    pub confused: bool,
    /// Ranks whose boards could be read at first and then no more, with the reason.
    pub lost: BTreeMap<u32, String>,
}

impl World {
    /// All that have joined.
    pub fn joined(&self) -> impl Iterator<Item = &Rank> {
        self.ranks.iter().flatten()
    }

    /// Whether all have joined.
    pub fn complete(&self) -> bool {
        self.ranks.iter().all(Option::is_some)
    }
}

/// All boards of a session.
#[derive(Debug, Default)]
pub struct Ranks {
    /// In the order in which they were first seen.
    pub worlds: Vec<World>,
    known: BTreeSet<PathBuf>,
    /// Things to be said once, by file name.
    pub complaints: BTreeMap<String, String>,
    deaths: Deaths,
}

impl Ranks {
    /// Looks for boards that have appeared; true if there are any.
    pub fn scan(&mut self, session: &Path) -> bool {
        let Ok(entries) = std::fs::read_dir(session) else {
            return false;
        };
        let before = self.known.len();
        for entry in entries.flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|e| e != "board") || self.known.contains(&path) {
                continue;
            }
            self.known.insert(path.clone());
            if let Err(error) = self.join(&path) {
                let name = entry.file_name().to_string_lossy().into_owned();
                let said =
                    format!("{name} was left unread: {error}; its rank counts as able to act");
                self.complaints.insert(name, said);
            }
        }
        self.known.len() > before
    }

    /// By world and rank: the place in the order of deaths, of those that are known to be dead. The first may be several.
    pub fn order_of_deaths(&mut self) -> BTreeMap<(u32, u32), usize> {
        let order = self.deaths.order();
        let named = |(&who, &place): (&u64, &usize)| (((who >> 32) as u32, who as u32), place);
        order.iter().map(named).collect()
    }

    fn join(&mut self, path: &Path) -> Result<(), ReadError> {
        let board = BoardFile::open(path)?;
        let header = board.header()?;
        if header.world_size > WORLD {
            return Err(ReadError::Corrupted("size of the world"));
        }
        let size = header.world_size as usize;
        let mut worlds = self.worlds.iter();
        let known = worlds.position(|w| w.key == header.world_key && w.ranks.len() == size);
        let number = known.unwrap_or_else(|| {
            self.worlds.push(World {
                key: header.world_key,
                ranks: std::iter::repeat_with(|| None).take(size).collect(),
                confused: false,
                lost: BTreeMap::new(),
            });
            self.worlds.len() - 1
        });
        let world = &mut self.worlds[number];
        let pid = i32::try_from(header.pid).map_err(|_| ReadError::Corrupted("pid"))?;
        let pid = if here(path) { pid } else { 0 };
        let place = &mut world.ranks[header.rank as usize];
        if place.is_some() {
            world.confused = true;
            return Ok(());
        }
        let process = Process::of(pid);
        let mut fd = None;
        if pid != 0 {
            let who = (number as u64) << 32 | u64::from(header.rank);
            fd = self.deaths.watch(who, process, &path.with_extension(LIFE));
        }
        *place = Some(Rank {
            modules: path.with_extension("maps"),
            pid,
            process,
            rank: header.rank as usize,
            epoch: board.epoch()?,
            changed: Instant::now(),
            gone: false,
            end: None,
            fd,
            died: None,
            board,
        });
        Ok(())
    }
}

/// Whether a board's process has its number in the monitor's own namespace: `rank-PID-NAMESPACE.board`.
fn here(path: &Path) -> bool {
    let own = std::fs::metadata("/proc/self/ns/pid").map_or(0, |m| m.ino());
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    name.rsplit('-').next() == Some(own.to_string().as_str())
}

impl Rank {
    /// Looks at the epoch; true if it has changed since the last look.
    pub fn look(&mut self) -> bool {
        let changed = match self.board.epoch() {
            Ok(epoch) => std::mem::replace(&mut self.epoch, epoch) != epoch,
            Err(_) => true,
        };
        if changed {
            self.changed = Instant::now();
        }
        changed
    }

    /// How many threads the system knows of that the probe did not see start, if the thread level lets them call MPI.
    pub fn unseen_threads(&self, copied: &Header) -> u32 {
        if copied.thread_level < 2 || self.gone || self.pid == 0 {
            return 0;
        }
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{}/task", self.pid)) else {
            return 0;
        };
        let tasks = u32::try_from(tasks.count()).unwrap_or(u32::MAX);
        // Read again, after the count: one that has ended meanwhile must not hide another.
        let now = self.board.header().map_or(0, |h| h.seen_threads);
        tasks.saturating_sub(1 + now.min(copied.seen_threads))
    }

    /// Whether the process still runs.
    pub fn check_alive(&mut self) {
        if !self.gone && self.pid != 0 && !self.process.is_some_and(Process::alive) {
            self.gone = true;
            // 1: left with status 0. Launchers end a job of which a rank has left without MPI_Finalize.
            let well = |h: Header| h.exit == 1 && h.state == state::FINALIZED;
            if !self.board.header().is_ok_and(well) {
                self.died = Some(Instant::now());
            }
        }
        if let (true, None, Some(fd), Some(process)) = (self.gone, self.end, &self.fd, self.process)
        {
            self.end = sys::end(fd.as_fd(), process);
        }
    }
}

/// Copies the boards of a world: all epochs, all boards, all epochs again. See `docs/algorithms/picture.md`.
pub fn read(world: &mut World) -> Vec<Option<Reading>> {
    for rank in world.ranks.iter_mut().flatten() {
        // Before the copy: what a process that is gone has written is final.
        rank.check_alive();
        rank.look();
    }
    let copies: Vec<_> = world
        .ranks
        .iter()
        .map(|r| r.as_ref().map(|r| (r.epoch, r.gone, r.board.copy())))
        .collect();
    for (rank, copy) in (0u32..).zip(&copies) {
        if let Some((_, _, Err(error))) = copy {
            world.lost.entry(rank).or_insert_with(|| error.to_string());
        }
    }
    let confused = world.confused;
    world
        .ranks
        .iter_mut()
        .zip(copies)
        .map(|(rank, copy)| {
            let (rank, (before, gone, copy)) = (rank.as_mut()?, copy?);
            // A board that cannot be read any more is as good as none.
            let copy = copy.ok()?;
            rank.look();
            let moving = confused || rank.epoch != before || before % 2 == 1;
            let end = rank.end;
            let unseen_threads = rank.unseen_threads(&copy.header);
            Some(Reading {
                unseen_threads,
                copy,
                moving,
                gone,
                end,
            })
        })
        .collect()
}
