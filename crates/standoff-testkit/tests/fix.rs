//! `fix`.

mod common;
#[path = "fix/files.rs"]
mod files;
#[path = "fix/orders.rs"]
mod orders;
#[path = "fix/repairs.rs"]
mod repairs;
#[path = "fix/traps.rs"]
mod traps;

use std::fs;
use std::process::ExitCode;

use common::{Ended, Lab};
use serde_json::Value;

fn main() -> ExitCode {
    common::main(&[
        ("opening", repairs::opening),
        ("half_cure_is_cured", repairs::half_cure_is_cured),
        ("odd_ring", repairs::odd_ring),
        ("halo", repairs::halo),
        ("buffers_in_c", repairs::buffers_in_c),
        ("conditional_collective", repairs::conditional_collective),
        ("later_waits", orders::later_waits),
        ("calls_change_places", orders::calls_change_places),
        (
            "leaves_before_a_collective",
            orders::leaves_before_a_collective,
        ),
        ("tag_typo", repairs::tag_typo),
        ("wildcard", repairs::wildcard),
        ("guard", repairs::guard),
        ("two_deadlocks", repairs::two_deadlocks),
        ("in_a_module", files::in_a_module),
        ("started_with_m", files::started_with_m),
        ("several_files_in_c", files::several_files_in_c),
        ("timed", files::timed),
        ("trap_value_received", traps::value_received),
        ("trap_view", traps::view),
        ("trap_output_between", traps::output_between),
        ("trap_destination_received", traps::destination_received),
        ("trap_property", traps::property),
        ("trap_token", traps::token),
        ("trap_parameter", traps::parameter),
        ("trap_in_c", traps::in_c),
        ("applied", files::applied),
        ("read_only", files::read_only),
        ("installed_code", files::installed_code),
        ("changed_since", files::changed_since),
        ("does_not_parse_in_c", files::does_not_parse_in_c),
        ("nothing_wrong", files::nothing_wrong),
        ("interrupted", files::interrupted),
        ("only_files", files::only_files),
        ("hint", files::hint),
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

fn has_numpy(lab: &Lab) -> bool {
    let mut command = lab.command(lab.environment.program("python"));
    command.args(["-c", "import numpy"]);
    lab.finish(command).code == Some(0)
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
