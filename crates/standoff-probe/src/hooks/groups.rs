//! Groups: who is in a communicator, and where that stands on the board.

use super::SUCCESS;
use crate::rank::{Rank, State};
use standoff_board::layout::{ARENA, Board, Group};

/// Space for group members on the board: first fit in a list of free ranges.
pub(crate) struct Arena {
    free: Vec<(u32, u32)>,
}

impl Default for Arena {
    fn default() -> Self {
        Arena {
            free: vec![(0, ARENA as u32)],
        }
    }
}

impl Arena {
    pub fn take(&mut self, len: u32) -> Option<u32> {
        let i = self.free.iter().position(|f| f.1 >= len)?;
        let (at, room) = self.free[i];
        if room == len {
            self.free.remove(i);
        } else {
            self.free[i] = (at + len, room - len);
        }
        Some(at)
    }

    pub fn give(&mut self, at: u32, len: u32) {
        let i = self.free.partition_point(|f| f.0 < at);
        self.free.insert(i, (at, len));
        self.free.dedup_by(|later, earlier| {
            let joins = earlier.0 + earlier.1 == later.0;
            if joins {
                earlier.1 += later.1;
            }
            joins
        });
    }
}

/// The library's procedures that are called from here, by name. An error handler of the program's may throw through them.
macro_rules! library {
    ($name:literal, fn($($t:ty),*)) => {{
        crate::symbols::library($name).map(|f| {
            // SAFETY: MPI's signature; integers, pointers and handles in registers.
            unsafe { core::mem::transmute::<usize, unsafe extern "C-unwind" fn($($t),*) -> i32>(f) }
        })
    }};
}

/// Collects `n` world ranks of a group given by handle.
pub(crate) fn members(world: usize, group: usize) -> Option<Vec<u32>> {
    let size = library!(c"PMPI_Group_size", fn(usize, *mut i32))?;
    let translate = library!(
        c"PMPI_Group_translate_ranks",
        fn(usize, i32, *const i32, usize, *mut i32)
    )?;
    let mut n = 0i32;
    // SAFETY: MPI's signatures, live groups, arrays of n.
    unsafe {
        if size(group, &raw mut n) != SUCCESS {
            return None;
        }
        let all: Vec<i32> = (0..n).collect();
        let mut out = vec![-1i32; all.len()];
        if translate(group, n, all.as_ptr(), world, out.as_mut_ptr()) != SUCCESS {
            return None;
        }
        // A member outside this job's world comes out as MPI_UNDEFINED: negative.
        out.into_iter().map(|r| u32::try_from(r).ok()).collect()
    }
}

/// The local or remote group of a communicator.
pub(crate) fn group_of(rank: &Rank, world: usize, comm: usize, remote: bool) -> Option<Vec<u32>> {
    let get = if remote {
        library!(c"PMPI_Comm_remote_group", fn(usize, *mut usize))?
    } else {
        library!(c"PMPI_Comm_group", fn(usize, *mut usize))?
    };
    let free = library!(c"PMPI_Group_free", fn(*mut usize))?;
    let size = if remote {
        library!(c"PMPI_Comm_remote_size", fn(usize, *mut i32))?
    } else {
        library!(c"PMPI_Comm_size", fn(usize, *mut i32))?
    };
    let mut group = 0usize;
    // SAFETY: MPI's signatures; `group` is wide enough for a handle of any ABI.
    unsafe {
        if get(comm, &raw mut group) != SUCCESS {
            return None;
        }
        let mut out = members(world, rank.abi.handle(group));
        free(&raw mut group);
        // MPICH 5.0.2 gives a Cartesian communicator the whole group of its parent, also where it has fewer processes.
        let mut n = 0i32;
        if let (Some(list), SUCCESS) = (&mut out, size(comm, &raw mut n)) {
            list.truncate(n.max(0) as usize);
        }
        out
    }
}

/// The world's group, for good.
pub(crate) fn world_group(abi: &crate::abi::Abi) -> Option<usize> {
    let get = library!(c"PMPI_Comm_group", fn(usize, *mut usize))?;
    let mut group = 0usize;
    // SAFETY: as above.
    (unsafe { get(abi.comm_world, &raw mut group) } == SUCCESS).then(|| abi.handle(group))
}

pub(crate) fn put_group(s: &mut State, b: &mut Board, members: Option<&[u32]>) -> Group {
    let Some(m) = members.filter(|m| !m.is_empty()) else {
        return Group {
            len: u32::from(members.is_none()),
            first: 0,
            stride: Group::UNKNOWN,
        };
    };
    let len = m.len() as u32;
    let stride = if m.len() > 1 {
        m[1] as i32 - m[0] as i32
    } else {
        1
    };
    if m.windows(2).all(|w| w[1] as i32 - w[0] as i32 == stride) {
        return Group {
            len,
            first: m[0],
            stride,
        };
    }
    let mut room = s.arena.take(len);
    while room.is_none() && give_up_group(s, b) {
        room = s.arena.take(len);
    }
    match room {
        Some(at) => {
            b.arena[at as usize..(at + len) as usize].copy_from_slice(m);
            Group {
                len,
                first: at,
                stride: Group::LISTED,
            }
        }
        None => Group {
            len,
            first: 0,
            stride: Group::UNKNOWN,
        },
    }
}

/// Makes room in the arena by giving up the group of the communicator that was freed longest ago and has a listed one.
fn give_up_group(s: &mut State, b: &mut Board) -> bool {
    for &i in &s.ghosts {
        let Some(c) = b.comms.get_mut(i as usize) else {
            continue;
        };
        for g in [&mut c.group, &mut c.remote] {
            if g.stride == Group::LISTED {
                s.arena.give(g.first, g.len);
                g.stride = Group::UNKNOWN;
                return true;
            }
        }
    }
    false
}

pub(crate) use library;
