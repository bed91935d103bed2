//! From the start of a job to its end: statuses, results, streams, signals, and every way to start one.

mod common;
#[path = "lifecycle/signals.rs"]
mod signals;

use std::io::Write;
use std::process::{ExitCode, Stdio};

use common::{DEADLOCK, GOOD, Lab, signal};
use standoff_report::{FindingKind, Scope, Severity, Verdict};

fn main() -> ExitCode {
    common::main(&[
        ("deadlock_and_its_report", deadlock_and_its_report),
        ("ways_to_say_it", ways_to_say_it),
        ("no_kill", no_kill),
        ("clean_and_its_report", clean_and_its_report),
        ("status_of_its_own", status_of_its_own),
        ("stall_exit", stall_exit),
        ("stall_that_ends", stall_that_ends),
        ("timeout", timeout),
        ("usage", usage),
        ("standard_input", standard_input),
        ("output_is_complete", output_is_complete),
        (
            "interrupt_from_the_terminal",
            signals::interrupt_from_the_terminal,
        ),
        ("interrupt_of_a_rank", signals::interrupt_of_a_rank),
        ("termination", signals::termination),
        ("typed_launcher", typed_launcher),
        ("module_code_and_script", module_code_and_script),
        ("several_programs", several_programs),
        ("wrapped_programs", wrapped_programs),
        ("c_program", c_program),
        ("demo", demo),
        ("doctor", doctor),
    ])
}

/// A good program goes on until the file `go` is there.
const PATIENT: &str = "\
import lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
lab.watched(comm)
comm.Barrier()
lab.make('ready-%d' % comm.rank)
lab.wait_for('go')
";

fn deadlock_and_its_report(lab: &Lab) {
    lab.file("deadlock.py", DEADLOCK);
    let ended = lab.run(&["run", "-n", "2", "--json", "report.json", "deadlock.py"]);
    ended.expect(
        99,
        &[
            "standoff: deadlock: ranks 0 and 1 wait for each other",
            "deadlock.py:4",
            "help: ",
        ],
    );
    assert!(!ended.out.contains("standoff"), "{ended:#?}");
    assert!(!ended.err.contains('\x1b'), "{ended:#?}");
    let report = lab.report();
    assert_eq!(report.schema, "standoff-report/1");
    assert_eq!(
        (report.verdict, report.scope, report.ranks),
        (Verdict::Deadlock, Scope::ThisRun, 2)
    );
    assert!(report.detected_after_ms.is_some());
    let mpi = report.mpi.as_ref().unwrap();
    assert_eq!(
        mpi.library.starts_with("Open MPI"),
        lab.openmpi(),
        "{mpi:?}"
    );
    let [finding] = &report.findings[..] else {
        panic!("{report:#?}")
    };
    assert_eq!(
        (finding.kind.clone(), finding.severity),
        (FindingKind::Deadlock, Severity::Error)
    );
    let ranks: Vec<_> = finding.core.iter().map(|agent| agent.rank).collect();
    assert_eq!(ranks, [0, 1]);
    assert!(
        finding.victims.is_empty() && !finding.advice.is_empty() && !finding.explanation.is_empty()
    );
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(lab.path("report.json")).unwrap()).unwrap();
    let agent = &json["findings"][0]["core"][0];
    assert_eq!(agent["call"], "MPI_Mprobe");
    assert_eq!(agent["user_call"], "comm.recv");
    assert_eq!(agent["comm"], "MPI_COMM_WORLD");
    assert_eq!(agent["tag"], -1);
    assert_eq!(agent["stack"][0]["line"], 4);
    assert_eq!(agent["world"], 0);
    assert!(
        json["exit"].is_object() && json["findings"][0]["confirmed"] == true,
        "{json:#}"
    );
    // Shown again, it is the same.
    let path = lab.path("report.json");
    let shown = lab.run(&["report", path.to_str().unwrap()]);
    shown.expect(0, &[]);
    assert!(
        shown
            .out
            .starts_with("standoff: deadlock: ranks 0 and 1 wait for each other"),
        "{shown:#?}"
    );
    assert!(
        ended.err.contains(shown.out.trim_end()),
        "{shown:#?}\n{ended:#?}"
    );
    let text = lab.run(&["report", "--text", "report.json"]);
    assert_eq!(text.out, shown.out);
    let again = lab.run(&["report", "--json", "report.json"]);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&again.out).unwrap(),
        json
    );
}

fn ways_to_say_it(lab: &Lab) {
    lab.file("deadlock.py", DEADLOCK);
    let full = lab.run(&[
        "run",
        "-q",
        "-n",
        "2",
        "--color",
        "never",
        "--error-exitcode",
        "7",
        "deadlock.py",
    ]);
    full.expect(7, &["standoff: deadlock"]);
    let brief = lab.run(&[
        "run",
        "-n",
        "2",
        "--brief",
        "--color",
        "always",
        "deadlock.py",
    ]);
    brief.expect(99, &["\x1b["]);
    let length = |text: &str| text.lines().count();
    assert!(length(&brief.err) < length(&full.err), "{brief:#?}");
}

fn no_kill(lab: &Lab) {
    let program = format!("{DEADLOCK}\n");
    lab.file("deadlock.py", &program);
    let args = [
        "run",
        "-n",
        "2",
        "--no-kill",
        "--json",
        "report.json",
        "deadlock.py",
    ];
    let child = lab.start(&mut lab.standoff(&args));
    lab.until_there("report.json");
    assert_eq!(lab.report().verdict, Verdict::Deadlock);
    let ranks = lab.processes();
    let ranks = ranks
        .iter()
        .filter(|(_, words)| words.contains("python") && words.ends_with("deadlock.py "));
    assert!(ranks.count() >= 2, "{:?}", lab.processes());
    assert!(lab.said().1.contains("standoff: deadlock: "));
    signal(child.id() as i32, libc::SIGTERM);
    lab.end(child).expect(99, &["standoff: deadlock: "]);
}

fn clean_and_its_report(lab: &Lab) {
    lab.file("good.py", GOOD);
    let ended = lab.run(&[
        "run",
        "-n",
        "2",
        "--strict",
        "--json",
        "report.json",
        "good.py",
    ]);
    ended.expect(0, &["standoff: clean"]);
    assert_eq!(ended.out, "ranks 2\n");
    let report = lab.report();
    assert_eq!(
        (report.verdict, report.scope, report.ranks),
        (Verdict::Clean, Scope::ThisRun, 2)
    );
    assert_eq!((report.exit.code, report.exit.signal), (Some(0), None));
    assert!(report.findings.is_empty() && report.mpi.is_some());
    let quiet = lab.run(&["run", "-q", "-n", "2", "good.py"]);
    assert_eq!(
        (quiet.code, quiet.out.as_str(), quiet.err.as_str()),
        (Some(0), "ranks 2\n", "")
    );
}

fn status_of_its_own(lab: &Lab) {
    let program = format!("{GOOD}\nMPI.Finalize()\nsys.exit(3)\n");
    lab.file("three.py", &program);
    lab.run(&["run", "-n", "2", "--json", "report.json", "three.py"])
        .expect(3, &["standoff: clean"]);
    assert_eq!(lab.report().exit.code, Some(3));
    // Alone, it can die of a signal, and standoff with it.
    lab.file("dies.py", "from mpi4py import MPI\nimport lab, os\nlab.watched(MPI.COMM_WORLD)\nos.kill(os.getpid(), 9)\n");
    let ended = lab.run(&["run", "--json", "report.json", "dies.py"]);
    assert_eq!((ended.code, ended.signal), (None, Some(9)), "{ended:#?}");
    assert!(
        ended.err.contains("standoff: failed: rank 0 was killed"),
        "{ended:#?}"
    );
    assert_eq!(
        (lab.report().exit.code, lab.report().exit.signal),
        (None, Some(9))
    );
}

const STALL: &str = "\
import os
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    while not comm.iprobe(source=1):
        if os.path.exists('report.json'): comm.send(1, dest=1)
else:
    got = comm.recv(source=0)
    comm.send(got, dest=0)
";

fn stall_exit(lab: &Lab) {
    lab.file("stall.py", &STALL.replace("report.json", "never"));
    let args = [
        "run",
        "-n",
        "2",
        "--stall-exit",
        "--json",
        "report.json",
        "stall.py",
    ];
    lab.run(&args).expect(97, &["standoff: stalled"]);
    assert_eq!(lab.report().verdict, Verdict::Stalled);
}

/// The result is written while the job goes on, which here lets it end.
fn stall_that_ends(lab: &Lab) {
    let program = STALL.replace(
        "comm.send(1, dest=1)",
        "comm.send(1, dest=1); comm.probe(source=1)",
    );
    lab.file("stall.py", &program);
    lab.run(&["run", "-n", "2", "--json", "report.json", "stall.py"])
        .expect(0, &["standoff: stalled"]);
}

fn timeout(lab: &Lab) {
    let program = "\
import lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0: lab.wait_for('never')
comm.recv(source=0)
";
    lab.file("long.py", program);
    let ended = lab.run(&[
        "run",
        "-n",
        "2",
        "--timeout",
        "6",
        "--json",
        "report.json",
        "long.py",
    ]);
    ended.expect(
        124,
        &[
            "standoff: timeout",
            "rank 0",
            "rank 1",
            "outside MPI",
            "lab.py",
            "long.py:5",
        ],
    );
    let report = lab.report();
    assert_eq!(report.findings[0].core.len(), 2, "{report:#?}");
}

fn usage(lab: &Lab) {
    for args in [
        &["run"][..],
        &["run", "-n", "0", "x.py"],
        &["run", "--no-such-option", "x.py"],
        &["run", "-n", "2", "mpiexec", "-n", "2", "x"],
        &["run", "-n", "2", "-m"],
        &["no-such-command"],
    ] {
        let ended = lab.run(args);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(2), ""),
            "{args:?} {ended:#?}"
        );
        assert!(!ended.err.is_empty());
    }
}

/// Up to the last line: Open MPI's launcher may keep the end of the input to itself, without standoff too.
fn standard_input(lab: &Lab) {
    let program = "\
import sys
from mpi4py import MPI
comm = MPI.COMM_WORLD
text = ''.join(sys.stdin.readline() for _ in range(400)) if comm.rank == 0 else None
text = comm.bcast(text)
if comm.rank == 1: print(len(text), text[:5], flush=True)
";
    lab.file("reads.py", program);
    let mut command = lab.standoff(&["run", "-q", "-n", "2", "reads.py"]);
    let mut child = lab.start(command.stdin(Stdio::piped()));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all("line\n".repeat(400).as_bytes()).unwrap();
    drop(stdin);
    let ended = lab.end(child);
    ended.expect(0, &[]);
    assert_eq!(ended.out, "2000 line\n\n");
}

fn output_is_complete(lab: &Lab) {
    let program = "\
import sys
from mpi4py import MPI
comm = MPI.COMM_WORLD
for i in range(10000):
    print('<>'[comm.rank] * 20)
    print('{}'[comm.rank] * 20, file=sys.stderr)
sys.stdout.flush()
comm.recv(source=1 - comm.rank)
";
    lab.file("talks.py", program);
    let ended = lab.run(&["run", "-n", "2", "talks.py"]);
    ended.expect(99, &["standoff: deadlock: "]);
    // Launchers mix what ranks say in the middle of lines; nothing may be lost. Nobody else uses these characters as much.
    for (text, signs) in [(&ended.out, "<>"), (&ended.err, "{}")] {
        for sign in signs.chars() {
            let count = text.matches(sign).count();
            assert_eq!(count / 20, 10_000, "{sign}: {count}");
        }
    }
}

fn typed_launcher(lab: &Lab) {
    lab.file("good.py", GOOD);
    lab.file("deadlock.py", DEADLOCK);
    let ended = lab.run(&[
        "run", "mpiexec", "-n", "2", "python", "good.py", "-n", "5", "--json",
    ]);
    ended.expect(0, &["standoff: clean: 2 ranks"]);
    assert_eq!(ended.out, "ranks 2 -n 5 --json\n");
    lab.run(&["run", "mpiexec", "-n", "2", "python", "deadlock.py"])
        .expect(99, &["ranks 0 and 1 wait for each other", "deadlock.py:4"]);
}

fn module_code_and_script(lab: &Lab) {
    lab.file("good.py", GOOD);
    for (args, out) in [
        (&["-m", "good", "a"][..], "ranks 2 a\n"),
        (&["-c", GOOD, "b", "-q"], "ranks 2 b -q\n"),
        (&["--", "good.py", "c"], "ranks 2 c\n"),
        (&["python", "good.py"], "ranks 2\n"),
    ] {
        let ended = lab.run(&[&["run", "-n", "2"], args].concat());
        ended.expect(0, &["standoff: clean: 2 ranks"]);
        assert_eq!(ended.out, out);
    }
    lab.run(&["run", "-n", "2", "-c", DEADLOCK])
        .expect(99, &["ranks 0 and 1"]);
}

fn several_programs(lab: &Lab) {
    lab.file("a.py", DEADLOCK);
    lab.file("b.py", &format!("\n{DEADLOCK}"));
    let words = [
        "mpiexec", "-n", "1", "python", "a.py", ":", "-n", "1", "python", "b.py",
    ];
    lab.run(&[&["run"], &words[..]].concat())
        .expect(99, &["ranks 0 and 1", "a.py:4", "b.py:5"]);
}

fn wrapped_programs(lab: &Lab) {
    lab.file("good.py", GOOD);
    lab.file("deadlock.py", DEADLOCK);
    lab.script("wrapper", "#!/bin/sh\npython \"$@\"\nexit $?\n");
    let ended = lab.run(&["run", "-n", "2", "./wrapper", "good.py"]);
    ended.expect(0, &["standoff: clean: 2 ranks"]);
    lab.run(&["run", "-n", "2", "./wrapper", "deadlock.py"])
        .expect(99, &["ranks 0 and 1", "deadlock.py:4"]);
    lab.run(&[
        "run",
        "mpiexec",
        "-n",
        "2",
        "sh",
        "-c",
        "true; python deadlock.py; true",
    ])
    .expect(99, &["ranks 0 and 1", "deadlock.py:4"]);
}

fn c_program(lab: &Lab) {
    let text = "\
#include <mpi.h>
int main(int argc, char **argv) {
    int rank, got;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Recv(&got, 1, MPI_INT, 1 - rank, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Finalize();
    return 0;
}
";
    let source = lab.file("deadlock.c", text);
    lab.compile(
        lab.environment.program("mpicc").as_os_str(),
        &source,
        "deadlock",
    );
    for args in [
        &["run", "-n", "2", "./deadlock"][..],
        &["run", "mpiexec", "-n", "2", "./deadlock"],
        &["run", "mpiexec", "-n", "2", "sh", "-c", "exec ./deadlock"],
    ] {
        lab.run(args)
            .expect(99, &["ranks 0 and 1", "deadlock.c:6", "MPI_Recv"]);
    }
}

fn demo(lab: &Lab) {
    let ended = lab.run(&["demo"]);
    ended.expect(
        0,
        &[
            "ranks 1 and 5 wait for each other",
            "ranks 1 and 5 both send before they receive",
            "bytes it will hang",
        ],
    );
    assert_eq!(ended.out.matches(", as expected").count(), 5, "{ended:#?}");
}

fn doctor(lab: &Lab) {
    let ended = lab.run(&["doctor"]);
    ended.expect(0, &[]);
    let name = if lab.openmpi() {
        "(Open MPI)"
    } else {
        "(MPICH)"
    };
    for word in [
        "probe",
        "mpi4py",
        "launcher",
        name,
        "standoff can run programs here",
    ] {
        assert!(ended.out.contains(word), "no `{word}` in {ended:#?}");
    }
    // Of a program, what it loads and whether its lines are known.
    let source = lab.file(
        "empty.c",
        "#include <mpi.h>\nint main(void) { return MPI_Init(0, 0); }\n",
    );
    let mpicc = lab.environment.program("mpicc");
    lab.compile(mpicc.as_os_str(), &source, "empty");
    let ended = lab.run(&["doctor", "./empty"]);
    ended.expect(0, &[]);
    assert!(
        ended.out.contains("./empty loads") && ended.out.contains("it has debug information"),
        "{ended:#?}"
    );
    let stripped = lab.command("strip").arg("empty").status().unwrap();
    assert!(stripped.success());
    let ended = lab.run(&["doctor", "./empty"]);
    assert!(
        ended.out.contains("./empty has no debug information"),
        "{ended:#?}"
    );
    // Without any MPI, it says so.
    let python = lab.environment.program("python");
    let bare = lab.script(
        "python3",
        &format!("#!/bin/sh\nexec '{}' -S \"$@\"\n", python.display()),
    );
    let mut command = lab.standoff(&["doctor", "--python", bare.to_str().unwrap()]);
    command.env("PATH", lab.path("empty"));
    let ended = lab.finish(command);
    ended.expect(96, &[]);
    for word in [
        "cannot load mpi4py",
        "no launcher",
        "standoff cannot run programs here",
    ] {
        assert!(ended.out.contains(word), "no `{word}` in {ended:#?}");
    }
}
