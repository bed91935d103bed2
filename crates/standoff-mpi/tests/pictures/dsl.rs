//! Pictures in few words.

use standoff_mpi::picture::{
    Call, CollectiveKind, CollectiveRecord, CommId, CommPicture, CommRank, Group, Need, Neighbours,
    Op, Operation, Persistent, Picture, RankPicture, RankState, Root, SendMode, Source, Tags,
    ThreadPicture, Unmatched, Wait, WorldRank,
};
use standoff_mpi::{Analysis, Finding, analyse};

/// Any source or tag.
pub const ANY: i32 = -1;

pub struct Job {
    pub picture: Picture,
    on: CommId,
    next: u64,
}

/// A job in which every rank runs, outside MPI.
pub fn job(ranks: u32) -> Job {
    let rank = |_| RankPicture {
        state: RankState::Running,
        moving: false,
        tainted: None,
        comms: Vec::new(),
        ops: Vec::new(),
        persistent: Vec::new(),
        threads: vec![thread(0)],
        other_threads: 0,
    };
    let picture = Picture {
        world: 0,
        ranks: (0..ranks).map(rank).collect(),
        unmatched: Vec::new(),
    };
    let mut job = Job {
        picture,
        on: CommId::WORLD,
        next: 0,
    };
    let group = Group::Strided {
        first: 0,
        stride: 1,
        len: ranks,
    };
    for rank in 0..ranks {
        job.join(
            rank,
            CommId::WORLD,
            "MPI_COMM_WORLD",
            rank,
            group.clone(),
            None,
        );
    }
    job
}

fn thread(thread: u32) -> ThreadPicture {
    ThreadPicture {
        thread,
        call: None,
        not_an_agent: false,
    }
}

fn source(from: i32) -> Source {
    u32::try_from(from).map_or(Source::Any, |rank| Source::Rank(CommRank(rank)))
}

fn tags(tag: i32) -> Option<i32> {
    (tag != ANY).then_some(tag)
}

impl Job {
    pub fn rank(&mut self, rank: u32) -> &mut RankPicture {
        &mut self.picture.ranks[rank as usize]
    }

    /// What follows is on this communicator.
    pub fn on(mut self, comm: u64) -> Self {
        self.on = CommId(comm);
        self
    }

    fn join(
        &mut self,
        rank: u32,
        id: CommId,
        name: &str,
        my: u32,
        group: Group,
        remote: Option<Group>,
    ) {
        self.rank(rank).comms.push(CommPicture {
            private: false,
            id,
            name: name.to_owned(),
            my_rank: CommRank(my),
            group,
            remote,
            collectives: 0,
            history: Vec::new(),
            neighbours: None,
        });
    }

    /// A communicator of these world ranks, in this order.
    pub fn comm(mut self, id: u64, members: &[u32]) -> Self {
        let group = Group::List(members.iter().map(|&m| WorldRank(m)).collect());
        for (my, &member) in (0..).zip(members) {
            self.join(
                member,
                CommId(id),
                &format!("comm{id}"),
                my,
                group.clone(),
                None,
            );
        }
        self
    }

    /// What this rank says of its neighbours in the graph of the communicator: in-neighbours and out-neighbours.
    pub fn edges(mut self, rank: u32, sources: &[u32], destinations: &[u32]) -> Self {
        let on = self.on;
        let ranks = |list: &[u32]| list.iter().map(|&r| CommRank(r)).collect();
        let comms = &mut self.rank(rank).comms;
        let comm = comms.iter_mut().find(|c| c.id == on).expect("a member");
        comm.neighbours = Some(Neighbours {
            sources: ranks(sources),
            destinations: ranks(destinations),
        });
        self
    }

    /// An intercommunicator.
    pub fn intercomm(mut self, id: u64, left: &[u32], right: &[u32]) -> Self {
        let group = |list: &[u32]| Group::List(list.iter().map(|&m| WorldRank(m)).collect());
        for (here, there) in [(left, right), (right, left)] {
            for (my, &member) in (0..).zip(here) {
                self.join(
                    member,
                    CommId(id),
                    "inter",
                    my,
                    group(here),
                    Some(group(there)),
                );
            }
        }
        self
    }

    fn post(&mut self, rank: u32, op: Op) -> u64 {
        self.next += 1;
        let id = self.next;
        self.rank(rank).ops.push(Operation {
            id,
            op,
            cancelled: false,
            half: None,
            chosen: None,
        });
        id
    }

    /// The thread's call.
    pub fn call(
        mut self,
        rank: u32,
        thread: usize,
        function: &str,
        need: Need,
        ops: Vec<u64>,
    ) -> Self {
        self.rank(rank).threads[thread].call = Some(Call {
            function: function.to_owned(),
            wait: Wait::Operations {
                need,
                ops,
                unknown_requests: 0,
            },
        });
        self
    }

    fn block(self, rank: u32, function: &str, op: Op) -> Self {
        let mut job = self;
        let id = job.post(rank, op);
        let free = job
            .rank(rank)
            .threads
            .iter()
            .position(|t| t.call.is_none())
            .expect("a free thread");
        job.call(rank, free, function, Need::All, vec![id])
    }

    fn world(&mut self, rank: u32, peer: u32) -> WorldRank {
        let on = self.on;
        let comm = self
            .rank(rank)
            .comms
            .iter()
            .find(|c| c.id == on)
            .expect("a member");
        comm.peer(CommRank(peer)).expect("a peer")
    }

    /// Messages in flight (ranks of the communicator; `from` is looked up by `to`).
    pub fn flight(mut self, from: u32, to: u32, tag: i32, count: u64) -> Self {
        let comm = self.on;
        let channel = (comm, WorldRank(from), WorldRank(to));
        let found = self
            .picture
            .unmatched
            .iter_mut()
            .find(|u| (u.comm, u.from, u.to) == channel);
        let tags = match found {
            Some(channel) => &mut channel.tags,
            None => {
                self.picture.unmatched.push(Unmatched {
                    comm,
                    from: channel.1,
                    to: channel.2,
                    tags: Tags::Known(Vec::new()),
                });
                &mut self.picture.unmatched.last_mut().expect("pushed").tags
            }
        };
        if let Tags::Known(list) = tags {
            match list.iter_mut().find(|(t, _)| *t == tag) {
                Some((_, n)) => *n += count,
                None => list.push((tag, count)),
            }
        }
        self
    }

    fn receive(&self, from: i32, tag: i32) -> Op {
        Op::Recv {
            comm: Some(self.on),
            from: source(from),
            tag: tags(tag),
        }
    }

    pub fn recv(self, rank: u32, from: i32, tag: i32) -> Self {
        let op = self.receive(from, tag);
        self.block(rank, "MPI_Recv", op)
    }

    pub fn probe(self, rank: u32, from: i32, tag: i32) -> Self {
        let op = Op::Probe {
            comm: Some(self.on),
            from: source(from),
            tag: tags(tag),
        };
        self.block(rank, "MPI_Probe", op)
    }

    pub fn irecv(mut self, rank: u32, from: i32, tag: i32) -> Self {
        let op = self.receive(from, tag);
        self.post(rank, op);
        self
    }

    /// In a forced run, the last that was posted names this source.
    pub fn chosen(mut self, rank: u32, source: u32) -> Self {
        let last = self.rank(rank).ops.last_mut().expect("posted");
        last.chosen = Some(CommRank(source));
        self
    }

    fn sending(&mut self, to: u32, tag: i32, mode: SendMode) -> Op {
        Op::Send {
            comm: Some(self.on),
            to: CommRank(to),
            tag,
            mode,
            later_same_class: Some(0),
        }
    }

    fn sent(mut self, rank: u32, to: u32, tag: i32) -> Self {
        let dest = self.world(rank, to);
        self.flight(rank, dest.0, tag, 1)
    }

    pub fn send(mut self, rank: u32, to: u32, tag: i32) -> Self {
        let op = self.sending(to, tag, SendMode::Standard);
        self.sent(rank, to, tag).block(rank, "MPI_Send", op)
    }

    pub fn ssend(mut self, rank: u32, to: u32, tag: i32) -> Self {
        let op = self.sending(to, tag, SendMode::Synchronous);
        self.sent(rank, to, tag).block(rank, "MPI_Ssend", op)
    }

    pub fn isend(mut self, rank: u32, to: u32, tag: i32, mode: SendMode) -> Self {
        let op = self.sending(to, tag, mode);
        let mut job = self.sent(rank, to, tag);
        job.post(rank, op);
        job
    }

    /// Waits for all that is pending.
    pub fn waitall(self, rank: u32) -> Self {
        let ids = self.pending(rank);
        self.call(rank, 0, "MPI_Waitall", Need::All, ids)
    }

    /// Waits for the one request whose halves are all that is pending.
    pub fn wait_both(self, rank: u32) -> Self {
        let ids = self.pending(rank);
        self.call(rank, 0, "MPI_Wait", Need::All, ids)
    }

    /// Waits for any that is pending.
    pub fn waitany(self, rank: u32) -> Self {
        let ids = self.pending(rank);
        self.call(rank, 0, "MPI_Waitany", Need::Any, ids)
    }

    /// Waits for the last that was posted.
    pub fn wait(self, rank: u32) -> Self {
        let ids = self.pending(rank).split_off(self.pending(rank).len() - 1);
        self.call(rank, 0, "MPI_Wait", Need::All, ids)
    }

    pub fn pending(&self, rank: u32) -> Vec<u64> {
        self.picture.ranks[rank as usize]
            .ops
            .iter()
            .map(|o| o.id)
            .collect()
    }

    /// Begins a collective.
    pub fn begin(mut self, rank: u32, kind: CollectiveKind, root: i32, blocking: bool) -> Self {
        let op = self.record(rank, kind, root, blocking);
        self.post(rank, op);
        self
    }

    fn record(&mut self, rank: u32, kind: CollectiveKind, root: i32, blocking: bool) -> Op {
        let on = self.on;
        let root = u32::try_from(root).map_or(Root::None, |r| Root::Rank(CommRank(r)));
        let comm = self
            .rank(rank)
            .comms
            .iter_mut()
            .find(|c| c.id == on)
            .expect("a member");
        let seq = comm.collectives;
        comm.collectives += 1;
        comm.history.push(CollectiveRecord {
            seq,
            kind,
            root,
            blocking,
        });
        Op::Collective {
            comm: Some(on),
            seq,
            kind,
            root,
            blocking,
            start: None,
            data: true,
            members: None,
        }
    }

    /// Made a persistent collective.
    pub fn makes(mut self, rank: u32, kind: CollectiveKind, root: i32) -> Self {
        let init = kind.init().expect("one that can be persistent");
        let Op::Collective { seq, root, .. } = self.record(rank, init, root, true) else {
            unreachable!()
        };
        let comm = self.on;
        self.rank(rank).persistent.push(Persistent {
            comm,
            seq,
            kind,
            root,
            starts: 0,
        });
        self
    }

    /// Started, and completed, the persistent collective that it made as number `nth` so often.
    pub fn started(mut self, rank: u32, nth: usize, times: u64) -> Self {
        self.rank(rank).persistent[nth].starts += times;
        self
    }

    /// Starts the persistent collective that it made as number `nth`, and waits for it.
    pub fn start(mut self, rank: u32, nth: usize) -> Self {
        let made = &mut self.rank(rank).persistent[nth];
        made.starts += 1;
        let made = *made;
        let op = Op::Collective {
            comm: Some(made.comm),
            seq: made.seq,
            kind: made.kind,
            root: made.root,
            blocking: false,
            start: Some(made.starts - 1),
            data: true,
            members: None,
        };
        self.block(rank, "MPI_Wait", op)
    }

    /// Posts an `MPI_Isendrecv`: to whom with which tag, from whom with which tag.
    pub fn isendrecv(self, rank: u32, (to, stag): (u32, i32), (from, rtag): (i32, i32)) -> Self {
        let posted = self.irecv(rank, from, rtag);
        let mut job = posted.isend(rank, to, stag, SendMode::Standard);
        let ops = &mut job.rank(rank).ops;
        let [.., recv, send] = &mut ops[..] else {
            unreachable!()
        };
        (recv.half, send.half) = (Some(send.id), Some(recv.id));
        job
    }

    /// Blocks in a collective.
    pub fn coll(mut self, rank: u32, kind: CollectiveKind, root: i32) -> Self {
        let op = self.record(rank, kind, root, true);
        let name = standoff_mpi::format::collective(kind, true);
        self.block(rank, &name, op)
    }

    /// Went through a collective.
    pub fn past(mut self, rank: u32, kind: CollectiveKind, root: i32) -> Self {
        self.record(rank, kind, root, true);
        self
    }

    /// Went through the nonblocking form of one.
    pub fn past_nonblocking(mut self, rank: u32, kind: CollectiveKind, root: i32) -> Self {
        self.record(rank, kind, root, false);
        self
    }

    pub fn finalized(mut self, ranks: impl IntoIterator<Item = u32>) -> Self {
        for rank in ranks {
            let content = self.rank(rank);
            content.state = RankState::Finalized;
            content.threads[0].call = Some(Call {
                function: "MPI_Finalize".to_owned(),
                wait: Wait::Finalize,
            });
        }
        self
    }

    pub fn state(mut self, rank: u32, state: RankState) -> Self {
        self.rank(rank).state = state;
        self
    }

    /// One more thread that has called MPI.
    pub fn thread(mut self, rank: u32) -> Self {
        let content = self.rank(rank);
        let number = content.threads.len() as u32;
        content.threads.push(thread(number));
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Picture)) -> Self {
        change(&mut self.picture);
        self
    }

    pub fn analyse(&self) -> Analysis {
        analyse(&self.picture)
    }

    /// Nothing is stuck.
    pub fn silent(self) {
        let analysis = self.analyse();
        assert!(analysis.is_empty(), "{analysis:#?}");
    }

    /// One strict finding with this core.
    pub fn deadlock(&self, core: &[u32]) -> Finding {
        only(&self.analyse().strict, core)
    }

    /// No strict finding, and one lenient finding with this core.
    pub fn may_deadlock(&self, core: &[u32]) -> Finding {
        let analysis = self.analyse();
        assert!(analysis.strict.is_empty(), "{analysis:#?}");
        only(&analysis.lenient, core)
    }
}

fn only(findings: &[Finding], core: &[u32]) -> Finding {
    let [one] = findings else {
        panic!("{findings:#?}")
    };
    let ranks: Vec<u32> = one.core.iter().map(|b| b.agent.rank.0).collect();
    assert_eq!(ranks, core, "{findings:#?}");
    one.clone()
}

/// World ranks of blocked agents.
pub fn victims(finding: &Finding) -> Vec<u32> {
    finding.victims.iter().map(|b| b.agent.rank.0).collect()
}
