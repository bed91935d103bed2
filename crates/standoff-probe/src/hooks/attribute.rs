//! Functions of the program's that the library will call: callbacks of attributes, error handlers.

use super::SUCCESS;
use crate::P;
use crate::guard::Call;
use core::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// Keyvals whose delete callbacks certainly do not communicate; 0: free entry (keyvals are kept as value + 1).
static QUIET_KEYVALS: [AtomicI64; 16] = [const { AtomicI64::new(0) }; 16];

/// `MPI_Comm_create_keyval` and its predecessor. Callbacks of the library, and of mpi4py for its own use (that has no
/// extra state; the keyvals that it makes for user code do), only free memory.
pub(crate) fn create_keyval(
    call: Call,
    delete: P,
    keyval: P,
    extra: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rc = real();
    drop(call);
    let object = crate::symbols::object_name(delete as usize).to_bytes();
    let within = |name: &[u8]| object.windows(name.len()).any(|w| w == name);
    let quiet = delete.is_null() || within(b"/libmpi") || (within(b"/mpi4py/") && extra.is_null());
    if quiet && rc == SUCCESS {
        // SAFETY: a successful call has stored an int there.
        let keyval = i64::from(unsafe { keyval.cast::<i32>().read_unaligned() });
        let free = QUIET_KEYVALS.iter().find(|k| k.load(Relaxed) == 0);
        if let Some(place) = free {
            place.store(keyval + 1, Relaxed);
        }
    }
    if !quiet {
        crate::guard::CALLBACKS.store(true, Relaxed);
    }
    rc
}

/// `MPI_Comm_set_attr`: attributes of `MPI_COMM_SELF` may have callbacks that run inside `MPI_Finalize`, and those may communicate.
pub(crate) fn set_attr(call: Call, comm: usize, keyval: i32, real: impl FnOnce() -> i32) -> i32 {
    let rank = call.rank;
    let quiet = |k: &AtomicI64| k.load(Relaxed) == i64::from(keyval) + 1;
    if rank.abi.handle(comm) == rank.abi.comm_self && !QUIET_KEYVALS.iter().any(quiet) {
        rank.quiet(|s, _| s.self_attrs += 1);
    }
    real()
}

/// `MPI_Comm_create_errhandler` and its predecessor: a function of the program's that the library will call.
pub(crate) fn callback(_call: Call, real: impl FnOnce() -> i32) -> i32 {
    crate::guard::CALLBACKS.store(true, Relaxed);
    real()
}
