//! A terminal, to run a program on.

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// Starts a command on a terminal of its own. What is written to the file is typed there; what is read from it is what it shows.
pub fn start_on_terminal(mut command: Command) -> (Child, File) {
    let (mut ours, mut theirs) = (-1, -1);
    let none = std::ptr::null_mut();
    // SAFETY: two places for descriptors; the other pointers may be null.
    let made = unsafe { libc::openpty(&mut ours, &mut theirs, none, none.cast(), none.cast()) };
    assert_eq!(made, 0);
    // SAFETY: both were just made, and belong to nobody else.
    let (ours, theirs) = unsafe { (File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) };
    let end = || Stdio::from(theirs.try_clone().unwrap());
    command.stdin(end()).stdout(end()).stderr(end());
    let leader = || {
        // Whoever started the tests in the background has the signal ignored, and standoff leaves that so.
        // SAFETY: between fork and exec, with no memory to get wrong.
        unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
        // SAFETY: as above: a session of its own, on the terminal that is its standard input.
        match unsafe { libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 } {
            true => Err(std::io::Error::last_os_error()),
            false => Ok(()),
        }
    };
    // SAFETY: see there.
    unsafe { command.pre_exec(leader) };
    (command.spawn().unwrap(), ours)
}

/// All that it shows until its last program has gone.
pub fn shown(mut terminal: File) -> String {
    let mut said = Vec::new();
    // The last one who has the terminal open leaves it: an error on Linux.
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = terminal.read(&mut buffer) {
        said.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&said).into_owned()
}
