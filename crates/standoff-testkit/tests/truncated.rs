//! Boards and recordings that somebody cuts off under the ranks that write them: the ranks go on.

mod common;

use std::process::ExitCode;

use common::{Lab, sessions_of};
use standoff_report::{Scope, Verdict};

fn main() -> ExitCode {
    common::main(&[
        ("board_truncated", board_truncated),
        ("recording_truncated", recording_truncated),
        ("sigbus_of_the_program", sigbus_of_the_program),
    ])
}

/// The ranks go on as if nothing were, and count as able to act.
fn board_truncated(lab: &Lab) {
    let program = "\
import glob, os, threading, lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
other = 1 - comm.rank
comm.Barrier()
if comm.rank == 0:
    lab.watched(comm)
    for name in glob.glob(os.environ['STANDOFF_SESSION'] + '/*.board'):
        os.truncate(name, LENGTH)
comm.Barrier()
def exchange(on, tag):
    request = on.irecv(source=other, tag=tag)
    on.send(comm.rank, dest=other, tag=tag)
    assert request.wait() == other
for tag in range(100): exchange(comm, tag)
for tag in range(5):
    copy = comm.Dup()
    exchange(copy, tag)
    assert copy.allreduce(1) == 2
    copy.Free()
thread = threading.Thread(target=exchange, args=(comm, 7))
thread.start()
thread.join()
comm.Barrier()
if comm.rank == 0: print('done', flush=True)
END
";
    for length in ["0", "100", "4096", "65536", "1000000"] {
        let program = program.replace("LENGTH", length);
        lab.file("cut.py", &program.replace("END", ""));
        let child =
            lab.start(&mut lab.standoff(&["run", "-n", "2", "--json", "report.json", "cut.py"]));
        let pid = child.id();
        let ended = lab.end(child);
        ended.expect(0, &["cannot be read any more"]);
        assert_eq!(ended.out, "done\n", "{length}: {ended:#?}");
        assert_eq!(lab.report().verdict, Verdict::Clean);
        assert_eq!(sessions_of(pid), 0);
        // What cannot be read is no ground for a claim.
        lab.file("cut.py", &program.replace("END", "comm.recv(source=other)"));
        let ended = lab.run(&["run", "-n", "2", "--timeout", "2", "cut.py"]);
        ended.expect(124, &["standoff: timeout: "]);
        assert!(!ended.err.contains("standoff: deadlock"), "{ended:#?}");
    }
}

/// SIGBUS that is not ours ends where it would have ended: in the program's handler, installed before or after, or in its death.
fn sigbus_of_the_program(lab: &Lab) {
    let source = "\
#define _GNU_SOURCE
#include <mpi.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static volatile char *page;
static void on_bus(int signal, siginfo_t *info, void *context) {
    if (signal != SIGBUS || info->si_addr != (void *)page) _exit(9);
    mmap((void *)page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    write(1, \"mended\\n\", 7);
}
static void handle(void) {
    struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
    sigaction(SIGBUS, &action, NULL);
}
int main(int argc, char **argv) {
    const char *how = argv[1];
    if (!strcmp(how, \"ignored\")) signal(SIGBUS, SIG_IGN);
    if (!strcmp(how, \"before\")) handle();
    MPI_Init(&argc, &argv);
    if (!strcmp(how, \"after\")) handle();
    if (!strcmp(how, \"sent\") || !strcmp(how, \"ignored\")) kill(getpid(), SIGBUS);
    int file = open(\"own\", O_CREAT | O_RDWR, 0600);
    ftruncate(file, 4096);
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ftruncate(file, 0);
    *page = 1;
    MPI_Finalize();
    return 3;
}
";
    let source = lab.file("bus.c", source);
    let program = lab.compile(lab.environment.program("mpicc").as_ref(), &source, "bus");
    for how in ["before", "after", "none", "sent", "ignored"] {
        let mut plain = lab.command(&program);
        plain.arg(how);
        let plain = lab.finish(plain);
        let ended = lab.run(&["run", "--", "./bus", how]);
        let ending = |e: &common::Ended| (e.code, e.signal, e.out.clone());
        assert_eq!(ending(&ended), ending(&plain), "{how}: {ended:#?}");
        let handled = ["before", "after"].contains(&how);
        assert_eq!(ended.out == "mended\n", handled, "{how}: {ended:#?}");
    }
}

/// What is left of a recording proves nothing of other executions.
fn recording_truncated(lab: &Lab) {
    let program = "\
import glob, os
from mpi4py import MPI
comm = MPI.COMM_WORLD
other = 1 - comm.rank
comm.Barrier()
if comm.rank == 0:
    for name in glob.glob(os.environ['STANDOFF_RECORD'] + '/*.trace'):
        os.truncate(name, 0)
comm.Barrier()
for _ in range(200): comm.sendrecv(b'x', dest=other, source=other)
if comm.rank == 0: print('done', flush=True)
";
    lab.file("cut.py", program);
    let args = [
        "check",
        "-n",
        "2",
        "--no-rerun",
        "--json",
        "report.json",
        "cut.py",
    ];
    let ended = lab.run(&args);
    ended.expect(0, &[]);
    assert_eq!(ended.out, "done\n", "{ended:#?}");
    assert_ne!(lab.report().scope, Scope::AllExecutions, "{ended:#?}");
}
