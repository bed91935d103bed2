//! Whether somebody asked to end (Ctrl-C, `SIGTERM`, a hangup) a command that runs several jobs one after another. While a job runs it
//! is told, too ([`crate::job`]).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

use crate::error::Error;
use crate::proc;

/// The signal that asked last; 0 is none.
static ASKED: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// From now on such a signal ends nothing by itself, and [`asked`] tells of it. One that is ignored (by `nohup`, say) stays so.
pub fn listen() -> Result<(), Error> {
    static LISTENS: OnceLock<()> = OnceLock::new();
    if LISTENS.get().is_some() {
        return Ok(());
    }
    let ignored = proc::ignored_signals();
    for signal in [SIGINT, SIGQUIT, SIGTERM, SIGHUP] {
        if ignored >> (signal - 1) & 1 == 1 {
            continue;
        }
        let told = flag::register_usize(signal, Arc::clone(&ASKED), signal as usize);
        told.map_err(|source| Error::System {
            what: "catch signals",
            source,
        })?;
    }
    // One thread alone comes here.
    let _ = LISTENS.set(());
    Ok(())
}

/// The signal that asked, if any did.
pub fn asked() -> Option<i32> {
    match ASKED.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal as i32),
    }
}

/// A job was interrupted, perhaps by a signal to one of its ranks: what would follow it is not begun.
pub fn remember() {
    let _ = ASKED.compare_exchange(0, SIGINT as usize, Ordering::Relaxed, Ordering::Relaxed);
}
