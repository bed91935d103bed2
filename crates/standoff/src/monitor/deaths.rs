//! In which order ranks died.
//!
//! A launcher ends the other ranks within milliseconds of the first death, faster than the monitor looks. The kernel
//! keeps the order: an epoll instance queues its file descriptors as they become ready. A process's own does so when it
//! has ended, which may be later than that of another whom the launcher has killed for it: launchers act when a
//! connection closes. The pipe that the probe holds (its `life.rs`) hangs up before that.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::proc::Process;

/// Remembers who died before whom. Processes go by a number of the caller's, below 2⁶³.
#[derive(Debug)]
pub struct Deaths {
    /// `None`: the system cannot tell (before Linux 5.3).
    epoll: Option<OwnedFd>,
    /// Open, or else they would leave the instance.
    watched: BTreeMap<u64, Watched>,
    places: BTreeMap<u64, usize>,
}

#[derive(Debug)]
struct Watched {
    process: Process,
    _fd: Rc<OwnedFd>,
    _life: Option<OwnedFd>,
}

/// In an event: of the pipe that hung up, not of the process.
const HUNG_UP: u64 = 1 << 63;

impl Default for Deaths {
    fn default() -> Deaths {
        Deaths {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).ok(),
            watched: BTreeMap::new(),
            places: BTreeMap::new(),
        }
    }
}

impl Deaths {
    /// Watches a process, `None` for one that is gone already. `life` is the path of the pipe that it holds, if it does.
    ///
    /// One that is gone died before all that live now; of those that are dead, nobody knows whether they went before it,
    /// so it shares the first place.
    ///
    /// Gives the descriptor by which it is watched, if it is.
    pub fn watch(
        &mut self,
        who: u64,
        process: Option<Process>,
        life: &Path,
    ) -> Option<Rc<OwnedFd>> {
        let epoll = self.epoll.as_ref()?;
        let opened = process.and_then(|process| {
            let fd = pidfd_open(Pid::from_raw(process.pid)?, PidfdFlags::empty());
            Some((process, fd))
        });
        let (process, fd) = match opened {
            None | Some((_, Err(Errno::SRCH))) => {
                self.gone(who);
                return None;
            }
            Some((_, Err(_))) => return None,
            Some((process, Ok(fd))) => (process, Rc::new(fd)),
        };
        let once = epoll::EventFlags::IN | epoll::EventFlags::ONESHOT;
        let added = epoll::add(epoll, &*fd, epoll::EventData::new_u64(who), once);
        if added.is_ok() {
            let watched = Watched {
                process,
                _fd: Rc::clone(&fd),
                _life: hung_up(epoll, who, life),
            };
            self.watched.insert(who, watched);
        }
        // Its number may have gone to another process in the meantime.
        if !process.alive() {
            self.gone(who);
        }
        Some(fd)
    }

    fn gone(&mut self, who: u64) {
        self.collect();
        self.places.insert(who, 0);
    }

    /// The places in the order of the deaths so far, of those that are known to be dead or dying.
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
                let data = event.data.u64();
                let watched = self.watched.get(&(data & !HUNG_UP));
                enter(&mut self.places, data, || {
                    watched.is_some_and(|w| w.process.ending())
                });
            }
        }
    }
}

/// Enters an event. A program may close all descriptors that it does not know, and live on: a pipe that hangs up counts only
/// if its process is `ending`.
fn enter(places: &mut BTreeMap<u64, usize>, data: u64, ending: impl FnOnce() -> bool) {
    let place = places.len();
    if data & HUNG_UP == 0 || ending() {
        places.entry(data & !HUNG_UP).or_insert(place);
    }
}

/// Waits for the pipe to hang up.
fn hung_up(epoll: &OwnedFd, who: u64, life: &Path) -> Option<OwnedFd> {
    // A pipe opens at once that way, also when nobody holds its other end (any more).
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let pipe = rustix::fs::open(life, flags, Mode::empty()).ok()?;
    // Told in any case: that it hung up.
    let flags = epoll::EventFlags::ONESHOT;
    epoll::add(
        epoll,
        &pipe,
        epoll::EventData::new_u64(who | HUNG_UP),
        flags,
    )
    .ok()?;
    Some(pipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};

    fn nowhere() -> &'static Path {
        Path::new("/nowhere/at.life")
    }

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
            deaths.watch(i, Some(*process), nowhere());
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
        deaths.watch(0, Some(all[0].1), nowhere());
        end(&mut all[1]);
        deaths.watch(1, Some(all[1].1), nowhere());
        deaths.watch(2, Some(all[2].1), nowhere());
        end(&mut all[2]);
        end(&mut all[0]);
        assert_eq!(*deaths.order(), BTreeMap::from([(1, 0), (2, 1), (0, 2)]));
    }

    #[test]
    fn who_was_gone_may_have_gone_after_the_dead() {
        let mut deaths = Deaths::default();
        let mut first = sleeper();
        deaths.watch(7, Some(first.1), nowhere());
        end(&mut first);
        deaths.watch(8, None, nowhere());
        assert_eq!(*deaths.order(), BTreeMap::from([(7, 0), (8, 0)]));
    }

    #[test]
    fn a_dying_process_hangs_up_before_it_is_dead() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("at.life");
        let mut shell = Command::new("sh");
        shell.args(["-c", "mkfifo at.life; exec 9<>at.life; echo; read end"]);
        shell.current_dir(directory.path());
        let mut child = shell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
        let process = Process::of(child.id() as i32).unwrap();
        let mut deaths = Deaths::default();
        deaths.watch(5, Some(process), &pipe).unwrap();
        assert!(deaths.order().is_empty() && !process.ending());
        child.kill().unwrap();
        child.wait().unwrap();
        let mut events: Vec<epoll::Event> = Vec::with_capacity(4);
        epoll::wait(
            deaths.epoll.as_ref().unwrap(),
            spare_capacity(&mut events),
            None,
        )
        .unwrap();
        let told: Vec<u64> = events.iter().map(|e| e.data.u64()).collect();
        assert_eq!(told, [5 | HUNG_UP, 5]);
        assert!(process.ending());
    }

    #[test]
    fn hanging_up_counts_for_those_that_end() {
        let order = |ending: bool| {
            let mut places = BTreeMap::new();
            for data in [1 | HUNG_UP, 2, 1] {
                enter(&mut places, data, || ending);
            }
            places
        };
        assert_eq!(order(true), BTreeMap::from([(1, 0), (2, 1)]));
        // It had closed the pipe long before.
        assert_eq!(order(false), BTreeMap::from([(2, 0), (1, 1)]));
    }
}
