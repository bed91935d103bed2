//! Near misses: messages that a receive would take if one thing were different.
//!
//! Only facts are told: such a message was sent and has not been received, and no receive that is posted where it lies takes it. Whether it
//! was meant is for the reader to judge; so the nearest is told first (another tag, another communicator, another source, another
//! destination), and only that.

use crate::index::{Index, Posted};
use crate::picture::{CommId, Op, RankState, Tag, Tags, WorldRank};
use crate::reason::{SentTag, SentTo};

/// Listed at most.
const NAMED: usize = 6;

/// What a receive asks for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub me: WorldRank,
    pub comm: CommId,
    /// The source that it names.
    pub from: WorldRank,
    pub tag: Option<Tag>,
}

impl Wanted {
    fn takes(&self, tag: Tag) -> bool {
        self.tag.is_none_or(|wanted| wanted == tag)
    }
}

/// Messages to the receiver that it would take from any source. `posted` are its receives.
pub(crate) fn from_others(index: &Index<'_>, wanted: Wanted, posted: &Posted) -> Vec<SentTag> {
    let mut out = Vec::new();
    for &(from, tags) in index.inbox(wanted.comm, wanted.me) {
        let (Tags::Known(list), true) = (tags, from != wanted.from) else {
            continue;
        };
        for &(tag, n) in list.iter().filter(|&&(tag, _)| wanted.takes(tag)) {
            let taken = posted.accepting(wanted.comm, from, tag);
            if n > taken {
                let count = n - taken;
                out.push(SentTag { from, tag, count });
            }
        }
    }
    out.sort_unstable();
    out.truncate(NAMED);
    out
}

/// Messages of the source that the receiver would take, but that were sent to a rank that has ended or is blocked. Of a receive for any
/// tag, only those to ranks that have ended: every message would do.
pub(crate) fn to_others(index: &Index<'_>, wanted: Wanted) -> Vec<SentTo> {
    let mut out = Vec::new();
    let Some(sender) = index.rank(wanted.from) else {
        return out;
    };
    for &to in index.backlog(wanted.from) {
        let Some(rank) = index.rank(to).filter(|_| to != wanted.me) else {
            continue;
        };
        let ended = !matches!(rank.state, RankState::Running | RankState::NotJoined);
        let blocked = rank.threads.iter().any(|t| t.call.is_some());
        if rank.moving || !(ended || blocked && wanted.tag.is_some()) {
            continue;
        }
        let posted = Posted::all(index, to);
        let sending = |tag: Tag| {
            let pending = sender.ops.iter().filter(|o| match o.op {
                Op::Send {
                    comm,
                    to: peer,
                    tag: sent,
                    ..
                } => {
                    let to_it = index
                        .comm(wanted.from, wanted.comm)
                        .and_then(|c| c.peer(peer))
                        == Some(to);
                    comm == Some(wanted.comm) && sent == tag && to_it
                }
                _ => false,
            });
            pending.count() as u64
        };
        for (_, tags) in index.channel(wanted.comm, wanted.from, to) {
            let Tags::Known(list) = tags else { continue };
            for &(tag, n) in list.iter().filter(|&&(tag, _)| wanted.takes(tag)) {
                let taken = posted.accepting(wanted.comm, wanted.from, tag) + sending(tag);
                if n > taken {
                    let count = n - taken;
                    out.push(SentTo { to, tag, count });
                }
            }
        }
    }
    out.sort_unstable();
    out.truncate(NAMED);
    out
}
