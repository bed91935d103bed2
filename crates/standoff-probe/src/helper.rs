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
    let mut last = 0;
    loop {
        // The kernel compares the word, and fails where a read here would fault: SIGBUS is blocked in this thread.
        // SAFETY: waits on a word of a live mapping; shared, since the monitor wakes it from another process.
        let rc = unsafe {
            libc::syscall(
                libc::SYS_futex,
                word.as_ptr(),
                libc::FUTEX_WAIT,
                last,
                0usize,
            )
        };
        match (rc, std::io::Error::last_os_error().raw_os_error()) {
            (-1, Some(libc::EAGAIN)) => crate::cut::unblocked(|| {
                last = word.load(Ordering::Acquire);
                match (last & 0xff, &rank.rescue) {
                    (command::RAISE, _) => {
                        if let Some(raise) = &rank.raise {
                            raise.hear(rank);
                        }
                    }
                    (command::GO, _) => {
                        if let Some(raise) = &rank.raise {
                            raise.go();
                        }
                    }
                    (command::STACKS, _) => {
                        let _ =
                            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stacks(rank)));
                    }
                    (command::RESCUE, Some(rescue)) => rescue.ask(),
                    (command::RESCUE_POLLED, Some(rescue)) => rescue.ask_polled(),
                    (command::OVER, Some(rescue)) => rescue.end(),
                    _ => {}
                }
                done.store(last, Ordering::Release);
            }),
            // Nobody can ask any more.
            (-1, Some(libc::EFAULT)) => return core::ptr::null_mut(),
            _ => {}
        }
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

/// Whether somebody still watches: holds the lock on the session's file `owner`.
pub(crate) fn watched(rank: &Rank) -> bool {
    let Some(owner) = rank.path.parent().map(|p| p.join("owner")) else {
        return false;
    };
    let Ok(file) = std::fs::File::open(owner) else {
        return false;
    };
    use std::os::fd::AsRawFd;
    // SAFETY: an open descriptor; the lock goes with it.
    unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_SH | libc::LOCK_NB) != 0 }
}
