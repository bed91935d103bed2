//! Who acts: threads of ranks.

use crate::picture::{RankPicture, RankState, WorldRank};

/// One thread of one rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Agent {
    /// The rank in the job's `MPI_COMM_WORLD`.
    pub rank: WorldRank,
    /// The thread's slot on the rank's board ([`crate::picture::ThreadPicture::thread`]).
    pub thread: u32,
}

/// Whether everything about the rank is to be taken as able to act.
pub(crate) fn may_act(rank: &RankPicture) -> bool {
    rank.moving
        || rank.tainted.is_some()
        || matches!(rank.state, RankState::NotJoined | RankState::Aborting)
}

/// Whether the rank has left: nobody will be released by it again.
pub(crate) fn has_left(rank: &RankPicture) -> bool {
    matches!(
        rank.state,
        RankState::Finalized | RankState::Exited(_) | RankState::Killed
    )
}

/// Whether the order of the rank's pending operations is the order in which its MPI library saw them. With one thread
/// that has ever called MPI it is; two threads that post at the same time may be recorded either way round.
pub(crate) fn order_is_certain(rank: &RankPicture) -> bool {
    rank.threads.len() == 1
}
