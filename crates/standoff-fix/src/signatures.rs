//! Methods of mpi4py and procedures of MPI: what they are, and the names of their parameters.

use crate::unit::{Kind, Language};

/// A method or procedure.
pub(crate) struct Signature {
    pub name: &'static str,
    pub kind: Kind,
    pub params: &'static [&'static str],
}

const fn sig(name: &'static str, kind: Kind, params: &'static [&'static str]) -> Signature {
    Signature { name, kind, params }
}

const PY_SEND: &[&str] = &["buf", "dest", "tag"];
const PY_RECV: &[&str] = &["buf", "source", "tag", "status"];
const PY_IRECV: &[&str] = &["buf", "source", "tag"];
const PY_SENDRECV: &[&str] = &[
    "sendbuf", "dest", "sendtag", "recvbuf", "source", "recvtag", "status",
];
const C_SEND: &[&str] = &["buf", "count", "datatype", "dest", "tag", "comm"];
const C_ISEND: &[&str] = &["buf", "count", "datatype", "dest", "tag", "comm", "request"];
const C_RECV: &[&str] = &[
    "buf", "count", "datatype", "source", "tag", "comm", "status",
];
const C_IRECV: &[&str] = &[
    "buf", "count", "datatype", "source", "tag", "comm", "request",
];

/// mpi4py's; `obj` of the lower-case ones is called `buf` here, too.
const PYTHON: &[Signature] = &[
    sig("send", Kind::Send, PY_SEND),
    sig("Send", Kind::Send, PY_SEND),
    sig("ssend", Kind::Ssend, PY_SEND),
    sig("Ssend", Kind::Ssend, PY_SEND),
    sig("recv", Kind::Recv, PY_RECV),
    sig("Recv", Kind::Recv, PY_RECV),
    sig("isend", Kind::Isend, PY_SEND),
    sig("Isend", Kind::Isend, PY_SEND),
    sig("issend", Kind::Isend, PY_SEND),
    sig("Issend", Kind::Isend, PY_SEND),
    sig("irecv", Kind::Irecv, PY_IRECV),
    sig("Irecv", Kind::Irecv, PY_IRECV),
    sig("wait", Kind::Wait, &["status"]),
    sig("Wait", Kind::Wait, &["status"]),
    sig("sendrecv", Kind::Sendrecv, PY_SENDRECV),
    sig("Sendrecv", Kind::Sendrecv, PY_SENDRECV),
    sig("barrier", Kind::Collective, &[]),
    sig("Barrier", Kind::Collective, &[]),
    sig("bcast", Kind::Collective, &["buf", "root"]),
    sig("Bcast", Kind::Collective, &["buf", "root"]),
    sig("reduce", Kind::Collective, &["sendbuf", "op", "root"]),
    sig(
        "Reduce",
        Kind::Collective,
        &["sendbuf", "recvbuf", "op", "root"],
    ),
    sig("allreduce", Kind::Collective, &["sendbuf", "op"]),
    sig("Allreduce", Kind::Collective, &["sendbuf", "recvbuf", "op"]),
    sig("gather", Kind::Collective, &["sendbuf", "root"]),
    sig("Gather", Kind::Collective, &["sendbuf", "recvbuf", "root"]),
    sig("scatter", Kind::Collective, &["sendbuf", "root"]),
    sig("Scatter", Kind::Collective, &["sendbuf", "recvbuf", "root"]),
    sig("allgather", Kind::Collective, &["sendbuf"]),
    sig("Allgather", Kind::Collective, &["sendbuf", "recvbuf"]),
    sig("alltoall", Kind::Collective, &["sendbuf"]),
    sig("Alltoall", Kind::Collective, &["sendbuf", "recvbuf"]),
    sig("exscan", Kind::Collective, &["sendbuf", "op"]),
    sig("Exscan", Kind::Collective, &["sendbuf", "recvbuf", "op"]),
    sig("Dup", Kind::Collective, &["info"]),
    sig("Split", Kind::Collective, &["color", "key"]),
    sig("Create_group", Kind::Collective, &["group", "tag"]),
    sig("Ibarrier", Kind::Icollective, &[]),
    sig("Ibcast", Kind::Icollective, &["buf", "root"]),
];

const C: &[Signature] = &[
    sig("MPI_Send", Kind::Send, C_SEND),
    sig("MPI_Ssend", Kind::Ssend, C_SEND),
    sig("MPI_Recv", Kind::Recv, C_RECV),
    sig("MPI_Isend", Kind::Isend, C_ISEND),
    sig("MPI_Issend", Kind::Isend, C_ISEND),
    sig("MPI_Irecv", Kind::Irecv, C_IRECV),
    sig("MPI_Wait", Kind::Wait, &["request", "status"]),
    sig("MPI_Barrier", Kind::Collective, &["comm"]),
    sig(
        "MPI_Bcast",
        Kind::Collective,
        &["buf", "count", "datatype", "root", "comm"],
    ),
    sig(
        "MPI_Reduce",
        Kind::Collective,
        &[
            "sendbuf", "recvbuf", "count", "datatype", "op", "root", "comm",
        ],
    ),
    sig(
        "MPI_Allreduce",
        Kind::Collective,
        &["sendbuf", "recvbuf", "count", "datatype", "op", "comm"],
    ),
    sig("MPI_Comm_dup", Kind::Collective, &["comm", "newcomm"]),
    sig("MPI_Ibarrier", Kind::Icollective, &["comm", "request"]),
    sig(
        "MPI_Ibcast",
        Kind::Icollective,
        &["buf", "count", "datatype", "root", "comm", "request"],
    ),
    sig("MPI_Comm_rank", Kind::Other, &["comm", "rank"]),
    sig("MPI_Comm_size", Kind::Other, &["comm", "size"]),
];

/// The method of mpi4py of this name.
pub(crate) fn python(name: &str) -> Option<&'static Signature> {
    PYTHON.iter().find(|s| s.name == name)
}

/// How many calls of MPI a text holds, at most: of mpi4py's methods that are known here, of any procedure in C.
pub(crate) fn mpi_calls(language: Language, text: &str) -> usize {
    if language == Language::C {
        let called = |rest: &str| {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            end.is_some_and(|n| rest[n..].trim_start().starts_with('('))
        };
        let calls = text.match_indices("MPI_").map(|(at, _)| &text[at..]);
        return calls.filter(|rest| called(rest)).count();
    }
    let calls = PYTHON.iter().map(|s| format!(".{}(", s.name));
    calls.map(|call| text.matches(&call).count()).sum()
}

/// The procedure of this name.
pub(crate) fn c(name: &str) -> Option<&'static Signature> {
    C.iter().find(|s| s.name == name)
}

/// Whether this argument is memory that the call reads or writes.
pub(crate) fn is_data(name: &str) -> bool {
    matches!(name, "buf" | "sendbuf" | "recvbuf")
}
