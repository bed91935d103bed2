//! Instances of collectives: who takes part, whether all agree, and whose data each needs.
//!
//! # Reference
//! MPI 4.1, chapter 6: only `MPI_Barrier` promises to synchronize (6.3); collectives on a communicator are ordered, blocking and
//! nonblocking ones together (6.12), and the makings of persistent ones, whose starts belong together in turn (6.13). The table is that of `docs/algorithms/collectives.md`, read from the other side: there a wait
//! that MPI does not promise is no proof of a deadlock, here a member that MPI lets go may go.

use std::collections::HashMap;

use standoff_trace::event::{CollectiveKind, CommRank, Flow, Root};

use crate::program::{Instance, Kind, Member, NONE, Needs, OpRef, Program};
use crate::result::Bound;

/// One rank's call of a collective.
pub(crate) struct Entry {
    pub(crate) comm: u32,
    /// Who takes part, if that is not the whole communicator.
    pub(crate) members: Option<Vec<u32>>,
    pub(crate) intercomm: bool,
    /// In-neighbours, by communicator rank.
    pub(crate) sources: Option<Vec<u32>>,
    /// The caller's rank in the communicator, or `NONE`.
    pub(crate) position: u32,
    pub(crate) at: OpRef,
    pub(crate) kind: CollectiveKind,
    pub(crate) seq: u64,
    /// Which start of a persistent one.
    pub(crate) start: Option<u64>,
    pub(crate) root: Root,
    pub(crate) flow: Flow,
    pub(crate) blocking: bool,
}

/// Operations that differ in name only are one.
fn same(kind: CollectiveKind) -> CollectiveKind {
    match kind {
        CollectiveKind::CommDupWithInfo => CollectiveKind::CommDup,
        kind => kind,
    }
}

/// What all members have to agree on, and the members if they are not the communicator's.
type Key = (u32, u64, Option<u64>, Option<(CollectiveKind, Vec<u32>)>);

pub(crate) fn instances(program: &mut Program, entries: Vec<Entry>) {
    let mut by_key: HashMap<Key, usize> = HashMap::new();
    let mut called: Vec<(CollectiveKind, Root, bool)> = Vec::new();
    let mut places: Vec<HashMap<u32, usize>> = Vec::new();
    let comm_places: Vec<HashMap<u32, usize>> =
        program.comms.iter().map(|list| by_rank(list)).collect();
    for entry in entries {
        let mut sorted = entry.members.clone();
        if let Some(list) = &mut sorted {
            list.sort_unstable();
        }
        let members = sorted.map(|list| (entry.kind, list));
        let key = (entry.comm, entry.seq, entry.start, members);
        let this = (same(entry.kind), entry.root, entry.blocking);
        let at = *by_key.entry(key).or_insert_with(|| {
            let ranks = entry
                .members
                .as_ref()
                .unwrap_or(&program.comms[entry.comm as usize]);
            let member = |&rank| Member {
                rank,
                op: NONE,
                needs: Needs::All,
            };
            program.instances.push(Instance {
                members: ranks.iter().map(member).collect(),
                mismatch: false,
            });
            called.push(this);
            places.push(
                entry
                    .members
                    .as_ref()
                    .map_or_else(HashMap::new, |list| by_rank(list)),
            );
            called.len() - 1
        });
        let instance = &mut program.instances[at];
        // Roots are named differently on the two sides of an intercommunicator.
        let root = entry.intercomm || called[at].1 == this.1;
        instance.mismatch |= !(root && (called[at].0, called[at].2) == (this.0, this.2));
        let place = match &entry.members {
            Some(_) => places[at].get(&entry.at.rank),
            None => comm_places[entry.comm as usize].get(&entry.at.rank),
        };
        let Some(member) = place.map(|&place| &mut instance.members[place]) else {
            // A rank that is no member: no execution can be told from this.
            program.bounds.insert(Bound::Collectives {
                name: entry.kind.name().to_owned(),
            });
            continue;
        };
        member.op = entry.at.op;
        member.needs = if entry.intercomm || entry.members.is_some() || entry.position == NONE {
            None
        } else {
            needs(&entry)
        }
        .unwrap_or_else(|| {
            program.bounds.insert(Bound::Collectives {
                name: entry.kind.name().to_owned(),
            });
            Needs::All
        });
        if let Kind::Enter { instance } =
            &mut program.ranks[entry.at.rank as usize].ops[entry.at.op as usize].kind
        {
            *instance = at as u32;
        }
    }
}

fn by_rank(list: &[u32]) -> HashMap<u32, usize> {
    list.iter()
        .enumerate()
        .map(|(at, &rank)| (rank, at))
        .collect()
}

/// Whose data the caller needs. `None`: not known.
fn needs(entry: &Entry) -> Option<Needs> {
    use CollectiveKind as K;
    let is_root = entry.root == Root::Rank(CommRank(entry.position));
    let root = match entry.root {
        Root::Rank(root) => root.0,
        _ => entry.position,
    };
    let others = match entry.kind {
        // Colours, edges and what is left to deliver must have come from all.
        K::Barrier | K::CommSplit | K::DistGraphCreate | K::CommDisconnect => {
            return Some(Needs::All);
        }
        K::CommDup
        | K::CommDupWithInfo
        | K::CommSplitType
        | K::CommCreate
        | K::CartCreate
        | K::CartSub
        | K::GraphCreate
        | K::DistGraphCreateAdjacent
        | K::CommFree => return Some(Needs::Nobody),
        // They may wait for all, and need not.
        K::BarrierInit
        | K::BcastInit
        | K::GatherInit
        | K::GathervInit
        | K::ScatterInit
        | K::ScattervInit
        | K::AllgatherInit
        | K::AllgathervInit
        | K::AlltoallInit
        | K::AlltoallvInit
        | K::AlltoallwInit
        | K::ReduceInit
        | K::AllreduceInit
        | K::ReduceScatterInit
        | K::ReduceScatterBlockInit
        | K::ScanInit
        | K::ExscanInit
        | K::NeighborAllgatherInit
        | K::NeighborAllgathervInit
        | K::NeighborAlltoallInit
        | K::NeighborAlltoallvInit
        | K::NeighborAlltoallwInit => return Some(Needs::Nobody),
        K::CommCreateGroup | K::IntercommCreate | K::IntercommMerge => return None,
        K::Bcast | K::Scatter | K::Scatterv if is_root => Needs::Nobody,
        K::Bcast | K::Scatter | K::Scatterv => Needs::Members(vec![root]),
        K::Gather | K::Gatherv | K::Reduce if !is_root => Needs::Nobody,
        K::Scan | K::Exscan => Needs::Members((0..entry.position).collect()),
        K::NeighborAllgather
        | K::NeighborAllgatherv
        | K::NeighborAlltoall
        | K::NeighborAlltoallv
        | K::NeighborAlltoallw => Needs::Members(entry.sources.clone()?),
        _ => Needs::All,
    };
    match (entry.flow, &others) {
        (Flow::Data, _) | (_, Needs::Nobody) => Some(others),
        (Flow::Nothing, _) => Some(Needs::Nobody),
        (Flow::Unknown, _) => None,
    }
}
