//! In which order ranks died.
//!
//! A launcher ends the other ranks within milliseconds of the first death, faster than the monitor looks. The kernel
//! keeps the order: an epoll instance queues its file descriptors as they become ready, and a process's does so when it
//! ends.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::proc::Process;

/// Remembers who died before whom. Processes go by a number of the caller's.
#[derive(Debug)]
pub struct Deaths {
    /// `None`: the system cannot tell (before Linux 5.3).
    epoll: Option<OwnedFd>,
    /// Open, or else they would leave the instance.
    watched: Vec<Rc<OwnedFd>>,
    places: BTreeMap<u64, usize>,
}

impl Default for Deaths {
    fn default() -> Deaths {
        Deaths {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).ok(),
            watched: Vec::new(),
            places: BTreeMap::new(),
        }
    }
}

impl Deaths {
    /// Watches a process, `None` for one that is gone already.
    ///
    /// That one died before all that live now; of those that are dead, nobody knows whether they went before it, so it
    /// shares the first place.
    ///
    /// Gives the descriptor by which it is watched, if it is.
    pub fn watch(&mut self, who: u64, process: Option<Process>) -> Option<Rc<OwnedFd>> {
        let epoll = self.epoll.as_ref()?;
        let fd = process
            .and_then(|process| Pid::from_raw(process.pid))
            .map(|pid| pidfd_open(pid, PidfdFlags::empty()));
        let fd = match fd {
            None | Some(Err(Errno::SRCH)) => {
                self.gone(who);
                return None;
            }
            Some(Err(_)) => return None,
            Some(Ok(fd)) => {
                let fd = Rc::new(fd);
                let data = epoll::EventData::new_u64(who);
                let once = epoll::EventFlags::IN | epoll::EventFlags::ONESHOT;
                if epoll::add(epoll, &*fd, data, once).is_ok() {
                    self.watched.push(Rc::clone(&fd));
                }
                fd
            }
        };
        // Its number may have gone to another process in the meantime.
        if !process.is_some_and(Process::alive) {
            self.gone(who);
        }
        Some(fd)
    }

    fn gone(&mut self, who: u64) {
        self.collect();
        self.places.insert(who, 0);
    }

    /// The places in the order of the deaths so far, of those that are known to be dead.
    pub fn order(&mut self) -> &BTreeMap<u64, usize> {
        self.collect();
        &self.places
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
                let place = self.places.len();
                self.places.entry(event.data.u64()).or_insert(place);
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
        for (i, (_, process)) in (0u64..).zip(&all) {
            deaths.watch(i, Some(*process));
        }
        assert!(deaths.order().is_empty());
        // Neither the order of their numbers nor that of joining.
        let order: Vec<usize> = (0..100).map(|i| i * 37 % 100).collect();
        for &i in &order {
            end(&mut all[i]);
        }
        for (place, &i) in order.iter().enumerate() {
            assert_eq!(deaths.order()[&(i as u64)], place);
        }
    }

    fn end((child, _): &mut (Child, Process)) {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn who_was_gone_before_went_before_those_that_lived() {
        let mut deaths = Deaths::default();
        let mut all: Vec<_> = (0..3).map(|_| sleeper()).collect();
        deaths.watch(0, Some(all[0].1));
        end(&mut all[1]);
        deaths.watch(1, Some(all[1].1));
        deaths.watch(2, Some(all[2].1));
        end(&mut all[2]);
        end(&mut all[0]);
        assert_eq!(*deaths.order(), BTreeMap::from([(1, 0), (2, 1), (0, 2)]));
    }

    #[test]
    fn who_was_gone_may_have_gone_after_the_dead() {
        let mut deaths = Deaths::default();
        let mut first = sleeper();
        deaths.watch(7, Some(first.1));
        end(&mut first);
        deaths.watch(8, None);
        assert_eq!(*deaths.order(), BTreeMap::from([(7, 0), (8, 0)]));
    }
}
