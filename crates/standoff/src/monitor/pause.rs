//! Stuck ranks, stopped for the moment in which their job's end is told.
//!
//! MPI libraries wait by spinning. With many ranks on few processors this process would get a small share of them, and a diagnosis that
//! takes 50 ms of work more than a second. Neither a nice value nor an idle policy helps where every rank is a session
//! of its own (MPICH's launcher) and the kernel shares out between sessions (`sched_autogroup`).
//!
//! Only ranks that are proven stuck are stopped, only in a job that is about to be ended, and never for longer than this lives.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::proc::Process;

/// Processes that are stopped; dropping it lets them go on.
#[derive(Debug, Default)]
pub struct Paused(Vec<Process>);

impl Paused {
    /// Stops one more.
    pub fn add(&mut self, process: Process) {
        if process.alive() && kill(Pid::from_raw(process.pid), Signal::SIGSTOP).is_ok() {
            self.0.push(process);
        }
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        for process in &self.0 {
            if process.alive() {
                // It has ended by then, or is not ours any more: nothing to be done.
                let _ = kill(Pid::from_raw(process.pid), Signal::SIGCONT);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    use std::process::Command;

    #[test]
    fn what_is_paused_stands_still_and_goes_on() {
        let mut child = Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pid = Pid::from_raw(child.id() as i32);
        let mut paused = Paused::default();
        paused.add(Process::of(pid.as_raw()).unwrap());
        let stopped = waitpid(pid, Some(WaitPidFlag::WUNTRACED)).unwrap();
        assert_eq!(stopped, WaitStatus::Stopped(pid, Signal::SIGSTOP));
        drop(paused);
        let goes_on = waitpid(pid, Some(WaitPidFlag::WCONTINUED)).unwrap();
        assert_eq!(goes_on, WaitStatus::Continued(pid));
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
}
