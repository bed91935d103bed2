//! Collective operations: who has entered which, and who can still release a member that waits in one.
//!
//! The rules, and why each is necessary for a release, are in `docs/algorithms/collectives.md`.
//!
//! # Reference
//! MPI 4.1, chapter 6: only `MPI_Barrier` promises to synchronize (6.3), all other dependences are those of the data;
//! collectives on one communicator are ordered, blocking and nonblocking ones together (6.12); of persistent ones the makings are, and the starts of one
//! belong together in turn (6.13).

use std::collections::HashMap;
use std::sync::Arc;

use standoff_core::Strength;

use crate::agents::may_act;
use crate::group::{GroupId, Groups};
use crate::index::Index;
use crate::picture::{
    CollectiveKind, CommId, CommPicture, CommRank, Group, Neighbours, Op, Root, WorldRank,
};
use crate::plan::{Cond, OpWait, Siblings};
use crate::reason::{CollectiveVariant, Ranks};

/// One instance of a collective: a communicator and a number on it (or, where only some members take part, a key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct InstanceId(usize);

/// Who is where in one instance.
pub(crate) struct Instance {
    /// It is on an intercommunicator, where roots are named differently on each side.
    pub(crate) intercomm: bool,
    /// It is on an intercommunicator, and the roots that its members gave cannot be of one call.
    pub(crate) roots_differ: bool,
    /// Those that have begun it called one operation, with whatever roots.
    pub(crate) one_operation: bool,
    /// Members that have certainly not begun it, by communicator rank.
    pub(crate) missing: Vec<(CommRank, WorldRank)>,
    /// The same, by world rank.
    pub(crate) missing_ranks: Arc<[WorldRank]>,
    /// What those that have begun it called, where that is known.
    pub(crate) variants: Vec<CollectiveVariant>,
}

impl Instance {
    /// Members that have begun something else in this place than `mine`, by variant.
    pub(crate) fn others<'s>(
        &'s self,
        mine: &'s CollectiveVariant,
    ) -> impl Iterator<Item = (usize, &'s CollectiveVariant)> {
        self.variants
            .iter()
            .enumerate()
            .filter(|(_, v)| !v.matches(mine))
    }
}

/// All instances that somebody waits in.
#[derive(Default)]
pub(crate) struct Collectives {
    list: Vec<Instance>,
    by_key: HashMap<Key, InstanceId>,
}

/// With more different calls in one place than this, all members are blamed alike: to name each other variant for each
/// waiting member would be quadratic.
const MANY_VARIANTS: usize = 16;

/// What tells instances apart.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// The number, and for a persistent one which start.
    Communicator(CommId, u64, Option<u64>),
    /// `seq` is a key, the members are given.
    Members(CommId, CollectiveKind, u64, GroupId),
}

/// On whom a member depends by the data alone.
enum Depends {
    /// On everybody.
    All,
    /// On the root.
    Root,
    /// On the ranks below.
    Lower,
    /// On the in-neighbours.
    Sources,
    /// On nobody for sure; the library may make it wait.
    Unsure,
}

fn depends(kind: CollectiveKind, data: bool, is_root: bool) -> Depends {
    use CollectiveKind as K;
    match kind {
        K::Barrier => Depends::All,
        _ if !data => Depends::Unsure,
        K::Allgather | K::Alltoall | K::Allreduce | K::ReduceScatterBlock => Depends::All,
        // A member of the new communicator must learn every colour, and with a distributed graph every edge.
        K::CommSplit | K::DistGraphCreate => Depends::All,
        K::Bcast | K::Scatter if !is_root => Depends::Root,
        K::Gather | K::Reduce if is_root => Depends::All,
        K::Scan | K::Exscan => Depends::Lower,
        K::NeighborAllgather | K::NeighborAlltoall => Depends::Sources,
        _ => Depends::Unsure,
    }
}

/// Operations that differ in name only are one.
pub(crate) fn same_kind(kind: CollectiveKind) -> CollectiveKind {
    match kind {
        CollectiveKind::CommDupWithInfo => CollectiveKind::CommDup,
        kind => kind,
    }
}

impl Collectives {
    pub(crate) fn get(&self, id: InstanceId) -> &Instance {
        &self.list[id.0]
    }

    /// An instance on a communicator, if somebody waits in it.
    pub(crate) fn find(&self, comm: CommId, seq: u64, start: Option<u64>) -> Option<&Instance> {
        let id = self.by_key.get(&Key::Communicator(comm, seq, start))?;
        Some(self.get(*id))
    }

    /// What a pending collective of `me` waits for. `None`: free.
    pub(crate) fn wait<'a>(
        &mut self,
        index: &Index<'a>,
        groups: &mut Groups<'a>,
        me: WorldRank,
        op: &'a Op,
    ) -> Option<OpWait> {
        let Op::Collective {
            comm,
            seq,
            kind,
            root,
            blocking,
            start,
            data,
            members,
        } = op
        else {
            return None;
        };
        let (id, world) = ((*comm)?, index.picture.ranks.len());
        if *kind == CollectiveKind::IntercommCreate {
            return None;
        }
        if let Some(members) = members {
            return self.among_some(index, groups, me, (id, *kind, *seq), members);
        }
        let comm = index.comm(me, id)?;
        let local = groups.intern(id, &comm.group, world)?;
        if comm.group.world(comm.my_rank) != Some(me) {
            return None;
        }
        let remote = match &comm.remote {
            Some(remote) => Some(groups.intern(id, remote, world)?),
            None => None,
        };
        if let Root::Rank(root) = root {
            comm.peer(*root)?;
        }
        let instance_id = self.instance(index, groups, (id, *seq, *start), local, remote);
        let instance = self.get(instance_id);
        let others = Cond::Others {
            group: local,
            except: Some(comm.my_rank),
        };
        let missing = Cond::AnyMissing(instance_id);
        let may = |release: Vec<Cond>, blame: Vec<Cond>| {
            Some(OpWait {
                strength: Strength::May,
                release,
                blame,
                siblings: Siblings::Never,
            })
        };
        if let Some(remote) = remote {
            let anyone = Cond::Others {
                group: remote,
                except: None,
            };
            if !instance.missing.is_empty() {
                return may(vec![others, anyone], vec![missing]);
            }
            if !instance.roots_differ {
                return None;
            }
            let mine = CollectiveVariant::called(*kind, *root, *blocking, *start);
            let slots = instance.others(&mine).map(|(slot, _)| slot);
            let mut theirs: Vec<Cond> =
                slots.map(|slot| Cond::Variant(instance_id, slot)).collect();
            if theirs.is_empty() || theirs.len() > MANY_VARIANTS {
                theirs = vec![others.clone(), anyone.clone()];
            }
            return may(vec![others, anyone], theirs);
        }
        let mine = CollectiveVariant::called(*kind, *root, *blocking, *start);
        let mut theirs: Vec<Cond> = instance
            .others(&mine)
            .map(|(slot, _)| Cond::Variant(instance_id, slot))
            .take(MANY_VARIANTS + 1)
            .collect();
        if theirs.len() > MANY_VARIANTS {
            return may(vec![others.clone()], vec![others]);
        }
        if !theirs.is_empty() {
            theirs.push(missing);
            return may(vec![others], theirs);
        }
        if instance.missing.is_empty() {
            let edges = Edges::missing(index, me, id, *kind)?;
            let blame = edges.sources.iter().chain(edges.destinations.iter());
            return may(vec![others], blame.map(|&rank| Cond::Rank(rank)).collect());
        }
        let is_root = *root == Root::Rank(comm.my_rank);
        let must = match depends(*kind, *data, is_root) {
            Depends::All => Some(Cond::AllMissing(instance_id)),
            Depends::Root => root_missing(instance, *root).map(Cond::Rank),
            Depends::Lower => {
                let lower = instance
                    .missing
                    .partition_point(|&(rank, _)| rank < comm.my_rank);
                (lower > 0).then_some(Cond::FirstMissing(instance_id, lower))
            }
            Depends::Sources => sources_missing(instance, comm)?,
            Depends::Unsure => None,
        };
        match must {
            None => may(vec![others], vec![missing]),
            Some(cond) => Some(OpWait {
                strength: Strength::Must,
                release: vec![cond.clone()],
                blame: vec![cond],
                siblings: Siblings::Never,
            }),
        }
    }

    /// A collective in which only `members` take part, who agree on `seq`. Whoever is not in it now may have been.
    fn among_some<'a>(
        &mut self,
        index: &Index<'a>,
        groups: &mut Groups<'a>,
        me: WorldRank,
        (comm, kind, seq): (CommId, CollectiveKind, u64),
        members: &'a Group,
    ) -> Option<OpWait> {
        let group = groups.intern(comm, members, index.picture.ranks.len())?;
        let except = members.rank_of(me)?;
        let key = Key::Members(comm, kind, seq, group);
        let id = *self.by_key.entry(key).or_insert_with(|| {
            let inside = |rank: WorldRank| {
                index.rank(rank).is_some_and(|r| {
                    r.ops.iter().any(|o| {
                        matches!(o.op, Op::Collective { comm: Some(c), seq: s, kind: k, .. }
                            if (c, s, k) == (comm, seq, kind))
                    })
                })
            };
            let missing = positions(groups.members(group))
                .filter(|&(_, rank)| !inside(rank))
                .collect();
            push(&mut self.list, false, missing, Vec::new())
        });
        if self.get(id).missing.is_empty() {
            return None;
        }
        Some(OpWait {
            strength: Strength::May,
            release: vec![Cond::Others {
                group,
                except: Some(except),
            }],
            blame: vec![Cond::AnyMissing(id)],
            siblings: Siblings::Never,
        })
    }

    fn instance(
        &mut self,
        index: &Index<'_>,
        groups: &Groups<'_>,
        (comm, seq, start): (CommId, u64, Option<u64>),
        local: GroupId,
        remote: Option<GroupId>,
    ) -> InstanceId {
        let key = Key::Communicator(comm, seq, start);
        if let Some(&id) = self.by_key.get(&key) {
            return id;
        }
        let mut missing = Vec::new();
        let mut variants: Vec<CollectiveVariant> = Vec::new();
        let mut by_variant: HashMap<(CollectiveKind, Root, bool), usize> = HashMap::new();
        let both = [Some(local), remote];
        for group in both.into_iter().flatten() {
            for (position, rank) in positions(groups.members(group)) {
                let (progress, waits) = match start {
                    None => (progress(index, rank, comm, seq), false),
                    Some(start) => started(index, rank, comm, seq, start),
                };
                if waits {
                    missing.push((position, rank));
                }
                match progress {
                    Progress::NotBegun => missing.push((position, rank)),
                    Progress::Begun(kind, root, blocking) => {
                        let slot = *by_variant
                            .entry((same_kind(kind), root, blocking))
                            .or_insert_with(|| {
                                variants.push(CollectiveVariant::new(kind, root, blocking));
                                variants.len() - 1
                            });
                        variants[slot].ranks.push(rank);
                    }
                    Progress::Unknown => {}
                }
            }
        }
        for variant in &mut variants {
            variant.ranks.sort_unstable();
        }
        let sides = remote.map(|remote| [groups.members(local), groups.members(remote)]);
        let differ = sides.is_some_and(|sides| roots_differ(sides, &variants));
        let id = push(&mut self.list, remote.is_some(), missing, variants);
        self.list[id.0].roots_differ = differ;
        self.by_key.insert(key, id);
        id
    }
}

fn push(
    list: &mut Vec<Instance>,
    intercomm: bool,
    missing: Vec<(CommRank, WorldRank)>,
    variants: Vec<CollectiveVariant>,
) -> InstanceId {
    let mut ranks: Vec<WorldRank> = missing.iter().map(|&(_, rank)| rank).collect();
    ranks.sort_unstable();
    let operation = |v: &CollectiveVariant| (same_kind(v.kind), v.blocking);
    list.push(Instance {
        intercomm,
        roots_differ: false,
        one_operation: variants.iter().map(operation).is_sorted_by(|a, b| a == b),
        missing,
        missing_ranks: ranks.into(),
        variants,
    });
    InstanceId(list.len() - 1)
}

/// Whether calls on an intercommunicator, as far as they are known, cannot belong together: one side has the root, of which one member
/// gives `MPI_ROOT` and the others `MPI_PROC_NULL`, and the other side gives the root's rank (MPI 4.1, 6.2.3).
fn roots_differ(sides: [&[WorldRank]; 2], variants: &[CollectiveVariant]) -> bool {
    let rooted = variants.iter().any(|v| v.root != Root::None);
    if !rooted {
        return false;
    }
    let given = |side: &[WorldRank]| -> Vec<(WorldRank, Root)> {
        let side: std::collections::HashSet<&WorldRank> = side.iter().collect();
        let all = variants
            .iter()
            .flat_map(|v| v.ranks.iter().map(|&r| (r, v.root)));
        all.filter(|(rank, _)| side.contains(rank)).collect()
    };
    let given = sides.map(given);
    let gives_rank = |(_, root): &(WorldRank, Root)| matches!(root, Root::Rank(_));
    let [near, far] = &given;
    // Which side has the root, as nobody there gives a rank and somebody on the other side does.
    let (with, without) = match (near.iter().any(gives_rank), far.iter().any(gives_rank)) {
        (true, true) => return true,
        (false, true) => (0, 1),
        (true, false) => (1, 0),
        // Nobody is known to be on the receiving side: certain only if everybody is known.
        (false, false) => {
            return given
                .iter()
                .zip(sides)
                .all(|(known, side)| known.len() == side.len());
        }
    };
    let roots: Vec<WorldRank> = given[with]
        .iter()
        .filter(|(_, root)| *root == Root::Me)
        .map(|&(rank, _)| rank)
        .collect();
    let root = match roots[..] {
        [] => return given[with].len() == sides[with].len(),
        [one] => sides[with].iter().position(|&rank| rank == one),
        _ => return true,
    };
    let root = root.map(|at| Root::Rank(CommRank(at as u32)));
    given[without].iter().any(|&(_, given)| Some(given) != root)
}

fn positions(members: &[WorldRank]) -> impl Iterator<Item = (CommRank, WorldRank)> + '_ {
    (0_u32..).map(CommRank).zip(members.iter().copied())
}

/// The root, if it has not begun the instance.
fn root_missing(instance: &Instance, root: Root) -> Option<WorldRank> {
    let Root::Rank(root) = root else { return None };
    instance
        .missing
        .binary_search_by_key(&root, |&(rank, _)| rank)
        .ok()
        .map(|at| instance.missing[at].1)
}

/// The in-neighbours that have not begun the instance. Outer `None`: a neighbour that is no member, so nothing is sure.
fn sources_missing(instance: &Instance, comm: &CommPicture) -> Option<Option<Cond>> {
    let Some(neighbours) = &comm.neighbours else {
        return Some(None);
    };
    let mut ranks = Vec::new();
    for source in &neighbours.sources {
        comm.group.world(*source)?;
        if let Some(rank) = root_missing(instance, Root::Rank(*source)) {
            ranks.push(rank);
        }
    }
    ranks.sort_unstable();
    ranks.dedup();
    Some((!ranks.is_empty()).then_some(Cond::All(ranks)))
}

/// Edges of a distributed graph that one end has and the other has not. Such a graph is erroneous (MPI 4.1, 8.5.4), and who waits for data that nobody
/// sends may wait for ever.
pub(crate) struct Edges {
    /// In-neighbours that do not have the rank as an out-neighbour as often, in order.
    pub(crate) sources: Ranks,
    /// Out-neighbours that do not have it as an in-neighbour as often.
    pub(crate) destinations: Ranks,
}

impl Edges {
    /// The edges that only `me` has, if a collective of this kind goes along them. Of ranks that may act, nothing is known.
    pub(crate) fn missing(
        index: &Index<'_>,
        me: WorldRank,
        id: CommId,
        kind: CollectiveKind,
    ) -> Option<Edges> {
        use CollectiveKind as K;
        if !matches!(
            kind,
            K::NeighborAllgather
                | K::NeighborAllgatherv
                | K::NeighborAlltoall
                | K::NeighborAlltoallv
                | K::NeighborAlltoallw
        ) {
            return None;
        }
        let comm = index.comm(me, id)?;
        let mine = comm.neighbours.as_ref()?;
        let one_sided = |list: &[CommRank], back: fn(&Neighbours) -> &[CommRank]| -> Ranks {
            let mut list = list.to_vec();
            list.sort_unstable();
            let groups = list.chunk_by(|a, b| a == b);
            let mut ranks: Vec<WorldRank> = groups
                .filter_map(|group| {
                    let peer = comm.group.world(group[0])?;
                    index.rank(peer).filter(|r| !may_act(r))?;
                    let theirs = index.comm(peer, id)?.neighbours.as_ref()?;
                    let back = back(theirs).iter().filter(|&&r| r == comm.my_rank);
                    (back.count() < group.len()).then_some(peer)
                })
                .collect();
            ranks.sort_unstable();
            ranks.into()
        };
        let edges = Edges {
            sources: one_sided(&mine.sources, |n| &n.destinations),
            destinations: one_sided(&mine.destinations, |n| &n.sources),
        };
        let any = !edges.sources.is_empty() || !edges.destinations.is_empty();
        any.then_some(edges)
    }
}

enum Progress {
    /// It cannot be told whether it has.
    Unknown,
    NotBegun,
    Begun(CollectiveKind, Root, bool),
}

/// Whether `rank` has begun collective number `seq` on `comm`, and which one that was.
fn progress(index: &Index<'_>, rank: WorldRank, comm: CommId, seq: u64) -> Progress {
    let Some(content) = index.rank(rank).filter(|r| !may_act(r)) else {
        return Progress::Unknown;
    };
    let Some(seen) = content.comms.iter().find(|c| c.id == comm) else {
        return Progress::Unknown;
    };
    if seen.collectives <= seq {
        return Progress::NotBegun;
    }
    let pending = content.ops.iter().find_map(|o| match o.op {
        Op::Collective {
            comm: Some(c),
            seq: s,
            kind,
            root,
            blocking,
            start: None,
            members: None,
            ..
        } if (c, s) == (comm, seq) => Some((kind, root, blocking)),
        _ => None,
    });
    if let Some((kind, root, blocking)) = pending {
        return Progress::Begun(kind, root, blocking);
    }
    match seen.history.iter().find(|record| record.seq == seq) {
        Some(record) => Progress::Begun(record.kind, record.root, record.blocking),
        None => Progress::Unknown,
    }
}

/// What `rank` made as collective number `seq` on `comm`, and whether it is known not to have started that for the `start`-th time.
fn started(
    index: &Index<'_>,
    rank: WorldRank,
    comm: CommId,
    seq: u64,
    start: u64,
) -> (Progress, bool) {
    // Known for longer than what the communicator remembers of its last collectives.
    let content = index.rank(rank).filter(|r| !may_act(r));
    let made = content.into_iter().flat_map(|r| &r.persistent);
    let made = made.filter(|p| (p.comm, p.seq) == (comm, seq));
    if let Some(made) = made.max_by_key(|p| p.starts) {
        let kind = made.kind.init().unwrap_or(made.kind);
        return (Progress::Begun(kind, made.root, true), made.starts <= start);
    }
    match progress(index, rank, comm, seq) {
        // Freed, and forgotten.
        Progress::Begun(kind, ..) if kind.made().is_some() => (Progress::Unknown, false),
        other => (other, false),
    }
}
