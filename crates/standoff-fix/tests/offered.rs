//! Programs that look like the traps, in which nothing depends on the order: their patches are offered.

mod common;

use common::proposal;
use standoff_fix::Language::{self, C, Python};
use standoff_fix::Repair;

/// The programs for which a swap is not offered; all are shown at the end.
#[derive(Default)]
struct Missing(Vec<String>);

impl Missing {
    fn check(&mut self, language: Language, source: &str) {
        let proposal = proposal(language, source);
        if !proposal.candidates.iter().any(|c| c.repair == Repair::Swap) {
            self.0
                .push(format!("{}\n{source}", proposal.refused.join("\n")));
        }
    }

    #[track_caller]
    fn none(self) {
        let (n, list) = (self.0.len(), self.0.join("\n"));
        assert!(n == 0, "{n} programs:\n{list}");
    }
}

#[test]
fn arrays_apart() {
    let mut missing = Missing::default();
    for (before, into, sent) in [
        ("v = u.copy()", "u", "v"),
        ("v = np.copy(u)", "u", "v"),
        ("v = field.copy()", "field", "v"),
        ("v = np.array(u)", "u", "v"),
        ("v = u.astype('d')", "u", "v"),
        ("v = field[1, :].copy()", "field[0]", "v"),
        ("v = field[-2].copy()", "field[0]", "v"),
        ("v = field[1] + field[2]", "field[0]", "v"),
        ("v = 0.5 * field", "field[0]", "v"),
        ("v = u - field", "u", "v"),
        ("v = np.empty_like(u); v[:] = u", "u", "v"),
        ("v = np.zeros(4); v[0] = field[1]", "field[0]", "v"),
        ("v = np.zeros(4); fill(u, v)", "u", "v"),
        ("v = np.zeros(4); field.pack(v)", "u", "v"),
        ("rows = [1, 2]; v = np.array(rows)", "u", "v"),
        ("names = []; names.append('u'); v = np.ones(4)", "u", "v"),
        ("v = np.concatenate([u, field])", "u", "v"),
        ("v, w = np.zeros(4), np.zeros(4)", "w", "v"),
        ("v = np.loadtxt('edge')", "u", "v"),
        ("v = u[:2].T.copy()", "u", "v"),
        ("rows = [np.zeros(4), np.zeros(4)]", "rows[0]", "rows[1]"),
        (
            "rows = [np.zeros(4) for _ in range(2)]",
            "rows[0]",
            "rows[1]",
        ),
        ("rows = np.zeros((2, 4))", "rows[0]", "rows[1]"),
        ("rows = u", "rows[0:1]", "rows[1:2]"),
        ("", "field[0]", "field[1]"),
    ] {
        missing.check(Python, &format!(
            "import numpy as np\ndef work(comm, peer, field):\n    u = np.zeros(4)\n    {before}\n    comm.Recv({into}, source=peer)  # @stuck 0 1\n    comm.Send({sent}, dest=peer)\n"
        ));
    }
    missing.none();
}

#[test]
fn attributes_and_names_of_the_module() {
    let mut missing = Missing::default();
    for source in [
        "\
import numpy as np
class Grid:
    def __init__(self, comm, n):
        self.comm = comm
        self.edge = np.zeros(n)
        self.ghost = np.zeros(n)
    def work(self, peer):
        self.comm.Recv(self.ghost, source=peer)  # @stuck 0 1
        self.comm.Send(self.edge, dest=peer)
",
        "\
import numpy as np
class Grid:
    def __init__(self, comm, field):
        self.comm = comm
        self.field = field
        self.ghost = np.zeros(4)
    def work(self, peer):
        self.comm.Recv(self.ghost, source=peer)  # @stuck 0 1
        self.comm.Send(self.field, dest=peer)
def main(comm):
    field = np.ones(4)
    Grid(comm, field).work(1)
",
        "\
import numpy as np
EDGE, GHOST = np.zeros(4), np.zeros(4)
def work(comm, peer):
    comm.Recv(GHOST, source=peer)  # @stuck 0 1
    comm.Send(EDGE, dest=peer)
",
        "\
import numpy as np
GHOST = np.zeros(4)
def work(comm, peer, edge):
    comm.Recv(GHOST, source=peer)  # @stuck 0 1
    comm.Send(edge, dest=peer)
def main(comm):
    work(comm, 1, np.ones(4))
",
        "\
import numpy as np
from mpi4py import MPI
comm = MPI.COMM_WORLD
edge = np.loadtxt('edge')
ghost = np.empty_like(edge)
comm.Recv(ghost, source=1)  # @stuck 0 1
comm.Send(edge, dest=1)
",
        "\
from mpi4py import MPI
def work(comm, peer, rows, log):
    log.append(rows)
    got = comm.recv(source=peer)  # @stuck 0 1
    comm.send(rows, dest=peer)
    log.append(got)
",
    ] {
        missing.check(Python, source);
    }
    missing.none();
}

#[test]
fn memory_of_c_apart() {
    let mut missing = Missing::default();
    for (head, before, to, from) in [
        ("static double edge[4], ghost[4];", "", "ghost", "edge"),
        ("#define N 4", "double edge[N], ghost[N];", "ghost", "edge"),
        (
            "#define N (4 + 2)\n#define COMM MPI_COMM_WORLD",
            "double edge[N], ghost[N];",
            "ghost",
            "edge",
        ),
        (
            "",
            "double edge[4], ghost[4]; fill(edge, ghost);",
            "ghost",
            "edge",
        ),
        (
            "",
            "double *edge = malloc(32), *ghost = malloc(32); edge[0] = ghost[1] = 0;",
            "ghost",
            "edge",
        ),
        (
            "",
            "double *edge = malloc(32), ghost[4], x = 1; edge[0] = x;",
            "ghost",
            "edge",
        ),
        (
            "struct grid { double *edge, *ghost; };",
            "struct grid g; g.edge = malloc(32); g.ghost = malloc(32);",
            "g.ghost",
            "g.edge",
        ),
        (
            "struct grid { double *edge, *ghost; };",
            "struct grid *g = find(); g->edge = malloc(32); g->ghost = malloc(32);",
            "g->ghost",
            "g->edge",
        ),
        (
            "#define EDGE (mine + 1)",
            "double mine[8], ghost[4];",
            "ghost",
            "EDGE",
        ),
        (
            "",
            "int n; double ghost[4], edge[4]; scanf(\"%d\", &n);",
            "ghost",
            "edge",
        ),
        ("", "double a = 0, b = 1; a = b; b += 2;", "&b", "&a"),
        (
            "",
            "double a = 0, b = 1; int n = (int)a; b = n;",
            "&b",
            "&a",
        ),
        ("", "double a = 0, b = 1; set(&a, b);", "&b", "&a"),
        ("", "double a = 0, b = 1, *p = &a; *p = 3;", "&b", "&a"),
        (
            "",
            "double u[3][4], v[4]; memcpy(v, u[0], sizeof v);",
            "u[0]",
            "v",
        ),
    ] {
        missing.check(C, &format!(
            "#include <mpi.h>\n{head}\nvoid work(int peer)\n{{\n    {before}\n    MPI_Recv({to}, 4, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1\n    MPI_Send({from}, 4, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD);\n}}\n"
        ));
    }
    missing.none();
}
