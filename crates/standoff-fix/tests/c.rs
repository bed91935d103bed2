//! Repairs of C programs, as texts.

mod common;

use common::patched;
use standoff_fix::Language::C;
use standoff_fix::Repair;

const SHIFT: &str = "\
static void shift(MPI_Comm grid, const double *edge, double *ghost)
{
    int from, to;

    MPI_Cart_shift(grid, 0, 1, &from, &to);
    MPI_Recv(ghost, 16, MPI_DOUBLE, from, 3, grid, MPI_STATUS_IGNORE);  // @stuck 0 1 2
    MPI_Send(edge, 16, MPI_DOUBLE, to, 3, grid);
}

static void exchange(MPI_Comm grid)
{
    double edge[16] = {0}, ghost[16];

    shift(grid, edge, ghost);
}
";

#[test]
fn joined() {
    let made = patched(C, SHIFT, Repair::Join);
    let call = "    MPI_Sendrecv(edge, 16, MPI_DOUBLE, to, 3, ghost, 16, MPI_DOUBLE, from, 3, grid, MPI_STATUS_IGNORE);\n}";
    assert!(made[0].contains(call), "{}", made[0]);
    assert!(!made[0].contains("MPI_Recv("), "{}", made[0]);
}

#[test]
fn by_parity() {
    let made = patched(C, SHIFT, Repair::Swap);
    let expected = "    int own_rank;
    MPI_Comm_rank(grid, &own_rank);
    if (own_rank % 2 == 0) {
        MPI_Recv(ghost, 16, MPI_DOUBLE, from, 3, grid, MPI_STATUS_IGNORE);  // @stuck 0 1 2
        MPI_Send(edge, 16, MPI_DOUBLE, to, 3, grid);
    } else {
        MPI_Send(edge, 16, MPI_DOUBLE, to, 3, grid);
        MPI_Recv(ghost, 16, MPI_DOUBLE, from, 3, grid, MPI_STATUS_IGNORE);  // @stuck 0 1 2
    }
}
";
    assert!(made[0].contains(expected), "{}", made[0]);
}

#[test]
fn nonblocking() {
    let made = patched(C, SHIFT, Repair::Nonblocking);
    let expected = "    MPI_Request request;
    MPI_Isend(edge, 16, MPI_DOUBLE, to, 3, grid, &request);
    MPI_Recv(ghost, 16, MPI_DOUBLE, from, 3, grid, MPI_STATUS_IGNORE);  // @stuck 0 1 2
    MPI_Wait(&request, MPI_STATUS_IGNORE);
}
";
    assert!(made[0].contains(expected), "{}", made[0]);
}

#[test]
fn one_buffer() {
    let source = "\
void turn(int right, int left) {
    int block[4] = {0};
    MPI_Send(block, 4, MPI_INT, right, 0, MPI_COMM_WORLD);  // @stuck 0 1 2
    MPI_Recv(block, 4, MPI_INT, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}
";
    let made = patched(C, source, Repair::Join);
    assert!(made[0].contains("MPI_Sendrecv_replace(block, 4, MPI_INT, right, 0, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);"), "{}", made[0]);
    assert_eq!(patched(C, source, Repair::Swap), Vec::<String>::new());
}

#[test]
fn tag_typo() {
    let source = "\
void f(int rank) {
    int x = 0;
    if (rank == 0)
        MPI_Send(&x, 1, MPI_INT, 1, WORK, MPI_COMM_WORLD);
    else
        MPI_Recv(&x, 1, MPI_INT, 0, WROK, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 1
}
";
    let made = patched(C, source, Repair::Correct);
    assert_eq!(
        made,
        [
            source.replace("WROK", "WORK"),
            source.replace("WORK", "WROK")
        ]
    );
}

#[test]
fn collective_out_of_its_branch() {
    let source = "void f(int rank) {\n    if (rank == 0) {\n        save();\n        MPI_Barrier(MPI_COMM_WORLD);  // @stuck 0\n    }\n    next();\n}\n";
    let made = patched(C, source, Repair::Collective);
    assert!(
        made[0].contains("    }\n    MPI_Barrier(MPI_COMM_WORLD);\n    next();"),
        "{}",
        made[0]
    );
    let source = "void f(int rank) {\n    if (rank == 0)\n        MPI_Barrier(MPI_COMM_WORLD);  // @stuck 0\n}\n";
    let made = patched(C, source, Repair::Collective);
    assert!(
        made[0].contains("{\n    MPI_Barrier(MPI_COMM_WORLD);  // @stuck 0\n}"),
        "{}",
        made[0]
    );
}
