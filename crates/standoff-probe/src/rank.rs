//! This rank: its board, its private tables, and the section in which both change.

use crate::abi::Abi;
use crate::guard::{Local, thread_pointer};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use standoff_board::layout::{self as lay, Board, Thread, wait};

pub(crate) use crate::tables::State;

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
    pub multi: bool,
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

/// What a thread of the rank keeps for itself.
pub(crate) struct ThreadState {
    pub slot: usize,
    /// Operations of the call in progress: (position in the array of requests, index of the operation).
    pub waits: Vec<(u32, u32)>,
    /// What the last poll of requests asked for (see `hooks::polls`).
    pub polled: u64,
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
        let state = State::new(world_group);
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

    /// As [`Rank::quiet`], where another thread of the rank, or this one, may be in a section: then not.
    pub fn unless_busy<R>(&self, f: impl FnOnce(&mut Board) -> R) -> Option<R> {
        if self.multi && self.lock.swap(1, Ordering::Acquire) != 0 {
            return None;
        }
        // SAFETY: as in `change`.
        let r = unsafe { f(&mut *self.board) };
        if self.multi {
            self.lock.store(0, Ordering::Release);
        }
        Some(r)
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
            // Not one that the slot had before: what was polled then is not polled now.
            let before = b.threads[slot].poll_round;
            b.threads[slot] = Thread {
                used: 1,
                poll_round: next_round(before.max(slot as u64 + 1)),
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
            polled: 0,
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

/// The round of polls after this one: different from that of any other thread.
#[inline(always)]
pub(crate) fn next_round(round: u64) -> u64 {
    round.wrapping_add(lay::THREADS as u64)
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
