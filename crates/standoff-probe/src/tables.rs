//! What a rank knows beside its board: where things are on it, and what is counted there. Changed in one section with the board
//! ([`crate::rank::Rank::change`]).

use crate::map::Map;
use crate::rank::taint;
use core::cell::Cell;
use standoff_board::layout::{self as lay, Board, Channel, Op};
use std::collections::{HashMap, VecDeque};

/// Handles of requests of `MPI_PROC_NULL` that are remembered.
const NULLS: usize = 4;
/// Persistent collectives that are remembered after they were freed.
const RETIRED: usize = 64;

/// What only the rank itself needs to know. The maps lead from handles and keys to indices on the board.
pub(crate) struct State {
    pub comms: Map,
    pub sent: Map,
    pub received: Map,
    pub ops: Map,
    /// What was last looked up in `comms`, `sent` and `received`: most messages go the way of the one before.
    pub recent: Recent,
    /// Freed communicators, oldest first: given up for new ones when room is short.
    pub ghosts: VecDeque<u32>,
    pub free_sent: Vec<u32>,
    pub free_received: Vec<u32>,
    pub free_ops: Vec<u32>,
    /// Persistent collectives that were freed, oldest first: given up for new operations when room is short.
    pub retired: VecDeque<u32>,
    /// Handles of pending operations by index (0: none).
    pub handles: Box<[usize]>,
    /// Where `MPI_Comm_idup` will have put its communicator, by index of the operation.
    pub later: HashMap<u32, (usize, u64, u64)>,
    /// Handles that requests to or from `MPI_PROC_NULL` got: libraries give the same for all, of one that is always complete.
    pub nulls: Vec<usize>,
    pub order: u64,
    /// How many communicators were made under each key (see `hooks::comm`).
    pub keys: HashMap<u64, u64>,
    pub arena: crate::hooks::groups::Arena,
    /// `MPI_Comm_group` of the world, kept for translation.
    pub world_group: usize,
    pub self_attrs: u32,
    /// For `standoff check`.
    pub recorder: Option<Box<crate::record::Recorder>>,
    /// What datatypes are.
    pub types: crate::record::Types,
}

/// The last answers of the maps: key and index. Forgotten ([`State::changed`]) whenever an entry of the three maps goes or is replaced.
pub(crate) struct Recent {
    comm: Cell<(u64, u32)>,
    sent: (u64, u32),
    received: (u64, u32),
}

impl Recent {
    /// Of no handle and no channel.
    const NONE: (u64, u32) = (u64::MAX, 0);

    const fn new() -> Recent {
        Recent {
            comm: Cell::new(Recent::NONE),
            sent: Recent::NONE,
            received: Recent::NONE,
        }
    }
}

impl State {
    /// Of a rank that has not communicated.
    pub fn new(world_group: usize) -> State {
        State {
            comms: Map::new(4 * lay::COMMS),
            sent: Map::new(4 * lay::CHANNELS),
            received: Map::new(4 * lay::CHANNELS),
            ops: Map::new(4 * lay::OPS),
            recent: Recent::new(),
            ghosts: VecDeque::with_capacity(lay::COMMS),
            free_sent: Vec::with_capacity(lay::CHANNELS),
            free_received: Vec::with_capacity(lay::CHANNELS),
            free_ops: Vec::with_capacity(lay::OPS),
            retired: VecDeque::with_capacity(RETIRED + 1),
            handles: vec![0; lay::OPS].into_boxed_slice(),
            later: HashMap::new(),
            nulls: Vec::with_capacity(NULLS),
            order: 0,
            keys: HashMap::new(),
            arena: crate::hooks::groups::Arena::default(),
            world_group,
            self_attrs: 0,
            recorder: None,
            types: crate::record::Types::new(),
        }
    }

    /// Index of a communicator by its handle.
    #[inline(always)]
    pub fn comm(&self, handle: usize) -> Option<u32> {
        let key = handle as u64;
        let (recent, i) = self.recent.comm.get();
        if recent == key {
            return Some(i);
        }
        let i = self.comms.get(key)?;
        self.recent.comm.set((key, i));
        Some(i)
    }

    /// A request to or from `MPI_PROC_NULL` got this handle.
    pub fn null_request(&mut self, handle: usize) {
        if !self.nulls.contains(&handle) && self.nulls.len() < NULLS {
            self.nulls.push(handle);
        }
    }

    /// A communicator or channel goes, or another takes its handle.
    pub fn changed(&mut self) {
        self.recent = Recent::new();
    }

    /// A free entry for an operation, filled in; `None` (and a taint) when the table is full.
    #[inline(always)]
    pub fn add_op(&mut self, b: &mut Board, handle: usize, mut op: Op) -> Option<u32> {
        self.order += 1;
        op.order = self.order;
        if let Some(i) = self.ops.get(handle as u64) {
            // The library gave out a handle again that we still hold: finished sends may share one (MPICH), and another
            // thread may be about to tell us that the old one is done.
            let old = b.ops.get_mut(i as usize)?;
            op.shared = old.shared + 1;
            if op.kind != lay::op::RECV && old.kind != lay::op::RECV {
                *old = op;
                return Some(i);
            }
            // A receive's handle is never shared: the old entry waits for its own completion under no handle.
        }
        op.shared = 1;
        let i = self.free_op(b)?;
        *b.ops.get_mut(i as usize)? = op;
        if let Some(h) = self.handles.get_mut(i as usize) {
            *h = handle;
        }
        if !self.ops.set(handle as u64, i) {
            taint(b, "more pending requests than standoff follows");
        }
        Some(i)
    }

    /// A free entry; `None` (and a taint) when there is none.
    #[inline(always)]
    fn free_op(&mut self, b: &mut Board) -> Option<u32> {
        match self.free_ops.pop() {
            Some(i) => Some(i),
            None if (b.header.ops_used as usize) < lay::OPS => {
                b.header.ops_used += 1;
                Some(b.header.ops_used - 1)
            }
            None => self.last_resort(b),
        }
    }

    #[cold]
    #[inline(never)]
    fn last_resort(&mut self, b: &mut Board) -> Option<u32> {
        if let Some(i) = self.retired.pop_front() {
            return Some(i);
        }
        taint(b, "more pending requests than standoff follows");
        None
    }

    /// Enters the other half of the request whose first half is entry `first`. Gives back that entry.
    pub fn add_half(&mut self, b: &mut Board, first: u32, mut op: Op) -> Option<u32> {
        self.order += 1;
        op.order = self.order;
        op.shared = 1;
        op.flags |= lay::flag::HALF;
        op.bytes = first;
        let i = self.free_op(b)?;
        *b.ops.get_mut(i as usize)? = op;
        if let Some(h) = self.handles.get_mut(i as usize) {
            *h = 0;
        }
        let first = b.ops.get_mut(first as usize)?;
        first.flags |= lay::flag::HALF;
        first.bytes = i;
        Some(i)
    }

    /// A persistent collective is freed. Its entry stays while there is room: others may wait for a start that will not come.
    pub fn retire(&mut self, b: &mut Board, i: u32) {
        let Some(op) = b.ops.get_mut(i as usize) else {
            return;
        };
        op.flags |= lay::flag::FREED | lay::flag::INACTIVE;
        let handle = self.handles.get(i as usize).copied().unwrap_or(0);
        if self.ops.get(handle as u64) == Some(i) {
            self.ops.remove(handle as u64);
        }
        self.retired.push_back(i);
        if self.retired.len() > RETIRED
            && let Some(oldest) = self.retired.pop_front()
        {
            self.drop_op(b, oldest);
        }
    }

    /// Forgets an operation (or one of the requests that share it).
    #[inline(always)]
    pub fn drop_op(&mut self, b: &mut Board, i: u32) {
        // Free already: a library may give a send to MPI_PROC_NULL, which has no entry, the handle of a completed one.
        let Some(op) = b
            .ops
            .get_mut(i as usize)
            .filter(|op| op.kind != lay::op::FREE)
        else {
            return;
        };
        if op.shared > 1 {
            op.shared -= 1;
            op.waiter = 0;
            return;
        }
        op.kind = lay::op::FREE;
        op.waiter = 0;
        let handle = self.handles.get(i as usize).copied().unwrap_or(0);
        if self.ops.get(handle as u64) == Some(i) {
            self.ops.remove(handle as u64);
        }
        // Within the capacity reserved at the start: OPS entries.
        self.free_ops.push(i);
    }

    /// Counts a message on a channel: one that was sent to, or received from, `peer`. Gives the channel's total.
    #[inline(always)]
    pub fn count(&mut self, b: &mut Board, received: bool, comm: u32, peer: i32, tag: i32) -> u64 {
        let key = (u64::from(comm) + 1) << 32 | u64::from(peer as u32);
        let recent = if received {
            self.recent.received
        } else {
            self.recent.sent
        };
        let i = if recent.0 == key {
            recent.1
        } else {
            match self.find_channel(b, received, key) {
                Some(i) => i,
                None => return 0,
            }
        };
        let table = if received {
            &mut b.received
        } else {
            &mut b.sent
        };
        let Some(c) = table.get_mut(i as usize) else {
            return 0;
        };
        c.add(tag);
        c.total
    }

    /// The channel that was counted on last, if a send was counted at all.
    #[inline(always)]
    pub fn recent_sent(&self) -> u32 {
        self.recent.sent.1
    }

    #[inline(never)]
    fn find_channel(&mut self, b: &mut Board, received: bool, key: u64) -> Option<u32> {
        let map = if received { &self.received } else { &self.sent };
        let i = match map.get(key) {
            Some(i) => i,
            None => self.open_channel(b, received, key)?,
        };
        let recent = if received {
            &mut self.recent.received
        } else {
            &mut self.recent.sent
        };
        *recent = (key, i);
        Some(i)
    }

    /// What is in flight on a channel cannot be told any more (a cancelled send, a freed receive).
    pub fn mark_unknown(&mut self, b: &mut Board, received: bool, comm: u32, peer: i32) {
        let key = (u64::from(comm) + 1) << 32 | u64::from(peer as u32);
        let i = if received {
            self.received.get(key)
        } else {
            self.sent.get(key)
        };
        if let Some(i) = i.or_else(|| self.open_channel(b, received, key)) {
            let table = if received {
                &mut b.received
            } else {
                &mut b.sent
            };
            if let Some(c) = table.get_mut(i as usize) {
                c.unknown = 1;
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn open_channel(&mut self, b: &mut Board, received: bool, key: u64) -> Option<u32> {
        let full = |s: &State, b: &Board| {
            let (free, used) = if received {
                (&s.free_received, b.header.received_used)
            } else {
                (&s.free_sent, b.header.sent_used)
            };
            free.is_empty() && used as usize >= lay::CHANNELS
        };
        while full(self, b) && crate::hooks::comm::give_up(self, b).is_some() {}
        let (map, free, used, table) = if received {
            (
                &mut self.received,
                &mut self.free_received,
                &mut b.header.received_used,
                &mut b.received,
            )
        } else {
            (
                &mut self.sent,
                &mut self.free_sent,
                &mut b.header.sent_used,
                &mut b.sent,
            )
        };
        let i = match free.pop() {
            Some(i) => i,
            None if (*used as usize) < lay::CHANNELS => {
                *used += 1;
                *used - 1
            }
            None => {
                taint(b, "more channels than standoff follows");
                return None;
            }
        };
        let c: &mut Channel = table.get_mut(i as usize)?;
        c.comm = (key >> 32) as u32;
        c.peer = key as u32;
        c.unknown = 0;
        c.tag = 0;
        c.total = 0;
        c.digested = 0;
        c.digest = standoff_board::digest::Digest::default();
        map.set(key, i).then_some(i)
    }

    /// Frees the channels of a communicator that goes away.
    pub fn close_channels(&mut self, b: &mut Board, comm: u32) {
        self.changed();
        for received in [false, true] {
            let (map, free, used, table) = if received {
                (
                    &mut self.received,
                    &mut self.free_received,
                    b.header.received_used,
                    &mut b.received,
                )
            } else {
                (
                    &mut self.sent,
                    &mut self.free_sent,
                    b.header.sent_used,
                    &mut b.sent,
                )
            };
            for (i, c) in table.iter_mut().enumerate().take(used as usize) {
                if c.comm == comm + 1 {
                    map.remove(u64::from(c.comm) << 32 | u64::from(c.peer));
                    c.comm = 0;
                    free.push(i as u32);
                }
            }
        }
    }
}
