//! A pipe that hangs up when this process begins to end.
//!
//! Who died first decides whom a crash is blamed on, and the kernel counts a process as dead only at the very end of its
//! exit. Before that it closes its descriptors. A launcher that sees its connection to the rank close kills the others at
//! once, and one of those may be through before the rank itself. The kernel closes a dying process's files from the
//! highest descriptor downwards (their last references go in the order of a stack), so a pipe with a high descriptor
//! hangs up before the launcher's connection does. Nothing is ever written to it. If it cannot be had, nothing is lost
//! but that.

use std::ffi::CString;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Above what programs open as a rule, below what `select` takes.
const HIGH: RawFd = 200;

/// Makes the pipe at `path` and holds it for as long as the process lives.
pub(crate) fn hold(path: &Path) {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
        return;
    };
    // SAFETY: a string that ends in zero, and descriptors of our own. Open for reading as well, it waits for nobody.
    unsafe {
        if libc::mkfifo(path.as_ptr(), 0o600) != 0 {
            return;
        }
        let flags = libc::O_RDWR | libc::O_CLOEXEC | libc::O_NONBLOCK;
        let low = libc::open(path.as_ptr(), flags);
        if low >= 0 {
            libc::fcntl(low, libc::F_DUPFD_CLOEXEC, HIGH);
            libc::close(low);
        }
    }
}
