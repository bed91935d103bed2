//! A state of the simulator as the picture that standoff's monitor would take of it.

use std::collections::BTreeMap;

use standoff_mpi::picture::{
    Call, CollectiveKind, CollectiveRecord, CommId, CommPicture, CommRank, Group, Need, Op,
    Operation, Picture, RankPicture, RankState, Root, SendMode, Source, Tags, ThreadPicture,
    Unmatched, Wait, WorldRank,
};

use crate::model::{Do, Job, Pending, State, kind};

impl Job {
    /// What the monitor would see; of each communicator's collectives the last `history`.
    pub fn picture(&self, state: &State, history: usize) -> Picture {
        let world = |rank: usize| WorldRank(rank as u32);
        let mut flight: BTreeMap<(usize, usize, usize), BTreeMap<i32, u64>> = BTreeMap::new();
        let mut fly = |comm: usize, from: usize, to: usize, tag: i32| {
            *flight
                .entry((comm, from, to))
                .or_default()
                .entry(tag)
                .or_default() += 1;
        };
        for (&(comm, from, to), queue) in &state.transit {
            queue.iter().for_each(|m| fly(comm, from, to, m.tag));
        }
        for (to, rank) in state.ranks.iter().enumerate() {
            rank.unexpected
                .iter()
                .for_each(|m| fly(m.comm, m.from, to, m.tag));
            for op in &rank.ops {
                if let (Do::Recv { comm, .. }, Some((from, tag))) = (op.what, op.matched) {
                    fly(comm, from, to, tag);
                }
            }
        }
        let unmatched = flight
            .iter()
            .map(|(&(comm, from, to), tags)| Unmatched {
                comm: id(comm),
                from: world(from),
                to: world(to),
                tags: Tags::Known(tags.iter().map(|(&t, &n)| (t, n)).collect()),
            })
            .collect();
        let ranks = (0..self.programs.len())
            .map(|rank| self.rank(state, rank, history))
            .collect();
        Picture {
            world: 0,
            ranks,
            unmatched,
        }
    }

    fn rank(&self, state: &State, rank: usize, history: usize) -> RankPicture {
        let content = &state.ranks[rank];
        let comms = self.comms.iter().enumerate().filter_map(|(comm, members)| {
            let my_rank = members.iter().position(|&m| m == rank)?;
            let begun = content.begun.get(&comm).cloned().unwrap_or_default();
            let records =
                (0_u64..)
                    .zip(&begun)
                    .map(|(seq, &(kind, r, blocking))| CollectiveRecord {
                        seq,
                        kind,
                        root: root(r),
                        blocking,
                    });
            Some(CommPicture {
                private: false,
                id: id(comm),
                name: format!("c{comm}"),
                my_rank: CommRank(my_rank as u32),
                group: Group::List(members.iter().map(|&m| WorldRank(m as u32)).collect()),
                remote: None,
                collectives: begun.len() as u64,
                history: records.skip(begun.len().saturating_sub(history)).collect(),
                neighbours: None,
            })
        });
        let later = |op: &Pending| {
            let Do::Send { comm, to, tag, .. } = op.what else {
                return None;
            };
            let class = (comm, self.comms[comm][to], tag);
            let later = content.sent.get(&class).into_iter().flatten();
            Some(later.filter(|&&id| id > op.id).count() as u64)
        };
        let ops = content.ops.iter().map(|op| Operation {
            id: op.id,
            op: operation(op, later(op)),
            cancelled: false,
            half: None,
            chosen: None,
        });
        let finished = |t: usize| state.threads[rank][t].pc >= self.programs[rank][t].len();
        let all = (0..self.programs[rank].len()).all(finished);
        let threads = state.threads[rank]
            .iter()
            .enumerate()
            .map(|(t, thread)| ThreadPicture {
                thread: t as u32,
                call: match &thread.call {
                    Some((ids, any)) => Some(Call {
                        function: self.function(rank, t, thread.pc),
                        wait: Wait::Operations {
                            need: if *any { Need::Any } else { Need::All },
                            ops: ids.clone(),
                            unknown_requests: 0,
                        },
                    }),
                    None if all && t == 0 => Some(Call {
                        function: "MPI_Finalize".to_owned(),
                        wait: Wait::Finalize,
                    }),
                    None => None,
                },
                not_an_agent: finished(t) && t > 0,
            });
        RankPicture {
            state: if all {
                RankState::Finalized
            } else {
                RankState::Running
            },
            moving: false,
            tainted: None,
            comms: comms.collect(),
            ops: ops.collect(),
            persistent: Vec::new(),
            threads: threads.collect(),
            other_threads: 0,
        }
    }

    fn function(&self, rank: usize, thread: usize, pc: usize) -> String {
        match self.programs[rank][thread].get(pc) {
            Some(Do::Send { .. }) => "MPI_Send",
            Some(Do::Recv { .. }) => "MPI_Recv",
            Some(Do::Probe { .. }) => "MPI_Probe",
            Some(Do::Wait { .. } | Do::WaitOldest) => "MPI_Wait",
            _ => "MPI_Barrier",
        }
        .to_owned()
    }
}

fn id(comm: usize) -> CommId {
    CommId(comm as u64 + 1)
}

fn root(root: Option<usize>) -> Root {
    root.map_or(Root::None, |r| Root::Rank(CommRank(r as u32)))
}

fn operation(op: &Pending, later: Option<u64>) -> Op {
    let source =
        |from: Option<usize>| from.map_or(Source::Any, |f| Source::Rank(CommRank(f as u32)));
    match op.what {
        Do::Send {
            comm,
            to,
            tag,
            sync,
            ..
        } => Op::Send {
            comm: Some(id(comm)),
            to: CommRank(to as u32),
            tag,
            mode: if sync {
                SendMode::Synchronous
            } else {
                SendMode::Standard
            },
            later_same_class: later,
        },
        Do::Recv {
            comm, from, tag, ..
        } => Op::Recv {
            comm: Some(id(comm)),
            from: source(from),
            tag,
        },
        Do::Probe { comm, from, tag } => Op::Probe {
            comm: Some(id(comm)),
            from: source(from),
            tag,
        },
        what => match kind(what) {
            Some((comm, kind, r, blocking)) => Op::Collective {
                comm: Some(id(comm)),
                seq: op.seq,
                kind,
                root: root(r),
                blocking,
                start: None,
                data: kind != CollectiveKind::Barrier,
                members: None,
            },
            None => Op::Local,
        },
    }
}
