//! Which files are patched, copied and written.

use std::fs;

use super::common::signal;
use super::*;

/// The lines lie in a module of a package beside the script, which reads a file that lies there, too.
pub fn in_a_module(lab: &Lab) {
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

/// `-m`: the module and what it imports come from the copy, though the current directory has them, too. An argument `-m` behind a script is none of Python's.
pub fn started_with_m(lab: &Lab) {
    fs::create_dir_all(lab.path("waves/grid")).unwrap();
    lab.file("waves/__init__.py", "");
    lab.file("waves/grid/__init__.py", "");
    let halo = "\
def swap(comm, word, peer):
    got = comm.recv(source=peer)
    comm.send(word, dest=peer)
    return got
";
    lab.file("waves/grid/halo.py", halo);
    let main = "\
import sys
from mpi4py import MPI
from .grid.halo import swap
comm = MPI.COMM_WORLD
assert sys.argv[1:] == ['-m', '3'] and __name__ == '__main__', sys.argv
print(swap(comm, comm.rank, 1 - comm.rank), flush=True)
";
    lab.file("waves/__main__.py", main);
    lab.run(&[
        "fix", "-n", "2", "--sizes", "2", "--json", "fix.json", "-m", "waves", "-m", "3",
    ])
    .expect(0, &["waves/grid/halo.py:2"]);
    proved(lab, "join", &[2], "--- waves/grid/halo.py\n");
    assert_eq!(
        fs::read_to_string(lab.path("waves/grid/halo.py")).unwrap(),
        halo
    );
    let script = main.replace("from .grid", "from waves.grid");
    lab.file("script.py", &script);
    lab.run(&[
        "fix",
        "-n",
        "2",
        "--sizes",
        "2",
        "--json",
        "fix.json",
        "script.py",
        "-m",
        "3",
    ])
    .expect(0, &["waves/grid/halo.py:2"]);
    proved(lab, "join", &[2], "--- waves/grid/halo.py\n");
    lab.run(&["fix", "-n", "2", "-m", "timeit"])
        .expect(96, &["neither in the current directory nor in PYTHONPATH"]);
}

/// Two deadlocks, one behind the other, each in its own file; built by --build.
pub fn several_files_in_c(lab: &Lab) {
    let part = |name: &str| {
        format!(
            "#include <mpi.h>\nvoid {name}(int peer)\n{{\n    int mine = 1, theirs = 0;\n    MPI_Recv(&theirs, 1, MPI_INT, peer, 0, MPI_COMM_WORLD, \
             MPI_STATUS_IGNORE);\n    MPI_Send(&mine, 1, MPI_INT, peer, 0, MPI_COMM_WORLD);\n}}\n"
        )
    };
    lab.file("first.c", &part("first"));
    lab.file("second.c", &part("second"));
    lab.file(
        "main.c",
        "\
#include <mpi.h>
void first(int);
void second(int);
int main(int argc, char **argv)
{
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    first(1 - rank);
    second(1 - rank);
    MPI_Finalize();
    return 0;
}
",
    );
    let build = "mpicc -g -O1 main.c first.c second.c -o parts";
    let mut command = lab.command("sh");
    command.args(["-c", build]);
    assert_eq!(lab.finish(command).code, Some(0));
    lab.run(&[
        "fix", "-n", "2", "--sizes", "2", "--build", build, "--json", "fix.json", "./parts",
    ])
    .expect(0, &["first.c:5"]);
    let all = patches(lab);
    let whole = |p: &(String, String, Vec<u64>, String)| {
        p.1 == "proved" && p.3.contains("--- first.c\n") && p.3.contains("--- second.c\n")
    };
    assert!(all.iter().any(whole), "{all:#?} {}", refused(lab));
    assert_eq!(
        fs::read_to_string(lab.path("first.c")).unwrap(),
        part("first")
    );
}

/// What was timed is told in text and JSON. Whether there is time for it depends on the machine.
pub fn timed(lab: &Lab) {
    lab.file(
        "half.py",
        &OPENING
            .replace(
                "got = comm.recv(source=2); comm.send(\"a\", dest=2)",
                "comm.send(\"a\", dest=2); got = comm.recv(source=2)",
            )
            .replace(
                "got = comm.recv(source=1); comm.send(\"b\", dest=1)",
                "comm.send(\"b\", dest=1); got = comm.recv(source=1)",
            ),
    );
    let ended = fix(lab, "3", "3,4,5,6", "half.py");
    ended.expect(0, &[]);
    let value = json(lab);
    let list = value["patches"].as_array().unwrap();
    let timed: Vec<&Value> = list
        .iter()
        .map(|p| &p["speed"])
        .filter(|s| !s.is_null())
        .collect();
    assert_eq!(
        value["speed_as_it_is"].is_null(),
        timed.is_empty(),
        "{value:#}"
    );
    assert_eq!(
        ended.out.matches("A run took").count(),
        timed.len(),
        "{ended:#?}"
    );
    for speed in timed {
        assert!(speed["median_seconds"].as_f64().unwrap() > 0.0, "{value:#}");
        assert!(
            (3..=5).contains(&speed["runs"].as_u64().unwrap()),
            "{value:#}"
        );
        assert!(ended.out.contains("; as it is "), "{ended:#?}");
    }
}

pub fn applied(lab: &Lab) {
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
pub fn read_only(lab: &Lab) {
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

pub fn installed_code(lab: &Lab) {
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
pub fn changed_since(lab: &Lab) {
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
pub fn does_not_parse_in_c(lab: &Lab) {
    let odd = "#define BEGIN {\n#define END }\nstatic int f(void) BEGIN return 1; END\n";
    let program = compiled(
        lab,
        &SHIFT.replace("static void shift", &format!("{odd}static void shift")),
    );
    fix(lab, "2", "2", &program).expect(99, &["deadlock"]);
    assert_eq!(patches(lab), []);
    assert!(refused(lab).contains("does not parse"), "{}", refused(lab));
}

pub fn nothing_wrong(lab: &Lab) {
    lab.file("good.py", common::GOOD);
    let ended = fix(lab, "2", "2", "good.py");
    ended.expect(0, &[]);
    assert!(ended.out.contains("Nothing to fix."), "{ended:#?}");
    assert_eq!(json(lab)["verdict"], "clean");
}

pub fn only_files(lab: &Lab) {
    lab.run(&["fix", "-n", "2", "-c", "import mpi4py"])
        .expect(96, &["in no file that could be patched"]);
    lab.run(&["fix", "-n", "2", "nowhere.py"])
        .broken(&["nowhere.py"]);
}

pub fn hint(lab: &Lab) {
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

/// Somebody ends it while it tries a patch: it writes no file, and says why it found none.
pub fn interrupted(lab: &Lab) {
    let program = "\
import os, lab
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    before = sum(name.startswith('run-') for name in os.listdir('.'))
    lab.make('run-%d' % before)
    if before == 1: lab.wait_for('go')
other = 1 - comm.rank
got = comm.recv(source=other)
comm.send('word', dest=other)
";
    let path = lab.file("program.py", program);
    let args = [
        "fix",
        "--apply",
        "-n",
        "2",
        "--json",
        "fix.json",
        "program.py",
    ];
    let child = lab.start(&mut lab.standoff(&args));
    lab.until_there("run-1");
    signal(child.id() as i32, libc::SIGTERM);
    let ended = lab.end(child);
    assert_eq!(ended.signal, Some(libc::SIGTERM), "{ended:#?}");
    assert!(ended.out.contains("fix was interrupted"), "{ended:#?}");
    assert!(ended.out.contains("No patch was found"), "{ended:#?}");
    assert!(lab.path("fix.json").exists());
    assert_eq!(fs::read_to_string(path).unwrap(), program);
}
