//! What can be wrong around a program: each case ends with a clear word and the right status.

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use common::{DEADLOCK, GOOD, Lab, signal};
use standoff_report::Verdict;

fn main() -> ExitCode {
    common::main(&[
        ("no_mpi4py", no_mpi4py),
        ("no_launcher", no_launcher),
        ("no_program", no_program),
        ("no_probe", no_probe),
        ("no_mpi_in_the_program", no_mpi_in_the_program),
        ("static_mpi", static_mpi),
        ("unwritable_json", unwritable_json),
        ("launcher_of_another_mpi", launcher_of_another_mpi),
        (
            "typed_launcher_of_another_mpi",
            typed_launcher_of_another_mpi,
        ),
        ("killed_rank", killed_rank),
        ("aborted_rank", aborted_rank),
        ("standoff_killed", standoff_killed),
        ("foreign_board", foreign_board),
        ("corrupted_board", corrupted_board),
        ("shared_memory_full", shared_memory_full),
        ("shared_memory_read_only", shared_memory_read_only),
    ])
}

fn no_mpi4py(lab: &Lab) {
    let python = lab.environment.program("python");
    let text = format!("#!/bin/sh\nexec '{}' -S \"$@\"\n", python.display());
    let bare = lab.script("bare-python", &text);
    let bare = bare.to_str().unwrap();
    lab.file("good.py", GOOD);
    lab.run(&["run", "-n", "2", "--python", bare, "good.py"])
        .broken(&[
            "cannot load mpi4py",
            "No module named 'mpi4py'",
            "pip install mpi4py",
        ]);
    // One process is started as it is: it may not need MPI.
    lab.run(&["run", "--python", bare, "good.py"])
        .expect(1, &["No module named 'mpi4py'", "nothing was watched"]);
}

fn no_launcher(lab: &Lab) {
    let mut command = lab.standoff(&["run", "-n", "2", "/bin/true"]);
    command.env("PATH", lab.path("empty"));
    lab.finish(command).broken(&["no launcher (mpiexec) found"]);
    lab.run(&[
        "run",
        "-n",
        "2",
        "--launcher",
        "no-such-launcher",
        "/bin/true",
    ])
    .broken(&["cannot find the program `no-such-launcher`"]);
}

fn no_program(lab: &Lab) {
    lab.run(&["run", "-n", "2", "no-such-program"])
        .broken(&["cannot find the program `no-such-program`"]);
    lab.run(&["run", "-n", "2", "nowhere.py"])
        .broken(&["cannot find the program `nowhere.py`"]);
    lab.file("data", "no program\n");
    lab.run(&["run", "-n", "2", "./data"])
        .broken(&["`./data` cannot be executed", "chmod +x"]);
    lab.script("here", "#!/bin/sh\n");
    lab.run(&["run", "-n", "2", "here"])
        .broken(&["cannot find the program `here`", "write `./here`"]);
}

fn no_probe(lab: &Lab) {
    lab.file("good.py", GOOD);
    let text = lab.file("text.so", "no library");
    for (probe, word) in [
        (
            PathBuf::from("/no/such/probe.so"),
            "cannot find libstandoff_probe.so",
        ),
        (text, "it is not a shared library"),
    ] {
        let mut command = lab.standoff(&["run", "-n", "2", "good.py"]);
        command.env("STANDOFF_PROBE", probe);
        lab.finish(command).broken(&[word]);
    }
}

fn no_mpi_in_the_program(lab: &Lab) {
    lab.file(
        "plain.py",
        "import sys; print('hello', flush=True); sys.exit(5)\n",
    );
    for args in [
        &["run", "--json", "report.json", "plain.py"][..],
        &["run", "-n", "2", "--json", "report.json", "plain.py"],
        &[
            "run",
            "--json",
            "report.json",
            "mpiexec",
            "-n",
            "2",
            "python",
            "plain.py",
        ],
    ] {
        let ended = lab.run(args);
        ended.expect(
            5,
            &["no process of this job completed MPI_Init, so nothing was watched"],
        );
        assert_eq!(ended.err.matches("standoff: ").count(), 1, "{ended:#?}");
        assert!(ended.out.starts_with("hello\n"), "{ended:#?}");
        assert_eq!((lab.report().ranks, lab.report().exit.code), (0, Some(5)));
    }
    lab.run(&["run", "-n", "2", "/bin/true"])
        .expect(0, &["nothing was watched"]);
    let quiet = lab.run(&["run", "-q", "-n", "2", "/bin/true"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (Some(0), ""));
}

fn static_mpi(lab: &Lab) {
    let text = "int MPI_Init(int *c, char ***v) { return 0; }\nint main(void) { return MPI_Init(0, 0); }\n";
    let source = lab.file("static.c", text);
    lab.compile("cc".as_ref(), &source, "static");
    for args in [&["run", "./static"][..], &["run", "-n", "2", "./static"]] {
        lab.run(args).broken(&[
            "statically linked",
            "link it against the shared MPI library",
        ]);
    }
}

fn unwritable_json(lab: &Lab) {
    lab.file("good.py", GOOD);
    for path in ["no/such/dir/report.json", "/proc/report.json", "."] {
        lab.run(&["run", "-n", "2", "--json", path, "good.py"])
            .broken(&["cannot write the result to"]);
    }
}

/// The launcher of an environment for another family, if there is one.
fn other_launcher(lab: &Lab) -> Option<PathBuf> {
    let others = standoff_testkit::environment::Environment::present();
    let other = others
        .into_iter()
        .find(|other| other.family() != lab.environment.family())?;
    Some(other.program("mpiexec"))
}

fn launcher_of_another_mpi(lab: &Lab) {
    let Some(other) = other_launcher(lab) else {
        return eprintln!("skipped: there is no other MPI");
    };
    lab.file("good.py", GOOD);
    lab.run(&[
        "run",
        "-n",
        "2",
        "--launcher",
        other.to_str().unwrap(),
        "good.py",
    ])
    .broken(&[
        "is the launcher of",
        "but the program loads",
        "world of size 1",
    ]);
}

fn typed_launcher_of_another_mpi(lab: &Lab) {
    let Some(other) = other_launcher(lab) else {
        return eprintln!("skipped: there is no other MPI");
    };
    lab.file("good.py", GOOD);
    let python = lab.environment.program("python");
    let words = [
        other.to_str().unwrap(),
        "-n",
        "2",
        python.to_str().unwrap(),
        "good.py",
    ];
    let plain = {
        let mut command = lab.command(words[0]);
        command.args(&words[1..]);
        lab.finish(command)
    };
    let watched = lab.run(&[&["run"], &words[..]].concat());
    assert_eq!(
        (watched.code, &watched.out),
        (plain.code, &plain.out),
        "{watched:#?}"
    );
    let word = if plain.code == Some(0) {
        "2 processes were each alone, rank 0 in a world of size 1"
    } else {
        // MPICH says itself that it does not get along with the launcher.
        "no process of this job completed MPI_Init"
    };
    assert!(watched.err.contains(word), "{watched:#?}");
}

const KILLED: &str = "\
import os, lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
comm.Barrier()
if comm.rank == 1:
    lab.watched(comm)
    os.kill(os.getpid(), 9)
comm.recv(source=1)
";

fn killed_rank(lab: &Lab) {
    lab.file("killed.py", KILLED);
    let ended = lab.run(&["run", "-n", "3", "--json", "report.json", "killed.py"]);
    // The launcher's status, whichever it takes for that.
    assert!(
        ![Some(0), Some(96), Some(99)].contains(&ended.code),
        "{ended:#?}"
    );
    ended.expect(
        ended.code.unwrap(),
        &["standoff: failed: rank 1 was killed"],
    );
    let report = lab.report();
    assert_eq!((report.verdict, report.ranks), (Verdict::Failed, 3));
    let causes: Vec<_> = report.findings[0].causes.iter().map(|c| c.rank).collect();
    assert_eq!(causes, [1]);
}

fn aborted_rank(lab: &Lab) {
    lab.file(
        "abort.py",
        &KILLED.replace("os.kill(os.getpid(), 9)", "comm.Abort(3)"),
    );
    let ended = lab.run(&["run", "-n", "3", "--json", "report.json", "abort.py"]);
    let line = 1 + KILLED.lines().position(|l| l.contains("os.kill")).unwrap();
    let place = format!("cause: rank 1 called MPI_Abort with 3 at abort.py:{line}");
    ended.expect(
        3,
        &["standoff: failed: rank 1 called MPI_Abort with 3", &place],
    );
    assert_eq!(lab.report().exit.code, Some(3));
}

fn standoff_killed(lab: &Lab) {
    let program = "\
import lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
lab.watched(comm)
comm.Barrier()
lab.make('ready-%d' % comm.rank)
lab.wait_for('go')
for _ in range(1000):
    comm.sendrecv(b'x', dest=1 - comm.rank, source=1 - comm.rank)
lab.make('done-%d' % comm.rank)
";
    lab.file("long.py", program);
    let mut child = lab.start(&mut lab.standoff(&["run", "-n", "2", "long.py"]));
    lab.until_there("ready-0");
    lab.until_there("ready-1");
    signal(child.id() as i32, libc::SIGKILL);
    child.wait().unwrap();
    lab.file("go", "");
    lab.until_there("done-0");
    lab.until_there("done-1");
    lab.until("the end of the job", || lab.processes().is_empty());
    // What it left in memory, the next one sweeps away.
    let left = |pid: u32| {
        let name = format!("standoff-{pid}-");
        let entries = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
        entries
            .filter(|e| e.file_name().to_string_lossy().starts_with(&name))
            .count()
    };
    lab.run(&["run", "-q", "/bin/true"]).expect(0, &[]);
    assert_eq!(left(child.id()), 0);
}

fn foreign_board(lab: &Lab) {
    let program = format!(
        "{}\n{DEADLOCK}",
        "\
import os
for name in 'rank-1.board', 'zero.board', 'notes.txt':
    with open(os.environ['STANDOFF_SESSION'] + '/' + name, 'wb') as file:
        if name != 'zero.board': file.write(b'garbage!' * 400_000)
"
    );
    lab.file("foreign.py", &program);
    let ended = lab.run(&["run", "-n", "2", "--json", "report.json", "foreign.py"]);
    ended.expect(
        99,
        &["deadlock: ranks 0 and 1 wait for each other", "not a board"],
    );
    let report = lab.report();
    for name in ["rank-1.board", "zero.board"] {
        let said = report.notes.iter().filter(|n| n.contains(name)).count();
        assert_eq!(said, 1, "{:?}", report.notes);
    }
}

/// A board overwritten while its rank runs: that rank may act, so that nothing is proven, and nothing hangs.
fn corrupted_board(lab: &Lab) {
    let program = "\
import os, glob, lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
comm.Barrier()
if comm.rank == 0:
    lab.watched(comm)
    for name in glob.glob(os.environ['STANDOFF_SESSION'] + '/*.board'):
        with open(name, 'r+b') as file:
            if FIRST: file.write(b'garbage!' * 512)
            else:
                file.seek(4096)
                file.write(os.urandom(os.path.getsize(name) - 4096))
comm.Barrier()
for _ in range(200):
    comm.sendrecv(b'x', dest=1 - comm.rank, source=1 - comm.rank)
if comm.rank == 0: print('done', flush=True)
";
    for first in ["True", "False"] {
        lab.file("corrupt.py", &program.replace("FIRST", first));
        let args = ["run", "-n", "2", "--json", "report.json", "corrupt.py"];
        let ended = lab.run(&args);
        ended.expect(0, &["standoff: clean"]);
        assert_eq!(ended.out, "done\n");
        assert_eq!(lab.report().verdict, Verdict::Clean);
        if first == "True" {
            ended.expect(0, &["cannot be read any more"]);
        }
    }
}

/// `standoff run ARGS` where /dev/shm is what `mount` makes of it, in a mount namespace of its own. `None`: not permitted.
fn with_shared_memory(lab: &Lab, mount: &str, args: &[&str]) -> Option<common::Ended> {
    let permitted = Command::new("unshare")
        .args(["-m", "mount", "-t", "tmpfs", "tmpfs", "/dev/shm"])
        .output();
    if !permitted.is_ok_and(|done| done.status.success()) {
        eprintln!("skipped: no mount namespace permitted here");
        return None;
    }
    let standoff = lab.standoff(&[]);
    let mut command = lab.command("unshare");
    command
        .args([
            "-m",
            "sh",
            "-c",
            &format!("{mount} && exec \"$@\"; exit 70"),
            "sh",
        ])
        .arg(standoff.get_program())
        .args(args);
    Some(lab.finish(command))
}

fn shared_memory_full(lab: &Lab) {
    lab.file("deadlock.py", DEADLOCK);
    // Too small for standoff, which does not know how many ranks there will be; MPICH itself dies of less.
    let size = if lab.openmpi() { "64k" } else { "44m" };
    let mount = format!("mount -t tmpfs -o size={size} tmpfs /dev/shm");
    let args = ["run", "mpiexec", "-n", "2", "python", "deadlock.py"];
    if let Some(ended) = with_shared_memory(lab, &mount, &args) {
        ended.expect(
            99,
            &[
                "standoff: /dev/shm: ",
                "MiB wanted",
                "the session directory is in",
                "deadlock.py:4",
            ],
        );
    }
}

fn shared_memory_read_only(lab: &Lab) {
    lab.file("deadlock.py", DEADLOCK);
    let mount = "mount -t tmpfs -o ro tmpfs /dev/shm";
    let args = ["run", "-n", "2", "deadlock.py"];
    if let Some(ended) = with_shared_memory(lab, mount, &args) {
        // MPICH does not start where it cannot write there.
        let (code, word) = match lab.openmpi() {
            true => (ended.code == Some(99), "deadlock.py:4"),
            false => (
                ended.code != Some(0) && ended.code != Some(96),
                "completed MPI_Init",
            ),
        };
        assert!(code && ended.err.contains(word), "{ended:#?}");
        assert!(
            ended
                .err
                .contains("standoff: /dev/shm: Read-only file system"),
            "{ended:#?}"
        );
    }
}
