//! Groups of ranks, each kept once.

use std::collections::HashMap;

use crate::picture::{CommId, CommRank, Group, WorldRank};

impl Group {
    /// Number of members, if known.
    #[must_use]
    pub fn len(&self) -> Option<u32> {
        match self {
            Group::Strided { len, .. } => Some(*len),
            Group::List(list) => u32::try_from(list.len()).ok(),
            Group::Unknown => None,
        }
    }

    /// Whether it is known to have no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The world rank of a member; `None` when it is not known or out of range.
    #[must_use]
    pub fn world(&self, rank: CommRank) -> Option<WorldRank> {
        match self {
            Group::Strided { first, stride, len } if rank.0 < *len => {
                let world = i64::from(*first) + i64::from(rank.0) * i64::from(*stride);
                u32::try_from(world).ok().map(WorldRank)
            }
            Group::List(list) => list.get(rank.0 as usize).copied(),
            Group::Strided { .. } | Group::Unknown => None,
        }
    }

    /// The communicator rank of a member; `None` when the group is not known or has no such member.
    #[must_use]
    pub fn rank_of(&self, world: WorldRank) -> Option<CommRank> {
        match self {
            Group::Strided { first, stride, len } => {
                let ahead = i64::from(world.0) - i64::from(*first);
                let rank = match i64::from(*stride) {
                    0 if ahead == 0 => 0,
                    0 => return None,
                    stride if ahead % stride == 0 => ahead / stride,
                    _ => return None,
                };
                u32::try_from(rank)
                    .ok()
                    .filter(|rank| rank < len)
                    .map(CommRank)
            }
            Group::List(list) => list
                .iter()
                .position(|&member| member == world)
                .and_then(|rank| u32::try_from(rank).ok())
                .map(CommRank),
            Group::Unknown => None,
        }
    }
}

/// A group that was interned; equal groups of one communicator have equal ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupId(usize);

/// All groups that anybody waits in.
#[derive(Default)]
pub(crate) struct Groups<'a> {
    /// As given, and by communicator rank. Every member is a rank of the job.
    list: Vec<(&'a Group, Vec<WorldRank>)>,
    by_key: HashMap<(CommId, u32, WorldRank), Vec<GroupId>>,
}

impl<'a> Groups<'a> {
    /// Interns a group. `None` when it is empty, not known, or not wholly in a job of `world` ranks.
    pub(crate) fn intern(
        &mut self,
        comm: CommId,
        group: &'a Group,
        world: usize,
    ) -> Option<GroupId> {
        let len = group.len()?;
        let first = group.world(CommRank(0))?;
        let known = self.by_key.entry((comm, len, first)).or_default();
        if let Some(&id) = known.iter().find(|id| self.list[id.0].0 == group) {
            return Some(id);
        }
        let members: Option<Vec<WorldRank>> = (0..len)
            .map(|rank| {
                group
                    .world(CommRank(rank))
                    .filter(|member| (member.0 as usize) < world)
            })
            .collect();
        let id = GroupId(self.list.len());
        self.list.push((group, members?));
        known.push(id);
        Some(id)
    }

    /// The members by communicator rank.
    pub(crate) fn members(&self, id: GroupId) -> &[WorldRank] {
        &self.list[id.0].1
    }
}
