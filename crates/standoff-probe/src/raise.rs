//! `--on-deadlock raise`: blocked calls of a deadlock that was shown return an error (`docs/algorithms/raise.md`).
//!
//! No thread can be taken out of a call of the library. So with the option on, a blocking call is carried out as its nonblocking form, and polled. The
//! monitor says which call of which thread is to end; it names it by the number of calls that the thread has made, so that no later one can be meant.
//! A receive is withdrawn, a send stays behind as a copy ([`crate::rescue`]), a collective is given up: its communicator takes no more of them, on any
//! rank, since the library may still use the buffers that it was given.

use crate::P;
use crate::hooks::{OwnStatus, SUCCESS, own};
use crate::rank::{Rank, State, ThreadState};
use crate::rescue::{Functions, Patience, Receive};
use standoff_board::layout::{self as lay, Board, THREADS};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long threads have to end their calls, before they count as unable to.
const ENDING: Duration = Duration::from_secs(2);
/// A call that has ended returns after this time in any case: the monitor may be gone.
const LONGEST: Duration = Duration::from_secs(10);
/// How long the library has to end a receive that was cancelled.
const WITHDRAWAL: Duration = Duration::from_secs(1);
/// Bytes of an error's text that every library takes: Open MPI has room for 256 with the NUL, MPICH for 512.
const TEXT: usize = 255;

/// What a rank keeps whose calls may be ended.
pub(crate) struct Raise {
    functions: Functions,
    /// Blocking collectives are carried out by nonblocking ones. The same on all ranks, or they would not match.
    collectives: bool,
    /// By slot: 1 + number of the call that is to end.
    asked: [AtomicU64; THREADS],
    /// Grows when the calls that were ended may return.
    go: AtomicU32,
    /// Some communicator takes no more collectives.
    closed: AtomicBool,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// What the errors say, by slot.
    texts: BTreeMap<usize, String>,
    /// Communicators that take no more collectives, by id, and what the error says.
    closed: BTreeMap<u64, String>,
    /// Class of all errors, once it is made.
    class: Option<i32>,
    /// All error codes that were made.
    codes: Vec<i32>,
}

impl Raise {
    /// As [`lay::RAISE_VAR`] says; `None` without it, or where the library lacks what is needed.
    pub fn wanted(size: i32) -> Option<Box<Raise>> {
        std::env::var_os(lay::RAISE_VAR)?;
        Some(Box::new(Raise {
            functions: Functions::load()?,
            collectives: one_machine(size),
            asked: [const { AtomicU64::new(0) }; THREADS],
            go: AtomicU32::new(0),
            closed: AtomicBool::new(false),
            kept: Mutex::default(),
        }))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what the monitor has written beside the board: lines `SLOT CALLS TEXT` for calls that are to end, and `closed ID TEXT` for
    /// communicators (`standoff/src/monitor/raise.rs`). Returns when the calls have ended, though not returned, if they can be ended at all.
    pub fn hear(&self, rank: &Rank) {
        let file = rank.path.with_extension(lay::RAISE_FILE);
        let Ok(lines) = std::fs::read_to_string(file) else {
            return;
        };
        let mut slots = Vec::new();
        for line in lines.lines() {
            let mut parts = line.splitn(3, ' ');
            let (Some(what), Some(number), Some(text)) = (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            if what == "closed" {
                self.close(number, text);
            } else if let Some((slot, asked)) = what
                .parse()
                .ok()
                .and_then(|slot: usize| Some((slot, self.asked.get(slot)?)))
            {
                self.kept().texts.insert(slot, text.to_owned());
                asked.store(number + 1, Ordering::Release);
                slots.push(asked);
            }
        }
        let since = Instant::now();
        while since.elapsed() < ENDING && slots.iter().any(|a| a.load(Ordering::Acquire) != 0) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// All calls of this deadlock have ended, on all ranks: they may return.
    pub fn go(&self) {
        self.go.fetch_add(1, Ordering::Release);
    }

    fn close(&self, comm: u64, text: &str) {
        self.kept()
            .closed
            .entry(comm)
            .or_insert_with(|| text.to_owned());
        self.closed.store(true, Ordering::Release);
    }

    /// An error code of our own with this text; `None` if the library has no room for one.
    fn code(&self, text: &str) -> Option<i32> {
        let mut kept = self.kept();
        let f = &self.functions;
        let class = match kept.class {
            Some(class) => class,
            None => *kept.class.insert(f.add_error_class()?),
        };
        let mut end = text.len().min(TEXT);
        if end < text.len() {
            end -= "…".len();
            while !text.is_char_boundary(end) {
                end -= 1;
            }
        }
        let mut cut = text[..end].to_owned();
        if end < text.len() {
            cut.push('…');
        }
        let code = f.add_error_code(class, &cut)?;
        kept.codes.push(code);
        Some(code)
    }

    /// Hands an error to the communicator's handler, which may end the job, and gives it back.
    fn error(&self, comm: usize, code: i32) -> i32 {
        self.functions.call_errhandler(comm, code);
        code
    }
}

/// All ranks of the job run on this machine, as its launcher says. Ranks that would see it otherwise than others cannot be: each counts its own machine's.
fn one_machine(size: i32) -> bool {
    let number = |name: &str| std::env::var(name).ok()?.parse::<i32>().ok();
    let here = number("MPI_LOCALNRANKS").or_else(|| number("OMPI_COMM_WORLD_LOCAL_SIZE"));
    match here {
        Some(here) => here == size,
        None => size == 1 || number("SLURM_STEP_NUM_NODES") == Some(1),
    }
}

/// Whether an error is one that we made: then it is known what the call did.
pub(crate) fn ours(rank: &Rank, rc: i32) -> bool {
    rank.raise
        .as_ref()
        .is_some_and(|raise| rc != SUCCESS && raise.kept().codes.contains(&rc))
}

/// A blocking call in progress that the monitor may end.
///
/// It ends in two steps. First whatever it waits for is withdrawn; only when that is done on all ranks do the calls return. Else the first to return could send, in what
/// its program does then, what another waits for.
pub(crate) struct Endable<'a> {
    rank: &'a Rank,
    raise: &'a Raise,
    slot: usize,
    /// What [`Raise::asked`] says if this call is meant.
    number: u64,
    /// It is ending: what [`Raise::go`] was then.
    ending: Cell<Option<u32>>,
}

impl<'a> Endable<'a> {
    /// The call that this thread has published; `None` without the option.
    #[inline(always)]
    pub fn of(rank: &'a Rank, thread: &ThreadState) -> Option<Endable<'a>> {
        let raise = rank.raise.as_deref()?;
        let slot = thread.slot;
        Some(Endable {
            rank,
            raise,
            slot,
            number: 1 + rank.quiet(|_, b| own(b, slot).calls),
            ending: Cell::new(None),
        })
    }

    /// Whether it is to end: with this error code.
    #[inline(always)]
    pub fn ended(&self) -> Option<i32> {
        let asked = self.raise.asked.get(self.slot)?;
        if asked.load(Ordering::Acquire) != self.number {
            return None;
        }
        // Once: if there is no code to be had, the call goes on.
        let text = self.raise.kept().texts.remove(&self.slot)?;
        let code = self.raise.code(&text)?;
        self.ending.set(Some(self.raise.go.load(Ordering::Acquire)));
        Some(code)
    }

    /// Ends the call, when it has withdrawn what it waited for and all ranks have: gives back its result.
    pub fn error(&self, comm: usize, code: i32) -> i32 {
        if let Some(before) = self.ending.get() {
            self.told();
            let since = Instant::now();
            let mut patience = Patience::default();
            while self.raise.go.load(Ordering::Acquire) == before && since.elapsed() < LONGEST {
                patience.wait();
            }
        }
        self.raise.error(comm, code)
    }

    /// Lets [`Raise::hear`] know.
    fn told(&self) {
        if self.ending.take().is_some()
            && let Some(asked) = self.raise.asked.get(self.slot)
        {
            asked.store(0, Ordering::Release);
        }
    }
}

impl Drop for Endable<'_> {
    /// Also a call that had its message after all has ended.
    fn drop(&mut self) {
        self.told();
    }
}

/// What became of a receive that was to be withdrawn.
pub(crate) enum Withdrawn {
    /// It receives nothing any more.
    Gone,
    /// It had taken its message, with this result.
    Received(i32),
    /// The library does not let it go.
    Stays,
}

/// Withdraws the receive whose request is at this place.
pub(crate) fn withdraw(rank: &Rank, request: P, status: P) -> Withdrawn {
    let Some(raise) = rank.raise.as_deref() else {
        return Withdrawn::Stays;
    };
    let f = &raise.functions;
    let mut own = OwnStatus::new();
    let status = own.or(rank, status);
    f.cancel(request);
    let since = Instant::now();
    let mut patience = Patience::default();
    while since.elapsed() < WITHDRAWAL {
        let (rc, done) = f.test_at(request, status);
        if done && rc == SUCCESS && !f.cancelled(status) {
            return Withdrawn::Received(rc);
        }
        if done || rc != SUCCESS {
            return Withdrawn::Gone;
        }
        patience.wait();
    }
    Withdrawn::Stays
}

/// `MPI_Recv`.
pub(crate) fn recv(call: &Endable<'_>, receive: &Receive, comm: usize) -> i32 {
    let f = &call.raise.functions;
    let mut request = call.rank.abi.request_null;
    let rc = f.irecv(receive, comm, (&raw mut request).cast());
    if rc != SUCCESS {
        return rc;
    }
    let mut patience = Patience::default();
    loop {
        let (rc, done) = f.test(&mut request, receive.status);
        if rc != SUCCESS || done {
            return rc;
        }
        if let Some(code) = call.ended() {
            let request = (&raw mut request).cast();
            return match withdraw(call.rank, request, receive.status) {
                Withdrawn::Received(rc) => rc,
                _ => call.error(comm, code),
            };
        }
        patience.wait();
    }
}

/// `MPI_Probe`, and `MPI_Mprobe` with a place for its message.
pub(crate) fn probe(
    call: &Endable<'_>,
    (source, tag): (i32, i32),
    comm: usize,
    message: Option<P>,
    status: P,
) -> i32 {
    let f = &call.raise.functions;
    match polled(call, || f.probe(source, tag, comm, message, status)) {
        Ok(rc) => rc,
        Err(code) => call.error(comm, code),
    }
}

/// Polls until something is there or the call fails; an error if it is ended.
fn polled(call: &Endable<'_>, mut poll: impl FnMut() -> (i32, bool)) -> Result<i32, i32> {
    let mut patience = Patience::default();
    loop {
        let (rc, done) = poll();
        if rc != SUCCESS || done {
            return Ok(rc);
        }
        if let Some(code) = call.ended() {
            return Err(code);
        }
        patience.wait();
    }
}

/// The communicator of the first request that a wait has published.
pub(crate) fn comm_of(rank: &Rank, thread: &ThreadState) -> usize {
    let of = |s: &mut State, b: &mut Board| {
        let (_, o) = thread.waits.first()?;
        let c = b.ops.get(*o as usize)?.comm.checked_sub(1)?;
        s.comms.key_of(c)
    };
    rank.quiet(of).map_or(rank.abi.comm_world, |c| c as usize)
}

/// A blocking collective, which `start` begins as a nonblocking one. `thread`: none if it has no slot, and cannot be meant. `None`: collectives are left to the
/// library.
pub(crate) fn collective(
    rank: &Rank,
    thread: Option<&ThreadState>,
    comm: usize,
    start: impl FnOnce(P) -> i32,
) -> Option<i32> {
    let raise = rank.raise.as_deref().filter(|raise| raise.collectives)?;
    let f = &raise.functions;
    let ignore = rank.abi.status_ignore as P;
    let mut request = rank.abi.request_null;
    let rc = start((&raw mut request).cast());
    if rc != SUCCESS {
        return Some(rc);
    }
    let call = thread.and_then(|thread| Endable::of(rank, thread));
    let mut patience = Patience::default();
    loop {
        let (rc, done) = f.test(&mut request, ignore);
        if rc != SUCCESS || done {
            return Some(rc);
        }
        if let Some(call) = &call
            && let Some(code) = call.ended()
        {
            // The monitor has told all ranks to close the communicator.
            return Some(call.error(comm, code));
        }
        patience.wait();
    }
}

/// `MPI_Comm_dup`, as a nonblocking one; `None` as for [`collective`].
pub(crate) fn dup(rank: &Rank, thread: &ThreadState, comm: usize, newcomm: P) -> Option<i32> {
    let raise = rank.raise.as_deref()?;
    // The library may write it whenever it gets on, also after the call was given up.
    let place: P = Box::into_raw(Box::new(0usize)).cast();
    let start = |request| raise.functions.idup(comm, place, request);
    let rc = collective(rank, Some(thread), comm, start);
    if rc == Some(SUCCESS) {
        // SAFETY: ours, filled in by a successful call; the program gives room for a handle.
        unsafe {
            rank.abi
                .set_handle(newcomm, 0, rank.abi.handle_at(place, 0));
            drop(Box::from_raw(place.cast::<usize>()));
        }
    }
    rc
}

/// The error of a collective on a communicator that takes no more of them.
#[inline(always)]
pub(crate) fn closed(rank: &Rank, comm: usize) -> Option<i32> {
    let raise = rank.raise.as_deref()?;
    if !raise.closed.load(Ordering::Acquire) {
        return None;
    }
    refusal(rank, raise, comm)
}

#[cold]
fn refusal(rank: &Rank, raise: &Raise, comm: usize) -> Option<i32> {
    let id = rank.quiet(|s, b| {
        let c = s.comm(rank.abi.handle(comm))?;
        Some(b.comms.get(c as usize)?.id)
    })?;
    let text = raise.kept().closed.get(&id).cloned()?;
    Some(raise.error(comm, raise.code(&text)?))
}
