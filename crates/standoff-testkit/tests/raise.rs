//! `run --on-deadlock raise`: blocked calls return an error that says why.

mod common;

use std::process::ExitCode;

use common::{Ended, Lab};
use standoff_report::Verdict;

fn main() -> ExitCode {
    common::main(&[
        ("every_kind_of_call", every_kind_of_call),
        ("tracebacks_on_each_rank", tracebacks),
        ("victims_come_after_the_core", victims),
        ("data_of_a_send_that_was_ended", data),
        ("a_communicator_takes_no_more_collectives", closed),
        ("tried_again", tried_again),
        ("calls_that_cannot_return", cannot_return),
        ("errors_that_are_fatal_and_returned_in_c", errors_in_c),
        ("two_threads", two_threads),
        ("no_deadlock", no_deadlock),
        ("with_rescue", with_rescue),
        ("programs_that_go_on", go_on),
    ])
}

/// Writes a line at once: those of two ranks do not mix.
const SAY: &str = "\
import os
def say(*words): os.write(1, (' '.join(map(str, words)) + '\\n').encode())
";

fn raise(lab: &Lab, ranks: u32, more: &[&str], program: &[&str]) -> Ended {
    lab.file("say.py", SAY);
    let ranks = ranks.to_string();
    let mut words = vec!["run", "-n", &ranks, "--on-deadlock", "raise"];
    words.extend(["--json", "report.json"]);
    words.extend(more);
    words.extend(program);
    lab.run(&words)
}

/// The diagnosis was shown, and once.
#[track_caller]
fn shown_once(ended: &Ended) {
    assert_eq!(ended.code, Some(99), "{ended:#?}");
    let headlines = ended
        .err
        .lines()
        .filter(|l| l.starts_with("standoff: deadlock"));
    assert_eq!(headlines.count(), 1, "{ended:#?}");
}

/// Both ranks get stuck in the call that is asked for, say so, and work on.
const CALLS: &str = "\
import sys
from mpi4py import MPI
from say import say
import numpy as np
comm = MPI.COMM_WORLD
me, other = comm.rank, 1 - comm.rank
big, small = np.full(300000, me, dtype='d'), np.zeros(8)
words = ['word'] * 300000
def irecv(): return comm.Irecv(small, source=other, tag=3)
def first(): return me == 0 and comm.recv(source=1)
calls = {
    'recv': lambda: comm.recv(source=other),
    'Recv': lambda: comm.Recv(small, source=MPI.ANY_SOURCE),
    'send': lambda: comm.send(words, dest=other),
    'Send': lambda: comm.Send(big, dest=other),
    'ssend': lambda: comm.ssend('word', dest=other),
    'Ssend': lambda: comm.Ssend(small, dest=other),
    'sendrecv': lambda: comm.sendrecv(words, dest=other, source=other, recvtag=5),
    'Sendrecv': lambda: comm.Sendrecv(big, dest=other, recvbuf=small, source=other, recvtag=5),
    'half': lambda: comm.Sendrecv(small, dest=MPI.PROC_NULL, recvbuf=small, source=other),
    'wait': lambda: comm.irecv(source=other).wait(),
    'isend': lambda: comm.isend(words, dest=other).wait(),
    'Waitall': lambda: MPI.Request.Waitall([irecv(), irecv()]),
    'Waitany': lambda: MPI.Request.Waitany([irecv(), irecv()]),
    'Waitsome': lambda: MPI.Request.Waitsome([irecv(), irecv()]),
    'Probe': lambda: comm.Probe(source=other),
    'mprobe': lambda: comm.mprobe(source=other),
    'barrier': lambda: first() or comm.barrier(),
    'bcast': lambda: first() or comm.bcast(words, root=0),
    'Bcast': lambda: first() or comm.Bcast(big, root=0),
    'gather': lambda: first() or comm.gather(words, root=1),
    'Allgather': lambda: first() or comm.Allgather(big, np.zeros(600000)),
    'allreduce': lambda: first() or comm.allreduce(me),
    'Allreduce': lambda: first() or comm.Allreduce(MPI.IN_PLACE, big),
    'Alltoall': lambda: first() or comm.Alltoall(big, np.zeros(300000)),
    'Ibarrier': lambda: first() or comm.Ibarrier().Wait(),
    'Dup': lambda: first() or comm.Dup(),
}
for name in sys.argv[1:]:
    try:
        calls[name]()
        say(name, me, 'returned')
    except MPI.Exception as e:
        big[:] = -1
        say(name, me, 'raised', e)
    assert comm.sendrecv(me, dest=other, source=other, sendtag=99, recvtag=99) == other
say('done')
";

const KINDS: &[&str] = &[
    "recv",
    "Recv",
    "send",
    "Send",
    "ssend",
    "Ssend",
    "sendrecv",
    "Sendrecv",
    "half",
    "wait",
    "isend",
    "Waitall",
    "Waitany",
    "Waitsome",
    "Probe",
    "mprobe",
    "barrier",
    "bcast",
    "Bcast",
    "gather",
    "Allgather",
    "allreduce",
    "Allreduce",
    "Alltoall",
    "Ibarrier",
    "Dup",
];

fn every_kind_of_call(lab: &Lab) {
    lab.file("calls.py", CALLS);
    for kind in KINDS {
        let ended = raise(lab, 2, &[], &["calls.py", kind]);
        shown_once(&ended);
        for rank in 0..2 {
            let said = format!("{kind} {rank} raised standoff: deadlock: rank {rank} in ");
            assert!(ended.out.contains(&said), "{kind}: {ended:#?}");
        }
        assert!(ended.out.contains("calls.py:"), "{ended:#?}");
        assert_eq!(ended.out.matches("done").count(), 2, "{kind}: {ended:#?}");
        assert_eq!(lab.report().verdict, Verdict::Deadlock);
    }
}

/// Each receives from the next.
/// Nobody catches the exception, and nobody ends with an error: Open MPI's launcher then ends the others, and may lose what they have just
/// written.
const CIRCLE: &str = "\
from mpi4py import MPI
from say import say
comm = MPI.COMM_WORLD
def wait():
    return comm.recv(source=(comm.rank + 1) % comm.size)
import atexit, os
atexit.register(lambda: (MPI.Finalize(), os._exit(0)))
try:
    wait()
finally:
    say('cleaned', comm.rank)
";

fn tracebacks(lab: &Lab) {
    lab.file("circle.py", CIRCLE);
    for ranks in [2, 3, 8] {
        let ended = raise(lab, ranks, &[], &["circle.py"]);
        shown_once(&ended);
        assert_eq!(
            ended.err.matches("Traceback").count(),
            ranks as usize,
            "{ended:#?}"
        );
        assert_eq!(
            ended.out.matches("cleaned").count(),
            ranks as usize,
            "{ended:#?}"
        );
        for rank in 0..ranks {
            let next = (rank + 1) % ranks;
            let said = format!(
                "Exception: standoff: deadlock: rank {rank} in comm.recv at circle.py:5 waits for rank {next};"
            );
            assert!(ended.err.contains(&said), "{said}: {ended:#?}");
        }
    }
}

fn victims(lab: &Lab) {
    lab.file(
        "victims.py",
        "\
import traceback
from mpi4py import MPI
from say import say
comm = MPI.COMM_WORLD
me = comm.rank
try:
    comm.recv(source={0: 1, 1: 0, 2: 0, 3: 2}[me])
except MPI.Exception as e:
    say(me, 'raised', e)
    traceback.print_exc()
",
    );
    // Nobody ends with an error: Open MPI's launcher then ends the others, and may lose what they have just written.
    let ended = raise(lab, 4, &[], &["victims.py"]);
    shown_once(&ended);
    for said in [
        "0 raised standoff: deadlock: rank 0 in comm.recv at victims.py:7 waits for rank 1;",
        "2 raised standoff: deadlock: rank 2 in comm.recv at victims.py:7 waits for rank 0;",
        "3 raised standoff: deadlock: rank 3 in comm.recv at victims.py:7 waits for rank 2;",
    ] {
        assert!(ended.out.contains(said), "{said}: {ended:#?}");
    }
    assert_eq!(ended.err.matches("Traceback").count(), 4, "{ended:#?}");
    // Whoever recovers may still release the others.
    lab.file(
        "recovers.py",
        "\
from mpi4py import MPI
from say import say
comm = MPI.COMM_WORLD
me = comm.rank
if me == 2:
    say('got', comm.recv(source=0))
else:
    try:
        comm.recv(source=1 - me)
    except MPI.Exception:
        if me == 0: comm.send('help', dest=2)
",
    );
    let ended = raise(lab, 3, &[], &["recovers.py"]);
    shown_once(&ended);
    assert_eq!(ended.out, "got help\n", "{ended:#?}");
}

/// What an ended send leaves is received later, as it was.
fn data(lab: &Lab) {
    lab.file(
        "data.py",
        "\
from mpi4py import MPI
from say import say
import sys
import numpy as np
comm = MPI.COMM_WORLD
a, b = np.full(300000, 1.0 + comm.rank), np.empty(300000)
other = 1 - comm.rank
try:
    if sys.argv[1] == 'Isend': comm.Isend(a, dest=other).Wait()
    else: getattr(comm, sys.argv[1])(a, dest=other)
except MPI.Exception:
    a[:] = -1
    comm.Recv(b, source=other)
    say(b.min(), b.max())
",
    );
    for call in ["Send", "Ssend", "Isend"] {
        let ended = raise(lab, 2, &[], &["data.py", call]);
        shown_once(&ended);
        let mut lines: Vec<&str> = ended.out.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["1.0 1.0", "2.0 2.0"], "{call}: {ended:#?}");
    }
}

fn closed(lab: &Lab) {
    lab.file(
        "closed.py",
        "\
from mpi4py import MPI
from say import say
comm = MPI.COMM_WORLD
other = comm.Dup()
def attempt(what):
    try: return what()
    except MPI.Exception as e: say(comm.rank, e)
attempt(lambda: comm.recv(source=1) if comm.rank == 0 else comm.Barrier())
for call in comm.Barrier, comm.Dup, lambda: comm.bcast(1), comm.Ibarrier:
    attempt(call)
say('sum', other.allreduce(1))
",
    );
    let ended = raise(lab, 2, &[], &["closed.py"]);
    shown_once(&ended);
    let no = "standoff: no collective works on MPI_COMM_WORLD any more";
    assert_eq!(ended.out.matches(no).count(), 8, "{ended:#?}");
    assert_eq!(ended.out.matches("sum 2").count(), 2, "{ended:#?}");
}

fn tried_again(lab: &Lab) {
    lab.file(
        "again.py",
        "\
from mpi4py import MPI
from say import say
comm = MPI.COMM_WORLD
while True:
    try:
        comm.recv(source=1 - comm.rank)
    except MPI.Exception:
        say('again')
",
    );
    let ended = raise(lab, 2, &[], &["again.py"]);
    shown_once(&ended);
    ended.expect(99, &["deadlocked again after their errors"]);
    // MPICH's launcher says below that it was ended.
    assert!(ended.out.starts_with("again\nagain\n"), "{ended:#?}");
    assert_eq!(ended.out.matches("again").count(), 2, "{ended:#?}");
    assert_eq!(lab.report().notes.len(), 1, "{:#?}", lab.report());
}

fn cannot_return(lab: &Lab) {
    lab.file(
        "split.py",
        "\
from mpi4py import MPI
from say import say
comm = MPI.COMM_WORLD
try:
    comm.recv(source=1) if comm.rank == 0 else comm.Split(0)
except MPI.Exception as e:
    say(comm.rank, e)
",
    );
    let ended = raise(lab, 2, &[], &["split.py"]);
    shown_once(&ended);
    ended.expect(
        99,
        &["no error could be returned to rank 1 in MPI_Comm_split"],
    );
    assert!(
        ended
            .out
            .starts_with("0 standoff: deadlock: rank 0 in comm.recv"),
        "{ended:#?}"
    );
}

fn errors_in_c(lab: &Lab) {
    let source = lab.file(
        "errors.c",
        "\
#include <mpi.h>
#include <stdio.h>
int main(int argc, char **argv) {
    int rank, got, class, n;
    char text[MPI_MAX_ERROR_STRING];
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (argc > 1) MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    int rc = MPI_Recv(&got, 1, MPI_INT, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Error_class(rc, &class);
    MPI_Error_string(rc, text, &n);
    printf(\"%d %s\\n\", class > MPI_ERR_LASTCODE, text);
    MPI_Finalize();
    return 0;
}
",
    );
    let compiler = lab.environment.program("mpicc");
    let program = lab.compile(compiler.as_os_str(), &source, "errors");
    let program = program.to_str().unwrap();
    let ended = raise(lab, 2, &[], &[program]);
    shown_once(&ended);
    assert_eq!(
        ended.out.matches("standoff: deadlock").count(),
        0,
        "{ended:#?}"
    );
    let ended = raise(lab, 2, &[], &[program, "return"]);
    shown_once(&ended);
    assert_eq!(
        ended.out.matches("1 standoff: deadlock: rank").count(),
        2,
        "{ended:#?}"
    );
}

/// Both threads of each rank are stuck, and both go on.
fn two_threads(lab: &Lab) {
    lab.file(
        "threads.py",
        "\
from mpi4py import MPI
from say import say
import threading
comm = MPI.COMM_WORLD
other = 1 - comm.rank
talk = comm.Dup()
def echo():
    for i in range(3): assert talk.sendrecv(i, dest=other, source=other) == i
def stuck(tag):
    try: comm.recv(source=other, tag=tag)
    except MPI.Exception as e: say('raised', e)
echo()
thread = threading.Thread(target=stuck, args=(1,))
thread.start()
stuck(2)
thread.join()
echo()
say('done')
",
    );
    let ended = raise(lab, 2, &[], &["threads.py"]);
    shown_once(&ended);
    assert_eq!(
        ended.out.matches("raised standoff: deadlock: rank").count(),
        4,
        "{ended:#?}"
    );
    assert_eq!(ended.out.matches("done").count(), 2, "{ended:#?}");
}

fn no_deadlock(lab: &Lab) {
    lab.file(
        "good.py",
        "\
from mpi4py import MPI
from say import say
import numpy as np
comm = MPI.COMM_WORLD
me, n = comm.rank, comm.size
right, left = (me + 1) % n, (me - 1) % n
status = MPI.Status()
for step in range(20):
    a, b = np.full(50000, me + step, dtype='d'), np.empty(50000)
    comm.Sendrecv(a, dest=right, recvbuf=b, source=left, status=status)
    assert (b == left + step).all() and status.source == left and status.Get_count(MPI.DOUBLE) == 50000
    if me % 2 == 0: comm.Ssend(a, dest=me ^ 1); comm.Recv(b, source=MPI.ANY_SOURCE, tag=7, status=status)
    else: comm.Recv(b, source=me ^ 1); comm.Send(a, dest=me ^ 1, tag=7)
    comm.Sendrecv(a, dest=right if me < n - 1 else MPI.PROC_NULL, recvbuf=b, source=left if me else MPI.PROC_NULL, status=status)
    assert status.source == (left if me else MPI.PROC_NULL)
    assert comm.sendrecv(me, dest=left, source=right) == right
    assert comm.allreduce(me) == n * (n - 1) // 2
    assert comm.bcast(step if me == 0 else None) == step
    assert comm.alltoall(list(range(n))) == [me] * n
    assert comm.allgather(me) == list(range(n))
    assert comm.scatter([i * i for i in range(n)] if me == 1 else None, root=1) == me * me
    assert comm.scan(1) == me + 1
    total = np.zeros(50000); comm.Allreduce(a, total); assert (total == n * step + n * (n - 1) // 2).all()
    requests = [comm.irecv(source=left, tag=i) for i in range(3)]
    for i in range(3): comm.send(i, dest=right, tag=i)
    assert MPI.Request.waitall(requests) == [0, 1, 2]
    comm.Barrier()
comm.Dup().Free(); comm.Split(me % 2).Barrier()
if me == 0: say('right')
",
    );
    let ended = raise(lab, 4, &[], &["good.py"]);
    ended.expect(0, &["clean"]);
    assert_eq!(ended.out, "right\n");
    let report = lab.report();
    assert_eq!(report.verdict, Verdict::Clean);
    assert!(
        report.findings.is_empty() && report.notes.is_empty(),
        "{report:#?}"
    );
}

/// A standoff of sends is resolved; one of receives is raised.
fn with_rescue(lab: &Lab) {
    lab.file("calls.py", CALLS);
    let ended = raise(lab, 2, &["--rescue"], &["calls.py", "Send"]);
    assert!(ended.out.contains("Send 0 returned"), "{ended:#?}");
    let ended = raise(lab, 2, &["--rescue"], &["calls.py", "recv"]);
    shown_once(&ended);
    assert_eq!(ended.out.matches("raised").count(), 2, "{ended:#?}");
}

/// Programs that catch the error, clean up by communicating, and go on: on communicators made of others, with requests of every sort.
fn go_on(lab: &Lab) {
    lab.file(
        "go_on.py",
        "\
import sys
from mpi4py import MPI
from say import say
import numpy as np
comm = MPI.COMM_WORLD
me, n = comm.rank, comm.size
other = 1 - me
log = []
case = sys.argv[1]
sub = comm.Dup(); subsub = sub.Split(0, me)
a = np.empty(300000); b = np.full(300000, me, dtype='d')
if case == 'nb':
    reqs = [subsub.Irecv(a, other, tag=1), subsub.Irecv(np.empty(3), other, tag=2)]
    try:
        MPI.Request.Waitall(reqs)
    except MPI.Exception as e:
        log.append('waitall ' + str(e)[:60])
    subsub.Sendrecv(b, other, 5, a, other, 5)
    assert (a == other).all()
elif case == 'send':
    try:
        comm.Send(b, other, tag=3)
    except MPI.Exception as e:
        log.append('send ' + str(e)[:60]); b[:] = -1
    comm.Recv(a, other, tag=3)
    assert (a == other).all()
elif case == 'coll':
    try:
        try:
            if me == 0: sub.Barrier()
            else: sub.recv(source=0)
        finally:
            assert comm.allreduce(1) == 2
    except MPI.Exception as e:
        log.append('coll ' + str(e)[:60])
    try:
        sub.Barrier()
    except MPI.Exception as e:
        log.append('closed ' + str(e)[:60])
elif case == 'persist':
    r = comm.Send_init(b, other, tag=4); r.Start()
    try: r.Wait()
    except MPI.Exception as e: log.append('pw ' + str(e)[:60])
    comm.Recv(a, other, tag=4); assert (a == other).all()
    r.Wait(); r.Start(); comm.Recv(a, other, tag=4); r.Wait(); r.Free()
elif case == 'any':
    reqs = [comm.Isend(b, other, tag=6), comm.Irecv(np.empty(3), other, tag=7)]
    try: MPI.Request.Waitany(reqs)
    except MPI.Exception as e: log.append('any ' + str(e)[:60])
    comm.Recv(a, other, tag=6); assert (a == other).all()
comm.Barrier()
say(log)
subsub.Free()
",
    );
    for (case, calls) in [
        ("nb", &["MPI.Request.Waitall"][..]),
        ("send", &["comm.Send"]),
        ("coll", &["sub.", "no collective works"]),
        ("persist", &["r.Wait"]),
        ("any", &["MPI.Request.Waitany"]),
    ] {
        let ended = raise(lab, 2, &[], &["go_on.py", case]);
        shown_once(&ended);
        let lines: Vec<&str> = ended.out.lines().collect();
        assert_eq!(lines.len(), 2, "{case}: {ended:#?}");
        for call in calls {
            assert!(lines.iter().all(|l| l.contains(call)), "{case}: {ended:#?}");
        }
        assert_eq!(lab.report().verdict, Verdict::Deadlock);
    }
}
