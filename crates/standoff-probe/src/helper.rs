//! The thread that answers the monitor: it sleeps on the board's command word and costs nothing until asked.

use crate::python;
use crate::rank::Rank;
use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};
use standoff_board::layout::{THREADS, command};

/// Starts it. All signals stay with the program's own threads.
pub(crate) fn start(rank: &'static Rank) -> Result<(), String> {
    // SAFETY: plain pthread calls on locals; the thread gets a pointer that lives for ever.
    unsafe {
        let mut attr: libc::pthread_attr_t = core::mem::zeroed();
        libc::pthread_attr_init(&raw mut attr);
        libc::pthread_attr_setstacksize(&raw mut attr, 1 << 20);
        libc::pthread_attr_setdetachstate(&raw mut attr, libc::PTHREAD_CREATE_DETACHED);
        let (mut all, mut old): (libc::sigset_t, libc::sigset_t) =
            (core::mem::zeroed(), core::mem::zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut old);
        let mut thread: libc::pthread_t = 0;
        let rc = crate::threads::create_uncounted(
            &raw mut thread,
            &raw const attr,
            run,
            core::ptr::from_ref(rank) as *mut c_void,
        );
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const old, core::ptr::null_mut());
        libc::pthread_attr_destroy(&raw mut attr);
        if rc == 0 {
            Ok(())
        } else {
            Err("cannot start a thread".to_owned())
        }
    }
}

extern "C" fn run(rank: *mut c_void) -> *mut c_void {
    // SAFETY: the pointer given to `start`; it lives for ever.
    let rank = unsafe { &*rank.cast::<Rank>() };
    // SAFETY: a name shorter than 16 bytes.
    unsafe { libc::pthread_setname_np(libc::pthread_self(), c"standoff".as_ptr()) };
    // SAFETY: aligned words of the mapping, which lives for ever.
    let (word, done) = unsafe {
        (
            AtomicU32::from_ptr(&raw mut (*rank.board).header.command),
            AtomicU32::from_ptr(&raw mut (*rank.board).header.done),
        )
    };
    loop {
        let asked = word.load(Ordering::Acquire);
        if asked == done.load(Ordering::Relaxed) {
            // SAFETY: waits on a word of a live mapping; shared, since the monitor wakes it from another process.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    word.as_ptr(),
                    libc::FUTEX_WAIT,
                    asked,
                    0usize,
                )
            };
            continue;
        }
        if asked & 0xff == command::STACKS {
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stacks(rank)));
        }
        done.store(asked, Ordering::Release);
    }
}

/// Writes the Python stacks of all threads beside the board.
fn stacks(rank: &Rank) {
    if !rank.is_python {
        return;
    }
    // A thread that blocks with the interpreter lock in its hand noted its own stack, and nobody can get the lock.
    let locked = rank.quiet(|_, b| {
        b.threads
            .iter()
            .take(THREADS)
            .any(|t| t.used == 1 && t.noted == 1)
    });
    if locked {
        return;
    }
    if let Some(text) = python::all_stacks() {
        let new = rank.path.with_extension("stacks-new");
        if std::fs::write(&new, text).is_ok() {
            let _ = std::fs::rename(&new, rank.path.with_extension("stacks"));
        }
    }
}
