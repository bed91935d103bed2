//! What no crate offers without `unsafe`: how a process ended that is not our child, and a child that dies with us.
//!
//! For the first the kernel keeps the status for whoever holds a pidfd (Linux 6.15, `PIDFD_GET_INFO`), from the moment the parent has buried it; before
//! that, `/proc` shows it. On older kernels the second is a matter of luck: most launchers bury at once.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use rustix::io;
use rustix::ioctl::{self, IoctlOutput, Opcode};

use crate::proc::{Process, wait_status};

/// Makes the kernel kill the child when this process dies, however it dies. (Not what the child starts in turn.)
pub fn tie(command: &mut Command) {
    let parent = nix::unistd::getpid();
    let child = move || {
        nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
        // Dead already: nobody would send it.
        if nix::unistd::getppid() != parent {
            return Err(Errno::ESRCH.into());
        }
        Ok(())
    };
    // SAFETY: between fork and exec it makes two system calls, allocates nothing and takes no lock.
    unsafe { command.pre_exec(child) };
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this exit status.
    Status(i32),
    /// By this signal.
    Signal(i32),
}

impl End {
    /// From what `wait` gives.
    fn of(status: i32) -> End {
        match status & 0x7f {
            0 => End::Status(status >> 8 & 0xff),
            signal => End::Signal(signal),
        }
    }
}

/// How this process ended; `None` if it has not, or nobody tells.
pub fn end(fd: BorrowedFd<'_>, process: Process) -> Option<End> {
    let told = || info(fd).ok().flatten();
    // It may be buried between the first question and the second.
    let status = told().or_else(|| wait_status(process)).or_else(told);
    status.map(End::of)
}

/// `struct pidfd_info` of linux/pidfd.h, first version.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Info {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

/// `PIDFD_INFO_EXIT`.
const EXIT: u64 = 1 << 3;

struct Get(Info);

// SAFETY: the request's number says how large the structure is; the kernel writes no more.
unsafe impl ioctl::Ioctl for Get {
    type Output = Option<i32>;
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        // PIDFD_GET_INFO.
        ioctl::opcode::read_write::<Info>(0xff, 11)
    }

    fn as_ptr(&mut self) -> *mut c_void {
        (&raw mut self.0).cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, info: *mut c_void) -> io::Result<Self::Output> {
        // SAFETY: the structure above, whose every bit pattern is a value.
        let info = unsafe { &*info.cast::<Info>() };
        Ok((info.mask & EXIT != 0).then_some(info.exit_code))
    }
}

fn info(fd: impl AsFd) -> io::Result<Option<i32>> {
    let asked = Info {
        mask: EXIT,
        ..Info::default()
    };
    // SAFETY: `Get` describes the request. An older kernel does not know it, and says so.
    unsafe { ioctl::ioctl(fd, Get(asked)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    use std::process::Stdio;

    fn ended(script: &str, bury: bool) -> Option<End> {
        let mut child = Command::new("sh")
            .args(["-c", &format!("read x; {script}")])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let process = Process::of(child.id() as i32).unwrap();
        let fd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        assert_eq!(end(fd.as_fd(), process), None);
        drop(child.stdin.take());
        if bury {
            child.wait().unwrap();
        } else {
            let mut one = [rustix::event::PollFd::new(
                &fd,
                rustix::event::PollFlags::IN,
            )];
            rustix::event::poll(&mut one, None).unwrap();
        }
        let end = end(fd.as_fd(), process);
        let _ = child.wait();
        end
    }

    #[test]
    fn of_one_that_is_not_buried() {
        assert_eq!(ended("exit 3", false), Some(End::Status(3)));
        assert_eq!(ended("kill -9 $$", false), Some(End::Signal(9)));
    }

    #[test]
    fn of_one_that_is_buried() {
        // Before Linux 6.15 nobody tells.
        let status = ended("exit 3", true);
        assert!(matches!(status, None | Some(End::Status(3))), "{status:?}");
        assert_eq!(ended("kill -9 $$", true).is_some(), status.is_some());
    }
}
