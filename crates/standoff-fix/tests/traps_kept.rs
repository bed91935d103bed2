//! More traps in which what is sent depends on what was received: memory that something kept, that lies in something, or that a caller gives twice.

mod common;

use common::Wrong;
use standoff_fix::Language::{C, Python};

/// What `u` is put into gives it out again.
#[test]
fn kept_by_a_container() {
    let mut wrong = Wrong::default();
    for (kept, sent) in [
        ("rows = []; rows.append(u)", "rows[0]"),
        ("rows = []; rows.append(u)", "rows"),
        ("rows = []; rows.insert(0, u)", "rows[0]"),
        ("rows = [1]; rows += [u]", "rows[1]"),
        ("d = {}; d.update(k=u)", "d['k']"),
        ("d = {}; d.setdefault('k', u)", "d"),
        ("rows = [u]; again = rows.copy()", "again"),
        ("import copy; rows = [u]; again = copy.copy(rows)", "again"),
        ("rows = [u]; again = rows + [1]", "again"),
        ("rows = [u]; more = [2]; again = rows + more", "again"),
        ("rows = [u]; again = rows * 2", "again"),
        ("rows = [u]; again = rows[:].copy()", "again"),
        ("field.u = u; v = field.u", "v"),
        ("field.u = u", "field"),
        ("field.u = u; v = field", "v"),
        ("v = np.array(u, copy=False)", "v"),
        ("v = np.array([u, 1], dtype=object)", "v"),
        ("v = u.astype('d', copy=False)", "v"),
        ("v = np.zeros(4); v = np.sqrt(v, out=u)", "v"),
        ("grid = Grid(u); v = grid.edge(0)", "v"),
        ("grid = Grid(u); v = grid.rows", "v"),
        ("rows = []; put(rows, u)", "rows"),
        ("a, *b = u, 1", "a"),
        ("v = field.T = u", "v"),
        ("field.T = np.zeros(4); v = u.T", "v"),
    ] {
        let send = if sent == "v" || sent == "a" {
            "Send"
        } else {
            "send"
        };
        wrong.python(&format!(
            "u = np.zeros(4)\n{kept}\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.{send}({sent}, dest=peer)"
        ));
    }
    wrong.none();
}

/// Names of the module and attributes can be what a caller gives, or what a function gives back.
#[test]
fn given_by_a_caller() {
    let mut wrong = Wrong::default();
    for source in [
        "\
import numpy as np
U = np.zeros(4)
def work(comm, peer, v):
    comm.Recv(U, source=peer)  # @stuck 0 1
    comm.Send(v, dest=peer)
def main(comm, peer):
    work(comm, peer, U)
",
        // No caller is seen.
        "\
import numpy as np
U = np.zeros(4)
def work(comm, peer, v):
    comm.Recv(U, source=peer)  # @stuck 0 1
    comm.Send(v, dest=peer)
",
        "\
import numpy as np
U = np.zeros(4)
def edge():
    return U[1:]
def work(comm, peer):
    v = edge()
    comm.Recv(U, source=peer)  # @stuck 0 1
    comm.Send(v, dest=peer)
",
        "\
import numpy as np
U = np.zeros(4)
def edge():
    return U[1:]
v = edge()
comm.Recv(U, source=peer)  # @stuck 0 1
comm.Send(v, dest=peer)
",
        "\
import numpy as np
class Grid:
    def __init__(self):
        self.u = np.zeros(4)
    def edge(self):
        return self.u[1:]
    def work(self, comm, peer):
        v = self.edge()
        comm.Recv(self.u, source=peer)  # @stuck 0 1
        comm.Send(v, dest=peer)
",
        "\
import numpy as np
class Grid:
    def __init__(self):
        self.u = np.zeros(4)
    def work(self, comm, peer, v):
        comm.Recv(self.u, source=peer)  # @stuck 0 1
        comm.Send(v, dest=peer)
def main(comm, grid):
    grid.work(comm, 1, grid.u)
",
        "\
import numpy as np
class Grid:
    def __init__(self):
        self.u = np.zeros(4)
    def work(self, comm, peer, other):
        comm.Recv(self.u, source=peer)  # @stuck 0 1
        comm.send(other, dest=peer)
def main(comm, grid):
    grid.work(comm, 1, grid)
",
        // A default is given.
        "\
import numpy as np
U = np.zeros(4)
def give(comm, peer, x=U):
    comm.Send(x, dest=peer)
def work(comm, peer):
    comm.Recv(U, source=peer)  # @stuck 0 1
    give(comm, peer)
",
        // Functions defined later, under the names of known ones.
        "\
import numpy as np
U = np.zeros(4)
def work(comm, peer):
    v = copy(3)
    comm.Recv(U, source=peer)  # @stuck 0 1
    comm.Send(v, dest=peer)
def copy(n):
    return U
",
        "\
from strange import sum
def work(comm, peer, field):
    field[0] = comm.recv(source=peer)  # @stuck 0 1
    comm.send(sum(3), dest=peer)
",
        "\
import numpy as np
def work(comm, peer):
    u = np.zeros(4)
    v = u
    def inner():
        comm.Recv(u, source=peer)  # @stuck 0 1
        comm.Send(v, dest=peer)
    inner()
",
    ] {
        wrong.check(Python, source);
    }
    wrong.none();
}

#[test]
fn c_memory_that_lies_in_something_or_is_set_elsewhere() {
    let mut wrong = Wrong::default();
    for (before, to, from) in [
        ("double *p = malloc(64); p = all;", "p", "all"),
        ("double *p = malloc(64), **pp = &p; *pp = all;", "p", "all"),
        (
            "double own[8], *p = malloc(64), **pp = &p; *pp = own;",
            "p",
            "own",
        ),
        ("double own[8], *p[2]; p[0] = own;", "p[0]", "own"),
        ("double *p[2]; p[0] = all;", "p[0]", "all"),
        ("double own[8]; struct row r; r.p = own;", "r.p", "own"),
        ("double own[8]; struct row r = { own };", "r.p", "own"),
        ("double own[8]; double *p[2] = { own, 0 };", "p[0]", "own"),
        ("struct row s, *r = &s; s.x = 1;", "&s.x", "r"),
        (
            "union { double a; long b; } x; x.a = 1.0; x.b = 2;",
            "&x.a",
            "&x.b",
        ),
        (
            "struct { double a, b, c, d, e; } s; s.a = 1; s.b = 2;",
            "&s.a",
            "&s.b",
        ),
        ("double *q; find(&q);", "all", "q"),
        ("double own[8], *q; find(&q, own);", "own", "q"),
        ("double *q = find();", "all", "q"),
        ("struct row *r = find();", "all", "r->p"),
        ("double own[8], *q; q = own + 1;", "own", "q"),
        ("double own[8], *q; (q) = own + 1;", "own", "q"),
        ("double own[8], *q; if (peer) q = own;", "own", "q"),
        ("double own[8], *q; for (q = own; *q; q++);", "own", "q"),
        ("extern double *shared;", "all", "shared"),
    ] {
        wrong.c(&format!(
            "{before}\nMPI_Recv({to}, 4, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1\nMPI_Send({from}, 4, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD);"
        ));
    }
    wrong.none();
}

#[test]
fn c_names_that_hide() {
    let mut wrong = Wrong::default();
    for (head, before, to, from) in [
        ("static double all[8];", "", "p", "all"),
        (
            "#define EDGE (all + 2)\nstatic double all[8];",
            "",
            "all",
            "EDGE",
        ),
        ("#define EDGE mine", "double mine[8];", "mine", "EDGE"),
        (
            "#define EDGE mine",
            "double mine[8], *q = EDGE;",
            "mine",
            "q",
        ),
        (
            "#define EDGE WALL\n#define WALL mine",
            "double mine[8];",
            "mine",
            "EDGE",
        ),
        (
            "#define AT(i) (mine + (i))",
            "double mine[8];",
            "mine",
            "AT(2)",
        ),
        (
            "#define malloc(n) pool\nstatic double pool[8];",
            "double *q = malloc(64);",
            "pool",
            "q",
        ),
        (
            "#define SAME(q) q = mine",
            "double mine[8], *q; SAME(q);",
            "mine",
            "q",
        ),
        (
            "#define MPI_Send(b, ...) MPI_Send(mine, __VA_ARGS__)",
            "double mine[8], v[4];",
            "mine",
            "v",
        ),
        ("double *malloc(int n);", "double *q = find(3);", "p", "q"),
    ] {
        wrong.check(C, &format!(
            "#include <mpi.h>\n{head}\nvoid work(int peer, double *p)\n{{\n    {before}\n    MPI_Recv({to}, 4, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1\n    MPI_Send({from}, 4, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD);\n}}\n"
        ));
    }
    wrong.none();
}

/// Elements of a list can be one and the same, unlike those of an array.
#[test]
fn elements_that_are_the_same() {
    let mut wrong = Wrong::default();
    for rows in [
        "rows = [u, u]",
        "rows = (u, u[1:])",
        "rows = {0: u, 1: u}",
        "rows = [u] * 2",
        "rows = [np.zeros(4)] * 2",
        "rows = [u for _ in range(2)]",
        "rows = []; rows.append(u); rows.append(u)",
        "rows = [0, 0]; rows[0] = u; rows[1] = u",
        "rows = [0, 0]; rows[0] = rows[1] = u",
        "more = [u, u]; rows = more",
        "more = [u, u]; rows = more.copy()",
        "rows = list([u, u])",
        "rows = np.broadcast_to(u, (2, 4))",
        "rows = make(2)",
        "field.rows = [u, u]; rows = field.rows",
        "rows = np.lib.stride_tricks.sliding_window_view(u, 2)",
    ] {
        wrong.python(&format!(
            "u = np.zeros(4)\n{rows}\ncomm.Recv(rows[0], source=peer)  # @stuck 0 1\ncomm.Send(rows[1], dest=peer)"
        ));
    }
    for rows in [
        "double *rows[2] = { all, all };",
        "double *rows[2]; rows[0] = rows[1] = all;",
        "double **rows = find();",
    ] {
        wrong.c(&format!(
            "{rows}\nMPI_Recv(rows[0], 1, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1\nMPI_Send(rows[1], 1, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD);"
        ));
    }
    wrong.none();
}

/// What is not an alias, but an effect that is not seen where it stands.
#[test]
fn effects_between() {
    let mut wrong = Wrong::default();
    for body in [
        "comm.Send(make(), dest=peer)  # @stuck 0 1\ncomm.Recv(make(), source=peer)",
        "comm.Send(field.pop(), dest=peer)  # @stuck 0 1\ncomm.Recv(field.pop(), source=peer)",
        "got = comm.recv(source=peer)  # @stuck 0 1\nnp.copyto(field, got)\ncomm.send(field, dest=peer)",
        "got = comm.recv(source=peer)  # @stuck 0 1\nnp.add(field, got, out=field)\ncomm.send(field, dest=peer)",
        "got = comm.recv(source=peer)  # @stuck 0 1\nnp.add(field, got, field)\ncomm.send(field, dest=peer)",
        "got = comm.recv(source=peer)  # @stuck 0 1\nnp.sqrt(got, field)\ncomm.send(field, dest=peer)",
        "got = np.zeros(4)\ncomm.Recv(got, source=peer)  # @stuck 0 1\nnp.dot(got, got, field)\ncomm.send(field, dest=peer)",
        "got = comm.recv(source=peer)  # @stuck 0 1\nfield.T[0] = got\ncomm.send(field, dest=peer)",
        "got = comm.recv(source=peer)  # @stuck 0 1\nfield.rows[0].x = got\ncomm.send(field, dest=peer)",
        "got = comm.recv(source=peer)  # @stuck 0 1\nfield().x = got\ncomm.send(field, dest=peer)",
        "v = field[0]\ngot = comm.recv(source=peer)  # @stuck 0 1\nv.x = got\ncomm.send(field, dest=peer)",
        "v = field\ngot = comm.recv(source=peer)  # @stuck 0 1\nv.x = got\ncomm.send(field.x, dest=peer)",
        "v = field\ngot = comm.recv(source=peer)  # @stuck 0 1\nv.x = got\ncomm.send(field, dest=peer)",
        "v = field\nv.x = comm.recv(source=peer)  # @stuck 0 1\ncomm.send(field.x, dest=peer)",
        "v = field\nv.x = comm.recv(source=peer)  # @stuck 0 1\ncomm.send(field, dest=peer)",
        "v = field\nv[0] = comm.recv(source=peer)  # @stuck 0 1\ncomm.send(field, dest=peer)",
        "v = field\ngot = comm.recv(source=peer)  # @stuck 0 1\nv += got\ncomm.send(field, dest=peer)",
        "it = iter(field)\ngot = comm.recv(source=next(it))  # @stuck 0 1\ncomm.send(1, dest=next(it))",
    ] {
        wrong.python(body);
    }
    wrong.none();
}

/// Bindings and stores of other forms.
#[test]
fn bound_otherwise() {
    let mut wrong = Wrong::default();
    for body in [
        "u = np.zeros(4)\ndef f():\n    return u\nv = f()\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "u = np.zeros(4)\nf = lambda: u\nv = f()\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "u = np.zeros(4)\nfor i, v in enumerate([u]):\n    comm.Recv(u, source=peer)  # @stuck 0 1\n    comm.Send(v, dest=peer)",
        "u = np.zeros(4)\nfor v in zip([u]):\n    comm.Recv(u, source=peer)  # @stuck 0 1\n    comm.Send(v[0], dest=peer)",
        "u = np.zeros(4)\nwith np.nditer(u) as v:\n    comm.Recv(u, source=peer)  # @stuck 0 1\n    comm.Send(v, dest=peer)",
        "u = np.zeros(4)\nv = np.lib.stride_tricks.as_strided(u)\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "u = np.zeros(4)\nv = np.array(u, copy=None)\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "u = np.zeros(4)\nv = memoryview(u).cast('B')\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send([v, 8], dest=peer)",
        "u = bytearray(4)\nv = np.frombuffer(u)\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send([v, MPI.DOUBLE], dest=peer)",
        "u = np.zeros(4)\nd = dict(k=u)\nv = d.get('k')\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "u = np.zeros(4)\nd = {}\nd |= {'k': u}\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.send(d, dest=peer)",
        "u = np.zeros(4)\nfield.a.b = u\nv = field.a\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.send(v, dest=peer)",
        "u = np.zeros(4)\nfield.rows.append(u)\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.send(field.rows, dest=peer)",
        "u = np.zeros(4)\nsetattr(field, 'u', u)\nv = field.u\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "u, n = np.zeros(4), 0\nv = u if n else u[1:]\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "v = np.zeros(4)\nif peer:\n    u = v\nelse:\n    u = np.ones(4)\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "u = np.zeros(4)\ntry:\n    v = u\nexcept ValueError as e:\n    v = None\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "u = np.zeros(4)\nmatch u:\n    case v: pass\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "u = np.zeros(4)\nif (v := u) is not None:\n    comm.Recv(u, source=peer)  # @stuck 0 1\n    comm.Send(v, dest=peer)",
        "u = np.zeros(4)\nv: np.ndarray = u\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "comm.Recv(field.u, source=peer)  # @stuck 0 1\ncomm.send(field, dest=peer)",
        "u = field.u\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.send(field, dest=peer)",
        "u = np.zeros(4)\nv = np.zeros(4)\nu, v = v, u\nw = u\ncomm.Recv(v, source=peer)  # @stuck 0 1\ncomm.Send(w, dest=peer)",
        "u = np.zeros(4)\nv = sorted([u])[0]\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "u = np.zeros(4)\nv = max([u], key=id)\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "u = np.zeros(4)\nv = u.__array__()\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)",
        "u = np.zeros(4)\nv = +[u][0]\nw = [u] + []\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(w[0], dest=peer)",
        "u = np.zeros(4)\nv = field\nv += u\nw = u\nw *= 2\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(w, dest=peer)",
    ] {
        wrong.python(body);
    }
    for (b, to, from) in [
        ("double own[8]; struct row r; r.a.p = own;", "r.a.p", "own"),
        (
            "double own[8]; struct row r; r.a.p = own; struct row t = r;",
            "t.a.p",
            "own",
        ),
        ("double own[8]; struct row r; set(&r, own);", "r.p", "own"),
        ("double own[8]; struct row *r = make(own);", "r->p", "own"),
        (
            "double own[8]; long a = (long)own; double *q = (double *)a;",
            "q",
            "own",
        ),
        ("double own[8]; double *q = &own[2] + 1;", "q", "own"),
        (
            "double own[8]; double *q; q = peer ? own : all;",
            "q",
            "own",
        ),
        ("double own[8]; void *q = own; double *r = q;", "r", "own"),
        (
            "double own[8]; double *q[1][1]; q[0][0] = own;",
            "q[0][0]",
            "own",
        ),
        (
            "double own[8]; double *q; do { q = own; } while (0);",
            "q",
            "own",
        ),
        (
            "double own[8]; double *q; switch (peer) { case 0: q = own; break; default: q = own + 1; }",
            "q",
            "own",
        ),
        ("double own[8]; double *q = ({ own; });", "q", "own"),
        ("double own[8], *q = realloc(own, 3);", "q", "own"),
        ("char own[64]; double *q = (double *)(own + 8);", "q", "own"),
        ("double own[8], *q; *(double **)&q = own;", "q", "own"),
        ("double own[8], *q; { double *t = own; q = t; }", "q", "own"),
        ("double own[8], *q, *t; q = t = own;", "q", "own"),
        (
            "struct pair { double *p; } r; double own[8]; struct pair *s = &r; s->p = own;",
            "r.p",
            "own",
        ),
        ("double own[8]; struct pair r = { .p = own };", "r.p", "own"),
        (
            "double own[8]; struct pair r = (struct pair){ own };",
            "r.p",
            "own",
        ),
        (
            "double own[8]; struct pair r; r = (struct pair){ own };",
            "r.p",
            "own",
        ),
    ] {
        wrong.c(&format!("{b}\nMPI_Recv({to}, 4, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1\nMPI_Send({from}, 4, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD);"));
    }
    wrong.none();
}
