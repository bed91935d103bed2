//! What `check` keeps apart, and what it does without room: input, files, a full disk.

mod common;

use std::fs::{self, File};
use std::process::{Command, ExitCode, Stdio};

use common::Lab;
use standoff_report::{Scope, Verdict};

fn main() -> ExitCode {
    common::main(&[
        ("input_of_a_file", input_of_a_file),
        ("input_of_a_pipe", input_of_a_pipe),
        ("input_that_is_too_long", input_that_is_too_long),
        ("files_of_each_run", files_of_each_run),
        ("too_much_for_scratch", too_much_for_scratch),
        ("a_full_disk", a_full_disk),
        ("buffered_sends", buffered_sends),
    ])
}

/// What it reads decides what it does. One process, as launchers have ways of their own with standard input.
const READS: &str = "\
import array, sys
from mpi4py import MPI
comm = MPI.COMM_WORLD
words = sys.stdin.read().split()
assert words[-1] == 'last', words
print(len(words), flush=True)
one = array.array('i', [1])
requests = [comm.Irecv(array.array('i', [0]), source=0, tag=tag) for tag in (1, 2)]
for tag in (1, 2): comm.Send(one, dest=0, tag=tag)
if MPI.Request.Waitany(requests) == 1 and words[0] == 'exchange':
    comm.Recv(one, source=0, tag=3)
MPI.Request.Waitall(requests)
";

fn confirmed(lab: &Lab) -> bool {
    let report = lab.report();
    assert_eq!(report.verdict, Verdict::PotentialDeadlock, "{report:#?}");
    report.findings[0].confirmed
}

fn input_of_a_file(lab: &Lab) {
    lab.file("reads.py", READS);
    let text = lab.file("text", "exchange and last");
    let mut command = lab.standoff(&["check", "--json", "report.json", "reads.py"]);
    command.stdin(File::open(text).unwrap());
    let ended = lab.finish(command);
    ended.expect(98, &["confirmed on the program"]);
    assert_eq!(ended.out, "3\n");
    assert!(confirmed(lab));
}

fn input_of_a_pipe(lab: &Lab) {
    lab.file("reads.py", READS);
    // More than a pipe holds.
    let text = format!("exchange {}last", "and ".repeat(100_000));
    lab.file("text", &text);
    let mut cat = Command::new("cat");
    cat.arg(lab.path("text")).stdout(Stdio::piped());
    let mut cat = cat.spawn().unwrap();
    let mut command = lab.standoff(&["check", "--json", "report.json", "reads.py"]);
    command.stdin(cat.stdout.take().unwrap());
    let ended = lab.finish(command);
    cat.wait().unwrap();
    ended.expect(98, &["confirmed on the program"]);
    assert_eq!(ended.out, "100002\n");
    assert!(confirmed(lab));
}

fn input_that_is_too_long(lab: &Lab) {
    lab.file("reads.py", READS);
    let text = format!("exchange {}last", "and ".repeat(5 << 20));
    let text = lab.file("text", &text);
    let mut command = lab.standoff(&["check", "--json", "report.json", "reads.py"]);
    command.stdin(File::open(text).unwrap());
    let ended = lab.finish(command);
    ended.expect(0, &["only the beginning of its input"]);
    // Without its end the program fails at once.
    let report = lab.report();
    assert_eq!(
        (report.verdict, report.scope),
        (Verdict::Clean, Scope::Bounded)
    );
}

/// A program that may not find its own result.
const WRITES: &str = "\
import os
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    assert open('given/data').read() == 'as it was'
    assert not os.path.exists('result')
    open('result', 'w').close()
    open('given/data', 'w').close()
comm.send('a', dest=1 - comm.rank)
comm.recv(source=1 - comm.rank)
";

fn files_of_each_run(lab: &Lab) {
    fs::create_dir(lab.path("given")).unwrap();
    let run = |scratch: &[&str]| {
        let _ = fs::remove_file(lab.path("result"));
        lab.file("given/data", "as it was");
        lab.file("writes.py", WRITES);
        let mut words = vec!["check", "-n", "2", "--json", "report.json"];
        words.extend(scratch);
        words.push("writes.py");
        lab.run(&words).expect(98, &["writes.py:9"]);
        assert!(lab.path("result").exists());
        confirmed(lab)
    };
    assert!(run(&["--scratch"]));
    let left = fs::read_dir(lab.path("tmp")).unwrap().flatten();
    let left: Vec<_> = left.map(|e| e.file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!run(&[]), "the result of the first run was there");
}

fn too_much_for_scratch(lab: &Lab) {
    lab.file("writes.py", WRITES);
    File::create(lab.path("large"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    lab.run(&["check", "--scratch", "-n", "2", "writes.py"])
        .broken(&["--scratch", "256 MiB"]);
}

/// The program is unharmed, and the scope says what is missing.
fn a_full_disk(lab: &Lab) {
    lab.file(
        "many.py",
        "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
import array
one = array.array('i', [7])
for i in range(200000):
    if comm.rank == 0: comm.Ssend(one, dest=1, tag=i % 1000)
    else: comm.Recv(one, source=0, tag=i % 1000)
print('done', flush=True)
",
    );
    fs::create_dir(lab.path("small")).unwrap();
    // Windows of 1 MiB for two ranks, and no more.
    let script = "\
mount -t tmpfs -o size=3m none small || exit 77
TMPDIR=$PWD/small exec \"$@\"
";
    let mut command = lab.command("unshare");
    command.args([
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
    ]);
    command
        .arg(
            &standoff_testkit::artifacts::Artifacts::get()
                .unwrap()
                .standoff,
        )
        .args(["check", "-n", "2", "--json", "report.json", "many.py"]);
    let ended = lab.finish(command);
    if ended.code == Some(77) || ended.err.contains("unshare") {
        eprintln!("skipped: this machine lets nobody mount: {}", ended.err);
        return;
    }
    assert_eq!(
        (ended.code, &*ended.out),
        (Some(0), "done\ndone\n"),
        "{ended:#?}"
    );
    let report = lab.report();
    assert_eq!(
        (report.verdict, report.scope),
        (Verdict::Clean, Scope::Bounded)
    );
    let bound = report.bound.unwrap_or_default();
    assert!(bound.contains("no room in "), "{bound}");
}

/// A buffered send never waits; the detaching of the buffer may. One that finds no room is an error, so that the scope says where there might be none.
fn buffered_sends(lab: &Lab) {
    let program = |messages: u32, before: &str, after: &str| {
        format!(
            "\
import array
from mpi4py import MPI
comm = MPI.COMM_WORLD
other = 1 - comm.rank
MPI.Attach_buffer(bytearray(2 * (400 + MPI.BSEND_OVERHEAD)))
for i in range({messages}):
    comm.Bsend(array.array('i', range(100)), dest=other)
    {before}
MPI.Detach_buffer()
{after}
"
        )
    };
    let receive = "comm.Recv(array.array('i', bytes(400)), source=other)";
    let run = |program: &str| {
        lab.file("buffered.py", program);
        let ended = lab.run(&["check", "-n", "2", "--json", "report.json", "buffered.py"]);
        (ended, lab.report())
    };
    let (ended, report) = run(&program(1, receive, ""));
    assert_eq!(
        (ended.code, report.verdict, report.scope),
        (Some(0), Verdict::Clean, Scope::AllExecutions),
        "{ended:#?} {report:#?}"
    );
    let (ended, report) = run(&program(4, receive, ""));
    let bound = report.bound.clone().unwrap_or_default();
    assert!(bound.contains("attached buffer"), "{ended:#?} {report:#?}");
    assert_eq!(report.verdict, Verdict::Clean);
    let (ended, report) = run(&program(1, "pass", receive));
    assert_eq!(
        (ended.code, report.verdict),
        (Some(98), Verdict::PotentialDeadlock),
        "{ended:#?} {report:#?}"
    );
    let finding = &report.findings[0];
    assert_eq!(finding.core[0].call, "MPI_Buffer_detach", "{finding:#?}");
    assert!(!finding.confirmed);
    assert!(finding.explanation.contains("not judged"), "{finding:#?}");
}
