//! The data of collectives that a member may leave early, and moving it by messages of our own, in a forced run in which it is to.
//!
//! A sender packs what it sends and goes on; the copy lives until the message is received. Reductions are made in the order of ranks.

use super::Data;
use super::companion::{Companion, Then};
use super::together::{Members, Post};
use crate::P;
use crate::hooks::SUCCESS;
use crate::hooks::groups::library;
use crate::rank::Rank;
use core::ops::Range;

/// What a member of a collective gives and gets, where that can be moved by messages.
#[derive(Clone, Copy)]
pub(crate) enum Parts {
    /// It cannot.
    None,
    Bcast(Data),
    Scatter {
        from: Pieces,
        to: Data,
    },
    Gather {
        from: Data,
        to: Pieces,
    },
    Reduce {
        from: P,
        to: Data,
        oper: usize,
    },
    /// `own`: with the member's own element (not `MPI_Exscan`).
    Scan {
        from: P,
        to: Data,
        oper: usize,
        own: bool,
    },
}

/// A buffer with a piece for each member.
#[derive(Clone, Copy)]
pub(crate) struct Pieces {
    buffer: P,
    counts: Counts,
    dtype: usize,
}

#[derive(Clone, Copy)]
enum Counts {
    Same(i64),
    /// Arrays of `int`, or of the large forms' 8-byte integers.
    Each {
        counts: P,
        places: P,
        large: bool,
    },
}

impl Pieces {
    /// Of one size each.
    #[inline(always)]
    pub fn same(buffer: P, count: impl Into<i64>, dtype: usize) -> Pieces {
        let counts = Counts::Same(count.into());
        Pieces {
            buffer,
            counts,
            dtype,
        }
    }

    /// With a count and a place for each; `like` is a count of the same call.
    #[inline(always)]
    pub fn each<T>(buffer: P, counts: P, places: P, dtype: usize, like: T) -> Pieces {
        let counts = Counts::Each {
            counts,
            places,
            large: size_of_val(&like) == 8,
        };
        Pieces {
            buffer,
            counts,
            dtype,
        }
    }

    fn piece(self, i: i32) -> Option<Data> {
        let (count, place) = match self.counts {
            Counts::Same(count) => (count, count.checked_mul(i.into())?),
            Counts::Each {
                counts,
                places,
                large,
            } => {
                let at = |array: P| {
                    let i = usize::try_from(i).ok()?;
                    // SAFETY: the root gives an entry for each member.
                    Some(unsafe {
                        match large {
                            true => array.cast::<i64>().add(i).read_unaligned(),
                            false => array.cast::<i32>().add(i).read_unaligned().into(),
                        }
                    })
                };
                (at(counts)?, at(places)?)
            }
        };
        let one = Data::new(self.buffer, 1, self.dtype);
        let (_, _, distance) = one.span()?;
        let offset = isize::try_from(place).ok()?.checked_mul(distance)?;
        Some(Data::new(
            self.buffer.wrapping_byte_offset(offset),
            count,
            self.dtype,
        ))
    }
}

impl Parts {
    /// Begins the collective: gives what the others need, and gives back what has to come. `post` keeps what is still on its way. `None`: it cannot
    /// be done.
    pub(super) fn begin(
        self,
        rank: &Rank,
        group: &Members,
        post: &mut Post,
    ) -> Option<(i32, Companion)> {
        let Members { me, size, root, .. } = *group;
        let others = (0..size).filter(|i| *i != me);
        let in_place = rank.abi.in_place;
        let mut coming = Companion::default();
        // What the caller's own part is made of.
        let own = |from: P, to: Data| match from as usize == in_place {
            true => to,
            false => Data { buffer: from, ..to },
        };
        let rc = match self {
            Parts::None => return None,
            Parts::Bcast(data) if me == root => {
                let copy = data.packed(group.comm)?;
                for to in others {
                    post.send(rank, group, to, copy.clone())?;
                }
                SUCCESS
            }
            Parts::Bcast(data) => group.expect(rank, data, root, &mut coming)?,
            Parts::Scatter { from, to } if me == root => {
                for i in others {
                    let copy = from.piece(i)?.packed(group.comm)?;
                    post.send(rank, group, i, copy)?;
                }
                match to.buffer as usize == in_place {
                    true => SUCCESS,
                    false => group.copy(rank, from.piece(me)?, to)?,
                }
            }
            Parts::Scatter { to, .. } => group.expect(rank, to, root, &mut coming)?,
            Parts::Gather { from, to } if me == root => {
                let mut rc = match from.buffer as usize == in_place {
                    true => SUCCESS,
                    false => group.copy(rank, from, to.piece(me)?)?,
                };
                for i in others {
                    rc |= group.expect(rank, to.piece(i)?, i, &mut coming)?;
                }
                rc
            }
            Parts::Gather { from, .. } => {
                post.send(rank, group, root, from.packed(group.comm)?)?;
                SUCCESS
            }
            Parts::Reduce { from, to, oper } if me == root => {
                let sum = Sum::new(*group, own(from, to), to, oper, 0..size)?;
                sum.expect(rank, &mut coming)?
            }
            Parts::Reduce { from, to, .. } => {
                let copy = Data { buffer: from, ..to }.packed(group.comm)?;
                post.send(rank, group, root, copy)?;
                SUCCESS
            }
            Parts::Scan {
                from,
                to,
                oper,
                own: with,
            } => {
                let copy = own(from, to).packed(group.comm)?;
                for i in me + 1..size {
                    post.send(rank, group, i, copy.clone())?;
                }
                let lower = 0..me + i32::from(with);
                // What the first member of MPI_Exscan gets is not defined.
                if lower.is_empty() {
                    return Some((SUCCESS, coming));
                }
                let sum = Sum::new(*group, own(from, to), to, oper, lower)?;
                sum.expect(rank, &mut coming)?
            }
        };
        Some((rc, coming))
    }
}

/// A reduction whose operands come by messages, made in the order of ranks.
pub(super) struct Sum {
    group: Members,
    /// The caller's operand.
    own: Data,
    to: Data,
    oper: usize,
    members: Range<i32>,
    /// The others', in the order of members; the caller's is empty.
    rooms: Vec<Vec<u64>>,
}

impl Sum {
    fn new(group: Members, own: Data, to: Data, oper: usize, members: Range<i32>) -> Option<Sum> {
        let (_, length, _) = to.span()?;
        let room = |i: i32| match i == group.me {
            true => Vec::new(),
            false => vec![0u64; length / 8 + 1],
        };
        let rooms = members.clone().map(room).collect();
        Some(Sum {
            group,
            own,
            to,
            oper,
            members,
            rooms,
        })
    }

    /// Begins to receive the others' operands.
    fn expect(mut self, rank: &Rank, coming: &mut Companion) -> Option<i32> {
        let mut rc = SUCCESS;
        for (i, room) in self.members.clone().zip(&mut self.rooms) {
            if i != self.group.me {
                let data = elements(self.to, room)?;
                rc |= self.group.expect(rank, data, i, coming)?;
            }
        }
        coming.then = Then::Sum(self);
        Some(rc)
    }

    /// All operands are there.
    pub fn make(mut self, rank: &Rank) -> Option<i32> {
        let local = library!(c"PMPI_Reduce_local", fn(P, P, i32, usize, usize))?;
        let count = i32::try_from(self.to.count).ok()?;
        let (_, length, _) = self.to.span()?;
        let mut room = vec![0u64; length / 8 + 1];
        let sum = elements(self.to, &mut room)?;
        let mut rc = SUCCESS;
        let last = self.members.end - 1;
        for (i, room) in self.members.zip(&mut self.rooms).rev() {
            let next = match i == self.group.me {
                true => self.own,
                false => elements(self.to, room)?,
            };
            rc |= match i == last {
                true => self.group.copy(rank, next, sum)?,
                // SAFETY: MPI's signature; both hold `count` elements.
                false => unsafe { local(next.buffer, sum.buffer, count, self.to.dtype, self.oper) },
            };
        }
        Some(rc | self.group.copy(rank, sum, self.to)?)
    }
}

/// Room for elements like these, as elements.
fn elements(like: Data, room: &mut [u64]) -> Option<Data> {
    let (lower, ..) = like.span()?;
    let buffer = room
        .as_mut_ptr()
        .cast::<u8>()
        .wrapping_offset(-lower)
        .cast();
    Some(Data { buffer, ..like })
}
