//! Making, naming and freeing communicators.
//!
//! Identities agree on all members without a message: what the members have in common — the parent and how many were made
//! from it, or the groups and the tag and how many were made so — is hashed together with the members themselves.

use super::collective::begin;
use super::groups::{group_of, library, put_group};
use super::{NO_ROOT, SUCCESS, block, failed, note, registers, thread_or, topology, unblock};
use crate::P;
use crate::guard::Call;
use crate::place::passed;
use crate::raise;
use crate::rank::{Rank, State, put_text, taint};
use crate::record::{self, Reading};
use core::ffi::c_void;
use core::sync::atomic::Ordering;
use standoff_board::layout::{Board, COMMS, Comm, Group, Op, collective as coll, wait};

/// Identity of `MPI_COMM_WORLD` on every rank.
pub(crate) const WORLD_ID: u64 = 1;

/// One step of FNV-1a over 64-bit words, finished by a multiplication that spreads the upper bits.
fn hash(words: impl IntoIterator<Item = u64>) -> u64 {
    let h = words.into_iter().fold(0xcbf2_9ce4_8422_2325u64, |h, w| {
        (h ^ w).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29)
    });
    let h = (h ^ (h >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    // Small numbers are the predefined ones.
    (h ^ (h >> 32)) | 1 << 63
}

/// Freed communicators that are remembered, while there is room: others may still receive what was sent on them. Each more that a program
/// makes and frees would cost it memory.
const KEPT: usize = 128;

/// A communicator to enter in the tables.
pub(crate) struct New<'a> {
    pub handle: usize,
    pub id: u64,
    pub rank: u32,
    pub group: Option<&'a [u32]>,
    pub remote: Option<&'a [u32]>,
    pub inter: bool,
    pub name: &'a str,
}

/// Enters a communicator.
pub(crate) fn enter(s: &mut State, b: &mut Board, new: &New<'_>) {
    let again = (s.ghosts.len() >= KEPT).then(|| give_up(s, b)).flatten();
    let room = (b.header.comms_used as usize) < COMMS;
    let i = match again.or_else(|| if room { None } else { give_up(s, b) }) {
        Some(i) => i,
        None if room => {
            b.header.comms_used += 1;
            b.header.comms_used - 1
        }
        None => return taint(b, "more communicators than standoff follows"),
    };
    let group = put_group(s, b, new.group);
    let remote = if new.inter {
        put_group(s, b, new.remote)
    } else {
        Group::default()
    };
    let c: &mut Comm = &mut b.comms[i as usize];
    *c = Comm {
        id: new.id,
        collectives: 0,
        folded: 0,
        agreed: 0,
        unclear: 0,
        children: 0,
        rank: new.rank,
        inter: u32::from(new.inter),
        freed: 0,
        private: 0,
        group,
        remote,
        sources: [0, u32::MAX],
        destinations: [0, u32::MAX],
        name: [0; 48],
        history: [Default::default(); standoff_board::layout::HISTORY],
    };
    put_text(&mut c.name, new.name);
    s.changed();
    if !s.comms.set(new.handle as u64, i) {
        taint(b, "more communicators than standoff follows");
    }
}

/// Everything about a new communicator that the library tells, and its entry.
fn register(
    rank: &Rank,
    handle: usize,
    id: impl FnOnce(&mut State, &[u32], &[u32]) -> Option<u64>,
    name: &str,
) {
    let world = rank.quiet(|s, _| s.world_group);
    let (mut inter, mut me) = (0i32, 0i32);
    let facts = (|| {
        let test_inter = library!(c"PMPI_Comm_test_inter", fn(usize, *mut i32))?;
        let my_rank = library!(c"PMPI_Comm_rank", fn(usize, *mut i32))?;
        // SAFETY: MPI's signatures, a live communicator.
        let ok = unsafe {
            test_inter(handle, &raw mut inter) == SUCCESS && my_rank(handle, &raw mut me) == SUCCESS
        };
        ok.then_some(())
    })();
    let local = facts.and_then(|()| group_of(rank, world, handle, false));
    let remote = if inter != 0 {
        group_of(rank, world, handle, true)
    } else {
        Some(Vec::new())
    };
    rank.change(|s, b| {
        let id = match (&local, &remote) {
            (Some(l), Some(r)) => id(s, l, r),
            _ => None,
        };
        match id {
            Some(id) => enter(
                s,
                b,
                &New {
                    handle,
                    id,
                    rank: me as u32,
                    group: local.as_deref(),
                    remote: remote.as_deref(),
                    inter: inter != 0,
                    name,
                },
            ),
            None => taint(b, "a communicator whose members standoff could not learn"),
        }
    });
    record::shadow(rank, handle);
}

/// Identity under a key that all members share: the key, how many were made under it, and the members.
fn keyed(s: &mut State, key: u64, local: &[u32], remote: &[u32]) -> Option<u64> {
    // The sides of an intercommunicator know the two groups in opposite roles.
    let (a, b) = if remote.is_empty() || local <= remote {
        (local, remote)
    } else {
        (remote, local)
    };
    let base = hash(
        [key, u64::MAX]
            .into_iter()
            .chain(a.iter().map(|r| u64::from(*r)))
            .chain([u64::MAX])
            .chain(b.iter().map(|r| u64::from(*r))),
    );
    if s.keys.len() > 1 << 16 && !s.keys.contains_key(&base) {
        return None;
    }
    let n = s.keys.entry(base).or_insert(0);
    *n += 1;
    Some(hash([base, *n]))
}

/// Identity of the next communicator made from a parent.
fn child(id: u64, number: u64, local: &[u32], remote: &[u32]) -> u64 {
    let (a, b) = if remote.is_empty() || local <= remote {
        (local, remote)
    } else {
        (remote, local)
    };
    hash(
        [id, number]
            .into_iter()
            .chain(a.iter().map(|r| u64::from(*r)))
            .chain([u64::MAX])
            .chain(b.iter().map(|r| u64::from(*r))),
    )
}

/// Whether mpi4py duplicates for itself: it calls from its own library and keeps the interpreter lock, which it gives back for what a program
/// asks of it (`comm.Dup()`).
fn private(call: &Call) -> bool {
    if !call.rank.is_python || call.caller == 0 || !crate::python::holds_lock() {
        return false;
    }
    // SAFETY: plain data, for which zeroes are a value; dladdr fills it in, and its text lives as long as the library.
    unsafe {
        let mut found: libc::Dl_info = core::mem::zeroed();
        libc::dladdr(call.caller as *const c_void, &raw mut found) != 0
            && !found.dli_fname.is_null()
            && core::ffi::CStr::from_ptr(found.dli_fname)
                .to_string_lossy()
                .contains("/mpi4py/MPI.")
    }
}

/// Name to show for a communicator made from another.
fn derived(kind: u8, parent: &str) -> String {
    let how = match kind {
        coll::COMM_DUP | coll::COMM_DUP_WITH_INFO => "dup",
        coll::COMM_SPLIT | coll::COMM_SPLIT_TYPE => "split",
        coll::COMM_CREATE | coll::COMM_CREATE_GROUP => "subgroup",
        coll::CART_CREATE => "Cartesian topology",
        coll::CART_SUB => "slice",
        coll::INTERCOMM_MERGE => "merge",
        _ => "topology",
    };
    format!("{how} of {parent}")
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// A collective over `comm` that makes a communicator from it.
pub(crate) fn create(
    call: Call,
    kind: u8,
    data: bool,
    comm: usize,
    newcomm: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rank = call.rank;
    if let Some(rc) = raise::closed(rank, comm) {
        return rc;
    }
    let thread = thread_or!(call, real());
    note(rank, thread);
    let regs = registers();
    let mut o = Op::default();
    let parent = rank.change(|s, b| {
        o = begin(&call, thread, s, b, kind, NO_ROOT, data, true, comm);
        block(b, thread.slot, call.function, &[o], regs);
        let c = b.comms.get_mut(o.comm.checked_sub(1)? as usize)?;
        c.children += 1;
        Some((c.id, c.children, text(&c.name)))
    });
    let dup = match kind {
        coll::COMM_DUP => raise::dup(rank, thread, comm, newcomm),
        _ => None,
    };
    let rc = dup.unwrap_or_else(real);
    if record::reading(rank, &o) == Some(Reading::Meet) && rc == SUCCESS {
        record::meet(comm);
    }
    rank.change(|s, b| {
        if s.recorder.is_some() && rc == SUCCESS {
            s.record_collective(b, thread.slot, &o, data, None, None, None);
        }
        unblock(b, thread.slot);
    });
    if rc != SUCCESS {
        failed(rank, rc);
        return rc;
    }
    // SAFETY: a successful call has stored a handle there.
    let handle = unsafe { rank.abi.handle_at(newcomm, 0) };
    if let (Some((id, number, name)), true) = (parent, handle != rank.abi.comm_null) {
        register(
            rank,
            handle,
            |_, l, r| Some(child(id, number, l, r)),
            &derived(kind, &name),
        );
        if kind == coll::COMM_DUP && private(&call) {
            rank.change(|s, b| {
                let c = s.comm(handle).and_then(|i| b.comms.get_mut(i as usize));
                if let Some(c) = c {
                    c.private = 1;
                }
            });
        }
        if let Some(n) = topology::neighbours(kind, handle) {
            rank.change(|s, b| {
                if let Some(i) = s.comm(handle) {
                    topology::put(s, b, i, &n);
                }
            });
        }
    }
    rc
}

/// `MPI_Comm_idup`: the communicator is there when the request is done.
pub(crate) fn idup(
    call: Call,
    kind: u8,
    comm: usize,
    newcomm: P,
    request: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rank = call.rank;
    if let Some(rc) = raise::closed(rank, comm) {
        return rc;
    }
    let thread = thread_or!(call, real());
    let (o, parent) = rank.change(|s, b| {
        let o = begin(&call, thread, s, b, kind, NO_ROOT, true, false, comm);
        let parent = o
            .comm
            .checked_sub(1)
            .and_then(|c| b.comms.get_mut(c as usize))
            .map(|c| {
                c.children += 1;
                (c.id, c.children)
            });
        (o, parent)
    });
    let rc = real();
    let mut order = None;
    if let (Some(i), Some((id, number))) = (super::request::add(&call, request, rc, o), parent) {
        rank.change(|s, b| {
            s.later.insert(i, (newcomm as usize, id, number));
            if s.recorder.is_some() {
                order = Some(b.ops[i as usize].order);
                s.record_collective(b, thread.slot, &o, true, order, None, None);
            }
        });
    }
    let companion = match record::reading(rank, &o) {
        _ if rc != SUCCESS => None,
        Some(Reading::Meet) => record::beside(rank, comm),
        _ => None,
    };
    if let Some(companion) = companion {
        record::accompany(rank, order, companion);
    }
    if let (Some((id, number)), SUCCESS) = (parent, rc)
        && let Some(shadow) = shadow_later(rank, comm, id, number)
    {
        record::accompany(rank, order, shadow);
    }
    rc
}

/// In a forced run: the communicator of our own beside the one that `MPI_Comm_idup` makes of `comm`.
fn shadow_later(rank: &Rank, comm: usize, id: u64, number: u64) -> Option<record::Companion> {
    if !rank.records() {
        return None;
    }
    let world = rank.quiet(|s, _| s.world_group);
    let local = group_of(rank, world, comm, false)?;
    record::shadow_later(rank, comm, child(id, number, &local, &[]))
}

/// A nonblocking collective is done: if it made a communicator, that is there now.
#[cold]
pub(crate) fn arrived(rank: &Rank, s: &mut State, b: &mut Board, o: u32) {
    let Some((at, id, number)) = s.later.remove(&o) else {
        return;
    };
    // SAFETY: the program must keep the place for the handle until the request is done.
    let handle = unsafe { rank.abi.handle_at(at as *const c_void, 0) };
    let local = group_of(rank, s.world_group, handle, false);
    let mut me = 0i32;
    if let Some(my_rank) = library!(c"PMPI_Comm_rank", fn(usize, *mut i32)) {
        // SAFETY: MPI's signature, a live communicator.
        unsafe { my_rank(handle, &raw mut me) };
    }
    match local {
        Some(l) => {
            let id = child(id, number, &l, &[]);
            enter(
                s,
                b,
                &New {
                    handle,
                    id,
                    rank: me as u32,
                    group: Some(&l),
                    remote: None,
                    inter: false,
                    name: "dup",
                },
            );
        }
        None => taint(b, "a communicator whose members standoff could not learn"),
    }
}

/// `MPI_Comm_create_group`: collective over the group only.
pub(crate) fn create_group(
    call: Call,
    comm: usize,
    group: usize,
    tag: i32,
    newcomm: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    let rank = call.rank;
    let parent = rank.quiet(|s, b| {
        let c = b.comms.get(s.comm(rank.abi.handle(comm))? as usize)?;
        Some((c.id, text(&c.name)))
    });
    let world = rank.quiet(|s, _| s.world_group);
    let members = super::groups::members(world, rank.abi.handle(group));
    let key = parent
        .as_ref()
        .map_or(0, |parent| hash([parent.0, tag as u64]));
    let group = rank.quiet(|s, b| put_group(s, b, members.as_deref()));
    let kind = coll::COMM_CREATE_GROUP;
    let some = Some((key, group));
    let rc = apart(call, kind, comm, some, newcomm, real, |s, l, r| {
        parent.as_ref()?;
        keyed(s, key, l, r)
    });
    if group.stride == Group::LISTED {
        rank.quiet(|s, _| s.arena.give(group.first, group.len));
    }
    rc
}

/// `MPI_Intercomm_create`: collective over two groups that meet.
pub(crate) fn intercomm_create(
    call: Call,
    local: usize,
    tag: i32,
    newcomm: P,
    real: impl FnOnce() -> i32,
) -> i32 {
    apart(
        call,
        coll::INTERCOMM_CREATE,
        local,
        None,
        newcomm,
        real,
        |s, l, r| keyed(s, hash([7, tag as u64]), l, r),
    )
}

/// A communicator made by some members of `comm` (a key on which they agree, and who they are) apart from the order of its collectives.
fn apart(
    call: Call,
    kind: u8,
    comm: usize,
    some: Option<(u64, Group)>,
    newcomm: P,
    real: impl FnOnce() -> i32,
    id: impl FnOnce(&mut State, &[u32], &[u32]) -> Option<u64>,
) -> i32 {
    use standoff_board::layout::{Envelope, flag, op, root};
    let rank = call.rank;
    let thread = thread_or!(call, real());
    note(rank, thread);
    let regs = registers();
    let o = rank.change(|s, b| {
        s.order += 1;
        let comm = s.comm(rank.abi.handle(comm)).map_or(0, |c| c + 1);
        let o = Op {
            order: s.order,
            comm,
            peer: root::NONE,
            kind: op::COLLECTIVE,
            collective: kind,
            flags: flag::BLOCKING,
            place: passed(
                &call,
                b,
                thread,
                Envelope {
                    comm,
                    peer: root::NONE,
                    tag: 0,
                },
            ),
            ..Op::default()
        };
        let o = match some {
            Some((seq, group)) => Op { seq, ..o }.of_members(group),
            None => o,
        };
        block(b, thread.slot, call.function, &[o], regs);
        o
    });
    let rc = real();
    rank.change(|_, b| unblock(b, thread.slot));
    if rc != SUCCESS {
        failed(rank, rc);
        return rc;
    }
    // SAFETY: a successful call has stored a handle there.
    let handle = unsafe { rank.abi.handle_at(newcomm, 0) };
    if handle != rank.abi.comm_null {
        let name = if kind == coll::INTERCOMM_CREATE {
            "intercommunicator"
        } else {
            "subgroup"
        };
        register(rank, handle, id, name);
        rank.change(|s, b| {
            let made = s.comm(handle).map(|i| i + 1);
            if s.recorder.is_some() && made.is_some() {
                s.record_collective(b, thread.slot, &o, true, None, made, None);
            }
        });
    }
    rc
}

/// `MPI_Comm_free` and `MPI_Comm_disconnect`.
///
/// The entry goes before the real call, since the library may give the handle out again at once.
pub(crate) fn free(call: Call, kind: u8, comm: P, real: impl FnOnce() -> i32) -> i32 {
    let rank = call.rank;
    let thread = thread_or!(call, real());
    note(rank, thread);
    let regs = registers();
    // SAFETY: the program gives a communicator.
    let handle = unsafe { rank.abi.handle_at(comm, 0) };
    let callbacks = crate::guard::CALLBACKS.load(Ordering::Relaxed);
    let mut o = Op::default();
    let i = rank.change(|s, b| {
        o = begin(&call, thread, s, b, kind, NO_ROOT, false, true, handle);
        block(b, thread.slot, call.function, &[o], regs);
        if callbacks && let Some(t) = b.threads.get_mut(thread.slot) {
            // The library may be running one.
            t.wait = wait::OPAQUE;
        }
        let i = o.comm.checked_sub(1)?;
        s.comms.remove(handle as u64);
        s.changed();
        Some(i)
    });
    if record::reading(rank, &o) == Some(Reading::Meet) {
        record::meet(handle);
    }
    let rc = real();
    if rc != SUCCESS {
        failed(rank, rc);
    }
    rank.change(|s, b| {
        if s.recorder.is_some() && rc == SUCCESS {
            s.record_collective(b, thread.slot, &o, false, None, None, None);
        }
        unblock(b, thread.slot);
        let Some(i) = i else { return };
        if let Some(c) = b.comms.get_mut(i as usize) {
            c.freed = 1;
        }
        s.ghosts.push_back(i);
    });
    rc
}

/// Gives up the communicator that was freed longest ago: its entry, for reuse.
///
/// Partners that still wait on it cannot tell any more what was sent, so they count as able to act.
pub(crate) fn give_up(s: &mut State, b: &mut Board) -> Option<u32> {
    let i = s.ghosts.pop_front()?;
    // Requests still pending on it complete as ones of an unknown communicator.
    let used = b.header.ops_used as usize;
    for o in b.ops.iter_mut().take(used).filter(|o| o.comm == i + 1) {
        o.comm = 0;
    }
    s.close_channels(b, i);
    let c = b.comms.get_mut(i as usize)?;
    c.id = 0;
    for g in [c.group, c.remote] {
        if g.stride == Group::LISTED {
            s.arena.give(g.first, g.len);
        }
    }
    topology::release(s, [c.sources, c.destinations]);
    Some(i)
}

/// `MPI_Comm_set_name`.
pub(crate) fn set_name(call: Call, comm: usize, name: P, real: impl FnOnce() -> i32) -> i32 {
    let rank = call.rank;
    // SAFETY: the program gives a C string.
    let name = unsafe { core::ffi::CStr::from_ptr(name.cast()) }
        .to_string_lossy()
        .into_owned();
    rank.change(|s, b| {
        if let Some(c) = s
            .comm(rank.abi.handle(comm))
            .and_then(|c| b.comms.get_mut(c as usize))
        {
            put_text(&mut c.name, &name);
        }
    });
    real()
}
