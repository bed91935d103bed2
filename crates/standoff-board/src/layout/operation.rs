//! Pending operations.

use super::{ANY, Group, collective, pair};
use bytemuck::{Pod, Zeroable};

/// Kinds of operations ([`Op::kind`]).
pub mod op {
    /// Free entry.
    pub const FREE: u8 = 0;
    /// Send in standard mode, and so on.
    pub const SEND: u8 = 1;
    /// Synchronous mode.
    pub const SSEND: u8 = 2;
    /// Buffered mode.
    pub const BSEND: u8 = 3;
    /// Ready mode.
    pub const RSEND: u8 = 4;
    /// Receive.
    pub const RECV: u8 = 5;
    /// Blocking probe.
    pub const PROBE: u8 = 6;
    /// Collective; `collective` says which.
    pub const COLLECTIVE: u8 = 7;
    /// With a communicator: completes without another rank (`MPI_PROC_NULL`). Without: not modelled.
    pub const LOCAL: u8 = 8;
}

/// Flags of operations ([`Op::flags`]).
pub mod flag {
    /// `MPI_Cancel` was called.
    pub const CANCELLED: u16 = 1;
    /// Blocking form.
    pub const BLOCKING: u16 = 2;
    /// A collective that certainly moves data.
    pub const DATA: u16 = 4;
    /// A persistent request.
    pub const PERSISTENT: u16 = 8;
    /// A persistent request that is not active.
    pub const INACTIVE: u16 = 16;
    /// One half of an `MPI_Isendrecv`: [`super::Op::bytes`] is the index of the other. Both are one request, whose handle leads to the receive.
    pub const HALF: u16 = 32;
    /// A persistent collective that the rank has freed. Others may still wait for it to be started.
    pub const FREED: u16 = 64;
}

/// A pending operation.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Op {
    /// Posting order within the rank, from 1; also its identity.
    pub order: u64,
    /// For collectives: number on the communicator; for persistent ones that of their making. For sends: the channel's total with this message. For receives in a forced run: 1 + the
    /// source that stands in for [`ANY`] in the real call.
    pub seq: u64,
    /// Round of the polling thread that last polled it (see [`super::poll`]).
    pub polled: u64,
    /// 1 + index of the communicator; 0: unknown.
    pub comm: u32,
    /// Peer or [`ANY`]; root for collectives.
    pub peer: i32,
    /// Tag or [`ANY`]. Of a persistent collective: a part of [`Op::starts`].
    pub tag: i32,
    /// 1 + slot of the thread that waits for it, 0: none.
    pub waiter: u32,
    /// One of [`op`].
    pub kind: u8,
    /// [`collective`] number. Of a persistent message: what its elements are; kept for recordings only.
    pub collective: u8,
    /// Bits of [`flag`].
    pub flags: u16,
    /// How many requests share this entry (a library may give all completed sends one handle).
    pub shared: u32,
    /// Index of the place where it was made; 0: not known.
    pub place: u32,
    /// Bytes of a persistent message, or of the room for it (`u32::MAX`: that or more); kept for recordings only. Of a half, see [`flag::HALF`];
    /// of a persistent collective the other part of [`Op::starts`].
    pub bytes: u32,
}

impl Op {
    /// What it is matched by; a collective's root stands for the peer.
    #[must_use]
    #[inline(always)]
    pub fn envelope(&self) -> Envelope {
        Envelope {
            comm: self.comm,
            peer: self.peer,
            tag: self.tag,
        }
    }

    /// How often a persistent collective was started.
    #[must_use]
    pub fn starts(&self) -> u64 {
        pair(self.tag as u32, self.bytes)
    }

    /// Of a persistent collective: started once more.
    pub fn start(&mut self) {
        let starts = self.starts().wrapping_add(1);
        self.tag = starts as u32 as i32;
        self.bytes = (starts >> 32) as u32;
    }

    /// Whether it is a persistent collective, active or not.
    #[must_use]
    pub fn is_persistent_collective(&self) -> bool {
        self.kind == op::COLLECTIVE && self.flags & flag::PERSISTENT != 0
    }

    /// The index of the other half of the same request.
    #[must_use]
    #[inline(always)]
    pub fn other_half(&self) -> Option<u32> {
        (self.flags & flag::HALF != 0).then_some(self.bytes)
    }

    /// Who takes part in a collective of some members, where the other fields of the operation have room for it.
    #[must_use]
    pub fn of_members(self, group: Group) -> Op {
        Op {
            tag: group.len as i32,
            polled: pair(group.first, group.stride as u32),
            ..self
        }
    }

    /// What [`Op::of_members`] put there.
    #[must_use]
    pub fn members(&self) -> Option<Group> {
        let group = Group {
            len: self.tag as u32,
            first: self.polled as u32,
            stride: (self.polled >> 32) as i32,
        };
        let some = self.collective == collective::COMM_CREATE_GROUP && group.len != 0;
        (self.kind == op::COLLECTIVE && some).then_some(group)
    }

    /// A blocking send or receive, put together from whole words as in [`super::Recent::of`]. `seq` is 0 for a receive.
    #[must_use]
    #[inline(always)]
    pub fn blocking(kind: u8, order: u64, seq: u64, to: Envelope, place: u32) -> Op {
        let head = u64::from(kind) | u64::from(flag::BLOCKING) << 16;
        bytemuck::cast([
            order,
            seq,
            0,
            pair(to.comm, to.peer as u32),
            u64::from(to.tag as u32),
            head,
            u64::from(place),
        ])
    }
}

/// What a message is matched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// 1 + index of the communicator; 0: unknown.
    pub comm: u32,
    /// The other rank, or [`ANY`].
    pub peer: i32,
    /// Tag or [`ANY`].
    pub tag: i32,
}

impl Envelope {
    /// Of a call that has none.
    pub const NONE: Envelope = Envelope {
        comm: 0,
        peer: ANY,
        tag: ANY,
    };
}
