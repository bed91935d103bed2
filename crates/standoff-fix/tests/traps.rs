//! Programs whose data dependences forbid the obvious: nothing is offered that reorders them.

mod common;

use common::nothing;
use standoff_fix::Language::{C, Python};

/// Two ranks at one place; what stands between and around differs.
fn python(body: &str) -> String {
    let body: String = body.lines().map(|l| format!("    {l}\n")).collect();
    format!("import numpy as np\ndef work(comm, peer, field):\n{body}")
}

#[test]
fn value_sent_is_the_value_received() {
    nothing(
        Python,
        &python("got = comm.recv(source=peer)  # @stuck 0 1\ncomm.send(got, dest=peer)"),
        "`got` is needed",
    );
}

#[test]
fn value_sent_is_computed_from_it() {
    let body = "token = comm.recv(source=peer)  # @stuck 0 1\nnext = token + 1\ncomm.send(next, dest=peer)";
    nothing(Python, &python(body), "is needed in this order");
}

#[test]
fn destination_is_received() {
    let body = "job = comm.recv(source=peer)  # @stuck 0 1\ncomm.send('done', dest=job['reply'])";
    nothing(Python, &python(body), "`job` is needed");
}

#[test]
fn destination_is_in_the_status() {
    let body = "st = MPI.Status()\ngot = comm.recv(source=peer, status=st)  # @stuck 0 1\ncomm.send(1, dest=st.Get_source())";
    nothing(Python, &python(body), "`st` is needed");
}

#[test]
fn buffer_is_the_same() {
    let body = "u = np.zeros(4)\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(u, dest=peer)";
    nothing(Python, &python(body), "`u` is needed");
}

#[test]
fn buffer_is_a_view() {
    let body = "u = np.zeros(4)\nedge = u[1:]\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(edge, dest=peer)";
    nothing(Python, &python(body), "may be the same memory");
}

#[test]
fn buffer_is_in_a_list() {
    let body = "u = np.zeros(4)\nrows = [u, u]\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(rows[1], dest=peer)";
    nothing(Python, &python(body), "may be the same memory");
}

#[test]
fn buffer_was_put_into_a_dictionary() {
    let body = "u, d = np.zeros(4), {}\nd['k'] = u\ncomm.Recv(u, source=peer)  # @stuck 0 1\ncomm.Send(d['k'], dest=peer)";
    nothing(Python, &python(body), "may be the same memory");
}

#[test]
fn parameter_may_be_a_view() {
    let source = "def f(comm, peer, a, b):\n    comm.Recv(a, source=peer)  # @stuck 0 1\n    comm.Send(b, dest=peer)\n";
    nothing(Python, source, "`a` and `b` may be the same memory");
}

#[test]
fn unknown_function_between() {
    let body =
        "got = comm.recv(source=peer)  # @stuck 0 1\nstore(got)\ncomm.send(field, dest=peer)";
    nothing(Python, &python(body), "`store()` in line 4 may do anything");
}

#[test]
fn output_between() {
    let body =
        "got = comm.recv(source=peer)  # @stuck 0 1\nprint('got it')\ncomm.send(field, dest=peer)";
    nothing(Python, &python(body), "`print()`");
}

#[test]
fn value_comes_from_a_function() {
    let body = "field['x'] = comm.recv(source=peer)  # @stuck 0 1\ncomm.send(payload(), dest=peer)";
    nothing(Python, &python(body), "`payload()`");
}

#[test]
fn attribute_is_a_property() {
    let source = "\
class Node:
    @property
    def total(self):
        return self.got + 1
    def step(self, peer):
        self.got = self.comm.recv(source=peer)  # @stuck 0 1
        self.comm.send(self.total, dest=peer)
";
    nothing(Python, source, "may be computed when it is read");
}

#[test]
fn send_depends_on_what_came() {
    let body = "got = comm.recv(source=peer)  # @stuck 0 1\nif got:\n    comm.send(1, dest=peer)";
    nothing(
        Python,
        &python(body),
        "no send on the same communicator follows",
    );
}

#[test]
fn leaves_when_it_came() {
    let body = "got = comm.recv(source=peer)  # @stuck 0 1\nif got is None:\n    return\ncomm.send(1, dest=peer)";
    nothing(Python, &python(body), "may leave the block");
}

#[test]
fn another_message_between() {
    let body = "got = comm.recv(source=peer)  # @stuck 0 1\nmore = other.recv(source=0)\ncomm.send(1, dest=peer)";
    nothing(
        Python,
        &python(body),
        "no send on the same communicator follows",
    );
}

#[test]
fn buffer_of_a_request_is_overwritten() {
    let body = "u = np.zeros(4)\nreq = comm.Irecv(u, source=peer)\nreq.Wait()  # @stuck 0 1\ncomm.Send(u, dest=peer)";
    nothing(Python, &python(body), "`u` is needed");
}

/// `Isend` may not be waited for behind the store; `sendrecv` has the receive before it, too.
#[test]
fn buffer_is_overwritten_before_the_receive() {
    let body = "u, v = np.zeros(4), np.zeros(4)\ncomm.Send(u, dest=peer)  # @stuck 0 1\nu[:] = 0\nv[0] = u[0]\ncomm.Recv(v, source=peer)";
    nothing(Python, &python(body), "is needed in this order");
}

#[test]
fn c_same_variable() {
    let source = "void f(int peer) {\n    int x = 0;\n    MPI_Recv(&x, 1, MPI_INT, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1\n    MPI_Send(&x, 1, MPI_INT, peer, 0, MPI_COMM_WORLD);\n}\n";
    nothing(C, source, "`x` is needed");
}

#[test]
fn c_pointers_into_one_array() {
    let source = "void f(int peer) {\n    double *u = malloc(80), *edge = u + 4;\n    MPI_Recv(u, 8, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1\n    MPI_Send(edge, 1, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD);\n}\n";
    nothing(C, source, "may be the same memory");
}

#[test]
fn c_sum_of_what_came() {
    let source = "void f(int peer) {\n    int x = 0, sum = 0;\n    MPI_Recv(&x, 1, MPI_INT, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1\n    sum += x;\n    MPI_Send(&sum, 1, MPI_INT, peer, 0, MPI_COMM_WORLD);\n}\n";
    nothing(C, source, "is needed in this order");
}

#[test]
fn c_through_a_pointer() {
    let source = "void f(int peer) {\n    int x = 0, *p = &x;\n    MPI_Recv(p, 1, MPI_INT, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);  // @stuck 0 1\n    MPI_Send(&x, 1, MPI_INT, peer, 0, MPI_COMM_WORLD);\n}\n";
    nothing(C, source, "may be the same memory");
}
