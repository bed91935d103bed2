//! Reports to render, and the sources they speak of.
#![allow(dead_code, missing_docs)] // each test file uses some

use standoff_report::sources::MemorySources;
use standoff_report::{
    Abi, AgentEntry, Cause, Exit, Finding, FindingKind, Frame, MpiInfo, Op, Report, Scope, Verdict,
    WaitKind,
};

pub const RECIPE: &str = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 1:
    got = comm.recv(source=5); comm.send(\"a\", dest=5)
if comm.rank == 5:
    got = comm.recv(source=1); comm.send(\"b\", dest=1)
";

pub const RECIPE_C: &str = "\
#include <mpi.h>
int main(int argc, char **argv)
{
    int rank, got, mine = 1;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 1) {
        MPI_Recv(&got, 1, MPI_INT, 5, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(&mine, 1, MPI_INT, 5, 0, MPI_COMM_WORLD);
    } else if (rank == 5) {
        MPI_Recv(&got, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(&mine, 1, MPI_INT, 1, 0, MPI_COMM_WORLD);
    }
    MPI_Finalize();
}
";

pub const APP: &str = "\
import sys
from mpi4py import MPI

comm = MPI.COMM_WORLD
rank, size = comm.rank, comm.size


def setup(config):
    steps = config['steps']
    return steps


def ring(x):
    left = (rank - 1) % size
    y = comm.recv(source=left)
    comm.send(x, dest=(rank + 1) % size)
    return y


def main():
    steps = setup({}) if rank == 0 else None
    steps = comm.bcast(steps, root=0)
    comm.Barrier()
    for step in range(steps):
        ring(step)
    total = comm.reduce(rank, root=0)
";

pub fn sources() -> MemorySources {
    MemorySources::default()
        .with("recipe.py", RECIPE)
        .with("recipe.c", RECIPE_C)
        .with("app.py", APP)
}

pub fn names(list: impl IntoIterator<Item = u32>) -> Vec<String> {
    list.into_iter().map(|r| format!("rank {r}")).collect()
}

/// A rank that waits in an MPI call of a Python program.
pub fn rank(rank: u32, op: Op, call: &str, user_call: &str, at: (&str, u32, &str)) -> AgentEntry {
    AgentEntry {
        agent: format!("rank {rank}"),
        rank,
        call: call.into(),
        user_call: (!user_call.is_empty()).then(|| user_call.into()),
        comm: Some("MPI_COMM_WORLD".into()),
        wait: Some(WaitKind::All),
        stack: vec![Frame::at(at.0, at.1, at.2)],
        op: Some(op),
        ..AgentEntry::default()
    }
}

pub trait Waits {
    fn waits_for(self, list: impl IntoIterator<Item = u32>) -> Self;
    fn because(self, reason: &str) -> Self;
}

impl Waits for AgentEntry {
    fn waits_for(mut self, list: impl IntoIterator<Item = u32>) -> Self {
        self.waits_for = names(list);
        if let [_] = self.waits_for[..] {
            self.peer = self.waits_for[0][5..].parse().ok();
        }
        self
    }

    fn because(mut self, reason: &str) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// A rank that has finished.
pub fn finished(rank: u32, state: &str) -> AgentEntry {
    AgentEntry {
        agent: format!("rank {rank}"),
        rank,
        call: "MPI_Finalize".into(),
        op: Some(Op::Finalize),
        state: Some(state.into()),
        ..AgentEntry::default()
    }
}

pub fn in_finalize(rank: u32, core: impl IntoIterator<Item = u32>) -> AgentEntry {
    AgentEntry {
        agent: format!("rank {rank}"),
        rank,
        call: "MPI_Finalize".into(),
        op: Some(Op::Finalize),
        wait: Some(WaitKind::All),
        waits_for: names(core),
        ..AgentEntry::default()
    }
}

pub fn report(verdict: Verdict, ranks: u32, findings: Vec<Finding>) -> Report {
    let mut report = Report::new(verdict, Scope::ThisRun, ranks);
    report.mpi = Some(MpiInfo {
        library: "MPICH 5.0.2".into(),
        abi: Abi::Mpich,
    });
    report.findings = findings;
    if verdict == Verdict::Deadlock {
        report.detected_after_ms = Some(12);
        report.exit = Exit {
            code: None,
            signal: Some(15),
            ..Exit::default()
        };
    }
    report
}

pub fn opening() -> Report {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let recv = |me, you, line| {
        let mut entry = rank(
            me,
            Op::Probe,
            "MPI_Mprobe",
            "comm.recv",
            ("recipe.py", line, "<module>"),
        );
        entry.tag = Some(-1);
        entry.waits_for([you]).because("it has sent nothing")
    };
    finding.core = vec![recv(1, 5, 4), recv(5, 1, 6)];
    finding.cycle = names([1, 5]);
    finding.victims = [0, 2, 3, 4, 6, 7, 8]
        .map(|r| in_finalize(r, [1, 5]))
        .to_vec();
    finding.explanation = "Rank 1 receives from rank 5 before it sends to it, and rank 5 \
        receives from rank 1 before it sends. Each waits for a message that the other would \
        send only after its own receive, so neither can go on."
        .into();
    finding.advice = vec![
        "let one side send first: on rank 5, put the send before the recv".into(),
        "or let both call comm.sendrecv(\"a\", dest=5, source=5), which sends and receives at once"
            .into(),
    ];
    report(Verdict::Deadlock, 9, vec![finding])
}

pub fn opening_c() -> Report {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let recv = |me, you, line| {
        let mut entry = rank(me, Op::Recv, "MPI_Recv", "", ("recipe.c", line, "main"));
        entry.tag = Some(0);
        entry.waits_for([you]).because("it has sent nothing")
    };
    finding.core = vec![recv(1, 5, 8), recv(5, 1, 11)];
    finding.cycle = names([1, 5]);
    let victim = |r| {
        let mut entry = in_finalize(r, [1, 5]);
        entry.stack = vec![Frame::at("recipe.c", 14, "main")];
        entry
    };
    finding.victims = [0, 2, 3, 4, 6, 7, 8].map(victim).to_vec();
    finding.explanation = "Ranks 1 and 5 both receive before they send.".into();
    finding.advice = vec!["use MPI_Sendrecv on both ranks".into()];
    report(Verdict::Deadlock, 9, vec![finding])
}

pub fn ring(n: u32) -> Report {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let one = |r: u32| {
        let mut entry = rank(
            r,
            Op::Probe,
            "MPI_Mprobe",
            "comm.recv",
            ("app.py", 15, "ring"),
        );
        entry.stack.push(Frame::at("app.py", 25, "main"));
        entry.stack.push(Frame::at("app.py", 28, "<module>"));
        entry.waits_for([(r + n - 1) % n])
    };
    finding.core = (0..n).map(one).collect();
    finding.cycle = names((0..n).rev());
    finding.explanation = "Every rank receives from its left neighbour before it sends.".into();
    finding.advice = vec!["let rank 0 send before it receives".into()];
    report(Verdict::Deadlock, n, vec![finding])
}

pub fn raised() -> Report {
    let mut finding = Finding::new(FindingKind::Deadlock);
    let mut core = vec![finished(0, "raised KeyError: 'steps'")];
    for r in 1..9 {
        let mut entry = rank(
            r,
            Op::Collective,
            "MPI_Bcast",
            "comm.bcast",
            ("app.py", 22, "main"),
        );
        entry.stack.push(Frame::at("app.py", 28, "<module>"));
        core.push(entry.waits_for([0]));
    }
    finding.core = core;
    finding.causes = vec![Cause {
        rank: 0,
        world: 0,
        what: "raised KeyError: 'steps'".into(),
        stack: vec![
            Frame::at("app.py", 9, "setup"),
            Frame::at("app.py", 21, "main"),
            Frame::at("app.py", 28, "<module>"),
        ],
        ..Cause::default()
    }];
    finding.explanation = "Rank 0 raised an exception before the bcast. Python ended it in \
        order, through MPI_Finalize, which waits for the others; so the job looks alive."
        .into();
    finding.advice = vec![
        "run it as `mpiexec -n 9 python -m mpi4py app.py`, which ends the job on an exception"
            .into(),
    ];
    report(Verdict::Deadlock, 9, vec![finding])
}
