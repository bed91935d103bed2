//! In which order ranks died.
//!
//! A launcher ends the other ranks within milliseconds of the first death, faster than the monitor looks. The kernel
//! keeps the order: an epoll instance queues its file descriptors as they become ready, and a process's does so when it
//! ends.

use std::os::fd::OwnedFd;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::proc::Process;

/// Remembers who died before whom.
#[derive(Debug)]
pub struct Deaths {
    /// `None`: the system cannot tell (before Linux 5.3).
    epoll: Option<OwnedFd>,
    /// Open, or else they would leave the instance.
    watched: Vec<(Process, OwnedFd)>,
    /// In the order of their deaths.
    dead: Vec<Process>,
}

impl Default for Deaths {
    fn default() -> Deaths {
        Deaths {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).ok(),
            watched: Vec::new(),
            dead: Vec::new(),
        }
    }
}

impl Deaths {
    /// Watches a process. One that cannot be watched, or is gone already, has no place in the order.
    pub fn watch(&mut self, process: Process) {
        let Some(epoll) = &self.epoll else { return };
        let Some(pid) = Pid::from_raw(process.pid) else {
            return;
        };
        let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) else {
            return;
        };
        if !process.alive() {
            return;
        }
        let data = epoll::EventData::new_u64(self.watched.len() as u64);
        let once = epoll::EventFlags::IN | epoll::EventFlags::ONESHOT;
        if epoll::add(epoll, &fd, data, once).is_ok() {
            self.watched.push((process, fd));
        }
    }

    /// Its place in the order of the deaths so far; `None`: not dead, or not known.
    pub fn place(&mut self, process: Process) -> Option<usize> {
        self.collect();
        self.dead.iter().position(|dead| *dead == process)
    }

    fn collect(&mut self) {
        let Some(epoll) = &self.epoll else { return };
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let mut events: Vec<epoll::Event> = Vec::with_capacity(64);
        loop {
            let got = epoll::wait(epoll, spare_capacity(&mut events), Some(&now));
            if got.is_err() || events.is_empty() {
                return;
            }
            for event in events.drain(..) {
                let watched = self.watched.get(event.data.u64() as usize);
                self.dead.extend(watched.map(|(process, _)| *process));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};

    fn sleeper() -> (Child, Process) {
        let child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process::of(child.id() as i32).unwrap();
        (child, process)
    }

    #[test]
    fn the_first_is_known_however_late_one_looks() {
        let mut deaths = Deaths::default();
        let mut all: Vec<_> = (0..100).map(|_| sleeper()).collect();
        for (_, process) in &all {
            deaths.watch(*process);
        }
        assert_eq!(deaths.place(all[0].1), None);
        // Neither the order of their numbers nor that of joining.
        let order: Vec<usize> = (0..100).map(|i| i * 37 % 100).collect();
        for &i in &order {
            all[i].0.kill().unwrap();
            all[i].0.wait().unwrap();
        }
        for (place, &i) in order.iter().enumerate() {
            assert_eq!(deaths.place(all[i].1), Some(place));
        }
    }

    #[test]
    fn who_was_gone_before_has_no_place() {
        let mut deaths = Deaths::default();
        let (mut child, process) = sleeper();
        child.kill().unwrap();
        child.wait().unwrap();
        deaths.watch(process);
        assert_eq!(deaths.place(process), None);
    }
}
