//! Threads that user code starts. At MPI_THREAD_SERIALIZED and above any of them may come to call MPI, so as long as one lives
//! that the model does not follow, its rank may act.
//!
//! Threads that the C library starts for itself (timers, asynchronous input), or that were started behind the wrapper, are not seen. So the number of those that
//! were is on the board: if the system knows more threads, the rank may act, too.
//!
//! `pthread_create` is wrapped to see them. Threads of known runtimes (BLAS, OpenMP pools, the MPI library and its transports)
//! are told by the object that their start routine is in; those do not communicate by themselves.

use crate::rank::{self, Rank};
use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use standoff_board::layout::Board;

/// Live threads of user code that have no slot (in this process, before and after it becomes a rank).
static OTHERS: AtomicU32 = AtomicU32::new(0);
/// Live threads that came through [`pthread_create`] here, of user code, of runtimes and our own.
static SEEN: AtomicU32 = AtomicU32::new(0);
static NEXT: AtomicUsize = AtomicUsize::new(0);
static KEY: AtomicU32 = AtomicU32::new(u32::MAX);

thread_local! {
    /// This thread is counted in OTHERS.
    static COUNTED: Cell<bool> = const { Cell::new(false) };
    /// This thread is counted in SEEN.
    static STARTED: Cell<bool> = const { Cell::new(false) };
}

type Start = extern "C" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(
    *mut libc::pthread_t,
    *const libc::pthread_attr_t,
    Start,
    *mut c_void,
) -> c_int;

/// Objects whose threads do not communicate by themselves: beginnings of file names.
const RUNTIMES: &[&str] = &[
    "libmpi.so",
    "libmpi_abi",
    "libmpich",
    "mca_",
    "libopen-pal",
    "libopen-rte",
    "libpmix",
    "libprrte",
    "libpmi",
    "libucp",
    "libucs",
    "libuct",
    "libucm",
    "libfabric",
    "libpsm",
    "libibverbs",
    "libevent",
    "libhwloc",
    "libgomp",
    "libiomp",
    "libomp",
    "libopenblas",
    "libscipy_openblas",
    "libmkl",
    "libblis",
    "libtbb",
    "libcuda",
    "libcudart",
    "libnvidia",
    "libamdhip",
];

fn runtime(address: usize) -> bool {
    let path = crate::symbols::object_name(address).to_bytes();
    let file = path.rsplit(|b| *b == b'/').next().unwrap_or(path);
    RUNTIMES.iter().any(|r| file.starts_with(r.as_bytes()))
}

fn next() -> Option<Create> {
    let mut f = NEXT.load(Ordering::Relaxed);
    if f == 0 {
        // SAFETY: a NUL-terminated name.
        f = unsafe { libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr()) } as usize;
        NEXT.store(f, Ordering::Relaxed);
    }
    // SAFETY: pthread_create's address.
    (f != 0).then(|| unsafe { core::mem::transmute::<usize, Create>(f) })
}

/// `omp_in_parallel`, if an OpenMP runtime is linked.
pub(crate) fn in_parallel() -> Option<unsafe extern "C" fn() -> c_int> {
    // SAFETY: a NUL-terminated name; the function's signature is the one OpenMP gives it.
    unsafe {
        let f = libc::dlsym(libc::RTLD_DEFAULT, c"omp_in_parallel".as_ptr());
        (!f.is_null())
            .then(|| core::mem::transmute::<*mut c_void, unsafe extern "C" fn() -> c_int>(f))
    }
}

/// Whether the process belongs to a session. Asked once: the program may be changing its environment while it starts threads.
fn watched() -> bool {
    const NO: u32 = 1;
    const YES: u32 = 2;
    static ANSWER: AtomicU32 = AtomicU32::new(0);
    match ANSWER.load(Ordering::Relaxed) {
        0 => {
            let yes = rank::session().is_some();
            ANSWER.store(if yes { YES } else { NO }, Ordering::Relaxed);
            yes
        }
        answer => answer == YES,
    }
}

struct Started {
    routine: Start,
    argument: *mut c_void,
    /// The user's code started it, as far as can be told.
    own: bool,
}

/// The wrapped `pthread_create`.
///
/// # Safety
/// As pthread_create.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attr: *const libc::pthread_attr_t,
    routine: Start,
    argument: *mut c_void,
) -> c_int {
    let Some(create) = next() else {
        return libc::EAGAIN;
    };
    if !watched() {
        // SAFETY: the caller's own arguments.
        return unsafe { create(thread, attr, routine, argument) };
    }
    let own = !runtime(routine as usize);
    let started = Box::into_raw(Box::new(Started {
        routine,
        argument,
        own,
    }));
    change(i32::from(own), 1);
    // SAFETY: `trampoline` takes the box back.
    let rc = unsafe { create(thread, attr, trampoline, started.cast()) };
    if rc != 0 {
        change(-i32::from(own), -1);
        // SAFETY: no thread has taken it.
        drop(unsafe { Box::from_raw(started) });
    }
    rc
}

type CStart = extern "C" fn(*mut c_void) -> c_int;

/// The wrapped `thrd_create` of C11, which does not go through `pthread_create`'s symbol.
///
/// # Safety
/// As thrd_create.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn thrd_create(
    thread: *mut libc::pthread_t,
    routine: CStart,
    argument: *mut c_void,
) -> c_int {
    /// thrd_success, thrd_error and thrd_nomem of threads.h.
    const RESULTS: [c_int; 3] = [0, 2, 3];
    // A C11 thread is a POSIX thread (its type too) whose routine returns an int, which is kept as thrd_join finds it.
    let started = Box::into_raw(Box::new((routine, argument)));
    // SAFETY: `c_trampoline` takes the box back.
    match unsafe { pthread_create(thread, core::ptr::null(), c_trampoline, started.cast()) } {
        0 => RESULTS[0],
        rc => {
            // SAFETY: no thread has taken it.
            drop(unsafe { Box::from_raw(started) });
            RESULTS[if rc == libc::ENOMEM { 2 } else { 1 }]
        }
    }
}

extern "C" fn c_trampoline(started: *mut c_void) -> *mut c_void {
    // SAFETY: the box made in thrd_create.
    let (routine, argument) = *unsafe { Box::from_raw(started.cast::<(CStart, *mut c_void)>()) };
    routine(argument) as isize as *mut c_void
}

/// Starts a thread of the probe's own.
///
/// # Safety
/// As pthread_create.
pub(crate) unsafe fn create_uncounted(
    thread: *mut libc::pthread_t,
    attr: *const libc::pthread_attr_t,
    routine: Start,
    argument: *mut c_void,
) -> c_int {
    // It lives as long as the process.
    change(0, 1);
    let Some(create) = next() else {
        return libc::EAGAIN;
    };
    // SAFETY: by the caller's promise.
    unsafe { create(thread, attr, routine, argument) }
}

extern "C" fn trampoline(started: *mut c_void) -> *mut c_void {
    // SAFETY: the box made in pthread_create.
    let started = *unsafe { Box::from_raw(started.cast::<Started>()) };
    let Started {
        routine,
        argument,
        own,
    } = started;
    COUNTED.with(|c| c.set(own));
    STARTED.with(|s| s.set(true));
    arm(1);
    // A routine that ends by pthread_exit or cancellation never returns here; the key's destructor sees all ends.
    routine(argument)
}

/// Makes the destructor run when this thread ends. The value tells what to do: 1 nothing but the count, n + 2: slot n.
fn arm(value: usize) {
    let mut key = KEY.load(Ordering::Acquire);
    if key == u32::MAX {
        let mut new: libc::pthread_key_t = 0;
        // SAFETY: a destructor that lives as long as this library, which is never unloaded.
        if unsafe { libc::pthread_key_create(&raw mut new, Some(ended)) } != 0 {
            return;
        }
        match KEY.compare_exchange(u32::MAX, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => key = new,
            Err(other) => {
                // SAFETY: made above, used by nobody.
                unsafe { libc::pthread_key_delete(new) };
                key = other;
            }
        }
    }
    // SAFETY: a live key; the value is not a pointer anybody follows.
    unsafe { libc::pthread_setspecific(key, value as *const c_void) };
}

unsafe extern "C" fn ended(value: *mut c_void) {
    let slot = (value as usize).checked_sub(2);
    if let (Some(slot), Some(rank)) = (slot, rank::get()) {
        leave(rank, slot);
        // Should a later destructor call MPI, the thread gets a slot anew.
        crate::guard::forget_thread(rank);
    }
    let own = COUNTED.with(|c| c.replace(false));
    if STARTED.with(|s| s.replace(false)) {
        change(-i32::from(own), -1);
    }
}

fn leave(rank: &Rank, slot: usize) {
    rank.change(|_, b| {
        if let Some(t) = b.threads.get_mut(slot) {
            t.used = 2;
            t.wait = standoff_board::layout::wait::OUTSIDE;
        }
    });
}

/// The calling thread got a slot: it is followed from now on (inside a change).
pub(crate) fn joined(b: &mut Board) {
    if COUNTED.with(|c| c.replace(false)) {
        b.header.other_threads = OTHERS.fetch_sub(1, Ordering::AcqRel).wrapping_sub(1);
    }
}

/// The calling thread's slot is to be given up when it ends. (The main thread never ends before the process.)
pub(crate) fn on_exit(slot: usize) {
    // SAFETY: no arguments, no memory.
    if unsafe { libc::gettid() != libc::getpid() } {
        arm(slot + 2);
    }
}

/// So many more, of [`OTHERS`] and of [`SEEN`].
fn change(others: i32, seen: i32) {
    let add = |to: &AtomicU32, n: i32| {
        to.fetch_add(n as u32, Ordering::AcqRel)
            .wrapping_add(n as u32)
    };
    let (others, seen) = (add(&OTHERS, others), add(&SEEN, seen));
    if let Some(rank) = rank::get() {
        // SAFETY: aligned words of the mapping; the monitor reads them first and takes them as "at least one may act".
        unsafe {
            AtomicU32::from_ptr(&raw mut (*rank.board).header.other_threads)
                .store(others, Ordering::Release);
            AtomicU32::from_ptr(&raw mut (*rank.board).header.seen_threads)
                .store(seen, Ordering::Release);
        }
    }
}

/// Puts the count so far on a new board; a main thread that is not the one that initializes MPI counts too.
pub(crate) fn attach(b: &mut Board, pid: u32) {
    // SAFETY: no arguments, no memory.
    if unsafe { libc::gettid() } as u32 != pid {
        OTHERS.fetch_add(1, Ordering::AcqRel);
    }
    b.header.other_threads = OTHERS.load(Ordering::Acquire);
    b.header.seen_threads = SEEN.load(Ordering::Acquire);
}
