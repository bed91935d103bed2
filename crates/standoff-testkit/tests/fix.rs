//! `fix`.

mod common;
#[path = "fix/orders.rs"]
mod orders;
#[path = "fix/traps.rs"]
mod traps;

use std::fs;
use std::process::ExitCode;

use common::{Ended, Lab};
use serde_json::Value;

fn main() -> ExitCode {
    common::main(&[
        ("opening", opening),
        ("half_cure_is_cured", half_cure_is_cured),
        ("odd_ring", odd_ring),
        ("halo", halo),
        ("buffers_in_c", buffers_in_c),
        ("conditional_collective", conditional_collective),
        ("later_waits", orders::later_waits),
        ("calls_change_places", orders::calls_change_places),
        (
            "leaves_before_a_collective",
            orders::leaves_before_a_collective,
        ),
        ("tag_typo", tag_typo),
        ("wildcard", wildcard),
        ("guard", guard),
        ("two_deadlocks", two_deadlocks),
        ("in_a_module", in_a_module),
        ("trap_value_received", traps::value_received),
        ("trap_view", traps::view),
        ("trap_output_between", traps::output_between),
        ("trap_destination_received", traps::destination_received),
        ("trap_property", traps::property),
        ("trap_token", traps::token),
        ("trap_parameter", traps::parameter),
        ("trap_in_c", traps::in_c),
        ("applied", applied),
        ("read_only", read_only),
        ("installed_code", installed_code),
        ("changed_since", changed_since),
        ("does_not_parse_in_c", does_not_parse_in_c),
        ("nothing_wrong", nothing_wrong),
        ("only_files", only_files),
        ("hint", hint),
    ])
}

/// Ranks 1 and 2 each receive before they send.
const OPENING: &str = "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 1:
    got = comm.recv(source=2); comm.send(\"a\", dest=2)
if comm.rank == 2:
    got = comm.recv(source=1); comm.send(\"b\", dest=1)
";

fn fix(lab: &Lab, ranks: &str, sizes: &str, program: &str) -> Ended {
    lab.run(&[
        "fix", "-n", ranks, "--sizes", sizes, "--json", "fix.json", program,
    ])
}

fn json(lab: &Lab) -> Value {
    let text = fs::read_to_string(lab.path("fix.json")).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["schema"], "standoff-fix/1");
    value
}

/// The patches: repair, status, numbers of ranks, diffs.
fn patches(lab: &Lab) -> Vec<(String, String, Vec<u64>, String)> {
    let value = json(lab);
    let list = value["patches"].as_array().unwrap().iter();
    list.map(|p| {
        let text = |name: &str| p[name].as_str().unwrap().to_owned();
        let sizes = p["sizes"].as_array().unwrap().iter();
        let sizes = sizes.map(|s| s["ranks"].as_u64().unwrap()).collect();
        let changes = p["changes"].as_array().unwrap().iter();
        let diffs: Vec<&str> = changes.map(|c| c["diff"].as_str().unwrap()).collect();
        (text("repair"), text("status"), sizes, diffs.concat())
    })
    .collect()
}

fn refused(lab: &Lab) -> String {
    let value = json(lab);
    let list = value["refused"].as_array().unwrap().iter();
    list.map(|r| r.as_str().unwrap().to_owned() + "\n")
        .collect()
}

/// Whether there is a patch of this sort that is proved and has this in its diff.
#[track_caller]
fn proved(lab: &Lab, repair: &str, ranks: &[u64], part: &str) {
    let all = patches(lab);
    let found = all.iter().any(|(r, status, sizes, diff)| {
        r == repair && status == "proved" && sizes == ranks && diff.contains(part)
    });
    assert!(
        found,
        "{repair} {ranks:?} {part}: {all:#?} {}",
        refused(lab)
    );
}

/// Nothing is offered, for this reason.
#[track_caller]
fn trapped(lab: &Lab, name: &str, source: &str, reason: &str) {
    lab.file(name, source);
    let ended = fix(lab, "2", "2", name);
    ended.expect(99, &[]);
    assert_eq!(patches(lab), [], "{ended:#?}");
    assert!(refused(lab).contains(reason), "{}", refused(lab));
    assert!(ended.out.contains("No patch was found."), "{ended:#?}");
    assert_eq!(fs::read_to_string(lab.path(name)).unwrap(), source);
}

fn opening(lab: &Lab) {
    lab.file("recipe.py", OPENING);
    let ended = fix(lab, "4", "2,3", "recipe.py");
    ended.expect(0, &["deadlock: ranks 1 and 2"]);
    // Of 2 ranks there is no rank 2: that number does not count.
    proved(
        lab,
        "swap",
        &[4, 3],
        "+    comm.send(\"a\", dest=2); got = comm.recv(source=2)\n",
    );
    proved(
        lab,
        "swap",
        &[4, 3],
        "+    comm.send(\"b\", dest=1); got = comm.recv(source=1)\n",
    );
    proved(
        lab,
        "join",
        &[4, 3],
        "+    got = comm.sendrecv(\"b\", dest=1, source=1)\n",
    );
    proved(
        lab,
        "nonblocking",
        &[4, 3],
        "request = comm.isend(\"a\", dest=2)",
    );
    let refused = refused(lab);
    assert!(refused.contains("both sides send first"), "{refused}");
    assert!(refused.contains("above about"), "{refused}");
    assert!(!patches(lab).iter().any(|p| p.0 == "half-cure"));
    assert!(
        ended
            .out
            .contains("proved deadlock-free with 4 and 3 ranks"),
        "{ended:#?}"
    );
    assert!(
        ended.out.contains("the results are right is not proved"),
        "{ended:#?}"
    );
    assert_eq!(fs::read_to_string(lab.path("recipe.py")).unwrap(), OPENING);
}

/// From a witness of check; what the program prints is compared.
fn half_cure_is_cured(lab: &Lab) {
    lab.file(
        "half.py",
        "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
peer = comm.rank ^ 1
comm.send(comm.rank, dest=peer)
got = comm.recv(source=peer)
print('got', got, flush=True)
",
    );
    let ended = fix(lab, "2", "4", "half.py");
    ended.expect(0, &["potential deadlock"]);
    proved(lab, "swap", &[2, 4], "+if comm.rank < peer:\n");
    proved(
        lab,
        "join",
        &[2, 4],
        "+got = comm.sendrecv(comm.rank, dest=peer, source=peer)\n",
    );
    assert!(!ended.out.contains("output differs"), "{ended:#?}");
}

const RING: &str = "\
import numpy as np
from mpi4py import MPI
comm = MPI.COMM_WORLD
right, left = (comm.rank + 1) % comm.size, (comm.rank - 1) % comm.size
mine, theirs = np.full(4, comm.rank), np.empty(4, dtype=int)
for step in range(2):
    comm.Recv(theirs, source=left, tag=step)
    comm.Send(mine, dest=right, tag=step)
    mine[:] = theirs
";

fn odd_ring(lab: &Lab) {
    if !has_numpy(lab) {
        lab.file(
            "ring.py",
            &RING
                .replace("import numpy as np\n", "from array import array\n")
                .replace(
                    "np.full(4, comm.rank), np.empty(4, dtype=int)",
                    "array('i', [comm.rank] * 4), array('i', [0] * 4)",
                ),
        );
    } else {
        lab.file("ring.py", RING);
    }
    fix(lab, "3", "2", "ring.py").expect(0, &["deadlock"]);
    proved(lab, "swap", &[3, 2], "+    if comm.rank % 2 == 0:\n");
    proved(
        lab,
        "join",
        &[3, 2],
        "comm.Sendrecv(mine, dest=right, sendtag=step, recvbuf=theirs, source=left, recvtag=step)",
    );
}

fn has_numpy(lab: &Lab) -> bool {
    let mut command = lab.command(lab.environment.program("python"));
    command.args(["-c", "import numpy"]);
    lab.finish(command).code == Some(0)
}

fn halo(lab: &Lab) {
    lab.file(
        "halo.py",
        "\
from mpi4py import MPI


def exchange(comm, u, left, right):
    comm.ssend(u[1], dest=left)
    comm.ssend(u[-2], dest=right)
    u[-1] = comm.recv(source=right)
    u[0] = comm.recv(source=left)


def main():
    comm = MPI.COMM_WORLD
    left, right = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
    u = [comm.rank] * 5
    for _ in range(2):
        exchange(comm, u, left, right)
    print(u, flush=True)


main()
",
    );
    fix(lab, "3", "4", "halo.py").expect(0, &["deadlock"]);
    proved(
        lab,
        "nonblocking",
        &[3, 4],
        "+    request_2 = comm.issend(u[-2], dest=right)\n",
    );
}

const SHIFT: &str = "\
#include <mpi.h>
#include \"cells.h\"
static void shift(MPI_Comm comm, const double *edge, double *ghost) {
    int rank, size;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    int right = (rank + 1) % size, left = (rank + size - 1) % size;
    MPI_Recv(ghost, CELLS, MPI_DOUBLE, left, 0, comm, MPI_STATUS_IGNORE);
    MPI_Send(edge, CELLS, MPI_DOUBLE, right, 0, comm);
}
int main(int argc, char **argv) {
    double edge[CELLS] = {0}, ghost[CELLS];
    MPI_Init(&argc, &argv);
    shift(MPI_COMM_WORLD, edge, ghost);
    MPI_Finalize();
    return 0;
}
";

fn compiled(lab: &Lab, source: &str) -> String {
    lab.file("cells.h", "#define CELLS 8\n");
    let source = lab.file("shift.c", source);
    let compiler = lab.environment.program("mpicc");
    lab.compile(compiler.as_os_str(), &source, "shift");
    "./shift".to_owned()
}

fn buffers_in_c(lab: &Lab) {
    let program = compiled(lab, SHIFT);
    fix(lab, "3", "2", &program).expect(0, &["deadlock"]);
    proved(
        lab,
        "join",
        &[3, 2],
        "MPI_Sendrecv(edge, CELLS, MPI_DOUBLE, right, 0, ghost, CELLS, MPI_DOUBLE, left, 0, comm, MPI_STATUS_IGNORE);",
    );
    proved(lab, "swap", &[3, 2], "+    if (rank % 2 == 0) {\n");
    proved(
        lab,
        "nonblocking",
        &[3, 2],
        "+    MPI_Wait(&request, MPI_STATUS_IGNORE);\n",
    );
    // As the user compiles it, in a copy of the directory.
    let mpicc = lab.environment.program("mpicc");
    let build = format!("{} -g shift.c -o shift", mpicc.display());
    lab.run(&[
        "fix", "-n", "3", "--sizes", "3", "--build", &build, "--json", "fix.json", &program,
    ])
    .expect(0, &[]);
    proved(lab, "join", &[3], "MPI_Sendrecv(");
}

fn conditional_collective(lab: &Lab) {
    lab.file(
        "save.py",
        "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    print('saved', flush=True)
    comm.barrier()
print('on', flush=True)
",
    );
    fix(lab, "3", "2", "save.py").expect(0, &["deadlock"]);
    proved(
        lab,
        "move-collective",
        &[3, 2],
        "-    comm.barrier()\n+comm.barrier()\n",
    );
}

fn tag_typo(lab: &Lab) {
    lab.file(
        "typo.py",
        "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    comm.send('work', dest=1, tag=12)
    print(comm.recv(source=1, tag=2))
elif comm.rank == 1:
    job = comm.recv(source=0, tag=21)
    comm.send('done', dest=0, tag=2)
",
    );
    fix(lab, "2", "3", "typo.py").expect(0, &["deadlock"]);
    proved(
        lab,
        "correct",
        &[2, 3],
        "+    job = comm.recv(source=0, tag=12)\n",
    );
    proved(
        lab,
        "correct",
        &[2, 3],
        "+    comm.send('work', dest=1, tag=21)\n",
    );
}

/// The file is none of MPI's: rank 2 comes first in the recorded run, and rank 1 may in another.
fn wildcard(lab: &Lab) {
    lab.file(
        "first.py",
        "\
import lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    first = comm.recv(source=MPI.ANY_SOURCE, tag=1)
    lab.make('first')
    second = comm.recv(source=1, tag=1)
elif comm.rank == 1:
    lab.wait_for('first')
    comm.send('one', dest=0, tag=1)
else:
    comm.send('two', dest=0, tag=1)
",
    );
    fix(lab, "3", "3", "first.py").expect(0, &["potential deadlock"]);
    proved(
        lab,
        "correct",
        &[3],
        "+    first = comm.recv(source=2, tag=1)\n",
    );
}

fn guard(lab: &Lab) {
    lab.file(
        "raises.py",
        "\
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 1:
    raise KeyError('steps')
comm.recv(source=1)
",
    );
    let ended = fix(lab, "2", "2", "raises.py");
    ended.expect(99, &["KeyError"]);
    let all = patches(lab);
    assert_eq!(
        (all[0].0.as_str(), all[0].1.as_str(), all.len()),
        ("guard", "guard", 1),
        "{all:#?}"
    );
    assert!(!ended.out.contains("deadlock-free with"), "{ended:#?}");
    assert!(ended.out.contains("it cures nothing"), "{ended:#?}");
}

fn two_deadlocks(lab: &Lab) {
    lab.file(
        "two.py",
        "\
from mpi4py import MPI


def first(comm, peer):
    got = comm.recv(source=peer, tag=1)
    comm.send('a', dest=peer, tag=1)


def second(comm, peer):
    other = comm.recv(source=peer, tag=2)
    comm.send('b', dest=peer, tag=2)


comm = MPI.COMM_WORLD
first(comm, 1 - comm.rank)
second(comm, 1 - comm.rank)
",
    );
    fix(lab, "2", "2", "two.py").expect(0, &["two.py:5"]);
    let all = patches(lab);
    let both = all
        .iter()
        .find(|p| p.3.contains("tag=1") && p.3.contains("tag=2"));
    let best = both.expect("a patch for both");
    assert_eq!(
        (best.1.as_str(), best.2.as_slice()),
        ("proved", [2].as_slice())
    );
    assert!(
        all.iter()
            .all(|p| p.3.contains("first(") && p.3.contains("second(")),
        "{all:#?}"
    );
}

/// The lines lie in a module of a package beside the script, which reads a file that lies there, too.
fn in_a_module(lab: &Lab) {
    fs::create_dir_all(lab.path("app/model/core")).unwrap();
    lab.file("app/model/__init__.py", "");
    lab.file("app/model/core/__init__.py", "");
    lab.file("app/model/names.py", "TAG = 4\n");
    lab.file("app/words.txt", "hello\n");
    let module = "\
from ..names import TAG


def swap(comm, word, peer):
    got = comm.recv(source=peer, tag=TAG)
    comm.send(word, dest=peer, tag=TAG)
    return got
";
    lab.file("app/model/core/halo.py", module);
    lab.file(
        "app/main.py",
        "\
import pathlib
from mpi4py import MPI
from model.core import halo
comm = MPI.COMM_WORLD
word = pathlib.Path(__file__).with_name('words.txt').read_text()
print(halo.swap(comm, word, 1 - comm.rank), flush=True)
",
    );
    fix(lab, "2", "2", "app/main.py").expect(0, &["app/model/core/halo.py:5"]);
    proved(
        lab,
        "join",
        &[2],
        "+    got = comm.sendrecv(word, dest=peer, sendtag=TAG, source=peer, recvtag=TAG)\n",
    );
    assert!(
        patches(lab)[0]
            .3
            .starts_with("--- app/model/core/halo.py\n")
    );
    assert_eq!(
        fs::read_to_string(lab.path("app/model/core/halo.py")).unwrap(),
        module
    );
}

fn applied(lab: &Lab) {
    lab.file("recipe.py", OPENING);
    lab.run(&["fix", "-n", "3", "--sizes", "3", "--apply", "recipe.py"])
        .expect(
            0,
            &["wrote recipe.py; what was there is in ", "recipe.py.orig"],
        );
    assert_eq!(
        fs::read_to_string(lab.path("recipe.py.orig")).unwrap(),
        OPENING
    );
    let new = fs::read_to_string(lab.path("recipe.py")).unwrap();
    assert_ne!(new, OPENING);
    lab.run(&["check", "-n", "3", "recipe.py"])
        .expect(0, &["clean"]);
    // Under version control there is no need of a second copy.
    let git = |args: &[&str]| {
        let mut command = lab.command("git");
        command
            .args(["-c", "user.name=a", "-c", "user.email=a@b"])
            .args(args);
        let ended = lab.finish(command);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    };
    lab.file("other.py", OPENING);
    git(&["init", "-q"]);
    git(&["add", "other.py"]);
    git(&["commit", "-qm", "one"]);
    lab.run(&["fix", "-n", "3", "--sizes", "3", "--apply", "other.py"])
        .expect(0, &["wrote other.py\n"]);
    assert!(!lab.path("other.py.orig").exists());
    assert_ne!(fs::read_to_string(lab.path("other.py")).unwrap(), OPENING);
}

/// Who is root may write everywhere: a file where the backup should go stands for what cannot be written.
fn read_only(lab: &Lab) {
    lab.file("recipe.py", OPENING);
    lab.file("recipe.py.orig", "of old");
    let ended = lab.run(&["fix", "-n", "3", "--sizes", "3", "--apply", "recipe.py"]);
    ended.expect(96, &["cannot keep the old text in", "recipe.py.orig"]);
    assert!(ended.out.contains("1. swap"), "{ended:#?}");
    assert_eq!(fs::read_to_string(lab.path("recipe.py")).unwrap(), OPENING);
    assert_eq!(
        fs::read_to_string(lab.path("recipe.py.orig")).unwrap(),
        "of old"
    );
}

fn installed_code(lab: &Lab) {
    fs::create_dir_all(lab.path("lib/site-packages")).unwrap();
    lab.file("lib/site-packages/recipe.py", OPENING);
    fix(lab, "3", "3", "lib/site-packages/recipe.py").expect(99, &["deadlock"]);
    assert_eq!(patches(lab), []);
    assert!(
        refused(lab).contains("is installed code, which is not patched"),
        "{}",
        refused(lab)
    );
}

/// The program changes its own source while it runs.
fn changed_since(lab: &Lab) {
    let source = format!("import os\nopen(__file__, 'a').close(); os.utime(__file__)\n{OPENING}");
    lab.file("recipe.py", &source);
    fix(lab, "3", "3", "recipe.py").expect(99, &["deadlock"]);
    assert_eq!(patches(lab), []);
    assert!(
        refused(lab).contains("has changed since the program was started"),
        "{}",
        refused(lab)
    );
}

/// A macro that the parser does not understand.
fn does_not_parse_in_c(lab: &Lab) {
    let odd = "#define BEGIN {\n#define END }\nstatic int f(void) BEGIN return 1; END\n";
    let program = compiled(
        lab,
        &SHIFT.replace("static void shift", &format!("{odd}static void shift")),
    );
    fix(lab, "2", "2", &program).expect(99, &["deadlock"]);
    assert_eq!(patches(lab), []);
    assert!(refused(lab).contains("does not parse"), "{}", refused(lab));
}

fn nothing_wrong(lab: &Lab) {
    lab.file("good.py", common::GOOD);
    let ended = fix(lab, "2", "2", "good.py");
    ended.expect(0, &[]);
    assert!(ended.out.contains("Nothing to fix."), "{ended:#?}");
    assert_eq!(json(lab)["verdict"], "clean");
}

fn only_files(lab: &Lab) {
    lab.run(&["fix", "-n", "2", "-c", "import mpi4py"])
        .expect(96, &["only a program in a file can be patched"]);
    lab.run(&["fix", "-n", "2", "nowhere.py"])
        .broken(&["nowhere.py"]);
}

fn hint(lab: &Lab) {
    lab.file("recipe.py", OPENING);
    lab.run(&["run", "-n", "3", "recipe.py"])
        .expect(99, &["a patch may be at hand: standoff fix -n 3 recipe.py"]);
    let trap = traps::pair("got = comm.recv(source=peer)\ncomm.send(got, dest=peer)\n");
    lab.file("trap.py", &trap);
    let ended = lab.run(&["run", "-n", "2", "trap.py"]);
    ended.expect(99, &[]);
    assert!(!ended.err.contains("standoff fix"), "{ended:#?}");
    let ended = lab.run(&["run", "--brief", "-n", "3", "recipe.py"]);
    assert!(!ended.err.contains("standoff fix"), "{ended:#?}");
}
