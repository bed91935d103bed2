//! Which calls are the program's own.
//!
//! MPI libraries call their own `MPI_*` (ROMIO, one-sided operations), tools call `PMPI_*`, Fortran wrappers call either: a depth
//! counter per thread lets only the outermost call through to the hooks.

use crate::rank::{self, Rank, ThreadState};
use core::cell::Cell;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, Ordering};

/// The program has given the library functions of its own, which may call MPI from inside a call (error handlers, callbacks
/// of attributes).
pub(crate) static CALLBACKS: AtomicBool = AtomicBool::new(false);

/// What a thread keeps.
pub(crate) struct Local {
    pub depth: Cell<u32>,
    pub thread: Cell<*mut ThreadState>,
}

impl Local {
    pub const fn new() -> Local {
        Local {
            depth: Cell::new(0),
            thread: Cell::new(null_mut()),
        }
    }
}

thread_local! {
    static LOCAL: Local = const { Local::new() };
}

/// The address of the calling thread's control block: its identity while it lives.
#[inline(always)]
pub(crate) fn thread_pointer() -> usize {
    let pointer: usize;
    // SAFETY: on x86-64 the word at fs:0 is the address of the block itself (ELF Handling For Thread-Local Storage, 3.4.6).
    unsafe {
        core::arch::asm!("mov {}, fs:[0]", out(reg) pointer, options(pure, readonly, nostack, preserves_flags));
    }
    pointer
}

/// What the calling thread keeps. The thread that initialized MPI has it in the rank: a preloaded library reaches its
/// thread-local variables by a call only.
#[inline(always)]
fn local(rank: &'static Rank) -> *const Local {
    if thread_pointer() == rank.first_thread {
        &raw const rank.first_local
    } else {
        other_local()
    }
}

/// Out of line, or the compiler calls for the variable before it asks whether it is needed.
#[cold]
#[inline(never)]
fn other_local() -> *const Local {
    LOCAL.with(core::ptr::from_ref)
}

/// An outermost call in progress in a rank. Dropping it ends the call.
pub(crate) struct Call {
    local: *const Local,
    pub rank: &'static Rank,
    pub function: u32,
    /// See [`crate::place::caller`].
    pub caller: usize,
}

impl Call {
    /// This thread's private state and slot; `None` when there is none left.
    #[inline(always)]
    pub fn thread(&self) -> Option<&'static mut ThreadState> {
        // SAFETY: `local` is this thread's own, alive while it runs; the state is used by this thread only, by one
        // call at a time (the depth guard).
        unsafe {
            let t = (*self.local).thread.get();
            if !t.is_null() {
                return Some(&mut *t);
            }
            self.rank.join_thread(&*self.local)
        }
    }

    /// Lets calls that are made inside this one be the program's own too (callbacks in `MPI_Finalize`).
    pub fn open(&self) {
        // SAFETY: as above.
        unsafe { (*self.local).depth.set(0) };
    }
}

impl Drop for Call {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { (*self.local).depth.set(0) };
    }
}

/// Begins a call; `None` if it is not the program's own or this process is no rank.
///
/// `sends`: the procedure can send, so that a call of it which nobody sees makes the rank one that may act.
#[inline(always)]
pub(crate) fn enter(function: u32, sends: bool, caller: usize) -> Option<Call> {
    let rank = rank::get()?;
    let local = local(rank);
    // SAFETY: this thread's own, alive for the rest of the thread (const-initialized, no destructor).
    let depth = unsafe { &(*local).depth };
    if depth.get() != 0 {
        if sends && CALLBACKS.load(Ordering::Relaxed) {
            rank.taint("a message from inside a callback or error handler");
        }
        return None;
    }
    depth.set(1);
    Some(Call {
        local,
        rank,
        function,
        caller,
    })
}

/// This rank, if the calling thread is in no call of MPI that the hooks see.
pub(crate) fn outermost() -> Option<&'static Rank> {
    let rank = rank::get()?;
    // SAFETY: as in `enter`.
    unsafe { (*local(rank)).depth.get() == 0 }.then_some(rank)
}

/// Stands in every wrapper while its call is in progress and is forgotten when it returns: dropped only if an exception of the
/// program's (thrown by an error handler) leaves the call. What was published of the call is not true any more then.
pub(crate) struct Returns(pub &'static Rank);

impl Drop for Returns {
    #[cold]
    fn drop(&mut self) {
        self.0.taint("an exception left an MPI call");
    }
}

/// Begins a call of `MPI_Init`: an outermost one in a process that is no rank yet.
pub(crate) struct InitCall {
    local: *const Local,
}

/// As [`enter`], for `MPI_Init` and `MPI_Init_thread`.
pub(crate) fn enter_init() -> Option<InitCall> {
    let local = LOCAL.with(core::ptr::from_ref);
    // SAFETY: as in `enter`.
    let depth = unsafe { &(*local).depth };
    if depth.get() != 0 || !rank::wanted() {
        return None;
    }
    depth.set(1);
    Some(InitCall { local })
}

impl Drop for InitCall {
    fn drop(&mut self) {
        // SAFETY: as in `enter`.
        unsafe { (*self.local).depth.set(0) };
    }
}

/// Gives back what the calling thread, which is ending, has kept.
pub(crate) fn forget_thread(rank: &'static Rank) {
    // SAFETY: this thread's own.
    let state = unsafe { (*local(rank)).thread.replace(null_mut()) };
    if !state.is_null() {
        // SAFETY: made by `Rank::join_thread` for this thread alone, which is in no call now.
        drop(unsafe { Box::from_raw(state) });
    }
}

/// A call for the thread that has just made this process a rank (its `MPI_Init` is still in progress).
pub(crate) fn first_call(rank: &'static Rank) -> Call {
    let local = local(rank);
    // SAFETY: as in `enter`.
    unsafe { (*local).depth.set(1) };
    Call {
        local,
        rank,
        function: 0,
        caller: 0,
    }
}
