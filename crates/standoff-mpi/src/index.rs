//! Look-ups into a picture: channels, communicators, posted receives.

use std::collections::HashMap;

use crate::agents::order_is_certain;
use crate::picture::{
    CommId, CommPicture, CommRank, Op, Operation, Picture, RankPicture, Source, Tag, Tags,
    WorldRank,
};

/// What the analysis looks up in a picture again and again.
pub(crate) struct Index<'a> {
    pub(crate) picture: &'a Picture,
    /// Channels by communicator and receiver, sorted by sender.
    inboxes: HashMap<(CommId, WorldRank), Vec<(WorldRank, &'a Tags)>>,
    /// For each sender, the ranks for which it has messages in flight, sorted.
    backlogs: HashMap<WorldRank, Vec<WorldRank>>,
    /// Wildcard receives of a forced run (rank, id) that certainly have a message of the source chosen for them.
    settled: HashMap<(WorldRank, u64), CommRank>,
}

impl<'a> Index<'a> {
    pub(crate) fn new(picture: &'a Picture) -> Self {
        let mut inboxes: HashMap<_, Vec<_>> = HashMap::new();
        let mut backlogs: HashMap<_, Vec<_>> = HashMap::new();
        for channel in &picture.unmatched {
            inboxes
                .entry((channel.comm, channel.to))
                .or_default()
                .push((channel.from, &channel.tags));
            backlogs.entry(channel.from).or_default().push(channel.to);
        }
        for inbox in inboxes.values_mut() {
            inbox.sort_by_key(|&(from, _)| from);
        }
        for backlog in backlogs.values_mut() {
            backlog.sort_unstable();
            backlog.dedup();
        }
        let mut index = Self {
            picture,
            inboxes,
            backlogs,
            settled: HashMap::new(),
        };
        for (me, rank) in (0_u32..).map(WorldRank).zip(&picture.ranks) {
            index.settle(me, rank);
        }
        index
    }

    /// Finds the forced receives of a rank whose messages are there: more than the receives before it can take. Those that have none yet may
    /// take, as the program asked, whatever comes.
    fn settle(&mut self, me: WorldRank, rank: &'a RankPicture) {
        if rank.ops.iter().all(|o| o.chosen.is_none()) || !order_is_certain(rank) {
            return;
        }
        for (at, operation) in rank.ops.iter().enumerate() {
            let Op::Recv {
                comm: Some(id),
                tag,
                ..
            } = operation.op
            else {
                continue;
            };
            let Some(chosen) = operation.chosen.filter(|_| !operation.cancelled) else {
                continue;
            };
            let Some(from) = self.comm(me, id).and_then(|c| c.peer(chosen)) else {
                continue;
            };
            let takers = rank.ops[..at].iter();
            let takers = takers.filter(|o| match o.op {
                Op::Recv { comm, .. } if comm.is_none_or(|c| c == id) => match self.source(me, o) {
                    Source::Any => true,
                    Source::Rank(source) => source == chosen,
                },
                _ => false,
            });
            let takers = takers.count() as u64;
            if count(self.channel(id, from, me), tag).is_some_and(|n| n > takers) {
                self.settled.insert((me, operation.id), chosen);
            }
        }
    }

    /// Whom a pending receive of `me` takes its message from: what it asks for, or what is settled.
    fn source(&self, me: WorldRank, operation: &Operation) -> Source {
        match (self.settled.get(&(me, operation.id)), &operation.op) {
            (Some(&chosen), _) => Source::Rank(chosen),
            (None, Op::Recv { from, .. }) => *from,
            (None, _) => Source::Any,
        }
    }

    pub(crate) fn rank(&self, rank: WorldRank) -> Option<&'a RankPicture> {
        self.picture.ranks.get(rank.0 as usize)
    }

    /// The communicator as `rank` sees it.
    pub(crate) fn comm(&self, rank: WorldRank, comm: CommId) -> Option<&'a CommPicture> {
        self.rank(rank)?.comms.iter().find(|c| c.id == comm)
    }

    /// The channels that lead to `to` on `comm`, sorted by sender.
    pub(crate) fn inbox(&self, comm: CommId, to: WorldRank) -> &[(WorldRank, &'a Tags)] {
        self.inboxes.get(&(comm, to)).map_or(&[], Vec::as_slice)
    }

    /// The channels from one sender (one, unless the picture lists a channel in several parts).
    pub(crate) fn channel(
        &self,
        comm: CommId,
        from: WorldRank,
        to: WorldRank,
    ) -> &[(WorldRank, &'a Tags)] {
        let inbox = self.inbox(comm, to);
        let start = inbox.partition_point(|&(sender, _)| sender < from);
        let end = inbox.partition_point(|&(sender, _)| sender <= from);
        &inbox[start..end]
    }

    /// The ranks for which `from` has messages in flight.
    pub(crate) fn backlog(&self, from: WorldRank) -> &[WorldRank] {
        self.backlogs.get(&from).map_or(&[], Vec::as_slice)
    }
}

impl CommPicture {
    /// The world rank that `peer` means as a source or destination: a rank of the remote group on an
    /// intercommunicator, else of the group.
    #[must_use]
    pub fn peer(&self, peer: CommRank) -> Option<WorldRank> {
        self.remote.as_ref().unwrap_or(&self.group).world(peer)
    }
}

/// Number of messages with a tag (any of them for `None`), or `None` when that could not be told.
pub(crate) fn count(channels: &[(WorldRank, &Tags)], tag: Option<Tag>) -> Option<u64> {
    let mut sum = 0_u64;
    for (_, tags) in channels {
        match tags {
            Tags::Unknown => return None,
            Tags::Known(list) => {
                for &(sent, n) in list {
                    if tag.is_none_or(|tag| tag == sent) {
                        sum = sum.saturating_add(n);
                    }
                }
            }
        }
    }
    Some(sum)
}

/// Pending receives of one rank, counted by what they accept.
#[derive(Default)]
pub(crate) struct Posted {
    /// By communicator, source (`None`: any) and tag (`None`: any).
    counts: HashMap<(CommId, Option<WorldRank>, Option<Tag>), u64>,
    /// Receives of which it is not known what they accept.
    unknown: u64,
}

impl Posted {
    /// All pending receives of `me`, cancelled ones included: the most that can be matched.
    pub(crate) fn all(index: &Index<'_>, me: WorldRank) -> Self {
        let mut posted = Self::default();
        for operation in index.rank(me).into_iter().flat_map(|r| &r.ops) {
            posted.add(index, me, operation);
        }
        posted
    }

    /// Counts a pending operation of `me` if it is a receive.
    pub(crate) fn add(&mut self, index: &Index<'_>, me: WorldRank, operation: &Operation) {
        let Op::Recv { comm, tag, .. } = operation.op else {
            return;
        };
        let known = comm.and_then(|id| {
            let comm = index.comm(me, id)?;
            let source = match index.source(me, operation) {
                Source::Any => None,
                Source::Rank(peer) => Some(comm.peer(peer)?),
            };
            Some((id, source, tag))
        });
        match known {
            Some(key) => *self.counts.entry(key).or_default() += 1,
            None => self.unknown += 1,
        }
    }

    /// How many accept exactly this.
    pub(crate) fn exactly(&self, comm: CommId, from: Option<WorldRank>, tag: Option<Tag>) -> u64 {
        if self.counts.is_empty() {
            return 0;
        }
        self.counts.get(&(comm, from, tag)).copied().unwrap_or(0)
    }

    /// How many may accept messages of this class.
    pub(crate) fn accepting(&self, comm: CommId, from: WorldRank, tag: Tag) -> u64 {
        [
            (Some(from), Some(tag)),
            (Some(from), None),
            (None, Some(tag)),
            (None, None),
        ]
        .into_iter()
        .map(|(from, tag)| self.exactly(comm, from, tag))
        .sum::<u64>()
            + self.unknown
    }
}
