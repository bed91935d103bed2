//! The data of rooted collectives, and moving it by messages of our own: in a forced run in which a member is to leave as soon as MPI lets it.
//!
//! A sender packs what it sends and goes on; the copy lives until the message is received. Reductions are made in the order of ranks.

use super::Data;
use super::together::{Members, Post};
use crate::P;
use crate::hooks::SUCCESS;
use crate::hooks::groups::library;
use crate::rank::Rank;

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
    /// Does the collective. `post` keeps what is still on its way. `None`: it cannot be done.
    pub(super) fn exchange(self, rank: &Rank, group: &Members, post: &mut Post) -> Option<i32> {
        let Members { me, size, root, .. } = *group;
        let others = (0..size).filter(|i| *i != me);
        let in_place = rank.abi.in_place;
        match self {
            Parts::None => None,
            Parts::Bcast(data) if me == root => {
                let copy = data.packed(group.comm)?;
                for to in others {
                    post.send(rank, group, to, copy.clone())?;
                }
                Some(SUCCESS)
            }
            Parts::Bcast(data) => group.receive(rank, data, root),
            Parts::Scatter { from, to } if me == root => {
                for i in others {
                    let copy = from.piece(i)?.packed(group.comm)?;
                    post.send(rank, group, i, copy)?;
                }
                match to.buffer as usize == in_place {
                    true => Some(SUCCESS),
                    false => group.copy(rank, from.piece(me)?, to),
                }
            }
            Parts::Scatter { to, .. } => group.receive(rank, to, root),
            Parts::Gather { from, to } if me == root => {
                let own = (from.buffer as usize != in_place)
                    .then(|| group.copy(rank, from, to.piece(me)?));
                let mut rc = own.unwrap_or(Some(SUCCESS))?;
                for i in others {
                    rc |= group.receive(rank, to.piece(i)?, i)?;
                }
                Some(rc)
            }
            Parts::Gather { from, .. } => {
                post.send(rank, group, root, from.packed(group.comm)?)?;
                Some(SUCCESS)
            }
            Parts::Reduce { from, to, oper } if me == root => {
                let own = match from as usize == in_place {
                    true => to,
                    false => Data { buffer: from, ..to },
                };
                reduce(rank, group, own, to, oper)
            }
            Parts::Reduce { from, to, .. } => {
                let copy = Data { buffer: from, ..to }.packed(group.comm)?;
                post.send(rank, group, root, copy)?;
                Some(SUCCESS)
            }
        }
    }
}

/// The root's part of a reduction: the operands in the order of ranks, the last one first.
fn reduce(rank: &Rank, group: &Members, own: Data, to: Data, oper: usize) -> Option<i32> {
    let local = library!(c"PMPI_Reduce_local", fn(P, P, i32, usize, usize))?;
    let count = i32::try_from(to.count).ok()?;
    let (lower, length, _) = to.span()?;
    let mut room = [vec![0u64; length / 8 + 1], vec![0u64; length / 8 + 1]];
    let [sum, next] = room.each_mut().map(|room| Data {
        buffer: room
            .as_mut_ptr()
            .cast::<u8>()
            .wrapping_offset(-lower)
            .cast(),
        ..to
    });
    let fetch = |i: i32, into: Data| match i == group.me {
        true => group.copy(rank, own, into),
        false => group.receive(rank, into, i),
    };
    let mut rc = fetch(group.size - 1, sum)?;
    for i in (0..group.size - 1).rev() {
        rc |= fetch(i, next)?;
        // SAFETY: MPI's signature; both hold `count` elements.
        rc |= unsafe { local(next.buffer, sum.buffer, count, to.dtype, oper) };
    }
    rc |= group.copy(rank, sum, to)?;
    Some(rc)
}
