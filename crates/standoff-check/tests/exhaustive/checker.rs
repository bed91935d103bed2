//! Whether a witness is an execution that MPI allows, and ends in a deadlock. It knows MPI's rules and nothing of the search.

use std::collections::{BTreeMap, BTreeSet};

use standoff_check::{Action, Witness};

use crate::job::{Coll, Do, Job, Mode};

type Place = (usize, usize);

struct Checker<'j> {
    job: &'j Job,
    /// Calls begun, by rank; all before are begun, too.
    begun: Vec<usize>,
    /// Order of the calls' beginnings.
    posted: Vec<Place>,
    /// Receives and probes to sends.
    matched: BTreeMap<Place, Place>,
    /// Sends that were received.
    received: BTreeSet<Place>,
    released: BTreeSet<Place>,
    told: BTreeMap<Place, BTreeSet<usize>>,
}

/// Checks a witness.
pub fn verify(job: &Job, witness: &Witness) -> Result<(), String> {
    let mut checker = Checker {
        job,
        begun: vec![0; job.programs.len()],
        posted: Vec::new(),
        matched: BTreeMap::new(),
        received: BTreeSet::new(),
        released: BTreeSet::new(),
        told: BTreeMap::new(),
    };
    for (at, step) in witness.steps.iter().enumerate() {
        let rank = step.rank as usize;
        let place = (rank, job.call(rank, step.event));
        checker
            .step(place, step.action)
            .map_err(|why| format!("step {at}, {step:?}: {why}"))?;
    }
    checker.end(witness)
}

impl Checker<'_> {
    fn what(&self, (rank, at): Place) -> Do {
        self.job.programs[rank][at]
    }

    fn step(&mut self, place: Place, action: Action) -> Result<(), String> {
        match action {
            Action::Begins => {
                self.reach(place)?;
                self.begin(place);
            }
            Action::Receives { from, send } | Action::Sees { from, send } => {
                let send = (from as usize, self.job.call(from as usize, send));
                // Probes begin without a step of their own; a receive of a probed message comes later.
                if matches!(self.what(place), Do::MprobeRecv { .. } | Do::Probe { .. }) {
                    if matches!(action, Action::Receives { .. }) {
                        return self.received_probed(place, send);
                    }
                    self.reach(place)?;
                    self.begin(place);
                }
                self.may_match(place, send)?;
                self.matched.insert(place, send);
                if matches!(self.what(place), Do::Recv { .. }) {
                    self.received.insert(send);
                }
            }
            Action::Buffered => match self.what(place) {
                Do::Send {
                    mode: Mode::Standard,
                    ..
                } => {
                    self.released.insert(place);
                }
                _ => return Err("is not buffered".to_owned()),
            },
            Action::LeftEarly => {
                if !self.data_is_there(place) {
                    return Err("lacks data".to_owned());
                }
                self.released.insert(place);
            }
            Action::Told { request } => {
                self.reach(place)?;
                self.begin(place);
                let request = self.job.call(place.0, request);
                if self.inactive(place).contains(&request) || !self.complete((place.0, request)) {
                    return Err("tells what is not complete".to_owned());
                }
                self.told.entry(place).or_default().insert(request);
            }
        }
        Ok(())
    }

    fn received_probed(&mut self, place: Place, send: Place) -> Result<(), String> {
        if self.matched.get(&place) != Some(&send) || !self.received.insert(send) {
            return Err("was not probed".to_owned());
        }
        Ok(())
    }

    fn begin(&mut self, place: Place) {
        if self.begun[place.0] <= place.1 {
            self.begun[place.0] = place.1 + 1;
            self.posted.push(place);
        }
    }

    /// The rank can get to a call: all before it return.
    fn reach(&mut self, (rank, at): Place) -> Result<(), String> {
        let begun = self.begun[rank];
        for call in begun.saturating_sub(1)..at {
            if !self.returns((rank, call)) {
                return Err(format!("call {call} does not return"));
            }
            if call >= begun {
                match self.what((rank, call)) {
                    Do::WaitAll | Do::WaitAny | Do::WaitSome | Do::WaitOne(_) => {
                        self.begin((rank, call))
                    }
                    _ => return Err(format!("call {call} has not begun")),
                }
            }
        }
        Ok(())
    }

    fn inactive(&self, (rank, at): Place) -> BTreeSet<usize> {
        let mut inactive = BTreeSet::new();
        for before in 0..at {
            match self.what((rank, before)) {
                Do::WaitAll => inactive.extend(0..before),
                Do::WaitOne(one) => {
                    inactive.insert(one);
                }
                _ => inactive.extend(self.told.get(&(rank, before)).into_iter().flatten()),
            }
        }
        inactive
    }

    fn returns(&self, place: Place) -> bool {
        let (rank, at) = place;
        let inactive = self.inactive(place);
        let active =
            || (0..at).filter(|&r| self.what((rank, r)).makes_request() && !inactive.contains(&r));
        match self.what(place) {
            what if what.makes_request() => true,
            Do::WaitAll => active().all(|r| self.complete((rank, r))),
            Do::WaitOne(one) => active()
                .filter(|&r| r == one)
                .all(|r| self.complete((rank, r))),
            Do::WaitAny | Do::WaitSome => {
                active().next().is_none() || active().any(|r| self.complete((rank, r)))
            }
            Do::MprobeRecv { .. } => self
                .matched
                .get(&place)
                .is_some_and(|s| self.received.contains(s)),
            Do::Probe { .. } => self.matched.contains_key(&place),
            _ => self.complete(place),
        }
    }

    fn complete(&self, place: Place) -> bool {
        if self.begun[place.0] <= place.1 {
            return false;
        }
        match self.what(place) {
            Do::Send {
                mode: Mode::Buffered,
                ..
            } => true,
            Do::Send { .. } => self.received.contains(&place) || self.released.contains(&place),
            Do::Recv { .. } => self.matched.contains_key(&place),
            Do::Collective { .. } => self.all_there(place) || self.released.contains(&place),
            _ => true,
        }
    }

    fn accepts(&self, recv: Place, send: Place) -> bool {
        let (Do::Recv {
            comm, from, tag, ..
        }
        | Do::Probe { comm, from, tag }
        | Do::MprobeRecv { comm, from, tag }) = self.what(recv)
        else {
            return false;
        };
        let Do::Send {
            comm: c,
            to,
            tag: t,
            ..
        } = self.what(send)
        else {
            return false;
        };
        c == comm
            && self.job.comms[c][to] == recv.0
            && from.is_none_or(|f| self.job.comms[c][f] == send.0)
            && tag.is_none_or(|tag| tag == t)
    }

    /// Taken out of the queue of unmatched messages: received, or held by a matched probe.
    fn taken(&self, send: Place) -> bool {
        let held = |(recv, s): (&Place, &Place)| {
            *s == send && matches!(self.what(*recv), Do::MprobeRecv { .. })
        };
        self.received.contains(&send) || self.matched.iter().any(held)
    }

    /// Order of messages and of receives, MPI 4.1, 3.5.
    fn may_match(&self, recv: Place, send: Place) -> Result<(), String> {
        let there = |p: Place| self.begun[p.0] > p.1;
        if !there(recv) || !there(send) {
            return Err("one side has not begun".to_owned());
        }
        if !self.accepts(recv, send) || self.taken(send) || self.matched.contains_key(&recv) {
            return Err("does not match".to_owned());
        }
        let earlier = (0..send.1).map(|at| (send.0, at));
        if let Some(at) = earlier
            .into_iter()
            .find(|&s| self.accepts(recv, s) && !self.taken(s))
        {
            return Err(format!("overtakes {at:?}"));
        }
        let before = (0..recv.1).map(|at| (recv.0, at));
        let waits =
            |&r: &Place| matches!(self.what(r), Do::Recv { .. }) && !self.matched.contains_key(&r);
        if let Some(at) = before
            .into_iter()
            .find(|r| waits(r) && self.accepts(*r, send))
        {
            return Err(format!("{at:?} was posted before"));
        }
        Ok(())
    }

    /// (member, whether it has begun this instance), by communicator rank; `None` if members call different things.
    fn instance(&self, (rank, at): Place) -> Option<Vec<(usize, bool)>> {
        let Do::Collective { comm, .. } = self.what((rank, at)) else {
            return None;
        };
        let on = |c: &Do| matches!(c, Do::Collective { comm: own, .. } if *own == comm);
        let seq = self.job.programs[rank][..at]
            .iter()
            .filter(|c| on(c))
            .count();
        let mut members = Vec::new();
        for &member in &self.job.comms[comm] {
            let mut calls = self.job.programs[member]
                .iter()
                .enumerate()
                .filter(|(_, c)| on(c));
            let call = calls.nth(seq);
            if call.is_some_and(|(_, &c)| c != self.what((rank, at))) {
                return None;
            }
            members.push((member, call.is_some_and(|(at, _)| self.begun[member] > at)));
        }
        Some(members)
    }

    fn all_there(&self, place: Place) -> bool {
        self.instance(place)
            .is_some_and(|list| list.iter().all(|m| m.1))
    }

    fn data_is_there(&self, place: Place) -> bool {
        let Do::Collective { what, .. } = self.what(place) else {
            return false;
        };
        let Some(members) = self.instance(place) else {
            return false;
        };
        match what {
            Coll::Barrier | Coll::Allreduce => false,
            Coll::Bcast(root) => members[root].1,
            Coll::Reduce(root) => members[root].0 != place.0,
            Coll::Scan => members.iter().take_while(|m| m.0 != place.0).all(|m| m.1),
        }
    }

    /// Nothing happens any more, and those who are said to be stuck are.
    fn end(mut self, witness: &Witness) -> Result<(), String> {
        let mut stuck = Vec::new();
        for rank in 0..self.job.programs.len() {
            let length = self.job.programs[rank].len();
            let mut at = self.begun[rank].saturating_sub(1);
            while at < length {
                if self.begun[rank] <= at {
                    // Every call but a wait or a probe begins by a step.
                    match self.what((rank, at)) {
                        Do::WaitAll | Do::WaitAny | Do::WaitSome | Do::WaitOne(_) => {}
                        Do::Probe { .. } | Do::MprobeRecv { .. } => {}
                        _ => return Err(format!("rank {rank} could begin call {at}")),
                    }
                    self.begin((rank, at));
                }
                if !self.returns((rank, at)) {
                    break;
                }
                at += 1;
            }
            if at < length {
                stuck.push((rank, at));
            }
        }
        for &recv in &self.posted {
            for &send in &self.posted {
                if self.may_match(recv, send).is_ok() {
                    return Err(format!("{recv:?} can still be matched with {send:?}"));
                }
            }
        }
        let said: Vec<Place> = witness
            .stuck
            .iter()
            .map(|s| (s.rank as usize, self.job.call(s.rank as usize, s.event)))
            .collect();
        if stuck.is_empty() || stuck != said {
            return Err(format!("stuck are {stuck:?}, said was {said:?}"));
        }
        if witness.core.is_empty() {
            return Err("no core".to_owned());
        }
        Ok(())
    }
}
