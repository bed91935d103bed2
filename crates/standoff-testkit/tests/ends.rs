//! How ranks end, and what is said of it: ways out of Python and of `main`, signals, destructors, tracebacks.

mod common;

use std::process::ExitCode;

use common::{Lab, told_once};
use standoff_report::Verdict;

fn main() -> ExitCode {
    common::main(&[
        ("sys_exit_that_is_caught", sys_exit_that_is_caught),
        ("ways_out", ways_out),
        ("left_without_finalize", left_without_finalize),
        ("collection_callback", collection_callback),
        ("handling_an_exception", handling_an_exception),
        ("killed_for_want_of_memory", killed_for_want_of_memory),
        ("sys_exit_looks_the_same", sys_exit_looks_the_same),
        ("signals_by_name", signals_by_name),
        ("traceback_once_and_last", traceback_once_and_last),
        ("call_that_fails", call_that_fails),
        ("call_that_failed_before", call_that_failed_before),
    ])
}

/// A `SystemExit` that somebody catches ended nothing, whether there was MPI after it or not; nor did one that was only made.
fn sys_exit_that_is_caught(lab: &Lab) {
    let program = "\
import sys
from mpi4py import MPI
comm = MPI.COMM_WORLD
def leave():
    DO
if comm.rank == 1:
    try: leave()
    except SystemExit as e: code = e.code
    AFTER
else:
    comm.recv(source=1)
    comm.recv(source=1)
";
    for leave in [
        "sys.exit(4)",
        "raise SystemExit(4)",
        "exit(4)",
        "made = SystemExit(4)",
    ] {
        for after in ["comm.send(1, dest=0)", "pass"] {
            let text = program.replace("DO", leave).replace("AFTER", after);
            lab.file("caught.py", &text);
            let ended = lab.run(&["run", "-n", "2", "caught.py"]);
            ended.expect(99, &["rank 0 waits for rank 1, which finished"]);
            assert!(
                !ended.err.contains("called sys.exit") && !ended.err.contains("raised SystemExit"),
                "{leave}, {after}: {ended:#?}"
            );
        }
    }
}

/// Ways out of Python: the cause is named with its line.
fn ways_out(lab: &Lab) {
    let program = "\
import sys, os, signal, threading
from mpi4py import MPI
comm = MPI.COMM_WORLD
class Stop(Exception): pass
def leave():
    WAY
if comm.rank == 1:
    leave()
comm.bcast(None, root=1)
";
    let finally = "try: sys.exit(3)\n    finally: text = [comm.rank]";
    let again = "try: raise SystemExit(3)\n    except SystemExit as e: raise";
    let other = "try: sys.exit(1)\n    except SystemExit: raise SystemExit('no grid')";
    for (way, words) in [
        ("sys.exit(3)", "which called sys.exit(3)"),
        ("raise SystemExit(3)", "which raised SystemExit(3)"),
        ("raise SystemExit", "which raised SystemExit()"),
        ("exit()", "which raised SystemExit(None)"),
        ("quit('no input')", "which raised SystemExit('no input')"),
        (finally, "which called sys.exit(3)"),
        (again, "which raised SystemExit(3)"),
    ] {
        lab.file("leaves.py", &program.replace("WAY", way));
        let ended = lab.run(&["run", "-n", "3", "--json", "report.json", "leaves.py"]);
        ended.expect(99, &[words, "leaves.py:6"]);
        let cause = &lab.report().findings[0].causes[0];
        assert_eq!(
            (cause.rank, cause.stack[0].line),
            (1, Some(6)),
            "{ended:#?}"
        );
    }
    lab.file("leaves.py", &program.replace("WAY", other));
    lab.run(&["run", "-n", "3", "leaves.py"])
        .expect(99, &["which raised SystemExit('no grid')", "leaves.py:7"]);
    // In another thread it ends that thread only.
    let thread = "t = threading.Thread(target=lambda: exit(3)); t.start(); t.join()";
    lab.file("leaves.py", &program.replace("WAY", thread));
    lab.run(&["run", "-n", "3", "leaves.py"])
        .expect(0, &["standoff: clean"]);
    // At once, without MPI_Finalize: launchers end such a job.
    lab.file("leaves.py", &program.replace("WAY", "os._exit(5)"));
    let ended = lab.run(&["run", "-n", "3", "--json", "report.json", "leaves.py"]);
    assert!(![Some(0), Some(99)].contains(&ended.code), "{ended:#?}");
    assert!(
        ended
            .err
            .contains("rank 1 called os._exit(5) at leaves.py:6"),
        "{ended:#?}"
    );
    assert_eq!(lab.report().verdict, Verdict::Failed);
}

/// A rank leaves `main` before MPI_Finalize, with status 0: launchers end the others, who did nothing wrong.
fn left_without_finalize(lab: &Lab) {
    let source = "\
#include <mpi.h>
static int grid(int rank) { return rank == 2 ? -1 : 0; }
int main(int argc, char **argv) {
    int rank, one = 1, sum;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (grid(rank) < 0) {
        if (argc > 1) MPI_Finalize();
        return 0;
    }
    MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
}
";
    let source = lab.file("early.c", source);
    lab.compile(lab.environment.program("mpicc").as_ref(), &source, "early");
    let ended = lab.run(&["run", "-n", "4", "--json", "report.json", "./early"]);
    // The status is the launcher's own; MPICH's may say 0.
    assert!(![Some(96), Some(99)].contains(&ended.code), "{ended:#?}");
    let words = "standoff: failed: rank 2 exited with status 0, without MPI_Finalize";
    assert!(ended.err.contains(words), "{ended:#?}");
    assert_eq!(lab.report().verdict, Verdict::Failed);
    // With MPI_Finalize: by which way it left.
    lab.run(&["run", "-n", "4", "./early", "x"])
        .expect(99, &["rank 2 finished at early.c:8 (in MPI_Finalize)"]);
}

/// Garbage is collected on each rank when that rank sees fit.
fn collection_callback(lab: &Lab) {
    let program = "\
import gc
from mpi4py import MPI
comm = MPI.COMM_WORLD
def report(phase, info):
    if phase == 'stop': comm.Barrier()
class Log:
    def report(self, phase, info): report(phase, info)
gc.disable()
gc.callbacks.append(CALLBACK)
if comm.rank == 0:
    gc.collect()
comm.recv(source=0)
";
    for (callback, at) in [
        ("report", "report at collects.py:5"),
        ("Log().report", "report at collects.py:7"),
    ] {
        lab.file("collects.py", &program.replace("CALLBACK", callback));
        let words = format!(
            "Rank 0 is in a callback of the garbage collection ({at}), which Python ran at collects.py:11."
        );
        let ended = lab.run(&["run", "-n", "3", "collects.py"]);
        ended.expect(99, &[&words, "must not communicate"]);
        assert!(!ended.err.contains("<garbage"), "{ended:#?}");
    }
}

/// What stands behind `sys.exit` and the hook of threads cannot be told from what was there before.
fn sys_exit_looks_the_same(lab: &Lab) {
    let program = "\
import sys, threading, inspect
from sys import exit as before
import os
from os import _exit as at_once
def look():
    for f in sys.exit, threading.excepthook:
        print(f, f.__name__, f.__module__, f.__self__.__name__, f.__doc__)
    print(sys.exit is before, inspect.signature(sys.exit), os._exit is at_once, inspect.signature(os._exit))
    for args in (), (None,), (2,), ('text',), (1.5,), (1, 2):
        try: sys.exit(*args)
        except SystemExit as e: print(repr(e), repr(e.code), e.__traceback__.tb_lineno)
        except TypeError as e: print(e)
    class Own(SystemExit): pass
    class Init(SystemExit):
        def __init__(self, code): super().__init__(code + 1)
    for kind in SystemExit, Own, Init:
        print(kind.__mro__, kind.__init__.__qualname__, SystemExit.__new__(SystemExit).args)
        for args in (2,), (1, 2):
            try: raise kind(*args)
            except SystemExit as e: print(repr(e), repr(e.code), e.args, e.__traceback__.tb_lineno)
            except TypeError as e: print(e)
    try: raise SystemExit
    except SystemExit as e: print(repr(e), e.code)
    try: exit(9)
    except SystemExit as e: print(repr(e), e.code)
    for target in sys.exit, exit, int:
        t = threading.Thread(target=target, args=('x',))
        t.start(); t.join()
look()
from mpi4py import MPI
print('and with MPI')
look()
sys.exit(7)
";
    lab.file("looks.py", program);
    let mut plain = lab.command(lab.environment.program("python"));
    plain.arg("looks.py");
    let plain = lab.finish(plain);
    let watched = lab.run(&["run", "-q", "looks.py"]);
    assert_eq!(plain.code, Some(7), "{plain:#?}");
    assert_eq!(watched.code, plain.code);
    let halves = |text: &str| {
        let (first, second) = text.split_once("and with MPI\n").unwrap();
        assert_eq!(first, second);
    };
    halves(&plain.out);
    halves(&watched.out);
    told_once(&watched, "Exception in thread Thread-3 (int)");
    told_once(&watched, "Exception in thread Thread-6 (int)");
}

/// Since 6.15 the kernel tells whoever is not the parent.
fn signals_by_name(lab: &Lab) {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split('.').map_while(|n| n.parse::<u32>().ok());
    let told = (numbers.next(), numbers.next()) >= (Some(6), Some(15));
    let program = "\
import os, sys, lab, signal
from mpi4py import MPI
comm = MPI.COMM_WORLD
number = int(sys.argv[1])
# Open MPI has a handler of its own for some.
if number != signal.SIGKILL: signal.signal(number, signal.SIG_DFL)
comm.Barrier()
if comm.rank == comm.size - 1:
    lab.watched(comm)
    os.kill(os.getpid(), number)
comm.recv(source=comm.size - 1)
";
    lab.file("killed.py", program);
    // SIGKILL is what launchers send, too: which of several died first may be said wrongly (see the guide's limits).
    for (ranks, number, words) in [
        ("1", "9", "rank 0 was killed by signal 9 (SIGKILL)"),
        ("3", "11", "rank 2 crashed with signal 11 (SIGSEGV)"),
    ] {
        let ended = lab.run(&["run", "-n", ranks, "killed.py", number]);
        let words = if told { words } else { "was killed or crashed" };
        assert!(ended.err.contains(words), "{ended:#?}");
    }
}

fn traceback_once_and_last(lab: &Lab) {
    let program = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
def part():
    return {}['steps']
if comm.rank == 0:
    part()
comm.bcast(None, root=0)
";
    lab.file("raises.py", program);
    let ended = lab.run(&["run", "-n", "4", "--json", "report.json", "raises.py"]);
    ended.expect(99, &["which raised KeyError: 'steps'"]);
    let (_, diagnosis) = ended.err.split_once("standoff: deadlock").unwrap();
    let traceback = "
the exception of rank 0:
Traceback (most recent call last):
  File \"raises.py\", line 6, in <module>
    part()
  File \"raises.py\", line 4, in part
    return {}['steps']
KeyError: 'steps'
";
    assert_eq!(diagnosis.matches("Traceback").count(), 1, "{diagnosis}");
    let at = diagnosis.find(traceback).expect(diagnosis);
    assert!(
        !diagnosis[at + traceback.len()..].contains("standoff"),
        "{diagnosis}"
    );
    let report = lab.report();
    let cause = &report.findings[0].causes[0];
    assert_eq!(cause.stack[0].line, Some(4));
    let frames = &cause.traceback.as_ref().unwrap().frames;
    assert_eq!(frames.last().unwrap().line, Some(4));
}

/// A rank is where others are not because of an exception that it handles.
fn handling_an_exception(lab: &Lab) {
    let program = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
class Checkpoint:
    def __enter__(self): return self
    def __exit__(self, *error): comm.Barrier()
class Odd(Exception):
    def __str__(self): raise SystemExit(9)
def work():
    state = {'t': 0} if comm.rank != 1 else {}
    ERROR
    comm.recv(source=1)
WITH
";
    let with = "with Checkpoint(): work()";
    let within = "try: work()\nexcept Exception: comm.Barrier()";
    for (error, with, words) in [
        (
            "state['t']",
            with,
            "Rank 1 is handling KeyError: 't', raised at handles.py:10.",
        ),
        (
            "state['t']",
            within,
            "Rank 1 is handling KeyError: 't', raised at handles.py:10.",
        ),
        // No code of the program's runs for it.
        (
            "if comm.rank == 1: raise Odd()",
            with,
            "Rank 1 is handling Odd, raised at handles.py:10.",
        ),
    ] {
        lab.file(
            "handles.py",
            &program.replace("ERROR", error).replace("WITH", with),
        );
        lab.run(&["run", "-n", "3", "handles.py"])
            .expect(99, &["standoff: deadlock", words]);
    }
    let early = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
def batches():
    try:
        for k in range(3): yield k
    finally: comm.Barrier()
def work():
    for k in batches():
        if comm.rank == 0: return
        comm.recv(source=0)
work()
";
    lab.file("early.py", early);
    lab.run(&["run", "-n", "3", "early.py"]).expect(
        99,
        &["Rank 0 is cleaning up after a generator that was closed early."],
    );
}

/// In a control group of its own with little memory, where one can be made (version 1, as root).
fn killed_for_want_of_memory(lab: &Lab) {
    let name = lab.path("").file_name().unwrap().to_owned();
    let group = std::path::Path::new("/sys/fs/cgroup/memory").join(name);
    let made = std::fs::create_dir(&group)
        .and_then(|()| std::fs::write(group.join("memory.limit_in_bytes"), "400M"));
    if let Err(why) = made {
        return eprintln!("skipped: no control group with a limit of memory can be made: {why}");
    }
    let program = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
def load(n):
    return bytearray(b'x') * n
part = load(2 << 30 if comm.rank == 1 else 1000)
comm.allgather(len(part))
";
    lab.file("loads.py", program);
    let mut command = lab.command("/bin/sh");
    command
        .args(["-c", "echo $$ > \"$0\"/cgroup.procs; exec \"$@\""])
        .arg(&group);
    let standoff = lab.standoff(&["run", "-n", "3", "loads.py"]);
    command
        .arg(standoff.get_program())
        .args(standoff.get_args());
    let ended = lab.finish(command);
    let left = std::fs::remove_dir(&group);
    let words =
        "The kernel's out-of-memory killer struck once in this control group during the run.";
    let said = ended.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(words), "{ended:#?}");
    left.unwrap();
}

/// An error that ends the job, as errors do where nothing else is asked for, is told with the call that had it; whom the launcher ended for it is not.
fn call_that_fails(lab: &Lab) {
    let compiler = lab.environment.program("mpicc");
    let source = lab.file(
        "shift.c",
        "\
#include <mpi.h>
static void shift(int from, int size)
{
    int left = 0;
    MPI_Sendrecv(&from, 1, MPI_INT, from + 1, 3, &left, 1, MPI_INT, from ? from - 1 : size - 1, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}
int main(int argc, char **argv)
{
    int rank, size;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    shift(rank, size);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
",
    );
    let program = lab.compile(compiler.as_os_str(), &source, "shift");
    lab.file(
        "shift.py",
        "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
comm.Set_errhandler(MPI.ERRORS_ARE_FATAL)
def shift(values):
    return comm.sendrecv(values, dest=comm.rank + 1, source=comm.rank - 1 if comm.rank else comm.size - 1)
shift([comm.rank])
",
    );
    for (program, call, place) in [
        (program.to_str().unwrap(), "MPI_Sendrecv", "shift.c:5"),
        ("shift.py", "MPI_Isend", "shift.py:5"),
    ] {
        let ended = lab.run(&["run", "-n", "3", "--json", "report.json", program]);
        let cause = format!("cause: rank 2 called {call} at {place}, which failed");
        let drawn = format!("rank 2 called {call} here");
        let cause = [cause.as_str(), &drawn];
        assert!(
            ![Some(0), Some(96), Some(99)].contains(&ended.code),
            "{ended:#?}"
        );
        ended.expect(ended.code.unwrap(), &cause);
        let report = lab.report();
        assert_eq!(report.verdict, Verdict::Failed);
        let causes: Vec<_> = report.findings[0].causes.iter().map(|c| c.rank).collect();
        assert_eq!(causes, [2]);
        // With MPICH, a program whose threads may all call MPI (mpi4py's default) is not told the library's words.
        let words = report.findings[0].causes[0].what.to_lowercase();
        assert!(
            call == "MPI_Isend" || words.contains("invalid rank"),
            "{report:#?}"
        );
    }
}

/// An error that came back to the program is not what ended it.
fn call_that_failed_before(lab: &Lab) {
    lab.file(
        "probing.py",
        "\
import os, lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
for rank in range(comm.size, comm.size + 3):
    try:
        comm.send(b'anybody?', dest=rank)
    except MPI.Exception as e:
        assert e.Get_error_class() == MPI.ERR_RANK
comm.Barrier()
if comm.rank == 1:
    lab.watched(comm)
    os.kill(os.getpid(), 9)
comm.recv(source=1)
",
    );
    let ended = lab.run(&["run", "-n", "2", "probing.py"]);
    ended.expect(
        ended.code.unwrap(),
        &["standoff: failed: rank 1 was killed by signal 9"],
    );
    assert!(!ended.err.contains("which failed"), "{ended:#?}");
}
