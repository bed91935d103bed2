//! How Python is started, from where, with which processes beside; and in which words each language is advised.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::ExitCode;

use common::{GOOD, Lab};
use standoff_report::Verdict;

fn main() -> ExitCode {
    common::main(&[
        ("modules_and_code", modules_and_code),
        ("run_by_mpi4py", run_by_mpi4py),
        ("conda_environment", conda_environment),
        ("pools_of_spawned_workers", pools_of_spawned_workers),
        ("deadlock_beside_a_pool", deadlock_beside_a_pool),
        ("executor_task_with_a_barrier", executor_task_with_a_barrier),
        ("one_exception_on_many_ranks", one_exception_on_many_ranks),
        ("advice_in_the_language", advice_in_the_language),
        ("bound_at_start", bound_at_start),
    ])
}

const RING: &str = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
def turn():
    return comm.recv(source=1 - comm.rank)
turn()
";

/// Where the core is, in order.
fn lines(lab: &Lab) -> Vec<(String, u32)> {
    let report = lab.report();
    assert_eq!(report.verdict, Verdict::Deadlock);
    let frames = report.findings[0].core.iter().map(|e| &e.stack[0]);
    let place = |f: &standoff_report::Frame| (f.file.clone().unwrap(), f.line.unwrap());
    frames.map(place).collect()
}

/// Deadlocks at this line of this file on both ranks.
#[track_caller]
fn stuck(lab: &Lab, args: &[&str], file: &str, line: u32) {
    let head = ["run", "-n", "2", "--json", "report.json"];
    lab.run(&[&head, args].concat())
        .expect(99, &["standoff: deadlock: ranks 0 and 1"]);
    let places = lines(lab);
    assert_eq!(places.len(), 2);
    for (found, at) in places {
        assert!(found.ends_with(file) && at == line, "{found}:{at}");
    }
}

fn modules_and_code(lab: &Lab) {
    fs::create_dir_all(lab.path("ocean")).unwrap();
    lab.file("ocean/__init__.py", "");
    lab.file("ocean/ring.py", RING);
    stuck(lab, &["-m", "ocean.ring"], "ocean/ring.py", 4);
    stuck(lab, &["-c", RING], "<string>", 4);
    lab.run(&["run", "-n", "2", "-c", GOOD])
        .expect(0, &["standoff: clean"]);
}

fn run_by_mpi4py(lab: &Lab) {
    lab.file("ring.py", RING);
    stuck(lab, &["-m", "mpi4py", "ring.py"], "ring.py", 4);
    stuck(lab, &["-m", "mpi4py.run", "ring.py"], "ring.py", 4);
    let python = lab.environment.program("python");
    let python = python.to_str().unwrap();
    stuck(lab, &[python, "-m", "mpi4py", "ring.py"], "ring.py", 4);
    lab.file("good.py", GOOD);
    lab.run(&["run", "-n", "2", "-m", "mpi4py", "good.py"])
        .expect(0, &["standoff: clean"]);
    // Its cure for exceptions on one rank: the job is aborted, and nobody waits.
    let raises = "from mpi4py import MPI\nif MPI.COMM_WORLD.rank == 1: raise KeyError('steps')\nMPI.COMM_WORLD.Barrier()\n";
    lab.file("raises.py", raises);
    let ended = lab.run(&[
        "run",
        "-n",
        "2",
        "--json",
        "report.json",
        "-m",
        "mpi4py",
        "raises.py",
    ]);
    assert!(![Some(0), Some(99)].contains(&ended.code), "{ended:#?}");
    assert_eq!(lab.report().verdict, Verdict::Failed);
}

/// bin/python, bin/mpiexec, lib/libmpi and lib/python3.x in one place that is no virtual environment, named by CONDA_PREFIX.
fn conda_environment(lab: &Lab) {
    let env = lab.environment.program("python");
    let env = env.parent().and_then(Path::parent).unwrap();
    let conda = lab.path("conda/envs/ocean");
    fs::create_dir_all(conda.join("bin")).unwrap();
    symlink(env.join("lib"), conda.join("lib")).unwrap();
    for entry in fs::read_dir(env.join("bin")).unwrap().flatten() {
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with("python") {
            symlink(entry.path(), conda.join("bin").join(name)).unwrap();
        }
    }
    for other in ["etc", "share", "include"] {
        if env.join(other).exists() {
            symlink(env.join(other), conda.join(other)).unwrap();
        }
    }
    // A Python that belongs to this prefix.
    let text = format!(
        "#!/bin/sh\necho \"$0\" >> {}\nexec {} \"$@\"\n",
        lab.path("started").display(),
        env.join("bin/python").display()
    );
    lab.script("conda/envs/ocean/bin/python", &text);
    lab.file("ring.py", RING);
    lab.file("good.py", GOOD);
    for (args, code) in [(["ring.py"], 99), (["good.py"], 0)] {
        let _ = fs::remove_file(lab.path("started"));
        let head = ["run", "-n", "2", "--json", "report.json"];
        let mut command = lab.standoff(&[&head[..], &args].concat());
        // Nothing of the environment is on PATH, as in a shell where it was never activated by hand.
        command
            .env("PATH", "/usr/bin:/bin")
            .env("CONDA_PREFIX", &conda);
        let ended = lab.finish(command);
        ended.expect(code, &["standoff: "]);
        let report = lab.report();
        assert_eq!(report.ranks, 2, "{ended:#?}");
        let started = fs::read_to_string(lab.path("started")).unwrap();
        let own = conda.join("bin/python");
        // Once to be asked for its MPI, and once for each rank.
        assert!(started.lines().all(|l| Path::new(l) == own), "{started}");
        assert_eq!(started.lines().count(), 3, "{started}");
    }
}

/// Twice in a row, which gives MPICH's workers the same ranks and the same launcher.
const POOLS: &str = "\
import math
from mpi4py import MPI
from mpi4py.futures import MPIPoolExecutor
def main():
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        for _ in range(ROUNDS):
            with MPIPoolExecutor(max_workers=2) as pool:
                print('sum', sum(pool.map(math.factorial, range(6))), flush=True)
    OTHERS
    comm.Barrier()
if __name__ == '__main__': main()
";

fn pools_of_spawned_workers(lab: &Lab) {
    lab.file(
        "pools.py",
        &POOLS.replace("ROUNDS", "2").replace("OTHERS", "pass"),
    );
    let ended = lab.run(&["run", "-n", "1", "--json", "report.json", "pools.py"]);
    ended.expect(0, &["standoff: clean", "MPI_Comm_spawn"]);
    assert_eq!(ended.out, "sum 154\nsum 154\n");
    assert_eq!(lab.report().verdict, Verdict::Clean);
    let one = POOLS.replace("ROUNDS", "1");
    lab.file("pools.py", &one.replace("OTHERS", "pass"));
    lab.run(&["run", "-n", "3", "pools.py"])
        .expect(0, &["standoff: clean"]);
}

/// Ranks that have nothing to do with the pool are judged as ever.
fn deadlock_beside_a_pool(lab: &Lab) {
    let others = "if comm.rank: comm.recv(source=3 - comm.rank)";
    let program = POOLS.replace("ROUNDS", "1").replace("OTHERS", others);
    lab.file("pools.py", &program);
    lab.run(&["run", "-n", "3", "--json", "report.json", "pools.py"])
        .expect(99, &["standoff: deadlock: ranks 1 and 2"]);
    let places = lines(lab);
    assert!(
        places
            .iter()
            .all(|(f, at)| f.ends_with("pools.py") && *at == 10)
    );
}

/// The limit that docs/guide/limits.md states: the threads of the master wait for locks, and could do anything.
fn executor_task_with_a_barrier(lab: &Lab) {
    let program = "\
from mpi4py import MPI
from mpi4py.futures import MPICommExecutor
def smooth(k):
    MPI.COMM_WORLD.Barrier()
def main():
    with MPICommExecutor(MPI.COMM_WORLD, root=0) as executor:
        if executor is not None: list(executor.map(smooth, range(2)))
if __name__ == '__main__': main()
";
    lab.file("tasks.py", program);
    let ended = lab.run(&["run", "-n", "3", "--timeout", "3", "tasks.py"]);
    ended.expect(
        124,
        &[
            "standoff: timeout",
            "ranks 1 and 2",
            "tasks.py:4",
            "wait for rank 0",
        ],
    );
}

fn one_exception_on_many_ranks(lab: &Lab) {
    let program = "\
import glob, os
from mpi4py import MPI
comm = MPI.COMM_WORLD
settings = {'step': 3} if comm.rank < 4 else {}
if comm.rank > 0: print(settings['steps'] if comm.rank < 4 else settings['grid'])
def state(path):
    with open(path, 'rb') as board: return int.from_bytes(board.read(56)[52:], 'little')
# Until all others are in MPI_Finalize, by their boards.
left = 0
while left < 4: left = sum(state(p) > 1 for p in glob.glob(os.environ['STANDOFF_SESSION'] + '/*.board'))
comm.Barrier()
";
    lab.file("raises.py", program);
    let ended = lab.run(&["run", "-n", "5", "--json", "report.json", "raises.py"]);
    ended.expect(99, &["rank 0 waits for ranks 1–4"]);
    let causes: Vec<&str> = ended
        .err
        .lines()
        .filter(|l| l.contains("cause: "))
        .collect();
    assert_eq!(
        causes,
        [
            "  cause: ranks 1–3 raised KeyError: 'steps' at raises.py:5",
            "  cause: rank 4 raised KeyError: 'grid' at raises.py:5"
        ],
        "{ended:#?}"
    );
    assert_eq!(
        ended
            .err
            .matches("Traceback (most recent call last)")
            .count(),
        4 + 2
    );
    // For programs, one a rank.
    let report = lab.report();
    let ranks: Vec<u32> = report.findings[0].causes.iter().map(|c| c.rank).collect();
    assert_eq!(ranks, [1, 2, 3, 4]);
}

fn advice_in_the_language(lab: &Lab) {
    let buffers = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
comm.Recv(bytearray(1), source=1 - comm.rank)
";
    lab.file("buffers.py", buffers);
    lab.run(&["run", "-n", "2", "buffers.py"])
        .expect(99, &["MPI_Sendrecv (comm.Sendrecv)"]);
    lab.file("objects.py", RING);
    lab.run(&["run", "-n", "2", "objects.py"])
        .expect(99, &["MPI_Sendrecv (comm.sendrecv)"]);
    let source = "\
#include <mpi.h>
int main(int argc, char **argv) {
    int rank;
    char got;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Recv(&got, 1, MPI_CHAR, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Finalize();
}
";
    let source = lab.file("ring.c", source);
    lab.compile(lab.environment.program("mpicc").as_ref(), &source, "ring");
    let ended = lab.run(&["run", "-n", "2", "./ring"]);
    ended.expect(99, &["Or let both use MPI_Sendrecv, which"]);
    assert!(!ended.err.contains("comm."), "{ended:#?}");
}

/// All symbols are bound before the probe is relocated, as in libraries that are linked so (Intel MPI's is).
fn bound_at_start(lab: &Lab) {
    let source = "\
#include <mpi.h>
#include <stdio.h>
int main(int argc, char **argv) {
    int rank;
    char got = 'x';
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (argc > 1)
        MPI_Recv(&got, 1, MPI_CHAR, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Finalize();
    if (rank == 0)
        puts(\"done\");
}
";
    let source = lab.file("bound.c", source);
    lab.compile(lab.environment.program("mpicc").as_ref(), &source, "bound");
    let run = |args: &[&str]| {
        let mut command = lab.standoff(&[&["run", "-n", "2"], args].concat());
        command.env("LD_BIND_NOW", "1");
        lab.finish(command)
    };
    let ended = run(&["./bound"]);
    ended.expect(0, &["standoff: clean: 2 ranks"]);
    assert_eq!(ended.out, "done\n");
    run(&["./bound", "x"]).expect(99, &["standoff: deadlock: ranks 0 and 1", "bound.c:9"]);
}
