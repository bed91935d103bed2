//! Collectives in forced runs: nobody leaves before all have come, or each member leaves as soon as its data is there.
//!
//! The first needs a barrier beside the collective (for a nonblocking one `MPI_Ibarrier`, as a companion of the program's
//! request). For the second, the data goes by messages on a communicator of our own, made when the program's was.

use super::companion::{Companion, Then};
use super::exchange::complete_at_once;
use super::force::{Reading, Tells, forced};
use super::{Data, Parts};
use crate::P;
use crate::hooks::SUCCESS;
use crate::hooks::groups::library;
use crate::rank::Rank;
use standoff_board::layout::Op;

/// Tags on our own communicators: two for each collective, in turn.
const TAGS: u64 = 16_000;

/// The members of a collective, and the communicator for our messages.
#[derive(Clone, Copy)]
pub(super) struct Members {
    pub comm: usize,
    pub me: i32,
    pub size: i32,
    pub root: i32,
    tag: i32,
}

/// Messages that are on their way.
#[derive(Default)]
pub(super) struct Post(Vec<(usize, Vec<u8>)>);

impl Members {
    fn new(comm: usize, root: i32, seq: u64) -> Option<Members> {
        let rank = library!(c"PMPI_Comm_rank", fn(usize, *mut i32))?;
        let count = library!(c"PMPI_Comm_size", fn(usize, *mut i32))?;
        let (mut me, mut size) = (0i32, 0i32);
        // SAFETY: MPI's signatures, a live communicator.
        let rc = unsafe { rank(comm, &raw mut me) | count(comm, &raw mut size) };
        (rc == SUCCESS).then_some(Members {
            comm,
            me,
            size,
            root,
            tag: (2 * (seq % TAGS)) as i32,
        })
    }

    /// Receives a piece.
    pub fn receive(&self, rank: &Rank, data: Data, from: i32) -> Option<i32> {
        data.recv(from, self.tag, self.comm, rank.abi.status_ignore as P)
    }

    /// Copies from one of the program's buffers to another, whatever their types.
    pub fn copy(&self, rank: &Rank, from: Data, to: Data) -> Option<i32> {
        let mut copy = from.packed(self.comm)?;
        let wait = library!(c"PMPI_Wait", fn(P, P))?;
        let mut request = rank.abi.request_null;
        let packed = Data::of_packed(&rank.abi, &mut copy);
        let mut rc = packed.isend(self.me, self.tag, self.comm, (&raw mut request).cast())?;
        rc |= self.receive(rank, to, self.me)?;
        // SAFETY: MPI's signature, the request made above.
        rc |= unsafe { wait((&raw mut request).cast(), rank.abi.status_ignore as P) };
        Some(rc)
    }

    /// Begins to receive a piece.
    pub fn expect(&self, rank: &Rank, data: Data, from: i32, into: &mut Companion) -> Option<i32> {
        let mut request = rank.abi.request_null;
        let rc = data.irecv(from, self.tag, self.comm, (&raw mut request).cast())?;
        into.requests.push(request);
        Some(rc)
    }

    /// Tells those who stay that this member has come, and if it stays lets it wait for all others.
    fn gather(
        &self,
        rank: &Rank,
        stay: &[u32],
        post: &mut Post,
        companion: &mut Companion,
    ) -> Option<()> {
        let here = Members {
            tag: self.tag + 1,
            ..*self
        };
        let stays = |i: i32| stay.contains(&(i as u32));
        let others = (0..self.size).filter(|i| *i != self.me);
        for i in others.clone().filter(|i| stays(*i)) {
            post.send(rank, &here, i, Vec::new())?;
        }
        for i in others.filter(|_| stays(self.me)) {
            here.expect(rank, Data::of_packed(&rank.abi, &mut []), i, companion)?;
        }
        Some(())
    }
}

impl Post {
    /// Sends bytes that were packed.
    pub fn send(
        &mut self,
        rank: &Rank,
        group: &Members,
        to: i32,
        mut bytes: Vec<u8>,
    ) -> Option<()> {
        let mut request = rank.abi.request_null;
        let data = Data::of_packed(&rank.abi, &mut bytes);
        let rc = data.isend(to, group.tag, group.comm, (&raw mut request).cast())?;
        self.0.push((request, bytes));
        (rc == SUCCESS).then_some(())
    }

    fn keep(self, rank: &Rank) {
        forced(rank, |_, _, forced| {
            forced.pending.extend(self.0);
            Some(())
        });
    }
}

/// How the members of a collective are to leave it; `None`: as they do.
#[inline(always)]
pub(crate) fn reading(rank: &Rank, o: &Op) -> Option<Reading> {
    forced(rank, |_, b, forced| {
        let comm = b.comms.get(o.comm.checked_sub(1)? as usize)?.id;
        forced.reading(comm, o.seq)
    })
}

/// Makes a communicator of our own beside a new one of the program's, if it will be needed. All members call this.
pub(crate) fn shadow(rank: &Rank, handle: usize) {
    let id = forced(rank, |s, b, forced| {
        let c = b.comms.get(s.comm(rank.abi.handle(handle))? as usize)?;
        (c.inter == 0 && forced.needs_shadow(c.id)).then_some(c.id)
    });
    let (Some(id), Some(dup)) = (id, library!(c"PMPI_Comm_dup", fn(usize, P))) else {
        return;
    };
    let mut made = rank.abi.comm_null;
    // SAFETY: MPI's signature; room for a handle of either size.
    if unsafe { dup(handle, (&raw mut made).cast()) } == SUCCESS {
        forced(rank, |_, _, forced| forced.shadows.insert(id, made));
    }
}

/// A barrier beside a collective that is to let nobody go before all have come.
pub(crate) fn meet(comm: usize) {
    if let Some(barrier) = library!(c"PMPI_Barrier", fn(usize)) {
        // SAFETY: MPI's signature; all members do the same beside the same collective.
        unsafe { barrier(comm) };
    }
}

/// The same beside a nonblocking collective: its request must complete no earlier than the barrier.
pub(crate) fn beside(rank: &Rank, comm: usize) -> Option<Companion> {
    let barrier = library!(c"PMPI_Ibarrier", fn(usize, P))?;
    let mut request = rank.abi.request_null;
    // SAFETY: MPI's signature; all members do the same beside the same collective.
    let rc = unsafe { barrier(comm, (&raw mut request).cast()) };
    (rc == SUCCESS).then(|| Companion::of(request))
}

/// As [`shadow`], beside a communicator that `MPI_Comm_idup` makes.
pub(crate) fn shadow_later(rank: &Rank, parent: usize, id: u64) -> Option<Companion> {
    forced(rank, |_, _, forced| forced.needs_shadow(id).then_some(()))?;
    let dup = library!(c"PMPI_Comm_idup", fn(usize, P, P))?;
    let mut request = rank.abi.request_null;
    let mut made = Box::new(rank.abi.comm_null);
    let place = (&raw mut *made).cast();
    // SAFETY: MPI's signature; room for a handle of either size, which stays until the request is complete.
    let rc = unsafe { dup(parent, place, (&raw mut request).cast()) };
    let then = Then::Shadow { id, made };
    (rc == SUCCESS).then(|| Companion {
        then,
        ..Companion::of(request)
    })
}

/// A collective in progress: for [`early`].
pub(crate) struct Instance<'a> {
    pub o: &'a Op,
    pub root: i32,
    pub stay: &'a [u32],
}

impl Instance<'_> {
    fn members(&self, rank: &Rank) -> Option<Members> {
        let comm = forced(rank, |_, b, forced| {
            let id = b.comms.get(self.o.comm.checked_sub(1)? as usize)?.id;
            forced.shadows.get(&id).copied()
        })?;
        Members::new(comm, self.root, self.o.seq)
    }

    /// Begins the collective by messages of our own. What has to come before this member may leave.
    fn begin(&self, rank: &Rank, parts: Parts) -> Option<(i32, Companion)> {
        let group = self.members(rank)?;
        let mut post = Post::default();
        let begun = parts.begin(rank, &group, &mut post);
        let begun = begun.and_then(|(rc, mut companion)| {
            group.gather(rank, self.stay, &mut post, &mut companion)?;
            Some((rc, companion))
        });
        post.keep(rank);
        begun
    }
}

/// Does a blocking collective by messages of our own. `None`: it cannot be done so.
pub(crate) fn early(rank: &Rank, instance: &Instance<'_>, parts: Parts) -> Option<i32> {
    let (rc, companion) = instance.begin(rank, parts)?;
    Some(rc | companion.finish(rank)?)
}

/// Begins a nonblocking one. Its request completes at once, but for the companion.
pub(crate) fn early_request(
    rank: &Rank,
    instance: &Instance<'_>,
    parts: Parts,
    request: P,
) -> Option<(i32, Companion)> {
    let comm = instance.members(rank)?.comm;
    let (rc, companion) = instance.begin(rank, parts)?;
    let made = complete_at_once(rank, comm, request)?;
    Some((rc | made, companion))
}

/// `MPI_Testany` (or `MPI_Testsome` that tells one at most) without the requests at positions that are held; whether it found one is in `found`.
#[allow(clippy::too_many_arguments)] // MPI's
pub(crate) fn masked(
    rank: &Rank,
    held: &[u32],
    n: i32,
    requests: P,
    tells: Tells,
    status: P,
    found: &mut bool,
) -> Option<i32> {
    let test = library!(c"PMPI_Testany", fn(i32, P, *mut i32, *mut i32, P))?;
    let size = if rank.abi.small_handles { 4 } else { 8 };
    let bytes = n.max(0) as usize * size;
    let mut copy = vec![0u64; bytes / 8 + 1];
    let null = rank.abi.request_null.to_le_bytes();
    let (mut index, mut done) = (-1i32, 0i32);
    // SAFETY: the program gives `n` handles of this size; positions are below `n`; MPI's signature.
    let rc = unsafe {
        let to = copy.as_mut_ptr().cast::<u8>();
        core::ptr::copy_nonoverlapping(requests.cast::<u8>(), to, bytes);
        for &position in held {
            to.add(position as usize * size)
                .copy_from(null.as_ptr(), size);
        }
        let rc = test(n, to.cast(), &raw mut index, &raw mut done, status);
        if let Ok(index) = usize::try_from(index) {
            let at = requests.cast::<u8>().add(index * size);
            at.copy_from(to.add(index * size), size);
        }
        rc
    };
    *found = done != 0 && index >= 0;
    let told = [index as u32];
    tells.put(rank, if *found { &told } else { &[] });
    Some(rc)
}

/// Requests of our own, with what they send.
pub(crate) type Ours = Vec<(usize, Vec<u8>)>;

/// Takes what is ours and not complete out of a recording that is about to end.
pub(crate) fn ours(rank: &Rank) -> Ours {
    let all = forced(rank, |_, _, forced| {
        let pending = std::mem::take(&mut forced.pending);
        let beside = forced.companions.drain();
        let beside = beside.flat_map(|c| c.1.into_requests());
        let beside = beside.map(|request| (request, Vec::new()));
        Some(pending.into_iter().chain(beside).collect())
    });
    all.unwrap_or_default()
}

/// Before `MPI_Finalize`: waits until it is complete.
pub(crate) fn finish(rank: &Rank, ours: Ours) {
    let Some(wait) = library!(c"PMPI_Wait", fn(P, P)) else {
        return;
    };
    for (mut request, content) in ours {
        // SAFETY: MPI's signature, a request of our own.
        unsafe { wait((&raw mut request).cast(), rank.abi.status_ignore as P) };
        drop(content);
    }
}
