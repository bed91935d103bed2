//! Traps in which the dependence is hidden: in another name, another function, an expression, a macro. Whatever is offered here would change what is sent.

mod common;

use common::Wrong;
use standoff_fix::Language::{C, Python};

#[test]
fn memory_under_another_name() {
    let mut wrong = Wrong::default();
    for alias in [
        "v = np.frombuffer(u)",
        "v = np.frombuffer(u, dtype='d', count=2)",
        "v = memoryview(u)",
        "v = u.reshape(2, 2)",
        "v = u.T",
        "v = u.ravel()",
        "v = np.asarray(u)",
        "v = np.ascontiguousarray(u)",
        "v = u[::2]",
        "v = u.view('i4')",
        "v, w = u[:2], u[2:]",
        "(v, w), x = (u, 1), 2",
        "v = u if peer else np.zeros(4)",
        "v = [u][0]",
        "v = next(iter([u]))",
        "v = np.atleast_1d(u)",
        "v = np.squeeze(u)",
        "v = np.broadcast_to(u, (1, 4))",
        "v = u.real",
        "for v in [u]: pass",
        "v = (w := u)",
        "w = v = u",
        "v = u\nv = v",
        "v = np.zeros(4); v = u",
        "v = dict(a=u)['a']",
        "v = (lambda: u)()",
        "v = [x for x in (u,)][0]",
        "import ctypes; v = np.ctypeslib.as_array((ctypes.c_double * 4).from_buffer(u))",
    ] {
        wrong.python(&format!(
            "u = np.zeros(4)\n{alias}\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(v, dest=peer)"
        ));
    }
    wrong.none();
}

#[test]
fn received_value_reaches_what_is_sent() {
    let mut wrong = Wrong::default();
    for between in [
        // Into a name that is sent: alone, a local name would reach nothing.
        "TOTAL = got; field = TOTAL",
        "total = 1 + (twice := got * 2); field = twice",
        "field += got",
        "field.x += got",
        "field['n'] = got",
        "field[got] = 1",
        // Of `got`: changing two other names may go before the receive.
        "field, got = got, field",
        "for field in got: pass",
        "with got as field: pass",
        "try:\n    field = got\nfinally:\n    pass",
        "if got: field = 1",
        "while got: got = field = None",
        "del field; field = got",
        "field = [x + got for x in range(3)]",
        "field = f'{got}'",
        "field = got and 1",
        "def send(): return got\nfield = send()",
        "match got:\n    case field: pass",
        "assert got",
        "field.sort(key=got)",
        "field.extend(got)",
        "exec('field = got')",
        "globals()['field'] = got",
        "setattr(field, 'x', got)",
    ] {
        wrong.python(&format!(
            "other = 2\ngot = comm.recv(source=peer)  # @stuck 0 1\n{between}\ncomm.send(field, dest=peer)"
        ));
    }
    wrong.none();
}

#[test]
fn inside_the_calls() {
    let mut wrong = Wrong::default();
    for pair in [
        "comm.send((got := comm.recv(source=peer)) + 1, dest=peer)  # @stuck 0 1",
        "comm.send(comm.recv(source=peer), dest=peer)  # @stuck 0 1",
        "field += comm.recv(source=peer)  # @stuck 0 1\ncomm.send(field, dest=peer)",
        "field.x = comm.recv(source=peer)  # @stuck 0 1\ncomm.send(field, dest=peer)",
        "field[0] = comm.recv(source=peer)  # @stuck 0 1\ncomm.send(field[0], dest=peer)",
        "field[peer] = comm.recv(source=peer)  # @stuck 0 1\ncomm.send(field[peer - 0], dest=peer)",
        "peer = comm.recv(source=peer)  # @stuck 0 1\ncomm.send(1, dest=peer)",
        "comm.Recv(field[1:], source=peer)  # @stuck 0 1\ncomm.Send(field[:2], dest=peer)",
        "comm.Recv(field[-1:], source=peer)  # @stuck 0 1\ncomm.Send(field[3:], dest=peer)",
        "comm.Recv([field, 4], source=peer)  # @stuck 0 1\ncomm.Send([field, 2], dest=peer)",
        "comm.Recv(field.u, source=peer)  # @stuck 0 1\ncomm.Send(field.v, dest=peer)",
        "got, = [comm.recv(source=peer)]  # @stuck 0 1\ncomm.send(got, dest=peer)",
        "comm, peer = comm.recv(source=peer)  # @stuck 0 1\ncomm.send(1, dest=peer)",
    ] {
        wrong.python(pair);
    }
    wrong.none();
}

#[test]
fn in_other_functions() {
    let mut wrong = Wrong::default();
    for source in [
        // A global that a called function changes.
        "\
total = 0
def add(x):
    global total
    total += x
def work(comm, peer):
    got = comm.recv(source=peer)  # @stuck 0 1
    add(got)
    comm.send(total, dest=peer)
",
        // A closure over what was received.
        "\
def work(comm, peer):
    got = None
    def answer():
        return got
    got = comm.recv(source=peer)  # @stuck 0 1
    comm.send(answer(), dest=peer)
",
        "\
def work(comm, peer):
    got = 0
    def take():
        nonlocal got
        got = comm.recv(source=peer)  # @stuck 0 1
    take()
    comm.send(got, dest=peer)
",
        // A generator runs when it is asked, and each value depends on the one before.
        "\
def values(comm, peer):
    total = 0
    while total < 9:
        got = comm.recv(source=peer)  # @stuck 0 1
        total += got
        yield total
        comm.send(total, dest=peer)
",
        // The handler and the end of a try run in this order.
        "\
def work(comm, peer, box):
    try:
        box.got = comm.recv(source=peer)  # @stuck 0 1
    finally:
        comm.send(box, dest=peer)
",
        "\
def work(comm, peer, box):
    with box.lock:
        box.got = comm.recv(source=peer)  # @stuck 0 1
    comm.send(box, dest=peer)
",
        // A default argument keeps the list.
        "\
def keep(x, seen=[]):
    seen.append(x)
    return seen
def work(comm, peer):
    got = comm.recv(source=peer)  # @stuck 0 1
    comm.send(keep(got), dest=peer)
",
        // The attribute is written by a method.
        "\
class Box:
    def put(self, x):
        self.last = x
    def work(self, comm, peer):
        self.put(comm.recv(source=peer))  # @stuck 0 1
        comm.send(self.last, dest=peer)
",
        // An item is given by code.
        "\
class Box:
    def __getitem__(self, i):
        return self.got
    def work(self, comm, peer):
        self.got = comm.recv(source=peer)  # @stuck 0 1
        comm.send(self[0], dest=peer)
",
    ] {
        wrong.check(Python, source);
    }
    wrong.none();
}

/// The buffer of one turn is that of the next.
#[test]
fn reused_in_a_loop() {
    let mut wrong = Wrong::default();
    for body in [
        "u = np.zeros(4)\nfor i in range(3):\n    comm.Recv(u, source=peer)  # @stuck 0 1\n    comm.Send(u, dest=peer)",
        "a, b = np.zeros(4), np.zeros(4)\nfor i in range(3):\n    comm.Recv(a, source=peer)  # @stuck 0 1\n    comm.Send(b, dest=peer)\n    a, b = b, a",
        "buf = [np.zeros(4), np.zeros(4)]\nfor i in range(3):\n    comm.Recv(buf[i % 2], source=peer)  # @stuck 0 1\n    comm.Send(buf[(i + 1) % 2], dest=peer)",
        "got = 1\nfor i in range(3):\n    got = comm.recv(source=peer) + got  # @stuck 0 1\n    comm.send(got, dest=peer)",
    ] {
        wrong.python(body);
    }
    wrong.none();
}

#[test]
fn c_memory_under_another_name() {
    let mut wrong = Wrong::default();
    for (before, to, from) in [
        ("double *p = all, *q = all + 8;", "p", "q"),
        ("double *p = all; double *q = p; q++;", "p", "q"),
        ("double *p = &all[0], *q = &all[3];", "p", "q"),
        ("double (*m)[8] = (double (*)[8])all;", "m[0]", "all"),
        ("union { double d[4]; int i[8]; } x;", "x.d", "x.i"),
        ("struct { double a[4], b[4]; } s, *r = &s;", "&s", "r->b"),
        (
            "double *p = malloc(64), *q; memcpy(&q, &p, sizeof q);",
            "p",
            "q",
        ),
        ("double *p[2]; p[0] = p[1] = all;", "p[0]", "p[1]"),
        ("char *bytes = (char *)all;", "all", "bytes + 16"),
        ("int i = 0;", "&all[i++]", "&all[i++]"),
        ("double *restrict p = all; double *q = all;", "p", "q"),
        ("double *p = alloca(64); double *q = p ? p : all;", "p", "q"),
        ("static double mine[4]; double *q = mine;", "mine", "q"),
    ] {
        wrong.c(&format!(
            "{before}\nMPI_Recv({to}, 4, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1\nMPI_Send({from}, 4, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD);"
        ));
    }
    wrong.none();
}

#[test]
fn c_received_value_reaches_what_is_sent() {
    let mut wrong = Wrong::default();
    for between in [
        "out = in;",
        "out += in;",
        "out = in ? 1 : 2;",
        "if (in) out = 3;",
        "while (in--) out++;",
        "*p = in;",
        "p = &in;",
        "add(&out, in);",
        "ADD(out, in);",
        "out = in, peer = 0;",
        "goto label; label:;",
        "if (in < 0) return;",
        "asm(\"\" : \"+r\"(out));",
        "memcpy(&out, &in, sizeof out);",
        "all[(int)in] = 1; out = all[0];",
        "printf(\"%f\", in);",
    ] {
        wrong.c(&format!(
            "double in = 0, out = 0, *p = &out;\nMPI_Recv(&in, 1, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1\n{between}\nMPI_Send(&out, 1, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD);"
        ));
    }
    wrong.none();
}

#[test]
fn c_macros() {
    let mut wrong = Wrong::default();
    for source in [
        // The send is in a macro: what it reads is not seen.
        "\
#define ANSWER(x) MPI_Send(&(x), 1, MPI_INT, peer, 0, MPI_COMM_WORLD)
void work(int peer) {
    int in;
    MPI_Recv(&in, 1, MPI_INT, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1
    ANSWER(in);
    wrong.none();
}
",
        // A name is a macro for the other.
        "\
#define out in
void work(int peer) {
    int in = 0;
    MPI_Recv(&in, 1, MPI_INT, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1
    MPI_Send(&out, 1, MPI_INT, peer, 0, MPI_COMM_WORLD);
}
",
        "\
#define NEXT (buffer[0])
void work(int peer) {
    int buffer[4] = {0};
    MPI_Recv(buffer, 4, MPI_INT, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1
    MPI_Send(&NEXT, 1, MPI_INT, peer, 0, MPI_COMM_WORLD);
}
",
        // The whole call is checked by a macro that may leave.
        "\
#define CHECK(call) do { if ((call) != MPI_SUCCESS) return; } while (0)
void work(int peer) {
    int in, out = 1;
    CHECK(MPI_Recv(&in, 1, MPI_INT, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE));  // @stuck 0 1
    CHECK(MPI_Send(&out, 1, MPI_INT, peer, 0, MPI_COMM_WORLD));
}
",
    ] {
        wrong.check(C, source);
    }
}
