//! This rank: its board, its private tables, and the section in which both change.

use crate::abi::Abi;
use crate::guard::{Local, thread_pointer};
use crate::map::Map;
use core::cell::{Cell, UnsafeCell};
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use standoff_board::layout::{self as lay, Board, Channel, Op, Thread, wait};
use std::collections::{HashMap, VecDeque};

static RANK: AtomicPtr<Rank> = AtomicPtr::new(core::ptr::null_mut());
/// Set in a forked child: it is not the rank.
static INERT: AtomicBool = AtomicBool::new(false);

/// The rank, if this process is one.
#[inline(always)]
pub(crate) fn get() -> Option<&'static Rank> {
    let p = RANK.load(Ordering::Acquire);
    // SAFETY: set once to a leaked box, or null.
    unsafe { p.as_ref() }
}

/// A session asks for watching, and this process is no rank yet.
pub(crate) fn wanted() -> bool {
    get().is_none() && !INERT.load(Ordering::Relaxed) && session().is_some()
}

/// The session directory.
pub(crate) fn session() -> Option<std::path::PathBuf> {
    std::env::var_os(lay::SESSION_VAR)
        .filter(|s| !s.is_empty())
        .map(Into::into)
}

/// Makes a rank known to the wrappers.
pub(crate) fn publish(rank: Box<Rank>) -> &'static Rank {
    let rank = Box::leak(rank);
    RANK.store(rank, Ordering::Release);
    // SAFETY: the handler only stores to two atomics.
    unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    rank
}

unsafe extern "C" fn forked() {
    INERT.store(true, Ordering::Relaxed);
    RANK.store(core::ptr::null_mut(), Ordering::Relaxed);
}

/// The rank's tables.
pub(crate) struct Rank {
    /// The mapped board; never unmapped.
    pub board: *mut Board,
    pub abi: Abi,
    /// Several threads may change the board at the same time: by calling MPI, or (at MPI_THREAD_SERIALIZED) by ending beside a call.
    multi: bool,
    lock: AtomicU32,
    state: UnsafeCell<State>,
    /// The thread that made this, by its [`thread_pointer`], and what it keeps.
    pub first_thread: usize,
    pub first_local: Local,
    /// Path of the board, for the helper's answers.
    pub path: std::path::PathBuf,
    pub is_python: bool,
    /// A wait has something to be noted before it ([`crate::hooks::note`]).
    pub noting: bool,
    /// For `--on-deadlock raise`.
    pub raise: Option<Box<crate::raise::Raise>>,
    /// For `--rescue`, and for the sends of `--on-deadlock raise`.
    pub rescue: Option<Box<crate::rescue::Rescue>>,
    /// `omp_in_parallel`, where the program has it and several threads may communicate.
    pub in_parallel: Option<unsafe extern "C" fn() -> i32>,
}

// SAFETY: `state` and the board's tables are only touched in `change`, by one thread at a time, `first_local` only by the thread
// whose it is; the rest is immutable.
unsafe impl Sync for Rank {}
// SAFETY: as above.
unsafe impl Send for Rank {}

/// What only the rank itself needs to know. The maps lead from handles and keys to indices on the board.
pub(crate) struct State {
    pub comms: Map,
    pub sent: Map,
    pub received: Map,
    pub ops: Map,
    /// What was last looked up in `comms`, `sent` and `received`: most messages go the way of the one before.
    pub recent: Recent,
    /// Freed communicators, oldest first: given up for new ones when room is short.
    pub ghosts: VecDeque<u32>,
    pub free_sent: Vec<u32>,
    pub free_received: Vec<u32>,
    pub free_ops: Vec<u32>,
    /// Handles of pending operations by index (0: none).
    pub handles: Box<[usize]>,
    /// Where `MPI_Comm_idup` will have put its communicator, by index of the operation.
    pub later: HashMap<u32, (usize, u64, u64)>,
    pub order: u64,
    /// How many communicators were made under each key (see `hooks::comm`).
    pub keys: HashMap<u64, u64>,
    pub arena: crate::hooks::groups::Arena,
    /// `MPI_Comm_group` of the world, kept for translation.
    pub world_group: usize,
    pub self_attrs: u32,
    /// What datatypes are.
    pub types: crate::record::Types,
    /// For `standoff check`.
    pub recorder: Option<Box<crate::record::Recorder>>,
}

/// The last answers of the maps: key and index. Forgotten ([`State::changed`]) whenever an entry of the three maps goes or is replaced.
pub(crate) struct Recent {
    comm: Cell<(u64, u32)>,
    sent: (u64, u32),
    received: (u64, u32),
}

impl Recent {
    /// Of no handle and no channel.
    const NONE: (u64, u32) = (u64::MAX, 0);

    const fn new() -> Recent {
        Recent {
            comm: Cell::new(Recent::NONE),
            sent: Recent::NONE,
            received: Recent::NONE,
        }
    }
}

/// What a thread of the rank keeps for itself.
pub(crate) struct ThreadState {
    pub slot: usize,
    /// Operations of the call in progress: (position in the array of requests, index of the operation).
    pub waits: Vec<(u32, u32)>,
    /// Statuses for calls that ignore them but must be told sources and tags.
    pub statuses: Vec<u64>,
    /// For a record of the call in progress.
    pub told: crate::record::Scratch,
    /// Lines of Python that were looked up.
    pub lines: Box<crate::python::frames::Cache>,
}

impl Rank {
    /// Puts the parts together.
    pub fn new(
        board: *mut Board,
        abi: Abi,
        multi: bool,
        path: std::path::PathBuf,
        is_python: bool,
        world_group: usize,
        size: i32,
    ) -> Rank {
        let state = State {
            comms: Map::new(4 * lay::COMMS),
            sent: Map::new(4 * lay::CHANNELS),
            received: Map::new(4 * lay::CHANNELS),
            ops: Map::new(4 * lay::OPS),
            recent: Recent::new(),
            ghosts: VecDeque::with_capacity(lay::COMMS),
            free_sent: Vec::with_capacity(lay::CHANNELS),
            free_received: Vec::with_capacity(lay::CHANNELS),
            free_ops: Vec::with_capacity(lay::OPS),
            handles: vec![0; lay::OPS].into_boxed_slice(),
            later: HashMap::new(),
            order: 0,
            keys: HashMap::new(),
            arena: crate::hooks::groups::Arena::default(),
            world_group,
            self_attrs: 0,
            types: crate::record::Types::new(),
            recorder: None,
        };
        let in_parallel = multi.then(crate::threads::in_parallel).flatten();
        Rank {
            board,
            abi,
            multi,
            lock: AtomicU32::new(0),
            state: UnsafeCell::new(state),
            first_thread: thread_pointer(),
            first_local: Local::new(),
            path,
            is_python,
            noting: is_python || in_parallel.is_some(),
            raise: crate::raise::Raise::wanted(size),
            rescue: crate::rescue::Rescue::wanted(),
            in_parallel,
        }
    }

    /// The one section in which the board and the tables change. The epoch is odd inside it.
    #[inline(always)]
    pub fn change<R>(&self, f: impl FnOnce(&mut State, &mut Board) -> R) -> R {
        let mut section = self.section();
        let (state, board) = section.parts();
        f(state, board)
    }

    /// [`Rank::change`] without a closure, which the compiler may not inline: for the path of a message. Lasts until dropped.
    #[inline(always)]
    pub fn section(&self) -> Section<'_> {
        if self.multi {
            self.take_lock();
        }
        // SAFETY: an aligned u64 in the mapping, which the monitor reads atomically.
        let epoch = unsafe { AtomicU64::from_ptr(&raw mut (*self.board).header.epoch) };
        let e = epoch.load(Ordering::Relaxed);
        epoch.store(e.wrapping_add(1), Ordering::Relaxed);
        core::sync::atomic::fence(Ordering::Release);
        Section {
            rank: self,
            even: e.wrapping_add(2),
        }
    }

    /// A change that does not count as movement (fruitless polls): same exclusion, same epoch after it.
    #[inline(always)]
    pub fn quiet<R>(&self, f: impl FnOnce(&mut State, &mut Board) -> R) -> R {
        if self.multi {
            self.take_lock();
        }
        // SAFETY: as in `change`.
        let r = unsafe { f(&mut *self.state.get(), &mut *self.board) };
        if self.multi {
            self.lock.store(0, Ordering::Release);
        }
        r
    }

    #[inline(always)]
    fn take_lock(&self) {
        while self
            .lock
            .compare_exchange_weak(0, 1, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            self.wait_for_lock();
        }
    }

    /// The holder may have lost its core: yield after some spinning.
    #[cold]
    fn wait_for_lock(&self) {
        for _ in 0..100 {
            if self.lock.load(Ordering::Relaxed) == 0 {
                return;
            }
            core::hint::spin_loop();
        }
        // SAFETY: no arguments, no memory.
        unsafe { libc::sched_yield() };
    }

    /// Calls are recorded.
    #[inline(always)]
    pub fn records(&self) -> bool {
        // SAFETY: a word of the mapping that only the rank itself writes.
        unsafe { (*self.board).header.recording == lay::recording::ON }
    }

    /// From now on this rank may act, whatever its board says.
    #[cold]
    pub fn taint(&self, why: &str) {
        self.change(|_, b| taint(b, why));
    }

    /// Gives the calling thread a slot.
    #[cold]
    #[inline(never)]
    pub fn join_thread(&self, local: &Local) -> Option<&'static mut ThreadState> {
        let slot = self.change(|_, b| {
            let used = b.header.threads_used as usize;
            let slot = match b.threads.iter().take(used).position(|t| t.used != 1) {
                Some(i) => i,
                None if used < lay::THREADS => {
                    b.header.threads_used += 1;
                    used
                }
                None => {
                    taint(b, "more threads in MPI than standoff follows");
                    return None;
                }
            };
            b.threads[slot] = Thread {
                used: 1,
                // SAFETY: no arguments, no memory.
                tid: unsafe { libc::gettid() } as u32,
                // SAFETY: as above.
                pthread: unsafe { libc::pthread_self() },
                wait: wait::OUTSIDE,
                ..bytes_zero()
            };
            crate::threads::joined(b);
            if slot != 0 && !self.multi {
                taint(b, "MPI in threads that the thread level does not allow");
            }
            Some(slot)
        })?;
        let state = Box::new(ThreadState {
            slot,
            waits: Vec::with_capacity(64),
            statuses: Vec::new(),
            told: crate::record::Scratch::default(),
            lines: crate::python::frames::Cache::new(),
        });
        let state = Box::into_raw(state);
        local.thread.set(state);
        crate::threads::on_exit(slot);
        // SAFETY: just leaked; the thread's own.
        Some(unsafe { &mut *state })
    }
}

/// A change in progress.
pub(crate) struct Section<'a> {
    rank: &'a Rank,
    /// The epoch after it.
    even: u64,
}

impl Section<'_> {
    /// What may change.
    #[inline(always)]
    pub fn parts(&mut self) -> (&mut State, &mut Board) {
        // SAFETY: exclusive: one thread (below THREAD_MULTIPLE calls never overlap), or the lock's holder. The reader in the
        // other process takes what it reads as untrusted bytes and checks the epoch.
        unsafe { (&mut *self.rank.state.get(), &mut *self.rank.board) }
    }
}

impl Drop for Section<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: as in `section`.
        let epoch = unsafe { AtomicU64::from_ptr(&raw mut (*self.rank.board).header.epoch) };
        epoch.store(self.even, Ordering::Release);
        if self.rank.multi {
            self.rank.lock.store(0, Ordering::Release);
        }
    }
}

fn bytes_zero() -> Thread {
    // SAFETY: `Thread` is plain data (Pod), for which zeroes are a value.
    unsafe { core::mem::zeroed() }
}

/// As [`Rank::taint`], inside a change.
#[cold]
pub(crate) fn taint(b: &mut Board, why: &str) {
    if b.header.taint == 0 {
        put_text(&mut b.header.taint_why, why);
        b.header.taint = 1;
    }
}

/// Copies text into a NUL-terminated field, cut to fit.
pub(crate) fn put_text(field: &mut [u8], text: &str) {
    let room = field.len().saturating_sub(1);
    let (n, cut) = if text.len() <= room {
        (text.len(), "")
    } else {
        let room = room.saturating_sub("…".len());
        let end = (0..=room).rev().find(|&n| text.is_char_boundary(n));
        (end.unwrap_or(0), "…")
    };
    let bytes = text.as_bytes()[..n]
        .iter()
        .chain(cut.as_bytes())
        .chain(&[0]);
    for (d, s) in field.iter_mut().zip(bytes) {
        *d = *s;
    }
}

impl State {
    /// Index of a communicator by its handle.
    #[inline(always)]
    pub fn comm(&self, handle: usize) -> Option<u32> {
        let key = handle as u64;
        let (recent, i) = self.recent.comm.get();
        if recent == key {
            return Some(i);
        }
        let i = self.comms.get(key)?;
        self.recent.comm.set((key, i));
        Some(i)
    }

    /// A communicator or channel goes, or another takes its handle.
    pub fn changed(&mut self) {
        self.recent = Recent::new();
    }

    /// A free entry for an operation, filled in; `None` (and a taint) when the table is full.
    #[inline(always)]
    pub fn add_op(&mut self, b: &mut Board, handle: usize, mut op: Op) -> Option<u32> {
        self.order += 1;
        op.order = self.order;
        if let Some(i) = self.ops.get(handle as u64) {
            // The library gave out a handle again that we still hold: finished sends may share one (MPICH), and another
            // thread may be about to tell us that the old one is done.
            let old = b.ops.get_mut(i as usize)?;
            op.shared = old.shared + 1;
            if op.kind != lay::op::RECV && old.kind != lay::op::RECV {
                *old = op;
                return Some(i);
            }
            // A receive's handle is never shared: the old entry waits for its own completion under no handle.
        }
        op.shared = 1;
        let i = match self.free_ops.pop() {
            Some(i) => i,
            None if (b.header.ops_used as usize) < lay::OPS => {
                b.header.ops_used += 1;
                b.header.ops_used - 1
            }
            None => {
                taint(b, "more pending requests than standoff follows");
                return None;
            }
        };
        *b.ops.get_mut(i as usize)? = op;
        if let Some(h) = self.handles.get_mut(i as usize) {
            *h = handle;
        }
        if !self.ops.set(handle as u64, i) {
            taint(b, "more pending requests than standoff follows");
        }
        Some(i)
    }

    /// Forgets an operation (or one of the requests that share it).
    #[inline(always)]
    pub fn drop_op(&mut self, b: &mut Board, i: u32) {
        // Free already: a library may give a send to MPI_PROC_NULL, which has no entry, the handle of a completed one.
        let Some(op) = b
            .ops
            .get_mut(i as usize)
            .filter(|op| op.kind != lay::op::FREE)
        else {
            return;
        };
        if op.shared > 1 {
            op.shared -= 1;
            op.waiter = 0;
            return;
        }
        op.kind = lay::op::FREE;
        op.waiter = 0;
        let handle = self.handles.get(i as usize).copied().unwrap_or(0);
        if self.ops.get(handle as u64) == Some(i) {
            self.ops.remove(handle as u64);
        }
        // Within the capacity reserved at the start: OPS entries.
        self.free_ops.push(i);
    }

    /// Counts a message on a channel: one that was sent to, or received from, `peer`. Gives the channel's total.
    #[inline(always)]
    pub fn count(&mut self, b: &mut Board, received: bool, comm: u32, peer: i32, tag: i32) -> u64 {
        let key = (u64::from(comm) + 1) << 32 | u64::from(peer as u32);
        let recent = if received {
            self.recent.received
        } else {
            self.recent.sent
        };
        let i = if recent.0 == key {
            recent.1
        } else {
            match self.find_channel(b, received, key) {
                Some(i) => i,
                None => return 0,
            }
        };
        let table = if received {
            &mut b.received
        } else {
            &mut b.sent
        };
        let Some(c) = table.get_mut(i as usize) else {
            return 0;
        };
        c.add(tag);
        c.total
    }

    /// The channel that was counted on last, if a send was counted at all.
    #[inline(always)]
    pub fn recent_sent(&self) -> u32 {
        self.recent.sent.1
    }

    #[inline(never)]
    fn find_channel(&mut self, b: &mut Board, received: bool, key: u64) -> Option<u32> {
        let map = if received { &self.received } else { &self.sent };
        let i = match map.get(key) {
            Some(i) => i,
            None => self.open_channel(b, received, key)?,
        };
        let recent = if received {
            &mut self.recent.received
        } else {
            &mut self.recent.sent
        };
        *recent = (key, i);
        Some(i)
    }

    /// What is in flight on a channel cannot be told any more (a cancelled send, a freed receive).
    pub fn mark_unknown(&mut self, b: &mut Board, received: bool, comm: u32, peer: i32) {
        let key = (u64::from(comm) + 1) << 32 | u64::from(peer as u32);
        let i = if received {
            self.received.get(key)
        } else {
            self.sent.get(key)
        };
        if let Some(i) = i.or_else(|| self.open_channel(b, received, key)) {
            let table = if received {
                &mut b.received
            } else {
                &mut b.sent
            };
            if let Some(c) = table.get_mut(i as usize) {
                c.unknown = 1;
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn open_channel(&mut self, b: &mut Board, received: bool, key: u64) -> Option<u32> {
        let full = |s: &State, b: &Board| {
            let (free, used) = if received {
                (&s.free_received, b.header.received_used)
            } else {
                (&s.free_sent, b.header.sent_used)
            };
            free.is_empty() && used as usize >= lay::CHANNELS
        };
        while full(self, b) && crate::hooks::comm::give_up(self, b).is_some() {}
        let (map, free, used, table) = if received {
            (
                &mut self.received,
                &mut self.free_received,
                &mut b.header.received_used,
                &mut b.received,
            )
        } else {
            (
                &mut self.sent,
                &mut self.free_sent,
                &mut b.header.sent_used,
                &mut b.sent,
            )
        };
        let i = match free.pop() {
            Some(i) => i,
            None if (*used as usize) < lay::CHANNELS => {
                *used += 1;
                *used - 1
            }
            None => {
                taint(b, "more channels than standoff follows");
                return None;
            }
        };
        let c: &mut Channel = table.get_mut(i as usize)?;
        c.comm = (key >> 32) as u32;
        c.peer = key as u32;
        c.unknown = 0;
        c.tag = 0;
        c.total = 0;
        c.digested = 0;
        c.digest = standoff_board::digest::Digest::default();
        map.set(key, i).then_some(i)
    }

    /// Frees the channels of a communicator that goes away.
    pub fn close_channels(&mut self, b: &mut Board, comm: u32) {
        self.changed();
        for received in [false, true] {
            let (map, free, used, table) = if received {
                (
                    &mut self.received,
                    &mut self.free_received,
                    b.header.received_used,
                    &mut b.received,
                )
            } else {
                (
                    &mut self.sent,
                    &mut self.free_sent,
                    b.header.sent_used,
                    &mut b.sent,
                )
            };
            for (i, c) in table.iter_mut().enumerate().take(used as usize) {
                if c.comm == comm + 1 {
                    map.remove(u64::from(c.comm) << 32 | u64::from(c.peer));
                    c.comm = 0;
                    free.push(i as u32);
                }
            }
        }
    }
}
