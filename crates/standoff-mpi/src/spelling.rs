//! What people who write in one language call MPI's procedures.

/// The binding that a program uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// C, C++, Fortran, or not known: MPI's names say all.
    Native,
    /// mpi4py's methods for objects.
    Objects,
    /// mpi4py's methods for buffers.
    Buffers,
    /// The crate `mpi`.
    Rust,
}

/// Of a procedure: its name without `MPI_`, mpi4py's method for objects and that for buffers, rsmpi's. Empty: there is none.
const NAMES: &[[&str; 4]] = &[
    [
        "Sendrecv",
        "comm.sendrecv",
        "comm.Sendrecv",
        "send_receive_into",
    ],
    ["Isend", "comm.isend", "comm.Isend", "immediate_send"],
    [
        "Irecv",
        "comm.irecv",
        "comm.Irecv",
        "immediate_receive_into",
    ],
    ["Ssend", "comm.ssend", "comm.Ssend", "synchronous_send"],
    ["Iprobe", "comm.iprobe", "comm.Iprobe", "immediate_probe"],
    ["Barrier", "comm.barrier", "comm.Barrier", "barrier"],
    ["Bcast", "comm.bcast", "comm.Bcast", "broadcast_into"],
    ["Gather", "comm.gather", "comm.Gather", "gather_into"],
    [
        "Gatherv",
        "comm.gather",
        "comm.Gatherv",
        "gather_varcount_into",
    ],
    ["Scatter", "comm.scatter", "comm.Scatter", "scatter_into"],
    [
        "Scatterv",
        "comm.scatter",
        "comm.Scatterv",
        "scatter_varcount_into",
    ],
    [
        "Allgather",
        "comm.allgather",
        "comm.Allgather",
        "all_gather_into",
    ],
    [
        "Allgatherv",
        "comm.allgather",
        "comm.Allgatherv",
        "all_gather_varcount_into",
    ],
    [
        "Alltoall",
        "comm.alltoall",
        "comm.Alltoall",
        "all_to_all_into",
    ],
    [
        "Alltoallv",
        "comm.alltoall",
        "comm.Alltoallv",
        "all_to_all_varcount_into",
    ],
    ["Alltoallw", "comm.alltoall", "comm.Alltoallw", ""],
    // mpi4py's reductions of objects are messages: who is in these wrote the method for buffers.
    ["Reduce", "comm.Reduce", "comm.Reduce", "reduce_into"],
    [
        "Allreduce",
        "comm.Allreduce",
        "comm.Allreduce",
        "all_reduce_into",
    ],
    ["Scan", "comm.Scan", "comm.Scan", "scan_into"],
    [
        "Exscan",
        "comm.Exscan",
        "comm.Exscan",
        "exclusive_scan_into",
    ],
    [
        "Comm_dup",
        "comm.Dup; also the first lower-case comm.reduce or comm.allreduce",
        "comm.Dup",
        "duplicate",
    ],
    ["Barrier_init", "comm.Barrier_init", "comm.Barrier_init", ""],
    ["Bcast_init", "comm.Bcast_init", "comm.Bcast_init", ""],
    ["Gather_init", "comm.Gather_init", "comm.Gather_init", ""],
    ["Scatter_init", "comm.Scatter_init", "comm.Scatter_init", ""],
    [
        "Allgather_init",
        "comm.Allgather_init",
        "comm.Allgather_init",
        "",
    ],
    [
        "Alltoall_init",
        "comm.Alltoall_init",
        "comm.Alltoall_init",
        "",
    ],
    ["Reduce_init", "comm.Reduce_init", "comm.Reduce_init", ""],
    [
        "Allreduce_init",
        "comm.Allreduce_init",
        "comm.Allreduce_init",
        "",
    ],
    ["Scan_init", "comm.Scan_init", "comm.Scan_init", ""],
    ["Exscan_init", "comm.Exscan_init", "comm.Exscan_init", ""],
    ["Comm_split", "comm.Split", "comm.Split", "split_by_color"],
    ["Comm_free", "comm.Free", "comm.Free", ""],
    [
        "Dist_graph_create_adjacent",
        "comm.Create_dist_graph_adjacent",
        "comm.Create_dist_graph_adjacent",
        "",
    ],
];

impl Spelling {
    /// `MPI_Sendrecv (comm.sendrecv)`: MPI's name, and the binding's in brackets.
    #[must_use]
    pub fn both(self, procedure: &str) -> String {
        match self.own(procedure) {
            Some(own) => format!("{procedure} ({own})"),
            None => procedure.to_owned(),
        }
    }

    fn own(self, procedure: &str) -> Option<&'static str> {
        let bare = procedure.strip_prefix("MPI_")?;
        let [_, objects, buffers, rust] = NAMES.iter().find(|names| names[0] == bare)?;
        let own = match self {
            Spelling::Native => return None,
            Spelling::Objects => objects,
            Spelling::Buffers => buffers,
            Spelling::Rust => rust,
        };
        (!own.is_empty()).then_some(*own)
    }

    /// Where the source of a message stands.
    pub(crate) fn source_of_status(self) -> &'static str {
        match self {
            Spelling::Native => "status.MPI_SOURCE",
            Spelling::Objects | Spelling::Buffers => "status.Get_source()",
            Spelling::Rust => "status.source_rank()",
        }
    }

    /// Who receives any tag without a word.
    pub(crate) fn any_tag(self) -> &'static str {
        match self {
            Spelling::Native => "MPI_ANY_TAG",
            Spelling::Objects => "MPI.ANY_TAG, the default of comm.recv",
            Spelling::Buffers => "MPI.ANY_TAG, the default of comm.Recv",
            Spelling::Rust => "as receive does, without a tag",
        }
    }

    /// What ends a rank without a word.
    pub(crate) fn ways_out(self) -> &'static str {
        match self {
            Spelling::Native => "an early return or exit",
            Spelling::Objects | Spelling::Buffers => {
                "an exception (in Python it is easily lost), an early return or sys.exit"
            }
            Spelling::Rust => "an early return, a `?` or std::process::exit",
        }
    }
}
