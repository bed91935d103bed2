//! `--rescue`: standard sends that return from a copy of their data when the monitor has shown that they would wait for ever, which MPI
//! leaves to the library (`docs/algorithms/rescue.md`).
//!
//! With the option on, a standard send is posted at once, from a copy, as a nonblocking one: so order stays what it was. The call polls that request
//! until it is complete, like the library's own send, or until the monitor asks for it ([`Rescue::ask`]). Then the call returns,
//! and the request is ours to complete ([`Rescue::sweep`], [`drain`]). What cannot be copied is left to the library.

mod copy;
mod functions;
mod memory;
mod persistent;
mod requests;

use crate::P;
use crate::hooks::SUCCESS;
use crate::raise::{self, Endable, Withdrawn};
use crate::rank::{Rank, ThreadState};
use crate::record::Data;
use copy::Copy;
pub(crate) use functions::Functions;
use memory::Memory;
use persistent::Persistent;
pub(crate) use requests::{Completing, Which};
use standoff_board::layout::{self as lay, Board, RESCUED, Rescued, op};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Fruitless polls before the processor is offered to others.
const POLLS: u32 = 64;
/// Once nobody can receive any more, what has not been received for so long is given up.
const LAST: Duration = Duration::from_secs(1);

/// Time between two looks whether the monitor is still there.
const LOOK: Duration = Duration::from_millis(200);

/// What a rank keeps whose sends go out from copies.
pub(crate) struct Rescue {
    functions: Functions,
    memory: Memory,
    /// Without it, the copies are for calls that are ended by an error only ([`crate::raise`]).
    pub returns: bool,
    /// Every send returns as soon as it is copied.
    always: bool,
    /// Bytes of copies at one time.
    cap: usize,
    /// Grows when the monitor asks for the sends in progress.
    asked: AtomicU32,
    /// Grows when the monitor asks for sends that are polled.
    polled: AtomicU32,
    /// Nobody can receive any more.
    over: AtomicU32,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Bytes of all copies.
    used: usize,
    /// Copies of requests that the program has, by handle.
    held: HashMap<usize, Held>,
    /// Handles that were let go in a call that has not forgotten them yet: they may be other requests' by then.
    gone: HashSet<usize>,
    /// Persistent standard sends, by handle.
    persistent: HashMap<usize, Persistent>,
    /// Requests that the program has no more.
    taken: Vec<(usize, Copy)>,
    /// Places at which a send had to be rescued: later ones there do not wait.
    unsafe_places: BTreeSet<u32>,
}

/// A send whose request the program has.
struct Held {
    /// One of [`op`].
    kind: u8,
    copy: Copy,
    place: u32,
    peer: i32,
    /// What [`Rescue::polled`] was when it was posted.
    polled: u32,
}

/// A send that is to be tried from a copy.
#[derive(Clone, Copy)]
pub(crate) struct Send {
    /// One of [`op`].
    pub kind: u8,
    pub data: Data,
    pub dest: i32,
    pub tag: i32,
    /// As the program gave it.
    pub comm: usize,
    pub place: u32,
}

impl Send {
    fn held(&self, copy: Copy, polled: u32) -> Held {
        Held {
            kind: self.kind,
            copy,
            place: self.place,
            peer: self.dest,
            polled,
        }
    }
}

/// The receiving half of a sendrecv, as the program gave it.
pub(crate) struct Receive {
    pub data: Data,
    pub source: i32,
    pub tag: i32,
    pub status: P,
}

impl Rescue {
    /// As [`lay::RESCUE_VAR`] and [`lay::RAISE_VAR`] say; `None` without them, or where the library lacks what is needed.
    pub fn wanted() -> Option<Box<Rescue>> {
        let rescue = std::env::var(lay::RESCUE_VAR).ok();
        let raise = std::env::var(lay::RAISE_VAR).ok();
        let (mode, cap) = match (&rescue, &raise) {
            (Some(text), _) => text.split_once(' ')?,
            (None, Some(cap)) => ("", cap.as_str()),
            (None, None) => return None,
        };
        Some(Box::new(Rescue {
            functions: Functions::load()?,
            memory: Memory::look(),
            returns: rescue.is_some(),
            always: mode == "always",
            cap: cap.parse().ok()?,
            asked: AtomicU32::new(0),
            polled: AtomicU32::new(0),
            over: AtomicU32::new(0),
            kept: Mutex::default(),
        }))
    }

    /// The monitor has shown that the sends in progress would wait for ever.
    pub fn ask(&self) {
        self.asked.fetch_add(1, Ordering::Release);
    }

    /// The monitor has shown that the sends that are polled would never be complete.
    pub fn ask_polled(&self) {
        self.polled.fetch_add(1, Ordering::Release);
    }

    /// The monitor has seen that all ranks are in `MPI_Finalize`.
    pub fn end(&self) {
        self.over.store(1, Ordering::Release);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of a message, if there is room for it.
    fn copy(&self, rank: &Rank, send: &Send) -> Option<Copy> {
        if !self.functions.takes(send.data.count) {
            return None;
        }
        let element = self.functions.dense(send.data.dtype);
        let cost = Copy::cost(&self.functions, element, send)?;
        let mut kept = self.kept();
        if kept.used.saturating_add(cost) > self.cap {
            return None;
        }
        kept.used += cost;
        drop(kept);
        let copy = match element {
            Some(_) => Copy::plain(&self.memory, send, cost),
            None => Copy::packed(&self.functions, rank, send, cost),
        };
        if copy.is_none() {
            self.kept().used -= cost;
        }
        copy
    }

    /// Completes what can be completed of the requests that the program has no more. True if something was.
    fn sweep(&self, rank: &Rank) -> bool {
        let mut kept = self.kept();
        let before = kept.taken.len();
        let mut freed = 0;
        kept.taken.retain_mut(|(request, copy)| {
            let (rc, done) = self.functions.test(request, rank.abi.status_ignore as P);
            // A request that failed has ended, too.
            let done = done || rc != SUCCESS;
            if done {
                freed += copy.cost;
            }
            !done
        });
        kept.used -= freed;
        kept.taken.len() < before
    }

    /// Posts a copy, in the mode of what it is a copy of. A ready send is as good as a standard one (MPI 4.1, 3.4).
    fn post(&self, copy: &Copy, send: &Send, request: P) -> Option<i32> {
        if send.kind != op::SSEND {
            return Some(self.functions.isend(copy, send, request));
        }
        let data = Data::new(copy.address(), copy.count, copy.dtype);
        data.issend(send.dest, send.tag, send.comm, request)
    }

    /// The call of a request was ended by an error: completes it when it can be.
    fn leave(&self, request: usize, copy: Copy) {
        self.kept().taken.push((request, copy));
    }

    /// A request that the program had has ended.
    pub fn completed(&self, handle: usize) {
        let mut kept = self.kept();
        if !kept.gone.remove(&handle)
            && let Some(held) = kept.held.remove(&handle)
        {
            kept.used -= held.copy.cost;
        }
    }

    /// From now on the request is ours.
    fn take(&self, rank: &Rank, request: usize, held: Held, asked: bool) {
        let Held {
            copy, place, peer, ..
        } = held;
        let bytes = copy.len() as u64;
        let mut kept = self.kept();
        kept.taken.push((request, copy));
        kept.unsafe_places.insert(place);
        drop(kept);
        rank.change(|_, b| note(b, place, peer, bytes, asked));
    }

    /// Whether sends of this kind go out from copies.
    pub fn takes(&self, rank: &Rank, kind: u8) -> bool {
        kind == op::SEND || (rank.raise.is_some() && kind != op::BSEND)
    }

    /// The send returns as soon as it is copied.
    fn at_once(&self, place: u32) -> bool {
        self.always || self.kept().unsafe_places.contains(&place)
    }

    /// The program gives its request up: its copy must live on. True if it is ours now.
    pub fn freed(&self, rank: &Rank, request: P) -> bool {
        // SAFETY: the program gives a request.
        let handle = unsafe { rank.abi.handle_at(request, 0) };
        if self.let_go(rank, handle) {
            // Its handle stays the program's.
            if let Some(one) = self.kept().persistent.get_mut(&handle) {
                one.told();
            }
            return true;
        }
        let mut kept = self.kept();
        let Some(held) = kept.held.remove(&handle) else {
            return false;
        };
        kept.taken.push((handle, held.copy));
        drop(kept);
        // SAFETY: as above.
        unsafe { rank.abi.set_handle(request, 0, rank.abi.request_null) };
        true
    }

    /// Whether one of the requests that the thread has gathered has a copy.
    pub fn holds(&self, rank: &Rank, thread: &ThreadState, requests: P) -> bool {
        let kept = self.kept();
        let live = |handle| kept.persistent.get(&handle).is_some_and(Persistent::live);
        !(kept.held.is_empty() && kept.persistent.is_empty())
            && thread.waits.iter().any(|&(i, _)| {
                // SAFETY: a position in the program's array.
                let handle = unsafe { rank.abi.handle_at(requests, i as usize) };
                kept.held.contains_key(&handle) || live(handle)
            })
    }
}

/// Adds to what the board says of rescued sends.
fn note(b: &mut Board, place: u32, peer: i32, bytes: u64, asked: bool) {
    let free = |e: &Rescued| e.count == 0 || e.place == place;
    match b.rescued.iter().position(free) {
        Some(i) => {
            let e = &mut b.rescued[i];
            e.place = place;
            e.peer = peer;
            e.count += 1;
            e.asked += u64::from(asked);
            e.bytes = e.bytes.max(bytes);
        }
        None => b.rescued[RESCUED - 1].count += 1,
    }
}

/// Offers the processor now and then, while something is polled.
#[derive(Default)]
pub(crate) struct Patience(u32);

impl Patience {
    pub fn wait(&mut self) {
        self.0 += 1;
        if self.0 >= POLLS {
            // SAFETY: no arguments, no memory.
            unsafe { libc::sched_yield() };
        }
    }
}

/// `MPI_Send` and its modes; `None`: it is to be left to the library.
pub(crate) fn send(
    rank: &Rank,
    rescue: &Rescue,
    send: &Send,
    call: Option<&Endable<'_>>,
) -> Option<i32> {
    rescue.sweep(rank);
    let asked = rescue.asked.load(Ordering::Acquire);
    let copy = rescue.copy(rank, send)?;
    let mut request = rank.abi.request_null;
    let rc = rescue.post(&copy, send, (&raw mut request).cast())?;
    if rc != SUCCESS {
        return Some(rc);
    }
    let at_once = send.kind == op::SEND && rescue.at_once(send.place);
    let mut patience = Patience::default();
    loop {
        let (rc, done) = rescue
            .functions
            .test(&mut request, rank.abi.status_ignore as P);
        if rc != SUCCESS || done {
            rescue.kept().used -= copy.cost;
            return Some(rc);
        }
        let wanted = send.kind == op::SEND && rescue.asked.load(Ordering::Acquire) != asked;
        if at_once || wanted {
            rescue.take(rank, request, send.held(copy, 0), wanted);
            return Some(SUCCESS);
        }
        if let Some(call) = call
            && let Some(code) = call.ended()
        {
            rescue.leave(request, copy);
            return Some(call.error(send.comm, code));
        }
        patience.wait();
    }
}

/// `MPI_Sendrecv` and `MPI_Sendrecv_replace`, both halves to a rank: its result, and whether a message was received. `None` as for [`send`].
pub(crate) fn sendrecv(
    rank: &Rank,
    rescue: &Rescue,
    send: &Send,
    receive: &Receive,
    call: Option<&Endable<'_>>,
) -> Option<(i32, bool)> {
    rescue.sweep(rank);
    let asked = rescue.asked.load(Ordering::Acquire);
    let f = &rescue.functions;
    if !f.takes(receive.data.count) {
        return None;
    }
    let copy = rescue.copy(rank, send)?;
    let [mut incoming, mut outgoing] = [rank.abi.request_null; 2];
    let rc = f.irecv(receive, send.comm, (&raw mut incoming).cast());
    if rc != SUCCESS {
        return Some((rc, false));
    }
    let rc = f.isend(&copy, send, (&raw mut outgoing).cast());
    if rc != SUCCESS {
        return Some((rc, false));
    }
    let at_once = rescue.at_once(send.place);
    let mut copy = Some(copy);
    let mut received = None;
    let mut patience = Patience::default();
    while received.is_none() || copy.is_some() {
        if received.is_none() {
            let (rc, done) = f.test(&mut incoming, receive.status);
            received = (done || rc != SUCCESS).then_some(rc);
        }
        if copy.is_some()
            && let (_, true) = f.test(&mut outgoing, rank.abi.status_ignore as P)
            && let Some(done) = copy.take()
        {
            rescue.kept().used -= done.cost;
        }
        let failed = received.is_some_and(|rc| rc != SUCCESS);
        let wanted = rescue.asked.load(Ordering::Acquire) != asked;
        if (at_once || failed || wanted)
            && let Some(copy) = copy.take()
        {
            rescue.take(rank, outgoing, send.held(copy, 0), wanted);
        }
        if let Some(call) = call
            && let Some(code) = call.ended()
        {
            let request = (&raw mut incoming).cast();
            let taken = received.or_else(|| match raise::withdraw(rank, request, receive.status) {
                Withdrawn::Received(rc) => Some(rc),
                _ => None,
            });
            let whole = copy.is_none();
            if let Some(copy) = copy.take() {
                rescue.leave(outgoing, copy);
            }
            return Some(match taken {
                Some(rc) if whole => (rc, rc == SUCCESS),
                taken => (call.error(send.comm, code), taken == Some(SUCCESS)),
            });
        }
        patience.wait();
    }
    received.map(|rc| (rc, rc == SUCCESS))
}

/// `MPI_Isend` and its modes; `None` as for [`send`].
pub(crate) fn isend(rank: &Rank, rescue: &Rescue, send: &Send, request: P) -> Option<i32> {
    rescue.sweep(rank);
    let copy = rescue.copy(rank, send)?;
    let rc = rescue.post(&copy, send, request)?;
    // SAFETY: a successful call has stored a handle there.
    let handle = unsafe { rank.abi.handle_at(request, 0) };
    // What is complete already may have a handle that others have, too.
    let pending = rc == SUCCESS
        && !rescue
            .functions
            .complete(handle, rank.abi.status_ignore as P);
    let mut kept = rescue.kept();
    if pending {
        let polled = rescue.polled.load(Ordering::Acquire);
        kept.held.insert(handle, send.held(copy, polled));
    } else {
        kept.used -= copy.cost;
    }
    Some(rc)
}

/// Before the library's own `MPI_Finalize`: completes what it may not be left with. What nobody has received when nobody can any more is cancelled, and
/// stays on the board as a message that was never received.
pub(crate) fn drain(rank: &Rank, rescue: &Rescue) {
    rescue.forget_all();
    let mut moved = Instant::now();
    let mut looked = moved;
    let mut over = false;
    let mut patience = Patience::default();
    while !over || moved.elapsed() < LAST {
        if rescue.sweep(rank) {
            moved = Instant::now();
        }
        if rescue.kept().taken.is_empty() {
            return;
        }
        if !over && rescue.over.load(Ordering::Acquire) != 0 {
            (over, moved) = (true, Instant::now());
        }
        if !over && looked.elapsed() >= LOOK {
            looked = Instant::now();
            // Without the monitor nobody would say that it is over.
            over = !crate::helper::watched(rank);
        }
        patience.wait();
    }
    for (request, copy) in std::mem::take(&mut rescue.kept().taken) {
        rescue.functions.give_up(request);
        // The library may still read it.
        std::mem::forget(copy);
    }
}
