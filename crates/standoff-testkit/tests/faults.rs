//! Whom a fault can hit, and when: ranks, the launcher and standoff killed, descriptors
//! closed, preloading ignored, and numbers far above the usual. Nothing may hang or leave anybody behind.
//!
//! `STANDOFF_TEST_LONG=1` makes the numbers of the last ones ten times larger.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, ExitCode};

use common::{DEADLOCK, Ended, Lab, sessions_of, signal};
use standoff_report::Verdict;

fn main() -> ExitCode {
    common::main(&[
        ("rank_killed_before_init", rank_killed_before_init),
        ("rank_killed_in_a_deadlock", rank_killed_in_a_deadlock),
        ("rank_killed_in_the_diagnosis", rank_killed_in_the_diagnosis),
        ("launcher_killed_before_init", launcher_killed_before_init),
        ("launcher_killed_in_the_run", launcher_killed_in_the_run),
        (
            "launcher_killed_in_a_deadlock",
            launcher_killed_in_a_deadlock,
        ),
        ("standoff_killed_before_init", standoff_killed_before_init),
        (
            "standoff_killed_in_a_deadlock",
            standoff_killed_in_a_deadlock,
        ),
        (
            "standoff_killed_in_the_diagnosis",
            standoff_killed_in_the_diagnosis,
        ),
        ("session_removed", session_removed),
        ("descriptors_closed", descriptors_closed),
        ("preload_ignored", preload_ignored),
        ("many_ranks", many_ranks),
        ("communicators_without_end", communicators_without_end),
        ("tags_without_end", tags_without_end),
    ])
}

/// Goes on, before MPI and after the first barrier, when the files `init` and `go` are there.
const PATIENT: &str = "\
import lab, os, sys
lab.make('started-%d' % os.getpid())
lab.wait_for('init')
from mpi4py import MPI
comm = MPI.COMM_WORLD
comm.Barrier()
lab.make('ready-%d' % comm.rank)
lab.wait_for('go')
comm.Barrier()
lab.make('done-%d' % comm.rank)
";

/// Ranks 0 and 1 deadlock. Rank 2 sees their diagnosis begin, by the first stack that is written, and does `ACT`.
const AT_DIAGNOSIS: &str = "\
import glob, os, signal, lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
session = os.environ['STANDOFF_SESSION']
owner = int(open(session + '/owner').read().split()[0])
pids = comm.allgather(os.getpid())
if comm.rank == 2:
    before = set(os.listdir(session))
    while set(os.listdir(session)) <= before: pass
    ACT
    lab.make('acted')
    lab.wait_for('never')
comm.recv(source=1 - comm.rank)
";

/// How many processes of `PATIENT` have begun.
fn started(lab: &Lab) -> usize {
    let entries = fs::read_dir(lab.path(".")).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .filter(|name| name.starts_with("started-") && !name.ends_with(".new"))
        .count()
}

/// The parent of a process.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // After the name, which may hold anything: state, parent.
    stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()
}

/// Processes of the test whose parent this is.
fn children_of(lab: &Lab, parent: u32) -> Vec<i32> {
    let pids = lab.processes().into_iter().map(|(pid, _)| pid);
    pids.filter(|&pid| parent_of(pid) == Some(parent as i32))
        .collect()
}

/// Processes of the test whose parent is not one.
fn orphans(lab: &Lab) -> Vec<i32> {
    let pids: Vec<i32> = lab.processes().into_iter().map(|(pid, _)| pid).collect();
    let theirs = |pid: &&i32| parent_of(**pid).is_some_and(|parent| !pids.contains(&parent));
    pids.iter().filter(theirs).copied().collect()
}

/// Kills the launcher that this standoff started.
fn kill_launcher(lab: &Lab, standoff: &Child) {
    let launchers = children_of(lab, standoff.id());
    assert_eq!(launchers.len(), 1, "{launchers:?} {:?}", lab.processes());
    signal(launchers[0], libc::SIGKILL);
}

/// Kills standoff, and says who its launcher was.
fn kill_standoff(lab: &Lab, mut standoff: Child) -> i32 {
    let launchers = children_of(lab, standoff.id());
    assert_eq!(launchers.len(), 1, "{launchers:?} {:?}", lab.processes());
    signal(standoff.id() as i32, libc::SIGKILL);
    standoff.wait().unwrap();
    launchers[0]
}

/// A job in a deadlock that has been told and is left as it is.
fn held_deadlock(lab: &Lab) -> Child {
    lab.file("deadlock.py", DEADLOCK);
    let words = "run -n 2 --no-kill --json report.json deadlock.py";
    let words: Vec<&str> = words.split(' ').collect();
    let child = lab.start(&mut lab.standoff(&words));
    lab.until_there("report.json");
    child
}

/// The next standoff sweeps away what a killed one left.
fn swept(lab: &Lab, pid: u32) {
    lab.run(&["run", "-q", "/bin/true"]).expect(0, &[]);
    assert_eq!(sessions_of(pid), 0);
}

/// Ended by somebody, neither well nor with a claim.
#[track_caller]
fn ended_without_a_claim(lab: &Lab, ended: &Ended) {
    assert!(
        ![Some(0), Some(96), Some(99)].contains(&ended.code),
        "{ended:#?}"
    );
    assert!(!ended.err.contains("standoff: deadlock"), "{ended:#?}");
    assert_eq!(lab.report().verdict, Verdict::Failed, "{ended:#?}");
}

fn rank_killed_before_init(lab: &Lab) {
    let program = "\
import os
if int(os.environ.get('PMI_RANK', os.environ.get('OMPI_COMM_WORLD_RANK', -1))) == 1:
    os.kill(os.getpid(), 9)
from mpi4py import MPI
MPI.COMM_WORLD.Barrier()
";
    lab.file("killed.py", program);
    let child =
        lab.start(&mut lab.standoff(&["run", "-n", "3", "--json", "report.json", "killed.py"]));
    let pid = child.id();
    ended_without_a_claim(lab, &lab.end(child));
    assert_eq!(sessions_of(pid), 0);
}

fn rank_killed_in_a_deadlock(lab: &Lab) {
    let child = held_deadlock(lab);
    let ranks = lab.processes();
    let rank = ranks
        .iter()
        .find(|(_, words)| words.contains("python") && words.ends_with("deadlock.py "));
    signal(rank.unwrap().0, libc::SIGKILL);
    let pid = child.id();
    lab.end(child).expect(99, &["standoff: deadlock: "]);
    assert_eq!(lab.report().verdict, Verdict::Deadlock);
    assert_eq!(sessions_of(pid), 0);
}

fn rank_killed_in_the_diagnosis(lab: &Lab) {
    for victim in ["0", "1", "2"] {
        let act = format!("os.kill(pids[{victim}], 9)");
        lab.file("diagnosis.py", &AT_DIAGNOSIS.replace("ACT", &act));
        let child = lab.start(&mut lab.standoff(&[
            "run",
            "-n",
            "3",
            "--json",
            "report.json",
            "diagnosis.py",
        ]));
        let pid = child.id();
        let ended = lab.end(child);
        // The proof was there before. If the rank dies first after all, it is a crash.
        let verdict = lab.report().verdict;
        match ended.code {
            Some(99) => assert_eq!(verdict, Verdict::Deadlock, "{ended:#?}"),
            _ => ended_without_a_claim(lab, &ended),
        }
        assert_eq!(sessions_of(pid), 0);
    }
}

fn launcher_killed_before_init(lab: &Lab) {
    lab.file("patient.py", PATIENT);
    let child =
        lab.start(&mut lab.standoff(&["run", "-n", "2", "--json", "report.json", "patient.py"]));
    lab.until("two processes", || started(lab) >= 2);
    kill_launcher(lab, &child);
    let pid = child.id();
    ended_without_a_claim(lab, &lab.end(child));
    assert_eq!(sessions_of(pid), 0);
}

fn launcher_killed_in_the_run(lab: &Lab) {
    lab.file("patient.py", PATIENT);
    lab.file("init", "");
    let child =
        lab.start(&mut lab.standoff(&["run", "-n", "2", "--json", "report.json", "patient.py"]));
    lab.until_there("ready-0");
    lab.until_there("ready-1");
    kill_launcher(lab, &child);
    let pid = child.id();
    ended_without_a_claim(lab, &lab.end(child));
    assert_eq!(sessions_of(pid), 0);
}

fn launcher_killed_in_a_deadlock(lab: &Lab) {
    let child = held_deadlock(lab);
    kill_launcher(lab, &child);
    let pid = child.id();
    lab.end(child).expect(99, &["standoff: deadlock: "]);
    assert_eq!(sessions_of(pid), 0);
}

/// The ranks find nobody who watches them, and go on.
fn standoff_killed_before_init(lab: &Lab) {
    lab.file("patient.py", PATIENT);
    let child = lab.start(&mut lab.standoff(&["run", "-n", "2", "patient.py"]));
    lab.until("two processes", || started(lab) >= 2);
    let pid = child.id();
    kill_standoff(lab, child);
    lab.file("init", "");
    lab.file("go", "");
    lab.until_there("done-0");
    lab.until_there("done-1");
    lab.until("the end of the job", || lab.processes().is_empty());
    swept(lab, pid);
}

/// The job hangs then as it would have without standoff, and its launcher ends it when told to.
fn standoff_killed_in_a_deadlock(lab: &Lab) {
    let child = held_deadlock(lab);
    let pid = child.id();
    let launcher = kill_standoff(lab, child);
    signal(launcher, libc::SIGTERM);
    lab.until("the end of the job", || lab.processes().is_empty());
    swept(lab, pid);
}

fn standoff_killed_in_the_diagnosis(lab: &Lab) {
    let program = AT_DIAGNOSIS.replace("ACT", "os.kill(owner, 9)");
    lab.file("diagnosis.py", &program);
    let mut child = lab.start(&mut lab.standoff(&["run", "-n", "3", "diagnosis.py"]));
    let pid = child.id();
    child.wait().unwrap();
    lab.until_there("acted");
    let launchers = orphans(lab);
    assert_eq!(launchers.len(), 1, "{:?}", lab.processes());
    signal(launchers[0], libc::SIGTERM);
    lab.until("the end of the job", || lab.processes().is_empty());
    swept(lab, pid);
}

/// Somebody tidies up /dev/shm under a running job.
fn session_removed(lab: &Lab) {
    let program = "\
import os, shutil, lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
comm.Barrier()
if comm.rank == 0:
    lab.watched(comm)
    shutil.rmtree(os.environ['STANDOFF_SESSION'])
comm.Barrier()
for _ in range(100): comm.sendrecv(b'x', dest=1 - comm.rank, source=1 - comm.rank)
if comm.rank == 0: print('done', flush=True)
END
";
    lab.file("removed.py", &program.replace("END", ""));
    let ended = lab.run(&["run", "-n", "2", "--json", "report.json", "removed.py"]);
    ended.expect(0, &["standoff: clean"]);
    assert_eq!(ended.out, "done\n");
    // Both have the boards open still. Only the stacks have no place any more.
    lab.file(
        "removed.py",
        &program.replace("END", "comm.recv(source=1 - comm.rank)"),
    );
    lab.run(&["run", "-n", "2", "removed.py"])
        .expect(99, &["standoff: deadlock: ranks 0 and 1"]);
}

/// Whatever MPI makes of it is the same with standoff as without, and no descriptor that comes to stand where one of ours was
/// is written to.
fn descriptors_closed(lab: &Lab) {
    let program = "\
import os, stat
from mpi4py import MPI
comm = MPI.COMM_WORLD
comm.Barrier()
for fd in range(3, 1024):
    # What the launcher and MPI need are sockets, pipes and shared memory: a program that closes these ends by itself.
    try: link = os.readlink('/proc/self/fd/%d' % fd)
    except OSError: continue
    if '/standoff-' in link or link.startswith(os.getcwd()): os.close(fd)
mine = [os.open('own-%d-%d' % (comm.rank, i), os.O_CREAT | os.O_RDWR) for i in range(50)]
for _ in range(100): comm.sendrecv(b'x', dest=1 - comm.rank, source=1 - comm.rank)
comm.Barrier()
assert all(os.fstat(fd).st_size == 0 for fd in mine)
if comm.rank == 0: print('done', flush=True)
END
";
    lab.file("closes.py", &program.replace("END", ""));
    let ended = lab.run(&["run", "-n", "2", "closes.py"]);
    ended.expect(0, &["standoff: clean"]);
    assert_eq!(ended.out, "done\n");
    lab.file(
        "closes.py",
        &program.replace("END", "comm.recv(source=1 - comm.rank)"),
    );
    lab.run(&["run", "-n", "2", "closes.py"])
        .expect(99, &["standoff: deadlock: ranks 0 and 1", "closes.py:15"]);
    // All of them, in a process that does not need MPI any more but for its end.
    let all = "\
import os
from mpi4py import MPI
MPI.COMM_WORLD.Barrier()
os.closerange(3, 4096)
print('going on', flush=True)
os._exit(0)
";
    lab.file("all.py", all);
    let ended = lab.run(&["run", "--json", "report.json", "all.py"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "going on\n"));
}

/// The dynamic linker ignores what is to be preloaded in a program that gives its user rights. What standoff then says must be
/// clear, and the program must run.
fn preload_ignored(lab: &Lab) {
    // SAFETY: nothing to get wrong.
    if unsafe { libc::geteuid() } != 0 {
        return eprintln!("skipped: only root can give a program away");
    }
    let source = lab.file(
        "plain.c",
        "#include <mpi.h>\n#include <stdio.h>\nint main(int c, char **v) { MPI_Init(&c, &v); puts(\"ran\"); MPI_Finalize(); }\n",
    );
    let program = lab.compile(lab.environment.program("mpicc").as_ref(), &source, "plain");
    let given = Command::new("chown").arg("65534").arg(&program).status();
    assert!(given.unwrap().success());
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
    fs::set_permissions(lab.path("."), fs::Permissions::from_mode(0o755)).unwrap();
    let plain = lab.finish(lab.command(&program));
    let ended = lab.run(&["run", "--json", "report.json", "./plain"]);
    assert_eq!(
        (ended.code, &ended.out),
        (plain.code, &plain.out),
        "{ended:#?}"
    );
    assert!(ended.err.contains("nothing was watched"), "{ended:#?}");
    assert_eq!(lab.report().ranks, 0);
}

/// 200 where the library is up to it.
fn many_ranks(lab: &Lab) {
    let text = "\
#include <mpi.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    int rank, size, sum;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (argc > 1)
        MPI_Recv(&sum, 1, MPI_INT, (rank + 1) % size, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank == 0)
        printf(\"sum %d\\n\", sum);
    MPI_Finalize();
    return 0;
}
";
    let source = lab.file("many.c", text);
    lab.compile(lab.environment.program("mpicc").as_ref(), &source, "many");
    // Open MPI 5.0.11 alone takes 45 s to start 100 ranks on 2 processors.
    let ranks = if lab.openmpi() { 32 } else { 200 };
    let n = ranks.to_string();
    let ended = lab.run(&["run", "-n", &n, "./many"]);
    ended.expect(0, &[&format!("standoff: clean: {n} ranks")]);
    assert_eq!(ended.out, format!("sum {}\n", ranks * (ranks - 1) / 2));
    let ended = lab.run(&["run", "-n", &n, "--json", "report.json", "./many", "x"]);
    ended.expect(
        99,
        &[&format!("standoff: deadlock: all {n} ranks"), "many.c:11"],
    );
    assert_eq!(lab.report().findings[0].core.len(), ranks);
}

/// How many of something: `often`, or ten times as many.
fn number(often: u32) -> String {
    let long = std::env::var("STANDOFF_TEST_LONG").is_ok_and(|value| value == "1");
    (often * if long { 10 } else { 1 }).to_string()
}

/// Runs a C program that does something `number` times, on two ranks, prints by how many KiB it grew in the last nine tenths,
/// and deadlocks then. With and without standoff it grows by the same, and the deadlock is found.
fn without_end(lab: &Lab, body: &str, number: &str) {
    let text = format!(
        "\
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
static long memory(void)
{{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}}
int main(int argc, char **argv)
{{
    int rank, number = atoi(argv[1]);
    long before = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    for (int i = 0; i < number; i++) {{
        if (i == number / 10)
            before = memory();
{body}
    }}
    if (rank == 0) {{
        printf(\"%ld\\n\", memory() - before);
        fflush(stdout);
    }}
    if (argc > 2)
        MPI_Recv(&number, 1, MPI_INT, 1 - rank, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Finalize();
    return 0;
}}
"
    );
    let source = lab.file("endless.c", &text);
    lab.compile(
        lab.environment.program("mpicc").as_ref(),
        &source,
        "endless",
    );
    let mut plain = lab.command(lab.environment.program("mpiexec"));
    plain.args(["-n", "2", "./endless", number]);
    let grown = |ended: &Ended| {
        let line = ended.out.lines().next();
        line.and_then(|line| line.parse::<i64>().ok()).unwrap()
    };
    let plain = grown(&lab.finish(plain));
    let ended = lab.run(&["run", "-n", "2", "./endless", number, "x"]);
    ended.expect(99, &["standoff: deadlock: ranks 0 and 1", "endless.c:"]);
    assert!(
        grown(&ended) <= plain + 2048,
        "by {plain} KiB without standoff; {ended:#?}"
    );
}

/// On each rank alone: what is measured is neither the library's messages nor the processors' turns.
fn communicators_without_end(lab: &Lab) {
    let body = "\
        MPI_Comm comm;
        MPI_Comm_dup(MPI_COMM_SELF, &comm);
        MPI_Comm_free(&comm);
";
    without_end(lab, body, &number(100_000));
}

fn tags_without_end(lab: &Lab) {
    let body = "\
        MPI_Request request;
        int in;
        MPI_Irecv(&in, 1, MPI_INT, 0, i, MPI_COMM_SELF, &request);
        MPI_Send(&rank, 1, MPI_INT, 0, i, MPI_COMM_SELF);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
";
    without_end(lab, body, &number(1_000_000));
}
