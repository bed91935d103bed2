//! Files that are cut off under the rank. Whoever truncates a file that is mapped makes every access beyond its new end a SIGBUS. The rank must
//! outlive that, so a handler puts private memory in place of the page that is gone, and the board says that the rank may act.
//!
//! Only faults in the probe's own mappings are taken. Everything else goes to the handler that was there before, or to the default action, as if
//! nothing stood between. A handler that the program installs later replaces this one: then a truncated board ends the rank, as any truncated file
//! does. Nothing is installed where the signal is ignored: it would not be any more after `exec`.

use crate::rank::put_text;
use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use standoff_board::layout::{Board, recording};

const PAGE: usize = 4096;

static BOARD: AtomicPtr<Board> = AtomicPtr::new(core::ptr::null_mut());
/// Start and length of the recorder's window; length 0: none.
static WINDOW: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
static RECORDING_LOST: AtomicBool = AtomicBool::new(false);
static INSTALLED: AtomicBool = AtomicBool::new(false);

struct Before(UnsafeCell<MaybeUninit<libc::sigaction>>);
// SAFETY: written once, before the handler that reads it is installed.
unsafe impl Sync for Before {}
static BEFORE: Before = Before(UnsafeCell::new(MaybeUninit::uninit()));

/// Takes faults in a board from now on, unless that cannot be done right.
pub(crate) fn guard(board: *mut Board) {
    // SAFETY: plain data, for which zeroes are a value; the calls only read and write it.
    unsafe {
        let mut before: libc::sigaction = core::mem::zeroed();
        if libc::sigaction(libc::SIGBUS, core::ptr::null(), &raw mut before) != 0
            || before.sa_sigaction == libc::SIG_IGN
        {
            return;
        }
        BOARD.store(board, Ordering::Relaxed);
        *BEFORE.0.get() = MaybeUninit::new(before);
        let mut ours = before;
        ours.sa_sigaction = on_bus as *const () as usize;
        // Delivered as the handler before asks for it: its stack, its mask.
        ours.sa_flags = before.sa_flags & !libc::SA_RESETHAND | libc::SA_SIGINFO;
        let rc = libc::sigaction(libc::SIGBUS, &raw const ours, core::ptr::null_mut());
        INSTALLED.store(rc == 0, Ordering::Release);
    }
}

/// The recorder's window is here now, or (length 0) nowhere.
pub(crate) fn window(start: *mut u8, length: usize) {
    WINDOW[1].store(0, Ordering::Relaxed);
    core::sync::atomic::compiler_fence(Ordering::SeqCst);
    WINDOW[0].store(start as usize, Ordering::Relaxed);
    core::sync::atomic::compiler_fence(Ordering::SeqCst);
    WINDOW[1].store(length, Ordering::Relaxed);
}

/// A part of the recording is gone.
pub(crate) fn recording_lost() -> bool {
    RECORDING_LOST.load(Ordering::Relaxed)
}

/// Runs something that touches the board, in a thread that blocks all signals.
pub(crate) fn unblocked(f: impl FnOnce()) {
    if !INSTALLED.load(Ordering::Acquire) {
        return f();
    }
    // SAFETY: sets of signals, on the stack.
    unsafe {
        let mut before: libc::sigset_t = core::mem::zeroed();
        mask(libc::SIG_UNBLOCK, &raw mut before);
        f();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, core::ptr::null_mut());
    }
}

/// Blocks or unblocks SIGBUS in the calling thread.
///
/// # Safety
/// `before` may be written, or is null.
unsafe fn mask(how: c_int, before: *mut libc::sigset_t) {
    // SAFETY: a set on the stack.
    unsafe {
        let mut bus: libc::sigset_t = core::mem::zeroed();
        libc::sigemptyset(&raw mut bus);
        libc::sigaddset(&raw mut bus, libc::SIGBUS);
        libc::pthread_sigmask(how, &raw const bus, before);
    }
}

/// Calls nothing but what is safe in a handler: system calls, and stores.
unsafe extern "C-unwind" fn on_bus(
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    // SAFETY: the kernel gives a valid record; errno is the thread's own.
    unsafe {
        let errno = *libc::__errno_location();
        let fault = (*info).si_code == libc::BUS_ADRERR;
        if fault && mend((*info).si_addr() as usize) {
            *libc::__errno_location() = errno;
            return;
        }
        *libc::__errno_location() = errno;
        chain(signal, info, context);
    }
}

/// Puts memory under an address of ours; false if it is none.
fn mend(address: usize) -> bool {
    let board = BOARD.load(Ordering::Relaxed);
    let within =
        |start: usize, length: usize| address.wrapping_sub(start) < length.next_multiple_of(PAGE);
    let in_board = within(board as usize, size_of::<Board>());
    let [start, length] = [0, 1].map(|i: usize| WINDOW[i].load(Ordering::Relaxed));
    if !in_board && !within(start, length) {
        return false;
    }
    // SAFETY: a page of a mapping that only this library knows, beyond the end of its file: nothing is there.
    let page = unsafe {
        libc::mmap(
            (address & !(PAGE - 1)) as *mut c_void,
            PAGE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        )
    };
    if page == libc::MAP_FAILED {
        return false;
    }
    // The first page may be gone as well: what follows then comes here once more.
    // SAFETY: no set is asked for; the mask is the thread's own again when the handler returns.
    unsafe { mask(libc::SIG_UNBLOCK, core::ptr::null_mut()) };
    // SAFETY: fields of the mapping. What the interrupted code makes of them does not matter: no board is read whose rank may act.
    let header = unsafe { &mut (*board).header };
    if in_board {
        put_text(&mut header.taint_why, "its board was cut off");
        // SAFETY: as above; after the text, for the monitor.
        unsafe { (&raw mut header.taint).write_volatile(1) };
    } else {
        RECORDING_LOST.store(true, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { (&raw mut header.recording).write_volatile(recording::LOST) };
    }
    true
}

/// What would have happened without this handler.
///
/// # Safety
/// In a handler, with its arguments.
unsafe fn chain(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    type Long = unsafe extern "C-unwind" fn(c_int, *mut libc::siginfo_t, *mut c_void);
    type Short = unsafe extern "C-unwind" fn(c_int);
    // SAFETY: set before the handler was installed; a function is of the kind that its flags say.
    unsafe {
        let before = (*BEFORE.0.get()).assume_init_ref();
        let default = before.sa_sigaction == libc::SIG_DFL;
        // A handler that serves once (Open MPI's) finds the default action in its place.
        if default || before.sa_flags & libc::SA_RESETHAND != 0 {
            let mut action: libc::sigaction = core::mem::zeroed();
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &raw const action, core::ptr::null_mut());
        }
        if default {
            // A fault comes again when this returns; what was sent is to be sent again.
            if (*info).si_code <= 0 {
                libc::raise(signal);
            }
        } else if before.sa_flags & libc::SA_SIGINFO != 0 {
            core::mem::transmute::<usize, Long>(before.sa_sigaction)(signal, info, context);
        } else {
            core::mem::transmute::<usize, Short>(before.sa_sigaction)(signal);
        }
    }
}
