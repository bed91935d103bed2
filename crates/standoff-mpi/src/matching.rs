//! Point-to-point operations: when a pending one may be matched already, and else who can still release it.
//!
//! The rules, and why each is necessary for a release, are in `docs/algorithms/matching.md`.
//!
//! # Reference
//! The matching rules and their order: MPI 4.1, sections 3.5 (semantics of point-to-point communication), 3.8 (probe and
//! cancel) and 11.6 (threads). Hall's condition for the sets that earlier receives must fill: P. Hall, *On representatives
//! of subsets*, J. London Math. Soc. 10, 1935.

use std::collections::{BTreeMap, HashMap};

use standoff_core::Strength;

use crate::agents::order_is_certain;
use crate::group::Groups;
use crate::index::{Index, Posted, count};
use crate::picture::{CommId, CommRank, Op, RankPicture, SendMode, Source, Tag, Tags, WorldRank};
use crate::plan::{Cond, OpWait, Siblings};

/// What is needed to decide on point-to-point operations.
pub(crate) struct Matching<'a, 'i> {
    pub(crate) index: &'i Index<'a>,
    /// Pending receives of destinations, made when first needed.
    posted: HashMap<WorldRank, Posted>,
}

/// A receive or a probe.
#[derive(Clone, Copy)]
pub(crate) struct Envelope {
    pub(crate) comm: Option<CommId>,
    pub(crate) from: Source,
    pub(crate) tag: Option<Tag>,
}

impl<'a, 'i> Matching<'a, 'i> {
    pub(crate) fn new(index: &'i Index<'a>) -> Self {
        Self {
            index,
            posted: HashMap::new(),
        }
    }

    /// A pending receive or blocked probe of `me`. `earlier` holds the receives that are certain to be matched before it.
    /// `None`: free.
    pub(crate) fn receive(
        &self,
        groups: &mut Groups<'a>,
        me: WorldRank,
        envelope: Envelope,
        earlier: &Posted,
    ) -> Option<OpWait> {
        let id = envelope.comm?;
        let sources = self.sources(groups, me, id, envelope.from)?;
        let claimed = match sources {
            Cond::Rank(from) => self.source(id, from, me, envelope.tag, earlier)?,
            _ => self.any_source(id, me, envelope.tag, earlier)?,
        };
        let own_threads = matches!(
            sources,
            Cond::Others {
                except: Some(_),
                ..
            }
        );
        Some(OpWait {
            strength: Strength::Must,
            release: vec![sources.clone()],
            blame: vec![sources],
            siblings: if claimed || own_threads {
                Siblings::Always
            } else {
                Siblings::IfRequest
            },
        })
    }

    /// Who could send: one rank, or any other member of the (remote) group. `None`: not known.
    pub(crate) fn sources(
        &self,
        groups: &mut Groups<'a>,
        me: WorldRank,
        id: CommId,
        from: Source,
    ) -> Option<Cond> {
        let comm = self.index.comm(me, id)?;
        let world = self.index.picture.ranks.len();
        match from {
            Source::Rank(peer) => {
                let from = comm.peer(peer).filter(|from| (from.0 as usize) < world)?;
                Some(Cond::Rank(from))
            }
            Source::Any => {
                let group =
                    groups.intern(id, comm.remote.as_ref().unwrap_or(&comm.group), world)?;
                let except = comm.remote.is_none().then_some(comm.my_rank);
                if except.is_some_and(|rank| comm.group.world(rank) != Some(me)) {
                    return None;
                }
                Some(Cond::Others { group, except })
            }
        }
    }

    /// Who is to receive. `None`: not known.
    pub(crate) fn destination(&self, me: WorldRank, id: CommId, to: CommRank) -> Option<Cond> {
        let dest = self.index.comm(me, id)?.peer(to)?;
        self.index.rank(dest)?;
        Some(Cond::Rank(dest))
    }

    /// `None`: may be matched by a message in flight. `Some(true)`: there are some, but earlier receives take them.
    fn source(
        &self,
        comm: CommId,
        from: WorldRank,
        me: WorldRank,
        tag: Option<Tag>,
        earlier: &Posted,
    ) -> Option<bool> {
        let channels = self.index.channel(comm, from, me);
        let all = count(channels, None)?;
        let any_tag = earlier.exactly(comm, Some(from), None);
        let mut accepted = false;
        for (_, tags) in channels {
            let Tags::Known(list) = tags else { return None };
            for &(sent, _) in list
                .iter()
                .filter(|&&(sent, _)| tag.is_none_or(|t| t == sent))
            {
                accepted = true;
                let exact = earlier.exactly(comm, Some(from), Some(sent));
                if count(channels, Some(sent))? > exact && all > exact + any_tag {
                    return None;
                }
            }
        }
        Some(accepted)
    }

    /// The same for a receive from anybody.
    fn any_source(
        &self,
        comm: CommId,
        me: WorldRank,
        tag: Option<Tag>,
        earlier: &Posted,
    ) -> Option<bool> {
        let inbox = self.index.inbox(comm, me);
        if inbox.is_empty() {
            return Some(false);
        }
        let mut by_tag: BTreeMap<Tag, u64> = BTreeMap::new();
        let mut all = 0_u64;
        for (_, tags) in inbox {
            let Tags::Known(list) = tags else { return None };
            for &(sent, n) in list {
                *by_tag.entry(sent).or_default() += n;
                all += n;
            }
        }
        let anything = earlier.exactly(comm, None, None);
        let mut accepted = false;
        for &(from, tags) in inbox {
            let channels = self.index.channel(comm, from, me);
            let from_all = count(channels, None)?;
            let any_tag = earlier.exactly(comm, Some(from), None);
            let Tags::Known(list) = tags else { return None };
            for &(sent, _) in list
                .iter()
                .filter(|&&(sent, _)| tag.is_none_or(|t| t == sent))
            {
                accepted = true;
                let class = count(channels, Some(sent))?;
                let exact = earlier.exactly(comm, Some(from), Some(sent));
                let any_source = earlier.exactly(comm, None, Some(sent));
                let tag_all = by_tag.get(&sent).copied().unwrap_or(0);
                if class > exact
                    && from_all > exact + any_tag
                    && tag_all > exact + any_source
                    && from_all + tag_all - class > exact + any_tag + any_source
                    && all > exact + any_tag + any_source + anything
                {
                    return None;
                }
            }
        }
        Some(accepted)
    }

    /// A pending send of `me`. `None`: free.
    pub(crate) fn send(&mut self, me: WorldRank, rank: &RankPicture, op: &Op) -> Option<OpWait> {
        let &Op::Send {
            comm,
            to,
            tag,
            mode,
            later_same_class,
        } = op
        else {
            return None;
        };
        let strength = match mode {
            SendMode::Buffered => return None,
            SendMode::Synchronous => Strength::Must,
            SendMode::Standard | SendMode::Ready => Strength::May,
        };
        let comm = comm?;
        let dest = self.index.comm(me, comm)?.peer(to)?;
        self.index.rank(dest)?;
        let unmatched = count(self.index.channel(comm, me, dest), Some(tag))?;
        if unmatched == 0 {
            return None;
        }
        let posted = self
            .posted
            .entry(dest)
            .or_insert_with(|| Posted::all(self.index, dest));
        let place = position(rank, comm, to, tag, unmatched, later_same_class)?;
        if posted.accepting(comm, me, tag) >= place {
            return None;
        }
        let mut release = vec![Cond::Rank(dest)];
        if strength == Strength::May {
            release.push(Cond::Backlog(me));
        }
        Some(OpWait {
            strength,
            release,
            blame: vec![Cond::Rank(dest)],
            siblings: Siblings::IfRequest,
        })
    }
}

/// The least place that a send's message can have among the unmatched ones of its class, from 1; `None` if it may have been
/// received already (then all that are unmatched may have been sent later), or if nothing is known of those sent later.
fn position(
    rank: &RankPicture,
    comm: CommId,
    to: CommRank,
    tag: Tag,
    unmatched: u64,
    later: Option<u64>,
) -> Option<u64> {
    let cancelled = rank
        .ops
        .iter()
        .filter(|o| {
            o.cancelled
                && matches!(o.op, Op::Send { comm: c, to: d, tag: t, .. } if (c, d, t) == (Some(comm), to, tag))
        })
        .count() as u64;
    let place = unmatched.saturating_sub(later? + cancelled);
    match place {
        0 => None,
        // What several threads send is ordered by the library, not by their boards.
        _ if !order_is_certain(rank) => Some(1),
        _ => Some(place),
    }
}
